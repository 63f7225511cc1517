/* A list's body taken apart: however it is cut the same items come out, and they are those of a reader that
 * has the whole text at once. */
#include "fuzz.h"

#include <string.h>

#include "waymark/json.h"
#include "waymark/watch.h"

struct seen {
    struct wm_buf items, frame;
    int rc;
};

/* Of a text that is JSON, whoever looks at all of it finds no more than who passes over the most; of another
 * one nothing worse comes than a wrong answer. */
static void same_answers(struct wm_str object)
{
    static const char *const wanted[] = {
        "", "/a", "/a/b", "/metadata/name", "/metadata/labels", "/spec", "/status/phase"};
    enum { N = sizeof wanted / sizeof wanted[0] };
    struct wm_json_span located[N], picked[N];

    int rc = wm_json_pick(object, N, wanted, picked, NULL);

    if (wm_json_locate(object, N, wanted, located, NULL) < 0)
        return;
    MUST(rc == WM_OK, "what is JSON can be picked from");
    for (size_t i = 0; i < N; i++)
        MUST(located[i].kind == picked[i].kind && wm_str_eq(located[i].text, picked[i].text),
             "the same is found");
}

static bool take(void *ctx, struct wm_str object, struct wm_error *err)
{
    struct wm_buf *items = ctx;

    (void)err;
    same_answers(object);
    wm_buf_str(items, object);
    wm_buf_puts(items, "\n");
    return true;
}

static void feed(struct wm_str text, const uint8_t *cuts, size_t n_cuts, struct seen *s)
{
    struct wm_items l = WM_ITEMS(1 << 20);
    struct wm_str frame;
    size_t at = 0;

    s->rc = WM_OK;
    for (size_t i = 0; at < text.n && s->rc == WM_OK; i++) {
        size_t n = n_cuts ? (size_t)cuts[i % n_cuts] + 1 : text.n;

        n = n > text.n - at ? text.n - at : n;
        s->rc = wm_items_feed(&l, (struct wm_str){text.p + at, n}, take, &s->items, NULL);
        at += n;
    }
    if (s->rc == WM_OK)
        s->rc = wm_items_end(&l, &frame, NULL);
    if (s->rc == WM_OK)
        wm_buf_str(&s->frame, frame);
    wm_items_done(&l);
}

/* What a reader of the whole text finds; false where the two need not agree. */
static bool whole(struct wm_str text, struct wm_buf *items)
{
    static const char *const wanted[] = {"", "/items"};
    struct wm_json_span s[2];

    /* a key may be written with escapes, which no API server does */
    if (wm_json_locate(text, 2, wanted, s, NULL) < 0 || s[0].kind != WM_JSON_OBJECT ||
        memchr(text.p, '\\', text.n))
        return false;
    for (struct wm_json_iter it = wm_json_iter(s[1]); s[1].kind == WM_JSON_ARRAY && wm_json_next(&it);) {
        if (it.value.kind != WM_JSON_OBJECT)
            return false;
        take(items, it.value.text, NULL);
    }
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 4)
        return 0;
    struct seen a = {WM_BUF_MAX(4 << 20), WM_BUF_MAX(4 << 20), 0}, b = a;
    wm_auto_buf struct wm_buf oracle = WM_BUF_MAX(4 << 20);
    struct wm_str text = {(const char *)data + 4, size - 4};

    feed(text, NULL, 0, &a);
    feed(text, data, 4, &b);
    MUST(a.rc == b.rc, "cuts do not change the outcome");
    MUST(wm_str_eq(wm_buf_text(&a.items), wm_buf_text(&b.items)), "cuts do not change the items");
    MUST(wm_str_eq(wm_buf_text(&a.frame), wm_buf_text(&b.frame)), "cuts do not change the frame");
    if (whole(text, &oracle)) {
        MUST(a.rc == WM_OK, "a list is taken");
        MUST(wm_str_eq(wm_buf_text(&a.items), wm_buf_text(&oracle)), "the items are the same");
    }
    wm_buf_done(&a.items);
    wm_buf_done(&a.frame);
    wm_buf_done(&b.items);
    wm_buf_done(&b.frame);
    return 0;
}
