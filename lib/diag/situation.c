/* Where a migration stands: its clusters, all that belongs to it, and how it ended. */
#include "situation_impl.h"
#include "waymark/vm.h"

#include <stdlib.h>

enum { DEPTH_MAX = 8 }; /* half of it is needed; owners may form a ring */

static const char *const sight_names[] = {
    [WM_SIGHT_NONE] = "none",
    [WM_SIGHT_STARTING] = "starting",
    [WM_SIGHT_GOOD] = "good",
    [WM_SIGHT_UNREACHABLE] = "unreachable",
    [WM_SIGHT_UNAUTHORIZED] = "unauthorized",
    [WM_SIGHT_PARTIAL] = "partial",
};

static const char *const ending_names[WM_ENDING_COUNT] = {
    [WM_ENDING_NONE] = "",
    [WM_ENDING_SUCCEEDED] = "Succeeded",
    [WM_ENDING_SUCCEEDED_WITH_WARNINGS] = "SucceededWithWarnings",
    [WM_ENDING_DATA_NOT_MIGRATED] = "DataNotMigrated",
    [WM_ENDING_FAILED] = "Failed",
    [WM_ENDING_CANCELED] = "Canceled",
    [WM_ENDING_UNKNOWN] = "Ended",
};

const char *wm_sight_name(enum wm_cluster_sight s)
{
    return sight_names[s];
}

const char *wm_ending_name(enum wm_ending e)
{
    return ending_names[e];
}

/* --- clocks --- */

int64_t wm_offset_settle(int64_t kept_s, int64_t measured_ms)
{
    const int64_t noise_ms = WM_OFFSET_NOISE_S * 1000;

    if (llabs(measured_ms - kept_s * 1000) < noise_ms)
        return kept_s;
    return llabs(measured_ms) < noise_ms ? 0 : measured_ms / 1000;
}

int64_t wm_world_now(const struct wm_world *w, uint8_t cluster)
{
    return w->now_s + (cluster < w->n_clusters ? w->clusters[cluster].offset_s : 0);
}

/* --- plan and clusters --- */

static bool is_named(const struct wm_world *w, const struct wm_record *r, const char *namespace_,
                     const char *name)
{
    return strcmp(wm_record_name(r), name) == 0 &&
           strcmp(wm_model_word(w->model, r->namespace_), namespace_) == 0;
}

struct search {
    const struct wm_world *w;
    const char *namespace_, *name;
    const struct wm_record *found;
};

/* The younger one, and of two of one age always the same. */
static bool is_preferred(const struct wm_record *r, const struct wm_record *to)
{
    if (r->created_s != to->created_s)
        return r->created_s > to->created_s;
    return r->id.hi != to->id.hi ? r->id.hi > to->id.hi : r->id.lo > to->id.lo;
}

/* One that was deleted and made anew may be there twice for a moment. */
static void find_named(void *ctx, const struct wm_record *r)
{
    struct search *s = ctx;

    if (is_named(s->w, r, s->namespace_, s->name) && r->cluster == 0 &&
        (!s->found || is_preferred(r, s->found)))
        s->found = r;
}

/* spec.migPlanRef decides; the owner, which the controller sets to the same, only saves the search. */
static const struct wm_record *plan_of(const struct wm_world *w, const struct wm_record *migration)
{
    const struct wm_migration_state *m = wm_migration_of(migration);
    const struct wm_record *owner = wm_model_find(w->model, 0, migration->parent);
    struct search s = {w, m->plan_namespace, m->plan, NULL};

    if (owner && owner->kind == WM_KIND_MIGPLAN && is_named(w, owner, m->plan_namespace, m->plan))
        return owner;
    if (m->plan[0])
        wm_model_each(w->model, WM_KIND_MIGPLAN, find_named, &s);
    return s.found;
}

/* mig-controller reconciles the objects of one namespace only, so a plan's clusters are beside it. */
static uint8_t cluster_of(const struct wm_world *w, const struct wm_record *plan, const char *name)
{
    struct search s = {w, wm_model_word(w->model, plan->namespace_), name, NULL};

    if (!name[0])
        return WM_NO_CLUSTER;
    wm_model_each(w->model, WM_KIND_MIGCLUSTER, find_named, &s);
    if (s.found && wm_cluster_of(s.found)->is_host)
        return 0;
    for (size_t i = 1; i < w->n_clusters; i++)
        if (strcmp(w->clusters[i].name, name) == 0)
            return (uint8_t)i;
    return !s.found && w->n_clusters > 0 && strcmp(w->clusters[0].name, name) == 0 ? 0 : WM_NO_CLUSTER;
}

static void find_clusters(const struct wm_world *w, struct wm_situation *s)
{
    if (s->vm) { /* it has no plan, and all of it is on one cluster */
        s->source = s->target = s->migration->cluster;
        return;
    }
    s->plan = plan_of(w, s->migration);
    if (!s->plan)
        return;
    s->source_name = wm_plan_of(s->plan)->source;
    s->target_name = wm_plan_of(s->plan)->target;
    s->source = cluster_of(w, s->plan, s->source_name);
    s->target = cluster_of(w, s->plan, s->target_name);
}

/* What is being looked at for the first time is not blindness: it is over in seconds. */
static bool is_blind(const struct wm_world *w, uint8_t cluster)
{
    return cluster < w->n_clusters && w->clusters[cluster].sight != WM_SIGHT_GOOD &&
           w->clusters[cluster].sight != WM_SIGHT_STARTING;
}

static void find_blind(const struct wm_world *w, struct wm_situation *s)
{
    size_t n = 0;

    if (is_blind(w, s->source))
        s->blind[n++] = s->source;
    if (s->target != s->source && is_blind(w, s->target))
        s->blind[n] = s->target;
}

/* --- what belongs to it --- */

bool wm_is_child(const struct wm_record *parent, const struct wm_record *r)
{
    return r != parent && r->kind != WM_KIND_MIGPLAN && r->kind != WM_KIND_MIGMIGRATION &&
           r->kind != WM_KIND_VMMIGRATION && r->kind < WM_KIND_EVIDENCE &&
           (wm_kinds[parent->kind].where == WM_ON_HOST || r->cluster == parent->cluster);
}

/* Backups are made on the source.  Where that is not known, the times tell: what Velero's sync creates had
 * ended before (velero pkg/controller/backup_sync_controller.go).  What was made here never did, whatever the
 * clocks: one that is ahead over there only makes a copy look like work for as long as the plan is not known.
 */
bool wm_is_copy(const struct wm_situation *s, const struct wm_record *r)
{
    if (r->kind != WM_KIND_BACKUP && r->kind != WM_KIND_PVB && r->kind != WM_KIND_DATAUPLOAD)
        return false;
    if (s->source_name[0])
        return r->cluster != s->source;
    return r->completed_s && r->completed_s < r->created_s;
}

bool wm_is_over(enum wm_kind kind, const char *phase)
{
    enum wm_velero_kind velero = wm_velero_kind_of(kind);

    if (kind == WM_KIND_MIGMIGRATION)
        return strcmp(phase, "Completed") == 0;
    return velero != WM_VELERO_NONE && wm_velero_phase(velero, phase)->terminal;
}

struct wm_judgement wm_judge(const struct wm_world *w, const struct wm_record *r)
{
    static const struct {
        const char *phase;
        struct wm_judgement judgement;
    } others[] = {
        {"Completed", {true, false}},
        {"Succeeded", {true, false}},
        {"Failed", {true, true}},
        {"MigrationFailed", {true, true}},
    };
    const char *phase = wm_model_word(w->model, r->phase);
    enum wm_velero_kind velero = wm_velero_kind_of((enum wm_kind)r->kind);
    struct wm_judgement j = {false, false};

    if (velero != WM_VELERO_NONE) {
        const struct wm_velero_phase *p = wm_velero_phase(velero, phase);

        return (struct wm_judgement){p->terminal, p->faulty};
    }
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (strcmp(others[i].phase, phase) == 0)
            j = others[i].judgement;
    if (r->kind == WM_KIND_DVM)
        j.faulty |= wm_dvm_of(r)->failed;
    if (r->kind == WM_KIND_JOB)
        j = (struct wm_judgement){r->completed_s || wm_job_of(r)->failed, wm_job_of(r)->failed};
    return j;
}

/* --- the tree --- */

struct walk {
    const struct wm_world *w;
    struct wm_situation *s;
    size_t room; /* for what is below the migration's own children */
    /* the last one that was judged, of a kind of which the phase tells all: most are as the one before */
    const struct wm_record *judged;
    struct wm_judgement judgement;
};

static struct wm_judgement judge_like_last(struct walk *k, const struct wm_record *r)
{
    if (r->kind == WM_KIND_DVM || r->kind == WM_KIND_JOB)
        return wm_judge(k->w, r);
    if (!k->judged || k->judged->kind != r->kind || k->judged->phase != r->phase) {
        k->judged = r;
        k->judgement = wm_judge(k->w, r);
    }
    return k->judgement;
}

static void count_in(struct walk *k, const struct wm_record *r)
{
    struct wm_progress *p = &k->s->progress[r->kind];
    struct wm_judgement j = judge_like_last(k, r);

    p->objects++;
    p->ended += j.ended;
    p->faulty += j.faulty;
    p->done += r->done > 0 ? r->done : 0;
    p->total += r->total > 0 ? r->total : 0;
}

static void add_twig(struct walk *k, const struct wm_record *r, int depth)
{
    struct wm_situation *s = k->s;
    bool copy = wm_is_copy(s, r);

    if (!copy)
        count_in(k, r);
    if (s->n_twigs == WM_TWIGS_MAX || (depth > 1 && k->room == 0)) {
        s->n_twigs_more++;
        return;
    }
    k->room -= depth > 1;
    s->tree[s->n_twigs++] = (struct wm_twig){r, depth, copy};
}

int wm_record_order(const struct wm_record *x, const struct wm_record *y)
{
    int names = strcmp(wm_record_name(x), wm_record_name(y));

    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    if (names != 0)
        return names;
    if (x->cluster != y->cluster)
        return x->cluster < y->cluster ? -1 : 1;
    if (x->id.hi != y->id.hi)
        return x->id.hi < y->id.hi ? -1 : 1;
    return (x->id.lo > y->id.lo) - (x->id.lo < y->id.lo);
}

static int by_kind_and_name(const void *a, const void *b)
{
    return wm_record_order(*(const struct wm_record *const *)a, *(const struct wm_record *const *)b);
}

/* The children of one object, those that find room in order, and how far we are with them. */
struct level {
    const struct wm_record **list; /* owned; NULL when there are none */
    size_t n, at;
};

/* Moves the `n` first in order to the front of the list: of thousands there is room for some hundred. */
static void select_first(const struct wm_record **list, size_t size, size_t n)
{
    for (size_t from = 0, to = size; to - from > 1 && from < n && n < to;) {
        const struct wm_record *pivot = list[from + (to - from - 1) / 2];
        size_t low = from, high = to - 1;

        for (;; low++, high--) {
            while (by_kind_and_name(&list[low], &pivot) < 0)
                low++;
            while (by_kind_and_name(&pivot, &list[high]) < 0)
                high--;
            if (low >= high)
                break;
            const struct wm_record *r = list[low];

            list[low] = list[high];
            list[high] = r;
        }
        if (n <= high)
            to = high + 1;
        else
            from = high + 1;
    }
}

/* One walk: of thousands each is a cache miss. */
const struct wm_record **wm_children(const struct wm_world *w, const struct wm_record *parent, size_t *n)
{
    struct wm_id id = parent->id;
    const struct wm_record **list = NULL;
    size_t room = 0;

    *n = 0;
    if (!parent->has_children)
        return NULL;
    for (const struct wm_record *r = wm_model_children(w->model, id); r; r = wm_model_next_child(r, id)) {
        if (!wm_is_child(parent, r))
            continue;
        if (*n == room) {
            const struct wm_record **more = wm_xcalloc(room ? 2 * room : 16, sizeof *more);

            memcpy(more, list ? list : more, *n * sizeof *more);
            free(list);
            list = more;
            room = room ? 2 * room : 16;
        }
        list[(*n)++] = r;
    }
    return list;
}

void wm_order_first(const struct wm_record **list, size_t n, size_t room)
{
    size_t in_order = n < room ? n : room;

    if (!list || in_order == 0)
        return;
    select_first(list, n, in_order);
    qsort(list, in_order, sizeof *list, by_kind_and_name);
}

const struct wm_record **wm_children_in_order(const struct wm_world *w, const struct wm_record *parent,
                                              size_t room, size_t *n)
{
    const struct wm_record **list = wm_children(w, parent, n);

    wm_order_first(list, *n, room);
    return list;
}

static struct level level_below(const struct walk *k, const struct wm_record *parent, size_t room)
{
    struct level l = {0};

    l.list = k->s->vm ? wm_vm_children_in_order(k->w, k->s, parent, room, &l.n)
                      : wm_children_in_order(k->w, parent, room, &l.n);
    return l;
}

static void walk(struct walk *k)
{
    struct level levels[DEPTH_MAX] = {level_below(k, k->s->migration, WM_TWIGS_MAX)};
    int depth = 1;

    k->room = levels[0].n < WM_TWIGS_MAX ? WM_TWIGS_MAX - levels[0].n : 0;
    while (depth > 0) {
        struct level *l = &levels[depth - 1];

        if (l->at == l->n) {
            free(l->list);
            depth--;
            continue;
        }
        const struct wm_record *r = l->list[l->at++];

        add_twig(k, r, depth);
        if (depth < DEPTH_MAX)
            levels[depth++] = level_below(k, r, k->room);
    }
}

/* --- the end --- */

const struct wm_phase *wm_phase_of(const struct wm_situation *s, const char *name)
{
    return s->vm ? wm_vm_phase_find(name) : wm_phase_find(name);
}

static const struct wm_record *failed_dvm_of(const struct wm_situation *s)
{
    for (size_t i = 0; i < s->n_twigs; i++)
        if (s->tree[i].record->kind == WM_KIND_DVM && wm_dvm_of(s->tree[i].record)->failed)
            return s->tree[i].record;
    return NULL;
}

static enum wm_ending ending_of(const struct wm_situation *s)
{
    static const enum wm_ending endings[WM_RUN_OUTCOME_COUNT] = {
        [WM_RUN_SUCCEEDED] = WM_ENDING_SUCCEEDED,
        [WM_RUN_SUCCEEDED_WITH_WARNINGS] = WM_ENDING_SUCCEEDED_WITH_WARNINGS,
        [WM_RUN_FAILED] = WM_ENDING_FAILED,
        [WM_RUN_CANCELED] = WM_ENDING_CANCELED,
        [WM_RUN_ENDED] = WM_ENDING_UNKNOWN,
    };
    enum wm_ending e = endings[s->state->outcome];

    if (!s->state->over)
        return WM_ENDING_NONE;
    if ((e == WM_ENDING_SUCCEEDED || e == WM_ENDING_SUCCEEDED_WITH_WARNINGS) && failed_dvm_of(s))
        return WM_ENDING_DATA_NOT_MIGRATED;
    return e;
}

/* What the failed phase waited for; else the first of its children that failed for good. */
static const struct wm_record *culprit_of(const struct wm_world *w, const struct wm_situation *s)
{
    const struct wm_phase *failed = wm_phase_of(s, s->state->cause);
    const struct wm_record *r = failed ? wm_awaited_by(w, s, failed) : NULL;

    for (size_t i = 0; !r && i < s->n_twigs; i++) {
        struct wm_judgement j = wm_judge(w, s->tree[i].record);

        if (s->tree[i].depth == 1 && !s->tree[i].copy && j.ended && j.faulty)
            r = s->tree[i].record;
    }
    return r;
}

static int stage_pods_left(const struct wm_situation *s)
{
    int n = 0;

    for (size_t i = 0; i < s->n_twigs; i++) {
        const struct wm_record *r = s->tree[i].record;

        n += r->kind == WM_KIND_POD && wm_pod_of(r)->is_stage_pod && !wm_pod_of(r)->is_application_pod;
    }
    return n;
}

static void conclude(const struct wm_world *w, struct wm_situation *s)
{
    s->ending = ending_of(s);
    if (s->ending == WM_ENDING_NONE)
        return;
    s->stage_pods_left = stage_pods_left(s);
    if (s->ending == WM_ENDING_DATA_NOT_MIGRATED)
        s->failed_dvm = failed_dvm_of(s);
    if (s->ending == WM_ENDING_FAILED)
        s->culprit = culprit_of(w, s);
}

/* --- all --- */

void wm_situation_place(const struct wm_world *w, const struct wm_record *r, struct wm_situation *ret)
{
    *ret = (struct wm_situation){
        .migration = r,
        .state = wm_migration_of(r),
        .vm = r->kind == WM_KIND_VMMIGRATION ? wm_vm_of(r) : NULL,
        .source = WM_NO_CLUSTER,
        .target = WM_NO_CLUSTER,
        .source_name = "",
        .target_name = "",
        .awaited_on = WM_NO_CLUSTER,
        .awaited_kind = "",
        .ends_by = "",
        .blind = {WM_NO_CLUSTER, WM_NO_CLUSTER},
    };
    find_clusters(w, ret);
}

void wm_situation_of(const struct wm_world *w, const struct wm_record *r, struct wm_situation *ret)
{
    struct walk k = {.w = w, .s = ret};

    wm_situation_place(w, r, ret);
    walk(&k);
    conclude(w, ret);
    if (ret->ending != WM_ENDING_NONE)
        return;
    find_blind(w, ret);
    if (ret->state->outcome == WM_RUN_RUNNING && ret->state->row) {
        wm_situation_next(w, ret);
        wm_situation_await(w, ret);
    }
}
