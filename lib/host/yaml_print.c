/* A cJSON tree as YAML, through libyaml's emitter. */
#include <stdlib.h>
#include <yaml.h>

#include "waymark/yaml.h"
#include "yaml_scalar.h"

/* A walk over all nodes of a tree, each container before what is in it. */
struct walk {
    const cJSON *in[WM_JSON_MAX_TREE_DEPTH]; /* the containers around the node, outermost first */
    size_t depth;
    bool too_deep;
};

/* NULL at the end, or with too_deep set.  The containers that were left are still in[] then, behind `depth`.
 */
static cJSON *next_of(struct walk *w, const cJSON *node)
{
    if (node->child) {
        w->too_deep = w->depth == WM_JSON_MAX_TREE_DEPTH;
        if (w->too_deep)
            return NULL;
        w->in[w->depth++] = node;
        return node->child;
    }
    while (w->depth && !node->next)
        node = w->in[--w->depth];
    return w->depth ? node->next : NULL;
}

static bool is_too_deep(const cJSON *node)
{
    struct walk w = {.depth = 0};

    while (node)
        node = next_of(&w, node);
    return w.too_deep;
}

cJSON *wm_yaml_copy(const cJSON *node)
{
    cJSON *copy = is_too_deep(node) ? NULL : cJSON_Duplicate(node, true);
    struct walk w = {.depth = 0};

    for (cJSON *n = copy; n; n = next_of(&w, n))
        if (cJSON_IsNumber(n) && n->valuestring)
            n->type = cJSON_Raw | (n->type & cJSON_StringIsConst);
    return copy;
}

/* --- scalars --- */

/* Words that readers of YAML 1.1 take for booleans (yaml.org/type/bool.html), and its merge and value keys.
 */
static bool is_old_word(const char *z)
{
    static const char *const words[] = {"y", "n", "yes", "no", "on", "off", "true", "false", "=", "<<"};

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcasecmp(z, words[i]) == 0)
            return true;
    return false;
}

/* Dates, 0b1, 1_000 and 1:30 are something in one version or the other: whatever begins as a number is
 * quoted. */
static bool needs_quotes(const char *z)
{
    const char *wrong = NULL;
    cJSON *node = wm_yaml_scalar(wm_str_of(z), true, &wrong);
    bool is_text = node && cJSON_IsString(node);

    cJSON_Delete(node);
    return !is_text || strchr("+-.0123456789", z[0]) || is_old_word(z);
}

static yaml_scalar_style_t style_of(const char *z)
{
    if (needs_quotes(z))
        return YAML_DOUBLE_QUOTED_SCALAR_STYLE;
    return strchr(z, '\n') ? YAML_LITERAL_SCALAR_STYLE : YAML_PLAIN_SCALAR_STYLE;
}

static bool emit_scalar(yaml_emitter_t *e, const char *z, yaml_scalar_style_t style)
{
    yaml_event_t event;

    return yaml_scalar_event_initialize(&event, NULL, NULL, (const yaml_char_t *)z, (int)strlen(z), 1, 1,
                                        style) &&
           yaml_emitter_emit(e, &event);
}

/* Null, booleans and numbers, as JSON writes them. */
static bool emit_plain(yaml_emitter_t *e, const cJSON *node)
{
    wm_auto_free char *text = cJSON_PrintUnformatted(node);

    return text && emit_scalar(e, text, YAML_PLAIN_SCALAR_STYLE);
}

/* --- the tree --- */

static bool emit_start(yaml_emitter_t *e, const cJSON *container)
{
    yaml_event_t event;
    int ok = cJSON_IsObject(container)
                 ? yaml_mapping_start_event_initialize(&event, NULL, NULL, 1, YAML_BLOCK_MAPPING_STYLE)
                 : yaml_sequence_start_event_initialize(&event, NULL, NULL, 1, YAML_BLOCK_SEQUENCE_STYLE);

    return ok && yaml_emitter_emit(e, &event);
}

static bool emit_end(yaml_emitter_t *e, const cJSON *container)
{
    yaml_event_t event;
    int ok = cJSON_IsObject(container) ? yaml_mapping_end_event_initialize(&event)
                                       : yaml_sequence_end_event_initialize(&event);

    return ok && yaml_emitter_emit(e, &event);
}

/* A value, of a container its beginning; of an empty one all of it. */
static bool emit_node(yaml_emitter_t *e, const cJSON *node)
{
    if (cJSON_IsString(node))
        return emit_scalar(e, node->valuestring, style_of(node->valuestring));
    if (cJSON_IsObject(node) || cJSON_IsArray(node))
        return emit_start(e, node) && (node->child || emit_end(e, node));
    return emit_plain(e, node);
}

static bool emit_tree(yaml_emitter_t *e, const cJSON *tree)
{
    struct walk w = {.depth = 0};
    bool ok = true;

    for (const cJSON *node = tree; ok && node;) {
        size_t depth = w.depth;

        if (depth && cJSON_IsObject(w.in[depth - 1]))
            ok = emit_scalar(e, node->string, style_of(node->string));
        ok = ok && emit_node(e, node);
        node = next_of(&w, node);
        for (; ok && depth > w.depth; depth--)
            ok = emit_end(e, w.in[depth - 1]);
    }
    return ok;
}

static bool emit_document(yaml_emitter_t *e, const cJSON *tree)
{
    yaml_event_t event;

    return yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING) && yaml_emitter_emit(e, &event) &&
           yaml_document_start_event_initialize(&event, NULL, NULL, NULL, 0) &&
           yaml_emitter_emit(e, &event) && emit_tree(e, tree) &&
           yaml_document_end_event_initialize(&event, 1) && yaml_emitter_emit(e, &event) &&
           yaml_stream_end_event_initialize(&event) && yaml_emitter_emit(e, &event);
}

static int write_out(void *ctx, unsigned char *bytes, size_t n)
{
    wm_buf_add(ctx, bytes, n);
    return 1;
}

int wm_yaml_print(const cJSON *tree, struct wm_buf *out, struct wm_error *err)
{
    yaml_emitter_t e;

    if (is_too_deep(tree))
        return wm_fail(err, WM_E_TOO_BIG, NULL, "cannot be written as YAML: nested deeper than %d levels",
                       WM_JSON_MAX_TREE_DEPTH);
    if (!yaml_emitter_initialize(&e))
        return wm_fail(err, WM_E_NOMEM, NULL, "out of memory for a YAML document");
    yaml_emitter_set_output(&e, write_out, out);
    yaml_emitter_set_unicode(&e, 1);
    yaml_emitter_set_width(&e, -1);
    bool ok = emit_document(&e, tree);
    int rc = ok ? wm_buf_check(out, err)
                : wm_fail(err, WM_E_INVALID, NULL, "cannot be written as YAML: %s",
                          e.problem ? e.problem : "out of memory");

    yaml_emitter_delete(&e);
    return rc;
}
