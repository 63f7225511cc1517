/* A small blocking HTTPS client for tests: it can also stop in the middle of anything. */
#ifndef WAYMARK_TESTS_HTTPS_CLIENT_H
#define WAYMARK_TESTS_HTTPS_CLIENT_H

#include <openssl/ssl.h>
#include <stdbool.h>

#include "waymark/buf.h"

struct client {
    int fd;   /* -1 = not connected */
    SSL *ssl; /* NULL = plain TCP */
    struct wm_buf in;
};

struct answer {
    int status; /* 0 = the connection ended before a whole answer */
    bool close; /* Connection: close */
    int retry_after_s;
    char content_type[64];
    struct wm_buf body;
};

/* Shared by all clients that do not bring their own context; verifies nothing. */
SSL_CTX *client_context(void);

/* TCP only; -1 = refused.  Reads give up after 10 s. */
int client_dial(int port);
/* False = TCP or the handshake failed.  ctx NULL = client_context(). */
bool client_open(struct client *c, int port, SSL_CTX *ctx);
bool client_send(struct client *c, const void *p, size_t n); /* all of it */
bool client_puts(struct client *c, const char *z);
/* Reads the next answer whole (skipping 100 Continue); the caller frees body. */
struct answer client_answer(struct client *c);
/* True when the server ends the connection, orderly, without another byte. */
bool client_sees_end(struct client *c);
void client_close(struct client *c);

/* POST with a Content-Length body. */
bool client_post(struct client *c, const char *path, const char *body, size_t n);
/* One request over a connection of its own; the status, 0 = lost, -1 = refused before anything was sent. */
int client_once(int port, const char *body);

#endif
