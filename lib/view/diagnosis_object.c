/* A diagnosis as JSON. */
#include "put.h"
#include "report_parts.h"
#include "report_tree.h"
#include "waymark/diagnosis_view.h"

static void put_record(const struct wm_world *w, const char *key, const struct wm_record *r,
                       struct wm_buf *out)
{
    if (!r)
        return;
    wm_put_open(out, key, '{');
    wm_put_text(out, "kind", wm_kinds[r->kind].kind);
    wm_put_text(out, "namespace", wm_model_word(w->model, r->namespace_));
    wm_put_text(out, "name", wm_record_name(r));
    wm_put_text(out, "cluster", wm_report_cluster_name(w, r->cluster));
    wm_put_close(out, '}');
}

/* --- findings --- */

static void put_event(const struct wm_record *r, struct wm_buf *out)
{
    const struct wm_event_state *e = r ? wm_event_of(r) : NULL;

    if (!e)
        return;
    wm_put_open(out, "event", '{');
    wm_put_text(out, "reason", e->reason);
    wm_put_text(out, "message", e->message);
    wm_put_text(out, "from", e->component);
    wm_put_int(out, "count", e->count);
    wm_put_time(out, "first", e->first_s);
    wm_put_time(out, "last", e->last_s);
    wm_put_close(out, '}');
}

static void put_through(const struct wm_look *look, int from, struct wm_buf *out)
{
    wm_put_open(out, "through", '[');
    for (int i = look->suspects[from].via; i != WM_NO_SUSPECT; i = look->suspects[i].via)
        put_record(look->w, NULL, look->suspects[i].record, out);
    wm_put_close(out, ']');
}

static void put_finding(const struct wm_diagnosis *d, const struct wm_finding *f, struct wm_buf *out)
{
    const struct wm_suspect *suspect = &d->look->suspects[f->suspect];
    wm_auto_buf struct wm_buf remedy = WM_BUF_MAX(16 << 10);
    char says[WM_MESSAGE_MAX];

    wm_finding_say(d, f, says, sizeof says);
    wm_finding_remedy(d, f, true, &remedy);
    wm_put_open(out, NULL, '{');
    wm_put_text(out, "cause", f->cause->id);
    wm_put_text(out, "weight", wm_weight_name(f->cause->weight));
    wm_put_text(out, "confidence", wm_confidence_name(f->cause->confidence));
    wm_put_time(out, "since", f->since_s);
    wm_put_text(out, "role", wm_role_name(suspect->role));
    put_record(d->look->w, "object", suspect->record, out);
    put_record(d->look->w, "other", f->other, out);
    wm_put_text(out, "says", says);
    wm_put_text(out, "remedy", wm_buf_text(&remedy).p);
    put_event(f->event, out);
    put_through(d->look, f->suspect, out);
    if (f->explained_by >= 0)
        wm_put_text(out, "explainedBy", d->findings[f->explained_by].cause->id);
    wm_put_close(out, '}');
}

static void put_findings(const struct wm_diagnosis *d, struct wm_buf *out)
{
    wm_put_open(out, "findings", '[');
    for (size_t i = 0; i < d->n; i++)
        put_finding(d, &d->findings[i], out);
    wm_put_close(out, ']');
}

/* --- the whole --- */

static void put_ends(const struct wm_situation *s, struct wm_buf *out)
{
    wm_put_time(out, "endsAt", s->ends_s);
    if (s->ends_s)
        wm_put_text(out, "endsBy", s->ends_by);
    wm_put_text(out, "ending", wm_ending_name(s->ending));
}

void wm_case_object(const struct wm_case *c, struct wm_buf *out)
{
    const struct wm_diagnosis *d = c->d;
    const struct wm_situation *s = d->look->s;
    char verdict[WM_VERDICT_MAX];

    wm_situation_verdict(d->look->w, s, verdict);
    wm_put_open(out, NULL, '{');
    wm_put_text(out, "namespace", s->state->namespace_);
    wm_put_text(out, "name", s->state->name);
    wm_put_text(out, "uid", s->state->uid);
    wm_put_text(out, "plan", s->state->plan);
    wm_put_text(out, "phase", s->state->phase);
    wm_put_text(out, "verdict", verdict);
    wm_put_text(out, "pace", wm_pace_name(d->pace));
    wm_put_time(out, "since", d->since_s);
    wm_put_time(out, "lastProgress", d->look->still_since_s);
    put_ends(s, out);
    put_findings(d, out);
    if (d->n_more)
        wm_put_int(out, "findingsOmitted", (int64_t)d->n_more);
    wm_put_open(out, "waiting", '[');
    for (size_t i = 0; i < c->n_waiting; i++)
        wm_put_text(out, NULL, wm_record_name(c->waiting[i]));
    wm_put_close(out, ']');
    wm_report_put_progress(s, out);
    wm_report_put_tree(d->look->w, s, out->max, out);
    wm_put_close(out, '}');
}
