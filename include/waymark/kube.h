/* The way to one API server: where it is, who we are, and requests to it over one libcurl multi loop.  Edge.
 *
 * A `struct wm_kube` owns one thread, in which every callback below runs; callbacks must not block.  All
 * functions may be called from any thread, callbacks included. */
#ifndef WAYMARK_KUBE_H
#define WAYMARK_KUBE_H

#include <stdbool.h>
#include <stdint.h>

#include "waymark/buf.h"
#include "waymark/error.h"

/* --- where and who --- */

/* Everything is owned by the struct; NULL = not given.  Key and certificates stay in memory, never on disk.
 */
struct wm_kube_access {
    char *name;       /* for logs and messages: context or cluster name, "in-cluster" */
    char *server;     /* https://host:port, no trailing slash */
    char *namespace_; /* the context's or the pod's own; NULL = "default" */
    struct wm_str ca_pem, cert_pem, key_pem;
    char *cert_file, *key_file, *ca_file; /* instead of the PEMs: re-read when they change */
    char *token;
    char *token_file; /* re-read each minute and after a 401 */
    char *username, *password;
    char *tls_server_name, *proxy_url;
    bool insecure; /* insecure-skip-tls-verify */
    /* exec credential plugin: argv (NULL-terminated) and extra environment "K=V" (NULL-terminated); NULL =
     * none */
    char **exec_argv, **exec_env;
    char *exec_api_version;
    bool exec_cluster_info; /* the plugin is told the server and its CA too */
};
void wm_kube_access_done(struct wm_kube_access *a);

/* From a kubeconfig text, `context` NULL = its current-context.  Relative file names are relative to `dir`.
 * Errors name line and key, never a value.  At most 4 MiB, aliases refused, nesting at most 64.  What would
 * make us somebody else if it were skipped (impersonation, auth-provider) is an error. */
int wm_kubeconfig_parse(struct wm_str text, const char *dir, const char *context, struct wm_kube_access *ret,
                        struct wm_error *err);
/* In controller-runtime's order: `path` if given, else the files of $KUBECONFIG (merged as kubectl does: the
 * first that defines a name wins), else the pod's own service account when KUBERNETES_SERVICE_HOST is set and
 * no context was asked for, else ~/.kube/config. */
int wm_kube_access_load(const char *path, const char *context, struct wm_kube_access *ret,
                        struct wm_error *err);

/* --- requests --- */

struct wm_kube;

struct wm_kube_opts {
    const char *user_agent; /* "waymark-webhook/0.1.0 (linux/amd64)" */
    int connect_timeout_ms; /* 0 = 10,000 */
    int writes_per_s;       /* other methods than GET; 0 = 20, with bursts of 40; -1 = no limit */
};

/* Takes over what is in *access (which is empty afterwards) and starts the thread.  Does not contact the
 * server. */
int wm_kube_new(struct wm_kube_access *access, const struct wm_kube_opts *opts, struct wm_kube **ret,
                struct wm_error *err);
/* Ends the watches and the thread; callbacks of pending requests run with WM_E_IO "shutting down" first. NULL
 * is fine.  Not from a callback. */
struct wm_kube *wm_kube_free(struct wm_kube *k);

const char *wm_kube_server(const struct wm_kube *k);
/* False from the moment that a watch was cut off, or an attempt of one failed, until one is answered again.
 * From any thread. */
bool wm_kube_is_reachable(const struct wm_kube *k);
/* Access's namespace, else "default".  Borrowed. */
const char *wm_kube_namespace(const struct wm_kube *k);

/* How far the server's clock is ahead of ours, within a second: the median of its last nine Date headers.
 * False when it never answered. */
bool wm_kube_clock_offset_ms(struct wm_kube *k, int64_t *ret);

/* What goes into a path as a name must be one: letters, digits, '-' and '.', but neither "." nor "..".
 * `what` is for the message: "Secret". */
bool wm_kube_is_name(const char *name);
int wm_kube_name_check(const char *what, const char *name, struct wm_error *err);

struct wm_kube_reply {
    int status;         /* HTTP status; 0 when there was none: then `error` says why */
    struct wm_str body; /* borrowed for the callback */
    struct wm_error
        error;         /* code WM_OK for 2xx; else NOT_FOUND (404), CONFLICT (409), AUTH (401, 403), TIMEOUT,
                          BUSY (429), INVALID (other 4xx), IO; message from the v1 Status if there is one */
    int retry_after_s; /* from Retry-After, else 0 */
};
typedef void wm_kube_reply_fn(void *ctx, const struct wm_kube_reply *reply);

struct wm_kube_request {
    const char *method;       /* "GET", "POST", "PUT", "PATCH", "DELETE" */
    const char *path;         /* "/api/v1/...?..." already escaped */
    const char *accept;       /* NULL = application/json */
    const char *content_type; /* NULL = application/json when there is a body */
    struct wm_str body;       /* copied */
    int timeout_ms;           /* whole request, queueing and retries included; 0 = 30,000 */
    int start_ms;    /* given up with WM_E_BUSY and status 0 when the limit on writes, or other requests, keep
                        it waiting for so long: it was never sent; 0 = that counts as timeout_ms only */
    bool once;       /* no retries in place (429/5xx with Retry-After, 401 after re-reading the token) */
    size_t max_body; /* 0 = 16 MiB */
};

/* Starts a request; `done` runs exactly once, in the kube thread.  WM_E_BUSY when over 1,000 are pending. */
int wm_kube_send(struct wm_kube *k, const struct wm_kube_request *r, wm_kube_reply_fn *done, void *ctx,
                 struct wm_error *err);

/* The same and waits, for programs and threads that have nothing else to do (never in a callback).  On an
 * answer of 2xx returns WM_OK with the body appended to `ret_body` (may be NULL); else the reply's error.
 * *ret_status (may be NULL) is set in every case, 0 = no answer. */
int wm_kube_call(struct wm_kube *k, const struct wm_kube_request *r, struct wm_buf *ret_body, int *ret_status,
                 struct wm_error *err);

#endif
