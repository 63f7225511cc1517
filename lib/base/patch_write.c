#include "waymark/patch.h"

struct wm_patch wm_patch_to(struct wm_buf *out)
{
    struct wm_patch p = {out, 0};

    if (out->n > 0 && out->p[out->n - 1] == ']') {
        out->n--;
        p.n_ops = 1; /* at least: what counts is that it is not the first */
    }
    return p;
}

static void begin(struct wm_patch *p, const char *op, const char *pointer, const char *key)
{
    wm_buf_puts(p->out, p->n_ops ? ",{\"op\":\"" : "[{\"op\":\"");
    wm_buf_puts(p->out, op);
    wm_buf_puts(p->out, "\",\"path\":\"");
    wm_buf_puts(p->out, pointer);
    if (key) {
        wm_buf_puts(p->out, "/");
        wm_json_pointer_token(p->out, wm_str_of(key));
    }
    wm_buf_puts(p->out, "\"");
    p->n_ops++;
}

struct wm_buf *wm_patch_value(struct wm_patch *p, const char *op, const char *pointer, const char *key)
{
    begin(p, op, pointer, key);
    wm_buf_puts(p->out, ",\"value\":");
    return p->out;
}

void wm_patch_value_end(struct wm_patch *p)
{
    wm_buf_puts(p->out, "}");
}

void wm_patch_text(struct wm_patch *p, const char *op, const char *pointer, const char *key,
                   struct wm_str value)
{
    wm_json_quote(wm_patch_value(p, op, pointer, key), value);
    wm_patch_value_end(p);
}

void wm_patch_json(struct wm_patch *p, const char *op, const char *pointer, const char *key,
                   struct wm_str value)
{
    wm_buf_str(wm_patch_value(p, op, pointer, key), value);
    wm_patch_value_end(p);
}

void wm_patch_remove(struct wm_patch *p, const char *pointer, const char *key)
{
    begin(p, "remove", pointer, key);
    wm_patch_value_end(p);
}

void wm_patch_end(struct wm_patch *p)
{
    if (p->n_ops)
        wm_buf_puts(p->out, "]");
}
