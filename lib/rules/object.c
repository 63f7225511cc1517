#include "waymark/object.h"

#define MTC "migration.openshift.io"

const struct wm_parent_resource wm_parent_resources[WM_PARENT_COUNT] = {
    [WM_PARENT_MIGMIGRATION] = {MTC, "v1alpha1", "migmigrations", "MigMigration"},
    [WM_PARENT_DVM] = {MTC, "v1alpha1", "directvolumemigrations", "DirectVolumeMigration"},
    [WM_PARENT_DIM] = {MTC, "v1alpha1", "directimagemigrations", "DirectImageMigration"},
    [WM_PARENT_BACKUP] = {"velero.io", "v1", "backups", "Backup"},
    [WM_PARENT_RESTORE] = {"velero.io", "v1", "restores", "Restore"},
    [WM_PARENT_VMMIGRATION] = {"infra.virtrigaud.io", "v1beta1", "vmmigrations", "VMMigration"},
};

bool wm_span_copy(struct wm_json_span s, char *out, size_t size)
{
    out[0] = '\0';
    if (s.kind != WM_JSON_STRING || s.text.n <= 2)
        return false;
    struct wm_str inner = {s.text.p + 1, s.text.n - 2};

    if (!memchr(inner.p, '\\', inner.n)) {
        if (inner.n >= size)
            return false;
        memcpy(out, inner.p, inner.n);
        out[inner.n] = '\0';
        return true;
    }
    wm_auto_buf struct wm_buf b = WM_BUF_MAX(size - 1);

    if (wm_json_unescape(s, &b, NULL) < 0)
        return false;
    memcpy(out, b.p, b.n + 1);
    return true;
}

struct wm_json_span wm_member(struct wm_json_span object, const char *key)
{
    struct wm_json_span found = {0};

    for (struct wm_json_iter it = wm_json_iter(object); it.is_object && wm_json_next(&it);)
        if (wm_json_span_is(it.key, key))
            found = it.value;
    return found;
}

bool wm_span_in_group(struct wm_json_span api_version, const char *group)
{
    wm_name text;
    size_t n = strlen(group);

    if (!wm_span_copy(api_version, text, sizeof text))
        return false;
    return n ? strncmp(text, group, n) == 0 && text[n] == '/' : !strchr(text, '/');
}

struct wm_json_value wm_condition(struct wm_json_value status, const char *type)
{
    for (struct wm_json_value v = wm_json_first(wm_json_get(status, "conditions")); v.node;
         v = wm_json_after(v))
        if (wm_json_span_is(wm_get_span(v, "type"), type) &&
            wm_json_span_is(wm_get_span(v, "status"), "True"))
            return v;
    return (struct wm_json_value){0};
}
