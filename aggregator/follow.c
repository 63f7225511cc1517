#include "follow_impl.h"

#include <stdlib.h>
#include <time.h>

#include "waymark/clock.h"

enum { ENDED_MS = 300, REST_FACTOR = 5, REST_MAX_MS = 100 };
/* Judging a migration of thousands of volumes takes milliseconds, and each volume's progress asks for it:
 * such ones take a quarter of a percent of a core together, one in a turn, but for a new phase; others never
 * wait for them.  A small one takes 0.1 to 0.3 ms when the caches are cold. */
enum { HEAVY_US = 400, HEAVY_REST_FACTOR = 400, HEAVY_REST_MAX_MS = 5000 };
enum { SCAN_MS = 1000 };

struct wm_follow *wm_follow_new(const struct wm_follow_opts *opts)
{
    struct wm_follow *f = wm_xcalloc(1, sizeof *f);
    pthread_condattr_t attr;

    f->opts = *opts;
    pthread_mutex_init(&f->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&f->wake, &attr);
    pthread_condattr_destroy(&attr);
    return f;
}

static void free_tracked(struct tracked *t)
{
    free(t->said);
    free(t->history);
    free(t->report_due);
    wm_volume_marks_done(&t->marks);
    free(t);
}

struct wm_follow *wm_follow_free(struct wm_follow *f)
{
    if (!f)
        return NULL;
    while (f->list) {
        struct tracked *next = f->list->next;

        free_tracked(f->list);
        f->list = next;
    }
    pthread_cond_destroy(&f->wake);
    pthread_mutex_destroy(&f->lock);
    free(f);
    return NULL;
}

/* --- what the fleet tells --- */

struct tracked **wm_follow_find(struct wm_follow *f, struct wm_id id)
{
    struct tracked **link = &f->by_id[wm_mix(id.hi ^ id.lo) % WM_TRACKED_BUCKETS];

    while (*link && !wm_id_is((*link)->id, id))
        link = &(*link)->next_by_id;
    return link;
}

static struct tracked *find_or_add(struct wm_follow *f, struct wm_id id)
{
    struct tracked **link = wm_follow_find(f, id), *t = *link;

    if (t)
        return t;
    t = wm_xcalloc(1, sizeof *t);
    t->id = id;
    t->stored.slot.ended = true; /* nobody else writes reports */
    *link = t;
    t->next = f->list;
    t->link = &f->list;
    if (t->next)
        t->next->link = &t->next;
    f->list = t;
    f->n++;
    f->unfinished++;
    return t;
}

void wm_follow_wake(struct wm_follow *f)
{
    f->woken = true;
    pthread_cond_signal(&f->wake);
}

/* With the lock held: the next turn looks at it. */
static void touch(struct wm_follow *f, struct tracked *t)
{
    if (t->touched)
        return;
    t->touched = true;
    t->next_touched = f->touched;
    f->touched = t;
}

/* What has ended does not change with its plan or its clusters. */
void wm_follow_mark(struct wm_follow *f, bool ended_too)
{
    for (struct tracked *t = f->list; t; t = t->next)
        if (ended_too || !t->ended) {
            t->dirty = true;
            touch(f, t);
        }
    wm_follow_wake(f);
}

void wm_follow_changed(void *ctx, struct wm_id migration)
{
    struct wm_follow *f = ctx;

    pthread_mutex_lock(&f->lock);
    struct tracked *t = find_or_add(f, migration);

    t->dirty = true;
    touch(f, t);
    wm_follow_wake(f);
    pthread_mutex_unlock(&f->lock);
}

void wm_follow_all_changed(void *ctx)
{
    struct wm_follow *f = ctx;

    pthread_mutex_lock(&f->lock);
    wm_follow_mark(f, false);
    pthread_mutex_unlock(&f->lock);
}

void wm_follow_again(struct wm_follow *f)
{
    pthread_mutex_lock(&f->lock);
    wm_follow_mark(f, true);
    for (struct tracked *t = f->list; t; t = t->next)
        t->anew = true;
    pthread_mutex_unlock(&f->lock);
}

void wm_follow_object(void *ctx, const struct wm_record *r, const struct wm_reading *object, bool live)
{
    struct wm_follow *f = ctx;
    struct wm_sight sight;

    if (!wm_follow_kind_of((enum wm_kind)r->kind) || !wm_sight_of(object, live, &sight))
        return;
    uint64_t words = wm_words_live(&f->opts, object);

    pthread_mutex_lock(&f->lock);
    struct tracked *t = find_or_add(f, r->id);

    t->live = words;
    t->seen = true;
    uint64_t phase = t->slot.phase;

    wm_slot_seen(&t->slot, &sight, wm_mono_ms());
    t->urgent |= t->slot.phase != phase;
    touch(f, t);
    wm_follow_wake(f); /* the slot may have opened */
    pthread_mutex_unlock(&f->lock);
}

/* --- turns --- */

bool wm_follow_may_write(const struct wm_follow *f)
{
    return f->opts.may_write(f->opts.ctx);
}

/* What is written and told is to be looked up again. */
static void forget(struct tracked *t)
{
    free(t->history);
    free(t->report_due);
    t->history = NULL;
    t->report_due = NULL;
    t->report = t->written = t->stored.content = 0;
    t->report_known = t->recalled = false;
    t->told[0] = '\0';
}

static bool is_time(const struct tracked *t, int64_t now_ms)
{
    return t->again_ms && now_ms >= t->again_ms;
}

/* Takes the marks off, so that what comes while it is judged marks it again; not of one that has to rest. */
static bool take_dirty(struct wm_follow *f, struct tracked *t, bool rests, bool *ret_dirty)
{
    pthread_mutex_lock(&f->lock);
    bool taken = !rests || t->urgent, anew = taken && t->anew;

    *ret_dirty = taken && t->dirty;
    if (taken)
        t->dirty = t->anew = t->urgent = false;
    pthread_mutex_unlock(&f->lock);
    if (anew)
        forget(t);
    return taken;
}

static bool is_heavy(const struct tracked *t)
{
    return t->cost_us >= HEAVY_US;
}

static void drop_gone(struct wm_follow *f)
{
    pthread_mutex_lock(&f->lock);
    for (struct tracked **link = &f->touched; *link;) {
        struct tracked *t = *link;

        if (!t->gone || t->dirty) { /* dirty: it may be back */
            t->gone = false;
            link = &t->next_touched;
            continue;
        }
        *link = t->next_touched;
        *wm_follow_find(f, t->id) = t->next_by_id;
        *t->link = t->next;
        if (t->next)
            t->next->link = t->link;
        f->unfinished -= !t->ended;
        free_tracked(t);
        f->n--;
    }
    pthread_mutex_unlock(&f->lock);
}

bool wm_follow_is_unsaid(const struct tracked *t)
{
    return t->seen && t->wanted && t->live != t->wanted;
}

/* Whether a turn has anything to do with it; of a thousand that have ended, none as a rule. */
static bool is_busy(const struct tracked *t, int64_t now_ms)
{
    const struct stored *s = &t->stored;
    bool changed = s->content && (s->gone || (s->version && s->version != s->ours));

    return changed || t->dirty || is_time(t, now_ms) || t->report_unread || t->report_due ||
           wm_follow_is_unsaid(t) || t->slot.wanted_ms;
}

/* What time alone brings is looked for once a second. */
static void touch_all(struct wm_follow *f, int64_t now_ms)
{
    for (struct tracked *t = f->list; t; t = t->next)
        if (is_busy(t, now_ms))
            touch(f, t);
}

/* With the lock held.  Of a thousand that have ended, and bear what is to be said of them, that is megabytes.
 */
static void rest(struct tracked *t)
{
    t->touched = false;
    if (!t->settled || t->live != t->wanted)
        return;
    free(t->said);
    t->said = NULL;
}

struct turn {
    struct wm_follow *f;
    struct wm_fleet *fleet;
    struct wm_events *events;
    struct wm_kube *host;
    struct tracked *first;
    struct tracked *heavy; /* the one of those that may be judged; NULL = none yet */
    bool may_write, reports;
    int64_t until_ms;
    int64_t heavy_us, light_us; /* what judging them cost */
};

/* `dirty`: something about it has changed since it was judged. */
static bool asks_for_judgement(const struct turn *turn, const struct tracked *t, bool dirty, int64_t now_ms)
{
    return dirty || is_time(t, now_ms) || (turn->may_write && t->report_unread && now_ms >= t->retry_ms);
}

/* Those that this turn has to do with.  The list only grows at its head while we walk: its tail is ours.  Of
 * the heavy ones that one may be judged which has waited longest. */
static void gather_busy(struct turn *turn)
{
    struct wm_follow *f = turn->f;
    int64_t now_ms = wm_mono_ms();
    bool may_be_heavy = now_ms >= f->heavy_ms;

    pthread_mutex_lock(&f->lock);
    if (now_ms >= f->scan_ms) {
        touch_all(f, now_ms);
        f->scan_ms = now_ms + SCAN_MS;
    }
    for (struct tracked **link = &f->touched; *link;) {
        struct tracked *t = *link;

        if (!is_busy(t, now_ms)) {
            *link = t->next_touched;
            rest(t);
            continue;
        }
        if (may_be_heavy && is_heavy(t) && asks_for_judgement(turn, t, t->dirty, now_ms) &&
            (!turn->heavy || t->judged_ms < turn->heavy->judged_ms))
            turn->heavy = t;
        link = &t->next_touched;
    }
    turn->first = f->touched;
    pthread_mutex_unlock(&f->lock);
}

static bool is_due(const struct turn *turn, struct tracked *t)
{
    bool dirty;

    return take_dirty(turn->f, t, is_heavy(t) && t != turn->heavy, &dirty) &&
           asks_for_judgement(turn, t, dirty, wm_mono_ms());
}

static bool guard_report(struct turn *turn, struct tracked *t)
{
    if (turn->reports && turn->may_write)
        wm_follow_guard_report(turn->f, t, turn->host);
    return false; /* it is judged again, where it is to be made anew */
}

static bool judge(struct turn *turn, struct tracked *t)
{
    struct wm_follow *f = turn->f;
    bool met = t->name[0] || !turn->reports; /* else its report is read first */

    if (!is_due(turn, t))
        return false;
    if (turn->may_write && turn->reports && !t->report_known)
        wm_follow_read_report(f, t, turn->fleet);
    int64_t begin_us = wm_thread_cpu_us();
    bool ended = t->ended;

    t->gone = !wm_follow_judge(f, t, turn->fleet, turn->may_write && met ? turn->events : NULL);
    int64_t us = wm_thread_cpu_us() - begin_us;

    t->cost_us = us < t->last_us ? us : t->last_us;
    t->last_us = us;
    t->judged_ms = wm_mono_ms();
    f->unfinished += (size_t)ended - (size_t)t->ended;
    if (is_heavy(t))
        turn->heavy_us += t->cost_us;
    else
        turn->light_us += us;
    return true;
}

static bool write_words(struct turn *turn, struct tracked *t)
{
    return wm_follow_write_words(turn->f, t, turn->host);
}

static bool write_report(struct turn *turn, struct tracked *t)
{
    return turn->reports && wm_follow_write_report(turn->f, t, turn->host);
}

struct step {
    bool (*take)(struct turn *turn, struct tracked *t);
    bool writes;
};

/* What cannot be written while nobody answers is written as soon as somebody does. */
static bool may_take(const struct turn *turn, const struct step *step)
{
    return !step->writes || (wm_follow_may_write(turn->f) && wm_kube_is_reachable(turn->host));
}

static bool go_through(struct turn *turn, bool ended, const struct step *step)
{
    bool did = false;

    for (struct tracked *t = turn->first; t && may_take(turn, step); t = t->next_touched) {
        if (t->ended != ended || !step->take(turn, t))
            continue;
        did = true;
        if (wm_mono_ms() >= turn->until_ms)
            break;
    }
    return did;
}

/* Those that run, or those that have ended; true when there was something to do. */
static bool go_over(struct turn *turn, bool ended)
{
    static const struct step steps[] = {
        {guard_report, true}, {judge, false}, {write_words, true}, {write_report, true}};
    bool did = false;

    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++)
        did |= go_through(turn, ended, &steps[i]);
    return did;
}

static int64_t rest_ms(int64_t worked_us, int factor, int64_t max_ms)
{
    int64_t ms = worked_us * factor / 1000;

    return ms < max_ms ? ms : max_ms;
}

bool wm_follow_turn(struct wm_follow *f, struct wm_fleet *fleet, struct wm_events *events)
{
    int64_t begin_ms = wm_mono_ms(), begin = wm_mono_ns();
    struct turn turn = {.f = f,
                        .fleet = fleet,
                        .events = events,
                        .host = wm_fleet_kube(fleet, 0),
                        .may_write = wm_follow_may_write(f),
                        .reports = wm_follow_reports(f),
                        .until_ms = INT64_MAX};

    gather_busy(&turn);
    wm_follow_restarts(f, fleet, turn.may_write ? events : NULL);
    bool busy = go_over(&turn, false);

    /* After a start there are a thousand of them, and the API server takes twenty writes a second from us:
     * none that runs waits for that. */
    turn.until_ms = begin_ms + ENDED_MS;
    if (go_over(&turn, true)) {
        busy = true;
        pthread_mutex_lock(&f->lock);
        wm_follow_wake(f);
        pthread_mutex_unlock(&f->lock);
    }
    drop_gone(f);
    if (busy)
        f->turn_us = (wm_mono_ns() - begin) / 1000;
    int64_t now_ms = wm_mono_ms();

    f->rest_until_ms = now_ms + rest_ms(turn.light_us, REST_FACTOR, REST_MAX_MS);
    if (turn.heavy_us)
        f->heavy_ms = now_ms + rest_ms(turn.heavy_us, HEAVY_REST_FACTOR, HEAVY_REST_MAX_MS);
    return busy;
}

void wm_follow_wait(struct wm_follow *f, int ms)
{
    int64_t until = wm_mono_ms() + ms;
    struct timespec at = {until / 1000, (until % 1000) * 1000000},
                    rest = {f->rest_until_ms / 1000, (f->rest_until_ms % 1000) * 1000000};

    if (f->rest_until_ms > until - ms)
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &rest, NULL);
    pthread_mutex_lock(&f->lock);
    while (!f->woken && pthread_cond_timedwait(&f->wake, &f->lock, &at) == 0)
        ;
    f->woken = false;
    pthread_mutex_unlock(&f->lock);
}

void wm_follow_stats(struct wm_follow *f, struct wm_follow_stats *ret)
{
    pthread_mutex_lock(&f->lock);
    *ret = (struct wm_follow_stats){.migrations = f->n};
    pthread_mutex_unlock(&f->lock);
    ret->unfinished = f->unfinished;
    ret->judged = f->judged;
    ret->writes = f->writes;
    ret->refused = f->refused;
    ret->failed = f->failed;
    ret->events = f->told;
    ret->lost = f->lost;
    ret->reports_again = f->reports_again;
    ret->turn_us = f->turn_us;
}
