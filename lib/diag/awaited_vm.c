/* What a VMMigration's phase waits for: the PVC, a provider or a machine, as VirtRigaud looks at them one
 * after the other (internal/controller/vmmigration_controller.go, handleValidatingPhase). */
#include <stdio.h>
#include <string.h>

#include "vm_look.h"

#include "situation_impl.h"

static const char MOUNT[] = "WaitingForStorageMount";

/* kind NONE = nothing can be named. */
struct awaited {
    enum wm_kind kind;
    const struct wm_record *record;
    struct wm_vm_name at;
};

struct scene {
    const struct wm_world *w;
    const struct wm_situation *s;
};

static const struct awaited nothing = {.kind = WM_KIND_NONE};

/* --- things --- */

static struct awaited machine(const struct scene *c, enum wm_vm_side side)
{
    return (struct awaited){WM_KIND_MACHINE, wm_vm_machine(c->w, c->s, side), wm_vm_machine_name(c->s, side)};
}

static struct awaited provider(const struct scene *c, enum wm_vm_side side)
{
    return (struct awaited){WM_KIND_PROVIDER, wm_vm_provider(c->w, c->s, side),
                            wm_vm_provider_name(c->w, c->s, side)};
}

static struct awaited claim(const struct scene *c)
{
    const struct wm_vm_state *vm = c->s->vm;

    return (struct awaited){WM_KIND_PVC, wm_vm_claim(c->w, c->s), {vm->m.namespace_, vm->claim}};
}

/* The Deployment has no name of its own where it is not there. */
static struct awaited server(const struct scene *c, enum wm_vm_side side)
{
    return (struct awaited){WM_KIND_DEPLOYMENT, wm_vm_server_of(c->w, c->s, side), {"", ""}};
}

/* --- Validating --- */

static bool is_usable(const struct scene *c, const struct wm_record *claim)
{
    return claim && !claim->going && strcmp(wm_model_word(c->w->model, claim->phase), "Bound") == 0;
}

/* The first that is in the way, by what the objects are now; VirtRigaud looks every 5 seconds. */
static struct awaited mount(const struct scene *c)
{
    const struct wm_vm_state *vm = c->s->vm;
    struct awaited a = claim(c);

    if (!is_usable(c, a.record))
        return a;
    for (int side = WM_VM_SOURCE; side < WM_VM_SIDES; side++) {
        a = server(c, (enum wm_vm_side)side);
        if (!a.record || !wm_server_has_mounted(a.record, vm->claim))
            return a;
    }
    return strstr(vm->waits_message, "source: ")   ? server(c, WM_VM_SOURCE)
           : strstr(vm->waits_message, "target: ") ? server(c, WM_VM_TARGET)
                                                   : nothing;
}

/* Before it has said anything. */
static struct awaited first_look(const struct scene *c)
{
    struct awaited a = machine(c, WM_VM_SOURCE);

    if (!a.record || !wm_machine_of(a.record)->has_id)
        return a;
    for (int side = WM_VM_SOURCE; side < WM_VM_SIDES; side++) {
        a = provider(c, (enum wm_vm_side)side);
        if (!a.record || !wm_provider_of(a.record)->available)
            return a;
    }
    return nothing;
}

static struct awaited validating(const struct scene *c, enum wm_vm_side side)
{
    const char *waits = c->s->vm->waits;

    (void)side;
    return strcmp(waits, "SourceVMNotReady") == 0         ? machine(c, WM_VM_SOURCE)
           : strcmp(waits, "SourceProviderNotReady") == 0 ? provider(c, WM_VM_SOURCE)
           : strcmp(waits, "TargetProviderNotReady") == 0 ? provider(c, WM_VM_TARGET)
           : strcmp(waits, MOUNT) == 0                    ? mount(c)
           : waits[0]                                     ? nothing
                                                          : first_look(c);
}

/* --- the others --- */

static bool is_short_of_pods(const struct wm_record *server)
{
    return server && wm_server_of(server)->available_n < wm_server_of(server)->wanted;
}

static struct awaited working(const struct scene *c, enum wm_vm_side side)
{
    struct awaited a = server(c, side);

    return is_short_of_pods(a.record) ? a : provider(c, side);
}

static const struct row {
    struct awaited (*find)(const struct scene *c, enum wm_vm_side side);
    enum wm_vm_side side;
} rows[WM_WAIT_COUNT] = {
    [WM_WAIT_VM_PROVIDERS] = {validating, WM_VM_SOURCE}, [WM_WAIT_VM_SNAPSHOT] = {working, WM_VM_SOURCE},
    [WM_WAIT_VM_EXPORT] = {working, WM_VM_SOURCE},       [WM_WAIT_VM_IMPORT] = {working, WM_VM_TARGET},
    [WM_WAIT_VM_TARGET] = {machine, WM_VM_TARGET},
};

static struct awaited awaited_in(const struct scene *c, enum wm_wait wait)
{
    return rows[wait].find ? rows[wait].find(c, rows[wait].side) : nothing;
}

/* Of a failure: only what is still in the way is to blame. */
const struct wm_record *wm_vm_blamed_for(const struct wm_world *w, const struct wm_situation *s,
                                         const struct wm_phase *phase)
{
    const struct scene c = {w, s};
    bool mounts = phase->waits_for == WM_WAIT_VM_PROVIDERS;
    struct awaited a = mounts ? strstr(s->state->message, "providers to mount") ? mount(&c) : nothing
                              : awaited_in(&c, phase->waits_for);

    return a.kind == WM_KIND_PROVIDER ? NULL : a.record;
}

/* --- the end of the wait --- */

static void end_by_virtrigaud(const struct scene *c, struct wm_situation *s)
{
    const struct wm_record *pvc = wm_vm_claim(c->w, s);
    bool copies = s->state->row->ends == WM_END_VM_COPY && !s->vm->task;

    if (copies && s->state->since_s)
        s->ends_s = s->state->since_s + WM_VM_COPY_S;
    else if (strcmp(s->vm->waits, MOUNT) == 0 && pvc && pvc->created_s)
        s->ends_s = (int64_t)pvc->created_s + WM_VM_MOUNT_S;
    s->ends_by = s->ends_s ? "VirtRigaud" : "";
}

void wm_vm_await(const struct wm_world *w, struct wm_situation *s)
{
    const struct scene c = {w, s};
    struct awaited a = awaited_in(&c, s->state->row->waits_for);

    s->awaited_on = s->migration->cluster;
    s->awaited_kind = a.kind == WM_KIND_NONE ? "" : wm_kinds[a.kind].kind;
    s->awaited = a.record;
    if (!a.record && a.kind != WM_KIND_NONE && a.at.name && a.at.name[0])
        snprintf(s->awaited_name, sizeof s->awaited_name, "%s/%s", a.at.namespace_, a.at.name);
    end_by_virtrigaud(&c, s);
}
