/* Durations as Go programs take them.  Pure. */
#ifndef WAYMARK_DURATION_H
#define WAYMARK_DURATION_H

#include "waymark/buf.h"

/* What Go's time.ParseDuration takes ("1h0m0s", "90m", "1.5h"), without a sign, in seconds, cut off.  False
 * when it is none, or longer than a hundred years. */
bool wm_duration_parse(struct wm_str s, int64_t *ret_s);

#endif
