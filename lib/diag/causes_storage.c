/* What keeps a pod's volumes from being attached and mounted. */
#include <string.h>

#include "causes.h"

static const char *const attach[] = {"FailedAttachVolume", NULL};
static const char *const mount[] = {"FailedMount", "FailedMapVolume", NULL};

/* A pod whose first container has not been tried yet.  Once an image is pulled, its volumes are there. */
static const struct wm_pod_trouble *unmounted(const struct wm_clue *c)
{
    static const char *const early[] = {"", "ContainerCreating", "PodInitializing", NULL};
    static const char *const later[] = {"Pulling", NULL};
    const struct wm_pod_trouble *t = wm_pod_of(c->r)->trouble;

    if (!t || c->r->going || !wm_record_node(c->r)[0] || wm_pod_of(c->r)->restarts > 0 || t->init_done > 0 ||
        t->now > WM_CONTAINER_WAITING || !wm_is_one_of(t->state_reason, early) ||
        !wm_clue_pod_holds(c, c->suspect) || wm_clue_event(c, c->r, later, NULL))
        return NULL;
    return t;
}

/* --- attachments --- */

struct search {
    const struct wm_clue *c;
    const char *volume, *claim, *names;
    const struct wm_record *found;
    bool attached; /* to the pod's own node */
};

static void find_attachment(void *ctx, const struct wm_record *r)
{
    struct search *s = ctx;
    const struct wm_attachment_state *a = wm_attachment_of(r);

    if (r->cluster != s->c->r->cluster || strcmp(a->volume, s->volume) != 0)
        return;
    if (strcmp(a->node, wm_record_node(s->c->r)) == 0)
        s->attached = a->attached;
    else if (a->attached)
        s->found = r;
}

/* The claim of the pod whose volume is named in `message`; NULL = it is not known. */
static const struct wm_record *claim_in(const struct wm_clue *c, const char *message)
{
    const struct wm_pod_state *pod = wm_pod_of(c->r);
    const struct wm_model *m = c->look->w->model;

    for (int i = 0; i < pod->n_claims; i++) {
        const struct wm_record *claim = wm_model_find_named(
            m, c->r->cluster, WM_KIND_PVC, wm_model_word(m, c->r->namespace_), wm_pod_claim(pod, i));

        if (claim && wm_claim_of(claim)->volume[0] && strstr(message, wm_claim_of(claim)->volume))
            return claim;
    }
    return NULL;
}

/* --- the pod that holds the volume --- */

static bool has_word(const char *text, const char *word)
{
    size_t n = strlen(word);

    for (const char *p = text; (p = strstr(p, word)); p += n)
        if ((p == text || strchr(" ,", p[-1])) && (p[n] == '\0' || strchr(" ,.", p[n])))
            return true;
    return false;
}

static bool has_ended(const struct wm_world *w, const struct wm_record *pod)
{
    const char *phase = wm_model_word(w->model, pod->phase);

    return strcmp(phase, "Succeeded") == 0 || strcmp(phase, "Failed") == 0;
}

/* On another node, and known by name, or else by the claim. */
static void find_holder(void *ctx, const struct wm_record *r)
{
    struct search *s = ctx;
    const struct wm_record *own = s->c->r;

    if (r == own || r->cluster != own->cluster || r->namespace_ != own->namespace_ ||
        has_ended(s->c->look->w, r))
        return;
    bool named = s->names && has_word(s->names, wm_record_name(r)),
         better = named && s->found && !has_word(s->names, wm_record_name(s->found)),
         worse = !named && s->found && s->names && has_word(s->names, wm_record_name(s->found));
    bool mounts = s->claim && wm_pod_mounts(wm_pod_of(r), s->claim) && wm_record_node(r)[0] &&
                  strcmp(wm_record_node(r), wm_record_node(own)) != 0;

    if ((named || mounts) && !worse &&
        (!s->found || better || strcmp(wm_record_name(r), wm_record_name(s->found)) < 0))
        s->found = r;
}

static bool is_used_elsewhere(struct wm_clue *c, struct search *s)
{
    const struct wm_record *e = unmounted(c) ? wm_clue_event(c, c->r, attach, "Multi-Attach") : NULL;
    const struct wm_record *claim = e ? claim_in(c, wm_event_of(e)->message) : NULL;

    if (!e)
        return false;
    *s = (struct search){.c = c, .volume = claim ? wm_claim_of(claim)->volume : ""};
    wm_model_each(c->look->w->model, WM_KIND_ATTACHMENT, find_attachment, s);
    if (s->attached)
        return false;
    wm_clue_tell(c, e, 0);
    s->claim = claim ? wm_record_name(claim) : NULL;
    s->names = strstr(wm_event_of(e)->message, "pod(s) ");
    return true;
}

/* How the holder is made to let go, after "kubectl". */
static void tell_how_to_stop(struct wm_clue *c)
{
    const char *workload = wm_pod_of(c->other)->workload;

    if (wm_is_scaled(workload))
        wm_clue_detail(c, "scale %s --replicas=0", workload);
    else
        wm_clue_detail(c, "delete pod %s", wm_record_name(c->other));
}

static bool is_held_by_pod(struct wm_clue *c)
{
    struct search s;

    if (!is_used_elsewhere(c, &s))
        return false;
    s.found = NULL;
    wm_model_each(c->look->w->model, WM_KIND_POD, find_holder, &s);
    if (!s.found)
        return false;
    c->other = s.found;
    tell_how_to_stop(c);
    return true;
}

static bool is_held_by_nobody_known(struct wm_clue *c)
{
    struct search s;

    if (!is_used_elsewhere(c, &s))
        return false;
    const struct wm_record *attachment = s.found;

    s.found = NULL;
    wm_model_each(c->look->w->model, WM_KIND_POD, find_holder, &s);
    wm_clue_detail(c, "%s%s", attachment ? "node " : "another node",
                   attachment ? wm_attachment_of(attachment)->node : "");
    return !s.found;
}

/* --- attaching and mounting --- */

static bool is_multi_attach(const struct wm_record *event)
{
    return strstr(wm_event_of(event)->message, "Multi-Attach") != NULL;
}

static void find_attach_error(void *ctx, const struct wm_record *r)
{
    struct search *s = ctx;
    const struct wm_attachment_state *a = wm_attachment_of(r);
    const struct wm_pod_state *pod = wm_pod_of(s->c->r);
    const struct wm_model *m = s->c->look->w->model;

    if (r->cluster != s->c->r->cluster || a->attached || !a->error[0] ||
        strcmp(a->node, wm_record_node(s->c->r)) != 0)
        return;
    for (int i = 0; i < pod->n_claims; i++) {
        const struct wm_record *claim = wm_model_find_named(
            m, r->cluster, WM_KIND_PVC, wm_model_word(m, s->c->r->namespace_), wm_pod_claim(pod, i));

        if (claim && strcmp(wm_claim_of(claim)->volume, a->volume) == 0)
            s->found = r;
    }
}

static bool cannot_attach(struct wm_clue *c)
{
    struct search s = {.c = c};
    const struct wm_record *e = unmounted(c) ? wm_clue_event(c, c->r, attach, NULL) : NULL;

    if (!unmounted(c) || (e && is_multi_attach(e)))
        return false;
    wm_model_each(c->look->w->model, WM_KIND_ATTACHMENT, find_attach_error, &s);
    if (!e && !s.found)
        return false;
    wm_clue_tell(c, e, e ? 0 : wm_attachment_of(s.found)->error_s);
    c->quote = s.found ? wm_attachment_of(s.found)->error : NULL;
    return true;
}

/* The kubelet's "timed out waiting for the condition" says less than what failed. */
static bool cannot_mount(struct wm_clue *c)
{
    const struct wm_record *e = NULL;

    if (!unmounted(c))
        return false;
    e = wm_clue_event(c, c->r, mount, "MountVolume");
    e = e ? e : wm_clue_event(c, c->r, mount, NULL);
    if (!e)
        return false;
    wm_clue_tell(c, e, 0);
    return true;
}

#define POD WM_KIND_POD, WM_ANY_WAIT

const struct wm_cause wm_causes_storage[] = {
    {"VolumeMultiAttach", WM_STARTING_PODS, POD, is_held_by_pod, WM_STOPS, WM_CERTAIN, WM_T_SIGNAL, 7,
     "A volume is still used by another pod",
     "{object} cannot get its volume, because {other}, on node {other.node}, uses it: {quote}",
     "stop what uses the volume; the migration goes on by itself once it is free:\n"
     "{other.kubectl} {detail}\n"
     "or cancel the migration, and clear the target before the next one:\n"
     "{cancel}",
     "vmware-tanzu/velero#2983"},
    {"VolumeAttachedElsewhere", WM_ALL_STARTING_PODS, POD, is_held_by_nobody_known, WM_STOPS, WM_CERTAIN,
     WM_T_SIGNAL, 7, "A volume is still attached to another node",
     "{object} cannot get its volume, because it is still attached to {detail}: {quote}",
     "find out what keeps it attached; Kubernetes detaches it some six minutes after the last pod on that "
     "node is gone:\n"
     "kubectl --context {cluster} get volumeattachments\n"
     "{kubectl} get pods -o wide",
     "vmware-tanzu/velero#2983"},
    {"AttachFailed", WM_ALL_STARTING_PODS, POD, cannot_attach, WM_STOPS, WM_LIKELY, WM_T_SIGNAL, 6,
     "A volume cannot be attached", "the volume of {object} cannot be attached to node {node}: {quote}",
     "look at the storage's driver on that node, and whether the volume still exists:\n"
     "kubectl --context {cluster} get volumeattachments\n"
     "{kubectl} describe pod {name}",
     "kubernetes/kubernetes pkg/controller/volume/attachdetach"},
    {"MountFailed", WM_ALL_STARTING_PODS, POD, cannot_mount, WM_STOPS, WM_LIKELY, WM_T_STARTUP, 4,
     "A volume cannot be mounted", "a volume of {object} cannot be mounted on node {node}: {quote}",
     "look whether what it mounts exists and can be reached from that node:\n"
     "{kubectl} describe pod {name}",
     "kubernetes/kubernetes pkg/kubelet/volumemanager"},
    {"ProviderMultiAttach", WM_ROLE(PROVIDER_POD), POD, is_held_by_pod, WM_STOPS, WM_CERTAIN, WM_T_SIGNAL, 7,
     "Providers on several nodes need a volume that only one node can use",
     "{object} on node {node} cannot mount the PVC, because {other}, on node {other.node}, uses it, and its "
     "access "
     "mode lets one node use it at a time: {quote}",
     "delete the migration, and make it anew with a storage class for ReadWriteMany, or with s3 or nfs "
     "storage, "
     "which need neither PVC nor restarts; or bring all providers onto one node "
     "(spec.runtime.nodeSelector):\n"
     "{host.kubectl} delete vmmigration {migration}\n"
     "kubectl --context {cluster} get storageclasses",
     "projectbeskar/virtrigaud internal/controller/provider_controller.go, kubernetes/kubernetes "
     "pkg/controller/volume/attachdetach"},
    {0},
};
