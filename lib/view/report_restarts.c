/* The restarts of providers in the report: wm_ledger_recall reads them again. */
#include <stdio.h>

#include "put.h"
#include "waymark/restarts.h"

enum { REPORTED_MAX = 32 }; /* the youngest; a migration makes two for each provider */

static const char *state_of(const struct wm_restart *r)
{
    return r->ended_s ? "finished" : r->stuck_s ? "stuck" : "in-progress";
}

static void put_culprits(const struct wm_restart *r, struct wm_buf *out)
{
    if (!r->n_culprits)
        return;
    wm_put_open(out, "culprits", '[');
    for (size_t i = 0; i < r->n_culprits; i++) {
        const struct wm_culprit *c = &r->culprits[i];

        wm_put_open(out, NULL, '{');
        wm_put_text(out, "migration", c->migration);
        wm_put_text(out, "uid", c->uid);
        wm_put_text(out, "claim", c->claim);
        wm_put_text(out, "role", wm_restart_role_name(c->role));
        if (c->deleted)
            wm_put_true(out, "deleted");
        wm_put_close(out, '}');
    }
    wm_put_close(out, ']');
}

static void put_victims(const struct wm_restart *r, struct wm_buf *out)
{
    if (!r->n_victims)
        return;
    wm_put_open(out, "victims", '[');
    for (size_t i = 0; i < r->n_victims; i++) {
        const struct wm_victim *v = &r->victims[i];

        wm_put_open(out, NULL, '{');
        wm_put_text(out, "migration", v->migration);
        wm_put_text(out, "uid", v->uid);
        wm_put_text(out, "phase", v->phase);
        if (v->failed)
            wm_put_true(out, "failed");
        wm_put_close(out, '}');
    }
    wm_put_close(out, ']');
}

/* Of one that is open only its beginning: the clock is not in a report. */
static void put_gap(const struct wm_restart *r, const struct wm_gap_marks *marks, struct wm_buf *out)
{
    bool open = wm_restart_gap_is_open(r);
    int64_t seconds = open ? 0 : wm_restart_gap_s(r, 0);

    wm_put_time(out, "unavailableFrom", r->gap_from_s);
    wm_put_time(out, "unavailableTo", r->gap_to_s);
    if (r->gap_at_least)
        wm_put_true(out, "unavailableAtLeast");
    if (r->gap_of_service)
        wm_put_true(out, "unavailableByService");
    if (!open && (seconds || r->ended_s)) {
        wm_put_int(out, "unavailableSeconds", seconds);
        wm_put_text(out, "class", wm_gap_name(wm_gap_of(marks, seconds)));
    }
    if (r->overlap_s)
        wm_put_int(out, "overlapSeconds", r->overlap_s);
}

static void put_what(const struct wm_restart *r, struct wm_buf *out)
{
    wm_put_text(out, "provider", r->provider);
    wm_put_text(out, "namespace", r->namespace_);
    wm_put_text(out, "deployment", r->deployment);
    wm_put_text(out, "deploymentUid", r->deployment_uid);
    wm_put_text(out, "kind", wm_restart_kind_name(r->kind));
    wm_put_text(out, "cause", wm_restart_cause_name(r->cause));
    if (r->also_changed)
        wm_put_true(out, "alsoChanged");
    put_culprits(r, out);
    if (r->from_revision)
        wm_put_int(out, "fromRevision", r->from_revision);
    if (r->to_revision)
        wm_put_int(out, "toRevision", r->to_revision);
}

static void put_restart(const struct wm_restart *r, const struct wm_gap_marks *marks, struct wm_buf *out)
{
    char key[24];

    wm_put_open(out, NULL, '{');
    put_what(r, out);
    wm_put_time(out, "started", r->begun_s);
    wm_put_time(out, "finished", r->ended_s);
    wm_put_time(out, "oldPodToldToEnd", r->let_go_s);
    put_gap(r, marks, out);
    wm_put_text(out, "state", state_of(r));
    wm_put_text(out, "stuck", r->stuck);
    wm_put_time(out, "stuckSince", r->stuck_s);
    wm_put_text(out, "pod", r->pod);
    wm_put_text(out, "why", r->why);
    wm_put_text(out, "message", r->message);
    put_victims(r, out);
    snprintf(key, sizeof key, "%016llx", (unsigned long long)r->key);
    wm_put_text(out, "key", key);
    wm_put_close(out, '}');
}

void wm_report_put_restarts(const struct wm_world *w, const struct wm_situation *s, struct wm_buf *out)
{
    const struct wm_restart *list[REPORTED_MAX];
    size_t n = w->ledger && s->vm ? wm_ledger_of(w->ledger, s->vm, list, REPORTED_MAX) : 0;
    struct wm_gap_marks marks;

    wm_gap_marks_default(&marks);
    if (w->gap_marks)
        marks = *w->gap_marks;
    if (!n)
        return;
    wm_put_open(out, "restarts", '[');
    for (size_t i = 0; i < n; i++)
        put_restart(list[i], &marks, out);
    wm_put_close(out, ']');
}
