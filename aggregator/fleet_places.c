/* Namespaces that are watched for some migrations only, and what belongs to no namespace: what hinders a
 * migration is there.  Those of applications as long as a migration of theirs is not finished; those of
 * VirtRigaud as long as a Provider or a VMMigration is there.  One namespace may be both, and that of the
 * operators as well: each kind is watched there once.
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
    unsigned scopes; /* of enum wm_scope: what it is wanted for */
    uint64_t fed;    /* kinds that are watched there, as bits */
};
_Static_assert(WM_KIND_COUNT <= 64, "kinds are bits of a place");
struct place_list {
    struct place list[MAX_PLACES];
    size_t n;
    bool full; /* there were more */
};
struct places {
    struct wm_fleet *fleet;
    struct wm_world world;
    struct place_list wanted, touched;
};

static struct place *find_place(struct place_list *p, uint8_t cluster, const char *namespace_)
{
    for (size_t i = 0; i < p->n; i++)
        if (p->list[i].cluster == cluster && strcmp(p->list[i].namespace_, namespace_) == 0)
            return &p->list[i];
    return NULL;
}

static void add_place(struct place_list *p, uint8_t cluster, const char *namespace_, unsigned scope)
{
    struct place *to = find_place(p, cluster, namespace_);

    if (to) {
        to->scopes |= scope;
        return;
    }
    p->full |= p->n == MAX_PLACES;
    if (p->full)
        return;
    to = &p->list[p->n++];
    to->cluster = cluster;
    to->scopes = scope;
    snprintf(to->namespace_, sizeof to->namespace_, "%s", namespace_);
}

/* Wants a place to be watched; true when something happened there. */
static bool want(struct places *p, uint8_t cluster, const char *namespace_, unsigned scope)
{
    if (cluster != WM_NO_CLUSTER && (scope == WM_CLUSTER_WIDE || wm_kube_is_name(namespace_)))
        add_place(&p->wanted, cluster, namespace_, scope);
    return find_place(&p->touched, cluster, namespace_);
}

/* --- for MigMigrations --- */

static bool want_on(struct places *p, uint8_t cluster)
{
    bool touched = find_place(&p->touched, cluster, p->fleet->opts.namespace_);

    return want(p, cluster, CLUSTER_WIDE, WM_CLUSTER_WIDE) || touched;
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
        touched |= want(p, situation.source, plan->namespaces[i].source, WM_IN_APPS);
        touched |= want(p, situation.target, plan->namespaces[i].target, WM_IN_APPS);
    }
    if (touched)
        p->fleet->opts.changed(p->fleet->opts.ctx, r->id);
}

/* --- for VMMigrations --- */

static void add_provider(void *ctx, const struct wm_record *r)
{
    struct places *p = ctx;

    want(p, r->cluster, wm_model_word(p->fleet->model, r->namespace_), WM_IN_PROVIDERS);
}

static bool is_touched(struct places *p, uint8_t cluster, const char *namespace_)
{
    return namespace_[0] && find_place(&p->touched, cluster, namespace_);
}

/* One that is over is hurt by nothing any more, but as long as its PVC is there its providers mount it. */
static void add_vm_migration(void *ctx, const struct wm_record *r)
{
    struct places *p = ctx;
    const struct wm_vm_state *vm = wm_vm_of(r);
    bool touched = want(p, r->cluster, wm_model_word(p->fleet->model, r->namespace_), WM_IN_PROVIDERS);

    if (!vm->m.over) {
        touched |= want(p, r->cluster, CLUSTER_WIDE, WM_CLUSTER_WIDE);
        if (vm->target_namespace[0])
            touched |= want(p, r->cluster, vm->target_namespace, WM_IN_PROVIDERS);
    }
    touched |= is_touched(p, r->cluster, vm->source_provider_namespace);
    touched |= is_touched(p, r->cluster, vm->target_provider_namespace);
    if (touched && (!vm->m.over || r->has_children))
        p->fleet->opts.changed(p->fleet->opts.ctx, r->id);
}

/* --- all --- */

static void take_touched(struct wm_fleet *f, struct place_list *to)
{
    for (size_t i = 0; i < f->n_clusters; i++)
        for (struct feed *d = f->clusters[i].feeds; d; d = d->next) {
            if (d->touched)
                add_place(to, (uint8_t)i, d->namespace_, 0);
            d->touched = false;
        }
    if (to->full)
        f->opts.all_changed(f->opts.ctx);
}

static bool is_for(const struct place *at, enum wm_kind kind)
{
    const struct wm_kind_info *k = &wm_kinds[kind];

    return (k->scopes & at->scopes) && (k->where & (at->cluster == 0 ? WM_ON_HOST : WM_ON_REMOTE));
}

/* An EndpointSlice that is not seen any more would lead to pods that have gone since, and nobody be told that
 * it is old: where they may not be read any more, they are forgotten, and asked for anew. */
static bool is_stale(const struct wm_fleet *f, const struct feed *d)
{
    struct wm_watch_stats stats;

    if (d->kind != WM_KIND_ENDPOINTSLICE || !wm_model_source_count(f->model, d->source))
        return false;
    wm_watch_stats(d->watch, &stats);
    return stats.state == WM_WATCH_FORBIDDEN;
}

/* Notes it with its place; false when no place asks for it (any more). */
static bool is_wanted(struct place_list *wanted, uint8_t cluster, struct feed *d)
{
    struct place *at = find_place(wanted, cluster, d->namespace_);

    if (at && (!d->extra || is_for(at, d->kind)))
        at->fed |= UINT64_C(1) << d->kind;
    if (!d->extra)
        return true;
    d->scopes = at ? at->scopes & wm_kinds[d->kind].scopes : 0;
    return d->scopes;
}

/* Takes the feeds that no place asks for out of their list; they are the caller's. */
static struct feed *take_unwanted(struct wm_fleet *f, struct place_list *wanted)
{
    struct feed *out = NULL;

    for (size_t i = 0; i < f->n_clusters; i++)
        for (struct feed **link = &f->clusters[i].feeds; *link;) {
            struct feed *d = *link;

            if (!is_stale(f, d) && is_wanted(wanted, (uint8_t)i, d)) {
                link = &d->next;
                continue;
            }
            *link = d->next;
            d->next = out;
            out = d;
        }
    return out;
}

/* False when not all of it can be watched. */
static bool start_place(struct wm_fleet *f, const struct place *at, struct wm_error *err)
{
    struct cluster *c = &f->clusters[at->cluster];
    bool good = true;

    for (int kind = 1; c->kube && kind < WM_KIND_COUNT; kind++)
        if (is_for(at, (enum wm_kind)kind) && !(at->fed >> kind & 1))
            good &= wm_feed_start(f, c, (enum wm_kind)kind, at->namespace_,
                                  at->scopes & wm_kinds[kind].scopes, err) == WM_OK;
    return good;
}

/* What is not watched now is tried again a second later, and said once. */
static void start_places(struct wm_fleet *f, const struct place_list *wanted)
{
    struct wm_error err = {0};
    bool good = !wanted->full;

    if (wanted->full)
        wm_fail(&err, WM_E_TOO_BIG, NULL, "more than %d namespaces", MAX_PLACES);
    for (size_t i = 0; i < wanted->n; i++)
        good &= start_place(f, &wanted->list[i], &err);
    if (!good && !f->crowded)
        wm_log_error(WM_LOG_WARN, "namespace_not_watched", &err);
    f->crowded = !good;
}

void wm_places_refresh(struct wm_fleet *f)
{
    struct places *p = wm_xcalloc(1, sizeof *p);

    p->fleet = f;
    pthread_mutex_lock(&f->lock);
    wm_fleet_world(f, &p->world);
    take_touched(f, &p->touched);
    wm_model_each_open(f->model, WM_KIND_MIGMIGRATION, add_migration, p);
    wm_model_each(f->model, WM_KIND_PROVIDER, add_provider, p);
    wm_model_each(f->model, WM_KIND_VMMIGRATION, add_vm_migration, p);
    struct feed *unwanted = take_unwanted(f, &p->wanted);

    pthread_mutex_unlock(&f->lock);
    while (unwanted) {
        struct feed *next = unwanted->next;

        wm_feed_stop(f, unwanted);
        unwanted = next;
    }
    start_places(f, &p->wanted);
    free(p);
}
