/* Kubernetes Events about objects of ours and of others: events.k8s.io/v1, with series.  Edge; the rules are
 * pure.
 *
 * As client-go does it (tools/events/event_broadcaster.go): the first of its kind is created, the second
 * makes it a series, later ones are only counted; the count is told every 30 minutes, and when the series was
 * silent for 6.  With two differences:
 *
 * - Events with different notes are different Events.  client-go leaves the note out of the key, and the
 *   first note stands for all; here it names the culprit, and it cannot be changed once it is written.
 * - What is told of an object is limited.  What comes too soon is held back, a newer one takes its place,
 *   and the newest is told when the limit allows: the last word about an object is always told.
 *
 * A server older than 1.19 has no events.k8s.io/v1: from its first answer on, core v1 Events are written.
 *
 * Needs the right to create and patch `events` in the groups events.k8s.io and "" (the latter for such
 * servers), in every namespace with objects to tell of; for objects without a namespace in "default", and in
 * "kube-system" on servers that know nothing better (before 1.20.12, 1.21.6 and 1.22.3). */
#ifndef WAYMARK_EVENTS_H
#define WAYMARK_EVENTS_H

#include "waymark/kube.h"

/* NULL = "". */
struct wm_event_object {
    const char *api_version, *kind, *namespace_, *name, *uid;
};

/* Texts are copied: as one line, what is no UTF-8 replaced, cut at a whole character, user names and
 * passwords taken out of URLs. */
struct wm_event {
    struct wm_event_object regarding; /* without a namespace: the Event goes to "default" or "kube-system" */
    struct wm_event_object related;   /* kind NULL = none */
    bool warning;
    const char *reason, *action; /* CamelCase, at most 128 bytes; no action = the reason */
    const char *note;            /* at most 1024 bytes */
    uint64_t once; /* not 0: its number, which the Event is named by, so that it is told once by all that tell
                      of it: who comes second finds it there, as long as the server keeps it */
};

struct wm_events;
struct wm_events_opts {
    struct wm_kube *kube;   /* must outlive the events */
    const char *controller; /* a qualified name: "waymark.io/aggregator" */
    const char *instance;   /* name of the pod */
    /* Asked before every write, in the kube thread: false = another replica leads, and the event is dropped.
     * NULL = always. */
    bool (*may_write)(void *ctx);
    void *ctx;
    int per_object_s,
        per_object_hour; /* at most one in so many seconds, and so many an hour: 30, 20; 0 = no limit */
};
int wm_events_new(const struct wm_events_opts *opts, struct wm_events **ret, struct wm_error *err);
/* Tells of an event; returns at once, never fails: beyond a queue of 1,000 events are dropped and counted.
 * From any thread. */
void wm_events_tell(struct wm_events *e, const struct wm_event *event);
/* Waits at most a second for what is queued, held back, and owed by series.  Before wm_kube_free, and not
 * from a callback of kube; NULL is fine. */
struct wm_events *wm_events_free(struct wm_events *e);

struct wm_events_stats {
    uint64_t told; /* calls of wm_events_tell */
    uint64_t created, patched;
    uint64_t replaced; /* held back, and then out of date before the limit let them pass */
    uint64_t dropped;  /* queue full, not leading, no answer in 12 tries, or the end came first */
    uint64_t refused;  /* by the server */
};
void wm_events_stats(struct wm_events *e, struct wm_events_stats *ret);

#endif
