/* POST /mutate: from an HTTP request to its answer.  Edge. */
#ifndef WAYMARK_WEBHOOK_MUTATE_H
#define WAYMARK_WEBHOOK_MUTATE_H

#include "parents.h"
#include "server.h"
#include "waymark/review.h"

struct wm_mutate {
    const struct wm_label_conf *labels;
    struct wm_parents *parents; /* NULL = no lookups: what needs a parent stays unlabelled */
    int lookup_budget_ms;       /* for all lookups of one request together */
};

/* A wm_handler_fn; ctx is a struct wm_mutate. */
void wm_mutate_handle(void *ctx, struct wm_request *req, const struct wm_request_view *view);

#endif
