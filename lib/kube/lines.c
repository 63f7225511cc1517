#include "waymark/watch.h"

/* A line of megabytes is rare; its memory is not kept for the next. */
enum { KEEP_BYTES = 64 << 10, DEFAULT_MAX = 4 << 20 };

static void give(struct wm_str line, void (*fn)(void *ctx, struct wm_str line), void *ctx)
{
    if (line.n > 0 && line.p[line.n - 1] == '\r')
        line.n--;
    if (line.n > 0)
        fn(ctx, line);
}

static void empty(struct wm_buf *held)
{
    if (held->cap > KEEP_BYTES)
        wm_buf_done(held);
    else
        wm_buf_clear(held);
}

static int too_big(const struct wm_lines *l, struct wm_error *err)
{
    return wm_fail(err, WM_E_TOO_BIG, NULL, "a watch event is longer than %zu bytes", l->held.max);
}

int wm_lines_feed(struct wm_lines *l, struct wm_str bytes, void (*line)(void *ctx, struct wm_str line),
                  void *ctx, struct wm_error *err)
{
    const char *p = bytes.p, *end = p + bytes.n, *newline;

    if (!l->held.max)
        l->held.max = DEFAULT_MAX;
    for (; p < end && (newline = memchr(p, '\n', (size_t)(end - p))); p = newline + 1) {
        struct wm_str part = {p, (size_t)(newline - p)};

        if (l->held.n + part.n > l->held.max)
            return too_big(l, err);
        if (l->held.n > 0) {
            wm_buf_str(&l->held, part);
            if (wm_buf_check(&l->held, err) < 0)
                return l->held.bad;
            part = wm_buf_text(&l->held);
        }
        give(part, line, ctx);
        if (l->held.n > 0)
            empty(&l->held);
    }
    if (p >= end)
        return WM_OK;
    if (l->held.n + (size_t)(end - p) > l->held.max)
        return too_big(l, err);
    wm_buf_add(&l->held, p, (size_t)(end - p));
    return wm_buf_check(&l->held, err);
}

void wm_lines_done(struct wm_lines *l)
{
    wm_buf_done(&l->held);
}
