/* What stands in whose way when Velero works.  Inside of wm_diag. */
#ifndef WAYMARK_DIAG_VELERO_LOOK_H
#define WAYMARK_DIAG_VELERO_LOOK_H

#include "waymark/situation.h"

/* --- volumes that are copied: PodVolumeBackup, PodVolumeRestore, DataUpload, DataDownload --- */

bool wm_is_volume(enum wm_kind kind);
/* The pod that mounts it; NULL = none, not told, or not there. */
const struct wm_record *wm_volume_pod(const struct wm_world *w, const struct wm_record *r);
/* The node that has to copy it; "" = not known yet. */
const char *wm_volume_node(const struct wm_world *w, const struct wm_record *r);
/* The node agent's pod there, a ready one rather than another; NULL = there is none, or the node is not
 * known. */
const struct wm_record *wm_volume_agent(const struct wm_world *w, const struct wm_record *r);
/* Whether its Backup or Restore still waits for it; what that one leaves behind is history. */
bool wm_volume_is_awaited(const struct wm_world *w, const struct wm_record *r);
/* Whether `r`, a pod, is one of these for `volume`, which may be of any kind. */
bool wm_volume_needs(const struct wm_world *w, const struct wm_record *volume, const struct wm_record *r);

/* --- Backups and Restores --- */

bool wm_phase_is(const struct wm_world *w, const struct wm_record *r, const char *phase);
/* Velero works on it, and on no other one meanwhile. */
bool wm_is_begun(const struct wm_world *w, const struct wm_record *r);
/* When Velero began; for old releases, when it was created. */
int64_t wm_begun_s(const struct wm_record *r);
/* Whether some of its volumes, copied through pods, are not done. */
bool wm_has_open_volumes(const struct wm_world *w, const struct wm_record *r);
/* How long Velero waits for its volumes; 0 = not known. */
int64_t wm_pod_volume_timeout_s(const struct wm_world *w, const struct wm_record *r);

#endif
