/* The machine's attempts: how one starts, what bounds it, how it ended.  What follows is watch_next.c's. */
#include <stdlib.h>

#include "watch_internal.h"
#include "waymark/clock.h"
#include "waymark/log.h"

const char *wm_watch_state_name(enum wm_watch_state s)
{
    static const char *const names[] = {"starting",  "synced",       "absent",
                                        "forbidden", "unauthorized", "unreachable"};

    return (size_t)s < sizeof names / sizeof names[0] ? names[s] : "unknown";
}

void wm_watch_publish(struct wm_watch *w)
{
    pthread_mutex_lock(&w->lock);
    w->shared = w->stats;
    pthread_mutex_unlock(&w->lock);
}

void wm_watch_set_state(struct wm_watch *w, enum wm_watch_state s, const struct wm_error *why)
{
    bool bad = s != WM_WATCH_SYNCED && s != WM_WATCH_ABSENT;

    if (s == WM_STATE_KEEP || s == w->stats.state || w->stopped)
        return;
    w->stats.state = s;
    w->stats.state_since_ms = wm_mono_ms();
    wm_watch_publish(w);
    if (w->sink.state)
        w->sink.state(w->sink.ctx, s, why);
    else
        wm_log(bad ? WM_LOG_WARN : WM_LOG_INFO, "watch_state", WM_F("server", w->k->access.server),
               WM_F("path", w->path), WM_F("state", wm_watch_state_name(s)),
               WM_F("why", why ? why->msg : ""));
}

/* --- attempts --- */

static void on_done(void *ctx, const struct wm_answer *a);

void wm_watch_reset_stream(struct wm_watch *w)
{
    wm_lines_done(&w->lines);
    wm_items_done(&w->items);
    w->stream_failed = false;
    w->stream_retry_s = -1;
    w->stream_why = (struct wm_error){0};
}

static void build_url(struct wm_watch *w)
{
    struct wm_watch_query q = {.path = w->path,
                               .selector = w->selector,
                               .fields = w->fields,
                               .from = w->from,
                               .rv = w->rv,
                               .continue_token = w->continue_token,
                               .page_size = w->no_limit ? 0 : w->page_size,
                               .paginate_always = w->paginate_always,
                               .bookmarks = w->bookmarks};
    int span = w->max_s - w->min_s + 1;

    /* at random, so that the watches of a cluster do not all come back at once */
    w->timeout_s = w->min_s + (int)(wm_kube_random(w->k) % (unsigned)(span > 0 ? span : 1));
    q.timeout_s = w->timeout_s;
    static void (*const urls[])(const struct wm_watch_query *q, struct wm_buf *out) = {
        [WM_OP_LIST] = wm_list_url, [WM_OP_WATCH] = wm_watch_url, [WM_OP_STREAM] = wm_stream_url};

    urls[w->op](&q, &w->url);
}

static const char *accept_of(const struct wm_watch *w)
{
    /* in the order of preference; a server takes the first that it knows */
#define AS(kind)                                                                                             \
    "application/json;as=" kind ";g=meta.k8s.io;v=v1, application/json;as=" kind                             \
    ";g=meta.k8s.io;v=v1beta1, application/json"
    if (!w->metadata_only)
        return "application/json";
    return w->op == WM_OP_LIST ? AS("PartialObjectMetadataList") : AS("PartialObjectMetadata");
#undef AS
}

static void start(void *ctx)
{
    struct wm_watch *w = ctx;

    /* only now: others of this cluster may just have learned that it does not stream lists */
    if (w->op != WM_OP_WATCH && !w->continue_token)
        w->op = wm_stream_or_list(w);
    build_url(w);
    wm_watch_reset_stream(w);
    struct wm_transfer_spec spec = {.method = "GET",
                                    .path = w->url.p,
                                    .accept = accept_of(w),
                                    /* lists come at the speed of the network, watches in drops */
                                    .buffer_bytes = w->op == WM_OP_WATCH ? 8 << 10 : 64 << 10,
                                    .fresh = w->fresh,
                                    .on_head = wm_watch_on_head,
                                    .on_body = wm_watch_on_body,
                                    .on_done = on_done,
                                    .ctx = w};

    w->fresh = false;
    w->started_ms = wm_mono_ms();
    w->heard_before = w->stats.events + w->stats.bookmarks;
    w->bytes_checked = w->stats.bytes;
    if (w->op == WM_OP_WATCH)
        w->stats.watches++;
    else if (!w->continue_token)
        w->stats.lists++;
    w->stats.streams += w->op == WM_OP_STREAM;
    w->transfer = wm_transfer_start(w->k, &spec);
    wm_timer_set(w->k, &w->limit,
                 w->op == WM_OP_STREAM ? w->k->t.stream_quiet_ms : w->k->t.list_first_byte_ms);
    wm_watch_publish(w);
}

static void through_gate(void *ctx)
{
    struct wm_watch *w = ctx;

    w->epoch = w->k->gate.epoch;
    if (w->op != WM_OP_WATCH && !w->has_slot)
        wm_slot_wait(w);
    else
        start(w);
}

void wm_watch_go(void *ctx)
{
    struct wm_watch *w = ctx;

    wm_gate_wait(w->k, &w->at_gate);
}

static void close_stream(struct wm_watch *w)
{
    wm_timer_stop(w->k, &w->limit);
    w->k->watches.n_open -= w->is_open;
    w->is_open = false;
}

void wm_watch_opened(struct wm_watch *w)
{
    wm_gate_answered(w->k);
    w->absents = w->forbiddens = 0;
    w->other_refused = false;
    w->absent_since_ms = 0;
    w->stats.last_heard_ms = wm_mono_ms();
    if (w->op == WM_OP_LIST)
        wm_timer_set(w->k, &w->limit, w->k->t.list_stall_ms);
    else if (w->op == WM_OP_WATCH)
        wm_watch_streaming(w);
}

void wm_watch_streaming(struct wm_watch *w)
{
    int64_t ends_ms = w->started_ms + (int64_t)w->timeout_s * 1000 + w->k->t.watch_grace_ms;

    w->is_open = true;
    w->k->watches.n_open++;
    wm_timer_set(w->k, &w->limit, ends_ms - wm_mono_ms());
    wm_heartbeat_arm(w->k);
    wm_watch_set_state(w, WM_WATCH_SYNCED, NULL);
    wm_watch_publish(w);
}

static void give_up(struct wm_watch *w, enum wm_watch_outcome o, const struct wm_error *why)
{
    w->transfer = wm_transfer_cancel(w->transfer);
    close_stream(w);
    wm_watch_settle(w, o, why, false, -1);
}

static void on_limit(void *ctx)
{
    struct wm_watch *w = ctx;
    const struct wm_kube_tunables *t = &w->k->t;
    bool was_open = w->is_open, heard = w->stats.last_heard_ms >= w->started_ms;
    struct wm_error why;

    if (w->op == WM_OP_STREAM) {
        if (!wm_stream_look(w, &why))
            give_up(w, heard ? WM_OUT_BROKEN : WM_OUT_UNREACHABLE, &why);
        return;
    }
    if (w->op == WM_OP_LIST && heard && w->stats.bytes - w->bytes_checked >= (uint64_t)t->list_stall_bytes) {
        w->bytes_checked = w->stats.bytes;
        wm_timer_set(w->k, &w->limit, t->list_stall_ms);
        return;
    }
    wm_fail(&why, WM_E_TIMEOUT, w->path, "%s: %s", w->k->access.server,
            was_open ? "the watch did not end at its time"
            : heard  ? "the list came to a standstill"
                     : "no answer");
    give_up(w, was_open ? WM_OUT_CUT : WM_OUT_UNREACHABLE, &why);
}

void wm_watch_cut(struct wm_watch *w, enum wm_watch_outcome o, const struct wm_error *why)
{
    w->fresh = true;
    give_up(w, o, why);
}

/* --- the end of an attempt --- */

bool wm_watch_heard(const struct wm_watch *w)
{
    return w->stats.events + w->stats.bookmarks > w->heard_before;
}

bool wm_watch_lasted(const struct wm_watch *w)
{
    return wm_mono_ms() - w->started_ms >= w->k->t.short_watch_ms;
}

static enum wm_watch_outcome outcome_of(struct wm_watch *w, const struct wm_answer *a, struct wm_error *why)
{
    bool began = a->status >= 200 && a->status < 300;

    if (a->error.code == WM_OK && w->op == WM_OP_LIST)
        return wm_watch_end_list(w, why);
    if (a->error.code == WM_OK && w->op == WM_OP_STREAM) {
        wm_fail(why, WM_E_IO, w->path, "%s: the stream ended before its list was complete",
                w->k->access.server);
        return WM_OUT_CUT;
    }
    if (a->error.code == WM_OK)
        return wm_watch_lasted(w) || wm_watch_heard(w) ? WM_OUT_ENDED : WM_OUT_SHORT;
    *why = a->error;
    if (!began)
        return wm_classify_answer(w->op, a, w->continue_token != NULL, w->metadata_only, w->bookmarks);
    if (w->stream_failed)
        return w->stream_outcome;
    /* what we refused ourselves (not JSON, too long), against what the network did */
    return why->code == WM_E_IO || why->code == WM_E_TIMEOUT ? WM_OUT_CUT : WM_OUT_BROKEN;
}

static void on_done(void *ctx, const struct wm_answer *a)
{
    struct wm_watch *w = ctx;
    struct wm_error why = {0};
    enum wm_watch_outcome o;

    w->transfer = NULL;
    if (w->stopped)
        return; /* the reaper is on its way */
    o = outcome_of(w, a, &why);
    close_stream(w);
    /* also a refusal is a sign of life */
    if (a->status > 0 && a->status < 500 && a->status != 429)
        wm_gate_answered(w->k);
    wm_watch_settle(w, o, &why, a->refused, w->stream_failed ? w->stream_retry_s : a->retry_after_s);
}

/* --- life --- */

static void reap(void *ctx)
{
    wm_watch_free(ctx);
}

void wm_watch_begin(void *ctx)
{
    struct wm_watch *w = ctx;
    struct wm_watches *set = &w->k->watches;

    w->link = &set->all;
    w->next = set->all;
    if (w->next)
        w->next->link = &w->next;
    set->all = w;
    set->n++;
    /* one connection a watch, and a few that lists and requests share */
    curl_multi_setopt(w->k->multi, CURLMOPT_MAXCONNECTS, (long)set->n + 4);
    w->at_gate = (struct wm_waiter){.go = through_gate, .ctx = w};
    w->in_queue = (struct wm_waiter){.go = start, .ctx = w};
    w->pause = (struct wm_timer){.fire = wm_watch_go, .ctx = w};
    w->limit = (struct wm_timer){.fire = on_limit, .ctx = w};
    w->reaper = (struct wm_timer){.fire = reap, .ctx = w};
    wm_watch_go(w);
}

void wm_watch_free(struct wm_watch *w)
{
    struct wm_kube *k = w->k;

    w->stopped = true;
    w->transfer = wm_transfer_cancel(w->transfer);
    close_stream(w);
    wm_timer_stop(k, &w->pause);
    wm_timer_stop(k, &w->reaper);
    wm_gate_leave(k, &w->at_gate);
    wm_slot_release(w);
    *w->link = w->next;
    if (w->next)
        w->next->link = w->link;
    k->watches.n--;
    wm_watch_reset_stream(w);
    wm_buf_done(&w->url);
    free(w->continue_token);
    free(w->path);
    free(w->other_path);
    free(w->selector);
    free(w->fields);
    pthread_mutex_destroy(&w->lock);
    free(w);
}
