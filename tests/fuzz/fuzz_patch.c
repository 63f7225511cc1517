/* {"doc": ..., "patch": [...]}: applying ends in a document or in an error that leaves the document as it
 * was. */
#include "fuzz.h"

#include "waymark/patch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    wm_auto_json cJSON *root = NULL, *doc = NULL, *before = NULL;
    struct wm_error err = {0};

    if (wm_json_parse((struct wm_str){(const char *)data, size}, &root, NULL) < 0)
        return 0;
    const cJSON *patch = cJSON_GetObjectItemCaseSensitive(root, "patch");

    doc = cJSON_Duplicate(cJSON_GetObjectItemCaseSensitive(root, "doc"), true);
    if (!doc)
        return 0;
    before = cJSON_Duplicate(doc, true);
    if (wm_patch_apply(&doc, patch, &err) < 0) {
        wm_auto_free char *a = cJSON_PrintUnformatted(before), *b = cJSON_PrintUnformatted(doc);

        MUST(err.msg[0], "an error has a message");
        MUST(strcmp(a, b) == 0, "a failed patch changes nothing");
    }
    return 0;
}
