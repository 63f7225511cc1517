/* Where no other row fits: that, and what was looked at, is said rather than guessed. */
#include <stdio.h>

#include "causes.h"

static const enum wm_threshold by_wait[WM_WAIT_COUNT] = {
    [WM_WAIT_NOTHING] = WM_T_QUIET,      [WM_WAIT_REFRESH] = WM_T_SYNC,
    [WM_WAIT_STAGE_PODS] = WM_T_SYNC,    [WM_WAIT_STAGE_PODS_GONE] = WM_T_QUIESCE,
    [WM_WAIT_REGISTRIES] = WM_T_SYNC,    [WM_WAIT_VELERO] = WM_T_SYNC,
    [WM_WAIT_NODE_AGENT] = WM_T_SYNC,    [WM_WAIT_CREDENTIALS] = WM_T_SYNC,
    [WM_WAIT_HOOK] = WM_T_ITEMS,         [WM_WAIT_QUIESCED] = WM_T_QUIESCE,
    [WM_WAIT_BACKUP] = WM_T_ITEMS,       [WM_WAIT_BACKUP_COPY] = WM_T_SYNC,
    [WM_WAIT_RESTORE] = WM_T_ITEMS,      [WM_WAIT_IMAGES] = WM_T_ITEMS,
    [WM_WAIT_VOLUMES] = WM_T_COPY,       [WM_WAIT_HEALTH] = WM_T_SYNC,
    [WM_WAIT_MIGRATED_GONE] = WM_T_SYNC, [WM_WAIT_ROUTE] = WM_T_SYNC,
    [WM_WAIT_RSYNC_SERVER] = WM_T_SYNC,  [WM_WAIT_RSYNC] = WM_T_COPY,
    [WM_WAIT_RSYNC_GONE] = WM_T_QUIESCE,
};

/* One write an object of the application, and no sign of it before the last: see AnnotateSlow. */
static bool works_on_many(const struct wm_situation *s)
{
    static const char *const phases[] = {"AnnotateResources", "EnsureAnnotationsDeleted",
                                         "CleanStaleAnnotations", NULL};

    return wm_is_one_of(s->state->phase, phases);
}

/* Whom a row was asked about: not how many, which would change all the time. */
static void list_roles(struct wm_clue *c)
{
    unsigned roles = 0;
    size_t n = 0;

    for (size_t i = 0; i < c->look->n; i++)
        roles |= 1u << c->look->suspects[i].role;
    for (int r = 0; r < WM_ROLE_COUNT; r++)
        if ((roles & (1u << r)) && n < sizeof c->room)
            n += (size_t)snprintf(c->room + n, sizeof c->room - n, "%s%s", n ? ", " : "",
                                  wm_role_name((enum wm_role)r));
    c->detail = c->room;
}

static bool has_stood_still(struct wm_clue *c)
{
    const struct wm_situation *s = c->look->s;
    enum wm_wait wait = s->state->row ? s->state->row->waits_for : WM_WAIT_NOTHING;
    int64_t patience_s = c->look->thresholds->s[by_wait[wait]];

    if (s->ending != WM_ENDING_NONE || s->state->outcome != WM_RUN_RUNNING || wm_look_is_blind(c->look) ||
        works_on_many(s))
        return false;
    c->since_s = c->look->still_since_s;
    c->due_s = c->since_s + patience_s;
    list_roles(c);
    return true;
}

const struct wm_cause wm_causes_general[] = {
    {"NoKnownCause", WM_ROLE(MIGRATION), WM_KIND_MIGMIGRATION, WM_ANY_WAIT, has_stood_still, WM_STOPS,
     WM_POSSIBLE, WM_T_SIGNAL, 0, "Nothing moves, and no known cause was found",
     "nothing of {migration} has moved in the phase {phase}, and none of what was looked at shows a known "
     "cause: {detail}",
     "look at the controllers' logs:\n"
     "{host.kubectl} logs deployment/migration-controller --all-containers --since=1h",
     ""},
    {0},
};
