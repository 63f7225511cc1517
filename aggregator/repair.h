/* Gives labels to what lacks them: objects made before the webhook, or while it was away, on every cluster.
 * Edge.
 *
 * What the fleet brings is looked at as it comes; what lacks labels is put down, and a few a second are read
 * again and patched in the thread of wm_repair_turn.  Objects that are complete are never written. */
#ifndef WAYMARK_AGGREGATOR_REPAIR_H
#define WAYMARK_AGGREGATOR_REPAIR_H

#include "fleet.h"
#include "waymark/labels.h"

struct wm_repair;

struct wm_repair_opts {
    const struct wm_label_conf *labels; /* borrowed */
    int64_t per_s;                      /* objects on all clusters together */
    /* Asked before every turn: false = another replica leads. */
    bool (*may_write)(void *ctx);
    void *ctx;
};

struct wm_repair *wm_repair_new(const struct wm_repair_opts *opts);
/* The fleet must have been freed. */
struct wm_repair *wm_repair_free(struct wm_repair *r);

/* For the fleet's callback `object`: with its lock held. */
void wm_repair_object(struct wm_repair *r, const struct wm_record *record, const struct wm_reading *object);
void wm_repair_turn(struct wm_repair *r, struct wm_fleet *fleet);

/* A wm_find_fn over all clusters; ctx is the struct wm_repair.  Any thread. */
enum wm_found wm_repair_find(void *ctx, const struct wm_ref *ref, struct wm_parent *ret);

struct wm_repair_stats {
    uint64_t repaired, refused, failed, dropped;
    size_t due, waiting;
};
void wm_repair_stats(const struct wm_repair *r, struct wm_repair_stats *ret);

#endif
