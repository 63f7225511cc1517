/* Events from any thread into the kube thread, where the rules run and writes are sent. */
#include <assert.h>
#include <stdlib.h>
#include <time.h>

#include "events_internal.h"
#include "internal.h"
#include "waymark/clock.h"
#include "waymark/log.h"

const struct wm_events_tunables wm_events_default_tunables = {
    .finish_ms = 360000,
    .refresh_ms = 1800000,
    .retry_ms = 10000,
    .max_tries = 12,
    .max_waiting = 1000,
    .max_writing = 4,
    .close_ms = 1000,
};

struct wm_events {
    struct wm_kube *kube;
    bool (*may_write)(void *ctx);
    void *ctx;
    char *controller, *instance;

    pthread_mutex_t lock; /* guards the next eight */
    pthread_cond_t stopping;
    struct wm_event_kept *inbox, **inbox_end;
    int n_inbox, n_waiting; /* waiting: in the book */
    bool posted;            /* a turn is coming */
    bool closing;           /* nothing more comes in */
    bool stopped;           /* nothing more goes out; set in the kube thread */
    int refs;               /* the owner, tasks posted, writes in flight */
    struct wm_events_stats stats;

    /* of the kube thread */
    struct wm_event_book book;
    struct wm_timer timer;
    bool complained; /* about the writes that fail now */
};

/* --- life --- */

static void ref(struct wm_events *e)
{
    pthread_mutex_lock(&e->lock);
    e->refs++;
    pthread_mutex_unlock(&e->lock);
}

/* Takes a reference back where the owner still has his. */
static void unref_early(struct wm_events *e)
{
    pthread_mutex_lock(&e->lock);
    e->refs--;
    pthread_mutex_unlock(&e->lock);
}

static void unref(struct wm_events *e)
{
    pthread_mutex_lock(&e->lock);
    bool last = --e->refs == 0;

    pthread_mutex_unlock(&e->lock);
    if (!last)
        return;
    while (e->inbox) {
        struct wm_event_kept *next = e->inbox->next;

        free(e->inbox);
        e->inbox = next;
    }
    wm_event_book_done(&e->book);
    pthread_cond_destroy(&e->stopping);
    pthread_mutex_destroy(&e->lock);
    free(e->controller);
    free(e->instance);
    free(e);
}

/* Runs `run(e)`, which ends with an unref, in the kube thread; false when there is none any more. */
static bool post(struct wm_events *e, void (*run)(void *ctx))
{
    ref(e);
    if (wm_kube_post(e->kube, run, e))
        return true;
    unref_early(e);
    return false;
}

/* --- what comes in --- */

static void turn_task(void *ctx);

void wm_events_tell(struct wm_events *e, const struct wm_event *event)
{
    struct wm_event_now now = {wm_wall_us(), wm_mono_ms()};
    struct wm_event_kept *k = wm_event_keep(event, now);
    bool taken, wake = false;

    pthread_mutex_lock(&e->lock);
    e->stats.told++;
    taken = !e->closing && e->n_inbox + e->n_waiting < e->book.o.t.max_waiting;
    if (taken) {
        *e->inbox_end = k;
        e->inbox_end = &k->next;
        e->n_inbox++;
        wake = !e->posted;
        e->posted = true;
    } else {
        e->stats.dropped++;
    }
    pthread_mutex_unlock(&e->lock);
    if (!taken)
        free(k);
    if (wake)
        post(e, turn_task);
}

static void take_inbox(struct wm_events *e)
{
    pthread_mutex_lock(&e->lock);
    struct wm_event_kept *k = e->inbox;

    e->inbox = NULL;
    e->inbox_end = &e->inbox;
    /* they stay counted, as waiting, until the turn's end */
    e->n_waiting += e->n_inbox;
    e->n_inbox = 0;
    e->posted = false;
    pthread_mutex_unlock(&e->lock);
    while (k) {
        struct wm_event_kept *next = k->next;

        k->next = NULL;
        wm_event_book_tell(&e->book, k);
        k = next;
    }
}

/* --- what goes out --- */

struct write {
    struct wm_events *events;
    struct wm_event_series *series;
};

static void turn(struct wm_events *e);

/* The first of those that fail is worth a warning: the others fail for the same reason. */
static void complain(struct wm_events *e, const char *what, const struct wm_error *why)
{
    wm_log_error(e->complained ? WM_LOG_DEBUG : WM_LOG_WARN, what, why);
    e->complained = true;
}

static void count_end(struct wm_events *e, enum wm_event_end end, const struct wm_error *why)
{
    pthread_mutex_lock(&e->lock);
    e->stats.created += end == WM_EVENT_CREATED;
    e->stats.patched += end == WM_EVENT_PATCHED;
    e->stats.refused += end == WM_EVENT_REFUSED;
    e->stats.dropped += end == WM_EVENT_DROPPED;
    pthread_mutex_unlock(&e->lock);
    if (end == WM_EVENT_REFUSED)
        complain(e, "event_refused", why);
    else if (end == WM_EVENT_DROPPED)
        complain(e, "event_dropped", why);
    else if (end != WM_EVENT_AGAIN)
        e->complained = false;
}

static void take_answer(struct wm_events *e, struct wm_event_series *s, const struct wm_kube_reply *reply)
{
    enum wm_event_api before = e->book.api;
    enum wm_event_end end =
        wm_event_book_answer(&e->book, s, reply->status, reply->body, wm_kube_random(e->kube), wm_mono_ms());

    count_end(e, end, &reply->error);
    if (e->book.api != before)
        wm_log(WM_LOG_INFO, "events_as_core_v1", WM_F("server", wm_kube_server(e->kube)));
}

static void on_reply(void *ctx, const struct wm_kube_reply *reply)
{
    struct write *w = ctx;
    struct wm_events *e = w->events;

    /* after the end everything unfinished has been counted as dropped */
    if (!e->stopped) {
        take_answer(e, w->series, reply);
        turn(e);
    }
    free(w);
    unref(e);
}

static void write_one(struct wm_events *e, struct wm_event_series *s)
{
    enum { MAX_PATH = 1024, MAX_BODY = 32 << 10 };
    wm_auto_buf struct wm_buf path = WM_BUF_MAX(MAX_PATH), body = WM_BUF_MAX(MAX_BODY);
    struct wm_kube_reply none = {.status = 0};

    if (e->may_write && !e->may_write(e->ctx)) {
        wm_event_book_drop(&e->book, s);
        pthread_mutex_lock(&e->lock);
        e->stats.dropped++;
        pthread_mutex_unlock(&e->lock);
        return;
    }
    struct write *w = wm_xcalloc(1, sizeof *w);
    struct wm_kube_request r = {.method = wm_event_book_write(&e->book, s, &path, &body)};

    *w = (struct write){e, s};
    r.path = path.p;
    r.body = wm_buf_text(&body);
    r.content_type = strcmp(r.method, "PATCH") == 0 ? "application/merge-patch+json" : NULL;
    ref(e);
    if (wm_kube_send(e->kube, &r, on_reply, w, &none.error) < 0) {
        take_answer(e, s, &none);
        free(w);
        unref_early(e);
    }
}

static void stop(struct wm_events *e)
{
    const struct wm_event_book *b = &e->book;

    wm_timer_stop(e->kube, &e->timer);
    pthread_mutex_lock(&e->lock);
    e->stopped = true;
    e->stats.dropped += (uint64_t)(b->n_queued + b->n_held + b->n_writing + e->n_inbox);
    pthread_cond_signal(&e->stopping);
    pthread_mutex_unlock(&e->lock);
}

/* One look at everything. */
static void turn(struct wm_events *e)
{
    struct wm_event_book *b = &e->book;
    struct wm_event_series *s;
    int64_t now = wm_mono_ms(), due;

    take_inbox(e);
    wm_event_book_turn(b, now);
    while (b->n_writing < b->o.t.max_writing && (s = wm_event_book_next(b, now)))
        write_one(e, s);
    pthread_mutex_lock(&e->lock);
    e->n_waiting = b->n_queued + b->n_held;
    e->stats.replaced = b->n_replaced;
    pthread_mutex_unlock(&e->lock);
    if (b->closing && b->n_queued + b->n_writing == 0) {
        stop(e);
        return;
    }
    /* when all that may be written is being written, an answer makes the next turn */
    due = b->n_writing < b->o.t.max_writing ? wm_event_book_due_ms(b) : INT64_MAX;
    wm_timer_stop(e->kube, &e->timer);
    if (due != INT64_MAX)
        wm_timer_set(e->kube, &e->timer, due > now ? due - now : 1);
}

static void on_timer(void *ctx)
{
    turn(ctx);
}

static void turn_task(void *ctx)
{
    struct wm_events *e = ctx;

    if (!e->stopped)
        turn(e);
    unref(e);
}

/* --- birth and death --- */

int wm_events_new_tuned(const struct wm_events_opts *opts, const struct wm_events_tunables *t,
                        struct wm_events **ret, struct wm_error *err)
{
    enum { INSTANCE_MAX = 128 };
    pthread_condattr_t attr;

    if (!*opts->controller || !*opts->instance)
        return wm_fail(err, WM_E_INVALID, NULL, "events need the names of a controller and of its instance");
    struct wm_events *e = wm_xcalloc(1, sizeof *e);

    e->kube = opts->kube;
    e->may_write = opts->may_write;
    e->ctx = opts->ctx;
    e->controller = wm_xstrdup(opts->controller);
    e->instance = wm_xstrndup((struct wm_str){opts->instance, strnlen(opts->instance, INSTANCE_MAX)});
    e->inbox_end = &e->inbox;
    e->refs = 1;
    e->book.o = (struct wm_event_book_opts){e->controller, e->instance, opts->per_object_s,
                                            opts->per_object_hour, *t};
    e->timer = (struct wm_timer){.fire = on_timer, .ctx = e};
    pthread_mutex_init(&e->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&e->stopping, &attr);
    pthread_condattr_destroy(&attr);
    *ret = e;
    return WM_OK;
}

int wm_events_new(const struct wm_events_opts *opts, struct wm_events **ret, struct wm_error *err)
{
    return wm_events_new_tuned(opts, &wm_events_default_tunables, ret, err);
}

static void close_task(void *ctx)
{
    struct wm_events *e = ctx;

    take_inbox(e);
    wm_event_book_close(&e->book, wm_mono_ms());
    turn(e);
    unref(e);
}

static void stop_task(void *ctx)
{
    struct wm_events *e = ctx;

    if (!e->stopped)
        stop(e);
    unref(e);
}

static bool wait_stopped(struct wm_events *e, int64_t until_ns)
{
    struct timespec at = {until_ns / 1000000000, until_ns % 1000000000};
    bool stopped;

    pthread_mutex_lock(&e->lock);
    while (!e->stopped && pthread_cond_timedwait(&e->stopping, &e->lock, &at) == 0)
        ;
    stopped = e->stopped;
    pthread_mutex_unlock(&e->lock);
    return stopped;
}

struct wm_events *wm_events_free(struct wm_events *e)
{
    if (!e)
        return NULL;
    assert(!wm_kube_in_thread(e->kube));
    pthread_mutex_lock(&e->lock);
    e->closing = true;
    pthread_mutex_unlock(&e->lock);
    if (post(e, close_task) && !wait_stopped(e, wm_mono_ns() + (int64_t)e->book.o.t.close_ms * 1000000) &&
        post(e, stop_task))
        /* callbacks do not block, so this is soon; may_write must not be asked afterwards */
        while (!wait_stopped(e, wm_mono_ns() + 1000000000))
            ;
    unref(e);
    return NULL;
}

void wm_events_stats(struct wm_events *e, struct wm_events_stats *ret)
{
    pthread_mutex_lock(&e->lock);
    *ret = e->stats;
    pthread_mutex_unlock(&e->lock);
}
