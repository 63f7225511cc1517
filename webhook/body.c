#include <stdlib.h>
#include <sys/mman.h>

#include "webhook/server_impl.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 /* Linux 5.14 */
#endif

/* From here on a body lives in a mapping of its own, as long as the body can become: what is not touched is
 * not there, growing copies nothing, and all goes back to the system the moment it is done. */
enum { FIRST = 8 << 10, MAPPED_FROM = 128 << 10 };

#define PAGES(n) ((n) & ~(size_t)4095)

static bool map(struct wm_body *b, size_t size)
{
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (p == MAP_FAILED)
        return false;
    if (b->n)
        memcpy(p, b->p, b->n);
    free(b->p);
    b->p = p;
    b->mapped = size;
    return true;
}

bool wm_body_room(struct wm_body *b, size_t need, size_t max)
{
    if (need <= b->cap)
        return true;
    size_t cap = b->cap ? b->cap : FIRST;

    while (cap < need)
        cap *= 2;
    if (cap > max && cap > FIRST)
        cap = max;
    if (cap >= MAPPED_FROM) {
        if (!b->mapped && !map(b, max > cap ? max : cap))
            return false;
        /* All pages of this step at once: one by one they cost more than decrypting what goes there. */
        madvise(b->p + PAGES(b->cap), PAGES(cap) - PAGES(b->cap), MADV_POPULATE_WRITE);
    } else {
        char *p = realloc(b->p, cap);

        if (!p)
            return false;
        b->p = p;
    }
    b->cap = cap;
    return true;
}

void wm_body_done(struct wm_body *b)
{
    if (b->mapped)
        munmap(b->p, b->mapped);
    else
        free(b->p);
    *b = (struct wm_body){0};
}
