/* MigStorage (mig-controller pkg/controller/migstorage/validation.go, and for the settings
 * pkg/cloudprovider/{aws,azure,gcp}.go).  There are two halves alike: where backups go, and where snapshots
 * go; the second is optional. */
#include <stdio.h>

#include "check.h"
#include "formats.h"

enum {
    BACKUP_PROVIDER,
    BACKUP_SETTINGS,
    BACKUP_SECRET_UNSET,
    BACKUP_SECRET_MISSING,
    BACKUP_SECRET_CONTENT,
    SNAPSHOT_PROVIDER,
    SNAPSHOT_SETTINGS,
    SNAPSHOT_SECRET_UNSET,
    SNAPSHOT_SECRET_MISSING,
    SNAPSHOT_SECRET_CONTENT,
    N_RULES
};

#define WRITES (WM_ON_CREATE | WM_ON_UPDATE)
#define BACKUP "backupStorageProvider,backupStorageConfig"
#define SNAPSHOT "volumeSnapshotProvider,volumeSnapshotConfig"
#define CREATE_SECRET "create the Secret first, or name one of: kubectl get secrets -n NAMESPACE"
#define FILL_SECRET "put the credentials into the Secret under that key"
static const struct wm_rule rules[N_RULES] = {
    [BACKUP_PROVIDER] = {"storage/backup-provider", WRITES, false, WM_MODE_ENFORCE, WM_CAUSE_UNSUPPORTED,
                         BACKUP, "InvalidBackupStorageProvider",
                         "Backups can be kept with no other provider than aws, azure and gcp.",
                         "set spec.backupStorageProvider to aws (for anything that speaks S3), azure or gcp"},
    [BACKUP_SETTINGS] = {"storage/backup-settings", WRITES, false, WM_MODE_ENFORCE, WM_CAUSE_INVALID, BACKUP,
                         "InvalidBackupStorageSettings",
                         "A setting that the provider of backups needs is missing or wrong.",
                         "correct it in spec.backupStorageConfig"},
    [BACKUP_SECRET_UNSET] = {"storage/backup-secret-unset", WRITES, false, WM_MODE_ENFORCE, WM_CAUSE_REQUIRED,
                             BACKUP, "InvalidBackupStorageCredsSecretRef",
                             "Backups cannot be kept without credentials.",
                             "set name and namespace of spec.backupStorageConfig.credsSecretRef"},
    [BACKUP_SECRET_MISSING] = {"storage/backup-secret-missing", WRITES, true, WM_MODE_ENFORCE,
                               WM_CAUSE_NOT_FOUND, BACKUP, "InvalidBackupStorageCredsSecretRef",
                               "The Secret with the credentials for backups does not exist.", CREATE_SECRET},
    [BACKUP_SECRET_CONTENT] =
        {"storage/backup-secret-content", WRITES, true, WM_MODE_ENFORCE, WM_CAUSE_INVALID, BACKUP,
         "InvalidBackupStorageSettings",
         "The Secret with the credentials for backups lacks a key that the provider reads.", FILL_SECRET},
    [SNAPSHOT_PROVIDER] = {"storage/snapshot-provider", WRITES, false, WM_MODE_ENFORCE, WM_CAUSE_UNSUPPORTED,
                           SNAPSHOT, "InvalidVolumeSnapshotProvider",
                           "Snapshots can be kept with no other provider than aws, azure and gcp.",
                           "set spec.volumeSnapshotProvider to aws, azure or gcp, or remove it"},
    [SNAPSHOT_SETTINGS] = {"storage/snapshot-settings", WRITES, false, WM_MODE_ENFORCE, WM_CAUSE_INVALID,
                           SNAPSHOT, "InvalidVolumeSnapshotSettings",
                           "A setting that the provider of snapshots needs is missing or wrong.",
                           "correct it in spec.volumeSnapshotConfig"},
    [SNAPSHOT_SECRET_UNSET] = {"storage/snapshot-secret-unset", WRITES, false, WM_MODE_ENFORCE,
                               WM_CAUSE_REQUIRED, SNAPSHOT, "InvalidVolumeSnapshotCredsSecretRef",
                               "Snapshots cannot be kept without credentials.",
                               "set name and namespace of spec.volumeSnapshotConfig.credsSecretRef"},
    [SNAPSHOT_SECRET_MISSING] = {"storage/snapshot-secret-missing", WRITES, true, WM_MODE_ENFORCE,
                                 WM_CAUSE_NOT_FOUND, SNAPSHOT, "InvalidVolumeSnapshotCredsSecretRef",
                                 "The Secret with the credentials for snapshots does not exist.",
                                 CREATE_SECRET},
    [SNAPSHOT_SECRET_CONTENT] =
        {"storage/snapshot-secret-content", WRITES, true, WM_MODE_ENFORCE, WM_CAUSE_INVALID, SNAPSHOT,
         "InvalidVolumeSnapshotSettings",
         "The Secret with the credentials for snapshots lacks a key that the provider reads.", FILL_SECRET},
};

/* --- providers --- */

/* Why a setting that is there is wrong; NULL when it is right. */
typedef const char *(*setting_fault)(struct wm_json_span value);

static const char *signature_fault(struct wm_json_span value)
{
    bool known = wm_json_span_is(value, "1") || wm_json_span_is(value, "4");

    return known ? NULL : "only 1 and 4 are signature versions";
}

static const char *duration_fault(struct wm_json_span value)
{
    return wm_is_go_duration(wm_span_plain(value)) ? NULL : "this is no duration like 10m or 1h30m";
}

enum { SETTINGS_MAX = 4, KEYS_MAX = 3 };

struct setting {
    const char *name;
    bool needed;
    setting_fault fault; /* NULL = any text will do */
};
struct provider {
    const char *name;
    struct setting backup[SETTINGS_MAX + 1], snapshot[SETTINGS_MAX + 1];
    const char *keys[KEYS_MAX]; /* of the Secret */
};

static const struct provider providers[] = {
    {"aws",
     {{"awsBucketName", true, NULL},
      {"awsSignatureVersion", false, signature_fault},
      {"awsS3Url", false, wm_url_fault},
      {"awsPublicUrl", false, wm_url_fault}},
     {{"snapshotCreationTimeout", false, duration_fault}},
     {"aws-access-key-id", "aws-secret-access-key"}},
    {"azure",
     {{"azureResourceGroup", true, NULL},
      {"azureStorageAccount", true, NULL},
      {"azureStorageContainer", true, NULL}},
     {{"azureResourceGroup", true, NULL},
      {"azureApiTimeout", true, NULL},
      {"snapshotCreationTimeout", false, duration_fault}},
     {"azure-credentials"}},
    {"gcp",
     {{"gcpBucket", true, NULL}},
     {{"snapshotCreationTimeout", false, duration_fault}},
     {"gcp-credentials"}},
};

static const struct provider *provider_of(struct wm_json_span name)
{
    for (size_t i = 0; i < sizeof providers / sizeof providers[0]; i++)
        if (wm_json_span_is(name, providers[i].name))
            return &providers[i];
    return NULL;
}

/* --- the two halves --- */

struct half {
    const char *provider, *config; /* members of spec */
    const struct wm_rule *unsupported, *settings, *secret_unset, *secret_missing, *secret_content;
};
static const struct half halves[] = {
    {"backupStorageProvider", "backupStorageConfig", &rules[BACKUP_PROVIDER], &rules[BACKUP_SETTINGS],
     &rules[BACKUP_SECRET_UNSET], &rules[BACKUP_SECRET_MISSING], &rules[BACKUP_SECRET_CONTENT]},
    {"volumeSnapshotProvider", "volumeSnapshotConfig", &rules[SNAPSHOT_PROVIDER], &rules[SNAPSHOT_SETTINGS],
     &rules[SNAPSHOT_SECRET_UNSET], &rules[SNAPSHOT_SECRET_MISSING], &rules[SNAPSHOT_SECRET_CONTENT]},
};

static void check_settings(struct wm_check *c, const struct half *h, const struct provider *p,
                           const struct setting *list)
{
    struct wm_json_value config = wm_spec(c, h->config);

    for (; list->name; list++) {
        char field[96];
        struct wm_json_span value = wm_get_span(config, list->name);
        bool set = wm_is_set(config, list->name);

        snprintf(field, sizeof field, "spec.%s.%s", h->config, list->name);
        if (!set && list->needed)
            wm_report(c, h->settings, field, value, "provider %s cannot work without it", p->name);
        const char *fault = set && list->fault ? list->fault(value) : NULL;

        if (fault)
            wm_report(c, h->settings, field, value, "%s", fault);
    }
}

/* Nothing of a Secret's data may ever be told: only whether there is something. */
static void check_content(struct wm_check *c, const struct half *h, const struct provider *p,
                          const char *field, const struct wm_target *at)
{
    struct wm_json_value secret;
    struct wm_json_span nothing = {0};

    if (!wm_wants(c, h->secret_content) ||
        wm_ask(c, h->secret_content, WM_SECRETS, at->namespace_, at->name, &secret) != WM_FACT_FOUND)
        return;
    for (size_t i = 0; i < KEYS_MAX && p->keys[i]; i++)
        if (!wm_is_set(wm_json_get(secret, "data"), p->keys[i]) &&
            !wm_is_set(wm_json_get(secret, "stringData"), p->keys[i]))
            wm_report(c, h->secret_content, field, nothing,
                      "Secret %s in namespace %s has nothing under the key %s", at->name, at->namespace_,
                      p->keys[i]);
}

static void check_secret(struct wm_check *c, const struct half *h, const struct provider *p)
{
    char field[96];
    struct wm_json_value ref = wm_json_get(wm_spec(c, h->config), "credsSecretRef"), secret;
    struct wm_json_span nothing = {0};
    struct wm_target at;

    snprintf(field, sizeof field, "spec.%s.credsSecretRef", h->config);
    if (!wm_target_of(ref, &at)) {
        wm_report(c, h->secret_unset, field, nothing, "name and namespace of a Secret are needed");
        return;
    }
    if (wm_wants(c, h->secret_missing) &&
        wm_ask(c, h->secret_missing, WM_SECRETS, at.namespace_, at.name, &secret) == WM_FACT_ABSENT)
        wm_report(c, h->secret_missing, field, nothing, "there is no Secret %s in namespace %s", at.name,
                  at.namespace_);
    check_content(c, h, p, field, &at);
}

static const struct provider *check_provider(struct wm_check *c, const struct half *h)
{
    char field[64];
    struct wm_json_span name = wm_get_span(c->s->spec, h->provider);
    const struct provider *p = provider_of(name);

    snprintf(field, sizeof field, "spec.%s", h->provider);
    if (!p)
        wm_report(c, h->unsupported, field, name,
                  wm_is_set(c->s->spec, h->provider) ? "only aws, azure and gcp are providers"
                                                     : "there is no provider");
    return p;
}

static void check_backup(struct wm_check *c)
{
    const struct provider *p = check_provider(c, &halves[0]);

    if (!p)
        return;
    check_settings(c, &halves[0], p, p->backup);
    check_secret(c, &halves[0], p);
}

static void check_snapshot(struct wm_check *c)
{
    if (!wm_is_set(c->s->spec, "volumeSnapshotProvider"))
        return;
    const struct provider *p = check_provider(c, &halves[1]);

    if (!p)
        return;
    check_settings(c, &halves[1], p, p->snapshot);
    check_secret(c, &halves[1], p);
}

static void (*const checks[])(struct wm_check *) = {check_backup, check_snapshot, NULL};

const struct wm_rule_set wm_storage_rules = {rules, N_RULES, checks};
