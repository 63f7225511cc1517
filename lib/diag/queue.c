/* Who waits for whom: mig-controller takes a plan's migrations one after the other, Velero its Backups and
 * its Restores; VirtRigaud has a few workers. */
#include <string.h>

#include "situation_impl.h"
#include "vm_look.h"
#include "waymark/cause.h"

bool wm_goes_first(const struct wm_record *a, const struct wm_record *b)
{
    enum wm_run_kind x = wm_migration_of(a)->kind, y = wm_migration_of(b)->kind;

    if ((x == WM_RUN_STAGE) != (y == WM_RUN_STAGE))
        return x == WM_RUN_STAGE;
    return a->created_s != b->created_s ? a->created_s < b->created_s
                                        : strcmp(wm_record_name(a), wm_record_name(b)) < 0;
}

struct search {
    const struct wm_world *w;
    const struct wm_situation *s;
    wm_record_fn *fn;
    void *ctx;
};

static bool is_velero(const struct wm_record *r)
{
    return r->kind == WM_KIND_BACKUP || r->kind == WM_KIND_RESTORE;
}

static bool is_queued(const struct wm_world *w, const struct wm_record *r)
{
    static const char *const phases[] = {"", "New", "Queued"};
    const char *phase = wm_model_word(w->model, r->phase);

    for (size_t i = 0; i < sizeof phases / sizeof phases[0]; i++)
        if (strcmp(phase, phases[i]) == 0)
            return true;
    return false;
}

/* Whether one of the migration's own, under way, stands before `r`. */
static bool has_one_before(const struct search *c, const struct wm_record *r)
{
    for (size_t i = 0; i < c->s->n_twigs; i++) {
        const struct wm_record *own = c->s->tree[i].record;

        if (own->kind == r->kind && !c->s->tree[i].copy && own->cluster == r->cluster &&
            own->namespace_ == r->namespace_ && own->created_s <= r->created_s &&
            !wm_judge(c->w, own).ended && !is_queued(c->w, own))
            return true;
    }
    return false;
}

static bool is_queued_behind(const struct search *c, const struct wm_record *migration)
{
    if (!migration->has_children)
        return false;
    for (const struct wm_record *r = wm_model_children(c->w->model, migration->id); r;
         r = wm_model_next_child(r, migration->id))
        if (is_velero(r) && !r->completed_s && is_queued(c->w, r) && has_one_before(c, r))
            return true;
    return false;
}

/* One that has no status yet is postponed as soon as it is looked at.  A VMMigration has no plan. */
static bool is_postponed_by(const struct search *c, const struct wm_record *r)
{
    const struct wm_migration_state *own = c->s->state, *m = wm_migration_of(r);

    return own->plan[0] && (m->outcome == WM_RUN_POSTPONED || m->outcome == WM_RUN_NOT_STARTED) &&
           strcmp(m->plan, own->plan) == 0 && strcmp(m->plan_namespace, own->plan_namespace) == 0 &&
           wm_goes_first(c->s->migration, r);
}

static void look_at(void *ctx, const struct wm_record *r)
{
    struct search *c = ctx;

    if (r != c->s->migration && (is_postponed_by(c, r) || is_queued_behind(c, r)))
        c->fn(c->ctx, r);
}

/* --- VirtRigaud's workers --- */

static bool is_beside(const struct search *c, const struct wm_record *r)
{
    return r->cluster == c->s->migration->cluster && !wm_migration_of(r)->over;
}

struct workers {
    const struct search *search;
    int busy;
};

static void count_busy(void *ctx, const struct wm_record *r)
{
    struct workers *c = ctx;

    c->busy += is_beside(c->search, r) && wm_vm_occupies_worker(r);
}

static void look_at_vm(void *ctx, const struct wm_record *r)
{
    struct search *c = ctx;
    const struct wm_phase *phase = wm_migration_of(r)->row;

    if (is_beside(c, r) && phase && phase->waits_for == WM_WAIT_VM_WORKER)
        c->fn(c->ctx, r);
}

/* With all workers busy those that are not taken up wait for each of them. */
static void vms_behind_each(struct search *c)
{
    struct workers workers = {c, 0};

    if (!wm_vm_occupies_worker(c->s->migration))
        return;
    wm_model_each(c->w->model, WM_KIND_VMMIGRATION, count_busy, &workers);
    if (workers.busy >= WM_VM_WORKERS)
        wm_model_each(c->w->model, WM_KIND_VMMIGRATION, look_at_vm, c);
}

/* --- all --- */

void wm_migrations_behind_each(const struct wm_world *w, const struct wm_situation *s, wm_record_fn *fn,
                               void *ctx)
{
    struct search c = {w, s, fn, ctx};

    if (s->vm) {
        vms_behind_each(&c);
        return;
    }
    wm_model_each_open(w->model, WM_KIND_MIGMIGRATION, look_at, &c);
}

static void count(void *ctx, const struct wm_record *r)
{
    (void)r;
    ++*(size_t *)ctx;
}

size_t wm_migrations_behind(const struct wm_world *w, const struct wm_situation *s)
{
    size_t n = 0;

    wm_migrations_behind_each(w, s, count, &n);
    return n;
}
