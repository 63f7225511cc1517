/* AdmissionReview, text to text: what can be read is answered, the patch applies, a second pass wants
 * nothing. */
#include "fuzz.h"

#include "tests/support/second_pass.h"

/* A parent of every kind answers to every reference: derivations go as deep as they can. */
static enum wm_found find(void *ctx, const struct wm_ref *ref, struct wm_parent *ret)
{
    (void)ctx;
    *ret = (struct wm_parent){.kind = ref->kind, .identity = {.plan = "p", .migration = "m", .uid = "u"}};
    if (ref->uid[0] == 'x')
        return WM_FOUND_MISS;
    if (ref->uid[0] == 'y')
        return WM_FOUND_NOT;
    if (ref->uid[0] == 'z') {
        ret->identity = (struct wm_identity){0};
        ret->up = (struct wm_ref){.kind = WM_PARENT_MIGMIGRATION, .uid = "u"};
    }
    return WM_FOUND;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wm_str body = {(const char *)data, size};
    struct wm_review r;
    struct wm_mutation m;
    struct wm_error err = {0};
    wm_auto_buf struct wm_buf out = WM_BUF_MAX(1 << 20);

    if (wm_review_read(body, &r, &err) < 0) {
        MUST(err.msg[0], "an error has a message");
        wm_status_print(&out, 400, err.msg, r.uid);
        MUST(wm_json_locate(wm_buf_text(&out), 0, NULL, NULL, NULL) == WM_OK, "a Status is JSON");
        return 0;
    }
    MUST(wm_review_mutate(&r, &wm_label_conf_default, find, NULL, &out, &m, &err) == WM_OK,
         "what is read is answered");
    const char *fault = second_pass_fault(body, wm_buf_text(&out), find, NULL, NULL);

    MUST(!fault, fault);
    return 0;
}
