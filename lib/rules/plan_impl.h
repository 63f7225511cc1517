/* Inside of the rules for MigPlans: the rows of their table, and what their files share.  What the rules
 * repeat stands in mig-controller pkg/controller/migplan/validation.go and
 * pkg/apis/migration/v1alpha1/migplan_types.go. */
#ifndef WAYMARK_RULES_PLAN_IMPL_H
#define WAYMARK_RULES_PLAN_IMPL_H

#include "check.h"

enum wm_plan_row {
    PLAN_DELETE_WHILE_RUNNING,
    PLAN_CLOSE_WHILE_RUNNING,
    PLAN_CHANGE_WHILE_RUNNING,
    PLAN_NAME_TOO_LONG,
    PLAN_NAME_WITH_HOOKS,
    PLAN_CLUSTER_REF_UNSET,
    PLAN_CLUSTER_MISSING,
    PLAN_STORAGE_REF_UNSET,
    PLAN_STORAGE_MISSING,
    PLAN_NAMESPACES_EMPTY,
    PLAN_NAMESPACE_LIMIT,
    PLAN_NAMESPACE_MAPPING,
    PLAN_NAMESPACE_NAME,
    PLAN_DUPLICATE_NAMESPACE,
    PLAN_CONFLICT,
    PLAN_INTRA_CLUSTER,
    PLAN_HOOK_MISSING,
    PLAN_HOOK_SERVICE_ACCOUNT,
    PLAN_HOOK_NAMESPACE,
    PLAN_HOOK_PHASE_UNKNOWN,
    PLAN_HOOK_PHASE_DUPLICATE,
    PLAN_INTRA_CLUSTER_INDIRECT,
    PLAN_INTRA_CLUSTER_MAPPING,
    PLAN_CLUSTER_NOT_READY,
    PLAN_CLUSTER_NO_REGISTRY,
    PLAN_STORAGE_NOT_READY,
    PLAN_HOOK_NOT_READY,
    PLAN_NAMESPACE_LENGTH,
    PLAN_STORAGE_CONVERSION,
    PLAN_PV_NAME_CONFLICT,
    PLAN_PV_NO_ACTION,
    PLAN_PV_ACTION,
    PLAN_PV_NO_STORAGE_CLASS,
    PLAN_PV_STORAGE_CLASS,
    PLAN_PV_ACCESS_MODE,
    PLAN_PV_ACCESS_MODE_UNAVAILABLE,
    PLAN_PV_NO_COPY_METHOD,
    PLAN_PV_COPY_METHOD,
    PLAN_PV_SNAPSHOT,
    PLAN_N_ROWS
};
extern const struct wm_rule wm_plan_rows[PLAN_N_ROWS];

void wm_plan_check_clusters(struct wm_check *c);
void wm_plan_check_registries(struct wm_check *c);
void wm_plan_check_storage(struct wm_check *c);
void wm_plan_check_namespaces(struct wm_check *c);
void wm_plan_check_hooks(struct wm_check *c);
void wm_plan_check_intra_cluster(struct wm_check *c);
void wm_plan_check_conflict(struct wm_check *c);
void wm_plan_check_running(struct wm_check *c);
void wm_plan_check_volumes(struct wm_check *c);

static inline bool wm_plan_wants(struct wm_check *c, enum wm_plan_row row)
{
    return wm_wants(c, &wm_plan_rows[row]);
}

/* Asks for an object on behalf of those of `rows` that are on; UNKNOWN when none is. */
enum wm_fact_state wm_plan_ask(struct wm_check *c, const enum wm_plan_row *rows, size_t n,
                               enum wm_resource resource, const struct wm_target *target,
                               struct wm_json_value *ret);

/* An UPDATE that leaves spec.<key> alone. */
bool wm_plan_is_as_before(const struct wm_check *c, const char *key);

/* "spec.hooks[2]", and with a member behind it: "spec.hooks[2].phase". */
struct wm_plan_field {
    char z[96];
};
struct wm_plan_field wm_plan_field(const char *list, size_t i, const char *member);

/* --- references and what kind of migration they make --- */

bool wm_same_target(const struct wm_target *a, const struct wm_target *b);
/* Both references are set, and to the same MigCluster. */
bool wm_plan_has_one_cluster(const struct wm_check *c);
/* What mig-controller found the plan to be good for: "StorageConversionPlan", "StateMigrationPlan". */
bool wm_plan_is_identified_as(const struct wm_check *c, const char *reason);

/* --- namespaces --- */

/* An item of spec.namespaces, "source" or "source:target"; all absent when it is neither. */
struct wm_plan_mapping {
    struct wm_str source, target;
};
struct wm_plan_mapping wm_plan_mapping_of(struct wm_json_value item);
static inline bool wm_plan_is_mapped(struct wm_plan_mapping m)
{
    return !wm_str_eq(m.source, m.target);
}

/* Texts of a list's items, sorted: looking one up in a list from strangers takes no walk over the list. */
struct wm_plan_text {
    struct wm_str text;
    size_t i;
    struct wm_json_value item;
};
struct wm_plan_texts {
    struct wm_plan_text *list; /* owned; NULL also for want of memory: then nothing is found */
    size_t n;
};
/* Items for which `text_of` has no text are left out. */
struct wm_plan_texts wm_plan_texts(struct wm_json_value list, struct wm_str (*text_of)(struct wm_json_value));
/* The first item with this text, or NULL. */
const struct wm_plan_text *wm_plan_find(const struct wm_plan_texts *in, struct wm_str text);

#endif
