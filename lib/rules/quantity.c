#include "waymark/quantity.h"

static const struct suffix {
    const char *text;
    double factor;
} suffixes[] = {
    {"", 1},        {"Ki", 0x1p10}, {"Mi", 0x1p20}, {"Gi", 0x1p30}, {"Ti", 0x1p40}, {"Pi", 0x1p50},
    {"Ei", 0x1p60}, {"n", 1e-9},    {"u", 1e-6},    {"m", 1e-3},    {"k", 1e3},     {"M", 1e6},
    {"G", 1e9},     {"T", 1e12},    {"P", 1e15},    {"E", 1e18},
};
/* As many digits as an int64 surely holds; the exponent is parsed as one. */
enum { EXPONENT_DIGITS_MAX = 18 };

/* Steps over digits; *nonzero is set when one of them is not 0. */
static size_t skip_digits(struct wm_str s, size_t at, bool *nonzero)
{
    for (; at < s.n && s.p[at] >= '0' && s.p[at] <= '9'; at++)
        *nonzero |= s.p[at] != '0';
    return at;
}

static bool is_exponent(struct wm_str s)
{
    bool nonzero = false;
    size_t from = 1;

    if (s.n < 2 || (s.p[0] != 'e' && s.p[0] != 'E'))
        return false;
    if (s.p[1] == '+' || s.p[1] == '-')
        from = 2;
    return s.n > from && s.n - from <= EXPONENT_DIGITS_MAX && skip_digits(s, from, &nonzero) == s.n;
}

static const struct suffix *find_suffix(struct wm_str s)
{
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++)
        if (wm_str_is(s, suffixes[i].text))
            return &suffixes[i];
    return NULL;
}

static bool is_suffix(struct wm_str s)
{
    return find_suffix(s) || is_exponent(s);
}

enum wm_quantity wm_quantity_of(struct wm_str s)
{
    bool nonzero = false, negative = s.n > 0 && s.p[0] == '-';
    size_t from = s.n > 0 && (negative || s.p[0] == '+'), at = skip_digits(s, from, &nonzero);
    size_t digits = at - from;

    if (at < s.n && s.p[at] == '.') {
        size_t fraction = at + 1;

        at = skip_digits(s, fraction, &nonzero);
        digits += at - fraction;
    }
    if (digits == 0 || !is_suffix((struct wm_str){s.p + at, s.n - at}))
        return WM_QUANTITY_NONE;
    if (!nonzero)
        return WM_QUANTITY_ZERO;
    return negative ? WM_QUANTITY_NEGATIVE : WM_QUANTITY_POSITIVE;
}

/* What an API server stores has no exponent where a suffix says the same, and exponents are not computed. */
int64_t wm_quantity_bytes(struct wm_str s)
{
    static const double too_many = 0x1p62;
    double value = 0, place = 1;
    size_t at = 0;

    if (wm_quantity_of(s) != WM_QUANTITY_POSITIVE)
        return wm_quantity_of(s) == WM_QUANTITY_ZERO ? 0 : -1;
    for (at = s.p[0] == '+'; at < s.n && s.p[at] >= '0' && s.p[at] <= '9'; at++)
        value = 10 * value + (s.p[at] - '0');
    if (at < s.n && s.p[at] == '.')
        for (at++; at < s.n && s.p[at] >= '0' && s.p[at] <= '9'; at++)
            value += (s.p[at] - '0') * (place /= 10);
    const struct suffix *suffix = find_suffix((struct wm_str){s.p + at, s.n - at});

    return suffix && value * suffix->factor < too_many ? (int64_t)(value * suffix->factor) : -1;
}
