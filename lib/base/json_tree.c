/* cJSON trees behind checks; the only file that calls cJSON's parser and printer. */
#include <math.h>
#include <stdlib.h>

#include "json_scan.h"

int wm_json_parse(struct wm_str text, cJSON **ret, struct wm_error *err)
{
    bool nul;
    int rc;

    if (text.n > WM_JSON_MAX_TREE_BYTES)
        return wm_fail(err, WM_E_TOO_BIG, NULL, "JSON of %zu bytes; at most %u are read", text.n,
                       WM_JSON_MAX_TREE_BYTES);
    if ((rc = wm_json_scan(text, WM_JSON_MAX_TREE_DEPTH, 0, NULL, NULL, &nul, err)) < 0)
        return rc;
    if (nul)
        return wm_fail(err, WM_E_INVALID, NULL, "string with a NUL character");
    cJSON *doc = cJSON_ParseWithLength(text.p, text.n);

    /* The text was checked, so what remains is memory. */
    if (!doc)
        return wm_fail(err, WM_E_NOMEM, NULL, "out of memory for JSON of %zu bytes", text.n);
    *ret = doc;
    return WM_OK;
}

static cJSON *child_at(const cJSON *node, struct wm_str token)
{
    char key[512], *tail;
    size_t n = wm_json_pointer_decode(token, key, sizeof key);

    if (!cJSON_IsArray(node))
        return cJSON_GetObjectItemCaseSensitive(node, key);
    unsigned long i = strtoul(key, &tail, 10);

    return n == 0 || *tail || key[0] == '-' || i > INT32_MAX ? NULL : cJSON_GetArrayItem(node, (int)i);
}

cJSON *wm_json_at(const cJSON *doc, const char *pointer)
{
    cJSON *node = (cJSON *)(uintptr_t)doc;

    while (node && *pointer == '/') {
        size_t n = strcspn(pointer + 1, "/");

        node = child_at(node, (struct wm_str){pointer + 1, n});
        pointer += 1 + n;
    }
    return node;
}

const char *wm_json_str(const cJSON *doc, const char *pointer)
{
    return cJSON_GetStringValue(wm_json_at(doc, pointer));
}

int64_t wm_json_i64(const cJSON *doc, const char *pointer, int64_t otherwise)
{
    const cJSON *node = wm_json_at(doc, pointer);

    if (!node || !cJSON_IsNumber(node) || fabs(node->valuedouble) >= 9007199254740992.0)
        return otherwise;
    return (int64_t)node->valuedouble;
}

bool wm_json_bool(const cJSON *doc, const char *pointer)
{
    return cJSON_IsTrue(wm_json_at(doc, pointer));
}

int wm_json_print(const cJSON *doc, struct wm_buf *out, struct wm_error *err)
{
    wm_auto_free char *text = cJSON_PrintUnformatted(doc);

    if (!text)
        return wm_fail(err, WM_E_NOMEM, NULL, "out of memory while printing JSON");
    wm_buf_puts(out, text);
    return wm_buf_check(out, err);
}

void wm_json_deletep_(cJSON **pp)
{
    cJSON_Delete(*pp);
}
