/* The phases that Velero's CRDs list (velero config/crd/v1/bases and v2alpha1/bases of releases 1.3 to 1.18).
 */
#include "waymark/velero_phase.h"

#include <string.h>

enum { TERMINAL = 1, FAULTY = 2 };
#define PHASE(name, since, flags, result, about)                                                             \
    {                                                                                                        \
        name, since, true, ((flags)&TERMINAL) != 0, ((flags)&FAULTY) != 0, result, about                     \
    }

// clang-format off
static const struct wm_velero_phase backup[] = {
    PHASE("New", "", 0, WM_VELERO_OPEN, "Velero has not begun with the Backup."),
    PHASE("Queued", "1.18", 0, WM_VELERO_OPEN, "The Backup waits in Velero's queue; status.queuePosition is its place."),
    PHASE("ReadyToStart", "1.18", 0, WM_VELERO_OPEN, "The Backup is next in Velero's queue."),
    PHASE("FailedValidation", "", TERMINAL | FAULTY, WM_VELERO_BAD, "Velero refused the Backup; status.validationErrors tells why."),
    PHASE("InProgress", "", 0, WM_VELERO_OPEN, "Velero makes the Backup."),
    PHASE("WaitingForPluginOperations", "1.11", 0, WM_VELERO_OPEN, "Plugins still move data for the Backup."),
    PHASE("WaitingForPluginOperationsPartiallyFailed", "1.11", FAULTY, WM_VELERO_OPEN, "Something has failed already, and plugins still move data for the Backup."),
    PHASE("Finalizing", "1.11", 0, WM_VELERO_OPEN, "Velero finishes the Backup."),
    PHASE("FinalizingPartiallyFailed", "1.11", FAULTY, WM_VELERO_OPEN, "Something has failed already, and Velero finishes the Backup."),
    PHASE("Completed", "", TERMINAL, WM_VELERO_GOOD, "The Backup is complete."),
    PHASE("PartiallyFailed", "", TERMINAL | FAULTY, WM_VELERO_PARTIAL, "The Backup is there, but something is missing in it; status.errors counts what."),
    PHASE("Failed", "", TERMINAL | FAULTY, WM_VELERO_BAD, "The Backup has failed; status.failureReason or Velero's log tells why."),
    PHASE("Deleting", "", 0, WM_VELERO_OPEN, "The Backup is being deleted."),
    {0},
};

static const struct wm_velero_phase restore[] = {
    PHASE("New", "", 0, WM_VELERO_OPEN, "Velero has not begun with the Restore."),
    PHASE("FailedValidation", "", TERMINAL | FAULTY, WM_VELERO_BAD, "Velero refused the Restore; status.validationErrors tells why."),
    PHASE("InProgress", "", 0, WM_VELERO_OPEN, "Velero restores objects, or waits for volumes to be restored."),
    PHASE("WaitingForPluginOperations", "1.11", 0, WM_VELERO_OPEN, "Plugins still move data for the Restore."),
    PHASE("WaitingForPluginOperationsPartiallyFailed", "1.11", FAULTY, WM_VELERO_OPEN, "Something has failed already, and plugins still move data for the Restore."),
    PHASE("Finalizing", "1.14", 0, WM_VELERO_OPEN, "Velero finishes the Restore."),
    PHASE("FinalizingPartiallyFailed", "1.14", FAULTY, WM_VELERO_OPEN, "Something has failed already, and Velero finishes the Restore."),
    PHASE("Completed", "", TERMINAL, WM_VELERO_GOOD, "The Restore is complete."),
    PHASE("PartiallyFailed", "", TERMINAL | FAULTY, WM_VELERO_PARTIAL, "The Restore is done, but something could not be restored; status.errors counts what."),
    PHASE("Failed", "", TERMINAL | FAULTY, WM_VELERO_BAD, "The Restore has failed; status.failureReason or Velero's log tells why."),
    {0},
};

static const struct wm_velero_phase pod_volume[] = {
    PHASE("New", "", 0, WM_VELERO_OPEN, "No node has begun with the volume."),
    PHASE("Accepted", "1.17", 0, WM_VELERO_OPEN, "A node has taken the volume and starts a pod for it."),
    PHASE("Prepared", "1.17", 0, WM_VELERO_OPEN, "The pod for the volume runs, and waits for its turn on the node."),
    PHASE("InProgress", "", 0, WM_VELERO_OPEN, "The volume's data is being copied."),
    PHASE("Canceling", "1.17", FAULTY, WM_VELERO_OPEN, "The copying of the volume is being canceled."),
    PHASE("Canceled", "1.17", TERMINAL | FAULTY, WM_VELERO_CANCELED, "The copying of the volume was canceled."),
    PHASE("Completed", "", TERMINAL, WM_VELERO_GOOD, "The volume's data is copied."),
    PHASE("Failed", "", TERMINAL | FAULTY, WM_VELERO_BAD, "The volume could not be copied; status.message tells why."),
    {0},
};

static const struct wm_velero_phase data_move[] = {
    PHASE("New", "1.12", 0, WM_VELERO_OPEN, "No node has begun with the volume."),
    PHASE("Accepted", "1.12", 0, WM_VELERO_OPEN, "A node has taken the volume and starts a pod for it."),
    PHASE("Prepared", "1.12", 0, WM_VELERO_OPEN, "The pod for the volume runs, and waits for its turn on the node."),
    PHASE("InProgress", "1.12", 0, WM_VELERO_OPEN, "The volume's data is being moved."),
    PHASE("Canceling", "1.12", FAULTY, WM_VELERO_OPEN, "The moving of the volume's data is being canceled."),
    PHASE("Canceled", "1.12", TERMINAL | FAULTY, WM_VELERO_CANCELED, "The moving of the volume's data was canceled."),
    PHASE("Completed", "1.12", TERMINAL, WM_VELERO_GOOD, "The volume's data is moved."),
    PHASE("Failed", "1.12", TERMINAL | FAULTY, WM_VELERO_BAD, "The volume's data could not be moved; status.message tells why."),
    {0},
};

static const struct wm_velero_phase location[] = {
    PHASE("", "", 0, WM_VELERO_OPEN, "Velero has not looked at the storage yet; before 1.5 it never does."),
    PHASE("Available", "", 0, WM_VELERO_GOOD, "Velero reaches the storage."),
    PHASE("Unavailable", "", FAULTY, WM_VELERO_BAD, "Velero does not reach the storage; status.message or Velero's log tells why."),
    {0},
};
// clang-format on

static const struct wm_velero_phase unknown = {
    "",
    "",
    false,
    false,
    false,
    WM_VELERO_OPEN,
    "The phase is unknown; the object is taken as not at its end."};

/* The first row of a table is where an object begins. */
static const struct wm_velero_phase *const phases[WM_VELERO_KIND_COUNT] = {
    [WM_VELERO_BACKUP] = backup,       [WM_VELERO_RESTORE] = restore,   [WM_VELERO_POD_VOLUME] = pod_volume,
    [WM_VELERO_DATA_MOVE] = data_move, [WM_VELERO_LOCATION] = location,
};

enum wm_velero_kind wm_velero_kind_of(enum wm_kind kind)
{
    static const uint8_t kinds[WM_KIND_COUNT] = {
        [WM_KIND_BACKUP] = WM_VELERO_BACKUP,        [WM_KIND_RESTORE] = WM_VELERO_RESTORE,
        [WM_KIND_PVB] = WM_VELERO_POD_VOLUME,       [WM_KIND_PVR] = WM_VELERO_POD_VOLUME,
        [WM_KIND_DATAUPLOAD] = WM_VELERO_DATA_MOVE, [WM_KIND_DATADOWNLOAD] = WM_VELERO_DATA_MOVE,
        [WM_KIND_BSL] = WM_VELERO_LOCATION,
    };

    return (enum wm_velero_kind)kinds[kind];
}

const struct wm_velero_phase *wm_velero_phase(enum wm_velero_kind kind, const char *name)
{
    const struct wm_velero_phase *p = phases[kind];

    if (p && (!name || !name[0]))
        return p;
    for (; p && p->name; p++)
        if (strcmp(p->name, name) == 0)
            return p;
    return &unknown;
}

const struct wm_velero_phase *wm_velero_phase_at(enum wm_velero_kind kind, size_t i)
{
    const struct wm_velero_phase *p = phases[kind];

    while (p && p->name && i--)
        p++;
    return p && p->name ? p : NULL;
}
