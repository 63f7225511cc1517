/* Flags of a command that reads files and takes no settings: a table, getopt_long, and its help. */
#ifndef WAYMARK_FLAGS_H
#define WAYMARK_FLAGS_H

#include "waymark/buf.h"

enum { WM_FLAG_LONG = 256, WM_FLAGS_MAX = 32 };
struct wm_flag {
    int letter;             /* from WM_FLAG_LONG on: it has no short name */
    const char *name;       /* --name */
    const char *arg, *help; /* arg: what its value is called; NULL = it has none */
};

/* Takes one flag; `value` is borrowed from argv, NULL without one.  Negative = an error, which ends it. */
typedef int wm_flag_fn(void *ctx, int letter, const char *value, struct wm_error *err);

/* Gives every flag of argv (argv[0] is not looked at) to `take`, in order.  Returns the index of the first
 * operand, behind which there are only operands: argv is permuted.  WM_E_INVALID, with a hint at
 * `command` --help, for a flag that is unknown or lacks its value.  Not thread-safe (getopt). */
int wm_flags_parse(int argc, char *argv[], const struct wm_flag *flags, size_t n, const char *command,
                   wm_flag_fn *take, void *ctx, struct wm_error *err);
/* Appends two lines for each flag. */
void wm_flags_help(const struct wm_flag *flags, size_t n, struct wm_buf *out);

#endif
