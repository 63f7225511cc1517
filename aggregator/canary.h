/* Finds watches of the host that are dead although their connections are not: a proxy that is stuck goes on
 * to acknowledge for ever.  Edge.
 *
 * We renew our Lease every two seconds anyway, by another connection.  A watch on it must bring these
 * renewals back; when it does not, what goes the same way is taken for dead too, and reconnected.  Only a
 * leader renews, so only it can tell.  Where the right to list and watch Leases is missing, and on clusters
 * without a Lease of ours, the end that each watch has anyway (timeoutSeconds, 5 to 10 minutes, and 30 s)
 * bounds the silence. */
#ifndef WAYMARK_AGGREGATOR_CANARY_H
#define WAYMARK_AGGREGATOR_CANARY_H

#include "waymark/kube.h"
#include "waymark/lease.h"

struct wm_canary;

/* Borrowed until wm_canary_free; strings are copied. */
struct wm_canary_opts {
    struct wm_kube *watched; /* whose watches are to be trusted */
    struct wm_lease *lease;  /* renewed by another wm_kube */
    const char *namespace_, *name;
    int limit_ms; /* for a renewal to come back once it was acknowledged; 0 = 10,000 */
};
int wm_canary_new(const struct wm_canary_opts *opts, struct wm_canary **ret, struct wm_error *err);
struct wm_canary *wm_canary_free(struct wm_canary *c); /* NULL is fine */

/* To be called about once a second; NULL is fine. */
void wm_canary_tick(struct wm_canary *c);
/* Times that it missed a renewal.  From any thread. */
uint64_t wm_canary_misses(const struct wm_canary *c);

#endif
