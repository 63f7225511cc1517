/* Suspects that do not belong to the migration: the applications' pods and claims, and Velero with all that
 * it works on first. */
#include <string.h>

#include "situation_impl.h"
#include "suspects.h"
#include "velero_look.h"
#include "waymark/evidence.h"

/* --- the applications --- */

struct search {
    struct wm_look *look;
    uint8_t cluster;
    bool source;
    int via;
    enum wm_wait wait;
};

static bool is_of_plan(const struct wm_look *look, const struct wm_record *r, bool source)
{
    const struct wm_plan_state *plan = wm_plan_of(look->s->plan);
    const char *namespace_ = wm_look_namespace(look, r);

    for (size_t i = 0; i < plan->n_namespaces; i++)
        if (strcmp(namespace_, source ? plan->namespaces[i].source : plan->namespaces[i].target) == 0)
            return true;
    return false;
}

static bool is_of_application(const struct search *s, const struct wm_record *r)
{
    return r->cluster == s->cluster && !wm_pod_of(r)->is_stage_pod && is_of_plan(s->look, r, s->source);
}

static void add_quiesced_pod(void *ctx, const struct wm_record *r)
{
    struct search *s = ctx;

    if (is_of_application(s, r))
        wm_suspect_pod(s->look, r, WM_ROLE_QUIESCED_POD, s->via);
}

static void add_restored_pod(void *ctx, const struct wm_record *r)
{
    struct search *s = ctx;

    if (is_of_application(s, r) && !wm_pod_of(r)->ready && !wm_judge(s->look->w, r).ended)
        wm_suspect_pod(s->look, r, WM_ROLE_RESTORED_POD, s->via);
}

static void add_application_claim(void *ctx, const struct wm_record *r)
{
    struct search *s = ctx;
    bool well = strcmp(wm_model_word(s->look->w->model, r->phase), "Bound") == 0 && !r->going;

    if (r->cluster == s->cluster && !well && is_of_plan(s->look, r, s->source))
        wm_suspect_claim(s->look, r, s->via);
}

static int awaited_at(const struct wm_look *look)
{
    int at = look->s->awaited ? wm_suspect_find(look, look->s->awaited, WM_ROLE_WORK) : WM_NO_SUSPECT;

    return at == WM_NO_SUSPECT ? 0 : at;
}

void wm_suspect_applications(struct wm_look *look, enum wm_wait wait)
{
    struct search target = {look, look->s->target, false, awaited_at(look), wait},
                  source = {look, look->s->source, true, 0, wait};
    bool of_source = look->s->state->row->on & WM_CLUSTER_SOURCE;

    if (!look->s->plan)
        return;
    if (wait == WM_WAIT_QUIESCED)
        wm_model_each(look->w->model, WM_KIND_POD, add_quiesced_pod, of_source ? &source : &target);
    if (wait == WM_WAIT_RESTORE || wait == WM_WAIT_VOLUMES || wait == WM_WAIT_HEALTH ||
        wait == WM_WAIT_MIGRATED_GONE)
        wm_model_each(look->w->model, WM_KIND_POD, add_restored_pod, &target);
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
            wm_suspect_add(s->look, r, servers[i].role, s->via);
}

/* Through the Deployment or DaemonSet that needs it. */
static int server_of(const struct wm_look *look, const struct wm_record *pod, enum wm_role role,
                     int otherwise)
{
    for (size_t i = 0; i < look->n; i++)
        if (look->suspects[i].role == role && look->suspects[i].record->kind != WM_KIND_POD &&
            look->suspects[i].record->cluster == pod->cluster)
            return (int)i;
    return otherwise;
}

/* A node's agent matters where all of them are awaited, and to the volumes of its node, which bring it. */
static void add_server_pod(void *ctx, const struct wm_record *r)
{
    static const enum wm_role roles[] = {WM_ROLE_COUNT, WM_ROLE_VELERO, WM_ROLE_NODE_AGENT};
    struct search *s = ctx;
    enum wm_role role = roles[wm_pod_of(r)->component];

    if (role != WM_ROLE_COUNT && (role != WM_ROLE_NODE_AGENT || s->wait == WM_WAIT_NODE_AGENT) &&
        r->namespace_ == s->look->s->migration->namespace_ && works_on(s->look->s, r->cluster))
        wm_suspect_pod(s->look, r, role, server_of(s->look, r, role, s->via));
}

static void add_location(void *ctx, const struct wm_record *r)
{
    struct search *s = ctx;

    if (r->namespace_ == s->look->s->migration->namespace_ && works_on(s->look->s, r->cluster))
        wm_suspect_add(s->look, r, WM_ROLE_LOCATION, s->via);
}

/* Of others, and older or begun already: Velero takes one after the other, Backups and Restores each in a
 * line of their own (velero pkg/controller). */
static void add_ahead(void *ctx, const struct wm_record *r)
{
    struct search *s = ctx;
    const struct wm_record *awaited = s->look->s->awaited;

    if (r->cluster == awaited->cluster && r->namespace_ == awaited->namespace_ && r != awaited &&
        (r->created_s <= awaited->created_s || wm_is_begun(s->look->w, r)) &&
        !wm_id_is(r->parent, s->look->s->migration->id))
        wm_suspect_add(s->look, r, WM_ROLE_AHEAD, s->via);
}

void wm_suspect_velero(struct wm_look *look, enum wm_wait wait)
{
    struct search s = {look, 0, false, awaited_at(look), wait};
    const struct wm_record *awaited = look->s->awaited;

    if (!needs_velero(wait))
        return;
    wm_model_each(look->w->model, WM_KIND_DEPLOYMENT, add_server, &s);
    wm_model_each(look->w->model, WM_KIND_DAEMONSET, add_server, &s);
    wm_model_each(look->w->model, WM_KIND_POD, add_server_pod, &s);
    wm_model_each(look->w->model, WM_KIND_BSL, add_location, &s);
    if (awaited && (awaited->kind == WM_KIND_BACKUP || awaited->kind == WM_KIND_RESTORE))
        wm_model_each_open(look->w->model, (enum wm_kind)awaited->kind, add_ahead, &s);
}

/* --- who copies now --- */

static void add_copying(void *ctx, const struct wm_record *r)
{
    struct wm_look *look = ctx;

    if (!wm_phase_is(look->w, r, "InProgress"))
        return;
    if (look->n_copying == WM_SUSPECTS_MAX)
        look->n_copying_more++;
    else
        look->copying[look->n_copying++] = (struct wm_copying){r, wm_volume_node(look->w, r)};
}

void wm_look_for_copies(struct wm_look *look)
{
    bool looked[WM_KIND_COUNT] = {false};

    for (size_t i = 0; i < look->n; i++) {
        const struct wm_record *r = look->suspects[i].record;

        if (looked[r->kind] || !wm_is_volume((enum wm_kind)r->kind) || wm_phase_is(look->w, r, "InProgress"))
            continue;
        looked[r->kind] = true;
        wm_model_each_open(look->w->model, (enum wm_kind)r->kind, add_copying, look);
    }
}
