/* The flags of `waymark-aggregator analyze`.  Not wm_options: here a flag repeats, and names stand without
 * one.
 */
#ifndef WAYMARK_AGGREGATOR_ANALYZE_ARGS_H
#define WAYMARK_AGGREGATOR_ANALYZE_ARGS_H

#include "waymark/buf.h"

struct wm_analyze_path {
    const char *path;
    char *cluster; /* owned; NULL = the path tells */
};

struct wm_analyze_args {
    struct wm_analyze_path *paths; /* owned */
    size_t n_paths;
    const char *host, *now, *migration, *output; /* NULL = not given */
    bool progress, verbose, help;
};

/* WM_E_INVALID with err->where = the flag.  `ret` is to be freed in any case. */
int wm_analyze_args_parse(int argc, char *argv[], struct wm_analyze_args *ret, struct wm_error *err);
void wm_analyze_args_done(struct wm_analyze_args *a);

void wm_analyze_help(struct wm_buf *out);

#endif
