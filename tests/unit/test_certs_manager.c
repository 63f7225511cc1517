/* Managers against an API server in miniature: one Secret, a webhook configuration of either kind,
 * resourceVersions that count, and refusals on demand. */
#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "certs/wire.h"
#include "unit.h"
#include "waymark/clock.h"
#include "waymark/kube.h"
#include "waymark/log.h"

/* --- the API server --- */

enum { MAX_REFUSALS = 4, MAX_CONNS = 64 };

struct api {
    int listener, port;
    pthread_t acceptor, workers[MAX_CONNS];
    int conns[MAX_CONNS], n_conns;
    pthread_mutex_t lock; /* over all below */
    cJSON *secret, *config, *validating;
    bool old; /* serves v1beta1 only */
    int version;
    int writes, reads, conflicts;
    int forbidden_seen;
    const char *refuse_method, *refuse_part; /* requests that are answered with refuse_status */
    int refuse_status;
    int meddle; /* so many writes to the Secret come too late, because somebody else writes just before */
};

static cJSON *tree(const char *json)
{
    cJSON *doc = NULL;

    assert_int_equal(wm_json_parse(wm_str_of(json), &doc, NULL), WM_OK);
    return doc;
}

static void bump(struct api *a, cJSON *doc)
{
    cJSON *meta = cJSON_GetObjectItemCaseSensitive(doc, "metadata");
    char version[16];

    snprintf(version, sizeof version, "%d", ++a->version);
    cJSON_DeleteItemFromObjectCaseSensitive(meta, "resourceVersion");
    cJSON_AddStringToObject(meta, "resourceVersion", version);
}

static bool same_version(const cJSON *a, const cJSON *b)
{
    const char *x = wm_json_str(a, "/metadata/resourceVersion"),
               *y = wm_json_str(b, "/metadata/resourceVersion");

    return x && y && strcmp(x, y) == 0;
}

static int put_secret(struct api *a, cJSON *doc)
{
    if (!a->secret)
        return 404;
    if (a->meddle > 0) {
        a->meddle--;
        bump(a, a->secret);
    }
    if (!same_version(a->secret, doc)) {
        a->conflicts++;
        return 409;
    }
    cJSON_Delete(a->secret);
    a->secret = cJSON_Duplicate(doc, true);
    bump(a, a->secret);
    a->writes++;
    return 200;
}

static int post_secret(struct api *a, cJSON *doc)
{
    if (a->secret) {
        a->conflicts++;
        return 409;
    }
    a->secret = cJSON_Duplicate(doc, true);
    bump(a, a->secret);
    a->writes++;
    return 201;
}

/* "test" of a text and "add" of a caBundle, as much as is used. */
static int patch_config(struct api *a, cJSON **config, const cJSON *ops)
{
    cJSON *copy = *config ? cJSON_Duplicate(*config, true) : NULL;
    const cJSON *op;
    int status = copy ? 200 : 404;

    cJSON_ArrayForEach(op, ops)
    {
        const char *path = wm_json_str(op, "/path"), *value = wm_json_str(op, "/value");

        if (status == 200 && strcmp(wm_json_str(op, "/op"), "test") == 0) {
            const char *now = wm_json_str(copy, path);

            if (!now || strcmp(now, value) != 0)
                status = 422;
        } else if (status == 200) {
            char parent[128];

            snprintf(parent, sizeof parent, "%.*s", (int)(strrchr(path, '/') - path), path);
            cJSON *client = wm_json_at(copy, parent);

            assert_string_equal(strrchr(path, '/'), "/caBundle");
            cJSON_DeleteItemFromObjectCaseSensitive(client, "caBundle");
            cJSON_AddStringToObject(client, "caBundle", value);
        }
    }
    if (status != 200) {
        a->conflicts += status == 422;
        cJSON_Delete(copy);
        return status;
    }
    cJSON_Delete(*config);
    *config = copy;
    bump(a, *config);
    a->writes++;
    return 200;
}

static int answer(struct api *a, const char *method, const char *path, const char *body, cJSON **ret)
{
    wm_auto_json cJSON *doc = *body ? tree(body) : NULL;
    bool secret = strstr(path, "/secrets") != NULL;
    cJSON **config = strstr(path, "/validating") ? &a->validating : &a->config;
    int status = 405;

    if (a->refuse_method && strcmp(method, a->refuse_method) == 0 && strstr(path, a->refuse_part)) {
        a->forbidden_seen++;
        return a->refuse_status;
    }
    if (!secret && !strstr(path, a->old ? "/v1beta1/" : "/v1/"))
        return 404;
    if (strcmp(method, "GET") == 0) {
        a->reads++;
        status = (secret ? a->secret : *config) ? 200 : 404;
    } else if (strcmp(method, "POST") == 0) {
        status = post_secret(a, doc);
    } else if (strcmp(method, "PUT") == 0) {
        status = put_secret(a, doc);
    } else if (strcmp(method, "PATCH") == 0) {
        status = patch_config(a, config, doc);
    }
    *ret = secret ? a->secret : *config;
    return status;
}

static bool read_request(int fd, struct wm_buf *in, size_t *ret_head, size_t *ret_all)
{
    for (;;) {
        const char *end = in->n ? strstr(in->p, "\r\n\r\n") : NULL;

        if (end) {
            const char *length = strcasestr(in->p, "\r\nContent-Length:");

            *ret_head = (size_t)(end - in->p) + 4;
            *ret_all = *ret_head + (length && length < end ? strtoul(length + 17, NULL, 10) : 0);
            if (in->n >= *ret_all)
                return true;
        }
        char *to = wm_buf_room(in, 65536);
        ssize_t n = to ? recv(fd, to, 65536, 0) : -1;

        if (n <= 0)
            return false;
        wm_buf_grew(in, (size_t)n);
    }
}

/* The whole answer in one piece. */
static void reply(int fd, int status, const cJSON *doc)
{
    wm_auto_buf struct wm_buf body = WM_BUF_MAX(1 << 20), out = WM_BUF_MAX(1 << 20);

    if (status < 300)
        wm_json_print(doc, &body, NULL);
    else
        wm_buf_printf(
            &body, "{\"kind\":\"Status\",\"status\":\"Failure\",\"message\":\"refused with %d\",\"code\":%d}",
            status, status);
    wm_buf_printf(&out, "HTTP/1.1 %d X\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
                  status, body.n, body.p);
    for (size_t at = 0; at < out.n;) {
        ssize_t n = send(fd, out.p + at, out.n - at, MSG_NOSIGNAL);

        if (n <= 0)
            return;
        at += (size_t)n;
    }
}

struct conn {
    struct api *api;
    int fd;
};

static void *work(void *arg)
{
    struct conn c = *(struct conn *)arg;
    wm_auto_buf struct wm_buf in = WM_BUF_MAX(4 << 20);
    size_t head, all;

    free(arg);
    while (read_request(c.fd, &in, &head, &all)) {
        char method[8], path[256];
        wm_auto_free char *body = wm_xstrndup((struct wm_str){in.p + head, all - head});
        cJSON *doc = NULL;

        assert_int_equal(sscanf(in.p, "%7s %255s", method, path), 2);
        pthread_mutex_lock(&c.api->lock);
        int status = answer(c.api, method, path, body, &doc);
        cJSON *copy = doc && status < 300 ? cJSON_Duplicate(doc, true) : NULL;
        pthread_mutex_unlock(&c.api->lock);
        reply(c.fd, status, copy);
        cJSON_Delete(copy);
        wm_buf_shift(&in, all);
    }
    return NULL;
}

static void *accept_all(void *arg)
{
    struct api *a = arg;
    int fd;

    while ((fd = accept(a->listener, NULL, NULL)) >= 0 && a->n_conns < MAX_CONNS) {
        struct conn *c = calloc(1, sizeof *c);

        *c = (struct conn){a, fd};
        a->conns[a->n_conns] = fd;
        pthread_create(&a->workers[a->n_conns++], NULL, work, c);
    }
    return NULL;
}

static struct api *api_start(void)
{
    struct api *a = calloc(1, sizeof *a);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;

    pthread_mutex_init(&a->lock, NULL);
    a->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(a->listener, (struct sockaddr *)&at, size), 0);
    assert_int_equal(listen(a->listener, 64), 0);
    assert_int_equal(getsockname(a->listener, (struct sockaddr *)&at, &size), 0);
    a->port = ntohs(at.sin_port);
    pthread_create(&a->acceptor, NULL, accept_all, a);
    return a;
}

static void api_stop(struct api *a)
{
    shutdown(a->listener, SHUT_RDWR);
    pthread_join(a->acceptor, NULL);
    for (int i = 0; i < a->n_conns; i++) {
        shutdown(a->conns[i], SHUT_RDWR);
        pthread_join(a->workers[i], NULL);
        close(a->conns[i]);
    }
    close(a->listener);
    cJSON_Delete(a->secret);
    cJSON_Delete(a->config);
    cJSON_Delete(a->validating);
    pthread_mutex_destroy(&a->lock);
    free(a);
}

static void install(struct api *a, cJSON **config)
{
    pthread_mutex_lock(&a->lock);
    cJSON_Delete(*config);
    *config =
        tree("{\"metadata\":{\"name\":\"labels\"},\"webhooks\":["
             "{\"name\":\"a\",\"clientConfig\":{\"service\":{\"name\":\"hook\",\"namespace\":\"ns\"}}},"
             "{\"name\":\"x\",\"clientConfig\":{\"url\":\"https://elsewhere\",\"caBundle\":\"eA==\"}},"
             "{\"name\":\"b\",\"clientConfig\":{\"url\":\"https://127.0.0.1:1/m\",\"caBundle\":\"Cg==\"}}]}");
    bump(a, *config);
    pthread_mutex_unlock(&a->lock);
}

static void install_config(struct api *a)
{
    install(a, &a->config);
}

/* --- replicas --- */

enum { MAX_REPLICAS = 3 };

struct replica {
    struct wm_kube *kube;
    struct wm_certs_manager *manager;
    pthread_mutex_t lock;
    char *cert; /* what it serves */
    int pairs;
    bool refuse;
};

struct fixture {
    struct api *api;
    struct replica replicas[MAX_REPLICAS];
};

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

static void start_with(struct fixture *f, int i, int64_t validity_s, const char *extra)
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

static void start(struct fixture *f, int i)
{
    start_with(f, i, 0, NULL);
}

static void stop(struct replica *r)
{
    r->manager = wm_certs_manager_free(r->manager);
    r->kube = wm_kube_free(r->kube);
    free(r->cert);
    r->cert = NULL;
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    f->api = api_start();
    for (int i = 0; i < MAX_REPLICAS; i++)
        pthread_mutex_init(&f->replicas[i].lock, NULL);
    *state = f;
    return 0;
}

static int teardown(void **state)
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

static struct wm_certs_stats stats(struct fixture *f, int i)
{
    struct wm_certs_stats s;

    wm_certs_manager_stats(f->replicas[i].manager, &s);
    return s;
}

static char *cert_of(struct replica *r)
{
    pthread_mutex_lock(&r->lock);
    char *copy = r->cert ? wm_xstrdup(r->cert) : NULL;
    pthread_mutex_unlock(&r->lock);
    return copy;
}

/* A PEM in the Secret, or the decoded caBundle of entry `i`; NULL = absent. */
static struct wm_certs_secret secret_of(struct api *a)
{
    struct wm_certs_secret s = {0};
    wm_auto_buf struct wm_buf json = WM_BUF_MAX(1 << 20);

    pthread_mutex_lock(&a->lock);
    if (a->secret)
        wm_json_print(a->secret, &json, NULL);
    pthread_mutex_unlock(&a->lock);
    if (json.n)
        assert_int_equal(wm_certs_secret_parse(wm_buf_text(&json), &s, NULL), WM_OK);
    return s;
}

static struct wm_certs_hooks hooks_in(struct api *a, cJSON *const *config)
{
    static const char *const names[] = {"127.0.0.1", NULL};
    const struct wm_certs_self self = {"hook", "ns", names};
    struct wm_certs_hooks h = {0};
    wm_auto_buf struct wm_buf json = WM_BUF_MAX(1 << 20);

    pthread_mutex_lock(&a->lock);
    if (*config)
        wm_json_print(*config, &json, NULL);
    pthread_mutex_unlock(&a->lock);
    if (json.n)
        assert_int_equal(wm_certs_hooks_parse(wm_buf_text(&json), &self, &h, NULL), WM_OK);
    return h;
}

static struct wm_certs_hooks hooks_of(struct api *a)
{
    return hooks_in(a, &a->config);
}

/* --- what a test waits for --- */

static bool trusted(struct fixture *f, int i)
{
    WM_AUTO(wm_certs_hooks_done) struct wm_certs_hooks h = hooks_of(f->api);
    wm_auto_free char *cert = cert_of(&f->replicas[i]);
    bool ok = cert && h.n == 2;

    for (size_t j = 0; ok && j < h.n; j++)
        ok = wm_cert_check_issuer(wm_str_of(cert), wm_str_of(h.of[j].bundle), NULL) == WM_OK;
    return ok;
}

/* The Secret holds one generation alone, everybody serves it, and the caBundles are its CA. */
static bool at_rest(struct fixture *f)
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
static bool at_rest_both(struct fixture *f)
{
    WM_AUTO(wm_certs_secret_done) struct wm_certs_secret s = secret_of(f->api);
    WM_AUTO(wm_certs_hooks_done) struct wm_certs_hooks h = hooks_in(f->api, &f->api->validating);
    bool ok = at_rest(f) && h.n == 2;

    for (size_t j = 0; ok && j < h.n; j++)
        ok = strcmp(h.of[j].bundle, s.active.ca) == 0;
    return ok;
}

static bool forbidden(struct fixture *f)
{
    pthread_mutex_lock(&f->api->lock);
    bool seen = f->api->forbidden_seen > 0;
    pthread_mutex_unlock(&f->api->lock);
    return seen;
}

static bool fails(struct fixture *f)
{
    return stats(f, 0).last_error[0] != '\0';
}

static bool works(struct fixture *f)
{
    return !fails(f);
}

static bool serves(struct fixture *f)
{
    return stats(f, 0).serving;
}

static bool says_trusted(struct fixture *f)
{
    return stats(f, 0).trusted;
}

static bool both_trusted(struct fixture *f)
{
    return trusted(f, 0) && trusted(f, 1);
}

static void assert_soon(struct fixture *f, bool (*is)(struct fixture *f))
{
    for (int i = 0; i < 3000 && !is(f); i++)
        usleep(10000);
    if (!is(f))
        fail_msg("last error: %s", stats(f, 0).last_error);
}

/* Waits until `is`, and looks all the while that everybody's pair is trusted. */
static void assert_soon_without_a_gap(struct fixture *f, bool (*is)(struct fixture *f))
{
    for (int i = 0; i < 1500 && !is(f); i++) {
        for (int j = 0; j < MAX_REPLICAS; j++)
            if (f->replicas[j].manager && !trusted(f, j))
                fail_msg("replica %d serves what is not trusted", j);
        usleep(20000);
    }
    assert_true(is(f));
}

static void refuse(struct fixture *f, const char *method, const char *part, int status)
{
    pthread_mutex_lock(&f->api->lock);
    f->api->refuse_method = method;
    f->api->refuse_part = part;
    f->api->refuse_status = status;
    f->api->forbidden_seen = 0;
    pthread_mutex_unlock(&f->api->lock);
}

static int writes(struct fixture *f)
{
    pthread_mutex_lock(&f->api->lock);
    int n = f->api->writes;
    pthread_mutex_unlock(&f->api->lock);
    return n;
}

/* --- what must hold --- */

static void from_nothing_to_rest_and_then_no_writes(void **state)
{
    struct fixture *f = *state;

    install_config(f->api);
    start(f, 0);
    assert_soon(f, at_rest);
    assert_int_equal(writes(f), 2); /* the Secret, and both entries in one patch */
    pthread_mutex_lock(&f->api->lock);
    assert_string_equal(wm_json_str(f->api->config, "/webhooks/1/clientConfig/caBundle"), "eA==");
    pthread_mutex_unlock(&f->api->lock);
    sleep(3);
    assert_int_equal(writes(f), 2);
    assert_true(stats(f, 0).trusted);
    assert_int_equal(stats(f, 0).writes, 2);
    assert_int_equal(stats(f, 0).rotations, 1);
    assert_int_equal(stats(f, 0).errors, 0);
    assert_int_equal(stats(f, 0).loads, 1);
    assert_in_range(stats(f, 0).not_after_s - wm_wall_s(), 89 * 86400, 90 * 86400);
}

static void a_second_replica_takes_what_is_there(void **state)
{
    struct fixture *f = *state;

    install_config(f->api);
    start(f, 0);
    assert_soon(f, at_rest);
    start(f, 1);
    assert_soon(f, at_rest);
    assert_int_equal(writes(f), 2);
    assert_int_equal(stats(f, 1).writes, 0);
}

static void replicas_that_start_together_agree(void **state)
{
    struct fixture *f = *state;

    install_config(f->api);
    for (int i = 0; i < MAX_REPLICAS; i++)
        start(f, i);
    assert_soon(f, at_rest);
    for (int i = 0; i < MAX_REPLICAS; i++)
        assert_int_equal(stats(f, i).loads, 1);
}

static void the_configuration_may_come_later(void **state)
{
    struct fixture *f = *state;

    start(f, 0);
    assert_soon(f, serves);
    assert_soon(f, works);
    install_config(f->api);
    assert_soon(f, at_rest);
    assert_int_equal(stats(f, 0).errors, 0);
}

static void a_validating_configuration_is_kept_too(void **state)
{
    struct fixture *f = *state;

    install_config(f->api);
    start(f, 0);
    assert_soon(f, at_rest); /* without one, as everywhere else here: that is no error */
    assert_soon(f, says_trusted);
    install(f->api, &f->api->validating);
    assert_soon(f, at_rest_both);
    assert_int_equal(writes(f), 3);
    install(f->api, &f->api->validating); /* somebody takes the caBundles away */
    assert_soon(f, at_rest_both);
    assert_int_equal(writes(f), 4);
    assert_int_equal(stats(f, 0).errors, 0);
    assert_int_equal(stats(f, 0).rotations, 1);
}

static void a_validating_configuration_alone_will_do(void **state)
{
    struct fixture *f = *state;

    install(f->api, &f->api->validating);
    start(f, 0);
    assert_soon(f, says_trusted);
    assert_int_equal(stats(f, 0).errors, 0);
    assert_int_equal(writes(f), 2);
}

static void an_old_api_server_is_asked_in_its_version(void **state)
{
    struct fixture *f = *state;

    f->api->old = true;
    install_config(f->api);
    start(f, 0);
    assert_soon(f, at_rest);
}

static void a_changed_name_rotates_without_a_gap(void **state)
{
    struct fixture *f = *state;

    install_config(f->api);
    start(f, 0);
    assert_soon(f, at_rest);
    wm_auto_free char *before = cert_of(&f->replicas[0]);

    start_with(f, 1, 0, "new.example");
    assert_soon(f, both_trusted);
    stop(&f->replicas[0]); /* the rollout ends */
    assert_soon_without_a_gap(f, at_rest);
    wm_auto_free char *after = cert_of(&f->replicas[1]);

    assert_string_not_equal(before, after);
    assert_int_equal(wm_cert_check_names(wm_str_of(after), (const char *const[]){"new.example", NULL}, NULL),
                     WM_OK);
}

static void a_pair_that_ages_rotates_without_a_gap(void **state)
{
    struct fixture *f = *state;

    install_config(f->api);
    start_with(f, 0, 60, NULL); /* due when 20 s are left */
    start_with(f, 1, 60, NULL);
    assert_soon(f, at_rest);
    wm_auto_free char *before = cert_of(&f->replicas[0]);

    /* make it due now: a validity of 60 s was made 41 s ago */
    WM_AUTO(wm_cert_pems_done) struct wm_cert_pems old = {0};
    wm_auto_names char **names =
        wm_cert_service_names("hook", "ns", (const char *const[]){"127.0.0.1", NULL});
    struct wm_cert_spec spec = {(const char *const *)names, wm_wall_s() - 41, 60};
    (void)before;

    assert_int_equal(wm_cert_issue(&spec, &old, NULL), WM_OK);
    stop(&f->replicas[0]);
    stop(&f->replicas[1]);
    pthread_mutex_lock(&f->api->lock);
    struct wm_certs_content c = {&old, NULL, {0}, 0};
    wm_auto_buf struct wm_buf json = WM_BUF_MAX(1 << 20);

    assert_int_equal(wm_certs_secret_print(f->api->secret, "ns", "pair", &c, &json, NULL), WM_OK);
    cJSON_Delete(f->api->secret);
    f->api->secret = tree(json.p);
    pthread_mutex_unlock(&f->api->lock);
    start_with(f, 0, 60, NULL);
    start_with(f, 1, 60, NULL);
    assert_soon(f, both_trusted);
    assert_soon_without_a_gap(f, at_rest);
    wm_auto_free char *after = cert_of(&f->replicas[0]);

    assert_string_not_equal(after, old.cert);
}

static void a_deleted_secret_comes_back_and_rotates_without_a_gap(void **state)
{
    struct fixture *f = *state;

    install_config(f->api);
    start(f, 0);
    start(f, 1);
    assert_soon(f, at_rest);
    wm_auto_free char *before = cert_of(&f->replicas[0]);

    pthread_mutex_lock(&f->api->lock);
    cJSON_Delete(f->api->secret);
    f->api->secret = NULL;
    pthread_mutex_unlock(&f->api->lock);
    assert_soon_without_a_gap(f, at_rest);
    wm_auto_free char *after = cert_of(&f->replicas[0]);

    assert_string_not_equal(before, after);
}

static void garbage_is_repaired_without_a_gap(void **state)
{
    struct fixture *f = *state;

    install_config(f->api);
    start(f, 0);
    assert_soon(f, at_rest);
    pthread_mutex_lock(&f->api->lock);
    cJSON_ReplaceItemInObjectCaseSensitive(wm_json_at(f->api->secret, "/data"), "tls.key",
                                           cJSON_CreateString("eA=="));
    bump(f->api, f->api->secret);
    pthread_mutex_unlock(&f->api->lock);
    assert_soon_without_a_gap(f, at_rest);
    assert_int_equal(stats(f, 0).errors, 0);
}

static void an_emptied_bundle_is_filled_again(void **state)
{
    struct fixture *f = *state;

    install_config(f->api);
    start(f, 0);
    assert_soon(f, at_rest);
    install_config(f->api);
    assert_soon(f, at_rest);
    assert_int_equal(writes(f), 3);
}

static void conflicts_are_no_errors(void **state)
{
    struct fixture *f = *state;

    install_config(f->api);
    start(f, 0);
    assert_soon(f, at_rest);
    pthread_mutex_lock(&f->api->lock);
    cJSON_DeleteItemFromObjectCaseSensitive(wm_json_at(f->api->secret, "/data"), "tls.key");
    bump(f->api, f->api->secret);
    f->api->meddle = 3;
    pthread_mutex_unlock(&f->api->lock);
    assert_soon(f, at_rest);
    assert_int_equal(f->api->conflicts, 3);
    assert_int_equal(stats(f, 0).errors, 0);
}

static const struct refusal_row {
    const char *name, *method, *part;
    int status;
    const char *says;
    bool serves; /* meanwhile */
} refusals[] = {
    {"may not get the Secret", "GET", "secrets", 403, "get secrets pair", false},
    {"may not create Secrets", "POST", "secrets", 403, "create secrets pair", false},
    {"may not get the configuration", "GET", "mutating", 403, "get mutatingwebhookconfigurations labels",
     false},
    {"may not get the validating configuration", "GET", "validating", 403,
     "get validatingwebhookconfigurations validation", false},
    {"may not patch the configuration", "PATCH", "mutating", 403,
     "patch mutatingwebhookconfigurations labels", true},
    {"the server is broken", "GET", "secrets", 500, "get secrets pair", false},
    {"the namespace is not there", "POST", "secrets", 404, "create secrets pair", false},
};

static void check_refusal(void **state)
{
    const struct refusal_row *t = *state;
    struct fixture *f = NULL;

    setup((void **)&f);
    install_config(f->api);
    refuse(f, t->method, t->part, t->status);
    start(f, 0);
    assert_soon(f, forbidden);
    assert_soon(f, fails);
    assert_non_null(strstr(stats(f, 0).last_error, t->says));
    assert_int_equal(stats(f, 0).serving, t->serves);
    refuse(f, NULL, NULL, 0);
    assert_soon(f, at_rest);
    assert_soon(f, works);
    teardown((void **)&f);
}

static void when_the_server_is_away_we_serve_on(void **state)
{
    struct fixture *f = *state;

    install_config(f->api);
    start(f, 0);
    assert_soon(f, at_rest);
    refuse(f, "GET", "", 503);
    assert_soon(f, fails);
    assert_true(stats(f, 0).serving);
    assert_int_equal(f->replicas[0].pairs, 1);
    refuse(f, NULL, NULL, 0);
    assert_soon(f, works);
    assert_int_equal(writes(f), 2);
}

static void a_pair_that_the_server_does_not_want_is_replaced(void **state)
{
    struct fixture *f = *state;

    install_config(f->api);
    f->replicas[0].refuse = true;
    start(f, 0);
    assert_soon(f, fails);
    assert_non_null(strstr(stats(f, 0).last_error, "not wanted"));
    pthread_mutex_lock(&f->replicas[0].lock);
    f->replicas[0].refuse = false;
    pthread_mutex_unlock(&f->replicas[0].lock);
    assert_soon(f, at_rest);
}

static const struct opts_row {
    const char *name;
    struct wm_certs_manager_opts opts;
    const char *says;
} wrong[] = {
    {"no namespace", {.secret = "s", .service = "h"}, "namespace"},
    {"a Secret that leaves its path", {.namespace_ = "n", .secret = "../x", .service = "h"}, "Secret"},
    {"an empty Service", {.namespace_ = "n", .secret = "s", .service = ""}, "Service"},
    {"kept shorter than it takes",
     {.namespace_ = "n", .secret = "s", .service = "h", .keep_s = 60},
     "kept for"},
    {"a life shorter than a change",
     {.namespace_ = "n", .secret = "s", .service = "h", .validity_s = 300},
     "too short"},
    {"a name that is none",
     {.namespace_ = "n", .secret = "s", .service = "h", .extra_names = (const char *const[]){"a b", NULL}},
     "a b"},
};

static void check_opts(void **state)
{
    const struct opts_row *t = *state;
    struct wm_certs_manager *m = NULL;
    struct wm_error err = {0};

    assert_int_equal(wm_certs_manager_new(&t->opts, &m, &err), WM_E_INVALID);
    assert_non_null(strstr(err.msg, t->says));
    assert_null(m);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(from_nothing_to_rest_and_then_no_writes),
        T(a_second_replica_takes_what_is_there),
        T(replicas_that_start_together_agree),
        T(the_configuration_may_come_later),
        T(a_validating_configuration_is_kept_too),
        T(a_validating_configuration_alone_will_do),
        T(an_old_api_server_is_asked_in_its_version),
        T(a_changed_name_rotates_without_a_gap),
        T(a_pair_that_ages_rotates_without_a_gap),
        T(a_deleted_secret_comes_back_and_rotates_without_a_gap),
        T(garbage_is_repaired_without_a_gap),
        T(an_emptied_bundle_is_filled_again),
        T(conflicts_are_no_errors),
        T(when_the_server_is_away_we_serve_on),
        T(a_pair_that_the_server_does_not_want_is_replaced),
    };

    wm_log_set_level(getenv("V") ? WM_LOG_DEBUG : WM_LOG_ERROR);
    return RUN_TABLE("settings that do not fit", wrong, check_opts) +
           RUN_TABLE("refused by the API server", refusals, check_refusal) +
           cmocka_run_group_tests(tests, NULL, NULL);
}
