/* libyaml's events into a cJSON tree.  Depth and node count are checked at each event, not afterwards:
 * libyaml scans deep flow nesting in more than linear time, so the only defence is to stop feeding it. */
#include "waymark/yaml.h"

#include <stdio.h>
#include <stdlib.h>
#include <yaml.h>

#include "yaml_place.h"
#include "yaml_scalar.h"

struct frame {
    cJSON *container;
    char *key; /* a mapping's key that waits for its value; owned */
    yaml_mark_t key_mark;
};

struct wm_yaml_reader {
    struct wm_str text;
    char *name; /* NULL = none */
    yaml_parser_t parser;
    bool ended;
};

/* One document in the making. */
struct builder {
    struct wm_yaml_reader *r;
    struct wm_yaml *y;
    struct frame stack[WM_YAML_MAX_DEPTH];
    size_t depth;
    bool complete;
};

static int fail_mark(const struct wm_yaml_reader *r, yaml_mark_t mark, enum wm_code code, const char *what,
                     struct wm_error *err)
{
    char where[96];
    unsigned line = (unsigned)mark.line + 1, column = (unsigned)mark.column + 1;

    wm_yaml_format_place(r->name, line, column, where);
    return wm_fail(err, code, where, "line %u, column %u: %s", line, column, what);
}

/* --- building --- */

static int attach(struct builder *b, cJSON *node, yaml_mark_t mark, struct wm_error *err)
{
    struct frame *top = b->depth ? &b->stack[b->depth - 1] : NULL;

    if (!node)
        return wm_fail(err, WM_E_NOMEM, NULL, "out of memory for a YAML document");
    if (b->y->n_places >= WM_YAML_MAX_NODES) {
        cJSON_Delete(node);
        return fail_mark(b->r, mark, WM_E_TOO_BIG, "too many values", err);
    }
    yaml_mark_t at = top && top->key ? top->key_mark : mark;

    wm_yaml_note_place(b->y, node, (unsigned)at.line + 1, (unsigned)at.column + 1);
    if (!top) {
        b->y->root = node;
    } else if (top->key) {
        /* cJSON takes the key over as it is; its Add functions would copy it and keep ours to free */
        node->string = top->key;
        top->key = NULL;
        cJSON_AddItemToArray(top->container, node);
    } else {
        cJSON_AddItemToArray(top->container, node);
    }
    return WM_OK;
}

static bool wants_key(const struct builder *b)
{
    const struct frame *top = b->depth ? &b->stack[b->depth - 1] : NULL;

    return top && cJSON_IsObject(top->container) && !top->key;
}

static int take_key(struct builder *b, const yaml_event_t *e, struct wm_error *err)
{
    struct frame *top = &b->stack[b->depth - 1];
    struct wm_str text = {(const char *)e->data.scalar.value, e->data.scalar.length};

    if (memchr(text.p, '\0', text.n))
        return fail_mark(b->r, e->start_mark, WM_E_INVALID, "NUL character in a key", err);
    top->key = wm_yaml_dup(text);
    if (!top->key)
        return wm_fail(err, WM_E_NOMEM, NULL, "out of memory for a YAML document");
    top->key_mark = e->start_mark;
    return WM_OK;
}

static int take_scalar(struct builder *b, const yaml_event_t *e, struct wm_error *err)
{
    struct wm_str text = {(const char *)e->data.scalar.value, e->data.scalar.length};
    const char *tag = (const char *)e->data.scalar.tag, *wrong = NULL;
    bool plain = e->data.scalar.plain_implicit;

    if (e->data.scalar.anchor)
        return fail_mark(b->r, e->start_mark, WM_E_INVALID, "anchors are not supported", err);
    if (tag && strcmp(tag, "!") != 0 && strcmp(tag, YAML_STR_TAG) != 0)
        return fail_mark(b->r, e->start_mark, WM_E_INVALID, "tags are not supported", err);
    if (wants_key(b))
        return take_key(b, e, err);
    cJSON *node = wm_yaml_scalar(text, plain && !tag, &wrong);

    if (wrong)
        return fail_mark(b->r, e->start_mark, WM_E_INVALID, wrong, err);
    return attach(b, node, e->start_mark, err);
}

static int open_container(struct builder *b, cJSON *node, const yaml_char_t *anchor, const yaml_char_t *tag,
                          yaml_mark_t mark, struct wm_error *err)
{
    const char *wrong = anchor                                       ? "anchors are not supported"
                        : tag && strcmp((const char *)tag, "!") != 0 ? "tags are not supported"
                        : wants_key(b)                               ? "a key must be a scalar"
                        : b->depth == WM_YAML_MAX_DEPTH              ? "nested too deeply"
                                                                     : NULL;
    if (wrong) {
        cJSON_Delete(node);
        return fail_mark(b->r, mark, WM_E_INVALID, wrong, err);
    }
    int rc = attach(b, node, mark, err);

    if (rc == WM_OK)
        b->stack[b->depth++] = (struct frame){.container = node};
    return rc;
}

static int by_key(const void *a, const void *b)
{
    return strcmp((*(const cJSON *const *)a)->string, (*(const cJSON *const *)b)->string);
}

/* The later of two members with one key, or NULL.  Sorting keeps wide mappings from costing their square. */
static const cJSON *duplicate_in(const cJSON *object, size_t n)
{
    wm_auto_free const cJSON **members = wm_xcalloc(n, sizeof *members);
    const cJSON *found = NULL, *m;
    size_t i = 0;

    cJSON_ArrayForEach(m, object) members[i++] = m;
    qsort(members, n, sizeof *members, by_key);
    for (i = 1; i < n && !found; i++)
        if (by_key(&members[i - 1], &members[i]) == 0)
            found = members[i];
    return found;
}

static int close_container(struct builder *b, struct wm_error *err)
{
    const cJSON *container = b->stack[--b->depth].container, *twice = NULL;

    if (cJSON_IsObject(container) && container->child && container->child->next)
        twice = duplicate_in(container, (size_t)cJSON_GetArraySize(container));
    if (!twice)
        return WM_OK;
    /* not sorted yet, so find_place will not do */
    for (size_t i = b->y->n_places; i-- > 0;)
        if (b->y->places[i].node == twice) {
            yaml_mark_t mark = {.line = b->y->places[i].line - 1, .column = b->y->places[i].column - 1};
            char what[160];

            snprintf(what, sizeof what, "key '%.100s' is given twice", twice->string);
            return fail_mark(b->r, mark, WM_E_INVALID, what, err);
        }
    return wm_fail(err, WM_E_INVALID, b->y->name, "a key is given twice");
}

static int take_event(struct builder *b, const yaml_event_t *e, struct wm_error *err)
{
    switch (e->type) {
    case YAML_SCALAR_EVENT:
        return take_scalar(b, e, err);
    case YAML_SEQUENCE_START_EVENT:
        return open_container(b, cJSON_CreateArray(), e->data.sequence_start.anchor,
                              e->data.sequence_start.tag, e->start_mark, err);
    case YAML_MAPPING_START_EVENT:
        return open_container(b, cJSON_CreateObject(), e->data.mapping_start.anchor,
                              e->data.mapping_start.tag, e->start_mark, err);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        return close_container(b, err);
    case YAML_ALIAS_EVENT:
        return fail_mark(b->r, e->start_mark, WM_E_INVALID, "aliases are not supported", err);
    case YAML_STREAM_END_EVENT:
        b->r->ended = true;
        b->complete = true;
        return WM_OK;
    case YAML_DOCUMENT_END_EVENT:
        b->complete = true;
        return WM_OK;
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_DOCUMENT_START_EVENT:
        break;
    }
    return WM_OK;
}

/* What libyaml did not like.  Its reader (wrong UTF-8, control characters) knows an offset but no line. */
static int parser_error(const struct wm_yaml_reader *r, struct wm_error *err)
{
    yaml_mark_t mark = r->parser.problem_mark;
    const char *what = r->parser.problem ? r->parser.problem : "malformed";

    if (r->parser.error == YAML_MEMORY_ERROR)
        return wm_fail(err, WM_E_NOMEM, r->name, "out of memory for a YAML document");
    if (r->parser.error == YAML_READER_ERROR) {
        mark = (yaml_mark_t){0};
        for (size_t i = 0; i < r->parser.problem_offset && i < r->text.n; i++) {
            mark.column = r->text.p[i] == '\n' ? 0 : mark.column + 1;
            mark.line += r->text.p[i] == '\n';
        }
    }
    return fail_mark(r, mark, WM_E_INVALID, what, err);
}

static int build(struct builder *b, struct wm_error *err)
{
    int rc = WM_OK;

    while (rc == WM_OK && !b->complete) {
        yaml_event_t e;

        if (!yaml_parser_parse(&b->r->parser, &e))
            return parser_error(b->r, err);
        rc = take_event(b, &e, err);
        yaml_event_delete(&e);
    }
    return rc;
}

/* --- documents --- */

int wm_yaml_open(struct wm_str text, const char *name, size_t max_bytes, struct wm_yaml_reader **ret,
                 struct wm_error *err)
{
    if (text.n > max_bytes)
        return wm_fail(err, WM_E_TOO_BIG, name, "YAML of %zu bytes; at most %zu are read", text.n, max_bytes);
    struct wm_yaml_reader *r = wm_xcalloc(1, sizeof *r);

    if (!yaml_parser_initialize(&r->parser)) {
        free(r);
        return wm_fail(err, WM_E_NOMEM, name, "out of memory for a YAML document");
    }
    r->text = text;
    r->name = name ? wm_xstrdup(name) : NULL;
    yaml_parser_set_encoding(&r->parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&r->parser, (const unsigned char *)(text.p ? text.p : ""), text.n);
    *ret = r;
    return WM_OK;
}

int wm_yaml_next(struct wm_yaml_reader *r, struct wm_yaml **ret, struct wm_error *err)
{
    wm_auto_yaml struct wm_yaml *y = NULL;
    struct builder b = {.r = r};

    if (r->ended)
        return 0;
    b.y = y = wm_xcalloc(1, sizeof *y);
    y->name = r->name ? wm_xstrdup(r->name) : NULL;
    int rc = build(&b, err);

    for (size_t i = 0; i < b.depth; i++)
        cJSON_free(b.stack[i].key);
    if (rc < 0)
        r->ended = true; /* libyaml cannot go on */
    if (rc < 0 || !y->root)
        return rc;
    wm_yaml_sort_places(y);
    *ret = y;
    y = NULL;
    return 1;
}

struct wm_yaml_reader *wm_yaml_close(struct wm_yaml_reader *r)
{
    if (r) {
        yaml_parser_delete(&r->parser);
        free(r->name);
        free(r);
    }
    return NULL;
}

void wm_yaml_closep_(struct wm_yaml_reader **pp)
{
    wm_yaml_close(*pp);
}

/* Nothing but the end may follow. */
static int expect_end(struct wm_yaml_reader *r, struct wm_error *err)
{
    yaml_event_t e;

    if (r->ended)
        return WM_OK;
    if (!yaml_parser_parse(&r->parser, &e))
        return parser_error(r, err);
    bool another = e.type == YAML_DOCUMENT_START_EVENT;
    yaml_mark_t mark = e.start_mark;

    yaml_event_delete(&e);
    return another ? fail_mark(r, mark, WM_E_INVALID, "more than one document", err) : WM_OK;
}

int wm_yaml_parse(struct wm_str text, const char *name, size_t max_bytes, struct wm_yaml **ret,
                  struct wm_error *err)
{
    wm_auto_yaml_reader struct wm_yaml_reader *r = NULL;
    wm_auto_yaml struct wm_yaml *y = NULL;
    int rc = wm_yaml_open(text, name, max_bytes, &r, err);

    if (!r || (rc = wm_yaml_next(r, &y, err)) < 0 || (rc = expect_end(r, err)) < 0)
        return rc;
    if (!y) { /* no document at all */
        y = wm_xcalloc(1, sizeof *y);
        y->name = name ? wm_xstrdup(name) : NULL;
        y->root = cJSON_CreateNull();
    }
    *ret = y;
    y = NULL;
    return WM_OK;
}
