#include "waymark/names.h"

#include <openssl/sha.h>

enum { KEPT = 57, HEX_DIGITS = 6 };

static bool is_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool wm_label_value_ok(struct wm_str v)
{
    if (v.n == 0 || v.n > WM_LABEL_VALUE_MAX || !is_alnum(v.p[0]) || !is_alnum(v.p[v.n - 1]))
        return false;
    for (size_t i = 0; i < v.n; i++)
        if (!is_alnum(v.p[i]) && v.p[i] != '-' && v.p[i] != '_' && v.p[i] != '.')
            return false;
    return true;
}

static bool is_dns_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* The characters of a label of any length. */
static bool is_dns_text(struct wm_str s)
{
    if (s.n == 0 || !is_dns_alnum(s.p[0]) || !is_dns_alnum(s.p[s.n - 1]))
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (!is_dns_alnum(s.p[i]) && s.p[i] != '-')
            return false;
    return true;
}

bool wm_is_dns_label(struct wm_str s)
{
    return s.n <= WM_LABEL_VALUE_MAX && is_dns_text(s);
}

bool wm_is_dns_subdomain(struct wm_str s)
{
    const char *dot;

    if (s.n == 0 || s.n > WM_NAME_MAX)
        return false;
    while ((dot = memchr(s.p, '.', s.n))) {
        size_t n = (size_t)(dot - s.p);

        if (!is_dns_text((struct wm_str){s.p, n}))
            return false;
        s = (struct wm_str){dot + 1, s.n - n - 1};
    }
    return is_dns_text(s);
}

bool wm_label_key_ok(struct wm_str key)
{
    const char *slash = key.n ? memchr(key.p, '/', key.n) : NULL;

    if (!slash)
        return wm_label_value_ok(key);
    size_t n = (size_t)(slash - key.p);

    return wm_is_dns_subdomain((struct wm_str){key.p, n}) &&
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
