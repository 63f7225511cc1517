/* What tests of requests share: a scripted server, and a client of it. */
#ifndef WAYMARK_UNIT_KUBE_FIXTURE_H
#define WAYMARK_UNIT_KUBE_FIXTURE_H

#include "fault_server.h"
#include "lib/kube/internal.h"
#include "unit.h"

static inline struct wm_kube_tunables tuned(void)
{
    struct wm_kube_tunables t = wm_kube_default_tunables;

    t.connect_ms = 1000;
    t.request_ms = 5000;
    t.backoff_divisor = 20;
    return t;
}

/* --- a server and a client of it --- */

struct pair {
    struct fault_server *server;
    struct wm_kube *kube;
};

static inline char *url_of(const struct fault_server *s, const char *scheme, const char *host)
{
    wm_auto_buf struct wm_buf url = WM_BUF_MAX(256);

    wm_buf_printf(&url, "%s://%s:%d", scheme, host, fault_server_port(s));
    return wm_buf_take(&url);
}

static inline struct pair open_with(struct fault_server *s, struct wm_kube_access access,
                                    struct wm_kube_tunables t)
{
    struct pair p = {.server = s};

    if (!access.server)
        access.server = url_of(s, "http", "127.0.0.1");
    assert_int_equal(wm_kube_new_tuned(&access, NULL, &t, &p.kube, NULL), WM_OK);
    assert_null(access.server);
    return p;
}

static inline struct pair open_pair(const struct fault *rows, size_t n)
{
    return open_with(fault_server_start(rows, n, NULL), (struct wm_kube_access){0}, tuned());
}
#define OPEN(...)                                                                                            \
    open_pair((const struct fault[]){__VA_ARGS__},                                                           \
              sizeof((const struct fault[]){__VA_ARGS__}) / sizeof(struct fault))

static inline void close_pair(struct pair *p)
{
    p->kube = wm_kube_free(p->kube);
    p->server = fault_server_stop(p->server);
}

static inline int get(struct pair *p, const char *path, struct wm_buf *body, int *status,
                      struct wm_error *err)
{
    return wm_kube_call(p->kube, &(struct wm_kube_request){.method = "GET", .path = path}, body, status, err);
}

/* Of a reply: how many ended with each error. */
static inline void count_codes(void *ctx, const struct wm_kube_reply *reply)
{
    ((_Atomic int *)ctx)[-reply->error.code]++;
}

#endif
