/* What a VMMigration stands on: its machines, its providers with their Deployments, its PVC.  Inside of
 * wm_diag.  NULL = it is not there, or not known. */
#ifndef WAYMARK_DIAG_VM_LOOK_H
#define WAYMARK_DIAG_VM_LOOK_H

#include "waymark/situation.h"
#include "waymark/vm.h"

enum wm_vm_side { WM_VM_SOURCE, WM_VM_TARGET, WM_VM_SIDES };

/* A name with its namespace, of something that need not be there.  Borrowed; name "" = not known. */
struct wm_vm_name {
    const char *namespace_, *name;
};
/* Of the source without spec.source.providerRef: that of its VirtualMachine. */
struct wm_vm_name wm_vm_provider_name(const struct wm_world *w, const struct wm_situation *s,
                                      enum wm_vm_side side);
struct wm_vm_name wm_vm_machine_name(const struct wm_situation *s, enum wm_vm_side side);

const struct wm_record *wm_vm_provider(const struct wm_world *w, const struct wm_situation *s,
                                       enum wm_vm_side side);
const struct wm_record *wm_vm_machine(const struct wm_world *w, const struct wm_situation *s,
                                      enum wm_vm_side side);
/* The PVC between both, its own or the user's. */
const struct wm_record *wm_vm_claim(const struct wm_world *w, const struct wm_situation *s);

/* The Deployment of that Provider: the one that it owns, else the one that is called as VirtRigaud calls it;
 * so it is found also while the Provider is not there. */
const struct wm_record *wm_vm_server(const struct wm_world *w, uint8_t cluster,
                                     const struct wm_vm_name *provider);
const struct wm_record *wm_vm_server_of(const struct wm_world *w, const struct wm_situation *s,
                                        enum wm_vm_side side);
/* The ReplicaSet of a Deployment's current template. */
const struct wm_record *wm_server_replicas(const struct wm_world *w, const struct wm_record *server);

/* Whether the template has that PVC. */
bool wm_template_mounts(const struct wm_template *t, const char *claim);
/* What VirtRigaud waits for before the copying: every pod of the current template is there, and none else. */
bool wm_server_has_mounted(const struct wm_record *server, const char *claim);

#endif
