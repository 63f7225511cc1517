/* Structured log: one JSON object a line on stderr.  Never bodies, never secrets, never label values.
 * Thread-safe: a line leaves in one write(2). */
#ifndef WAYMARK_LOG_H
#define WAYMARK_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "waymark/buf.h"

enum wm_log_level { WM_LOG_DEBUG, WM_LOG_INFO, WM_LOG_WARN, WM_LOG_ERROR };

struct wm_log_field {
    const char *key;
    enum { WM_LOG_END, WM_LOG_STR, WM_LOG_INT, WM_LOG_JSON } kind;
    struct wm_str str;
    int64_t num;
};

#define WM_F(k, z)                                                                                           \
    {                                                                                                        \
        (k), WM_LOG_STR, wm_str_of(z), 0                                                                     \
    }
#define WM_FS(k, s)                                                                                          \
    {                                                                                                        \
        (k), WM_LOG_STR, (s), 0                                                                              \
    }
/* A piece of checked JSON text, e.g. a string with its quotes, written as it is; absent = "". */
#define WM_FJ(k, s)                                                                                          \
    {                                                                                                        \
        (k), WM_LOG_JSON, (s), 0                                                                             \
    }
#define WM_FI(k, i)                                                                                          \
    {                                                                                                        \
        (k), WM_LOG_INT, {0}, (int64_t)(i)                                                                   \
    }

/* wm_log(WM_LOG_INFO, "listening", WM_F("address", addr), WM_FI("port", port));
 * `ev` is a stable snake_case word; values are escaped, and cut at 512 bytes. */
#define wm_log(level, ev, ...)                                                                               \
    wm_log_fields((level), (ev), (const struct wm_log_field[]){__VA_ARGS__ __VA_OPT__(, ){0}})
void wm_log_fields(enum wm_log_level level, const char *ev, const struct wm_log_field *fields);

/* An error as fields code, where, error. */
void wm_log_error(enum wm_log_level level, const char *ev, const struct wm_error *err);

/* Lines below `level` are dropped; the default is info.  Parse: "debug", "info", "warn", "error". */
void wm_log_set_level(enum wm_log_level level);
bool wm_log_enabled(enum wm_log_level level);
int wm_log_level_parse(const char *z, enum wm_log_level *ret, struct wm_error *err);

/* The calling thread collects its lines (up to 64 KiB) until wm_log_flush: for an event loop that logs many
 * lines in a turn.  Errors flush at once. */
void wm_log_buffer(bool on);
void wm_log_flush(void);

#endif
