/* A diagnosis as JSON. */
#include "put.h"
#include "report_parts.h"
#include "report_tree.h"
#include "waymark/diagnosis_view.h"

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

    wm_diagnosis_verdict(d, verdict);
    wm_put_open(out, NULL, '{');
    wm_put_text(out, "kind", wm_kinds[s->migration->kind].kind);
    wm_put_text(out, "namespace", s->state->namespace_);
    wm_put_text(out, "name", s->state->name);
    wm_put_text(out, "uid", s->state->uid);
    wm_put_text(out, "plan", s->state->plan);
    wm_put_text(out, "phase", s->state->phase);
    wm_put_text(out, "verdict", verdict);
    wm_put_time(out, "since", d->since_s);
    wm_put_time(out, "lastProgress", d->look->still_since_s);
    put_ends(s, out);
    wm_report_put_findings(d, out);
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
