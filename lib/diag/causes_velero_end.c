/* How Backups, Restores and their volumes end when they do not end well. */
#include <string.h>

#include "causes_velero.h"
#include "situation_impl.h"

/* --- volumes --- */

static const char *const of_repository[] = {"already locked",
                                            "unable to create lock",
                                            "repository not initialized",
                                            "unable to open config file",
                                            "Is there a repository at the following location",
                                            "wrong password",
                                            "connect to repo",
                                            "BackupRepository",
                                            NULL};
static const char *const of_rights[] = {"permission denied", "operation not permitted", NULL};

static bool is_failed_by(const struct wm_clue *c, const char *const words[])
{
    struct wm_judgement j = wm_judge(c->look->w, c->r);
    const char *message = wm_record_message(c->r);

    if (!wm_is_volume((enum wm_kind)c->r->kind) || !j.ended || !j.faulty)
        return false;
    for (size_t i = 0; words[i]; i++)
        if (strstr(message, words[i]))
            return true;
    return !words[0];
}

static bool say_why(struct wm_clue *c, bool failed)
{
    if (!failed)
        return false;
    c->since_s = c->r->completed_s ? c->r->completed_s : c->r->created_s;
    c->quote = wm_record_message(c->r)[0] ? wm_record_message(c->r) : "it gives no reason";
    wm_clue_volume(c);
    return true;
}

static bool has_failed_by_repository(struct wm_clue *c)
{
    return say_why(c, is_failed_by(c, of_repository));
}

static bool has_failed_by_rights(struct wm_clue *c)
{
    return say_why(c, is_failed_by(c, of_rights));
}

static bool has_failed(struct wm_clue *c)
{
    static const char *const any[] = {NULL};

    return !is_failed_by(c, of_repository) && !is_failed_by(c, of_rights) && say_why(c, is_failed_by(c, any));
}

static const char *const attach_reasons[] = {
    "FailedAttachVolume",     "FailedMount",     "FailedScheduling",  "Failed", "BackOff",
    "FailedCreatePodSandBox", "FailedMapVolume", "ErrImageNeverPull", NULL};

/* What its pod hung on is told by the Events about it, even when it is gone meanwhile. */
static const struct wm_record *word_about_pod(const struct wm_clue *c)
{
    struct wm_record ghost = {.id = wm_volume_of(c->r)->pod, .cluster = c->r->cluster};

    return wm_id_is_set(ghost.id) ? wm_clue_event(c, &ghost, attach_reasons, NULL) : NULL;
}

/* Old releases of Velero do not tell when something ended: not after anything moved last. */
static int64_t given_up_s(const struct wm_clue *c, const struct wm_record *r)
{
    int64_t due_s = wm_begun_s(r) + wm_pod_volume_timeout_s(c->look->w, r);

    if (r->completed_s)
        return r->completed_s;
    return due_s < c->look->still_since_s ? due_s : c->look->still_since_s;
}

static bool is_left_unfinished(struct wm_clue *c)
{
    const struct wm_record *parent = wm_model_find(c->look->w->model, c->r->cluster, c->r->parent);

    if (!wm_is_volume((enum wm_kind)c->r->kind) || !parent || wm_volume_is_awaited(c->look->w, c->r) ||
        wm_judge(c->look->w, c->r).ended || c->look->s->ending == WM_ENDING_CANCELED)
        return false;
    c->since_s = given_up_s(c, parent);
    c->event = c->r->started_s ? NULL : word_about_pod(c);
    if (!c->event)
        c->quote =
            c->r->started_s ? "its copying had begun, and was slow or hung" : "its copying had not begun";
    wm_clue_volume(c);
    return true;
}

/* --- Backups and Restores --- */

static bool is_velero(const struct wm_clue *c)
{
    return c->r->kind == WM_KIND_BACKUP || c->r->kind == WM_KIND_RESTORE;
}

static int64_t ended_s(const struct wm_record *r)
{
    return r->completed_s ? r->completed_s : wm_begun_s(r);
}

static bool is_partly_failed(const struct wm_clue *c)
{
    static const char *const phases[] = {"PartiallyFailed", "FinalizingPartiallyFailed",
                                         "WaitingForPluginOperationsPartiallyFailed", NULL};

    return is_velero(c) && wm_is_one_of(wm_model_word(c->look->w->model, c->r->phase), phases);
}

/* Velero does not say that it was its timeout; but nothing else lets it end while volumes are under way,
 * except a node without an agent, which it tells early (velero pkg/podvolume/restorer.go). */
static bool has_timed_out(struct wm_clue *c)
{
    enum { SLACK = 60 };
    int64_t timeout_s = wm_pod_volume_timeout_s(c->look->w, c->r);
    bool early =
        c->r->started_s && c->r->completed_s && c->r->completed_s - c->r->started_s < timeout_s - SLACK;

    if (!is_partly_failed(c) || early || !timeout_s || !wm_has_open_volumes(c->look->w, c->r))
        return false;
    c->since_s = given_up_s(c, c->r);
    if (timeout_s % 60)
        wm_clue_detail(c, "%lld s", (long long)timeout_s);
    else
        wm_clue_detail(c, "%lld minute%s", (long long)timeout_s / 60, timeout_s == 60 ? "" : "s");
    return true;
}

static bool is_done_in_part(struct wm_clue *c)
{
    const struct wm_velero_state *v = wm_velero_of(c->r);

    if (!is_partly_failed(c) || has_timed_out(c))
        return false;
    c->since_s = ended_s(c->r);
    wm_clue_detail(c, "%d error%s and %d warning%s", v->errors, v->errors == 1 ? "" : "s", v->warnings,
                   v->warnings == 1 ? "" : "s");
    return true;
}

static bool is_backup_done_in_part(struct wm_clue *c)
{
    return c->r->kind == WM_KIND_BACKUP && is_done_in_part(c);
}

static bool is_restore_done_in_part(struct wm_clue *c)
{
    return c->r->kind == WM_KIND_RESTORE && is_done_in_part(c);
}

static bool will_time_out(struct wm_clue *c)
{
    enum { NEAR = 600 };
    const struct wm_situation *s = c->look->s;

    if (c->r != s->awaited || !is_velero(c) || !s->ends_s)
        return false;
    c->since_s = s->ends_s - NEAR;
    c->due_s = c->since_s;
    return true;
}

static bool is_refused(struct wm_clue *c)
{
    if (!is_velero(c) || !wm_phase_is(c->look->w, c->r, "FailedValidation"))
        return false;
    c->since_s = ended_s(c->r);
    c->quote = wm_velero_of(c->r)->why[0] ? wm_velero_of(c->r)->why : "it gives no reason";
    return true;
}

/* What it says of those that it finds unfinished when it is started (velero pkg/cmd/server/server.go). */
static bool was_cut_off(const struct wm_clue *c)
{
    return strstr(wm_record_message(c->r), "during the server starting") != NULL;
}

static bool has_ended_badly(struct wm_clue *c)
{
    if (!is_velero(c) || !wm_phase_is(c->look->w, c->r, "Failed"))
        return false;
    c->since_s = ended_s(c->r);
    c->quote = wm_record_message(c->r)[0] ? wm_record_message(c->r) : "it gives no reason";
    return true;
}

static bool is_failed(struct wm_clue *c)
{
    return !was_cut_off(c) && has_ended_badly(c);
}

static bool is_given_up(struct wm_clue *c)
{
    return was_cut_off(c) && has_ended_badly(c);
}

static bool has_wrong_data(struct wm_clue *c)
{
    int n = wm_velero_of(c->r)->verify_errors;

    if (!n)
        return false;
    c->since_s = ended_s(c->r);
    wm_clue_detail(c, "%d volume%s", n, n == 1 ? "" : "s");
    return true;
}

const struct wm_cause wm_causes_velero_end[] = {
    {"FailedValidation", WM_ROLE(WORK), WM_KIND_NONE, WM_ANY_WAIT, is_refused, WM_THREATENS, WM_CERTAIN,
     WM_T_SIGNAL, 3, "Velero refuses a Backup or Restore", "Velero has refused {object}: {quote}",
     "remove what the message tells, and start the migration again; the storage is here:\n"
     "{kubectl} get backupstoragelocations,backups",
     "vmware-tanzu/velero pkg/controller/restore_controller.go"},
    {"VeleroFailed", WM_ROLE(WORK), WM_KIND_NONE, WM_ANY_WAIT, is_failed, WM_THREATENS, WM_CERTAIN,
     WM_T_SIGNAL, 3, "A Backup or Restore has failed", "{object} has failed: {quote}",
     "look at Velero's log, and start the migration again:\n"
     "{kubectl} logs deployment/velero --since=24h",
     "vmware-tanzu/velero pkg/controller/restore_controller.go"},
    {"VeleroGaveUpAtStart", WM_ROLE(WORK), WM_KIND_NONE, WM_ANY_WAIT, is_given_up, WM_THREATENS, WM_CERTAIN,
     WM_T_SIGNAL, 4, "Velero was restarted, and gave a Backup or Restore up",
     "Velero was restarted while it worked on {object}, and gave it up: {quote}",
     "find out why Velero was restarted, and start the migration again:\n"
     "{kubectl} describe pods -l component=velero\n"
     "{kubectl} logs deployment/velero --previous",
     "vmware-tanzu/velero pkg/cmd/server/server.go; vmware-tanzu/velero#8276"},
    {"TimeoutPassed", WM_ROLE(WORK), WM_KIND_NONE, WM_ANY_WAIT, has_timed_out, WM_THREATENS, WM_LIKELY,
     WM_T_SIGNAL, 3, "Velero gave up waiting for volumes",
     "{object} ended in part, for Velero waits no longer than {detail} for volumes, and some were not done "
     "by then",
     "remove what held the volumes up; where the data is only much, raise the timeout; then start the "
     "migration "
     "again:\n"
     "{kubectl} patch migrationcontroller migration-controller --type merge "
     "-p '{\"spec\":{\"restic_timeout\":\"6h\"}}'",
     "vmware-tanzu/velero pkg/podvolume/restorer.go"},
    {"VeleroTimeoutNear", WM_ROLE(WORK), WM_KIND_NONE, WM_ANY_WAIT, will_time_out, WM_THREATENS, WM_LIKELY,
     WM_T_SIGNAL, 1, "Velero will soon give up waiting for volumes",
     "{object} will end in part: Velero gives up at {ends}, and volumes are not done yet",
     "nothing extends this attempt; see which volumes are left, and raise the timeout before the next one:\n"
     "{kubectl} get podvolumebackups,podvolumerestores\n"
     "{kubectl} patch migrationcontroller migration-controller --type merge "
     "-p '{\"spec\":{\"restic_timeout\":\"6h\"}}'",
     "vmware-tanzu/velero pkg/podvolume/restorer.go"},
    {"RestorePartiallyFailed", WM_ROLE(WORK), WM_KIND_RESTORE, WM_ANY_WAIT, is_restore_done_in_part,
     WM_THREATENS, WM_CERTAIN, WM_T_SIGNAL, 2, "Not everything was restored",
     "{object} was done only in part, with {detail}: something is missing on the target",
     "see what is missing; without the volumes' or kinds' cause removed the next attempt ends alike:\n"
     "{kubectl} exec deployment/velero -- /velero describe restore {name} --details\n"
     "{kubectl} exec deployment/velero -- /velero restore logs {name}",
     "migtools/mig-controller pkg/controller/migmigration/restore.go"},
    {"BackupPartiallyFailed", WM_ROLE(WORK), WM_KIND_BACKUP, WM_ANY_WAIT, is_backup_done_in_part,
     WM_THREATENS, WM_CERTAIN, WM_T_SIGNAL, 2, "Not everything was backed up",
     "{object} was done only in part, with {detail}: what is missing in it will be missing on the target",
     "see what is missing:\n"
     "{kubectl} exec deployment/velero -- /velero describe backup {name} --details\n"
     "{kubectl} exec deployment/velero -- /velero backup logs {name}",
     "migtools/mig-controller pkg/controller/migmigration/backup.go"},
    {"ResticVerifyErrors", WM_ROLE(WORK), WM_KIND_RESTORE, WM_ANY_WAIT | WM_AFTER_END, has_wrong_data,
     WM_THREATENS, WM_CERTAIN, WM_T_SIGNAL, 3, "Restored data differ from what was backed up",
     "the data of {detail} differ from what was backed up, says {object}",
     "see which volumes, and compare their data before the application is used:\n"
     "{kubectl} get restore {name} -o jsonpath='{.status.podVolumeRestoreVerifyErrors}'",
     "konveyor/velero pkg/restic/restorer.go"},
    {"RepositoryUnusable", WM_ROLE(WORK), WM_KIND_NONE, WM_ANY_WAIT, has_failed_by_repository, WM_THREATENS,
     WM_CERTAIN, WM_T_SIGNAL, 5, "The repository of volumes cannot be used",
     "{object} ({detail}) has failed, for its repository cannot be used: {quote}",
     "see what Velero says of the repositories; delete one that stays NotReady, it is made again:\n"
     "{kubectl} get backuprepositories || {kubectl} get resticrepositories\n"
     "{kubectl} logs deployment/velero --since=1h",
     "vmware-tanzu/velero pkg/repository/ensurer.go"},
    {"VolumeNotPermitted", WM_ROLE(WORK), WM_KIND_NONE, WM_ANY_WAIT, has_failed_by_rights, WM_THREATENS,
     WM_CERTAIN, WM_T_SIGNAL, 5, "The node agent may not read or write a volume",
     "{object} ({detail}) has failed, for Velero's node agent may not read or write its files: {quote}",
     "give the node agent the group that owns the files (NFS with root_squash), and start the migration "
     "again:\n"
     "{kubectl} edit migrationcontroller migration-controller   # restic_supplemental_groups",
     "konveyor/mig-operator docs/usage"},
    {"VolumeCopyFailed", WM_ROLE(WORK), WM_KIND_NONE, WM_ANY_WAIT, has_failed, WM_THREATENS, WM_CERTAIN,
     WM_T_SIGNAL, 4, "The copying of a volume has failed",
     "{object} ({detail}) has failed, and its data will be missing: {quote}",
     "remove what the message tells, and start the migration again:\n"
     "{kubectl} get {kind} {name} -o yaml",
     "vmware-tanzu/velero pkg/controller/pod_volume_restore_controller.go"},
    {"VolumeLeftUnfinished", WM_ROLE(WORK), WM_KIND_NONE, WM_ANY_WAIT | WM_AFTER_END, is_left_unfinished,
     WM_THREATENS, WM_CERTAIN, WM_T_SIGNAL, 4, "Velero gave a volume up",
     "{object} ({detail}) was left unfinished when Velero gave up waiting for it, and its data is missing or "
     "incomplete; what was known last: {quote}",
     "remove what held its pod up, delete the rest of this attempt, and start the migration again:\n"
     "{kubectl} delete {kind} {name}",
     "vmware-tanzu/velero pkg/podvolume/restorer.go"},
    {0},
};
