#include "live.h"

/* Up to 2020 mig-controller's stamp had no prefix (pkg/apis/migration/v1alpha1/annotations.go). */
static const char *const stamp_keys[] = {"openshift.io/touch", "touch"};

/* The owner's stamp among the annotations; ABSENT when there is none. */
static struct wm_json_span stamp_in(struct wm_json_value notes, const char **ret_key)
{
    for (size_t i = 0; i < sizeof stamp_keys / sizeof stamp_keys[0]; i++) {
        struct wm_json_span s = wm_get_span(notes, stamp_keys[i]);

        if (s.kind != WM_JSON_STRING)
            continue;
        *ret_key = stamp_keys[i];
        return s;
    }
    return (struct wm_json_span){0};
}

int wm_live_read(struct wm_str object, struct wm_live *ret, struct wm_error *err)
{
    static const char *const pointers[WM_LIVE_AT_COUNT] = {"/metadata/uid", "/metadata/resourceVersion",
                                                           WM_LIVE_NOTES,   "/status",
                                                           "/status/phase", WM_LIVE_LIST};
    int rc = wm_json_locate_indexed(object, WM_LIVE_AT_COUNT, pointers, ret->at,
                                    1u << WM_LIVE_AT_NOTES | 1u << WM_LIVE_AT_LIST, &ret->index, err);

    if (rc < 0)
        return rc;
    if (!wm_live_lacks(ret, WM_LIVE_AT_NOTES) && ret->at[WM_LIVE_AT_NOTES].kind != WM_JSON_OBJECT)
        return wm_fail(err, WM_E_INVALID, WM_LIVE_NOTES, "the annotations are not an object");
    ret->notes = wm_json_root(&ret->index, WM_LIVE_AT_NOTES);
    ret->stamp = stamp_in(ret->notes, &ret->stamp_key);
    return WM_OK;
}

void wm_live_done(struct wm_live *l)
{
    wm_json_index_done(&l->index);
}

int wm_live_check(const struct wm_live *l, bool absences, struct wm_error *err)
{
    if (l->at[WM_LIVE_AT_UID].kind != WM_JSON_STRING)
        return wm_fail(err, WM_E_INVALID, "/metadata/uid", "the object has no uid");
    if (absences && l->at[WM_LIVE_AT_VERSION].kind != WM_JSON_STRING)
        return wm_fail(err, WM_E_INVALID, "/metadata/resourceVersion", "the object has no resourceVersion");
    return WM_OK;
}

void wm_live_test(struct wm_patch *p, const struct wm_live *l, bool absences)
{
    wm_patch_json(p, "test", "/metadata/uid", NULL, l->at[WM_LIVE_AT_UID].text);
    if (absences)
        wm_patch_json(p, "test", "/metadata/resourceVersion", NULL, l->at[WM_LIVE_AT_VERSION].text);
    if (l->stamp.kind == WM_JSON_STRING)
        wm_patch_json(p, "test", WM_LIVE_NOTES, l->stamp_key, l->stamp.text);
}

void wm_live_as_read(const char *text, char *out, size_t size)
{
    wm_auto_buf struct wm_buf quoted = WM_BUF_MAX(2 * size * sizeof "\\u0000");

    wm_json_quote(&quoted, wm_str_of(text));
    wm_span_copy((struct wm_json_span){WM_JSON_STRING, wm_buf_text(&quoted)}, out, size);
}

/* A string as it stands between its quotes; absent for anything else. */
static struct wm_str inner(struct wm_json_span s)
{
    return s.kind == WM_JSON_STRING ? (struct wm_str){s.text.p + 1, s.text.n - 2} : (struct wm_str){0};
}

bool wm_sight_of(const struct wm_reading *object, bool live, struct wm_sight *ret)
{
    enum wm_json_kind notes = object->at[WM_O_ANNOTATIONS].kind;
    const char *key;
    struct wm_json_span stamp = stamp_in(wm_json_root(&object->index, WM_O_ANNOTATIONS), &key);

    *ret = (struct wm_sight){inner(object->at[WM_AT_VERSION]), inner(stamp), inner(object->at[WM_AT_PHASE]),
                             live};
    return notes == WM_JSON_OBJECT || notes == WM_JSON_NULL || notes == WM_JSON_ABSENT;
}
