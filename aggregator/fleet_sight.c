/* How well clusters are seen. */
#include <stdio.h>

#include "fleet_impl.h"
#include "waymark/clock.h"
#include "waymark/log.h"

/* Which feeds of a cluster are looked at.  VM: what only VMMigrations need; where it is missing,
 * MigMigrations are seen all the same.  NEVER: what tells more where it is there; nobody waits for it. */
enum { NEVER = 0, ALWAYS = 1, EXTRA = 2, EVIDENCE = 4, VM = 8, VM_EXTRA = 16, ALL = 31 };

static unsigned group_of(const struct feed *d)
{
    static const unsigned mtc = WM_IN_OPERATORS | WM_IN_APPS | WM_CLUSTER_WIDE;

    if (d->kind == WM_KIND_ENDPOINTSLICE)
        return NEVER;
    if (!(d->scopes & mtc))
        return d->scopes & WM_IN_ALL ? VM : VM_EXTRA;
    return d->kind >= WM_KIND_EVIDENCE ? EVIDENCE : d->extra ? EXTRA : ALWAYS;
}

static const struct feed *find_state(const struct cluster *c, enum wm_watch_state state, unsigned groups)
{
    for (const struct feed *d = c->feeds; d; d = d->next) {
        struct wm_watch_stats stats;

        wm_watch_stats(d->watch, &stats);
        if (stats.state == state && (group_of(d) & groups))
            return d;
    }
    return NULL;
}

bool wm_host_known(struct wm_fleet *f)
{
    pthread_mutex_lock(&f->lock);
    bool known = f->clusters[0].feeds && !find_state(&f->clusters[0], WM_WATCH_STARTING, ALWAYS | VM);

    pthread_mutex_unlock(&f->lock);
    return known;
}

/* Nothing is said of a cluster's migrations before all is known that was there at the start.  What is watched
 * for migrations that come later takes nothing back of what is known. */
static bool is_new(const struct cluster *c)
{
    return !c->view.since_s || c->view.sight == WM_SIGHT_STARTING || c->view.sight == WM_SIGHT_NONE;
}

static const struct sight_row {
    enum wm_watch_state state;
    enum wm_cluster_sight sight;
    unsigned groups;
    const char *why;
} rows[] = {
    /* what concerns the whole cluster first */
    {WM_WATCH_UNAUTHORIZED, WM_SIGHT_UNAUTHORIZED, ALL, "its API server refuses the token"},
    {WM_WATCH_UNREACHABLE, WM_SIGHT_UNREACHABLE, ALWAYS | EXTRA | EVIDENCE, "its API server does not answer"},
    {WM_WATCH_STARTING, WM_SIGHT_STARTING, ALWAYS | VM, ""},
    {WM_WATCH_FORBIDDEN, WM_SIGHT_PARTIAL, ALWAYS | EXTRA, "may not be read"},
    /* where a migration stands is known without */
    {WM_WATCH_FORBIDDEN, WM_SIGHT_GOOD, EVIDENCE, "may not be read, so causes may stay unknown"},
    {WM_WATCH_FORBIDDEN, WM_SIGHT_GOOD, VM | VM_EXTRA,
     "may not be read, so VMMigrations are not judged well"},
    {WM_WATCH_UNREACHABLE, WM_SIGHT_GOOD, VM | VM_EXTRA,
     "cannot be had, so VMMigrations are not judged well"},
};

static enum wm_cluster_sight sight_of(const struct cluster *c, bool known, char *why, size_t size)
{
    snprintf(why, size, "%s", c->kube ? "" : c->why);
    if (!c->kube)
        return WM_SIGHT_NONE;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct sight_row *row = &rows[i];
        bool starts = row->sight == WM_SIGHT_STARTING && is_new(c);
        const struct feed *d = find_state(c, row->state, starts ? ALL : row->groups);

        if (!d && !(starts && !known))
            continue;
        bool of_kind = row->sight == WM_SIGHT_PARTIAL || row->sight == WM_SIGHT_GOOD;

        snprintf(why, size, "%s%s%s", of_kind ? wm_kinds[d->kind].resource : "", of_kind ? " " : "",
                 row->why);
        return row->sight;
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

/* True when something is new.  Times are the host's. */
static bool look_at(struct cluster *c, bool known, int64_t now_s)
{
    char why[WM_CLUSTER_WHY_MAX];
    enum wm_cluster_sight sight = sight_of(c, known, why, sizeof why);
    bool starting = find_state(c, WM_WATCH_STARTING, EXTRA | EVIDENCE | VM_EXTRA) != NULL;
    bool same_sight = c->view.since_s && sight == c->view.sight;

    if (same_sight && strcmp(why, c->why) == 0 && starting == c->view.evidence_starting)
        return false;
    snprintf(c->why, sizeof c->why, "%s", why);
    c->view.evidence_starting = starting;
    if (!same_sight) {
        c->view.since_s = now_s;
        wm_log(WM_LOG_INFO, "cluster_sight", WM_F("cluster", c->name), WM_F("sight", wm_sight_name(sight)),
               WM_F("why", why));
    }
    c->view.sight = sight;
    return true;
}

void wm_sights_refresh(struct wm_fleet *f, bool known)
{
    bool changed = false;

    pthread_mutex_lock(&f->lock);
    for (size_t i = 0; i < f->n_clusters; i++)
        if (f->clusters[i].used) {
            changed |= measure_clock(&f->clusters[i]);
            changed |= look_at(&f->clusters[i], known, wm_wall_s() + f->clusters[0].view.offset_s);
        }
    if (changed)
        f->opts.all_changed(f->opts.ctx);
    pthread_mutex_unlock(&f->lock);
}
