/* Members of JSON objects, one after another: the comma is put where one is due. */
#ifndef WAYMARK_VIEW_PUT_H
#define WAYMARK_VIEW_PUT_H

#include "waymark/json.h"

/* `key` NULL: an item of an array. */
void wm_put_open(struct wm_buf *out, const char *key, char bracket);
void wm_put_close(struct wm_buf *out, char bracket);
void wm_put_true(struct wm_buf *out, const char *key); /* false is left out by not calling it */
void wm_put_int(struct wm_buf *out, const char *key, int64_t v);
/* What is not known is left out: "", and times that are not after 1970. */
void wm_put_text(struct wm_buf *out, const char *key, const char *text);
void wm_put_time(struct wm_buf *out, const char *key, int64_t s);

#endif
