/* What keeps a pod from being made, from having a node, from staying there, and from going. */
#include <stdio.h>
#include <string.h>

#include "causes.h"

/* --- no node --- */

/* What the scheduler says of a reason (kubernetes pkg/scheduler/framework/plugins), in the order in which it
 * is the one to look at: nodes of the control plane are tainted everywhere. */
enum unfit { CLAIM_MISSING, CLAIM_UNBOUND, VOLUME_PLACE, RESOURCES, AFFINITY, CORDONED, TAINTS, UNFIT_COUNT };
static const char *const unfit_texts[UNFIT_COUNT][5] = {
    [CLAIM_MISSING] = {"persistentvolumeclaim \"", NULL},
    [CLAIM_UNBOUND] = {"unbound immediate PersistentVolumeClaim", "unbound PersistentVolumeClaim", NULL},
    [VOLUME_PLACE] = {"volume node affinity conflict", "find available persistent volumes to bind",
                      "no available volume zone", "max volume count", NULL},
    [RESOURCES] = {"Insufficient ", "Too many pods", "free ports", NULL},
    [AFFINITY] = {"node selector", "node affinity", "affinity/selector", "affinity rules", NULL},
    [CORDONED] = {"were unschedulable", "was unschedulable", NULL},
    [TAINTS] = {"taint", NULL},
};

static bool says_any(const char *message, const char *const texts[])
{
    for (size_t i = 0; texts[i]; i++)
        if (strstr(message, texts[i]))
            return true;
    return false;
}

static enum unfit unfit_of(const char *message)
{
    for (int u = 0; u < UNFIT_COUNT; u++)
        if (says_any(message, unfit_texts[u]))
            return (enum unfit)u;
    return UNFIT_COUNT;
}

static bool is_unfit(struct wm_clue *c, enum unfit reason)
{
    const struct wm_pod_trouble *t = wm_pod_of(c->r)->trouble;

    if (!t || c->r->going || strcmp(t->unscheduled, "Unschedulable") != 0 ||
        !wm_clue_pod_holds(c, c->suspect) || unfit_of(t->unscheduled_message) != reason)
        return false;
    c->since_s = t->unscheduled_s;
    c->quote = t->unscheduled_message;
    return true;
}

static bool has_missing_claim(struct wm_clue *c)
{
    return is_unfit(c, CLAIM_MISSING);
}

static bool has_unbound_claim(struct wm_clue *c)
{
    return is_unfit(c, CLAIM_UNBOUND);
}

static bool has_volume_elsewhere(struct wm_clue *c)
{
    return is_unfit(c, VOLUME_PLACE);
}

static bool has_no_room(struct wm_clue *c)
{
    return is_unfit(c, RESOURCES);
}

static bool matches_no_node(struct wm_clue *c)
{
    return is_unfit(c, AFFINITY);
}

static bool has_cordoned_nodes(struct wm_clue *c)
{
    return is_unfit(c, CORDONED);
}

static bool has_tainted_nodes(struct wm_clue *c)
{
    return is_unfit(c, TAINTS);
}

static bool is_unfit_otherwise(struct wm_clue *c)
{
    return is_unfit(c, UNFIT_COUNT);
}

/* --- nodes --- */

/* NoSchedule keeps others away, and harms nobody who is there. */
static bool is_lost(struct wm_clue *c)
{
    const struct wm_node_state *n = wm_node_of(c->r);

    if ((n->ready && !n->unreachable) || !wm_clue_is_stood_on(c))
        return false;
    c->since_s = n->ready ? 0 : n->ready_s;
    c->quote = n->message[0] ? n->message : n->reason;
    wm_clue_detail(c, "%s", n->ready_known ? "is not ready" : "is not heard of");
    return true;
}

static bool is_gone(struct wm_clue *c)
{
    return !wm_clue_is_of_vm(c) && is_lost(c);
}

static bool is_gone_with_provider(struct wm_clue *c)
{
    return wm_clue_is_of_vm(c) && is_lost(c);
}

/* --- pods that were ended, by whom --- */

static bool was_ended_for(struct wm_clue *c, const char *const reasons[])
{
    const struct wm_pod_trouble *t = wm_pod_of(c->r)->trouble;

    if (!t || !wm_is_one_of(t->reason, reasons) || !wm_clue_pod_holds(c, c->suspect))
        return false;
    const char *message = wm_record_message(c->r)[0] ? wm_record_message(c->r) : t->reason_message;

    if (message[0]) /* people search for the reason */
        snprintf(c->room, sizeof c->room, "%.180s (%s)", message, t->reason);
    c->quote = message[0] ? c->room : t->reason;
    return true;
}

static bool was_short_of(struct wm_clue *c)
{
    static const char *const reasons[] = {"Evicted", "TerminationByKubelet", NULL};

    return was_ended_for(c, reasons);
}

static bool was_driven_away(struct wm_clue *c)
{
    static const char *const reasons[] = {"NodeLost",
                                          "NodeShutdown",
                                          "Terminated",
                                          "DeletionByTaintManager",
                                          "TaintManagerEviction",
                                          "PreemptionByScheduler",
                                          "PreemptionByKubeScheduler",
                                          "Preempting",
                                          "DeletionByPodGC",
                                          "EvictionByEvictionAPI",
                                          NULL};

    return was_ended_for(c, reasons);
}

static bool copies_are_open(const struct wm_clue *c)
{
    static const enum wm_kind kinds[] = {WM_KIND_PVB, WM_KIND_PVR, WM_KIND_DATAUPLOAD, WM_KIND_DATADOWNLOAD};

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (c->look->s->progress[kinds[i]].objects > c->look->s->progress[kinds[i]].ended)
            return true;
    return false;
}

static bool is_gone_while_copied(struct wm_clue *c)
{
    bool failed = strcmp(wm_model_word(c->look->w->model, c->r->phase), "Failed") == 0;

    if ((!failed && !c->r->going) || !wm_clue_is_here(c) || !copies_are_open(c))
        return false;
    wm_clue_detail(c, "%s", failed ? "has failed" : "is being deleted");
    return true;
}

/* --- pods that are to go --- */

/* Its time to end in peace is over. */
static bool does_not_end(struct wm_clue *c)
{
    const struct wm_pod_trouble *t = wm_pod_of(c->r)->trouble;

    if (!c->r->going || !t || !t->going_s || !wm_clue_pod_holds(c, c->suspect))
        return false;
    c->since_s = t->going_s;
    return true;
}

static bool is_still_wanted(struct wm_clue *c, bool made_again)
{
    const char *phase = wm_model_word(c->look->w->model, c->r->phase);
    int64_t phase_s = wm_clue_phase_s(c);

    if (c->r->going || !wm_is_scaled(wm_pod_of(c->r)->workload) || strcmp(phase, "Succeeded") == 0 ||
        strcmp(phase, "Failed") == 0 || (c->r->created_s > phase_s) != made_again ||
        !wm_clue_pod_holds(c, c->suspect))
        return false;
    c->since_s = phase_s;
    c->detail = wm_pod_of(c->r)->workload;
    return true;
}

static bool was_made_again(struct wm_clue *c)
{
    return is_still_wanted(c, true);
}

static bool was_not_scaled_down(struct wm_clue *c)
{
    return is_still_wanted(c, false);
}

#define POD WM_KIND_POD, WM_ANY_WAIT
#define SCHEDULER "kubernetes/kubernetes pkg/scheduler/framework/plugins"
#define SHOW "{kubectl} describe pod {name}"

const struct wm_cause wm_causes_place[] = {
    {"PodClaimMissing", WM_STARTING_PODS, POD, has_missing_claim, WM_STOPS, WM_CERTAIN, WM_T_SIGNAL, 6,
     "A pod's claim is not there", "{object} gets no node, because its claim is not there: {quote}",
     "create the claim, or take it out of the plan and run the migration again:\n"
     "{kubectl} get pvc",
     SCHEDULER},
    {"PodClaimUnbound", WM_ALL_STARTING_PODS, POD, has_unbound_claim, WM_STOPS, WM_LIKELY, WM_T_SIGNAL, 3,
     "A pod's claim has no volume", "{object} gets no node, because a claim of it has no volume: {quote}",
     "see why the claim gets no volume:\n"
     "{kubectl} describe pvc",
     "konveyor/mig-controller#694"},
    {"PodVolumeElsewhere", WM_ALL_STARTING_PODS, POD, has_volume_elsewhere, WM_STOPS, WM_CERTAIN, WM_T_SIGNAL,
     6, "A pod's volume can be used on other nodes only",
     "{object} gets no node, because no node that may run it can use its volume: {quote}",
     "compare the zones of the nodes with those of the volume, and make room where the volume is:\n" SHOW "\n"
     "kubectl --context {cluster} get nodes -L topology.kubernetes.io/zone",
     "konveyor/mig-controller#694"},
    {"PodNoRoom", WM_ALL_STARTING_PODS, POD, has_no_room, WM_STOPS, WM_CERTAIN, WM_T_SIGNAL, 6,
     "No node has room for a pod", "{object} gets no node, because none has room for it: {quote}",
     "add a node, stop something else, or lower what the pod requests:\n"
     "kubectl --context {cluster} top nodes\n" SHOW,
     SCHEDULER},
    {"PodMatchesNoNode", WM_ALL_STARTING_PODS, POD, matches_no_node, WM_STOPS, WM_CERTAIN, WM_T_SIGNAL, 6,
     "A pod's selector or affinity fits no node",
     "{object} gets no node, because its selector or affinity fits none: {quote}",
     "label a node as the pod asks for it, or correct its selector (on OpenShift also the namespace's "
     "annotation openshift.io/node-selector):\n" SHOW "\n"
     "kubectl --context {cluster} get nodes --show-labels",
     "konveyor/mig-controller#839"},
    {"PodNodesCordoned", WM_ALL_STARTING_PODS, POD, has_cordoned_nodes, WM_STOPS, WM_CERTAIN, WM_T_SIGNAL, 6,
     "The nodes for a pod are cordoned", "{object} gets no node, because nodes are cordoned: {quote}",
     "let pods onto a node again:\n"
     "kubectl --context {cluster} get nodes\n"
     "kubectl --context {cluster} uncordon NODE",
     SCHEDULER},
    {"PodTaints", WM_ALL_STARTING_PODS, POD, has_tainted_nodes, WM_STOPS, WM_CERTAIN, WM_T_SIGNAL, 6,
     "A pod does not tolerate the nodes' taints",
     "{object} gets no node, because it does not tolerate their taints: {quote}",
     "take the taint off a node, or let the pod tolerate it:\n"
     "kubectl --context {cluster} describe nodes | grep -e Name: -e Taints:",
     SCHEDULER},
    {"PodUnschedulable", WM_ALL_STARTING_PODS, POD, is_unfit_otherwise, WM_STOPS, WM_LIKELY, WM_T_SIGNAL, 5,
     "A pod gets no node", "{object} gets no node: {quote}", "see what the scheduler says:\n" SHOW,
     "konveyor/mig-controller pkg/health/pods.go"},
    {"NodeUnreachable", WM_ROLE(NODE), WM_KIND_NODE, WM_ANY_WAIT, is_gone, WM_STOPS, WM_CERTAIN, WM_T_SIGNAL,
     8, "A node is gone", "{object}, which has pods of this migration, {detail}: {quote}",
     "bring the node back; stage pods are bound to their node and come up nowhere else, so where it is lost, "
     "cancel the migration and run it again:\n"
     "kubectl --context {cluster} describe node {name}\n"
     "{cancel}",
     "konveyor/mig-controller#747"},
    {"NodePressure", WM_STARTING_PODS, POD, was_short_of, WM_STOPS, WM_CERTAIN, WM_T_SIGNAL, 6,
     "A node has put a pod out", "{object} was put out by node {node}, which runs short: {quote}",
     "make room on the node, then cancel the migration and run it again:\n"
     "kubectl --context {cluster} describe node {node}\n"
     "{cancel}",
     "kubernetes/kubernetes pkg/kubelet/eviction"},
    {"PodEvicted", WM_STARTING_PODS, POD, was_driven_away, WM_STOPS, WM_CERTAIN, WM_T_SIGNAL, 6,
     "A pod was driven from its node", "{object} was driven from node {node}: {quote}",
     "see whether the node is drained or tainted NoExecute, then cancel the migration and run it again:\n"
     "kubectl --context {cluster} describe node {node}\n"
     "{cancel}",
     "kubernetes/kubernetes pkg/controller/tainteviction"},
    {"StagePodGone", WM_ROLE(STAGE_POD), WM_KIND_POD, WM_WAITS_FOR(BACKUP) | WM_WAITS_FOR(RESTORE),
     is_gone_while_copied, WM_STOPS, WM_LIKELY, WM_T_STARTUP, 4,
     "A stage pod went while its volumes are copied", "{object} {detail} while its volumes are being copied",
     "nothing makes it again during this migration: cancel, and run it again:\n"
     "{kubectl} describe pod {name}\n"
     "{cancel}",
     "konveyor/mig-controller#747"},
    {"PodTerminating", WM_ROLE(QUIESCED_POD) | WM_ROLE(STAGE_POD) | WM_ROLE(RSYNC_POD), WM_KIND_POD,
     WM_WAITS_FOR(QUIESCED) | WM_WAITS_FOR(STAGE_PODS_GONE) | WM_WAITS_FOR(RSYNC_GONE), does_not_end,
     WM_STOPS, WM_CERTAIN, WM_T_STARTUP, 5, "A pod does not end",
     "{object} on node {node} should be gone since {seen} and is still there, and {migration} waits for that",
     "look for a finalizer, and at its node; when nothing writes to its volumes any more, delete it by "
     "force:\n"
     "{kubectl} get pod {name} -o yaml\n"
     "{kubectl} delete pod {name} --grace-period=0 --force",
     "konveyor/mig-controller#307"},
    {"PodMadeAgain", WM_ROLE(QUIESCED_POD), WM_KIND_POD, WM_WAITS_FOR(QUIESCED), was_made_again, WM_STOPS,
     WM_LIKELY, WM_T_QUIESCE, 6, "An application is scaled up again while it should be stopped",
     "{object} was made by {detail} after the application was stopped: an operator or an autoscaler scales "
     "it up",
     "pause the operator, or delete the HorizontalPodAutoscaler, then scale it down:\n"
     "{kubectl} get horizontalpodautoscalers\n"
     "{kubectl} scale {detail} --replicas=0",
     "konveyor/mig-controller#293"},
    {"PodNotStopped", WM_ROLE(QUIESCED_POD), WM_KIND_POD, WM_WAITS_FOR(QUIESCED), was_not_scaled_down,
     WM_STOPS, WM_LIKELY, WM_T_QUIESCE, 5, "An application was not stopped",
     "{object} of {detail} still runs, though the application should be stopped",
     "scale it down; where an operator owns it, pause the operator first:\n"
     "{kubectl} scale {detail} --replicas=0",
     "konveyor/mig-controller#194"},
    {"ProviderClaimMissing", WM_ROLE(PROVIDER_POD), POD, has_missing_claim, WM_STOPS, WM_CERTAIN, WM_T_SIGNAL,
     6, "A provider's pod waits for a PVC that is not there",
     "{object} gets no node, because a PVC that its provider's template names is not there: {quote}",
     "VirtRigaud takes PVCs out of the template that are gone; where it does not, touch the Provider, so "
     "that it "
     "looks again, and see what its manager says:\n"
     "{kubectl} annotate providers --all --overwrite virtrigaud.io/reconcile-trigger=now\n"
     "{kubectl} get pvc -l virtrigaud.io/component=migration-storage",
     "projectbeskar/virtrigaud#230"},
    {"ProviderNodeGone", WM_ROLE(NODE), WM_KIND_NODE, WM_ANY_WAIT, is_gone_with_provider, WM_STOPS,
     WM_CERTAIN, WM_T_SIGNAL, 8, "The node of a provider's pod is gone",
     "{object}, on which a pod of a provider has to come up, {detail}: {quote}",
     "bring the node back, or delete the pod, so that it is made on another one:\n"
     "kubectl --context {cluster} describe node {name}\n"
     "{host.kubectl} get pods -l app.kubernetes.io/name=virtrigaud-provider -o wide",
     "kubernetes/kubernetes pkg/controller/nodelifecycle"},
    {0},
};
