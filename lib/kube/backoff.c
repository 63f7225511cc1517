#include "waymark/watch.h"

int wm_backoff_ms(unsigned n, uint32_t random)
{
    enum { FIRST_MS = 800, LONGEST_MS = 30000 };
    int64_t wait = n < 6 ? (int64_t)FIRST_MS << n : LONGEST_MS;

    if (wait > LONGEST_MS)
        wait = LONGEST_MS;
    return (int)(wait + wait * random / UINT32_MAX);
}
