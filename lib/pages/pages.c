#include "waymark/pages.h"

#include <microhttpd.h>
#include <stdlib.h>

#include "waymark/address.h"

/* PAGE_MAX: the metrics of 2,048 watches are 2 MiB. */
enum { PAGE_MAX = 4 << 20, CONNECTIONS_MAX = 64, TIMEOUT_S = 10 };

struct wm_pages {
    struct MHD_Daemon *daemon;
    const struct wm_page *table;
    size_t n;
    void *ctx;
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

/* Half a page would be taken for a whole one: what is missing from metrics raises no alert. */
static enum MHD_Result reply_page(struct MHD_Connection *c, const struct wm_page *page, void *ctx)
{
    struct wm_buf body = WM_BUF_MAX(PAGE_MAX);
    unsigned status = page->print(ctx, &body);

    if (body.bad) {
        wm_buf_clear(&body);
        wm_buf_puts(&body, "the page is too long\n");
        return reply(c, MHD_HTTP_INTERNAL_SERVER_ERROR, WM_PAGE_TEXT, &body);
    }
    return reply(c, status, page->content_type, &body);
}

static enum MHD_Result on_request(void *ctx, struct MHD_Connection *c, const char *url, const char *method,
                                  const char *version, const char *upload, size_t *upload_size, void **seen)
{
    static int marker;
    struct wm_pages *p = ctx;
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
        return reply(c, MHD_HTTP_METHOD_NOT_ALLOWED, WM_PAGE_TEXT, &body);
    }
    for (size_t i = 0; i < p->n; i++)
        if (strcmp(url, p->table[i].path) == 0)
            return reply_page(c, &p->table[i], p->ctx);
    wm_buf_puts(&body, "there are");
    for (size_t i = 0; i < p->n; i++)
        wm_buf_printf(&body, " %s", p->table[i].path);
    wm_buf_puts(&body, "\n");
    return reply(c, MHD_HTTP_NOT_FOUND, WM_PAGE_TEXT, &body);
}

int wm_pages_new(const char *address, int port, const struct wm_page *table, size_t n, void *ctx,
                 struct wm_pages **ret, struct wm_error *err)
{
    struct sockaddr_storage sa;
    socklen_t sa_n;
    int rc = wm_address_resolve(address, port, &sa, &sa_n, err);

    if (rc < 0)
        return rc;
    struct wm_pages *p = wm_xcalloc(1, sizeof *p);
    unsigned v6 = sa.ss_family == AF_INET6 ? MHD_USE_DUAL_STACK : 0;

    p->table = table;
    p->n = n;
    p->ctx = ctx;
    p->daemon = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_EPOLL | v6, (uint16_t)port, NULL,
                                 NULL, on_request, p, MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&sa,
                                 MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX,
                                 MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)TIMEOUT_S, MHD_OPTION_END);
    if (!p->daemon) {
        free(p);
        return wm_fail_errno(err, WM_E_IO, address, "cannot serve health and metrics");
    }
    *ret = p;
    return WM_OK;
}

int wm_pages_port(const struct wm_pages *p)
{
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(p->daemon, MHD_DAEMON_INFO_BIND_PORT);

    return info ? info->port : 0;
}

struct wm_pages *wm_pages_free(struct wm_pages *p)
{
    if (!p)
        return NULL;
    MHD_stop_daemon(p->daemon);
    free(p);
    return NULL;
}
