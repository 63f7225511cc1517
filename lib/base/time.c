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

/* The inverse of days_of (Howard Hinnant, "chrono-compatible low-level date algorithms"). */
static void date_of(int64_t days, int *ret_year, int *ret_month, int *ret_day)
{
    int64_t z = days + 719468, era = z / 146097, in_era = z % 146097;
    int64_t year = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
    int64_t in_year = in_era - (365 * year + year / 4 - year / 100), month = (5 * in_year + 2) / 153;

    *ret_day = (int)(in_year - (153 * month + 2) / 5 + 1);
    *ret_month = (int)(month < 10 ? month + 3 : month - 9);
    *ret_year = (int)(year + era * 400 + (*ret_month <= 2));
}

/* "2026-11-21T07:18:00" of a moment in the years 1970 to 9999. */
enum { SECONDS_SIZE = sizeof "2026-11-21T07:18:00" };

static void put_seconds(int64_t s, char out[static SECONDS_SIZE])
{
    int year, month, day;
    unsigned in_day = (unsigned)(s % 86400);

    date_of(s / 86400, &year, &month, &day);
    snprintf(out, SECONDS_SIZE, "%04u-%02u-%02uT%02u:%02u:%02u", (unsigned)year % 10000,
             (unsigned)month % 100, (unsigned)day % 100, in_day / 3600 % 100, in_day / 60 % 60, in_day % 60);
}

static int64_t within(int64_t t, int64_t last)
{
    return t < 0 ? 0 : t > last ? last : t;
}

void wm_time_format_us(int64_t us, char out[static WM_TIME_US_SIZE])
{
    char seconds[SECONDS_SIZE];

    us = within(us, INT64_C(253402300799999999));
    put_seconds(us / 1000000, seconds);
    snprintf(out, WM_TIME_US_SIZE, "%s.%06dZ", seconds, (int)(us % 1000000));
}

void wm_time_print(int64_t s, char out[static WM_TIME_SIZE])
{
    char seconds[SECONDS_SIZE];

    put_seconds(within(s, INT64_C(253402300799)), seconds);
    snprintf(out, WM_TIME_SIZE, "%sZ", seconds);
}
