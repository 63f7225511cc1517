/* A VMMigration and others in its namespace, and its deletion.  VirtRigaud mounts each migration's PVC into
 * every provider of the namespace, and takes it out again, by a rollout; a transfer that runs in an old pod
 * is cut when its grace period ends (virtrigaud internal/controller/provider_controller.go). */
#include "vm_impl.h"

/* Reconcile workers (virtrigaud internal/controller/vmmigration_controller.go, SetupWithManager). */
enum { WORKERS = 3 };

static const struct wm_json_span nothing;

/* Items of a list of VMMigrations that transfer a disk, but for the one in question. */
static bool is_in_flight(const struct wm_check *c, struct wm_json_value item)
{
    struct wm_json_span phase = wm_get_span(wm_json_get(item, "status"), "phase");

    return (wm_json_span_is(phase, "Exporting") || wm_json_span_is(phase, "Importing")) &&
           (c->s->generated ||
            !wm_json_span_is(wm_get_span(wm_json_get(item, "metadata"), "name"), c->s->name));
}

/* Its transfer runs in a provider of this namespace: whatever its storage, a rollout here cuts it. */
static bool runs_here(const struct wm_check *c, struct wm_json_value item)
{
    bool exports = wm_json_span_is(wm_get_span(wm_json_get(item, "status"), "phase"), "Exporting");
    struct wm_json_value end = wm_json_get(wm_json_get(item, "spec"), exports ? "source" : "target");
    struct wm_json_value provider = wm_json_get(end, "providerRef");

    return !wm_is_set(provider, "namespace") ||
           wm_json_span_is(wm_get_span(provider, "namespace"), c->s->namespace_);
}

/* An import or export without a task holds a worker until it returns. */
static bool holds_worker(const struct wm_check *c, struct wm_json_value item)
{
    (void)c;
    return !wm_is_set(wm_json_get(item, "status"), "taskRef");
}

struct others {
    size_t n;
    struct wm_str name; /* of the first */
};

static struct others others_of(struct wm_check *c, const struct wm_rule *rule,
                               bool (*counts)(const struct wm_check *, struct wm_json_value))
{
    struct others found = {0};
    struct wm_json_value list;

    if (!wm_wants(c, rule) || wm_ask(c, rule, WM_VMMIGRATIONS, c->s->namespace_, "", &list) != WM_FACT_FOUND)
        return found;
    for (struct wm_json_value v = wm_json_first(wm_json_get(list, "items")); v.node; v = wm_json_after(v))
        if (is_in_flight(c, v) && counts(c, v) && found.n++ == 0)
            found.name = wm_json_plain(wm_json_get(wm_json_get(v, "metadata"), "name"));
    return found;
}

static void report_rollout(struct wm_check *c, enum wm_vm_rule rule, const char *field, const char *what)
{
    struct others others = others_of(c, &wm_vm_rules[rule], runs_here);

    if (others.n == 1)
        wm_report(c, &wm_vm_rules[rule], field, nothing,
                  "VMMigration %.*s is transferring its disk; %s every provider in namespace %s, which cuts "
                  "the transfer after about 30 seconds and fails it",
                  WM_STR_ARG(others.name), what, c->s->namespace_);
    else if (others.n > 1)
        wm_report(
            c, &wm_vm_rules[rule], field, nothing,
            "VMMigration %.*s and %zu more are transferring their disks; %s every provider in namespace "
            "%s, which cuts the transfers after about 30 seconds and fails them",
            WM_STR_ARG(others.name), others.n - 1, what, c->s->namespace_);
}

void wm_vm_check_in_flight(struct wm_check *c)
{
    if (wm_vm_makes_pvc(c->s->spec) && wm_vm_is_new(c))
        report_rollout(c, WM_VM_OTHERS_IN_FLIGHT, "spec.storage", "the PVC of this one rolls out");
}

void wm_vm_check_workers(struct wm_check *c)
{
    const struct wm_rule *rule = &wm_vm_rules[WM_VM_WORKERS_BUSY];

    if (!wm_vm_is_new(c))
        return;
    struct others others = others_of(c, rule, holds_worker);

    if (others.n >= WORKERS)
        wm_report(
            c, rule, "", nothing,
            "VMMigration %.*s and %zu more in namespace %s are transferring their disks, and VirtRigaud "
            "begins with this one only when fewer than %d are",
            WM_STR_ARG(others.name), others.n - 1, c->s->namespace_, WORKERS);
}

/* VirtRigaud deletes the PVC that it wrote down in status; a migration that failed before has none. */
void wm_vm_check_delete(struct wm_check *c)
{
    struct wm_json_value pvc = wm_vm_pvc_of(c->s->spec);
    struct wm_json_span phase = wm_get_span(c->s->status, "phase");

    if (!wm_vm_is_on_pvc(c->s->spec) ||
        (wm_json_span_is(phase, "Failed") && !wm_is_set(c->s->status, "storagePVCName")))
        return;
    report_rollout(c, WM_VM_DELETE_WHILE_OTHERS_RUN, "", "deleting this one and its PVC rolls out");
    if (wm_is_set(pvc, "name"))
        wm_report(c, &wm_vm_rules[WM_VM_DELETE_REMOVES_PVC], "spec.storage.pvc.name",
                  wm_get_span(pvc, "name"),
                  "VirtRigaud deletes this PVC in namespace %s with the VMMigration, though it was not made "
                  "for it, and ALL DATA IN IT IS LOST, for good unless its volume is retained",
                  c->s->namespace_);
}
