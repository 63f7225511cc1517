/* VirtRigaud's providers: why one is not ready, or does not mount the PVC. */
#include <string.h>

#include "causes.h"
#include "slices.h"
#include "vm_look.h"
#include "waymark/time.h"

static const struct wm_vm_state *vm(const struct wm_clue *c)
{
    return c->look->s->vm;
}

static const struct wm_record *own_claim(const struct wm_clue *c)
{
    return c->look->claim;
}

/* --- Providers --- */

/* The condition Validating names the side, and is asked of the source first. */
static bool is_waited_for(const struct wm_clue *c)
{
    const struct wm_look *look = c->look;

    return (strcmp(vm(c)->waits, "SourceProviderNotReady") == 0 && c->r == look->providers[WM_VM_SOURCE]) ||
           (strcmp(vm(c)->waits, "TargetProviderNotReady") == 0 && c->r == look->providers[WM_VM_TARGET]);
}

static bool was_never_available(struct wm_clue *c)
{
    const struct wm_provider_state *p = wm_provider_of(c->r);

    if (!is_waited_for(c))
        return false;
    c->since_s = wm_clue_phase_s(c);
    c->quote = p->message[0] ? p->message : p->reason[0] ? p->reason : "it says nothing of itself";
    return true;
}

/* Its pods have their own rows; these are told before there are any. */
static bool is_badly_configured(const struct wm_provider_state *p)
{
    static const char *const reasons[] = {"InvalidConfiguration", "TLSNotConfigured", "ServiceError",
                                          "DeploymentError",      "MissingRuntime",   NULL};

    return p->runtime_known && !p->runtime_ready && wm_is_one_of(p->reason, reasons);
}

static bool has_bad_config(struct wm_clue *c)
{
    const struct wm_provider_state *p = wm_provider_of(c->r);

    if (!is_badly_configured(p) || (c->look->s->ending == WM_ENDING_FAILED && !wm_clue_awaits_mount(c)))
        return false;
    c->since_s = p->runtime_s;
    c->detail = p->reason;
    c->quote = p->message[0] ? p->message : p->reason;
    return true;
}

static bool has_no_server(struct wm_clue *c)
{
    const struct wm_vm_name name = {wm_model_word(c->look->w->model, c->r->namespace_), wm_record_name(c->r)};
    const struct wm_record *claim = own_claim(c);

    if (!wm_clue_awaits_mount(c) || !wm_clue_sees_all(c) || wm_vm_server(c->look->w, c->r->cluster, &name))
        return false;
    c->since_s = claim ? claim->created_s : wm_clue_phase_s(c);
    return true;
}

/* --- Deployments --- */

static const struct wm_record *provider_of(const struct wm_clue *c)
{
    const struct wm_record *r = wm_model_find(c->look->w->model, c->r->cluster, c->r->parent);

    return r && r->kind == WM_KIND_PROVIDER ? r : NULL;
}

/* What has a row of its own is not for want of looking: a PVC that is going, or lacks the label; a Deployment
 * that cannot be changed. */
static bool has_old_template(struct wm_clue *c)
{
    const struct wm_record *claim = own_claim(c), *provider = provider_of(c);
    const struct wm_server_state *d = wm_server_of(c->r);

    if (!wm_clue_awaits_mount(c) || !wm_clue_needs_server(c, c->r) || !claim || claim->going ||
        !wm_claim_of(claim)->vm_storage || wm_template_mounts(&d->template_, wm_record_name(claim)) ||
        (provider && is_badly_configured(wm_provider_of(provider))) || wm_clue_unmountable(c, c->r))
        return false;
    c->since_s = wm_later(claim->created_s, wm_clue_phase_s(c));
    /* usually a second or two, twice the time of a signal when it is busy */
    c->due_s = c->since_s + 2 * c->look->thresholds->s[WM_T_SIGNAL];
    c->other = claim;
    return true;
}

static bool has_refused_pods(struct wm_clue *c)
{
    const struct wm_server_state *d = wm_server_of(c->r);

    if (!d->failing || !wm_clue_needs_server(c, c->r))
        return false;
    c->since_s = wm_later(d->failing_s, wm_clue_phase_s(c));
    c->quote = d->failure[0] ? d->failure : "it does not say why";
    return true;
}

/* ProviderAvailable is set once and never taken back (provider_controller.go). */
static bool has_no_ready_pod(struct wm_clue *c)
{
    const struct wm_server_state *d = wm_server_of(c->r);
    const struct wm_record *provider = provider_of(c);
    bool healthy = provider && wm_provider_of(provider)->available;

    if (c->r->done > 0 || !wm_clue_needs_server(c, c->r))
        return false;
    c->since_s = d->available_known && !d->available ? d->available_s : 0;
    wm_clue_detail(c, "%s%s", d->wanted == 0 ? ": it is scaled to none" : "",
                   healthy ? "; that the Provider says it is healthy means nothing, it never takes that back"
                           : "");
    return true;
}

/* The first by name of the current template that is ready, or is not. */
static const struct wm_record *pod_of(const struct wm_clue *c, const struct wm_record *server, bool ready)
{
    const struct wm_model *m = c->look->w->model;
    const struct wm_record *replicas = wm_server_replicas(c->look->w, server), *found = NULL;

    if (!replicas)
        return NULL;
    for (const struct wm_record *r = wm_model_children(m, replicas->id); r;
         r = wm_model_next_child(r, replicas->id))
        if (r->kind == WM_KIND_POD && r->cluster == server->cluster && !r->going &&
            wm_pod_of(r)->ready == ready && (!found || strcmp(wm_record_name(r), wm_record_name(found)) < 0))
            found = r;
    return found;
}

/* What leads to a Deployment's pods. */
struct service {
    const struct wm_clue *c;
    int slices, leads;
    int64_t changed_s; /* the last of the slices */
};

static void see_slice(void *ctx, const struct wm_record *r)
{
    struct service *s = ctx;
    const struct wm_slice_state *slice = wm_slice_of(r);

    s->slices++;
    s->leads += slice->ready > WM_SLICE_PODS_MAX; /* more than are kept */
    for (int i = 0; i < slice->ready && i < WM_SLICE_PODS_MAX; i++)
        s->leads += wm_lead_of(s->c->look->w->model, r->cluster, slice->pods[i], s->c->r->id) == WM_LEAD_HERE;
    s->changed_s = wm_later(s->changed_s, slice->changed_s);
}

/* VirtRigaud's own waiting for the mount looks at pods only, so that is not what holds it up. */
static bool is_not_in_service(struct wm_clue *c)
{
    const struct wm_situation *s = c->look->s;
    const struct wm_record *pod = pod_of(c, c->r, true);
    struct service service = {.c = c};

    if (!pod || !wm_clue_needs_server(c, c->r) || wm_clue_awaits_mount(c) || !wm_clue_sees_all(c))
        return false;
    wm_slices_each(c->look->w->model, c->r->cluster, wm_model_word(c->look->w->model, c->r->namespace_),
                   wm_record_name(c->r), see_slice, &service);
    c->since_s = wm_later(wm_pod_of(pod)->ready_s, service.changed_s);
    c->other = pod;
    return service.slices > 0 && service.leads == 0 &&
           (s->ending != WM_ENDING_FAILED || c->since_s <= s->state->completed_s);
}

/* A rollout that does not end: since when, and what its new pod says. */
static bool is_half_rolled(struct wm_clue *c)
{
    const struct wm_server_state *d = wm_server_of(c->r);
    const struct wm_record *claim = own_claim(c), *pod = pod_of(c, c->r, false);

    if (!claim || !wm_template_mounts(&d->template_, wm_record_name(claim)) || wm_server_is_rolled_out(d))
        return false;
    c->since_s = wm_later(claim->created_s, pod ? pod->created_s : d->progress_s);
    c->other = pod;
    c->quote = pod ? wm_clue_pod_reason(c, pod) : d->failure;
    if (!c->quote[0])
        c->quote = pod ? "it is not ready, and does not say why" : "no new pod has been made";
    wm_clue_detail(c, "%s%s%s", pod ? "pod " : "", pod ? wm_record_name(pod) : "", pod ? ": " : "");
    return true;
}

static bool does_not_roll(struct wm_clue *c)
{
    return wm_clue_awaits_mount(c) && wm_clue_needs_server(c, c->r) && is_half_rolled(c);
}

static bool does_not_roll_aside(struct wm_clue *c)
{
    return c->look->s->ending == WM_ENDING_NONE && wm_clue_is_bystander(c, c->r) && is_half_rolled(c);
}

/* Its PVC stays until somebody deletes the VMMigration, and with it what no pod can mount. */
static bool was_left_half_rolled(struct wm_clue *c)
{
    const struct wm_situation *s = c->look->s;

    if ((s->ending != WM_ENDING_FAILED && s->ending != WM_ENDING_SUCCEEDED) || !is_half_rolled(c))
        return false;
    c->since_s = wm_later(c->since_s, s->state->completed_s);
    return true;
}

#define PROVIDER WM_ROLE(PROVIDER), WM_KIND_PROVIDER, WM_WAITS_FOR(VM_PROVIDERS)
#define SERVER WM_ROLE(PROVIDER_SERVER), WM_KIND_DEPLOYMENT
#define SOURCE "projectbeskar/virtrigaud internal/controller/provider_controller.go"
#define MIGRATION_SOURCE "projectbeskar/virtrigaud internal/controller/vmmigration_controller.go"
#define ROLLOUT "{kubectl} rollout status deployment/{name} --timeout=1s"

const struct wm_cause wm_causes_provider[] = {
    {"ProviderNeverReady", PROVIDER, was_never_available, WM_STOPS, WM_CERTAIN, WM_T_STARTUP, 3,
     "A provider has never been ready",
     "{migration} waits, with no limit, until {object} is available, which it has never been: {quote}",
     "see whether its endpoint and credentials are right, and whether its pod runs:\n"
     "{kubectl} describe provider {name}\n"
     "{kubectl} get pods -l app.kubernetes.io/instance={name}",
     MIGRATION_SOURCE},
    {"ProviderConfig", PROVIDER, has_bad_config, WM_STOPS, WM_CERTAIN, WM_T_SIGNAL, 6,
     "A provider cannot be deployed as it is configured",
     "{object} is not deployed as it should be since {seen}: {detail}: {quote}",
     "correct what it complains of in the Provider (runtime, service, TLS secret):\n"
     "{kubectl} edit provider {name}",
     SOURCE},
    {"ProviderDeploymentMissing", PROVIDER, has_no_server, WM_STOPS, WM_LIKELY, WM_T_SIGNAL, 4,
     "A provider has no Deployment",
     "{object} has no Deployment, so nothing can mount the PVC of {migration}",
     "see what the Provider says, and what VirtRigaud's manager says of it:\n"
     "{kubectl} describe provider {name}\n" WM_VM_MANAGER_LOG,
     SOURCE},
    {"ProviderTemplateOld", SERVER, WM_WAITS_FOR(VM_PROVIDERS), has_old_template, WM_STOPS, WM_LIKELY,
     WM_T_SIGNAL, 3, "The PVC is not put into a provider's Deployment",
     "{object} has not got {other.kind} {other.name} into its template: VirtRigaud's manager does not do its "
     "work, or may not list PVCs",
     "look for \"failed to list migration PVCs\" in its log, and whether it may list them; up to v0.3.9 its "
     "chart did not grant that:\n" WM_VM_MANAGER_LOG "\n"
     "{kubectl} get provider -o yaml",
     "projectbeskar/virtrigaud#231"},
    {"ProviderPodsRefused", SERVER, WM_VM_WAITS, has_refused_pods, WM_STOPS, WM_CERTAIN, WM_T_SIGNAL, 6,
     "A provider's new pod may not be made", "{object} cannot make its pod: {quote}",
     "raise the quota, or take away what forbids it; a rollout needs room for one pod more:\n"
     "{kubectl} describe resourcequota\n"
     "{kubectl} describe deployment {name}",
     "kubernetes/kubernetes pkg/controller/deployment"},
    {"ProviderNoReadyPod", SERVER, WM_VM_WAITS, has_no_ready_pod, WM_STOPS, WM_LIKELY, WM_T_ROLLOUT, 3,
     "A provider has no ready pod",
     "{object} has no ready pod since {seen}, so nobody answers for that provider{detail}",
     "see why its pods are not ready:\n"
     "{kubectl} get pods -l app.kubernetes.io/name=virtrigaud-provider\n"
     "{kubectl} describe deployment {name}",
     SOURCE},
    {"ProviderNotInService", SERVER, WM_VM_WAITS, is_not_in_service, WM_STOPS, WM_LIKELY, WM_T_SIGNAL, 5,
     "A provider's Service does not lead to its pod",
     "nobody can call {object}: its Service {name} leads to none of its pods since {seen}, though {other} is "
     "ready",
     "compare the Service's selector with the pod's labels; where it is wrong, delete the Service, and "
     "VirtRigaud "
     "makes it anew; where it is right, kube-controller-manager does not keep its EndpointSlices up to "
     "date:\n"
     "{kubectl} get service {name} -o jsonpath='{.spec.selector}'\n"
     "{kubectl} get pod {other.name} --show-labels\n"
     "{kubectl} get endpointslices -l kubernetes.io/service-name={name}\n"
     "{kubectl} delete service {name}",
     SOURCE},
    {"ProviderRolloutStuck", SERVER, WM_WAITS_FOR(VM_PROVIDERS), does_not_roll, WM_STOPS, WM_LIKELY,
     WM_T_ROLLOUT, 2, "A provider's rollout does not end",
     "{object} does not come up with the PVC of {migration}: {detail}{quote}",
     "see what its new pod waits for; the old one still serves:\n" ROLLOUT "\n"
     "{kubectl} describe pods -l app.kubernetes.io/name=virtrigaud-provider",
     SOURCE},
    {"ProviderBystanderStuck", SERVER, WM_VM_WAITS | WM_APART, does_not_roll_aside, WM_THREATENS, WM_LIKELY,
     WM_T_ROLLOUT, 2, "A provider that has no part in it does not come up with the PVC",
     "{object}, which has no part in {migration}, had to mount its PVC, too, and does not come up with it: "
     "{detail}{quote}; when its old pods go, it serves no more",
     "see what its new pod waits for; it is over when {migration} is deleted, once its PVC can go:\n" ROLLOUT
     "\n"
     "{kubectl} describe pods -l app.kubernetes.io/name=virtrigaud-provider",
     SOURCE},
    {"ProviderHalfRolled", SERVER, WM_WAITS_FOR(NOTHING) | WM_AFTER_END | WM_APART, was_left_half_rolled,
     WM_THREATENS, WM_CERTAIN, WM_T_ROLLOUT, 2,
     "A provider stays half rolled out for a migration that is over",
     "{object} still tries to come up with the PVC of {migration}, which is over: {detail}{quote}; the next "
     "migration "
     "of that namespace will wait for the same",
     "delete the VMMigration, which takes its PVC out of all providers again:\n"
     "{host.kubectl} delete vmmigration {migration}\n" ROLLOUT,
     MIGRATION_SOURCE},
    {0},
};
