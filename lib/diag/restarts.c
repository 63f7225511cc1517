/* What a restart is called, and how it is judged. */
#include "waymark/restarts.h"

static const char *const kind_names[WM_RESTART_KIND_COUNT] = {
    [WM_RESTART_ROLLOUT] = "rollout",
    [WM_RESTART_REPLACED] = "replaced",
    [WM_RESTART_CONTAINER] = "container",
    [WM_RESTART_SCALED] = "scaled",
};

static const char *const cause_names[WM_RESTART_CAUSE_COUNT] = {
    [WM_RESTART_UNKNOWN] = "unknown",         [WM_RESTART_CREATED] = "pvc-created",
    [WM_RESTART_DELETED] = "pvc-deleted",     [WM_RESTART_CHURN] = "pvc-order",
    [WM_RESTART_CHANGED] = "template-change", [WM_RESTART_POD] = "pod",
};

static const char *const gap_names[WM_GAP_COUNT] = {
    [WM_GAP_NONE] = "NoGap",
    [WM_GAP_TYPICAL] = "Typical",
    [WM_GAP_WORST_CASE] = "WithinWorstCase",
    [WM_GAP_BEYOND] = "BeyondWorstCase",
    [WM_GAP_OUTAGE] = "Unavailable",
};

static const char *const role_names[] = {
    [WM_RESTART_COLLATERAL] = "collateral",
    [WM_RESTART_SOURCE] = "source",
    [WM_RESTART_TARGET] = "target",
    [WM_RESTART_ROLE_UNKNOWN] = "unknown",
};

const char *wm_restart_kind_name(enum wm_restart_kind k)
{
    return kind_names[k];
}

const char *wm_restart_cause_name(enum wm_restart_cause c)
{
    return cause_names[c];
}

const char *wm_gap_name(enum wm_gap g)
{
    return gap_names[g];
}

const char *wm_restart_role_name(enum wm_restart_role r)
{
    return role_names[r];
}

/* VirtRigaud's document of 2025-10 on the restarts of its providers: 5 to 15 s; 26 to 32 s when the new pod
 * comes only after the old one; and it asks for an alert after a minute. */
void wm_gap_marks_default(struct wm_gap_marks *ret)
{
    *ret = (struct wm_gap_marks){.typical = 15, .worst_case = 32, .outage = 60};
}

enum wm_gap wm_gap_of(const struct wm_gap_marks *marks, int64_t seconds)
{
    return seconds <= 0                   ? WM_GAP_NONE
           : seconds <= marks->typical    ? WM_GAP_TYPICAL
           : seconds <= marks->worst_case ? WM_GAP_WORST_CASE
           : seconds <= marks->outage     ? WM_GAP_BEYOND
                                          : WM_GAP_OUTAGE;
}

int64_t wm_restart_gap_s(const struct wm_restart *r, int64_t now_s)
{
    int64_t to_s = r->gap_to_s ? r->gap_to_s : now_s;

    return r->gap_from_s && to_s > r->gap_from_s ? to_s - r->gap_from_s : 0;
}

bool wm_restart_gap_is_open(const struct wm_restart *r)
{
    return r->gap_from_s && !r->gap_to_s;
}

/* --- whose it is --- */

const struct wm_victim *wm_restart_victim(const struct wm_restart *r, const char *uid)
{
    for (size_t i = 0; uid[0] && i < r->n_victims; i++)
        if (strcmp(r->victims[i].uid, uid) == 0)
            return &r->victims[i];
    return NULL;
}

bool wm_restart_is_of(const struct wm_restart *r, const char *uid)
{
    for (size_t i = 0; uid[0] && i < r->n_culprits; i++)
        if (strcmp(r->culprits[i].uid, uid) == 0)
            return true;
    return wm_restart_victim(r, uid) != NULL;
}
