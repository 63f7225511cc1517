/* Times as Kubernetes writes them.  Pure: no clock. */
#ifndef WAYMARK_TIME_H
#define WAYMARK_TIME_H

#include "waymark/buf.h"

/* RFC 3339 ("2026-11-21T07:18:00Z", fractions and offsets allowed) as seconds since 1970, UTC, fractions cut
 * off.  False when it is none. */
bool wm_time_parse(struct wm_str s, int64_t *ret_s);

/* The other way: "2026-11-21T07:18:00Z".  Times outside of the years 1970 to 9999 become the nearest within.
 */
enum { WM_TIME_SIZE = sizeof "2026-11-21T07:18:00Z" };
void wm_time_print(int64_t s, char out[static WM_TIME_SIZE]);

#endif
