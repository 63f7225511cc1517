/* MigMigration (mig-controller pkg/controller/migmigration/validation.go), and what mig-controller does not
 * check but fails by. */
#include "check_migration.h"

#define WRITES (WM_ON_CREATE | WM_ON_UPDATE)
#define TYPE "stage,migrateState,rollback"
const struct wm_rule wm_migration_rule[WM_MM_COUNT] = {
    [WM_MM_NAMESPACE] =
        {"migration/namespace", WM_ON_CREATE, false, WM_MODE_ENFORCE, WM_CAUSE_INVALID, "", "",
         "Outside mig-controller's namespace a migration is never run, and holds up all others "
         "of its plan for ever.",
         "create it in mig-controller's namespace; if that is another one, say so with the setting "
         "validation.migration-namespace"},
    [WM_MM_PLAN_REF_UNSET] = {"migration/plan-ref-unset", WRITES, false, WM_MODE_ENFORCE, WM_CAUSE_REQUIRED,
                              "migPlanRef", "InvalidPlanRef", "A migration without a plan is never run.",
                              "set name and namespace of spec.migPlanRef to a MigPlan"},
    [WM_MM_PLAN_MISSING] = {"migration/plan-missing", WRITES, true, WM_MODE_ENFORCE, WM_CAUSE_NOT_FOUND,
                            "migPlanRef", "InvalidPlanRef", "The migration's plan does not exist.",
                            "name one of: kubectl get migplans -n NAMESPACE"},
    [WM_MM_PLAN_CLOSED] = {"migration/plan-closed", WRITES, true, WM_MODE_ENFORCE, WM_CAUSE_FORBIDDEN,
                           "migPlanRef", "PlanClosed", "A closed plan runs no more migrations.",
                           "create a new MigPlan"},
    [WM_MM_EXCLUSIVE_TYPES] =
        {"migration/exclusive-types", WRITES, false, WM_MODE_ENFORCE, WM_CAUSE_INVALID, TYPE, "InvalidSpec",
         "A migration is one of stage, state migration and rollback, or else final; with two "
         "of them it is never run.",
         "set only one of spec.stage, spec.migrateState and spec.rollback to true"},
    [WM_MM_HAS_FINAL] =
        {"migration/has-final", WRITES, true, WM_MODE_ENFORCE, WM_CAUSE_FORBIDDEN, "migPlanRef," TYPE,
         "HasFinalMigration", "Behind a plan's final migration only a rollback is run.",
         "roll the plan back first (a MigMigration with spec.rollback true), or create a new MigPlan"},
    [WM_MM_OVERLAPPING_NAMESPACES] =
        {"migration/overlapping-namespaces", WRITES, true, WM_MODE_ENFORCE, WM_CAUSE_FORBIDDEN,
         "migPlanRef," TYPE, "Failed",
         "Within one cluster a stage or final migration needs target namespaces that "
         "are not source namespaces; else it fails at once.",
         "set spec.migrateState to true, or map the plan's namespaces to others"},
    [WM_MM_PVC_MAPPING] = {"migration/pvc-mapping", WRITES, true, WM_MODE_ENFORCE, WM_CAUSE_FORBIDDEN,
                           "migPlanRef," TYPE, "InvalidSpec",
                           "A plan that gives volume claims new names can only be run as state migration.",
                           "set spec.migrateState to true, or remove the new names from the plan"},
    [WM_MM_CONFLICTING_PVC_MAPPINGS] =
        {"migration/conflicting-pvc-mappings", WRITES, true, WM_MODE_ENFORCE, WM_CAUSE_FORBIDDEN,
         "migPlanRef," TYPE, "ConflictingPVCMappings",
         "Within one cluster each volume claim needs a target claim of its own that "
         "is no source; else the migration is never run.",
         "give each claim in the plan's persistentVolumes a distinct new name, "
         "pvc.name: old:new"},
    [WM_MM_NAME_TOO_LONG] =
        {"migration/name-too-long", WM_ON_CREATE, false, WM_MODE_ENFORCE, WM_CAUSE_TOO_LONG, "", "",
         "The migration's name becomes a label of its Backups, which holds 63 characters; with "
         "a longer one it fails at its first Backup.",
         "choose a name of at most 63 characters"},
    [WM_MM_PLAN_NAME_TOO_LONG] =
        {"migration/plan-name-too-long", WRITES, false, WM_MODE_ENFORCE, WM_CAUSE_TOO_LONG, "migPlanRef", "",
         "The plan's name becomes a label of the migration, which holds 63 characters; "
         "with a longer one it stands still without a status and holds up all others of "
         "its plan.",
         "create the plan anew with a name of at most 63 characters"},
    [WM_MM_CHANGED_AFTER_START] =
        {"migration/changed-after-start", WM_ON_UPDATE, false, WM_MODE_ENFORCE, WM_CAUSE_FORBIDDEN,
         "migPlanRef," TYPE, "",
         "A migration that has begun cannot become another one: its steps would begin "
         "anew on what the first ones left.",
         "leave it as it is, and create another MigMigration"},
    [WM_MM_PLAN_NOT_READY] = {"migration/plan-not-ready", WRITES, true, WM_MODE_WARN, WM_CAUSE_FORBIDDEN,
                              "migPlanRef", "PlanNotReady", "The migration waits until its plan is ready.",
                              "look at status.conditions of the MigPlan"},
    [WM_MM_QUEUED] =
        {"migration/queued", WRITES, true, WM_MODE_WARN, WM_CAUSE_FORBIDDEN, "migPlanRef,stage", "Postponed",
         "The migrations of a plan are run one by one, stages first: this one waits for another.",
         "wait for it, or delete it when it cannot go on"},
    [WM_MM_TYPE_LOCKED] = {"migration/type-locked", WRITES, true, WM_MODE_WARN, WM_CAUSE_FORBIDDEN,
                           "migPlanRef," TYPE, "", "The plan is for another kind of migration than this one.",
                           "roll the plan back first, or create a new MigPlan for this kind of migration"},
    [WM_MM_QUIESCE_STAGE] = {"migration/quiesce-stage", WRITES, false, WM_MODE_WARN, WM_CAUSE_INVALID,
                             "stage,quiescePods", "",
                             "A stage copies while the applications run; with quiescePods it stops them, and "
                             "nothing starts them again.",
                             "remove spec.quiescePods; the final migration is the one to set it for"},
    [WM_MM_CANCELED_AT_CREATE] = {"migration/canceled-at-create", WM_ON_CREATE, false, WM_MODE_WARN,
                                  WM_CAUSE_INVALID, "", "",
                                  "A migration that is canceled from the beginning migrates nothing.",
                                  "remove spec.canceled"},
    [WM_MM_RUN_AS] =
        {"migration/run-as", WRITES, false, WM_MODE_WARN, WM_CAUSE_INVALID, "runAsUser,runAsGroup,runAsRoot",
         "", "The user or group that volumes are to be copied as makes no sense.",
         "set spec.runAsUser and spec.runAsGroup to ids of 0 or more, or only spec.runAsRoot to true"},
};

static void check_namespace(struct wm_check *c)
{
    const char *home = c->policy->migration_namespace;

    if (strcmp(c->s->namespace_, home) != 0)
        wm_report(c, &wm_migration_rule[WM_MM_NAMESPACE], "metadata.namespace",
                  c->s->object.at[WM_O_NAMESPACE], "mig-controller only runs migrations in namespace %s",
                  home);
}

static void check_names(struct wm_check *c)
{
    size_t length = wm_stored_name_length(c->s);
    struct wm_json_span plan = wm_get_span(wm_spec(c, "migPlanRef"), "name");
    wm_name name;

    if (length > WM_LABEL_VALUE_MAX)
        wm_report(c, &wm_migration_rule[WM_MM_NAME_TOO_LONG], "metadata.name", c->s->object.at[WM_O_NAME],
                  "the name has %zu characters, and a label at most %d", length, WM_LABEL_VALUE_MAX);
    if (wm_span_copy(plan, name, sizeof name) && strlen(name) > WM_LABEL_VALUE_MAX)
        wm_report(c, &wm_migration_rule[WM_MM_PLAN_NAME_TOO_LONG], "spec.migPlanRef.name", plan,
                  "the plan's name has %zu characters, and a label at most %d", strlen(name),
                  WM_LABEL_VALUE_MAX);
}

static void check_type(struct wm_check *c)
{
    struct wm_migration_type t = wm_migration_type_of(c->s->spec);

    if (t.stage + t.state + t.rollback > 1)
        wm_report(c, &wm_migration_rule[WM_MM_EXCLUSIVE_TYPES], "spec", (struct wm_json_span){0},
                  "%s%s%s are true at a time", t.stage ? "stage" : "migrateState",
                  t.stage && t.state ? t.rollback ? ", migrateState" : " and migrateState" : "",
                  t.rollback ? " and rollback" : "");
    if (t.stage && wm_is_true(c->s->spec, "quiescePods"))
        wm_report(c, &wm_migration_rule[WM_MM_QUIESCE_STAGE], "spec.quiescePods", (struct wm_json_span){0},
                  "the stage would stop the applications in the source cluster");
    if (wm_is_true(c->s->spec, "canceled") && !wm_is_set(c->s->status, "phase"))
        wm_report(c, &wm_migration_rule[WM_MM_CANCELED_AT_CREATE], "spec.canceled", (struct wm_json_span){0},
                  "the migration would end before it begins");
}

static void check_run_as(struct wm_check *c)
{
    static const struct {
        const char *key, *field;
    } ids[] = {{"runAsUser", "spec.runAsUser"}, {"runAsGroup", "spec.runAsGroup"}};
    const struct wm_rule *rule = &wm_migration_rule[WM_MM_RUN_AS];
    struct wm_json_span user = wm_get_span(c->s->spec, "runAsUser");

    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        struct wm_json_span id = wm_get_span(c->s->spec, ids[i].key);

        if (id.kind == WM_JSON_NUMBER && id.text.p[0] == '-')
            wm_report(c, rule, ids[i].field, id, "ids are not negative");
    }
    if (wm_is_true(c->s->spec, "runAsRoot") && user.kind == WM_JSON_NUMBER && !wm_str_is(user.text, "0"))
        wm_report(c, rule, "spec.runAsUser", user, "spec.runAsRoot is true, and root is user 0");
}

/* mig-controller looks no more at what is Completed (migmigration_controller.go, Reconcile). */
static void check_unless_over(struct wm_check *c)
{
    struct wm_target plan;

    if (wm_json_span_is(wm_get_span(c->s->status, "phase"), "Completed"))
        return;
    check_namespace(c);
    check_names(c);
    check_type(c);
    check_run_as(c);
    if (wm_target_of(wm_spec(c, "migPlanRef"), &plan)) {
        wm_check_migration_plan(c, &plan);
        wm_check_migration_queue(c, &plan);
    } else {
        wm_report(c, &wm_migration_rule[WM_MM_PLAN_REF_UNSET], "spec.migPlanRef", (struct wm_json_span){0},
                  "name and namespace of a MigPlan are needed");
    }
}

/* Compared by what they mean: mig-controller leaves out what is false when it writes. */
static void check_changed(struct wm_check *c)
{
    static const struct {
        const char *key, *field;
    } types[] = {
        {"stage", "spec.stage"}, {"migrateState", "spec.migrateState"}, {"rollback", "spec.rollback"}};
    const struct wm_rule *rule = &wm_migration_rule[WM_MM_CHANGED_AFTER_START];
    struct wm_json_value was = wm_json_get(c->s->old_spec, "migPlanRef"), is = wm_spec(c, "migPlanRef");
    wm_name phase;

    if (!wm_span_copy(wm_get_span(c->s->old_status, "phase"), phase, sizeof phase))
        return;
    if (!wm_json_same(wm_json_get(was, "name"), wm_json_get(is, "name")) ||
        !wm_json_same(wm_json_get(was, "namespace"), wm_json_get(is, "namespace")))
        wm_report(c, rule, "spec.migPlanRef", wm_get_span(is, "name"), "the migration is in phase %s already",
                  phase);
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (wm_is_true(c->s->old_spec, types[i].key) != wm_is_true(c->s->spec, types[i].key))
            wm_report(c, rule, types[i].field, wm_get_span(c->s->spec, types[i].key),
                      "the migration is in phase %s already", phase);
}

static void (*const checks[])(struct wm_check *) = {check_unless_over, check_changed, NULL};

const struct wm_rule_set wm_migration_rules = {wm_migration_rule, WM_MM_COUNT, checks};
