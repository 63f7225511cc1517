/* The inside of the HTTPS server: what its files share.  Edge.
 *
 *   server.c         the public face: options, threads, statistics
 *   listen.c         listening sockets, accept
 *   tls_context.c    SSL_CTX from a pair; loading and swapping pairs
 *   loop.c           one thread: epoll, the turn, deadlines, the end
 *   conn.c           one connection: birth, phases, death
 *   pump.c           bytes: TCP <-> OpenSSL <-> the pipe to MHD
 *   session.c        OpenSSL's side of a connection
 *   http.c           MHD's callbacks: which requests are taken, their bodies
 *   request_head.c   a request's header: what we need of it
 *   body.c           memory for one body
 *   reply.c          answers: at once, late, and those that close
 *
 * Everything below a loop is touched by that loop's thread alone, except what is said to be atomic and the
 * mailbox.  Counters have one writer (their loop) and any number of readers. */
#ifndef WAYMARK_WEBHOOK_SERVER_IMPL_H
#define WAYMARK_WEBHOOK_SERVER_IMPL_H

#include <microhttpd.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdatomic.h>

#include "webhook/list.h"
#include "webhook/server.h"

enum {
    WM_CHUNK = 32 << 10,             /* ciphertext read at a time */
    WM_RECORD = 16 << 10,            /* the largest TLS record */
    WM_PLAIN = WM_CHUNK + WM_RECORD, /* what one chunk can decrypt to, with a record begun before */
    WM_WIRE = WM_PLAIN + (4 << 10),  /* what encrypting WM_PLAIN may give */
    WM_HELD_MAX = 4 * WM_WIRE,       /* bytes that one side may owe the other, in one connection */
    WM_HTTP_POOL = 24 << 10,         /* MHD's memory for a connection: bounds the header.  MHD clears all of
                                        it after each request, and maps it when it is larger */
    WM_SWALLOW = 64 << 10,           /* bodies up to this are read to the end to keep the connection */
    WM_LINGER_BYTES = 64 << 20,      /* what a closed connection may still send us */
    WM_ODD_RECORDS = 32,             /* records without data (key updates...) before we hang up */
    WM_PEER_SLOTS = 4096,
};

/* What a connection waits for.  Each has one duration in a loop, so each list below is sorted by deadline. */
enum wm_phase {
    WM_PHASE_SHAKING, /* from accept to the end of the handshake */
    WM_PHASE_IDLE,    /* between requests; then its HTTP state is released and it goes on as */
    WM_PHASE_RESTING,
    WM_PHASE_HEADER,  /* some bytes of a request are there */
    WM_PHASE_BODY,    /* the header is complete */
    WM_PHASE_SENDING, /* the client does not take the answer */
    WM_PHASE_LINGER,  /* we said goodbye and drain */
    WM_N_PHASES,
    WM_PHASE_NONE = WM_N_PHASES, /* the handler works: its own time */
};

struct wm_counters {
    _Atomic uint64_t accepted, refused, handshakes, handshake_failures, requests, timeouts, too_big, shed,
        bad_http, bytes_in, bytes_out;
    char apart[64]; /* the other loops look at these for every request: a cache line of their own */
    _Atomic int64_t open, in_flight, body_bytes;
    char from_the_rest[64];
};

/* One writer: no locked instruction needed. */
#define WM_BUMP(counter, by)                                                                                 \
    atomic_store_explicit((counter), atomic_load_explicit((counter), memory_order_relaxed) + (by),           \
                          memory_order_relaxed)

/* Late answers on their way to a loop.  Counted references: its loop and every request not answered yet. */
struct wm_mailbox {
    _Atomic int refs;
    pthread_mutex_t lock;
    struct wm_request *first, **last; /* answered requests, in order */
    int wake;                         /* eventfd */
    bool closed;                      /* the loop is gone: answers are dropped */
};

struct wm_body {
    char *p;
    size_t n, cap; /* cap: what may be used, and is charged */
    size_t mapped; /* length of the mapping; 0 = from malloc */
};

struct wm_request {
    struct wm_request_view view;
    struct wm_mailbox *mailbox;
    struct wm_loop *loop; /* compared, never followed, by other threads */
    struct wm_conn *conn; /* loop thread only */
    struct wm_body body;
    size_t charged;              /* of the body, to the budget */
    bool inline_ok, answered;    /* loop thread: the handler runs; it has answered */
    struct MHD_Response *answer; /* NULL = memory was gone */
    unsigned status;
    struct wm_request *next; /* in the mailbox */
    char text[];             /* method, path, content type */
};

struct wm_conn {
    struct wm_loop *loop;
    struct wm_link all, timer, ready, touched; /* lists of the loop */
    int fd;                                    /* the client; -1 = gone */
    int pipe;                                  /* our end of the socketpair; -1 = none */
    SSL *ssl;                                  /* NULL until the first byte came, and after the end */
    struct MHD_Connection *mhd;                /* NULL = no HTTP state */
    struct wm_request *req;                    /* being read or answered */
    struct MHD_Response *refusal;              /* answer of a request whose body is being swallowed */
    unsigned refusal_status;
    struct wm_buf in, out;    /* plaintext that MHD, ciphertext that TCP did not take yet */
    struct wm_buf last_words; /* an answer that closes; written past MHD */

    enum wm_phase phase;
    int64_t deadline_ms, since_ms, born_ms, max_age_ms; /* since_ms: when the phase began */
    uint64_t armed_for;                                 /* value of n_requests when the deadline was set */
    uint64_t n_requests;                                /* completed */
    uint64_t fed, used;                 /* bytes given to MHD; bytes of them known to be part of requests */
    uint64_t header_bytes, body_length; /* of the running request */
    int64_t seen_ms;                    /* MHD's last callback for it */
    size_t drained;                     /* bytes thrown away while lingering */
    uint16_t peer;                      /* slot of the address */
    uint16_t odd;                       /* records that were neither handshake nor data */

    bool shaking, readable, hup; /* hup: the peer's FIN or an error is behind what is readable */
    bool eof;                    /* the client said that nothing follows */
    bool dirty;                  /* bytes were fed since the last request was complete */
    bool in_body;                /* the header was seen by us, the body is not complete */
    bool waiting;                /* suspended in MHD until the handler answers */
    bool replying;               /* an answer is queued in MHD and not completely written into the pipe */
    bool replied;                /* ... and it may lie in the pipe, unread by us */
    bool http_gone;              /* MHD has closed: what is in the pipe is all */
    bool look;                   /* its pipe may hold an answer */
    bool finishing;              /* when all is sent: say goodbye */
    bool said_bye;
    bool broken;     /* writing failed, or TLS: close as soon as nobody is inside OpenSSL */
    bool mute;       /* TLS failed: not even a close_notify can be said */
    bool odd_length; /* chunked: `used` cannot be known */
    bool is_head;
};

struct wm_loop {
    struct wm_server *server;
    unsigned index;
    pthread_t thread;
    bool started;
    int epoll, listener, spare; /* spare: a descriptor to give up when there are no more */
    struct MHD_Daemon *mhd;
    struct wm_mailbox *mailbox;
    SSL_CTX *ctx; /* our reference; NULL until the first pair */
    uint64_t ctx_generation;
    struct wm_counters n;

    int64_t now_ns, now_ms; /* of this turn */
    struct wm_link all, phases[WM_N_PHASES], ready, shakers, touched, dead;
    int duration_ms[WM_N_PHASES];
    struct wm_conn *adding; /* for MHD's connection callback */
    bool http_due;          /* MHD has something to do */
    bool progress;          /* MHD called us in this run */
    unsigned empty_runs;    /* runs of MHD in a row that wanted another and did nothing */
    int64_t again_since_ms; /* since when every run wanted another; 0 = not so */
    uint64_t seed;
    unsigned freed;                    /* connections, or their HTTP state, since memory was given back */
    int64_t trimmed_ms, deaf_until_ms; /* deaf: no descriptor is left to accept with; 0 = not so */
    bool stopping;                     /* by wm_server_free */
    int64_t stop_ms, closed_ms, give_up_ms; /* asked to stop; listener closed (0 = not yet); patience ends */

    struct wm_body spare_body; /* a small body's memory, for the next */
    struct wm_conn *reading;   /* whose ciphertext is in cipher[] */
    size_t cipher_at, cipher_n, wire_n;
    char cipher[WM_CHUNK], plain[WM_PLAIN], wire[WM_WIRE];
};

struct wm_server {
    struct wm_server_opts o; /* with the defaults filled in; pointers that we keep are ours */
    int port;
    unsigned n_loops;
    struct wm_loop **loops;
    _Atomic bool draining, stopping;
    int grace_ms; /* written before `stopping` */

    pthread_mutex_t change_lock; /* who changes the pair or the client CAs: may take milliseconds */
    bool listening;              /* under change_lock; so is o.client_ca_pem */
    pthread_mutex_t pair_lock;   /* for taking a reference: the loops wait for it */
    SSL_CTX *ctx;                /* under pair_lock */
    _Atomic uint64_t ctx_generation;
    _Atomic int64_t cert_not_after_s, cert_loaded_s;
    _Atomic uint32_t peers[WM_PEER_SLOTS];
    uint64_t peer_seed;
};

/* --- tls_context.c --- */

/* A context that serves this pair under `o`'s client certificate rules; the caller frees it. */
int wm_tls_context_new(const struct wm_server_opts *o, struct wm_str cert_pem, struct wm_str key_pem,
                       int64_t now_s, SSL_CTX **ret, int64_t *ret_not_after_s, struct wm_error *err);

/* The same pair under other rules: as `old` serves it. */
int wm_tls_context_like(const struct wm_server_opts *o, SSL_CTX *old, SSL_CTX **ret, struct wm_error *err);

/* Parses the client CAs, so that a mistake is told at the start. */
int wm_tls_check_client_ca(const char *pem, struct wm_error *err);

/* --- listen.c --- */
int wm_bind(const struct wm_server_opts *o, int port, int *ret_fd, int *ret_port, struct wm_error *err);
int wm_listen(struct wm_loop *l, struct wm_error *err); /* any thread, once */
void wm_listen_deafen(int fd);
void wm_accept_some(struct wm_loop *l); /* a batch */
void wm_accept_all(struct wm_loop *l);  /* until the queue is empty */
void wm_peer_gone(struct wm_conn *c);

/* --- loop.c --- */
int wm_loop_new(struct wm_server *s, unsigned index, struct wm_loop **ret, struct wm_error *err);
int wm_loop_start(struct wm_loop *l, struct wm_error *err);
int wm_loop_watch_listener(struct wm_loop *l, struct wm_error *err);
void wm_loop_pause_listener(struct wm_loop *l, bool pause);
struct wm_loop *wm_loop_free(struct wm_loop *l); /* after its thread is joined or was never started */
void wm_loop_wake(struct wm_loop *l);            /* any thread */

/* --- conn.c --- */
void wm_conn_new(struct wm_loop *l, int fd, uint16_t peer);
void wm_conn_event(struct wm_conn *c, uint32_t events);
void wm_conn_rearm(struct wm_conn *c); /* after anything happened to it */
void wm_conn_expired(struct wm_conn *c);
void wm_conn_release_http(struct wm_conn *c); /* of an idle one */
void wm_conn_goodbye(struct wm_conn *c);      /* close_notify, FIN, then drain until the peer closes */
void wm_conn_close(struct wm_conn *c);        /* at once */
void wm_conn_http_closed(struct wm_conn *c);  /* MHD forgot it */
void wm_conn_free(struct wm_conn *c);
bool wm_conn_at_rest(const struct wm_conn *c);   /* open, and nothing of a request is under way */
bool wm_conn_http_busy(const struct wm_conn *c); /* MHD would not read more now */
void wm_conn_touch(struct wm_conn *c);           /* settle it after MHD ran */
void wm_conn_look(struct wm_conn *c);            /* and look into its pipe */
void wm_conn_drop_pipe(struct wm_conn *c);       /* MHD's side ends */

/* --- session.c --- */
bool wm_session_start(struct wm_conn *c);     /* with the loop's current pair */
bool wm_session_shake(struct wm_conn *c);     /* true = the handshake is complete */
size_t wm_session_decrypt(struct wm_conn *c); /* all of the chunk into plain[]; how much that is */
void wm_session_encrypt(struct wm_conn *c, const char *p, size_t n);
void wm_session_end(struct wm_conn *c); /* close_notify, if it can still be said */

/* --- pump.c --- */
void wm_pump_in(struct wm_conn *c);
void wm_pump_out(struct wm_conn *c);
void wm_pump_feed_held(struct wm_conn *c);
void wm_pump_flush(struct wm_conn *c); /* the wire buffer into TCP, the rest is held */
void wm_pump_drop_held(struct wm_conn *c);

/* Memory that a client makes us use: false when the budget is spent.  Loops that look at the same moment may
 * together pass it by one step of each; within a loop it is exact. */
bool wm_budget_take(struct wm_loop *l, size_t n);
void wm_budget_give(struct wm_loop *l, size_t n);

/* --- body.c --- */
/* Room for `need` bytes of a body that never exceeds `max`; false = no memory. */
bool wm_body_room(struct wm_body *b, size_t need, size_t max);
void wm_body_done(struct wm_body *b);

/* --- request_head.c --- */

/* What we need of a request's header, read in one pass over it. */
struct wm_request_head {
    struct wm_str content_type;
    int timeout_ms; /* from the query; 0 = none */
    uint64_t length;
    unsigned n_lengths, n_encodings;
    bool chunked, expects;
};

void wm_request_head_read(struct MHD_Connection *m, struct wm_request_head *ret);
bool wm_request_head_well_framed(const struct wm_request_head *h);

/* --- http.c --- */
int wm_http_start(struct wm_loop *l, struct wm_error *err);
bool wm_http_open(struct wm_conn *c); /* a pipe and an MHD connection for it */
void wm_http_run(struct wm_loop *l);

/* --- reply.c --- */
struct wm_mailbox *wm_mailbox_new(void);            /* NULL = no descriptor */
void wm_reply_this_thread(const struct wm_loop *l); /* this thread is that loop's; NULL = no longer */
void wm_mailbox_unref(struct wm_mailbox *m);
void wm_mailbox_collect(struct wm_loop *l); /* queues the late answers in MHD */
void wm_mailbox_close(struct wm_loop *l);
struct MHD_Response *wm_reply_make(const struct wm_reply *r);
void wm_reply_queue(struct wm_conn *c, unsigned status, struct MHD_Response *answer);
void wm_reply_last_words(struct wm_conn *c, const struct wm_reply *r);
/* An error of the server itself; closes the connection.  retry_after_s 0 = none. */
void wm_reply_error(struct wm_conn *c, int status, int retry_after_s);
void wm_reply_error_fill(struct wm_loop *l, int status, int retry_after_s, struct wm_buf *body,
                         struct wm_reply *ret);
void wm_request_done(struct wm_conn *c);   /* frees the connection's request and what it holds */
void wm_request_orphan(struct wm_conn *c); /* the handler keeps it; the server forgets it */

#endif
