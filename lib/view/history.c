/* What is remembered of a migration, and what is new in it. */
#include <stdio.h>

#include "history.h"
#include "report_parts.h"
#include "waymark/time.h"

enum { HOST = 0 };
static const char COMPLETED[] = "Completed";

/* --- phases --- */

void wm_history_push(struct wm_history *h, const struct wm_moment *m)
{
    if (h->n == WM_TIMELINE_MAX) {
        memmove(&h->moments[1], &h->moments[2], (WM_TIMELINE_MAX - 2) * sizeof h->moments[0]);
        h->n--;
        h->n_dropped++;
    }
    h->moments[h->n++] = *m;
}

/* Where the controller names no itinerary it is the one that is due: a request to cancel changes that, but
 * not the phase, which has no place in it. */
static bool is_same_phase(const struct wm_moment *m, const struct wm_migration_state *st)
{
    return strcmp(m->phase, st->phase) == 0 &&
           (m->itinerary == st->itinerary || strcmp(m->phase, COMPLETED) == 0 ||
            !wm_phase_step(st->itinerary, st->phase));
}

/* The phase in which a migration stays for good. */
static bool is_last(const struct wm_migration_state *st)
{
    return st->kind == WM_RUN_VM ? st->over : strcmp(st->phase, COMPLETED) == 0;
}

/* When the phase began: by the object's own word, else from when it was seen, by the same clock; 0 = not
 * known. */
static int64_t begin_of(const struct wm_history *h, const struct wm_migration_state *st, int64_t now_s)
{
    bool blocked = st->outcome == WM_RUN_BLOCKED || st->outcome == WM_RUN_POSTPONED;
    int64_t told = is_last(st) ? st->completed_s : blocked ? 0 : st->since_s;

    return told > 0 ? told : h->watched ? now_s : 0;
}

static bool follows_at_once(const struct wm_moment *m, const struct wm_migration_state *st)
{
    const struct wm_phase *next =
        m->itinerary == st->itinerary ? wm_phase_next(m->itinerary, m->phase) : NULL;

    return next && strcmp(next->name, st->phase) == 0;
}

static bool update_phase(struct wm_history *h, const struct wm_migration_state *st, int64_t now_s)
{
    struct wm_moment *last = h->n ? &h->moments[h->n - 1] : NULL, next = {.itinerary = st->itinerary};

    if (!st->phase[0] || (last && is_same_phase(last, st)))
        return false;
    next.from_s = begin_of(h, st, now_s);
    if (last) {
        bool seen = next.from_s && (h->watched || follows_at_once(last, st));

        if (next.from_s) /* clocks differ: time does not run backwards for that */
            next.from_s = wm_later(next.from_s, wm_later(last->from_s, last->to_s));
        if (last->to_s == 0)
            last->to_s = seen ? next.from_s : WM_ENDED_UNSEEN;
    }
    snprintf(next.phase, sizeof next.phase, "%s", st->phase);
    if (is_last(st))
        next.to_s = next.from_s;
    wm_history_push(h, &next);
    return true;
}

/* --- what lasts --- */

/* A list that is made anew: what is in the same state as in the old one keeps its time. */
struct renewal {
    const struct wm_lasting *old;
    size_t max, n;
    int64_t now_s;
    struct wm_lasting fresh[WM_REPORT_CONDITIONS_MAX];
};
_Static_assert((int)WM_REPORT_CLUSTERS_MAX <= (int)WM_REPORT_CONDITIONS_MAX, "room in a renewal");

/* `state` "": as it was, if it was. */
static void renew(struct renewal *r, const char *what, const char *state, int64_t since_s)
{
    const struct wm_lasting *old = wm_lasting_find(r->old, r->max, what);

    if (old && (!state[0] || strcmp(old->state, state) == 0)) {
        r->fresh[r->n++] = *old;
    } else if (state[0]) {
        struct wm_lasting *l = &r->fresh[r->n++];

        snprintf(l->what, sizeof l->what, "%s", what);
        snprintf(l->state, sizeof l->state, "%s", state);
        l->since_s = since_s > 0 ? since_s : r->now_s;
    }
}

static bool is_same(const struct wm_lasting *a, const struct wm_lasting *b)
{
    return strcmp(a->what, b->what) == 0 && strcmp(a->state, b->state) == 0 && a->since_s == b->since_s;
}

static bool adopt(struct wm_lasting *list, const struct renewal *r)
{
    bool changed = false;

    for (size_t i = 0; i < r->max; i++) {
        changed |= !is_same(&list[i], &r->fresh[i]);
        list[i] = r->fresh[i];
    }
    return changed;
}

/* While the watching starts, the sight is what it was: a restart of ours is no event in a migration. */
static bool update_clusters(struct wm_history *h, const struct wm_world *w, const struct wm_situation *s)
{
    struct renewal r = {.old = h->clusters, .max = WM_REPORT_CLUSTERS_MAX, .now_s = wm_world_now(w, HOST)};
    struct wm_report_cluster clusters[WM_REPORT_CLUSTERS_MAX];
    size_t n = wm_report_ended(s) ? 0 : wm_report_clusters(w, s, clusters);

    for (size_t i = 0; i < n; i++) {
        enum wm_cluster_sight sight = clusters[i].sight;

        renew(&r, clusters[i].name, sight == WM_SIGHT_STARTING ? "" : wm_sight_name(sight),
              clusters[i].since_s);
    }
    return adopt(h->clusters, &r);
}

static bool update_conditions(struct wm_history *h, const struct wm_world *w, const struct wm_situation *s)
{
    struct renewal r = {
        .old = h->conditions, .max = WM_REPORT_CONDITIONS_MAX, .now_s = wm_world_now(w, HOST)};
    struct wm_report_condition conditions[WM_REPORT_CONDITIONS_MAX];

    wm_report_conditions(w, s, "", conditions);
    for (size_t i = 0; i < WM_REPORT_CONDITIONS_MAX; i++) {
        const struct wm_report_condition *c = &conditions[i];

        if (c->type)
            renew(&r, c->type, c->starting ? "" : c->status, c->since_s);
    }
    return adopt(h->conditions, &r);
}

static bool update_verdict(struct wm_history *h, const char *verdict, int64_t now_s)
{
    char line[WM_VERDICT_MAX];

    wm_line_copy(line, sizeof line, wm_str_of(verdict));
    if (strcmp(h->verdict, line) == 0)
        return false;
    memcpy(h->verdict, line, sizeof line);
    h->verdict_since_s = now_s;
    return true;
}

bool wm_history_update(struct wm_history *h, const struct wm_world *w, const struct wm_situation *s,
                       const char *verdict)
{
    int64_t now_s = wm_world_now(w, HOST);
    bool changed = update_phase(h, s->state, now_s);

    changed |= update_clusters(h, w, s);
    changed |= update_conditions(h, w, s);
    changed |= update_verdict(h, verdict, now_s);
    h->watched = true;
    return changed;
}
