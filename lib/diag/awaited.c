/* What a phase waits for: which object, on which cluster, and what would end the wait by itself. */
#include "situation_impl.h"
#include "velero_look.h"

struct scene {
    const struct wm_world *w;
    const struct wm_situation *s;
    const struct wm_phase *phase;
};

typedef bool match_fn(const struct scene *c, const struct wm_record *r);

/* --- clusters --- */

/* True for a cluster that plays one of the roles.  Where it is not known which cluster plays a role, any may.
 */
static bool plays(const struct wm_situation *s, unsigned roles, uint8_t cluster)
{
    return ((roles & WM_CLUSTER_HOST) && cluster == 0) ||
           ((roles & WM_CLUSTER_SOURCE) && (!s->source_name[0] || cluster == s->source)) ||
           ((roles & WM_CLUSTER_TARGET) && (!s->target_name[0] || cluster == s->target));
}

static uint8_t only_cluster(const struct wm_situation *s, unsigned roles)
{
    return roles == WM_CLUSTER_HOST                                                  ? 0
           : roles == WM_CLUSTER_SOURCE                                              ? s->source
           : roles == WM_CLUSTER_TARGET                                              ? s->target
           : (roles & ~(unsigned)WM_CLUSTER_HOST) == roles && s->source == s->target ? s->source
                                                                                     : WM_NO_CLUSTER;
}

/* --- what keeps a phase waiting --- */

static const char *phase_of(const struct scene *c, const struct wm_record *r)
{
    return wm_model_word(c->w->model, r->phase);
}

static bool is_any(const struct scene *c, const struct wm_record *r)
{
    (void)c;
    (void)r;
    return true;
}

static enum wm_velero_part part_of_phase(const struct wm_phase *phase)
{
    static const struct {
        const char *phase;
        enum wm_velero_part part;
    } rows[] = {
        {"InitialBackupCreated", WM_PART_INITIAL}, {"EnsureInitialBackupReplicated", WM_PART_INITIAL},
        {"StageBackupCreated", WM_PART_STAGE},     {"EnsureStageBackupReplicated", WM_PART_STAGE},
        {"StageRestoreCreated", WM_PART_STAGE},    {"FinalRestoreCreated", WM_PART_FINAL},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (strcmp(rows[i].phase, phase->name) == 0)
            return rows[i].part;
    return WM_PART_UNKNOWN;
}

static bool is_part(const struct scene *c, const struct wm_record *r)
{
    return wm_velero_of(r)->part == part_of_phase(c->phase);
}

static bool is_own_part(const struct scene *c, const struct wm_record *r)
{
    return is_part(c, r) && !wm_is_copy(c->s, r);
}

static bool is_starting_stage_pod(const struct scene *c, const struct wm_record *r)
{
    return wm_pod_of(r)->is_stage_pod && strcmp(phase_of(c, r), "Running") != 0;
}

static bool is_left_stage_pod(const struct scene *c, const struct wm_record *r)
{
    (void)c;
    return wm_pod_of(r)->is_stage_pod && !wm_pod_of(r)->is_application_pod;
}

static bool is_starting_registry(const struct scene *c, const struct wm_record *r)
{
    (void)c;
    return wm_pod_of(r)->is_registry && !wm_pod_of(r)->ready;
}

/* readyReplicas is absent where it is 0. */
static bool is_short_of_pods(const struct scene *c, const struct wm_record *r)
{
    return r->namespace_ == c->s->migration->namespace_ && (r->done <= 0 || r->done < r->total);
}

static bool is_velero_down(const struct scene *c, const struct wm_record *r)
{
    return strcmp(wm_record_name(r), "velero") == 0 && is_short_of_pods(c, r);
}

static bool is_node_agent_down(const struct scene *c, const struct wm_record *r)
{
    return (strcmp(wm_record_name(r), "node-agent") == 0 || strcmp(wm_record_name(r), "restic") == 0) &&
           r->total != 0 && is_short_of_pods(c, r);
}

/* The label "phase" is "PreBackup" in the phase PreBackupHooks. */
static bool is_hook_of_phase(const struct scene *c, const struct wm_record *r)
{
    const char *hook = wm_job_of(r)->hook_phase;

    return !hook[0] || strncmp(hook, c->phase->name, strlen(hook)) == 0;
}

static const struct row {
    enum wm_kind kind;
    match_fn *matches;
    bool many;  /* all of them are waited for; one that is missing is named */
    bool other; /* not the migration's own objects */
} rows[WM_WAIT_COUNT] = {
    [WM_WAIT_STAGE_PODS] = {WM_KIND_POD, is_starting_stage_pod, true},
    [WM_WAIT_STAGE_PODS_GONE] = {WM_KIND_POD, is_left_stage_pod, true},
    [WM_WAIT_REGISTRIES] = {WM_KIND_POD, is_starting_registry, true},
    [WM_WAIT_VELERO] = {WM_KIND_DEPLOYMENT, is_velero_down, true, true},
    [WM_WAIT_NODE_AGENT] = {WM_KIND_DAEMONSET, is_node_agent_down, true, true},
    [WM_WAIT_HOOK] = {WM_KIND_JOB, is_hook_of_phase},
    [WM_WAIT_BACKUP] = {WM_KIND_BACKUP, is_own_part},
    [WM_WAIT_BACKUP_COPY] = {WM_KIND_BACKUP, is_part},
    [WM_WAIT_RESTORE] = {WM_KIND_RESTORE, is_part},
    [WM_WAIT_IMAGES] = {WM_KIND_DIM, is_any},
    [WM_WAIT_VOLUMES] = {WM_KIND_DVM, is_any},
};

/* --- choosing --- */

/* Of several the newest, and of many the oldest, which is named as long as it is missing. */
static bool goes_before(const struct row *row, const struct wm_record *a, const struct wm_record *b)
{
    int names = strcmp(wm_record_name(a), wm_record_name(b));

    if (a->created_s != b->created_s)
        return (a->created_s > b->created_s) != row->many;
    if (names != 0)
        return names < 0;
    if (a->cluster != b->cluster)
        return a->cluster < b->cluster;
    return a->id.hi != b->id.hi ? a->id.hi < b->id.hi : a->id.lo < b->id.lo;
}

struct choice {
    struct scene scene;
    const struct row *row;
    const struct wm_record *best;
};

static void consider(void *ctx, const struct wm_record *r)
{
    struct choice *c = ctx;

    if (r->kind == c->row->kind && plays(c->scene.s, c->scene.phase->on, r->cluster) &&
        c->row->matches(&c->scene, r) && (!c->best || goes_before(c->row, r, c->best)))
        c->best = r;
}

static const struct wm_record *choose(struct choice *c)
{
    const struct wm_record *m = c->scene.s->migration;

    if (c->row->other) {
        wm_model_each(c->scene.w->model, c->row->kind, consider, c);
        return c->best;
    }
    for (const struct wm_record *r = wm_model_children(c->scene.w->model, m->id); r;
         r = wm_model_next_child(r, m->id))
        if (wm_is_child(m, r))
            consider(c, r);
    return c->best;
}

const struct wm_record *wm_awaited_by(const struct wm_world *w, const struct wm_situation *s,
                                      const struct wm_phase *phase)
{
    struct choice c = {{w, s, phase}, &rows[phase->waits_for], NULL};

    if (s->vm)
        return wm_vm_blamed_for(w, s, phase);

    return c.row->matches ? choose(&c) : NULL;
}

static const struct wm_record *original_of(const struct wm_world *w, const struct wm_situation *s)
{
    struct wm_phase at_source = *s->state->row;

    if (s->state->row->waits_for != WM_WAIT_BACKUP_COPY)
        return NULL;
    at_source.waits_for = WM_WAIT_BACKUP;
    at_source.on = WM_CLUSTER_SOURCE;
    return wm_awaited_by(w, s, &at_source);
}

/* --- the end of the wait --- */

/* Velero's timeout is for the volumes that it copies through pods, and for nothing else. */
static void end_by_velero(const struct wm_world *w, struct wm_situation *s)
{
    const struct wm_record *r = s->awaited;
    int64_t timeout_s = wm_pod_volume_timeout_s(w, r), begun_s = wm_begun_s(r);

    if (wm_judge(w, r).ended || !begun_s || !timeout_s || !wm_has_open_volumes(w, r))
        return;
    s->ends_s = begun_s + timeout_s;
    s->ends_by = "Velero";
}

static void end_by_kubernetes(const struct wm_world *w, struct wm_situation *s)
{
    int64_t deadline_s = wm_job_of(s->awaited)->deadline_s;

    if (wm_judge(w, s->awaited).ended || !s->awaited->started_s || !deadline_s)
        return;
    s->ends_s = s->awaited->started_s + deadline_s;
    s->ends_by = "Kubernetes";
}

/* --- all --- */

void wm_situation_await(const struct wm_world *w, struct wm_situation *s)
{
    const struct wm_phase *phase = s->state->row;
    const struct row *row = &rows[phase->waits_for];

    if (phase->waits_for == WM_WAIT_NOTHING)
        return;
    if (s->vm) {
        wm_vm_await(w, s);
        return;
    }
    s->awaits_many = row->many;
    s->awaited_on = only_cluster(s, phase->on);
    if (!row->matches)
        return;
    s->awaited_kind = wm_kinds[row->kind].kind;
    s->awaited = wm_awaited_by(w, s, phase);
    s->original = original_of(w, s);
    if (!s->awaited)
        return;
    s->awaited_on = s->awaited->cluster;
    if (s->awaited->kind == WM_KIND_BACKUP || s->awaited->kind == WM_KIND_RESTORE)
        end_by_velero(w, s);
    else if (s->awaited->kind == WM_KIND_JOB)
        end_by_kubernetes(w, s);
}
