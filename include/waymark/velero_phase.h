/* What the phases of Velero's objects mean, in all releases.  Pure.
 *
 * For every kind an absent phase, or "", is the beginning; of a BackupStorageLocation it means that nobody
 * has looked yet (Velero before 1.5 never does), not that it is unavailable.  A phase that is not in the
 * table is unknown, and never the end. */
#ifndef WAYMARK_VELERO_PHASE_H
#define WAYMARK_VELERO_PHASE_H

#include "waymark/kinds.h"

enum wm_velero_kind {
    WM_VELERO_NONE,
    WM_VELERO_BACKUP,
    WM_VELERO_RESTORE,
    WM_VELERO_POD_VOLUME, /* PodVolumeBackup, PodVolumeRestore */
    WM_VELERO_DATA_MOVE,  /* DataUpload, DataDownload */
    WM_VELERO_LOCATION,   /* BackupStorageLocation */
    WM_VELERO_KIND_COUNT
};
/* NONE for any other `kind`. */
enum wm_velero_kind wm_velero_kind_of(enum wm_kind kind);

enum wm_velero_result {
    WM_VELERO_OPEN, /* nothing is decided yet */
    WM_VELERO_GOOD,
    WM_VELERO_PARTIAL, /* done, but something is missing; MTC goes on with a warning */
    WM_VELERO_BAD,
    WM_VELERO_CANCELED
};

struct wm_velero_phase {
    const char *name;
    const char *since; /* the Velero release that brought it for this kind; "" = from the beginning */
    bool known;        /* false: a release newer than the table, or another writer */
    bool terminal;     /* Velero will not touch the object again */
    bool faulty;       /* something has failed already, whether or not it is the end */
    enum wm_velero_result result;
    const char *about; /* one sentence for people */
};

/* Never NULL; `name` may be NULL.  Of an unknown phase `name` is "". */
const struct wm_velero_phase *wm_velero_phase(enum wm_velero_kind kind, const char *name);
/* Every phase of a kind in a row, for tests and documents; NULL beyond the last. */
const struct wm_velero_phase *wm_velero_phase_at(enum wm_velero_kind kind, size_t i);

#endif
