/* Small text work: decoding and writing strings, stepping through members, pointer tokens. */
#include "json_scan.h"

static void put_utf8(struct wm_buf *out, uint32_t c)
{
    char u[4];
    size_t n;

    if (c < 0x80) {
        u[0] = (char)c;
        n = 1;
    } else if (c < 0x800) {
        u[0] = (char)(0xc0 | (c >> 6));
        u[1] = (char)(0x80 | (c & 0x3f));
        n = 2;
    } else if (c < 0x10000) {
        u[0] = (char)(0xe0 | (c >> 12));
        u[1] = (char)(0x80 | ((c >> 6) & 0x3f));
        u[2] = (char)(0x80 | (c & 0x3f));
        n = 3;
    } else {
        u[0] = (char)(0xf0 | (c >> 18));
        u[1] = (char)(0x80 | ((c >> 12) & 0x3f));
        u[2] = (char)(0x80 | ((c >> 6) & 0x3f));
        u[3] = (char)(0x80 | (c & 0x3f));
        n = 4;
    }
    wm_buf_add(out, u, n);
}

static uint32_t hex4(const char *p)
{
    uint32_t v = 0;

    for (int i = 0; i < 4; i++) {
        char c = p[i];
        uint32_t d = (uint32_t)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);

        v = v << 4 | d;
    }
    return v;
}

/* Decodes the \u escape at `p`; a lone surrogate becomes U+FFFD, as Go's decoder has it.  Returns its length.
 */
static size_t unescape_u(const char *p, const char *end, uint32_t *ret)
{
    uint32_t hi = hex4(p + 2);

    *ret = hi;
    if (hi < 0xd800 || hi > 0xdfff)
        return 6;
    *ret = 0xfffd;
    if (hi > 0xdbff || end - p < 12 || p[6] != '\\' || p[7] != 'u')
        return 6;
    uint32_t lo = hex4(p + 8);

    if (lo < 0xdc00 || lo > 0xdfff)
        return 6;
    *ret = 0x10000 + ((hi - 0xd800) << 10) + (lo - 0xdc00);
    return 12;
}

struct wm_str wm_span_plain(struct wm_json_span s)
{
    if (s.kind != WM_JSON_STRING || memchr(s.text.p, '\\', s.text.n))
        return (struct wm_str){0};
    return (struct wm_str){s.text.p + 1, s.text.n - 2};
}

int wm_json_unescape(struct wm_json_span s, struct wm_buf *out, struct wm_error *err)
{
    if (s.kind != WM_JSON_STRING)
        return wm_fail(err, WM_E_INVALID, NULL, "not a string");
    const char *p = s.text.p + 1, *end = s.text.p + s.text.n - 1;

    while (p < end) {
        const char *slash = memchr(p, '\\', (size_t)(end - p));
        const char *upto = slash ? slash : end;
        uint32_t c;

        wm_buf_add(out, p, (size_t)(upto - p));
        p = upto;
        if (!slash)
            break;
        if (p[1] == 'u') {
            p += unescape_u(p, end, &c);
        } else {
            static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";

            c = (uint32_t)to[strchr(from, p[1]) - from];
            p += 2;
        }
        if (c == 0)
            return wm_fail(err, WM_E_INVALID, NULL, "string with a NUL character");
        put_utf8(out, c);
    }
    return wm_buf_check(out, err);
}

bool wm_json_span_is(struct wm_json_span s, const char *z)
{
    if (s.kind != WM_JSON_STRING)
        return false;
    struct wm_str inner = {s.text.p + 1, s.text.n - 2};
    struct wm_str want = wm_str_of(z);

    /* no escape is shorter than what it stands for */
    if (inner.n < want.n || (inner.n == want.n && !wm_str_eq(inner, want)))
        return false;
    if (!memchr(inner.p, '\\', inner.n))
        return inner.n == want.n;
    wm_auto_buf struct wm_buf b = WM_BUF_MAX(want.n);

    return wm_json_unescape(s, &b, NULL) == WM_OK && wm_str_eq(wm_buf_text(&b), want);
}

struct wm_json_iter wm_json_iter(struct wm_json_span span)
{
    struct wm_json_iter it = {0};

    if (span.kind == WM_JSON_OBJECT || span.kind == WM_JSON_ARRAY) {
        it.at = span.text.p + 1;
        it.end = span.text.p + span.text.n - 1;
        it.is_object = span.kind == WM_JSON_OBJECT;
    }
    return it;
}

const char *wm_json_after_string(const char *p, const char *end)
{
    for (p++; (p = wm_json_skip_plain(p, end)) < end && *p != '"';)
        p += *p == '\\' ? 2 : 1;
    return p < end ? p + 1 : end;
}

static enum wm_json_kind kind_at(char c)
{
    switch (c) {
    case '{':
        return WM_JSON_OBJECT;
    case '[':
        return WM_JSON_ARRAY;
    case '"':
        return WM_JSON_STRING;
    case 't':
        return WM_JSON_TRUE;
    case 'f':
        return WM_JSON_FALSE;
    case 'n':
        return WM_JSON_NULL;
    default:
        return WM_JSON_NUMBER;
    }
}

/* Behind a number, true, false or null. */
static const char *after_word(const char *p, const char *end)
{
    while (p < end && *p != ',' && *p != ']' && *p != '}' && (unsigned char)*p > ' ')
        p++;
    return p;
}

/* Behind the string at `p`; nearly every one is plain. */
static inline const char *after_string(const char *p, const char *end, bool *ret_plain)
{
    const char *q = wm_json_skip_plain(p + 1, end);

    *ret_plain = q < end && *q == '"';
    return *ret_plain ? q + 1 : wm_json_after_string(p, end);
}

static const char *after_value(enum wm_json_kind kind, const char *p, const char *end)
{
    const char *behind;
    bool plain;

    if (kind == WM_JSON_STRING)
        return after_string(p, end, &plain);
    if (kind != WM_JSON_OBJECT && kind != WM_JSON_ARRAY)
        return after_word(p, end);
    behind = wm_json_skip(&(struct wm_json_skip){0}, p, end);
    return behind ? behind : end;
}

static struct wm_json_span span_between(enum wm_json_kind kind, const char *p, const char *behind)
{
    return (struct wm_json_span){kind, {p, (size_t)(behind - p)}};
}

bool wm_json_next(struct wm_json_iter *it)
{
    const char *end = it->end, *p = wm_json_skip_space(it->at, end), *behind;

    if (p < end && *p == ',')
        p = wm_json_skip_space(p + 1, end);
    it->at = p;
    if (p >= end)
        return false;
    it->key = (struct wm_json_span){0};
    if (it->is_object) {
        behind = after_string(p, end, &it->key_is_plain);
        it->key = span_between(WM_JSON_STRING, p, behind);
        p = wm_json_skip_space(wm_json_skip_space(behind, end) + 1, end); /* the colon */
    }
    enum wm_json_kind kind = kind_at(*p);

    it->at = after_value(kind, p, end);
    it->value = span_between(kind, p, it->at);
    return true;
}

void wm_json_quote(struct wm_buf *out, struct wm_str s)
{
    const char *p = s.p, *end = p + s.n;

    wm_buf_puts(out, "\"");
    while (p < end) {
        const char *from = p;

        while (p < end && (unsigned char)*p >= 0x20 && (unsigned char)*p < 0x7f && *p != '"' && *p != '\\')
            p++;
        wm_buf_add(out, from, (size_t)(p - from));
        if (p >= end)
            break;
        unsigned char c = (unsigned char)*p;

        if (c == '"' || c == '\\') {
            wm_buf_printf(out, "\\%c", c);
            p++;
        } else if (c <= 0x7f) {
            wm_buf_printf(out, "\\u%04x", c);
            p++;
        } else {
            size_t n = wm_json_utf8_length(p, end);

            wm_buf_add(out, n ? p : "\xef\xbf\xbd", n ? n : 3);
            p += n ? n : 1;
        }
    }
    wm_buf_puts(out, "\"");
}

void wm_json_pointer_token(struct wm_buf *out, struct wm_str key)
{
    for (size_t i = 0; i < key.n; i++)
        if (key.p[i] == '~')
            wm_buf_puts(out, "~0");
        else if (key.p[i] == '/')
            wm_buf_puts(out, "~1");
        else
            wm_buf_add(out, key.p + i, 1);
}

size_t wm_json_pointer_decode(struct wm_str token, char *out, size_t size)
{
    size_t n = 0;

    for (size_t i = 0; i < token.n && n < size - 1; i++) {
        char c = token.p[i];

        if (c == '~' && i + 1 < token.n)
            c = token.p[++i] == '1' ? '/' : '~';
        out[n++] = c;
    }
    out[n] = '\0';
    return n;
}

static void decoded_line(struct wm_json_span value, char *out, size_t size)
{
    wm_auto_buf struct wm_buf decoded = WM_BUF_MAX(value.text.n);
    bool is_text = wm_json_unescape(value, &decoded, NULL) == WM_OK;

    wm_line_copy(out, size, is_text ? wm_buf_text(&decoded) : value.text);
}

void wm_json_line(struct wm_json_span value, char *out, size_t size)
{
    struct wm_str plain = wm_span_plain(value);

    out[0] = '\0';
    if (plain.p)
        wm_line_copy(out, size, plain);
    else if (value.kind == WM_JSON_STRING)
        decoded_line(value, out, size);
    else if (value.kind != WM_JSON_ABSENT)
        wm_line_copy(out, size, value.text);
}
