/* VirtRigaud: virtual machines that are moved between hypervisors, and the providers that do the work.  Pure.
 *
 * Read from an object alone; "VirtRigaud" below is projectbeskar/virtrigaud, its
 * internal/controller/vmmigration_controller.go where nothing else is said.  Everything is on one cluster,
 * that of the VMMigration. */
#ifndef WAYMARK_VM_H
#define WAYMARK_VM_H

#include "waymark/evidence.h"
#include "waymark/migration_state.h"

enum wm_vm_storage {
    WM_VM_STORAGE_NONE, /* spec.storage is missing: it will fail at its export */
    WM_VM_STORAGE_PVC,
    WM_VM_STORAGE_NFS,
    WM_VM_STORAGE_S3,
};
const char *wm_vm_storage_name(enum wm_vm_storage s); /* "none", "pvc", "nfs", "s3" */

/* The controller's own limits, in seconds: it fails the migration when its providers have not mounted the PVC
 * so long after the PVC was made (not: after the waiting began); it ends an export or import
 * (internal/transport/grpc). */
enum { WM_VM_MOUNT_S = 300, WM_VM_COPY_S = 1800 };
/* So many VMMigrations are worked on at a time, and an export or import occupies its worker to the end. */
enum { WM_VM_WORKERS = 3 };

/* VMMigration. */
struct wm_vm_state {
    /* First, so that a state of either kind can be asked where it stands.  kind is WM_RUN_VM, itinerary
     * WM_ITINERARY_VM; `plan` is empty, there are no plans; outcome is NOT_STARTED, RUNNING, SUCCEEDED
     * (Ready) or FAILED (without a retry to come); cause is the phase that failed where the message or the
     * conditions tell it; message is status.message.  While it tries again, first_error is what the attempt
     * before failed with. */
    struct wm_migration_state m;

    wm_name vm;                                         /* the source VirtualMachine */
    wm_name target, target_namespace;                   /* the VirtualMachine to be made */
    wm_name source_provider, source_provider_namespace; /* "" = not said: that of the VirtualMachine */
    wm_name target_provider, target_provider_namespace;
    enum wm_vm_storage storage;
    wm_name claim; /* the PVC that holds the disk, or will; "" = it needs none */
    bool
        own_claim; /* named in spec.storage.pvc.name: the user's, and deleted together with the VMMigration */
    unsigned access_modes; /* that are asked for, of enum wm_access_mode */
    wm_name storage_class; /* that is asked for */
    wm_word project;       /* spec.metadata.project */

    /* The condition Validating, while it is False: "WaitingForStorageMount", "SourceVMNotReady", ... */
    wm_word waits;
    wm_text waits_message;
    bool exports, imports;    /* status.exportID, importID: the copying has been begun, or done */
    bool task;                /* status.taskRef: it is asked for how far it is, and occupies no worker */
    bool makes_snapshot;      /* spec.source.createSnapshot is not false */
    bool snapshot;            /* status.snapshotID: one of the source was made for it; may be gone since */
    bool cleans_up;           /* cleanupPolicy is not Never */
    bool cleaned_up;          /* status.storageInfo.cleanedUp */
    bool powers_off;          /* spec.source.powerOffBeforeMigration */
    int retries, retries_max; /* retries_max 0: a failure is final */
    int64_t retried_s;        /* the last time; 0 = never */
    bool restored;            /* bears Velero's label of a restore: it began anew from its spec */
};
/* Whether the object may be written now.  Each change of it makes the controller look at it once more as soon
 * as it is done with it, with a cache that need not have its own last status by then; after an export or an
 * import, which are single calls of up to half an hour, it would begin a second one over the first and spoil
 * what was copied (VirtRigaud, handleExportingPhase, says so and therefore never asks for that itself).  So
 * not in phases that do such a call, unless what it began goes on by itself and is only asked for (taskRef).
 */
bool wm_vm_may_be_written(const struct wm_vm_state *vm);

/* Provider. */
struct wm_provider_state {
    uint64_t digest;
    bool
        available; /* condition ProviderAvailable: set once and never taken back, so it says nothing of now */
    bool runtime_known, runtime_ready; /* condition ProviderRuntimeReady */
    int64_t runtime_s;                 /* since when; 0 = not told */
    const char *uid;                   /* Events about it bear it */
    const char *type;                  /* "vsphere", "libvirt", "proxmox" */
    const char *image;                 /* spec.runtime.image */
    const char *reason, *message;      /* of ProviderRuntimeReady */
};

/* VirtualMachine. */
struct wm_machine_state {
    uint64_t digest;
    bool has_id;                               /* status.id: its provider knows it */
    bool ready_known, ready;                   /* condition Ready */
    int64_t ready_s;                           /* since when; 0 = not told */
    const char *provider, *provider_namespace; /* spec.providerRef; namespace "" = its own */
    const char *power;                         /* status.powerState */
    const char *reason, *message;              /* of Ready */
};

/* Of records of that kind; never NULL for them. */
const struct wm_vm_state *wm_vm_of(const struct wm_record *r);
const struct wm_provider_state *wm_provider_of(const struct wm_record *r);
const struct wm_machine_state *wm_machine_of(const struct wm_record *r);

#endif
