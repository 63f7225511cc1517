/* The only place that reads a clock.  Durations are differences of wm_mono_*, timestamps come from wm_wall_*;
 * the two never meet in one subtraction.  Thread-safe. */
#ifndef WAYMARK_CLOCK_H
#define WAYMARK_CLOCK_H

#include <stdint.h>

int64_t wm_mono_ns(void); /* CLOCK_MONOTONIC */
int64_t wm_mono_ms(void);
int64_t
wm_boot_ms(void); /* CLOCK_BOOTTIME: goes on while the machine sleeps; not to be mixed with wm_mono_* */
int64_t wm_thread_cpu_us(void); /* CPU time of the calling thread */
int64_t wm_wall_s(void);        /* seconds since 1970, UTC */
int64_t wm_wall_us(void);       /* the same in microseconds */

/* "2026-11-21T07:18:00.123Z", UTC, from the wall clock; needs 32 bytes. */
void wm_wall_rfc3339(char out[static 32]);

#endif
