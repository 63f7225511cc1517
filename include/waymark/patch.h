/* JSON Patches (RFC 6902): writing them, and applying them to a tree, for offline review and for proving that
 * ours apply.  Pure. */
#ifndef WAYMARK_PATCH_H
#define WAYMARK_PATCH_H

#include "waymark/json.h"

#define WM_PATCH_MAX_OPS 1000

/* Applies all operations of `patch` (an array) to *doc, which may become another node when the root is
 * replaced.  On error *doc is as it was, and err->where names the operation ("/3" = the fourth). WM_E_INVALID
 * for an operation that is malformed or cannot be applied, WM_E_CONFLICT for a failed "test", WM_E_TOO_BIG
 * for too many. */
int wm_patch_apply(cJSON **doc, const cJSON *patch, struct wm_error *err);

/* --- writing --- */

/* A patch that grows in `out`.  Where `out` holds a finished patch already, that one is continued, so that
 * one request says both. */
struct wm_patch {
    struct wm_buf *out;
    size_t n_ops;
};
struct wm_patch wm_patch_to(struct wm_buf *out);
/* One operation on `pointer`, or on the member `key` (escaped here) of what is there; NULL = none.  The value
 * is a text, or JSON as it stands. */
void wm_patch_text(struct wm_patch *p, const char *op, const char *pointer, const char *key,
                   struct wm_str value);
void wm_patch_json(struct wm_patch *p, const char *op, const char *pointer, const char *key,
                   struct wm_str value);
void wm_patch_remove(struct wm_patch *p, const char *pointer, const char *key);
/* For a value that is put together: append it to the buffer that comes back, then end it. */
struct wm_buf *wm_patch_value(struct wm_patch *p, const char *op, const char *pointer, const char *key);
void wm_patch_value_end(struct wm_patch *p);
/* Nothing at all is written for a patch without operations. */
void wm_patch_end(struct wm_patch *p);

#endif
