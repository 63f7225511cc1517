/* Text: a borrowed view and a growing buffer with a ceiling.  Pure. */
#ifndef WAYMARK_BUF_H
#define WAYMARK_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "waymark/error.h"

/* A borrowed piece of text, not terminated.  p == NULL means absent, which is not the same as empty. */
struct wm_str {
    const char *p;
    size_t n;
};

#define WM_STR_FMT "%.*s"
#define WM_STR_ARG(s) (int)(s).n, (s).p ? (s).p : ""

/* Of a literal, for tables. */
#define WM_STR(literal)                                                                                      \
    {                                                                                                        \
        (literal), sizeof(literal) - 1                                                                       \
    }

static inline struct wm_str wm_str_of(const char *z)
{
    return (struct wm_str){z, z ? strlen(z) : 0};
}

static inline bool wm_str_eq(struct wm_str a, struct wm_str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool wm_str_ends_in(struct wm_str s, const char *end)
{
    size_t n = strlen(end);

    return s.n >= n && (n == 0 || memcmp(s.p + s.n - n, end, n) == 0);
}

static inline bool wm_str_is(struct wm_str a, const char *z)
{
    return wm_str_eq(a, wm_str_of(z));
}

/* Copies text from strangers as one line: cut at a whole character with "..." when it is too long, control
 * characters (which the API server does not pass on in warnings) as spaces.  `out` is always terminated. */
void wm_line_copy(char *out, size_t size, struct wm_str s);

/* A whole text of one to nine decimal digits as a number; anything else is `otherwise`. */
int wm_str_digits(struct wm_str s, int otherwise);

/* 64 bits that tell texts apart: a guard against chance, not against malice. */
uint64_t wm_str_digest(struct wm_str s, uint64_t seed);
/* Spreads what was combined by plain arithmetic over all bits. */
uint64_t wm_mix(uint64_t h);

/* A buffer whose maximum is given at its birth, and whose first failure sticks: later appends do nothing, and
 * one look at the end (wm_buf_check) decides.  Always terminated by a NUL that is not counted. */
struct wm_buf {
    char *p; /* owned; NULL until the first append */
    size_t n, cap, max;
    enum wm_code bad; /* WM_OK, or why appending stopped */
};

#define WM_BUF_MAX(maximum)                                                                                  \
    (struct wm_buf)                                                                                          \
    {                                                                                                        \
        .max = (maximum)                                                                                     \
    }

void wm_buf_done(struct wm_buf *b);  /* frees; the buffer is re-usable with the same maximum */
void wm_buf_clear(struct wm_buf *b); /* empties, keeps the memory, forgets the failure */
void wm_buf_add(struct wm_buf *b, const void *p, size_t n);
void wm_buf_str(struct wm_buf *b, struct wm_str s);
void wm_buf_puts(struct wm_buf *b, const char *z);
void wm_buf_int(struct wm_buf *b, int64_t v); /* decimal; much cheaper than printf, for hot paths */
void wm_buf_printf(struct wm_buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Makes room for `n` more bytes and returns where they go, or NULL; follow with wm_buf_grew. */
char *wm_buf_room(struct wm_buf *b, size_t n);
void wm_buf_grew(struct wm_buf *b, size_t n);

/* Drops the first `n` bytes. */
void wm_buf_shift(struct wm_buf *b, size_t n);

/* WM_OK, or the sticky failure as an error that names the maximum. */
int wm_buf_check(const struct wm_buf *b, struct wm_error *err);

/* The text so far; borrowed until the next append. */
static inline struct wm_str wm_buf_text(const struct wm_buf *b)
{
    return (struct wm_str){b->p ? b->p : "", b->n};
}

/* Hands the memory to the caller, who frees it; the buffer is empty afterwards. */
char *wm_buf_take(struct wm_buf *b);

/* Cleanup attributes: declare where the thing is acquired, initialised. */
void wm_freep_(void *pp);
#define WM_AUTO(fn) __attribute__((cleanup(fn)))
#define wm_auto_free WM_AUTO(wm_freep_)  /* any malloc'ed pointer */
#define wm_auto_buf WM_AUTO(wm_buf_done) /* struct wm_buf */

/* Allocation of small things of known size: ends the process with one line when memory is gone, since nothing
 * useful can be done then and Kubernetes restarts us.  What a client sizes uses wm_buf, which fails instead.
 */
void *wm_xcalloc(size_t n, size_t size);
char *wm_xstrdup(const char *z);
char *wm_xstrndup(struct wm_str s);

#endif
