/* Velero takes one Backup, and one Restore, after the other: what goes first, and what does not go at all. */
#include <string.h>

#include "causes_velero.h"
#include "situation_impl.h"
#include "waymark/time.h"

static const char *const not_begun[] = {"", "New", "Queued", NULL};

static bool is_awaited(const struct wm_clue *c)
{
    return c->r == c->look->s->awaited && (c->r->kind == WM_KIND_BACKUP || c->r->kind == WM_KIND_RESTORE);
}

/* --- stale ones --- */

/* Velero was restarted after it had begun with it. */
static bool is_abandoned(const struct wm_clue *c, const struct wm_record *r, int64_t *at_s)
{
    return wm_server_since(c->look, r->cluster, at_s) && *at_s > wm_begun_s(r);
}

/* From when on it will not end: when Velero forgot it, or when it has run for longer than Velero waits for
 * volumes; 0 = never. */
static int64_t stale_s(const struct wm_clue *c, const struct wm_record *r)
{
    enum { GRACE = 600 };
    int64_t timeout_s = wm_pod_volume_timeout_s(c->look->w, r), at_s;

    if (!wm_phase_is(c->look->w, r, "InProgress"))
        return 0;
    if (is_abandoned(c, r, &at_s))
        return at_s;
    return timeout_s ? wm_begun_s(r) + timeout_s + GRACE : 0;
}

static bool holds_all_up(struct wm_clue *c)
{
    int64_t at_s = c->r->kind == WM_KIND_MIGMIGRATION ? 0 : stale_s(c, c->r);
    char time[WM_TIME_SIZE];

    if (!at_s)
        return false;
    c->other = c->look->s->awaited;
    c->since_s = c->other->created_s;
    c->due_s = c->since_s + c->look->thresholds->s[WM_T_QUEUE];
    if (c->due_s < at_s)
        c->due_s = at_s;
    if (is_abandoned(c, c->r, &at_s)) {
        wm_time_print(at_s, time);
        wm_clue_detail(c, "Velero was restarted at %s, and takes it up no more", time);
    } else {
        wm_time_print(wm_begun_s(c->r), time);
        wm_clue_detail(c, "it has run since %s, longer than Velero waits for volumes", time);
    }
    return wm_is_one_of(wm_clue_phase(c, c->other), not_begun);
}

static bool was_cut_off(struct wm_clue *c)
{
    char time[WM_TIME_SIZE];
    int64_t at_s;

    if (c->r->kind != WM_KIND_BACKUP && c->r->kind != WM_KIND_RESTORE)
        return false;
    if (!wm_phase_is(c->look->w, c->r, "InProgress") || !wm_server_since(c->look, c->r->cluster, &at_s) ||
        at_s <= wm_begun_s(c->r))
        return false;
    c->since_s = at_s;
    wm_time_print(at_s, time);
    wm_clue_detail(c, "its pod runs only since %s", time);
    return true;
}

/* --- the line --- */

/* What Velero works on; of several the first. */
static const struct wm_record *ahead_of(const struct wm_clue *c)
{
    const struct wm_record *found = NULL;

    for (size_t i = 0; i < c->look->n; i++) {
        const struct wm_suspect *s = &c->look->suspects[i];

        if (s->role == WM_ROLE_AHEAD && s->record->kind == c->r->kind && wm_is_begun(c->look->w, s->record) &&
            (!found || wm_record_order(s->record, found) < 0))
            found = s->record;
    }
    return found;
}

static bool waits_in_line(struct wm_clue *c)
{
    const struct wm_record *m;

    if (!is_awaited(c) || !wm_is_one_of(wm_clue_phase(c, c->r), not_begun))
        return false;
    c->other = ahead_of(c);
    if (!c->other)
        return false;
    c->since_s = c->r->created_s;
    c->until_s = stale_s(c, c->other);
    m = wm_model_find(c->look->w->model, 0, c->other->parent);
    wm_clue_detail(c, m ? " of migration %s" : "%s", m ? wm_record_name(m) : "");
    return true;
}

static bool is_not_taken_up(struct wm_clue *c)
{
    if (!is_awaited(c) || !wm_is_one_of(wm_clue_phase(c, c->r), not_begun) || ahead_of(c) ||
        wm_phase_is(c->look->w, c->r, "Queued"))
        return false;
    c->since_s = c->r->created_s;
    return true;
}

static bool is_queued_for_nothing(struct wm_clue *c)
{
    if (!is_awaited(c) || !wm_phase_is(c->look->w, c->r, "Queued") || ahead_of(c))
        return false;
    c->since_s = c->r->created_s;
    return true;
}

/* Volumes have their own rows. */
static bool stands_still(struct wm_clue *c)
{
    int64_t begun_s = wm_begun_s(c->r), still_s = c->look->still_since_s;

    if (!is_awaited(c) || !wm_phase_is(c->look->w, c->r, "InProgress") ||
        wm_has_open_volumes(c->look->w, c->r))
        return false;
    c->since_s = still_s > begun_s ? still_s : begun_s;
    return true;
}

static bool is_forgotten(struct wm_clue *c)
{
    int64_t at_s;

    if (!wm_phase_is(c->look->w, c->r, "ReadyToStart") || c->r->kind != WM_KIND_BACKUP ||
        !wm_server_since(c->look, c->r->cluster, &at_s) || at_s <= c->r->created_s)
        return false;
    c->since_s = at_s;
    return true;
}

/* --- at their end --- */

struct others {
    const struct wm_clue *c;
    const char *phase;
    const struct wm_record *found;
};

static void look_at_other(void *ctx, const struct wm_record *r)
{
    struct others *o = ctx;

    if (r != o->c->r && r->cluster == o->c->r->cluster && r->namespace_ == o->c->r->namespace_ &&
        wm_phase_is(o->c->look->w, r, o->phase) && (!o->found || wm_record_order(r, o->found) < 0))
        o->found = r;
}

static const struct wm_record *other_in(const struct wm_clue *c, const char *phase)
{
    struct others o = {c, phase, NULL};

    wm_model_each(c->look->w->model, (enum wm_kind)c->r->kind, look_at_other, &o);
    return o.found;
}

static bool does_not_finish(struct wm_clue *c)
{
    static const char *const finalizing[] = {"Finalizing", "FinalizingPartiallyFailed", NULL};

    if (!is_awaited(c) || !wm_is_one_of(wm_clue_phase(c, c->r), finalizing))
        return false;
    c->other = other_in(c, "Finalizing");
    wm_clue_detail(c, "%s%s", c->other ? "; also Finalizing is Restore " : "",
                   c->other ? wm_record_name(c->other) : "");
    return true;
}

static bool does_not_go(struct wm_clue *c)
{
    if (!c->r->going || !wm_velero_of(c->r)->going_s)
        return false;
    c->since_s = wm_velero_of(c->r)->going_s;
    c->due_s =
        c->look->still_since_s + c->look->thresholds->s[WM_T_SYNC]; /* most phases do not wait for it */
    c->other = other_in(c, "InProgress");
    wm_clue_detail(c, "%s%s",
                   c->other ? "its clean-up waits until Velero is done with Restore "
                            : "its clean-up in the storage does not end",
                   c->other ? wm_record_name(c->other) : "");
    return true;
}

const struct wm_cause wm_causes_velero_queue[] = {
    {"StaleVeleroObject", WM_ROLE(AHEAD), WM_KIND_NONE, WM_WAITS_FOR(BACKUP) | WM_WAITS_FOR(RESTORE),
     holds_all_up, WM_STOPS, WM_LIKELY, WM_T_QUEUE, 5,
     "A Backup or Restore that will not end holds up Velero", "{object} holds up {other}: {detail}",
     "delete it and restart Velero, unless it still moves:\n"
     "{kubectl} get {kind} {name} -o yaml\n"
     "{kubectl} delete {kind} {name}\n"
     "{kubectl} rollout restart deployment/velero",
     "vmware-tanzu/velero#3852; migtools/mig-controller#743"},
    {"VeleroRestartedMidway", WM_ROLE(WORK), WM_KIND_NONE, WM_ANY_WAIT, was_cut_off, WM_STOPS, WM_LIKELY,
     WM_T_STARTUP, 5, "Velero was restarted while it worked on it",
     "Velero was restarted while it worked on {object} ({detail}), and takes it up no "
     "more",
     "cancel the migration, delete the rest, and start again; find out why Velero was restarted:\n" CANCEL
     "\n"
     "{kubectl} delete {kind} {name}\n"
     "{kubectl} logs deployment/velero --previous",
     "vmware-tanzu/velero pkg/cmd/server/server.go; vmware-tanzu/velero#8276"},
    {"VeleroQueue", WM_ROLE(WORK), WM_KIND_NONE, WM_WAITS_FOR(BACKUP) | WM_WAITS_FOR(RESTORE), waits_in_line,
     WM_WAITS, WM_CERTAIN, WM_T_STARTUP, 2, "Velero does another Backup or Restore first",
     "{object} waits until Velero is done with {other}{detail}",
     "wait; how far the other one is:\n"
     "{other.kubectl} get {other.kind} {other.name} -o jsonpath='{.status}'",
     "vmware-tanzu/velero pkg/controller/restore_controller.go"},
    {"VeleroIdle", WM_ROLE(WORK), WM_KIND_NONE, WM_WAITS_FOR(BACKUP) | WM_WAITS_FOR(RESTORE), is_not_taken_up,
     WM_STOPS, WM_LIKELY, WM_T_QUEUE, 1, "Velero does not take up a Backup or Restore",
     "Velero has not taken up {object}, and works on no other {kind} there",
     "look at its log (a line with forbidden: its rights), then restart it:\n"
     "{kubectl} logs deployment/velero --since=1h\n"
     "{kubectl} rollout restart deployment/velero",
     "vmware-tanzu/velero pkg/controller/restore_controller.go"},
    {"VeleroItemsStuck", WM_ROLE(WORK), WM_KIND_NONE, WM_WAITS_FOR(BACKUP) | WM_WAITS_FOR(RESTORE),
     stands_still, WM_STOPS, WM_POSSIBLE, WM_T_ITEMS, 1,
     "Velero works on a Backup or Restore, and nothing of it moves",
     "Velero works on {object}, waits for none of its volumes, and has done no item since {seen}",
     "look at its log for the item that it hangs on (a hook, an object that ends, an admission webhook):\n"
     "{kubectl} logs deployment/velero --since=1h\n"
     "{kubectl} get {kind} {name} -o jsonpath='{.status}'",
     "vmware-tanzu/velero pkg/restore/restore.go"},
    {"BackupQueued", WM_ROLE(WORK), WM_KIND_BACKUP, WM_WAITS_FOR(BACKUP), is_queued_for_nothing, WM_STOPS,
     WM_LIKELY, WM_T_QUEUE, 2, "A Backup stays in Velero's queue although nothing runs",
     "{object} stays in Velero's queue, although Velero works on no other Backup",
     "one before it that has the same namespaces may be stuck; Velero's log names it:\n"
     "{kubectl} get backups -o "
     "custom-columns=NAME:.metadata.name,PHASE:.status.phase,PLACE:.status.queuePosition\n"
     "{kubectl} logs deployment/velero --since=1h",
     "vmware-tanzu/velero pkg/controller/backup_queue_controller.go"},
    {"BackupReadyToStartLost", WM_ROLE(WORK) | WM_ROLE(AHEAD), WM_KIND_BACKUP, WM_WAITS_FOR(BACKUP),
     is_forgotten, WM_STOPS, WM_LIKELY, WM_T_QUEUE, 4, "Velero forgot a Backup when it was restarted",
     "{object} was about to begin when Velero was restarted, which forgot it",
     "touch it, and Velero takes it up:\n"
     "{kubectl} annotate backup {name} touched-at=now --overwrite",
     "vmware-tanzu/velero pkg/controller/backup_queue_controller.go"},
    {"RestoreFinalizing", WM_ROLE(WORK), WM_KIND_RESTORE, WM_WAITS_FOR(RESTORE), does_not_finish, WM_STOPS,
     WM_LIKELY, WM_T_SYNC, 3, "A Restore does not finish",
     "{object} stays in Finalizing, which waits without a timeout for hooks in pods that may never run, and "
     "for other "
     "Restores{detail}",
     "look for a restored pod that does not run; else restart Velero:\n"
     "kubectl --context {cluster} get pods -A -l velero.io/restore-name={name}\n"
     "{kubectl} rollout restart deployment/velero",
     "vmware-tanzu/velero pkg/controller/restore_finalizer_controller.go; vmware-tanzu/velero#9359"},
    {"RestoreTerminating", WM_ROLE(WORK), WM_KIND_RESTORE, WM_ANY_WAIT, does_not_go, WM_STOPS, WM_LIKELY,
     WM_T_SYNC, 3, "A Restore that was deleted does not go",
     "{object} was deleted at {seen} and does not go: {detail}",
     "see what Velero does; its finalizer can be taken off when the storage is gone for good:\n"
     "{kubectl} get restores,backupstoragelocations\n"
     "{kubectl} patch restore {name} --type merge -p '{\"metadata\":{\"finalizers\":null}}'",
     "vmware-tanzu/velero pkg/controller/restore_controller.go"},
    {0},
};
