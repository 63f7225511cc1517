#include "waymark/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* One line, whatever the parts were made of: a newline in a log or a Status message splits it. */
static void flatten(char *s)
{
    for (; *s; s++)
        if ((unsigned char)*s < 0x20 || *s == 0x7f)
            *s = ' ';
}

int wm_fail(struct wm_error *err, enum wm_code code, const char *where, const char *fmt, ...)
{
    if (!err)
        return code;
    /* `where` and the arguments may lie inside *err: build beside it. */
    struct wm_error made = {.code = code};
    va_list args;

    va_start(args, fmt);
    vsnprintf(made.msg, sizeof made.msg, fmt, args);
    va_end(args);
    snprintf(made.where, sizeof made.where, "%s", where ? where : "");
    flatten(made.msg);
    flatten(made.where);
    *err = made;
    return code;
}

int wm_fail_errno(struct wm_error *err, enum wm_code code, const char *where, const char *what)
{
    int sys = errno;
    char text[128];

    wm_fail(err, code, where, "%s: %s", what, strerror_r(sys, text, sizeof text));
    if (err)
        err->sys = sys;
    return code;
}

int wm_fail_in(struct wm_error *err, const char *fmt, ...)
{
    char context[128];
    va_list args;

    if (!err)
        return WM_E_INVALID;
    va_start(args, fmt);
    vsnprintf(context, sizeof context, fmt, args);
    va_end(args);
    flatten(context);
    /* Room is made at the front: a message cut at its end still says what it is about. */
    size_t n = strlen(context), keep = strlen(err->msg);

    if (keep > sizeof err->msg - n - 3)
        keep = sizeof err->msg - n - 3;
    memmove(err->msg + n + 2, err->msg, keep);
    memcpy(err->msg, context, n);
    memcpy(err->msg + n, ": ", 2);
    err->msg[n + 2 + keep] = '\0';
    return err->code;
}

const char *wm_code_name(enum wm_code code)
{
    static const char *const names[] = {"OK",      "Invalid", "TooBig",   "NotFound", "IO",
                                        "Timeout", "Auth",    "Conflict", "NoMemory", "Busy"};
    int i = -(int)code;

    return i >= 0 && (size_t)i < sizeof names / sizeof names[0] ? names[i] : "Unknown";
}
