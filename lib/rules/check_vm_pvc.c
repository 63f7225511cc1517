/* PVCs that exist before a VMMigration: the one that the user names, and the one that bears the name which
 * VirtRigaud would choose (virtrigaud internal/controller/vmmigration_controller.go, ensureMigrationPVC,
 * handleDeletion). */
#include <stdio.h>

#include "vm_impl.h"
#include "waymark/time.h"

/* From the PVC's creation (virtrigaud internal/controller/vmmigration_controller.go,
 * migrationMountDeadlineExceeded). */
enum { MOUNT_LIMIT_S = 300 };

static bool is_going(struct wm_json_value metadata)
{
    return wm_is_set(metadata, "deletionTimestamp");
}

static void judge_own_pvc(struct wm_check *c, struct wm_json_span name, struct wm_json_value metadata)
{
    const struct wm_rule *rule = &wm_vm_rules[WM_VM_OWN_PVC];
    const char *field = "spec.storage.pvc.name";
    bool mounted = wm_json_span_is(wm_get_span(wm_json_get(metadata, "labels"), "virtrigaud.io/component"),
                                   "migration-storage");
    bool consents = wm_json_span_is(
        wm_get_span(wm_json_get(metadata, "annotations"), "waymark.io/deleted-with-migration"), "true");

    if (is_going(metadata))
        wm_report(c, rule, field, name,
                  "the PVC is being deleted, so no provider mounts it and the migration times out");
    else if (!mounted)
        wm_report(c, rule, field, name,
                  "the PVC lacks VirtRigaud's label: no provider mounts it, the migration times out, and "
                  "deleting the VMMigration then deletes this PVC with all its data");
    else if (!consents)
        wm_report(c, rule, field, name,
                  "deleting the VMMigration deletes this PVC with all its data, even when the migration "
                  "failed, and the PVC does not say that it may");
}

void wm_vm_check_own_pvc(struct wm_check *c)
{
    const struct wm_rule *rule = &wm_vm_rules[WM_VM_OWN_PVC];
    struct wm_json_span span = wm_get_span(wm_vm_pvc_of(c->s->spec), "name");
    struct wm_json_value found;
    wm_name name;

    if (!wm_vm_is_on_pvc(c->s->spec) || !wm_span_copy(span, name, sizeof name) || !wm_wants(c, rule))
        return;
    enum wm_fact_state state = wm_ask(c, rule, WM_PVCS, c->s->namespace_, name, &found);

    if (state == WM_FACT_FOUND)
        judge_own_pvc(c, span, wm_json_get(found, "metadata"));
    else if (state == WM_FACT_ABSENT)
        wm_report(
            c, rule, "spec.storage.pvc.name", span,
            "there is no such PVC in namespace %s, and VirtRigaud makes none of this name: the migration "
            "fails while it validates",
            c->s->namespace_);
}

/* --- <name>-storage --- */

enum ownership { OWNERLESS, OTHERS, NAMESAKES, MAYBE_OURS, OURS };

/* Whose it is, by the first owner: VirtRigaud's PVCs have one.  An owner of the right name is this very
 * migration only by its uid; that of an object which was never stored is not known. */
static enum ownership ownership_of(const struct wm_check *c, struct wm_json_value metadata)
{
    struct wm_json_value owner = wm_json_first(wm_json_get(metadata, "ownerReferences"));
    wm_uid uid;

    if (!owner.node)
        return OWNERLESS;
    if (!wm_json_span_is(wm_get_span(owner, "kind"), "VMMigration") ||
        !wm_json_span_is(wm_get_span(owner, "name"), c->s->name))
        return OTHERS;
    if (!wm_span_copy(c->s->object.at[WM_O_UID], uid, sizeof uid))
        return MAYBE_OURS;
    return wm_json_span_is(wm_get_span(owner, "uid"), uid) ? OURS : NAMESAKES;
}

static void judge_age(struct wm_check *c, const char *pvc, struct wm_json_value metadata)
{
    const struct wm_rule *rule = &wm_vm_rules[WM_VM_STORAGE_PVC_OLD];
    struct wm_json_span created = wm_get_span(metadata, "creationTimestamp");
    int64_t created_s;

    if (c->s->now_s == 0 || !wm_time_parse(wm_span_plain(created), &created_s) ||
        c->s->now_s - created_s <= MOUNT_LIMIT_S)
        return;
    wm_report(c, rule, "metadata.name", c->s->object.at[WM_O_NAME],
              "PVC %s exists since %.*s: the 5 minutes that VirtRigaud waits for the mount are over before "
              "the migration begins",
              pvc, WM_STR_ARG(wm_span_plain(created)));
}

static void judge_storage_pvc(struct wm_check *c, const char *pvc, struct wm_json_value metadata)
{
    static const char *const whose[] = {
        [OWNERLESS] = "has no owner",
        [OTHERS] = "belongs to another object",
        [NAMESAKES] = "belongs to an earlier VMMigration of this name and is about to be deleted after it",
    };
    struct wm_json_span name = c->s->object.at[WM_O_NAME];
    enum ownership owner = ownership_of(c, metadata);

    if (is_going(metadata)) {
        wm_report(c, &wm_vm_rules[WM_VM_STORAGE_PVC_TERMINATING], "metadata.name", name,
                  "PVC %s is being deleted, VirtRigaud uses it all the same, and the migration times out",
                  pvc);
        return;
    }
    if (owner == OURS)
        return;
    if (owner != MAYBE_OURS)
        wm_report(c, &wm_vm_rules[WM_VM_STORAGE_PVC_FOREIGN], "metadata.name", name,
                  "PVC %s exists and %s; VirtRigaud writes the disk into it, and deletes it with the "
                  "VMMigration",
                  pvc, whose[owner]);
    judge_age(c, pvc, metadata);
}

void wm_vm_check_storage_pvc(struct wm_check *c)
{
    static const enum wm_vm_rule rules[] = {WM_VM_STORAGE_PVC_TERMINATING, WM_VM_STORAGE_PVC_FOREIGN,
                                            WM_VM_STORAGE_PVC_OLD};
    char pvc[WM_NAME_MAX + sizeof "-storage"];
    struct wm_json_value found = {0};
    enum wm_fact_state state = WM_FACT_ABSENT;

    if (!wm_vm_makes_pvc(c->s->spec) || !wm_vm_is_new(c) || c->s->generated || !c->s->name[0] ||
        snprintf(pvc, sizeof pvc, "%s-storage", c->s->name) > WM_NAME_MAX)
        return;
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
        if (wm_wants(c, &wm_vm_rules[rules[i]]))
            state = wm_ask(c, &wm_vm_rules[rules[i]], WM_PVCS, c->s->namespace_, pvc, &found);
    if (state == WM_FACT_FOUND)
        judge_storage_pvc(c, pvc, wm_json_get(found, "metadata"));
}
