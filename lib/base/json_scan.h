/* Inside of the JSON module: one string token, one strict pass. */
#ifndef WAYMARK_BASE_JSON_SCAN_H
#define WAYMARK_BASE_JSON_SCAN_H

#include "waymark/json.h"

/* `p` stands on the opening quote.  Returns the byte behind the closing quote, or NULL with *ret_bad on the
 * first byte that is wrong.  *ret_plain = no escapes inside; *saw_nul is set (never cleared) by \u0000. */
const char *wm_json_scan_string(const char *p, const char *end, bool *ret_plain, bool *saw_nul,
                                const char **ret_bad);

/* Behind the string whose opening quote is at `p`, in a checked text. */
const char *wm_json_after_string(const char *p);

/* Length of the UTF-8 sequence at `p` (a byte over 0x7f), 0 when it is none: overlong, surrogate, beyond
 * U+10FFFF, cut off. */
size_t wm_json_utf8_length(const char *p, const char *end);

/* wm_json_locate with a depth limit of the caller's and word of NULs. */
int wm_json_scan(struct wm_str text, int max_depth, size_t n, const char *const pointers[],
                 struct wm_json_span spans[], bool *ret_nul, struct wm_error *err);

/* Decodes one reference token (RFC 6901 section 4) into `out`, terminated and cut at size - 1; returns its
 * length. */
size_t wm_json_pointer_decode(struct wm_str token, char *out, size_t size);

static inline const char *wm_json_skip_space(const char *p, const char *end)
{
    while (p < end && (*p == ' ' || *p == '\n' || *p == '\t' || *p == '\r'))
        p++;
    return p;
}

#endif
