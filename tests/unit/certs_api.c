#include "certs_api.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "unit.h"

cJSON *tree(const char *json)
{
    cJSON *doc = NULL;

    assert_int_equal(wm_json_parse(wm_str_of(json), &doc, NULL), WM_OK);
    return doc;
}

void bump(struct api *a, cJSON *doc)
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

struct api *api_start(void)
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

void api_stop(struct api *a)
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

void install(struct api *a, cJSON **config)
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

void install_config(struct api *a)
{
    install(a, &a->config);
}

/* A PEM in the Secret, or the decoded caBundle of entry `i`; NULL = absent. */
struct wm_certs_secret secret_of(struct api *a)
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

struct wm_certs_hooks hooks_in(struct api *a, cJSON *const *config)
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

struct wm_certs_hooks hooks_of(struct api *a)
{
    return hooks_in(a, &a->config);
}
