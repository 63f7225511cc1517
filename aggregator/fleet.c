#include <stdio.h>
#include <stdlib.h>

#include "fleet_impl.h"
#include "waymark/clock.h"

static const char HOST[] = "host";
enum { MAX_HOPS = 6 };

/* --- which migration a record belongs to --- */

/* What all migrations of a cluster need, or can be hindered by, whoever's it is. */
static bool concerns_others(const struct wm_record *r)
{
    return r->kind == WM_KIND_POD || r->kind == WM_KIND_PVC || r->kind == WM_KIND_DEPLOYMENT ||
           r->kind == WM_KIND_DAEMONSET || r->kind == WM_KIND_BSL || r->kind == WM_KIND_MACHINE ||
           r->kind == WM_KIND_REPLICASET || r->kind >= WM_KIND_EVIDENCE;
}

/* A Provider comes by a watch of all namespaces, so its own one is not known by its feed. */
struct users {
    struct wm_fleet *fleet;
    const struct wm_record *provider;
};

static void mark_user(void *ctx, const struct wm_record *r)
{
    const struct users *u = ctx;
    const struct wm_vm_state *vm = wm_vm_of(r);
    const char *namespace_ = wm_model_word(u->fleet->model, u->provider->namespace_);

    if (!vm->m.over &&
        (r->namespace_ == u->provider->namespace_ || strcmp(vm->source_provider_namespace, namespace_) == 0 ||
         strcmp(vm->target_provider_namespace, namespace_) == 0))
        u->fleet->opts.changed(u->fleet->opts.ctx, r->id);
}

static void mark_users(struct wm_fleet *f, const struct wm_record *provider)
{
    struct users u = {f, provider};

    wm_model_each(f->model, WM_KIND_VMMIGRATION, mark_user, &u);
}

static void on_record(void *ctx, const struct wm_record *r, bool gone)
{
    struct wm_fleet *f = ctx;
    bool concerns = concerns_others(r);

    if (r->cluster == 0)
        wm_ledger_changed(f->ledger, f->model, r, gone, wm_fleet_now_s(f));
    if (r->kind == WM_KIND_PROVIDER) {
        mark_users(f, r);
        return;
    }
    if (r->kind == WM_KIND_MIGPLAN || r->kind == WM_KIND_MIGCLUSTER) {
        f->opts.all_changed(f->opts.ctx);
        return;
    }
    for (int hop = 0; r && hop < MAX_HOPS; hop++) {
        if (r->kind == WM_KIND_MIGMIGRATION || r->kind == WM_KIND_VMMIGRATION) {
            f->opts.changed(f->opts.ctx, r->id);
            return;
        }
        r = wm_id_is_set(r->parent) ? wm_model_find_anywhere(f->model, r->parent) : NULL;
    }
    f->strayed |= concerns;
}

/* --- life --- */

int wm_fleet_new(const struct wm_fleet_opts *opts, struct wm_kube_access *host, struct wm_fleet **ret,
                 struct wm_error *err)
{
    struct wm_fleet *f = wm_xcalloc(1, sizeof *f);
    struct wm_model_conf conf = {.detail = wm_detail_of,
                                 .detail_done = wm_detail_done,
                                 .over = wm_is_over,
                                 .changed = on_record,
                                 .ctx = f};

    f->opts = *opts;
    f->model = wm_model_new(&conf);
    f->ledger = wm_ledger_new();
    wm_gap_marks_default(&f->gap_marks);
    if (opts->signal_s && opts->rollout_s)
        wm_ledger_patience(f->ledger, opts->signal_s, opts->rollout_s);
    if (opts->gap_marks)
        f->gap_marks = *opts->gap_marks;
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
    wm_ledger_free(f->ledger);
    wm_reading_done(&f->reading);
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

void wm_fleet_tick(struct wm_fleet *f)
{
    bool known = wm_host_known(f);

    wm_clusters_refresh(f);
    wm_places_refresh(f);
    wm_sights_refresh(f, known);
    pthread_mutex_lock(&f->lock);
    wm_ledger_tick(f->ledger, f->model, wm_fleet_now_s(f));
    pthread_mutex_unlock(&f->lock);
}

void wm_fleet_recall(struct wm_fleet *f, struct wm_str report)
{
    pthread_mutex_lock(&f->lock);
    wm_ledger_recall(f->ledger, report);
    pthread_mutex_unlock(&f->lock);
}

int64_t wm_fleet_now_s(const struct wm_fleet *f)
{
    return wm_wall_s() + f->clusters[0].view.offset_s;
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
        .ledger = f->ledger,
        .gap_marks = &f->gap_marks,
    };
}

struct wm_kube *wm_fleet_kube(struct wm_fleet *f, uint8_t i)
{
    return i < f->n_clusters ? f->clusters[i].kube : NULL;
}

bool wm_fleet_synced(struct wm_fleet *f)
{
    pthread_mutex_lock(&f->lock);
    bool looked = f->clusters[0].view.since_s != 0;

    pthread_mutex_unlock(&f->lock);
    return looked && wm_host_known(f);
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
                                             wm_model_source_count(f->model, d->source),
                                             d->differences,
                                             {0}};
            wm_watch_stats(d->watch, &ret[n].stats);
        }
    pthread_mutex_unlock(&f->lock);
    return n;
}
