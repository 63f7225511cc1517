#include "waymark/patch.h"

#include <stdio.h>
#include <stdlib.h>

enum { POINTER_MAX = 2048 };

/* A pointer split into its parent container and its last token. */
struct target {
    cJSON *parent;
    char token[POINTER_MAX]; /* unescaped */
    bool root;               /* the pointer was "" */
};

static int locate(cJSON *doc, const char *pointer, struct target *ret, struct wm_error *err)
{
    char head[POINTER_MAX];
    const char *last = strrchr(pointer, '/');
    size_t n = 0;

    *ret = (struct target){.root = pointer[0] == '\0'};
    if (ret->root)
        return WM_OK;
    if (pointer[0] != '/' || strlen(pointer) >= sizeof head)
        return wm_fail(err, WM_E_INVALID, NULL, "path is not a JSON pointer");
    memcpy(head, pointer, (size_t)(last - pointer));
    head[last - pointer] = '\0';
    for (const char *p = last + 1; *p; p++) {
        char c = *p;

        if (c == '~') {
            p++;
            if (*p != '0' && *p != '1')
                return wm_fail(err, WM_E_INVALID, NULL, "path with a stray '~'");
            c = *p == '1' ? '/' : '~';
        }
        ret->token[n++] = c;
    }
    ret->parent = wm_json_at(doc, head);
    if (!cJSON_IsObject(ret->parent) && !cJSON_IsArray(ret->parent))
        return wm_fail(err, WM_E_INVALID, NULL, "there is nothing at '%s'", head);
    return WM_OK;
}

/* An array index in `token`, at most `max`; -1 when it is none. */
static int index_of(const char *token, int max)
{
    char *tail;
    unsigned long i = strtoul(token, &tail, 10);
    bool canonical = token[0] >= '0' && token[0] <= '9' && !*tail && (token[0] != '0' || !token[1]);

    return canonical && i <= (unsigned long)max ? (int)i : -1;
}

static cJSON *child(const struct target *t)
{
    if (cJSON_IsObject(t->parent))
        return cJSON_GetObjectItemCaseSensitive(t->parent, t->token);
    int i = index_of(t->token, cJSON_GetArraySize(t->parent) - 1);

    return i < 0 ? NULL : cJSON_GetArrayItem(t->parent, i);
}

/* Not cJSON_InsertItemInArray: in Debian's 1.7.15-1+deb12u4 it refuses to insert before the last item. */
static void insert(cJSON *array, int i, cJSON *value)
{
    cJSON *node = cJSON_GetArrayItem(array, i);

    cJSON_AddItemToArray(array, value);
    while (node && node != value) {
        cJSON *next = node->next;

        cJSON_AddItemToArray(array, cJSON_DetachItemViaPointer(array, node));
        node = next;
    }
}

/* Puts `value` (owned) at `t`; on failure it is deleted. */
static int add(cJSON **doc, const struct target *t, cJSON *value, struct wm_error *err)
{
    if (t->root) {
        cJSON_Delete(*doc);
        *doc = value;
        return WM_OK;
    }
    if (cJSON_IsObject(t->parent)) {
        cJSON_DeleteItemFromObjectCaseSensitive(t->parent, t->token);
        cJSON_AddItemToObject(t->parent, t->token, value);
        return WM_OK;
    }
    int size = cJSON_GetArraySize(t->parent),
        i = strcmp(t->token, "-") == 0 ? size : index_of(t->token, size);

    if (i < 0) {
        cJSON_Delete(value);
        return wm_fail(err, WM_E_INVALID, NULL, "'%s' is not an index of the array", t->token);
    }
    insert(t->parent, i, value);
    return WM_OK;
}

/* Takes the value at `pointer` out of the document; NULL with *err when there is none. */
static cJSON *detach(cJSON *doc, const char *pointer, struct wm_error *err)
{
    struct target t;

    if (locate(doc, pointer, &t, err) < 0)
        return NULL;
    cJSON *node = t.root ? NULL : child(&t);

    if (!node)
        wm_fail(err, WM_E_INVALID, NULL, "there is nothing to remove at '%s'", pointer);
    return node ? cJSON_DetachItemViaPointer(t.parent, node) : NULL;
}

static bool is_inside(const char *path, const char *from)
{
    size_t n = strlen(from);

    return strncmp(path, from, n) == 0 && (path[n] == '/' || n == 0);
}

/* The value that an operation puts in place, owned by the caller; NULL with *err. */
static cJSON *value_of(cJSON *doc, const cJSON *op, const char *name, const char *path, struct wm_error *err)
{
    const char *from = wm_json_str(op, "/from");
    bool moves = strcmp(name, "move") == 0, copies = strcmp(name, "copy") == 0;
    const cJSON *source;

    if (!moves && !copies) {
        source = cJSON_GetObjectItemCaseSensitive(op, "value");
    } else {
        if (!from || (moves && is_inside(path, from) && strcmp(path, from) != 0)) {
            wm_fail(err, WM_E_INVALID, NULL, "%s without a usable 'from'", name);
            return NULL;
        }
        if (moves)
            return detach(doc, from, err);
        source = wm_json_at(doc, from);
    }
    if (!source)
        wm_fail(err, WM_E_INVALID, NULL, "%s has no value", name);
    return source ? cJSON_Duplicate(source, true) : NULL;
}

static int test(const cJSON *doc, const cJSON *op, const char *path, struct wm_error *err)
{
    const cJSON *want = cJSON_GetObjectItemCaseSensitive(op, "value"), *have = wm_json_at(doc, path);

    if (!want)
        return wm_fail(err, WM_E_INVALID, NULL, "test has no value");
    if (!have || !cJSON_Compare(have, want, true))
        return wm_fail(err, WM_E_CONFLICT, NULL, "test failed at '%s'", path);
    return WM_OK;
}

static int apply_one(cJSON **doc, const cJSON *op, struct wm_error *err)
{
    const char *name = wm_json_str(op, "/op"), *path = wm_json_str(op, "/path");
    struct target t;
    cJSON *value;
    int rc;

    if (!name || !path)
        return wm_fail(err, WM_E_INVALID, NULL, "operation without op or path");
    if (strcmp(name, "test") == 0)
        return test(*doc, op, path, err);
    if (strcmp(name, "remove") == 0) {
        if (!(value = detach(*doc, path, err)))
            return WM_E_INVALID;
        cJSON_Delete(value);
        return WM_OK;
    }
    bool replaces = strcmp(name, "replace") == 0;

    if (!replaces && strcmp(name, "add") != 0 && strcmp(name, "move") != 0 && strcmp(name, "copy") != 0)
        return wm_fail(err, WM_E_INVALID, NULL, "unknown operation '%s'", name);
    if (!(value = value_of(*doc, op, name, path, err)))
        return WM_E_INVALID;
    if ((rc = locate(*doc, path, &t, err)) < 0) {
        cJSON_Delete(value);
        return rc;
    }
    if (!replaces || t.root)
        return add(doc, &t, value, err);
    cJSON *old = child(&t);

    if (!old) {
        cJSON_Delete(value);
        return wm_fail(err, WM_E_INVALID, NULL, "there is nothing to replace at '%s'", path);
    }
    if (cJSON_IsObject(t.parent))
        return add(doc, &t, value, err);
    cJSON_ReplaceItemViaPointer(t.parent, old, value);
    return WM_OK;
}

int wm_patch_apply(cJSON **doc, const cJSON *patch, struct wm_error *err)
{
    const cJSON *op;
    int i = 0, rc;

    if (!cJSON_IsArray(patch))
        return wm_fail(err, WM_E_INVALID, NULL, "a JSON Patch is an array");
    if (cJSON_GetArraySize(patch) > WM_PATCH_MAX_OPS)
        return wm_fail(err, WM_E_TOO_BIG, NULL, "more than %d operations", WM_PATCH_MAX_OPS);
    cJSON *work = cJSON_Duplicate(*doc, true);

    if (!work)
        return wm_fail(err, WM_E_NOMEM, NULL, "out of memory");
    cJSON_ArrayForEach(op, patch)
    {
        if ((rc = apply_one(&work, op, err)) < 0) {
            cJSON_Delete(work);
            if (err)
                snprintf(err->where, sizeof err->where, "/%d", i);
            return rc;
        }
        i++;
    }
    cJSON_Delete(*doc);
    *doc = work;
    return WM_OK;
}
