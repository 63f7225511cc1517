#include "waymark/log.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "waymark/clock.h"
#include "waymark/json.h"

enum { MAX_LINE = 8 << 10, MAX_VALUE = 512, MAX_HELD = 64 << 10 };

static const char *const level_names[] = {"debug", "info", "warn", "error"};
static _Atomic int threshold = WM_LOG_INFO;
static _Thread_local struct wm_buf held;
static _Thread_local bool holding;

void wm_log_set_level(enum wm_log_level level)
{
    threshold = (int)level;
}

bool wm_log_enabled(enum wm_log_level level)
{
    return (int)level >= threshold;
}

int wm_log_level_parse(const char *z, enum wm_log_level *ret, struct wm_error *err)
{
    for (size_t i = 0; i < sizeof level_names / sizeof level_names[0]; i++)
        if (strcmp(z, level_names[i]) == 0) {
            *ret = (enum wm_log_level)i;
            return WM_OK;
        }
    return wm_fail(err, WM_E_INVALID, NULL, "'%s' is not a log level (debug, info, warn, error)", z);
}

/* A log that cannot be written (disk full, reader gone) must never stop the program: the line is lost. */
static void put(const char *p, size_t n)
{
    while (n > 0) {
        ssize_t w = write(STDERR_FILENO, p, n);

        if (w < 0 && errno == EINTR)
            continue;
        if (w <= 0)
            return;
        p += w;
        n -= (size_t)w;
    }
}

void wm_log_flush(void)
{
    if (held.n)
        put(held.p, held.n);
    wm_buf_clear(&held);
}

void wm_log_buffer(bool on)
{
    holding = on;
    held.max = MAX_HELD;
    if (!on) {
        wm_log_flush();
        wm_buf_done(&held);
    }
}

/* A member whose value needs no escapes. */
static void put_member(struct wm_buf *line, const char *before, const char *key, const char *value)
{
    wm_buf_puts(line, before);
    wm_buf_puts(line, key);
    wm_buf_puts(line, "\":\"");
    wm_buf_puts(line, value);
    wm_buf_puts(line, "\"");
}

void wm_log_fields(enum wm_log_level level, const char *ev, const struct wm_log_field *f)
{
    if (!wm_log_enabled(level))
        return;
    char ts[32];
    wm_auto_buf struct wm_buf line = WM_BUF_MAX(MAX_LINE);

    wm_wall_rfc3339(ts);
    put_member(&line, "{\"", "ts", ts);
    put_member(&line, ",\"", "lvl", level_names[level]);
    put_member(&line, ",\"", "ev", ev);
    for (; f->kind != WM_LOG_END; f++) {
        wm_buf_puts(&line, ",\"");
        wm_buf_puts(&line, f->key);
        wm_buf_puts(&line, "\":");
        if (f->kind == WM_LOG_INT)
            wm_buf_int(&line, f->num);
        else if (f->kind == WM_LOG_JSON && f->str.p && f->str.n <= MAX_VALUE)
            wm_buf_str(&line, f->str);
        else
            wm_json_quote(&line, (struct wm_str){f->str.p, f->str.n > MAX_VALUE ? MAX_VALUE : f->str.n});
    }
    wm_buf_puts(&line, "}\n");
    if (line.bad)
        return;
    if (!holding) {
        put(line.p, line.n);
        return;
    }
    if (held.n + line.n > MAX_HELD)
        wm_log_flush();
    wm_buf_add(&held, line.p, line.n);
    if (level == WM_LOG_ERROR)
        wm_log_flush();
}

void wm_log_error(enum wm_log_level level, const char *ev, const struct wm_error *err)
{
    wm_log(level, ev, WM_F("code", wm_code_name(err->code)), WM_F("where", err->where),
           WM_F("error", err->msg));
}
