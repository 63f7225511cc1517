#include "waymark/time.h"

#include <stdio.h>

/* Days since 1970-01-01 in the Gregorian calendar: years begin in March, so that the leap day is their last.
 */
static int64_t days_of(int year, int month, int day)
{
    int64_t y = year - (month <= 2), era = y / 400, in_era = y - era * 400;
    int64_t in_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

    return era * 146097 + in_era * 365 + in_era / 4 - in_era / 100 + in_year - 719468;
}

static int two(const char *p)
{
    return wm_str_digits((struct wm_str){p, 2}, -1);
}

/* "Z", "+hh:mm" or "-hh:mm" to the end, as seconds to subtract. */
static bool parse_offset(struct wm_str s, int64_t *ret)
{
    *ret = 0;
    if (s.n == 1)
        return s.p[0] == 'Z' || s.p[0] == 'z';
    if (s.n != 6 || (s.p[0] != '+' && s.p[0] != '-') || s.p[3] != ':' || two(s.p + 1) < 0 || two(s.p + 4) < 0)
        return false;
    *ret = (int64_t)two(s.p + 1) * 3600 + two(s.p + 4) * 60;
    if (s.p[0] == '-')
        *ret = -*ret;
    return true;
}

bool wm_time_parse(struct wm_str s, int64_t *ret_s)
{
    static const char form[] = "dddd-dd-ddTdd:dd:dd";
    enum { SECONDS_END = sizeof form - 1 };
    size_t n = SECONDS_END;
    int64_t offset;

    if (s.n <= SECONDS_END)
        return false;
    for (size_t i = 0; i < SECONDS_END; i++)
        if (form[i] == 'd' ? s.p[i] < '0' || s.p[i] > '9' : s.p[i] != form[i])
            return false;
    if (s.p[n] == '.')
        for (n++; n < s.n && s.p[n] >= '0' && s.p[n] <= '9';)
            n++;
    int year = wm_str_digits((struct wm_str){s.p, 4}, -1), month = two(s.p + 5), day = two(s.p + 8);
    int hour = two(s.p + 11), minute = two(s.p + 14), second = two(s.p + 17);

    if (!parse_offset((struct wm_str){s.p + n, s.n - n}, &offset) || month < 1 || month > 12 || day < 1 ||
        day > 31 || hour > 23 || minute > 59 || second > 60)
        return false;
    *ret_s = days_of(year, month, day) * 86400 + hour * 3600 + minute * 60 + second - offset;
    return true;
}

/* --- printing --- */

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

struct date {
    int64_t year, month, day;
};

/* The inverse of days_of. */
static struct date date_of(int64_t days)
{
    int64_t z = days + 719468, era = floor_div(z, 146097), in_era = z - era * 146097;
    int64_t y = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
    int64_t in_year = in_era - (365 * y + y / 4 - y / 100), month = (5 * in_year + 2) / 153;
    struct date d = {.month = month < 10 ? month + 3 : month - 9, .day = in_year - (153 * month + 2) / 5 + 1};

    d.year = y + era * 400 + (d.month <= 2);
    return d;
}

void wm_time_print(int64_t s, char out[static 32])
{
    int64_t days = floor_div(s, 86400), second = s - days * 86400;
    struct date d = date_of(days);

    snprintf(out, 32, "%04d-%02d-%02dT%02d:%02d:%02dZ", (int)d.year, (int)d.month, (int)d.day,
             (int)(second / 3600), (int)(second / 60 % 60), (int)(second % 60));
}

void wm_time_print_us(int64_t us, char out[static 32])
{
    int64_t s = floor_div(us, 1000000);
    char *z;

    wm_time_print(s, out);
    if ((z = strchr(out, 'Z')))
        snprintf(z, (size_t)(out + 32 - z), ".%06dZ", (int)(us - s * 1000000));
}
