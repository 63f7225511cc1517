/* Velero's server, its node agents as a whole, and its storage. */
#include "causes_velero.h"

#include <string.h>

#include "situation_impl.h"

/* --- server and agents --- */

static enum wm_wait wait_of(const struct wm_clue *c)
{
    return c->look->s->state->row ? c->look->s->state->row->waits_for : WM_WAIT_NOTHING;
}

/* Where it is awaited it has just been restarted, and has more time. */
static bool is_down(struct wm_clue *c)
{
    const struct wm_server_state *s = wm_server_of(c->r);
    bool awaited = wait_of(c) == WM_WAIT_VELERO;

    if (c->r->done > 0 || c->r->total == 0)
        return false;
    c->since_s =
        s->available_known && !s->available && s->available_s ? s->available_s : c->look->still_since_s;
    c->due_s = c->since_s + c->look->thresholds->s[awaited ? WM_T_SYNC : WM_T_STARTUP];
    return true;
}

static bool is_scaled_down(struct wm_clue *c)
{
    return c->r->total == 0;
}

static bool lacks_agents(struct wm_clue *c)
{
    return c->r->total > 0 && c->r->done < c->r->total;
}

struct pods {
    const struct wm_world *w;
    const struct wm_record *server;
    int velero, labelled;
};

static void count_pod(void *ctx, const struct wm_record *r)
{
    struct pods *p = ctx;

    if (r->cluster != p->server->cluster || r->namespace_ != p->server->namespace_ ||
        !wm_phase_is(p->w, r, "Running"))
        return;
    p->velero += wm_pod_of(r)->component == WM_COMPONENT_VELERO;
    p->labelled += wm_pod_of(r)->is_velero_instance;
}

static struct pods count_pods(const struct wm_clue *c, const struct wm_record *server)
{
    struct pods p = {c->look->w, server, 0, 0};

    wm_model_each(c->look->w->model, WM_KIND_POD, count_pod, &p);
    return p;
}

static bool is_not_found(struct wm_clue *c)
{
    struct pods p = count_pods(c, c->r);

    return p.velero > 0 && p.labelled == 0;
}

static const struct wm_record *server_on(const struct wm_clue *c, uint8_t cluster)
{
    for (size_t i = 0; i < c->look->n; i++) {
        const struct wm_suspect *s = &c->look->suspects[i];

        if (s->role == WM_ROLE_VELERO && s->record->kind == WM_KIND_DEPLOYMENT &&
            s->record->cluster == cluster)
            return s->record;
    }
    return NULL;
}

/* On both clusters the controller finds a pod to ask, so it is what the pod answers. */
static bool lacks_credentials(struct wm_clue *c)
{
    const struct wm_record *source = server_on(c, c->look->s->source),
                           *target = server_on(c, c->look->s->target);

    if (!source || !target || !count_pods(c, source).labelled || !count_pods(c, target).labelled)
        return false;
    c->other = source;
    wm_clue_detail(c, "%s", c->look->w->clusters[target->cluster].name);
    return true;
}

/* --- storage --- */

/* The location of what is awaited; "" = not known. */
static const char *wanted_location(const struct wm_clue *c)
{
    const struct wm_record *r = c->look->s->original ? c->look->s->original : c->look->s->awaited;

    if (r && r->kind == WM_KIND_RESTORE)
        r = wm_model_find_named(c->look->w->model, r->cluster, WM_KIND_BACKUP,
                                wm_model_word(c->look->w->model, r->namespace_), wm_velero_of(r)->backup);
    return r && r->kind == WM_KIND_BACKUP ? wm_velero_of(r)->location : "";
}

/* Others may have locations of their own here. */
static bool is_used(const struct wm_clue *c)
{
    const char *wanted = wanted_location(c);

    return !wanted[0] || strcmp(wm_record_name(c->r), wanted) == 0 ||
           !wm_model_find_named(c->look->w->model, c->r->cluster, WM_KIND_BSL,
                                wm_model_word(c->look->w->model, c->r->namespace_), wanted);
}

static bool is_unavailable(struct wm_clue *c)
{
    if (!wm_phase_is(c->look->w, c->r, "Unavailable") || !is_used(c))
        return false;
    c->quote = wm_record_message(c->r)[0] ? wm_record_message(c->r) : "Velero's log tells why";
    return true;
}

static bool is_made(const struct wm_clue *c)
{
    const struct wm_situation *s = c->look->s;

    return s->original && !s->awaited && s->target < c->look->w->n_clusters &&
           c->look->w->clusters[s->target].sight == WM_SIGHT_GOOD &&
           (wm_phase_is(c->look->w, s->original, "Completed") ||
            wm_phase_is(c->look->w, s->original, "PartiallyFailed"));
}

static bool is_not_copied(struct wm_clue *c)
{
    if (!is_made(c))
        return false;
    c->other = c->look->s->original;
    c->since_s = c->other->completed_s > c->look->s->state->since_s ? c->other->completed_s
                                                                    : c->look->s->state->since_s;
    wm_clue_detail(c, "%s", c->look->w->clusters[c->look->s->target].name);
    return true;
}

/* Its lastSyncedTime is older than the Backup that is missing here. */
static bool is_not_synced(struct wm_clue *c)
{
    if (!is_made(c) || !is_used(c) || wm_phase_is(c->look->w, c->r, "Unavailable") || !c->r->completed_s ||
        c->r->completed_s >= c->look->s->original->completed_s)
        return false;
    c->since_s = c->r->completed_s;
    c->due_s = c->look->s->original->completed_s + c->look->thresholds->s[WM_T_SYNC];
    return true;
}

const struct wm_cause wm_causes_velero[] = {
    {"VeleroDown", WM_ROLE(VELERO), WM_KIND_DEPLOYMENT, WM_ANY_WAIT, is_down, WM_STOPS, WM_CERTAIN,
     WM_T_STARTUP, 4, "Velero's server is down", "Velero's server is down: {object} has no ready pod",
     "see why its pod is not ready:\n"
     "{kubectl} get pods -l component=velero\n"
     "{kubectl} describe deployment velero\n"
     "{kubectl} logs deployment/velero --previous",
     "migtools/mig-controller pkg/controller/migmigration/velero.go; vmware-tanzu/velero#3131"},
    {"VeleroScaledDown", WM_ROLE(VELERO), WM_KIND_DEPLOYMENT, WM_ANY_WAIT, is_scaled_down, WM_STOPS,
     WM_CERTAIN, WM_T_SIGNAL, 6, "Velero's server is scaled to zero",
     "{object} was scaled to zero: no Velero runs there",
     "scale it up, unless somebody did it on purpose:\n"
     "{kubectl} scale deployment velero --replicas=1",
     "kubernetes.io/docs/concepts/workloads/controllers/deployment"},
    {"NodeAgentsNotReady", WM_ROLE(NODE_AGENT), WM_KIND_DAEMONSET, WM_WAITS_FOR(NODE_AGENT), lacks_agents,
     WM_STOPS, WM_CERTAIN, WM_T_SYNC, 2, "Velero's node agents do not become ready",
     "not all pods of {object} are ready after their restart",
     "see which are not:\n"
     "{kubectl} get pods -o wide -l 'name in (restic,node-agent)'\n"
     "{kubectl} describe daemonset {name}",
     "migtools/mig-controller pkg/controller/migmigration/restic.go"},
    {"CredentialsNotPropagated", WM_ROLE(VELERO), WM_KIND_DEPLOYMENT, WM_WAITS_FOR(CREDENTIALS), is_not_found,
     WM_STOPS, WM_CERTAIN, WM_T_STARTUP, 3, "The controller does not find Velero's pods",
     "no running pod of Velero on cluster {cluster} has the label app.kubernetes.io/instance=velero, by "
     "which the "
     "controller looks for it to check the storage's credentials",
     "see the labels of Velero's pods, and give the Deployment's template the label:\n"
     "{kubectl} get pods -l component=velero --show-labels\n"
     "{kubectl} patch deployment velero --type merge "
     "-p '{\"spec\":{\"template\":{\"metadata\":{\"labels\":{\"app.kubernetes.io/instance\":\"velero\"}}}}}'",
     "migtools/mig-controller pkg/controller/migmigration/velero.go; migtools/mig-controller#285"},
    {"CredentialsNotSeen", WM_ROLE(MIGRATION), WM_KIND_MIGMIGRATION, WM_WAITS_FOR(CREDENTIALS),
     lacks_credentials, WM_STOPS, WM_POSSIBLE, WM_T_SYNC, 2,
     "Velero's pod does not see the storage's credentials",
     "a running pod of Velero does not see the credentials of the plan's storage yet; the controller asks "
     "{other} "
     "first, then the one on cluster {detail}",
     "restart Velero on both clusters, which reads them anew:\n"
     "{other.kubectl} rollout restart deployment/velero\n"
     "kubectl --context {detail} -n {other.namespace} rollout restart deployment/velero",
     "migtools/mig-controller#186"},
    {"StorageLocationUnavailable", WM_ROLE(LOCATION), WM_KIND_BSL, WM_ANY_WAIT, is_unavailable, WM_STOPS,
     WM_LIKELY, WM_T_SIGNAL, 6, "Velero does not reach the storage",
     "Velero does not reach the storage of {object}: {quote}",
     "repair the MigStorage (bucket, credentials, certificate), and see whether Velero reaches it then:\n"
     "{host.kubectl} get migstorages -o yaml\n"
     "{kubectl} get backupstoragelocation {name} -o yaml",
     "vmware-tanzu/velero pkg/controller/backup_storage_location_controller.go"},
    {"StorageLocationNotSynced", WM_ROLE(LOCATION), WM_KIND_BSL, WM_WAITS_FOR(BACKUP_COPY), is_not_synced,
     WM_STOPS, WM_LIKELY, WM_T_SYNC, 4, "Velero does not look for new Backups in the storage",
     "Velero last looked for new Backups in {object} at {seen}",
     "look at its log, then restart it:\n"
     "{kubectl} logs deployment/velero --since=1h\n"
     "{kubectl} rollout restart deployment/velero",
     "vmware-tanzu/velero pkg/controller/backup_sync_controller.go"},
    {"BackupNotSynced", WM_ROLE(MIGRATION), WM_KIND_MIGMIGRATION, WM_WAITS_FOR(BACKUP_COPY), is_not_copied,
     WM_STOPS, WM_CERTAIN, WM_T_SYNC, 2, "A Backup does not appear on the target",
     "{other} is complete, and Velero on cluster {detail} has not found it in the storage",
     "compare bucket, prefix and credentials of the storage on both clusters:\n"
     "kubectl --context {detail} -n {other.namespace} get backupstoragelocations -o yaml\n"
     "{other.kubectl} get backupstoragelocations -o yaml\n"
     "kubectl --context {detail} -n {other.namespace} logs deployment/velero --since=1h",
     "vmware-tanzu/velero pkg/controller/backup_sync_controller.go"},
    {0},
};
