#include "canary.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "waymark/clock.h"
#include "waymark/log.h"
#include "waymark/watch.h"

enum { LIMIT_MS = 10000, MAX_DOUBLINGS = 5, PATH_MAX_N = 512, FIELD_MAX = 300 };

struct wm_canary {
    struct wm_kube *watched;
    struct wm_lease *lease;
    struct wm_watch *watch;
    int64_t limit_ms;
    int64_t unseen_since_ms; /* a renewal was acknowledged and has not come back; 0 = none */
    unsigned in_a_row;
    _Atomic int64_t heard_ms;
    _Atomic uint64_t misses;
};

/* --- the sink: that something came is all there is to know --- */

static void on_nothing(void *ctx)
{
    (void)ctx;
}

static void on_object(void *ctx, struct wm_str object)
{
    struct wm_canary *c = ctx;

    (void)object;
    atomic_store(&c->heard_ms, wm_mono_ms());
}

/* --- life --- */

int wm_canary_new(const struct wm_canary_opts *opts, struct wm_canary **ret, struct wm_error *err)
{
    struct wm_canary *c = wm_xcalloc(1, sizeof *c);
    wm_auto_buf struct wm_buf path = WM_BUF_MAX(PATH_MAX_N), field = WM_BUF_MAX(FIELD_MAX);
    struct wm_watch_sink sink = {c, on_nothing, on_nothing, on_nothing, on_object, on_object, NULL};

    c->watched = opts->watched;
    c->lease = opts->lease;
    c->limit_ms = opts->limit_ms ? opts->limit_ms : LIMIT_MS;
    wm_buf_printf(&path, "/apis/coordination.k8s.io/v1/namespaces/%s/leases", opts->namespace_);
    wm_buf_printf(&field, "metadata.name=%s", opts->name);
    struct wm_watch_spec spec = {.path = path.p, .field_selector = field.p, .metadata_only = true};
    int rc = wm_watch_start(c->watched, &spec, &sink, &c->watch, err);

    if (rc < 0) {
        free(c);
        return rc;
    }
    *ret = c;
    return WM_OK;
}

struct wm_canary *wm_canary_free(struct wm_canary *c)
{
    if (c)
        wm_watch_stop(c->watch);
    free(c);
    return NULL;
}

/* --- judging --- */

static void miss(struct wm_canary *c, int64_t waited_ms)
{
    atomic_fetch_add(&c->misses, 1);
    if (c->in_a_row < MAX_DOUBLINGS)
        c->in_a_row++;
    c->unseen_since_ms = 0;
    wm_log(WM_LOG_WARN, "watches_dead", WM_F("server", wm_kube_server(c->watched)),
           WM_FI("waited_ms", waited_ms),
           WM_F("why", "our Lease was renewed, and no watch told of it; the connection is open, so something "
                       "on the way holds it back"),
           WM_F("effect", "all watches of this cluster are opened anew"),
           WM_F("remedy", "if it comes again, look at the proxy or load balancer before the API server"));
    wm_watches_reconnect(c->watched);
}

void wm_canary_tick(struct wm_canary *c)
{
    struct wm_watch_stats watch;
    struct wm_lease_stats lease;

    if (!c)
        return;
    wm_watch_stats(c->watch, &watch);
    wm_lease_stats(c->lease, &lease);
    int64_t now = wm_mono_ms(), heard = atomic_load(&c->heard_ms);
    bool can_tell = lease.leading && lease.renewed_ms_ago >= 0 && watch.state == WM_WATCH_SYNCED;

    if (heard >= c->unseen_since_ms)
        c->unseen_since_ms = 0;
    if (c->in_a_row && watch.state == WM_WATCH_SYNCED && heard > now - c->limit_ms)
        c->in_a_row = 0;
    if (!can_tell) {
        c->unseen_since_ms = 0;
        return;
    }
    /* from the moment its answer was seen here: the round trip is behind us */
    if (!c->unseen_since_ms && now - lease.renewed_ms_ago > heard)
        c->unseen_since_ms = now;
    /* each time in vain doubles the wait: then it is not the connection */
    if (c->unseen_since_ms && now - c->unseen_since_ms >= c->limit_ms << c->in_a_row)
        miss(c, now - c->unseen_since_ms);
}

uint64_t wm_canary_misses(const struct wm_canary *c)
{
    return atomic_load(&c->misses);
}
