/* Leader election: of several replicas the one that holds a Lease (coordination.k8s.io/v1) writes.  Edge.
 *
 * By the rules of client-go (tools/leaderelection), so that its users may be candidates for the same Lease.
 * Times in the Lease are never compared with our clock: a candidate waits until the Lease has not changed for
 * its duration, so clocks may differ by any offset.  Stricter than client-go in three points: a renewal
 * counts from the moment it was sent, not answered; who sees another holder stops at once; and wm_lease_holds
 * tells a process that was stopped or suspended in between that its time is over. */
#ifndef WAYMARK_LEASE_H
#define WAYMARK_LEASE_H

#include <stdbool.h>
#include <stdint.h>

#include "waymark/error.h"

#define WM_LEASE_HOLDER_SIZE 256

struct wm_kube;
struct wm_lease;

struct wm_lease_opts {
    /* One of its own is best: renewals then never queue behind other writes or long lists.  Must outlive the
     * lease. */
    struct wm_kube *kube;
    const char *namespace_, *name;
    const char *identity; /* must be unique; NULL = host name and a random number */
    /* duration > renew_deadline > 1.2 retry; 0 = 15,000, 10,000 and 2,000.  The Lease bears the duration in
     * whole seconds, rounded up. */
    int duration_ms, renew_deadline_ms, retry_ms;
    int look_ms; /* how often a candidate reads the Lease, times 1 to 2.2; 0 = retry_ms / 5: a release is seen
                    within a second */
    /* Leads, or does not any more; runs in the kube thread, must not block, and not call wm_lease_free. */
    void (*changed)(void *ctx, bool leading);
    void *ctx;
};

/* Starts trying, for ever: who lost the Lease is a candidate again.  Needs the rights get, create and update
 * on leases.  Strings are copied. */
int wm_lease_new(const struct wm_lease_opts *opts, struct wm_lease **ret, struct wm_error *err);

/* Gives the Lease back if it is held, so that another candidate takes it when it looks next; waits a second
 * for that at most.  `changed(false)` runs before the others can see it, and nothing runs once this has
 * returned.  Not from a callback, nor while holding a lock that `changed` takes.  NULL is fine. */
struct wm_lease *wm_lease_free(struct wm_lease *l);

/* To be asked just before every write.  False from renew_deadline after the last renewal on, on a clock that
 * goes on while the machine sleeps, whatever else has or has not been noticed. */
bool wm_lease_holds(struct wm_lease *l);

struct wm_lease_stats {
    bool leading;
    char holder[WM_LEASE_HOLDER_SIZE]; /* as last seen; "" = nobody, or not known yet */
    int transitions;                   /* the Lease's own count of changes of holder */
    int64_t renewed_ms_ago;            /* our last renewal; -1 = never */
    uint64_t attempts, conflicts, errors;
};
/* From any thread. */
void wm_lease_stats(struct wm_lease *l, struct wm_lease_stats *ret);

#endif
