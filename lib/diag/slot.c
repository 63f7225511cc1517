/* When an object of another controller may be written. */
#include "waymark/writing.h"

/* stale_ms: longer than a round whose every call to a remote cluster times out once or twice.
 * quiet_ms: with the delays of both watches it must stay well under mig-controller's sleep of 3 s. */
#define COMMON                                                                                               \
    .quiet_ms = 1000, .stale_ms = 120000, .settle_ms = 5000, .patience_ms = 60000, .gap_ms = 30000,          \
    .retry_ms = 1000, .reassert_ms = 60000, .reassert_max_ms = 900000, .echo_ms = 5000,                      \
    .forget_ms = 3600000, .losses_max = 5

const struct wm_slot_rules wm_slot_rules_mtc = {COMMON, .stamps = true}, wm_slot_rules_meta = {COMMON};

/* --- times that cannot overflow --- */

static int64_t since(int64_t then, int64_t now)
{
    return now > then ? now - then : 0;
}

static int64_t later(int64_t at, int64_t ms)
{
    return at > INT64_MAX - ms ? INT64_MAX : at + ms;
}

/* first, 2 first, 4 first, ... for the first, second, third ... in a row. */
static int64_t doubled(int64_t first, int in_a_row, int64_t most)
{
    int64_t ms = first;

    for (int i = 1; i < in_a_row && ms < most; i++)
        ms *= 2;
    return ms < most ? ms : most;
}

/* --- what is seen --- */

static uint64_t digest(struct wm_str s)
{
    return s.p ? wm_str_digest(s, 1) | 1 : 0; /* 0 is for nothing */
}

void wm_slot_seen(struct wm_slot *s, const struct wm_sight *sight, int64_t now_ms)
{
    uint64_t version = digest(sight->version), stamp = digest(sight->stamp), phase = digest(sight->phase);
    bool first = s->changed_ms == 0;

    if (!first && version == s->version && stamp == s->stamp && phase == s->phase)
        return;
    bool slept = !first && sight->live && stamp && s->stamp && stamp != s->stamp && phase == s->phase;

    s->opened_ms = slept ? now_ms : 0;
    s->changed_ms = now_ms;
    s->version = version;
    s->stamp = stamp;
    s->phase = phase;
}

/* --- when --- */

/* An owner that stamps: in its sleep, or when it is gone. */
static int64_t next_of_stamped(const struct wm_slot *s, const struct wm_slot_rules *r, bool polls,
                               int64_t now_ms)
{
    if (polls && s->opened_ms && since(s->opened_ms, now_ms) <= r->quiet_ms)
        return now_ms;
    return later(s->changed_ms, r->stale_ms);
}

/* One that does not: when it has settled; if it never does, where a write of its own has just been. */
static int64_t next_of_unstamped(const struct wm_slot *s, const struct wm_slot_rules *r, int64_t now_ms)
{
    if (since(s->wanted_ms, now_ms) >= r->patience_ms && since(s->changed_ms, now_ms) <= r->quiet_ms)
        return now_ms;
    return later(s->changed_ms, r->settle_ms);
}

/* Before this nothing is written, however quiet it is. */
static int64_t earliest(const struct wm_slot *s, const struct wm_slot_rules *r, bool ended)
{
    int64_t at = 0, t;

    if (!ended)
        at = s->urgent ? s->paid_ms - r->gap_ms : s->paid_ms;
    if (s->written_ms && s->changed_ms <= s->written_ms && /* it may be there already */
        (t = later(s->written_ms, r->echo_ms)) > at)
        at = t;
    if (s->losses && (t = later(s->lost_ms, doubled(r->reassert_ms, s->losses, r->reassert_max_ms))) > at)
        at = t;
    if (s->refusals && (t = later(s->refused_ms, doubled(r->retry_ms, s->refusals, r->reassert_max_ms))) > at)
        at = t;
    return at;
}

enum wm_slot_answer wm_slot_ask(struct wm_slot *s, const struct wm_slot_rules *r, bool ended, bool polls,
                                int64_t now_ms, int64_t *ret_ms)
{
    if (ended != s->ended) { /* whoever took our words away had its reasons in the other state */
        s->losses = 0;
        s->gave_up = false;
        s->ended = ended;
    }
    if (s->wanted_ms == 0)
        s->wanted_ms = now_ms;
    *ret_ms = INT64_MAX;
    if (s->losses >= r->losses_max) {
        bool said = s->gave_up;

        s->gave_up = true;
        return said ? WM_SLOT_OVER : WM_SLOT_GIVE_UP;
    }
    *ret_ms = earliest(s, r, ended);
    if (*ret_ms > now_ms)
        return WM_SLOT_WAIT;
    if (!ended)
        *ret_ms = r->stamps ? next_of_stamped(s, r, polls, now_ms) : next_of_unstamped(s, r, now_ms);
    return *ret_ms > now_ms ? WM_SLOT_WAIT : WM_SLOT_NOW;
}

/* --- what came of it --- */

void wm_slot_wrote(struct wm_slot *s, const struct wm_slot_rules *r, int64_t now_ms)
{
    s->paid_ms = later(s->paid_ms > now_ms ? s->paid_ms : now_ms, r->gap_ms);
    s->written_ms = now_ms;
    s->wanted_ms = 0;
    s->opened_ms = 0;
    s->refusals = 0;
    s->stands = true;
}

void wm_slot_refused(struct wm_slot *s, int64_t now_ms)
{
    s->refused_ms = now_ms;
    s->stands = false; /* nobody knows what is there now */
    if (s->refusals < INT32_MAX)
        s->refusals++;
}

void wm_slot_lost(struct wm_slot *s, const struct wm_slot_rules *r, int64_t now_ms)
{
    if (!s->stands || since(s->written_ms, now_ms) < r->echo_ms)
        return;
    if (s->losses && since(s->lost_ms, now_ms) > r->forget_ms)
        s->losses = 0;
    s->losses++;
    s->lost_ms = now_ms;
    s->stands = false;
}

void wm_slot_idle(struct wm_slot *s)
{
    s->wanted_ms = 0;
    s->refusals = 0;
}
