/* VMMigration (virtrigaud internal/controller/vmmigration_controller.go): the rules, and the checks of what
 * stands in the object alone. */
#include "vm_impl.h"

#define WRITES (WM_ON_CREATE | WM_ON_UPDATE)
#define FAILED "Failed/MigrationFailed"
#define WAITING "Validating/WaitingForStorageMount"

const struct wm_rule wm_vm_rules[WM_VM_RULES] = {
    [WM_VM_OWN_PVC] = {"vm/own-pvc", WRITES, true, WM_MODE_ENFORCE, WM_CAUSE_FORBIDDEN, "storage", FAILED,
                       "VirtRigaud deletes a PVC that the user names when the VMMigration is deleted, with "
                       "all data, and mounts only PVCs that bear its label.",
                       "leave spec.storage.pvc.name out and set storageClassName and size, or use s3 or nfs; "
                       "a PVC that may go with the migration needs the label "
                       "virtrigaud.io/component=migration-storage and the annotation "
                       "waymark.io/deleted-with-migration=true"},
    [WM_VM_DELETE_REMOVES_PVC] = {"vm/delete-removes-pvc", WM_ON_DELETE, false, WM_MODE_WARN,
                                  WM_CAUSE_FORBIDDEN, "", "",
                                  "With the VMMigration VirtRigaud deletes the user's own PVC that it names, "
                                  "and the data in it is lost.",
                                  "back the PVC's data up first, set its PersistentVolume's "
                                  "persistentVolumeReclaimPolicy to Retain, or keep the VMMigration"},
    [WM_VM_NAME] = {"vm/name", WRITES, false, WM_MODE_ENFORCE, WM_CAUSE_INVALID, "storage", WAITING,
                    "The name makes the name of a volume in every provider of the namespace, and one over 63 "
                    "characters or with a dot stops all of them from rolling out.",
                    "use a name of at most 45 characters without dots (a PVC's own name: 53), or storage of "
                    "type s3 or nfs"},
    [WM_VM_STORAGE_MISSING] = {"vm/storage-missing", WRITES, false, WM_MODE_ENFORCE, WM_CAUSE_REQUIRED,
                               "storage", FAILED,
                               "Without spec.storage the migration fails at Exporting, when the source VM "
                               "already has its snapshot and is powered off.",
                               "set spec.storage with type pvc, s3 or nfs"},
    [WM_VM_PVC_SETTINGS] =
        {"vm/pvc-settings", WRITES, false, WM_MODE_ENFORCE, WM_CAUSE_INVALID, "storage", FAILED,
         "Storage of type pvc lacks what VirtRigaud needs to make the PVC: a storage class "
         "and a size above zero.",
         "set spec.storage.pvc.storageClassName, and size to a quantity such as 50Gi"},
    [WM_VM_BACKEND_SETTINGS] = {"vm/backend-settings", WRITES, false, WM_MODE_ENFORCE, WM_CAUSE_REQUIRED,
                                "storage", FAILED,
                                "Storage of type s3 or nfs does not say where it is, and validation fails.",
                                "set spec.storage.s3 (bucket, credentialsSecretRef) or spec.storage.nfs "
                                "(server, export)"},
    [WM_VM_READ_ONLY] = {"vm/read-only", WRITES, false, WM_MODE_ENFORCE, WM_CAUSE_UNSUPPORTED, "storage",
                         FAILED, "The export writes the disk into the PVC, which a read-only one refuses.",
                         "set spec.storage.pvc.accessMode to ReadWriteMany"},
    [WM_VM_PROVIDER_NAMESPACE] = {"vm/provider-namespace", WRITES, true, WM_MODE_ENFORCE, WM_CAUSE_INVALID,
                                  "source,target,storage", FAILED,
                                  "With storage of type pvc, migration and providers must share one "
                                  "namespace, as pods mount no PVC of another.",
                                  "create the VMMigration where the providers are, or use storage of type s3 "
                                  "or nfs"},
    [WM_VM_BACKEND_UNSUPPORTED] = {"vm/backend-unsupported", WRITES, true, WM_MODE_ENFORCE,
                                   WM_CAUSE_UNSUPPORTED, "source,target,storage", FAILED,
                                   "A provider reports that it cannot export to, or import from, this "
                                   "storage, or not in this transfer mode.",
                                   "choose what both providers report: kubectl get providers -o yaml, "
                                   "status.reportedCapabilities"},
    [WM_VM_DIRECT_TRANSFER] = {"vm/direct-transfer", WRITES, false, WM_MODE_ENFORCE, WM_CAUSE_UNSUPPORTED,
                               "storage", FAILED,
                               "VirtRigaud refuses the transfer mode direct for pvc and s3 storage.",
                               "set spec.storage.transferMode to auto or relay"},
    [WM_VM_STORAGE_PVC_TERMINATING] = {"vm/storage-pvc-terminating", WM_ON_CREATE, true, WM_MODE_ENFORCE,
                                       WM_CAUSE_FORBIDDEN, "", WAITING,
                                       "The PVC that the migration would use is being deleted; VirtRigaud "
                                       "uses it all the same, no provider mounts it, and the migration "
                                       "times out.",
                                       "wait until the PVC is gone, or choose another name"},
    [WM_VM_STORAGE_PVC_FOREIGN] = {"vm/storage-pvc-foreign", WM_ON_CREATE, true, WM_MODE_ENFORCE,
                                   WM_CAUSE_FORBIDDEN, "", "",
                                   "A PVC with the name that the migration would give to its own exists, and "
                                   "VirtRigaud takes it blindly: its data is at risk, now and when the "
                                   "VMMigration is deleted.",
                                   "choose another name for the VMMigration, or delete the PVC if nobody "
                                   "needs it"},
    [WM_VM_TARGET_EXISTS] = {"vm/target-exists", WRITES, true, WM_MODE_WARN, WM_CAUSE_DUPLICATE, "target", "",
                             "A VM of the target's name exists; if it is Ready, VirtRigaud takes it for the "
                             "result and ends the migration without the imported disk.",
                             "choose another spec.target.name"},
    [WM_VM_RESTORED] = {"vm/restored", WM_ON_CREATE, false, WM_MODE_WARN, WM_CAUSE_FORBIDDEN, "", "",
                        "A VMMigration that comes back from a backup has lost its status and runs again from "
                        "the beginning, power-off of the source VM included.",
                        "leave vmmigrations.infra.virtrigaud.io out of the restore; delete this one if the "
                        "migration is done"},
    [WM_VM_OTHERS_IN_FLIGHT] = {"vm/others-in-flight", WM_ON_CREATE, true, WM_MODE_WARN, WM_CAUSE_FORBIDDEN,
                                "", "",
                                "The PVC of a new migration makes VirtRigaud roll out every provider in the "
                                "namespace, which cuts the transfers of others.",
                                "wait until they are through, or use storage of type s3 or nfs"},
    [WM_VM_DELETE_WHILE_OTHERS_RUN] = {"vm/delete-while-others-run", WM_ON_DELETE, true, WM_MODE_WARN,
                                       WM_CAUSE_FORBIDDEN, "", "",
                                       "With the migration's PVC gone VirtRigaud rolls out every provider in "
                                       "the namespace once more, which cuts the transfers of others.",
                                       "delete it when they are through"},
    [WM_VM_POWER_OFF] = {"vm/power-off", WRITES, true, WM_MODE_WARN, WM_CAUSE_INVALID, "source", FAILED,
                         "vSphere locks the disks of a VM that runs, and their export fails.",
                         "set spec.source.powerOffBeforeMigration to true, or power the VM off before"},
    [WM_VM_SOURCE_MISSING] = {"vm/source-missing", WRITES, true, WM_MODE_WARN, WM_CAUSE_NOT_FOUND, "source",
                              FAILED, "The source VM does not exist, and validation fails at once.",
                              "correct spec.source.vmRef.name, or create the VirtualMachine first"},
    [WM_VM_PROVIDER_MISSING] = {"vm/provider-missing", WRITES, true, WM_MODE_WARN, WM_CAUSE_NOT_FOUND,
                                "source,target", FAILED,
                                "A provider does not exist, and validation fails at once.",
                                "correct the providerRef, or create the Provider first"},
    [WM_VM_PROVIDER_NAME] = {"vm/provider-name", WRITES, false, WM_MODE_WARN, WM_CAUSE_TOO_LONG,
                             "source,target", "ProviderRuntimeReady/ServiceError",
                             "A provider's Service is named after namespace and name, and over 63 characters "
                             "there is none: the migration waits for the provider without an end.",
                             "use a provider whose name and namespace have at most 42 characters together"},
    [WM_VM_STORAGE_CLASS_MISSING] = {"vm/storage-class-missing", WRITES, true, WM_MODE_WARN,
                                     WM_CAUSE_NOT_FOUND, "storage", WAITING,
                                     "The storage class does not exist: the PVC stays Pending, and with it "
                                     "the rollout of every provider in the namespace.",
                                     "set spec.storage.pvc.storageClassName to one of kubectl get "
                                     "storageclasses"},
    [WM_VM_SINGLE_NODE] = {"vm/single-node", WRITES, false, WM_MODE_WARN, WM_CAUSE_INVALID, "storage",
                           WAITING,
                           "All providers mount the PVC, and ReadWriteOnce allows for one node: pods on "
                           "others hang, and the migration times out.",
                           "set spec.storage.pvc.accessMode to ReadWriteMany"},
    [WM_VM_STORAGE_PVC_OLD] = {"vm/storage-pvc-old", WM_ON_CREATE, true, WM_MODE_WARN, WM_CAUSE_FORBIDDEN, "",
                               FAILED,
                               "VirtRigaud counts the five minutes that it waits for the mount from the "
                               "PVC's creation: with an old one the first look that finds a provider "
                               "not ready fails the migration.",
                               "delete the PVC first, or choose another name"},
    [WM_VM_WORKERS_BUSY] = {"vm/workers-busy", WM_ON_CREATE, true, WM_MODE_WARN, WM_CAUSE_TOO_MANY, "", "",
                            "VirtRigaud works on three migrations at a time, and a transfer holds its worker "
                            "for up to 30 minutes: further ones stand still.",
                            "wait until one of them is through"},
    [WM_VM_NO_RETRY_POLICY] = {"vm/no-retry-policy", WRITES, false, WM_MODE_WARN, WM_CAUSE_REQUIRED,
                               "options", "",
                               "Without retries the first failure is final, be it only a provider's restart "
                               "between two phases.",
                               "set spec.options.retryPolicy.maxRetries to 3"},
    [WM_VM_SNAPSHOT_IGNORED] = {"vm/snapshot-ignored", WRITES, false, WM_MODE_WARN, WM_CAUSE_INVALID,
                                "source", "",
                                "The snapshot is looked at only when createSnapshot is true, so the running "
                                "state of the disk is exported instead.",
                                "set spec.source.createSnapshot to true to export from the snapshot, or "
                                "remove snapshotRef"},
    [WM_VM_MOUNT_PATH] = {"vm/mount-path", WRITES, false, WM_MODE_WARN, WM_CAUSE_UNSUPPORTED, "storage", "",
                          "Providers mount the PVC at /mnt/migration-storage whatever mountPath says; only "
                          "the clean-up believes it, and looks in the wrong place.",
                          "remove spec.storage.pvc.mountPath"},
};

/* --- what the files share --- */

const char *wm_vm_backend(struct wm_json_value spec)
{
    static const char *const backends[] = {"pvc", "s3", "nfs"};
    struct wm_json_value storage = wm_json_get(spec, "storage");

    if (wm_json_kind_of(storage) != WM_JSON_OBJECT)
        return NULL;
    if (!wm_is_set(storage, "type"))
        return "pvc";
    for (size_t i = 0; i < sizeof backends / sizeof backends[0]; i++)
        if (wm_json_span_is(wm_get_span(storage, "type"), backends[i]))
            return backends[i];
    return NULL;
}

bool wm_vm_is_on_pvc(struct wm_json_value spec)
{
    const char *backend = wm_vm_backend(spec);

    return backend && strcmp(backend, "pvc") == 0;
}

struct wm_json_value wm_vm_pvc_of(struct wm_json_value spec)
{
    return wm_json_get(wm_json_get(spec, "storage"), "pvc");
}

bool wm_vm_makes_pvc(struct wm_json_value spec)
{
    struct wm_json_value pvc = wm_vm_pvc_of(spec);

    return wm_vm_is_on_pvc(spec) && wm_json_kind_of(pvc) == WM_JSON_OBJECT && !wm_is_set(pvc, "name");
}

bool wm_vm_is_new(const struct wm_check *c)
{
    return !wm_is_set(c->s->status, "phase") ||
           wm_json_span_is(wm_get_span(c->s->status, "phase"), "Pending");
}

/* --- the object alone --- */

static void check_storage(struct wm_check *c)
{
    if (wm_json_kind_of(wm_spec(c, "storage")) != WM_JSON_OBJECT)
        wm_report(c, &wm_vm_rules[WM_VM_STORAGE_MISSING], "spec.storage", (struct wm_json_span){0},
                  "there is none: validation passes, and the migration fails at Exporting, after snapshot "
                  "and power-off of the source VM");
}

static void check_snapshot(struct wm_check *c)
{
    struct wm_json_value source = wm_spec(c, "source"), ref = wm_json_get(source, "snapshotRef");

    if (wm_json_kind_of(wm_json_get(source, "createSnapshot")) == WM_JSON_FALSE && wm_is_set(ref, "name"))
        wm_report(c, &wm_vm_rules[WM_VM_SNAPSHOT_IGNORED], "spec.source.snapshotRef.name",
                  wm_get_span(ref, "name"),
                  "createSnapshot is false, so VirtRigaud skips the phase that would use this snapshot");
}

static void check_retries(struct wm_check *c)
{
    const struct wm_rule *rule = &wm_vm_rules[WM_VM_NO_RETRY_POLICY];
    struct wm_json_value policy = wm_json_get(wm_spec(c, "options"), "retryPolicy");
    struct wm_json_span max = wm_get_span(policy, "maxRetries");

    if (wm_json_kind_of(policy) != WM_JSON_OBJECT)
        wm_report(c, rule, "spec.options.retryPolicy", (struct wm_json_span){0},
                  "there is none, so that the first failure is final");
    else if (max.kind == WM_JSON_NUMBER && wm_str_is(max.text, "0"))
        wm_report(c, rule, "spec.options.retryPolicy.maxRetries", max,
                  "no retry is allowed, so that the first failure is final");
}

static void check_restored(struct wm_check *c)
{
    struct wm_json_span restore = wm_member(c->s->object.at[WM_O_LABELS], "velero.io/restore-name");

    if (restore.kind == WM_JSON_STRING && wm_vm_is_new(c))
        wm_report(c, &wm_vm_rules[WM_VM_RESTORED], "metadata.labels[velero.io/restore-name]", restore,
                  "a Velero restore brings it back without its status, so VirtRigaud runs it again from the "
                  "beginning");
}

static void (*const checks[])(struct wm_check *) = {
    check_storage,
    check_snapshot,
    check_retries,
    check_restored,
    wm_vm_check_pvc_settings,
    wm_vm_check_backend,
    wm_vm_check_access,
    wm_vm_check_name,
    wm_vm_check_own_pvc,
    wm_vm_check_storage_pvc,
    wm_vm_check_source,
    wm_vm_check_providers,
    wm_vm_check_provider_namespace,
    wm_vm_check_capabilities,
    wm_vm_check_power_off,
    wm_vm_check_target,
    wm_vm_check_in_flight,
    wm_vm_check_workers,
    wm_vm_check_delete,
    NULL,
};

const struct wm_rule_set wm_vmmigration_rules = {wm_vm_rules, WM_VM_RULES, checks};
