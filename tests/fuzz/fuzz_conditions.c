/* A live object of any shape: the patch of its conditions and of an annotation applies, changes nothing else,
 * and a second pass wants nothing. */
#include "fuzz.h"

#include <string.h>

#include "tests/support/trees.h"
#include "waymark/patch.h"
#include "waymark/writing.h"

enum { PATCH_MAX = 1 << 20, OURS = 2, PASSES_MAX = 100 };

static const char note[] = "waymark.io/ver~dict";

static bool is_ours(const cJSON *condition, const struct wm_said said[])
{
    const char *type = cJSON_IsObject(condition) ? wm_json_str(condition, "/type") : NULL;

    return type && (strcmp(type, said[0].type) == 0 || strcmp(type, said[1].type) == 0);
}

/* Everything but what is ours, as text; containers that are empty then count as absent. */
static char *rest_of(const cJSON *object, const struct wm_said said[])
{
    wm_auto_json cJSON *copy = cJSON_Duplicate(object, true);
    cJSON *meta = wm_json_at(copy, "/metadata"), *notes = wm_json_at(meta, "/annotations"),
          *status = wm_json_at(copy, "/status");
    cJSON *list = wm_json_at(status, "/conditions"), *next;

    cJSON_DeleteItemFromObjectCaseSensitive(notes, note);
    if (notes && !notes->child)
        cJSON_DeleteItemFromObjectCaseSensitive(meta, "annotations");
    for (cJSON *c = cJSON_IsArray(list) ? list->child : NULL; c; c = next) {
        next = c->next;
        if (is_ours(c, said))
            cJSON_Delete(cJSON_DetachItemViaPointer(list, c));
    }
    if (list && !list->child)
        cJSON_DeleteItemFromObjectCaseSensitive(status, "conditions");
    if (status && !status->child)
        cJSON_DeleteItemFromObjectCaseSensitive(copy, "status");
    return cJSON_PrintUnformatted(copy);
}

struct asked {
    enum wm_condition_style style;
    struct wm_said said[OURS];
    const char *verdict;
};

/* How many changes; negative = the object cannot be patched. */
static int make(struct wm_str object, const struct asked *a, struct wm_buf *out)
{
    struct wm_error err = {0};
    int conditions = wm_conditions_patch(object, a->style, a->said, OURS, 1767323045, out, &err);
    int notes = conditions < 0 ? 0 : wm_annotation_patch(object, note, a->verdict, out, &err);

    MUST((conditions >= 0 && notes >= 0) || err.msg[0], "an error has a message");
    MUST(out->n > 0 || conditions <= 0, "a change is written down");
    return conditions < 0 ? conditions : notes < 0 ? notes : conditions + notes;
}

static void check(cJSON **object, struct wm_str text, const struct asked *a)
{
    wm_auto_free char *before = rest_of(*object, a->said);
    wm_auto_free char *held = NULL;
    int n = 1;

    for (int pass = 0; n > 0; pass++) {
        wm_auto_buf struct wm_buf out = WM_BUF_MAX(PATCH_MAX);
        wm_auto_json cJSON *patch = NULL;

        n = make(text, a, &out);
        if (n <= 0)
            break;
        MUST(pass < PASSES_MAX, "changes come to an end");
        MUST(wm_json_parse(wm_buf_text(&out), &patch, NULL) == WM_OK, "a patch is JSON");
        MUST(wm_patch_apply(object, patch, NULL) == WM_OK, "the patch applies");
        free(held);
        held = cJSON_PrintUnformatted(*object);
        text = wm_str_of(held);
    }
    wm_auto_free char *after = rest_of(*object, a->said);

    MUST(strcmp(before, after) == 0, "what is not ours is unchanged");
}

/* Two bytes choose what is said, the rest is the object. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const messages[] = {"", "It waits.", "a [b] c", "\xff\x80"};
    static const char *const reasons[] = {"", "WaitForRestore", "Validating-Target", "1:,"};
    wm_auto_json cJSON *object = NULL;

    if (size < 2 || wm_json_parse((struct wm_str){(const char *)data + 2, size - 2}, &object, NULL) < 0 ||
        tree_has_doubles(object))
        return 0;
    struct asked a = {.style = data[0] & 1 ? WM_CONDITIONS_META : WM_CONDITIONS_MTC,
                      .said = {{.type = "A", .wanted = data[0] & 2, .status = data[0] & 4},
                               {.type = "B", .wanted = data[0] & 8, .status = data[0] & 16}},
                      .verdict = data[0] & 32 ? messages[data[1] & 3] : NULL};

    for (int i = 0; i < OURS; i++) {
        snprintf(a.said[i].message, sizeof a.said[i].message, "%s", messages[data[1] >> (2 + i) & 3]);
        snprintf(a.said[i].reason, sizeof a.said[i].reason, "%s", reasons[data[1] >> (4 + i) & 3]);
    }
    check(&object, (struct wm_str){(const char *)data + 2, size - 2}, &a);
    return 0;
}
