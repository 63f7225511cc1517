/* Where a URL leads, and under which name its certificate is checked. */
#include <stdlib.h>

#include "internal.h"
#include "waymark/host.h"

void wm_endpoint_done(struct wm_endpoint *e)
{
    free(e->base);
    free(e->host_header);
    free(e->connect_to);
    *e = (struct wm_endpoint){0};
}

/* As Go's proxy rules have it: what runs on this machine is never reached through a proxy. */
static bool is_loopback(const char *host)
{
    return strcmp(host, "localhost") == 0 || strncmp(host, "127.", 4) == 0 || strcmp(host, "[::1]") == 0;
}

static bool is_excepted(const char *host)
{
    const char *list = wm_env("no_proxy");

    list = list ? list : wm_env("NO_PROXY");
    return list && wm_no_proxy_covers(list, host);
}

static int fill(struct wm_endpoint *e, const struct wm_kube_access *a, CURLU *url, struct wm_error *err)
{
    char *host = NULL, *port = NULL, *path = NULL, *scheme = NULL;
    wm_auto_buf struct wm_buf base = WM_BUF_MAX(4096), header = WM_BUF_MAX(4096), to = WM_BUF_MAX(4096);
    const char *name = a->tls_server_name;

    curl_url_get(url, CURLUPART_HOST, &host, 0);
    curl_url_get(url, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT);
    curl_url_get(url, CURLUPART_PATH, &path, 0);
    curl_url_get(url, CURLUPART_SCHEME, &scheme, 0);
    if (host && port && path && scheme) {
        e->is_https = strcmp(scheme, "https") == 0;
        e->is_loopback = is_loopback(host);
        e->is_direct = e->is_loopback || is_excepted(host);
        wm_buf_printf(&base, "%s://%s:%s%s", scheme, name ? name : host, port,
                      strcmp(path, "/") == 0 ? "" : path);
        wm_buf_printf(&header, "Host: %s:%s", host, port);
        wm_buf_printf(&to, "%s:%s:%s:%s", name ? name : "", port, host, port);
    }
    curl_free(host);
    curl_free(port);
    curl_free(path);
    curl_free(scheme);
    if (base.bad || header.bad || to.bad || base.n == 0)
        return wm_fail(err, WM_E_INVALID, NULL, "server is not a usable URL");
    e->base = wm_buf_take(&base);
    /* libcurl has no option for the name of the handshake; so the URL bears it, and leads elsewhere */
    if (name) {
        e->host_header = wm_buf_take(&header);
        e->connect_to = wm_buf_take(&to);
    }
    return WM_OK;
}

int wm_endpoint_init(struct wm_endpoint *e, const struct wm_kube_access *a, struct wm_error *err)
{
    CURLU *url = curl_url();
    int rc;

    *e = (struct wm_endpoint){0};
    if (!url || curl_url_set(url, CURLUPART_URL, a->server, 0) != CURLUE_OK)
        rc = wm_fail(err, WM_E_INVALID, NULL, "server is not a usable URL");
    else
        rc = fill(e, a, url, err);
    curl_url_cleanup(url);
    return rc;
}
