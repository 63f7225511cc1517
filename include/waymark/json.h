/* JSON in two manners, one path notation (RFC 6901 pointers).  Pure.
 *
 * 1. wm_json_locate: one strict pass over a text of any size, that finds the few members one asks for and
 *    allocates nothing.  For what strangers send and for what is large: admission reviews, watch events.
 * 2. cJSON trees, for documents of bounded size, behind checks that close cJSON's traps (trailing garbage,
 * NUL, duplicate keys, case-insensitive lookup, numbers that change).
 *
 * Strictness is RFC 8259's: UTF-8 checked, no trailing garbage, no control characters in strings, depth
 * bounded. */
#ifndef WAYMARK_JSON_H
#define WAYMARK_JSON_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "waymark/buf.h"
#include "waymark/error.h"

/* What the API server's own decoder accepts (k8s.io/apimachinery json: 10,000 levels). */
#define WM_JSON_MAX_DEPTH 10000
/* Trees cost 64 bytes a node: bound the text that may become one. */
#define WM_JSON_MAX_TREE_BYTES (16u << 20)
#define WM_JSON_MAX_TREE_DEPTH 200

enum wm_json_kind {
    WM_JSON_ABSENT = 0,
    WM_JSON_NULL,
    WM_JSON_FALSE,
    WM_JSON_TRUE,
    WM_JSON_NUMBER,
    WM_JSON_STRING,
    WM_JSON_ARRAY,
    WM_JSON_OBJECT
};

/* One value inside a text that was read: its kind, and its text as it stands there (strings with their
 * quotes). Borrowed from the text. */
struct wm_json_span {
    enum wm_json_kind kind;
    struct wm_str text;
};

/* Reads the whole of `text` once, checks it, and sets spans[i] to the value at pointers[i] (kind ABSENT when
 * it is not there).  `pointers` are object members only (no array indices), at most 64, sorted or not, e.g.
 * "/request/uid", of at most 8 members; a pointer may be a prefix of another, or NULL (nothing is looked
 * for).  Keys are compared after unescaping, case-sensitive.
 *
 * WM_E_INVALID with err->where = byte offset: not JSON, or a key that leads to a pointer stands twice in one
 * object (one reader would take the first, another the last).  spans found before the error are set even
 * then, so that an error answer can name the request.  Time linear in the text, no allocation, no recursion.
 */
int wm_json_locate(struct wm_str text, size_t n, const char *const pointers[], struct wm_json_span spans[],
                   struct wm_error *err);

/* The same for who need not know whether all of the text is JSON, of a server that is believed: containers
 * that no pointer leads to are passed over by their brackets alone, several times as fast.  That much may be
 * wrong unnoticed, and nothing worse: what spans[] name is checked here, too. */
int wm_json_pick(struct wm_str text, size_t n, const char *const pointers[], struct wm_json_span spans[],
                 struct wm_error *err);

/* Decodes a string span into `out` (appended, no quotes).  WM_E_INVALID when it is not a string or holds a
 * NUL
 * (\u0000): C callers would see another text than everybody else. */
int wm_json_unescape(struct wm_json_span s, struct wm_buf *out, struct wm_error *err);

/* A value as one line for people (wm_line_copy): a string as it is meant, anything else as it is written, ""
 * when absent. */
void wm_json_line(struct wm_json_span value, char *out, size_t size);

/* What a string without escapes says, between its quotes; { NULL, 0 } for anything else.  Names have no
 * escapes. */
struct wm_str wm_span_plain(struct wm_json_span s);

/* True when the string span decodes to exactly `z`. */
bool wm_json_span_is(struct wm_json_span s, const char *z);

/* Steps through the members of an object or the items of an array, in order:
 *     struct wm_json_iter it = wm_json_iter(span);
 *     while (wm_json_next(&it)) use(it.key, it.value);
 * The span must come from wm_json_locate, wm_json_pick or an iterator (a checked text).  In arrays key is
 * ABSENT. */
struct wm_json_iter {
    const char *at, *end;
    bool is_object;
    bool key_is_plain; /* nothing but ASCII without escapes: the key says what stands there */
    struct wm_json_span key, value;
};
struct wm_json_iter wm_json_iter(struct wm_json_span span);
bool wm_json_next(struct wm_json_iter *it);

/* Appends `s` as a JSON string with quotes.  Bytes that are not UTF-8 become U+FFFD, so that what we write is
 * always JSON. */
void wm_json_quote(struct wm_buf *out, struct wm_str s);

/* Over one container by its brackets alone, in pieces as they come: begin with { 0 } and its opening bracket.
 * Returns the byte behind its end, or NULL when it goes on behind `end`. */
struct wm_json_skip {
    size_t depth;
    bool in_string, escaped; /* what the next byte is */
};
const char *wm_json_skip(struct wm_json_skip *s, const char *p, const char *end);

/* --- trees --- */

/* Parses a text of at most WM_JSON_MAX_TREE_BYTES and WM_JSON_MAX_TREE_DEPTH into a tree that the caller
 * deletes (wm_auto_json).  Refuses what wm_json_locate refuses, and strings that hold a NUL. */
int wm_json_parse(struct wm_str text, cJSON **ret, struct wm_error *err);

/* The node at an RFC 6901 pointer (array indices allowed), or NULL.  Borrowed; case-sensitive. */
cJSON *wm_json_at(const cJSON *doc, const char *pointer);
const char *wm_json_str(const cJSON *doc, const char *pointer); /* NULL = absent or not a string */
int64_t wm_json_i64(const cJSON *doc, const char *pointer, int64_t otherwise);
bool wm_json_bool(const cJSON *doc, const char *pointer); /* absent = false */

/* Appends the tree unformatted.  For documents that we built: numbers beyond 2^53 change in cJSON. */
int wm_json_print(const cJSON *doc, struct wm_buf *out, struct wm_error *err);

/* Appends one reference token escaped for a pointer: '~' as "~0", '/' as "~1" (RFC 6901 section 3). */
void wm_json_pointer_token(struct wm_buf *out, struct wm_str key);

void wm_json_deletep_(cJSON **pp);
#define wm_auto_json WM_AUTO(wm_json_deletep_)

#endif
