/* The namespaces of applications, and what belongs to no namespace, are watched as long as a migration of
 * theirs is not finished: what hinders it is there.
 *
 * Most of what happens there belongs to no migration, and yet may hinder one: its feed is marked, which costs
 * nothing, and at most once a second the migrations are judged whose place it is. */
#include <stdio.h>
#include <stdlib.h>

#include "fleet_impl.h"
#include "waymark/log.h"

enum { MAX_PLACES = 256 };
static const char CLUSTER_WIDE[] = "";

struct place {
    uint8_t cluster;
    wm_name namespace_;
};
struct place_list {
    struct place list[MAX_PLACES];
    size_t n;
};
struct places {
    struct wm_fleet *fleet;
    struct wm_world world;
    struct place_list wanted, touched;
};

static bool has_place(const struct place_list *p, uint8_t cluster, const char *namespace_)
{
    for (size_t i = 0; i < p->n; i++)
        if (p->list[i].cluster == cluster && strcmp(p->list[i].namespace_, namespace_) == 0)
            return true;
    return false;
}

static void add_place(struct place_list *p, uint8_t cluster, const char *namespace_)
{
    if (cluster == WM_NO_CLUSTER || p->n == MAX_PLACES || has_place(p, cluster, namespace_))
        return;
    struct place *to = &p->list[p->n++];

    to->cluster = cluster;
    snprintf(to->namespace_, sizeof to->namespace_, "%s", namespace_);
}

/* Wants a place to be watched; true when something happened there. */
static bool want(struct places *p, uint8_t cluster, const char *namespace_)
{
    if (!namespace_[0] || (wm_kube_is_name(namespace_) && strcmp(namespace_, p->fleet->opts.namespace_) != 0))
        add_place(&p->wanted, cluster, namespace_);
    return has_place(&p->touched, cluster, namespace_);
}

static bool want_on(struct places *p, uint8_t cluster)
{
    bool touched = want(p, cluster, p->fleet->opts.namespace_);

    return want(p, cluster, CLUSTER_WIDE) || touched;
}

static void add_migration(void *ctx, const struct wm_record *r)
{
    struct places *p = ctx;
    static _Thread_local struct wm_situation situation;

    wm_situation_place(&p->world, r, &situation);
    if (!situation.plan)
        return;
    const struct wm_plan_state *plan = wm_plan_of(situation.plan);
    bool touched = want_on(p, situation.source);

    touched |= want_on(p, situation.target);
    for (size_t i = 0; i < plan->n_namespaces; i++) {
        touched |= want(p, situation.source, plan->namespaces[i].source);
        touched |= want(p, situation.target, plan->namespaces[i].target);
    }
    if (touched)
        p->fleet->opts.changed(p->fleet->opts.ctx, r->id);
}

static void take_touched(struct wm_fleet *f, struct place_list *to)
{
    for (size_t i = 0; i < f->n_clusters; i++)
        for (struct feed *d = f->clusters[i].feeds; d; d = d->next) {
            if (d->touched)
                add_place(to, (uint8_t)i, d->namespace_);
            d->touched = false;
        }
    if (to->n == MAX_PLACES)
        f->opts.all_changed(f->opts.ctx);
}

/* Takes the feeds that no place asks for out of their list; they are the caller's. */
static struct feed *take_unwanted(struct wm_fleet *f, const struct place_list *wanted)
{
    struct feed *out = NULL;

    for (size_t i = 0; i < f->n_clusters; i++)
        for (struct feed **link = &f->clusters[i].feeds; *link;) {
            struct feed *d = *link;

            if (!d->extra || has_place(wanted, (uint8_t)i, d->namespace_)) {
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
    unsigned scope = at->namespace_[0] ? WM_IN_APPS : WM_CLUSTER_WIDE;
    struct wm_error err = {0};

    for (int kind = 1; c->kube && kind < WM_KIND_COUNT; kind++)
        if ((wm_kinds[kind].scopes & scope) &&
            wm_feed_start(f, c, (enum wm_kind)kind, at->namespace_, &err) < 0)
            wm_log_error(WM_LOG_WARN, "namespace_not_watched", &err);
}

void wm_apps_refresh(struct wm_fleet *f)
{
    struct places *p = wm_xcalloc(1, sizeof *p);

    p->fleet = f;
    pthread_mutex_lock(&f->lock);
    wm_fleet_world(f, &p->world);
    take_touched(f, &p->touched);
    wm_model_each_open(f->model, WM_KIND_MIGMIGRATION, add_migration, p);
    struct feed *unwanted = take_unwanted(f, &p->wanted);

    pthread_mutex_unlock(&f->lock);
    while (unwanted) {
        struct feed *next = unwanted->next;

        wm_feed_stop(f, unwanted);
        unwanted = next;
    }
    for (size_t i = 0; i < p->wanted.n; i++)
        if (!is_fed(&f->clusters[p->wanted.list[i].cluster], p->wanted.list[i].namespace_))
            start_place(f, &p->wanted.list[i]);
    free(p);
}
