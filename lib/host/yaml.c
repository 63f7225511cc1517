/* libyaml's events into a cJSON tree.  Depth and node count are checked at each event, not afterwards:
 * libyaml scans deep flow nesting in more than linear time, so the only defence is to stop feeding it. */
#include "waymark/yaml.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <yaml.h>

#include "yaml_scalar.h"

struct place {
    const cJSON *node;
    unsigned line, column;
};

struct wm_yaml {
    char *name; /* NULL = none */
    cJSON *root;
    struct place *places; /* sorted by node once the document is complete */
    size_t n_places, cap_places;
};

struct frame {
    cJSON *container;
    char *key; /* a mapping's key that waits for its value; owned */
    yaml_mark_t key_mark;
};

struct builder {
    struct wm_yaml *y;
    yaml_parser_t parser;
    struct frame stack[WM_YAML_MAX_DEPTH];
    size_t depth;
    bool ended;
};

/* --- places --- */

static void format_place(const struct wm_yaml *y, unsigned line, unsigned column, char out[static 96])
{
    size_t n = y->name ? strlen(y->name) : 0, shown = 68;

    /* of a long path the end says more, and the line must not be what is cut off */
    if (n > shown)
        snprintf(out, 96, "...%s:%u:%u", y->name + n - shown, line, column);
    else if (y->name)
        snprintf(out, 96, "%s:%u:%u", y->name, line, column);
    else
        snprintf(out, 96, "%u:%u", line, column);
}

static int fail_mark(const struct builder *b, yaml_mark_t mark, enum wm_code code, const char *what,
                     struct wm_error *err)
{
    char where[96];
    unsigned line = (unsigned)mark.line + 1, column = (unsigned)mark.column + 1;

    format_place(b->y, line, column, where);
    return wm_fail(err, code, where, "line %u, column %u: %s", line, column, what);
}

static void note_place(struct wm_yaml *y, const cJSON *node, yaml_mark_t mark)
{
    if (y->n_places == y->cap_places) {
        size_t cap = y->cap_places ? y->cap_places * 2 : 32;
        struct place *grown = wm_xcalloc(cap, sizeof *grown);

        if (y->n_places)
            memcpy(grown, y->places, y->n_places * sizeof *grown);
        free(y->places);
        y->places = grown;
        y->cap_places = cap;
    }
    y->places[y->n_places++] = (struct place){node, (unsigned)mark.line + 1, (unsigned)mark.column + 1};
}

static int by_node(const void *a, const void *b)
{
    uintptr_t x = (uintptr_t)((const struct place *)a)->node, y = (uintptr_t)((const struct place *)b)->node;

    return (x > y) - (x < y);
}

static const struct place *find_place(const struct wm_yaml *y, const cJSON *node)
{
    struct place wanted = {.node = node};

    return y->n_places ? bsearch(&wanted, y->places, y->n_places, sizeof wanted, by_node) : NULL;
}

/* --- building --- */

static int attach(struct builder *b, cJSON *node, yaml_mark_t mark, struct wm_error *err)
{
    struct frame *top = b->depth ? &b->stack[b->depth - 1] : NULL;

    if (!node)
        return wm_fail(err, WM_E_NOMEM, NULL, "out of memory for a YAML document");
    if (b->y->n_places >= WM_YAML_MAX_NODES) {
        cJSON_Delete(node);
        return fail_mark(b, mark, WM_E_TOO_BIG, "too many values", err);
    }
    note_place(b->y, node, top && top->key ? top->key_mark : mark);
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
        return fail_mark(b, e->start_mark, WM_E_INVALID, "NUL character in a key", err);
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
        return fail_mark(b, e->start_mark, WM_E_INVALID, "anchors are not supported", err);
    if (tag && strcmp(tag, "!") != 0 && strcmp(tag, YAML_STR_TAG) != 0)
        return fail_mark(b, e->start_mark, WM_E_INVALID, "tags are not supported", err);
    if (wants_key(b))
        return take_key(b, e, err);
    cJSON *node = wm_yaml_scalar(text, plain && !tag, &wrong);

    if (wrong)
        return fail_mark(b, e->start_mark, WM_E_INVALID, wrong, err);
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
        return fail_mark(b, mark, WM_E_INVALID, wrong, err);
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
            return fail_mark(b, mark, WM_E_INVALID, what, err);
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
        return fail_mark(b, e->start_mark, WM_E_INVALID, "aliases are not supported", err);
    case YAML_DOCUMENT_START_EVENT:
        if (b->y->root)
            return fail_mark(b, e->start_mark, WM_E_INVALID, "more than one document", err);
        return WM_OK;
    case YAML_STREAM_END_EVENT:
        b->ended = true;
        return WM_OK;
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_DOCUMENT_END_EVENT:
        break;
    }
    return WM_OK;
}

/* What libyaml did not like.  Its reader (wrong UTF-8, control characters) knows an offset but no line. */
static int parser_error(const struct builder *b, struct wm_str text, struct wm_error *err)
{
    yaml_mark_t mark = b->parser.problem_mark;
    const char *what = b->parser.problem ? b->parser.problem : "malformed";

    if (b->parser.error == YAML_MEMORY_ERROR)
        return wm_fail(err, WM_E_NOMEM, b->y->name, "out of memory for a YAML document");
    if (b->parser.error == YAML_READER_ERROR) {
        mark = (yaml_mark_t){0};
        for (size_t i = 0; i < b->parser.problem_offset && i < text.n; i++) {
            mark.column = text.p[i] == '\n' ? 0 : mark.column + 1;
            mark.line += text.p[i] == '\n';
        }
    }
    return fail_mark(b, mark, WM_E_INVALID, what, err);
}

static int build(struct builder *b, struct wm_str text, struct wm_error *err)
{
    int rc = WM_OK;

    yaml_parser_set_encoding(&b->parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&b->parser, (const unsigned char *)(text.p ? text.p : ""), text.n);
    while (rc == WM_OK && !b->ended) {
        yaml_event_t e;

        if (!yaml_parser_parse(&b->parser, &e))
            return parser_error(b, text, err);
        rc = take_event(b, &e, err);
        yaml_event_delete(&e);
    }
    return rc;
}

int wm_yaml_parse(struct wm_str text, const char *name, size_t max_bytes, struct wm_yaml **ret,
                  struct wm_error *err)
{
    wm_auto_yaml struct wm_yaml *y = wm_xcalloc(1, sizeof *y);
    struct builder b = {.y = y};

    if (text.n > max_bytes)
        return wm_fail(err, WM_E_TOO_BIG, name, "YAML of %zu bytes; at most %zu are read", text.n, max_bytes);
    y->name = name ? wm_xstrdup(name) : NULL;
    if (!yaml_parser_initialize(&b.parser))
        return wm_fail(err, WM_E_NOMEM, name, "out of memory for a YAML document");
    int rc = build(&b, text, err);

    yaml_parser_delete(&b.parser);
    for (size_t i = 0; i < b.depth; i++)
        cJSON_free(b.stack[i].key);
    if (rc < 0)
        return rc;
    if (!y->root)
        y->root = cJSON_CreateNull();
    if (y->n_places)
        qsort(y->places, y->n_places, sizeof *y->places, by_node);
    *ret = y;
    y = NULL;
    return WM_OK;
}

struct wm_yaml *wm_yaml_free(struct wm_yaml *y)
{
    if (y) {
        cJSON_Delete(y->root);
        free(y->places);
        free(y->name);
        free(y);
    }
    return NULL;
}

void wm_yaml_freep_(struct wm_yaml **pp)
{
    wm_yaml_free(*pp);
}

const cJSON *wm_yaml_root(const struct wm_yaml *y)
{
    return y->root;
}

unsigned wm_yaml_line(const struct wm_yaml *y, const cJSON *node)
{
    const struct place *p = find_place(y, node);

    return p ? p->line : 0;
}

int wm_yaml_fail(const struct wm_yaml *y, const cJSON *node, struct wm_error *err, const char *fmt, ...)
{
    const struct place *p = find_place(y, node);
    char where[96], text[256];
    va_list args;

    format_place(y, p ? p->line : 1, p ? p->column : 1, where);
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    return wm_fail(err, WM_E_INVALID, where, "%s", text);
}
