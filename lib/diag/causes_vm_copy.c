/* VMMigrations: their exports and imports, while they last and when they fail.  Of a copy in one call nothing
 * is to be seen but its begin and its end (virtrigaud internal/transport/grpc/client.go). */
#include <stdio.h>
#include <string.h>

#include "causes.h"
#include "vm_look.h"
#include "waymark/time.h"

static const struct wm_migration_state *own(const struct wm_clue *c)
{
    return c->look->s->state;
}

static bool is_running(const struct wm_clue *c)
{
    return c->look->s->ending == WM_ENDING_NONE;
}

/* --- time --- */

static int64_t copy_s(const struct wm_clue *c)
{
    return own(c)->since_s ? own(c)->since_s : c->look->still_since_s;
}

static bool comes_to_its_end(struct wm_clue *c)
{
    char time[WM_TIME_SIZE];

    if (!is_running(c) || c->look->s->vm->task)
        return false;
    c->since_s = copy_s(c);
    c->due_s = c->since_s + WM_VM_COPY_S / 4 * 3;
    c->until_s = c->since_s + WM_VM_COPY_S;
    wm_time_print(c->until_s, time);
    wm_clue_detail(c, "%s", time);
    return true;
}

static bool hangs(struct wm_clue *c)
{
    if (!is_running(c))
        return false;
    c->since_s = copy_s(c);
    c->due_s = c->since_s + WM_VM_COPY_S + c->look->thresholds->s[WM_T_STARTUP];
    c->detail = c->look->s->vm->task
                    ? "it is asked for as a task, and a provider that forgot the task is asked for ever"
                    : "VirtRigaud's manager is down, or was restarted and has begun anew";
    return true;
}

static bool has_failed(struct wm_clue *c)
{
    c->since_s = own(c)->completed_s;
    c->quote = own(c)->message;
    return c->look->s->ending == WM_ENDING_FAILED;
}

/* What a call says whose other end went away, and what VirtRigaud says where nobody is at the other end
 * (internal/runtime/remote/resolver.go). */
static bool was_cut(const struct wm_clue *c)
{
    static const char *const texts[] = {"Unavailable",
                                        "EOF",
                                        "connection refused",
                                        "remote provider validation failed",
                                        "remote provider runtime is not ready",
                                        "Failed to get provider instance",
                                        NULL};

    for (size_t i = 0; texts[i]; i++)
        if (strstr(own(c)->message, texts[i]))
            return true;
    return false;
}

static bool lost_its_provider(struct wm_clue *c)
{
    return has_failed(c) && was_cut(c);
}

/* --- what the message says --- */

static bool ran_out_of_time(struct wm_clue *c)
{
    return has_failed(c) && strstr(own(c)->message, "DeadlineExceeded");
}

static bool may_not_write(struct wm_clue *c)
{
    return has_failed(c) &&
           (strstr(own(c)->message, "permission denied") || strstr(own(c)->message, "read-only file system"));
}

/* An old URL has no PVC's name in it, so the first part of its path is taken for one. */
static bool has_old_url(struct wm_clue *c)
{
    return has_failed(c) && strstr(own(c)->message, "PVC mount path does not exist") &&
           strstr(own(c)->message, "/migration-storage/vmmigrations");
}

static bool lacks_mount(struct wm_clue *c)
{
    return has_failed(c) && strstr(own(c)->message, "PVC mount path does not exist") && !has_old_url(c);
}

#define HERE WM_ROLE(MIGRATION), WM_KIND_VMMIGRATION
#define ENDED WM_WAITS_FOR(NOTHING) | WM_AFTER_END
#define CLIENT "projectbeskar/virtrigaud internal/transport/grpc/client.go"
#define DESCRIBE "{kubectl} describe vmmigration {migration}"
#define AGAIN                                                                                                \
    "make it anew when nothing else begins or is deleted in the namespace; with spec.options.retryPolicy "   \
    "it tries "                                                                                              \
    "again by itself, and s3 or nfs storage restarts no provider:\n"

const struct wm_cause wm_causes_vm_copy[] = {
    {"VmCopyNearDeadline", HERE, WM_VM_COPIES, comes_to_its_end, WM_THREATENS, WM_LIKELY, WM_T_SIGNAL, 2,
     "The half hour for copying a disk runs out",
     "the copying of {object} is cut at {detail}, after half an hour, and the migration fails then",
     "nothing helps this one; a smaller disk or a faster way does the next:\n" DESCRIBE, CLIENT},
    {"VmCopyHangs", HERE, WM_VM_COPIES, hangs, WM_STOPS, WM_LIKELY, WM_T_SIGNAL, 3,
     "A disk is copied for longer than is possible",
     "{object} is in {phase} since {seen}, for more than the half hour that it may take, and has not failed: "
     "{detail}",
     "look at VirtRigaud's manager and at the provider; when nothing is copied, restart the provider, delete "
     "the "
     "VMMigration and make it anew:\n" WM_VM_MANAGER_PODS "\n"
     "{kubectl} logs -l app.kubernetes.io/name=virtrigaud-provider --since=1h --prefix\n"
     "{kubectl} delete vmmigration {migration}",
     CLIENT},
    {"VmProviderLost", HERE, ENDED, lost_its_provider, WM_STOPS, WM_LIKELY, WM_T_SIGNAL, 3,
     "A provider did not answer",
     "{object} failed because a provider did not answer, and a moment of that is enough: {quote}",
     "see why the provider was away, then " AGAIN
     "{kubectl} get pods -l app.kubernetes.io/name=virtrigaud-provider -o wide\n" DESCRIBE,
     "projectbeskar/virtrigaud internal/runtime/remote/resolver.go"},
    {"VmCopyTimedOut", HERE, ENDED, ran_out_of_time, WM_STOPS, WM_CERTAIN, WM_T_SIGNAL, 5,
     "A disk was not copied within half an hour",
     "{object} failed because its disk was not copied within the half hour that VirtRigaud gives it: {quote}",
     "make the disk smaller, or the way faster (storage, network, compression), and make it anew:\n" DESCRIBE,
     CLIENT},
    {"VmStorageNotWritable", HERE, ENDED, may_not_write, WM_STOPS, WM_LIKELY, WM_T_SIGNAL, 5,
     "A provider may not write to the storage between both",
     "{object} failed because a provider may not write to the storage between both: {quote}",
     "providers run as user 65532 and without fsGroup: let that user write (export options of the NFS "
     "server, "
     "mount options of the class), and take no read-only access mode:\n"
     "{kubectl} get pvc -l virtrigaud.io/component=migration-storage\n" DESCRIBE,
     "projectbeskar/virtrigaud internal/controller/provider_controller.go"},
    {"VmUrlOld", HERE, ENDED, has_old_url, WM_STOPS, WM_LIKELY, WM_T_SIGNAL, 6,
     "Manager and provider are of versions that do not fit",
     "{object} failed because the place of its disk was written in an old form, which has no PVC in it: "
     "{quote}",
     "run the manager and all providers in the same version, and make it anew:\n"
     "{kubectl} get providers -o custom-columns=NAME:.metadata.name,IMAGE:.spec.runtime.image\n" DESCRIBE,
     "projectbeskar/virtrigaud internal/controller/vmmigration_controller.go"},
    {"VmNotMounted", HERE, ENDED, lacks_mount, WM_STOPS, WM_LIKELY, WM_T_SIGNAL, 5,
     "A provider has not mounted the PVC",
     "{object} failed because a provider has not mounted its PVC: {quote}",
     "see whether both providers are in the migration's namespace, and have the PVC in their template:\n"
     "{kubectl} get providers,pods -l app.kubernetes.io/name=virtrigaud-provider\n" DESCRIBE,
     "projectbeskar/virtrigaud#229"},
    {0},
};
