#include "waymark/options.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "waymark/buf.h"
#include "waymark/host.h"
#include "waymark/yaml.h"

enum { ENV_NAME_MAX = 80 };

static void *slot(const struct wm_option *o, void *target)
{
    return (char *)target + o->offset;
}

/* --- one value --- */

static void list_done(struct wm_option_list *l)
{
    for (size_t i = 0; i < l->n; i++)
        free(l->items[i]);
    free(l->items);
    *l = (struct wm_option_list){0};
}

static void list_add(struct wm_option_list *l, struct wm_str item)
{
    char **items = wm_xcalloc(l->n + 1, sizeof *items);

    if (l->n)
        memcpy(items, l->items, l->n * sizeof *items);
    items[l->n] = wm_xstrndup(item);
    free(l->items);
    l->items = items;
    l->n++;
}

static void set_list(struct wm_option_list *l, const char *text)
{
    list_done(l);
    while (*text) {
        size_t n = strcspn(text, ",");

        if (n)
            list_add(l, (struct wm_str){text, n});
        text += n + (text[n] == ',');
    }
}

static bool is_choice(const char *choices, const char *value)
{
    size_t n = strlen(value);

    for (const char *p = choices; n && (p = strstr(p, value)); p += n)
        if ((p == choices || p[-1] == '|') && (p[n] == '\0' || p[n] == '|'))
            return true;
    return false;
}

static int set_number(const struct wm_option *o, int64_t *ret, const char *text, const char *where,
                      struct wm_error *err)
{
    char *tail;

    errno = 0;
    long long v = strtoll(text, &tail, 10);

    if (errno || tail == text || *tail)
        return wm_fail(err, WM_E_INVALID, where, "%s: '%s' is not a whole number", o->name, text);
    if (v < o->min || v > o->max)
        return wm_fail(err, WM_E_INVALID, where, "%s: %lld is not between %" PRId64 " and %" PRId64, o->name,
                       v, o->min, o->max);
    *ret = v;
    return WM_OK;
}

static int set(const struct wm_option *o, void *target, const char *text, const char *where,
               struct wm_error *err)
{
    void *p = slot(o, target);

    switch (o->type) {
    case WM_OPTION_TEXT:
        if (o->choices && !is_choice(o->choices, text))
            return wm_fail(err, WM_E_INVALID, where, "%s: '%s' is not one of %s", o->name, text, o->choices);
        free(*(char **)p);
        *(char **)p = *text ? wm_xstrdup(text) : NULL;
        return WM_OK;
    case WM_OPTION_NUMBER:
        return set_number(o, p, text, where, err);
    case WM_OPTION_SWITCH:
        if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
            return wm_fail(err, WM_E_INVALID, where, "%s: '%s' is neither true nor false", o->name, text);
        *(bool *)p = text[0] == 't';
        return WM_OK;
    case WM_OPTION_LIST:
        set_list(p, text);
        return WM_OK;
    }
    return WM_OK;
}

static const struct wm_option *find(const struct wm_options *o, struct wm_str name)
{
    for (size_t i = 0; i < o->n; i++)
        if (wm_str_is(name, o->table[i].name))
            return &o->table[i];
    return NULL;
}

/* --- the file --- */

static int set_sequence(const struct wm_option *o, void *target, const struct wm_yaml *y, const cJSON *node,
                        struct wm_error *err)
{
    struct wm_option_list *l = slot(o, target);
    const cJSON *item;

    list_done(l);
    cJSON_ArrayForEach(item, node)
    {
        if (!cJSON_IsString(item))
            return wm_yaml_fail(y, item, err, "%s: a list of texts is expected", o->name);
        list_add(l, wm_str_of(item->valuestring));
    }
    return WM_OK;
}

static int set_node(const struct wm_option *o, void *target, const struct wm_yaml *y, const cJSON *node,
                    struct wm_error *err)
{
    struct wm_error why = {0};
    char number[32];
    int rc;

    if (o->type == WM_OPTION_LIST && cJSON_IsArray(node))
        return set_sequence(o, target, y, node, err);
    if (cJSON_IsString(node) && (o->type == WM_OPTION_TEXT || o->type == WM_OPTION_LIST)) {
        rc = set(o, target, node->valuestring, NULL, &why);
    } else if (cJSON_IsNumber(node) && o->type == WM_OPTION_NUMBER) {
        snprintf(number, sizeof number, "%.17g", node->valuedouble);
        rc = set(o, target, number, NULL, &why);
    } else if (cJSON_IsBool(node) && o->type == WM_OPTION_SWITCH) {
        rc = set(o, target, cJSON_IsTrue(node) ? "true" : "false", NULL, &why);
    } else if (cJSON_IsNull(node)) {
        rc = o->type == WM_OPTION_NUMBER || o->type == WM_OPTION_SWITCH ? WM_OK
                                                                        : set(o, target, "", NULL, &why);
    } else {
        static const char *const wants[] = {"a text", "a whole number", "true or false", "a list of texts"};

        return wm_yaml_fail(y, node, err, "%s: expected %s", o->name, wants[o->type]);
    }
    return rc < 0 ? wm_yaml_fail(y, node, err, "%s", why.msg) : WM_OK;
}

static bool is_section(const struct wm_options *o, const char *key)
{
    for (const char *const *s = o->sections; s && *s; s++)
        if (strcmp(*s, key) == 0)
            return true;
    return false;
}

int wm_options_read(const struct wm_options *o, struct wm_str text, const char *name, void *target,
                    struct wm_error *err)
{
    wm_auto_yaml struct wm_yaml *y = NULL;
    const cJSON *node;
    int rc;

    if ((rc = wm_yaml_parse(text, name, WM_CONFIG_MAX_BYTES, &y, err)) < 0)
        return rc;
    const cJSON *root = wm_yaml_root(y);

    if (cJSON_IsNull(root))
        return WM_OK;
    if (!cJSON_IsObject(root))
        return wm_yaml_fail(y, root, err, "a configuration is a map of options");
    cJSON_ArrayForEach(node, root)
    {
        const struct wm_option *option = find(o, wm_str_of(node->string));

        if (!option && is_section(o, node->string))
            continue;
        if (!option)
            return wm_yaml_fail(y, node, err, "unknown option '%s' (see --help)", node->string);
        if ((rc = set_node(option, target, y, node, err)) < 0)
            return rc;
    }
    return WM_OK;
}

static int load_file(const struct wm_options *o, const char *path, void *target, struct wm_error *err)
{
    wm_auto_buf struct wm_buf text = WM_BUF_MAX(WM_CONFIG_MAX_BYTES);

    if (wm_file_read(path, &text, err) < 0)
        return wm_fail_in(err, "configuration file");
    if (o->config)
        *(char **)((char *)target + *o->config) = wm_xstrdup(path);
    return wm_options_read(o, wm_buf_text(&text), path, target, err);
}

/* --- environment and flags --- */

static void env_name(const char *name, char out[static ENV_NAME_MAX])
{
    size_t n = (size_t)snprintf(out, ENV_NAME_MAX, "WAYMARK_%s", name);

    for (size_t i = 0; i < n && i < ENV_NAME_MAX; i++)
        out[i] = out[i] == '-' ? '_' : (char)toupper((unsigned char)out[i]);
}

static const char *env_value(char *const env[], const char *name)
{
    char key[ENV_NAME_MAX];

    env_name(name, key);
    size_t n = strlen(key);

    for (; env && *env; env++)
        if (strncmp(*env, key, n) == 0 && (*env)[n] == '=')
            return *env + n + 1;
    return NULL;
}

struct flags {
    const char *config;
    enum wm_options_wish wish;
};

/* Splits "--name[=value]" or "--name value"; *i moves over a separate value. */
static int read_flag(int argc, char *const argv[], int *i, struct wm_str *ret_name, const char **ret_value,
                     bool is_switch(const struct wm_options *, struct wm_str), const struct wm_options *o,
                     struct wm_error *err)
{
    const char *a = argv[*i];

    if (strncmp(a, "--", 2) != 0 || !a[2])
        return wm_fail(err, WM_E_INVALID, a, "unexpected argument '%s' (see --help)", a);
    const char *equals = strchr(a, '=');

    *ret_name = equals ? (struct wm_str){a + 2, (size_t)(equals - a) - 2} : wm_str_of(a + 2);
    *ret_value = equals ? equals + 1 : NULL;
    if (*ret_value)
        return WM_OK;
    if (is_switch(o, *ret_name)) {
        *ret_value = "true";
        return WM_OK;
    }
    if (*i + 1 >= argc)
        return wm_fail(err, WM_E_INVALID, a, "%s needs a value", a);
    *ret_value = argv[++*i];
    return WM_OK;
}

static bool takes_no_value(const struct wm_options *o, struct wm_str name)
{
    const struct wm_option *option = find(o, name);

    return wm_str_is(name, "help") || wm_str_is(name, "print-config") ||
           (option && option->type == WM_OPTION_SWITCH);
}

/* With target NULL only --config and the wishes are looked for. */
static int load_flags(const struct wm_options *o, int argc, char *const argv[], void *target, struct flags *f,
                      struct wm_error *err)
{
    for (int i = 0; i < argc; i++) {
        struct wm_str name;
        const char *value;
        char where[64];
        int rc;

        if (strcmp(argv[i], "-h") == 0) {
            f->wish = WM_WISH_HELP;
            continue;
        }
        if ((rc = read_flag(argc, argv, &i, &name, &value, takes_no_value, o, err)) < 0)
            return rc;
        const struct wm_option *option = find(o, name);
        bool file = !o->flags_only;

        snprintf(where, sizeof where, "--%.*s", (int)(name.n < 50 ? name.n : 50), name.p);
        if (wm_str_is(name, "help"))
            f->wish = WM_WISH_HELP;
        else if (file && wm_str_is(name, "print-config"))
            f->wish = WM_WISH_PRINT_CONFIG;
        else if (file && wm_str_is(name, "config"))
            f->config = value;
        else if (!option)
            return wm_fail(err, WM_E_INVALID, where, "unknown option %s (see --help)", where);
        else if (target && (rc = set(option, target, value, where, err)) < 0)
            return rc;
    }
    return WM_OK;
}

static int load_env(const struct wm_options *o, char *const env[], void *target, struct wm_error *err)
{
    for (size_t i = 0; i < o->n; i++) {
        const char *value = env_value(env, o->table[i].name);
        char where[ENV_NAME_MAX];
        int rc;

        env_name(o->table[i].name, where);
        if (value && (rc = set(&o->table[i], target, value, where, err)) < 0)
            return rc;
    }
    return WM_OK;
}

int wm_options_load(const struct wm_options *o, int argc, char *const argv[], char *const env[], void *target,
                    enum wm_options_wish *ret_wish, struct wm_error *err)
{
    char *const *vars = o->flags_only ? NULL : env;
    struct flags f = {.config = env_value(vars, "config"), .wish = WM_RUN};
    int rc;

    for (size_t i = 0; i < o->n; i++)
        if (o->table[i].fallback &&
            (rc = set(&o->table[i], target, o->table[i].fallback, "default", err)) < 0)
            return rc;
    if ((rc = load_flags(o, argc, argv, NULL, &f, err)) < 0)
        return rc;
    if (f.wish != WM_WISH_HELP) {
        if (f.config && *f.config && (rc = load_file(o, f.config, target, err)) < 0)
            return rc;
        if ((rc = load_env(o, vars, target, err)) < 0 ||
            (rc = load_flags(o, argc, argv, target, &f, err)) < 0)
            return rc;
    }
    *ret_wish = f.wish;
    return WM_OK;
}

void wm_options_done(const struct wm_options *o, void *target)
{
    for (size_t i = 0; i < o->n; i++) {
        void *p = slot(&o->table[i], target);

        if (o->table[i].type == WM_OPTION_TEXT) {
            free(*(char **)p);
            *(char **)p = NULL;
        } else if (o->table[i].type == WM_OPTION_LIST) {
            list_done(p);
        }
    }
    if (o->config) {
        char **name = (char **)((char *)target + *o->config);

        free(*name);
        *name = NULL;
    }
}
