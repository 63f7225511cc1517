/* The decisions of an election, without clock and network.  Pure.
 *
 * A round begins with wm_election_begin, which says what to send; each answer says what to send next, until
 * WM_LEASE_PAUSE ends the round.  `now_ms` is any clock that never stands still. */
#ifndef WAYMARK_KUBE_LEASE_RULES_H
#define WAYMARK_KUBE_LEASE_RULES_H

#include <stdbool.h>
#include <stdint.h>

#include "waymark/buf.h"

#define WM_LEASE_MAX_BODY ((size_t)1 << 20)

enum wm_lease_act { WM_LEASE_PAUSE, WM_LEASE_GET, WM_LEASE_CREATE, WM_LEASE_UPDATE };

struct wm_election_set {
    const char *namespace_, *name, *identity; /* borrowed */
    int64_t duration_ms, renew_ms, retry_ms, look_ms;
};

/* The Lease as it was last seen; texts are raw JSON. */
struct wm_lease_seen {
    struct wm_buf metadata, spec;
    struct wm_buf holder;   /* decoded */
    struct wm_buf acquired; /* its acquireTime, "" = none */
    int transitions;
    int64_t held_ms;    /* for how long it must not change before it is free */
    int64_t changed_ms; /* when `spec` last changed, by our clock */
};

struct wm_election {
    struct wm_election_set set;
    struct wm_lease_seen seen;
    bool leading;
    int64_t renewed_ms; /* when our last successful write was sent; -1 = never */
    bool may_be_ours;   /* a write of ours may have reached the Lease, answered or not */
    bool releasing;

    enum wm_lease_act act; /* what is being asked */
    int64_t sent_ms;
    bool has_looked, has_failed; /* in this round */
    int releases;

    uint64_t rounds, conflicts, errors;
};

/* Fills what is 0 with the defaults; WM_E_INVALID when the times do not fit. */
int wm_election_init(struct wm_election *e, const struct wm_election_set *set, struct wm_error *err);
void wm_election_done(struct wm_election *e);

enum wm_lease_act wm_election_begin(struct wm_election *e, int64_t now_ms);
/* The body for CREATE and UPDATE. */
void wm_election_body(const struct wm_election *e, int64_t wall_us, struct wm_buf *out);
/* `status` 0 = no answer.  *err is filled (code not WM_OK) when a success made no sense. */
enum wm_lease_act wm_election_answer(struct wm_election *e, int64_t now_ms, int status, struct wm_str body,
                                     struct wm_error *err);

/* Stops leading when the time for renewals is over; true when it just did. */
bool wm_election_tick(struct wm_election *e, int64_t now_ms);
int64_t wm_election_deadline_ms(const struct wm_election *e); /* until when a leader leads */
/* How long a request may take; how long to wait for the next round. */
int64_t wm_election_timeout_ms(const struct wm_election *e, int64_t now_ms);
int64_t wm_election_pause_ms(const struct wm_election *e, int64_t now_ms, uint32_t random);

/* From here on it does not lead, and each round tries to give the Lease back: over when it answers PAUSE. */
void wm_election_release(struct wm_election *e);

#endif
