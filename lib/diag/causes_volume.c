/* Volumes whose data Velero copies: PodVolumeBackups, PodVolumeRestores, DataUploads, DataDownloads. */
#include <string.h>

#include "causes_velero.h"
#include "situation_impl.h"
#include "waymark/time.h"

#define VOLUMES WM_ROLE(WORK), WM_KIND_NONE

static const char *const not_begun[] = {"", "New", "Prepared", NULL};

/* --- helpers --- */

static bool is_awaited(const struct wm_clue *c)
{
    return c->look->s->ending == WM_ENDING_NONE && wm_is_volume((enum wm_kind)c->r->kind) &&
           wm_volume_is_awaited(c->look->w, c->r) && !wm_judge(c->look->w, c->r).ended;
}

/* --- many volumes, one cause --- */

typedef bool alike_fn(const struct wm_clue *c, const struct wm_record *r);

static bool is_on_same_node(const struct wm_clue *c, const struct wm_record *r)
{
    return r->cluster == c->r->cluster &&
           strcmp(wm_volume_node(c->look->w, r), wm_volume_node(c->look->w, c->r)) == 0;
}

static bool is_of_same_pod(const struct wm_clue *c, const struct wm_record *r)
{
    const struct wm_record *pod = wm_volume_pod(c->look->w, c->r);

    return pod && wm_volume_pod(c->look->w, r) == pod;
}

/* Suspects stand in order, so the first speaks for all that are in the same state for the same reason. */
static bool is_first(const struct wm_clue *c, alike_fn *alike)
{
    for (const struct wm_suspect *s = c->look->suspects; s < c->suspect; s++)
        if (s->role == WM_ROLE_WORK && wm_is_volume((enum wm_kind)s->record->kind) &&
            s->record->phase == c->r->phase && wm_id_is(s->record->parent, c->r->parent) &&
            alike(c, s->record))
            return false;
    return true;
}

/* --- who else copies on that node --- */

/* A node copies one volume after the other (velero pkg/datapath/manager.go; before 1.12 one worker for each
 * kind).  NULL = none is copied there. */
static const struct wm_record *neighbour_of(const struct wm_clue *c)
{
    const struct wm_look *look = c->look;
    const char *node = wm_volume_node(look->w, c->r);
    const struct wm_record *busy = NULL;

    for (size_t i = 0; node[0] && i < look->n_copying; i++) {
        const struct wm_record *r = look->copying[i].volume;

        if (r->kind == c->r->kind && r->cluster == c->r->cluster && r->namespace_ == c->r->namespace_ &&
            strcmp(look->copying[i].node, node) == 0 && (!busy || wm_record_order(r, busy) < 0))
            busy = r;
    }
    return busy;
}

static bool is_not_begun(const struct wm_clue *c)
{
    return is_awaited(c) && wm_is_one_of(wm_clue_phase(c, c->r), not_begun);
}

/* What copies there now when it is another's. */
static bool finds_other_there(struct wm_clue *c)
{
    const struct wm_record *busy;

    if (!is_not_begun(c) || !is_first(c, is_on_same_node))
        return false;
    busy = neighbour_of(c);
    if (!busy || wm_id_is(busy->parent, c->r->parent))
        return false;
    c->other = busy;
    c->since_s = wm_later(c->r->created_s, busy->started_s);
    wm_clue_detail(c, "%s", wm_volume_node(c->look->w, c->r));
    return true;
}

static bool waits_for_other(struct wm_clue *c)
{
    return finds_other_there(c) && wm_volume_is_awaited(c->look->w, c->other);
}

static bool waits_for_leftover(struct wm_clue *c)
{
    return finds_other_there(c) && !wm_volume_is_awaited(c->look->w, c->other);
}

/* --- not begun --- */

static bool is_seen(const struct wm_clue *c)
{
    uint8_t cluster = c->r->cluster;

    return cluster < c->look->w->n_clusters && c->look->w->clusters[cluster].sight == WM_SIGHT_GOOD;
}

static bool lacks_agent(const struct wm_clue *c)
{
    const char *node = is_awaited(c) && is_seen(c) ? wm_volume_node(c->look->w, c->r) : "";
    const struct wm_record *agent = node[0] ? wm_volume_agent(c->look->w, c->r) : NULL;

    return node[0] && (!agent || !wm_pod_of(agent)->ready);
}

static bool has_no_agent(struct wm_clue *c)
{
    if (!lacks_agent(c) || !is_first(c, is_on_same_node))
        return false;
    wm_clue_detail(c, "%s", wm_volume_node(c->look->w, c->r));
    return true;
}

/* A pod may take minutes to get its volumes and images. */
static bool is_up(const struct wm_clue *c)
{
    const struct wm_record *pod = wm_volume_pod(c->look->w, c->r);
    const struct wm_pod_trouble *t = pod ? wm_pod_of(pod)->trouble : NULL;

    return pod && (!t || t->now == WM_CONTAINER_RUNNING);
}

/* Since when its pod waits for it; 0 = not told. */
static int64_t up_since(const struct wm_clue *c)
{
    const struct wm_record *pod = wm_volume_pod(c->look->w, c->r);
    const struct wm_pod_trouble *t = pod ? wm_pod_of(pod)->trouble : NULL;

    return t && t->now == WM_CONTAINER_RUNNING ? t->state_s : 0;
}

/* When the last of its siblings was done. */
static int64_t done_s(const struct wm_clue *c)
{
    return c->suspect->via == WM_NO_SUSPECT ? 0 : c->look->suspects[c->suspect->via].volumes_done_s;
}

static bool is_not_taken_up(struct wm_clue *c)
{
    if (!is_not_begun(c) || lacks_agent(c) || !is_first(c, is_of_same_pod) || c->look->n_copying_more ||
        neighbour_of(c))
        return false;
    c->since_s = wm_later(wm_later(c->r->created_s, done_s(c)), wm_volume_of(c->r)->accepted_s);
    c->since_s = wm_later(c->since_s, up_since(c));
    c->due_s = c->since_s + c->look->thresholds->s[is_up(c) ? WM_T_QUEUE : WM_T_SYNC];
    wm_clue_volume(c);
    return true;
}

static bool is_accepted(struct wm_clue *c)
{
    if (!is_awaited(c) || strcmp(wm_clue_phase(c, c->r), "Accepted") != 0)
        return false;
    c->since_s = wm_later(c->r->created_s, wm_volume_of(c->r)->accepted_s);
    wm_clue_volume(c);
    return true;
}

/* Its pods are followed where the plan's namespaces are, and all of them are known. */
static bool is_followed(const struct wm_clue *c, const char *namespace_)
{
    const struct wm_plan_state *plan = wm_plan_of(c->look->s->plan);
    bool source = c->r->cluster == c->look->s->source;

    for (size_t i = 0; i < plan->n_namespaces; i++)
        if (strcmp(namespace_, source ? plan->namespaces[i].source : plan->namespaces[i].target) == 0)
            return !c->look->w->clusters[c->r->cluster].evidence_starting;
    return false;
}

static bool has_lost_its_pod(struct wm_clue *c)
{
    const struct wm_volume_state *v = wm_volume_of(c->r);

    if (!is_awaited(c) || !is_seen(c) || !c->look->s->plan || !v->pod_name[0] ||
        !is_followed(c, v->pod_namespace) || wm_volume_pod(c->look->w, c->r))
        return false;
    wm_clue_detail(c, "%s/%s", v->pod_namespace, v->pod_name);
    return true;
}

/* --- under way --- */

static bool is_copying(const struct wm_clue *c)
{
    return is_awaited(c) && strcmp(wm_clue_phase(c, c->r), "InProgress") == 0;
}

/* Its own bytes may have stood still for longer than the migration has. */
static int64_t moved_s(const struct wm_clue *c)
{
    int64_t own_s = wm_volume_moved_s(c->look->marks, c->r), all_s = c->look->still_since_s;

    return own_s && own_s < all_s ? own_s : all_s;
}

static bool is_stuck(struct wm_clue *c)
{
    if (!is_copying(c))
        return false;
    int64_t last_s = moved_s(c);

    c->since_s = wm_later(last_s, wm_later(c->r->created_s, c->r->started_s));
    c->by_us = c->since_s == last_s;
    wm_clue_volume(c);
    return true;
}

/* Bytes a second until something moved last; 0 = too early to tell. */
static int64_t speed_of(const struct wm_clue *c)
{
    int64_t s = moved_s(c) - c->r->started_s;

    return is_copying(c) && c->r->started_s && s >= c->look->thresholds->s[WM_T_COPY] && c->r->done > 0 &&
                   c->r->total > c->r->done
               ? wm_later(1, c->r->done / s)
               : 0;
}

/* What stands still is not slow. */
static void say_slow(struct wm_clue *c)
{
    c->since_s = c->r->started_s;
    c->until_s = moved_s(c) + c->look->thresholds->s[WM_T_COPY];
    wm_clue_volume(c);
}

static bool is_slow(struct wm_clue *c)
{
    enum { SLOW = 1 << 20 };
    int64_t speed = speed_of(c);

    if (!speed || speed >= SLOW)
        return false;
    say_slow(c);
    return true;
}

/* A fifth longer than it seems, for it need not stay as slow. */
static bool is_too_slow(struct wm_clue *c)
{
    int64_t speed = speed_of(c), left_s;

    if (!speed || !c->look->s->ends_s)
        return false;
    left_s = (c->r->total - c->r->done) / speed;
    if (moved_s(c) + left_s - left_s / 5 <= c->look->s->ends_s)
        return false;
    say_slow(c);
    return true;
}

/* --- no copy at all --- */

struct copies {
    const struct wm_clue *c;
    bool found;
};

static void look_for_copy(void *ctx, const struct wm_record *r)
{
    struct copies *s = ctx;

    s->found |= r->cluster == s->c->r->cluster && wm_volume_pod(s->c->look->w, r) == s->c->r;
}

/* Velero's own init container ends when all volumes of its pod are there (velero pkg/restorehelper/util.go).
 */
static bool has_no_copy(struct wm_clue *c)
{
    static const char *const waiters[] = {"restic-wait", "restore-wait", NULL};
    const struct wm_pod_trouble *t = wm_pod_of(c->r)->trouble;
    struct copies s = {c, false};

    if (c->r->cluster != c->look->s->target || !is_seen(c) || c->look->s->ending != WM_ENDING_NONE || !t ||
        !t->is_init || t->now != WM_CONTAINER_RUNNING || !wm_is_one_of(t->container, waiters))
        return false;
    wm_model_each(c->look->w->model, WM_KIND_PVR, look_for_copy, &s);
    c->since_s = wm_later(t->state_s, c->look->still_since_s);
    wm_clue_detail(c, "%s", t->container);
    return !s.found;
}

const struct wm_cause wm_causes_volume[] = {
    {"NodeAgentMissing", VOLUMES, WM_ANY_WAIT, has_no_agent, WM_STOPS, WM_CERTAIN, WM_T_STARTUP, 4,
     "No node agent runs on the volume's node",
     "no node agent of Velero is ready on node {detail} of cluster {cluster}, and {object} waits for it",
     "see which pods of Velero the node has, and what keeps the DaemonSet away (taints, nodeSelector):\n"
     "{kubectl} get pods -o wide --field-selector spec.nodeName={detail}\n"
     "{kubectl} describe daemonset\n"
     "kubectl --context {cluster} describe node {detail}",
     "vmware-tanzu/velero pkg/podvolume/restorer.go; migtools/mig-controller#631"},
    {"NodeAgentHeld", VOLUMES, WM_ANY_WAIT, waits_for_leftover, WM_STOPS, WM_LIKELY, WM_T_QUEUE, 4,
     "The node's only worker is held by a copy that nobody waits for",
     "{object} waits for its turn on node {detail}, where {other} is still InProgress although nobody waits "
     "for it "
     "any more",
     "restart that node's agent, which ends the old copy:\n"
     "{kubectl} delete pod -l 'name in (restic,node-agent)' --field-selector spec.nodeName={detail}\n"
     "{kubectl} delete {other.kind} {other.name}",
     "vmware-tanzu/velero pkg/datapath/manager.go"},
    {"NodeAgentBusy", VOLUMES, WM_ANY_WAIT, waits_for_other, WM_WAITS, WM_CERTAIN, WM_T_QUEUE, 2,
     "The node copies another's volume first",
     "{object} waits for its turn on node {detail}, which copies {other} first",
     "wait; where the node can do more at a time, raise loadConcurrency in the node agent's ConfigMap "
     "(Velero 1.13):\n"
     "{other.kubectl} get {other.kind} {other.name} -o yaml",
     "vmware-tanzu/velero pkg/datapath/manager.go"},
    {"VolumePodGone", VOLUMES, WM_ANY_WAIT, has_lost_its_pod, WM_STOPS, WM_CERTAIN, WM_T_STARTUP, 5,
     "The pod whose volume is to be copied is gone",
     "pod {detail} on cluster {cluster}, whose volume {object} copies, is gone",
     "cancel the migration and start it again:\n" CANCEL,
     "vmware-tanzu/velero pkg/controller/pod_volume_restore_controller.go"},
    {"DataMoverAccepted", VOLUMES, WM_ANY_WAIT, is_accepted, WM_STOPS, WM_LIKELY, WM_T_SYNC, 2,
     "The pod that is to copy the volume does not start",
     "{object} ({detail}) was accepted, and the pod that is to copy it does not run; Velero fails it 30 "
     "minutes "
     "after that",
     "look at the pod, which is named like it:\n"
     "{kubectl} describe pod {name}",
     "vmware-tanzu/velero pkg/exposer/pod_volume.go"},
    {"VolumeNotTakenUp", VOLUMES, WM_ANY_WAIT, is_not_taken_up, WM_STOPS, WM_LIKELY, WM_T_QUEUE, 1,
     "No node has begun with the volume", "no node agent has begun with {object} ({detail})",
     "look at the pod, whose first init container must be Velero's and must run, and at the node agent's "
     "log:\n"
     "{kubectl} get {kind} {name} -o yaml\n"
     "{kubectl} logs -l 'name in (restic,node-agent)' --since=1h --prefix",
     "vmware-tanzu/velero pkg/controller/pod_volume_restore_controller.go"},
    {"VolumeCopyStuck", VOLUMES, WM_ANY_WAIT, is_stuck, WM_STOPS, WM_LIKELY, WM_T_COPY, 2,
     "The copying of a volume stands still",
     "{object} ({detail}) is InProgress, and no more bytes were copied since {seen}",
     "look at the node agent's log; restart its pod when it hangs, which fails this copy:\n"
     "{kubectl} get {kind} {name} -o yaml\n"
     "{kubectl} logs -l 'name in (restic,node-agent)' --since=1h --prefix",
     "vmware-tanzu/velero#3686"},
    {"VolumeTooSlow", VOLUMES, WM_ANY_WAIT, is_too_slow, WM_THREATENS, WM_LIKELY, WM_T_SIGNAL, 4,
     "A volume will not be copied in time",
     "{object} ({detail}) is copied so slowly that it will not be done when Velero gives up at {ends}",
     "let it end, raise the timeout, and start the migration again:\n"
     "{kubectl} patch migrationcontroller migration-controller --type merge "
     "-p '{\"spec\":{\"restic_timeout\":\"6h\"}}'",
     "vmware-tanzu/velero pkg/podvolume/restorer.go"},
    {"VolumeCopySlow", VOLUMES, WM_ANY_WAIT, is_slow, WM_SLOWS, WM_CERTAIN, WM_T_SIGNAL, 3,
     "A volume is copied slowly", "{object} ({detail}) is copied with less than 1 MiB a second",
     "nothing needs to be done; how far it is:\n"
     "{kubectl} get {kind} {name} -o jsonpath='{.status.progress}'",
     "vmware-tanzu/velero pkg/uploader"},
    {"VolumeCopyMissing", WM_ROLE(STAGE_POD) | WM_ROLE(RESTORED_POD), WM_KIND_POD, WM_WAITS_FOR(RESTORE),
     has_no_copy, WM_STOPS, WM_LIKELY, WM_T_SYNC, 4, "A pod waits for a volume that nobody copies",
     "{object} waits in its init container {detail} for its volumes, and there is no PodVolumeRestore for it",
     "it was deleted, or its creation was denied by an admission webhook: cancel the migration, look at the "
     "webhooks, "
     "and start it again:\n" CANCEL "\n"
     "kubectl --context {cluster} get validatingwebhookconfigurations,mutatingwebhookconfigurations",
     "vmware-tanzu/velero pkg/podvolume/restorer.go"},
    {0},
};
