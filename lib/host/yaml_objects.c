#include "waymark/yaml_objects.h"

/* What is left to take of a List, or of a document: `next` and its siblings; and what its items do not say
 * themselves. */
struct rest {
    const cJSON *next;
    const char *api_version;
    char kind[128];
};

static const char *either(const char *own, const char *implied)
{
    return own && own[0] ? own : implied;
}

int wm_list_of(struct wm_str kind)
{
    static const char LIST[] = "List";
    const size_t n = sizeof LIST - 1;

    return kind.n >= n && memcmp(kind.p + kind.n - n, LIST, n) == 0 ? (int)(kind.n - n) : -1;
}

/* False when `node` is no List. */
static bool open_list(const cJSON *node, const char *api_version, const char *kind, struct rest *ret)
{
    const cJSON *items = wm_json_at(node, "/items");
    int n = wm_list_of(wm_str_of(kind));

    if (!api_version[0] || n < 0 || (size_t)n >= sizeof ret->kind || !cJSON_IsArray(items))
        return false;
    ret->next = items->child;
    ret->api_version = n > 0 ? api_version : "";
    memcpy(ret->kind, kind, (size_t)n);
    ret->kind[n] = '\0';
    return true;
}

/* Each List is two levels of YAML, so that their number is bounded. */
void wm_yaml_each_object(const struct wm_yaml *y, wm_yaml_object_fn *fn, void *ctx)
{
    struct rest lists[WM_YAML_MAX_DEPTH / 2 + 1] = {{wm_yaml_root(y), "", ""}};
    size_t depth = 1;

    while (depth) {
        struct rest *rest = &lists[depth - 1];
        const cJSON *node = rest->next;

        if (!node) {
            depth--;
            continue;
        }
        const char *api_version = either(wm_json_str(node, "/apiVersion"), rest->api_version);
        const char *kind = either(wm_json_str(node, "/kind"), rest->kind);

        rest->next = node->next;
        if (open_list(node, api_version, kind, &lists[depth]))
            depth++;
        else
            fn(ctx, node, api_version, kind);
    }
}
