/* The objects of a migration in its report. */
#ifndef WAYMARK_VIEW_REPORT_TREE_H
#define WAYMARK_VIEW_REPORT_TREE_H

#include "waymark/report.h"

const char *wm_report_cluster_name(const struct wm_world *w, uint8_t cluster); /* "" = none */

/* "progress" and "tree"; the tree so that with one more bracket `out` does not pass `end`. */
void wm_report_put_progress(const struct wm_situation *s, struct wm_buf *out);
void wm_report_put_tree(const struct wm_world *w, const struct wm_situation *s, size_t end,
                        struct wm_buf *out);

#endif
