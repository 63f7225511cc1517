/* Who can hold a migration up: from the migration down to nodes and storage classes, each through the one
 * that depends on it. */
#include <string.h>

#include "situation_impl.h"
#include "waymark/cause.h"
#include "waymark/evidence.h"

/* --- the list --- */

static int find(const struct wm_look *look, const struct wm_record *r, enum wm_role role)
{
    if (role == WM_ROLE_AHEAD && look->n == WM_SUSPECTS_MAX) /* thousands may queue up, each told once */
        return WM_NO_SUSPECT;
    for (size_t i = 0; i < look->n; i++)
        if (look->suspects[i].record == r && look->suspects[i].role == role)
            return (int)i;
    return WM_NO_SUSPECT;
}

/* Its index; once for each role. */
static int add(struct wm_look *look, const struct wm_record *r, enum wm_role role, int via)
{
    int known = r ? find(look, r, role) : WM_NO_SUSPECT;

    if (!r || known != WM_NO_SUSPECT)
        return known;
    if (look->n == WM_SUSPECTS_MAX) {
        look->n_more++;
        return WM_NO_SUSPECT;
    }
    look->suspects[look->n] = (struct wm_suspect){r, role, (int16_t)via};
    return (int)look->n++;
}

/* --- what pods stand on --- */

static const char *namespace_of(const struct wm_look *look, const struct wm_record *r)
{
    return wm_model_word(look->w->model, r->namespace_);
}

static const struct wm_record *named(const struct wm_look *look, uint8_t cluster, enum wm_kind kind,
                                     const char *namespace_, const char *name)
{
    return name[0] ? wm_model_find_named(look->w->model, cluster, kind, namespace_, name) : NULL;
}

static void add_claim(struct wm_look *look, const struct wm_record *claim, int via)
{
    int at = add(look, claim, WM_ROLE_CLAIM, via);

    if (at != WM_NO_SUSPECT)
        add(look, named(look, claim->cluster, WM_KIND_STORAGECLASS, "", wm_claim_of(claim)->storage_class),
            WM_ROLE_STORAGE_CLASS, at);
}

static int add_pod(struct wm_look *look, const struct wm_record *pod, enum wm_role role, int via)
{
    int at = add(look, pod, role, via);

    if (at == WM_NO_SUSPECT)
        return at;
    for (int i = 0; i < wm_pod_of(pod)->n_claims; i++)
        add_claim(
            look,
            named(look, pod->cluster, WM_KIND_PVC, namespace_of(look, pod), wm_pod_claim(wm_pod_of(pod), i)),
            at);
    add(look, named(look, pod->cluster, WM_KIND_NODE, "", wm_record_node(pod)), WM_ROLE_NODE, at);
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
           : wm_pod_of(r)->is_stage_pod ? WM_ROLE_STAGE_POD
                                        : WM_ROLE_RSYNC_POD;
}

static void add_own(struct wm_look *look, const struct wm_record *parent, int via, int depth)
{
    enum { DEPTH_MAX = 6 };

    if (depth == DEPTH_MAX || !parent->has_children)
        return;
    for (const struct wm_record *r = wm_model_children(look->w->model, parent->id); r;
         r = wm_model_next_child(r, parent->id)) {
        struct wm_judgement j;

        if (!wm_is_child(parent, r) || wm_is_copy(look->s, r))
            continue;
        j = wm_judge(look->w, r);
        int at = j.ended && !j.faulty     ? WM_NO_SUSPECT
                 : r->kind == WM_KIND_POD ? add_pod(look, r, role_of(look, r, via), via)
                                          : add(look, r, WM_ROLE_WORK, via);

        add_own(look, r, at == WM_NO_SUSPECT ? via : at, depth + 1);
    }
}

/* --- the applications --- */

struct search {
    struct wm_look *look;
    uint8_t cluster;
    bool source;
    int via;
};

static bool is_of_plan(const struct wm_look *look, const struct wm_record *r, bool source)
{
    const struct wm_plan_state *plan = wm_plan_of(look->s->plan);
    const char *namespace_ = namespace_of(look, r);

    for (size_t i = 0; i < plan->n_namespaces; i++)
        if (strcmp(namespace_, source ? plan->namespaces[i].source : plan->namespaces[i].target) == 0)
            return true;
    return false;
}

static void add_application_pod(void *ctx, const struct wm_record *r)
{
    struct search *s = ctx;
    bool done = wm_judge(s->look->w, r).ended;

    if (r->cluster != s->cluster || wm_pod_of(r)->is_stage_pod || !is_of_plan(s->look, r, s->source))
        return;
    if (s->source || (!wm_pod_of(r)->ready && !done))
        add_pod(s->look, r, s->source ? WM_ROLE_QUIESCED_POD : WM_ROLE_RESTORED_POD, s->via);
}

static void add_application_claim(void *ctx, const struct wm_record *r)
{
    struct search *s = ctx;
    bool well = strcmp(wm_model_word(s->look->w->model, r->phase), "Bound") == 0 && !r->going;

    if (r->cluster == s->cluster && !well && is_of_plan(s->look, r, s->source))
        add_claim(s->look, r, s->via);
}

static int awaited_at(const struct wm_look *look)
{
    int at = look->s->awaited ? find(look, look->s->awaited, WM_ROLE_WORK) : WM_NO_SUSPECT;

    return at == WM_NO_SUSPECT ? 0 : at;
}

static void add_applications(struct wm_look *look, enum wm_wait wait)
{
    struct search target = {look, look->s->target, false, awaited_at(look)},
                  source = {look, look->s->source, true, 0};

    if (!look->s->plan)
        return;
    if (wait == WM_WAIT_QUIESCED)
        wm_model_each(look->w->model, WM_KIND_POD, add_application_pod, &source);
    if (wait == WM_WAIT_RESTORE || wait == WM_WAIT_VOLUMES || wait == WM_WAIT_HEALTH ||
        wait == WM_WAIT_MIGRATED_GONE)
        wm_model_each(look->w->model, WM_KIND_POD, add_application_pod, &target);
    wm_model_each(look->w->model, WM_KIND_PVC, add_application_claim, &target);
    wm_model_each(look->w->model, WM_KIND_PVC, add_application_claim, &source);
}

/* --- Velero --- */

static bool works_on(const struct wm_situation *s, uint8_t cluster)
{
    unsigned on = s->state->row->on;

    return ((on & WM_CLUSTER_SOURCE) && cluster == s->source) ||
           ((on & WM_CLUSTER_TARGET) && cluster == s->target) || ((on & WM_CLUSTER_HOST) && cluster == 0);
}

/* Once Velero works, its copies of the Backups come from the source, and are taken up on the target. */
static bool needs_velero(enum wm_wait wait)
{
    static const unsigned waits = WM_WAITS_FOR(VELERO) | WM_WAITS_FOR(NODE_AGENT) |
                                  WM_WAITS_FOR(CREDENTIALS) | WM_WAITS_FOR(BACKUP) |
                                  WM_WAITS_FOR(BACKUP_COPY) | WM_WAITS_FOR(RESTORE);

    return waits & (1u << wait);
}

static const struct {
    enum wm_kind kind;
    const char *name;
    enum wm_role role;
} servers[] = {
    {WM_KIND_DEPLOYMENT, "velero", WM_ROLE_VELERO},
    {WM_KIND_DAEMONSET, "node-agent", WM_ROLE_NODE_AGENT},
    {WM_KIND_DAEMONSET, "restic", WM_ROLE_NODE_AGENT},
};

static void add_server(void *ctx, const struct wm_record *r)
{
    struct search *s = ctx;

    if (r->namespace_ != s->look->s->migration->namespace_ || !works_on(s->look->s, r->cluster))
        return;
    for (size_t i = 0; i < sizeof servers / sizeof servers[0]; i++)
        if (servers[i].kind == (enum wm_kind)r->kind && strcmp(servers[i].name, wm_record_name(r)) == 0)
            add(s->look, r, servers[i].role, s->via);
}

static void add_server_pod(void *ctx, const struct wm_record *r)
{
    static const enum wm_role roles[] = {WM_ROLE_COUNT, WM_ROLE_VELERO, WM_ROLE_NODE_AGENT};
    struct search *s = ctx;
    enum wm_role role = roles[wm_pod_of(r)->component];

    if (role != WM_ROLE_COUNT && r->namespace_ == s->look->s->migration->namespace_ &&
        works_on(s->look->s, r->cluster))
        add_pod(s->look, r, role, s->via);
}

static void add_location(void *ctx, const struct wm_record *r)
{
    struct search *s = ctx;

    if (r->namespace_ == s->look->s->migration->namespace_ && works_on(s->look->s, r->cluster))
        add(s->look, r, WM_ROLE_LOCATION, s->via);
}

/* Of other migrations, and older: Velero takes one after the other (velero pkg/controller). */
static void add_ahead(void *ctx, const struct wm_record *r)
{
    struct search *s = ctx;
    const struct wm_record *awaited = s->look->s->awaited;

    if (r->cluster == awaited->cluster && r->namespace_ == awaited->namespace_ && r != awaited &&
        r->created_s <= awaited->created_s && !wm_judge(s->look->w, r).ended &&
        !wm_id_is(r->parent, s->look->s->migration->id))
        add(s->look, r, WM_ROLE_AHEAD, s->via);
}

static void add_velero(struct wm_look *look, enum wm_wait wait)
{
    struct search s = {look, 0, false, awaited_at(look)};
    const struct wm_record *awaited = look->s->awaited;

    if (!needs_velero(wait))
        return;
    wm_model_each(look->w->model, WM_KIND_DEPLOYMENT, add_server, &s);
    wm_model_each(look->w->model, WM_KIND_DAEMONSET, add_server, &s);
    wm_model_each(look->w->model, WM_KIND_POD, add_server_pod, &s);
    wm_model_each(look->w->model, WM_KIND_BSL, add_location, &s);
    if (awaited && (awaited->kind == WM_KIND_BACKUP || awaited->kind == WM_KIND_RESTORE)) {
        wm_model_each(look->w->model, WM_KIND_BACKUP, add_ahead, &s);
        wm_model_each(look->w->model, WM_KIND_RESTORE, add_ahead, &s);
    }
}

/* --- plan, clusters, and the migrations before it --- */

static void add_plans_clusters(void *ctx, const struct wm_record *r)
{
    struct search *s = ctx;
    const struct wm_situation *situation = s->look->s;
    const char *name = wm_record_name(r);

    if (r->cluster == 0 && r->namespace_ == situation->plan->namespace_ &&
        (strcmp(name, situation->source_name) == 0 || strcmp(name, situation->target_name) == 0))
        add(s->look, r, WM_ROLE_CLUSTER, s->via);
}

static void add_sibling(void *ctx, const struct wm_record *r)
{
    struct search *s = ctx;
    const struct wm_situation *situation = s->look->s;
    const struct wm_migration_state *own = situation->state, *m = wm_migration_of(r);

    if (r != situation->migration && strcmp(m->plan, own->plan) == 0 &&
        strcmp(m->plan_namespace, own->plan_namespace) == 0 &&
        r->created_s <= situation->migration->created_s && strcmp(m->phase, "Completed") != 0)
        add(s->look, r, WM_ROLE_AHEAD, 0);
}

static void add_plan(struct wm_look *look)
{
    struct search s = {look, 0, false, 0};

    if (look->s->state->outcome == WM_RUN_POSTPONED || look->s->state->outcome == WM_RUN_NOT_STARTED)
        wm_model_each(look->w->model, WM_KIND_MIGMIGRATION, add_sibling, &s);
    if (!look->s->plan)
        return;
    s.via = add(look, look->s->plan, WM_ROLE_PLAN, 0);
    wm_model_each(look->w->model, WM_KIND_MIGCLUSTER, add_plans_clusters, &s);
}

/* --- all --- */

void wm_look_around(const struct wm_world *w, const struct wm_situation *s, const struct wm_thresholds *t,
                    struct wm_look *ret)
{
    const struct wm_phase *phase = s->state->row;

    ret->w = w;
    ret->s = s;
    ret->thresholds = t;
    ret->n = ret->n_more = 0;
    add(ret, s->migration, WM_ROLE_MIGRATION, WM_NO_SUSPECT);
    add_plan(ret);
    add_own(ret, s->migration, 0, 0);
    if (!phase || s->ending != WM_ENDING_NONE)
        return;
    add_applications(ret, phase->waits_for);
    add_velero(ret, phase->waits_for);
}
