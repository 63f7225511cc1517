/* How a function says that it failed.  Pure.
 *
 * A fallible function returns WM_OK or a negative enum wm_code, and takes a `struct wm_error *err` last,
 * which may be NULL.  On failure `err` is filled and no output (`ret_*`) is touched; on success `err` is not
 * touched. A lookup that may simply find nothing returns a pointer or NULL and has no error.  Verdicts about
 * somebody's object (denied, warned) are data, never errors. */
#ifndef WAYMARK_ERROR_H
#define WAYMARK_ERROR_H

enum wm_code {
    WM_OK = 0,
    WM_E_INVALID = -1,   /* the input is not what it must be */
    WM_E_TOO_BIG = -2,   /* a stated limit was passed */
    WM_E_NOT_FOUND = -3, /* a thing that must exist does not */
    WM_E_IO = -4,        /* the operating system or the network refused */
    WM_E_TIMEOUT = -5,
    WM_E_AUTH = -6, /* credentials missing, refused or insufficient */
    WM_E_CONFLICT = -7,
    WM_E_NOMEM = -8,
    WM_E_BUSY = -9, /* a bounded queue or budget is full; try again later */
};

/* By value, on the caller's stack: saying what went wrong never allocates. */
struct wm_error {
    enum wm_code code;
    int sys;        /* errno, CURLcode or HTTP status, by code; 0 = none */
    char where[96]; /* JSON pointer, file name with line, or URL path; "" = none */
    char msg[256];  /* for people: one line, no newline, no secret */
};

/* Fills `err` (unless NULL) and returns `code`, so that `return wm_fail(...)` is one statement.  `where` may
 * be NULL. */
int wm_fail(struct wm_error *err, enum wm_code code, const char *where, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* The same, with errno kept in err->sys and its text appended. */
int wm_fail_errno(struct wm_error *err, enum wm_code code, const char *where, const char *what);

/* Puts "context: " before the message as it travels up; returns err->code. */
int wm_fail_in(struct wm_error *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* "Invalid", "TooBig", ...: stable words for logs and metrics. */
const char *wm_code_name(enum wm_code code);

#endif
