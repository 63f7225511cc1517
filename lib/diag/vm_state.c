#include "waymark/vm.h"

#include <stdio.h>

#include "details_impl.h"
#include "waymark/time.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const char *const storage_names[] = {
    [WM_VM_STORAGE_NONE] = "none",
    [WM_VM_STORAGE_PVC] = "pvc",
    [WM_VM_STORAGE_NFS] = "nfs",
    [WM_VM_STORAGE_S3] = "s3",
};

const char *wm_vm_storage_name(enum wm_vm_storage s)
{
    return storage_names[s];
}

bool wm_vm_may_be_written(const struct wm_vm_state *vm)
{
    static const char *const calls[] = {"Snapshotting", "Exporting", "Transferring", "Converting",
                                        "Importing"};

    for (size_t i = 0; i < COUNT(calls); i++)
        if (strcmp(vm->m.phase, calls[i]) == 0)
            return vm->task;
    return true;
}

static void name_at(struct wm_json_value object, const char *key, wm_name out)
{
    wm_span_copy(wm_get_span(object, key), out, sizeof(wm_name));
}

/* --- spec --- */

static enum wm_vm_storage storage_of(struct wm_json_value storage)
{
    struct wm_json_span type = wm_get_span(storage, "type");

    if (!storage.node)
        return WM_VM_STORAGE_NONE;
    return wm_json_span_is(type, "nfs")  ? WM_VM_STORAGE_NFS
           : wm_json_span_is(type, "s3") ? WM_VM_STORAGE_S3
                                         : WM_VM_STORAGE_PVC;
}

static void read_storage(struct wm_json_value spec, struct wm_json_value status, struct wm_vm_state *vm)
{
    struct wm_json_value storage = wm_json_get(spec, "storage"), pvc = wm_json_get(storage, "pvc");
    wm_name own;

    vm->storage = storage_of(storage);
    if (vm->storage != WM_VM_STORAGE_PVC)
        return;
    name_at(pvc, "name", own);
    vm->own_claim = own[0];
    name_at(status, "storagePVCName", vm->claim);
    if (!vm->claim[0] && vm->own_claim)
        memcpy(vm->claim, own, sizeof own);
    else if (!vm->claim[0])
        snprintf(vm->claim, sizeof vm->claim, "%.*s-storage", (int)(sizeof vm->claim - sizeof "-storage"),
                 vm->m.name);
    vm->access_modes = wm_access_mode_of(wm_get_span(pvc, "accessMode"));
    if (!vm->access_modes && !vm->own_claim)
        vm->access_modes = WM_ACCESS_RWX; /* the controller's default */
    name_at(pvc, "storageClassName", vm->storage_class);
}

static void read_spec(struct wm_json_value spec, struct wm_vm_state *vm)
{
    struct wm_json_value source = wm_json_get(spec, "source"), target = wm_json_get(spec, "target"),
                         options = wm_json_get(spec, "options"), retry = wm_json_get(options, "retryPolicy"),
                         from = wm_json_get(source, "providerRef"), to = wm_json_get(target, "providerRef");

    name_at(wm_json_get(source, "vmRef"), "name", vm->vm);
    name_at(from, "name", vm->source_provider);
    name_at(from, "namespace", vm->source_provider_namespace);
    name_at(target, "name", vm->target);
    name_at(target, "namespace", vm->target_namespace);
    name_at(to, "name", vm->target_provider);
    name_at(to, "namespace", vm->target_provider_namespace);
    vm->powers_off = wm_is_true(source, "powerOffBeforeMigration");
    vm->makes_snapshot = wm_json_kind_of(wm_json_get(source, "createSnapshot")) != WM_JSON_FALSE;
    vm->cleans_up = !wm_json_span_is(wm_get_span(options, "cleanupPolicy"), "Never");
    if (retry.node)
        vm->retries_max = wm_json_get(retry, "maxRetries").node ? wm_number_at(retry, "maxRetries") : 3;
    wm_line_at(wm_json_get(spec, "metadata"), "project", vm->project, sizeof vm->project);
}

/* --- status --- */

/* The condition Validating says by its reason what is waited for; it is False only then. */
static void read_wait(struct wm_json_value status, struct wm_vm_state *vm)
{
    struct wm_json_value c = wm_any_condition(status, "Validating");

    if (strcmp(vm->m.phase, "Validating") != 0 || !wm_json_span_is(wm_get_span(c, "status"), "False"))
        return;
    wm_line_at(c, "reason", vm->waits, sizeof vm->waits);
    wm_line_at(c, "message", vm->waits_message, sizeof vm->waits_message);
}

/* When the phase began: at the condition that the one before it ends with.  lastTransitionTime changes with
 * the message, too, but these are written once (internal/util/k8s/conditions.go), an attempt: what is older
 * than the last retry is of the attempt before. */
static int64_t since_of(struct wm_json_value status, const char *phase)
{
    static const struct {
        const char *phase, *type, *reason;
    } rows[] = {
        {"Snapshotting", "Validating", "ValidationComplete"}, {"Exporting", "Snapshotting", NULL},
        {"Exporting", "Validating", "ValidationComplete"},    {"Importing", "Exporting", "ExportComplete"},
        {"Creating", "Importing", "ImportComplete"},          {"Failed", "Failed", "MigrationFailed"},
    };
    int64_t since_s = 0;

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct wm_json_value c = wm_condition(status, rows[i].type);

        if (strcmp(rows[i].phase, phase) == 0 && c.node &&
            (!rows[i].reason || wm_json_span_is(wm_get_span(c, "reason"), rows[i].reason)))
            since_s = wm_later(since_s, wm_time_at(c, "lastTransitionTime"));
    }
    return since_s;
}

static int64_t begin_of(struct wm_json_value status, const struct wm_vm_state *vm)
{
    const char *phase = vm->m.phase;
    int64_t since_s = since_of(status, phase);

    if (strcmp(phase, "Validating") == 0)
        return wm_later(vm->m.started_s, vm->retried_s);
    if (strcmp(phase, "Pending") == 0 && vm->retried_s)
        return vm->retried_s;
    return since_s >= vm->retried_s ? since_s : 0;
}

/* The phase that failed: status.phase is Failed by then, and only the message tells which it was. */
static const char *failed_phase(const char *message)
{
    static const struct {
        const char *part, *phase;
    } rows[] = {
        {"waiting for providers to mount", "Validating"},
        {"Invalid storage configuration", "Validating"},
        {"Failed to ensure migration PVC", "Validating"},
        {"PVC-based migration requires", "Validating"},
        {"Providers not ready after PVC mount", "Validating"}, /* up to 0.3.9 */
        {"storage backend", "Validating"},
        {"transfer mode", "Validating"},
        {"Failed to power off source VM", "Validating"},
        {"snapshot", "Snapshotting"},
        {"disk export", "Exporting"},
        {"storage configuration is required", "Exporting"},
        {"disk import", "Importing"},
        {"Failed to create target VM", "Creating"},
        {"did not record disk info", "Creating"},
        {"Failed to get target VM", "Validating-Target"},
    };

    for (size_t i = 0; i < COUNT(rows); i++)
        if (strstr(message, rows[i].part))
            return rows[i].phase;
    return "";
}

/* After a failure the controller starts over at Pending; completionTime and the condition of the end stay. */
static bool retries_again(const struct wm_vm_state *vm)
{
    return strcmp(vm->m.phase, "Failed") == 0 && vm->retries < vm->retries_max;
}

/* Ready stays False with the message of the failure until it succeeds. */
static void read_attempt_before(struct wm_json_value status, struct wm_vm_state *vm)
{
    struct wm_json_value ready = wm_any_condition(status, "Ready");

    if (vm->retries > 0 && !vm->m.over && wm_json_span_is(wm_get_span(ready, "status"), "False"))
        wm_line_at(ready, "message", vm->m.first_error, sizeof vm->m.first_error);
}

static void conclude(struct wm_json_value status, struct wm_vm_state *vm)
{
    struct wm_migration_state *m = &vm->m;
    bool ready = strcmp(m->phase, "Ready") == 0, failed = strcmp(m->phase, "Failed") == 0;

    m->outcome = ready                             ? WM_RUN_SUCCEEDED
                 : failed && !retries_again(vm)    ? WM_RUN_FAILED
                 : m->phase[0] || m->started_s > 0 ? WM_RUN_RUNNING
                                                   : WM_RUN_NOT_STARTED;
    m->over = m->outcome == WM_RUN_SUCCEEDED || m->outcome == WM_RUN_FAILED;
    wm_line_at(status, "message", m->message, sizeof m->message);
    if (m->over)
        m->completed_s = wm_time_at(status, "completionTime");
    if (!failed) {
        read_attempt_before(status, vm);
        return;
    }
    snprintf(m->cause, sizeof m->cause, "%s", failed_phase(m->message));
    memcpy(m->first_error, m->message, sizeof m->first_error);
    m->errors = 1;
}

static void read_phase(struct wm_json_value status, struct wm_vm_state *vm)
{
    struct wm_migration_state *m = &vm->m;

    wm_line_at(status, "phase", m->phase, sizeof m->phase);
    m->row = wm_vm_phase_find(m->phase);
    m->itinerary = WM_ITINERARY_VM;
    m->step = wm_phase_step(WM_ITINERARY_VM, m->phase);
    m->steps = m->step ? wm_itinerary_steps(WM_ITINERARY_VM) : 0;
    m->started_s = wm_time_at(status, "startTime");
    m->since_s = begin_of(status, vm);
}

static void read_status(struct wm_json_value spec, struct wm_json_value status, struct wm_vm_state *vm)
{
    vm->retried_s = wm_time_at(status, "lastRetryTime");
    read_phase(status, vm);
    read_wait(status, vm);
    /* one of spec.source.snapshotRef is the user's */
    vm->snapshot =
        wm_is_set(status, "snapshotID") && !wm_json_get(wm_json_get(spec, "source"), "snapshotRef").node;
    vm->exports = wm_is_set(status, "exportID");
    vm->imports = wm_is_set(status, "importID");
    vm->task = wm_is_set(status, "taskRef");
    vm->cleaned_up = wm_is_true(wm_json_get(status, "storageInfo"), "cleanedUp");
    vm->retries = wm_number_at(status, "retryCount");
    conclude(status, vm);
}

/* --- all --- */

void wm_vm_read(const struct wm_parts *p, struct wm_vm_state *vm)
{
    vm->m.kind = WM_RUN_VM;
    wm_span_copy(p->name, vm->m.name, sizeof vm->m.name);
    wm_span_copy(p->namespace_, vm->m.namespace_, sizeof vm->m.namespace_);
    wm_span_copy(p->uid, vm->m.uid, sizeof vm->m.uid);
    vm->m.created_s = wm_time_in(p->created);
    vm->m.going = p->going.kind == WM_JSON_STRING;
    vm->restored = wm_is_set(p->labels, "velero.io/restore-name");
    read_spec(p->spec, vm);
    read_status(p->spec, p->status, vm);
    read_storage(p->spec, p->status, vm);
}
