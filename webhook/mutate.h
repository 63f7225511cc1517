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

/* wm_wants_fn, wm_handler_fn, wm_error_body_fn and wm_turn_end_fn of the server; ctx is a struct wm_mutate.
 */
bool wm_mutate_wants(void *ctx, const char *method, const char *path, const char *content_type,
                     struct wm_reply *ret);
void wm_mutate_handle(void *ctx, struct wm_request *req, const struct wm_request_view *view);
void wm_mutate_error_body(void *ctx, int status, const char *message, struct wm_buf *out);
void wm_mutate_turn_end(void *ctx, bool last);

#endif
