/* The kube thread: tasks from elsewhere, timers, and libcurl's sockets, in turns. */
#include <signal.h>
#include <stdlib.h>

#include "internal.h"
#include "loop.h"
#include "sockets.h"
#include "waymark/clock.h"

/* --- timers: a sorted list; there are dozens, and a look at the first is what happens most --- */

void wm_timer_stop(struct wm_kube *k, struct wm_timer *t)
{
    if (!t->armed)
        return;
    struct wm_timer **at = &k->timers;

    while (*at != t)
        at = &(*at)->next;
    *at = t->next;
    t->armed = false;
}

void wm_timer_set(struct wm_kube *k, struct wm_timer *t, int64_t after_ms)
{
    struct wm_timer **at = &k->timers;

    wm_timer_stop(k, t);
    t->at_ms = wm_mono_ms() + after_ms;
    while (*at && (*at)->at_ms <= t->at_ms)
        at = &(*at)->next;
    t->next = *at;
    *at = t;
    t->armed = true;
}

static void run_timers(struct wm_kube *k)
{
    int64_t now = wm_mono_ms();

    while (k->timers && k->timers->at_ms <= now) {
        struct wm_timer *t = k->timers;

        k->timers = t->next;
        t->armed = false;
        t->fire(t->ctx);
    }
}

static int next_wait_ms(const struct wm_kube *k)
{
    enum { LONGEST_MS = 60000 };
    int64_t wait = k->timers ? k->timers->at_ms - wm_mono_ms() : LONGEST_MS;

    return wait < 0 ? 0 : wait > LONGEST_MS ? LONGEST_MS : (int)wait;
}

/* --- tasks --- */

bool wm_kube_post(struct wm_kube *k, void (*run)(void *ctx), void *ctx)
{
    struct wm_task *task = wm_xcalloc(1, sizeof *task);
    bool taken;

    *task = (struct wm_task){.run = run, .ctx = ctx};
    pthread_mutex_lock(&k->lock);
    taken = !k->stopping;
    if (taken) {
        *k->tasks_end = task;
        k->tasks_end = &task->next;
    }
    pthread_mutex_unlock(&k->lock);
    if (!taken)
        free(task);
    else
        wm_sockets_wake(k);
    return taken;
}

/* Runs what was posted; true when the thread is to stop. */
static bool run_tasks(struct wm_kube *k)
{
    pthread_mutex_lock(&k->lock);
    struct wm_task *task = k->tasks;
    bool stopping = k->stopping;

    k->tasks = NULL;
    k->tasks_end = &k->tasks;
    pthread_mutex_unlock(&k->lock);
    while (task) {
        struct wm_task *next = task->next;

        task->run(task->ctx);
        free(task);
        task = next;
    }
    return stopping;
}

static _Thread_local const struct wm_kube *this_thread;

bool wm_kube_in_thread(const struct wm_kube *k)
{
    return this_thread == k;
}

uint32_t wm_kube_random(struct wm_kube *k)
{
    /* spreads retries; nothing secret hangs on it.  rand_r gives 31 bits */
    return (uint32_t)rand_r(&k->random_state) << 1;
}

/* --- turns --- */

static void take_messages(struct wm_kube *k)
{
    CURLMsg *m;
    int left;

    while ((m = curl_multi_info_read(k->multi, &left)))
        if (m->msg == CURLMSG_DONE)
            wm_transfer_finished(m->easy_handle, m->data.result);
}

static void turn(struct wm_kube *k)
{
    run_timers(k);
    wm_sockets_turn(k, next_wait_ms(k));
    take_messages(k);
}

void *wm_kube_run(void *arg)
{
    struct wm_kube *k = arg;
    sigset_t all;

    this_thread = k;
    /* signals are the program's business; and OpenSSL's writes must not raise SIGPIPE */
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    while (!run_tasks(k))
        turn(k);
    /* what came in between the last look and the stop */
    run_tasks(k);
    wm_watches_end(k);
    k->requests = wm_requests_free(k->requests);
    return NULL;
}
