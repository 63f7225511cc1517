/* DirectVolumeMigration (mig-controller pkg/controller/directvolumemigration/validation.go).
 *
 * mig-controller makes these for its migrations, and a denial there would fail the migration: what a
 * controller owns is not judged. */
#include <stdio.h>

#include "check.h"

enum { CLUSTER_REF_UNSET, CLUSTER_MISSING, CLUSTER_NOT_READY, PVCS, N_RULES };

#define WRITES (WM_ON_CREATE | WM_ON_UPDATE)
#define CLUSTERS "srcMigClusterRef,destMigClusterRef"
static const struct wm_rule rules[N_RULES] = {
    [CLUSTER_REF_UNSET] = {"dvm/cluster-ref-unset", WRITES, false, WM_MODE_ENFORCE, WM_CAUSE_REQUIRED,
                           CLUSTERS, "InvalidSourceClusterRef or InvalidDestinationClusterRef",
                           "Volumes cannot be copied without a source and a destination cluster.",
                           "set name and namespace of the reference to a MigCluster"},
    [CLUSTER_MISSING] = {"dvm/cluster-missing", WRITES, true, WM_MODE_ENFORCE, WM_CAUSE_NOT_FOUND, CLUSTERS,
                         "InvalidSourceClusterRef or InvalidDestinationClusterRef",
                         "The MigCluster that volumes are to be copied from or to does not exist.",
                         "name one of: kubectl get migclusters -n NAMESPACE"},
    [CLUSTER_NOT_READY] = {"dvm/cluster-not-ready", WRITES, true, WM_MODE_WARN, WM_CAUSE_FORBIDDEN, CLUSTERS,
                           "SourceClusterNotReady or DestinationClusterNotReady",
                           "A MigCluster is not ready: the copy waits until it is.",
                           "look at status.conditions of the MigCluster"},
    [PVCS] = {"dvm/pvcs", WRITES, false, WM_MODE_ENFORCE, WM_CAUSE_REQUIRED, "persistentVolumeClaims",
              "InvalidPVCs", "There are no volumes to copy, or one of them cannot be found by its name.",
              "list the claims in spec.persistentVolumeClaims, each with name and namespace"},
};

static bool is_controlled(const struct wm_check *c)
{
    for (struct wm_json_iter it = wm_json_iter(c->s->object.at[WM_O_OWNERS]); wm_json_next(&it);)
        if (wm_member(it.value, "controller").kind == WM_JSON_TRUE)
            return true;
    return false;
}

static bool ask_cluster(struct wm_check *c, int rule, const struct wm_target *at, enum wm_fact_state state,
                        struct wm_json_value *ret)
{
    return wm_wants(c, &rules[rule]) &&
           wm_ask(c, &rules[rule], WM_MIGCLUSTERS, at->namespace_, at->name, ret) == state;
}

static void check_cluster(struct wm_check *c, const char *key)
{
    char field[32];
    struct wm_json_value ref = wm_spec(c, key), cluster;
    struct wm_json_span name = wm_get_span(ref, "name");
    struct wm_target at;

    snprintf(field, sizeof field, "spec.%s", key);
    if (!wm_target_of(ref, &at)) {
        wm_report(c, &rules[CLUSTER_REF_UNSET], field, name, "name and namespace of a MigCluster are needed");
        return;
    }
    if (ask_cluster(c, CLUSTER_MISSING, &at, WM_FACT_ABSENT, &cluster))
        wm_report(c, &rules[CLUSTER_MISSING], field, name, "there is no MigCluster %s in namespace %s",
                  at.name, at.namespace_);
    if (ask_cluster(c, CLUSTER_NOT_READY, &at, WM_FACT_FOUND, &cluster) &&
        !wm_condition_is_true(wm_json_get(cluster, "status"), "Ready"))
        wm_report(c, &rules[CLUSTER_NOT_READY], field, name, "MigCluster %s is not ready", at.name);
}

static void check_clusters(struct wm_check *c)
{
    if (is_controlled(c))
        return;
    check_cluster(c, "srcMigClusterRef");
    check_cluster(c, "destMigClusterRef");
}

static void check_pvc_list(struct wm_check *c, struct wm_json_value list)
{
    struct wm_target at;
    size_t i = 0;

    if (wm_json_kind_of(list) != WM_JSON_ARRAY) {
        wm_report(c, &rules[PVCS], "spec.persistentVolumeClaims", (struct wm_json_span){0},
                  "there is no list of volumes to copy");
        return;
    }
    for (struct wm_json_value v = wm_json_first(list); v.node; v = wm_json_after(v), i++) {
        char field[64];

        if (wm_target_of(v, &at))
            continue;
        snprintf(field, sizeof field, "spec.persistentVolumeClaims[%zu]", i);
        wm_report(c, &rules[PVCS], field, wm_get_span(v, "name"),
                  "name and namespace of the claim are needed");
    }
}

static void check_pvcs(struct wm_check *c)
{
    if (!is_controlled(c))
        check_pvc_list(c, wm_spec(c, "persistentVolumeClaims"));
}

static void (*const checks[])(struct wm_check *) = {check_clusters, check_pvcs, NULL};

const struct wm_rule_set wm_dvm_rules = {rules, N_RULES, checks};
