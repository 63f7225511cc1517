/* Who can hold a migration up: from the migration down to nodes and storage classes, each through the one
 * that depends on it. */
#include <stdlib.h>
#include <string.h>

#include "situation_impl.h"
#include "suspects.h"
#include "velero_look.h"
#include "waymark/evidence.h"
#include "waymark/time.h"

/* --- the list --- */

int wm_suspect_find(const struct wm_look *look, const struct wm_record *r, enum wm_role role)
{
    if (role == WM_ROLE_AHEAD && look->n == WM_SUSPECTS_MAX) /* thousands may queue up, each told once */
        return WM_NO_SUSPECT;
    for (size_t i = 0; i < look->n; i++)
        if (look->suspects[i].record == r && look->suspects[i].role == role)
            return (int)i;
    return WM_NO_SUSPECT;
}

/* Velero's own pods come after those that it works for. */
static int distance(const struct wm_suspect *s)
{
    return s->role < WM_ROLE_VELERO || s->role >= WM_ROLE_PROVIDER ? (int)s->role : 0;
}

static bool goes_before(const struct wm_suspect *a, const struct wm_suspect *b)
{
    int x = distance(a), y = distance(b);

    return x != y ? x > y : strcmp(wm_record_name(a->record), wm_record_name(b->record)) < 0;
}

static void note_shared(struct wm_look *look, int suspect, int via)
{
    if (look->n_shared == WM_SUSPECTS_MAX)
        return;
    look->shared[look->n_shared].suspect = (int16_t)suspect;
    look->shared[look->n_shared++].via = (int16_t)via;
}

/* What pods and claims stand on has nothing below it, so chains of these have an end.  It is shown to be
 * come upon through the one that is farthest from the migration, and of these the first by name. */
static void share(struct wm_look *look, int suspect, int via)
{
    enum wm_role role = look->suspects[suspect].role;
    int shown = look->suspects[suspect].via;

    if ((role != WM_ROLE_NODE && role != WM_ROLE_STORAGE_CLASS && role != WM_ROLE_CLAIM) || shown == via)
        return;
    if (goes_before(&look->suspects[via], &look->suspects[shown])) {
        look->suspects[suspect].via = (int16_t)via;
        via = shown;
    }
    note_shared(look, suspect, via);
}

/* One that is in the list in no role yet. */
static int append(struct wm_look *look, const struct wm_record *r, enum wm_role role, int via)
{
    if (look->n == WM_SUSPECTS_MAX) {
        look->n_more++;
        return WM_NO_SUSPECT;
    }
    look->suspects[look->n] = (struct wm_suspect){.record = r, .role = role, .via = (int16_t)via};
    return (int)look->n++;
}

int wm_suspect_add(struct wm_look *look, const struct wm_record *r, enum wm_role role, int via)
{
    int known = r ? wm_suspect_find(look, r, role) : WM_NO_SUSPECT;

    if (known != WM_NO_SUSPECT)
        share(look, known, via);
    return !r || known != WM_NO_SUSPECT ? known : append(look, r, role, via);
}

/* --- what pods stand on --- */

const char *wm_look_namespace(const struct wm_look *look, const struct wm_record *r)
{
    return wm_model_word(look->w->model, r->namespace_);
}

static const struct wm_record *named(const struct wm_look *look, uint8_t cluster, enum wm_kind kind,
                                     const char *namespace_, const char *name)
{
    return name[0] ? wm_model_find_named(look->w->model, cluster, kind, namespace_, name) : NULL;
}

void wm_suspect_claim(struct wm_look *look, const struct wm_record *claim, int via)
{
    int at = wm_suspect_add(look, claim, WM_ROLE_CLAIM, via);

    if (at != WM_NO_SUSPECT)
        wm_suspect_add(
            look, named(look, claim->cluster, WM_KIND_STORAGECLASS, "", wm_claim_of(claim)->storage_class),
            WM_ROLE_STORAGE_CLASS, at);
}

int wm_suspect_pod(struct wm_look *look, const struct wm_record *pod, enum wm_role role, int via)
{
    int at = wm_suspect_add(look, pod, role, via);

    if (at == WM_NO_SUSPECT)
        return at;
    for (int i = 0; i < wm_pod_of(pod)->n_claims; i++)
        wm_suspect_claim(look,
                         named(look, pod->cluster, WM_KIND_PVC, wm_look_namespace(look, pod),
                               wm_pod_claim(wm_pod_of(pod), i)),
                         at);
    wm_suspect_add(look, named(look, pod->cluster, WM_KIND_NODE, "", wm_record_node(pod)), WM_ROLE_NODE, at);
    return at;
}

/* --- the migration's own --- */

static enum wm_role role_of(const struct wm_look *look, const struct wm_record *r, int via)
{
    enum wm_kind parent = (enum wm_kind)look->suspects[via].record->kind;

    if (r->kind != WM_KIND_POD)
        return WM_ROLE_WORK;
    return wm_pod_of(r)->is_registry    ? WM_ROLE_REGISTRY_POD
           : parent == WM_KIND_JOB      ? WM_ROLE_HOOK_POD
           : wm_is_volume(parent)       ? WM_ROLE_NODE_AGENT /* a pod that it made for the copying */
           : wm_pod_of(r)->is_stage_pod ? WM_ROLE_STAGE_POD
                                        : WM_ROLE_RSYNC_POD;
}

/* A volume's copying needs the pod that mounts it, and the agent on that pod's node. */
static void add_volume(struct wm_look *look, const struct wm_record *volume, int via)
{
    const struct wm_record *pod = wm_volume_pod(look->w, volume);

    if (pod)
        wm_suspect_pod(look, pod,
                       wm_pod_of(pod)->is_stage_pod || volume->kind != WM_KIND_PVR ? WM_ROLE_STAGE_POD
                                                                                   : WM_ROLE_RESTORED_POD,
                       via);
    if (look->s->ending == WM_ENDING_NONE)
        wm_suspect_add(look, wm_volume_agent(look->w, volume), WM_ROLE_NODE_AGENT, via);
}

static bool is_suspect(const struct wm_look *look, const struct wm_record *r)
{
    if (wm_is_volume((enum wm_kind)r->kind) &&
        !r->over) /* there are thousands: what the model knows is enough */
        return true;
    struct wm_judgement j = wm_judge(look->w, r);

    return !j.ended || j.faulty || (r->kind == WM_KIND_RESTORE && wm_velero_of(r)->verify_errors);
}

/* What could not be restored may be of kinds that the target does not know, which the plan tells. */
static void blame_plan(struct wm_look *look, const struct wm_record *r, int at)
{
    int plan = look->s->plan ? wm_suspect_find(look, look->s->plan, WM_ROLE_PLAN) : WM_NO_SUSPECT;

    if (r->kind == WM_KIND_RESTORE && wm_velero_of(r)->part == WM_PART_FINAL && wm_velero_of(r)->errors > 0 &&
        at != WM_NO_SUSPECT && plan != WM_NO_SUSPECT)
        note_shared(look, plan, at);
}

static int add_child(struct wm_look *look, const struct wm_record *r, int via)
{
    int64_t *done_s = &look->suspects[via].volumes_done_s;
    int at;

    if (wm_is_volume((enum wm_kind)r->kind))
        *done_s = wm_later(*done_s, r->completed_s);
    if (!is_suspect(look, r))
        return WM_NO_SUSPECT;
    if (r->kind == WM_KIND_POD)
        return wm_suspect_pod(look, r, role_of(look, r, via), via);
    at = append(look, r, WM_ROLE_WORK, via); /* each has one parent */
    blame_plan(look, r, at);
    if (at != WM_NO_SUSPECT && wm_is_volume(r->kind))
        add_volume(look, r, at);
    return at;
}

/* The children of one object, and how far we are with them. */
struct level {
    const struct wm_record **list; /* owned; NULL when there are none */
    size_t n, at;
    int via;
};

static struct level level_below(const struct wm_look *look, const struct wm_record *parent, int via)
{
    struct level l = {.via = via};
    size_t others = 0;

    /* Of thousands so many are put in order as there can be room for. */
    l.list = wm_children(look->w, parent, &l.n);
    for (size_t i = 0; i < l.n && l.n > WM_SUSPECTS_MAX; i++)
        others += !is_suspect(look, l.list[i]);
    wm_order_first(l.list, l.n, WM_SUSPECTS_MAX + others);
    return l;
}

/* In the order of kinds pods come last: they are come upon through what needs them, if anything does. */
static void add_own(struct wm_look *look)
{
    enum { DEPTH_MAX = 6 };
    struct level levels[DEPTH_MAX] = {level_below(look, look->s->migration, 0)};
    int depth = 1;

    while (depth > 0) {
        struct level *l = &levels[depth - 1];
        const struct wm_record *r = l->at < l->n ? l->list[l->at++] : NULL;

        if (!r) {
            free(l->list);
            depth--;
        } else if (!wm_is_copy(look->s, r)) {
            int at = add_child(look, r, l->via);

            if (depth < DEPTH_MAX)
                levels[depth++] = level_below(look, r, at == WM_NO_SUSPECT ? l->via : at);
        }
    }
}

/* --- plan, clusters, and the migrations before it --- */

struct search {
    struct wm_look *look;
    int via;
};

static void add_plans_clusters(void *ctx, const struct wm_record *r)
{
    struct search *s = ctx;
    const struct wm_situation *situation = s->look->s;
    const char *name = wm_record_name(r);

    if (r->cluster == 0 && r->namespace_ == situation->plan->namespace_ &&
        (strcmp(name, situation->source_name) == 0 || strcmp(name, situation->target_name) == 0))
        wm_suspect_add(s->look, r, WM_ROLE_CLUSTER, s->via);
}

static void add_sibling(void *ctx, const struct wm_record *r)
{
    struct search *s = ctx;
    const struct wm_situation *situation = s->look->s;
    const struct wm_migration_state *own = situation->state, *m = wm_migration_of(r);

    if (r != situation->migration && strcmp(m->plan, own->plan) == 0 &&
        strcmp(m->plan_namespace, own->plan_namespace) == 0 && wm_goes_first(r, situation->migration))
        wm_suspect_add(s->look, r, WM_ROLE_AHEAD, 0);
}

static void add_plan(struct wm_look *look)
{
    struct search s = {look, 0};

    if (look->s->state->outcome == WM_RUN_POSTPONED || look->s->state->outcome == WM_RUN_NOT_STARTED)
        wm_model_each_open(look->w->model, WM_KIND_MIGMIGRATION, add_sibling, &s);
    if (!look->s->plan)
        return;
    s.via = wm_suspect_add(look, look->s->plan, WM_ROLE_PLAN, 0);
    wm_model_each(look->w->model, WM_KIND_MIGCLUSTER, add_plans_clusters, &s);
    wm_suspect_add(look,
                   named(look, 0, WM_KIND_MIGSTORAGE, wm_look_namespace(look, look->s->plan),
                         wm_plan_of(look->s->plan)->storage),
                   WM_ROLE_LOCATION, s.via);
}

/* --- all --- */

void wm_look_around(const struct wm_world *w, const struct wm_situation *s, const struct wm_thresholds *t,
                    struct wm_look *ret)
{
    const struct wm_phase *phase = s->state->row;

    ret->w = w;
    ret->s = s;
    ret->thresholds = t;
    ret->marks = NULL;
    ret->n = ret->n_more = ret->n_shared = ret->n_copying = ret->n_copying_more = 0;
    wm_suspect_add(ret, s->migration, WM_ROLE_MIGRATION, WM_NO_SUSPECT);
    if (s->vm) {
        wm_suspect_vm(ret);
        return;
    }
    add_plan(ret);
    add_own(ret);
    wm_look_for_copies(ret);
    if (!phase || s->ending != WM_ENDING_NONE)
        return;
    wm_suspect_applications(ret, phase->waits_for);
    wm_suspect_velero(ret, phase->waits_for);
}
