#include "fault_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "waymark/buf.h"
#include "waymark/clock.h"

enum { MAX_ROWS = 64, MAX_REQUESTS = 4096, MAX_CONNECTIONS = 1024, MAX_HEAD = 64 << 10 };

struct connection {
    struct fault_server *server;
    pthread_t thread;
    int fd; /* -1 = closed */
    SSL *ssl;
};

struct fault_server {
    struct fault rows[MAX_ROWS];
    size_t n_rows;
    char *requests[MAX_REQUESTS];
    int n_requests, n_unmatched;
    struct connection connections[MAX_CONNECTIONS];
    int n_connections, n_resumed;
    int listener, port; /* listener -1 = down */
    bool stopping;
    pthread_t acceptor;
    pthread_mutex_t lock;
    SSL_CTX *tls;
};

/* --- bytes --- */

static bool write_all(struct connection *c, const char *p, size_t n)
{
    while (n > 0) {
        ssize_t w = c->ssl ? SSL_write(c->ssl, p, (int)n) : send(c->fd, p, n, MSG_NOSIGNAL);

        if (w <= 0)
            return false;
        p += w;
        n -= (size_t)w;
    }
    return true;
}

static ssize_t read_some(struct connection *c, char *p, size_t n)
{
    return c->ssl ? SSL_read(c->ssl, p, (int)n) : recv(c->fd, p, n, 0);
}

static size_t content_length(const char *head)
{
    const char *at = strcasestr(head, "\r\nContent-Length:");

    return at ? (size_t)atol(at + 17) : 0;
}

/* One request, head and body, into `in` (emptied first). */
static bool read_request(struct connection *c, struct wm_buf *in)
{
    char part[4096];

    wm_buf_clear(in);
    for (;;) {
        char *end = in->p ? strstr(in->p, "\r\n\r\n") : NULL;

        if (end && in->n >= (size_t)(end + 4 - in->p) + content_length(in->p))
            return true;
        ssize_t n = read_some(c, part, sizeof part);

        if (n <= 0)
            return false;
        wm_buf_add(in, part, (size_t)n);
        if (in->bad)
            return false;
    }
}

/* --- answers --- */

static void hang(struct connection *c)
{
    char byte;

    /* until the client closes, or the server shuts the socket down */
    while (read_some(c, &byte, 1) > 0)
        ;
}

/* False when the connection is to be closed. */
static bool answer(struct connection *c, const struct fault *f)
{
    wm_auto_buf struct wm_buf head = WM_BUF_MAX(8 << 10);

    if (f->end == FAULT_MUTE) {
        hang(c);
        return false;
    }
    if (f->delay_ms)
        usleep((useconds_t)f->delay_ms * 1000);
    wm_buf_printf(&head, "HTTP/1.1 %d X\r\n", f->status ? f->status : 200);
    if (!f->type || *f->type)
        wm_buf_printf(&head, "Content-Type: %s\r\n", f->type ? f->type : "application/json");
    wm_buf_printf(&head, "%sTransfer-Encoding: chunked\r\n\r\n", f->headers ? f->headers : "");
    if (!write_all(c, head.p, head.n))
        return false;
    for (size_t i = 0; i < 8 && f->body[i]; i++) {
        wm_auto_buf struct wm_buf chunk = WM_BUF_MAX(64 << 20);

        if (f->between_ms)
            usleep((useconds_t)f->between_ms * 1000);
        wm_buf_printf(&chunk, "%zx\r\n%s\r\n", strlen(f->body[i]), f->body[i]);
        if (!write_all(c, chunk.p, chunk.n))
            return false;
    }
    switch (f->end) {
    case FAULT_END:
        return write_all(c, "0\r\n\r\n", 5);
    case FAULT_RESET:
        /* what is still unread by the client would be thrown away by the reset */
        usleep(20000);
        setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &(struct linger){1, 0}, sizeof(struct linger));
        return false;
    case FAULT_HANG:
        hang(c);
        return false;
    case FAULT_CLOSE:
    case FAULT_MUTE:
        break;
    }
    return false;
}

static struct fault choose(struct fault_server *s, const char *request)
{
    struct fault none = {.status = 599, .body = {"no row"}}, found = none;

    pthread_mutex_lock(&s->lock);
    if (s->n_requests < MAX_REQUESTS)
        s->requests[s->n_requests++] = strdup(request);
    for (size_t i = 0; i < s->n_rows; i++) {
        struct fault *f = &s->rows[i];

        if (f->times == 0 || (f->match && !strstr(request, f->match)))
            continue;
        if (f->times > 0)
            f->times--;
        found = *f;
        break;
    }
    if (found.status == 599) {
        s->n_unmatched++;
        fprintf(stderr, "fault server: no row for %.*s\n", (int)strcspn(request, "\r"), request);
    }
    pthread_mutex_unlock(&s->lock);
    return found;
}

static bool shake_hands(struct connection *c)
{
    if (SSL_accept(c->ssl) != 1)
        return false;
    pthread_mutex_lock(&c->server->lock);
    c->server->n_resumed += SSL_session_reused(c->ssl);
    pthread_mutex_unlock(&c->server->lock);
    return true;
}

static void *serve(void *arg)
{
    struct connection *c = arg;
    wm_auto_buf struct wm_buf in = WM_BUF_MAX(32 << 20), out = WM_BUF_MAX(32 << 20);

    if (!c->ssl || shake_hands(c))
        while (read_request(c, &in)) {
            struct fault f = choose(c->server, in.p);

            if (f.respond) {
                wm_buf_clear(&out);
                f.status = f.respond(f.ctx, in.p, &out);
                f.body[0] = wm_buf_text(&out).p;
            }
            if (!answer(c, &f))
                break;
        }
    pthread_mutex_lock(&c->server->lock);
    if (c->fd >= 0)
        close(c->fd);
    c->fd = -1;
    pthread_mutex_unlock(&c->server->lock);
    return NULL;
}

/* --- listening --- */

static void open_listener(struct fault_server *s)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)s->port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    for (int i = 0; bind(fd, (struct sockaddr *)&at, sizeof at) < 0; i++) {
        if (i == 50) {
            perror("fault server: bind");
            abort();
        }
        usleep(20000);
    }
    listen(fd, 64);
    getsockname(fd, (struct sockaddr *)&at, &n);
    s->port = ntohs(at.sin_port);
    s->listener = fd;
}

static void take(struct fault_server *s, int fd)
{
    int on = 1;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    pthread_mutex_lock(&s->lock);
    if (s->n_connections == MAX_CONNECTIONS)
        abort();
    if (s->listener < 0) {
        pthread_mutex_unlock(&s->lock);
        close(fd);
        return;
    }
    struct connection *c = &s->connections[s->n_connections++];

    *c = (struct connection){.server = s, .fd = fd};
    if (s->tls) {
        c->ssl = SSL_new(s->tls);
        SSL_set_fd(c->ssl, fd);
    }
    pthread_create(&c->thread, NULL, serve, c);
    pthread_mutex_unlock(&s->lock);
}

static void *accept_all(void *arg)
{
    struct fault_server *s = arg;

    for (;;) {
        pthread_mutex_lock(&s->lock);
        struct pollfd p = {.fd = s->listener, .events = POLLIN};
        bool stopping = s->stopping;

        pthread_mutex_unlock(&s->lock);
        if (stopping)
            return NULL;
        if (poll(&p, 1, 10) <= 0)
            continue;
        int fd = accept4(p.fd, NULL, NULL, SOCK_CLOEXEC);

        if (fd >= 0)
            take(s, fd);
    }
}

static SSL_CTX *tls_new(const struct fault_tls *t)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    BIO *cert = BIO_new_mem_buf(t->cert, -1), *key = BIO_new_mem_buf(t->key, -1);
    X509 *x = PEM_read_bio_X509(cert, NULL, NULL, NULL);
    EVP_PKEY *k = PEM_read_bio_PrivateKey(key, NULL, NULL, NULL);

    SSL_CTX_use_certificate(ctx, x);
    SSL_CTX_use_PrivateKey(ctx, k);
    X509_free(x);
    EVP_PKEY_free(k);
    BIO_free(cert);
    BIO_free(key);
    if (t->client_ca) {
        BIO *ca = BIO_new_mem_buf(t->client_ca, -1);
        X509 *ca_cert = PEM_read_bio_X509(ca, NULL, NULL, NULL);

        X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), ca_cert);
        X509_free(ca_cert);
        BIO_free(ca);
        SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
        SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"fault", 5);
    }
    return ctx;
}

/* --- from outside --- */

struct fault_server *fault_server_start(const struct fault *rows, size_t n, const struct fault_tls *tls)
{
    struct fault_server *s = wm_xcalloc(1, sizeof *s);

    signal(SIGPIPE, SIG_IGN);
    pthread_mutex_init(&s->lock, NULL);
    fault_server_add(s, rows, n, false);
    s->tls = tls ? tls_new(tls) : NULL;
    open_listener(s);
    pthread_create(&s->acceptor, NULL, accept_all, s);
    return s;
}

void fault_server_add(struct fault_server *s, const struct fault *rows, size_t n, bool first)
{
    pthread_mutex_lock(&s->lock);
    size_t at = first ? 0 : s->n_rows;

    if (s->n_rows + n > MAX_ROWS)
        abort();
    memmove(s->rows + at + n, s->rows + at, (s->n_rows - at) * sizeof *rows);
    for (size_t i = 0; i < n; i++) {
        s->rows[at + i] = rows[i];
        if (rows[i].times == 0)
            s->rows[at + i].times = 1;
    }
    s->n_rows += n;
    pthread_mutex_unlock(&s->lock);
}

void fault_server_down(struct fault_server *s)
{
    pthread_mutex_lock(&s->lock);
    int listener = s->listener;

    /* refuses from here on; closed when the acceptor cannot be looking at it any more */
    shutdown(listener, SHUT_RDWR);
    s->listener = -1;
    for (int i = 0; i < s->n_connections; i++)
        if (s->connections[i].fd >= 0)
            shutdown(s->connections[i].fd, SHUT_RDWR);
    pthread_mutex_unlock(&s->lock);
    usleep(20000);
    close(listener);
}

void fault_server_up(struct fault_server *s)
{
    pthread_mutex_lock(&s->lock);
    open_listener(s);
    pthread_mutex_unlock(&s->lock);
}

struct fault_server *fault_server_stop(struct fault_server *s)
{
    pthread_mutex_lock(&s->lock);
    s->stopping = true;
    pthread_mutex_unlock(&s->lock);
    pthread_join(s->acceptor, NULL);
    fault_server_down(s);
    for (int i = 0; i < s->n_connections; i++) {
        pthread_join(s->connections[i].thread, NULL);
        SSL_free(s->connections[i].ssl);
    }
    for (int i = 0; i < s->n_requests; i++)
        free(s->requests[i]);
    SSL_CTX_free(s->tls);
    pthread_mutex_destroy(&s->lock);
    free(s);
    return NULL;
}

int fault_server_port(const struct fault_server *s)
{
    return s->port;
}

const char *fault_server_request(struct fault_server *s, const char *text, int i)
{
    const char *found = NULL;

    pthread_mutex_lock(&s->lock);
    for (int j = 0; j < s->n_requests && !found; j++)
        if ((!text || strstr(s->requests[j], text)) && i-- == 0)
            found = s->requests[j];
    pthread_mutex_unlock(&s->lock);
    return found;
}

int fault_server_count(struct fault_server *s, const char *text)
{
    int n = 0;

    pthread_mutex_lock(&s->lock);
    for (int j = 0; j < s->n_requests; j++)
        n += !text || strstr(s->requests[j], text);
    pthread_mutex_unlock(&s->lock);
    return n;
}

bool fault_server_wait(struct fault_server *s, const char *text, int n, int ms)
{
    int64_t until = wm_mono_ms() + ms;

    while (fault_server_count(s, text) < n) {
        if (wm_mono_ms() > until)
            return false;
        usleep(2000);
    }
    return true;
}

int fault_server_connections(struct fault_server *s)
{
    pthread_mutex_lock(&s->lock);
    int n = s->n_connections;

    pthread_mutex_unlock(&s->lock);
    return n;
}

int fault_server_resumed(struct fault_server *s)
{
    pthread_mutex_lock(&s->lock);
    int n = s->n_resumed;

    pthread_mutex_unlock(&s->lock);
    return n;
}

int fault_server_unmatched(struct fault_server *s)
{
    pthread_mutex_lock(&s->lock);
    int n = s->n_unmatched;

    pthread_mutex_unlock(&s->lock);
    return n;
}
