#include "https_client.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MAX_ANSWER = 64 << 20, PATIENCE_S = 10 };

static SSL_CTX *shared;

static void make_shared(void)
{
    shared = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_session_cache_mode(shared, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_options(shared, SSL_OP_IGNORE_UNEXPECTED_EOF);
}

SSL_CTX *client_context(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, make_shared);
    return shared;
}

int client_dial(int port)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    struct timeval patience = {.tv_sec = PATIENCE_S};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (connect(fd, (struct sockaddr *)&to, sizeof to) == 0)
        return fd;
    close(fd);
    return -1;
}

bool client_open(struct client *c, int port, SSL_CTX *ctx)
{
    *c = (struct client){.fd = client_dial(port), .in = WM_BUF_MAX(MAX_ANSWER)};
    if (c->fd < 0)
        return false;
    c->ssl = SSL_new(ctx ? ctx : client_context());
    SSL_set_fd(c->ssl, c->fd);
    if (SSL_connect(c->ssl) == 1)
        return true;
    ERR_clear_error();
    return false;
}

bool client_send(struct client *c, const void *p, size_t n)
{
    const char *at = p;

    while (n > 0) {
        ssize_t w =
            c->ssl ? SSL_write(c->ssl, at, n > 16384 ? 16384 : (int)n) : send(c->fd, at, n, MSG_NOSIGNAL);

        if (w <= 0) {
            ERR_clear_error();
            return false;
        }
        at += w;
        n -= (size_t)w;
    }
    return true;
}

bool client_puts(struct client *c, const char *z)
{
    return client_send(c, z, strlen(z));
}

/* > 0 = bytes came; 0 = the end; < 0 = reset, or nothing in time. */
static int receive(struct client *c)
{
    char *to = wm_buf_room(&c->in, 16384);

    if (!to)
        return -1;
    int n = c->ssl ? SSL_read(c->ssl, to, 16384) : (int)recv(c->fd, to, 16384, 0);

    if (n > 0) {
        wm_buf_grew(&c->in, (size_t)n);
        return n;
    }
    if (c->ssl && SSL_get_error(c->ssl, n) == SSL_ERROR_ZERO_RETURN)
        n = 0;
    ERR_clear_error();
    return n;
}

static const char *field(const char *head, const char *name)
{
    const char *at = strcasestr(head, name);

    return at ? at + strlen(name) : NULL;
}

static void read_head(const char *head, struct answer *a, size_t *ret_length)
{
    const char *v;

    a->status = atoi(head + 9);
    a->close = field(head, "\r\nConnection: close") != NULL;
    if ((v = field(head, "\r\nRetry-After: ")) != NULL)
        a->retry_after_s = atoi(v);
    if ((v = field(head, "\r\nContent-Type: ")) != NULL)
        snprintf(a->content_type, sizeof a->content_type, "%.*s", (int)strcspn(v, "\r"), v);
    v = field(head, "\r\nContent-Length: ");
    *ret_length = v ? strtoul(v, NULL, 10) : 0;
}

struct answer client_answer(struct client *c)
{
    struct answer a = {.body = WM_BUF_MAX(MAX_ANSWER)};
    char *end;
    size_t length = 0, head_n;

    while (!c->in.n || (end = strstr(c->in.p, "\r\n\r\n")) == NULL)
        if (receive(c) <= 0)
            return a;
    head_n = (size_t)(end + 4 - c->in.p);
    *end = '\0';
    read_head(c->in.p, &a, &length);
    wm_buf_shift(&c->in, head_n);
    if (a.status == 100)
        return client_answer(c);
    while (c->in.n < length)
        if (receive(c) <= 0) {
            a.status = 0;
            return a;
        }
    wm_buf_add(&a.body, c->in.p, length);
    wm_buf_shift(&c->in, length);
    return a;
}

bool client_sees_end(struct client *c)
{
    return c->in.n == 0 && receive(c) == 0;
}

void client_close(struct client *c)
{
    SSL_free(c->ssl);
    if (c->fd >= 0)
        close(c->fd);
    wm_buf_done(&c->in);
    *c = (struct client){.fd = -1};
}

bool client_post(struct client *c, const char *path, const char *body, size_t n)
{
    char head[256];

    snprintf(
        head, sizeof head,
        "POST %s HTTP/1.1\r\nHost: a.b.svc\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
        path, n);
    return client_puts(c, head) && client_send(c, body, n);
}

int client_once(int port, const char *body)
{
    struct client c;
    int status = -1;

    if (client_open(&c, port, NULL)) {
        struct answer a = {0};

        if (client_post(&c, "/", body, strlen(body)))
            a = client_answer(&c);
        status = a.status;
        wm_buf_done(&a.body);
    }
    client_close(&c);
    return status;
}
