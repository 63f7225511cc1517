/* Who can hold a VMMigration up: its PVC, its machines, its providers with their Deployments and pods, the
 * bystanders that mount its PVC as well, and who occupies VirtRigaud's workers. */
#include <string.h>

#include "situation_impl.h"
#include "suspects.h"
#include "vm_look.h"

/* --- pods --- */

static bool has_ended(const struct wm_look *look, const struct wm_record *pod)
{
    const char *phase = wm_model_word(look->w->model, pod->phase);

    return strcmp(phase, "Succeeded") == 0 || strcmp(phase, "Failed") == 0;
}

/* Of a ReplicaSet that has to have pods.  What has ended or is being deleted will be replaced. */
static void add_pods(struct wm_look *look, const struct wm_record *replicas, int via)
{
    const struct wm_model *m = look->w->model;

    if (wm_replicas_of(replicas)->wanted <= 0)
        return;
    for (const struct wm_record *r = wm_model_children(m, replicas->id); r;
         r = wm_model_next_child(r, replicas->id))
        if (r->kind == WM_KIND_POD && r->cluster == replicas->cluster && !r->going && !wm_pod_of(r)->ready &&
            !has_ended(look, r))
            wm_suspect_pod(look, r, WM_ROLE_PROVIDER_POD, via);
}

/* --- Deployments --- */

/* With the PVCs that its pods must mount, those of others included. */
static void add_server(struct wm_look *look, const struct wm_record *server, int via)
{
    const struct wm_model *m = look->w->model;
    int at = wm_suspect_add(look, server, WM_ROLE_PROVIDER_SERVER, via);

    if (at == WM_NO_SUSPECT)
        return;
    const struct wm_template *t = &wm_server_of(server)->template_;

    for (int i = 0; i < t->n_claims; i++) {
        const struct wm_record *claim = wm_model_find_named(
            m, server->cluster, WM_KIND_PVC, wm_look_namespace(look, server), wm_template_claim(t, i));

        if (claim)
            wm_suspect_claim(look, claim, at);
    }
    for (const struct wm_record *r = wm_model_children(m, server->id); r;
         r = wm_model_next_child(r, server->id))
        if (r->kind == WM_KIND_REPLICASET && r->cluster == server->cluster)
            add_pods(look, r, at);
}

/* VirtRigaud looks at the source first, so that is the order here. */
static void add_side(struct wm_look *look, enum wm_vm_side side, int machine)
{
    int via = wm_suspect_add(look, look->providers[side], WM_ROLE_PROVIDER, machine);

    if (look->servers[side])
        add_server(look, look->servers[side], via == WM_NO_SUSPECT ? machine : via);
}

/* --- the bystanders --- */

/* VirtRigaud puts every migration's PVC into the templates of all providers of the namespace. */
static void add_bystander(void *ctx, const struct wm_record *r)
{
    struct wm_look *look = ctx;
    const struct wm_record *migration = look->s->migration;
    const struct wm_server_state *d = wm_server_of(r);

    if (r->cluster == migration->cluster && r->namespace_ == migration->namespace_ && d->provider[0] &&
        wm_suspect_find(look, r, WM_ROLE_PROVIDER_SERVER) == WM_NO_SUSPECT &&
        wm_template_mounts(&d->template_, look->s->vm->claim))
        add_server(look, r, 0);
}

/* --- the workers --- */

static void add_ahead(void *ctx, const struct wm_record *r)
{
    struct wm_look *look = ctx;

    if (r != look->s->migration && r->cluster == look->s->migration->cluster && wm_vm_occupies_worker(r))
        wm_suspect_add(look, r, WM_ROLE_AHEAD, 0);
}

/* --- all --- */

/* The machine through which a provider is come upon, where it is the machine that is waited for. */
static int awaited_machine(const struct wm_look *look, int source, int target)
{
    const struct wm_situation *s = look->s;
    bool at_target =
        s->ending == WM_ENDING_NONE && s->state->row && s->state->row->waits_for == WM_WAIT_VM_TARGET;

    return at_target ? target : strcmp(s->vm->waits, "SourceVMNotReady") == 0 ? source : WM_NO_SUSPECT;
}

/* By name, once: each is a walk over all of its kind. */
static void find_parts(struct wm_look *look)
{
    look->claim = wm_vm_claim(look->w, look->s);
    for (int side = 0; side < WM_VM_SIDES; side++) {
        look->machines[side] = wm_vm_machine(look->w, look->s, (enum wm_vm_side)side);
        look->providers[side] = wm_vm_provider(look->w, look->s, (enum wm_vm_side)side);
        look->servers[side] = wm_vm_server_of(look->w, look->s, (enum wm_vm_side)side);
    }
}

void wm_suspect_vm(struct wm_look *look)
{
    const struct wm_situation *s = look->s;

    find_parts(look);
    int source = wm_suspect_add(look, look->machines[WM_VM_SOURCE], WM_ROLE_MACHINE, 0),
        target = wm_suspect_add(look, look->machines[WM_VM_TARGET], WM_ROLE_MACHINE, 0),
        awaited = awaited_machine(look, source, target);

    if (look->claim)
        wm_suspect_claim(look, look->claim, 0);
    add_side(look, WM_VM_SOURCE, awaited != WM_NO_SUSPECT && awaited == source ? source : 0);
    add_side(look, WM_VM_TARGET, awaited != WM_NO_SUSPECT && awaited == target ? target : 0);
    if (look->claim)
        wm_model_each(look->w->model, WM_KIND_DEPLOYMENT, add_bystander, look);
    if (s->ending == WM_ENDING_NONE && !wm_vm_occupies_worker(s->migration))
        wm_model_each(look->w->model, WM_KIND_VMMIGRATION, add_ahead, look);
}
