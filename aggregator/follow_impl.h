/* What the files of following share. */
#ifndef WAYMARK_AGGREGATOR_FOLLOW_IMPL_H
#define WAYMARK_AGGREGATOR_FOLLOW_IMPL_H

#include <pthread.h>
#include <stdatomic.h>

#include "follow.h"
#include "waymark/report.h"
#include "waymark/writing.h"

/* One migration.  What `lock` guards is said; all else belongs to the thread of turns. */
struct tracked {
    struct tracked *next;
    struct tracked *next_by_id; /* lock */
    struct wm_id id;
    bool dirty, gone, seen; /* lock; seen: its object has come */
    bool busy;              /* this turn has something to do with it */
    bool anew;              /* lock: another replica may have written and told meanwhile */
    uint64_t live;          /* lock: digest of our words as they stand in the object */
    struct wm_slot slot;    /* lock */
    wm_name namespace_, name;
    wm_uid uid;
    wm_name plan_namespace, plan;
    bool ended, polls;
    int64_t cost_us;  /* of CPU, when it was judged last */
    int64_t offset_s; /* of the host's clock */
    uint64_t wanted;  /* digest of our words as they should be; 0 = not judged yet */
    uint64_t written; /* digest of what was written last */
    struct wm_said said[WM_SAID_COUNT];
    char verdict[WM_VERDICT_MAX];
    int64_t retry_ms;           /* no write before */
    struct wm_history *history; /* of an unfinished one, or one whose report is not written yet */
    bool report_known;          /* the stored report was looked at */
    bool report_unread;         /* that failed; again at retry_ms */
    wm_uid foreign;             /* uid of a report of this name that is another migration's; "" = none */
    char *stored;               /* that report, until it was compared once; owned */
    uint64_t report;            /* digest of the status that is stored; 0 = none of ours */
    char *report_due;           /* status to be stored; owned */
    wm_word told;               /* what the last event said; "" = nothing yet */
    bool recalled;              /* `told` is the stored report's phase: all about that one was told before */
};

enum { WM_TRACKED_BUCKETS = 1024 };

struct wm_follow {
    struct wm_follow_opts opts;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool woken;
    int64_t rest_until_ms; /* of the thread of turns */
    int64_t heavy_ms;      /* before then none is judged that takes long; of the same thread */
    struct tracked *list;
    struct tracked *by_id[WM_TRACKED_BUCKETS];
    size_t n;
    _Atomic uint64_t judged, writes, refused, failed, told, lost;
    _Atomic int64_t turn_us;
    _Atomic size_t unfinished;
};

bool wm_follow_may_write(const struct wm_follow *f);
/* follow_judge.c: what is to be said of a migration, into *t; false = the model has no such migration. */
bool wm_follow_judge(struct wm_follow *f, struct tracked *t, struct wm_fleet *fleet,
                     struct wm_events *events);
/* follow_words.c: digests of our words, as they are wanted and as an object has them. */
uint64_t wm_words_wanted(const struct wm_follow_opts *o, const struct tracked *t);
uint64_t wm_words_live(const struct wm_follow_opts *o, struct wm_str object);
extern const char WM_VERDICT_KEY[];
/* follow_write.c: true when something was sent. */
bool wm_follow_write_words(struct wm_follow *f, struct tracked *t, struct wm_kube *host);
bool wm_follow_write_report(struct wm_follow *f, struct tracked *t, struct wm_kube *host);
/* What is remembered of a migration stands in its report, and is read again when it is needed. */
void wm_follow_forget(struct tracked *t);
/* Looks at the stored report once: its history is ours. */
void wm_follow_read_report(struct wm_follow *f, struct tracked *t, struct wm_kube *host);

#endif
