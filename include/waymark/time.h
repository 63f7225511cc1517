/* Times as Kubernetes writes them.  Pure: no clock. */
#ifndef WAYMARK_TIME_H
#define WAYMARK_TIME_H

#include "waymark/buf.h"

/* RFC 3339 ("2026-11-21T07:18:00Z", fractions and offsets allowed) as seconds since 1970, UTC, fractions cut
 * off.  False when it is none. */
bool wm_time_parse(struct wm_str s, int64_t *ret_s);

#define WM_TIME_US_SIZE 32
/* Microseconds since 1970 as a MicroTime, "2026-11-21T07:18:00.123456Z"; before 1970 = 1970, after 9999 = its
 * last. */
void wm_time_format_us(int64_t us, char out[static WM_TIME_US_SIZE]);
/* The other way: "2026-11-21T07:18:00Z".  Times outside of the years 1970 to 9999 become the nearest within.
 */
enum { WM_TIME_SIZE = sizeof "2026-11-21T07:18:00Z" };
void wm_time_print(int64_t s, char out[static WM_TIME_SIZE]);

/* The later of two times; 0 = not known, and earlier than any. */
static inline int64_t wm_later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

#endif
