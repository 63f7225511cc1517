/* MigPlan: the table, and what concerns its name. */
#include <stdio.h>

#include "plan_impl.h"

/* mig-controller's hook Jobs have a container <plan>-postrestore, a DNS label (pkg/controller/migmigration
 * hooks.go). */
enum { HOOK_NAME_MAX = WM_LABEL_VALUE_MAX - 12 };

#define WRITES (WM_ON_CREATE | WM_ON_UPDATE)
#define BOTH_ENDS "srcMigClusterRef,destMigClusterRef"
#define WITHIN BOTH_ENDS ",namespaces,indirectImageMigration,indirectVolumeMigration"
#define CANCEL                                                                                               \
    "cancel that migration (kubectl patch migmigration NAME -n NAMESPACE --type merge -p "                   \
    "'{\"spec\":{\"canceled\":true}}') and wait until its status.phase is Completed"
#define SPLIT                                                                                                \
    "split the plan, or raise mig_namespace_limit of the MigrationController and, to the same number, "      \
    "validation.namespace-limit of Waymark"

const struct wm_rule wm_plan_rows[PLAN_N_ROWS] = {
    [PLAN_DELETE_WHILE_RUNNING] = {"plan/delete-while-running", WM_ON_DELETE, true, WM_MODE_ENFORCE,
                                   WM_CAUSE_FORBIDDEN, "", "",
                                   "The plan of a running migration is to be deleted; the migration would be "
                                   "deleted with it and leave applications stopped and data half copied.",
                                   CANCEL},
    [PLAN_CLOSE_WHILE_RUNNING] = {"plan/close-while-running", WM_ON_UPDATE, true, WM_MODE_ENFORCE,
                                  WM_CAUSE_FORBIDDEN, "closed", "PlanClosed",
                                  "The plan of a running migration is to be closed; its backups and storage "
                                  "locations would be deleted under the migration.",
                                  CANCEL},
    [PLAN_CHANGE_WHILE_RUNNING] = {"plan/change-while-running", WM_ON_UPDATE, true, WM_MODE_ENFORCE,
                                   WM_CAUSE_FORBIDDEN, BOTH_ENDS ",namespaces", "",
                                   "Clusters or namespaces of a plan change while a migration runs that has "
                                   "done half of its work with the old ones.",
                                   CANCEL},
    [PLAN_NAME_TOO_LONG] =
        {"plan/name-too-long", WM_ON_CREATE, false, WM_MODE_ENFORCE, WM_CAUSE_TOO_LONG, "", "",
         "The plan's name becomes the value of a label: beyond 63 characters its migrations "
         "stall without a word in their status and postpone all others of the plan.",
         "choose a name of at most 63 characters"},
    [PLAN_NAME_WITH_HOOKS] = {"plan/name-with-hooks", WRITES, false, WM_MODE_ENFORCE, WM_CAUSE_INVALID,
                              "hooks", "",
                              "With hooks the plan's name becomes part of a container's name: beyond 51 "
                              "characters, or with a dot, the hooks' Jobs are refused and migrations fail.",
                              "remove spec.hooks, or create the plan anew under a name of at most 51 "
                              "characters without dots"},
    [PLAN_CLUSTER_REF_UNSET] = {"plan/cluster-ref-unset", WRITES, false, WM_MODE_ENFORCE, WM_CAUSE_REQUIRED,
                                BOTH_ENDS, "InvalidSourceClusterRef or InvalidDestinationClusterRef",
                                "The plan does not say from which cluster, or to which, it migrates.",
                                "set name and namespace of the reference to those of a MigCluster"},
    [PLAN_CLUSTER_MISSING] =
        {"plan/cluster-missing", WRITES, true, WM_MODE_ENFORCE, WM_CAUSE_NOT_FOUND, BOTH_ENDS,
         "InvalidSourceClusterRef or InvalidDestinationClusterRef",
         "The plan refers to a MigCluster that does not exist.",
         "correct the reference, or create the MigCluster first; kubectl get migclusters "
         "--all-namespaces lists those that exist"},
    [PLAN_STORAGE_REF_UNSET] = {"plan/storage-ref-unset", WRITES, false, WM_MODE_ENFORCE, WM_CAUSE_REQUIRED,
                                "migStorageRef", "InvalidStorageRef",
                                "The plan does not say where backups go; only storage conversions need none.",
                                "set name and namespace of spec.migStorageRef to those of a MigStorage"},
    [PLAN_STORAGE_MISSING] =
        {"plan/storage-missing", WRITES, true, WM_MODE_ENFORCE, WM_CAUSE_NOT_FOUND, "migStorageRef",
         "InvalidStorageRef", "The plan refers to a MigStorage that does not exist.",
         "correct the reference, or create the MigStorage first; kubectl get migstorages "
         "--all-namespaces lists those that exist"},
    [PLAN_NAMESPACES_EMPTY] = {"plan/namespaces-empty", WRITES, false, WM_MODE_ENFORCE, WM_CAUSE_REQUIRED,
                               "namespaces", "NamespaceListEmpty",
                               "A plan without namespaces has nothing to migrate.",
                               "list the namespaces to migrate in spec.namespaces"},
    [PLAN_NAMESPACE_LIMIT] = {"plan/namespace-limit", WRITES, false, WM_MODE_ENFORCE, WM_CAUSE_TOO_MANY,
                              "namespaces", "NamespaceLimitExceeded",
                              "The plan has more namespaces than mig-controller takes, so it will never be "
                              "Ready.",
                              SPLIT},
    [PLAN_NAMESPACE_MAPPING] = {"plan/namespace-mapping", WRITES, false, WM_MODE_ENFORCE, WM_CAUSE_INVALID,
                                "namespaces", "",
                                "A mapping of namespaces has more than one colon or an empty half, of which "
                                "mig-controller would take a part and drop the rest.",
                                "write source, or source:destination"},
    [PLAN_NAMESPACE_NAME] = {"plan/namespace-name", WRITES, false, WM_MODE_ENFORCE, WM_CAUSE_INVALID,
                             "namespaces", "NamespaceNotDNSCompliant",
                             "No namespace can have this name, so it neither exists nor can be created.",
                             "use at most 63 lower-case letters, digits and '-', a letter or digit at both "
                             "ends"},
    [PLAN_DUPLICATE_NAMESPACE] =
        {"plan/duplicate-namespace", WRITES, false, WM_MODE_ENFORCE, WM_CAUSE_DUPLICATE, "namespaces",
         "DuplicateNamespaceOnSourceCluster or DuplicateNamespaceOnDestinationCluster",
         "Two entries are about one source namespace, or two namespaces would be "
         "restored into one.",
         "remove the entry, or map it to another destination namespace"},
    [PLAN_CONFLICT] =
        {"plan/conflict", WRITES, true, WM_MODE_ENFORCE, WM_CAUSE_DUPLICATE, BOTH_ENDS ",namespaces,closed",
         "PlanConflict",
         "Another open plan has one of these clusters and one of these namespaces; neither plan "
         "will be Ready.",
         "remove the namespace from one plan, or close the other (kubectl patch migplan NAME -n "
         "NAMESPACE --type merge -p '{\"spec\":{\"closed\":true}}')"},
    [PLAN_INTRA_CLUSTER] = {"plan/intra-cluster", WRITES, true, WM_MODE_ENFORCE, WM_CAUSE_INVALID, WITHIN,
                            "IntraClusterMigration",
                            "Within one cluster either all namespaces get another name (state migration) or "
                            "none does (storage conversion).",
                            "map all namespaces to other names, or none"},
    [PLAN_HOOK_MISSING] = {"plan/hook-missing", WRITES, true, WM_MODE_ENFORCE, WM_CAUSE_NOT_FOUND, "hooks",
                           "InvalidHookRef", "The plan refers to a MigHook that does not exist.",
                           "correct the reference, or create the MigHook first; kubectl get mighooks "
                           "--all-namespaces lists those that exist"},
    [PLAN_HOOK_SERVICE_ACCOUNT] = {"plan/hook-service-account", WRITES, false, WM_MODE_ENFORCE,
                                   WM_CAUSE_INVALID, "hooks", "InvalidHookSAName",
                                   "A hook's Job is to run under a service account that cannot exist.",
                                   "name a service account of the hook's executionNamespace"},
    [PLAN_HOOK_NAMESPACE] = {"plan/hook-namespace", WRITES, false, WM_MODE_ENFORCE, WM_CAUSE_INVALID, "hooks",
                             "InvalidHookNSName", "A hook's Job is to run in a namespace that cannot exist.",
                             "name an existing namespace of the cluster on which the hook runs"},
    [PLAN_HOOK_PHASE_UNKNOWN] = {"plan/hook-phase-unknown", WRITES, false, WM_MODE_ENFORCE,
                                 WM_CAUSE_UNSUPPORTED, "hooks", "HookPhaseUnknown",
                                 "A hook is to run in a phase that migrations do not have.",
                                 "set it to PreBackup, PostBackup, PreRestore or PostRestore"},
    [PLAN_HOOK_PHASE_DUPLICATE] = {"plan/hook-phase-duplicate", WRITES, false, WM_MODE_ENFORCE,
                                   WM_CAUSE_DUPLICATE, "hooks", "HookPhaseDuplicate",
                                   "Two hooks are to run in one phase, which takes only one.",
                                   "keep one hook a phase"},
    [PLAN_INTRA_CLUSTER_INDIRECT] =
        {"plan/intra-cluster-indirect", WRITES, true, WM_MODE_WARN, WM_CAUSE_INVALID, WITHIN,
         "IntraClusterMigration",
         "Within one cluster volumes cannot be migrated indirectly, by way of the "
         "storage for backups.",
         "set spec.indirectVolumeMigration to false"},
    [PLAN_INTRA_CLUSTER_MAPPING] = {"plan/intra-cluster-mapping", WRITES, true, WM_MODE_WARN,
                                    WM_CAUSE_INVALID, WITHIN, "",
                                    "Within one cluster a namespace that keeps its name can only have its "
                                    "storage converted, and not while images are migrated indirectly.",
                                    "set spec.indirectImageMigration to false to convert storage, or map the "
                                    "namespace to another name"},
    [PLAN_CLUSTER_NOT_READY] = {"plan/cluster-not-ready", WRITES, true, WM_MODE_WARN, WM_CAUSE_INVALID,
                                BOTH_ENDS, "SourceClusterNotReady or DestinationClusterNotReady",
                                "A cluster of the plan is not Ready, and until it is the plan is not either.",
                                "see the conditions of the MigCluster: kubectl describe migcluster NAME -n "
                                "NAMESPACE"},
    [PLAN_CLUSTER_NO_REGISTRY] =
        {"plan/cluster-no-registry", WRITES, true, WM_MODE_WARN, WM_CAUSE_INVALID,
         BOTH_ENDS ",indirectImageMigration",
         "SourceClusterNoRegistryPath or DestinationClusterNoRegistryPath",
         "Images are to be copied directly between registries, and a cluster's "
         "registry cannot be reached from outside.",
         "expose the registry and set spec.exposedRegistryPath of the MigCluster, or "
         "set spec.indirectImageMigration of the plan to true"},
    [PLAN_STORAGE_NOT_READY] = {"plan/storage-not-ready", WRITES, true, WM_MODE_WARN, WM_CAUSE_INVALID,
                                "migStorageRef", "StorageNotReady",
                                "The plan's storage is not Ready, and until it is the plan is not either.",
                                "see the conditions of the MigStorage: kubectl describe migstorage NAME -n "
                                "NAMESPACE"},
    [PLAN_HOOK_NOT_READY] = {"plan/hook-not-ready", WRITES, true, WM_MODE_WARN, WM_CAUSE_INVALID, "hooks",
                             "HookNotReady",
                             "A hook of the plan is not Ready, and until it is the plan is not either.",
                             "see the conditions of the MigHook: kubectl describe mighook NAME -n NAMESPACE"},
    [PLAN_NAMESPACE_LENGTH] = {"plan/namespace-length", WRITES, false, WM_MODE_WARN, WM_CAUSE_TOO_LONG,
                               "namespaces,indirectVolumeMigration", "NamespaceLengthExceeded",
                               "Direct volume migration makes a route dvm-<namespace> on the destination "
                               "cluster, whose name has room for a namespace of 59 characters.",
                               "set cluster_subdomain of the MigrationController, map the namespace to a "
                               "shorter name, or set spec.indirectVolumeMigration to true"},
    [PLAN_STORAGE_CONVERSION] = {"plan/storage-conversion", WRITES, false, WM_MODE_WARN, WM_CAUSE_INVALID,
                                 "persistentVolumes", "StorageClassConversionUnavailable",
                                 "A conversion of storage needs a volume to convert and a second storage "
                                 "class.",
                                 "set selection.action of a volume to copy, and see that the cluster has two "
                                 "storage classes"},
    [PLAN_PV_NAME_CONFLICT] = {"plan/pv-name-conflict", WRITES, false, WM_MODE_WARN, WM_CAUSE_DUPLICATE,
                               "persistentVolumes", "PvNameConflict",
                               "A conversion of storage copies a claim to itself.",
                               "set pvc.name to source:destination, with two different names"},
    [PLAN_PV_NO_ACTION] = {"plan/pv-no-action", WRITES, false, WM_MODE_WARN, WM_CAUSE_REQUIRED,
                           "persistentVolumes", "PvNoSupportedAction",
                           "mig-controller found no way to migrate the volume, so its data stays behind.",
                           "set spec.refresh to true, so that mig-controller looks at the volume again"},
    [PLAN_PV_ACTION] = {"plan/pv-action", WRITES, false, WM_MODE_WARN, WM_CAUSE_UNSUPPORTED,
                        "persistentVolumes", "PvInvalidAction",
                        "An action is chosen that the volume does not support.",
                        "choose one of the volume's supported.actions"},
    [PLAN_PV_NO_STORAGE_CLASS] = {"plan/pv-no-storage-class", WRITES, false, WM_MODE_WARN, WM_CAUSE_REQUIRED,
                                  "persistentVolumes", "PvNoStorageClassSelection",
                                  "A volume is to be copied into a claim without a storage class.",
                                  "set selection.storageClass to a storage class of the destination cluster"},
    [PLAN_PV_STORAGE_CLASS] = {"plan/pv-storage-class", WRITES, false, WM_MODE_WARN, WM_CAUSE_NOT_FOUND,
                               "persistentVolumes", "PvInvalidStorageClass",
                               "A volume is to be copied into a storage class that the destination cluster "
                               "does not have.",
                               "choose one of the plan's status.destStorageClasses"},
    [PLAN_PV_ACCESS_MODE] = {"plan/pv-access-mode", WRITES, false, WM_MODE_WARN, WM_CAUSE_UNSUPPORTED,
                             "persistentVolumes", "PvInvalidAccessMode",
                             "A volume is to get an access mode that mig-controller does not know.",
                             "choose one of those, or remove selection.accessMode to keep the claim's own"},
    [PLAN_PV_ACCESS_MODE_UNAVAILABLE] = {"plan/pv-access-mode-unavailable", WRITES, false, WM_MODE_WARN,
                                         WM_CAUSE_INVALID, "persistentVolumes", "PvWarnAccessModeUnavailable",
                                         "A volume is to get an access mode that its storage class on the "
                                         "destination cluster is not known to offer.",
                                         "choose another storage class or another selection.accessMode"},
    [PLAN_PV_NO_COPY_METHOD] = {"plan/pv-no-copy-method", WRITES, false, WM_MODE_WARN, WM_CAUSE_REQUIRED,
                                "persistentVolumes", "PvNoCopyMethodSelection",
                                "A volume is to be copied, and it is not said how.",
                                "set selection.copyMethod to one of the volume's supported.copyMethods"},
    [PLAN_PV_COPY_METHOD] = {"plan/pv-copy-method", WRITES, false, WM_MODE_WARN, WM_CAUSE_UNSUPPORTED,
                             "persistentVolumes", "PvInvalidCopyMethod",
                             "A copy method is chosen that the volume does not support.",
                             "choose one of the volume's supported.copyMethods"},
    [PLAN_PV_SNAPSHOT] = {"plan/pv-snapshot", WRITES, false, WM_MODE_WARN, WM_CAUSE_INVALID,
                          "persistentVolumes", "PvWarnCopyMethodSnapshot",
                          "A volume is to be copied by snapshot, which both clusters' storage must support.",
                          "see that the storage class is of the source volume's type, or set "
                          "selection.copyMethod to filesystem"},
};

struct wm_plan_field wm_plan_field(const char *list, size_t i, const char *member)
{
    struct wm_plan_field r;

    snprintf(r.z, sizeof r.z, "spec.%s[%zu]%s%s", list, i, member ? "." : "", member ? member : "");
    return r;
}

/* The API server cuts a generateName so that the name that it makes has 63 characters. */
static void check_name(struct wm_check *c)
{
    const struct wm_subject *s = c->s;
    struct wm_json_span name = s->object.at[s->generated ? WM_O_GENERATE_NAME : WM_O_NAME];
    size_t n = wm_stored_name_length(s);

    if (!s->generated && n > WM_LABEL_VALUE_MAX)
        wm_report(c, &wm_plan_rows[PLAN_NAME_TOO_LONG], "metadata.name", name,
                  "the name has %zu characters, and the label of its migrations has room for %d, so they "
                  "would stall",
                  n, WM_LABEL_VALUE_MAX);
    if (!wm_json_first(wm_spec(c, "hooks")).node)
        return;
    if (n > HOOK_NAME_MAX)
        wm_report(c, &wm_plan_rows[PLAN_NAME_WITH_HOOKS], "metadata.name", name,
                  "the name has %zu characters, and the hooks' containers have room for %d, so their Jobs "
                  "would be refused",
                  n, HOOK_NAME_MAX);
    else if (strchr(s->name, '.'))
        wm_report(
            c, &wm_plan_rows[PLAN_NAME_WITH_HOOKS], "metadata.name", name,
            "the name has a dot, which the hooks' containers cannot have, so their Jobs would be refused");
}

static void (*const checks[])(struct wm_check *) = {
    check_name,
    wm_plan_check_clusters,
    wm_plan_check_registries,
    wm_plan_check_storage,
    wm_plan_check_namespaces,
    wm_plan_check_hooks,
    wm_plan_check_intra_cluster,
    wm_plan_check_conflict,
    wm_plan_check_running,
    wm_plan_check_volumes,
    NULL,
};

const struct wm_rule_set wm_plan_rules = {wm_plan_rows, PLAN_N_ROWS, checks};
