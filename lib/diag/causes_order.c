/* The order of migrations, what blocks one by itself, and its quick phases. */
#include <string.h>

#include "causes.h"
#include "situation_impl.h"

#define NO_CANCEL "it cannot be canceled as long as this stands, only deleted (that cleans nothing up):\n"
#define DELETE "{host.kubectl} delete migmigration {migration}"

static const struct wm_migration_state *own(const struct wm_clue *c)
{
    return c->look->s->state;
}

/* --- the plan's queue --- */

/* Phases that copy may take hours and move all the time; that they do is seen elsewhere. */
static bool is_long(const struct wm_phase *phase)
{
    static const unsigned copying = WM_WAITS_FOR(BACKUP) | WM_WAITS_FOR(RESTORE) | WM_WAITS_FOR(VOLUMES) |
                                    WM_WAITS_FOR(IMAGES) | WM_WAITS_FOR(HOOK) | WM_WAITS_FOR(HEALTH);

    return !phase || (copying & (1u << phase->waits_for));
}

struct standstill {
    int64_t since_s, due_s; /* due: from then on it counts as stuck; 0 = never */
};

static struct standstill standstill_of(const struct wm_clue *c, const struct wm_migration_state *m)
{
    const int64_t *patience_s = c->look->thresholds->s;
    int64_t since_s = m->since_s ? m->since_s : m->created_s;

    if (m->outcome == WM_RUN_BLOCKED)
        return (struct standstill){since_s, since_s + patience_s[WM_T_SIGNAL]};
    if (m->outcome == WM_RUN_NOT_STARTED)
        return (struct standstill){m->created_s, m->created_s + patience_s[WM_T_STARTUP]};
    if (m->outcome == WM_RUN_RUNNING && !is_long(m->row) && m->since_s)
        return (struct standstill){m->since_s, m->since_s + m->row->stall_s};
    return (struct standstill){0, 0};
}

static bool waits_for(const struct wm_clue *c)
{
    /* One that waits itself is not who is waited for. */
    return own(c)->outcome == WM_RUN_POSTPONED && wm_migration_of(c->r)->outcome != WM_RUN_POSTPONED;
}

static bool waits_for_stuck(struct wm_clue *c)
{
    const struct wm_migration_state *m = wm_migration_of(c->r);
    struct standstill still = standstill_of(c, m);

    if (!waits_for(c) || !still.due_s)
        return false;
    c->since_s = still.since_s > own(c)->since_s ? still.since_s : own(c)->since_s;
    c->due_s = still.due_s;
    c->detail = m->outcome == WM_RUN_BLOCKED       ? m->cause
                : m->outcome == WM_RUN_NOT_STARTED ? "no status at all"
                                                   : m->phase;
    return true;
}

static bool waits_for_moving(struct wm_clue *c)
{
    if (!waits_for(c))
        return false;
    c->since_s = own(c)->since_s;
    c->until_s = standstill_of(c, wm_migration_of(c->r)).due_s;
    if (own(c)->ahead)
        wm_clue_detail(c, "place %d in the queue", own(c)->ahead + 1);
    else
        c->detail = "in the queue";
    return true;
}

/* mig-controller counts migrations of all namespaces into the queue, and runs those of its own only. */
static bool waits_for_unseen(struct wm_clue *c)
{
    if (own(c)->outcome != WM_RUN_POSTPONED)
        return false;
    for (size_t i = 0; i < c->look->n; i++)
        if (c->look->suspects[i].role == WM_ROLE_AHEAD &&
            c->look->suspects[i].record->kind == WM_KIND_MIGMIGRATION)
            return false;
    c->since_s = own(c)->since_s;
    return true;
}

/* --- not begun --- */

enum { LABEL_MAX = 63 };

static bool has_long_plan(struct wm_clue *c)
{
    c->since_s = own(c)->created_s;
    return own(c)->outcome == WM_RUN_NOT_STARTED && strlen(own(c)->plan) > LABEL_MAX;
}

static bool is_not_taken_up(struct wm_clue *c)
{
    const char *namespace_ = wm_model_word(c->look->w->model, c->r->namespace_);

    if (own(c)->outcome != WM_RUN_NOT_STARTED)
        return false;
    c->since_s = own(c)->created_s;
    if (own(c)->plan_namespace[0] && strcmp(own(c)->plan_namespace, namespace_) != 0)
        wm_clue_detail(c, "its namespace is not that of its plan, %s", own(c)->plan_namespace);
    else
        c->detail = "the controller is down, or does not look into this namespace";
    return true;
}

static bool is_without_controller(struct wm_clue *c)
{
    const struct wm_record *controller =
        wm_model_find_named(c->look->w->model, 0, WM_KIND_DEPLOYMENT,
                            wm_model_word(c->look->w->model, c->r->namespace_), "migration-controller");

    if (!controller || controller->done > 0 || c->look->s->ending != WM_ENDING_NONE)
        return false;
    c->other = controller;
    return true;
}

/* --- blocked by itself --- */

static bool is_blocked_by(struct wm_clue *c, const char *const causes[])
{
    if (own(c)->outcome != WM_RUN_BLOCKED || (causes && !wm_is_one_of(own(c)->cause, causes)))
        return false;
    c->since_s = own(c)->since_s;
    c->detail = own(c)->cause;
    c->quote = own(c)->message[0] ? own(c)->message : own(c)->cause;
    return true;
}

static bool is_second_final(struct wm_clue *c)
{
    static const char *const causes[] = {"HasFinalMigration", NULL};

    return is_blocked_by(c, causes);
}

static bool has_sick_registries(struct wm_clue *c)
{
    static const char *const causes[] = {"RegistriesUnhealthy", NULL};

    return is_blocked_by(c, causes);
}

static bool is_invalid(struct wm_clue *c)
{
    static const char *const causes[] = {"InvalidSpec", "InvalidPlanRef", "ConflictingPVCMappings", NULL};

    return is_blocked_by(c, causes);
}

static bool has_failing_controller(struct wm_clue *c)
{
    static const char *const causes[] = {"ReconcileFailed", NULL};

    return is_blocked_by(c, causes);
}

static bool is_blocked(struct wm_clue *c)
{
    return is_blocked_by(c, NULL);
}

/* --- phases --- */

static bool annotates(struct wm_clue *c)
{
    static const char *const phases[] = {"AnnotateResources", "EnsureAnnotationsDeleted",
                                         "CleanStaleAnnotations", NULL};

    c->since_s = own(c)->since_s;
    return own(c)->outcome == WM_RUN_RUNNING && wm_is_one_of(own(c)->phase, phases);
}

static bool rolls_back(struct wm_clue *c)
{
    c->since_s = own(c)->since_s;
    return own(c)->outcome == WM_RUN_RUNNING && strcmp(own(c)->phase, "EnsureMigratedDeleted") == 0;
}

#define HERE WM_ROLE(MIGRATION), WM_KIND_MIGMIGRATION
#define VALIDATION "mig-controller pkg/controller/migmigration/validation.go"
#define QUEUE "mig-controller pkg/controller/migmigration/migmigration_controller.go"

const struct wm_cause wm_causes_order[] = {
    {"MigrationPostponed", WM_ROLE(AHEAD), WM_KIND_MIGMIGRATION, WM_ANY_WAIT, waits_for_moving, WM_WAITS,
     WM_CERTAIN, WM_T_SIGNAL, 2, "Another migration of the plan goes first",
     "{migration} waits ({detail}) until {object} is over: a plan's migrations are run one after the other",
     "wait; or let the other one go:\n"
     "{kubectl} describe migmigration {name}",
     QUEUE ", mig-controller#241"},
    {"PostponedByStuck", WM_ROLE(AHEAD), WM_KIND_MIGMIGRATION, WM_ANY_WAIT, waits_for_stuck, WM_STOPS,
     WM_LIKELY, WM_T_SIGNAL, 5, "A migration that is stuck goes first",
     "{migration} waits until {object} is over, and that one does not get on since {seen} ({detail})",
     "see to that one first: mend what holds it, cancel it while it is running, or delete it when it is "
     "blocked:\n"
     "{kubectl} describe migmigration {name}\n"
     "{kubectl} delete migmigration {name}",
     QUEUE ", mig-controller#241"},
    {"PostponedByUnseen", HERE, WM_ANY_WAIT, waits_for_unseen, WM_STOPS, WM_LIKELY, WM_T_STARTUP, 3,
     "A migration in a foreign namespace goes first",
     "{migration} is postponed since {seen}, and no other migration of the plan {plan} in the namespace "
     "{namespace} is "
     "unfinished; one in another namespace, which is never run, may stand before it",
     "find the migrations of other namespaces that refer to the plan, and delete them:\n"
     "kubectl --context {cluster} get migmigrations --all-namespaces\n"
     "it cannot be canceled meanwhile",
     QUEUE ", mig-controller pkg/apis/migration/v1alpha1/migplan_types.go"},
    {"PlanNameTooLong", HERE, WM_ANY_WAIT, has_long_plan, WM_STOPS, WM_CERTAIN, WM_T_SIGNAL, 6,
     "The plan's name is too long for a label",
     "{migration} is never begun: the name of its plan {plan} has more than 63 characters, and "
     "mig-controller cannot "
     "write it as a label",
     "make a plan with a shorter name, and delete this migration, which holds up all others of the "
     "plan:\n" DELETE,
     QUEUE ", mig-ui#1290"},
    {"NotTakenUp", HERE, WM_ANY_WAIT, is_not_taken_up, WM_STOPS, WM_LIKELY, WM_T_STARTUP, 1,
     "Nobody has begun with the migration", "{object} was created at {seen} and has no status: {detail}",
     "see whether the controller runs, and what it says:\n"
     "{kubectl} get deployment migration-controller\n"
     "{kubectl} logs deployment/migration-controller --all-containers --since=30m",
     QUEUE},
    {"ControllerDown", HERE, WM_ANY_WAIT, is_without_controller, WM_STOPS, WM_CERTAIN, WM_T_STARTUP, 8,
     "mig-controller does not run", "{other} has no ready pod, so nothing of {migration} is done",
     "see why its pod does not run, and mend that:\n"
     "{other.kubectl} describe deployment {other.name}\n"
     "{other.kubectl} get pods",
     QUEUE},
    {"HasFinalMigration", HERE, WM_ANY_WAIT, is_second_final, WM_STOPS, WM_CERTAIN, WM_T_SIGNAL, 5,
     "The plan has had its final migration", "{object} is not run: {quote}",
     "roll the former final migration back first, or make a new plan; " NO_CANCEL DELETE,
     VALIDATION ", mig-controller#258"},
    {"RegistriesUnhealthy", HERE, WM_ANY_WAIT, has_sick_registries, WM_STOPS, WM_CERTAIN, WM_T_STARTUP, 2,
     "The migration's image registries are not healthy",
     "{migration} is blocked since {seen} until its image registries are healthy again: {quote}",
     "look at their pods on both clusters (image, storage credentials, CA); it goes on by itself then:\n"
     "kubectl --context {source} -n {namespace} get pods -l migration.openshift.io/migration-registry=True\n"
     "kubectl --context {target} -n {namespace} get pods -l "
     "migration.openshift.io/migration-registry=True\n" NO_CANCEL DELETE,
     VALIDATION ", mig-controller#678, mig-controller#860"},
    {"MigrationInvalid", HERE, WM_ANY_WAIT, is_invalid, WM_STOPS, WM_CERTAIN, WM_T_SIGNAL, 4,
     "The migration asks for what is not possible", "{object} is not run: {detail}: {quote}",
     "make a new one that is correct; " NO_CANCEL DELETE, VALIDATION},
    {"ReconcileFails", HERE, WM_ANY_WAIT, has_failing_controller, WM_STOPS, WM_LIKELY, WM_T_STARTUP, 3,
     "mig-controller fails at the migration", "mig-controller cannot work on {object} since {seen}: {quote}",
     "mend what the message names; the controller's log says more:\n"
     "{kubectl} logs deployment/migration-controller --all-containers --since=30m",
     QUEUE},
    {"MigrationBlocked", HERE, WM_ANY_WAIT, is_blocked, WM_STOPS, WM_LIKELY, WM_T_STARTUP, 1,
     "A condition blocks the migration", "{object} is blocked since {seen}: {detail}: {quote}",
     "mend what the condition complains of:\n"
     "{kubectl} describe migmigration {migration}\n" NO_CANCEL DELETE,
     VALIDATION},
    {"AnnotateSlow", HERE, WM_ANY_WAIT, annotates, WM_SLOWS, WM_LIKELY, WM_T_QUIET, 3,
     "Very many objects are marked",
     "{migration} marks the application's objects since {seen}, some fifty at a time; with thousands of them "
     "that is "
     "slow, not stuck",
     "wait; to see that the controller is at it:\n"
     "{kubectl} logs deployment/migration-controller --all-containers --since=5m",
     "mig-controller pkg/controller/migmigration/annotation.go"},
    {"RollbackStuck", HERE, WM_WAITS_FOR(MIGRATED_GONE), rolls_back, WM_STOPS, WM_POSSIBLE, WM_T_SYNC, 1,
     "What was migrated does not go",
     "the rollback {migration} waits since {seen} until everything that the plan {plan} brought is gone",
     "see what is left, and what keeps it (a finalizer, a pod that uses a claim, a namespace being "
     "deleted):\n"
     "{host.kubectl} get migplan {plan} -o custom-columns=UID:.metadata.uid\n"
     "kubectl --context {target} get pods,pvc,all --all-namespaces -l "
     "migration.openshift.io/migrated-by-migplan=UID",
     "mig-controller#998, mig-controller#1200, mig-controller pkg/controller/migmigration/rollback.go"},
    {0},
};
