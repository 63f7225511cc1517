#include "waymark/flags.h"

#include <assert.h>
#include <getopt.h>

/* getopt's two forms of the table.  A missing value is told apart from an unknown flag by the leading colon.
 */
static void print_tables(const struct wm_flag *flags, size_t n, struct option *longs, char *shorts)
{
    *shorts++ = ':';
    for (size_t i = 0; i < n; i++) {
        longs[i] = (struct option){flags[i].name, flags[i].arg ? required_argument : no_argument, NULL,
                                   flags[i].letter};
        if (flags[i].letter >= WM_FLAG_LONG)
            continue;
        *shorts++ = (char)flags[i].letter;
        if (flags[i].arg)
            *shorts++ = ':';
    }
}

int wm_flags_parse(int argc, char *argv[], const struct wm_flag *flags, size_t n, const char *command,
                   wm_flag_fn *take, void *ctx, struct wm_error *err)
{
    struct option longs[WM_FLAGS_MAX + 1] = {0};
    char shorts[2 * WM_FLAGS_MAX + 2] = "";
    int letter, rc;

    assert(n <= WM_FLAGS_MAX);
    print_tables(flags, n, longs, shorts);
    opterr = 0;
    while ((letter = getopt_long(argc, argv, shorts, longs, NULL)) >= 0) {
        if (letter == ':')
            return wm_fail(err, WM_E_INVALID, argv[optind - 1], "a value is expected (see %s --help)",
                           command);
        if (letter == '?')
            return wm_fail(err, WM_E_INVALID, argv[optind - 1], "unknown option (see %s --help)", command);
        if ((rc = take(ctx, letter, optarg, err)) < 0)
            return rc;
    }
    return optind;
}

void wm_flags_help(const struct wm_flag *flags, size_t n, struct wm_buf *out)
{
    for (size_t i = 0; i < n; i++) {
        if (flags[i].letter < WM_FLAG_LONG)
            wm_buf_printf(out, "  -%c, ", flags[i].letter);
        else
            wm_buf_puts(out, "      ");
        wm_buf_printf(out, "--%s%s%s\n        %s\n", flags[i].name, flags[i].arg ? " " : "",
                      flags[i].arg ? flags[i].arg : "", flags[i].help);
    }
}
