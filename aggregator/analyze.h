/* A dump judged: every migration in it, those first that need somebody.  Pure. */
#ifndef WAYMARK_AGGREGATOR_ANALYZE_H
#define WAYMARK_AGGREGATOR_ANALYZE_H

#include "waymark/diagnosis_view.h"

/* One migration, as little of it as the order takes: there may be thousands. */
struct wm_patient {
    const struct wm_record *migration;
    enum wm_pace pace;
    bool alarms; /* something stops it, hides it, or threatens it */
};

struct wm_analysis {
    struct wm_world world; /* borrowed, with its model */
    struct wm_thresholds thresholds;
    struct wm_patient *list; /* owned; unfinished ones first, the worst of them first of all */
    size_t n, n_alarms;
    /* Of the one that is being looked at. */
    struct wm_situation s;
    struct wm_look look;
    struct wm_diagnosis d;
    const struct wm_record **waiting; /* owned: those that wait for it */
    size_t n_waiting;
};

/* `migration` NULL = all. */
void wm_analyze(struct wm_analysis *a, const struct wm_world *w, const char *migration);
void wm_analysis_done(struct wm_analysis *a);
/* The i-th in full; borrowed until the next. */
struct wm_case wm_analysis_case(struct wm_analysis *a, size_t i);

/* Appends its MigrationReport as JSON. */
void wm_analysis_report(struct wm_analysis *a, size_t i, struct wm_buf *out);

#endif
