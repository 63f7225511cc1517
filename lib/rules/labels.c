#include "waymark/labels.h"

#include <stdio.h>

#include "waymark/names.h"

#define MTC "migration.openshift.io"
#define VELERO "velero.io"

/* Keys that mig-controller writes and that carry a migration's uid (mig-controller
 * pkg/apis/migration/v1alpha1/ labels.go, CorrelationLabel: the lower-cased kind, with the uid as value). */
static const char CORRELATION[] = "migmigration";
static const char PART_OF[] = "app.kubernetes.io/part-of", PART_OF_MTC[] = "openshift-migration";

const struct wm_label_conf wm_label_conf_default = {
    .plan = MTC "/migplan-name",
    .plan_aliases = {"migrations.openshift.io/migPlanName"},
    .migration = MTC "/migmigration-name",
    .uid = MTC "/migmigration-uid",
    .plan_annotation = "waymark.io/migplan-name",
    .migration_annotation = "waymark.io/migmigration-name",
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
    MTC "/dvmp-done", "velero.io/",
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
    const char *keys[3 + WM_LABEL_ALIASES_MAX] = {c->plan, c->migration, c->uid};
    size_t n = 3;

    for (size_t i = 0; i < WM_LABEL_ALIASES_MAX && c->plan_aliases[i]; i++)
        keys[n++] = c->plan_aliases[i];
    for (size_t i = 0; i < n; i++) {
        if (!wm_label_key_ok(wm_str_of(keys[i])))
            return wm_fail(err, WM_E_INVALID, NULL, "'%s' is not a label key", keys[i]);
        if (is_dangerous(keys[i]))
            return wm_fail(err, WM_E_INVALID, NULL,
                           "'%s' is a label that MTC or Velero act upon; choose another", keys[i]);
        for (size_t k = 0; k < i; k++)
            if (strcmp(keys[i], keys[k]) == 0)
                return wm_fail(err, WM_E_INVALID, NULL, "label '%s' is given twice", keys[i]);
    }
    return WM_OK;
}

/* --- derivation --- */

static const char *const outcome_names[WM_OUTCOME_COUNT] = {
    [WM_LABELLED] = "labelled",       [WM_COMPLETE] = "complete",
    [WM_UNRELATED] = "unrelated",     [WM_UNKNOWN_PARENT] = "unknown-parent",
    [WM_UNSAFE_NAME] = "unsafe-name", [WM_NOT_OURS] = "not-ours",
};

const char *wm_outcome_name(enum wm_outcome o)
{
    return outcome_names[o];
}

#define COPY(span, array) wm_span_copy((span), (array), sizeof(array))

/* What an object says of itself: full names from our annotations, else the labels. */
static void own_identity(const struct wm_label_conf *conf, const struct wm_object *o, struct wm_identity *ret)
{
    struct wm_json_span labels = o->at[WM_O_LABELS], notes = o->at[WM_O_ANNOTATIONS];

    if (!COPY(wm_member(notes, conf->plan_annotation), ret->plan))
        COPY(wm_member(labels, conf->plan), ret->plan);
    if (!COPY(wm_member(notes, conf->migration_annotation), ret->migration))
        COPY(wm_member(labels, conf->migration), ret->migration);
    if (!COPY(wm_member(labels, CORRELATION), ret->uid))
        COPY(wm_member(labels, conf->uid), ret->uid);
}

/* The ownerReference of `kind` (a group and a kind name): the controller's if one is, else the first. */
static bool find_owner(struct wm_json_span owners, const char *group, const char *kind, wm_name ret_name,
                       wm_uid ret_uid)
{
    static const char *const pointers[] = {"/apiVersion", "/kind", "/name", "/uid", "/controller"};
    struct wm_json_span s[5];
    bool found = false;

    for (struct wm_json_iter it = wm_json_iter(owners); wm_json_next(&it);) {
        if (wm_json_locate(it.value.text, 5, pointers, s, NULL) < 0 || !wm_json_span_is(s[1], kind) ||
            !wm_span_in_group(s[0], group))
            continue;
        if (found && s[4].kind != WM_JSON_TRUE)
            continue;
        wm_name name;
        wm_uid uid;

        if (!COPY(s[2], name) || !COPY(s[3], uid))
            continue;
        memcpy(ret_name, name, sizeof name);
        memcpy(ret_uid, uid, sizeof uid);
        found = true;
    }
    return found;
}

static struct wm_ref owner_ref(const struct wm_object *o, enum wm_parent_kind kind, const char *namespace_)
{
    const struct wm_parent_resource *r = &wm_parent_resources[kind];
    struct wm_ref ref = {0};

    if (find_owner(o->at[WM_O_OWNERS], r->group, r->kind, ref.name, ref.uid)) {
        ref.kind = kind;
        snprintf(ref.namespace_, sizeof ref.namespace_, "%s", namespace_);
    }
    return ref;
}

/* Fills what is still unknown in `to`. */
static void merge(struct wm_identity *to, const struct wm_identity *from)
{
    if (!to->plan[0])
        memcpy(to->plan, from->plan, sizeof to->plan);
    if (!to->migration[0])
        memcpy(to->migration, from->migration, sizeof to->migration);
    if (!to->uid[0])
        memcpy(to->uid, from->uid, sizeof to->uid);
}

static bool has_names(const struct wm_identity *id)
{
    return id->plan[0] && id->migration[0];
}

/* Follows references upwards until both names are known.  Four hops are more than any chain has: progress,
 * volume migration, migration. */
static void resolve(struct wm_ref ref, wm_find_fn *find, void *ctx, struct wm_derivation *d)
{
    for (int hop = 0;
         hop < 4 && ref.kind != WM_PARENT_NONE && !(has_names(&d->identity) && d->identity.uid[0]); hop++) {
        struct wm_parent parent;
        enum wm_found found = find(ctx, &ref, &parent);

        if (found != WM_FOUND) {
            if (!has_names(&d->identity)) {
                d->outcome = WM_UNKNOWN_PARENT;
                if (found == WM_FOUND_MISS)
                    d->missing = ref;
            }
            return;
        }
        merge(&d->identity, &parent.identity);
        ref = parent.up;
    }
}

static bool is_uid(const char *z)
{
    return z[0] && wm_label_value_ok(wm_str_of(z));
}

/* Backup and Restore.  The uid alone is believed when mig-controller signed the object (part-of, or its name
 * labels), or when such a MigMigration exists: anybody may call a label "migmigration". */
static void derive_from_labels(const struct wm_label_conf *conf, const struct wm_object *o, wm_find_fn *find,
                               void *ctx, struct wm_derivation *d)
{
    own_identity(conf, o, &d->identity);
    bool named = d->identity.plan[0] || d->identity.migration[0];
    bool is_part = wm_json_span_is(wm_member(o->at[WM_O_LABELS], PART_OF), PART_OF_MTC);

    if (!is_uid(d->identity.uid))
        d->identity.uid[0] = '\0';
    if (d->identity.uid[0] && !has_names(&d->identity)) {
        struct wm_ref ref = {.kind = WM_PARENT_MIGMIGRATION};

        memcpy(ref.uid, d->identity.uid, sizeof ref.uid);
        resolve(ref, find, ctx, d);
    }
    if (named || is_part || has_names(&d->identity))
        return;
    d->identity = (struct wm_identity){0};
    if (d->missing.kind == WM_PARENT_NONE)
        d->outcome = WM_UNRELATED;
}

static bool passes_guard(const struct wm_label_rule *rule, struct wm_json_span labels)
{
    for (size_t i = 0; i < 2 && rule->guard_key[i]; i++) {
        struct wm_json_span v = wm_member(labels, rule->guard_key[i]);

        if (v.kind != WM_JSON_STRING || (rule->guard_val[i] && !wm_json_span_is(v, rule->guard_val[i])))
            return false;
    }
    return true;
}

static void derive_from_uid_key(const struct wm_label_rule *rule, const struct wm_object *o, wm_find_fn *find,
                                void *ctx, struct wm_derivation *d)
{
    struct wm_ref ref = {.kind = rule->parent};

    if (!passes_guard(rule, o->at[WM_O_LABELS]) ||
        !COPY(wm_member(o->at[WM_O_LABELS], rule->uid_key), ref.uid) || !is_uid(ref.uid))
        return;
    resolve(ref, find, ctx, d);
    /* On a cluster without MigMigrations the label still says whose hook this is. */
    if (rule->parent == WM_PARENT_MIGMIGRATION && !d->identity.uid[0])
        memcpy(d->identity.uid, ref.uid, sizeof ref.uid);
}

void wm_derive(const struct wm_label_conf *conf, const struct wm_label_rule *rule, const struct wm_object *o,
               const char *namespace_, wm_find_fn *find, void *ctx, struct wm_derivation *ret)
{
    struct wm_derivation d = {.outcome = WM_LABELLED};

    switch (rule->source) {
    case WM_FROM_SPEC:
        COPY(o->at[WM_O_PLAN_REF], d.identity.plan);
        COPY(o->at[WM_O_NAME], d.identity.migration);
        break;
    case WM_FROM_LABELS:
        derive_from_labels(conf, o, find, ctx, &d);
        break;
    case WM_FROM_OWNER:
        resolve(owner_ref(o, rule->parent, namespace_), find, ctx, &d);
        break;
    case WM_FROM_UID_KEY:
        derive_from_uid_key(rule, o, find, ctx, &d);
        break;
    }
    if (d.outcome == WM_LABELLED && !d.identity.plan[0] && !d.identity.migration[0] && !d.identity.uid[0])
        d.outcome = WM_UNRELATED;
    *ret = d;
}

/* --- parents --- */

static void project_migration(const struct wm_object *o, struct wm_parent *p)
{
    wm_name plan;
    wm_uid uid;

    /* spec is the authority where the whole object is known; the label and the plan's ownerReference follow
     * it. */
    if (COPY(o->at[WM_O_PLAN_REF], plan) ||
        (!p->identity.plan[0] && find_owner(o->at[WM_O_OWNERS], MTC, "MigPlan", plan, uid)))
        memcpy(p->identity.plan, plan, sizeof plan);
    memcpy(p->identity.migration, p->name, sizeof p->name);
    memcpy(p->identity.uid, p->uid, sizeof p->uid);
}

int wm_parent_project(const struct wm_label_conf *conf, enum wm_parent_kind kind, struct wm_str object,
                      struct wm_parent *ret, struct wm_error *err)
{
    static const char *const pointers[] = {WM_OBJECT_POINTERS("")};
    struct wm_object o;
    struct wm_parent p = {.kind = kind};
    int rc = wm_json_locate(object, WM_O_COUNT, pointers, o.at, err);

    if (rc < 0)
        return rc;
    if (!COPY(o.at[WM_O_NAME], p.name) || !COPY(o.at[WM_O_UID], p.uid))
        return wm_fail(err, WM_E_INVALID, "/metadata", "a %s without name or uid",
                       wm_parent_resources[kind].kind);
    COPY(o.at[WM_O_NAMESPACE], p.namespace_);
    own_identity(conf, &o, &p.identity);
    if (kind == WM_PARENT_MIGMIGRATION) {
        project_migration(&o, &p);
    } else if (kind == WM_PARENT_DVM || kind == WM_PARENT_DIM) {
        p.up = owner_ref(&o, WM_PARENT_MIGMIGRATION, p.namespace_);
    } else if (is_uid(p.identity.uid)) {
        p.up.kind = WM_PARENT_MIGMIGRATION;
        memcpy(p.up.uid, p.identity.uid, sizeof p.up.uid);
    }
    *ret = p;
    return WM_OK;
}
