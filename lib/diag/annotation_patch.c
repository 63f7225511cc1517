/* One annotation of a live object as a JSON Patch. */
#include <stdlib.h>

#include "live.h"

static void put_note(struct wm_patch *p, const struct wm_live *l, const char *key, const char *value)
{
    if (!value) {
        wm_patch_remove(p, WM_LIVE_NOTES, key);
    } else if (!wm_live_lacks(l, WM_LIVE_AT_NOTES)) {
        wm_patch_text(p, "add", WM_LIVE_NOTES, key, wm_str_of(value));
    } else {
        struct wm_buf *b = wm_patch_value(p, "add", WM_LIVE_NOTES, NULL);

        wm_buf_puts(b, "{");
        wm_json_quote(b, wm_str_of(key));
        wm_buf_puts(b, ":");
        wm_json_quote(b, wm_str_of(value));
        wm_buf_puts(b, "}");
        wm_patch_value_end(p);
    }
}

static bool is_right(struct wm_json_span have, const char *value)
{
    if (!value)
        return have.kind == WM_JSON_ABSENT;
    size_t size = 3 * strlen(value) + 1;
    wm_auto_free char *text = wm_xcalloc(1, size);

    wm_live_as_read(value, text, size);
    return wm_json_span_is(have, text);
}

int wm_annotation_patch(struct wm_str object, const char *key, const char *value, struct wm_buf *out,
                        struct wm_error *err)
{
    wm_auto_live struct wm_live l = {0};
    int rc = wm_live_read(object, &l, err);

    if (rc < 0)
        return rc;
    bool absences = value && wm_live_lacks(&l, WM_LIVE_AT_NOTES);

    if (is_right(wm_get_span(l.notes, key), value))
        return 0;
    if ((rc = wm_live_check(&l, absences, err)) < 0)
        return rc;
    struct wm_patch p = wm_patch_to(out);

    wm_live_test(&p, &l, absences);
    put_note(&p, &l, key, value);
    wm_patch_end(&p);
    rc = wm_buf_check(out, err);
    return rc < 0 ? rc : 1;
}
