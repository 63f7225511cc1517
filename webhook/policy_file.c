/* The `validation` section of the configuration file: tables of keys, each with what takes its value. */
#include <stdio.h>
#include <stdlib.h>

#include "policy_source.h"
#include "waymark/host.h"
#include "waymark/names.h"
#include "waymark/options.h"
#include "waymark/yaml.h"

enum {
    ROWS_MAX = 256,     /* all are tried at every request, */
    PATTERNS_MAX = 256, /* and so are all patterns of a row */
    NAMESPACES_MAX = 100000,
};

/* One member of a map; `offset` is that of its slot in what the map fills. */
struct key {
    const char *name;
    size_t offset;
    bool required;
    int (*take)(const struct wm_yaml *y, const cJSON *node, void *slot, struct wm_error *err);
};

struct map {
    const char *what;
    const struct key *keys;
    size_t n;
};

static const struct key *find_key(const struct map *m, const char *name)
{
    for (size_t i = 0; i < m->n; i++)
        if (strcmp(m->keys[i].name, name) == 0)
            return &m->keys[i];
    return NULL;
}

static int fail_unknown(const struct map *m, const struct wm_yaml *y, const cJSON *node, struct wm_error *err)
{
    wm_auto_buf struct wm_buf known = WM_BUF_MAX(1024);

    for (size_t i = 0; i < m->n; i++)
        wm_buf_printf(&known, "%s%s", i ? ", " : "", m->keys[i].name);
    return wm_yaml_fail(y, node, err, "%s has no key '%.64s'; it may have %s", m->what, node->string,
                        known.p);
}

/* What was taken before an error stays in `target`, for the caller to free. */
static int take_map(const struct map *m, const struct wm_yaml *y, const cJSON *node, void *target,
                    struct wm_error *err)
{
    const cJSON *member;
    int rc;

    if (!cJSON_IsObject(node))
        return wm_yaml_fail(y, node, err, "%s: expected a map of keys and values", m->what);
    cJSON_ArrayForEach(member, node)
    {
        const struct key *k = find_key(m, member->string);

        if (!k)
            return fail_unknown(m, y, member, err);
        if ((rc = k->take(y, member, (char *)target + k->offset, err)) < 0)
            return rc;
    }
    for (size_t i = 0; i < m->n; i++)
        if (m->keys[i].required && !cJSON_GetObjectItemCaseSensitive(node, m->keys[i].name))
            return wm_yaml_fail(y, node, err, "%s needs the key '%s'", m->what, m->keys[i].name);
    return WM_OK;
}

/* --- values --- */

/* A single text stands for a list of one. */
static const cJSON *first_item(const cJSON *node)
{
    return cJSON_IsString(node) ? node : node->child;
}

static int take_globs(const struct wm_yaml *y, const cJSON *node, void *slot, struct wm_error *err)
{
    int n = cJSON_IsString(node) ? 1 : cJSON_GetArraySize(node);
    const cJSON *item = first_item(node);

    if (!cJSON_IsString(node) && !cJSON_IsArray(node))
        return wm_yaml_fail(y, node, err, "%s: expected a pattern or a list of patterns", node->string);
    if (n == 0)
        return wm_yaml_fail(y, node, err, "%s: an empty list fits nothing; leave the key out for its default",
                            node->string);
    if (n > PATTERNS_MAX)
        return wm_yaml_fail(y, node, err, "%s: %d patterns; at most %d are allowed", node->string, n,
                            PATTERNS_MAX);
    wm_globs globs = *(wm_globs *)slot = wm_xcalloc((size_t)n + 1, sizeof *globs);

    for (int i = 0; i < n; i++, item = item->next) {
        if (!cJSON_IsString(item))
            return wm_yaml_fail(y, item, err, "%s: a pattern is a text; put it in quotes", node->string);
        if (!*item->valuestring)
            return wm_yaml_fail(y, item, err, "%s: an empty pattern fits nothing", node->string);
        globs[i] = wm_xstrdup(item->valuestring);
    }
    return WM_OK;
}

static bool fits_a_rule(const char *glob)
{
    for (size_t i = 0; i < wm_rules_count(); i++)
        if (wm_glob_match(glob, wm_str_of(wm_rule_at(i, NULL)->id)))
            return true;
    return false;
}

static int take_rule_globs(const struct wm_yaml *y, const cJSON *node, void *slot, struct wm_error *err)
{
    int rc = take_globs(y, node, slot, err);
    const cJSON *item = first_item(node);

    for (wm_globs g = *(wm_globs *)slot; rc == WM_OK && *g; g++, item = item->next)
        if (!fits_a_rule(*g))
            rc = wm_yaml_fail(y, item, err, "%s: '%.100s' fits no rule (waymark-webhook rules lists them)",
                              node->string, *g);
    return rc;
}

static int take_mode(const struct wm_yaml *y, const cJSON *node, void *slot, struct wm_error *err)
{
    enum wm_mode mode = cJSON_IsString(node) ? wm_mode_of(node->valuestring) : WM_MODE_COUNT;
    wm_auto_buf struct wm_buf known = WM_BUF_MAX(256);

    if (mode != WM_MODE_COUNT) {
        *(enum wm_mode *)slot = mode;
        return WM_OK;
    }
    for (int m = WM_MODE_COUNT - 1; m >= 0; m--)
        wm_buf_printf(&known, "%s%s", known.n ? ", " : "", wm_mode_name((enum wm_mode)m));
    return wm_yaml_fail(y, node, err, "%s: expected one of %s", node->string, known.p);
}

static int take_namespace(const struct wm_yaml *y, const cJSON *node, void *slot, struct wm_error *err)
{
    if (!cJSON_IsString(node) || !wm_is_dns_label(wm_str_of(node->valuestring)))
        return wm_yaml_fail(y, node, err,
                            "%s: expected the name of a namespace (at most 63 of a-z, 0-9 and '-')",
                            node->string);
    free(*(char **)slot);
    *(char **)slot = wm_xstrdup(node->valuestring);
    return WM_OK;
}

static int take_limit(const struct wm_yaml *y, const cJSON *node, void *slot, struct wm_error *err)
{
    double v = cJSON_IsNumber(node) ? node->valuedouble : 0;

    if (!(v >= 1 && v <= NAMESPACES_MAX) || v != (unsigned)v)
        return wm_yaml_fail(y, node, err, "%s: expected a whole number from 1 to %d", node->string,
                            NAMESPACES_MAX);
    *(unsigned *)slot = (unsigned)v;
    return WM_OK;
}

/* --- the maps --- */

#define AT(field) offsetof(struct wm_policy_row, field)
static const struct key row_keys[] = {
    {"rules", AT(rules), true, take_rule_globs}, {"namespaces", AT(namespaces), false, take_globs},
    {"users", AT(users), false, take_globs},     {"groups", AT(groups), false, take_globs},
    {"mode", AT(mode), true, take_mode},
};
#undef AT
static const struct map row_map = {"a row of modes", row_keys, sizeof row_keys / sizeof row_keys[0]};

/* Here the slot is the policy itself. */
static int take_rows(const struct wm_yaml *y, const cJSON *node, void *slot, struct wm_error *err)
{
    const cJSON *item;

    if (!cJSON_IsArray(node) || !node->child)
        return wm_yaml_fail(y, node, err, "%s: expected a list of rows with 'rules' and 'mode'",
                            node->string);
    if (cJSON_GetArraySize(node) > ROWS_MAX)
        return wm_yaml_fail(y, node, err, "%s: %d rows; at most %d are allowed", node->string,
                            cJSON_GetArraySize(node), ROWS_MAX);
    cJSON_ArrayForEach(item, node)
    {
        struct wm_policy_row row = {0};
        int rc = take_map(&row_map, y, item, &row, err);

        if (rc < 0) {
            wm_policy_row_done(&row);
            return rc;
        }
        wm_policy_add(slot, &row);
    }
    return WM_OK;
}

#define AT(field) offsetof(struct wm_policy, field)
static const struct key section_keys[] = {
    {"migration-namespace", AT(migration_namespace), false, take_namespace},
    {"namespace-limit", AT(namespace_limit), false, take_limit},
    {"exceptions", AT(exceptions), false, take_rule_globs},
    {"modes", 0, false, take_rows},
};
#undef AT
static const struct map section_map = {"validation", section_keys,
                                       sizeof section_keys / sizeof section_keys[0]};

int wm_policy_parse(struct wm_str text, const char *name, struct wm_policy *ret, struct wm_error *err)
{
    wm_auto_yaml struct wm_yaml *y = NULL;
    WM_AUTO(wm_policy_done) struct wm_policy p = {0};
    int rc = wm_yaml_parse(text, name, WM_CONFIG_MAX_BYTES, &y, err);

    if (rc < 0)
        return rc;
    const cJSON *root = wm_yaml_root(y), *section = cJSON_GetObjectItemCaseSensitive(root, "validation");

    if (!cJSON_IsObject(root) && !cJSON_IsNull(root))
        return wm_yaml_fail(y, root, err, "a configuration is a map of options");
    wm_policy_init(&p);
    if (section && !cJSON_IsNull(section) && (rc = take_map(&section_map, y, section, &p, err)) < 0)
        return rc;
    *ret = p;
    p = (struct wm_policy){0};
    return WM_OK;
}

int wm_policy_load(const char *path, struct wm_policy *ret, struct wm_error *err)
{
    wm_auto_buf struct wm_buf text = WM_BUF_MAX(WM_CONFIG_MAX_BYTES);

    if (path && wm_file_read(path, &text, err) < 0)
        return wm_fail_in(err, "configuration file");
    return wm_policy_parse(wm_buf_text(&text), path, ret, err);
}
