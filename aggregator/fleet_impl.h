/* What the files of the fleet share.
 *
 * The model, the lists of feeds and the views are under the fleet's lock.  Connections come and go in one
 * thread only, that of wm_fleet_tick, and never under the lock: a cluster's own thread may be waiting for it.
 */
#ifndef WAYMARK_AGGREGATOR_FLEET_IMPL_H
#define WAYMARK_AGGREGATOR_FLEET_IMPL_H

#include <pthread.h>

#include "fleet.h"

enum { WM_CLUSTER_WHY_MAX = 160 };

/* One watch, and what of the model it feeds. */
struct feed {
    struct feed *next;
    struct wm_fleet *fleet;
    struct cluster *cluster;
    enum wm_kind kind;
    wm_name namespace_;
    uint16_t source;
    unsigned scopes; /* of enum wm_scope: why it is watched */
    bool extra;      /* watched for some migrations only: it comes and goes with them */
    bool listing;    /* a list is coming in */
    bool touched;    /* something changed that concerns migrations and belongs to none */
    uint64_t differences;
    struct wm_watch *watch;
};

/* How the way to a cluster was found; it is made anew when this changes. */
struct way {
    char url[256];
    wm_name secret_namespace, secret;
    char ca_digest[17];
    bool insecure;
};

struct cluster {
    bool used;
    bool by_hand; /* from a kubeconfig, which wins over a MigCluster of that name */
    wm_name name;
    struct wm_kube *kube; /* NULL = no way yet */
    struct way way;
    uint64_t token;         /* digest of the one it was connected with */
    int64_t token_retry_ms; /* when the Secret is read again */
    struct feed *feeds;
    struct wm_cluster_view view;
    char why[WM_CLUSTER_WHY_MAX];
};

struct wm_fleet {
    struct wm_fleet_opts opts;
    pthread_mutex_t lock;
    struct wm_model *model;
    struct cluster clusters[WM_CLUSTERS_MAX];
    struct wm_cluster_view views[WM_CLUSTERS_MAX]; /* as the world is told */
    size_t n_clusters;
    bool strayed; /* what changed last concerns migrations and belongs to none */
    bool crowded; /* that there are too many watches was said; of the thread of wm_fleet_tick */
    struct wm_ledger *ledger;
    struct wm_gap_marks gap_marks;
    struct wm_reading reading; /* of the object that has just come; kept for its room */
};

/* By the host's clock, under the lock. */
int64_t wm_fleet_now_s(const struct wm_fleet *f);

/* Without the lock, in the thread of wm_fleet_tick: */

/* fleet_feeds.c */
/* namespace_ "" = a kind without, or all of them; `scopes`: why it is watched. */
int wm_feed_start(struct wm_fleet *f, struct cluster *c, enum wm_kind kind, const char *namespace_,
                  unsigned scopes, struct wm_error *err);
/* Starts what is always watched on a cluster. */
int wm_feeds_start(struct wm_fleet *f, struct cluster *c, struct wm_error *err);
/* Ends a watch that is not in its cluster's list any more. */
void wm_feed_stop(struct wm_fleet *f, struct feed *feed);

/* fleet_events.c: false = the object is not to be kept. */
bool wm_feed_takes(const struct feed *feed, struct wm_str object);
/* Under the lock: makes room for one more Event, the oldest go. */
void wm_feed_make_room(struct wm_fleet *f, uint8_t cluster);

/* fleet_sight.c */
/* Everything on the host is listed that is watched there always. */
bool wm_host_known(struct wm_fleet *f);
/* How well clusters are seen; `known`: the host was known before the applications' namespaces were looked
 * for. */
void wm_sights_refresh(struct wm_fleet *f, bool known);

/* fleet_clusters.c */
struct cluster *wm_cluster_new(struct wm_fleet *f, const char *name); /* NULL = there are too many */
int wm_cluster_connect(struct wm_fleet *f, struct cluster *c, struct wm_kube_access *access,
                       struct wm_error *err);
void wm_cluster_disconnect(struct wm_fleet *f, struct cluster *c);
void wm_clusters_refresh(struct wm_fleet *f);

/* fleet_places.c */
void wm_places_refresh(struct wm_fleet *f);

#endif
