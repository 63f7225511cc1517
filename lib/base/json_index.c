#include "waymark/json_index.h"

#include <stdlib.h>

#include "json_scan.h"

enum { FIRST_NODES = 256 };

/* --- filling --- */

void wm_json_index_begin(struct wm_json_index *x, struct wm_str text)
{
    x->text = text;
    memset(x->root, 0, sizeof x->root);
    x->n = 0;
    if (x->cap == 0 && !wm_json_index_grow(x))
        return;
    x->nodes[0] = (struct wm_json_node){.kind = WM_JSON_ABSENT};
    x->n = 1;
}

/* What is sized by a client fails instead of ending the process. */
bool wm_json_index_grow(struct wm_json_index *x)
{
    uint32_t cap = x->cap ? 2 * x->cap : FIRST_NODES;

    if (cap > WM_JSON_INDEX_MAX_NODES)
        cap = WM_JSON_INDEX_MAX_NODES;
    if (x->n >= cap)
        return false;
    struct wm_json_node *nodes = realloc(x->nodes, cap * sizeof *nodes);

    if (!nodes)
        return false;
    x->nodes = nodes;
    x->cap = cap;
    return true;
}

void wm_json_index_done(struct wm_json_index *x)
{
    free(x->nodes);
    *x = (struct wm_json_index){0};
}

int wm_json_index(struct wm_str text, struct wm_json_index *ret, struct wm_error *err)
{
    static const char *const whole[] = {""};
    struct wm_json_span span;

    return wm_json_locate_indexed(text, 1, whole, &span, 1, ret, err);
}

/* --- looking --- */

struct wm_json_span wm_json_key_of(struct wm_json_value v)
{
    const struct wm_json_node *node = v.node ? &v.of->nodes[v.node] : NULL;

    if (!node || node->key == 0)
        return (struct wm_json_span){0};
    const char *key = v.of->text.p + node->key, *end = v.of->text.p + v.of->text.n;

    return (struct wm_json_span){WM_JSON_STRING, {key, (size_t)(wm_json_after_string(key, end) - key)}};
}

/* Which of the keys a member has; n = none of them. */
static inline size_t which(const struct wm_json_index *x, uint32_t node, const struct wm_str keys[], size_t n)
{
    const struct wm_json_node *d = &x->nodes[node];
    size_t i = 0;

    if (d->key == 0)
        return n;
    if (d->key_escaped) {
        struct wm_json_span key = wm_json_key_of((struct wm_json_value){x, node, 0});

        while (i < n && !wm_json_span_is(key, keys[i].p))
            i++;
        return i;
    }
    const char *key = x->text.p + d->key + 1;
    size_t room = d->at - d->key - 1; /* its value follows: a key that ends has its quote within */

    while (i < n && (keys[i].n >= room || key[keys[i].n] != '"' || memcmp(key, keys[i].p, keys[i].n) != 0))
        i++;
    return i;
}

void wm_json_collect(struct wm_json_value object, const struct wm_str keys[], struct wm_json_value values[],
                     size_t n)
{
    struct wm_json_value v = wm_json_first(object);

    memset(values, 0, n * sizeof *values);
    for (; v.node; v = wm_json_after(v)) {
        size_t i = which(v.of, v.node, keys, n);

        if (i < n)
            values[i] = v;
    }
}

struct wm_json_value wm_json_find(struct wm_json_value object, struct wm_str key)
{
    struct wm_json_value v = wm_json_first(object), found = {0};

    for (; v.node; v = wm_json_after(v))
        if (which(v.of, v.node, &key, 1) == 0)
            found = v;
    return found;
}

size_t wm_json_count(struct wm_json_value container)
{
    size_t n = 0;

    for (struct wm_json_value v = wm_json_first(container); v.node; v = wm_json_after(v))
        n++;
    return n;
}

/* --- comparing --- */

/* Digests guard against chance only; who sends both texts can say "same" without any trick. */
static uint64_t digest_text(struct wm_json_span s)
{
    if (s.kind != WM_JSON_STRING || !memchr(s.text.p, '\\', s.text.n))
        return wm_str_digest(s.text, s.kind);
    wm_auto_buf struct wm_buf b = WM_BUF_MAX(s.text.n + 2);

    wm_buf_puts(&b, "\"");
    if (wm_json_unescape(s, &b, NULL) < 0) /* a NUL: as it is written */
        return wm_str_digest(s.text, s.kind);
    wm_buf_puts(&b, "\"");
    return wm_str_digest(wm_buf_text(&b), s.kind);
}

/* Children stand behind their parents, so from the last node to the first every child is known before its
 * parent. */
static uint64_t digest(struct wm_json_value v, uint64_t *room)
{
    const struct wm_json_index *x = v.of;

    for (uint32_t i = x->nodes[v.node].next; i-- > v.node;) {
        struct wm_json_value here = {x, i, x->nodes[i].next};
        struct wm_json_span span = wm_json_span_of(here);
        uint64_t h = 0;

        if (span.kind == WM_JSON_OBJECT) {
            for (struct wm_json_value m = wm_json_first(here); m.node; m = wm_json_after(m))
                h += wm_mix(digest_text(wm_json_key_of(m)) + 3 * room[m.node - v.node]);
        } else if (span.kind == WM_JSON_ARRAY) {
            for (struct wm_json_value m = wm_json_first(here); m.node; m = wm_json_after(m))
                h = wm_mix(h * 31 + room[m.node - v.node]);
        } else {
            h = digest_text(span);
        }
        room[i - v.node] = wm_mix(h + span.kind);
    }
    return room[0];
}

/* As far as both have the same shape and the same keys in the same order, one walk over both decides. */
enum same { SAME, DIFFERENT, OTHER_SHAPE };

static enum same walk(struct wm_json_value a, struct wm_json_value b)
{
    const struct wm_json_node *na = a.of->nodes, *nb = b.of->nodes;
    uint32_t n = na[a.node].next - a.node;

    for (uint32_t i = 0; i < n; i++) {
        struct wm_json_value x = {a.of, a.node + i, 0}, y = {b.of, b.node + i, 0};
        struct wm_json_span sx = wm_json_span_of(x), sy = wm_json_span_of(y);
        bool container = sx.kind == WM_JSON_OBJECT || sx.kind == WM_JSON_ARRAY;

        if (i > 0 && (!wm_str_eq(wm_json_key_of(x).text, wm_json_key_of(y).text)))
            return OTHER_SHAPE;
        if (sx.kind != sy.kind)
            return DIFFERENT;
        if (container && na[x.node].next - x.node != nb[y.node].next - y.node)
            return DIFFERENT; /* no order of members changes how many values there are */
        if (!container && !wm_str_eq(sx.text, sy.text))
            return memchr(sx.text.p, '\\', sx.text.n) || memchr(sy.text.p, '\\', sy.text.n) ? OTHER_SHAPE
                                                                                            : DIFFERENT;
    }
    return SAME;
}

uint64_t wm_json_digest(struct wm_json_value v)
{
    wm_auto_free uint64_t *room = v.node ? calloc(v.of->nodes[v.node].next - v.node, sizeof *room) : NULL;

    return room ? digest(v, room) : 0;
}

static bool same_digest(struct wm_json_value a, struct wm_json_value b)
{
    uint64_t first = wm_json_digest(a);

    return first && first == wm_json_digest(b); /* 0: no memory */
}

bool wm_json_same(struct wm_json_value a, struct wm_json_value b)
{
    if (!a.node || !b.node)
        return a.node == b.node;
    if (wm_str_eq(wm_json_span_of(a).text, wm_json_span_of(b).text))
        return true;
    enum same s = walk(a, b);

    return s == SAME || (s == OTHER_SHAPE && same_digest(a, b));
}
