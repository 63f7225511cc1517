/* Inside of events.  The rules (events_text.c, events_series.c, events_rules.c) are pure: what time it is,
 * what the server said and what chance gave comes in by parameters. */
#ifndef WAYMARK_KUBE_EVENTS_INTERNAL_H
#define WAYMARK_KUBE_EVENTS_INTERNAL_H

#include "waymark/events.h"

/* Every time and limit that a test wants shorter. */
struct wm_events_tunables {
    int finish_ms;  /* a series that was silent for so long is over */
    int refresh_ms; /* how often the count of one that goes on is told */
    int retry_ms;   /* +- 25 % */
    int max_tries;
    int max_waiting;
    int max_writing; /* at once: fewer than kube sends, whose other users have more urgent things */
    int close_ms;
};
extern const struct wm_events_tunables wm_events_default_tunables;
int wm_events_new_tuned(const struct wm_events_opts *opts, const struct wm_events_tunables *t,
                        struct wm_events **ret, struct wm_error *err);

/* Timestamps are told to people, ages are measured: the two never meet. */
struct wm_event_now {
    int64_t wall_us, mono_ms;
};

/* --- texts (events_text.c) --- */

/* An event with its texts copied, clean and cut; freed by free(). */
struct wm_event_kept {
    struct wm_event event;
    struct wm_event_now at;
    struct wm_event_kept *next;
    char text[];
};
struct wm_event_kept *wm_event_keep(const struct wm_event *e, struct wm_event_now now);
/* Of kept events. */
bool wm_event_same(const struct wm_event *a, const struct wm_event *b);
bool wm_event_same_object(const struct wm_event_object *a, const struct wm_event_object *b);

enum { WM_EVENT_NAME_MAX = 253 };
/* The name that client-go would give it: the object's, a dot, and the time in hexadecimal nanoseconds, or the
 * number of what is told once. */
void wm_event_name(const struct wm_event *e, int64_t ns, char out[static WM_EVENT_NAME_MAX + 1]);

/* The namespace of an Event: its object's, and for one that has none "default", or `system`: "kube-system".
 */
const char *wm_event_namespace(const struct wm_event *e, bool system);

enum wm_event_api { WM_EVENTS_V1, WM_EVENTS_CORE };

/* What a write says. */
struct wm_event_telling {
    enum wm_event_api api;
    const char *controller, *instance;
    const char *namespace_, *name; /* of the Event */
    const struct wm_event *event;
    int64_t first_us, last_us; /* wall clock */
    int count;
};
void wm_event_put(const struct wm_event_telling *t, struct wm_buf *out);
/* A merge patch with what changes in a series: the same type for both APIs. */
void wm_event_put_patch(const struct wm_event_telling *t, struct wm_buf *out);
/* Where they are sent: to the collection when they are created, `with_name` afterwards. */
void wm_event_put_path(const struct wm_event_telling *t, bool with_name, struct wm_buf *out);

/* --- rules (events_series.c, events_rules.c) --- */

/* The same event again and again. */
struct wm_event_series {
    struct wm_event_series *next; /* of the same object */
    struct wm_event_series *next_queued;
    struct wm_event_subject *subject;
    struct wm_event_kept *kept;
    char name[WM_EVENT_NAME_MAX + 1];
    int64_t first_us, last_us; /* wall clock: the first and the last time it happened */
    int64_t last_ms, told_ms;  /* monotonic: the last time it happened; when the server was told */
    int count, told, sent;     /* how often it happened; what the server knows; what it is being told */
    enum { WM_SERIES_IDLE, WM_SERIES_QUEUED, WM_SERIES_WRITING } at;
    bool again;            /* something more to tell came while it was being written */
    bool unsure;           /* a try ended without a word: the Event may be there */
    enum wm_event_api api; /* of the last try */
    bool system;           /* "default" is not where the server wants it */
    int tries;
    int64_t not_before_ms;
};

/* One object that is told of. */
struct wm_event_subject {
    struct wm_event_subject *next;
    struct wm_event_object object; /* texts of `owner` */
    struct wm_event_kept *owner;
    struct wm_event_series *series;
    struct wm_event_series *latest; /* what was told last; NULL = it is over */

    struct wm_event_kept *held; /* waits for the limit */
    int n_held;                 /* how often it happened meanwhile */
    int64_t held_last_us;

    uint64_t n_told;
    int64_t told_ms[]; /* when, the last per_object_hour times (at least one), as a ring */
};

struct wm_event_book_opts {
    const char *controller, *instance; /* borrowed */
    int per_object_s, per_object_hour;
    struct wm_events_tunables t;
};

/* All that is known, and the queue of what is to be written. */
struct wm_event_book {
    struct wm_event_book_opts o;
    enum wm_event_api api;
    struct wm_event_subject *subjects;
    struct wm_event_series *queue; /* in the order they came */
    int n_queued, n_held, n_writing;
    int64_t last_ns; /* of names: none is given twice */
    uint64_t n_replaced;
    bool closing; /* what cannot be written at once is dropped */
};

void wm_event_book_done(struct wm_event_book *b);
/* Takes over `k`. */
void wm_event_book_tell(struct wm_event_book *b, struct wm_event_kept *k);
/* Lets go of what was held back long enough, and ends and refreshes series. */
void wm_event_book_turn(struct wm_event_book *b, int64_t now_ms);
/* The end: everything held back and everything owed is queued. */
void wm_event_book_close(struct wm_event_book *b, int64_t now_ms);
/* When the next turn has something to do; INT64_MAX = never. */
int64_t wm_event_book_due_ms(const struct wm_event_book *b);
/* The next series to be written, or NULL; wm_event_book_answer follows. */
struct wm_event_series *wm_event_book_next(struct wm_event_book *b, int64_t now_ms);
/* What to write of it: the method ("POST" or "PATCH", a merge patch), and into empty buffers path and body.
 */
const char *wm_event_book_write(const struct wm_event_book *b, const struct wm_event_series *s,
                                struct wm_buf *path, struct wm_buf *body);

enum wm_event_end {
    WM_EVENT_CREATED,
    WM_EVENT_PATCHED,
    WM_EVENT_AGAIN,   /* it is queued again */
    WM_EVENT_REFUSED, /* it is forgotten */
    WM_EVENT_DROPPED, /* too many tries: it is forgotten */
};
/* The server's answer: HTTP status (0 = none) and body.  `random` spreads retries. */
enum wm_event_end wm_event_book_answer(struct wm_event_book *b, struct wm_event_series *s, int status,
                                       struct wm_str body, uint32_t random, int64_t now_ms);
/* Instead of an answer: it may not be written. */
void wm_event_book_drop(struct wm_event_book *b, struct wm_event_series *s);

/* Between the two files. */
struct wm_event_series *wm_event_find(const struct wm_event_subject *j, const struct wm_event *e);
struct wm_event_series *wm_event_begin(struct wm_event_book *b, struct wm_event_subject *j,
                                       struct wm_event_kept *k); /* takes over `k` */
void wm_event_forget(struct wm_event_series *s);
void wm_event_enqueue(struct wm_event_book *b, struct wm_event_series *s);

#endif
