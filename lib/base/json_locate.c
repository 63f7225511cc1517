/* One strict pass over a JSON text.  A push-down automaton with one bit a level for "object or array"; where
 * it is in the tree of the wanted members is known for the first levels, nowhere for nearly everything, so
 * that the rest of the text is merely checked. */
#include <stdio.h>

#include "json_scan.h"
#include "json_wanted.h"

enum { MAX_TOKENS = 8 };

/* --- the pass --- */

struct level {
    uint16_t member; /* of the tree: this container; 0 = nothing in it is asked for */
    uint64_t exact;  /* pointers that name this container */
    uint64_t seen;   /* wanted members that were met in it: a bit each */
    const char *start;
};

struct scan {
    const char *text, *p, *end;
    int depth, max_depth;
    bool saw_nul, careful; /* careful: something is wrong, and is to be told of */
    bool checked;          /* the text was before: what nobody asks for is not looked at */
    const struct wm_json_wanted *wanted;
    struct wm_json_span *spans;
    struct level levels[MAX_TOKENS + 1]; /* [depth]; deeper ones lead nowhere */
    struct wm_json_index *index;         /* NULL = none is wanted */
    uint64_t indexed;                    /* pointers whose containers go into it */
    int index_depth;                     /* of the container that is being indexed; 0 = none */
    uint32_t key;                        /* offset of the last key; 0 in arrays */
    bool key_escaped, escaped;           /* the last key, the last string */
    uint32_t open;                       /* node of the innermost open container */
    uint8_t is_object[WM_JSON_MAX_DEPTH / 8 + 2];
};

static int bad(const struct scan *s, const char *at, const char *what, struct wm_error *err)
{
    char where[40];

    snprintf(where, sizeof where, "byte %zu", (size_t)(at - s->text));
    return wm_fail(err, WM_E_INVALID, where, "%s at byte %zu of %zu", what, (size_t)(at - s->text),
                   (size_t)(s->end - s->text));
}

static void found(struct scan *s, uint64_t exact, enum wm_json_kind kind, const char *start)
{
    for (uint64_t m = exact; m; m &= m - 1)
        s->spans[__builtin_ctzll(m)] = (struct wm_json_span){kind, {start, (size_t)(s->p - start)}};
}

static bool top_is_object(const struct scan *s)
{
    return s->is_object[s->depth >> 3] & (1u << (s->depth & 7));
}

/* --- the index --- */

/* A node for the value from `start` to s->p; false when the index is full. */
static bool add_node(struct scan *s, enum wm_json_kind kind, const char *start)
{
    struct wm_json_index *x = s->index;

    if (x->n == x->cap && !wm_json_index_grow(x))
        return false;
    uint32_t i = x->n++;

    x->nodes[i] = (struct wm_json_node){
        .key = s->key,
        .at = (uint32_t)(start - s->text),
        .n = (uint32_t)(s->p - start),
        .next = x->n & 0xffffff,
        .kind = (uint32_t)kind & 7,
        .key_escaped = s->key_escaped,
        .escaped = s->escaped,
    };
    return true;
}

/* For the container that was just pushed.  While it is open its node's `next` is its parent. */
static bool open_node(struct scan *s, enum wm_json_kind kind, uint64_t exact)
{
    uint32_t parent = s->open, node = s->index->n;

    if (!s->index_depth) {
        uint64_t roots = exact & s->indexed;

        if (!roots)
            return true;
        s->index_depth = s->depth;
        for (uint64_t m = roots; m; m &= m - 1)
            s->index->root[__builtin_ctzll(m)] = node;
    }
    if (!add_node(s, kind, s->p))
        return false;
    s->index->nodes[node].next = parent & 0xffffff;
    s->open = node;
    return true;
}

static void close_node(struct scan *s)
{
    struct wm_json_node *node = &s->index->nodes[s->open];

    s->open = node->next;
    node->next = s->index->n & 0xffffff;
    node->n = (uint32_t)(s->p - s->text) - node->at;
    if (s->depth == s->index_depth)
        s->index_depth = 0;
}

static bool push(struct scan *s, bool object, uint16_t member)
{
    if (s->depth >= s->max_depth)
        return false;
    s->depth++;
    uint8_t bit = (uint8_t)(1u << (s->depth & 7));

    if (object)
        s->is_object[s->depth >> 3] |= bit;
    else
        s->is_object[s->depth >> 3] &= (uint8_t)~bit;
    if (s->depth <= MAX_TOKENS) {
        s->levels[s->depth] = (struct level){
            .member = object ? member : 0, .exact = s->wanted->members[member].exact, .start = s->p};
    }
    return true;
}

static void pop(struct scan *s)
{
    bool object = top_is_object(s);

    s->p++;
    if (s->depth <= MAX_TOKENS)
        found(s, s->levels[s->depth].exact, object ? WM_JSON_OBJECT : WM_JSON_ARRAY,
              s->levels[s->depth].start);
    if (s->index_depth)
        close_node(s);
    s->depth--;
}

static const char *digits(const char *p, const char *end)
{
    while (p < end && *p >= '0' && *p <= '9')
        p++;
    return p;
}

static const char *number_end(const char *p, const char *end)
{
    const char *from;

    if (p < end && *p == '-')
        p++;
    from = p;
    p = p < end && *p == '0' ? p + 1 : digits(p, end);
    if (p == from)
        return NULL;
    if (p < end && *p == '.') {
        from = ++p;
        if ((p = digits(p, end)) == from)
            return NULL;
    }
    if (p < end && (*p == 'e' || *p == 'E')) {
        p++;
        if (p < end && (*p == '+' || *p == '-'))
            p++;
        from = p;
        if ((p = digits(p, end)) == from)
            return NULL;
    }
    return p;
}

static bool word(struct scan *s, const char *z)
{
    size_t n = strlen(z);

    if ((size_t)(s->end - s->p) < n || memcmp(s->p, z, n) != 0)
        return false;
    s->p += n;
    return true;
}

/* A string, number or word at s->p.  Returns its kind, ABSENT when there is none (s->p then on the fault). */
static enum wm_json_kind scalar(struct scan *s)
{
    const char *wrong = s->p, *q;
    bool plain;

    switch (*s->p) {
    case '"':
        q = wm_json_pass_string(s->p, s->end, &plain, &s->saw_nul, &wrong);
        s->p = q ? q : wrong;
        s->escaped = !plain;
        return q ? WM_JSON_STRING : WM_JSON_ABSENT;
    case 't':
        return word(s, "true") ? WM_JSON_TRUE : WM_JSON_ABSENT;
    case 'f':
        return word(s, "false") ? WM_JSON_FALSE : WM_JSON_ABSENT;
    case 'n':
        return word(s, "null") ? WM_JSON_NULL : WM_JSON_ABSENT;
    default:
        q = number_end(s->p, s->end);
        if (q)
            s->p = q;
        return q ? WM_JSON_NUMBER : WM_JSON_ABSENT;
    }
}

/* A key and its colon; *ret_member = what of the tree it names. */
static int read_key(struct scan *s, uint16_t *ret_member, struct wm_error *err)
{
    struct level *top = s->depth <= MAX_TOKENS ? &s->levels[s->depth] : NULL;
    const char *start = s->p, *wrong;
    bool plain;

    if (s->p >= s->end || *s->p != '"')
        return bad(s, s->p, "expected a key", err);
    s->p = wm_json_pass_string(start, s->end, &plain, &s->saw_nul, &wrong);
    if (!s->p)
        return bad(s, wrong, "malformed key", err);
    if (top && top->member) {
        struct wm_str key = {start + 1, (size_t)(s->p - start) - 2};
        uint16_t member = wm_json_member_of(s->wanted, top->member, key, plain);
        uint64_t bit = member ? UINT64_C(1) << s->wanted->members[member].nth : 0;

        if (top->seen & bit)
            return bad(s, start, "key given twice", err);
        top->seen |= bit;
        *ret_member = member;
    }
    s->p = wm_json_skip_space(s->p, s->end);
    if (s->p >= s->end || *s->p != ':')
        return bad(s, s->p, "expected ':'", err);
    s->p++;
    s->key = (uint32_t)(start - s->text);
    s->key_escaped = !plain;
    return WM_OK;
}

/* --- what nobody looks into --- */

/* Behind a key and its colon. */
static const char *pass_key(struct scan *s, const char *p)
{
    const char *wrong;
    bool plain;

    if (p >= s->end || *p != '"' || !(p = wm_json_pass_string(p, s->end, &plain, &s->saw_nul, &wrong)))
        return NULL;
    p = wm_json_skip_space(p, s->end);
    return p < s->end && *p == ':' ? wm_json_skip_space(p + 1, s->end) : NULL;
}

static const char *pass_scalar(struct scan *s, const char *p)
{
    const char *wrong;
    bool plain;

    if (p < s->end && *p == '"')
        return wm_json_pass_string(p, s->end, &plain, &s->saw_nul, &wrong);
    s->p = p;
    return p < s->end && scalar(s) != WM_JSON_ABSENT ? s->p : NULL;
}

/* Behind the container at `p`; NULL when something is wrong, or it is too deep for a bit a level (1 =
 * object). */
static const char *pass(struct scan *s, const char *p)
{
    enum { LEVELS = 64 };
    const char *end = s->end;
    int open = 0, most = s->max_depth - s->depth < LEVELS ? s->max_depth - s->depth : LEVELS;
    uint64_t objects = 0;

    while (p) {
        if (p < end && (*p == '{' || *p == '[')) {
            if (open++ == most)
                return NULL;
            objects = objects << 1 | (*p == '{');
            p = wm_json_skip_space(p + 1, end);
            if (p < end && *p != (objects & 1 ? '}' : ']')) {
                p = objects & 1 ? pass_key(s, p) : p;
                continue;
            }
        } else if (!(p = pass_scalar(s, p))) {
            return NULL;
        }
        for (p = wm_json_skip_space(p, end); p < end && *p != ','; p = wm_json_skip_space(p, end)) {
            if (*p++ != (objects & 1 ? '}' : ']'))
                return NULL;
            objects >>= 1;
            if (--open == 0)
                return p;
        }
        p = p < end ? wm_json_skip_space(p + 1, end) : NULL;
        p = p && objects & 1 ? pass_key(s, p) : p;
    }
    return NULL;
}

/* Most of a text: in a short loop, as long as all is as it should be.  Else the careful way goes over it
 * again, and says what is wrong, and where. */
static bool pass_over(struct scan *s, const struct wm_json_member *m)
{
    const char *start = s->p, *end;

    if (s->careful || (*start == '{' && m->first) || (s->index && (s->index_depth || m->exact & s->indexed)))
        return false;
    end = s->checked && !m->exact ? wm_json_skip(&(struct wm_json_skip){0}, start, s->end) : pass(s, start);
    s->careful = !end;
    s->p = end ? end : start;
    return end;
}

/* --- the pass --- */

static int too_many_values(struct wm_error *err)
{
    return wm_fail(err, WM_E_TOO_BIG, NULL, "more than %u values in one object", WM_JSON_INDEX_MAX_NODES - 1);
}

/* One value's beginning: a whole scalar, or the opening of a container.  *ret_opened says which. */
static int read_value(struct scan *s, uint16_t member, bool *ret_opened, struct wm_error *err)
{
    const struct wm_json_member *m = &s->wanted->members[member];

    s->p = wm_json_skip_space(s->p, s->end);
    if (s->p >= s->end)
        return bad(s, s->p, "unexpected end", err);
    const char *start = s->p;

    *ret_opened = *start == '{' || *start == '[';
    if (*ret_opened && pass_over(s, m)) {
        *ret_opened = false;
        found(s, m->exact, *start == '{' ? WM_JSON_OBJECT : WM_JSON_ARRAY, start);
        return WM_OK;
    }
    if (*ret_opened) {
        if (!push(s, *start == '{', member))
            return bad(s, start, "nested too deeply", err);
        if (s->index && !open_node(s, *start == '{' ? WM_JSON_OBJECT : WM_JSON_ARRAY, m->exact))
            return too_many_values(err);
        s->p++;
        return WM_OK;
    }
    enum wm_json_kind kind = scalar(s);

    if (kind == WM_JSON_ABSENT)
        return bad(s, s->p, "not a JSON value", err);
    found(s, m->exact, kind, start);
    return s->index_depth && !add_node(s, kind, start) ? too_many_values(err) : WM_OK;
}

/* Behind a value: closes what ends here; *ret_more = another member or item follows. */
static int read_after(struct scan *s, bool *ret_more, struct wm_error *err)
{
    *ret_more = false;
    while (s->depth > 0) {
        s->p = wm_json_skip_space(s->p, s->end);
        if (s->p >= s->end)
            return bad(s, s->p, "unexpected end", err);
        if (*s->p == ',') {
            s->p = wm_json_skip_space(s->p + 1, s->end);
            *ret_more = true;
            return WM_OK;
        }
        if (*s->p != (top_is_object(s) ? '}' : ']'))
            return bad(s, s->p, "expected ',' or the end of the object or array", err);
        pop(s);
    }
    return WM_OK;
}

static bool closes_at_once(struct scan *s)
{
    s->p = wm_json_skip_space(s->p, s->end);
    return s->p < s->end && *s->p == (top_is_object(s) ? '}' : ']');
}

static int run(struct scan *s, struct wm_error *err)
{
    uint16_t member = WM_JSON_ROOT;
    bool opened = false, more = true;
    int rc;

    while (more) {
        if (s->depth > 0) {
            member = 0;
            s->key = 0;
            if (top_is_object(s) && (rc = read_key(s, &member, err)) < 0)
                return rc;
        }
        if ((rc = read_value(s, member, &opened, err)) < 0)
            return rc;
        if (opened && !closes_at_once(s))
            continue;
        if ((rc = read_after(s, &more, err)) < 0)
            return rc;
    }
    s->p = wm_json_skip_space(s->p, s->end);
    return s->p < s->end ? bad(s, s->p, "something after the document", err) : WM_OK;
}

/* What is asked for, and where the answer goes. */
struct question {
    const struct wm_json_wanted *wanted;
    struct wm_json_span *spans;
    uint64_t indexed;
    struct wm_json_index *index;
    int max_depth;
    bool checked;
};

static int answer(const struct question *q, struct wm_str text, bool *ret_nul, struct wm_error *err)
{
    struct scan s; /* its levels are set when they are reached */

    for (size_t i = 0; i < q->wanted->n_pointers; i++)
        q->spans[i] = (struct wm_json_span){0};
    s.text = s.p = text.p ? text.p : "";
    s.end = s.text + text.n;
    s.depth = s.index_depth = 0;
    s.max_depth = q->max_depth;
    s.saw_nul = s.key_escaped = s.escaped = s.careful = false;
    s.checked = q->checked;
    s.wanted = q->wanted;
    s.spans = q->spans;
    s.index = q->index;
    s.indexed = q->indexed;
    s.key = s.open = 0;
    s.is_object[0] = 0;
    int rc = run(&s, err);

    *ret_nul = s.saw_nul;
    return rc;
}

int wm_json_scan(struct wm_str text, int max_depth, size_t n, const char *const pointers[],
                 struct wm_json_span spans[], bool *ret_nul, struct wm_error *err)
{
    struct wm_json_wanted wanted;

    wm_json_want(&wanted, n, pointers);
    return answer(&(struct question){.wanted = &wanted, .spans = spans, .max_depth = max_depth}, text,
                  ret_nul, err);
}

int wm_json_locate(struct wm_str text, size_t n, const char *const pointers[], struct wm_json_span spans[],
                   struct wm_error *err)
{
    bool nul;

    return wm_json_scan(text, WM_JSON_MAX_DEPTH, n, pointers, spans, &nul, err);
}

int wm_json_pick(struct wm_str text, size_t n, const char *const pointers[], struct wm_json_span spans[],
                 struct wm_error *err)
{
    struct wm_json_wanted wanted;
    bool nul;

    wm_json_want(&wanted, n, pointers);
    return answer(&(struct question){&wanted, spans, 0, NULL, WM_JSON_MAX_DEPTH, true}, text, &nul, err);
}

static int answer_indexed(const struct question *q, struct wm_str text, struct wm_error *err)
{
    bool nul;

    wm_json_index_begin(q->index, text);
    int rc = answer(q, text, &nul, err);

    if (rc < 0) /* what is half indexed is of no use */
        memset(q->index->root, 0, sizeof q->index->root);
    return rc;
}

int wm_json_locate_indexed(struct wm_str text, size_t n, const char *const pointers[],
                           struct wm_json_span spans[], uint64_t indexed, struct wm_json_index *ret,
                           struct wm_error *err)
{
    struct wm_json_wanted wanted;

    wm_json_want(&wanted, n, pointers);
    return answer_indexed(&(struct question){&wanted, spans, indexed, ret, WM_JSON_MAX_DEPTH, false}, text,
                          err);
}

int wm_json_pick_wanted(struct wm_str text, const struct wm_json_wanted *wanted, struct wm_json_span spans[],
                        uint64_t indexed, struct wm_json_index *ret, struct wm_error *err)
{
    return answer_indexed(&(struct question){wanted, spans, indexed, ret, WM_JSON_MAX_DEPTH, true}, text,
                          err);
}

int wm_json_pick_indexed(struct wm_str text, size_t n, const char *const pointers[],
                         struct wm_json_span spans[], uint64_t indexed, struct wm_json_index *ret,
                         struct wm_error *err)
{
    struct wm_json_wanted wanted;

    wm_json_want(&wanted, n, pointers);
    return wm_json_pick_wanted(text, &wanted, spans, indexed, ret, err);
}
