#include "serve.h"

#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "health.h"
#include "mutate.h"
#include "routes.h"
#include "validate_route.h"
#include "waymark/address.h"
#include "waymark/clock.h"
#include "waymark/host.h"
#include "waymark/log.h"

enum { MIB = 1 << 20, CA_FILE_MAX = 1 << 20, RELEASE_EVERY_S = 5, LARGE_BLOCK = 64 << 10 };

/* Everything that runs, in the order in which it is started; stopped the other way round. */
struct running {
    const struct wm_settings *settings;
    struct wm_label_conf labels;
    struct wm_kube *kube;
    struct wm_parents *parents;
    struct wm_policy_source *policies;
    struct wm_fetcher *fetcher;
    struct wm_mutate mutate;
    struct wm_validator validator;
    struct wm_routes routes;
    struct wm_server *server;
    struct wm_certs_manager *certs;
    struct wm_certs_files *cert_files;
    struct wm_pages *health;
    _Atomic bool draining;
    struct wm_telemetry_sources telemetry;
};

/* --- starting --- */

/* The key is in memory: no core dumps, no ptrace by the same user.  Large bodies go back to the system at
 * once. */
static void harden(void)
{
    struct rlimit none = {0, 0};

    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_DUMPABLE, 0);
    mallopt(M_MMAP_THRESHOLD, LARGE_BLOCK);
    mallopt(M_ARENA_MAX, 2);
    signal(SIGPIPE, SIG_IGN);
}

static const char *own_namespace(const struct running *r)
{
    if (r->settings->namespace_)
        return r->settings->namespace_;
    return r->kube ? wm_kube_namespace(r->kube) : "default";
}

static int start_policies(struct running *r, struct wm_error *err)
{
    return wm_policy_source_new(r->settings->config, &r->policies, err);
}

static int start_kube(struct running *r, struct wm_error *err)
{
    const struct wm_settings *s = r->settings;
    struct wm_kube_access access = {0};
    struct wm_kube_opts opts = {.user_agent = "waymark-webhook/" WAYMARK_VERSION};
    int rc;

    if (!s->parents && strcmp(s->tls_mode, "self") != 0)
        return WM_OK;
    if ((rc = wm_kube_access_load(s->kubeconfig, s->context, &access, err)) < 0)
        return wm_fail_in(err, "no way to an API server");
    rc = wm_kube_new(&access, &opts, &r->kube, err);
    wm_kube_access_done(&access);
    if (rc < 0 || !s->parents)
        return rc;
    r->fetcher = wm_fetcher_new(r->kube);
    return wm_parents_new(r->kube, &r->labels, &r->parents, err);
}

/* The list's items as a NULL-terminated array; the array is the caller's, the items are not. */
static const char **terminated(const struct wm_option_list *l)
{
    const char **v = wm_xcalloc(l->n + 1, sizeof *v);

    for (size_t i = 0; i < l->n; i++)
        v[i] = l->items[i];
    return v;
}

static void fill_routes(struct running *r)
{
    const struct wm_settings *s = r->settings;

    r->mutate = (struct wm_mutate){&r->labels, r->parents, (int)s->lookup_budget_ms};
    r->validator = (struct wm_validator){r->policies, r->fetcher, (int)s->validate_budget_ms};
    r->routes = (struct wm_routes){
        {{"/mutate", wm_mutate_handle, &r->mutate}, {"/validate", wm_validate_handle, &r->validator}}, 2};
}

static int start_server(struct running *r, struct wm_error *err)
{
    const struct wm_settings *s = r->settings;
    char address[WM_ADDRESS_MAX];
    int port, rc;
    wm_auto_buf struct wm_buf client_ca = WM_BUF_MAX(CA_FILE_MAX);

    if ((rc = wm_address_split(s->listen, address, &port, err)) < 0)
        return wm_fail_in(err, "listen");
    if (s->client_ca && (rc = wm_file_read(s->client_ca, &client_ca, err)) < 0)
        return wm_fail_in(err, "client-ca");
    fill_routes(r);
    wm_auto_free const char **names = terminated(&s->client_names);
    struct wm_server_opts opts = {
        .address = address,
        .port = port,
        .loops = (unsigned)s->loops,
        .max_connections = (int)s->max_connections,
        .max_body = (size_t)s->max_body_mib * MIB,
        .body_budget = (size_t)s->body_budget_mib * MIB,
        .max_in_flight = (int)s->max_in_flight,
        .idle_timeout_ms = (int)s->idle_timeout_s * 1000,
        .max_age_s = (int)s->max_age_s,
        .client_ca_pem = s->client_ca ? client_ca.p : NULL,
        .client_names = s->client_names.n ? names : NULL,
        .wants = wm_routes_wants,
        .handle = wm_routes_handle,
        .error_body = wm_routes_error_body,
        .turn_end = wm_routes_turn_end,
        .ctx = &r->routes,
    };

    return wm_server_new(&opts, &r->server, err);
}

static int on_pair(void *ctx, struct wm_str cert_pem, struct wm_str key_pem, struct wm_error *err)
{
    struct running *r = ctx;

    return wm_server_set_pair(r->server, cert_pem, key_pem, err);
}

static int start_cert_files(struct running *r, struct wm_error *err)
{
    struct wm_certs_files_opts opts = {.dir = r->settings->tls_dir, .on_pair = on_pair, .ctx = r};

    return wm_certs_files_new(&opts, &r->cert_files, err);
}

/* The Secret as it was mounted: the pair of an earlier life, with which reviews are answered while the API
 * server, and so the Secret itself, cannot be reached.  Looked at once; from then on the manager knows
 * better. */
static int load_mounted_pair(struct running *r, struct wm_error *err)
{
    int rc = r->settings->tls_dir ? start_cert_files(r, err) : WM_OK;

    r->cert_files = wm_certs_files_free(r->cert_files);
    return rc;
}

static int start_certs(struct running *r, struct wm_error *err)
{
    const struct wm_settings *s = r->settings;

    if (strcmp(s->tls_mode, "files") == 0)
        return s->tls_dir ? start_cert_files(r, err)
                          : wm_fail(err, WM_E_INVALID, "tls-dir", "tls-mode files needs --tls-dir");
    int rc = load_mounted_pair(r, err);

    if (rc < 0)
        return rc;
    wm_auto_free const char **names = terminated(&s->tls_names);
    wm_auto_free const char **mutating = terminated(&s->webhook_configs);
    wm_auto_free const char **validating = terminated(&s->validating_configs);
    struct wm_certs_manager_opts opts = {
        .kube = r->kube,
        .namespace_ = own_namespace(r),
        .secret = s->tls_secret,
        .service = s->service,
        .extra_names = names,
        .mutating = mutating,
        .validating = validating,
        .validity_s = s->cert_validity_h * 3600,
        .wait_s = s->cert_wait_s,
        .keep_s = s->cert_keep_s,
        .on_pair = on_pair,
        .ctx = r,
    };

    return wm_certs_manager_new(&opts, &r->certs, err);
}

static int start_health(struct running *r, struct wm_error *err)
{
    char address[WM_ADDRESS_MAX];
    int port, rc;

    if ((rc = wm_address_split(r->settings->health_listen, address, &port, err)) < 0)
        return wm_fail_in(err, "health-listen");
    r->telemetry = (struct wm_telemetry_sources){r->server,     r->parents,  r->certs,
                                                 r->cert_files, r->policies, &r->draining};
    return wm_health_new(address, port, &r->telemetry, &r->health, err);
}

static int start(struct running *r, struct wm_error *err)
{
    static int (*const steps[])(struct running *, struct wm_error *) = {
        start_policies, start_kube, start_server, start_certs, start_health};

    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        int rc = steps[i](r, err);

        if (rc < 0)
            return rc;
    }
    return WM_OK;
}

/* --- running --- */

/* Waits for a signal, and looks each second after the policy's file; when nothing was asked for a while, what
 * the last work needed is given back, and every few seconds what the watches have needed since. */
static void wait_for_signal(const struct running *r, const sigset_t *signals)
{
    const struct timespec tick = {.tv_sec = 1};
    uint64_t seen = 0;
    unsigned idle_s = 0;

    while (sigtimedwait(signals, NULL, &tick) < 0) {
        struct wm_server_stats now;

        wm_policy_source_poll(r->policies);
        wm_server_stats(r->server, &now);
        idle_s = now.requests == seen ? idle_s + 1 : 0;
        if (idle_s % RELEASE_EVERY_S == 1)
            wm_memory_release();
        seen = now.requests;
    }
}

/* --- stopping --- */

static void stop(struct running *r)
{
    r->certs = wm_certs_manager_free(r->certs);
    r->cert_files = wm_certs_files_free(r->cert_files);
    r->server = wm_server_free(r->server, (int)r->settings->grace_s * 1000);
    r->health = wm_pages_free(r->health);
    r->kube = wm_kube_free(r->kube);
    r->fetcher = wm_fetcher_free(r->fetcher);
    r->parents = wm_parents_free(r->parents);
    r->policies = wm_policy_source_free(r->policies);
}

/* Keeps serving, unready, until the drain is over or somebody insists. */
static void drain(struct running *r, const sigset_t *signals)
{
    struct timespec wait = {.tv_sec = r->settings->drain_s};

    wm_log(WM_LOG_INFO, "draining", WM_FI("seconds", r->settings->drain_s));
    r->draining = true;
    wm_server_drain(r->server);
    if (wait.tv_sec > 0 && sigtimedwait(signals, NULL, &wait) > 0)
        wm_log(WM_LOG_WARN, "drain_cut_short");
}

int wm_serve(const struct wm_settings *settings, struct wm_error *err)
{
    struct running r = {.settings = settings};
    sigset_t signals;
    int rc;

    harden();
    if ((rc = wm_label_settings_conf(&settings->labels, &r.labels, err)) < 0)
        return rc;
    /* Blocked before the first thread starts, so that only the wait below takes them. */
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    rc = start(&r, err);
    if (rc == WM_OK) {
        wm_log(WM_LOG_INFO, "serving", WM_F("version", WAYMARK_VERSION), WM_F("listen", settings->listen),
               WM_FI("port", wm_server_port(r.server)), WM_FI("health_port", wm_pages_port(r.health)),
               WM_FI("loops", wm_server_loops(r.server)),
               WM_F("api_server", r.kube ? wm_kube_server(r.kube) : "none"),
               WM_F("tls_mode", settings->tls_mode));
        wait_for_signal(&r, &signals);
        drain(&r, &signals);
    }
    stop(&r);
    if (rc == WM_OK)
        wm_log(WM_LOG_INFO, "stopped");
    return rc;
}
