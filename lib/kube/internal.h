/* Inside of kube: the thread with its timers and tasks, who we are, and one transfer.  Everything here runs
 * in the kube thread unless it says otherwise. */
#ifndef WAYMARK_KUBE_INTERNAL_H
#define WAYMARK_KUBE_INTERNAL_H

#include <curl/curl.h>
#include <pthread.h>
#include <sys/types.h>

#include "access.h"
#include "waymark/kube.h"
#include "waymark/watch.h"

/* Every time and limit that a test wants shorter. */
struct wm_kube_tunables {
    int connect_ms, request_ms;
    int token_reread_ms, cert_reread_ms, exec_ms;
    int list_first_byte_ms; /* the API server itself gives up after 60 s */
    int list_stall_ms;      /* fewer than list_stall_bytes in this time */
    int list_stall_bytes;
    int stream_quiet_ms; /* nothing came while a streamed list is not complete: worth a warning */
    int stream_again_ms; /* a server that refused streamed lists is asked anew */
    int watch_grace_ms;  /* beyond timeoutSeconds, before the client ends a watch itself */
    int short_watch_ms;  /* a watch that ended sooner, without an event, is suspicious */
    int backoff_divisor;
    int refused_cap_ms; /* longest wait while nobody listens at all: a refused connect costs nearly nothing */
    int restart_ms;     /* for so long after that, it is taken to be starting */
    int healthy_ms;     /* without a failure for so long, the backoff starts anew */
    int absent_ms, absent_sure_ms, forbidden_ms;
    int probe_silence_ms, probe_timeout_ms; /* frozen server: asked after so much silence */
    int max_running, max_pending, max_lists;
    int writes_per_s, write_burst;
};
extern const struct wm_kube_tunables wm_kube_default_tunables;

/* --- timers and tasks (loop.c) --- */

struct wm_timer {
    int64_t at_ms;
    void (*fire)(void *ctx);
    void *ctx;
    struct wm_timer *next;
    bool armed;
};
void wm_timer_set(struct wm_kube *k, struct wm_timer *t, int64_t after_ms); /* moves it when it is armed */
void wm_timer_stop(struct wm_kube *k, struct wm_timer *t);

struct wm_task {
    void (*run)(void *ctx);
    void *ctx;
    struct wm_task *next;
};
/* Runs `run(ctx)` in the kube thread, soon.  False when shutting down.  Any thread. */
bool wm_kube_post(struct wm_kube *k, void (*run)(void *ctx), void *ctx);
bool wm_kube_in_thread(const struct wm_kube *k);
uint32_t wm_kube_random(struct wm_kube *k);

/* --- where (endpoint.c) --- */

struct wm_endpoint {
    char *base;        /* what URLs begin with */
    char *host_header; /* "Host: ..." when the name in `base` is that of the certificate; NULL = none */
    char *connect_to;  /* for CURLOPT_CONNECT_TO, then too */
    bool is_https, is_loopback;
    bool is_direct; /* the environment's proxy is not for it */
};
int wm_endpoint_init(struct wm_endpoint *e, const struct wm_kube_access *a, struct wm_error *err);
/* Whether a list like $NO_PROXY names `host` (an IPv6 address in brackets): no_proxy.c. */
bool wm_no_proxy_covers(const char *list, const char *host);
void wm_endpoint_done(struct wm_endpoint *e);

/* --- who (creds.c, exec.c) --- */

/* Borrowed until the thread's next turn. */
struct wm_identity {
    const char *token;               /* NULL = none */
    const char *username, *password; /* when there is no token */
    struct wm_str ca, cert, key;     /* PEM; absent = none */
    uint64_t generation;             /* of the credentials; changes when they were read anew */
};

struct wm_creds;
struct wm_creds *wm_creds_new(struct wm_kube *k);
struct wm_creds *wm_creds_free(struct wm_creds *c);
/* WM_OK; WM_E_BUSY when a plugin is running (wm_transfers_wake follows); else there are no credentials. */
int wm_creds_get(struct wm_creds *c, struct wm_identity *ret, struct wm_error *err);
/* The server answered 401 to credentials of `generation`.  True when another try may go better. */
bool wm_creds_refused(struct wm_creds *c, uint64_t generation);
/* A handshake failed: certificates are read again before the next one. */
void wm_creds_suspect(struct wm_creds *c);

struct wm_exec_result {
    char *token;
    struct wm_str cert, key;
    int64_t expires_s; /* wall clock; 0 = never */
};
void wm_exec_result_done(struct wm_exec_result *r);
/* Reads what a plugin printed (an ExecCredential of `api_version`). */
int wm_exec_result_parse(struct wm_str text, const char *api_version, struct wm_exec_result *ret,
                         struct wm_error *err);

struct wm_exec;
typedef void wm_exec_done_fn(void *ctx, const struct wm_error *why, struct wm_exec_result *result);
/* Starts the plugin; `done` runs once, with why == NULL on success, when it ended or timed out. */
int wm_exec_start(struct wm_kube *k, wm_exec_done_fn *done, void *ctx, struct wm_exec **ret,
                  struct wm_error *err);
int wm_exec_fd(const struct wm_exec *x); /* to poll for reading; -1 = nothing to poll */
void wm_exec_readable(struct wm_exec *x);
struct wm_exec *wm_exec_free(struct wm_exec *x); /* kills and reaps what still runs; `done` does not run */
int wm_creds_fd(const struct wm_creds *c);
void wm_creds_readable(struct wm_creds *c);

/* --- one exchange (transfer.c) --- */

struct wm_answer {
    int status;            /* 0 = no answer */
    int retry_after_s;     /* -1 = not said */
    bool refused;          /* nobody listens there, or who does hangs up at once */
    struct wm_error error; /* code WM_OK for a complete 2xx */
    struct wm_str body;    /* of an answer other than 2xx, at most 64 KiB of it */
    const char *reason;    /* of its v1 Status, "" = none */
};

struct wm_transfer_spec {
    const char *method, *path, *accept, *content_type; /* borrowed until the end */
    struct wm_str body;
    long buffer_bytes;
    bool fresh; /* on a connection of its own making: those that are there may be dead */
    /* A 2xx began with this Content-Type ("" = none).  NULL = do not care.  False = stop, *why filled. */
    bool (*on_head)(void *ctx, const char *content_type, struct wm_error *why);
    /* A piece of the body of a 2xx. */
    bool (*on_body)(void *ctx, struct wm_str bytes, struct wm_error *why);
    /* The end, once; the transfer is gone when it runs.  Not after a cancel. */
    void (*on_done)(void *ctx, const struct wm_answer *answer);
    void *ctx;
};

struct wm_transfer;
struct wm_transfer *wm_transfer_start(struct wm_kube *k, const struct wm_transfer_spec *spec);
struct wm_transfer *wm_transfer_cancel(struct wm_transfer *t); /* NULL is fine; not from on_head, on_body */
/* Credentials came, or will not: then those who wait for them end with `why`. */
void wm_transfers_wake(struct wm_kube *k, const struct wm_error *why);
void wm_transfer_finished(CURL *easy, CURLcode result);

/* --- answers (status.c) --- */

/* The error for an HTTP status, with message and reason of the v1 Status in `body` when it is one. */
int wm_status_error(int status, struct wm_str body, const char *where, char ret_reason[static 64],
                    struct wm_error *err);
/* Seconds, or a date against `date` (0 = unknown); -1 = none, unreadable, or over 5 minutes. */
int wm_retry_after(struct wm_str value, int64_t date_s, int64_t now_s);
/* Path without its query, for messages. */
void wm_path_only(const char *path, char out[static 96]);

/* --- requests (request.c) --- */

struct wm_requests;
struct wm_requests *wm_requests_new(struct wm_kube *k);
struct wm_requests *wm_requests_free(struct wm_requests *q); /* answers what is pending with WM_E_IO */

/* --- one waiting room for all watches of a cluster (gate.c) --- */

struct wm_waiter {
    void (*go)(void *ctx);
    void *ctx;
    struct wm_waiter *next;
    bool waiting;
};

/* While a cluster does not answer, one attempt at a time tries it, with growing pauses, for all its watches;
 * its first answer lets the others go. */
struct wm_gate {
    _Atomic bool closed;      /* written by the kube thread alone */
    unsigned failures, epoch; /* epoch: attempts that began in an older one say nothing new when they fail */
    int64_t last_failure_ms, last_refused_ms;
    int64_t not_before_ms; /* of the next attempt, unless a server that restarts says that it is ready */
    bool ask_ready, asking;
    struct wm_waiter *waiters; /* in the order they came */
    struct wm_waiter *trying;  /* the one that was let through while closed */
    struct wm_timer timer;
};
void wm_gate_init(struct wm_kube *k);
/* `w->go` runs from the loop when it may: soon, when the gate is open. */
void wm_gate_wait(struct wm_kube *k, struct wm_waiter *w);
void wm_gate_leave(struct wm_kube *k, struct wm_waiter *w); /* waits no longer, or its attempt is void */
void wm_gate_answered(struct wm_kube *k);
/* An attempt of `epoch` failed.  `retry_after_s` -1 = not said. */
void wm_gate_failed(struct wm_kube *k, unsigned epoch, bool refused, int retry_after_s);
/* A connection broke: let one try before the others. */
void wm_gate_suspect(struct wm_kube *k);

/* --- the set of watches (watch_api.c, heartbeat.c) --- */

struct wm_watches {
    struct wm_watch *all;
    int n, n_open;           /* n_open: answered with 200 and streaming */
    int n_lists;             /* slots taken */
    struct wm_waiter *queue; /* for a slot */
    struct wm_timer heartbeat;
    bool asking;               /* a heartbeat request is out */
    int64_t stream_refused_ms; /* when the server refused a streamed list; 0 = it did not */
};
void wm_watches_end(struct wm_kube *k);
void wm_heartbeat_init(struct wm_kube *k);
void wm_heartbeat_arm(struct wm_kube *k); /* a watch opened */

/* --- the whole --- */

struct wm_kube {
    struct wm_kube_access access;
    struct wm_endpoint endpoint;
    struct wm_kube_tunables t;
    char *user_agent;
    CURLM *multi;
    int epoll_fd, wake_fd, plugin_fd; /* plugin_fd: that of a credential plugin; -1 = none runs */
    int64_t curl_at_ms; /* when libcurl wants to be called; INT64_MAX = when something happens */
    CURLSH *share;      /* TLS sessions */
    pthread_t thread;

    pthread_mutex_t lock; /* guards the next five */
    struct wm_task *tasks, **tasks_end;
    bool stopping;
    int64_t clock_samples_ms[9]; /* server's Date minus ours */
    unsigned n_clock_samples;

    struct wm_timer *timers; /* by time */
    struct wm_transfer *transfers;
    struct wm_creds *creds;
    struct wm_requests *requests;
    struct wm_gate gate;
    struct wm_watches watches;
    int64_t last_heard_ms; /* the last byte of any answer; 0 = none yet */
    uint64_t warned[16];   /* hashes of Warning headers already logged */
    unsigned n_warned;
    unsigned random_state;
};

int wm_kube_new_tuned(struct wm_kube_access *access, const struct wm_kube_opts *opts,
                      const struct wm_kube_tunables *t, struct wm_kube **ret, struct wm_error *err);

#endif
