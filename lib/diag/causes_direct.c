/* Direct volume and image migrations. */
#include <string.h>

#include "causes.h"
#include "situation_impl.h"

/* --- conditions of the DirectVolumeMigration --- */

/* What has no time of its own stands since the phase began at the most: with each progress it would begin
 * anew otherwise. */
static int64_t phase_s(const struct wm_clue *c)
{
    return c->look->s->ending == WM_ENDING_NONE ? c->look->s->state->since_s : c->look->s->state->completed_s;
}

static bool has_note(struct wm_clue *c, const char *const types[])
{
    return wm_clue_note(c, wm_note_of(&wm_dvm_of(c->r)->notes, types));
}

static bool waits_for_pods(struct wm_clue *c)
{
    static const char *const types[] = {"RsyncTransferPodsPending", "RsyncClientPodsPending",
                                        "StunnelClientPodsPending", "FailedCreatingRsyncPods",
                                        "FailedDeletingRsyncPods",  NULL};

    return has_note(c, types);
}

static bool waits_for_route(struct wm_clue *c)
{
    static const char *const types[] = {"RsyncRouteNotAdmitted", NULL};

    return has_note(c, types);
}

static const char *const unconnected[] = {"SourceToDestinationNetworkError", NULL};

static bool is_unconnected(struct wm_clue *c)
{
    return has_note(c, unconnected);
}

static const char *const otherwise_said[] = {"SourceToDestinationNetworkError", "Failed", NULL};

/* Any other condition that blocks it: it does nothing then, and the migration waits for it. */
static bool is_blocked(struct wm_clue *c)
{
    const struct wm_dvm_state *dvm = wm_dvm_of(c->r);
    const struct wm_note *note = wm_note_blocking(&dvm->notes);

    return note && !wm_note_of(&dvm->notes, otherwise_said) && wm_clue_note(c, note);
}

static bool is_terminating(struct wm_clue *c)
{
    static const char part[] = "being terminated";
    const struct wm_dvm_state *dvm = wm_dvm_of(c->r);

    if (strstr(dvm->first_error, part))
        c->quote = dvm->first_error;
    for (size_t i = 0; i < dvm->notes.n && !c->quote; i++)
        if (strstr(dvm->notes.list[i].message, part))
            wm_clue_note(c, &dvm->notes.list[i]);
    if (!c->since_s)
        c->since_s = phase_s(c);
    return c->quote;
}

/* --- how rsync ended --- */

/* The exit codes of rsync (its manual, EXIT VALUES). */
enum {
    EXIT_SOCKET = 10,
    EXIT_FILE_IO = 11,
    EXIT_PROTOCOL = 12,
    EXIT_PARTIAL = 23,
    EXIT_VANISHED = 24,
    EXIT_IO_TIMEOUT = 30,
    EXIT_CONNECT_TIMEOUT = 35
};

enum ended { ENDED_WELL, NO_CONNECTION, NO_ROOM, NO_PERMISSION, VANISHED, OTHERWISE };

static enum ended end_of(const struct wm_rsync_state *r)
{
    switch (r->exit_code) {
    case -1:
    case 0:
        return ENDED_WELL;
    case EXIT_SOCKET:
    case EXIT_PROTOCOL:
    case EXIT_IO_TIMEOUT:
    case EXIT_CONNECT_TIMEOUT:
        return strstr(r->log, "No space left") ? NO_ROOM : NO_CONNECTION;
    case EXIT_FILE_IO:
        return NO_ROOM;
    case EXIT_PARTIAL:
        return strstr(r->log, "No space left") ? NO_ROOM : NO_PERMISSION;
    case EXIT_VANISHED:
        return VANISHED;
    default:
        return OTHERWISE;
    }
}

/* After the end: only where a volume is missing for it. */
static bool is_of_interest(const struct wm_clue *c)
{
    enum wm_ending e = c->look->s->ending;

    return e == WM_ENDING_NONE ||
           (wm_judge(c->look->w, c->r).faulty && (e == WM_ENDING_FAILED || e == WM_ENDING_DATA_NOT_MIGRATED ||
                                                  e == WM_ENDING_SUCCEEDED_WITH_WARNINGS));
}

static bool has_ended(struct wm_clue *c, enum ended how)
{
    const struct wm_rsync_state *r = wm_rsync_of(c->r);

    if (end_of(r) != how || !is_of_interest(c))
        return false;
    c->since_s = phase_s(c);
    c->quote = r->log[0] ? r->log : "its log tells nothing";
    wm_clue_detail(c, "rsync pod %s/%s on cluster %s ended with exit code %d", r->pod_namespace, r->pod,
                   r->cluster[0] ? r->cluster : c->look->s->source_name, r->exit_code);
    return true;
}

static bool lost_connection(struct wm_clue *c)
{
    return has_ended(c, NO_CONNECTION);
}

static bool ran_out_of_room(struct wm_clue *c)
{
    return has_ended(c, NO_ROOM);
}

static bool lacked_permission(struct wm_clue *c)
{
    return has_ended(c, NO_PERMISSION);
}

static bool saw_files_vanish(struct wm_clue *c)
{
    return has_ended(c, VANISHED);
}

static bool failed_otherwise(struct wm_clue *c)
{
    return has_ended(c, OTHERWISE);
}

static bool has_few_attempts_left(struct wm_clue *c)
{
    const struct wm_dvm_state *dvm = wm_dvm_of(c->r);

    if (dvm->attempt * 2 <= dvm->attempts || wm_judge(c->look->w, c->r).ended)
        return false;
    c->since_s = phase_s(c);
    wm_clue_detail(c, "%s/%s: more than half of its %d attempts are used up", dvm->claim_namespace,
                   dvm->claim, dvm->attempts);
    return true;
}

/* --- the end --- */

static bool is_unnoticed(struct wm_clue *c)
{
    const struct wm_dvm_state *dvm = wm_dvm_of(c->r);
    const struct wm_note *failed = wm_note_of(&dvm->notes, otherwise_said);

    if (c->look->s->failed_dvm != c->r)
        return false;
    c->since_s = failed ? failed->since_s : 0;
    c->detail = dvm->failed_at[0] ? dvm->failed_at : "not told";
    c->quote = dvm->first_error[0]            ? dvm->first_error
               : failed && failed->message[0] ? failed->message
                                              : "it lists no error";
    return true;
}

/* --- images --- */

static bool has_blocked_images(struct wm_clue *c)
{
    const struct wm_image_state *i = wm_image_of(c->r);

    c->since_s = i->blocked_s;
    c->detail = i->blocker;
    c->quote = i->why[0] ? i->why : i->blocker;
    return i->blocker[0] && c->look->s->ending == WM_ENDING_NONE;
}

static bool has_failed_images(struct wm_clue *c)
{
    const struct wm_image_state *i = wm_image_of(c->r);

    c->since_s = phase_s(c);
    c->quote = i->error[0] ? i->error : "it lists no error";
    return i->failed;
}

#define OF_DVM WM_ROLE(WORK), WM_KIND_DVM, WM_WAITS_FOR(VOLUMES)
#define OF_DVMP WM_ROLE(WORK), WM_KIND_DVMP, WM_WAITS_FOR(VOLUMES) | WM_AFTER_END
#define DVM "mig-controller pkg/controller/directvolumemigration/"

const struct wm_cause wm_causes_direct[] = {
    {"DestinationNamespaceTerminating", WM_ROLE(WORK), WM_KIND_DVM, WM_ANY_WAIT | WM_AFTER_END,
     is_terminating, WM_STOPS, WM_CERTAIN, WM_T_SIGNAL, 7, "A namespace on the target is still being deleted",
     "{object} cannot copy into a namespace that is being deleted: {quote}",
     "wait until it is gone, or clear the finalizers of what is left in it, then start a new migration:\n"
     "kubectl --context {target} get namespaces --field-selector status.phase=Terminating\n"
     "kubectl --context {target} describe namespace NAME",
     DVM "namespace.go"},
    {"RsyncNetwork", OF_DVM | WM_AFTER_END, is_unconnected, WM_STOPS, WM_CERTAIN, WM_T_SIGNAL, 6,
     "rsync does not reach the target cluster",
     "rsync cannot connect from cluster {source} to cluster {target} since {seen} ({object}): {quote}",
     "open the way from the source's application namespaces to the target's router: NetworkPolicy, "
     "EgressNetworkPolicy, "
     "firewall, proxy (the MigrationController's stunnel_tcp_proxy); then start a new migration:\n"
     "{kubectl} describe dvm {name}",
     DVM "rsync.go, mig-operator docs/usage/DVMNetworking.md"},
    {"RsyncRouteNotAdmitted", OF_DVM, waits_for_route, WM_STOPS, WM_CERTAIN, WM_T_SIGNAL, 5,
     "The router does not accept the Route for rsync",
     "the Route for rsync is not admitted on cluster {target} since {seen} ({object}): {quote}",
     "see why (host name too long or taken, quota): set cluster_subdomain in the MigrationController, or "
     "another endpoint "
     "type; the migration goes on by itself:\n"
     "{kubectl} describe dvm {name}",
     DVM "task.go"},
    {"RsyncPodsPending", OF_DVM, waits_for_pods, WM_STOPS, WM_LIKELY, WM_T_SIGNAL, 2,
     "rsync's pods do not start",
     "the pods that copy the volumes of {object} do not start since {seen} ({detail}): {quote}",
     "see what keeps them (scheduling, volumes, image, node selector of the namespace); the migration goes "
     "on by itself:\n"
     "{kubectl} describe dvm {name}",
     DVM "rsync.go, mig-controller#839, mig-controller#868"},
    {"DirectVolumeBlocked", OF_DVM, is_blocked, WM_STOPS, WM_CERTAIN, WM_T_SIGNAL, 4,
     "A condition blocks the copying of volumes",
     "{object} is blocked since {seen}, and the migration waits for it without end: {detail}: {quote}",
     "mend what the condition complains of, or cancel the migration:\n"
     "{kubectl} describe dvm {name}\n"
     "{cancel}",
     DVM "validation.go"},
    {"RsyncNoSpace", OF_DVMP, ran_out_of_room, WM_THREATENS, WM_LIKELY, WM_T_SIGNAL, 6,
     "rsync cannot write: the volume may be full",
     "{detail}, for it could not write its files, as on a volume that is full: {quote}",
     "give the target's claim more room (MigPlan: proposedCapacity), then start a new migration:\n"
     "{kubectl} edit migplan {plan}",
     "rsync(1) exit code 11, " DVM "rsync.go"},
    {"RsyncPermission", OF_DVMP, lacked_permission, WM_THREATENS, WM_LIKELY, WM_T_SIGNAL, 6,
     "rsync may not read or write some files",
     "{detail}, for it could not read or write all files (their permissions, or an NFS server that squashes "
     "root): {quote}",
     "let rsync run as root (migration_rsync_privileged in the MigrationController, or spec.runAsRoot of the "
     "migration), "
     "then start a new migration:\n"
     "{kubectl} edit migrationcontroller",
     "rsync(1) exit code 23, " DVM "rsync.go"},
    {"RsyncVanished", OF_DVMP, saw_files_vanish, WM_THREATENS, WM_LIKELY, WM_T_SIGNAL, 6,
     "Files vanish while rsync copies",
     "{detail}, for files vanished while it copied them: the application still writes: {quote}",
     "stop the application before, or make the final migration with quiescePods; a stage migration may leave "
     "this to "
     "the final one:\n"
     "{kubectl} describe dvmp {name}",
     "rsync(1) exit code 24, mig-controller#924"},
    {"RsyncConnectionLost", OF_DVMP, lost_connection, WM_THREATENS, WM_LIKELY, WM_T_SIGNAL, 5,
     "rsync loses its connection",
     "{detail}, for it lost or never got its connection to cluster {target}: {quote}",
     "see to the way from the source's namespaces to the target's router (NetworkPolicy, firewall, proxy, "
     "idle timeout) "
     "and to the rsync server pods:\n"
     "{kubectl} describe dvmp {name}",
     "rsync(1) exit codes 10, 12, 30, 35, mig-operator docs/usage/DVMNetworking.md"},
    {"RsyncFails", OF_DVMP, failed_otherwise, WM_THREATENS, WM_POSSIBLE, WM_T_SIGNAL, 4, "rsync fails",
     "{detail}: {quote}",
     "read its log:\n"
     "{kubectl} describe dvmp {name}",
     "rsync(1) EXIT VALUES"},
    {"RsyncAttemptsLeft", OF_DVM, has_few_attempts_left, WM_THREATENS, WM_LIKELY, WM_T_SIGNAL, 1,
     "rsync fails again and again",
     "rsync does not get the volume {detail}; after the last one the volumes count as failed ({object})",
     "see why the attempts fail, and mend that before the last one:\n"
     "{kubectl} describe dvm {name}",
     DVM "rsync.go"},
    {"DataNotMigrated", WM_ROLE(WORK), WM_KIND_DVM, WM_ANY_WAIT | WM_AFTER_END, is_unnoticed, WM_STOPS,
     WM_CERTAIN, WM_T_SIGNAL, 2, "A success without its data",
     "{migration} calls itself succeeded, but {object} failed in its phase {detail}: not all volumes were "
     "copied: {quote}",
     "do not delete the source; find what failed, mend it, and migrate again:\n"
     "{kubectl} describe dvm {name}",
     DVM "rsync.go, mig-controller pkg/controller/migmigration/dvm.go"},
    {"DirectImageBlocked", WM_ROLE(WORK), WM_KIND_DIM, WM_WAITS_FOR(IMAGES), has_blocked_images, WM_STOPS,
     WM_CERTAIN, WM_T_SIGNAL, 4, "A condition blocks the copying of images",
     "{object} is blocked since {seen}, and the migration waits for it without end: {detail}: {quote}",
     "mend what the condition complains of (registry path, Route), or cancel the migration:\n"
     "{kubectl} describe dim {name}\n"
     "{cancel}",
     "mig-controller pkg/controller/directimagemigration/validation.go"},
    {"ImageStreamFailed", WM_ROLE(WORK), WM_KIND_DISM, WM_WAITS_FOR(IMAGES) | WM_AFTER_END, has_failed_images,
     WM_THREATENS, WM_LIKELY, WM_T_SIGNAL, 4, "The images of a stream were not copied",
     "{object} failed; the migration goes on without these images: {quote}",
     "see what failed; copy the images by hand, or mend it and migrate again:\n"
     "{kubectl} describe dism {name}",
     "mig-controller pkg/controller/directimagestreammigration, mig-controller#789"},
    {0},
};
