/* Which path of the server is whose, and what all of them have in common: refusals before a body is read,
 * errors, the time that there is.  Edge. */
#ifndef WAYMARK_WEBHOOK_ROUTES_H
#define WAYMARK_WEBHOOK_ROUTES_H

#include "server.h"
#include "waymark/json.h"

struct wm_route {
    const char *path;
    wm_handler_fn *handle;
    void *ctx;
};

enum { WM_ROUTES_MAX = 4 };
struct wm_routes {
    struct wm_route list[WM_ROUTES_MAX];
    size_t n;
};

/* wm_wants_fn, wm_handler_fn, wm_error_body_fn and wm_turn_end_fn of the server; ctx is a struct wm_routes.
 */
bool wm_routes_wants(void *ctx, const char *method, const char *path, const char *content_type,
                     struct wm_reply *ret);
void wm_routes_handle(void *ctx, struct wm_request *req, const struct wm_request_view *view);
void wm_routes_error_body(void *ctx, int status, const char *message, struct wm_buf *out);
void wm_routes_turn_end(void *ctx, bool last);

/* --- for the handlers --- */

/* Answers with a Status, logs and counts it.  `uid` may be absent. */
void wm_route_fail(struct wm_request *req, int status, const struct wm_error *err, struct wm_json_span uid);

/* Until when (wm_mono_ms) a request may wait for other objects: what the API server grants us, less a margin
 * for the way back, but never longer than our own budget. */
int64_t wm_route_deadline_ms(const struct wm_request_view *view, int budget_ms);

#endif
