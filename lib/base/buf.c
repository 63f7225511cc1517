#include "waymark/buf.h"

#include <endian.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { FIRST_CAP = 512 }; /* a log line, an answer: one allocation each */

void wm_buf_done(struct wm_buf *b)
{
    free(b->p);
    *b = WM_BUF_MAX(b->max);
}

void wm_buf_clear(struct wm_buf *b)
{
    b->n = 0;
    b->bad = WM_OK;
    if (b->p)
        b->p[0] = '\0';
}

char *wm_buf_room(struct wm_buf *b, size_t n)
{
    if (b->bad)
        return NULL;
    if (n > b->max || b->n > b->max - n) {
        b->bad = WM_E_TOO_BIG;
        return NULL;
    }
    size_t need = b->n + n + 1;

    if (need > b->cap) {
        size_t cap = b->cap ? b->cap : FIRST_CAP;

        while (cap < need)
            cap *= 2;
        if (cap > b->max + 1)
            cap = b->max + 1;
        char *p = realloc(b->p, cap);

        if (!p) {
            b->bad = WM_E_NOMEM;
            return NULL;
        }
        b->p = p;
        b->cap = cap;
    }
    return b->p + b->n;
}

void wm_buf_grew(struct wm_buf *b, size_t n)
{
    b->n += n;
    b->p[b->n] = '\0';
}

void wm_buf_add(struct wm_buf *b, const void *p, size_t n)
{
    char *to = wm_buf_room(b, n);

    if (!to)
        return;
    if (n)
        memcpy(to, p, n);
    wm_buf_grew(b, n);
}

void wm_buf_str(struct wm_buf *b, struct wm_str s)
{
    wm_buf_add(b, s.p, s.n);
}

void wm_buf_puts(struct wm_buf *b, const char *z)
{
    wm_buf_add(b, z, strlen(z));
}

void wm_buf_int(struct wm_buf *b, int64_t v)
{
    char digits[24], *p = digits + sizeof digits;
    uint64_t u = v < 0 ? -(uint64_t)v : (uint64_t)v;

    do
        *--p = (char)('0' + u % 10);
    while (u /= 10);
    if (v < 0)
        *--p = '-';
    wm_buf_add(b, p, (size_t)(digits + sizeof digits - p));
}

void wm_buf_printf(struct wm_buf *b, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    int n = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    char *to = n < 0 ? NULL : wm_buf_room(b, (size_t)n);

    if (!to)
        return;
    va_start(args, fmt);
    vsnprintf(to, (size_t)n + 1, fmt, args);
    va_end(args);
    wm_buf_grew(b, (size_t)n);
}

void wm_buf_shift(struct wm_buf *b, size_t n)
{
    if (n >= b->n) {
        b->n = 0;
    } else {
        memmove(b->p, b->p + n, b->n - n);
        b->n -= n;
    }
    if (b->p)
        b->p[b->n] = '\0';
}

int wm_buf_check(const struct wm_buf *b, struct wm_error *err)
{
    if (b->bad == WM_E_TOO_BIG)
        return wm_fail(err, WM_E_TOO_BIG, NULL, "longer than the maximum of %zu bytes", b->max);
    if (b->bad)
        return wm_fail(err, b->bad, NULL, "out of memory at %zu bytes", b->n);
    return WM_OK;
}

char *wm_buf_take(struct wm_buf *b)
{
    char *p = b->p ? b->p : wm_xcalloc(1, 1);

    *b = WM_BUF_MAX(b->max);
    return p;
}

void wm_line_copy(char *out, size_t size, struct wm_str s)
{
    size_t n = s.n < size - 1 ? s.n : size - 1;

    memcpy(out, s.p, n);
    if (n < s.n && n > 3) {
        while (n > 3 && ((unsigned char)out[n - 3] & 0xc0) == 0x80)
            n--;
        memcpy(out + n - 3, "...", 3);
    }
    out[n] = '\0';
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)out[i] < 0x20 || out[i] == 0x7f)
            out[i] = ' ';
}

/* The same on every machine: what is written down is compared by another replica.  FNV-1a in words of eight bytes, whose high bits come down at each, and the rest byte by byte. */
uint64_t wm_str_digest(struct wm_str s, uint64_t seed)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325) ^ seed, word;
    size_t i = 0;

    for (; i + sizeof word <= s.n; i += sizeof word) {
        memcpy(&word, s.p + i, sizeof word);
        h = (h ^ le64toh(word)) * UINT64_C(0x9e3779b97f4a7c15);
        h ^= h >> 32;
    }
    for (; i < s.n; i++)
        h = (h ^ (unsigned char)s.p[i]) * UINT64_C(0x100000001b3);
    return wm_mix(h);
}

uint64_t wm_mix(uint64_t h)
{
    h ^= h >> 32;
    h *= UINT64_C(0xd6e8feb86659fd93);
    h ^= h >> 32;
    h *= UINT64_C(0xd6e8feb86659fd93);
    return h ^ h >> 32;
}

int wm_str_digits(struct wm_str s, int otherwise)
{
    int v = 0;

    if (s.n == 0 || s.n > 9)
        return otherwise;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return otherwise;
        v = v * 10 + (s.p[i] - '0');
    }
    return v;
}

void wm_freep_(void *pp)
{
    free(*(void **)pp);
}

static void *need(void *p)
{
    if (!p) {
        static const char msg[] = "{\"lvl\":\"fatal\",\"ev\":\"out_of_memory\"}\n";

        fputs(msg, stderr);
        abort();
    }
    return p;
}

void *wm_xcalloc(size_t n, size_t size)
{
    return need(calloc(n ? n : 1, size ? size : 1));
}

char *wm_xstrdup(const char *z)
{
    return need(strdup(z));
}

char *wm_xstrndup(struct wm_str s)
{
    char *p = need(malloc(s.n + 1));

    if (s.n)
        memcpy(p, s.p, s.n);
    p[s.n] = '\0';
    return p;
}
