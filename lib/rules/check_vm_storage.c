/* VMMigration's spec.storage (virtrigaud internal/controller/vmmigration_controller.go,
 * validateStorageConfig, ensureMigrationPVC, gateMigrationStorageBackend). */
#include <stdio.h>

#include "vm_impl.h"
#include "waymark/quantity.h"

static const struct wm_json_span nothing;

static void check_size(struct wm_check *c, struct wm_json_span size)
{
    const struct wm_rule *rule = &wm_vm_rules[WM_VM_PVC_SETTINGS];
    enum wm_quantity quantity = wm_quantity_of(wm_span_plain(size));

    if (quantity == WM_QUANTITY_NONE)
        wm_report(c, rule, "spec.storage.pvc.size", size,
                  "this is no Kubernetes quantity, and VirtRigaud cannot make the PVC");
    else if (quantity != WM_QUANTITY_POSITIVE)
        wm_report(c, rule, "spec.storage.pvc.size", size,
                  "a PVC must be larger than zero, and VirtRigaud cannot make this one");
}

static void check_storage_class(struct wm_check *c, struct wm_json_span span)
{
    const struct wm_rule *rule = &wm_vm_rules[WM_VM_STORAGE_CLASS_MISSING];
    struct wm_json_value found;
    wm_name name;

    if (wm_wants(c, rule) && wm_span_copy(span, name, sizeof name) &&
        wm_ask(c, rule, WM_STORAGECLASSES, "", name, &found) == WM_FACT_ABSENT)
        wm_report(c, rule, "spec.storage.pvc.storageClassName", span,
                  "there is no such storage class: the PVC stays Pending, and the migration times out after "
                  "5 minutes");
}

void wm_vm_check_pvc_settings(struct wm_check *c)
{
    const struct wm_rule *rule = &wm_vm_rules[WM_VM_PVC_SETTINGS];
    struct wm_json_value pvc = wm_vm_pvc_of(c->s->spec);

    if (wm_vm_is_on_pvc(c->s->spec) && wm_json_kind_of(pvc) != WM_JSON_OBJECT)
        wm_report(c, rule, "spec.storage.pvc", nothing,
                  "there is none, and VirtRigaud fails the migration while it validates");
    if (!wm_vm_makes_pvc(c->s->spec))
        return;
    if (wm_is_set(pvc, "storageClassName"))
        check_storage_class(c, wm_get_span(pvc, "storageClassName"));
    else
        wm_report(c, rule, "spec.storage.pvc.storageClassName", nothing,
                  "there is none, and VirtRigaud takes no default class: it fails the migration while it "
                  "validates");
    if (wm_is_set(pvc, "size"))
        check_size(c, wm_get_span(pvc, "size"));
    else
        wm_report(c, rule, "spec.storage.pvc.size", nothing,
                  "there is none, and VirtRigaud fails the migration while it validates");
}

void wm_vm_check_backend(struct wm_check *c)
{
    struct wm_json_value storage = wm_spec(c, "storage");
    const char *backend = wm_vm_backend(c->s->spec);

    if (!backend)
        return;
    bool is_nfs = strcmp(backend, "nfs") == 0;

    if (!wm_vm_is_on_pvc(c->s->spec) && wm_json_kind_of(wm_json_get(storage, backend)) != WM_JSON_OBJECT)
        wm_report(c, &wm_vm_rules[WM_VM_BACKEND_SETTINGS], is_nfs ? "spec.storage.nfs" : "spec.storage.s3",
                  nothing,
                  "there is none, though the type is %s, and VirtRigaud fails the migration while it "
                  "validates",
                  backend);
    if (!is_nfs && wm_json_span_is(wm_get_span(storage, "transferMode"), "direct"))
        wm_report(c, &wm_vm_rules[WM_VM_DIRECT_TRANSFER], "spec.storage.transferMode",
                  wm_get_span(storage, "transferMode"),
                  "VirtRigaud does not transfer directly with storage of type %s, and fails the migration "
                  "while it validates",
                  backend);
}

/* Of a PVC that VirtRigaud makes; one that exists has its modes already.  The mount path is nobody's. */
void wm_vm_check_access(struct wm_check *c)
{
    struct wm_json_value pvc = wm_vm_pvc_of(c->s->spec);
    struct wm_json_span mode = wm_get_span(pvc, "accessMode"), path = wm_get_span(pvc, "mountPath");

    if (wm_vm_makes_pvc(c->s->spec) && wm_json_span_is(mode, "ReadOnlyMany"))
        wm_report(c, &wm_vm_rules[WM_VM_READ_ONLY], "spec.storage.pvc.accessMode", mode,
                  "the export must write the disk into this PVC, and fails after snapshot and power-off of "
                  "the source VM");
    if (wm_vm_makes_pvc(c->s->spec) && wm_json_span_is(mode, "ReadWriteOnce"))
        wm_report(c, &wm_vm_rules[WM_VM_SINGLE_NODE], "spec.storage.pvc.accessMode", mode,
                  "every provider in namespace %s mounts the PVC; those on another node hang with a "
                  "Multi-Attach error until the migration times out after 5 minutes",
                  c->s->namespace_);
    if (wm_vm_is_on_pvc(c->s->spec) && wm_is_set(pvc, "mountPath") &&
        !wm_json_span_is(path, "/mnt/migration-storage"))
        wm_report(
            c, &wm_vm_rules[WM_VM_MOUNT_PATH], "spec.storage.pvc.mountPath", path,
            "providers mount the PVC at /mnt/migration-storage all the same, and the clean-up looks for "
            "it here");
}

/* The volume is named after the PVC, and the PVC that VirtRigaud makes after the migration (virtrigaud
 * internal/controller/provider_controller.go); volumes are DNS labels. */
void wm_vm_check_name(struct wm_check *c)
{
    enum { VOLUME_PREFIX = sizeof "migration-" - 1, PVC_SUFFIX = sizeof "-storage" - 1 };
    const struct wm_rule *rule = &wm_vm_rules[WM_VM_NAME];
    struct wm_json_span own = wm_get_span(wm_vm_pvc_of(c->s->spec), "name"), span = own;
    bool makes = wm_vm_makes_pvc(c->s->spec);
    wm_name name;

    if (!wm_vm_is_on_pvc(c->s->spec) || (!makes && !wm_span_copy(own, name, sizeof name)))
        return;
    if (makes) {
        snprintf(name, sizeof name, "%s", c->s->name);
        span = c->s->object.at[c->s->generated ? WM_O_GENERATE_NAME : WM_O_NAME];
    }
    size_t n = VOLUME_PREFIX + (makes ? wm_stored_name_length(c->s) + PVC_SUFFIX : strlen(name));
    const char *field = !makes            ? "spec.storage.pvc.name"
                        : c->s->generated ? "metadata.generateName"
                                          : "metadata.name";

    if (n > WM_LABEL_VALUE_MAX)
        wm_report(c, rule, field, span,
                  "every provider in namespace %s gets a volume migration-%s%s of %zu characters, where 63 "
                  "are allowed, and none of them can roll out any more",
                  c->s->namespace_, makes ? "NAME" : "PVC", makes ? "-storage" : "", n);
    else if (strchr(name, '.'))
        wm_report(c, rule, field, span,
                  "every provider in namespace %s gets a volume of this name, in which dots are not allowed, "
                  "and none of them can roll out any more",
                  c->s->namespace_);
}
