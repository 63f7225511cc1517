/* What the files of following share. */
#ifndef WAYMARK_AGGREGATOR_FOLLOW_IMPL_H
#define WAYMARK_AGGREGATOR_FOLLOW_IMPL_H

#include <pthread.h>
#include <stdatomic.h>

#include "follow.h"
#include "waymark/report.h"
#include "waymark/writing.h"

/* The report as the API server has it. */
struct stored {
    bool gone;           /* lock: the watch told so */
    unsigned round;      /* lock: of the list in which the watch told of it last */
    uint64_t version;    /* lock: digest of its resourceVersion as the watch told last; 0 = it has not */
    int64_t told_ms;     /* lock: when it did */
    uint64_t ours;       /* digest of the resourceVersion with which it says what we wrote or accepted */
    uint64_t content;    /* wm_report_digest of that; 0 = nothing */
    bool anew;           /* others took it away or changed it: it is made anew, however old it is */
    struct wm_slot slot; /* of such losses only */
};

/* What differs between the kinds of migrations. */
struct wm_follow_kind {
    enum wm_kind kind;
    enum wm_condition_style style;
    const struct wm_slot_rules *rules;
    bool has_status; /* conditions are written through /status, all else is not */
    bool goes_on;    /* its owner writes it after its end, too, and there is news of it */
};
const struct wm_follow_kind *wm_follow_kind_of(enum wm_kind kind); /* NULL = it is not followed */

/* One migration.  What `lock` guards is said; all else belongs to the thread of turns. */
struct tracked {
    struct tracked *next, **link; /* link: what points here */
    struct tracked *next_touched; /* lock */
    bool touched;                 /* lock: is in that list */
    struct tracked *next_by_id;   /* lock */
    struct wm_id id;
    const struct wm_follow_kind *kind; /* NULL = not judged yet */
    bool dirty, gone, seen;            /* lock; seen: its object has come */
    bool urgent;                       /* lock: it has a new phase */
    bool anew;                         /* lock: another replica may have written and told meanwhile */
    uint64_t live;                     /* lock: digest of our words as they stand in the object */
    struct wm_slot slot;               /* lock */
    wm_name namespace_, name;
    wm_uid uid;
    wm_name plan_namespace, plan;
    wm_word project;          /* of a VMMigration */
    bool ended, polls, going; /* going: the object is being deleted */
    bool held;                /* its owner must not be woken now: the words wait */
    bool settled;      /* ended, and hardly any news to come: what is remembered of it stands in its report */
    int64_t judged_ms; /* when it was judged last */
    int64_t last_us;   /* of CPU, what that took */
    int64_t cost_us;   /* the least of the last two times: of one alone the caches may have been cold */
    int64_t offset_s;  /* of the host's clock */
    uint64_t wanted;   /* digest of our words as they should be; 0 = not judged yet */
    uint64_t written;  /* digest of what was written last */
    wm_word written_cause; /* which of it told why it does not get on; "" = it did not */
    struct wm_said
        *said; /* [WM_SAID_COUNT]; NULL = not kept: it stands in the object, or is to be judged anew */
    char verdict[WM_VERDICT_MAX];
    struct wm_pulse pulse;
    struct wm_volume_marks marks; /* of an unfinished one */
    wm_word warned;               /* the cause that the last event told; "" = none stands */
    wm_word stalled;              /* lock: the cause that stands; "" = none */
    int64_t stalled_s;            /* lock: since when */
    int64_t again_ms;             /* when time alone may change what is to be said; 0 = never */
    int64_t retry_ms;             /* no write before */
    struct wm_history *history;   /* of an unfinished one, or one whose report is not written yet */
    bool report_known;            /* the stored report was looked at */
    bool report_unread;           /* that failed; again at retry_ms */
    wm_uid foreign;               /* uid of a report of this name that is another migration's; "" = none */
    struct stored stored;
    uint64_t report;  /* digest of the status that is stored; 0 = none of ours */
    char *report_due; /* status to be stored; owned */
    wm_word told;     /* what the last event said; "" = nothing yet */
    bool recalled;    /* `told` is the stored report's phase: all about that one was told before */
};

/* A restart of a provider, as it was at the last look. */
struct known_restart {
    uint64_t key, digest;
    unsigned round; /* of looks, the last in which it was there */
    unsigned told;  /* enum of follow_restarts.c, as bits */
};

enum { WM_TRACKED_BUCKETS = 1024, WM_FOLLOW_PATH_MAX = 1024, WM_FOLLOW_OBJECT_MAX = 4 << 20 };

struct wm_follow {
    struct wm_follow_opts opts;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool woken;
    int64_t rest_until_ms; /* of the thread of turns */
    int64_t heavy_ms;      /* before then none is judged that takes long; of the same thread */
    struct tracked *list, *touched;
    int64_t scan_ms; /* when all of them are looked at next */
    struct tracked *by_id[WM_TRACKED_BUCKETS];
    size_t n;
    bool reports_absent;    /* lock: their definition is not installed */
    unsigned reports_round; /* lock: of their lists, the last that has begun */
    /* Of the thread of turns: */
    struct known_restart restarts[WM_RESTARTS_MAX];
    size_t n_restarts;
    unsigned restarts_round;
    int64_t restarts_ms;      /* when they are looked at next */
    int64_t restarts_since_s; /* what was before is not told: another replica did, or nobody was there */
    _Atomic uint64_t judged, writes, refused, failed, told, lost, reports_again;
    _Atomic int64_t turn_us;
    _Atomic size_t unfinished;
};

/* follow.c: */
bool wm_follow_may_write(const struct wm_follow *f);
/* With the lock held: where `id` is, or would be; every migration is judged again; the turns go on. */
struct tracked **wm_follow_find(struct wm_follow *f, struct wm_id id);
void wm_follow_mark(struct wm_follow *f, bool ended_too);
void wm_follow_wake(struct wm_follow *f);
bool wm_follow_is_unsaid(const struct tracked *t); /* our words do not stand in the object */
/* follow_kinds.c: the path of its object; `subresource` "" or "/status". */
void wm_follow_path(const struct tracked *t, const char *subresource, char path[static WM_FOLLOW_PATH_MAX]);
struct wm_followed_object {
    enum wm_kind kind;
    const char *namespace_, *name, *uid;
    uint64_t once; /* see struct wm_event */
};
void wm_follow_event(struct wm_follow *f, const struct wm_followed_object *about, bool warning,
                     const char *reason, const char *note, struct wm_events *events);
/* follow_restarts.c: once a second; marks the migrations that news of a restart concerns, and tells of it in
 * Events.  `events` may be NULL. */
void wm_follow_restarts(struct wm_follow *f, struct wm_fleet *fleet, struct wm_events *events);
/* follow_judge.c: what is to be said of a migration, into *t; false = the model has no such migration. */
bool wm_follow_judge(struct wm_follow *f, struct tracked *t, struct wm_fleet *fleet,
                     struct wm_events *events);
/* follow_cause.c: why it does not get on, into *t; the diagnosis is good until the fleet is unlocked. */
const struct wm_diagnosis *wm_follow_diagnose(struct wm_follow *f, struct tracked *t,
                                              const struct wm_world *w, const struct wm_situation *s);
/* Tells in events when a cause comes, changes and goes. */
void wm_follow_tell_cause(struct wm_follow *f, struct tracked *t, const struct wm_situation *s,
                          struct wm_events *events);
/* follow_judge.c: */
void wm_follow_tell(struct wm_follow *f, const struct wm_situation *s, const struct wm_said *said,
                    bool warning, struct wm_events *events);
/* follow_words.c: digests of our words, as they are wanted and as an object has them. */
uint64_t wm_words_wanted(const struct wm_follow_opts *o, const struct tracked *t);
uint64_t wm_words_live(const struct wm_follow_opts *o, const struct wm_reading *object);
extern const char WM_VERDICT_KEY[];
/* follow_write.c: true when something was sent. */
bool wm_follow_write_words(struct wm_follow *f, struct tracked *t, struct wm_kube *host);
int wm_follow_call(const struct wm_follow *f, struct wm_kube *host, const char *method, const char *path,
                   struct wm_str body, struct wm_buf *ret_body, int *ret_status, struct wm_error *err);
/* Counts it, logs it, and lets the migration rest for a while. */
void wm_follow_failed(struct wm_follow *f, struct tracked *t, const char *what, const struct wm_error *err);
/* follow_report.c: true when something was sent. */
bool wm_follow_write_report(struct wm_follow *f, struct tracked *t, struct wm_kube *host);
/* What is remembered of a migration stands in its report, and is read again when it is needed. */
void wm_follow_forget(struct tracked *t);
/* Looks at the stored report once: its history is ours. */
void wm_follow_read_report(struct wm_follow *f, struct tracked *t, struct wm_fleet *fleet);
/* Whether the stored report still says what we wrote: asks for it; negative = not known now. */
int wm_follow_is_ours(struct wm_follow *f, struct tracked *t, struct wm_kube *host);
/* follow_guard.c: looks at what the watch of reports told of this one, and has it made anew when it is due.
 */
void wm_follow_guard_report(struct wm_follow *f, struct tracked *t, struct wm_kube *host);
const struct wm_slot_rules *wm_follow_report_rules(const struct wm_follow *f);
/* Before a request of ours that shows whether it is there: what the watch tells from now on is newer. */
void wm_follow_report_expected(struct wm_follow *f, struct tracked *t);
/* It showed that it is not. */
void wm_follow_report_missed(struct wm_follow *f, struct tracked *t);
uint64_t wm_follow_version(struct wm_str resource_version); /* never 0 */
/* Reports are asked for, and there is a place for them. */
bool wm_follow_reports(struct wm_follow *f);

#endif
