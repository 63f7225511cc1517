/* Plans: what keeps one from being ready, and the migration with it. */
#include <string.h>

#include "causes.h"

#define STUCK                                                                                                \
    "it cannot be canceled as long as this stands; when it is not worth mending, delete it (that cleans "    \
    "nothing up):\n"                                                                                         \
    "{host.kubectl} delete migmigration {migration}"

bool wm_clue_plan_matters(const struct wm_clue *c)
{
    const struct wm_situation *s = c->look->s;
    const struct wm_migration_state *m = s->state;

    return s->ending == WM_ENDING_NONE &&
           ((m->outcome == WM_RUN_BLOCKED && strcmp(m->cause, "PlanNotReady") == 0) ||
            (m->outcome == WM_RUN_RUNNING && m->row && m->row->waits_for == WM_WAIT_REFRESH));
}

bool wm_clue_note(struct wm_clue *c, const struct wm_note *note)
{
    if (!note)
        return false;
    c->since_s = note->since_s;
    c->detail = note->type;
    c->quote = note->message[0] ? note->message : note->type;
    return true;
}

static bool has_blocker(struct wm_clue *c, const char *const types[])
{
    const struct wm_note *note = wm_note_of(&wm_plan_of(c->r)->notes, types);

    return wm_clue_plan_matters(c) && note && note->category >= WM_CATEGORY_ERROR && wm_clue_note(c, note);
}

static bool lacks_namespace(struct wm_clue *c)
{
    static const char *const types[] = {"NamespaceNotFoundOnSourceCluster",
                                        "NamespaceNotFoundOnDestinationCluster", NULL};

    return has_blocker(c, types);
}

static bool lacks_storage(struct wm_clue *c)
{
    static const char *const types[] = {"StorageNotReady", "InvalidStorageRef", NULL};

    return has_blocker(c, types);
}

/* The store itself: what the MigStorage says is nearer to it than what the plan says of the MigStorage. */
static bool fails_its_test(struct wm_clue *c)
{
    const struct wm_note *note = wm_note_blocking(&wm_storage_of(c->r)->notes);

    return wm_clue_plan_matters(c) && wm_clue_note(c, note);
}

static bool conflicts(struct wm_clue *c)
{
    static const char *const types[] = {"PlanConflict", NULL};

    return has_blocker(c, types);
}

static bool has_bad_hook(struct wm_clue *c)
{
    static const char *const types[] = {"InvalidHookRef",
                                        "InvalidHookSAName",
                                        "InvalidHookNSName",
                                        "HookPhaseUnknown",
                                        "HookNotReady",
                                        "HookPhaseDuplicate",
                                        NULL};

    return has_blocker(c, types);
}

/* Whatever else keeps it: in the plan's own words. */
static bool is_not_ready(struct wm_clue *c)
{
    const struct wm_plan_state *plan = wm_plan_of(c->r);

    if (!wm_clue_plan_matters(c) || plan->ready)
        return false;
    if (wm_clue_note(c, wm_note_blocking(&plan->notes)))
        return true;
    if (c->look->s->state->outcome != WM_RUN_BLOCKED)
        return false;
    c->since_s = c->look->s->state->since_s;
    c->quote = "it does not say why";
    return true;
}

static bool is_gone(struct wm_clue *c)
{
    const struct wm_migration_state *m = c->look->s->state;

    if (c->look->s->plan || !m->plan[0] || m->outcome != WM_RUN_BLOCKED ||
        strcmp(m->cause, "InvalidPlanRef") != 0)
        return false;
    c->since_s = m->since_s;
    wm_clue_detail(c, "%s/%s", m->plan_namespace, m->plan);
    return true;
}

static bool is_closed(struct wm_clue *c)
{
    const struct wm_migration_state *m = c->look->s->state;

    c->since_s = m->since_s;
    return m->outcome == WM_RUN_BLOCKED && strcmp(m->cause, "PlanClosed") == 0;
}

static bool is_refreshing(struct wm_clue *c)
{
    c->since_s = c->look->s->state->since_s;
    return wm_plan_of(c->r)->refreshing || wm_cluster_of(c->r)->refreshing || wm_storage_of(c->r)->refreshing;
}

/* What the target does not know is not restored; a stage migration moves volumes only. */
static bool has_unknown_kinds(struct wm_clue *c)
{
    static const char *const types[] = {"GVKsIncompatible", NULL};
    const struct wm_situation *s = c->look->s;
    const struct wm_plan_state *plan = wm_plan_of(c->r);

    if (s->state->kind != WM_RUN_FINAL || !wm_clue_note(c, wm_note_of(&plan->notes, types)) ||
        (s->ending != WM_ENDING_NONE && s->ending != WM_ENDING_SUCCEEDED_WITH_WARNINGS &&
         s->ending != WM_ENDING_FAILED))
        return false;
    c->detail = plan->incompatible[0] ? plan->incompatible : "kinds of the plan's namespaces";
    return true;
}

const struct wm_cause wm_causes_plan[] = {
    {"NamespaceMissing", WM_ROLE(PLAN), WM_KIND_MIGPLAN, WM_ANY_WAIT, lacks_namespace, WM_STOPS, WM_CERTAIN,
     WM_T_SIGNAL, 6, "A namespace of the plan is gone",
     "{object} is not ready since {seen}, and the migration is blocked: {quote}",
     "create the namespace again, or take it out of the plan:\n"
     "{kubectl} edit migplan {name}\n" STUCK,
     "mig-controller#1012, mig-controller#1071, mig-controller pkg/controller/migplan/validation.go"},
    {"StorageNotReady", WM_ROLE(PLAN), WM_KIND_MIGPLAN, WM_ANY_WAIT, lacks_storage, WM_STOPS, WM_CERTAIN,
     WM_T_SIGNAL, 6, "The plan's MigStorage is not ready",
     "{object} is not ready since {seen}, and the migration is blocked: {quote}",
     "read what the storage says (credentials, bucket, CA), and mend that:\n"
     "{kubectl} describe migstorage\n" STUCK,
     "mig-controller pkg/controller/migplan/validation.go, pkg/controller/migstorage/validation.go"},
    {"StorageTestFails", WM_ROLE(LOCATION), WM_KIND_MIGSTORAGE, WM_ANY_WAIT, fails_its_test, WM_STOPS,
     WM_CERTAIN, WM_T_SIGNAL, 8, "The store of the backups cannot be used",
     "{object} cannot be used since {seen}, which blocks the plan: {detail}: {quote}",
     "mend what the message names: the Secret with the credentials, the bucket, the URL or the CA:\n"
     "{kubectl} get migstorage {name} -o yaml",
     "mig-controller pkg/controller/migstorage/validation.go"},
    {"PlanConflict", WM_ROLE(PLAN), WM_KIND_MIGPLAN, WM_ANY_WAIT, conflicts, WM_STOPS, WM_CERTAIN,
     WM_T_SIGNAL, 5, "Another open plan has the same namespaces",
     "{object} is not ready since {seen}, and the migration is blocked: {quote}",
     "close the other plan, or take the namespace out of one of them:\n"
     "{kubectl} get migplans\n" STUCK,
     "mig-controller pkg/controller/migplan/validation.go"},
    {"PlanHookInvalid", WM_ROLE(PLAN), WM_KIND_MIGPLAN, WM_ANY_WAIT, has_bad_hook, WM_STOPS, WM_CERTAIN,
     WM_T_SIGNAL, 5, "A hook of the plan is not usable",
     "{object} is not ready since {seen}, and the migration is blocked: {detail}: {quote}",
     "mend the hook, or take it out of the plan:\n"
     "{kubectl} describe mighooks\n"
     "{kubectl} edit migplan {name}\n" STUCK,
     "mig-controller pkg/controller/migplan/validation.go"},
    {"PlanNotReady", WM_ROLE(PLAN), WM_KIND_MIGPLAN, WM_ANY_WAIT, is_not_ready, WM_STOPS, WM_LIKELY,
     WM_T_STARTUP, 2, "The plan is not ready",
     "{object} is not ready, and as long as it is not, nothing of the migration is done: {quote}",
     "mend what the plan complains of:\n"
     "{kubectl} describe migplan {name}\n" STUCK,
     "mig-controller pkg/controller/migmigration/validation.go"},
    {"PlanGone", WM_ROLE(MIGRATION), WM_KIND_MIGMIGRATION, WM_ANY_WAIT, is_gone, WM_STOPS, WM_CERTAIN,
     WM_T_SIGNAL, 5, "The plan does not exist", "the plan {detail} of {object} does not exist",
     "create the plan again; " STUCK, "mig-controller pkg/controller/migmigration/validation.go"},
    {"PlanClosed", WM_ROLE(PLAN), WM_KIND_MIGPLAN, WM_ANY_WAIT, is_closed, WM_STOPS, WM_CERTAIN, WM_T_SIGNAL,
     5, "The plan is closed", "{object} is closed, and its migrations are not run any more",
     "use a new plan; " STUCK, "mig-controller pkg/controller/migmigration/validation.go"},
    {"PlanRefreshing", WM_ROLE(PLAN) | WM_ROLE(CLUSTER) | WM_ROLE(LOCATION), WM_KIND_NONE,
     WM_WAITS_FOR(REFRESH), is_refreshing, WM_STOPS, WM_LIKELY, WM_T_SYNC, 1,
     "A refresh does not come to an end",
     "{object} was asked to check itself again at {seen} and has not answered",
     "see what keeps the controller from it (a cluster that cannot be reached, an error in its log):\n"
     "{kubectl} describe {kind} {name}\n"
     "{host.kubectl} logs deployment/migration-controller --all-containers --since=30m",
     "mig-controller#1071, mig-controller pkg/controller/migmigration/task.go"},
    {"GVKsIncompatible", WM_ROLE(PLAN), WM_KIND_MIGPLAN, WM_ANY_WAIT | WM_AFTER_END, has_unknown_kinds,
     WM_THREATENS, WM_LIKELY, WM_T_SIGNAL, 5, "The target cluster does not know some kinds",
     "{detail} of the plan {plan} exists on the source cluster only, and what is of it is not restored: "
     "{quote}",
     "install the missing kinds on the target cluster, or convert the objects to a version that both know; "
     "see which:\n"
     "{kubectl} get migplan {name} -o yaml",
     "migtools/mtc-breakfix lab 03, mig-controller pkg/controller/migplan/validation.go"},
    {0},
};
