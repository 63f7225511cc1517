/* JSON texts that are read once and then looked into many times.  Pure.
 *
 * The third manner beside json.h's two: one strict pass writes down where every value under the chosen
 * pointers stands, 16 bytes each, and from then on members and items are reached without reading the text
 * again.  For what strangers send, when rules ask many questions of it: no trees, no copies, no recursion. */
#ifndef WAYMARK_JSON_INDEX_H
#define WAYMARK_JSON_INDEX_H

#include "waymark/json.h"

/* 16 MiB of nodes.  No object that an API server stores comes near: 3 MiB of JSON with 3 bytes a value. */
#define WM_JSON_INDEX_MAX_NODES ((1u << 20) + 1)
#define WM_JSON_MAX_POINTERS 64
#define WM_JSON_MAX_MEMBERS 192

struct wm_json_node {
    uint32_t key;             /* offset of the key's opening quote; 0 = an array's item, or the root */
    uint32_t at, n;           /* the value's text */
    uint32_t next : 24;       /* the node behind this value and all within it */
    uint32_t kind : 3;        /* enum wm_json_kind */
    uint32_t key_escaped : 1; /* the key has escapes */
    uint32_t escaped : 1;     /* the value is a string with escapes */
};

struct wm_json_index {
    struct wm_str text;         /* borrowed: must outlive the index */
    struct wm_json_node *nodes; /* owned; [0] stands for "absent" */
    uint32_t n, cap;
    uint32_t root[WM_JSON_MAX_POINTERS]; /* node of the value at pointers[i]; 0 = absent, or a scalar */
};

/* wm_json_locate, which also indexes the containers at those pointers whose bit is set in `indexed` (a
 * pointer within another's container has no root of its own).  WM_E_TOO_BIG when they hold more than
 * WM_JSON_INDEX_MAX_NODES values.  `ret` is filled even on error; wm_json_index_done frees it, and an index
 * may be filled again without. */
int wm_json_locate_indexed(struct wm_str text, size_t n, const char *const pointers[],
                           struct wm_json_span spans[], uint64_t indexed, struct wm_json_index *ret,
                           struct wm_error *err);
/* wm_json_pick, likewise. */
int wm_json_pick_indexed(struct wm_str text, size_t n, const char *const pointers[],
                         struct wm_json_span spans[], uint64_t indexed, struct wm_json_index *ret,
                         struct wm_error *err);
/* A whole text; root[0] is the document when it is an object or an array. */
int wm_json_index(struct wm_str text, struct wm_json_index *ret, struct wm_error *err);
void wm_json_index_done(struct wm_json_index *x);
#define wm_auto_index WM_AUTO(wm_json_index_done)

/* What is asked of many texts, made ready once: all members that the pointers lead through, each with those
 * within it. */
struct wm_json_wanted {
    size_t n_pointers;
    uint16_t n;
    struct wm_json_member {
        const char *token;    /* of a pointer; borrowed, not terminated */
        uint64_t exact;       /* pointers that end here: a bit each */
        uint16_t n;           /* of the token */
        uint16_t first, next; /* of the members within it; beside it */
        uint8_t nth;          /* beside it, from 0 */
        bool escaped;         /* the token has a '~' */
    } members[WM_JSON_MAX_MEMBERS];
};
/* At most WM_JSON_MAX_POINTERS, which together lead through fewer than WM_JSON_MAX_MEMBERS - 1 members.  What
 * they point to must outlive `ret`. */
void wm_json_want(struct wm_json_wanted *ret, size_t n, const char *const pointers[]);
/* wm_json_pick_indexed with them. */
int wm_json_pick_wanted(struct wm_str text, const struct wm_json_wanted *wanted, struct wm_json_span spans[],
                        uint64_t indexed, struct wm_json_index *ret, struct wm_error *err);

/* One value in an index; all zero = absent.  Borrowed from the index. */
struct wm_json_value {
    const struct wm_json_index *of;
    uint32_t node, end; /* end: of the container that it was reached in */
};

static inline struct wm_json_value wm_json_root(const struct wm_json_index *x, size_t pointer)
{
    uint32_t node = x->root[pointer];

    return (struct wm_json_value){x, node, node ? x->nodes[node].next : 0};
}

static inline enum wm_json_kind wm_json_kind_of(struct wm_json_value v)
{
    return v.node ? (enum wm_json_kind)v.of->nodes[v.node].kind : WM_JSON_ABSENT;
}

/* The value's text; kind ABSENT for an absent one. */
static inline struct wm_json_span wm_json_span_of(struct wm_json_value v)
{
    if (!v.node)
        return (struct wm_json_span){0};
    const struct wm_json_node *d = &v.of->nodes[v.node];

    return (struct wm_json_span){(enum wm_json_kind)d->kind, {v.of->text.p + d->at, d->n}};
}

/* wm_span_plain of a value. */
static inline struct wm_str wm_json_plain(struct wm_json_value v)
{
    const struct wm_json_node *d = v.node ? &v.of->nodes[v.node] : NULL;

    if (!d || d->kind != WM_JSON_STRING || d->escaped)
        return (struct wm_str){0};
    return (struct wm_str){v.of->text.p + d->at + 1, d->n - 2};
}

/* The first member or item; absent for scalars and empty containers.
 *     for (struct wm_json_value v = wm_json_first(list); v.node; v = wm_json_after(v)) */
static inline struct wm_json_value wm_json_first(struct wm_json_value container)
{
    if (!container.node)
        return container;
    uint32_t end = container.of->nodes[container.node].next;

    return container.node + 1 < end ? (struct wm_json_value){container.of, container.node + 1, end}
                                    : (struct wm_json_value){0};
}

static inline struct wm_json_value wm_json_after(struct wm_json_value v)
{
    uint32_t next = v.of->nodes[v.node].next;

    return next < v.end ? (struct wm_json_value){v.of, next, v.end} : (struct wm_json_value){0};
}

/* The key of a member, a string span; ABSENT for an item. */
struct wm_json_span wm_json_key_of(struct wm_json_value v);

/* The member named `key`, the last one if it stands twice (as in Go); absent when there is none, or `object`
 * is no object. */
struct wm_json_value wm_json_find(struct wm_json_value object, struct wm_str key);
static inline struct wm_json_value wm_json_get(struct wm_json_value object, const char *key)
{
    return wm_json_find(object, wm_str_of(key));
}

/* Several members in one pass: values[i] is that of keys[i], as wm_json_get would find it. */
void wm_json_collect(struct wm_json_value object, const struct wm_str keys[], struct wm_json_value values[],
                     size_t n);
/* A member's text, for wm_json_span_is, wm_span_copy. */
static inline struct wm_json_span wm_get_span(struct wm_json_value object, const char *key)
{
    return wm_json_span_of(wm_json_get(object, key));
}

static inline bool wm_is_true(struct wm_json_value object, const char *key)
{
    return wm_json_kind_of(wm_json_get(object, key)) == WM_JSON_TRUE;
}

/* A string with something in it. */
static inline bool wm_is_set(struct wm_json_value object, const char *key)
{
    struct wm_json_span s = wm_get_span(object, key);

    return s.kind == WM_JSON_STRING && s.text.n > 2;
}

/* How many members or items. */
size_t wm_json_count(struct wm_json_value container);

/* True when both mean the same: members in any order, strings however they are escaped, numbers as they are
 * written.  Two absent values are the same.  Linear; a difference that only shows in another order of members
 * is told by 64-bit digests. */
bool wm_json_same(struct wm_json_value a, struct wm_json_value b);
/* Of what wm_json_same calls the same: for who cannot keep one of both; 0 = absent, or no memory
 * for it. */
uint64_t wm_json_digest(struct wm_json_value v);

/* Inside of the module: an empty index of `text`, and room for at least one more node. */
void wm_json_index_begin(struct wm_json_index *x, struct wm_str text);
bool wm_json_index_grow(struct wm_json_index *x);

#endif
