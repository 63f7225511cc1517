/* Watches from outside, and the slots that their lists share. */
#include <stdlib.h>

#include "watch_internal.h"
#include "waymark/clock.h"

/* --- slots: a list costs an API server as much as ten requests --- */

void wm_slot_wait(struct wm_watch *w)
{
    struct wm_watches *set = &w->k->watches;
    struct wm_waiter **at = &set->queue;

    if (set->n_lists < w->k->t.max_lists) {
        set->n_lists++;
        w->has_slot = true;
        w->in_queue.go(w);
        return;
    }
    while (*at)
        at = &(*at)->next;
    *at = &w->in_queue;
    w->in_queue.next = NULL;
    w->in_queue.waiting = true;
}

static void leave_queue(struct wm_watch *w)
{
    struct wm_waiter **at = &w->k->watches.queue;

    if (!w->in_queue.waiting)
        return;
    while (*at != &w->in_queue)
        at = &(*at)->next;
    *at = w->in_queue.next;
    w->in_queue.waiting = false;
}

void wm_slot_release(struct wm_watch *w)
{
    struct wm_watches *set = &w->k->watches;
    struct wm_waiter *first;

    leave_queue(w);
    if (!w->has_slot)
        return;
    w->has_slot = false;
    set->n_lists--;
    first = set->queue;
    if (first) {
        struct wm_watch *next = first->ctx;

        leave_queue(next);
        wm_slot_wait(next);
    }
}

/* --- from outside --- */

int wm_watch_start(struct wm_kube *k, const struct wm_watch_spec *spec, const struct wm_watch_sink *sink,
                   struct wm_watch **ret, struct wm_error *err)
{
    if (spec->path[0] != '/')
        return wm_fail(err, WM_E_INVALID, spec->path, "a path begins with '/'");
    struct wm_watch *w = wm_xcalloc(1, sizeof *w);

    w->k = k;
    w->sink = *sink;
    w->path = wm_xstrdup(spec->path);
    w->other_path = spec->other_path ? wm_xstrdup(spec->other_path) : NULL;
    w->selector = spec->label_selector ? wm_xstrdup(spec->label_selector) : NULL;
    w->fields = spec->field_selector ? wm_xstrdup(spec->field_selector) : NULL;
    w->metadata_only = spec->metadata_only;
    w->page_size = spec->page_size ? spec->page_size : 500;
    w->min_s = spec->watch_min_s ? spec->watch_min_s : 300;
    w->max_s = spec->watch_max_s ? spec->watch_max_s : 600;
    w->bookmarks = true;
    w->may_stream = spec->stream;
    w->audit_s = spec->audit_s;
    w->from = spec->quorum_first ? WM_FROM_QUORUM : WM_FROM_CACHE;
    w->url = WM_BUF_MAX(48 << 10);
    w->lines = (struct wm_lines){WM_BUF_MAX(WM_WATCH_MAX_EVENT)};
    w->items = WM_ITEMS(WM_WATCH_MAX_EVENT);
    w->stats.state_since_ms = w->shared.state_since_ms = wm_mono_ms();
    pthread_mutex_init(&w->lock, NULL);
    /* before the thread may call the sink, which may look at it */
    *ret = w;
    if (wm_kube_post(k, wm_watch_begin, w))
        return WM_OK;
    pthread_mutex_destroy(&w->lock);
    free(w->path);
    free(w->other_path);
    free(w->selector);
    free(w->fields);
    free(w);
    *ret = NULL;
    return wm_fail(err, WM_E_IO, spec->path, "%s: shutting down", k->access.server);
}

bool wm_watch_is_audit(const struct wm_watch *w)
{
    return w->is_audit;
}

void wm_watch_stats(const struct wm_watch *w, struct wm_watch_stats *ret)
{
    pthread_mutex_t *lock = (pthread_mutex_t *)(uintptr_t)&w->lock;

    pthread_mutex_lock(lock);
    *ret = w->shared;
    pthread_mutex_unlock(lock);
}

struct stop {
    struct wm_watch *w;
    pthread_mutex_t lock;
    pthread_cond_t cond;
    bool done;
};

static void stop_here(void *ctx)
{
    struct stop *s = ctx;

    wm_watch_free(s->w);
    pthread_mutex_lock(&s->lock);
    s->done = true;
    pthread_cond_signal(&s->cond);
    pthread_mutex_unlock(&s->lock);
}

void wm_watch_stop(struct wm_watch *w)
{
    struct stop s = {.w = w};

    if (wm_kube_in_thread(w->k)) {
        /* perhaps inside of libcurl, or of this very watch: it goes when they have returned */
        w->stopped = true;
        wm_timer_set(w->k, &w->reaper, 0);
        return;
    }
    pthread_mutex_init(&s.lock, NULL);
    pthread_cond_init(&s.cond, NULL);
    if (wm_kube_post(w->k, stop_here, &s)) {
        pthread_mutex_lock(&s.lock);
        while (!s.done)
            pthread_cond_wait(&s.cond, &s.lock);
        pthread_mutex_unlock(&s.lock);
    }
    pthread_mutex_destroy(&s.lock);
    pthread_cond_destroy(&s.cond);
}

void wm_watches_cut(struct wm_kube *k, enum wm_watch_outcome o, const struct wm_error *why)
{
    for (struct wm_watch *w = k->watches.all, *next; w; w = next) {
        next = w->next;
        if (w->is_open && !w->stopped)
            wm_watch_cut(w, o, why);
    }
}

static void reconnect(void *ctx)
{
    struct wm_kube *k = ctx;
    struct wm_error why;

    wm_fail(&why, WM_E_IO, NULL, "%s: reconnected, the watches were taken for dead", k->access.server);
    wm_watches_cut(k, WM_OUT_CUT, &why);
}

void wm_watches_reconnect(struct wm_kube *k)
{
    wm_kube_post(k, reconnect, k);
}

void wm_watches_end(struct wm_kube *k)
{
    while (k->watches.all) {
        wm_watch_abort_list(k->watches.all);
        wm_watch_free(k->watches.all);
    }
    wm_timer_stop(k, &k->watches.heartbeat);
}
