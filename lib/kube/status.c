/* What an answer that is no success means. */
#include <stdio.h>

#include "internal.h"

enum { LONGEST_RETRY_AFTER_S = 300 };

void wm_path_only(const char *path, char out[static 96])
{
    snprintf(out, 96, "%.*s", (int)strcspn(path, "?"), path);
}

static enum wm_code code_of(int status)
{
    static const struct {
        int status;
        enum wm_code code;
    } codes[] = {{401, WM_E_AUTH},     {403, WM_E_AUTH}, {404, WM_E_NOT_FOUND}, {408, WM_E_TIMEOUT},
                 {409, WM_E_CONFLICT}, {429, WM_E_BUSY}, {504, WM_E_TIMEOUT}};

    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
        if (codes[i].status == status)
            return codes[i].code;
    return status >= 400 && status < 500 ? WM_E_INVALID : WM_E_IO;
}

/* Puts a string of the Status into `out`, cut to its size; false when there is none. */
static bool text_of(struct wm_json_span span, char *out, size_t size)
{
    wm_auto_buf struct wm_buf text = WM_BUF_MAX(64 << 10);

    if (span.kind != WM_JSON_STRING || wm_json_unescape(span, &text, NULL) < 0 || text.n == 0)
        return false;
    snprintf(out, size, "%s", text.p);
    return true;
}

int wm_status_error(int status, struct wm_str body, const char *where, char ret_reason[static 64],
                    struct wm_error *err)
{
    static const char *const wanted[] = {"/kind", "/reason", "/message"};
    struct wm_json_span span[3];
    char path[96], message[160] = "";

    ret_reason[0] = '\0';
    wm_path_only(where, path);
    if (wm_json_locate(body, 3, wanted, span, NULL) == WM_OK && wm_json_span_is(span[0], "Status")) {
        text_of(span[1], ret_reason, 64);
        text_of(span[2], message, sizeof message);
    } else if (body.n > 0 && body.p[0] != '<' && body.p[0] != '{') {
        /* text/plain, such as "404 page not found" */
        size_t n = body.n < 120 ? body.n : 120;
        const char *end = memchr(body.p, '\n', n);

        snprintf(message, sizeof message, "%.*s", (int)(end ? (size_t)(end - body.p) : n), body.p);
    }
    wm_fail(err, code_of(status), path, "HTTP %d%s%s%s%s", status, *ret_reason ? " " : "", ret_reason,
            *message ? ": " : "", message);
    if (err)
        err->sys = status;
    return code_of(status);
}

int wm_retry_after(struct wm_str value, int64_t date_s, int64_t now_s)
{
    char text[64];
    int64_t wait = 0;

    if (value.n == 0 || value.n >= sizeof text)
        return -1;
    memcpy(text, value.p, value.n);
    text[value.n] = '\0';
    if (strspn(text, "0123456789") == value.n) {
        for (size_t i = 0; i < value.n && wait <= LONGEST_RETRY_AFTER_S; i++)
            wait = wait * 10 + (text[i] - '0');
    } else {
        int64_t then = (int64_t)curl_getdate(text, NULL);

        if (then < 0)
            return -1;
        /* their date against their clock, if they told it */
        wait = then - (date_s ? date_s : now_s);
        wait = wait < 0 ? 0 : wait;
    }
    return wait > LONGEST_RETRY_AFTER_S ? -1 : (int)wait;
}
