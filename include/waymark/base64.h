/* Standard base64 with padding (RFC 4648 section 4), as Go's StdEncoding reads it.  Pure. */
#ifndef WAYMARK_BASE64_H
#define WAYMARK_BASE64_H

#include "waymark/buf.h"

/* Line breaks are skipped.  Appends to `out`. */
int wm_base64_decode(struct wm_str text, struct wm_buf *out, struct wm_error *err);
void wm_base64_encode(struct wm_str bytes, struct wm_buf *out);

#endif
