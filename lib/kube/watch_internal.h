/* Inside of a watch: the machine of LIST and WATCH, and what feeds it. */
#ifndef WAYMARK_KUBE_WATCH_INTERNAL_H
#define WAYMARK_KUBE_WATCH_INTERNAL_H

#include "internal.h"

#define WM_WATCH_MAX_EVENT (4u << 20) /* etcd takes 1.5 MiB; managedFields and escapes add */
#define WM_RV_SIZE 128

/* --- what is asked next --- */

enum wm_list_from {
    WM_FROM_CACHE,  /* resourceVersion=0: any, from the API server's memory */
    WM_FROM_LAST,   /* not older than what we saw */
    WM_FROM_QUORUM, /* unset: the newest, from etcd */
};

struct wm_watch_query {
    const char *path, *selector, *fields; /* selectors as given; NULL = none */
    enum wm_list_from from;
    const char *rv;             /* for FROM_LAST, and for watches */
    const char *continue_token; /* NULL = first page */
    int page_size;              /* 0 = no limit */
    bool paginate_always;       /* the cache is off, so a limit costs nothing more */
    bool bookmarks;
    int timeout_s;
};
void wm_list_url(const struct wm_watch_query *q, struct wm_buf *out);
void wm_watch_url(const struct wm_watch_query *q, struct wm_buf *out);
/* Never without the options that make it a list: a plain watch from nowhere goes straight to etcd. */
void wm_stream_url(const struct wm_watch_query *q, struct wm_buf *out);

/* --- how an attempt can end, and what follows: watch_rules.c --- */

enum wm_watch_op {
    WM_OP_LIST,
    WM_OP_WATCH,
    WM_OP_STREAM, /* a list that comes as a watch, and goes on as one */
};

enum wm_watch_outcome {
    WM_OUT_PAGE,         /* one page of several */
    WM_OUT_LISTED,       /* the last page */
    WM_OUT_ENDED,        /* a watch that the server ended in good order */
    WM_OUT_SHORT,        /* the same at once and without an event */
    WM_OUT_CUT,          /* the connection broke, or a deadline passed, or a stream ended before its list */
    WM_OUT_EXPIRED,      /* 410, as status or as event */
    WM_OUT_EXPIRED_PAGE, /* 410 for a continue token */
    WM_OUT_AHEAD,        /* ResourceVersionTooLarge: this server is behind what we saw */
    WM_OUT_SLOW,         /* 504 for a list */
    WM_OUT_UNAUTHORIZED,
    WM_OUT_FORBIDDEN,
    WM_OUT_ABSENT,
    WM_OUT_FORM,        /* 406, 415: not as PartialObjectMetadata */
    WM_OUT_OPTION,      /* 400, 422 for a watch or stream with options it may not know */
    WM_OUT_TOKEN,       /* 400 for a continue token */
    WM_OUT_BUSY,        /* 429, 5xx */
    WM_OUT_UNREACHABLE, /* no answer */
    WM_OUT_BROKEN,      /* an answer that makes no sense, or an error of the server's inside */
    WM_OUT_ODD,         /* any other error */
    WM_N_OUTCOMES
};

enum wm_next {
    WM_NEXT_PAGE,
    WM_NEXT_SAME,   /* list or watch again, as before */
    WM_NEXT_LIST,   /* list not older than what we saw */
    WM_NEXT_QUORUM, /* list from etcd */
    WM_NEXT_FULL,   /* the whole list without pages */
    WM_NEXT_WATCH,
};

enum wm_pause {
    WM_PAUSE_NONE,    /* at once; as OWN when it happens again and again */
    WM_PAUSE_OWN,     /* this watch's own backoff */
    WM_PAUSE_CLUSTER, /* the gate's */
    WM_PAUSE_SUSPECT, /* at once, one watch of the cluster first */
    WM_PAUSE_ABSENT,  /* growing to 30..60 s */
    WM_PAUSE_MINUTE,  /* growing to a minute */
};

#define WM_STATE_KEEP ((enum wm_watch_state)(-1))

struct wm_watch_rule {
    enum wm_watch_op op;
    enum wm_watch_outcome outcome;
    enum wm_next next;
    enum wm_pause pause;
    enum wm_watch_state state;
};
/* Never NULL. */
const struct wm_watch_rule *wm_watch_rule(enum wm_watch_op op, enum wm_watch_outcome outcome);
const char *wm_watch_outcome_name(enum wm_watch_outcome o);

/* What an answer that is no 2xx, or none, is to `op`. */
enum wm_watch_outcome wm_classify_answer(enum wm_watch_op op, const struct wm_answer *a, bool on_page,
                                         bool metadata_only, bool bookmarks);
/* What the Status in an ERROR event is; fills *err and the server's wish. */
enum wm_watch_outcome wm_classify_event(struct wm_str status, int *ret_retry_after_s, struct wm_error *err);

/* --- the machine: watch.c, watch_body.c --- */

struct wm_watch {
    struct wm_kube *k;
    struct wm_watch_sink sink;
    struct wm_watch *next, **link;

    char *path, *selector, *fields;
    char *other_path;   /* not asked now; NULL = there is none */
    bool other_refused; /* asked before, and not known either */
    int page_size, min_s, max_s, audit_s;
    bool metadata_only, paginate_always, no_limit, bookmarks, may_stream;

    enum wm_watch_op op;
    enum wm_list_from from;
    char rv[WM_RV_SIZE]; /* "" = never listed */
    char *continue_token;
    struct wm_buf url;
    struct wm_transfer *transfer;
    struct wm_waiter at_gate, in_queue;
    bool has_slot;
    struct wm_timer pause, limit, reaper;
    unsigned failures, absents, forbiddens, hasty, broken, broken_streams; /* in a row */
    int64_t failed_ms, absent_since_ms;
    unsigned epoch; /* of the gate when this attempt began */

    /* of the attempt that runs */
    bool is_open; /* a watch that was answered */
    int timeout_s;
    int64_t started_ms;
    uint64_t heard_before, bytes_checked; /* events and bookmarks; bytes at the last look for a stall */
    struct wm_lines lines;
    struct wm_items items;
    enum wm_watch_outcome stream_outcome; /* set by an ERROR event or a broken body */
    int stream_retry_s;
    bool stream_failed;
    struct wm_error stream_why;

    bool replacing, has_content, stopped;
    bool auditing, is_audit;     /* this list is one; it shows the version that the sink holds */
    int64_t audit_at_ms;         /* 0 = never */
    bool fresh;                  /* the next attempt takes no connection that is already there */
    struct wm_watch_stats stats; /* the thread's own */
    pthread_mutex_t lock;
    struct wm_watch_stats shared; /* what wm_watch_stats copies */
};

void wm_watch_begin(void *w);                   /* in the kube thread, once */
void wm_watch_go(void *w);                      /* the next attempt, as soon as the gate lets it */
bool wm_watch_heard(const struct wm_watch *w);  /* an event or a bookmark in this attempt */
bool wm_watch_lasted(const struct wm_watch *w); /* not a very short one */
void wm_watch_reset_stream(struct wm_watch *w); /* forgets what is half read */
void wm_watch_free(struct wm_watch *w);
void wm_watch_publish(struct wm_watch *w);
void wm_watch_settle(struct wm_watch *w, enum wm_watch_outcome o, const struct wm_error *why, bool refused,
                     int retry_after_s);
/* An open watch is given up; it comes back on a new connection. */
void wm_watch_cut(struct wm_watch *w, enum wm_watch_outcome o, const struct wm_error *why);
/* The same to all that are open. */
void wm_watches_cut(struct wm_kube *k, enum wm_watch_outcome o, const struct wm_error *why);
void wm_watch_set_state(struct wm_watch *w, enum wm_watch_state s, const struct wm_error *why);

/* A list's or watch's first sign of life. */
void wm_watch_opened(struct wm_watch *w);
/* The watch is open, and in step with what the sink holds. */
void wm_watch_streaming(struct wm_watch *w);

/* Lists that come as streams: watch_stream.c. */

enum wm_watch_op wm_stream_or_list(const struct wm_watch *w); /* how the next list is asked for */
/* A stream ended so, without its list. */
void wm_stream_failed(struct wm_watch *w, enum wm_watch_outcome o);
/* The bookmark at the end of the initial events, or another one. */
bool wm_stream_is_end(struct wm_str bookmark);
/* Looks whether a stream still moves; false when it is to be given up, with *why filled. */
bool wm_stream_look(struct wm_watch *w, struct wm_error *why);

/* The body's side: callbacks of the transfer, and the end of a complete list. */
bool wm_watch_on_head(void *ctx, const char *content_type, struct wm_error *why);
bool wm_watch_on_body(void *ctx, struct wm_str bytes, struct wm_error *why);
enum wm_watch_outcome wm_watch_end_list(struct wm_watch *w, struct wm_error *why);
void wm_watch_abort_list(struct wm_watch *w);

/* Slots: few lists of a cluster run at a time. */
void wm_slot_wait(struct wm_watch *w);
void wm_slot_release(struct wm_watch *w);

#endif
