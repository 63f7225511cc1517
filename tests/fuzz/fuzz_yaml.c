/* YAML text: a tree in which everything has its place, or an error that says where. */
#include "fuzz.h"

#include "waymark/yaml.h"

static void check(const struct wm_yaml *y, const cJSON *node)
{
    const cJSON *child;

    MUST(wm_yaml_line(y, node) > 0, "a node has a line");
    cJSON_ArrayForEach(child, node) check(y, child);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wm_yaml *y = NULL;
    struct wm_error err = {0};
    wm_auto_buf struct wm_buf out = WM_BUF_MAX(16 << 20);
    cJSON *again = NULL;

    if (wm_yaml_parse((struct wm_str){(const char *)data, size}, "f", 1 << 20, &y, &err) < 0) {
        MUST(err.msg[0] && err.where[0] == 'f', "an error has a place and a message");
        return 0;
    }
    if (!cJSON_IsNull(wm_yaml_root(y)))
        check(y, wm_yaml_root(y));
    MUST(wm_json_print(wm_yaml_root(y), &out, NULL) == WM_OK, "the tree prints");
    MUST(wm_json_parse(wm_buf_text(&out), &again, NULL) == WM_OK, "what is printed is JSON");
    cJSON_Delete(again);
    wm_yaml_free(y);
    return 0;
}
