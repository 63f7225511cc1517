/* Kubernetes Events about objects of ours and of others: events.k8s.io/v1, with series.  Edge; the rules are
 * pure.
 *
 * As client-go does it (tools/events/event_broadcaster.go): the first of its kind is created, the second
 * makes it a series, later ones are only counted and told every 30 minutes and at the end. */
#ifndef WAYMARK_EVENTS_H
#define WAYMARK_EVENTS_H

#include "waymark/kube.h"

struct wm_event_object {
    const char *api_version, *kind, *namespace_, *name, *uid;
};

struct wm_event {
    struct wm_event_object regarding;
    struct wm_event_object related; /* kind NULL = none */
    bool warning;
    const char *reason, *action; /* CamelCase, at most 128 */
    const char *note;            /* cut to 1024 bytes at a whole character */
};

struct wm_events;
struct wm_events_opts {
    struct wm_kube *kube;
    const char *controller; /* "waymark.io/aggregator" */
    const char *instance;   /* name of the pod */
    /* Asked before every write: false = another replica leads. */
    bool (*may_write)(void *ctx);
    void *ctx;
    int per_object_s,
        per_object_hour; /* at most one in so many seconds, and so many an hour: 30, 20; 0 = no limit */
};
int wm_events_new(const struct wm_events_opts *opts, struct wm_events **ret, struct wm_error *err);
/* Tells of an event; returns at once, never fails: beyond a queue of 1,000 events are dropped and counted. */
void wm_events_tell(struct wm_events *e, const struct wm_event *event);
/* Sends what a series owes; call about once a minute. */
void wm_events_tick(struct wm_events *e);
/* Waits at most a second for what is queued. */
struct wm_events *wm_events_free(struct wm_events *e);

struct wm_events_stats {
    uint64_t told, created, patched, dropped, refused;
};
void wm_events_stats(struct wm_events *e, struct wm_events_stats *ret);

#endif
