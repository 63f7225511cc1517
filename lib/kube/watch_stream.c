/* Lists that come as a stream: when they are asked for, and when one is given up. */
#include "watch_internal.h"
#include "waymark/clock.h"
#include "waymark/log.h"

/* Streams that broke off in a row before pages are tried: something on the way may hold them back. */
enum { MANY_BROKEN = 2 };

static bool is_refused(const struct wm_kube *k)
{
    int64_t at = k->watches.stream_refused_ms;

    return at && wm_mono_ms() - at < k->t.stream_again_ms;
}

enum wm_watch_op wm_stream_or_list(const struct wm_watch *w)
{
    bool stream =
        w->may_stream && !w->no_limit && !w->auditing && w->broken_streams < MANY_BROKEN && !is_refused(w->k);

    return stream ? WM_OP_STREAM : WM_OP_LIST;
}

void wm_stream_failed(struct wm_watch *w, enum wm_watch_outcome o)
{
    if (o == WM_OUT_CUT || o == WM_OUT_BROKEN || o == WM_OUT_ODD)
        w->broken_streams++;
    if (o != WM_OUT_OPTION)
        return;
    w->k->watches.stream_refused_ms = wm_mono_ms();
    wm_log(WM_LOG_DEBUG, "stream_refused", WM_F("server", w->k->access.server), WM_F("path", w->path));
}

bool wm_stream_is_end(struct wm_str bookmark)
{
    static const char *const annotations[] = {"/metadata/annotations/k8s.io~1initial-events-end"};
    struct wm_json_span s;

    return wm_json_locate(bookmark, 1, annotations, &s, NULL) == WM_OK && wm_json_span_is(s, "true");
}

static void warn_quiet(struct wm_watch *w, int64_t quiet_ms)
{
    w->stats.stream_stalls++;
    wm_watch_publish(w);
    wm_log(WM_LOG_WARN, "stream_quiet", WM_F("server", w->k->access.server), WM_F("path", w->path),
           WM_FI("silent_ms", quiet_ms),
           WM_F("effect", "the list is not complete; what was known before is still served"));
}

bool wm_stream_look(struct wm_watch *w, struct wm_error *why)
{
    const struct wm_kube_tunables *t = &w->k->t;
    int64_t now = wm_mono_ms();
    bool heard = w->stats.last_heard_ms >= w->started_ms;
    int64_t quiet = now - (heard ? w->stats.last_heard_ms : w->started_ms);

    if (quiet >= (heard ? t->list_stall_ms : t->list_first_byte_ms) ||
        now - w->started_ms >= (int64_t)w->timeout_s * 1000 + t->watch_grace_ms) {
        wm_fail(why, WM_E_TIMEOUT, w->path, "%s: %s", w->k->access.server,
                heard ? "the streamed list came to a standstill" : "no answer");
        return false;
    }
    if (quiet >= t->stream_quiet_ms)
        warn_quiet(w, quiet);
    wm_timer_set(w->k, &w->limit,
                 quiet >= t->stream_quiet_ms ? t->stream_quiet_ms : t->stream_quiet_ms - quiet);
    return true;
}
