/* MigrationReport (migrationreports.waymark.io/v1alpha1): the full picture of one migration, and its history.
 * Pure.
 *
 * One per migration, named after it, in its namespace, owned by it.  Its status is also the memory of the
 * aggregator: what happened before a restart is read from there, and nowhere else. */
#ifndef WAYMARK_REPORT_H
#define WAYMARK_REPORT_H

#include "waymark/situation.h"

enum { WM_TIMELINE_MAX = 96 };

/* One phase that was executed. */
struct wm_moment {
    wm_word phase;
    enum wm_itinerary itinerary;
    int64_t from_s, to_s; /* to_s 0 = still */
};

/* What must be remembered of a migration. */
struct wm_history {
    struct wm_moment moments[WM_TIMELINE_MAX]; /* the oldest first; when full, the second one goes */
    size_t n, n_dropped;
    int64_t verdict_since_s;
    char verdict[WM_VERDICT_MAX];
};

/* Takes in what the situation says; true when something new has to be remembered. */
bool wm_history_update(struct wm_history *h, const struct wm_situation *s, const char *verdict,
                       int64_t now_s);
/* From the JSON of a stored MigrationReport: after a restart.  What is malformed counts as not remembered. */
void wm_history_read(struct wm_history *h, struct wm_str report);

/* Appends the report's status as JSON: phase, step, verdict, since, timeline with durations, tree of objects
 * (cluster, kind, name, state, progress), clusters and how well they are seen, progress rolled up,
 * conditions.  Deterministic: the same situation and history give the same bytes. */
void wm_report_status(const struct wm_world *w, const struct wm_situation *s, const struct wm_history *h,
                      struct wm_buf *out);
/* Appends a whole new MigrationReport without status. */
void wm_report_object(const struct wm_situation *s, struct wm_buf *out);

#endif
