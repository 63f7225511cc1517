#include "quantity.h"

static const char *const suffixes[] = {
    "", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei", "n", "u", "m", "k", "M", "G", "T", "P", "E",
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

static bool is_suffix(struct wm_str s)
{
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++)
        if (wm_str_is(s, suffixes[i]))
            return true;
    return is_exponent(s);
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
