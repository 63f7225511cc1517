/* What a kube-apiserver once sent, sent again as fast as it is taken: lists, and a watch of one resource,
 * over TLS.
 *
 *   bench_replay_server PORT CERT_FILE KEY_FILE DIR EVENTS RESOURCE=COUNT...
 *
 * DIR/RESOURCE.json is one object as it was recorded, with places to fill: {own} is its number, {parent} that
 * of its owner among the objects of the RESOURCE before, {version} the resourceVersion.  The last RESOURCE is
 * the one whose watch is replayed: POST /replay sends EVENTS changes of its objects, one after the other, to
 * the watch that waits for them, and is answered when all were taken.  Every other list is empty, every other
 * watch silent. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "waymark/json.h"

enum { MAX_RESOURCES = 8, MAX_REQUEST = 8192, DIGITS = 10, MAX_MARKS = 4, FIRST_VERSION = 1000000000 };

struct resource {
    const char *name;
    char *template;
    size_t count, parents;
    char kind[64], version[64];
};

/* An event ready to be sent but for its version, which is written over the last one. */
struct event {
    char *bytes;
    size_t n, at[MAX_MARKS], n_marks;
};

static struct {
    struct resource resources[MAX_RESOURCES];
    size_t n_resources, n_events, n_objects;
    struct event *events; /* one an object */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    unsigned long version; /* of the last change */
    int waiting, asked, answered;
    int64_t first_ns, last_ns;
    size_t bytes;
} server = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER, .version = FIRST_VERSION};

struct peer {
    int fd;
    SSL *ssl;
    char request[MAX_REQUEST];
};

static _Noreturn void die(const char *what, const char *which)
{
    fprintf(stderr, "bench_replay_server: %s %s\n", what, which);
    exit(1);
}

static int64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* --- objects --- */

static char *read_file(const char *dir, const char *name)
{
    wm_auto_buf struct wm_buf path = WM_BUF_MAX(4096);
    struct wm_buf text = WM_BUF_MAX(1 << 20);
    char part[4096];
    size_t n;

    wm_buf_printf(&path, "%s/%s.json", dir, name);
    FILE *f = fopen(path.p, "r");

    if (!f)
        die("cannot read", path.p);
    while ((n = fread(part, 1, sizeof part, f)) > 0)
        wm_buf_add(&text, part, n);
    fclose(f);
    while (text.n && text.p[text.n - 1] == '\n')
        text.p[--text.n] = '\0';
    return wm_buf_take(&text);
}

static void put_object(struct wm_buf *out, const struct resource *r, size_t i, unsigned long version)
{
    static const char own[] = "{own}", parent[] = "{parent}", at[] = "{version}";
    const char *p = r->template, *brace;

    for (; (brace = strchr(p, '{')); p = brace) {
        wm_buf_add(out, p, (size_t)(brace - p));
        if (strncmp(brace, own, sizeof own - 1) == 0) {
            wm_buf_printf(out, "%06zu", i);
            brace += sizeof own - 1;
        } else if (strncmp(brace, parent, sizeof parent - 1) == 0) {
            wm_buf_printf(out, "%06zu", i % r->parents);
            brace += sizeof parent - 1;
        } else if (strncmp(brace, at, sizeof at - 1) == 0) {
            wm_buf_printf(out, "%lu", version);
            brace += sizeof at - 1;
        } else {
            wm_buf_puts(out, "{");
            brace++;
        }
    }
    wm_buf_puts(out, p);
}

static struct event make_event(const struct resource *r, size_t i)
{
    struct wm_buf object = WM_BUF_MAX(1 << 20), all = WM_BUF_MAX(1 << 20);
    struct event e = {0};
    char mark[DIGITS + 1];

    snprintf(mark, sizeof mark, "%lu", server.version);
    wm_buf_puts(&object, "{\"type\":\"MODIFIED\",\"object\":");
    put_object(&object, r, i, server.version);
    wm_buf_puts(&object, "}\n");
    wm_buf_printf(&all, "%zx\r\n", object.n);
    wm_buf_str(&all, wm_buf_text(&object));
    wm_buf_puts(&all, "\r\n");
    wm_buf_done(&object);
    e.n = all.n;
    e.bytes = wm_buf_take(&all);
    for (char *p = e.bytes; e.n_marks < MAX_MARKS && (p = strstr(p, mark)); p += DIGITS)
        e.at[e.n_marks++] = (size_t)(p - e.bytes);
    return e;
}

static void set_version(struct event *e, unsigned long version)
{
    char mark[DIGITS + 1];

    snprintf(mark, sizeof mark, "%lu", version);
    for (size_t i = 0; i < e->n_marks; i++)
        memcpy(e->bytes + e->at[i], mark, DIGITS);
}

/* --- answers --- */

static bool send_all(struct peer *p, const char *bytes, size_t n)
{
    return SSL_write(p->ssl, bytes, (int)n) == (int)n;
}

static bool answer(struct peer *p, const char *status, struct wm_str body)
{
    wm_auto_buf struct wm_buf all = WM_BUF_MAX(1 << 30);

    wm_buf_printf(&all, "HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
                  status, body.n);
    wm_buf_str(&all, body);
    return send_all(p, all.p, all.n);
}

static bool answer_list(struct peer *p, const struct resource *r)
{
    wm_auto_buf struct wm_buf body = WM_BUF_MAX(1 << 30);

    pthread_mutex_lock(&server.lock);
    unsigned long version = server.version;

    pthread_mutex_unlock(&server.lock);
    wm_buf_printf(&body, "{\"apiVersion\":\"%s\",\"items\":[", r ? r->version : "v1");
    for (size_t i = 0; r && i < r->count; i++) {
        wm_buf_puts(&body, i ? "," : "");
        put_object(&body, r, i, version);
    }
    wm_buf_printf(&body,
                  "],\"kind\":\"%sList\",\"metadata\":{\"continue\":\"\",\"resourceVersion\":\"%lu\"}}\n",
                  r ? r->kind : "", version);
    return answer(p, "200 OK", wm_buf_text(&body));
}

/* --- the replay --- */

static bool replay(struct peer *p)
{
    unsigned long version = server.version;
    int64_t first_ns = now_ns();
    size_t bytes = 0;

    for (size_t i = 0; i < server.n_events; i++) {
        struct event *e = &server.events[i % server.n_objects];

        set_version(e, ++version);
        if (!send_all(p, e->bytes, e->n))
            return false;
        bytes += e->n;
    }
    pthread_mutex_lock(&server.lock);
    server.version = version;
    server.first_ns = first_ns;
    server.last_ns = now_ns();
    server.bytes = bytes;
    server.answered++;
    pthread_cond_broadcast(&server.changed);
    pthread_mutex_unlock(&server.lock);
    return true;
}

/* One at a time: whoever asks next finds no watch that waits before the last has ended. */
static bool wait_and_replay(struct peer *p)
{
    pthread_mutex_lock(&server.lock);
    server.waiting++;
    pthread_cond_broadcast(&server.changed);
    while (server.asked == server.answered)
        pthread_cond_wait(&server.changed, &server.lock);
    server.waiting--;
    pthread_mutex_unlock(&server.lock);
    return replay(p);
}

static bool answer_watch(struct peer *p, bool replayed)
{
    static const char head[] =
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
    char byte;

    if (!send_all(p, head, sizeof head - 1) || (replayed && !wait_and_replay(p)))
        return false;
    while (SSL_read(p->ssl, &byte, 1) > 0)
        ;
    return false;
}

static bool answer_replay(struct peer *p)
{
    wm_auto_buf struct wm_buf body = WM_BUF_MAX(1024);

    pthread_mutex_lock(&server.lock);
    while (server.waiting == 0)
        pthread_cond_wait(&server.changed, &server.lock);
    server.asked++;
    pthread_cond_broadcast(&server.changed);
    while (server.answered < server.asked)
        pthread_cond_wait(&server.changed, &server.lock);
    wm_buf_printf(&body, "{\"events\":%zu,\"bytes\":%zu,\"first_ms\":%lld,\"last_ms\":%lld}\n",
                  server.n_events, server.bytes, (long long)server.first_ns / 1000000,
                  (long long)server.last_ns / 1000000);
    pthread_mutex_unlock(&server.lock);
    return answer(p, "200 OK", wm_buf_text(&body));
}

/* --- requests --- */

static const struct resource *resource_of(const char *path)
{
    const char *end = path + strcspn(path, "? "), *name = end;

    while (name > path && name[-1] != '/')
        name--;
    for (size_t i = 0; i < server.n_resources; i++)
        if (wm_str_is((struct wm_str){name, (size_t)(end - name)}, server.resources[i].name))
            return &server.resources[i];
    return NULL;
}

static bool take_request(struct peer *p)
{
    static const char version[] = "{\"major\":\"1\",\"minor\":\"20\",\"gitVersion\":\"v1.20.2\"}\n";
    static const char unknown[] =
        "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"status\":\"Failure\",\"code\":400}\n";
    const char *path = strchr(p->request, '/');

    if (!path)
        return false;
    const struct resource *r = resource_of(path);

    if (strncmp(p->request, "POST /replay ", 13) == 0)
        return answer_replay(p);
    if (strncmp(p->request, "GET ", 4) != 0 || strstr(path, "sendInitialEvents="))
        return answer(p, "400 Bad Request", wm_str_of(unknown));
    if (strncmp(path, "/version", 8) == 0)
        return answer(p, "200 OK", wm_str_of(version));
    if (strstr(path, "watch="))
        return answer_watch(p, r == &server.resources[server.n_resources - 1]);
    return answer_list(p, r);
}

static bool read_request(struct peer *p)
{
    size_t n = 0;

    do {
        int got = SSL_read(p->ssl, p->request + n, (int)(MAX_REQUEST - 1 - n));

        if (got <= 0)
            return false;
        n += (size_t)got;
        p->request[n] = '\0';
    } while (n < MAX_REQUEST - 1 && !strstr(p->request, "\r\n\r\n"));
    p->request[strcspn(p->request, "\r")] = '\0';
    return true;
}

static void *serve(void *arg)
{
    struct peer *p = arg;

    if (SSL_accept(p->ssl) == 1)
        while (read_request(p) && take_request(p))
            ;
    SSL_free(p->ssl);
    close(p->fd);
    free(p);
    return NULL;
}

/* --- life --- */

static int listen_at(int port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, (struct sockaddr *)&a, sizeof a) != 0 || listen(fd, 64) != 0)
        die("cannot listen", "there");
    return fd;
}

/* As Go's servers choose where the processor has AES. */
static SSL_CTX *tls_of(const char *cert, const char *key)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

    SSL_CTX_set_options(ctx, SSL_OP_CIPHER_SERVER_PREFERENCE);
    if (!SSL_CTX_set_ciphersuites(ctx, "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384") ||
        SSL_CTX_use_certificate_chain_file(ctx, cert) != 1 ||
        SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1)
        die("cannot use", cert);
    return ctx;
}

/* Typed clients take a list for what it says it is. */
static void name_kind(struct resource *r)
{
    static const char *const pointers[] = {"/apiVersion", "/kind"};
    wm_auto_buf struct wm_buf object = WM_BUF_MAX(1 << 20);
    struct wm_json_span s[2];

    put_object(&object, r, 0, FIRST_VERSION);
    if (wm_json_locate(wm_buf_text(&object), 2, pointers, s, NULL) < 0)
        die("no object:", r->name);
    wm_json_line(s[0], r->version, sizeof r->version);
    wm_json_line(s[1], r->kind, sizeof r->kind);
}

static void read_resource(const char *dir, char *word)
{
    char *equals = strchr(word, '=');
    size_t i = server.n_resources;

    if (!equals || i == MAX_RESOURCES)
        die("not RESOURCE=COUNT, or too many:", word);
    *equals = '\0';
    server.resources[i] = (struct resource){word, read_file(dir, word), strtoul(equals + 1, NULL, 10),
                                            i ? server.resources[i - 1].count : 1};
    if (!server.resources[i].count)
        die("no objects of", word);
    name_kind(&server.resources[i]);
    server.n_resources++;
}

static void render(void)
{
    const struct resource *last = &server.resources[server.n_resources - 1];

    server.n_objects = last->count;
    server.events = wm_xcalloc(last->count, sizeof *server.events);
    for (size_t i = 0; i < last->count; i++)
        server.events[i] = make_event(last, i);
}

int main(int argc, char *argv[])
{
    if (argc < 7)
        die("usage:", "PORT CERT_FILE KEY_FILE DIR EVENTS RESOURCE=COUNT...");
    signal(SIGPIPE, SIG_IGN);
    server.n_events = strtoul(argv[5], NULL, 10);
    for (int i = 6; i < argc; i++)
        read_resource(argv[4], argv[i]);
    render();
    SSL_CTX *ctx = tls_of(argv[2], argv[3]);
    int fd = listen_at(atoi(argv[1])), on = 1;

    for (;;) {
        struct peer *p = wm_xcalloc(1, sizeof *p);
        pthread_t thread;

        p->fd = accept(fd, NULL, NULL);
        setsockopt(p->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        p->ssl = SSL_new(ctx);
        SSL_set_fd(p->ssl, p->fd);
        if (p->fd < 0 || pthread_create(&thread, NULL, serve, p) != 0)
            die("cannot serve", "a connection");
        pthread_detach(thread);
    }
}
