/* Watches the MigrationReports, their metadata only: that one was deleted or changed by others is noticed,
 * and so is that their definition is not installed.  Edge. */
#ifndef WAYMARK_AGGREGATOR_REPORTS_H
#define WAYMARK_AGGREGATOR_REPORTS_H

#include "follow.h"

struct wm_reports;

/* What it sees goes to `follow`.  To be freed before `host`, which is borrowed. */
int wm_reports_new(struct wm_kube *host, struct wm_follow *follow, struct wm_reports **ret,
                   struct wm_error *err);
struct wm_reports *wm_reports_free(struct wm_reports *r); /* NULL is fine */

/* It was looked whether there is a place for reports: before that nothing is known about any.  NULL: true. */
bool wm_reports_looked(const struct wm_reports *r);
/* For metrics. */
bool wm_reports_installed(const struct wm_reports *r);

#endif
