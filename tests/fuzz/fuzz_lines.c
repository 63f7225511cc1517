/* Watch lines: however the bytes are cut, the same lines come out. */
#include "fuzz.h"

#include "waymark/watch.h"

static void take(void *ctx, struct wm_str line)
{
    struct wm_buf *all = ctx;

    MUST(line.n > 0, "no empty lines");
    MUST(!memchr(line.p, '\n', line.n), "no newline inside a line");
    wm_buf_str(all, line);
    wm_buf_puts(all, "\n");
}

static void feed(struct wm_str text, const uint8_t *cuts, size_t n_cuts, struct wm_buf *all)
{
    struct wm_lines l = {0};
    size_t at = 0;

    for (size_t i = 0; at < text.n; i++) {
        size_t n = n_cuts ? (size_t)cuts[i % n_cuts] + 1 : text.n;

        if (n > text.n - at)
            n = text.n - at;
        MUST(wm_lines_feed(&l, (struct wm_str){text.p + at, n}, take, all, NULL) == WM_OK,
             "short lines are taken");
        at += n;
    }
    wm_lines_done(&l);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 4)
        return 0;
    wm_auto_buf struct wm_buf whole = WM_BUF_MAX(4 << 20), cut = WM_BUF_MAX(4 << 20);
    struct wm_str text = {(const char *)data + 4, size - 4};

    feed(text, NULL, 0, &whole);
    feed(text, data, 4, &cut);
    MUST(wm_str_eq(wm_buf_text(&whole), wm_buf_text(&cut)), "cuts do not matter");
    return 0;
}
