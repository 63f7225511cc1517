/* Requests to the API server: what may be refused, who grants it, and how each is made. */
#include <openssl/crypto.h>

#include "manager_impl.h"
#include "waymark/kube.h"
#include "waymark/log.h"

/* --- what may be refused, and who grants it --- */

static const struct ask_row {
    const char *method, *verb, *resource, *content_type;
} asks[WM_N_ASKS] = {
    {"GET", "get", "secrets", NULL},
    {"POST", "create", "secrets", NULL},
    {"PUT", "update", "secrets", NULL},
    {"GET", "get", "mutatingwebhookconfigurations", NULL},
    {"PATCH", "patch", "mutatingwebhookconfigurations", "application/json-patch+json"},
    {"GET", "get", "validatingwebhookconfigurations", NULL},
    {"PATCH", "patch", "validatingwebhookconfigurations", "application/json-patch+json"},
};

const char *wm_certs_ask_resource(enum wm_certs_ask ask)
{
    return asks[ask].resource;
}

/* --- talking --- */

void wm_certs_wipe_done(struct wm_buf *b)
{
    if (b->p)
        OPENSSL_cleanse(b->p, b->cap);
    wm_buf_done(b);
}

static void note_forbidden(struct wm_certs_manager *m, enum wm_certs_ask ask, const char *name, bool refused)
{
    bool namespaced = ask <= WM_ASK_UPDATE_SECRET;

    if (refused && !m->forbidden[ask])
        wm_log(WM_LOG_ERROR, "certs_forbidden", WM_F("verb", asks[ask].verb),
               WM_F("resource", asks[ask].resource), WM_F("name", ask == WM_ASK_CREATE_SECRET ? "" : name),
               WM_F("namespace", namespaced ? m->ns : ""),
               WM_F("remedy", namespaced ? "grant it in a Role to our ServiceAccount"
                                         : "grant it in a ClusterRole to our ServiceAccount"));
    m->forbidden[ask] = refused;
}

int wm_certs_call(struct wm_certs_manager *m, enum wm_certs_ask ask, const char *name, const char *path,
                  struct wm_str body, struct wm_buf *ret, int *ret_status, struct wm_error *err)
{
    struct wm_kube_request r = {
        .method = asks[ask].method,
        .path = path,
        .content_type = asks[ask].content_type,
        .body = body,
        .timeout_ms = m->timeout_ms,
        .max_body = ret->max,
    };
    struct wm_error e = {0};
    int rc = wm_kube_call(m->kube, &r, ret, ret_status, &e);

    note_forbidden(m, ask, name, *ret_status == 403);
    if (rc < 0 && err) {
        *err = e;
        wm_fail_in(err, "%s %s %s", asks[ask].verb, asks[ask].resource, name);
    }
    return rc;
}

void wm_certs_secret_path(const struct wm_certs_manager *m, const char *name, struct wm_buf *out)
{
    wm_buf_printf(out, "/api/v1/namespaces/%s/secrets%s%s", m->ns, name[0] ? "/" : "", name);
}

void wm_certs_config_path(const struct wm_certs_config *c, bool old_api, struct wm_buf *out)
{
    wm_buf_printf(out, "/apis/admissionregistration.k8s.io/%s/%s/%s", old_api ? "v1beta1" : "v1",
                  asks[c->get].resource, c->name);
}
