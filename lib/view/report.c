/* The report's status: where the migration stands, and how it came there. */
#include "waymark/report.h"

#include <stdio.h>
#include <stdlib.h>

#include "put.h"
#include "report_parts.h"
#include "report_tree.h"
#include "waymark/restarts.h"

/* --- where it stands --- */

static const char *outcome_of(const struct wm_situation *s)
{
    return s->ending == WM_ENDING_DATA_NOT_MIGRATED ? "data-not-migrated"
                                                    : wm_run_outcome_name(s->state->outcome);
}

static int64_t since_of(const struct wm_situation *s, const struct wm_history *h)
{
    const struct wm_moment *last = h->n ? &h->moments[h->n - 1] : NULL;
    bool over = wm_report_ended(s);

    if (s->state->since_s && !over)
        return s->state->since_s;
    return last && strcmp(last->phase, s->state->phase) == 0 ? last->from_s : 0;
}

static void put_phase(struct wm_buf *out, const struct wm_situation *s, const struct wm_history *h)
{
    const struct wm_migration_state *st = s->state;
    char step[32];

    wm_put_text(out, "phase", st->phase);
    if (st->step > 0) {
        snprintf(step, sizeof step, "%d of %d", st->step, st->steps);
        wm_put_text(out, "step", step);
    }
    if (s->vm && s->vm->retries > 0) {
        snprintf(step, sizeof step, "%d of %d", s->vm->retries + 1, s->vm->retries_max + 1);
        wm_put_text(out, "attempt", step);
    }
    wm_put_time(out, "since", since_of(s, h));
    wm_put_text(out, "itinerary", wm_itinerary_name(st->itinerary));
    wm_put_text(out, "run", wm_run_kind_name(st->kind));
    wm_put_text(out, "verdict", h->verdict);
    wm_put_time(out, "verdictSince", h->verdict_since_s);
    wm_put_text(out, "outcome", outcome_of(s));
    wm_put_text(out, "cause", st->cause);
    wm_put_text(out, "message", st->message);
    wm_put_text(out, "firstError", st->first_error);
}

static void put_wait(struct wm_buf *out, const struct wm_world *w, const struct wm_situation *s)
{
    const struct wm_record *r = s->awaited;

    if (s->awaited_kind[0]) {
        wm_put_open(out, "waitsFor", '{');
        wm_put_text(out, "kind", s->awaited_kind);
        wm_put_text(out, "namespace", r ? wm_model_word(w->model, r->namespace_) : s->awaited_namespace);
        wm_put_text(out, "name", r ? wm_record_name(r) : s->awaited_name);
        wm_put_text(out, "cluster", wm_report_cluster_name(w, r ? r->cluster : s->awaited_on));
        wm_put_close(out, '}');
    }
    wm_put_text(out, "next", s->next);
    wm_put_time(out, "endsAt", s->ends_s);
    wm_put_text(out, "endsBy", s->ends_by);
    wm_put_time(out, "started", s->state->started_s);
    wm_put_time(out, "completed", s->state->completed_s);
}

/* VirtRigaud counts from when the PVC was made, not from when it began to wait. */
static void put_mount_wait(struct wm_buf *out, const struct wm_situation *s)
{
    if (!s->vm || !s->ends_s || s->state->row->waits_for != WM_WAIT_VM_PROVIDERS)
        return;
    wm_put_open(out, "mountWait", '{');
    wm_put_time(out, "since", s->ends_s - WM_VM_MOUNT_S);
    wm_put_time(out, "until", s->ends_s);
    wm_put_close(out, '}');
}

static void put_warnings(struct wm_buf *out, const struct wm_migration_state *st)
{
    if (!st->n_warnings)
        return;
    wm_put_open(out, "warnings", '[');
    for (int i = 0; i < st->n_warnings && i < WM_WARNINGS_MAX; i++)
        wm_put_text(out, NULL, st->warnings[i]);
    wm_put_close(out, ']');
}

/* --- what lasts --- */

static void put_conditions(struct wm_buf *out, const struct wm_world *w, const struct wm_situation *s,
                           const struct wm_history *h)
{
    struct wm_report_condition conditions[WM_REPORT_CONDITIONS_MAX];

    wm_report_conditions(w, s, h->verdict, conditions);
    wm_put_open(out, "conditions", '[');
    for (size_t i = 0; i < WM_REPORT_CONDITIONS_MAX; i++) {
        const struct wm_report_condition *c = &conditions[i];
        const struct wm_lasting *l =
            c->type ? wm_lasting_find(h->conditions, WM_REPORT_CONDITIONS_MAX, c->type) : NULL;

        if (!c->type)
            continue;
        wm_put_open(out, NULL, '{');
        wm_put_text(out, "type", c->type);
        wm_put_text(out, "status", c->status);
        wm_put_text(out, "reason", c->reason);
        wm_put_text(out, "message", c->message);
        wm_put_time(out, "lastTransitionTime", l && strcmp(l->state, c->status) == 0 ? l->since_s : 0);
        wm_put_close(out, '}');
    }
    wm_put_close(out, ']');
}

static void put_roles(struct wm_buf *out, unsigned roles)
{
    static const struct {
        enum wm_cluster_role role;
        const char *name;
    } names[] = {{WM_CLUSTER_HOST, "host"}, {WM_CLUSTER_SOURCE, "source"}, {WM_CLUSTER_TARGET, "target"}};

    wm_put_open(out, "roles", '[');
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (roles & names[i].role)
            wm_put_text(out, NULL, names[i].name);
    wm_put_close(out, ']');
}

static void put_sight(struct wm_buf *out, const struct wm_report_cluster *c, const struct wm_history *h)
{
    const char *sight = wm_sight_name(c->sight);
    const struct wm_lasting *l = wm_lasting_find(h->clusters, WM_REPORT_CLUSTERS_MAX, c->name);

    wm_put_text(out, "sight", sight);
    wm_put_text(out, "why", c->why);
    wm_put_time(out, "since", l && strcmp(l->state, sight) == 0 ? l->since_s : c->since_s);
}

/* In tens of seconds, so that a report is not stored anew for every tick of a clock that drifts. */
static void put_clock(struct wm_buf *out, int64_t ahead_s)
{
    int64_t s = (llabs(ahead_s) + 5) / 10 * 10;
    char text[80];

    if (s == 0)
        return;
    snprintf(text, sizeof text, "about %lld s %s the host's", (long long)s,
             ahead_s > 0 ? "ahead of" : "behind");
    wm_put_text(out, "clock", text);
}

static void put_clusters(struct wm_buf *out, const struct wm_world *w, const struct wm_situation *s,
                         const struct wm_history *h)
{
    struct wm_report_cluster clusters[WM_REPORT_CLUSTERS_MAX];
    size_t n = wm_report_clusters(w, s, clusters);
    bool skewed = wm_report_clocks_differ(clusters, n);

    wm_put_open(out, "clusters", '[');
    for (size_t i = 0; i < n; i++) {
        wm_put_open(out, NULL, '{');
        wm_put_text(out, "name", clusters[i].name);
        put_roles(out, clusters[i].roles);
        if (!wm_report_ended(s))
            put_sight(out, &clusters[i], h);
        if (skewed)
            put_clock(out, clusters[i].ahead_s);
        wm_put_close(out, '}');
    }
    wm_put_close(out, ']');
}

/* --- how it came there --- */

static void put_timeline(struct wm_buf *out, const struct wm_history *h)
{
    wm_put_open(out, "timeline", '[');
    for (size_t i = 0; i < h->n; i++) {
        const struct wm_moment *m = &h->moments[i];

        wm_put_open(out, NULL, '{');
        wm_put_text(out, "phase", m->phase);
        wm_put_text(out, "itinerary", wm_itinerary_name(m->itinerary));
        wm_put_time(out, "from", m->from_s);
        wm_put_time(out, "to", m->to_s);
        if (m->from_s > 0 && m->to_s > 0)
            wm_put_int(out, "seconds", m->to_s - m->from_s);
        wm_put_close(out, '}');
    }
    wm_put_close(out, ']');
    if (h->n_dropped)
        wm_put_int(out, "timelineOmitted", (int64_t)h->n_dropped);
}

void wm_report_status(const struct wm_world *w, const struct wm_situation *s, const struct wm_history *h,
                      const struct wm_diagnosis *d, struct wm_buf *out)
{
    size_t end = out->max - out->n > WM_REPORT_MAX ? out->n + WM_REPORT_MAX : out->max;

    wm_buf_puts(out, "{");
    put_phase(out, s, h);
    put_wait(out, w, s);
    put_mount_wait(out, s);
    put_warnings(out, s->state);
    put_conditions(out, w, s, h);
    put_clusters(out, w, s, h);
    put_timeline(out, h);
    wm_report_put_stall(h, out);
    if (d)
        wm_report_put_findings(d, out);
    wm_report_put_restarts(w, s, out);
    wm_report_put_progress(s, out);
    wm_report_put_tree(w, s, end, out);
    wm_put_close(out, '}');
}
