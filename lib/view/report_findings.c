/* What a report says of causes: each with its evidence, which outlives the Events that it came from. */
#include "put.h"
#include "report_parts.h"
#include "waymark/evidence.h"
#include "words.h"

void wm_report_put_stall(const struct wm_history *h, struct wm_buf *out)
{
    wm_put_time(out, "lastProgress", h->progress_s);
    if (!h->stall.cause[0])
        return;
    wm_put_open(out, "stall", '{');
    wm_put_text(out, "cause", h->stall.cause);
    wm_put_text(out, "message", h->stall.message);
    wm_put_time(out, "from", h->stall.from_s);
    wm_put_time(out, "to", h->stall.to_s);
    wm_put_close(out, '}');
}

static void put_object(const struct wm_diagnosis *d, const char *key, const struct wm_record *r,
                       struct wm_buf *out)
{
    wm_put_open(out, key, '{');
    wm_put_text(out, "cluster", wm_cluster_name(d->look->w, r->cluster));
    wm_put_text(out, "kind", wm_kinds[r->kind].kind);
    wm_put_text(out, "namespace", wm_model_word(d->look->w->model, r->namespace_));
    wm_put_text(out, "name", wm_record_name(r));
    wm_put_close(out, '}');
}

/* Not how often and when last: that moves by itself. */
static void put_event(const struct wm_record *event, struct wm_buf *out)
{
    const struct wm_event_state *e = wm_event_of(event);

    wm_put_open(out, "event", '{');
    wm_put_text(out, "reason", e->reason);
    wm_put_text(out, "message", e->message);
    wm_put_text(out, "from", e->component);
    wm_put_time(out, "first", e->first_s);
    wm_put_close(out, '}');
}

static void put_remedy(const struct wm_diagnosis *d, const struct wm_finding *f, struct wm_buf *out)
{
    wm_auto_buf struct wm_buf text = WM_BUF_MAX(1 << 16), line = WM_BUF_MAX(1 << 16);

    wm_finding_remedy(d, f, true, &text);
    wm_put_open(out, "remedy", '[');
    for (struct wm_str rest = wm_buf_text(&text); rest.n > 0;) {
        const char *end = memchr(rest.p, '\n', rest.n);
        size_t n = end ? (size_t)(end - rest.p) : rest.n;

        line.n = 0;
        wm_buf_add(&line, rest.p, n);
        wm_put_text(out, NULL, wm_buf_text(&line).n ? line.p : "");
        rest.p += n + (end != NULL);
        rest.n -= n + (end != NULL);
    }
    wm_put_close(out, ']');
}

/* From the object that is at fault up to the migration. */
static void put_chain(const struct wm_diagnosis *d, const struct wm_finding *f, struct wm_buf *out)
{
    const struct wm_suspect *suspects = d->look->suspects;

    wm_put_open(out, "through", '[');
    for (int i = suspects[f->suspect].via; i != WM_NO_SUSPECT; i = suspects[i].via)
        put_object(d, NULL, suspects[i].record, out);
    wm_put_close(out, ']');
}

static void put_finding(const struct wm_diagnosis *d, const struct wm_finding *f, struct wm_buf *out)
{
    char message[WM_MESSAGE_MAX];

    wm_finding_say(d, f, message, sizeof message);
    wm_put_open(out, NULL, '{');
    wm_put_text(out, "cause", f->cause->id);
    wm_put_text(out, "weight", wm_weight_name(f->cause->weight));
    wm_put_text(out, "confidence", wm_confidence_name(f->cause->confidence));
    wm_put_text(out, "message", message);
    wm_put_text(out, "because", f->explained_by < 0 ? "" : d->findings[f->explained_by].cause->id);
    wm_put_time(out, "since", f->since_s);
    put_object(d, "object", d->look->suspects[f->suspect].record, out);
    if (f->other)
        put_object(d, "other", f->other, out);
    if (f->event)
        put_event(f->event, out);
    put_remedy(d, f, out);
    put_chain(d, f, out);
    wm_put_close(out, '}');
}

void wm_report_put_findings(const struct wm_diagnosis *d, struct wm_buf *out)
{
    wm_put_text(out, "pace", wm_pace_name(d->pace));
    if (d->pace != WM_PACE_MOVES) /* that one begins anew with each progress */
        wm_put_time(out, "paceSince", d->since_s);
    if (d->behind)
        wm_put_int(out, "behind", (int64_t)d->behind);
    wm_put_open(out, "findings", '[');
    for (size_t i = 0; i < d->n; i++)
        put_finding(d, &d->findings[i], out);
    wm_put_close(out, ']');
}
