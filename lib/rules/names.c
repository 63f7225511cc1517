#include "waymark/names.h"

#include <openssl/sha.h>

enum { KEPT = 57, HEX_DIGITS = 6, PREFIX_MAX = 253 };

static bool is_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool wm_label_value_ok(struct wm_str v)
{
    if (v.n == 0 || v.n > WM_LABEL_VALUE_MAX || !is_alnum(v.p[0]) || !is_alnum(v.p[v.n - 1]))
        return false;
    for (size_t i = 0; i < v.n; i++)
        if (!is_alnum(v.p[i]) && !strchr("-_.", v.p[i]))
            return false;
    return true;
}

/* Lower-case DNS subdomain: labels of [a-z0-9-], alphanumeric at their ends, joined by dots. */
static bool is_subdomain(struct wm_str s)
{
    if (s.n == 0 || s.n > PREFIX_MAX)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i], before = i ? s.p[i - 1] : '.', after = i + 1 < s.n ? s.p[i + 1] : '.';
        bool inner = c == '-' && before != '.' && after != '.';

        if (!inner && !(c == '.' && before != '.' && before != '-' && i + 1 < s.n) &&
            !(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9'))
            return false;
    }
    return true;
}

bool wm_label_key_ok(struct wm_str key)
{
    const char *slash = key.n ? memchr(key.p, '/', key.n) : NULL;

    if (!slash)
        return wm_label_value_ok(key);
    size_t n = (size_t)(slash - key.p);

    return is_subdomain((struct wm_str){key.p, n}) &&
           wm_label_value_ok((struct wm_str){slash + 1, key.n - n - 1});
}

size_t wm_label_value_of(struct wm_str name, char out[static WM_LABEL_VALUE_MAX + 1])
{
    static const char digits[] = "0123456789abcdef";
    size_t n = name.n;

    if (n <= WM_LABEL_VALUE_MAX) {
        if (n)
            memcpy(out, name.p, n);
    } else {
        unsigned char sum[SHA256_DIGEST_LENGTH];

        SHA256((const unsigned char *)name.p, name.n, sum);
        memcpy(out, name.p, KEPT);
        for (int i = 0; i < HEX_DIGITS; i++)
            out[KEPT + i] = digits[i % 2 ? sum[i / 2] & 15 : sum[i / 2] >> 4];
        n = KEPT + HEX_DIGITS;
    }
    out[n] = '\0';
    return wm_label_value_ok((struct wm_str){out, n}) ? n : 0;
}
