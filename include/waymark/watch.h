/* List and watch of one resource, for ever: the informer's network half.  Edge.
 *
 * What it keeps is its sink's business; nothing is cached here but the resourceVersion.  All sink calls run
 * in the kube thread, in the stream's order. */
#ifndef WAYMARK_WATCH_H
#define WAYMARK_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "waymark/json.h"
#include "waymark/kube.h"

enum wm_watch_state {
    WM_WATCH_STARTING,  /* never listed yet */
    WM_WATCH_SYNCED,    /* list complete, watch open or being re-opened with a known resourceVersion */
    WM_WATCH_ABSENT,    /* the kind is not installed (404): synced and empty, asked again every 30 to 60 s */
    WM_WATCH_FORBIDDEN, /* 403: asked again every minute */
    WM_WATCH_UNAUTHORIZED, /* 401 twice */
    WM_WATCH_UNREACHABLE,  /* no connection, 429, 5xx or nonsense; the sink's content is as old as last_heard
                            */
};
const char *wm_watch_state_name(enum wm_watch_state s); /* "synced", ... for logs and metrics */

struct wm_watch_sink {
    void *ctx;
    /* A complete list follows: `replace_begin`, one `upsert` an object, `replace_end`.  Between begin and end
     * the sink still serves the old content; objects not upserted are gone at end.  `replace_abort` instead
     * of end when the list broke off: the old content stays. */
    void (*replace_begin)(void *ctx);
    void (*replace_end)(void *ctx);
    void (*replace_abort)(void *ctx);
    /* One object, ADDED, MODIFIED or listed.  `object` is the JSON text of the whole object, borrowed, of
     * which no more is known than that its brackets close: wm_json_locate and wm_json_pick check what they
     * find.  Items of core kinds' lists bear no kind.  After a resume an object may come again
     * as it was. */
    void (*upsert)(void *ctx, struct wm_str object);
    /* DELETED, or no longer selected; the last known state.  May name an object that the sink never saw.
     * Between begin and end only with `stream`: what went while the list was coming in. */
    void (*remove)(void *ctx, struct wm_str object);
    /* Every change of state; `why` NULL = nothing to say.  NULL: the watch logs them itself, by server and
     * path; who takes them has better names for both. */
    void (*state)(void *ctx, enum wm_watch_state s, const struct wm_error *why);
};

struct wm_watch_spec {
    const char *path; /* "/apis/velero.io/v1/backups", all namespaces, or ".../namespaces/x/backups" */
    /* The same resource in another version; NULL = there is none.  Where the API server knows the one not
     * (404) the other is taken, and only where it knows neither the kind is absent. */
    const char *other_path;
    const char *label_selector, *field_selector; /* NULL = all; unescaped */
    bool metadata_only;           /* PartialObjectMetadata(List), falling back to whole objects on 406/415 */
    int page_size;                /* 0 = 500 */
    int watch_min_s, watch_max_s; /* timeoutSeconds is random between; 0 = 300 and 600 */
    /* The first list asks etcd, not the API server's cache: for who kept state over a restart and must not
     * see time run backwards. */
    bool quorum_first;
    /* Lists come as a stream of events where the API server offers it (Kubernetes 1.32 and later, mostly),
     * and as pages where it refuses (400, 422); what was refused is remembered for a day.  The content is
     * then as new as the server's from the first list on, at no cost in etcd, and the server needs no memory
     * for the whole of it.  Not for servers before 1.19, which mistake it for a plain watch.  It costs a
     * request at the start where it is refused, so it is not for who lists small things in a hurry. */
    bool stream;
    /* So often, times 1 to 2 at random, one list from the API server's cache follows the regular end of a
     * watch, to find what a watch has lost; 0 = never. */
    int audit_s;
};

struct wm_watch; /* owned by its wm_kube, freed with it unless stopped before */

/* Starts; the first sink call comes later, in the kube thread.  `spec` strings are copied. */
int wm_watch_start(struct wm_kube *k, const struct wm_watch_spec *spec, const struct wm_watch_sink *sink,
                   struct wm_watch **ret, struct wm_error *err);

/* To be asked inside `replace_end`: the list was an audit, and of the very version up to which the sink was
 * told everything.  Then whatever it changed had been lost before; an audit during which something happened
 * says nothing. */
bool wm_watch_is_audit(const struct wm_watch *w);

/* Ends a watch; no sink call runs once it has returned, and `w` is gone.  Waits for the kube thread unless it
 * is called there, so not while holding a lock that a sink call takes. */
void wm_watch_stop(struct wm_watch *w);

/* Opens every open watch of `k` anew, from where it was and on a new connection: for who knows that what it
 * has is dead although the network says otherwise.  From any thread. */
void wm_watches_reconnect(struct wm_kube *k);

/* Counters since the start, for metrics; a snapshot, from any thread. */
struct wm_watch_stats {
    enum wm_watch_state state;
    int64_t state_since_ms; /* wm_mono_ms of the last change of state */
    int64_t last_heard_ms;  /* wm_mono_ms of the last byte of a list or watch; 0 = never */
    /* The content is at least as new as the server's at some moment since the start: a list from its cache
     * (resourceVersion=0) may be older, until an event, a bookmark or a list from etcd proves it. */
    bool confirmed;
    uint64_t lists, list_pages, watches, events, bookmarks, expired /* 410 */, errors, bytes;
    uint64_t audits;        /* lists for which wm_watch_is_audit was true */
    uint64_t streams;       /* of the lists, how many were asked for as a stream */
    uint64_t stream_stalls; /* times that nothing came for 10 s while one was not complete */
    uint64_t unknown_events;
};
void wm_watch_stats(const struct wm_watch *w, struct wm_watch_stats *ret);

/* --- pure parts, shared with tests and fuzzers --- */

/* Splits a watch body into lines: feed bytes as they come, `line` runs for each complete non-empty line
 * (without its \r\n).  Each byte is looked at once.  WM_E_TOO_BIG when a line passes held.max (0 = 4 MiB).
 * What has no line end yet is held, and dropped by wm_lines_done: the end of a body never makes a line. */
struct wm_lines {
    struct wm_buf held;
};
int wm_lines_feed(struct wm_lines *l, struct wm_str bytes, void (*line)(void *ctx, struct wm_str line),
                  void *ctx, struct wm_error *err);
void wm_lines_done(struct wm_lines *l);

/* Takes a list's body apart while it arrives, so that a list of 50 MB needs the memory of its largest item:
 * `item` runs for each object of the top-level array "items", found by its brackets; what is around them,
 * with "items":[] in their place, is kept for the end.  An item that comes whole is not copied. */
struct wm_items {
    struct wm_buf held;  /* an item that is not complete yet; its max is the largest item taken */
    struct wm_buf frame; /* its max bounds all that is not an item */
    int place;           /* enum of items.c */
    struct wm_json_skip item;
    int depth; /* and the rest: of the frame */
    bool in_string, escaped;
};
#define WM_ITEMS(item_max)                                                                                   \
    (struct wm_items)                                                                                        \
    {                                                                                                        \
        .held = WM_BUF_MAX(item_max), .frame = WM_BUF_MAX(64 << 10)                                          \
    }
/* `item` returns false to stop, with *err filled. */
int wm_items_feed(struct wm_items *l, struct wm_str bytes,
                  bool (*item)(void *ctx, struct wm_str object, struct wm_error *err), void *ctx,
                  struct wm_error *err);
/* The body ended.  WM_E_INVALID when it was not a whole JSON object. */
int wm_items_end(const struct wm_items *l, struct wm_str *ret_frame, struct wm_error *err);
void wm_items_done(struct wm_items *l);

/* The wait before attempt `n` (0 = first retry): 0.8 s doubling to 30 s, times (1 + random/UINT32_MAX). */
int wm_backoff_ms(unsigned n, uint32_t random);

#endif
