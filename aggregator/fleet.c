#include <stdio.h>
#include <stdlib.h>

#include "fleet_impl.h"
#include "waymark/clock.h"
#include "waymark/log.h"

static const char HOST[] = "host";
enum { MAX_HOPS = 6 };

/* --- which migration a record belongs to --- */

static void on_record(void *ctx, const struct wm_record *r, bool gone)
{
    struct wm_fleet *f = ctx;

    (void)gone;
    if (r->kind == WM_KIND_MIGPLAN || r->kind == WM_KIND_MIGCLUSTER) {
        f->opts.all_changed(f->opts.ctx);
        return;
    }
    for (int hop = 0; r && hop < MAX_HOPS; hop++) {
        if (r->kind == WM_KIND_MIGMIGRATION) {
            f->opts.changed(f->opts.ctx, r->id);
            return;
        }
        r = wm_id_is_set(r->parent) ? wm_model_find_anywhere(f->model, r->parent) : NULL;
    }
}

/* --- life --- */

int wm_fleet_new(const struct wm_fleet_opts *opts, struct wm_kube_access *host, struct wm_fleet **ret,
                 struct wm_error *err)
{
    struct wm_fleet *f = wm_xcalloc(1, sizeof *f);
    struct wm_model_conf conf = {
        .detail = wm_detail_of, .detail_done = wm_detail_done, .changed = on_record, .ctx = f};

    f->opts = *opts;
    f->model = wm_model_new(&conf);
    pthread_mutex_init(&f->lock, NULL);
    int rc = wm_cluster_connect(f, wm_cluster_new(f, HOST), host, err);

    if (rc < 0) {
        wm_fleet_free(f);
        return rc;
    }
    *ret = f;
    return WM_OK;
}

struct wm_fleet *wm_fleet_free(struct wm_fleet *f)
{
    if (!f)
        return NULL;
    for (size_t i = f->n_clusters; i-- > 0;)
        if (f->clusters[i].used)
            wm_cluster_disconnect(f, &f->clusters[i]);
    wm_model_free(f->model);
    pthread_mutex_destroy(&f->lock);
    free(f);
    return NULL;
}

int wm_fleet_add(struct wm_fleet *f, const char *name, struct wm_kube_access *access, struct wm_error *err)
{
    struct cluster *c = wm_cluster_new(f, name);

    if (!c)
        return wm_fail(err, WM_E_TOO_BIG, name, "more than %d clusters", WM_CLUSTERS_MAX);
    c->by_hand = true;
    return wm_cluster_connect(f, c, access, err);
}

/* --- how well clusters are seen --- */

static const struct sight_row {
    enum wm_watch_state state;
    enum wm_cluster_sight sight;
    const char *why;
} sights[] = {
    /* what concerns the whole cluster first */
    {WM_WATCH_UNAUTHORIZED, WM_SIGHT_UNAUTHORIZED, "its API server refuses the token"},
    {WM_WATCH_UNREACHABLE, WM_SIGHT_UNREACHABLE, "its API server does not answer"},
    {WM_WATCH_STARTING, WM_SIGHT_STARTING, ""},
    {WM_WATCH_FORBIDDEN, WM_SIGHT_PARTIAL, ""},
};

static bool has_state(const struct cluster *c, enum wm_watch_state state, const struct feed **ret)
{
    for (const struct feed *d = c->feeds; d; d = d->next) {
        struct wm_watch_stats stats;

        wm_watch_stats(d->watch, &stats);
        if (stats.state == state) {
            *ret = d;
            return true;
        }
    }
    return false;
}

static enum wm_cluster_sight sight_of(const struct cluster *c, char *why, size_t size)
{
    const struct feed *d = NULL;

    snprintf(why, size, "%s", c->kube ? "" : c->why);
    if (!c->kube)
        return WM_SIGHT_NONE;
    for (size_t i = 0; i < sizeof sights / sizeof sights[0]; i++)
        if (has_state(c, sights[i].state, &d)) {
            snprintf(why, size, "%s", sights[i].why);
            if (sights[i].sight == WM_SIGHT_PARTIAL)
                snprintf(why, size, "%s may not be read", wm_kinds[d->kind].resource);
            return sights[i].sight;
        }
    return WM_SIGHT_GOOD;
}

/* True when it goes otherwise than it did. */
static bool measure_clock(struct cluster *c)
{
    int64_t kept_s = c->view.offset_s, measured_ms;

    if (c->kube && wm_kube_clock_offset_ms(c->kube, &measured_ms))
        c->view.offset_s = wm_offset_settle(kept_s, measured_ms);
    return c->view.offset_s != kept_s;
}

static void look(struct wm_fleet *f)
{
    bool changed = false;

    pthread_mutex_lock(&f->lock);
    for (size_t i = 0; i < f->n_clusters; i++) {
        struct cluster *c = &f->clusters[i];
        char why[WM_CLUSTER_WHY_MAX];
        enum wm_cluster_sight sight = sight_of(c, why, sizeof why);

        changed |= measure_clock(c);
        if (!c->used || (c->view.since_s && sight == c->view.sight && strcmp(why, c->why) == 0))
            continue;
        changed = true;
        snprintf(c->why, sizeof c->why, "%s", why);
        if (!c->view.since_s || sight != c->view.sight) {
            c->view.since_s = wm_wall_s() + f->clusters[0].view.offset_s;
            wm_log(WM_LOG_INFO, "cluster_sight", WM_F("cluster", c->name),
                   WM_F("sight", wm_sight_name(sight)), WM_F("why", why));
        }
        c->view.sight = sight;
    }
    if (changed)
        f->opts.all_changed(f->opts.ctx);
    pthread_mutex_unlock(&f->lock);
}

void wm_fleet_tick(struct wm_fleet *f)
{
    wm_clusters_refresh(f);
    wm_apps_refresh(f);
    look(f);
}

/* --- looking --- */

void wm_fleet_lock(struct wm_fleet *f)
{
    pthread_mutex_lock(&f->lock);
}

void wm_fleet_unlock(struct wm_fleet *f)
{
    pthread_mutex_unlock(&f->lock);
}

void wm_fleet_world(struct wm_fleet *f, struct wm_world *ret)
{
    for (size_t i = 0; i < f->n_clusters; i++) {
        struct cluster *c = &f->clusters[i];

        f->views[i] = c->view;
        f->views[i].name = c->name;
        f->views[i].why = c->why;
    }
    *ret = (struct wm_world){
        .model = f->model,
        .clusters = f->views,
        .n_clusters = f->n_clusters,
        .now_s = wm_wall_s(),
        .pod_volume_timeout_s = f->opts.pod_volume_timeout_s,
    };
}

struct wm_kube *wm_fleet_kube(struct wm_fleet *f, uint8_t i)
{
    return i < f->n_clusters ? f->clusters[i].kube : NULL;
}

bool wm_fleet_synced(struct wm_fleet *f)
{
    const struct feed *d;

    pthread_mutex_lock(&f->lock);
    bool starting = !f->clusters[0].feeds || has_state(&f->clusters[0], WM_WATCH_STARTING, &d) ||
                    f->clusters[0].view.since_s == 0;

    pthread_mutex_unlock(&f->lock);
    return !starting;
}

size_t wm_fleet_watches(struct wm_fleet *f, struct wm_fleet_watch *ret, size_t max)
{
    size_t n = 0;

    pthread_mutex_lock(&f->lock);
    for (size_t i = 0; i < f->n_clusters; i++)
        for (const struct feed *d = f->clusters[i].feeds; d && n < max; d = d->next, n++) {
            ret[n] = (struct wm_fleet_watch){f->clusters[i].name,
                                             d->namespace_,
                                             wm_kinds[d->kind].resource,
                                             wm_model_count(f->model, (uint8_t)i, d->kind),
                                             d->differences,
                                             {0}};
            wm_watch_stats(d->watch, &ret[n].stats);
        }
    pthread_mutex_unlock(&f->lock);
    return n;
}
