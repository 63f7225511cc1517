/* What keeps a pod's containers from running. */
#include <stdio.h>
#include <string.h>

#include "causes.h"

/* Of a pod that should run, and for which the phase waits; NULL = it is none, or nothing hinders it. */
static const struct wm_pod_trouble *trouble_of(const struct wm_clue *c)
{
    const struct wm_pod_state *pod = wm_pod_of(c->r);

    return c->r->going || pod->ready || !wm_clue_pod_holds(c, c->suspect) ? NULL : pod->trouble;
}

/* Before the phase it was not in its way. */
static int64_t began_s(const struct wm_clue *c)
{
    int64_t pod_s = c->r->started_s ? c->r->started_s : c->r->created_s, phase_s = wm_clue_phase_s(c);

    return pod_s > phase_s ? pod_s : phase_s;
}

/* --- images --- */

static bool is_helper(const struct wm_pod_trouble *t)
{
    return t->is_init &&
           (strcmp(t->container, "restore-wait") == 0 || strcmp(t->container, "restic-wait") == 0);
}

static const struct wm_record *pull_event(const struct wm_clue *c)
{
    static const char *const failed[] = {"Failed", "InspectFailed", "ErrImageNeverPull", NULL};
    static const char *const waits[] = {"BackOff", NULL};
    const struct wm_record *e = wm_clue_event(c, c->r, failed, "image");

    return e ? e : wm_clue_event(c, c->r, waits, "image");
}

static const struct wm_pod_trouble *unpulled(struct wm_clue *c)
{
    static const char *const reasons[] = {"ErrImagePull",
                                          "ImagePullBackOff",
                                          "InvalidImageName",
                                          "ErrImageNeverPull",
                                          "RegistryUnavailable",
                                          "ImageInspectError",
                                          NULL};
    const struct wm_pod_trouble *t = trouble_of(c);

    if (!t || t->now != WM_CONTAINER_WAITING || !wm_is_one_of(t->state_reason, reasons))
        return NULL;
    wm_clue_tell(c, pull_event(c), began_s(c));
    c->quote = c->event ? NULL : t->state_message[0] ? t->state_message : t->state_reason;
    wm_clue_detail(c, "%s of container %s", t->image, t->container);
    return t;
}

static bool is_made_for_staging(const struct wm_clue *c)
{
    return c->suspect->role == WM_ROLE_STAGE_POD && !wm_pod_of(c->r)->is_application_pod;
}

static bool has_wrong_stage_image(struct wm_clue *c)
{
    const struct wm_pod_trouble *t = unpulled(c);

    return t && is_made_for_staging(c) && !is_helper(t);
}

static bool has_wrong_helper_image(struct wm_clue *c)
{
    const struct wm_pod_trouble *t = unpulled(c);

    return t && is_helper(t);
}

static bool has_wrong_image(struct wm_clue *c)
{
    const struct wm_pod_trouble *t = unpulled(c);

    return t && !is_made_for_staging(c) && !is_helper(t);
}

/* --- containers --- */

static bool has_bad_config(struct wm_clue *c)
{
    static const char *const reasons[] = {"CreateContainerConfigError", "CreateContainerError",
                                          "RunContainerError", NULL};
    static const char *const failed[] = {"Failed", NULL};
    const struct wm_pod_trouble *t = trouble_of(c);

    if (!t || t->now != WM_CONTAINER_WAITING || !wm_is_one_of(t->state_reason, reasons))
        return false;
    wm_clue_tell(c, wm_clue_event(c, c->r, failed, NULL), began_s(c));
    c->quote = t->state_message[0] ? t->state_message : c->event ? NULL : t->state_reason;
    c->detail = t->container;
    return true;
}

/* One that has ended badly, or waits to be started again after that: why it ended. */
static bool has_crashed(const struct wm_pod_trouble *t, const char **reason, const char **message, int *code)
{
    bool ended = t->now == WM_CONTAINER_TERMINATED;

    if (!(ended && t->exit_code != 0) &&
        !(t->now == WM_CONTAINER_WAITING && strcmp(t->state_reason, "CrashLoopBackOff") == 0))
        return false;
    *reason = ended ? t->state_reason : t->last_reason;
    *message = ended ? t->state_message : t->last_message;
    *code = ended ? t->exit_code : t->last_exit_code;
    return true;
}

static bool crashes(struct wm_clue *c, bool out_of_memory)
{
    static const char *const waits[] = {"BackOff", NULL};
    const struct wm_pod_trouble *t = trouble_of(c);
    const char *reason, *message;
    int code;

    if (!t || !has_crashed(t, &reason, &message, &code) ||
        (strcmp(reason, "OOMKilled") == 0) != out_of_memory)
        return false;
    wm_clue_tell(c, wm_clue_event(c, c->r, waits, "restarting"), 0);
    snprintf(c->room, sizeof c->room, "exit code %d%s%s%s%s", code, reason[0] ? ", " : "", reason,
             message[0] ? ": " : "", message);
    c->quote = c->room;
    c->detail = t->container;
    return true;
}

static bool ends_again_and_again(struct wm_clue *c)
{
    return crashes(c, false);
}

static bool is_out_of_memory(struct wm_clue *c)
{
    return crashes(c, true);
}

/* --- what happens before containers --- */

static bool has_no_sandbox(struct wm_clue *c)
{
    static const char *const reasons[] = {"FailedCreatePodSandBox", "NetworkNotReady", NULL};
    static const char *const later[] = {"Pulling", NULL};
    const struct wm_pod_trouble *t = trouble_of(c);
    const struct wm_record *e = t ? wm_clue_event(c, c->r, reasons, NULL) : NULL;

    if (!e || t->init_done > 0 || t->now > WM_CONTAINER_WAITING || wm_clue_event(c, c->r, later, NULL))
        return false;
    wm_clue_tell(c, e, 0);
    return true;
}

/* Its data is in place or will never be: nobody is left who would let it go on. */
static bool waits_for_ever(struct wm_clue *c)
{
    const struct wm_pod_trouble *t = trouble_of(c);

    if (!t || !is_helper(t) || t->now != WM_CONTAINER_RUNNING)
        return false;
    c->since_s = t->state_s > wm_clue_phase_s(c) ? t->state_s : wm_clue_phase_s(c);
    c->detail = t->container;
    return true;
}

#define POD WM_KIND_POD, WM_ANY_WAIT
#define VIRTRIGAUD "projectbeskar/virtrigaud internal/controller/provider_controller.go"

const struct wm_cause wm_causes_pod[] = {
    {"StageImagePull", WM_ROLE(STAGE_POD), POD, has_wrong_stage_image, WM_STOPS, WM_CERTAIN, WM_T_SIGNAL, 6,
     "The stage pods' image cannot be pulled", "{object} cannot pull the image {detail}: {quote}",
     "cancel the migration, put the right stage image (or its pull secret) in place, and run it again; the "
     "image stands as STAGE_IMAGE in a ConfigMap that the MigrationController of that cluster makes:\n"
     "{cancel}\n"
     "kubectl --context {cluster} -n {host.namespace} get configmap migration-cluster-config -o yaml\n"
     "kubectl --context {cluster} -n {host.namespace} edit migrationcontroller migration-controller",
     "konveyor/mig-controller pkg/controller/migmigration/stage.go"},
    {"RestoreHelperImagePull", WM_STARTING_PODS, POD, has_wrong_helper_image, WM_STOPS, WM_CERTAIN,
     WM_T_SIGNAL, 6, "The image of Velero's restore helper cannot be pulled",
     "{object} waits for its data with an image that cannot be pulled, {detail}: {quote}",
     "set the right image in Velero's ConfigMap for restores of volumes, then cancel and run it again:\n"
     "kubectl --context {cluster} -n {host.namespace} get configmap -l velero.io/plugin-config -o yaml\n"
     "{cancel}",
     "vmware-tanzu/velero pkg/restore/actions/pod_volume_restore_action.go"},
    {"ImagePull", WM_STARTING_PODS, POD, has_wrong_image, WM_STOPS, WM_CERTAIN, WM_T_SIGNAL, 6,
     "An image cannot be pulled", "{object} cannot pull the image {detail}: {quote}",
     "look whether the image exists there, and whether a pull secret or the way to the registry is missing:\n"
     "{kubectl} describe pod {name}",
     "konveyor/mig-controller pkg/health/pods.go"},
    {"ContainerConfig", WM_ALL_STARTING_PODS, POD, has_bad_config, WM_STOPS, WM_CERTAIN, WM_T_SIGNAL, 6,
     "A container cannot be made", "container {detail} of {object} cannot be made: {quote}",
     "create what is missing, or correct the pod's template:\n"
     "{kubectl} describe pod {name}",
     "kubernetes/kubernetes pkg/kubelet/kuberuntime/kuberuntime_container.go"},
    {"ContainerOutOfMemory", WM_STARTING_PODS, POD, is_out_of_memory, WM_STOPS, WM_CERTAIN, WM_T_SIGNAL, 6,
     "A container needs more memory than it may have",
     "container {detail} of {object} is killed because it needs more memory than its limit ({quote})",
     "raise its memory limit; the limits of Velero's pods and of the pods that the operator makes stand in "
     "the MigrationController of that cluster:\n"
     "kubectl --context {cluster} -n {host.namespace} edit migrationcontroller migration-controller\n"
     "{kubectl} describe pod {name}",
     "konveyor/mig-operator docs/usage"},
    {"ContainerCrash", WM_ALL_STARTING_PODS, POD, ends_again_and_again, WM_STOPS, WM_LIKELY, WM_T_SIGNAL, 5,
     "A container ends with an error", "container {detail} of {object} ends with an error ({quote})",
     "see what it said last:\n"
     "{kubectl} logs {name} -c {detail} --previous\n"
     "{kubectl} logs {name} -c {detail}",
     "konveyor/mig-controller pkg/health/pods.go"},
    {"PodSandbox", WM_ALL_STARTING_PODS, POD, has_no_sandbox, WM_STOPS, WM_LIKELY, WM_T_STARTUP, 5,
     "A pod gets no network", "{object} on node {node} cannot be set up: {quote}",
     "look at the cluster's network and at the container runtime of that node:\n"
     "{kubectl} describe pod {name}\n"
     "kubectl --context {cluster} describe node {node}",
     "kubernetes/kubernetes pkg/kubelet/kuberuntime/kuberuntime_manager.go"},
    {"RestoredPodInitStuck", WM_ROLE(RESTORED_POD), WM_KIND_POD, WM_WAITS_FOR(HEALTH), waits_for_ever,
     WM_STOPS, WM_LIKELY, WM_T_STARTUP, 5, "A restored pod waits for data after its Restore is over",
     "{object} still waits in its init container {detail} for data, and the Restore that would bring it is "
     "over",
     "see whether its volumes were restored, then delete the pod, so that its workload makes it anew; a pod "
     "without one must be made again without that init container:\n"
     "kubectl --context {cluster} -n {host.namespace} get podvolumerestores\n"
     "{kubectl} delete pod {name}",
     "vmware-tanzu/velero cmd/velero-restore-helper"},
    {"ProviderImagePull", WM_ROLE(PROVIDER_POD), POD, has_wrong_image, WM_STOPS, WM_CERTAIN, WM_T_SIGNAL, 6,
     "A provider's image cannot be pulled", "{object} of a provider cannot pull the image {detail}: {quote}",
     "the rollout for the PVC only brought it to light, and pods that run go on serving; put the right image "
     "into "
     "spec.runtime.image of the Provider, or mend its pull secret or the way to the registry:\n"
     "{kubectl} get providers -o custom-columns=NAME:.metadata.name,IMAGE:.spec.runtime.image\n"
     "{kubectl} describe pod {name}",
     VIRTRIGAUD},
    {"ProviderOutOfMemory", WM_ROLE(PROVIDER_POD), POD, is_out_of_memory, WM_STOPS, WM_CERTAIN, WM_T_SIGNAL,
     6, "A provider needs more memory than it may have",
     "container {detail} of {object} is killed because it needs more memory than its limit ({quote})",
     "raise the limit in spec.runtime.resources of the Provider:\n"
     "{kubectl} get providers\n"
     "{kubectl} describe pod {name}",
     VIRTRIGAUD},
    {0},
};
