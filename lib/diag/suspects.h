/* The list of suspects, while it is made.  Inside of wm_diag. */
#ifndef WAYMARK_DIAG_SUSPECTS_H
#define WAYMARK_DIAG_SUSPECTS_H

#include "waymark/cause.h"

/* Indices; WM_NO_SUSPECT = it is not there, or there was no room. */
int wm_suspect_find(const struct wm_look *look, const struct wm_record *r, enum wm_role role);
/* Once for each role; `r` may be NULL. */
int wm_suspect_add(struct wm_look *look, const struct wm_record *r, enum wm_role role, int via);
/* With what it stands on: claims and their storage classes, its node. */
int wm_suspect_pod(struct wm_look *look, const struct wm_record *pod, enum wm_role role, int via);
void wm_suspect_claim(struct wm_look *look, const struct wm_record *claim, int via);
const char *wm_look_namespace(const struct wm_look *look, const struct wm_record *r);

/* After the migration's own: what is copied now where volumes of it are not begun with. */
void wm_look_for_copies(struct wm_look *look);
/* Those of a phase that waits for `wait`. */
void wm_suspect_applications(struct wm_look *look, enum wm_wait wait);
void wm_suspect_velero(struct wm_look *look, enum wm_wait wait);

/* All of a VMMigration. */
void wm_suspect_vm(struct wm_look *look);

#endif
