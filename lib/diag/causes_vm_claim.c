/* The PVC between both providers of a VMMigration, and those of others that stand in the same templates. */
#include <stdio.h>
#include <string.h>

#include "causes.h"
#include "vm_look.h"
#include "waymark/restarts.h"
#include "waymark/time.h"

static const struct wm_vm_state *vm(const struct wm_clue *c)
{
    return c->look->s->vm;
}

static bool is_own(const struct wm_clue *c)
{
    return wm_clue_is_of_vm(c) && c->r == c->look->claim;
}

/* --- too old --- */

/* The five minutes are counted from the making of the PVC, whoever made it for whom. */
static bool is_too_old(struct wm_clue *c)
{
    const struct wm_record *claim = c->look->claim;
    int64_t wait_s = wm_clue_mount_wait_s(c);
    char time[WM_TIME_SIZE];

    if (!claim || claim->going || wait_s < (int64_t)claim->created_s + WM_VM_MOUNT_S ||
        (c->look->s->ending != WM_ENDING_NONE && !wm_clue_awaits_mount(c)))
        return false;
    c->since_s = wait_s;
    c->other = claim;
    wm_time_print(claim->created_s, time);
    wm_clue_detail(c, "%s", time);
    return true;
}

/* --- going --- */

/* Who holds it, by name, as far as there is room. */
static void tell_holders(struct wm_clue *c)
{
    enum { HOLDERS_MAX = 5 };
    const struct wm_record *pods[HOLDERS_MAX];
    size_t n = wm_claim_holders(c->look->w->model, c->r, pods, HOLDERS_MAX), at = 0;

    c->other = n ? pods[0] : NULL;
    for (size_t i = 0; i < n && at < sizeof c->room; i++)
        at += (size_t)snprintf(c->room + at, sizeof c->room - at, "%s%s", i ? ", " : "",
                               wm_record_name(pods[i]));
    c->detail = n ? c->room : "no pod that is known";
}

static bool is_taken_again(struct wm_clue *c)
{
    const struct wm_situation *s = c->look->s;

    if (!is_own(c) || !c->r->going || s->state->going ||
        (s->ending != WM_ENDING_NONE && !wm_clue_awaits_mount(c)))
        return false;
    c->since_s = wm_later(wm_claim_of(c->r)->going_s, wm_clue_phase_s(c));
    tell_holders(c);
    return true;
}

/* Of a migration that is being deleted, and that is not needed any more. */
static bool does_not_go(struct wm_clue *c)
{
    const struct wm_situation *s = c->look->s;

    if (!wm_clue_is_of_vm(c) || !c->r->going ||
        (is_own(c) && !s->state->going && s->ending == WM_ENDING_NONE) || is_taken_again(c))
        return false;
    tell_holders(c);
    c->since_s = wm_claim_of(c->r)->going_s;
    return true;
}

/* --- the user's --- */

static bool is_not_labelled(struct wm_clue *c)
{
    if (!is_own(c) || wm_claim_of(c->r)->vm_storage || !wm_clue_awaits_mount(c))
        return false;
    c->since_s = wm_later(c->r->created_s, wm_clue_mount_wait_s(c));
    return true;
}

static bool is_in_danger(struct wm_clue *c)
{
    if (!is_own(c) || !vm(c)->own_claim || c->r->going)
        return false;
    c->since_s = wm_clue_mount_wait_s(c);
    return true;
}

/* --- names --- */

enum { VOLUME_MAX = 63 };
#define VOLUME_PREFIX "migration-"

/* The volume in the template is called so, and must be a DNS label. */
static bool is_no_volume_name(const char *claim)
{
    return strlen(VOLUME_PREFIX) + strlen(claim) > VOLUME_MAX || strchr(claim, '.');
}

struct search {
    const struct wm_record *beside, *found;
};

static void find_bad_name(void *ctx, const struct wm_record *r)
{
    struct search *s = ctx;

    if (r->cluster == s->beside->cluster && r->namespace_ == s->beside->namespace_ && !r->going &&
        wm_claim_of(r)->vm_storage && is_no_volume_name(wm_record_name(r)) &&
        (!s->found || strcmp(wm_record_name(r), wm_record_name(s->found)) < 0))
        s->found = r;
}

const struct wm_record *wm_clue_unmountable(const struct wm_clue *c, const struct wm_record *beside)
{
    struct search s = {beside, NULL};

    wm_model_each(c->look->w->model, WM_KIND_PVC, find_bad_name, &s);
    return s.found;
}

static bool is_blocked_by_name(struct wm_clue *c)
{
    const struct wm_record *claim = wm_clue_awaits_mount(c) ? wm_clue_unmountable(c, c->r) : NULL;

    if (!claim)
        return false;
    c->other = claim;
    c->since_s = wm_later(claim->created_s, wm_clue_phase_s(c));
    c->detail =
        wm_claim_of(claim)->vm_migration[0] ? wm_claim_of(claim)->vm_migration : "NAME, to which it belongs";
    return true;
}

/* --- nobody's --- */

/* VirtRigaud makes each with its VMMigration as the owner; what Velero restores has none. */
static bool is_orphan(struct wm_clue *c)
{
    struct wm_migration_claim claim;

    if (!wm_clue_is_of_vm(c) || is_own(c) || !wm_clue_sees_all(c) ||
        !wm_migration_claim_of(c->look->w->model, c->r, &claim) || claim.state != WM_CLAIM_ORPHAN)
        return false;
    c->since_s = c->r->created_s;
    c->detail = claim.restored ? "Velero restored it without its owner" : "its VMMigration is gone";
    return true;
}

#define OWN WM_ROLE(CLAIM), WM_KIND_PVC
#define SOURCE "projectbeskar/virtrigaud internal/controller/vmmigration_controller.go"
#define SHOW_CLAIMS "{kubectl} get pvc -l virtrigaud.io/component=migration-storage"

const struct wm_cause wm_causes_vm_claim[] = {
    {"VmClaimTooOld", WM_ROLE(MIGRATION), WM_KIND_VMMIGRATION,
     WM_WAITS_FOR(VM_WORKER) | WM_WAITS_FOR(VM_PROVIDERS), is_too_old, WM_THREATENS, WM_CERTAIN, WM_T_SIGNAL,
     5, "The PVC is older than the time for mounting it",
     "{other} was made at {detail}, and VirtRigaud gives its providers five minutes from then on: "
     "{migration} "
     "fails as soon as one of them is not ready with it",
     "delete the VMMigration, and make it anew under another name, so that its PVC is a new one:\n"
     "{host.kubectl} delete vmmigration {migration}\n" SHOW_CLAIMS,
     SOURCE},
    {"VmClaimTerminating", OWN, WM_WAITS_FOR(VM_WORKER) | WM_WAITS_FOR(VM_PROVIDERS), is_taken_again,
     WM_STOPS, WM_CERTAIN, WM_T_SIGNAL, 7, "The PVC is one that is being deleted",
     "{object} is being deleted, and {migration} has taken it again: no provider mounts it any more, and it "
     "will time out; it is held by: {detail}",
     "delete this VMMigration, wait until the PVC is gone, and make it anew, or under another name:\n"
     "{host.kubectl} delete vmmigration {migration}\n" SHOW_CLAIMS,
     SOURCE},
    {"VmClaimHeld", OWN, WM_ANY_WAIT | WM_AFTER_END | WM_APART, does_not_go, WM_THREATENS, WM_CERTAIN,
     WM_T_QUIET, 5, "A migration's PVC is being deleted, and does not go",
     "{object} is being deleted since {seen}, and is held by pods that mount it: {detail}",
     "see why their provider is not rolled out without it, and mend that; else delete these pods:\n"
     "{kubectl} get deployments -l app.kubernetes.io/name=virtrigaud-provider\n"
     "{kubectl} describe pvc {name}",
     "projectbeskar/virtrigaud#184"},
    {"VmClaimNotLabelled", OWN, WM_WAITS_FOR(VM_PROVIDERS), is_not_labelled, WM_STOPS, WM_CERTAIN,
     WM_T_SIGNAL, 7, "The user's PVC is mounted by no provider",
     "{object} lacks the label virtrigaud.io/component=migration-storage, so no provider mounts it, and "
     "{migration} will time out",
     "take s3 or nfs storage, or let VirtRigaud make the PVC (without spec.storage.pvc.name); the label "
     "would "
     "do, but deleting the VMMigration deletes this PVC:\n"
     "{kubectl} get pvc {name} --show-labels",
     SOURCE},
    {"VmOwnClaimInDanger", OWN, WM_ANY_WAIT | WM_AFTER_END | WM_APART, is_in_danger, WM_THREATENS, WM_CERTAIN,
     WM_T_SIGNAL, 9, "The user's own PVC will be deleted with the migration",
     "{object} is the user's own, and whoever deletes {migration} deletes it, with all that is in it",
     "save what is in it before the VMMigration is deleted, or see that its volume stays:\n"
     "{kubectl} get pvc {name} -o jsonpath='{.spec.volumeName}'\n"
     "kubectl --context {cluster} patch pv VOLUME -p "
     "'{\"spec\":{\"persistentVolumeReclaimPolicy\":\"Retain\"}}'",
     SOURCE},
    {"VmVolumeName", WM_ROLE(PROVIDER), WM_KIND_PROVIDER, WM_WAITS_FOR(VM_PROVIDERS), is_blocked_by_name,
     WM_STOPS, WM_CERTAIN, WM_T_SIGNAL, 8, "A PVC's name keeps all providers from being rolled out",
     "{object} cannot be rolled out, like any other of the namespace, because the volume name "
     "migration-{other.name} "
     "is longer than 63 characters or has a dot ({other})",
     "delete the VMMigration whose PVC that is, and make it anew with a name of at most 45 characters, and "
     "without dots:\n"
     "{other.kubectl} delete vmmigration {detail}",
     "projectbeskar/virtrigaud internal/controller/provider_controller.go"},
    {"VmClaimOrphan", OWN, WM_ANY_WAIT | WM_AFTER_END | WM_APART, is_orphan, WM_THREATENS, WM_LIKELY,
     WM_T_STARTUP, 4, "A PVC that belongs to no migration is mounted by all providers",
     "{object} belongs to no VMMigration ({detail}), and all providers of the namespace mount it: nobody "
     "will "
     "delete it, and one that cannot be mounted holds up every rollout",
     "delete it, at a time when nothing is copied, for that restarts all providers:\n"
     "{kubectl} delete pvc {name}",
     "vmware-tanzu/velero pkg/restore/restore.go, projectbeskar/virtrigaud "
     "internal/controller/provider_controller.go"},
    {0},
};
