/* The clusters that are watched, and the model of all that is on them.  Edge.
 *
 * Each cluster has a connection and a thread of its own, so that one that cannot be reached never delays the
 * others; what they bring goes into one model, under one lock. */
#ifndef WAYMARK_AGGREGATOR_FLEET_H
#define WAYMARK_AGGREGATOR_FLEET_H

#include "waymark/kube.h"
#include "waymark/restarts.h"
#include "waymark/situation.h"
#include "waymark/watch.h"

struct wm_fleet;

struct wm_fleet_opts {
    const char *user_agent;
    const char *namespace_; /* where mig-controller and Velero work, on every cluster */
    int64_t pod_volume_timeout_s;
    const struct wm_gap_marks *gap_marks; /* copied; NULL = the defaults */
    int64_t signal_s, rollout_s;          /* see wm_ledger_patience; 0 = the ledger's own */
    int retry_ms; /* before a cluster that could not be used is tried again; 0 = 30,000 */
    /* All run with the lock held, in the thread of the cluster that brought it; they must not block. */
    /* Something of the migration changed, or of what belongs to it. */
    void (*changed)(void *ctx, struct wm_id migration);
    /* Something changed that may concern all migrations: a plan, a cluster. */
    void (*all_changed)(void *ctx);
    /* An object as it came, after the model took it; `live` by a watch, else by a list. */
    void (*object)(void *ctx, const struct wm_record *r, const struct wm_reading *object, bool live);
    void *ctx;
};

/* Starts with the host; takes over what is in *host. */
int wm_fleet_new(const struct wm_fleet_opts *opts, struct wm_kube_access *host, struct wm_fleet **ret,
                 struct wm_error *err);
struct wm_fleet *wm_fleet_free(struct wm_fleet *f);

/* A remote cluster with a way of its own, under the name of its MigCluster; takes over what is in *access. */
int wm_fleet_add(struct wm_fleet *f, const char *name, struct wm_kube_access *access, struct wm_error *err);

/* To be called about once a second: MigClusters that came, changed or went are taken up; applications'
 * namespaces, and what of their clusters is of no namespace, are watched as long as a migration of theirs is
 * not finished, those of VirtRigaud's as long as a Provider or a VMMigration is there; migrations are judged
 * again where something happened that belongs to none; how well clusters are seen is looked at again; the
 * ledger of restarts is told the time. */
void wm_fleet_tick(struct wm_fleet *f);
/* What a stored MigrationReport tells of restarts is taken into the ledger. */
void wm_fleet_recall(struct wm_fleet *f, struct wm_str report);

/* The model and the clusters, to be looked at between lock and unlock. */
void wm_fleet_lock(struct wm_fleet *f);
void wm_fleet_unlock(struct wm_fleet *f);
void wm_fleet_world(struct wm_fleet *f, struct wm_world *ret);

/* The connection to cluster `i`; NULL when there is none.  Cluster 0 is always there. */
struct wm_kube *wm_fleet_kube(struct wm_fleet *f, uint8_t i);
/* True once everything that is watched on the host was listed. */
bool wm_fleet_synced(struct wm_fleet *f);

/* For metrics and pages: one row a watch. */
struct wm_fleet_watch {
    const char *cluster, *namespace_, *resource;
    size_t objects;
    uint64_t differences; /* objects that audits found missing, surplus or different */
    struct wm_watch_stats stats;
};
size_t wm_fleet_watches(struct wm_fleet *f, struct wm_fleet_watch *ret, size_t max);

#endif
