/* List and watch of one resource, for ever: the informer's network half.  Edge.
 *
 * What it keeps is its sink's business; nothing is cached here but the resourceVersion.  All sink calls run
 * in the kube thread, in the stream's order. */
#ifndef WAYMARK_WATCH_H
#define WAYMARK_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "waymark/kube.h"

enum wm_watch_state {
    WM_WATCH_STARTING,  /* never listed yet */
    WM_WATCH_SYNCED,    /* list complete, watch open or being re-opened with a known resourceVersion */
    WM_WATCH_ABSENT,    /* the kind is not installed (404): synced and empty, asked again every 30 to 60 s */
    WM_WATCH_FORBIDDEN, /* 403: asked again every minute */
    WM_WATCH_UNAUTHORIZED, /* 401 twice */
    WM_WATCH_UNREACHABLE,  /* no connection or 5xx; what the sink has is stale since state_since */
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
    /* One object, ADDED, MODIFIED or listed.  `object` is the JSON text of the whole object, borrowed,
     * checked to be JSON. */
    void (*upsert)(void *ctx, struct wm_str object);
    void (*remove)(void *ctx, struct wm_str object); /* DELETED; the last known state */
    void (*state)(void *ctx, enum wm_watch_state s,
                  const struct wm_error *why); /* may be NULL; why NULL if none */
};

struct wm_watch_spec {
    const char *path; /* "/apis/velero.io/v1/backups", all namespaces, or ".../namespaces/x/backups" */
    const char *label_selector;   /* NULL = all; unescaped */
    bool metadata_only;           /* PartialObjectMetadata(List), falling back to whole objects on 406/415 */
    int page_size;                /* 0 = 500 */
    int watch_min_s, watch_max_s; /* timeoutSeconds is random between; 0 = 300 and 600 */
};

struct wm_watch; /* owned by its wm_kube, freed with it */

/* Starts; the first sink call comes later, in the kube thread.  `spec` strings are copied. */
int wm_watch_start(struct wm_kube *k, const struct wm_watch_spec *spec, const struct wm_watch_sink *sink,
                   struct wm_watch **ret, struct wm_error *err);

/* Counters since the start, for metrics; a snapshot, from any thread. */
struct wm_watch_stats {
    enum wm_watch_state state;
    int64_t state_since_ms; /* wm_mono_ms of the last change of state */
    uint64_t lists, list_pages, watches, events, bookmarks, expired /* 410 */, errors, bytes;
};
void wm_watch_stats(const struct wm_watch *w, struct wm_watch_stats *ret);

/* --- pure parts, shared with tests and fuzzers --- */

/* Splits a watch body into lines: feed bytes as they come, `line` runs for each complete non-empty line
 * (without its \r\n).  Each byte is looked at once.  WM_E_TOO_BIG when a line passes `max`. */
struct wm_lines {
    struct wm_buf held;
};
int wm_lines_feed(struct wm_lines *l, struct wm_str bytes, void (*line)(void *ctx, struct wm_str line),
                  void *ctx, struct wm_error *err);
void wm_lines_done(struct wm_lines *l);

/* The wait before attempt `n` (0 = first retry): 0.8 s doubling to 30 s, times (1 + random/UINT32_MAX). */
int wm_backoff_ms(unsigned n, uint32_t random);

#endif
