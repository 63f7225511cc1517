/* Inside of the JSON module: one string token, one strict pass. */
#ifndef WAYMARK_BASE_JSON_SCAN_H
#define WAYMARK_BASE_JSON_SCAN_H

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "waymark/json.h"

/* `p` stands on the opening quote.  Returns the byte behind the closing quote, or NULL with *ret_bad on the
 * first byte that is wrong.  *ret_plain = no escapes inside; *saw_nul is set (never cleared) by \u0000. */
const char *wm_json_scan_string(const char *p, const char *end, bool *ret_plain, bool *saw_nul,
                                const char **ret_bad);

/* Behind the string whose opening quote is at `p`, in a checked text that ends at `end` or later. */
const char *wm_json_after_string(const char *p, const char *end);

/* Length of the UTF-8 sequence at `p` (a byte over 0x7f), 0 when it is none: overlong, surrogate, beyond
 * U+10FFFF, cut off. */
size_t wm_json_utf8_length(const char *p, const char *end);

/* wm_json_locate with a depth limit of the caller's and word of NULs. */
int wm_json_scan(struct wm_str text, int max_depth, size_t n, const char *const pointers[],
                 struct wm_json_span spans[], bool *ret_nul, struct wm_error *err);

/* Decodes one reference token (RFC 6901 section 4) into `out`, terminated and cut at size - 1; returns its
 * length. */
size_t wm_json_pointer_decode(struct wm_str token, char *out, size_t size);

static inline bool wm_json_is_plain(char c)
{
    return (unsigned char)c >= 0x20 && (unsigned char)c < 0x80 && c != '"' && c != '\\';
}

/* The first byte at or after `p` that is not plain ASCII text of a string. */
static inline const char *wm_json_skip_plain(const char *p, const char *end)
{
#ifdef __SSE2__
    const __m128i quote = _mm_set1_epi8('"'), slash = _mm_set1_epi8('\\'), space = _mm_set1_epi8(0x20);

    for (; end - p >= 16; p += 16) {
        __m128i b = _mm_loadu_si128((const __m128i *)(const void *)p);
        /* signed compare: bytes over 0x7f are negative, so they count as below 0x20 */
        __m128i stop = _mm_or_si128(_mm_cmplt_epi8(b, space),
                                    _mm_or_si128(_mm_cmpeq_epi8(b, quote), _mm_cmpeq_epi8(b, slash)));
        int bits = _mm_movemask_epi8(stop);

        if (bits)
            return p + __builtin_ctz((unsigned)bits);
    }
#endif
    while (p < end && wm_json_is_plain(*p))
        p++;
    return p;
}

/* Nearly every string is plain: this is wm_json_scan_string without a call for those. */
static inline const char *wm_json_pass_string(const char *p, const char *end, bool *ret_plain, bool *saw_nul,
                                              const char **ret_bad)
{
    const char *q = wm_json_skip_plain(p + 1, end);

    if (q < end && *q == '"') {
        *ret_plain = true;
        return q + 1;
    }
    return wm_json_scan_string(p, end, ret_plain, saw_nul, ret_bad);
}

static inline const char *wm_json_skip_space(const char *p, const char *end)
{
    while (p < end && (*p == ' ' || *p == '\n' || *p == '\t' || *p == '\r'))
        p++;
    return p;
}

#endif
