/* Follows every migration: judges it when something of it changed, and writes down what is new.  Edge.
 *
 * Judging takes the fleet's lock for one migration at a time; writing happens in the thread of
 * wm_follow_turn. */
#ifndef WAYMARK_AGGREGATOR_FOLLOW_H
#define WAYMARK_AGGREGATOR_FOLLOW_H

#include "fleet.h"
#include "waymark/events.h"
#include "waymark/labels.h"

struct wm_follow;

struct wm_follow_opts {
    bool conditions, verdicts, reports, events; /* what is written */
    const struct wm_label_conf *labels; /* which a MigMigration gets with them; borrowed; NULL = none */
    /* Asked before every write: false = another replica leads. */
    bool (*may_write)(void *ctx);
    void *ctx;
};

struct wm_follow *wm_follow_new(const struct wm_follow_opts *opts);
/* The fleet must have been freed. */
struct wm_follow *wm_follow_free(struct wm_follow *f);

/* Callbacks of the fleet; `ctx` is the struct wm_follow. */
void wm_follow_changed(void *ctx, struct wm_id migration);
void wm_follow_all_changed(void *ctx);
void wm_follow_object(void *ctx, const struct wm_record *r, struct wm_str object, bool live);

/* Judges and writes what is due.  `events` may be NULL. */
void wm_follow_turn(struct wm_follow *f, struct wm_fleet *fleet, struct wm_events *events);
/* Waits until something changed, at most so long; after a turn that took much CPU not less than some time. */
void wm_follow_wait(struct wm_follow *f, int ms);
/* Everything is judged again: this replica has begun to lead, or was blind for a while. */
void wm_follow_again(struct wm_follow *f);

struct wm_follow_stats {
    size_t migrations, unfinished;
    uint64_t judged, writes, refused, failed, events, lost;
    int64_t turn_us; /* of the last turn that had something to do */
};
void wm_follow_stats(struct wm_follow *f, struct wm_follow_stats *ret);

#endif
