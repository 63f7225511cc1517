/* Which kinds are labelled from what, and which keys may be written. */
#include "waymark/labels.h"

#define MTC "migration.openshift.io"
#define VELERO "velero.io"
#define VIRTRIGAUD "infra.virtrigaud.io"

const struct wm_label_conf wm_label_conf_default = {
    .plan = MTC "/migplan-name",
    .plan_aliases = {"migrations.openshift.io/migPlanName"},
    .migration = MTC "/migmigration-name",
    .uid = MTC "/migmigration-uid",
    .source_provider = "waymark.io/source-provider",
    .target_provider = "waymark.io/target-provider",
    .plan_annotation = "waymark.io/migplan-name",
    .migration_annotation = "waymark.io/migmigration-name",
    .source_provider_annotation = "waymark.io/source-provider",
    .target_provider_annotation = "waymark.io/target-provider",
};

// clang-format off
static const struct wm_label_rule rules[] = {
    {MTC, "MigMigration", "migmigrations", WM_FROM_SPEC, WM_PARENT_NONE, WM_REPLACE,
     .from = "`spec.migPlanRef.name` and its own name (with generateName: at its first update)"},
    {VELERO, "Backup", "backups", WM_FROM_LABELS, WM_PARENT_MIGMIGRATION, WM_FILL,
     .from = "mig-controller's labels; of an old controller, the MigMigration whose uid is in `migmigration`"},
    {VELERO, "Restore", "restores", WM_FROM_LABELS, WM_PARENT_MIGMIGRATION, WM_FILL,
     .from = "mig-controller's labels; of an old controller, the MigMigration whose uid is in `migmigration`"},
    {VELERO, "PodVolumeBackup", "podvolumebackups", WM_FROM_OWNER, WM_PARENT_BACKUP, WM_FILL,
     .from = "its owner, the Backup"},
    {VELERO, "PodVolumeRestore", "podvolumerestores", WM_FROM_OWNER, WM_PARENT_RESTORE, WM_FILL,
     .from = "its owner, the Restore"},
    {VELERO, "DataUpload", "datauploads", WM_FROM_OWNER, WM_PARENT_BACKUP, WM_FILL,
     .from = "its owner, the Backup"},
    {VELERO, "DataDownload", "datadownloads", WM_FROM_OWNER, WM_PARENT_RESTORE, WM_FILL,
     .from = "its owner, the Restore"},
    {MTC, "DirectVolumeMigration", "directvolumemigrations", WM_FROM_OWNER, WM_PARENT_MIGMIGRATION, WM_REPLACE,
     .from = "its owner, the MigMigration"},
    {MTC, "DirectImageMigration", "directimagemigrations", WM_FROM_OWNER, WM_PARENT_MIGMIGRATION, WM_REPLACE,
     .from = "its owner, the MigMigration"},
    {MTC, "DirectVolumeMigrationProgress", "directvolumemigrationprogresses", WM_FROM_OWNER, WM_PARENT_DVM, WM_REPLACE,
     .from = "its owner, the DirectVolumeMigration, and that one's owner"},
    {MTC, "DirectImageStreamMigration", "directimagestreammigrations", WM_FROM_OWNER, WM_PARENT_DIM, WM_REPLACE,
     .from = "its owner, the DirectImageMigration, and that one's owner"},
    {"batch", "Job", "jobs", WM_FROM_UID_KEY, WM_PARENT_MIGMIGRATION, WM_FILL,
     .uid_key = "owner", .guard_key = {"mighook"},
     .from = "hook Jobs of MTC only (label `mighook`): the MigMigration whose uid is in `owner`"},
    {"", "Pod", "pods", WM_FROM_UID_KEY, WM_PARENT_DVM, WM_FILL,
     .uid_key = "directvolumemigration",
     .guard_key = {"owner", "purpose"}, .guard_val = {"directvolumemigration", "rsync"},
     .from = "rsync pods of MTC only (`owner=directvolumemigration,purpose=rsync`): the DirectVolumeMigration whose uid is in `directvolumemigration`"},
    {VIRTRIGAUD, "VMMigration", "vmmigrations", WM_FROM_VM_SPEC, WM_PARENT_NONE, WM_REPLACE,
     .from = "`spec.metadata.project` as its plan, the providers that its `spec` names, and its own name"},
    /* VirtRigaud gives both labels to the PVCs that it makes (internal/controller/vmmigration_controller.go). */
    {"", "PersistentVolumeClaim", "persistentvolumeclaims", WM_FROM_OWNER, WM_PARENT_VMMIGRATION, WM_REPLACE,
     .name_key = "virtrigaud.io/migration",
     .guard_key = {"virtrigaud.io/component"}, .guard_val = {"migration-storage"},
     .from = "VirtRigaud's migration storage only (`virtrigaud.io/component=migration-storage`): its owner, the VMMigration; where it has none, the name in `virtrigaud.io/migration`"},
};

/* Keys with a meaning to somebody else.  A prefix ends in '/'. */
static const char *const dangerous[] = {
    "migplan", "migmigration", "migcluster", "migstorage", "mighook", "miganalytic", "directvolumemigration",
    "directimagemigration", "directimagestreammigration", "migrationcontroller",
    "migration-included-stage-backup", "migration-initial-backup", "migration-stage-backup",
    "migration-stage-restore", "migration-final-restore", "migration-direct-volume", "owner", "purpose", "phase", "app",
    "app.kubernetes.io/part-of",
    MTC "/migration-uid", MTC "/migrated-by-migplan", MTC "/migrated-by-migmigration", MTC "/is-stage-pod",
    MTC "/is-application-pod", MTC "/migration-registry", MTC "/created-for-pvc", MTC "/rsync-attempt",
    MTC "/dvmp-done", "velero.io/", "virtrigaud.io/",
};
// clang-format on

const struct wm_label_rule *wm_label_rules(size_t *ret_n)
{
    *ret_n = sizeof rules / sizeof rules[0];
    return rules;
}

const struct wm_label_rule *wm_label_rule_of(struct wm_json_span group, struct wm_json_span kind)
{
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
        if (wm_json_span_is(kind, rules[i].kind) && wm_json_span_is(group, rules[i].group))
            return &rules[i];
    return NULL;
}

/* --- configuration --- */

static bool is_dangerous(const char *key)
{
    for (size_t i = 0; i < sizeof dangerous / sizeof dangerous[0]; i++) {
        size_t n = strlen(dangerous[i]);

        if (strcmp(key, dangerous[i]) == 0)
            return true;
        if (dangerous[i][n - 1] == '/' && strncmp(key, dangerous[i], n) == 0)
            return true;
    }
    return false;
}

int wm_label_conf_check(const struct wm_label_conf *c, struct wm_error *err)
{
    const char *keys[5 + WM_LABEL_ALIASES_MAX] = {c->plan, c->migration, c->uid, c->source_provider,
                                                  c->target_provider};
    size_t n = 5;

    for (size_t i = 0; i < WM_LABEL_ALIASES_MAX && c->plan_aliases[i]; i++)
        keys[n++] = c->plan_aliases[i];
    for (size_t i = 0; i < n; i++) {
        if (!wm_label_key_ok(wm_str_of(keys[i])))
            return wm_fail(err, WM_E_INVALID, NULL, "'%s' is not a label key", keys[i]);
        if (is_dangerous(keys[i]))
            return wm_fail(err, WM_E_INVALID, NULL,
                           "'%s' is a label that MTC, Velero or VirtRigaud act upon; choose another",
                           keys[i]);
        for (size_t k = 0; k < i; k++)
            if (strcmp(keys[i], keys[k]) == 0)
                return wm_fail(err, WM_E_INVALID, NULL, "label '%s' is given twice", keys[i]);
    }
    return WM_OK;
}
