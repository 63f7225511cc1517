/* When each volume moved last, while it is found out.  Inside of wm_diag. */
#ifndef WAYMARK_DIAG_VOLUME_MARKS_H
#define WAYMARK_DIAG_VOLUME_MARKS_H

#include "waymark/cause.h"

/* A look at all volumes begins: what it does not meet is not copied any more. */
void wm_volume_marks_begin(struct wm_volume_marks *m);
/* One that is being copied. */
void wm_volume_marks_feel(struct wm_volume_marks *m, const struct wm_record *r, int64_t now_s);

#endif
