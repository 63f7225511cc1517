#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <unistd.h>

#include "waymark/clock.h"
#include "webhook/server_impl.h"

enum {
    EVENTS = 256,
    SHAKES_PER_TURN = 4, /* a handshake costs as much as twenty requests: requests go first */
    SETTLE_ROUNDS = 8,
    QUIET_MS = 100, /* at the end: how long a connection must have been silent to be closed */
    LAST_LINGER_MS = 1000,
    STOP_TICK_MS = 10,
    MANY_FREED = 256, /* connections whose memory is worth giving back to the system */
    TRIM_EVERY_MS = 10000,
    DEAF_MS = 100, /* without descriptors */
};

/* What an epoll event without a connection means. */
static const char listener_tag, mailbox_tag;

/* --- deadlines --- */

static void expire(struct wm_loop *l)
{
    for (int i = 0; i < WM_N_PHASES; i++)
        while (!wm_list_empty(&l->phases[i])) {
            struct wm_conn *c = WM_OWNER(l->phases[i].next, struct wm_conn, timer);

            if (c->deadline_ms > l->now_ms)
                break;
            wm_conn_expired(c);
            if (c->timer.prev == &l->phases[i] && c->deadline_ms <= l->now_ms)
                wm_unlink(&c->timer); /* cannot happen; would not end */
        }
}

static bool work_left(const struct wm_loop *l)
{
    return !wm_list_empty(&l->ready) || !wm_list_empty(&l->shakers) || !wm_list_empty(&l->touched) ||
           l->http_due;
}

static int patience_ms(const struct wm_loop *l)
{
    int64_t until = INT64_MAX;

    if (work_left(l))
        return l->empty_runs > 2 * SETTLE_ROUNDS ? 1 : 0; /* MHD that runs in circles may not take a core */
    for (int i = 0; i < WM_N_PHASES; i++)
        if (!wm_list_empty(&l->phases[i])) {
            const struct wm_conn *c = WM_OWNER(l->phases[i].next, struct wm_conn, timer);

            if (c->deadline_ms < until)
                until = c->deadline_ms;
        }
    int64_t wait = until == INT64_MAX ? -1 : until - l->now_ms + 1;

    if (l->stopping && (wait < 0 || wait > STOP_TICK_MS))
        wait = STOP_TICK_MS;
    if (l->deaf_until_ms && (wait < 0 || wait > DEAF_MS))
        wait = DEAF_MS;
    if (l->freed >= MANY_FREED && (wait < 0 || wait > TRIM_EVERY_MS))
        wait = TRIM_EVERY_MS;
    return wait > 3600000 ? 3600000 : (int)wait;
}

/* --- one turn --- */

static void adopt_pair(struct wm_loop *l)
{
    struct wm_server *s = l->server;
    uint64_t generation = atomic_load_explicit(&s->ctx_generation, memory_order_acquire);

    if (generation == l->ctx_generation)
        return;
    SSL_CTX_free(l->ctx);
    pthread_mutex_lock(&s->pair_lock);
    l->ctx = s->ctx;
    SSL_CTX_up_ref(l->ctx);
    pthread_mutex_unlock(&s->pair_lock);
    l->ctx_generation = generation;
}

static void hear(struct wm_loop *l, const struct epoll_event *ev, int n)
{
    for (int i = 0; i < n; i++)
        if (ev[i].data.ptr == &listener_tag)
            wm_accept_some(l);
        else if (ev[i].data.ptr == &mailbox_tag)
            wm_mailbox_collect(l);
        else
            wm_conn_event(ev[i].data.ptr, ev[i].events);
}

/* Those that are readable now; what becomes ready meanwhile waits for the next turn. */
static void read_all(struct wm_loop *l)
{
    struct wm_link now, *at;

    wm_list_init(&now);
    wm_splice(&now, &l->ready);
    while ((at = wm_pop(&now)) != NULL)
        wm_pump_in(WM_OWNER(at, struct wm_conn, ready));
    for (int i = 0; i < SHAKES_PER_TURN && (at = wm_pop(&l->shakers)) != NULL; i++)
        wm_pump_in(WM_OWNER(at, struct wm_conn, ready));
}

/* After MHD ran: answers go out, held bytes in, and the deadline fits what the connection waits for. */
static void settle_one(struct wm_conn *c)
{
    if (c->look)
        wm_pump_out(c);
    wm_pump_feed_held(c);
    if (c->fd < 0)
        return;
    if (c->broken) {
        wm_conn_close(c);
        return;
    }
    if (c->eof && !c->said_bye && !c->in.n && !wm_conn_http_busy(c) && !c->finishing && !c->last_words.n) {
        if (c->loop->http_due) { /* MHD may still find a whole request in what it has */
            wm_conn_touch(c);
        } else {
            c->finishing = true;
            wm_pump_out(c);
        }
    }
    wm_conn_rearm(c);
}

static void settle(struct wm_loop *l)
{
    for (int i = 0; i < SETTLE_ROUNDS && (l->http_due || !wm_list_empty(&l->touched)); i++) {
        struct wm_link now, *at;

        if (l->http_due)
            wm_http_run(l);
        wm_list_init(&now);
        wm_splice(&now, &l->touched);
        while ((at = wm_pop(&now)) != NULL)
            settle_one(WM_OWNER(at, struct wm_conn, touched));
    }
}

static void bury(struct wm_loop *l)
{
    struct wm_link *at;

    while ((at = wm_pop(&l->dead)) != NULL)
        wm_conn_free(WM_OWNER(at, struct wm_conn, all));
}

/* After a burst of connections the heap has holes that malloc keeps for ever.  Only in a turn without events:
 * it takes milliseconds. */
static void give_memory_back(struct wm_loop *l)
{
    if (l->freed < MANY_FREED || l->now_ms - l->trimmed_ms < TRIM_EVERY_MS)
        return;
    malloc_trim(0);
    l->freed = 0;
    l->trimmed_ms = l->now_ms;
}

static void end_turn(struct wm_loop *l, bool last)
{
    const struct wm_server_opts *o = &l->server->o;

    if (o->turn_end)
        o->turn_end(o->ctx, last);
}

static void turn(struct wm_loop *l)
{
    struct epoll_event ev[EVENTS];
    int n = epoll_wait(l->epoll, ev, EVENTS, patience_ms(l));

    l->now_ns = wm_mono_ns();
    l->now_ms = l->now_ns / 1000000;
    adopt_pair(l);
    if (l->deaf_until_ms && l->now_ms >= l->deaf_until_ms)
        wm_loop_pause_listener(l, false);
    hear(l, ev, n);
    read_all(l);
    settle(l);
    expire(l);
    settle(l);
    bury(l);
    if (n == 0)
        give_memory_back(l);
    end_turn(l, false);
}

/* --- the end --- */

static void stop_listening(struct wm_loop *l)
{
    if (l->listener < 0)
        return;
    wm_accept_all(l);
    close(l->listener);
    l->listener = -1;
    l->closed_ms = l->now_ms;
}

/* Silent since the listener closed, or longer than others: nothing is under way to it. */
static bool fell_silent(const struct wm_conn *c)
{
    const struct wm_loop *l = c->loop;
    int64_t since = c->since_ms > l->closed_ms ? c->since_ms : l->closed_ms;

    return wm_conn_at_rest(c) && l->now_ms - since >= QUIET_MS;
}

static void close_silent(struct wm_loop *l)
{
    struct wm_link *at = l->all.next, *next;

    for (; at != &l->all; at = next) {
        struct wm_conn *c = WM_OWNER(at, struct wm_conn, all);

        next = at->next;
        if (c->fd >= 0 && (fell_silent(c) || (c->said_bye && l->now_ms - c->since_ms >= LAST_LINGER_MS))) {
            wm_conn_goodbye(c);
            wm_conn_close(c);
        }
    }
}

/* True when the loop may end. */
static bool stopped(struct wm_loop *l)
{
    if (!atomic_load_explicit(&l->server->stopping, memory_order_acquire))
        return false;
    if (!l->stopping) {
        l->stopping = true;
        l->stop_ms = l->now_ms;
        l->give_up_ms = l->now_ms + l->server->grace_ms;
        if (l->listener >= 0)
            wm_listen_deafen(l->listener);
    }
    if (l->now_ms - l->stop_ms >= QUIET_MS || l->now_ms >= l->give_up_ms)
        stop_listening(l);
    if (l->listener < 0)
        close_silent(l);
    return (l->listener < 0 && wm_list_empty(&l->all)) || l->now_ms >= l->give_up_ms;
}

/* Whatever is left goes: connections at once; requests with their handlers, who may answer into the void. */
static void abandon(struct wm_loop *l)
{
    struct wm_link *at = l->all.next, *next;

    wm_mailbox_close(l);
    for (; at != &l->all; at = next) {
        struct wm_conn *c = WM_OWNER(at, struct wm_conn, all);

        next = at->next;
        if (c->waiting) {
            wm_request_orphan(c);
            MHD_resume_connection(c->mhd);
        }
        wm_conn_close(c);
    }
    for (int i = 0; i < 100 && !wm_list_empty(&l->all); i++)
        wm_http_run(l);
    bury(l);
}

static void *run(void *arg)
{
    struct wm_loop *l = arg;

    wm_reply_this_thread(l);
    while (!stopped(l))
        turn(l);
    stop_listening(l);
    abandon(l);
    end_turn(l, true);
    wm_reply_this_thread(NULL);
    return NULL;
}

/* --- birth and death --- */

static void set_durations(struct wm_loop *l)
{
    const struct wm_server_opts *o = &l->server->o;
    int release = o->idle_release_ms < o->idle_timeout_ms ? o->idle_release_ms : o->idle_timeout_ms;

    l->duration_ms[WM_PHASE_SHAKING] = o->handshake_timeout_ms;
    l->duration_ms[WM_PHASE_IDLE] = release;
    l->duration_ms[WM_PHASE_RESTING] = o->idle_timeout_ms - release;
    l->duration_ms[WM_PHASE_HEADER] = o->header_timeout_ms;
    l->duration_ms[WM_PHASE_BODY] = o->body_timeout_ms;
    l->duration_ms[WM_PHASE_SENDING] = o->body_timeout_ms;
    l->duration_ms[WM_PHASE_LINGER] = o->linger_ms;
}

static void init_lists(struct wm_loop *l)
{
    wm_list_init(&l->all);
    wm_list_init(&l->ready);
    wm_list_init(&l->shakers);
    wm_list_init(&l->touched);
    wm_list_init(&l->dead);
    for (int i = 0; i < WM_N_PHASES; i++)
        wm_list_init(&l->phases[i]);
}

static int watch(struct wm_loop *l, int fd, const char *tag)
{
    struct epoll_event ev = {.events = EPOLLIN, .data.ptr = (void *)(uintptr_t)tag};

    return epoll_ctl(l->epoll, EPOLL_CTL_ADD, fd, &ev);
}

int wm_loop_new(struct wm_server *s, unsigned index, struct wm_loop **ret, struct wm_error *err)
{
    struct wm_loop *l = wm_xcalloc(1, sizeof *l);

    l->server = s;
    l->index = index;
    l->listener = -1;
    init_lists(l);
    set_durations(l);
    if (getrandom(&l->seed, sizeof l->seed, GRND_NONBLOCK) < 0 || l->seed == 0)
        l->seed = (uint64_t)wm_mono_ns() | 1;
    l->epoll = epoll_create1(EPOLL_CLOEXEC);
    l->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
    l->mailbox = wm_mailbox_new();
    int r = l->epoll < 0 || l->spare < 0 || !l->mailbox || watch(l, l->mailbox->wake, &mailbox_tag) < 0
                ? wm_fail_errno(err, WM_E_IO, NULL, "cannot make an event loop")
                : wm_http_start(l, err);

    if (r == WM_OK)
        r = wm_bind(&s->o, s->port, &l->listener, &s->port, err);
    if (r < 0) {
        wm_loop_free(l);
        return r;
    }
    *ret = l;
    return WM_OK;
}

int wm_loop_watch_listener(struct wm_loop *l, struct wm_error *err)
{
    return watch(l, l->listener, &listener_tag) < 0
               ? wm_fail_errno(err, WM_E_IO, NULL, "cannot watch the listener")
               : WM_OK;
}

void wm_loop_pause_listener(struct wm_loop *l, bool pause)
{
    struct epoll_event ev = {.events = pause ? 0 : EPOLLIN, .data.ptr = (void *)(uintptr_t)&listener_tag};

    l->deaf_until_ms = pause ? l->now_ms + DEAF_MS : 0;
    epoll_ctl(l->epoll, EPOLL_CTL_MOD, l->listener, &ev);
}

int wm_loop_start(struct wm_loop *l, struct wm_error *err)
{
    sigset_t all, old;

    /* Signals belong to the program, not to these threads. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    int e = pthread_create(&l->thread, NULL, run, l);

    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (e) {
        errno = e;
        return wm_fail_errno(err, WM_E_IO, NULL, "cannot start a thread");
    }
    l->started = true;
    return WM_OK;
}

struct wm_loop *wm_loop_free(struct wm_loop *l)
{
    if (!l)
        return NULL;
    if (l->mhd)
        MHD_stop_daemon(l->mhd);
    if (l->mailbox)
        wm_mailbox_unref(l->mailbox);
    SSL_CTX_free(l->ctx);
    wm_body_done(&l->spare_body);
    if (l->listener >= 0)
        close(l->listener);
    if (l->spare >= 0)
        close(l->spare);
    if (l->epoll >= 0)
        close(l->epoll);
    free(l);
    return NULL;
}
