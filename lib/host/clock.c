#include "waymark/clock.h"

#include <string.h>
#include <time.h>

enum { DAY_LENGTH = 19 }; /* "2026-11-21T07:18:00" */

static int64_t read_ns(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int64_t wm_mono_ns(void)
{
    return read_ns(CLOCK_MONOTONIC);
}

int64_t wm_mono_ms(void)
{
    return wm_mono_ns() / 1000000;
}

int64_t wm_boot_ms(void)
{
    return read_ns(CLOCK_BOOTTIME) / 1000000;
}

int64_t wm_thread_cpu_us(void)
{
    return read_ns(CLOCK_THREAD_CPUTIME_ID) / 1000;
}

int64_t wm_wall_s(void)
{
    return (int64_t)time(NULL);
}

int64_t wm_wall_us(void)
{
    return read_ns(CLOCK_REALTIME) / 1000;
}

void wm_wall_rfc3339(char out[static 32])
{
    /* One broken-down time a second is enough: gmtime_r costs more than the rest of a log line. */
    static _Thread_local time_t last = -1;
    static _Thread_local char day[24];
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    if (t.tv_sec != last) {
        struct tm tm;

        gmtime_r(&t.tv_sec, &tm);
        strftime(day, sizeof day, "%Y-%m-%dT%H:%M:%S", &tm);
        last = t.tv_sec;
    }
    int ms = (int)(t.tv_nsec / 1000000);
    const char tail[] = {'.', (char)('0' + ms / 100), (char)('0' + ms / 10 % 10), (char)('0' + ms % 10), 'Z',
                         '\0'};

    memcpy(out, day, DAY_LENGTH);
    memcpy(out + DAY_LENGTH, tail, sizeof tail);
}
