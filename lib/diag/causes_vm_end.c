/* Why a VMMigration failed otherwise, and what it left behind. */
#include <string.h>

#include "causes.h"
#include "waymark/vm.h"

static const struct wm_migration_state *own(const struct wm_clue *c)
{
    return c->look->s->state;
}

static const struct wm_vm_state *vm(const struct wm_clue *c)
{
    return c->look->s->vm;
}

static bool has_failed(struct wm_clue *c)
{
    c->since_s = own(c)->completed_s;
    c->quote = own(c)->message[0] ? own(c)->message : "it does not say why";
    return c->look->s->ending == WM_ENDING_FAILED;
}

static bool did_not_mount(struct wm_clue *c)
{
    return has_failed(c) &&
           (wm_clue_awaits_mount(c) ||
            strstr(own(c)->message, "Providers not ready after PVC mount")); /* up to 0.3.9 */
}

static bool lacked_own_claim(struct wm_clue *c)
{
    c->detail = vm(c)->claim;
    return has_failed(c) && vm(c)->own_claim && strstr(own(c)->message, "specified PVC");
}

static bool failed_at_all(struct wm_clue *c)
{
    c->detail = own(c)->cause[0] ? own(c)->cause : "not told";
    return has_failed(c);
}

/* --- what was left --- */

/* The manager has not mounted the PVC in which it wants to delete the file, tries again every five minutes,
 * and gets no further (internal/storage/pvc.go); so also with s3 and nfs. */
static bool does_not_clean_up(struct wm_clue *c)
{
    c->since_s = own(c)->completed_s;
    c->detail = vm(c)->snapshot ? ", nor its snapshot of the source" : "";
    return c->look->s->ending == WM_ENDING_SUCCEEDED && vm(c)->storage != WM_VM_STORAGE_NONE &&
           vm(c)->cleans_up && !vm(c)->cleaned_up;
}

static bool left_snapshot(struct wm_clue *c)
{
    c->since_s = own(c)->completed_s;
    c->detail = vm(c)->vm;
    return c->look->s->ending == WM_ENDING_FAILED && vm(c)->snapshot && vm(c)->cleans_up;
}

#define HERE WM_ROLE(MIGRATION), WM_KIND_VMMIGRATION, WM_WAITS_FOR(NOTHING) | WM_AFTER_END
#define SOURCE "projectbeskar/virtrigaud internal/controller/vmmigration_controller.go"
#define DESCRIBE "{kubectl} describe vmmigration {migration}"

const struct wm_cause wm_causes_vm_end[] = {
    {"VmMountTimedOut", HERE, did_not_mount, WM_STOPS, WM_CERTAIN, WM_T_SIGNAL, 2,
     "The providers had not mounted the PVC in time",
     "{object} failed because its providers had not mounted its PVC in time: {quote}",
     "mend what kept their new pods from being ready, delete the VMMigration, and make it anew under another "
     "name; s3 and nfs storage need no mounting:\n"
     "{kubectl} get pods -l app.kubernetes.io/name=virtrigaud-provider -o wide\n" DESCRIBE,
     SOURCE},
    {"VmOwnClaimGone", HERE, lacked_own_claim, WM_STOPS, WM_CERTAIN, WM_T_SIGNAL, 6,
     "The user's PVC is not there",
     "{object} failed because the PVC {detail} that its spec names is not there; deleting a VMMigration that "
     "named it "
     "deletes it, too: {quote}",
     "restore it from a backup, or let VirtRigaud make one (without spec.storage.pvc.name):\n"
     "{kubectl} get pvc\n" DESCRIBE,
     SOURCE},
    {"VmMigrationFailed", HERE, failed_at_all, WM_STOPS, WM_POSSIBLE, WM_T_SIGNAL, 1,
     "The VMMigration has failed", "{object} failed in the phase {detail}: {quote}",
     "mend what the message names, delete it, and make it anew:\n" DESCRIBE, SOURCE},
    {"VmCleanupStuck", HERE | WM_APART, does_not_clean_up, WM_THREATENS, WM_LIKELY, WM_T_TIDY, 2,
     "What a VMMigration needed is never tidied up",
     "{object} has moved its machine, and VirtRigaud cannot delete the copied disk{detail}: its manager does "
     "not "
     "have the storage mounted, tries again every five minutes, and gets no further",
     "delete the snapshot on the source by hand, then the VMMigration, and the PVC goes with it (all "
     "providers are "
     "restarted then); with spec.options.cleanupPolicy Never it is not tried at all:\n"
     "{kubectl} get vmmigration {migration} -o jsonpath='{.status.snapshotID}'\n"
     "{kubectl} delete vmmigration {migration}",
     "projectbeskar/virtrigaud internal/storage/pvc.go"},
    {"VmSnapshotLeft", HERE | WM_APART, left_snapshot, WM_THREATENS, WM_LIKELY, WM_T_TIDY, 1,
     "A failed VMMigration has left its snapshot on the source",
     "{object} has failed and left its snapshot of the machine {detail} on the source, which grows until it "
     "is "
     "deleted",
     "delete the snapshot by hand, with the means of the source's hypervisor:\n"
     "{kubectl} get vmmigration {migration} -o jsonpath='{.status.snapshotID}'",
     "projectbeskar/virtrigaud#236"},
    {0},
};
