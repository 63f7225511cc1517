#include "health.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <unistd.h>

#include "address.h"

enum { PAGE_MAX = 256 << 10, CONNECTIONS_MAX = 64, TIMEOUT_S = 10 };

struct wm_health {
    struct MHD_Daemon *daemon;
    const struct wm_telemetry_sources *from;
};

static unsigned healthz(struct wm_buf *out, const struct wm_telemetry_sources *from)
{
    (void)from;
    wm_buf_puts(out, "ok\n");
    return MHD_HTTP_OK;
}

static unsigned readyz(struct wm_buf *out, const struct wm_telemetry_sources *from)
{
    return wm_ready_page(out, from) ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE;
}

static unsigned metrics(struct wm_buf *out, const struct wm_telemetry_sources *from)
{
    wm_metrics_page(out, from);
    return MHD_HTTP_OK;
}

static const struct page {
    const char *path, *content_type;
    unsigned (*print)(struct wm_buf *out, const struct wm_telemetry_sources *from);
} pages[] = {
    {"/healthz", "text/plain; charset=utf-8", healthz},
    {"/livez", "text/plain; charset=utf-8", healthz},
    {"/readyz", "text/plain; charset=utf-8", readyz},
    {"/metrics", "text/plain; version=0.0.4; charset=utf-8", metrics},
};

static enum MHD_Result reply(struct MHD_Connection *c, unsigned status, const char *content_type,
                             struct wm_buf *body)
{
    size_t n = body->n;
    struct MHD_Response *r = MHD_create_response_from_buffer(n, wm_buf_take(body), MHD_RESPMEM_MUST_FREE);

    if (!r)
        return MHD_NO;
    MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, content_type);
    enum MHD_Result ok = MHD_queue_response(c, status, r);

    MHD_destroy_response(r);
    return ok;
}

static enum MHD_Result on_request(void *ctx, struct MHD_Connection *c, const char *url, const char *method,
                                  const char *version, const char *upload, size_t *upload_size, void **seen)
{
    static int marker;
    struct wm_health *h = ctx;
    struct wm_buf body = WM_BUF_MAX(PAGE_MAX);

    (void)version;
    (void)upload;
    if (*seen == NULL) {
        *seen = &marker;
        return MHD_YES;
    }
    *upload_size = 0; /* nobody needs a body here */
    if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0) {
        wm_buf_puts(&body, "only GET is answered here\n");
        return reply(c, MHD_HTTP_METHOD_NOT_ALLOWED, pages[0].content_type, &body);
    }
    for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++)
        if (strcmp(url, pages[i].path) == 0) {
            unsigned status = pages[i].print(&body, h->from);

            return reply(c, status, pages[i].content_type, &body);
        }
    wm_buf_puts(&body, "there are /healthz, /readyz and /metrics\n");
    return reply(c, MHD_HTTP_NOT_FOUND, pages[0].content_type, &body);
}

int wm_health_new(const char *address, int port, const struct wm_telemetry_sources *from,
                  struct wm_health **ret, struct wm_error *err)
{
    struct sockaddr_storage sa;
    socklen_t sa_n;
    int rc = wm_address_resolve(address, port, &sa, &sa_n, err);

    if (rc < 0)
        return rc;
    struct wm_health *h = wm_xcalloc(1, sizeof *h);
    unsigned v6 = sa.ss_family == AF_INET6 ? MHD_USE_DUAL_STACK : 0;

    h->from = from;
    h->daemon = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_EPOLL | v6, (uint16_t)port, NULL,
                                 NULL, on_request, h, MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&sa,
                                 MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX,
                                 MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)TIMEOUT_S, MHD_OPTION_END);
    if (!h->daemon) {
        free(h);
        return wm_fail_errno(err, WM_E_IO, address, "cannot serve health and metrics");
    }
    *ret = h;
    return WM_OK;
}

int wm_health_port(const struct wm_health *h)
{
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(h->daemon, MHD_DAEMON_INFO_BIND_PORT);

    return info ? info->port : 0;
}

struct wm_health *wm_health_free(struct wm_health *h)
{
    if (!h)
        return NULL;
    MHD_stop_daemon(h->daemon);
    free(h);
    return NULL;
}
