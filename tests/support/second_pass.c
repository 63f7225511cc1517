#include "second_pass.h"

#include <openssl/evp.h>
#include <stdlib.h>

#include "trees.h"
#include "waymark/patch.h"

/* Everything of `o` but labels and our annotations. */
static cJSON *rest_of(const cJSON *o)
{
    cJSON *copy = cJSON_Duplicate(o, true), *meta = wm_json_at(copy, "/metadata");
    cJSON *notes = wm_json_at(meta, "/annotations"), *n = cJSON_IsObject(notes) ? notes->child : NULL;
    bool had_notes = n != NULL;

    cJSON_DeleteItemFromObjectCaseSensitive(meta, "labels");
    while (n) {
        cJSON *next = n->next;

        if (strncmp(n->string, "waymark.io/", 11) == 0)
            cJSON_Delete(cJSON_DetachItemViaPointer(notes, n));
        n = next;
    }
    if (cJSON_IsNull(notes) || (had_notes && !notes->child))
        cJSON_DeleteItemFromObjectCaseSensitive(meta, "annotations");
    return copy;
}

static const char *decode_patch(const cJSON *answer, cJSON **ret)
{
    const char *b64 = wm_json_str(answer, "/response/patch"),
               *type = wm_json_str(answer, "/response/patchType");

    if ((b64 != NULL) != (type != NULL))
        return "patch and patchType must come together";
    if (!b64) {
        *ret = cJSON_CreateArray();
        return NULL;
    }
    if (strcmp(type, "JSONPatch") != 0)
        return "patchType must be JSONPatch";
    char *text = calloc(1, strlen(b64) + 4);
    int n = EVP_DecodeBlock((unsigned char *)text, (const unsigned char *)b64, (int)strlen(b64));
    int rc = n < 0 ? WM_E_INVALID : wm_json_parse(wm_str_of(text), ret, NULL);

    free(text);
    return rc < 0 ? "the patch is not base64 of JSON" : NULL;
}

static const char *envelope_fault(const cJSON *body, const cJSON *answer)
{
    const char *uid = wm_json_str(body, "/request/uid"), *got = wm_json_str(answer, "/response/uid");
    const char *asked = wm_json_str(body, "/apiVersion"), *version = wm_json_str(answer, "/apiVersion");
    const char *kind = wm_json_str(answer, "/kind");

    if (!kind || strcmp(kind, "AdmissionReview") != 0)
        return "the answer is no AdmissionReview";
    if (!asked || !version || strcmp(asked, version) != 0)
        return "the answer has another apiVersion than the question";
    if (!uid || !got || strcmp(uid, got) != 0)
        return "the uid did not come back";
    if (!wm_json_bool(answer, "/response/allowed"))
        return "a mutation denied the request";
    return NULL;
}

static const char *again_fault(cJSON *body, wm_find_fn *find, void *ctx)
{
    char *text = cJSON_PrintUnformatted(body);
    struct wm_review r;
    struct wm_mutation m;
    wm_auto_buf struct wm_buf out = WM_BUF_MAX(1 << 20);
    const char *fault = NULL;

    if (wm_review_read(wm_str_of(text), &r, NULL) < 0 ||
        wm_review_mutate(&r, &wm_label_conf_default, find, ctx, &out, &m, NULL) < 0)
        fault = "the patched object cannot be reviewed";
    else if (m.n_ops != 0 || m.derivation.outcome == WM_LABELLED)
        fault = "a second pass wants more";
    free(text);
    return fault;
}

static const char *patched_fault(cJSON *body, const cJSON *patch, wm_find_fn *find, void *ctx)
{
    cJSON *request = cJSON_GetObjectItemCaseSensitive(body, "request");
    cJSON *object = cJSON_DetachItemFromObjectCaseSensitive(request, "object");

    if (!object)
        return cJSON_GetArraySize(patch) ? "a patch without an object" : NULL;
    wm_auto_json cJSON *before = rest_of(object);
    int rc = wm_patch_apply(&object, patch, NULL);
    wm_auto_json cJSON *after = rest_of(object);

    cJSON_AddItemToObject(request, "object", object);
    if (rc < 0)
        return "the patch cannot be applied";
    if (!cJSON_Compare(before, after, true))
        return "the patch changes more than labels and our annotations";
    return again_fault(body, find, ctx);
}

const char *second_pass_fault(struct wm_str body_text, struct wm_str answer_text, wm_find_fn *find, void *ctx,
                              cJSON **ret_patch)
{
    wm_auto_json cJSON *body = NULL, *answer = NULL, *patch = NULL;
    const char *fault;

    if (wm_json_parse(answer_text, &answer, NULL) < 0)
        return "the answer is not JSON";
    if ((fault = decode_patch(answer, &patch)) != NULL)
        return fault;
    /* What trees cannot hold (NUL in strings, great depth, duplicates) is checked as far as here. */
    if (wm_json_parse(body_text, &body, NULL) == WM_OK && !tree_has_doubles(body) &&
        (fault = envelope_fault(body, answer)) == NULL)
        fault = patched_fault(body, patch, find, ctx);
    if (!fault && ret_patch) {
        *ret_patch = patch;
        patch = NULL;
    }
    return fault;
}
