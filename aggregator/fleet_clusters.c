/* Clusters come and go with their MigClusters. */
#include <stdio.h>
#include <stdlib.h>

#include "fleet_impl.h"
#include "waymark/base64.h"
#include "waymark/clock.h"
#include "waymark/json_index.h"
#include "waymark/log.h"

enum { CALL_MS = 3000, RETRY_MS = 30000, PATH_MAX_N = 1024, OBJECT_MAX = 1 << 20 };

/* --- one cluster --- */

struct cluster *wm_cluster_new(struct wm_fleet *f, const char *name)
{
    size_t i = 0;

    while (i < f->n_clusters && f->clusters[i].used)
        i++;
    if (i == WM_CLUSTERS_MAX)
        return NULL;
    pthread_mutex_lock(&f->lock);
    struct cluster *c = &f->clusters[i];

    if (i == f->n_clusters)
        f->n_clusters++;
    *c = (struct cluster){.used = true};
    snprintf(c->name, sizeof c->name, "%s", name);
    pthread_mutex_unlock(&f->lock);
    return c;
}

int wm_cluster_connect(struct wm_fleet *f, struct cluster *c, struct wm_kube_access *access,
                       struct wm_error *err)
{
    struct wm_kube_opts opts = {.user_agent = f->opts.user_agent};
    struct wm_kube *kube;
    int rc = wm_kube_new(access, &opts, &kube, err);

    if (rc < 0)
        return wm_fail_in(err, "cluster %s", c->name);
    pthread_mutex_lock(&f->lock);
    c->kube = kube;
    c->why[0] = '\0';
    pthread_mutex_unlock(&f->lock);
    wm_log(WM_LOG_INFO, "cluster", WM_F("cluster", c->name), WM_F("server", wm_kube_server(kube)));
    return wm_feeds_start(f, c, err);
}

void wm_cluster_disconnect(struct wm_fleet *f, struct cluster *c)
{
    pthread_mutex_lock(&f->lock);
    struct feed *feeds = c->feeds;
    struct wm_kube *kube = c->kube;

    c->feeds = NULL;
    c->kube = NULL;
    pthread_mutex_unlock(&f->lock);
    while (feeds) {
        struct feed *next = feeds->next;

        wm_feed_stop(f, feeds);
        feeds = next;
    }
    wm_kube_free(kube);
}

/* Its place is free for another: names of clusters may come and go for ever. */
static void drop(struct wm_fleet *f, struct cluster *c)
{
    wm_cluster_disconnect(f, c);
    pthread_mutex_lock(&f->lock);
    *c = (struct cluster){.used = false};
    f->opts.all_changed(f->opts.ctx);
    pthread_mutex_unlock(&f->lock);
}

/* --- the way that a MigCluster tells --- */

static int get(struct wm_fleet *f, const char *path, struct wm_buf *out, struct wm_error *err)
{
    struct wm_kube_request r = {.method = "GET", .path = path, .timeout_ms = CALL_MS, .max_body = OBJECT_MAX};

    return wm_kube_call(f->clusters[0].kube, &r, out, NULL, err);
}

static char *decoded(struct wm_json_span s, size_t *ret_n)
{
    struct wm_buf b = WM_BUF_MAX(OBJECT_MAX);

    if (s.kind != WM_JSON_STRING ||
        wm_base64_decode((struct wm_str){s.text.p + 1, s.text.n - 2}, &b, NULL) < 0) {
        wm_buf_done(&b);
        return NULL;
    }
    *ret_n = b.n;
    return wm_buf_take(&b);
}

/* Hand-made Secrets often end in a newline. */
static char *read_token(struct wm_fleet *f, const struct way *w, struct wm_error *err)
{
    static const char *const pointers[] = {"/data/saToken"};
    wm_auto_buf struct wm_buf body = WM_BUF_MAX(OBJECT_MAX);
    char path[PATH_MAX_N];
    struct wm_json_span s;
    size_t n = 0;

    if (wm_kube_name_check("namespace", w->secret_namespace, err) < 0 ||
        wm_kube_name_check("Secret", w->secret, err) < 0)
        return NULL;
    snprintf(path, sizeof path, "/api/v1/namespaces/%s/secrets/%s", w->secret_namespace, w->secret);
    if (get(f, path, &body, err) < 0) {
        wm_fail_in(err, "Secret %s/%s", w->secret_namespace, w->secret);
        return NULL;
    }
    char *token = wm_json_locate(wm_buf_text(&body), 1, pointers, &s, NULL) == WM_OK ? decoded(s, &n) : NULL;

    explicit_bzero(body.p, body.n);
    while (token && n && (token[n - 1] == '\n' || token[n - 1] == '\r' || token[n - 1] == ' '))
        token[--n] = '\0';
    if (!token || !n) {
        free(token);
        wm_fail(err, WM_E_AUTH, NULL, "Secret %s/%s has no saToken", w->secret_namespace, w->secret);
        return NULL;
    }
    return token;
}

static int read_ca(struct wm_fleet *f, const char *name, struct wm_str *ret, struct wm_error *err)
{
    static const char *const pointers[] = {"/spec/caBundle"};
    wm_auto_buf struct wm_buf body = WM_BUF_MAX(OBJECT_MAX);
    char path[PATH_MAX_N];
    struct wm_json_span s;
    size_t n = 0;

    int rc = wm_kube_name_check("MigCluster", name, err);

    if (rc < 0)
        return rc;
    snprintf(path, sizeof path, "/apis/migration.openshift.io/v1alpha1/namespaces/%s/migclusters/%s",
             f->opts.namespace_, name);
    if ((rc = get(f, path, &body, err)) < 0)
        return wm_fail_in(err, "MigCluster %s", name);
    if (wm_json_locate(wm_buf_text(&body), 1, pointers, &s, NULL) == WM_OK) {
        char *ca = decoded(s, &n);

        *ret = (struct wm_str){ca, n};
    }
    return WM_OK;
}

static char *server_of(const char *url)
{
    size_t n = strlen(url);

    while (n && url[n - 1] == '/')
        n--;
    return wm_xstrndup((struct wm_str){url, n});
}

/* A connection that is there is replaced by one with another token only: what is known of the cluster goes
 * with it. */
static int connect_by_migcluster(struct wm_fleet *f, struct cluster *c, struct wm_error *err)
{
    struct wm_kube_access access = {.insecure = c->way.insecure};
    int rc = read_ca(f, c->name, &access.ca_pem, err);

    if (rc == WM_OK && !(access.token = read_token(f, &c->way, err)))
        rc = err->code;
    uint64_t token = rc == WM_OK ? wm_str_digest(wm_str_of(access.token), strlen(access.token)) : 0;

    if (rc == WM_OK && (!c->kube || token != c->token)) {
        wm_cluster_disconnect(f, c);
        c->token = token;
        access.server = server_of(c->way.url);
        access.name = wm_xstrdup(c->name);
        rc = wm_cluster_connect(f, c, &access, err);
        if (rc < 0)
            wm_cluster_disconnect(f, c);
    }
    wm_kube_access_done(&access);
    return rc;
}

/* --- all of them --- */

struct wanted {
    wm_name name;
    struct way way;
};
struct wanted_list {
    struct wanted list[WM_CLUSTERS_MAX];
    size_t n;
};

static void want(void *ctx, const struct wm_record *r)
{
    struct wanted_list *w = ctx;
    const struct wm_cluster_state *s = wm_cluster_of(r);

    if (s->is_host || !s->url[0] || w->n == WM_CLUSTERS_MAX)
        return;
    struct wanted *to = &w->list[w->n++];

    snprintf(to->name, sizeof to->name, "%s", wm_record_name(r));
    memcpy(to->way.url, s->url, sizeof to->way.url);
    memcpy(to->way.secret_namespace, s->secret_namespace, sizeof to->way.secret_namespace);
    memcpy(to->way.secret, s->secret, sizeof to->way.secret);
    memcpy(to->way.ca_digest, s->ca_bundle_digest, sizeof to->way.ca_digest);
    to->way.insecure = s->insecure;
}

static const struct wanted *find_wanted(const struct wanted_list *w, const char *name)
{
    for (size_t i = 0; i < w->n; i++)
        if (strcmp(w->list[i].name, name) == 0)
            return &w->list[i];
    return NULL;
}

static struct cluster *find_cluster(struct wm_fleet *f, const char *name)
{
    for (size_t i = 1; i < f->n_clusters; i++)
        if (strcmp(f->clusters[i].name, name) == 0)
            return &f->clusters[i];
    return NULL;
}

/* Tries to reach it; what stands in the way is what is said of the cluster until the next try. */
static void try_connect(struct wm_fleet *f, struct cluster *c)
{
    struct wm_error err = {0};

    if (wm_mono_ms() < c->token_retry_ms)
        return;
    c->token_retry_ms = wm_mono_ms() + (f->opts.retry_ms ? f->opts.retry_ms : RETRY_MS);
    if (connect_by_migcluster(f, c, &err) == WM_OK)
        return;
    wm_log_error(WM_LOG_WARN, "cluster_unusable", &err);
    if (c->kube)
        return;
    pthread_mutex_lock(&f->lock);
    wm_line_copy(c->why, sizeof c->why, wm_str_of(err.msg));
    pthread_mutex_unlock(&f->lock);
}

static void refresh_one(struct wm_fleet *f, const struct wanted *w)
{
    struct cluster *c = find_cluster(f, w->name);

    if (!c && !(c = wm_cluster_new(f, w->name)))
        return;
    if (c->by_hand)
        return;
    bool moved = memcmp(&c->way, &w->way, sizeof c->way) != 0;

    if (moved) {
        wm_cluster_disconnect(f, c);
        c->token_retry_ms = 0;
    }
    c->way = w->way;
    /* A refused token may have been replaced in its Secret. */
    if (!c->kube || c->view.sight == WM_SIGHT_UNAUTHORIZED)
        try_connect(f, c);
}

void wm_clusters_refresh(struct wm_fleet *f)
{
    struct wanted_list *w = wm_xcalloc(1, sizeof *w);

    pthread_mutex_lock(&f->lock);
    wm_model_each(f->model, WM_KIND_MIGCLUSTER, want, w);
    pthread_mutex_unlock(&f->lock);
    for (size_t i = 0; i < w->n; i++)
        refresh_one(f, &w->list[i]);
    for (size_t i = 1; i < f->n_clusters; i++) {
        struct cluster *c = &f->clusters[i];

        if (c->used && !c->by_hand && !find_wanted(w, c->name))
            drop(f, c);
    }
    free(w);
}
