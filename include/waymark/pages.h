/* The plain second port of a program: health, readiness, metrics and the like, in a thread of libmicrohttpd's
 * own, so that probes never wait behind the work.  Edge. */
#ifndef WAYMARK_PAGES_H
#define WAYMARK_PAGES_H

#include "waymark/buf.h"

struct wm_page {
    const char *path, *content_type;
    /* Appends the page; returns the HTTP status.  Runs in the pages' thread. */
    unsigned (*print)(void *ctx, struct wm_buf *out);
};
#define WM_PAGE_TEXT "text/plain; charset=utf-8"
#define WM_PAGE_METRICS "text/plain; version=0.0.4; charset=utf-8"

struct wm_pages;

/* Serves GET of the pages in `table` (borrowed) at a numeric address; `ctx` is handed to them. */
int wm_pages_new(const char *address, int port, const struct wm_page *table, size_t n, void *ctx,
                 struct wm_pages **ret, struct wm_error *err);
int wm_pages_port(const struct wm_pages *p);
struct wm_pages *wm_pages_free(struct wm_pages *p);

#endif
