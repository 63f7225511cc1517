/* Over a container by its brackets alone, 64 bytes at a time: bit i of a mask stands for byte i. */
#include "json_scan.h"

#ifdef __SSE2__
struct block {
    uint64_t quotes, slashes, opens, closes;
};

static inline uint64_t bits_of(const __m128i bytes[4], char c)
{
    const __m128i want = _mm_set1_epi8(c);
    uint64_t first = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes[0], want)),
             second = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes[1], want)),
             third = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes[2], want)),
             last = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes[3], want));

    return first | second << 16 | third << 32 | last << 48;
}

static inline struct block look(const char *p)
{
    const __m128i small = _mm_set1_epi8(0x20), *at = (const __m128i *)(const void *)p;
    __m128i bytes[4], braces[4];

    for (int i = 0; i < 4; i++) {
        bytes[i] = _mm_loadu_si128(at + i);
        braces[i] = _mm_or_si128(bytes[i], small); /* makes '[' a '{' and ']' a '}', and no other byte */
    }
    return (struct block){bits_of(bytes, '"'), bits_of(bytes, '\\'), bits_of(braces, '{'),
                          bits_of(braces, '}')};
}

/* The bytes behind a backslash that is not itself behind one. */
static uint64_t escaped_in(struct wm_json_skip *s, uint64_t slashes)
{
    uint64_t escaped = s->escaped;

    slashes &= ~escaped;
    s->escaped = false;
    while (slashes) {
        int i = __builtin_ctzll(slashes);

        s->escaped = i == 63;
        if (s->escaped)
            break;
        escaped |= UINT64_C(2) << i;
        slashes &= ~(UINT64_C(3) << i);
    }
    return escaped;
}

/* Ones from each quote up to the next. */
static uint64_t between(uint64_t quotes)
{
    quotes ^= quotes << 1;
    quotes ^= quotes << 2;
    quotes ^= quotes << 4;
    quotes ^= quotes << 8;
    quotes ^= quotes << 16;
    return quotes ^ quotes << 32;
}

/* Behind the bracket that closes all, when it is among these; else NULL. */
static const char *find_end(struct wm_json_skip *s, const char *p, uint64_t opens, uint64_t closes)
{
    for (uint64_t m = opens | closes; m; m &= m - 1) {
        uint64_t bit = m & -m;

        if (opens & bit) {
            s->depth++;
        } else if (--s->depth == 0) {
            *s = (struct wm_json_skip){0}; /* what the rest of the block is, is another's */
            return p + __builtin_ctzll(bit) + 1;
        }
    }
    return NULL;
}

static const char *pass_block(struct wm_json_skip *s, const char *p)
{
    struct block b = look(p);

    if (b.slashes || s->escaped)
        b.quotes &= ~escaped_in(s, b.slashes);
    uint64_t strings = between(b.quotes) ^ (s->in_string ? UINT64_MAX : 0);

    s->in_string = strings >> 63;
    b.opens &= ~strings;
    b.closes &= ~strings;
    size_t closed = (size_t)__builtin_popcountll(b.closes);

    if (closed < s->depth) { /* nothing here can be the last */
        s->depth += (size_t)__builtin_popcountll(b.opens) - closed;
        return NULL;
    }
    return find_end(s, p, b.opens, b.closes);
}

/* Behind the end when it is among whole blocks; else NULL, with *p on what is left. */
static const char *pass_blocks(struct wm_json_skip *s, const char **p, const char *end)
{
    for (; end - *p >= 64; *p += 64) {
        const char *behind = pass_block(s, *p);

        if (behind)
            return behind;
    }
    return NULL;
}

/* The same code, translated for processors since 2013: it takes less than half as long there. */
static __attribute__((flatten, target("avx2,bmi,popcnt"))) const char *
pass_blocks_avx2(struct wm_json_skip *s, const char **p, const char *end)
{
    return pass_blocks(s, p, end);
}
#endif

/* The same byte by byte. */
static const char *pass_bytes(struct wm_json_skip *s, const char *p, const char *end)
{
    for (; p < end; p++) {
        bool hidden = s->escaped;

        s->escaped = *p == '\\' && !hidden;
        if (*p == '"' && !hidden)
            s->in_string = !s->in_string;
        else if (s->in_string)
            continue;
        else if (*p == '{' || *p == '[')
            s->depth++;
        else if ((*p == '}' || *p == ']') && --s->depth == 0)
            return p + 1;
    }
    return NULL;
}

const char *wm_json_skip(struct wm_json_skip *s, const char *p, const char *end)
{
#ifdef __SSE2__
    const char *behind = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi")
                             ? pass_blocks_avx2(s, &p, end)
                             : pass_blocks(s, &p, end);

    if (behind)
        return behind;
#endif
    return pass_bytes(s, p, end);
}
