/* Times as Kubernetes writes them.  Pure: no clock. */
#ifndef WAYMARK_TIME_H
#define WAYMARK_TIME_H

#include "waymark/buf.h"

/* RFC 3339 ("2026-11-21T07:18:00Z", fractions and offsets allowed) as seconds since 1970, UTC, fractions cut
 * off.  False when it is none. */
bool wm_time_parse(struct wm_str s, int64_t *ret_s);

/* The other way: metav1.Time ("2026-11-21T07:18:00Z") and metav1.MicroTime ("2026-11-21T07:18:00.000123Z",
 * always six digits).  Years 0 to 9999. */
void wm_time_print(int64_t s, char out[static 32]);
void wm_time_print_us(int64_t us, char out[static 32]);

#endif
