/* What follows the end of an attempt: the table of rules says it, experience slows it down. */
#include <stdlib.h>

#include "watch_internal.h"
#include "waymark/clock.h"
#include "waymark/log.h"

enum { SMALLEST_PAGE = 50, FIRST_PROBE_MS = 1000, MANY_HASTY = 2, MANY_BROKEN = 3 };

static bool is_good(enum wm_watch_outcome o)
{
    return o == WM_OUT_PAGE || o == WM_OUT_LISTED || o == WM_OUT_ENDED;
}

static void note_progress(struct wm_watch *w, enum wm_watch_outcome o)
{
    bool healthy = w->op == WM_OP_WATCH &&
                   (wm_watch_heard(w) || ((o == WM_OUT_ENDED || o == WM_OUT_CUT) && wm_watch_lasted(w)));

    if (healthy || wm_mono_ms() - w->failed_ms > w->k->t.healthy_ms)
        w->failures = w->hasty = 0;
    if (healthy)
        w->broken = 0;
    if (!is_good(o))
        w->failed_ms = wm_mono_ms();
}

static void count_outcome(struct wm_watch *w, enum wm_watch_outcome o)
{
    if (o == WM_OUT_EXPIRED || o == WM_OUT_EXPIRED_PAGE)
        w->stats.expired++;
    else if (!is_good(o) && !(w->op == WM_OP_STREAM && o == WM_OUT_OPTION))
        w->stats.errors++;
}

/* What an outcome changes in how we ask. */
static void adapt(struct wm_watch *w, enum wm_watch_outcome o)
{
    if (o == WM_OUT_FORM)
        w->metadata_only = false;
    else if (w->op == WM_OP_STREAM)
        wm_stream_failed(w, o);
    else if (o == WM_OUT_OPTION)
        w->bookmarks = false;
    else if (o == WM_OUT_SLOW && w->page_size > SMALLEST_PAGE)
        w->page_size = w->page_size / 2 > SMALLEST_PAGE ? w->page_size / 2 : SMALLEST_PAGE;
}

static void choose_next(struct wm_watch *w, enum wm_next next)
{
    if (next == WM_NEXT_PAGE)
        return;
    free(w->continue_token);
    w->continue_token = NULL;
    switch (next) {
    case WM_NEXT_WATCH:
        w->op = WM_OP_WATCH;
        break;
    case WM_NEXT_LIST:
        w->op = WM_OP_LIST;
        w->from = *w->rv ? WM_FROM_LAST : WM_FROM_CACHE;
        break;
    case WM_NEXT_QUORUM:
        w->op = WM_OP_LIST;
        w->from = WM_FROM_QUORUM;
        break;
    case WM_NEXT_FULL:
        w->no_limit = true;
        break;
    case WM_NEXT_SAME:
    case WM_NEXT_PAGE:
        break;
    }
}

static int64_t growing_ms(struct wm_watch *w, unsigned n, int longest_ms, bool jitter)
{
    int64_t wait = n < 10 ? (int64_t)FIRST_PROBE_MS << n : longest_ms;

    if (wait > longest_ms)
        wait = longest_ms;
    if (jitter)
        wait += wait * wm_kube_random(w->k) / UINT32_MAX;
    return wait / w->k->t.backoff_divisor;
}

static int64_t own_pause_ms(struct wm_watch *w, int retry_after_s)
{
    int64_t wait = wm_backoff_ms(w->failures++, wm_kube_random(w->k)) / w->k->t.backoff_divisor;
    int64_t asked = (int64_t)retry_after_s * 1000;

    return wait > asked ? wait : asked;
}

/* True when the resource is to be asked for in another version, at once. */
static bool takes_other_path(struct wm_watch *w)
{
    char *path = w->path;

    w->other_refused = w->other_path && !w->other_refused;
    if (!w->other_refused)
        return false;
    w->path = w->other_path;
    w->other_path = path;
    return true;
}

/* A 404 may come from an API server that has only just started and does not know its kinds yet: what we hold
 * is thrown away only when it says so for a while. */
static bool is_surely_absent(struct wm_watch *w)
{
    int64_t now = wm_mono_ms();

    if (!w->absent_since_ms)
        w->absent_since_ms = now;
    return !w->has_content || now - w->absent_since_ms >= w->k->t.absent_sure_ms;
}

static void empty_sink(struct wm_watch *w)
{
    w->rv[0] = '\0';
    w->from = WM_FROM_CACHE;
    w->has_content = false;
    if (w->stats.state == WM_WATCH_ABSENT || w->stopped)
        return;
    w->sink.replace_begin(w->sink.ctx);
    if (!w->stopped)
        w->sink.replace_end(w->sink.ctx);
}

/* The state that a 404 brings; it waits for nothing where there is another path. */
static enum wm_watch_state be_absent(struct wm_watch *w, enum wm_pause *pause)
{
    if (takes_other_path(w)) {
        *pause = WM_PAUSE_NONE;
        return WM_STATE_KEEP;
    }
    if (!is_surely_absent(w))
        return WM_STATE_KEEP;
    empty_sink(w);
    return WM_WATCH_ABSENT;
}

static void wait_ms(struct wm_watch *w, int64_t ms)
{
    wm_timer_set(w->k, &w->pause, ms);
}

static void schedule(struct wm_watch *w, enum wm_pause pause, bool refused, int retry_after_s)
{
    struct wm_kube *k = w->k;

    switch (pause) {
    case WM_PAUSE_NONE:
        wm_watch_go(w);
        break;
    case WM_PAUSE_SUSPECT:
        wm_gate_suspect(k);
        wm_watch_go(w);
        break;
    case WM_PAUSE_CLUSTER:
        wm_gate_failed(k, w->epoch, refused, retry_after_s);
        wm_watch_go(w);
        break;
    case WM_PAUSE_OWN:
        wait_ms(w, own_pause_ms(w, retry_after_s));
        break;
    case WM_PAUSE_ABSENT:
        wait_ms(w, growing_ms(w, w->absents++, k->t.absent_ms, true));
        break;
    case WM_PAUSE_MINUTE:
        wait_ms(w, growing_ms(w, w->forbiddens++, k->t.forbidden_ms, false));
        break;
    }
}

/* The table's pause, unless experience says otherwise. */
static enum wm_pause pause_for(struct wm_watch *w, const struct wm_watch_rule *r, enum wm_watch_outcome o)
{
    if (r->pause == WM_PAUSE_NONE && !is_good(o) && ++w->hasty > MANY_HASTY)
        return WM_PAUSE_OWN;
    /* other watches of the cluster stream: then this is the trouble of one resource (a conversion webhook, an
     * aggregated API), and the others must not wait for it */
    if (r->pause == WM_PAUSE_CLUSTER && o == WM_OUT_BUSY && w->k->watches.n_open > 0)
        return WM_PAUSE_OWN;
    return r->pause;
}

/* At the end of a watch nothing is under way, and a new one must be opened anyway. */
static bool is_audit_due(const struct wm_watch *w, enum wm_watch_outcome o)
{
    return o == WM_OUT_ENDED && w->audit_at_ms && wm_mono_ms() >= w->audit_at_ms;
}

static void log_step(const struct wm_watch *w, enum wm_watch_outcome o, const struct wm_error *why)
{
    static const char *const ops[] = {
        [WM_OP_LIST] = "list", [WM_OP_WATCH] = "watch", [WM_OP_STREAM] = "stream"};

    wm_log(WM_LOG_DEBUG, "watch_step", WM_F("server", w->k->access.server), WM_F("path", w->path),
           WM_F("op", ops[w->op]), WM_F("outcome", wm_watch_outcome_name(o)), WM_F("version", w->rv),
           WM_F("error", why && why->code ? why->msg : ""));
}

void wm_watch_settle(struct wm_watch *w, enum wm_watch_outcome o, const struct wm_error *why, bool refused,
                     int retry_after_s)
{
    const struct wm_watch_rule *r = wm_watch_rule(w->op, o);
    enum wm_next next = r->next;
    enum wm_watch_state state = r->state;

    log_step(w, o, why);
    wm_gate_leave(w->k, &w->at_gate);
    count_outcome(w, o);
    note_progress(w, o);
    wm_watch_reset_stream(w);
    if (o != WM_OUT_PAGE) {
        wm_watch_abort_list(w);
        wm_slot_release(w);
    }
    adapt(w, o);
    if (o != WM_OUT_PAGE)
        w->auditing = is_audit_due(w, o);
    if (w->auditing)
        next = WM_NEXT_LIST;
    if (o == WM_OUT_BROKEN && w->op == WM_OP_WATCH && ++w->broken >= MANY_BROKEN) {
        w->broken = 0;
        next = WM_NEXT_LIST;
    }
    enum wm_pause pause = pause_for(w, r, o);

    choose_next(w, next);
    if (r->pause == WM_PAUSE_ABSENT)
        state = be_absent(w, &pause);
    wm_watch_set_state(w, state, why && why->code ? why : NULL);
    wm_watch_publish(w);
    if (!w->stopped)
        schedule(w, pause, refused, retry_after_s);
}
