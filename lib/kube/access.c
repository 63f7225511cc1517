/* Finding the way to the API server: the order of controller-runtime. */
#include "access.h"

#include <stdlib.h>
#include <unistd.h>

#include "waymark/host.h"

static const char service_account_dir[] = "/var/run/secrets/kubernetes.io/serviceaccount";

enum { MAX_KUBECONFIGS = 16 };

static void free_list(char **list)
{
    for (size_t i = 0; list && list[i]; i++)
        free(list[i]);
    free(list);
}

/* Keys and tokens do not linger in freed memory. */
static void free_secret(char *z)
{
    if (z)
        explicit_bzero(z, strlen(z));
    free(z);
}

static void free_text(struct wm_str s)
{
    char *p = (char *)(uintptr_t)s.p;

    if (p)
        explicit_bzero(p, s.n);
    free(p);
}

void wm_kube_access_done(struct wm_kube_access *a)
{
    free(a->name);
    free(a->server);
    free(a->namespace_);
    free_text(a->ca_pem);
    free_text(a->cert_pem);
    free_text(a->key_pem);
    free(a->cert_file);
    free(a->key_file);
    free(a->ca_file);
    free_secret(a->token);
    free(a->token_file);
    free(a->username);
    free_secret(a->password);
    free(a->tls_server_name);
    free_secret(a->proxy_url);
    free_list(a->exec_argv);
    free_list(a->exec_env);
    free(a->exec_api_version);
    *a = (struct wm_kube_access){0};
}

int wm_kube_server_parse(const char *url, char **ret, struct wm_error *err)
{
    const char *host = strncmp(url, "https://", 8) == 0  ? url + 8
                       : strncmp(url, "http://", 7) == 0 ? url + 7
                                                         : NULL;
    size_t n = strlen(url);

    if (!host || !*host || *host == '/' || *host == ':')
        return wm_fail(err, WM_E_INVALID, NULL, "server must be https://host[:port]");
    for (const char *p = url; *p; p++)
        if ((unsigned char)*p <= 0x20 || (unsigned char)*p >= 0x7f || strchr("?#@\\\"<>", *p))
            return wm_fail(err, WM_E_INVALID, NULL,
                           "server must be https://host[:port], without user, query or fragment");
    while (url[n - 1] == '/')
        n--;
    *ret = wm_xstrndup((struct wm_str){url, n});
    return WM_OK;
}

/* --- a pod's own identity --- */

static char *path_in(const char *dir, const char *name)
{
    wm_auto_buf struct wm_buf path = WM_BUF_MAX(8192);

    wm_buf_printf(&path, "%s/%s", dir, name);
    return wm_buf_take(&path);
}

static char *read_namespace(const char *dir)
{
    wm_auto_free char *path = path_in(dir, "namespace");
    wm_auto_buf struct wm_buf text = WM_BUF_MAX(256);

    if (wm_file_read(path, &text, NULL) < 0 || text.n == 0)
        return NULL;
    return wm_xstrndup((struct wm_str){text.p, strcspn(text.p, " \t\r\n")});
}

int wm_kube_access_in_cluster(const char *dir, const char *host, const char *port, struct wm_kube_access *ret,
                              struct wm_error *err)
{
    wm_auto_free char *token = path_in(dir, "token"), *ca = path_in(dir, "ca.crt");
    wm_auto_buf struct wm_buf url = WM_BUF_MAX(512);
    struct wm_kube_access a = {0};
    int rc;

    if (access(token, R_OK) < 0)
        return wm_fail_errno(err, WM_E_AUTH, token, "no service account token in this pod");
    wm_buf_printf(&url, strchr(host, ':') ? "https://[%s]:%s" : "https://%s:%s", host, port ? port : "443");
    if ((rc = wm_buf_check(&url, err)) < 0 || (rc = wm_kube_server_parse(url.p, &a.server, err)) < 0)
        return rc;
    a.name = wm_xstrdup("in-cluster");
    a.namespace_ = read_namespace(dir);
    a.token_file = token;
    token = NULL;
    /* without it the system's own authorities count, as in client-go */
    if (access(ca, R_OK) == 0) {
        a.ca_file = ca;
        ca = NULL;
    }
    *ret = a;
    return WM_OK;
}

/* --- files --- */

static int load_file(struct wm_kubeconfig *c, const char *path, struct wm_error *err)
{
    wm_auto_buf struct wm_buf text = WM_BUF_MAX(WM_KUBECONFIG_MAX_BYTES);
    const char *slash = strrchr(path, '/');
    wm_auto_free char *dir = wm_xstrndup(
        slash ? (struct wm_str){path, slash == path ? 1 : (size_t)(slash - path)} : wm_str_of("."));
    int rc = wm_file_read(path, &text, err);

    if (rc == WM_OK)
        rc = wm_kubeconfig_init(c, wm_buf_text(&text), path, dir, err);
    if (text.p)
        explicit_bzero(text.p, text.n);
    return rc;
}

/* `paths` as in $KUBECONFIG: separated by ':', those that do not exist are skipped. */
static int load_files(const char *paths, const char *context, struct wm_kube_access *ret,
                      struct wm_error *err)
{
    struct wm_kubeconfig files[MAX_KUBECONFIGS];
    size_t n = 0;
    int rc = WM_OK;

    for (const char *p = paths; *p && n < MAX_KUBECONFIGS && rc == WM_OK;) {
        size_t len = strcspn(p, ":");
        wm_auto_free char *path = wm_xstrndup((struct wm_str){p, len});

        if (len > 0 && access(path, F_OK) == 0) {
            rc = load_file(&files[n], path, err);
            n += rc == WM_OK;
        }
        p += len + (p[len] == ':');
    }
    if (rc == WM_OK && n == 0)
        rc = wm_fail(err, WM_E_NOT_FOUND, paths, "no kubeconfig file there");
    if (rc == WM_OK)
        rc = wm_kubeconfig_pick(files, n, context, ret, err);
    while (n > 0)
        wm_kubeconfig_done(&files[--n]);
    return rc;
}

static int load_one(const char *path, const char *context, struct wm_kube_access *ret, struct wm_error *err)
{
    struct wm_kubeconfig file;
    int rc = load_file(&file, path, err);

    if (rc < 0)
        return rc;
    rc = wm_kubeconfig_pick(&file, 1, context, ret, err);
    wm_kubeconfig_done(&file);
    return rc;
}

int wm_kube_access_load(const char *path, const char *context, struct wm_kube_access *ret,
                        struct wm_error *err)
{
    const char *list = wm_env("KUBECONFIG"), *host = wm_env("KUBERNETES_SERVICE_HOST"),
               *home = wm_env("HOME");

    if (path && *path)
        return load_one(path, context, ret, err);
    if (list)
        return load_files(list, context, ret, err);
    /* a context can only be meant of a file */
    if (host && !context)
        return wm_kube_access_in_cluster(service_account_dir, host, wm_env("KUBERNETES_SERVICE_PORT"), ret,
                                         err);
    if (!home)
        return wm_fail(err, WM_E_NOT_FOUND, NULL,
                       "no way to an API server: no kubeconfig given, not in a pod, and HOME is not set");
    wm_auto_free char *own = path_in(home, ".kube/config");

    return load_one(own, context, ret, err);
}
