/* One string token of a JSON text: what may stand in it. */
#include "json_scan.h"

/* What a byte means inside a string. */
enum byte_class { PLAIN = 0, QUOTE, BACKSLASH, CONTROL, LEAD2, LEAD3, LEAD4, BAD };

static enum byte_class class_of(unsigned char c)
{
    if (c == '"')
        return QUOTE;
    if (c == '\\')
        return BACKSLASH;
    if (c < 0x20)
        return CONTROL;
    if (c < 0x80)
        return PLAIN;
    if (c >= 0xc2 && c <= 0xdf)
        return LEAD2;
    if ((c & 0xf0) == 0xe0)
        return LEAD3;
    if (c >= 0xf0 && c <= 0xf4)
        return LEAD4;
    return BAD;
}

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_tail(const char *p)
{
    return ((unsigned char)*p & 0xc0) == 0x80;
}

size_t wm_json_utf8_length(const char *p, const char *end)
{
    unsigned char c = (unsigned char)p[0], d = end - p > 1 ? (unsigned char)p[1] : 0;

    switch (class_of(c)) {
    case LEAD2:
        return end - p >= 2 && is_tail(p + 1) ? 2 : 0;
    case LEAD3:
        if (end - p < 3 || !is_tail(p + 1) || !is_tail(p + 2))
            return 0;
        return (c == 0xe0 && d < 0xa0) || (c == 0xed && d > 0x9f) ? 0 : 3;
    case LEAD4:
        if (end - p < 4 || !is_tail(p + 1) || !is_tail(p + 2) || !is_tail(p + 3))
            return 0;
        return (c == 0xf0 && d < 0x90) || (c == 0xf4 && d > 0x8f) ? 0 : 4;
    case PLAIN:
    case QUOTE:
    case BACKSLASH:
    case CONTROL:
    case BAD:
        break;
    }
    return 0;
}

/* Length of the escape at the backslash `p`, 0 when it is none. */
static size_t escape_length(const char *p, const char *end)
{
    if (end - p < 2)
        return 0;
    if (p[1] != 'u')
        return p[1] && strchr("\"\\/bfnrt", p[1]) ? 2 : 0;
    return end - p >= 6 && is_hex(p[2]) && is_hex(p[3]) && is_hex(p[4]) && is_hex(p[5]) ? 6 : 0;
}

const char *wm_json_scan_string(const char *p, const char *end, bool *ret_plain, bool *saw_nul,
                                const char **ret_bad)
{
    *ret_plain = true;
    p++;
    for (;;) {
        size_t n = 0;

        p = wm_json_skip_plain(p, end);
        if (p < end && *p == '"')
            return p + 1;
        if (p < end && *p == '\\') {
            *ret_plain = false;
            n = escape_length(p, end);
            if (n == 6 && memcmp(p + 2, "0000", 4) == 0)
                *saw_nul = true;
        } else if (p < end) {
            n = wm_json_utf8_length(p, end);
        }
        if (n == 0) {
            *ret_bad = p;
            return NULL;
        }
        p += n;
    }
}
