/* POST /validate: from an HTTP request to its verdict.  Edge. */
#ifndef WAYMARK_WEBHOOK_VALIDATE_ROUTE_H
#define WAYMARK_WEBHOOK_VALIDATE_ROUTE_H

#include "facts_fetch.h"
#include "policy_source.h"
#include "server.h"

struct wm_validator {
    struct wm_policy_source *policies;
    struct wm_fetcher *fetcher; /* NULL = no lookups: rules that need other objects cannot tell */
    int budget_ms;              /* for all lookups of one request together */
};

/* A wm_handler_fn; ctx is a struct wm_validator.  What cannot be told is allowed. */
void wm_validate_handle(void *ctx, struct wm_request *req, const struct wm_request_view *view);

#endif
