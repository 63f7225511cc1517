/* Inside of MigMigration's rules: the table, and the checks that ask for other objects. */
#ifndef WAYMARK_RULES_CHECK_MIGRATION_H
#define WAYMARK_RULES_CHECK_MIGRATION_H

#include "check.h"

enum wm_migration_rule {
    WM_MM_NAMESPACE,
    WM_MM_PLAN_REF_UNSET,
    WM_MM_PLAN_MISSING,
    WM_MM_PLAN_CLOSED,
    WM_MM_EXCLUSIVE_TYPES,
    WM_MM_HAS_FINAL,
    WM_MM_OVERLAPPING_NAMESPACES,
    WM_MM_PVC_MAPPING,
    WM_MM_CONFLICTING_PVC_MAPPINGS,
    WM_MM_NAME_TOO_LONG,
    WM_MM_PLAN_NAME_TOO_LONG,
    WM_MM_CHANGED_AFTER_START,
    WM_MM_PLAN_NOT_READY,
    WM_MM_QUEUED,
    WM_MM_TYPE_LOCKED,
    WM_MM_QUIESCE_STAGE,
    WM_MM_CANCELED_AT_CREATE,
    WM_MM_RUN_AS,
    WM_MM_COUNT
};
extern const struct wm_rule wm_migration_rule[WM_MM_COUNT];

/* What a MigMigration is to do (mig-controller pkg/controller/migmigration/task.go, itineraries). */
struct wm_migration_type {
    bool stage, state, rollback;
};
static inline struct wm_migration_type wm_migration_type_of(struct wm_json_value spec)
{
    return (struct wm_migration_type){wm_is_true(spec, "stage"), wm_is_true(spec, "migrateState"),
                                      wm_is_true(spec, "rollback")};
}
/* Moves whole namespaces: a stage or a final migration. */
static inline bool wm_moves_namespaces(struct wm_migration_type t)
{
    return !t.state && !t.rollback;
}

/* Whether the plan can be run like this, and whether it is its turn; `plan` is spec.migPlanRef. */
void wm_check_migration_plan(struct wm_check *c, const struct wm_target *plan);
void wm_check_migration_queue(struct wm_check *c, const struct wm_target *plan);

#endif
