/* An HTTP/1.1 server on the loopback that answers by script: in pieces, late, cut off, or never.  For tests
 * of clients.  Blocking, a thread a connection. */
#ifndef WAYMARK_TESTS_FAULT_SERVER_H
#define WAYMARK_TESTS_FAULT_SERVER_H

#include <stdbool.h>
#include <stddef.h>

#include "waymark/buf.h"

enum fault_end {
    FAULT_END,   /* complete answer, connection stays */
    FAULT_CLOSE, /* FIN behind the pieces: the chunked body has no end */
    FAULT_RESET, /* RST behind the pieces */
    FAULT_HANG,  /* silence behind the pieces, until the client or the server stops */
    FAULT_MUTE,  /* the same instead of any answer */
};

/* One row answers `times` requests that contain `match`; rows are tried in order. */
struct fault {
    const char
        *match; /* part of the head: "GET /path?query HTTP/1.1\r\nHeader: ...", or of the body; NULL = any */
    int status; /* 0 = 200 */
    const char *type;    /* NULL = application/json; "" = no Content-Type */
    const char *headers; /* more of them, each with \r\n; NULL = none */
    const char *body[8]; /* pieces, each its own chunk and its own write */
    int delay_ms;        /* before the head */
    int between_ms;      /* before each piece */
    enum fault_end end;
    int times; /* 0 = once, -1 = for ever */
    /* Instead of status and body, for a server that remembers: appends a body and returns the status.  In the
     * connection's thread. */
    int (*respond)(void *ctx, const char *request, struct wm_buf *body);
    void *ctx;
};

/* PEM texts; all borrowed until the stop. */
struct fault_tls {
    const char *cert, *key;
    const char *client_ca; /* NULL = no client certificate wanted */
};

struct fault_server;

struct fault_server *fault_server_start(const struct fault *rows, size_t n, const struct fault_tls *tls);
struct fault_server *fault_server_stop(struct fault_server *s);
int fault_server_port(const struct fault_server *s);

/* More rows, before those that are there (`first`) or behind. */
void fault_server_add(struct fault_server *s, const struct fault *rows, size_t n, bool first);
/* Closes the listener and all connections: connects are refused until up. */
void fault_server_down(struct fault_server *s);
void fault_server_up(struct fault_server *s);

/* How many requests contained `text` (NULL = all), and the head and body of the i-th of them (borrowed). */
int fault_server_count(struct fault_server *s, const char *text);
const char *fault_server_request(struct fault_server *s, const char *text, int i);
/* Waits until there are `n`; false after `ms`. */
bool fault_server_wait(struct fault_server *s, const char *text, int n, int ms);
int fault_server_connections(struct fault_server *s); /* accepted so far */
int fault_server_resumed(struct fault_server *s);     /* of them, with a TLS session of an earlier one */
int fault_server_unmatched(struct fault_server *s);   /* requests that no row wanted; they got 599 */

#endif
