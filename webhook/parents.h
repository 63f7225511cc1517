/* The parents of everything that is labelled: a list/watch of each kind (metadata only), and single lookups
 * for what the watches have not brought yet.  Edge. */
#ifndef WAYMARK_WEBHOOK_PARENTS_H
#define WAYMARK_WEBHOOK_PARENTS_H

#include "waymark/kube.h"
#include "waymark/labels.h"
#include "waymark/watch.h"

struct wm_parents;

/* Starts the watches on `k`, which must outlive the result.  `conf` is borrowed. */
int wm_parents_new(struct wm_kube *k, const struct wm_label_conf *conf, struct wm_parents **ret,
                   struct wm_error *err);
/* After wm_kube_free of its `k`: no callback runs any more. */
struct wm_parents *wm_parents_free(struct wm_parents *p);

/* A wm_find_fn; ctx is the struct wm_parents.  A kind that is not installed is FOUND_NOT.  Any thread. */
enum wm_found wm_parents_find(void *ctx, const struct wm_ref *ref, struct wm_parent *ret);

enum wm_lookup_result {
    WM_LOOKUP_FOUND,
    WM_LOOKUP_ABSENT,
    WM_LOOKUP_TIMEOUT,
    WM_LOOKUP_ERROR,
    WM_LOOKUP_BUSY,
    WM_LOOKUP_COUNT
};
extern const char *const wm_lookup_result_names[];

/* Asks the API server for one parent and puts it into the store; `done` runs once, in the kube thread.
 * References to the same parent that are under way together cost one request.  Returns false when too many
 * are under way: `done` does not run. */
typedef void wm_lookup_fn(void *ctx, enum wm_lookup_result result);
bool wm_parents_lookup(struct wm_parents *p, const struct wm_ref *ref, int budget_ms, wm_lookup_fn *done,
                       void *ctx);

/* For readiness and metrics. */
struct wm_parents_kind_stats {
    const char *resource;
    size_t objects;
    struct wm_watch_stats watch;
};
void wm_parents_stats(struct wm_parents *p,
                      struct wm_parents_kind_stats ret[WM_PARENT_COUNT]); /* [0] unused */

#endif
