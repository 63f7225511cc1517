/* What the two halves of the history share: what happens, and what a stored report tells. */
#ifndef WAYMARK_VIEW_HISTORY_H
#define WAYMARK_VIEW_HISTORY_H

#include "waymark/report.h"

/* Behind all the others; when there is no room the second one goes. */
void wm_history_push(struct wm_history *h, const struct wm_moment *m);

#endif
