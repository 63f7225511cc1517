/* The process's surroundings: its environment, files and memory.  Edge. */
#ifndef WAYMARK_HOST_H
#define WAYMARK_HOST_H

#include "waymark/buf.h"

/* NULL when unset or empty. */
const char *wm_env(const char *name);

/* Appends the whole file to `out`; WM_E_TOO_BIG beyond its maximum.  err->where = path. */
int wm_file_read(const char *path, struct wm_buf *out, struct wm_error *err);

/* Gives back what only start-up or the last burst of work needed: free heap, and the pages of program text,
 * which are mapped again from the page cache when they are next used (about 0.1 ms in all). */
void wm_memory_release(void);

#endif
