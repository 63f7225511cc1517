/* The process's surroundings: its environment and files.  Edge. */
#ifndef WAYMARK_HOST_H
#define WAYMARK_HOST_H

#include "waymark/buf.h"

/* NULL when unset or empty. */
const char *wm_env(const char *name);

/* Appends the whole file to `out`; WM_E_TOO_BIG beyond its maximum.  err->where = path. */
int wm_file_read(const char *path, struct wm_buf *out, struct wm_error *err);

#endif
