#include "report_parts.h"

#include <stdio.h>

bool wm_report_ended(const struct wm_situation *s)
{
    return s->ending != WM_ENDING_NONE || s->state->outcome == WM_RUN_ENDED;
}

/* --- clusters --- */

static size_t add_cluster(struct wm_report_cluster *list, size_t n, const struct wm_report_cluster *c)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(list[i].name, c->name) == 0) {
            list[i].roles |= c->roles;
            return n;
        }
    list[n] = *c;
    return n + 1;
}

static size_t add_role(const struct wm_world *w, uint8_t index, const char *name, unsigned role,
                       struct wm_report_cluster *list, size_t n)
{
    struct wm_report_cluster c = {.name = name, .roles = role, .sight = WM_SIGHT_NONE, .why = ""};

    if (index < w->n_clusters) {
        const struct wm_cluster_view *v = &w->clusters[index];

        c = (struct wm_report_cluster){v->name, role,       v->sight,
                                       v->why,  v->since_s, v->offset_s - w->clusters[0].offset_s};
    }
    return c.name[0] ? add_cluster(list, n, &c) : n;
}

size_t wm_report_clusters(const struct wm_world *w, const struct wm_situation *s,
                          struct wm_report_cluster ret[static WM_REPORT_CLUSTERS_MAX])
{
    size_t n = add_role(w, 0, "", WM_CLUSTER_HOST, ret, 0);

    n = add_role(w, s->source, s->source_name, WM_CLUSTER_SOURCE, ret, n);
    return add_role(w, s->target, s->target_name, WM_CLUSTER_TARGET, ret, n);
}

bool wm_report_clocks_differ(const struct wm_report_cluster *list, size_t n)
{
    enum { SKEW_S = 60 };
    int64_t least = 0, most = 0;

    for (size_t i = 0; i < n; i++) {
        least = list[i].ahead_s < least ? list[i].ahead_s : least;
        most = list[i].ahead_s > most ? list[i].ahead_s : most;
    }
    return most - least > SKEW_S;
}

/* --- conditions --- */

/* One of the end may also be of a migration that still runs: it fails or is canceled before it is over. */
static const char *const running_reasons[WM_RUN_OUTCOME_COUNT] = {
    [WM_RUN_NOT_STARTED] = "NotStarted",
    [WM_RUN_RUNNING] = "Running",
    [WM_RUN_BLOCKED] = "Blocked",
    [WM_RUN_POSTPONED] = "Postponed",
    [WM_RUN_SUCCEEDED] = "Running",
    [WM_RUN_SUCCEEDED_WITH_WARNINGS] = "Running",
    [WM_RUN_FAILED] = "Failing",
    [WM_RUN_CANCELED] = "Canceling",
    [WM_RUN_ENDED] = "Ended",
};

static const struct {
    const char *reason, *succeeded;
} endings[WM_ENDING_COUNT] = {
    [WM_ENDING_SUCCEEDED] = {"Succeeded", "True"},
    [WM_ENDING_SUCCEEDED_WITH_WARNINGS] = {"SucceededWithWarnings", "True"},
    [WM_ENDING_DATA_NOT_MIGRATED] = {"DataNotMigrated", "False"},
    [WM_ENDING_FAILED] = {"Failed", "False"},
    [WM_ENDING_CANCELED] = {"Canceled", "False"},
};

static const char *reason_of(const struct wm_situation *s)
{
    const char *reason = endings[s->ending].reason;

    return reason ? reason : running_reasons[s->state->outcome];
}

static int64_t told_since(const struct wm_situation *s)
{
    return wm_report_ended(s) ? s->state->completed_s : s->state->created_s;
}

typedef void condition_fn(const struct wm_world *w, const struct wm_situation *s, const char *verdict,
                          struct wm_report_condition *ret);

static void reconciling(const struct wm_world *w, const struct wm_situation *s, const char *verdict,
                        struct wm_report_condition *ret)
{
    (void)w;
    *ret = (struct wm_report_condition){.type = "Reconciling",
                                        .status = wm_report_ended(s) ? "False" : "True",
                                        .reason = reason_of(s),
                                        .since_s = told_since(s)};
    snprintf(ret->message, sizeof ret->message, "%s", verdict);
}

static void succeeded(const struct wm_world *w, const struct wm_situation *s, const char *verdict,
                      struct wm_report_condition *ret)
{
    const char *known = endings[s->ending].succeeded;

    (void)w;
    *ret = (struct wm_report_condition){.type = "Succeeded",
                                        .status = known ? known : "Unknown",
                                        .reason = reason_of(s),
                                        .since_s = told_since(s)};
    snprintf(ret->message, sizeof ret->message, "%s", verdict);
}

/* The first that is not seen well; one that is only about to be counts when there is no other. */
static const struct wm_report_cluster *worst_of(const struct wm_report_cluster *list, size_t n)
{
    const struct wm_report_cluster *starting = NULL;

    for (size_t i = 0; i < n; i++)
        if (list[i].sight == WM_SIGHT_STARTING)
            starting = starting ? starting : &list[i];
        else if (list[i].sight != WM_SIGHT_GOOD)
            return &list[i];
    return starting;
}

static void not_fresh(const struct wm_report_cluster *c, struct wm_report_condition *ret)
{
    static const char *const reasons[] = {
        [WM_SIGHT_NONE] = "NotWatched",
        [WM_SIGHT_STARTING] = "Starting",
        [WM_SIGHT_GOOD] = "",
        [WM_SIGHT_UNREACHABLE] = "Unreachable",
        [WM_SIGHT_UNAUTHORIZED] = "Unauthorized",
        [WM_SIGHT_PARTIAL] = "Partial",
    };

    ret->status = "False";
    ret->reason = reasons[c->sight];
    ret->starting = c->sight == WM_SIGHT_STARTING;
    snprintf(ret->message, sizeof ret->message, "what is said of cluster %.60s may be out of date: %.150s",
             c->name, c->why[0] ? c->why : wm_sight_name(c->sight));
}

static void data_fresh(const struct wm_world *w, const struct wm_situation *s, const char *verdict,
                       struct wm_report_condition *ret)
{
    struct wm_report_cluster clusters[WM_REPORT_CLUSTERS_MAX];
    size_t n = wm_report_clusters(w, s, clusters);
    const struct wm_report_cluster *worst = worst_of(clusters, n);
    unsigned roles = 0;

    (void)verdict;
    if (wm_report_ended(s))
        return;
    ret->type = "DataFresh";
    for (size_t i = 0; i < n; i++)
        roles |= clusters[i].roles;
    if (worst) {
        not_fresh(worst, ret);
    } else if (roles & WM_CLUSTER_SOURCE && roles & WM_CLUSTER_TARGET) {
        ret->status = "True";
        ret->reason = "AllSeen";
        snprintf(ret->message, sizeof ret->message, "every cluster of the migration is watched");
    } else {
        ret->status = "Unknown";
        ret->reason = "ClustersNotKnown";
        snprintf(ret->message, sizeof ret->message,
                 "the plan is not there, or names no source or target cluster");
    }
}

void wm_report_conditions(const struct wm_world *w, const struct wm_situation *s, const char *verdict,
                          struct wm_report_condition ret[static WM_REPORT_CONDITIONS_MAX])
{
    /* kstatus (kpt, Flux, Argo) takes Reconciling as in progress, and would take Stalled as failed. */
    static condition_fn *const rows[WM_REPORT_CONDITIONS_MAX] = {reconciling, succeeded, data_fresh};

    for (size_t i = 0; i < WM_REPORT_CONDITIONS_MAX; i++) {
        ret[i] = (struct wm_report_condition){0};
        if (rows[i])
            rows[i](w, s, verdict, &ret[i]);
    }
}

const struct wm_lasting *wm_lasting_find(const struct wm_lasting *list, size_t max, const char *what)
{
    for (size_t i = 0; i < max; i++)
        if (strcmp(list[i].what, what) == 0)
            return &list[i];
    return NULL;
}
