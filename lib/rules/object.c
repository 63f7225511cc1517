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

/* Which of the keys a member has; `n` for none. */
static size_t which(const struct wm_json_iter *it, size_t n, const struct wm_str keys[])
{
    const struct wm_str key = {it->key.text.p + 1, it->key.text.n - 2};
    size_t i = 0;

    if (it->key_is_plain)
        while (i < n && !wm_str_eq(key, keys[i]))
            i++;
    else
        while (i < n && !wm_json_span_is(it->key, keys[i].p))
            i++;
    return i;
}

unsigned wm_members(struct wm_json_span object, size_t n, const struct wm_str keys[],
                    struct wm_json_span ret[])
{
    unsigned twice = 0;

    for (size_t i = 0; i < n; i++)
        ret[i] = (struct wm_json_span){0};
    for (struct wm_json_iter it = wm_json_iter(object); it.is_object && wm_json_next(&it);) {
        size_t i = which(&it, n, keys);

        if (i == n)
            continue;
        if (ret[i].kind != WM_JSON_ABSENT)
            twice |= 1u << i;
        ret[i] = it.value;
    }
    return twice;
}

struct wm_json_span wm_member(struct wm_json_span object, const char *key)
{
    const struct wm_str keys[] = {wm_str_of(key)};
    struct wm_json_span found;

    wm_members(object, 1, keys, &found);
    return found;
}

struct wm_owner wm_owner_first(struct wm_json_span owners)
{
    struct wm_owner o;

    o.rest = wm_json_iter(owners);
    wm_owner_next(&o);
    return o;
}

void wm_owner_next(struct wm_owner *o)
{
    static const struct wm_str keys[WM_OWNER_COUNT] = {
        [WM_OWNER_VERSION] = WM_STR("apiVersion"),
        [WM_OWNER_KIND] = WM_STR("kind"),
        [WM_OWNER_NAME] = WM_STR("name"),
        [WM_OWNER_UID] = WM_STR("uid"),
        [WM_OWNER_CONTROLLER] = WM_STR("controller"),
    };

    o->is_there = wm_json_next(&o->rest);
    if (o->is_there)
        o->twice = wm_members(o->rest.value, WM_OWNER_COUNT, keys, o->at);
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
