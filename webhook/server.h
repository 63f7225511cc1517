/* HTTPS server: OpenSSL terminates TLS in our own epoll loop and hands plaintext to libmicrohttpd in the same
 * thread over a socketpair.  Knows nothing of admission.  Edge.
 *
 * `loops` threads, each with its own SO_REUSEPORT listener, epoll instance and MHD daemon; a connection stays
 * in its loop.  Nothing a client sends may spin, block or grow us: every connection has deadlines, every size
 * a ceiling. */
#ifndef WAYMARK_WEBHOOK_SERVER_H
#define WAYMARK_WEBHOOK_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "waymark/buf.h"
#include "waymark/error.h"

struct wm_server;
struct wm_request; /* one request; lives until it is answered */

/* What the handler may look at; borrowed until wm_request_reply returns, even if the client goes away. */
struct wm_request_view {
    const char *method, *path; /* path without the query, as sent (no %-unescaping) */
    const char *content_type;  /* "" = none */
    struct wm_str body;        /* complete */
    int timeout_ms;            /* from ?timeout=2s (any Go duration), 0 = not given */
    int64_t received_ns;       /* wm_mono_ns when the header was complete */
    unsigned loop;             /* index of the serving loop, 0 .. loops-1: for per-loop state without locks */
};

struct wm_reply {
    int status;
    const char *content_type; /* NULL = application/json */
    struct wm_str body;       /* copied; may lie inside the view's body */
    int retry_after_s;        /* > 0: Retry-After */
    const char *allow;        /* for 405; NULL = none */
};

/* Runs in a loop thread when the body is complete (for any path and method that `wants` let through); must
 * not block.  Answers with wm_request_reply, at once or later. */
typedef void wm_handler_fn(void *ctx, struct wm_request *req, const struct wm_request_view *view);

/* Asked before a body is read, so that a request for a wrong path costs nothing: fill *ret and return false
 * to refuse, e.g. 404, 405, 415.  NULL = take all. */
typedef bool wm_wants_fn(void *ctx, const char *method, const char *path, const char *content_type,
                         struct wm_reply *ret);

/* Makes the body of an error that the server itself answers (400, 408, 413, 431, 500, 503): writes JSON into
 * `out`.  Any loop thread.  NULL = the message as plain text. */
typedef void wm_error_body_fn(void *ctx, int status, const char *message, struct wm_buf *out);

/* Runs in each loop thread when it has done what was to do and is about to wait, and with `last` when it
 * ends: for what is cheaper by the turn than by the request, e.g. writing a log.  NULL = nothing. */
typedef void wm_turn_end_fn(void *ctx, bool last);

struct wm_server_opts {
    const char *address; /* "0.0.0.0", "::", "127.0.0.1", ... */
    int port;            /* 0 = any free one, see wm_server_port */
    unsigned loops;      /* 0 = number of CPUs we may run on, at most 2 */
    int max_connections; /* all loops together; 0 = 2,000.  Over it, a handshake that has hung for a second
                            makes room, else the new one is closed at once */
    int max_per_peer; /* connections of one address (IPv6: one /64); 0 = no limit.  Over it: closed at once */
    size_t max_body;  /* one request; 0 = 28 MiB.  Over it: 413 */
    size_t body_budget; /* memory for bodies being read or answered and for bytes in transit, all loops;
                           0 = 3 * max_body.  Over it: 503 + Retry-After */
    int max_in_flight;  /* requests taken and not answered; 0 = 1,000.  Over it: 503 + Retry-After: 1 */
    int handshake_timeout_ms, header_timeout_ms, body_timeout_ms; /* 0 = 5,000, 10,000, 15,000 */
    int idle_timeout_ms; /* 0 = 120,000; the API server's own is 90,000 */
    int idle_release_ms; /* an idle connection gives its HTTP state back after this; 0 = 5,000 */
    int linger_ms;       /* how long a closed connection may drain what the client still sends; 0 = 5,000 */
    int max_age_s; /* a connection answers `Connection: close` after this, -+ 20 %; 0 = 300, -1 = never */
    const char *client_ca_pem; /* NULL = no client certificate asked for */
    const char *const
        *client_names; /* with client_ca_pem: allowed subject CNs, NULL-terminated; NULL = any */
    wm_wants_fn *wants;
    wm_handler_fn *handle;
    wm_error_body_fn *error_body;
    wm_turn_end_fn *turn_end;
    void *ctx;
};

/* Binds and starts the loops.  Listens from the first wm_server_set_pair on; until then the kernel refuses
 * connections, or gives them to another server on the same port.  `opts` and
 * what it points to need not outlive the call, except `ctx`.  Raises the process's soft limit of open files
 * to what max_connections needs, as far as the hard one allows. */
int wm_server_new(const struct wm_server_opts *opts, struct wm_server **ret, struct wm_error *err);

/* Publishes a serving pair (PEM, leaf first).  Checks that key and certificate belong together and that the
 * certificate is valid now; on error the old pair stays.  Live connections keep theirs.  Thread-safe. */
int wm_server_set_pair(struct wm_server *s, struct wm_str cert_pem, struct wm_str key_pem,
                       struct wm_error *err);

/* Replaces the authorities of client certificates for new handshakes; on error the old ones stay.  For a
 * server that was made with client_ca_pem.  Thread-safe. */
int wm_server_set_client_ca(struct wm_server *s, struct wm_str pem, struct wm_error *err);

int wm_server_port(const struct wm_server *s);
unsigned wm_server_loops(const struct wm_server *s);

/* Answers; `req` is gone when this returns.  Any thread, exactly once for every request that was handed to
 * the handler, also after wm_server_free. */
void wm_request_reply(struct wm_request *req, const struct wm_reply *reply);

/* From now on every answer says `Connection: close`; new connections are still taken, idle ones stay (closing
 * them would race with the next POST, which the API server does not repeat).  Thread-safe. */
void wm_server_drain(struct wm_server *s);

/* Drains; takes what waits in the listeners' queues and stops listening; lets running requests end and idle
 * connections fall silent (at most `grace_ms`); closes the rest, joins, frees.  NULL is fine. */
struct wm_server *wm_server_free(struct wm_server *s, int grace_ms);

struct wm_server_stats {
    uint64_t accepted, refused /* over max_connections or max_per_peer */, handshakes, handshake_failures;
    uint64_t requests, timeouts, too_big, shed /* 503 of ours */, bad_http, bytes_in,
        bytes_out /* ciphertext */;
    int64_t open, in_flight, body_bytes;     /* now */
    int64_t cert_not_after_s, cert_loaded_s; /* 0 = none */
};
void wm_server_stats(const struct wm_server *s, struct wm_server_stats *ret);

#endif
