/* The flags of `waymark-webhook review`.  Not wm_options: here flags repeat, have short names, and come from
 * no file or environment; --config names the server's file. */
#ifndef WAYMARK_WEBHOOK_REVIEW_ARGS_H
#define WAYMARK_WEBHOOK_REVIEW_ARGS_H

#include "waymark/buf.h"

struct wm_review_args {
    const char **files, **contexts; /* owned lists of borrowed texts */
    size_t n_files, n_contexts;
    const char *output, *config, *namespace_, *now; /* NULL = not given */
    bool quiet, help;
};

/* WM_E_INVALID with err->where = the flag.  `ret` is to be freed in any case. */
int wm_review_args_parse(int argc, char *argv[], struct wm_review_args *ret, struct wm_error *err);
void wm_review_args_done(struct wm_review_args *a);

void wm_review_help(struct wm_buf *out);

#endif
