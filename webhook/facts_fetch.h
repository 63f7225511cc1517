/* Fetches the other objects that rules ask for, one request each, from the API server.  Edge; thread-safe.
 *
 * A single object is a quorum read, so that what was created a moment ago is there; a list may come from the
 * API server's cache (resourceVersion=0), which costs etcd nothing. */
#ifndef WAYMARK_WEBHOOK_FACTS_FETCH_H
#define WAYMARK_WEBHOOK_FACTS_FETCH_H

#include "waymark/facts.h"
#include "waymark/kube.h"

enum wm_fetch_result {
    WM_FETCH_FOUND,
    WM_FETCH_ABSENT,    /* the API server knows the kind, and names the object that is not there */
    WM_FETCH_NO_KIND,   /* the kind is not installed, or not in this version */
    WM_FETCH_FORBIDDEN, /* our ServiceAccount may not */
    WM_FETCH_TIMEOUT,
    WM_FETCH_TOO_BIG,
    WM_FETCH_BUSY, /* too much is under way */
    WM_FETCH_ERROR,
    WM_FETCH_COUNT
};
extern const char *const wm_fetch_result_names[];

/* What a rule may conclude from it: all but FOUND and ABSENT are "cannot tell". */
enum wm_fact_state wm_fetch_state(enum wm_fetch_result result);

struct wm_fetcher;

/* `k` must outlive what is under way. */
struct wm_fetcher *wm_fetcher_new(struct wm_kube *k);
/* After wm_kube_free of its `k`: no callback runs any more.  NULL is fine. */
struct wm_fetcher *wm_fetcher_free(struct wm_fetcher *f);

/* `text` is the caller's from then on (FOUND only, else NULL); `n` bytes of it are accounted for until
 * wm_fetcher_release. */
typedef void wm_fetch_fn(void *ctx, enum wm_fetch_result result, char *text, size_t n);

/* Asks; `done` runs exactly once, in the kube thread, or at once in the caller's when there is nothing to
 * send. */
void wm_fetch(struct wm_fetcher *f, const struct wm_query *q, int budget_ms, wm_fetch_fn *done, void *ctx);

/* So many bytes of what was found are no longer held. */
void wm_fetcher_release(struct wm_fetcher *f, size_t bytes);

#endif
