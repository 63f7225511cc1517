/* Where the items of a list begin and end; whether what is in them is JSON is for who reads it to say. */
#include "waymark/json.h"
#include "waymark/watch.h"

enum place { IN_FRAME, FIRST_ITEM /* or the end of the array */, IN_ITEM, AFTER_ITEM, NEXT_ITEM };
enum { KEEP_BYTES = 64 << 10 };

static bool is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

/* Whether what the frame holds so far ends with the top-level key "items" and its colon. */
static bool at_items(const struct wm_items *l)
{
    static const char key[] = "\"items\"";
    const char *p = wm_buf_text(&l->frame).p, *end = p + l->frame.n;

    if (l->depth != 1)
        return false;
    while (end > p && is_space(end[-1]))
        end--;
    if (end == p || *--end != ':')
        return false;
    while (end > p && is_space(end[-1]))
        end--;
    if (end - p < (ptrdiff_t)(sizeof key - 1) || memcmp(end - (sizeof key - 1), key, sizeof key - 1) != 0)
        return false;
    end -= sizeof key - 1;
    while (end > p && is_space(end[-1]))
        end--;
    return end > p && (end[-1] == '{' || end[-1] == ',');
}

/* In the frame: up to the opening of the array of items, or `end`. */
static const char *pass_frame(struct wm_items *l, const char *p, const char *end)
{
    while (p < end && l->place == IN_FRAME) {
        char c = *p++;
        bool opens_items = c == '[' && !l->in_string && at_items(l);

        wm_buf_add(&l->frame, &c, 1);
        if (opens_items)
            l->place = FIRST_ITEM;
        else if (l->in_string && !l->escaped && c == '\\')
            l->escaped = true;
        else if (l->in_string)
            l->in_string = l->escaped || c != '"', l->escaped = false;
        else if (c == '"')
            l->in_string = true;
        else
            l->depth += (c == '{' || c == '[') - (c == '}' || c == ']');
    }
    return p;
}

/* One byte between items. */
static int between(struct wm_items *l, char c, struct wm_error *err)
{
    if (is_space(c))
        return WM_OK;
    if (c == '{' && l->place != AFTER_ITEM) {
        l->place = IN_ITEM;
    } else if (c == ',' && l->place == AFTER_ITEM) {
        l->place = NEXT_ITEM;
    } else if (c == ']' && l->place != NEXT_ITEM) {
        l->place = IN_FRAME;
        l->depth = 1;
        wm_buf_add(&l->frame, &c, 1);
    } else {
        return wm_fail(err, WM_E_INVALID, NULL,
                       "malformed list: expected an object, ',' or the end of items");
    }
    return WM_OK;
}

struct taker {
    bool (*item)(void *ctx, struct wm_str object, struct wm_error *err);
    void *ctx;
};

static int give(struct wm_items *l, const struct taker *t, struct wm_str object, struct wm_error *err)
{
    struct wm_error why = {.code = WM_E_INVALID};

    l->place = AFTER_ITEM;
    if (t->item(t->ctx, object, &why))
        return WM_OK;
    if (err)
        *err = why;
    return why.code;
}

/* A part of an item that came in pieces. */
static int hold(struct wm_items *l, struct wm_str part, struct wm_error *err)
{
    if (l->held.n + part.n > l->held.max)
        return wm_fail(err, WM_E_TOO_BIG, NULL, "an item of a list is longer than %zu bytes", l->held.max);
    wm_buf_str(&l->held, part);
    return wm_buf_check(&l->held, err);
}

static void let_go(struct wm_items *l)
{
    if (l->held.cap > KEEP_BYTES)
        wm_buf_done(&l->held);
    else
        wm_buf_clear(&l->held);
}

/* From `*p`, which is in an item, to its end or that of the bytes.  Nearly every item is there as a whole. */
static int take(struct wm_items *l, const struct taker *t, const char **p, const char *end,
                struct wm_error *err)
{
    const char *behind = wm_json_skip(&l->item, *p, end);
    struct wm_str part = {*p, (size_t)((behind ? behind : end) - *p)};
    int rc;

    *p += part.n;
    if (behind && l->held.n == 0)
        return give(l, t, part, err);
    if ((rc = hold(l, part, err)) < 0 || !behind)
        return rc;
    rc = give(l, t, wm_buf_text(&l->held), err);
    let_go(l);
    return rc;
}

int wm_items_feed(struct wm_items *l, struct wm_str bytes,
                  bool (*item)(void *ctx, struct wm_str object, struct wm_error *err), void *ctx,
                  struct wm_error *err)
{
    const char *p = bytes.p, *end = p + bytes.n;
    const struct taker t = {item, ctx};
    int rc = WM_OK;

    while (p < end && rc == WM_OK)
        if (l->place == IN_FRAME) {
            p = pass_frame(l, p, end);
            rc = wm_buf_check(&l->frame, err);
        } else if (l->place == IN_ITEM) {
            rc = take(l, &t, &p, end, err);
        } else {
            rc = between(l, *p, err);
            p += l->place != IN_ITEM; /* its brace belongs to an item */
        }
    return rc;
}

int wm_items_end(const struct wm_items *l, struct wm_str *ret_frame, struct wm_error *err)
{
    static const char *const wanted[] = {"", "/items"};
    struct wm_str frame = wm_buf_text(&l->frame);
    struct wm_json_span span[2];
    int rc;

    if (l->place != IN_FRAME)
        return wm_fail(err, WM_E_INVALID, NULL, "the list ends among its items");
    /* asking for "items" has it refused when it stands there twice */
    if ((rc = wm_json_locate(frame, 2, wanted, span, err)) < 0)
        return rc;
    if (span[0].kind != WM_JSON_OBJECT)
        return wm_fail(err, WM_E_INVALID, NULL, "the list is no object");
    *ret_frame = frame;
    return WM_OK;
}

void wm_items_done(struct wm_items *l)
{
    size_t item_max = l->held.max;

    wm_buf_done(&l->held);
    wm_buf_done(&l->frame);
    *l = WM_ITEMS(item_max);
}
