/* Times in which nobody answers for a provider: no pod of its Deployment is ready, or its Service leads to
 * none. */
#include <stdlib.h>

#include "restarts_impl.h"

/* ROUNDED_S: times are cut to seconds, and a slice is written a moment after the pod that it is written for.
 */
enum { STAYS_MAX = WM_LEDGER_PODS_MAX * WM_STAYS_MAX, SLACK_S = 5, ROUNDED_S = 2 };

/* --- stays of all its pods --- */

struct stays {
    size_t n;
    struct wm_stay list[STAYS_MAX];
};

static int by_beginning(const void *a, const void *b)
{
    const struct wm_stay *x = a, *y = b;

    return (x->from_s > y->from_s) - (x->from_s < y->from_s);
}

static void gather(const struct wm_server_memo *s, struct stays *ret)
{
    ret->n = 0;
    for (size_t i = 0; i < s->n_pods; i++)
        for (size_t k = 0; k < s->pods[i].n_stays; k++)
            ret->list[ret->n++] = s->pods[i].stays[k];
    qsort(ret->list, ret->n, sizeof ret->list[0], by_beginning);
}

/* --- gaps between them --- */

enum { GAPS_MAX = STAYS_MAX + 2 + WM_AWAYS_MAX };

struct gap {
    int64_t from_s, to_s;
    int64_t bare_s; /* of it without any ready pod */
    bool open;      /* it goes on beyond */
    bool at_least;
};
struct gaps {
    size_t n;
    struct gap list[GAPS_MAX];
};

static struct gap bare(int64_t from_s, int64_t to_s, bool open)
{
    return (struct gap){from_s, to_s, to_s - from_s, open, false};
}

static bool is_bare(const struct gap *g)
{
    return g->bare_s >= g->to_s - g->from_s;
}

/* Each time in [from_s, to_s] without a stay; the last one may be open. */
static void find_bare(const struct stays *stays, int64_t from_s, int64_t to_s, struct gaps *ret)
{
    int64_t covered_s = from_s;

    for (size_t i = 0; i < stays->n && covered_s < to_s; i++) {
        const struct wm_stay *stay = &stays->list[i];

        if (stay->from_s > covered_s && stay->from_s <= to_s)
            ret->list[ret->n++] = bare(covered_s, stay->from_s, false);
        if (stay->from_s > to_s)
            break;
        if (!stay->to_s)
            return;
        covered_s = wm_later(covered_s, stay->to_s);
    }
    if (covered_s < to_s)
        ret->list[ret->n++] = bare(covered_s, to_s, true);
}

/* One that lasts counts from its first moment on: what ends just then is not over. */
static void find_aways(const struct wm_server_memo *s, int64_t from_s, int64_t to_s, struct gaps *ret)
{
    for (size_t i = 0; i < s->n_aways; i++) {
        const struct wm_away *a = &s->aways[i];
        bool open = !a->to_s || a->to_s > to_s, begins = a->from_s > from_s;

        if ((a->from_s < to_s || (!a->to_s && a->from_s == to_s)) && (open || a->to_s > from_s))
            ret->list[ret->n++] = (struct gap){begins ? a->from_s : from_s, open ? to_s : a->to_s, 0, open,
                                               begins && a->at_least};
    }
}

/* Of two that begin at once the one that is known better. */
static int by_begin(const void *a, const void *b)
{
    const struct gap *x = a, *y = b;

    return x->from_s != y->from_s ? (x->from_s > y->from_s) - (x->from_s < y->from_s)
                                  : x->at_least - y->at_least;
}

/* Between two without a pod there was one, be it for less than a second. */
static bool goes_on(const struct gap *a, const struct gap *b)
{
    return b->from_s < a->to_s || (b->from_s == a->to_s && !(is_bare(a) && is_bare(b)));
}

/* Calls with each gap of the list, in their order, those that go on in another as one. */
typedef void gap_fn(void *ctx, const struct gap *g);

static void each_gap(struct gaps *gaps, gap_fn *fn, void *ctx)
{
    size_t i = 0;

    qsort(gaps->list, gaps->n, sizeof gaps->list[0], by_begin);
    while (i < gaps->n) {
        struct gap whole = gaps->list[i++];

        for (; i < gaps->n && goes_on(&whole, &gaps->list[i]); i++) {
            whole.to_s = wm_later(whole.to_s, gaps->list[i].to_s);
            whole.bare_s += gaps->list[i].bare_s;
            whole.open |= gaps->list[i].open;
        }
        fn(ctx, &whole);
    }
}

/* --- in all --- */

struct sum {
    int64_t seconds, since_s;
};

static void add_gap(void *ctx, const struct gap *g)
{
    struct sum *sum = ctx;

    sum->seconds += g->to_s - g->from_s;
    sum->since_s = g->open ? g->from_s : 0;
}

int64_t wm_server_down(const struct wm_server_memo *s, int64_t from_s, int64_t to_s, int64_t *ret_since_s)
{
    struct stays stays;
    struct gaps gaps = {.n = 0};
    struct sum sum = {0};

    gather(s, &stays);
    find_bare(&stays, from_s, to_s, &gaps);
    find_aways(s, from_s, to_s, &gaps);
    each_gap(&gaps, add_gap, &sum);
    *ret_since_s = sum.since_s;
    return sum.seconds;
}

/* --- its first start --- */

static int64_t first_stay(const struct wm_server_memo *s)
{
    int64_t first_s = 0;

    for (size_t i = 0; i < s->n_pods; i++)
        if (s->pods[i].n_stays && (!first_s || s->pods[i].stays[0].from_s < first_s))
            first_s = s->pods[i].stays[0].from_s;
    return first_s;
}

/* Since when it serves or has served at the latest, by its own word.  The controller writes its condition
 * Available when it first sees it (kubernetes pkg/controller/deployment/sync.go): False, and with that time,
 * until a pod serves; a later time tells of one that did.  Of True the pods tell, where they are known. */
static int64_t served_by_word(const struct wm_glance *g)
{
    enum { FIRST_WORD_S = 10 }; /* after the creation, by clocks that may differ */
    const struct wm_server_state *d = g->state;

    if (!d->available_known || (d->available && (d->wanted == 0 || g->server->n_pods > 0)))
        return 0;
    if (d->available)
        return wm_later(d->available_s, 1);
    return d->available_s > g->server->created_s + FIRST_WORD_S ? g->server->horizon_s : 0;
}

void wm_server_note_served(const struct wm_glance *g)
{
    struct wm_server_memo *s = g->server;
    int64_t since_s = s->served ? 0 : first_stay(s);

    if (!s->served && !since_s)
        since_s = served_by_word(g);
    if (since_s) {
        s->served = true;
        s->horizon_s = wm_later(s->horizon_s, since_s);
    }
    s->starts = !s->served && g->state->wanted > 0;
    s->start_sticks = s->starts && wm_server_start_sticks(g);
}

/* --- of a restart --- */

static void take_longest(void *ctx, const struct gap *g)
{
    struct gap *longest = ctx;

    if (g->to_s - g->from_s >= longest->to_s - longest->from_s)
        *longest = *g;
}

/* It was seen to be open. */
static bool knows_begin(const struct wm_restart *r)
{
    return r->gap_from_s && !r->gap_at_least;
}

/* What served before it began is not known, and whether somebody did only the Deployment can tell: with one
 * replica its condition Available changes with the readiness of that one. */
static int64_t gap_by_word(const struct wm_glance *g, const struct wm_entry *e, int64_t from_s,
                           int64_t ready_s, struct gap *ret)
{
    const struct wm_server_state *s = g->state;
    const struct wm_restart *r = &e->r;

    if (!s->available_known)
        return ready_s;
    if (!s->available && s->available_n == 0 && s->wanted > 0 && !ready_s && !r->ended_s)
        *ret = bare(wm_later(from_s, s->available_s), g->now_s, true);
    else if (s->available && s->wanted == 1 && s->available_s > from_s &&
             (!r->ended_s || s->available_s <= r->ended_s + SLACK_S))
        *ret = bare(knows_begin(r) ? r->gap_from_s : from_s, ready_s ? ready_s : s->available_s, false);
    return ready_s;
}

static bool was_watched(const struct wm_server_memo *s, const struct stays *stays, int64_t from_s)
{
    return s->since_s <= from_s ? s->n_pods > 0 : stays->n > 0 && stays->list[0].from_s <= from_s;
}

static int64_t from_of(const struct wm_glance *g, const struct wm_entry *e)
{
    const struct wm_pod_memo *old = wm_server_pod(g->server, e->old);
    int64_t from_s = e->r.begun_s;

    if (e->r.let_go_s && e->r.let_go_s < from_s)
        from_s = e->r.let_go_s;
    if (old && old->n_stays && old->stays[old->n_stays - 1].to_s &&
        old->stays[old->n_stays - 1].to_s < from_s)
        from_s = old->stays[old->n_stays - 1].to_s;
    return from_s;
}

/* What a report remembers; from the time that is returned on the pods tell. */
static int64_t gap_remembered(const struct wm_entry *e, int64_t ready_s, struct gap *ret)
{
    if (!e->gap.to_s) /* it was open then */
        return e->gap.from_s;
    *ret = bare(e->gap.from_s, e->gap.to_s, false);
    if (e->gap_of_service)
        ret->bare_s = 0;
    return ready_s;
}

/* The gap before the first time that is known of. */
static int64_t gap_before(const struct wm_glance *g, const struct wm_entry *e, int64_t ready_s,
                          struct gap *ret)
{
    bool remembered = e->gap.from_s;
    int64_t from_s =
        remembered ? gap_remembered(e, ready_s, ret) : gap_by_word(g, e, from_of(g, e), ready_s, ret);

    ret->at_least = !ret->open && (remembered ? e->gap_at_least : !knows_begin(&e->r));
    return from_s;
}

/* It is over when all is as wanted and its Service leads there, too; 0 = it is not. */
static int64_t until(const struct wm_glance *g, const struct wm_entry *e, int64_t from_s)
{
    return e->r.ended_s ? wm_server_away_until(g->server, from_s, e->r.ended_s) : 0;
}

void wm_entry_find_gap(const struct wm_glance *g, struct wm_entry *e)
{
    struct wm_restart *r = &e->r;
    struct stays stays;
    struct gaps gaps = {.n = 0};
    struct gap longest = {0}, before = {0};
    int64_t from_s = from_of(g, e), until_s = until(g, e, from_s), to_s = until_s ? until_s : g->now_s;

    gather(g->server, &stays);
    find_aways(g->server, from_s, to_s, &gaps);
    if (!was_watched(g->server, &stays, from_s))
        from_s = gap_before(g, e, stays.n ? stays.list[0].from_s : 0, &before);
    if (before.from_s)
        gaps.list[gaps.n++] = before;
    if (from_s)
        find_bare(&stays, from_s, to_s, &gaps);
    each_gap(&gaps, take_longest, &longest);
    r->gap_from_s = longest.from_s;
    r->gap_to_s = longest.open && !until_s ? 0 : longest.to_s;
    r->gap_at_least = longest.at_least;
    r->gap_of_service = longest.bare_s + ROUNDED_S < longest.to_s - longest.from_s;
}
