/* Follows every migration: judges it when something of it changed, and writes down what is new.  Edge.
 *
 * Judging takes the fleet's lock for one migration at a time; writing happens in the thread of
 * wm_follow_turn. */
#ifndef WAYMARK_AGGREGATOR_FOLLOW_H
#define WAYMARK_AGGREGATOR_FOLLOW_H

#include "fleet.h"
#include "waymark/cause.h"
#include "waymark/events.h"
#include "waymark/labels.h"
#include "waymark/writing.h"

struct wm_follow;

struct wm_follow_opts {
    bool conditions, verdicts, reports, events; /* what is written */
    const struct wm_label_conf *labels;         /* which a migration gets with them; borrowed; NULL = none */
    struct wm_thresholds thresholds;
    /* Asked before every write: false = another replica leads. */
    bool (*may_write)(void *ctx);
    void *ctx;
    const struct wm_slot_rules
        *report_rules;                      /* for making reports anew; NULL = 10 s after a loss, doubling */
    const struct wm_slot_rules *meta_rules; /* for VMMigrations; NULL = wm_slot_rules_meta */
};

struct wm_follow *wm_follow_new(const struct wm_follow_opts *opts);
/* The fleet must have been freed. */
struct wm_follow *wm_follow_free(struct wm_follow *f);

/* Callbacks of the fleet; `ctx` is the struct wm_follow. */
void wm_follow_changed(void *ctx, struct wm_id migration);
void wm_follow_all_changed(void *ctx);
void wm_follow_object(void *ctx, const struct wm_record *r, const struct wm_reading *object, bool live);

/* What a watch of the MigrationReports tells (reports.h): whether there is a place for them at all; one that
 * is there, with its resourceVersion, or that was deleted, by the id of its migration; and where a complete
 * list begins and ends.  Without such a watch reports that others delete are not missed. */
struct wm_id wm_follow_owner_of(struct wm_json_span owners); /* of a report; not set = it is none of ours */
void wm_follow_reports_there(struct wm_follow *f, bool there);
void wm_follow_reports_begin(struct wm_follow *f);
void wm_follow_reports_end(struct wm_follow *f);
void wm_follow_report_seen(struct wm_follow *f, struct wm_id migration, struct wm_str version);
void wm_follow_report_gone(struct wm_follow *f, struct wm_id migration);

/* Judges and writes what is due; true when there was something.  `events` may be NULL. */
bool wm_follow_turn(struct wm_follow *f, struct wm_fleet *fleet, struct wm_events *events);
/* Waits until something changed, at most so long; after a turn that took much CPU not less than some time. */
void wm_follow_wait(struct wm_follow *f, int ms);
/* Everything is judged again: this replica has begun to lead, or was blind for a while. */
void wm_follow_again(struct wm_follow *f);

/* Every migration that stands still, with its cause and since when. */
typedef void wm_follow_stall_fn(void *ctx, enum wm_kind kind, const char *namespace_, const char *name,
                                const char *cause, int64_t since_s);
void wm_follow_stalls(struct wm_follow *f, wm_follow_stall_fn *fn, void *ctx);

struct wm_follow_stats {
    size_t migrations, unfinished;
    uint64_t judged, writes, refused, failed, events, lost, reports_again;
    int64_t turn_us; /* of the last turn that had something to do */
};
void wm_follow_stats(struct wm_follow *f, struct wm_follow_stats *ret);

#endif
