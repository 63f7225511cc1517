/* VMMigrations: their exports and imports, while they last and when they fail.  Of a copy in one call nothing
 * is to be seen but its begin and its end (virtrigaud internal/transport/grpc/client.go). */
#include <stdio.h>
#include <string.h>

#include "causes.h"
#include "vm_look.h"
#include "waymark/restarts.h"
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

/* --- restarts of its provider --- */

/* The youngest one that it is a victim of. */
struct blow {
    const struct wm_restart *restart;
    const struct wm_victim *victim;
};

static struct blow blow_of(const struct wm_clue *c)
{
    enum { RESTARTS_MAX = 32 };
    const struct wm_restart *list[RESTARTS_MAX];
    const struct wm_vm_state *vm = c->look->s->vm;
    size_t n = c->look->w->ledger ? wm_ledger_of(c->look->w->ledger, vm, list, RESTARTS_MAX) : 0;
    struct blow blow = {NULL, NULL};

    for (size_t i = 0; i < n; i++) {
        const struct wm_victim *v = wm_restart_victim(list[i], vm->m.uid);

        if (v)
            blow = (struct blow){list[i], v};
    }
    return blow;
}

/* By whom it was dealt, in words: who did it may be gone. */
static void tell_blow(struct wm_clue *c, const struct wm_restart *r)
{
    const struct wm_culprit *who = r->n_culprits ? &r->culprits[0] : NULL;
    const struct wm_model *m = c->look->w->model;

    if (!who)
        wm_clue_detail(c, "provider %s (%s)", r->provider, wm_restart_kind_name(r->kind));
    else if (!who->migration[0])
        wm_clue_detail(c, "provider %s, for PVC %s, which belongs to nobody", r->provider, who->claim);
    else
        wm_clue_detail(c, "provider %s, for PVC %s of VMMigration %s, which %s", r->provider, who->claim,
                       who->migration, who->deleted ? "went" : "came");
    c->other = who ? wm_model_find_named(m, 0, WM_KIND_VMMIGRATION, r->namespace_, who->migration) : NULL;
}

static bool is_at_risk(struct wm_clue *c)
{
    struct blow blow = blow_of(c);

    if (!is_running(c) || !blow.restart || !blow.restart->let_go_s ||
        strcmp(blow.victim->phase, own(c)->phase) != 0 || blow.restart->let_go_s < own(c)->since_s)
        return false;
    c->since_s = blow.restart->let_go_s;
    tell_blow(c, blow.restart);
    return true;
}

/* The providers' rollouts for nothing: PVCs in another order. */
static bool churns(struct wm_clue *c)
{
    enum { RESTARTS_MAX = 32 };
    const struct wm_restart *list[RESTARTS_MAX], *last = NULL;
    size_t n = c->look->w->ledger ? wm_ledger_of(c->look->w->ledger, c->look->s->vm, list, RESTARTS_MAX) : 0;

    for (size_t i = 0; i < n; i++)
        if (list[i]->cause == WM_RESTART_CHURN)
            last = list[i];
    if (!is_running(c) || !last)
        return false;
    c->since_s = last->begun_s;
    c->until_s = last->begun_s + c->look->thresholds->s[WM_T_TIDY];
    wm_clue_detail(c, "provider %s", last->provider);
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

static bool was_interrupted(struct wm_clue *c)
{
    struct blow blow = blow_of(c);

    if (!has_failed(c) || !blow.victim || !blow.victim->failed)
        return false;
    tell_blow(c, blow.restart);
    return true;
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
    {"VmCopyAtRisk", HERE, WM_VM_COPIES, is_at_risk, WM_THREATENS, WM_LIKELY, WM_T_SIGNAL, 3,
     "The provider that copies is being restarted",
     "the pod in which {object} is copied was told to end at {seen}, which cuts the copying after half a "
     "minute "
     "({detail})",
     "begin no other migration there, and delete none, while one is copied:\n" DESCRIBE,
     "projectbeskar/virtrigaud sdk/provider/server/server.go"},
    {"ProviderChurn", HERE, WM_VM_WAITS | WM_APART, churns, WM_THREATENS, WM_LIKELY, WM_T_SIGNAL, 2,
     "Providers are rolled out again and again for nothing",
     "{detail} of {object} was rolled out only because its PVCs stand in another order in the template, "
     "which cuts what "
     "is copied; that goes on as long as two migrations of the namespace have PVCs",
     "finish or delete one of them, or take s3 or nfs storage, which need no PVC:\n"
     "{kubectl} get pvc -l virtrigaud.io/component=migration-storage",
     "projectbeskar/virtrigaud internal/controller/provider_controller.go"},
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
    {"VmCopyInterrupted", HERE, ENDED, was_interrupted, WM_STOPS, WM_LIKELY, WM_T_SIGNAL, 7,
     "A restart of its provider has interrupted the copying",
     "{object} failed because its provider was restarted while it copied: {detail}; {quote}", AGAIN DESCRIBE,
     "projectbeskar/virtrigaud sdk/provider/server/server.go"},
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
