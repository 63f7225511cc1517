/* What keeps a claim from having its volume, or from going; and what may not be made at all. */
#include <string.h>

#include "causes.h"

static bool waits_for(const struct wm_clue *c, unsigned waits)
{
    const struct wm_phase *phase = c->look->s->state->row;

    return phase && (waits & (1u << phase->waits_for));
}

/* One that a pod which holds the phase up mounts, or that the migration made; of others in the application's
 * namespaces, where all of them have to be well. */
static bool claim_holds(const struct wm_clue *c)
{
    if (wm_clue_is_of_vm(c))
        return !c->r->going && (wm_clue_is_stood_on(c) || wm_clue_awaits_claim(c, c->r));
    if (c->look->s->ending != WM_ENDING_NONE || !wm_clue_is_here(c))
        return false;
    if (c->suspect->role == WM_ROLE_WORK || wm_clue_is_stood_on(c))
        return true;
    return c->r->cluster == c->look->s->target &&
           waits_for(c, c->r->going ? WM_WAITS_FOR(MIGRATED_GONE)
                                    : WM_WAITS_FOR(VOLUMES) | WM_WAITS_FOR(HEALTH));
}

static bool is_pending(const struct wm_clue *c)
{
    return strcmp(wm_clue_phase(c, c->r), "Pending") == 0 && !c->r->going && claim_holds(c);
}

/* --- no volume --- */

static const char *const provisioning[] = {"ProvisioningFailed", NULL};

static const struct wm_record *class_event(const struct wm_clue *c)
{
    const struct wm_record *e = wm_clue_event(c, c->r, provisioning, "storageclass");

    return e && strstr(wm_event_of(e)->message, "not found") ? e : NULL;
}

/* All classes of the cluster are known, and this is none of them. */
static bool is_no_class(const struct wm_clue *c, const char *name)
{
    const struct wm_world *w = c->look->w;
    const struct wm_cluster_view *view = &w->clusters[c->r->cluster];

    return name[0] && view->sight == WM_SIGHT_GOOD && !view->evidence_starting &&
           wm_model_count(w->model, c->r->cluster, WM_KIND_STORAGECLASS) > 0 &&
           !wm_model_find_named(w->model, c->r->cluster, WM_KIND_STORAGECLASS, "", name);
}

static bool lacks_class(const struct wm_clue *c)
{
    return is_no_class(c, wm_claim_of(c->r)->storage_class);
}

static bool lacks_its_class(struct wm_clue *c)
{
    const struct wm_record *e = is_pending(c) ? class_event(c) : NULL;

    if (!is_pending(c) || wm_claim_of(c->r)->volume[0] || (!e && !lacks_class(c)))
        return false;
    wm_clue_tell(c, e, c->r->created_s);
    c->detail = wm_claim_of(c->r)->storage_class;
    return true;
}

static bool has_no_class(struct wm_clue *c)
{
    return !wm_clue_is_of_vm(c) && lacks_its_class(c);
}

static bool has_no_class_for_vm(struct wm_clue *c)
{
    return wm_clue_is_of_vm(c) && lacks_its_class(c);
}

static bool fails_to_be_provisioned(struct wm_clue *c)
{
    const struct wm_record *e = is_pending(c) ? wm_clue_event(c, c->r, provisioning, NULL) : NULL;

    if (!e || class_event(c) || lacks_class(c))
        return false;
    wm_clue_tell(c, e, c->r->created_s);
    c->detail = wm_claim_of(c->r)->storage_class;
    return true;
}

static bool is_not_provisioned(struct wm_clue *c)
{
    return !wm_clue_is_of_vm(c) && fails_to_be_provisioned(c);
}

static bool is_not_provisioned_for_vm(struct wm_clue *c)
{
    return wm_clue_is_of_vm(c) && fails_to_be_provisioned(c);
}

static bool finds_no_volume(struct wm_clue *c)
{
    static const char *const reasons[] = {"FailedBinding", NULL};
    const struct wm_record *e = is_pending(c) ? wm_clue_event(c, c->r, reasons, NULL) : NULL;

    if (!e)
        return false;
    wm_clue_tell(c, e, c->r->created_s);
    return true;
}

static bool has_lost_volume(struct wm_clue *c)
{
    if (strcmp(wm_clue_phase(c, c->r), "Lost") != 0 || wm_clue_is_of_vm(c) || !claim_holds(c))
        return false;
    c->detail = wm_claim_of(c->r)->volume;
    return true;
}

/* --- claims that do not go --- */

struct holders {
    const struct wm_clue *c;
    const struct wm_record *found;
};

/* Of several the one that still runs, for it is the one to begin with; then by name. */
static void find_holder(void *ctx, const struct wm_record *r)
{
    struct holders *h = ctx;
    const struct wm_record *claim = h->c->r;

    if (r->cluster == claim->cluster && r->namespace_ == claim->namespace_ &&
        wm_pod_mounts(wm_pod_of(r), wm_record_name(claim)) &&
        (!h->found || wm_pod_of(r)->ready > wm_pod_of(h->found)->ready ||
         (wm_pod_of(r)->ready == wm_pod_of(h->found)->ready &&
          strcmp(wm_record_name(r), wm_record_name(h->found)) < 0)))
        h->found = r;
}

static bool does_not_go(struct wm_clue *c, struct holders *h)
{
    if (!c->r->going || !claim_holds(c))
        return false;
    *h = (struct holders){.c = c};
    if (wm_claim_of(c->r)->in_use_protected)
        wm_model_each(c->look->w->model, WM_KIND_POD, find_holder, h);
    c->since_s = wm_claim_of(c->r)->going_s;
    return true;
}

static bool is_held_by_pod(struct wm_clue *c)
{
    struct holders h;

    if (!does_not_go(c, &h) || !h.found)
        return false;
    c->other = h.found;
    wm_clue_detail(c, "%s", wm_model_word(c->look->w->model, h.found->phase));
    return true;
}

static bool is_held_otherwise(struct wm_clue *c)
{
    struct holders h;

    return does_not_go(c, &h) && !h.found;
}

/* --- pods that may not be made --- */

struct refusals {
    struct wm_clue *c;
    bool quota;
    const struct wm_record *found;
};

static bool is_of_plan(const struct wm_look *look, const struct wm_record *e)
{
    const struct wm_plan_state *plan = look->s->plan ? wm_plan_of(look->s->plan) : NULL;
    const char *namespace_ = wm_model_word(look->w->model, e->namespace_);

    for (size_t i = 0; plan && i < plan->n_namespaces; i++)
        if ((e->cluster == look->s->source && strcmp(namespace_, plan->namespaces[i].source) == 0) ||
            (e->cluster == look->s->target && strcmp(namespace_, plan->namespaces[i].target) == 0))
            return true;
    return false;
}

static bool has_stage_pods(const struct wm_look *look)
{
    for (size_t i = 0; i < look->n; i++)
        if (look->suspects[i].role == WM_ROLE_STAGE_POD)
            return true;
    return false;
}

/* Whether the phase waits for such pods: those of the operators, of the application, or of a hook. */
static bool is_waited_for(const struct wm_clue *c, const struct wm_record *e)
{
    const struct wm_look *look = c->look;

    if (waits_for(c, WM_WAITS_FOR(HOOK)))
        return strcmp(wm_event_of(e)->kind, "Job") == 0 &&
               (e->namespace_ == look->s->migration->namespace_ || is_of_plan(look, e));
    if (waits_for(c, WM_WAITS_FOR(STAGE_PODS)))
        return is_of_plan(look, e) && !has_stage_pods(look);
    return waits_for(c, WM_WAITS_FOR(HEALTH)) ? is_of_plan(look, e)
                                              : e->namespace_ == look->s->migration->namespace_;
}

/* The workload has a pod that is younger: it was let in at last. */
static bool is_over(const struct refusals *s, const struct wm_record *e)
{
    const struct wm_model *m = s->c->look->w->model;

    for (const struct wm_record *r = wm_model_children(m, e->parent); r;
         r = wm_model_next_child(r, e->parent))
        if (r->kind == WM_KIND_POD && r->cluster == e->cluster && r->created_s >= wm_event_of(e)->last_s)
            return true;
    return false;
}

static void find_refusal(void *ctx, const struct wm_record *e)
{
    static const char *const forbidden[] = {"FailedCreate", NULL};
    struct refusals *s = ctx;
    const struct wm_event_state *state = wm_event_of(e);
    struct wm_clue there = {.look = s->c->look, .r = e};

    if (!wm_is_one_of(state->reason, forbidden) || strstr(state->message, "forbidden") == NULL ||
        (strstr(state->message, "exceeded quota") != NULL) != s->quota ||
        state->last_s < wm_clue_phase_s(s->c) || !is_waited_for(s->c, e) || !wm_clue_is_here(&there) ||
        is_over(s, e))
        return;
    if (!s->found || state->first_s < wm_event_of(s->found)->first_s ||
        (state->first_s == wm_event_of(s->found)->first_s &&
         strcmp(wm_record_name(e), wm_record_name(s->found)) < 0))
        s->found = e;
}

static bool may_not_be_made(struct wm_clue *c, bool quota)
{
    struct refusals s = {c, quota, NULL};

    if (c->look->s->ending != WM_ENDING_NONE)
        return false;
    wm_model_each(c->look->w->model, WM_KIND_EVENT, find_refusal, &s);
    if (!s.found)
        return false;
    wm_clue_tell(c, s.found, wm_clue_phase_s(c));
    c->other = s.found;
    wm_clue_detail(c, "%s %s/%s", wm_event_of(s.found)->kind, wm_event_of(s.found)->namespace_,
                   wm_event_of(s.found)->name);
    return true;
}

static bool is_over_quota(struct wm_clue *c)
{
    return may_not_be_made(c, true);
}

static bool is_refused(struct wm_clue *c)
{
    return may_not_be_made(c, false);
}

#define VIRTRIGAUD "projectbeskar/virtrigaud internal/controller/vmmigration_controller.go"
enum { CLAIMS = WM_ROLE(CLAIM) | WM_ROLE(WORK) };
#define CLAIM CLAIMS, WM_KIND_PVC, WM_ANY_WAIT
#define WITH_PODS                                                                                            \
    (WM_WAITS_FOR(STAGE_PODS) | WM_WAITS_FOR(REGISTRIES) | WM_WAITS_FOR(VELERO) | WM_WAITS_FOR(NODE_AGENT) | \
     WM_WAITS_FOR(HOOK) | WM_WAITS_FOR(HEALTH))

const struct wm_cause wm_causes_claim[] = {
    {"ClaimNoStorageClass", CLAIM, has_no_class, WM_STOPS, WM_CERTAIN, WM_T_SIGNAL, 8,
     "A claim's storage class is not there",
     "{object} gets no volume, because there is no storage class {detail} on cluster {cluster}",
     "create the class, or choose another one for this volume in the plan and run the migration again:\n"
     "kubectl --context {cluster} get storageclasses\n"
     "{host.kubectl} edit migplan {plan}",
     "konveyor/mig-controller#868"},
    {"ClaimProvisioningFailed", CLAIM, is_not_provisioned, WM_STOPS, WM_CERTAIN, WM_T_SIGNAL, 7,
     "A claim's volume cannot be made", "no volume can be made for {object}: {quote}",
     "look at the storage's driver, its quota, and at what the class asks for:\n"
     "{kubectl} describe pvc {name}\n"
     "kubectl --context {cluster} get storageclass {detail} -o yaml",
     "konveyor/mig-controller#868"},
    {"VmClaimNoStorageClass", WM_ROLE(CLAIM), WM_KIND_PVC, WM_ANY_WAIT, has_no_class_for_vm, WM_STOPS,
     WM_CERTAIN, WM_T_SIGNAL, 8, "The storage class for a VMMigration's PVC is not there",
     "{object} gets no volume, because there is no storage class {detail} on cluster {cluster}, and no "
     "provider comes up with it",
     "create the class, or delete the migration and make it anew with another one that can do ReadWriteMany; "
     "s3 "
     "and nfs storage need no PVC at all:\n"
     "kubectl --context {cluster} get storageclasses\n"
     "{host.kubectl} delete vmmigration {migration}",
     VIRTRIGAUD},
    {"VmClaimNotProvisioned", WM_ROLE(CLAIM), WM_KIND_PVC, WM_ANY_WAIT, is_not_provisioned_for_vm, WM_STOPS,
     WM_CERTAIN, WM_T_SIGNAL, 7, "No volume can be made for a VMMigration's PVC",
     "no volume can be made for {object}, and no provider comes up with it: {quote}",
     "look whether the class's driver can do the access mode (most cannot do ReadWriteMany), and at its "
     "quota; s3 "
     "and nfs storage need no PVC at all:\n"
     "{kubectl} describe pvc {name}\n"
     "kubectl --context {cluster} get storageclass {detail} -o yaml",
     VIRTRIGAUD},
    {"ClaimNoVolume", CLAIM, finds_no_volume, WM_STOPS, WM_CERTAIN, WM_T_SIGNAL, 7, "A claim finds no volume",
     "{object} finds no volume: {quote}",
     "create a PersistentVolume that fits, or give the claim a storage class that makes volumes (there may "
     "be "
     "no default one):\n"
     "kubectl --context {cluster} get storageclasses\n"
     "{kubectl} describe pvc {name}",
     "kubernetes/kubernetes pkg/controller/volume/persistentvolume"},
    {"ClaimLost", CLAIM, has_lost_volume, WM_STOPS, WM_CERTAIN, WM_T_SIGNAL, 8, "A claim has lost its volume",
     "{object} has lost its volume {detail}, which is not there any more",
     "restore the volume, or delete the claim and take it out of the plan:\n"
     "{kubectl} describe pvc {name}\n"
     "kubectl --context {cluster} get pv {detail}",
     "konveyor/mig-controller#582"},
    {"ClaimHeldByPod", CLAIM, is_held_by_pod, WM_STOPS, WM_CERTAIN, WM_T_STARTUP, 8,
     "A claim is being deleted, and a pod still holds it",
     "{object} is being deleted, and cannot go while {other} ({detail}) mounts it",
     "delete that pod; one that has completed holds the claim just as well:\n"
     "{other.kubectl} delete pod {other.name}",
     "konveyor/mig-controller#998"},
    {"ClaimTerminating", CLAIM, is_held_otherwise, WM_STOPS, WM_LIKELY, WM_T_STARTUP, 6,
     "A claim is being deleted, and does not go",
     "{object} is being deleted, and does not go; no pod that mounts it is known",
     "see which finalizer holds it, and who should take that off:\n"
     "{kubectl} get pvc {name} -o yaml",
     "konveyor/mig-controller#1200"},
    {"QuotaExceeded", WM_ROLE(MIGRATION), WM_KIND_MIGMIGRATION, WITH_PODS, is_over_quota, WM_STOPS, WM_LIKELY,
     WM_T_SIGNAL, 5, "A quota does not let pods be made",
     "{detail} cannot make its pods on cluster {other.cluster}: {quote}",
     "raise the quota, or make room in it:\n"
     "{other.kubectl} describe resourcequota",
     "openshift/mig-ui#433"},
    {"PodRefused", WM_ROLE(MIGRATION), WM_KIND_MIGMIGRATION, WITH_PODS, is_refused, WM_STOPS, WM_LIKELY,
     WM_T_SIGNAL, 5, "Pods may not be made",
     "{detail} cannot make its pods on cluster {other.cluster}: {quote}",
     "take away what forbids it: a security context constraint that its service account lacks, the "
     "namespace's "
     "pod security level, or a service account that is not there:\n"
     "{other.kubectl} get events --field-selector reason=FailedCreate\n"
     "kubectl --context {other.cluster} get namespace {other.namespace} --show-labels",
     "openshift/mig-ui#433"},
    {0},
};
