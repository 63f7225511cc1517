/* Which phase comes next: what of its itinerary a migration certainly skips. */
#include <stdio.h>

#include "situation_impl.h"
#include "waymark/vm.h"

/* One thing that phases need, as far as it is known. */
static void learn(struct wm_needs *n, unsigned need, bool met)
{
    *(met ? &n->met : &n->unmet) |= need;
}

/* What a phase makes is there once it is over, or the phase was skipped. */
static void learn_of_made(const struct wm_situation *s, const char *by, unsigned need, bool there,
                          struct wm_needs *n)
{
    const struct wm_migration_state *m = s->state;
    int made = wm_phase_step(m->itinerary, by);

    if (there || (made && wm_phase_step(m->itinerary, m->phase) > made))
        learn(n, need, there);
}

static void learn_of_migration(const struct wm_world *w, const struct wm_situation *s, struct wm_needs *n)
{
    const struct wm_migration_state *m = s->state;

    learn(n, WM_NEED_QUIESCE, m->quiesces);
    learn(n, WM_NEED_VERIFY, m->verifies);
    learn_of_made(s, "StagePodsCreated", WM_NEED_STAGE_PODS, m->has_stage_pods, n);
    if (w->n_clusters == 0 || w->clusters[0].sight != WM_SIGHT_GOOD)
        return; /* what is not seen may be there */
    learn_of_made(s, "CreateDirectImageMigration", WM_NEED_DIRECT_IMAGES,
                  s->progress[WM_KIND_DIM].objects > 0, n);
    learn_of_made(s, "CreateDirectVolumeMigrationStage", WM_NEED_DIRECT_VOLUMES,
                  s->progress[WM_KIND_DVM].objects > 0, n);
}

static void learn_of_plan(const struct wm_plan_state *p, struct wm_needs *n)
{
    static const unsigned hooks[] = {WM_NEED_PRE_BACKUP_HOOK, WM_NEED_POST_BACKUP_HOOK,
                                     WM_NEED_PRE_RESTORE_HOOK, WM_NEED_POST_RESTORE_HOOK};

    for (size_t i = 0; i < sizeof hooks / sizeof hooks[0]; i++)
        learn(n, hooks[i], p->hooks & hooks[i]);
    learn(n, WM_NEED_VOLUMES, p->has_volumes);
    if (p->has_volumes)
        learn(n, WM_NEED_SOMETHING_TO_COPY, true);
    if (p->type_known)
        learn(n, WM_NEED_CONVERSION, p->is_conversion);
}

/* Controllers without a pipeline, up to MTC 1.3, know of no direct way: they would ignore what the plan says.
 */
static void learn_of_ways(const struct wm_plan_state *p, struct wm_needs *n)
{
    learn(n, WM_NEED_DIRECT_IMAGES, !p->indirect_images);
    learn(n, WM_NEED_INDIRECT_IMAGES, p->indirect_images);
    learn(n, WM_NEED_DIRECT_VOLUMES, !p->indirect_volumes && p->has_direct_volumes);
    learn(n, WM_NEED_INDIRECT_VOLUMES, p->indirect_volumes);
    if (!p->indirect_volumes)
        learn(n, WM_NEED_STAGE_PODS, false);
    if (p->has_moved_volumes || (p->has_volumes && p->indirect_volumes))
        learn(n, WM_NEED_STAGE_BACKUP, true);
    else if (!p->indirect_images)
        learn(n, WM_NEED_STAGE_BACKUP, false);
}

/* All that is known.  What was seen outweighs what the plan says now: it may have been changed meanwhile. */
static struct wm_needs needs_of(const struct wm_world *w, const struct wm_situation *s)
{
    const struct wm_plan_state *plan = s->plan ? wm_plan_of(s->plan) : NULL;
    struct wm_needs seen = {0}, planned = {0};

    if (s->vm) {
        learn(&seen, WM_NEED_SNAPSHOT, s->vm->makes_snapshot);
        return seen;
    }
    learn(&seen, wm_phase_needs(s->state->itinerary, s->state->phase), true);
    learn_of_migration(w, s, &seen);
    if (plan)
        learn_of_plan(plan, &planned);
    if (plan && s->state->pipeline.steps > 0)
        learn_of_ways(plan, &planned);
    seen.unmet &= ~seen.met;
    planned.met &= ~seen.unmet;
    planned.unmet &= ~seen.met;
    return (struct wm_needs){seen.met | planned.met, seen.unmet | planned.unmet};
}

void wm_situation_next(const struct wm_world *w, struct wm_situation *s)
{
    const struct wm_phase *next[WM_NEXT_PHASES_MAX];
    struct wm_needs known = needs_of(w, s);
    bool more;

    if (s->vm && strcmp(s->state->phase, "Failed") == 0) { /* it is not over: it will be tried again */
        snprintf(s->next, sizeof s->next, "Pending");
        return;
    }
    int at = 0, n = wm_phases_next(s->state->itinerary, s->state->phase, &known, next, &more);

    for (int i = 0; i < n && at < (int)sizeof s->next; i++) {
        const char *before = i == 0 ? "" : i == n - 1 && !more ? " or " : ", ";

        at += snprintf(s->next + at, sizeof s->next - (size_t)at, "%s%s", before, next[i]->name);
    }
    if (more && at < (int)sizeof s->next)
        snprintf(s->next + at, sizeof s->next - (size_t)at, " or a later one");
}
