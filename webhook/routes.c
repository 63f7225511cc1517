#include "routes.h"

#include "telemetry.h"
#include "waymark/log.h"

enum { MARGIN_MS = 200, STATUS_MAX = 4096, MESSAGE_MAX = 512 };

/* --- refusing before the body is read --- */

static bool is_json(const char *content_type)
{
    size_t n = strlen("application/json");

    return strncasecmp(content_type, "application/json", n) == 0 &&
           (content_type[n] == '\0' || content_type[n] == ';' || content_type[n] == ' ');
}

static bool refuse(struct wm_reply *ret, int status, const char *message)
{
    static _Thread_local char text[STATUS_MAX];
    wm_auto_buf struct wm_buf body = WM_BUF_MAX(STATUS_MAX - 1);

    wm_status_print(&body, status, message, (struct wm_json_span){0});
    memcpy(text, body.p, body.n);
    ret->status = status;
    ret->body = (struct wm_str){text, body.n};
    wm_count_http_error(status);
    return false;
}

static bool refuse_path(const struct wm_routes *routes, struct wm_reply *ret)
{
    wm_auto_buf struct wm_buf message = WM_BUF_MAX(MESSAGE_MAX);

    wm_buf_puts(&message, "there is nothing here; AdmissionReviews go to POST ");
    for (size_t i = 0; i < routes->n; i++) {
        wm_buf_puts(&message, i ? " or " : "");
        wm_buf_puts(&message, routes->list[i].path);
    }
    return refuse(ret, 404, wm_buf_text(&message).p);
}

static const struct wm_route *route_of(const struct wm_routes *routes, const char *path)
{
    for (size_t i = 0; i < routes->n; i++)
        if (strcmp(path, routes->list[i].path) == 0)
            return &routes->list[i];
    return NULL;
}

bool wm_routes_wants(void *ctx, const char *method, const char *path, const char *content_type,
                     struct wm_reply *ret)
{
    if (!route_of(ctx, path))
        return refuse_path(ctx, ret);
    if (strcmp(method, "POST") != 0) {
        ret->allow = "POST";
        return refuse(ret, 405, "AdmissionReviews are sent with POST");
    }
    if (!is_json(content_type))
        return refuse(ret, 415, "the Content-Type must be application/json");
    return true;
}

void wm_routes_handle(void *ctx, struct wm_request *req, const struct wm_request_view *view)
{
    const struct wm_route *route = route_of(ctx, view->path); /* there is one: wm_routes_wants */

    route->handle(route->ctx, req, view);
}

void wm_routes_error_body(void *ctx, int status, const char *message, struct wm_buf *out)
{
    (void)ctx;
    wm_count_http_error(status);
    wm_status_print(out, status, message, (struct wm_json_span){0});
}

/* The lines of a turn leave in one write. */
void wm_routes_turn_end(void *ctx, bool last)
{
    (void)ctx;
    wm_log_flush();
    wm_log_buffer(!last);
}

/* --- for the handlers --- */

void wm_route_fail(struct wm_request *req, int status, const struct wm_error *err, struct wm_json_span uid)
{
    wm_auto_buf struct wm_buf body = WM_BUF_MAX(STATUS_MAX);

    wm_status_print(&body, status, err->msg, uid);
    wm_count_http_error(status);
    wm_log(WM_LOG_WARN, "review_refused", WM_FI("status", status), WM_FJ("uid", uid.text),
           WM_F("where", err->where), WM_F("error", err->msg));
    wm_request_reply(req, &(struct wm_reply){.status = status, .body = wm_buf_text(&body)});
}

int64_t wm_route_deadline_ms(const struct wm_request_view *view, int budget_ms)
{
    if (view->timeout_ms > 0 && view->timeout_ms - MARGIN_MS < budget_ms)
        budget_ms = view->timeout_ms - MARGIN_MS;
    return view->received_ns / 1000000 + budget_ms;
}
