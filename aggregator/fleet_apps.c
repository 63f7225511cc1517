/* The namespaces of applications are watched as long as a migration of theirs is not finished: what hinders
 * it is there. */
#include <stdio.h>
#include <stdlib.h>

#include "fleet_impl.h"
#include "waymark/log.h"

enum { MAX_PLACES = 256 };

static const enum wm_kind app_kinds[] = {WM_KIND_POD, WM_KIND_PVC, WM_KIND_JOB};
enum { N_APP_KINDS = sizeof app_kinds / sizeof app_kinds[0] };

struct place {
    uint8_t cluster;
    wm_name namespace_;
};
struct places {
    struct wm_fleet *fleet;
    struct wm_world world;
    struct place list[MAX_PLACES];
    size_t n;
};

static bool has_place(const struct places *p, uint8_t cluster, const char *namespace_)
{
    for (size_t i = 0; i < p->n; i++)
        if (p->list[i].cluster == cluster && strcmp(p->list[i].namespace_, namespace_) == 0)
            return true;
    return false;
}

static void add_place(struct places *p, uint8_t cluster, const char *namespace_)
{
    if (cluster == WM_NO_CLUSTER || !wm_kube_is_name(namespace_) || p->n == MAX_PLACES ||
        strcmp(namespace_, p->fleet->opts.namespace_) == 0 || has_place(p, cluster, namespace_))
        return;
    struct place *to = &p->list[p->n++];

    to->cluster = cluster;
    snprintf(to->namespace_, sizeof to->namespace_, "%s", namespace_);
}

static void add_migration(void *ctx, const struct wm_record *r)
{
    struct places *p = ctx;
    const struct wm_migration_state *s = wm_migration_of(r);
    static _Thread_local struct wm_situation situation;

    if (strcmp(s->phase, "Completed") == 0)
        return;
    wm_situation_place(&p->world, r, &situation);
    if (!situation.plan)
        return;
    const struct wm_plan_state *plan = wm_plan_of(situation.plan);

    for (size_t i = 0; i < plan->n_namespaces; i++) {
        add_place(p, situation.source, plan->namespaces[i].source);
        add_place(p, situation.target, plan->namespaces[i].target);
    }
}

static bool is_app_feed(const struct wm_fleet *f, const struct feed *d)
{
    return strcmp(d->namespace_, f->opts.namespace_) != 0;
}

/* Takes the feeds that no place asks for out of their list; they are the caller's. */
static struct feed *take_unwanted(struct wm_fleet *f, const struct places *p)
{
    struct feed *out = NULL;

    for (size_t i = 0; i < f->n_clusters; i++)
        for (struct feed **link = &f->clusters[i].feeds; *link;) {
            struct feed *d = *link;

            if (!is_app_feed(f, d) || has_place(p, (uint8_t)i, d->namespace_)) {
                link = &d->next;
                continue;
            }
            *link = d->next;
            d->next = out;
            out = d;
        }
    return out;
}

static bool is_fed(const struct cluster *c, const char *namespace_)
{
    for (const struct feed *d = c->feeds; d; d = d->next)
        if (strcmp(d->namespace_, namespace_) == 0)
            return true;
    return false;
}

static void start_place(struct wm_fleet *f, const struct place *at)
{
    struct cluster *c = &f->clusters[at->cluster];
    struct wm_error err = {0};

    for (size_t i = 0; c->kube && i < N_APP_KINDS; i++)
        if (wm_feed_start(f, c, app_kinds[i], at->namespace_, &err) < 0)
            wm_log_error(WM_LOG_WARN, "namespace_not_watched", &err);
}

void wm_apps_refresh(struct wm_fleet *f)
{
    struct places *p = wm_xcalloc(1, sizeof *p);

    p->fleet = f;
    pthread_mutex_lock(&f->lock);
    wm_fleet_world(f, &p->world);
    wm_model_each(f->model, WM_KIND_MIGMIGRATION, add_migration, p);
    struct feed *unwanted = take_unwanted(f, p);

    pthread_mutex_unlock(&f->lock);
    while (unwanted) {
        struct feed *next = unwanted->next;

        wm_feed_stop(f, unwanted);
        unwanted = next;
    }
    for (size_t i = 0; i < p->n; i++)
        if (!is_fed(&f->clusters[p->list[i].cluster], p->list[i].namespace_))
            start_place(f, &p->list[i]);
    free(p);
}
