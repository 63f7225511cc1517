/* VMMigrations: their turn, their machines, and the mounting of their PVC. */
#include <stdio.h>
#include <string.h>

#include "causes.h"
#include "situation_impl.h"
#include "vm_look.h"
#include "waymark/time.h"

static const struct wm_migration_state *own(const struct wm_clue *c)
{
    return c->look->s->state;
}

static const struct wm_vm_state *vm(const struct wm_clue *c)
{
    return c->look->s->vm;
}

static bool is_in(const struct wm_clue *c, const char *phase)
{
    return c->look->s->ending == WM_ENDING_NONE && strcmp(own(c)->phase, phase) == 0;
}

/* --- workers --- */

/* In the order of their names: which of them ends first nobody knows. */
static void list_blockers(struct wm_clue *c)
{
    const struct wm_record *list[WM_SUSPECTS_MAX];
    size_t n = 0, at = 0;

    for (size_t i = 0; i < c->look->n; i++)
        if (c->look->suspects[i].role == WM_ROLE_AHEAD) {
            size_t k = n++;

            for (; k > 0 && wm_record_order(c->look->suspects[i].record, list[k - 1]) < 0; k--)
                list[k] = list[k - 1];
            list[k] = c->look->suspects[i].record;
        }
    for (size_t i = 0; i < n && at < sizeof c->room; i++)
        at +=
            (size_t)snprintf(c->room + at, sizeof c->room - at, "%s%s/%s",
                             i == 0       ? ""
                             : i == n - 1 ? " and "
                                          : ", ",
                             wm_model_word(c->look->w->model, list[i]->namespace_), wm_record_name(list[i]));
    c->detail = c->room;
    c->other = n ? list[0] : NULL;
}

static bool waits_for_worker(struct wm_clue *c)
{
    if (!wm_clue_workers_are_busy(c) || wm_vm_occupies_worker(c->r))
        return false;
    list_blockers(c);
    return true;
}

static bool is_not_taken_up(struct wm_clue *c)
{
    if (c->look->s->ending != WM_ENDING_NONE || wm_clue_workers_are_busy(c))
        return false;
    c->since_s = wm_later(own(c)->created_s, vm(c)->retried_s);
    return true;
}

/* --- retries --- */

static bool is_to_be_retried(struct wm_clue *c)
{
    if (!is_in(c, "Failed"))
        return false;
    wm_clue_detail(c, "attempt %d of %d", vm(c)->retries + 2, vm(c)->retries_max + 1);
    c->quote = own(c)->message[0] ? own(c)->message : "it does not say why";
    return true;
}

/* Velero leaves the status out, and a VMMigration without one is new (virtrigaud
 * internal/controller/vmmigration_controller.go). */
static bool began_anew(struct wm_clue *c)
{
    if (c->look->s->ending != WM_ENDING_NONE || !vm(c)->restored)
        return false;
    c->since_s = own(c)->created_s;
    c->detail = vm(c)->powers_off ? ", and it stops the source machine" : "";
    return true;
}

/* --- machines --- */

static bool is_machine(const struct wm_clue *c, enum wm_vm_side side)
{
    return c->r == c->look->machines[side];
}

static bool is_unknown_source(struct wm_clue *c)
{
    const struct wm_machine_state *m = wm_machine_of(c->r);

    if (strcmp(vm(c)->waits, "SourceVMNotReady") != 0 || !is_machine(c, WM_VM_SOURCE) || m->has_id)
        return false;
    c->since_s = wm_clue_phase_s(c);
    c->quote = m->message[0] ? m->message : m->reason[0] ? m->reason : "it does not say why";
    return true;
}

static bool is_unready_target(struct wm_clue *c)
{
    const struct wm_machine_state *m = wm_machine_of(c->r);

    if (c->look->s->ending != WM_ENDING_NONE || !is_machine(c, WM_VM_TARGET) || m->ready)
        return false;
    c->since_s = wm_later(c->r->created_s, own(c)->since_s);
    c->detail = m->reason[0] ? m->reason : "no condition Ready";
    c->quote = m->message[0] ? m->message : "it does not say why";
    return true;
}

/* --- the mounting --- */

static const struct wm_record *claim_of(const struct wm_clue *c)
{
    return c->look->claim;
}

/* When the youngest of the pods that serve became ready; 0 = not all do, or with another template. */
static int64_t mounted_s(const struct wm_clue *c)
{
    const struct wm_record *claim = claim_of(c);
    const struct wm_model *m = c->look->w->model;
    int64_t at_s = claim ? claim->created_s : 0;

    for (int side = 0; claim && side < WM_VM_SIDES; side++) {
        const struct wm_record *server = c->look->servers[side],
                               *replicas = server ? wm_server_replicas(c->look->w, server) : NULL;
        bool serves = false;

        if (!replicas || !wm_server_has_mounted(server, wm_record_name(claim)))
            return 0;
        for (const struct wm_record *r = wm_model_children(m, replicas->id); r;
             r = wm_model_next_child(r, replicas->id))
            if (r->kind == WM_KIND_POD && !r->going && wm_pod_of(r)->ready) {
                at_s = wm_later(at_s, wm_pod_of(r)->ready_s);
                serves = true;
            }
        if (!serves)
            return 0;
    }
    return at_s;
}

static int64_t mount_end_s(const struct wm_clue *c)
{
    const struct wm_record *claim = claim_of(c);

    return claim ? (int64_t)claim->created_s + WM_VM_MOUNT_S : 0;
}

static bool is_running_mount(const struct wm_clue *c)
{
    return c->look->s->ending == WM_ENDING_NONE && wm_clue_awaits_mount(c) && claim_of(c);
}

static bool will_time_out(struct wm_clue *c)
{
    const struct wm_record *claim = claim_of(c);
    char time[WM_TIME_SIZE];

    if (!is_running_mount(c) || mounted_s(c))
        return false;
    c->since_s = claim->created_s;
    c->until_s = mount_end_s(c);
    c->other = claim;
    c->quote = vm(c)->waits_message[0] ? vm(c)->waits_message : vm(c)->waits;
    wm_time_print(mount_end_s(c), time);
    wm_clue_detail(c, "%s", time);
    return true;
}

/* The manager's cache of pods waits for ever where it may not list them, and with it the worker. */
static bool is_not_noticed(struct wm_clue *c)
{
    if (!is_running_mount(c) || wm_clue_workers_are_busy(c) || !mounted_s(c))
        return false;
    c->since_s = wm_later(mounted_s(c), wm_clue_mount_wait_s(c));
    c->other = claim_of(c);
    return true;
}

static bool is_overdue(struct wm_clue *c)
{
    if (!is_running_mount(c) || wm_clue_workers_are_busy(c) || mounted_s(c))
        return false;
    c->since_s = wm_later(mount_end_s(c), wm_clue_mount_wait_s(c));
    c->other = claim_of(c);
    return true;
}

/* --- for want of a cause --- */

static bool has_stood_still(struct wm_clue *c)
{
    const struct wm_phase *phase = own(c)->row;
    bool known = phase && phase->stall_s;

    if (c->look->s->ending != WM_ENDING_NONE || own(c)->outcome != WM_RUN_RUNNING || !known)
        return false;
    c->since_s = c->look->still_since_s;
    c->due_s = c->since_s + phase->stall_s;
    return true;
}

#define HERE WM_ROLE(MIGRATION), WM_KIND_VMMIGRATION
#define SOURCE "projectbeskar/virtrigaud internal/controller/vmmigration_controller.go"
#define MANAGER WM_VM_MANAGER_PODS "\n" WM_VM_MANAGER_LOG

const struct wm_cause wm_causes_vm[] = {
    {"VmWorkersBusy", HERE,
     WM_WAITS_FOR(VM_WORKER) | WM_WAITS_FOR(VM_PROVIDERS) | WM_WAITS_FOR(VM_SNAPSHOT) |
         WM_WAITS_FOR(VM_TARGET),
     waits_for_worker, WM_WAITS, WM_LIKELY, WM_T_SIGNAL, 2, "All of VirtRigaud's workers copy disks",
     "{migration} waits for one of VirtRigaud's three workers: each copies a disk, for at most half an hour, "
     "of "
     "the VMMigrations {detail}",
     "wait until one of them is through; fewer at a time are as fast, and do not hold up the others:\n"
     "kubectl --context {cluster} get vmmigrations -A",
     SOURCE},
    {"VmNotTakenUp", HERE, WM_WAITS_FOR(VM_WORKER), is_not_taken_up, WM_STOPS, WM_LIKELY, WM_T_STARTUP, 1,
     "VirtRigaud has not begun with a VMMigration",
     "{object} waits since {seen} to be taken up, and no three others occupy VirtRigaud's workers: its "
     "manager is "
     "down, hangs, or does not look into this namespace",
     "see whether its manager runs, and what it says:\n" MANAGER, SOURCE},
    {"VmRetry", HERE, WM_WAITS_FOR(NOTHING), is_to_be_retried, WM_WAITS, WM_CERTAIN, WM_T_SIGNAL, 2,
     "A VMMigration that failed is tried again",
     "{migration} has failed and will be tried again by itself ({detail}): {quote}",
     "wait, or mend what the message names before the next attempt; it may take half an hour:\n"
     "{kubectl} describe vmmigration {migration}",
     SOURCE},
    {"VmRestored", HERE, WM_VM_WAITS | WM_APART, began_anew, WM_THREATENS, WM_LIKELY, WM_T_SIGNAL, 1,
     "A VMMigration was restored, and begins anew",
     "{object} was restored by Velero without its status, and so begins anew with all that it did "
     "before{detail}",
     "delete it, if the machine was moved already:\n"
     "{kubectl} delete vmmigration {migration}",
     "vmware-tanzu/velero pkg/restore/restore.go"},
    {"VmSourceUnknown", WM_ROLE(MACHINE), WM_KIND_MACHINE, WM_WAITS_FOR(VM_PROVIDERS), is_unknown_source,
     WM_STOPS, WM_CERTAIN, WM_T_STARTUP, 4, "The source machine is not known to its provider",
     "{migration} waits, with no limit, until the provider knows {object} (status.id): {quote}",
     "see why its provider does not find or make it:\n"
     "{kubectl} describe virtualmachine {name}\n"
     "{kubectl} get providers",
     SOURCE},
    {"VmTargetNotReady", WM_ROLE(MACHINE), WM_KIND_MACHINE, WM_WAITS_FOR(VM_TARGET), is_unready_target,
     WM_STOPS, WM_LIKELY, WM_T_SYNC, 2, "The new machine does not become ready",
     "{migration} waits, with no limit, until {object} is ready ({detail}): {quote}",
     "look at its class, its networks and its placement, and mend what it complains of:\n"
     "{kubectl} describe virtualmachine {name}",
     SOURCE},
    {"VmMountTimesOut", HERE, WM_WAITS_FOR(VM_PROVIDERS), will_time_out, WM_THREATENS, WM_CERTAIN,
     WM_T_ROLLOUT, 1, "The time for mounting the PVC runs out",
     "{migration} fails at {detail}, five minutes after {other} was made, unless its providers have mounted "
     "it "
     "by then: {quote}",
     "see which provider's new pod is not ready, and why:\n"
     "{kubectl} get pods -l app.kubernetes.io/name=virtrigaud-provider -o wide\n"
     "{kubectl} describe pvc {other.name}",
     SOURCE},
    {"VmMountNotNoticed", HERE, WM_WAITS_FOR(VM_PROVIDERS), is_not_noticed, WM_STOPS, WM_LIKELY, WM_T_ROLLOUT,
     3, "VirtRigaud does not notice that the PVC is mounted",
     "both providers of {object} have mounted {other.kind} {other.name} since {seen}, and VirtRigaud does "
     "not "
     "notice; most likely its manager may not list pods, and hangs with one worker after the other",
     "use the chart's ClusterRole, which lets the manager get, list and watch pods (that of its "
     "kustomization "
     "does not), then restart it:\n" MANAGER,
     "projectbeskar/virtrigaud config/rbac/role.yaml"},
    {"VmMountOverdue", HERE, WM_WAITS_FOR(VM_PROVIDERS), is_overdue, WM_STOPS, WM_LIKELY, WM_T_ROLLOUT, 8,
     "VirtRigaud does not look at a VMMigration any more",
     "{object} should have failed at {seen} for want of its PVC, and has not: VirtRigaud's manager is down, "
     "or "
     "hangs",
     "see whether its manager runs, what it says, and whether it may list pods:\n" MANAGER,
     "projectbeskar/virtrigaud config/rbac/role.yaml"},
    {"VmNoKnownCause", HERE, WM_VM_WAITS & ~(WM_VM_COPIES | WM_WAITS_FOR(VM_WORKER)), has_stood_still,
     WM_STOPS, WM_POSSIBLE, WM_T_SIGNAL, 0, "Nothing of a VMMigration moves, and no known cause was found",
     "nothing of {object} has moved in the phase {phase}, and none of what was looked at shows a known cause",
     "look at what VirtRigaud's manager says:\n" MANAGER, ""},
    {0},
};
