/* A struct wm_kube from birth to death. */
#include <assert.h>
#include <stdlib.h>

#include "internal.h"
#include "loop.h"
#include "sockets.h"
#include "waymark/clock.h"
#include "waymark/log.h"

const struct wm_kube_tunables wm_kube_default_tunables = {
    .connect_ms = 10000,
    .request_ms = 30000,
    .token_reread_ms = 60000,
    .cert_reread_ms = 300000,
    .exec_ms = 60000,
    .list_first_byte_ms = 65000,
    .list_stall_ms = 30000,
    .list_stall_bytes = 30 << 10,
    .stream_quiet_ms = 10000,
    .stream_again_ms = 24 * 3600 * 1000,
    .watch_grace_ms = 30000,
    .short_watch_ms = 1000,
    .backoff_divisor = 1,
    .refused_cap_ms = 2000,
    .restart_ms = 30000,
    .healthy_ms = 120000,
    .absent_ms = 30000,
    .absent_sure_ms = 10000,
    .forbidden_ms = 60000,
    .probe_silence_ms = 30000,
    .probe_timeout_ms = 10000,
    .max_running = 8,
    .max_pending = 1000,
    .max_lists = 2,
    .writes_per_s = 20,
    .write_burst = 40,
};

static void global_init(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

static void half_free(struct wm_kube *k)
{
    k->requests = wm_requests_free(k->requests);
    k->creds = wm_creds_free(k->creds);
    if (k->multi)
        curl_multi_cleanup(k->multi);
    wm_sockets_close(k);
    if (k->share)
        curl_share_cleanup(k->share);
    wm_endpoint_done(&k->endpoint);
    wm_kube_access_done(&k->access);
    pthread_mutex_destroy(&k->lock);
    free(k->user_agent);
    free(k);
}

static void warn_about(const struct wm_kube *k)
{
    if (k->access.insecure)
        wm_log(WM_LOG_WARN, "tls_not_verified", WM_F("server", k->access.server));
    if (!k->endpoint.is_https && !k->endpoint.is_loopback)
        wm_log(WM_LOG_WARN, "plain_http", WM_F("server", k->access.server));
}

static int open_curl(struct wm_kube *k, struct wm_error *err)
{
    k->multi = curl_multi_init();
    k->share = curl_share_init();
    if (!k->multi || !k->share || !wm_sockets_open(k))
        return wm_fail(err, WM_E_NOMEM, NULL, "libcurl did not start");
    /* one thread uses it, so it needs no locks */
    curl_share_setopt(k->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
    return wm_endpoint_init(&k->endpoint, &k->access, err);
}

int wm_kube_new_tuned(struct wm_kube_access *access, const struct wm_kube_opts *opts,
                      const struct wm_kube_tunables *t, struct wm_kube **ret, struct wm_error *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct wm_kube *k = wm_xcalloc(1, sizeof *k);
    int rc;

    pthread_once(&once, global_init);
    k->t = *t;
    if (opts && opts->connect_timeout_ms)
        k->t.connect_ms = opts->connect_timeout_ms;
    if (opts && opts->writes_per_s) {
        k->t.writes_per_s = opts->writes_per_s;
        k->t.write_burst = 2 * opts->writes_per_s;
    }
    k->user_agent = wm_xstrdup(opts && opts->user_agent ? opts->user_agent : "waymark/" WAYMARK_VERSION);
    k->tasks_end = &k->tasks;
    k->random_state = (unsigned)wm_mono_ns() ^ (unsigned)(uintptr_t)k;
    pthread_mutex_init(&k->lock, NULL);
    k->access = *access;
    *access = (struct wm_kube_access){0};
    if ((rc = open_curl(k, err)) < 0) {
        half_free(k);
        return rc;
    }
    k->creds = wm_creds_new(k);
    k->requests = wm_requests_new(k);
    wm_gate_init(k);
    wm_heartbeat_init(k);
    warn_about(k);
    if (pthread_create(&k->thread, NULL, wm_kube_run, k) != 0) {
        half_free(k);
        return wm_fail(err, WM_E_NOMEM, NULL, "no thread for the connection to the API server");
    }
    *ret = k;
    return WM_OK;
}

int wm_kube_new(struct wm_kube_access *access, const struct wm_kube_opts *opts, struct wm_kube **ret,
                struct wm_error *err)
{
    return wm_kube_new_tuned(access, opts, &wm_kube_default_tunables, ret, err);
}

struct wm_kube *wm_kube_free(struct wm_kube *k)
{
    if (!k)
        return NULL;
    assert(!wm_kube_in_thread(k));
    pthread_mutex_lock(&k->lock);
    k->stopping = true;
    pthread_mutex_unlock(&k->lock);
    wm_sockets_wake(k);
    pthread_join(k->thread, NULL);
    half_free(k);
    return NULL;
}

const char *wm_kube_server(const struct wm_kube *k)
{
    return k->access.server;
}

const char *wm_kube_namespace(const struct wm_kube *k)
{
    return k->access.namespace_ ? k->access.namespace_ : "default";
}

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

bool wm_kube_clock_offset_ms(struct wm_kube *k, int64_t *ret)
{
    int64_t samples[sizeof k->clock_samples_ms / sizeof k->clock_samples_ms[0]];
    size_t n = sizeof samples / sizeof samples[0];

    pthread_mutex_lock(&k->lock);
    n = k->n_clock_samples < n ? k->n_clock_samples : n;
    memcpy(samples, k->clock_samples_ms, sizeof samples);
    pthread_mutex_unlock(&k->lock);
    if (n == 0)
        return false;
    qsort(samples, n, sizeof samples[0], by_value);
    *ret = samples[n / 2];
    return true;
}
