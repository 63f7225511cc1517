/* What a MigPlan refers to: clusters, storage. */
#include "plan_impl.h"

static const struct side {
    const char *key, *field, *name;
} sides[] = {
    {"srcMigClusterRef", "spec.srcMigClusterRef", "source"},
    {"destMigClusterRef", "spec.destMigClusterRef", "destination"},
};
enum { N_SIDES = sizeof sides / sizeof sides[0] };

enum wm_fact_state wm_plan_ask(struct wm_check *c, const enum wm_plan_row *rows, size_t n,
                               enum wm_resource resource, const struct wm_target *target,
                               struct wm_json_value *ret)
{
    enum wm_fact_state state = WM_FACT_UNKNOWN;

    for (size_t i = 0; i < n; i++)
        if (wm_plan_wants(c, rows[i]))
            state = wm_ask(c, &wm_plan_rows[rows[i]], resource, target->namespace_, target->name, ret);
    return state;
}

bool wm_same_target(const struct wm_target *a, const struct wm_target *b)
{
    return strcmp(a->name, b->name) == 0 && strcmp(a->namespace_, b->namespace_) == 0;
}

bool wm_plan_has_one_cluster(const struct wm_check *c)
{
    struct wm_target source, target;

    return wm_target_of(wm_spec(c, "srcMigClusterRef"), &source) &&
           wm_target_of(wm_spec(c, "destMigClusterRef"), &target) && wm_same_target(&source, &target);
}

bool wm_plan_is_identified_as(const struct wm_check *c, const char *reason)
{
    struct wm_json_value v = wm_json_first(wm_json_get(c->s->status, "conditions"));

    while (v.node && !wm_json_span_is(wm_get_span(v, "type"), "MigrationTypeIdentified"))
        v = wm_json_after(v);
    return wm_json_span_is(wm_get_span(v, "reason"), reason);
}

bool wm_plan_is_as_before(const struct wm_check *c, const char *key)
{
    return c->s->on == WM_ON_UPDATE && wm_json_same(wm_spec(c, key), wm_json_get(c->s->old_spec, key));
}

static void check_cluster(struct wm_check *c, const struct side *side)
{
    static const enum wm_plan_row rows[] = {PLAN_CLUSTER_MISSING, PLAN_CLUSTER_NOT_READY};
    struct wm_json_value ref = wm_spec(c, side->key), cluster = {0};
    struct wm_json_span name = wm_get_span(ref, "name");
    struct wm_target t;

    if (!wm_target_of(ref, &t)) {
        wm_report(c, &wm_plan_rows[PLAN_CLUSTER_REF_UNSET], side->field, name,
                  "the %s cluster needs both a name and a namespace", side->name);
        return;
    }
    enum wm_fact_state state = wm_plan_ask(c, rows, 2, WM_MIGCLUSTERS, &t, &cluster);

    if (state == WM_FACT_ABSENT)
        wm_report(c, &wm_plan_rows[PLAN_CLUSTER_MISSING], side->field, name,
                  "namespace %s has no MigCluster of this name", t.namespace_);
    if (state == WM_FACT_FOUND && !wm_condition_is_true(wm_json_get(cluster, "status"), "Ready"))
        wm_report(c, &wm_plan_rows[PLAN_CLUSTER_NOT_READY], side->field, name,
                  "the %s cluster is not Ready, so the plan will not be either", side->name);
}

/* One side of a plan may be bad for long; who changes the other is not told again. */
void wm_plan_check_clusters(struct wm_check *c)
{
    for (size_t i = 0; i < N_SIDES; i++)
        if (!wm_plan_is_as_before(c, sides[i].key))
            check_cluster(c, &sides[i]);
}

/* State migrations and storage conversions take no images along. */
static bool copies_images_directly(const struct wm_check *c)
{
    return !wm_is_true(c->s->spec, "indirectImageMigration") && !wm_plan_has_one_cluster(c) &&
           !wm_plan_is_identified_as(c, "StateMigrationPlan") &&
           !wm_plan_is_identified_as(c, "StorageConversionPlan");
}

void wm_plan_check_registries(struct wm_check *c)
{
    static const enum wm_plan_row rows[] = {PLAN_CLUSTER_NO_REGISTRY};

    if (!wm_plan_wants(c, PLAN_CLUSTER_NO_REGISTRY) || !copies_images_directly(c))
        return;
    for (size_t i = 0; i < N_SIDES; i++) {
        struct wm_json_value ref = wm_spec(c, sides[i].key), cluster = {0};
        struct wm_target t;

        if (!wm_target_of(ref, &t) || wm_plan_ask(c, rows, 1, WM_MIGCLUSTERS, &t, &cluster) != WM_FACT_FOUND)
            continue;
        struct wm_json_value status = wm_json_get(cluster, "status");

        /* As in mig-controller, a cluster that is not Ready has a greater trouble first. */
        if (wm_condition_is_true(status, "Ready") && !wm_is_set(status, "registryPath") &&
            !wm_is_set(wm_json_get(cluster, "spec"), "exposedRegistryPath"))
            wm_report(c, &wm_plan_rows[PLAN_CLUSTER_NO_REGISTRY], sides[i].field, wm_get_span(ref, "name"),
                      "images are to be copied directly, and the %s cluster has no path to its registry",
                      sides[i].name);
    }
}

/* Only a conversion of storage classes within one cluster goes without storage for backups. */
static bool may_convert_storage(const struct wm_check *c)
{
    if (wm_plan_is_identified_as(c, "StorageConversionPlan"))
        return true;
    if (!wm_plan_has_one_cluster(c))
        return false;
    for (struct wm_json_value v = wm_json_first(wm_spec(c, "namespaces")); v.node; v = wm_json_after(v))
        if (wm_plan_is_mapped(wm_plan_mapping_of(v)))
            return false;
    return true;
}

void wm_plan_check_storage(struct wm_check *c)
{
    static const enum wm_plan_row rows[] = {PLAN_STORAGE_MISSING, PLAN_STORAGE_NOT_READY};
    struct wm_json_value ref = wm_spec(c, "migStorageRef"), storage = {0};
    struct wm_json_span name = wm_get_span(ref, "name");
    struct wm_target t;

    if (wm_plan_is_as_before(c, "migStorageRef") || may_convert_storage(c))
        return;
    if (!wm_target_of(ref, &t)) {
        wm_report(c, &wm_plan_rows[PLAN_STORAGE_REF_UNSET], "spec.migStorageRef", name,
                  "the storage for backups needs both a name and a namespace");
        return;
    }
    enum wm_fact_state state = wm_plan_ask(c, rows, 2, WM_MIGSTORAGES, &t, &storage);

    if (state == WM_FACT_ABSENT)
        wm_report(c, &wm_plan_rows[PLAN_STORAGE_MISSING], "spec.migStorageRef", name,
                  "namespace %s has no MigStorage of this name", t.namespace_);
    if (state == WM_FACT_FOUND && !wm_condition_is_true(wm_json_get(storage, "status"), "Ready"))
        wm_report(c, &wm_plan_rows[PLAN_STORAGE_NOT_READY], "spec.migStorageRef", name,
                  "the storage is not Ready, so the plan will not be either");
}
