#include "vm_look.h"

#include <stdio.h>
#include <string.h>

#include "situation_impl.h"

/* --- names --- */

static const char *namespace_of(const struct wm_situation *s, const char *told)
{
    return told[0] ? told : s->vm->m.namespace_;
}

struct wm_vm_name wm_vm_machine_name(const struct wm_situation *s, enum wm_vm_side side)
{
    const struct wm_vm_state *vm = s->vm;

    if (side == WM_VM_SOURCE)
        return (struct wm_vm_name){vm->m.namespace_, vm->vm};
    return (struct wm_vm_name){namespace_of(s, vm->target_namespace), vm->target};
}

static struct wm_vm_name provider_of_machine(const struct wm_world *w, const struct wm_situation *s)
{
    const struct wm_record *machine = wm_vm_machine(w, s, WM_VM_SOURCE);
    const struct wm_machine_state *m = machine ? wm_machine_of(machine) : NULL;

    if (!m)
        return (struct wm_vm_name){"", ""};
    return (struct wm_vm_name){namespace_of(s, m->provider_namespace), m->provider};
}

struct wm_vm_name wm_vm_provider_name(const struct wm_world *w, const struct wm_situation *s,
                                      enum wm_vm_side side)
{
    const struct wm_vm_state *vm = s->vm;

    if (side == WM_VM_TARGET)
        return (struct wm_vm_name){namespace_of(s, vm->target_provider_namespace), vm->target_provider};
    if (vm->source_provider[0])
        return (struct wm_vm_name){namespace_of(s, vm->source_provider_namespace), vm->source_provider};
    return provider_of_machine(w, s);
}

/* --- records --- */

static const struct wm_record *named(const struct wm_world *w, uint8_t cluster, enum wm_kind kind,
                                     const struct wm_vm_name *at)
{
    return at->name[0] ? wm_model_find_named(w->model, cluster, kind, at->namespace_, at->name) : NULL;
}

const struct wm_record *wm_vm_provider(const struct wm_world *w, const struct wm_situation *s,
                                       enum wm_vm_side side)
{
    struct wm_vm_name at = wm_vm_provider_name(w, s, side);

    return named(w, s->migration->cluster, WM_KIND_PROVIDER, &at);
}

const struct wm_record *wm_vm_machine(const struct wm_world *w, const struct wm_situation *s,
                                      enum wm_vm_side side)
{
    struct wm_vm_name at = wm_vm_machine_name(s, side);

    return named(w, s->migration->cluster, WM_KIND_MACHINE, &at);
}

const struct wm_record *wm_vm_claim(const struct wm_world *w, const struct wm_situation *s)
{
    struct wm_vm_name at = {s->vm->m.namespace_, s->vm->claim};

    return named(w, s->migration->cluster, WM_KIND_PVC, &at);
}

/* --- Deployments --- */

/* The first by name, should there be several. */
static const struct wm_record *owned_server(const struct wm_world *w, const struct wm_record *provider)
{
    const struct wm_record *best = NULL;

    for (const struct wm_record *r = wm_model_children(w->model, provider->id); r;
         r = wm_model_next_child(r, provider->id))
        if (r->kind == WM_KIND_DEPLOYMENT && r->cluster == provider->cluster &&
            (!best || wm_record_order(r, best) < 0))
            best = r;
    return best;
}

const struct wm_record *wm_vm_server(const struct wm_world *w, uint8_t cluster,
                                     const struct wm_vm_name *provider)
{
    const struct wm_record *p = named(w, cluster, WM_KIND_PROVIDER, provider);
    const struct wm_record *r = p ? owned_server(w, p) : NULL;
    char name[2 * WM_NAME_MAX + sizeof "virtrigaud-provider--"];

    if (r || !provider->name[0])
        return r;
    snprintf(name, sizeof name, "virtrigaud-provider-%s-%s", provider->namespace_, provider->name);
    return wm_model_find_named(w->model, cluster, WM_KIND_DEPLOYMENT, provider->namespace_, name);
}

const struct wm_record *wm_vm_server_of(const struct wm_world *w, const struct wm_situation *s,
                                        enum wm_vm_side side)
{
    struct wm_vm_name at = wm_vm_provider_name(w, s, side);

    return wm_vm_server(w, s->migration->cluster, &at);
}

/* A template that returns takes its old ReplicaSet again, and raises its revision: age tells nothing. */
const struct wm_record *wm_server_replicas(const struct wm_world *w, const struct wm_record *server)
{
    const struct wm_record *best = NULL;

    for (const struct wm_record *r = wm_model_children(w->model, server->id); r;
         r = wm_model_next_child(r, server->id))
        if (r->kind == WM_KIND_REPLICASET && r->cluster == server->cluster &&
            (!best || wm_replicas_of(r)->revision > wm_replicas_of(best)->revision))
            best = r;
    return best;
}

bool wm_template_mounts(const struct wm_template *t, const char *claim)
{
    for (int i = 0; claim[0] && i < t->n_claims; i++)
        if (strcmp(wm_template_claim(t, i), claim) == 0)
            return true;
    return false;
}

bool wm_server_has_mounted(const struct wm_record *server, const char *claim)
{
    const struct wm_server_state *d = wm_server_of(server);

    return wm_template_mounts(&d->template_, claim) && wm_server_is_rolled_out(d);
}
