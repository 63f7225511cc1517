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

/* Two digits; -1 = they are none. */
static int two(const char *p)
{
    unsigned tens = (unsigned char)p[0] - '0', ones = (unsigned char)p[1] - '0';

    return tens > 9 || ones > 9 ? -1 : (int)(10 * tens + ones);
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

/* "2026-11-21T07:18:00": fields of two digits, and what stands behind each. */
enum { CENTURY, YEAR, MONTH, DAY, HOUR, MINUTE, SECOND, FIELDS };
enum { SECONDS_SIZE = sizeof "2026-11-21T07:18:00" };

static bool parse_fields(const char *p, int v[static FIELDS])
{
    static const struct {
        uint8_t at, low, high;
        char behind; /* 0 = anything */
    } rows[FIELDS] = {
        [CENTURY] = {0, 0, 99, 0}, [YEAR] = {2, 0, 99, '-'},  [MONTH] = {5, 1, 12, '-'},
        [DAY] = {8, 1, 31, 'T'},   [HOUR] = {11, 0, 23, ':'}, [MINUTE] = {14, 0, 59, ':'},
        [SECOND] = {17, 0, 60, 0},
    };

    for (size_t i = 0; i < FIELDS; i++) {
        const char *field = p + rows[i].at;

        v[i] = two(field);
        if (v[i] < rows[i].low || v[i] > rows[i].high || (rows[i].behind && field[2] != rows[i].behind))
            return false;
    }
    return true;
}

bool wm_time_parse(struct wm_str s, int64_t *ret_s)
{
    size_t n = SECONDS_SIZE - 1;
    int64_t offset;
    int v[FIELDS];

    if (s.n <= n || !parse_fields(s.p, v))
        return false;
    if (s.p[n] == '.')
        for (n++; n < s.n && s.p[n] >= '0' && s.p[n] <= '9';)
            n++;
    if (!parse_offset((struct wm_str){s.p + n, s.n - n}, &offset))
        return false;
    *ret_s = days_of(100 * v[CENTURY] + v[YEAR], v[MONTH], v[DAY]) * 86400 + v[HOUR] * 3600 + v[MINUTE] * 60 +
             v[SECOND] - offset;
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

/* Of a moment in the years 1970 to 9999. */
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
