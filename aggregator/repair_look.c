#include "repair_look.h"

#include <pthread.h>

#include "waymark/patch.h"

enum { PATCH_MAX = 64 << 10 };

/* What a kind is to labels: found once, not for every object. */
static struct role {
    const struct wm_label_rule *rule; /* NULL = its objects have none */
    enum wm_parent_kind parent;
} roles[WM_KIND_COUNT];

static void find_roles(void)
{
    size_t n;
    const struct wm_label_rule *rules = wm_label_rules(&n);

    for (int k = WM_KIND_NONE + 1; k < WM_KIND_COUNT; k++) {
        const char *group = wm_kinds[k].group, *kind = wm_kinds[k].kind;

        for (size_t i = 0; i < n; i++)
            if (strcmp(rules[i].kind, kind) == 0 && strcmp(rules[i].group, group) == 0)
                roles[k].rule = &rules[i];
        for (int i = 1; i < WM_PARENT_COUNT; i++)
            if (strcmp(wm_parent_resources[i].kind, kind) == 0 &&
                strcmp(wm_parent_resources[i].group, group) == 0)
                roles[k].parent = (enum wm_parent_kind)i;
    }
}

static const struct role *role_of(enum wm_kind kind)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, find_roles);
    return &roles[kind];
}

enum wm_parent_kind wm_parent_kind_of(enum wm_kind kind)
{
    return role_of(kind)->parent;
}

/* The phases in which a write of ours costs the owner of an object nothing.
 *
 * mig-controller writes its objects as a whole: a write of ours while it works on one costs it a conflict. It
 * leaves alone what has ended.
 *
 * VirtRigaud takes a change for a reason to look at once, and may look before it sees what it has just
 * written itself: it would export, import or take a snapshot twice.  In phases that only wait, and at the
 * end, looking once more does no harm (internal/controller/vmmigration_controller.go).
 *
 * Velero patches, or tries again; a label more does not hinder it, nor those who make pods, Jobs and PVCs. */
static const struct rest {
    const char *group, *phases[6];
} rests[] = {
    {"migration.openshift.io", {"Completed", "Succeeded", "Failed"}},
    {"infra.virtrigaud.io", {"Validating", "Creating", "Validating-Target", "Ready", "Failed"}},
};

static bool is_at_rest(enum wm_kind kind, struct wm_json_span phase)
{
    for (size_t i = 0; i < sizeof rests / sizeof rests[0]; i++) {
        if (strcmp(wm_kinds[kind].group, rests[i].group) != 0)
            continue;
        for (const char *const *p = rests[i].phases; *p; p++)
            if (wm_json_span_is(phase, *p))
                return true;
        return false;
    }
    return true;
}

/* Each operation relies on what was read: a map that was not there may be there now, and a value may have
 * come from somebody else. */
static void put_tests(const struct wm_json_span at[], struct wm_buf *patch)
{
    struct wm_patch p = wm_patch_to(patch);

    wm_patch_json(&p, "test", "/metadata/uid", NULL, at[WM_O_UID].text);
    wm_patch_json(&p, "test", "/metadata/resourceVersion", NULL, at[WM_AT_VERSION].text);
    wm_patch_end(&p);
}

enum wm_lack wm_lack_of(const struct wm_lack_look *l, const struct wm_reading *r, struct wm_buf *patch,
                        wm_uid ret_missing)
{
    const struct wm_label_rule *rule = role_of(r->kind)->rule;
    struct wm_object object;
    struct wm_derivation d;
    wm_auto_buf struct wm_buf trial = WM_BUF_MAX(PATCH_MAX);
    wm_name namespace_;

    if (!rule || r->at[WM_O_UID].kind != WM_JSON_STRING || r->at[WM_AT_VERSION].kind != WM_JSON_STRING ||
        r->at[WM_AT_GOING].kind == WM_JSON_STRING || !(l->quiet || is_at_rest(r->kind, r->at[WM_AT_PHASE])))
        return WM_LACKS_NOTHING;
    object = wm_reading_object(r);
    wm_span_copy(r->at[WM_O_NAMESPACE], namespace_, sizeof namespace_);
    wm_derive(l->conf, rule, &object, namespace_, l->find, l->ctx, &d);
    if (wm_label_patch(l->conf, rule, &object, &d, &trial) > 0) {
        put_tests(r->at, patch);
        wm_label_patch(l->conf, rule, &object, &d, patch);
        return WM_LACKS_LABELS;
    }
    if (d.missing.kind == WM_PARENT_NONE)
        return WM_LACKS_NOTHING;
    memcpy(ret_missing, d.missing.uid, sizeof d.missing.uid);
    return WM_LACKS_PARENT;
}
