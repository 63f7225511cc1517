/* VMMigration's rules, between the files that check them.  Inside of the module. */
#ifndef WAYMARK_RULES_VM_IMPL_H
#define WAYMARK_RULES_VM_IMPL_H

#include "check.h"

/* Rows of wm_vm_rules, in order of importance. */
enum wm_vm_rule {
    WM_VM_OWN_PVC,
    WM_VM_DELETE_REMOVES_PVC,
    WM_VM_NAME,
    WM_VM_STORAGE_MISSING,
    WM_VM_PVC_SETTINGS,
    WM_VM_BACKEND_SETTINGS,
    WM_VM_READ_ONLY,
    WM_VM_PROVIDER_NAMESPACE,
    WM_VM_BACKEND_UNSUPPORTED,
    WM_VM_DIRECT_TRANSFER,
    WM_VM_STORAGE_PVC_TERMINATING,
    WM_VM_STORAGE_PVC_FOREIGN,
    WM_VM_TARGET_EXISTS,
    WM_VM_RESTORED,
    WM_VM_OTHERS_IN_FLIGHT,
    WM_VM_DELETE_WHILE_OTHERS_RUN,
    WM_VM_POWER_OFF,
    WM_VM_SOURCE_MISSING,
    WM_VM_PROVIDER_MISSING,
    WM_VM_PROVIDER_NAME,
    WM_VM_STORAGE_CLASS_MISSING,
    WM_VM_SINGLE_NODE,
    WM_VM_STORAGE_PVC_OLD,
    WM_VM_WORKERS_BUSY,
    WM_VM_NO_RETRY_POLICY,
    WM_VM_SNAPSHOT_IGNORED,
    WM_VM_MOUNT_PATH,
    WM_VM_RULES
};
extern const struct wm_rule wm_vm_rules[];

/* "pvc", "s3" or "nfs"; NULL when spec has no storage, or one that the CRD does not know. */
const char *wm_vm_backend(struct wm_json_value spec);
bool wm_vm_is_on_pvc(struct wm_json_value spec);
/* VirtRigaud will make a PVC for it: type pvc, and the user names none. */
bool wm_vm_makes_pvc(struct wm_json_value spec);
/* spec.storage.pvc */
struct wm_json_value wm_vm_pvc_of(struct wm_json_value spec);
/* status.phase is absent or Pending: nothing has begun.  Audits see migrations in any phase, and how one had
 * better begun is no news about one that runs. */
bool wm_vm_is_new(const struct wm_check *c);

void wm_vm_check_pvc_settings(struct wm_check *c);
void wm_vm_check_backend(struct wm_check *c);
void wm_vm_check_access(struct wm_check *c);
void wm_vm_check_name(struct wm_check *c);
void wm_vm_check_own_pvc(struct wm_check *c);
void wm_vm_check_storage_pvc(struct wm_check *c);

void wm_vm_check_source(struct wm_check *c);
void wm_vm_check_providers(struct wm_check *c);
void wm_vm_check_provider_namespace(struct wm_check *c);
void wm_vm_check_capabilities(struct wm_check *c);
void wm_vm_check_power_off(struct wm_check *c);
void wm_vm_check_target(struct wm_check *c);

void wm_vm_check_in_flight(struct wm_check *c);
void wm_vm_check_workers(struct wm_check *c);
void wm_vm_check_delete(struct wm_check *c);

#endif
