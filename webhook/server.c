#include <openssl/err.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/resource.h>

#include "waymark/clock.h"
#include "waymark/log.h"
#include "webhook/server_impl.h"

enum { MAX_LOOPS = 64, FILES_PER_CONNECTION = 3, OTHER_FILES = 128 };

static unsigned usable_cpus(void)
{
    cpu_set_t set;

    return sched_getaffinity(0, sizeof set, &set) == 0 ? (unsigned)CPU_COUNT(&set) : 1;
}

/* 0 = not given. */
#define DEFAULT(field, value)                                                                                \
    do {                                                                                                     \
        if (!(field))                                                                                        \
            (field) = (value);                                                                               \
    } while (0)

static void fill_defaults(struct wm_server_opts *o)
{
    unsigned cpus = usable_cpus();

    DEFAULT(o->address, "0.0.0.0");
    DEFAULT(o->loops, cpus < 2 ? 1 : 2);
    DEFAULT(o->max_connections, 2000);
    DEFAULT(o->max_body, (size_t)28 << 20);
    DEFAULT(o->body_budget, 3 * o->max_body);
    DEFAULT(o->max_in_flight, 1000);
    DEFAULT(o->handshake_timeout_ms, 5000);
    DEFAULT(o->header_timeout_ms, 10000);
    DEFAULT(o->body_timeout_ms, 15000);
    DEFAULT(o->idle_timeout_ms, 120000);
    DEFAULT(o->idle_release_ms, 5000);
    DEFAULT(o->linger_ms, 5000);
    DEFAULT(o->max_age_s, 300);
}

static int check_options(const struct wm_server_opts *o, struct wm_error *err)
{
    if (!o->handle)
        return wm_fail(err, WM_E_INVALID, "handle", "there is no handler");
    if (o->loops > MAX_LOOPS)
        return wm_fail(err, WM_E_INVALID, "loops", "%u are more than %d", o->loops, MAX_LOOPS);
    if (o->max_connections < 0 || o->max_in_flight < 0 || o->handshake_timeout_ms < 0 ||
        o->header_timeout_ms < 0 || o->body_timeout_ms < 0 || o->idle_timeout_ms < 0 ||
        o->idle_release_ms < 0 || o->linger_ms < 0)
        return wm_fail(err, WM_E_INVALID, NULL, "a limit or a timeout is negative");
    return o->client_ca_pem ? wm_tls_check_client_ca(o->client_ca_pem, err) : WM_OK;
}

static const char **dup_names(const char *const *names)
{
    size_t n = 0;

    while (names[n])
        n++;
    const char **copy = wm_xcalloc(n + 1, sizeof *copy);

    for (size_t i = 0; i < n; i++)
        copy[i] = wm_xstrdup(names[i]);
    return copy;
}

static void own_pointers(struct wm_server_opts *o)
{
    o->address = wm_xstrdup(o->address);
    if (o->client_ca_pem)
        o->client_ca_pem = wm_xstrdup(o->client_ca_pem);
    if (o->client_names)
        o->client_names = dup_names(o->client_names);
}

static void drop_pointers(struct wm_server_opts *o)
{
    for (size_t i = 0; o->client_names && o->client_names[i]; i++)
        free((void *)(uintptr_t)o->client_names[i]);
    free((void *)(uintptr_t)o->client_names);
    free((void *)(uintptr_t)o->client_ca_pem);
    free((void *)(uintptr_t)o->address);
}

static void raise_file_limit(const struct wm_server_opts *o)
{
    struct rlimit lim;
    rlim_t need = (rlim_t)o->max_connections * FILES_PER_CONNECTION + OTHER_FILES;

    if (getrlimit(RLIMIT_NOFILE, &lim) < 0 || lim.rlim_cur >= need)
        return;
    lim.rlim_cur = lim.rlim_max < need ? lim.rlim_max : need;
    setrlimit(RLIMIT_NOFILE, &lim);
    if (lim.rlim_cur < need)
        wm_log(WM_LOG_WARN, "few_files", WM_FI("limit", lim.rlim_cur), WM_FI("need", need),
               WM_FI("connections", o->max_connections));
}

static int start(struct wm_server *s, struct wm_error *err)
{
    int r = WM_OK;

    for (unsigned i = 0; i < s->n_loops && r == WM_OK; i++)
        r = wm_loop_new(s, i, &s->loops[i], err);
    for (unsigned i = 0; i < s->n_loops && r == WM_OK; i++)
        r = wm_loop_start(s->loops[i], err);
    return r;
}

int wm_server_new(const struct wm_server_opts *opts, struct wm_server **ret, struct wm_error *err)
{
    struct wm_server_opts o = *opts;

    fill_defaults(&o);
    int r = check_options(&o, err);

    if (r < 0)
        return r;
    raise_file_limit(&o);
    struct wm_server *s = wm_xcalloc(1, sizeof *s);

    s->o = o;
    own_pointers(&s->o);
    s->port = o.port;
    s->n_loops = o.loops;
    s->loops = wm_xcalloc(s->n_loops, sizeof(struct wm_loop *));
    pthread_mutex_init(&s->pair_lock, NULL);
    pthread_mutex_init(&s->change_lock, NULL);
    if (getrandom(&s->peer_seed, sizeof s->peer_seed, GRND_NONBLOCK) < 0)
        s->peer_seed = (uint64_t)wm_mono_ns();
    r = start(s, err);
    if (r < 0) {
        wm_server_free(s, 0);
        return r;
    }
    *ret = s;
    return WM_OK;
}

/* With the first pair, not before: a connection that comes too early is refused by the kernel, or taken by
 * another server on the same port, instead of being accepted and dropped. */
static int listen_once(struct wm_server *s, struct wm_error *err)
{
    int r = WM_OK;

    for (unsigned i = 0; i < s->n_loops && r == WM_OK && !s->listening; i++)
        r = wm_listen(s->loops[i], err);
    s->listening |= r == WM_OK;
    return r;
}

static void publish(struct wm_server *s, SSL_CTX *fresh)
{
    SSL_CTX *old;

    pthread_mutex_lock(&s->pair_lock);
    old = s->ctx;
    s->ctx = fresh;
    atomic_fetch_add_explicit(&s->ctx_generation, 1, memory_order_release);
    pthread_mutex_unlock(&s->pair_lock);
    SSL_CTX_free(old);
    for (unsigned i = 0; i < s->n_loops; i++)
        wm_loop_wake(s->loops[i]); /* an idle loop would keep the old key in memory */
}

static int change_pair(struct wm_server *s, struct wm_str cert_pem, struct wm_str key_pem,
                       struct wm_error *err)
{
    SSL_CTX *fresh = NULL;
    int64_t now_s = wm_wall_s(), not_after_s = 0;
    int r = wm_tls_context_new(&s->o, cert_pem, key_pem, now_s, &fresh, &not_after_s, err);

    if (r < 0)
        return r;
    atomic_store(&s->cert_not_after_s, not_after_s);
    atomic_store(&s->cert_loaded_s, now_s);
    publish(s, fresh);
    return listen_once(s, err);
}

int wm_server_set_pair(struct wm_server *s, struct wm_str cert_pem, struct wm_str key_pem,
                       struct wm_error *err)
{
    pthread_mutex_lock(&s->change_lock);
    int r = change_pair(s, cert_pem, key_pem, err);

    pthread_mutex_unlock(&s->change_lock);
    return r;
}

static int change_client_ca(struct wm_server *s, struct wm_str pem, struct wm_error *err)
{
    struct wm_server_opts o = s->o;
    char *text = wm_xstrndup(pem);
    SSL_CTX *fresh = NULL;

    o.client_ca_pem = text;
    /* Nobody else writes s->ctx: we hold the change lock. */
    int r = s->ctx ? wm_tls_context_like(&o, s->ctx, &fresh, err) : wm_tls_check_client_ca(text, err);

    if (r < 0) {
        free(text);
        return r;
    }
    free((void *)(uintptr_t)s->o.client_ca_pem);
    s->o.client_ca_pem = text;
    if (fresh)
        publish(s, fresh);
    return WM_OK;
}

int wm_server_set_client_ca(struct wm_server *s, struct wm_str pem, struct wm_error *err)
{
    pthread_mutex_lock(&s->change_lock);
    int r = s->o.client_ca_pem
                ? change_client_ca(s, pem, err)
                : wm_fail(err, WM_E_INVALID, "client CA", "this server asks for no client certificates");

    pthread_mutex_unlock(&s->change_lock);
    return r;
}

int wm_server_port(const struct wm_server *s)
{
    return s->port;
}

unsigned wm_server_loops(const struct wm_server *s)
{
    return s->n_loops;
}

void wm_server_drain(struct wm_server *s)
{
    atomic_store(&s->draining, true);
}

struct wm_server *wm_server_free(struct wm_server *s, int grace_ms)
{
    if (!s)
        return NULL;
    wm_server_drain(s);
    s->grace_ms = grace_ms > 0 ? grace_ms : 0;
    atomic_store_explicit(&s->stopping, true, memory_order_release);
    for (unsigned i = 0; i < s->n_loops; i++)
        if (s->loops[i] && s->loops[i]->started)
            wm_loop_wake(s->loops[i]);
    for (unsigned i = 0; i < s->n_loops; i++)
        if (s->loops[i] && s->loops[i]->started)
            pthread_join(s->loops[i]->thread, NULL);
    for (unsigned i = 0; i < s->n_loops; i++)
        wm_loop_free(s->loops[i]);
    free(s->loops);
    SSL_CTX_free(s->ctx);
    pthread_mutex_destroy(&s->pair_lock);
    pthread_mutex_destroy(&s->change_lock);
    drop_pointers(&s->o);
    free(s);
    return NULL;
}

#define SUM(field) ret->field += atomic_load_explicit(&n->field, memory_order_relaxed)

void wm_server_stats(const struct wm_server *s, struct wm_server_stats *ret)
{
    *ret = (struct wm_server_stats){.cert_not_after_s = atomic_load(&s->cert_not_after_s),
                                    .cert_loaded_s = atomic_load(&s->cert_loaded_s)};
    for (unsigned i = 0; i < s->n_loops; i++) {
        const struct wm_counters *n = &s->loops[i]->n;

        SUM(accepted);
        SUM(refused);
        SUM(handshakes);
        SUM(handshake_failures);
        SUM(requests);
        SUM(timeouts);
        SUM(too_big);
        SUM(shed);
        SUM(bad_http);
        SUM(bytes_in);
        SUM(bytes_out);
        SUM(open);
        SUM(in_flight);
        SUM(body_bytes);
    }
}
