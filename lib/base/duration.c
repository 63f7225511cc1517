#include "waymark/duration.h"

/* Nanoseconds in a unit; 0 = there is none of that name. */
static int64_t unit_of(struct wm_str name)
{
    static const struct {
        const char *name;
        int64_t ns;
    } units[] = {
        {"h", 3600000000000}, {"m", 60000000000}, {"s", 1000000000}, {"ms", 1000000}, {"us", 1000}, {"ns", 1},
    };

    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (wm_str_is(name, units[i].name))
            return units[i].ns;
    return 0;
}

static size_t span_of(struct wm_str s, size_t from, bool digits)
{
    size_t n = from;

    while (n < s.n && (s.p[n] >= '0' && s.p[n] <= '9') == digits && (digits || s.p[n] != '.'))
        n++;
    return n - from;
}

/* One number with its unit at *at, in nanoseconds; -1 = there is none. */
static int64_t part_of(struct wm_str s, size_t *at)
{
    static const int64_t longest = 100LL * 366 * 86400 * 1000000000;
    size_t whole = span_of(s, *at, true), dot = *at + whole;
    size_t fraction = dot < s.n && s.p[dot] == '.' ? span_of(s, dot + 1, true) : 0;
    size_t unit_at = dot + (dot < s.n && s.p[dot] == '.') + fraction, unit_n = span_of(s, unit_at, false);
    int64_t unit = unit_of((struct wm_str){s.p + unit_at, unit_n});
    int value = whole ? wm_str_digits((struct wm_str){s.p + *at, whole}, -1) : 0;

    *at = unit_at + unit_n;
    if (unit == 0 || whole + fraction == 0 || value < 0 || value > longest / unit)
        return -1;
    int64_t ns = value * unit;

    for (size_t i = 0; i < fraction; i++)
        ns += (unit /= 10) * (s.p[dot + 1 + i] - '0');
    return ns;
}

bool wm_duration_parse(struct wm_str s, int64_t *ret_s)
{
    int64_t sum = 0;

    if (s.n == 0)
        return false;
    for (size_t at = 0; at < s.n;) {
        int64_t part = part_of(s, &at);

        if (part < 0 || part > INT64_MAX - sum)
            return false;
        sum += part;
    }
    *ret_s = sum / 1000000000;
    return true;
}
