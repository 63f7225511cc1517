/* The queries of a watch. */
#include "watch_internal.h"

static void escape(struct wm_buf *out, const char *z)
{
    static const char hex[] = "0123456789ABCDEF";

    for (; *z; z++) {
        unsigned char c = (unsigned char)*z;
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                     c == '_' || c == '.' || c == '~';
        char text[3] = {'%', hex[c >> 4], hex[c & 15]};

        wm_buf_add(out, plain ? (const char *)z : text, plain ? 1 : 3);
    }
}

static void add(struct wm_buf *out, const char *name, const char *value)
{
    wm_buf_puts(out, strchr(out->p, '?') ? "&" : "?");
    wm_buf_puts(out, name);
    wm_buf_puts(out, "=");
    escape(out, value);
}

static void add_int(struct wm_buf *out, const char *name, int value)
{
    wm_buf_printf(out, "%c%s=%d", strchr(out->p, '?') ? '&' : '?', name, value);
}

static void begin(const struct wm_watch_query *q, struct wm_buf *out)
{
    wm_buf_clear(out);
    wm_buf_puts(out, q->path);
    if (q->selector)
        add(out, "labelSelector", q->selector);
    if (q->fields)
        add(out, "fieldSelector", q->fields);
}

void wm_list_url(const struct wm_watch_query *q, struct wm_buf *out)
{
    /* with a limit a list of a certain version would be read from etcd, past the cache */
    bool limit = q->page_size > 0 && (q->from != WM_FROM_LAST || q->paginate_always || q->continue_token);

    begin(q, out);
    if (limit)
        add_int(out, "limit", q->page_size);
    if (q->continue_token)
        add(out, "continue", q->continue_token);
    else if (q->from != WM_FROM_QUORUM)
        add(out, "resourceVersion", q->from == WM_FROM_LAST ? q->rv : "0");
}

void wm_watch_url(const struct wm_watch_query *q, struct wm_buf *out)
{
    begin(q, out);
    add(out, "watch", "1");
    add(out, "resourceVersion", q->rv);
    if (q->bookmarks)
        add(out, "allowWatchBookmarks", "true");
    add_int(out, "timeoutSeconds", q->timeout_s);
}

void wm_stream_url(const struct wm_watch_query *q, struct wm_buf *out)
{
    begin(q, out);
    add(out, "watch", "1");
    add(out, "sendInitialEvents", "true");
    add(out, "resourceVersionMatch", "NotOlderThan");
    add(out, "allowWatchBookmarks", "true");
    if (q->from == WM_FROM_LAST)
        add(out, "resourceVersion", q->rv);
    add_int(out, "timeoutSeconds", q->timeout_s);
}
