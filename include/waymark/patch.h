/* Applying a JSON Patch (RFC 6902) to a tree: for offline review and for proving that our patches apply.
 * Pure. */
#ifndef WAYMARK_PATCH_H
#define WAYMARK_PATCH_H

#include "waymark/json.h"

#define WM_PATCH_MAX_OPS 1000

/* Applies all operations of `patch` (an array) to *doc, which may become another node when the root is
 * replaced.  On error *doc is as it was, and err->where names the operation ("/3" = the fourth). WM_E_INVALID
 * for an operation that is malformed or cannot be applied, WM_E_CONFLICT for a failed "test", WM_E_TOO_BIG
 * for too many. */
int wm_patch_apply(cJSON **doc, const cJSON *patch, struct wm_error *err);

#endif
