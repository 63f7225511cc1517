/* MigrationReport (migrationreports.waymark.io/v1alpha1): the full picture of one migration, and its history.
 * Pure.
 *
 * One per migration, in its namespace, owned by it.  Its status is also the memory of the aggregator: what
 * happened before a restart is read from there, and nowhere else.
 *
 * How it is used: wm_history_read once, when a migration is met for the first time; then, at every change of
 * its situation, wm_history_update, wm_report_status, and a write of the whole status where its
 * wm_report_digest is not that of the stored one.  While a cluster's sight is STARTING nothing should be
 * written: the tree is not complete.  The status is replaced, never merged: a member that is not in it holds
 * no longer. */
#ifndef WAYMARK_REPORT_H
#define WAYMARK_REPORT_H

#include "waymark/cause.h"

#define WM_REPORT_API_VERSION "waymark.io/v1alpha1"
#define WM_REPORT_KIND "MigrationReport"
#define WM_REPORT_RESOURCE "migrationreports"

/* The report's name: that of its migration, so that one finds it.  Two kinds of migrations share a namespace,
 * so names that could meet are told apart by their ends:
 *     MigMigration x   ->  x        but x.mig when x itself ends in ".mig", ".vm" or ".uid"
 *     any other kind   ->  x.vm
 *     <uid>.uid             where that would be longer than a name may be
 * Which is one to one: what ends in ".vm" is no MigMigration's, a plain x has none of the ends, and the rest
 * shows its kind or its uid. */
void wm_report_name(const char *kind, const char *name, const char *uid, char out[static WM_NAME_MAX + 1]);

/* --- history --- */

enum { WM_TIMELINE_MAX = 96, WM_REPORT_CLUSTERS_MAX = 3, WM_REPORT_CONDITIONS_MAX = 4 };

/* In wm_moment.to_s: over, but nobody saw when. */
#define WM_ENDED_UNSEEN INT64_C(-1)

/* One phase that was executed.  Completed is one too, with from_s == to_s. */
struct wm_moment {
    wm_word phase;
    enum wm_itinerary itinerary;
    int64_t from_s; /* 0 = not known: it had begun when the migration was seen for the first time */
    int64_t to_s;   /* 0 = still (of the last one only), or WM_ENDED_UNSEEN */
};

/* Since when something is as it is: a cluster's sight, a condition's status. */
struct wm_lasting {
    wm_name what;
    wm_word state;
    int64_t since_s;
};

/* What held the migration up last.  All zero = nothing did. */
struct wm_stall {
    wm_word cause;
    char message[WM_MESSAGE_MAX];
    int64_t from_s, to_s; /* to_s 0 = it still does */
    int64_t gone_s;       /* not seen since, but that may be chance; 0 = seen at the last look */
};

/* What must be remembered of a migration.  All zero = nothing. */
struct wm_history {
    struct wm_moment moments[WM_TIMELINE_MAX]; /* the oldest first; when full, the second one goes */
    size_t n, n_dropped;
    int64_t verdict_since_s;
    char verdict[WM_VERDICT_MAX];
    int64_t progress_s; /* of the last progress; 0 = not known */
    struct wm_stall stall;
    struct wm_lasting clusters[WM_REPORT_CLUSTERS_MAX], conditions[WM_REPORT_CONDITIONS_MAX];
    /* Nothing can have passed unseen since the last update.  False after wm_history_read; whoever watches
     * sets it to false when the host's cluster was out of sight. */
    bool watched;
};

/* Takes in what the situation says; true when something new has to be remembered.  To be called at every
 * change: what is between two calls did not happen.  Phases that passed unseen are not made up, and the end
 * of the one before them counts as not known. */
bool wm_history_update(struct wm_history *h, const struct wm_world *w, const struct wm_situation *s,
                       const char *verdict);

/* From the JSON of a stored MigrationReport.  False, with nothing remembered, when it is none, or that of
 * another migration (`uid`), which then bore the same name and must be replaced.  What is malformed in it
 * counts as not remembered. */
bool wm_history_read(struct wm_history *h, struct wm_str report, const char *uid);

/* --- what holds it up, over time --- */

/* Takes in a diagnosis: what was found is said at once, and taken back when it was not seen for 20 s; then
 * the condition is False for ten minutes, and goes.  `out` becomes the condition MigrationStalled; returns
 * when time alone will change it, 0 = never. */
#define WM_MOVES_AGAIN "MovesAgain" /* its reason, when it is False */
int64_t wm_stall_say(struct wm_stall *stall, const struct wm_diagnosis *d, struct wm_said *out);
/* Adds to the words of the end what held the migration up last. */
void wm_stall_end(const struct wm_stall *stall, const struct wm_situation *s, struct wm_said *outcome);
/* One line, for the annotation: as wm_situation_verdict, or what holds it up. */
void wm_diagnosis_verdict(const struct wm_diagnosis *d, char out[static WM_VERDICT_MAX]);

/* --- the object --- */

enum { WM_REPORT_MAX = 512 << 10 };

/* Appends the report's status as JSON, at most WM_REPORT_MAX bytes, and at most what `out` may hold: what of
 * the tree does not fit is counted only.  After the end, how well clusters are seen is left out: it would
 * make every old report change with every link that fails.  Deterministic: the same situation and history
 * give the same bytes; no clock is in it.  `d` NULL: it was not looked for causes. */
void wm_report_status(const struct wm_world *w, const struct wm_situation *s, const struct wm_history *h,
                      const struct wm_diagnosis *d, struct wm_buf *out);
/* Appends a whole new MigrationReport without status.  spec.planRef has no uid: a migration refers to its
 * plan by name, and the plan may come later than the migration. */
void wm_report_object(const struct wm_situation *s, struct wm_buf *out);

/* What a status says, as a number; 0 = nothing.  A stored MigrationReport whose number is that of a status
 * has this status already, however the API server wrote it down. */
uint64_t wm_report_digest(struct wm_str status);
uint64_t wm_report_stored_digest(struct wm_str report);

#endif
