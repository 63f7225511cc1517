/* What differs between the kinds of migrations. */
#include <stdio.h>

#include "follow_impl.h"

static const struct wm_follow_kind kinds[] = {
    {WM_KIND_MIGMIGRATION, WM_CONDITIONS_MTC, &wm_slot_rules_mtc, .has_status = false, .goes_on = false},
    /* VirtRigaud looks at it for ever after Ready; its PVC stays, and restarts providers when it goes. */
    {WM_KIND_VMMIGRATION, WM_CONDITIONS_META, &wm_slot_rules_meta, .has_status = true, .goes_on = true},
};

const struct wm_follow_kind *wm_follow_kind_of(enum wm_kind kind)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (kinds[i].kind == kind)
            return &kinds[i];
    return NULL;
}

struct wm_id wm_follow_owner_of(struct wm_json_span owners)
{
    const struct wm_owner first = wm_owner_first(owners);
    struct wm_id id = {0};

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0] && !wm_id_is_set(id); i++)
        id = wm_owner_of(&first, wm_kinds[kinds[i].kind].kind);
    return id;
}

void wm_follow_path(const struct tracked *t, const char *subresource, char path[static WM_FOLLOW_PATH_MAX])
{
    const struct wm_kind_info *k = &wm_kinds[t->kind->kind];

    snprintf(path, WM_FOLLOW_PATH_MAX, "/apis/%s/%s/namespaces/%s/%s/%s%s", k->group, k->version,
             t->namespace_, k->resource, t->name, subresource);
}

void wm_follow_event(struct wm_follow *f, const struct wm_followed_object *about, bool warning,
                     const char *reason, const char *note, struct wm_events *events)
{
    const struct wm_kind_info *k = &wm_kinds[about->kind];
    wm_name api_version;

    snprintf(api_version, sizeof api_version, "%s/%s", k->group, k->version);
    struct wm_event e = {
        .regarding = {api_version, k->kind, about->namespace_, about->name, about->uid},
        .warning = warning,
        .reason = reason,
        .action = "Migrate",
        .note = note,
        .once = about->once,
    };

    wm_events_tell(events, &e);
    f->told++;
}
