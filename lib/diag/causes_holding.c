/* For which pods a phase waits: trouble of any other is nobody's business here. */
#include <string.h>

#include "causes.h"
#include "situation_impl.h"

static const unsigned waits_by_role[WM_ROLE_COUNT] = {
    [WM_ROLE_STAGE_POD] = WM_WAITS_FOR(STAGE_PODS) | WM_WAITS_FOR(BACKUP) | WM_WAITS_FOR(RESTORE) |
                          WM_WAITS_FOR(STAGE_PODS_GONE),
    [WM_ROLE_REGISTRY_POD] = WM_WAITS_FOR(REGISTRIES) | WM_WAITS_FOR(BACKUP) | WM_WAITS_FOR(RESTORE),
    [WM_ROLE_RSYNC_POD] =
        WM_WAITS_FOR(VOLUMES) | WM_WAITS_FOR(RSYNC) | WM_WAITS_FOR(RSYNC_SERVER) | WM_WAITS_FOR(RSYNC_GONE),
    [WM_ROLE_HOOK_POD] = WM_WAITS_FOR(HOOK),
    [WM_ROLE_RESTORED_POD] = WM_WAITS_FOR(RESTORE) | WM_WAITS_FOR(HEALTH),
    [WM_ROLE_QUIESCED_POD] = WM_WAITS_FOR(QUIESCED),
    [WM_ROLE_VELERO] = WM_WAITS_FOR(VELERO) | WM_WAITS_FOR(CREDENTIALS) | WM_WAITS_FOR(BACKUP) |
                       WM_WAITS_FOR(BACKUP_COPY) | WM_WAITS_FOR(RESTORE),
    [WM_ROLE_NODE_AGENT] = WM_WAITS_FOR(NODE_AGENT) | WM_WAITS_FOR(BACKUP) | WM_WAITS_FOR(RESTORE),
};

static const unsigned waits_gone =
    WM_WAITS_FOR(STAGE_PODS_GONE) | WM_WAITS_FOR(RSYNC_GONE) | WM_WAITS_FOR(QUIESCED);

bool wm_clue_is_here(const struct wm_clue *c)
{
    const struct wm_situation *s = c->look->s;
    const struct wm_phase *phase = s->state->row;
    unsigned on = phase ? phase->on : 0;

    /* DirectVolumeMigrations are on the host, and work on both others. */
    if (!phase || phase->waits_for == WM_WAIT_VOLUMES || phase->waits_for == WM_WAIT_IMAGES)
        return true;
    return ((on & WM_CLUSTER_SOURCE) && c->r->cluster == s->source) ||
           ((on & WM_CLUSTER_TARGET) && c->r->cluster == s->target) ||
           ((on & WM_CLUSTER_HOST) && c->r->cluster == 0);
}

/* One that has not come as far as to what it was made for: it has no node, or an init container hangs. */
static bool is_before_its_data(const struct wm_pod_state *pod)
{
    const struct wm_pod_trouble *t = pod->trouble;

    return pod->waits_for_data && t &&
           (t->unscheduled[0] || !t->container[0] || t->init_done < t->init_total || t->init_total == 0);
}

static bool is_of_its_node(const struct wm_look *look, const struct wm_record *agent)
{
    for (size_t i = 0; i < look->n; i++) {
        const struct wm_suspect *s = &look->suspects[i];

        if ((s->role == WM_ROLE_STAGE_POD || s->role == WM_ROLE_RESTORED_POD) &&
            s->record->cluster == agent->cluster && wm_record_node(agent)[0] &&
            strcmp(wm_record_node(s->record), wm_record_node(agent)) == 0)
            return true;
    }
    return false;
}

bool wm_clue_pod_holds(const struct wm_clue *c, const struct wm_suspect *suspect)
{
    const struct wm_situation *s = c->look->s;
    const struct wm_phase *phase = s->state->row;
    const struct wm_record *r = suspect->record;

    if (suspect->role == WM_ROLE_PROVIDER_POD)
        return wm_clue_provider_pod_holds(c, suspect);
    if (s->ending != WM_ENDING_NONE)
        return s->ending == WM_ENDING_FAILED && (WM_OWN_PODS & (1u << suspect->role)) &&
               !wm_pod_of(r)->is_application_pod;
    if (!phase || !(waits_by_role[suspect->role] & (1u << phase->waits_for)) || !wm_clue_is_here(c))
        return false;
    if (waits_gone & (1u << phase->waits_for))
        return suspect->role == WM_ROLE_QUIESCED_POD || r->going;
    if (suspect->role == WM_ROLE_NODE_AGENT)
        return phase->waits_for == WM_WAIT_NODE_AGENT || is_of_its_node(c->look, r);
    if (suspect->role == WM_ROLE_STAGE_POD || suspect->role == WM_ROLE_RESTORED_POD)
        return phase->waits_for != WM_WAIT_RESTORE || is_before_its_data(wm_pod_of(r));
    return true;
}

static bool holds(const struct wm_clue *c, int at)
{
    const struct wm_suspect *s = at == WM_NO_SUSPECT ? NULL : &c->look->suspects[at];

    return s && s->record->kind == WM_KIND_POD && s->record->cluster == c->r->cluster &&
           wm_clue_pod_holds(c, s);
}

bool wm_clue_is_stood_on(const struct wm_clue *c)
{
    const struct wm_look *look = c->look;

    if (holds(c, c->suspect->via))
        return true;
    for (size_t i = 0; i < look->n_shared; i++)
        if (look->shared[i].suspect == c->suspect - look->suspects && holds(c, look->shared[i].via))
            return true;
    return false;
}

int64_t wm_clue_phase_s(const struct wm_clue *c)
{
    const struct wm_migration_state *m = c->look->s->state;

    return m->since_s ? m->since_s : m->created_s;
}

bool wm_is_scaled(const char *workload)
{
    static const char *const kinds[] = {"deployment/", "deploymentconfig/", "statefulset/", "replicaset/",
                                        "replicationcontroller/"};

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (strncmp(workload, kinds[i], strlen(kinds[i])) == 0)
            return true;
    return false;
}

void wm_clue_tell(struct wm_clue *c, const struct wm_record *e, int64_t from_s)
{
    c->event = e;
    c->since_s = from_s;
    if (e && wm_event_of(e)->first_s > from_s)
        c->since_s = wm_event_of(e)->first_s;
}
