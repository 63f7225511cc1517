/* What is kept of some kinds beside the record. */
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>

#include "details_impl.h"
#include "waymark/duration.h"

static void word_of(struct wm_json_value object, const char *key, wm_word out)
{
    wm_span_copy(wm_get_span(object, key), out, sizeof(wm_word));
}

/* --- migrations --- */

static void read_migration(const struct wm_parts *p, void *out)
{
    wm_migration_read(p, out);
}

static void read_vm(const struct wm_parts *p, void *out)
{
    wm_vm_read(p, out);
}

/* --- plans and clusters --- */

/* "name", or "source:target". */
static void read_namespaces(struct wm_json_value list, struct wm_plan_state *plan)
{
    struct wm_json_value v = wm_json_first(list);

    plan->n_namespaces = 0;
    for (; v.node && plan->n_namespaces < WM_PLAN_NAMESPACES_MAX; v = wm_json_after(v)) {
        struct wm_str s = wm_json_plain(v);
        const char *colon = s.n ? memchr(s.p, ':', s.n) : NULL;
        size_t source_n = colon ? (size_t)(colon - s.p) : s.n, from = colon ? source_n + 1 : 0;

        if (source_n == 0 || source_n > WM_WORD_MAX || s.n - from == 0 || s.n - from > WM_WORD_MAX)
            continue;
        size_t i = plan->n_namespaces++;

        snprintf(plan->namespaces[i].source, sizeof(wm_word), "%.*s", (int)source_n, s.p);
        snprintf(plan->namespaces[i].target, sizeof(wm_word), "%.*s", (int)(s.n - from), s.p + from);
    }
}

static void read_volumes(struct wm_json_value list, struct wm_plan_state *plan)
{
    for (struct wm_json_value v = wm_json_first(list); v.node; v = wm_json_after(v)) {
        struct wm_json_value selection = wm_json_get(v, "selection");
        struct wm_json_span action = wm_get_span(selection, "action"),
                            method = wm_get_span(selection, "copyMethod");
        bool copy = wm_json_span_is(action, "copy");

        plan->has_volumes |= !wm_json_span_is(action, "skip");
        plan->has_moved_volumes |=
            wm_json_span_is(action, "move") || (copy && wm_json_span_is(method, "snapshot"));
        plan->has_direct_volumes |= copy && !wm_json_span_is(method, "snapshot");
    }
}

static void read_hooks(struct wm_json_value list, struct wm_plan_state *plan)
{
    static const struct {
        const char *phase;
        enum wm_need need;
    } rows[] = {{"PreBackup", WM_NEED_PRE_BACKUP_HOOK},
                {"PostBackup", WM_NEED_POST_BACKUP_HOOK},
                {"PreRestore", WM_NEED_PRE_RESTORE_HOOK},
                {"PostRestore", WM_NEED_POST_RESTORE_HOOK}};

    for (struct wm_json_value v = wm_json_first(list); v.node; v = wm_json_after(v))
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
            if (wm_json_span_is(wm_get_span(v, "phase"), rows[i].phase))
                plan->hooks |= rows[i].need;
}

/* What decides which phases a migration of the plan goes through. */
static void read_ways(const struct wm_parts *p, struct wm_plan_state *plan)
{
    struct wm_json_value type = wm_condition(p->status, "MigrationTypeIdentified");

    plan->indirect_images = wm_is_true(p->spec, "indirectImageMigration");
    plan->indirect_volumes = wm_is_true(p->spec, "indirectVolumeMigration");
    plan->has_volumes = plan->has_direct_volumes = plan->has_moved_volumes = false;
    plan->hooks = 0;
    read_volumes(wm_json_get(p->spec, "persistentVolumes"), plan);
    read_hooks(wm_json_get(p->spec, "hooks"), plan);
    plan->type_known = type.node != 0;
    plan->is_conversion = wm_json_span_is(wm_get_span(type, "reason"), "StorageConversionPlan");
}

static void read_plan(const struct wm_parts *p, void *out)
{
    struct wm_plan_state *plan = out;
    struct wm_json_value source = wm_json_get(p->spec, "srcMigClusterRef");
    struct wm_json_value target = wm_json_get(p->spec, "destMigClusterRef");

    wm_span_copy(wm_get_span(source, "name"), plan->source, sizeof plan->source);
    wm_span_copy(wm_get_span(target, "name"), plan->target, sizeof plan->target);
    plan->closed = wm_is_true(p->spec, "closed");
    read_namespaces(wm_json_get(p->spec, "namespaces"), plan);
    plan->ready = wm_condition_is_true(p->status, "Ready");
    read_ways(p, plan);
    plan->refreshing = wm_is_true(p->spec, "refresh");
    wm_span_copy(wm_get_span(wm_json_get(p->spec, "migStorageRef"), "name"), plan->storage,
                 sizeof plan->storage);
    wm_notes_read(p->status, &plan->notes);
    wm_incompatible_read(p->status, plan->incompatible, sizeof plan->incompatible);
}

static void digest_of(struct wm_json_span s, char out[static 17])
{
    unsigned char sum[SHA256_DIGEST_LENGTH];

    out[0] = '\0';
    if (s.kind != WM_JSON_STRING || s.text.n <= 2)
        return;
    SHA256((const unsigned char *)s.text.p, s.text.n, sum);
    for (int i = 0; i < 8; i++)
        snprintf(out + 2 * i, 3, "%02x", sum[i]);
}

static void read_cluster(const struct wm_parts *p, void *out)
{
    struct wm_cluster_state *c = out;
    struct wm_json_value secret = wm_json_get(p->spec, "serviceAccountSecretRef");

    c->is_host = wm_is_true(p->spec, "isHostCluster");
    c->insecure = wm_is_true(p->spec, "insecure");
    c->ready = wm_condition_is_true(p->status, "Ready");
    c->refreshing = wm_is_true(p->spec, "refresh");
    wm_notes_read(p->status, &c->notes);
    wm_span_copy(wm_get_span(p->spec, "url"), c->url, sizeof c->url);
    wm_span_copy(wm_get_span(secret, "namespace"), c->secret_namespace, sizeof c->secret_namespace);
    wm_span_copy(wm_get_span(secret, "name"), c->secret, sizeof c->secret);
    digest_of(wm_get_span(p->spec, "caBundle"), c->ca_bundle_digest);
}

static void read_storage(const struct wm_parts *p, void *out)
{
    struct wm_storage_state *storage = out;

    storage->ready = wm_condition_is_true(p->status, "Ready");
    storage->refreshing = wm_is_true(p->spec, "refresh");
    wm_notes_read(p->status, &storage->notes);
}

/* --- volumes --- */

static int count_of(struct wm_json_value status, const char *list)
{
    return (int)wm_json_count(wm_json_get(status, list));
}

static int failed_operations(struct wm_json_value status)
{
    int n = count_of(status, "failedLiveMigration");

    for (struct wm_json_value o = wm_json_first(wm_json_get(status, "rsyncOperations")); o.node;
         o = wm_json_after(o))
        n += wm_is_true(o, "failed");
    return n;
}

static void read_dvm(const struct wm_parts *p, void *out)
{
    struct wm_dvm_state *d = out;
    struct wm_json_value errors = wm_json_get(p->status, "errors");
    struct wm_json_value failed = wm_condition(p->status, "Failed");
    wm_word phase = "";

    d->successful_pods = count_of(p->status, "successfulPods");
    d->failed_pods = count_of(p->status, "failedPods");
    d->running_pods = count_of(p->status, "runningPods");
    d->pending_pods = count_of(p->status, "pendingPods");
    d->failed_operations = failed_operations(p->status);
    word_of(p->status, "phase", phase);
    word_of(failed, "reason", d->failed_at);
    wm_json_line(wm_json_span_of(wm_json_first(errors)), d->first_error, sizeof d->first_error);
    d->failed = failed.node || wm_str_ends_in(wm_str_of(phase), "Failed") || d->failed_pods ||
                d->failed_operations || wm_json_count(errors);
    wm_notes_read(p->status, &d->notes);
    wm_attempts_read(p, d);
}

/* --- jobs --- */

static void read_job(const struct wm_parts *p, void *out)
{
    struct wm_job_state *job = out;
    struct wm_json_value failed = wm_condition(p->status, "Failed");

    word_of(p->labels, "phase", job->hook_phase);
    job->deadline_s = wm_number_at(p->spec, "activeDeadlineSeconds");
    job->failed = failed.node;
    job->active = wm_number_at(p->status, "active");
    job->failures = wm_number_at(p->status, "failed");
    job->failed_s = wm_time_at(failed, "lastTransitionTime");
    word_of(failed, "reason", job->failed_reason);
    wm_json_line(wm_get_span(failed, "message"), job->failed_message, sizeof job->failed_message);
}

/* --- Velero's --- */

/* mig-controller finds its own Backups and Restores by these labels (pkg/controller/migmigration/backup.go
 * and restore.go); the endings of the names are for objects that lost them. */
static enum wm_velero_part part_of(const struct wm_parts *p)
{
    static const struct {
        const char *backup, *restore, *infix;
        enum wm_velero_part part;
    } rows[] = {
        {"migration-initial-backup", NULL, "-initial-", WM_PART_INITIAL},
        {"migration-stage-backup", "migration-stage-restore", "-stage-", WM_PART_STAGE},
        {NULL, "migration-final-restore", "-final-", WM_PART_FINAL},
    };
    static const size_t suffix = 5; /* what the API server appends for a generateName */
    size_t n_rows = sizeof rows / sizeof rows[0];
    wm_name name = "";

    for (size_t i = 0; i < n_rows; i++)
        if ((rows[i].backup && wm_is_set(p->labels, rows[i].backup)) ||
            (rows[i].restore && wm_is_set(p->labels, rows[i].restore)))
            return rows[i].part;
    wm_span_copy(p->name, name, sizeof name);
    name[strlen(name) > suffix ? strlen(name) - suffix : 0] = '\0';
    for (size_t i = 0; i < n_rows; i++)
        if (wm_str_ends_in(wm_str_of(name), rows[i].infix))
            return rows[i].part;
    return WM_PART_UNKNOWN;
}

static void read_velero(const struct wm_parts *p, void *out)
{
    struct wm_velero_state *v = out;
    wm_word timeout = "";

    v->part = part_of(p);
    word_of(p->annotations, "velero.io/pod-volume-timeout", timeout);
    if (!wm_duration_parse(wm_str_of(timeout), &v->pod_volume_timeout_s))
        v->pod_volume_timeout_s = 0;
    v->going_s = wm_time_in(p->going);
    v->errors = wm_number_at(p->status, "errors");
    v->warnings = wm_number_at(p->status, "warnings");
    v->verify_errors = count_of(p->status, "podVolumeRestoreVerifyErrors");
    wm_span_copy(wm_get_span(p->spec, "backupName"), v->backup, sizeof v->backup);
    wm_span_copy(wm_get_span(p->spec, "storageLocation"), v->location, sizeof v->location);
    wm_json_line(wm_json_span_of(wm_json_first(wm_json_get(p->status, "validationErrors"))), v->why,
                 sizeof v->why);
}

/* --- all --- */

static const struct row {
    size_t size;
    void (*read)(const struct wm_parts *p, void *out);
    uint64_t indexed;
    void *(*make)(const struct wm_parts *p); /* instead of `read`: a state that begins with a digest */
} rows[WM_KIND_COUNT] = {
    [WM_KIND_MIGMIGRATION] = {sizeof(struct wm_migration_state), read_migration,
                              WM_AT_BIT(WM_O_ANNOTATIONS) | WM_AT_BIT(WM_AT_SPEC) | WM_AT_BIT(WM_AT_STATUS)},
    [WM_KIND_MIGPLAN] = {sizeof(struct wm_plan_state), read_plan,
                         WM_AT_BIT(WM_AT_SPEC) | WM_AT_BIT(WM_AT_STATUS)},
    [WM_KIND_MIGCLUSTER] = {sizeof(struct wm_cluster_state), read_cluster,
                            WM_AT_BIT(WM_AT_SPEC) | WM_AT_BIT(WM_AT_STATUS)},
    [WM_KIND_BACKUP] = {sizeof(struct wm_velero_state), read_velero,
                        WM_AT_BIT(WM_O_LABELS) | WM_AT_BIT(WM_O_ANNOTATIONS) | WM_AT_BIT(WM_AT_SPEC) |
                            WM_AT_BIT(WM_AT_STATUS)},
    [WM_KIND_RESTORE] = {sizeof(struct wm_velero_state), read_velero,
                         WM_AT_BIT(WM_O_LABELS) | WM_AT_BIT(WM_O_ANNOTATIONS) | WM_AT_BIT(WM_AT_SPEC) |
                             WM_AT_BIT(WM_AT_STATUS)},
    [WM_KIND_MIGSTORAGE] = {sizeof(struct wm_storage_state), read_storage,
                            WM_AT_BIT(WM_AT_SPEC) | WM_AT_BIT(WM_AT_STATUS)},
    [WM_KIND_DVM] = {sizeof(struct wm_dvm_state), read_dvm, WM_AT_BIT(WM_AT_SPEC) | WM_AT_BIT(WM_AT_STATUS)},
    [WM_KIND_DVMP] = {.make = wm_rsync_make, .indexed = WM_AT_BIT(WM_AT_SPEC) | WM_AT_BIT(WM_AT_STATUS)},
    [WM_KIND_DIM] = {.make = wm_image_make, .indexed = WM_AT_BIT(WM_AT_STATUS)},
    [WM_KIND_DISM] = {.make = wm_image_make, .indexed = WM_AT_BIT(WM_AT_STATUS)},
    [WM_KIND_JOB] = {sizeof(struct wm_job_state), read_job,
                     WM_AT_BIT(WM_O_LABELS) | WM_AT_BIT(WM_AT_SPEC) | WM_AT_BIT(WM_AT_STATUS)},
    [WM_KIND_POD] = {.make = wm_pod_make,
                     .indexed = WM_AT_BIT(WM_O_LABELS) | WM_AT_BIT(WM_O_OWNERS) | WM_AT_BIT(WM_AT_SPEC) |
                                WM_AT_BIT(WM_AT_STATUS)},
    [WM_KIND_PVC] = {.make = wm_claim_make,
                     .indexed = WM_AT_BIT(WM_O_LABELS) | WM_AT_BIT(WM_O_ANNOTATIONS) |
                                WM_AT_BIT(WM_AT_FINALIZERS) | WM_AT_BIT(WM_AT_SPEC)},
    [WM_KIND_PVB] = {.make = wm_volume_make, .indexed = WM_AT_BIT(WM_AT_SPEC) | WM_AT_BIT(WM_AT_STATUS)},
    [WM_KIND_PVR] = {.make = wm_volume_make, .indexed = WM_AT_BIT(WM_AT_SPEC) | WM_AT_BIT(WM_AT_STATUS)},
    [WM_KIND_DATAUPLOAD] = {.make = wm_volume_make,
                            .indexed = WM_AT_BIT(WM_AT_SPEC) | WM_AT_BIT(WM_AT_STATUS)},
    [WM_KIND_DATADOWNLOAD] = {.make = wm_volume_make,
                              .indexed = WM_AT_BIT(WM_AT_SPEC) | WM_AT_BIT(WM_AT_STATUS)},
    [WM_KIND_DEPLOYMENT] = {.make = wm_server_make,
                            .indexed = WM_AT_BIT(WM_O_LABELS) | WM_AT_BIT(WM_O_ANNOTATIONS) |
                                       WM_AT_BIT(WM_O_OWNERS) | WM_AT_BIT(WM_AT_SPEC) |
                                       WM_AT_BIT(WM_AT_STATUS)},
    [WM_KIND_VMMIGRATION] = {sizeof(struct wm_vm_state), read_vm,
                             WM_AT_BIT(WM_O_LABELS) | WM_AT_BIT(WM_O_ANNOTATIONS) | WM_AT_BIT(WM_AT_SPEC) |
                                 WM_AT_BIT(WM_AT_STATUS)},
    [WM_KIND_PROVIDER] = {.make = wm_provider_make,
                          .indexed = WM_AT_BIT(WM_AT_SPEC) | WM_AT_BIT(WM_AT_STATUS)},
    [WM_KIND_MACHINE] = {.make = wm_machine_make, .indexed = WM_AT_BIT(WM_AT_SPEC) | WM_AT_BIT(WM_AT_STATUS)},
    [WM_KIND_REPLICASET] = {.make = wm_replicas_make,
                            .indexed = WM_AT_BIT(WM_O_LABELS) | WM_AT_BIT(WM_O_ANNOTATIONS) |
                                       WM_AT_BIT(WM_AT_SPEC) | WM_AT_BIT(WM_AT_STATUS)},
    [WM_KIND_EVENT] = {.make = wm_event_make, .indexed = WM_AT_BIT(WM_O_SELF)},
    [WM_KIND_NODE] = {.make = wm_node_make, .indexed = WM_AT_BIT(WM_AT_SPEC) | WM_AT_BIT(WM_AT_STATUS)},
    [WM_KIND_STORAGECLASS] = {.make = wm_class_make, .indexed = WM_AT_BIT(WM_O_SELF)},
    [WM_KIND_ENDPOINTSLICE] = {.make = wm_slice_make, .indexed = WM_AT_BIT(WM_O_SELF)},
    [WM_KIND_ATTACHMENT] = {.make = wm_attachment_make,
                            .indexed = WM_AT_BIT(WM_AT_SPEC) | WM_AT_BIT(WM_AT_STATUS)},
};

static void *state_of(const struct row *row, const struct wm_parts *p)
{
    if (row->make)
        return row->make(p);
    void *detail = wm_xcalloc(1, row->size);

    row->read(p, detail);
    return detail;
}

static int number_in(struct wm_json_span s)
{
    return s.kind == WM_JSON_NUMBER ? wm_str_digits(s.text, 0) : 0;
}

static void *read_parts(const struct row *row, const struct wm_reading *r)
{
    struct wm_parts p = {
        .name = r->at[WM_O_NAME],
        .namespace_ = r->at[WM_O_NAMESPACE],
        .uid = r->at[WM_O_UID],
        .created = r->at[WM_AT_CREATED],
        .going = r->at[WM_AT_GOING],
        .generation = number_in(r->at[WM_AT_GENERATION]),
        .grace_s = number_in(r->at[WM_AT_GRACE]),
        .labels = wm_json_root(&r->index, WM_O_LABELS),
        .annotations = wm_json_root(&r->index, WM_O_ANNOTATIONS),
        .owners = wm_json_root(&r->index, WM_O_OWNERS),
        .finalizers = wm_json_root(&r->index, WM_AT_FINALIZERS),
        .spec = wm_json_root(&r->index, WM_AT_SPEC),
        .status = wm_json_root(&r->index, WM_AT_STATUS),
        .self = wm_json_root(&r->index, WM_O_SELF),
    };

    return state_of(row, &p);
}

uint64_t wm_detail_indexed(enum wm_kind kind)
{
    return rows[kind].indexed;
}

static void *read_detail(const struct wm_reading *r)
{
    return rows[r->kind].indexed ? read_parts(&rows[r->kind], r) : NULL;
}

void *wm_detail_of(void *ctx, const struct wm_reading *object, void *old)
{
    enum wm_kind kind = object->kind;
    void *detail = read_detail(object);
    /* bytes between members may make equal ones differ: that costs a look, and no more */
    size_t compared = rows[kind].make ? sizeof(uint64_t) : rows[kind].size;
    bool same = detail && old && memcmp(detail, old, compared) == 0;

    wm_detail_done(ctx, kind, same ? detail : old);
    return same ? old : detail;
}

void wm_detail_done(void *ctx, enum wm_kind kind, void *detail)
{
    (void)ctx;
    (void)kind;
    free(detail);
}

/* A record of a model without details has nothing to tell, and that is what it tells. */
#define DETAIL_OF(name, type, of_kind)                                                                       \
    const struct type *name(const struct wm_record *r)                                                       \
    {                                                                                                        \
        static const struct type nothing;                                                                    \
        return r->detail && (of_kind) ? r->detail : &nothing;                                                \
    }
/* A VMMigration's state begins with what it has in common with a MigMigration's. */
DETAIL_OF(wm_migration_of, wm_migration_state,
          r->kind == WM_KIND_MIGMIGRATION || r->kind == WM_KIND_VMMIGRATION)
DETAIL_OF(wm_vm_of, wm_vm_state, r->kind == WM_KIND_VMMIGRATION)
DETAIL_OF(wm_plan_of, wm_plan_state, r->kind == WM_KIND_MIGPLAN)
DETAIL_OF(wm_cluster_of, wm_cluster_state, r->kind == WM_KIND_MIGCLUSTER)
DETAIL_OF(wm_storage_of, wm_storage_state, r->kind == WM_KIND_MIGSTORAGE)
DETAIL_OF(wm_dvm_of, wm_dvm_state, r->kind == WM_KIND_DVM)
DETAIL_OF(wm_velero_of, wm_velero_state, r->kind == WM_KIND_BACKUP || r->kind == WM_KIND_RESTORE)
DETAIL_OF(wm_job_of, wm_job_state, r->kind == WM_KIND_JOB)
