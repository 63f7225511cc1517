/* What both the report and the history are made from. */
#ifndef WAYMARK_VIEW_REPORT_PARTS_H
#define WAYMARK_VIEW_REPORT_PARTS_H

#include "waymark/report.h"

/* A cluster that the migration needs. */
struct wm_report_cluster {
    const char *name;
    unsigned roles; /* of enum wm_cluster_role */
    enum wm_cluster_sight sight;
    const char *why; /* "" = nothing to say */
    int64_t since_s; /* as its watcher says; 0 = not told */
    int64_t ahead_s; /* its clock minus the host's */
};
/* Each once: the host, the source, the target, as far as they are known. */
size_t wm_report_clusters(const struct wm_world *w, const struct wm_situation *s,
                          struct wm_report_cluster ret[static WM_REPORT_CLUSTERS_MAX]);

/* Whether their clocks are so far apart that times of one cannot be read beside those of another. */
bool wm_report_clocks_differ(const struct wm_report_cluster *list, size_t n);

struct wm_report_condition {
    const char *type, *status, *reason; /* type NULL: it does not apply */
    char message[WM_VERDICT_MAX];
    int64_t since_s; /* where the objects tell it; 0 = they do not */
    bool starting;   /* only because the watching starts: nothing to remember */
};
/* Rows without a type are not to be written. */
void wm_report_conditions(const struct wm_world *w, const struct wm_situation *s, const char *verdict,
                          struct wm_report_condition ret[static WM_REPORT_CONDITIONS_MAX]);

/* The migration has come to its end, whichever. */
bool wm_report_ended(const struct wm_situation *s);

/* The state of `what` among `list`; NULL = not remembered. */
const struct wm_lasting *wm_lasting_find(const struct wm_lasting *list, size_t max, const char *what);

/* report_findings.c: the last progress and what held the migration up last; what was found now. */
void wm_report_put_stall(const struct wm_history *h, struct wm_buf *out);
void wm_report_put_findings(const struct wm_diagnosis *d, struct wm_buf *out);

#endif
