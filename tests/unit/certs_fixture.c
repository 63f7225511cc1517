#include "certs_fixture.h"

#include <stdio.h>
#include <unistd.h>

static int take(void *ctx, struct wm_str cert_pem, struct wm_str key_pem, struct wm_error *err)
{
    struct replica *r = ctx;
    int rc = wm_cert_check_pair(cert_pem, key_pem, err);

    pthread_mutex_lock(&r->lock);
    if (rc == WM_OK && r->refuse)
        rc = wm_fail(err, WM_E_INVALID, NULL, "not wanted");
    if (rc == WM_OK) {
        free(r->cert);
        r->cert = wm_xstrndup(cert_pem);
        r->pairs++;
    }
    pthread_mutex_unlock(&r->lock);
    return rc;
}

void start_with(struct fixture *f, int i, int64_t validity_s, const char *extra)
{
    static const char *const configs[] = {"labels", NULL}, *const validating[] = {"validation", NULL};
    const char *const names[] = {"127.0.0.1", extra, NULL};
    struct replica *r = &f->replicas[i];
    char url[64];

    snprintf(url, sizeof url, "http://127.0.0.1:%d", f->api->port);
    struct wm_kube_access access = {.server = wm_xstrdup(url)};
    struct wm_certs_manager_opts opts = {
        .namespace_ = "ns",
        .secret = "pair",
        .service = "hook",
        .extra_names = names,
        .mutating = configs,
        .validating = validating,
        .validity_s = validity_s,
        .wait_s = 1,
        .keep_s = 5,
        .tick_s = 1,
        .timeout_ms = 2000,
        .on_pair = take,
        .ctx = r,
    };
    struct wm_error err = {0};

    assert_int_equal(wm_kube_new(&access, NULL, &r->kube, NULL), WM_OK);
    opts.kube = r->kube;
    if (wm_certs_manager_new(&opts, &r->manager, &err) != WM_OK)
        fail_msg("%s", err.msg);
}

void start(struct fixture *f, int i)
{
    start_with(f, i, 0, NULL);
}

void stop(struct replica *r)
{
    r->manager = wm_certs_manager_free(r->manager);
    r->kube = wm_kube_free(r->kube);
    free(r->cert);
    r->cert = NULL;
}

int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    f->api = api_start();
    for (int i = 0; i < MAX_REPLICAS; i++)
        pthread_mutex_init(&f->replicas[i].lock, NULL);
    *state = f;
    return 0;
}

int teardown(void **state)
{
    struct fixture *f = *state;

    for (int i = 0; i < MAX_REPLICAS; i++) {
        stop(&f->replicas[i]);
        pthread_mutex_destroy(&f->replicas[i].lock);
    }
    api_stop(f->api);
    free(f);
    return 0;
}

struct wm_certs_stats stats(struct fixture *f, int i)
{
    struct wm_certs_stats s;

    wm_certs_manager_stats(f->replicas[i].manager, &s);
    return s;
}

char *cert_of(struct replica *r)
{
    pthread_mutex_lock(&r->lock);
    char *copy = r->cert ? wm_xstrdup(r->cert) : NULL;
    pthread_mutex_unlock(&r->lock);
    return copy;
}

/* --- what a test waits for --- */

bool trusted(struct fixture *f, int i)
{
    WM_AUTO(wm_certs_hooks_done) struct wm_certs_hooks h = hooks_of(f->api);
    wm_auto_free char *cert = cert_of(&f->replicas[i]);
    bool ok = cert && h.n == 2;

    for (size_t j = 0; ok && j < h.n; j++)
        ok = wm_cert_check_issuer(wm_str_of(cert), wm_str_of(h.of[j].bundle), NULL) == WM_OK;
    return ok;
}

/* The Secret holds one generation alone, everybody serves it, and the caBundles are its CA. */
bool at_rest(struct fixture *f)
{
    WM_AUTO(wm_certs_secret_done) struct wm_certs_secret s = secret_of(f->api);
    WM_AUTO(wm_certs_hooks_done) struct wm_certs_hooks h = hooks_of(f->api);
    bool ok = s.active.cert && s.active.key && !s.next.cert && !s.previous_ca && h.n == 2 &&
              wm_cert_check_pair(wm_str_of(s.active.cert), wm_str_of(s.active.key), NULL) == WM_OK;

    for (size_t j = 0; ok && j < h.n; j++)
        ok = strcmp(h.of[j].bundle, s.active.ca) == 0;
    for (int i = 0; ok && i < MAX_REPLICAS; i++)
        if (f->replicas[i].manager) {
            wm_auto_free char *cert = cert_of(&f->replicas[i]);

            ok = cert && strcmp(cert, s.active.cert) == 0;
        }
    return ok;
}

/* The same, and the validating configuration has the CA, too. */
bool at_rest_both(struct fixture *f)
{
    WM_AUTO(wm_certs_secret_done) struct wm_certs_secret s = secret_of(f->api);
    WM_AUTO(wm_certs_hooks_done) struct wm_certs_hooks h = hooks_in(f->api, &f->api->validating);
    bool ok = at_rest(f) && h.n == 2;

    for (size_t j = 0; ok && j < h.n; j++)
        ok = strcmp(h.of[j].bundle, s.active.ca) == 0;
    return ok;
}

bool forbidden(struct fixture *f)
{
    pthread_mutex_lock(&f->api->lock);
    bool seen = f->api->forbidden_seen > 0;
    pthread_mutex_unlock(&f->api->lock);
    return seen;
}

bool fails(struct fixture *f)
{
    return stats(f, 0).last_error[0] != '\0';
}

bool works(struct fixture *f)
{
    return !fails(f);
}

bool serves(struct fixture *f)
{
    return stats(f, 0).serving;
}

bool says_trusted(struct fixture *f)
{
    return stats(f, 0).trusted;
}

bool both_trusted(struct fixture *f)
{
    return trusted(f, 0) && trusted(f, 1);
}

void assert_soon(struct fixture *f, bool (*is)(struct fixture *f))
{
    bool reached = is(f); /* it need not last */

    for (int i = 0; i < 3000 && !reached; i++) {
        usleep(10000);
        reached = is(f);
    }
    if (!reached)
        fail_msg("last error: %s", stats(f, 0).last_error);
}

/* Waits until `is`, and looks all the while that everybody's pair is trusted. */
void assert_soon_without_a_gap(struct fixture *f, bool (*is)(struct fixture *f))
{
    bool reached = is(f);

    for (int i = 0; i < 1500 && !reached; i++) {
        for (int j = 0; j < MAX_REPLICAS; j++)
            if (f->replicas[j].manager && !trusted(f, j))
                fail_msg("replica %d serves what is not trusted", j);
        usleep(20000);
        reached = is(f);
    }
    assert_true(reached);
}

void refuse(struct fixture *f, const char *method, const char *part, int status)
{
    pthread_mutex_lock(&f->api->lock);
    f->api->refuse_method = method;
    f->api->refuse_part = part;
    f->api->refuse_status = status;
    f->api->forbidden_seen = 0;
    pthread_mutex_unlock(&f->api->lock);
}

int writes(struct fixture *f)
{
    pthread_mutex_lock(&f->api->lock);
    int n = f->api->writes;
    pthread_mutex_unlock(&f->api->lock);
    return n;
}
