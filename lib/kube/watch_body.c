/* What comes in: pages of a list, lines of a watch. */
#include <stdlib.h>
#include <strings.h>

#include "watch_internal.h"
#include "waymark/clock.h"
#include "waymark/log.h"

/* --- lists --- */

static bool on_item(void *ctx, struct wm_str object, struct wm_error *err)
{
    struct wm_watch *w = ctx;

    if (!w->stopped)
        w->sink.upsert(w->sink.ctx, object);
    if (w->stopped)
        wm_fail(err, WM_E_IO, NULL, "the watch was stopped");
    return !w->stopped;
}

void wm_watch_abort_list(struct wm_watch *w)
{
    if (w->replacing && !w->stopped)
        w->sink.replace_abort(w->sink.ctx);
    w->replacing = false;
}

/* Copies the string at `s` into `out` of WM_RV_SIZE; false when it is none, empty or too long. */
static bool take_rv(struct wm_json_span s, char out[static WM_RV_SIZE])
{
    wm_auto_buf struct wm_buf text = WM_BUF_MAX(WM_RV_SIZE - 1);

    if (s.kind != WM_JSON_STRING || s.text.n <= 2)
        return false;
    if (s.text.n < WM_RV_SIZE && !memchr(s.text.p, '\\', s.text.n)) {
        memcpy(out, s.text.p + 1, s.text.n - 2);
        out[s.text.n - 2] = '\0';
        return true;
    }
    if (wm_json_unescape(s, &text, NULL) < 0)
        return false;
    memcpy(out, text.p, text.n + 1);
    return true;
}

/* The token for the next page, owned; NULL on the last one. */
static int take_continue(struct wm_json_span s, char **ret, struct wm_error *why)
{
    wm_auto_buf struct wm_buf token = WM_BUF_MAX(32 << 10);

    *ret = NULL;
    if (s.kind == WM_JSON_ABSENT || s.kind == WM_JSON_NULL || wm_json_span_is(s, ""))
        return WM_OK;
    if (wm_json_unescape(s, &token, why) < 0)
        return WM_E_INVALID;
    *ret = wm_buf_take(&token);
    return WM_OK;
}

/* From now on, at random, so that the audits of a cluster do not all come at once. */
static void set_audit(struct wm_watch *w)
{
    int64_t period_ms = (int64_t)w->audit_s * 1000;

    w->audit_at_ms = period_ms ? wm_mono_ms() + period_ms + period_ms * wm_kube_random(w->k) / UINT32_MAX : 0;
}

static enum wm_watch_outcome complete_list(struct wm_watch *w, const char *rv)
{
    w->is_audit = w->auditing && strcmp(rv, w->rv) == 0;
    w->stats.audits += w->is_audit;
    set_audit(w);
    memcpy(w->rv, rv, WM_RV_SIZE);
    w->no_limit = false;
    w->broken_streams = 0;
    w->stats.confirmed = w->stats.confirmed || w->from == WM_FROM_QUORUM;
    w->has_content = true;
    w->replacing = false;
    if (!w->stopped)
        w->sink.replace_end(w->sink.ctx);
    w->is_audit = false;
    return WM_OUT_LISTED;
}

enum wm_watch_outcome wm_watch_end_list(struct wm_watch *w, struct wm_error *why)
{
    static const char *const wanted[] = {"/metadata/resourceVersion", "/metadata/continue"};
    struct wm_json_span s[2];
    struct wm_str frame;
    char *token, rv[WM_RV_SIZE] = "";

    if (wm_items_end(&w->items, &frame, why) < 0 || wm_json_locate(frame, 2, wanted, s, why) < 0 ||
        take_continue(s[1], &token, why) < 0)
        return WM_OUT_BROKEN;
    w->stats.list_pages++;
    free(w->continue_token);
    w->continue_token = token;
    if (token) {
        /* a page of what was asked from the cache: there is none, and a limit costs nothing more */
        w->paginate_always = w->paginate_always || w->from == WM_FROM_CACHE;
        return WM_OUT_PAGE;
    }
    /* a watch without a version would start anywhere */
    if (!take_rv(s[0], rv) || strcmp(rv, "0") == 0) {
        wm_fail(why, WM_E_INVALID, w->path, "the list has no resourceVersion");
        return WM_OUT_BROKEN;
    }
    return complete_list(w, rv);
}

/* --- watch lines --- */

struct event {
    struct wm_str object;
    struct wm_json_span rv;
};

static void stream_stop(struct wm_watch *w, enum wm_watch_outcome o)
{
    w->stream_failed = true;
    w->stream_outcome = o;
}

static bool advance(struct wm_watch *w, const struct event *e)
{
    char unused[WM_RV_SIZE] = "";

    /* the objects of a streamed list come in any order: only its end says from where to go on */
    if (take_rv(e->rv, w->op == WM_OP_STREAM ? unused : w->rv))
        return true;
    wm_fail(&w->stream_why, WM_E_INVALID, w->path, "a watch event has no resourceVersion");
    stream_stop(w, WM_OUT_BROKEN);
    return false;
}

static void on_upsert(struct wm_watch *w, const struct event *e)
{
    if (!advance(w, e))
        return;
    w->stats.events += w->op == WM_OP_WATCH;
    w->sink.upsert(w->sink.ctx, e->object);
}

static void on_remove(struct wm_watch *w, const struct event *e)
{
    /* the version of a DELETED object is that of its deletion: without it the next watch would replay it */
    if (!advance(w, e))
        return;
    w->stats.events += w->op == WM_OP_WATCH;
    w->sink.remove(w->sink.ctx, e->object);
}

/* The initial events are all there: what was a list goes on as a watch. */
static void end_stream(struct wm_watch *w, const struct event *e)
{
    char rv[WM_RV_SIZE] = "";

    if (!take_rv(e->rv, rv) || strcmp(rv, "0") == 0) {
        wm_fail(&w->stream_why, WM_E_INVALID, w->path,
                "the end of the initial events has no resourceVersion");
        stream_stop(w, WM_OUT_BROKEN);
        return;
    }
    complete_list(w, rv);
    w->op = WM_OP_WATCH;
    wm_slot_release(w);
    if (!w->stopped)
        wm_watch_streaming(w);
}

static void on_bookmark(struct wm_watch *w, const struct event *e)
{
    if (!advance(w, e))
        return;
    w->stats.bookmarks++;
    if (w->op == WM_OP_STREAM && wm_stream_is_end(e->object))
        end_stream(w, e);
}

static void on_error(struct wm_watch *w, const struct event *e)
{
    stream_stop(w, wm_classify_event(e->object, &w->stream_retry_s, &w->stream_why));
}

static const struct {
    const char *type;
    void (*take)(struct wm_watch *w, const struct event *e);
} event_types[] = {
    {"MODIFIED", on_upsert},   {"ADDED", on_upsert}, {"DELETED", on_remove},
    {"BOOKMARK", on_bookmark}, {"ERROR", on_error},
};

static void on_line(void *ctx, struct wm_str line)
{
    static const char *const wanted[] = {"/type", "/object", "/object/metadata/resourceVersion"};
    struct wm_watch *w = ctx;
    struct wm_json_span s[3];

    if (w->stream_failed || w->stopped)
        return;
    if (wm_json_locate(line, 3, wanted, s, &w->stream_why) < 0) {
        stream_stop(w, WM_OUT_BROKEN);
        return;
    }
    if (s[0].kind != WM_JSON_STRING || s[1].kind != WM_JSON_OBJECT) {
        wm_fail(&w->stream_why, WM_E_INVALID, w->path, "a watch event has no type or no object");
        stream_stop(w, WM_OUT_BROKEN);
        return;
    }
    for (size_t i = 0; i < sizeof event_types / sizeof event_types[0]; i++)
        if (wm_json_span_is(s[0], event_types[i].type)) {
            event_types[i].take(w, &(struct event){s[1].text, s[2]});
            w->stats.confirmed = w->stats.confirmed || (w->op == WM_OP_WATCH && !w->stream_failed);
            return;
        }
    /* perhaps a kind of event that is still to be invented: what it means for the version is not known */
    w->stats.unknown_events++;
}

/* --- callbacks of the transfer --- */

static bool is_json(const char *content_type)
{
    static const char json[] = "application/json";

    return strncasecmp(content_type, json, sizeof json - 1) == 0 &&
           (content_type[sizeof json - 1] == '\0' || strchr("; \t", content_type[sizeof json - 1])) &&
           !strcasestr(content_type, "as=Table");
}

bool wm_watch_on_head(void *ctx, const char *content_type, struct wm_error *why)
{
    struct wm_watch *w = ctx;

    if (w->stopped || !is_json(content_type)) {
        wm_fail(why, WM_E_INVALID, w->path, "answered with Content-Type '%.80s' instead of JSON",
                content_type);
        return false;
    }
    if (w->op != WM_OP_WATCH && !w->replacing) {
        w->replacing = true;
        w->sink.replace_begin(w->sink.ctx);
    }
    if (!w->stopped)
        wm_watch_opened(w);
    return !w->stopped;
}

bool wm_watch_on_body(void *ctx, struct wm_str bytes, struct wm_error *why)
{
    struct wm_watch *w = ctx;
    int rc;

    w->stats.bytes += bytes.n;
    w->stats.last_heard_ms = wm_mono_ms();
    if (w->op == WM_OP_LIST) {
        rc = wm_items_feed(&w->items, bytes, on_item, w, why);
    } else {
        rc = wm_lines_feed(&w->lines, bytes, on_line, w, why);
        if (rc == WM_OK && w->stream_failed) {
            *why = w->stream_why;
            rc = w->stream_why.code ? w->stream_why.code : WM_E_INVALID;
        }
    }
    wm_watch_publish(w);
    return rc == WM_OK && !w->stopped;
}
