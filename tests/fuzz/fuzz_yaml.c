/* YAML text: trees in which everything has its place and which print as YAML that reads back to the same, or
 * an error that says where. */
#include "fuzz.h"

#include "waymark/yaml.h"

enum { MAX_TEXT = 1 << 20, MAX_PRINTED = 64 << 20 };

static void check(const struct wm_yaml *y, const cJSON *node)
{
    const cJSON *child;

    MUST(wm_yaml_line(y, node) > 0, "a node has a line");
    cJSON_ArrayForEach(child, node) check(y, child);
}

static char *json_of(const cJSON *tree)
{
    wm_auto_json cJSON *copy = wm_yaml_copy(tree);

    return cJSON_PrintUnformatted(copy);
}

static void check_printing(const struct wm_yaml *y)
{
    wm_auto_json cJSON *copy = wm_yaml_copy(wm_yaml_root(y)), *json = NULL;
    wm_auto_buf struct wm_buf yaml = WM_BUF_MAX(MAX_PRINTED);
    wm_auto_yaml struct wm_yaml *again = NULL;
    struct wm_error err = {0};
    wm_auto_free char *once = json_of(wm_yaml_root(y));

    MUST(wm_json_parse(wm_str_of(once), &json, &err) == WM_OK, "what is printed is JSON");
    MUST(wm_yaml_print(copy, &yaml, &err) == WM_OK, err.msg);
    MUST(wm_yaml_parse(wm_buf_text(&yaml), "f", MAX_PRINTED, &again, &err) == WM_OK, err.msg);
    wm_auto_free char *twice = json_of(wm_yaml_root(again));

    MUST(strcmp(once, twice) == 0, "what is printed reads back to the same");
}

static void check_single(struct wm_str text, const struct wm_yaml *first, size_t n)
{
    wm_auto_yaml struct wm_yaml *y = NULL;
    struct wm_error err = {0};
    int rc = wm_yaml_parse(text, "f", MAX_TEXT, &y, &err);

    MUST((rc == WM_OK) == (n <= 1), "a single document is one that is followed by none");
    if (rc < 0)
        MUST(err.msg[0] && err.where[0] == 'f', "an error has a place and a message");
    else
        MUST(cJSON_Compare(wm_yaml_root(y), first ? wm_yaml_root(first) : wm_yaml_root(y), true),
             "a document is the same, read alone or in a row");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wm_str text = {(const char *)data, size};
    wm_auto_yaml_reader struct wm_yaml_reader *r = NULL;
    wm_auto_yaml struct wm_yaml *first = NULL;
    struct wm_error err = {0};
    size_t n = 0;
    int rc;

    if (wm_yaml_open(text, "f", MAX_TEXT, &r, &err) < 0)
        return 0;
    for (struct wm_yaml *y = NULL; (rc = wm_yaml_next(r, &y, &err)) > 0; n++) {
        check(y, wm_yaml_root(y));
        check_printing(y);
        if (n == 0)
            first = y;
        else
            wm_yaml_free(y);
    }
    if (rc < 0)
        MUST(err.msg[0] && err.where[0] == 'f', "an error has a place and a message");
    check_single(text, first, rc < 0 ? n + 2 : n);
    return 0;
}
