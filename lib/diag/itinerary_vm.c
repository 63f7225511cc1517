/* The phases of VMMigrations (projectbeskar/virtrigaud internal/controller/vmmigration_controller.go). */
#include "itinerary_rows.h"

// clang-format off
const struct wm_phase wm_vm_phases[] = {
    {"", ALL, WM_WAIT_VM_WORKER, HOST, MINUTE, WM_END_NEVER, "",
     "The VMMigration has been created; no worker of the controller has taken it up."},
    {"Pending", ALL, WM_WAIT_VM_WORKER, HOST, MINUTE, WM_END_NEVER, "",
     "The VMMigration waits for one of the controller's three workers, anew after a failure that is retried."},
    {"Validating", ALL, WM_WAIT_VM_PROVIDERS, HOST, 2 * MINUTE, WM_END_VM_MOUNT,
     "its spec does not fit, or its providers have not mounted its PVC five minutes after that was made",
     "The machine and both providers are looked up, the PVC is made, and both providers must have mounted it."},
    {"Snapshotting", ALL, WM_WAIT_VM_SNAPSHOT, HOST, 10 * MINUTE, WM_END_NEVER,
     "the source's provider cannot make the snapshot",
     "A snapshot of the source machine is made."},
    {"Exporting", ALL, WM_WAIT_VM_EXPORT, HOST, COPY, WM_END_VM_COPY,
     "the export fails, takes over half an hour, or the source's provider restarts meanwhile",
     "The source's provider writes the disk to the storage between both."},
    {"Transferring", ALL, WM_WAIT_VM_EXPORT, HOST, COPY, WM_END_NEVER, "",
     "No longer used: the disk goes from one storage to the other."},
    {"Converting", ALL, WM_WAIT_VM_EXPORT, HOST, COPY, WM_END_NEVER, "",
     "No longer used: the disk is brought into another format."},
    {"Importing", ALL, WM_WAIT_VM_IMPORT, HOST, COPY, WM_END_VM_COPY,
     "the import fails, takes over half an hour, or the target's provider restarts meanwhile",
     "The target's provider reads the disk from the storage between both."},
    {"Creating", ALL, WM_WAIT_VM_TARGET, HOST, 10 * MINUTE, WM_END_NEVER,
     "the new machine cannot be created",
     "The new VirtualMachine is created, and must become ready."},
    {"Validating-Target", ALL, WM_WAIT_VM_TARGET, HOST, 10 * MINUTE, WM_END_NEVER,
     "the new machine is gone",
     "The new VirtualMachine must be ready."},
    {"Ready", ALL, WM_WAIT_NOTHING, HOST, 0, WM_END_AT_ONCE, "",
     "The machine has been moved; what was needed for it is tidied up."},
    {"Failed", ALL, WM_WAIT_NOTHING, HOST, 0, WM_END_AT_ONCE, "",
     "The migration has failed; with a retryPolicy it begins again."},
    {0},
};

const struct wm_stop wm_vm_stops[] = {
    {"Pending"},
    {"Validating"},
    {"Snapshotting", .needs = WM_NEED_SNAPSHOT},
    {"Exporting"},
    {"Importing"},
    {"Creating"},
    {"Validating-Target"},
    {"Ready"},
    {0},
};
// clang-format on
