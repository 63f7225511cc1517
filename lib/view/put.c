#include "put.h"

#include "waymark/time.h"

static void key_of(struct wm_buf *out, const char *key)
{
    char last = out->n ? out->p[out->n - 1] : '{'; /* full at once: nothing more is appended */

    if (last != '{' && last != '[')
        wm_buf_puts(out, ",");
    if (!key)
        return;
    wm_json_quote(out, wm_str_of(key));
    wm_buf_puts(out, ":");
}

void wm_put_open(struct wm_buf *out, const char *key, char bracket)
{
    key_of(out, key);
    wm_buf_add(out, &bracket, 1);
}

void wm_put_close(struct wm_buf *out, char bracket)
{
    wm_buf_add(out, &bracket, 1);
}

void wm_put_true(struct wm_buf *out, const char *key)
{
    key_of(out, key);
    wm_buf_puts(out, "true");
}

void wm_put_int(struct wm_buf *out, const char *key, int64_t v)
{
    key_of(out, key);
    wm_buf_int(out, v);
}

void wm_put_text(struct wm_buf *out, const char *key, const char *text)
{
    if (!text[0])
        return;
    key_of(out, key);
    wm_json_quote(out, wm_str_of(text));
}

void wm_put_time(struct wm_buf *out, const char *key, int64_t s)
{
    char text[WM_TIME_SIZE];

    if (s <= 0)
        return;
    wm_time_print(s, text);
    wm_put_text(out, key, text);
}
