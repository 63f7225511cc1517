/* The JSON Patch that an identity asks for. */
#include "waymark/labels.h"

enum { MAX_WANTED = 3 + WM_LABEL_ALIASES_MAX };

/* One key of a string map that should have a value. */
struct wanted {
    const char *key, *value;
    bool replace; /* an existing different value is wrong, rather than somebody's */
};

struct wanted_map {
    const char *pointer; /* of the map */
    struct wm_json_span map;
    struct wanted list[MAX_WANTED];
    size_t n;
};

static void want(struct wanted_map *m, const char *key, const char *value, bool replace)
{
    m->list[m->n++] = (struct wanted){key, value, replace};
}

static void begin_op(struct wm_buf *out, size_t *n_ops, const char *op, const char *pointer)
{
    wm_buf_puts(out, *n_ops ? ",{\"op\":\"" : "[{\"op\":\"");
    wm_buf_puts(out, op);
    wm_buf_puts(out, "\",\"path\":\"");
    wm_buf_puts(out, pointer);
    ++*n_ops;
}

static void add_map(struct wm_buf *out, size_t *n_ops, const struct wanted_map *m)
{
    begin_op(out, n_ops, "add", m->pointer);
    wm_buf_puts(out, "\",\"value\":{");
    for (size_t i = 0; i < m->n; i++) {
        wm_buf_puts(out, i ? "," : "");
        wm_json_quote(out, wm_str_of(m->list[i].key));
        wm_buf_puts(out, ":");
        wm_json_quote(out, wm_str_of(m->list[i].value));
    }
    wm_buf_puts(out, "}}");
}

static void set_key(struct wm_buf *out, size_t *n_ops, const char *op, const char *pointer,
                    const struct wanted *w)
{
    begin_op(out, n_ops, op, pointer);
    wm_buf_puts(out, "/");
    wm_json_pointer_token(out, wm_str_of(w->key));
    wm_buf_puts(out, "\",\"value\":");
    wm_json_quote(out, wm_str_of(w->value));
    wm_buf_puts(out, "}");
}

static void patch_map(struct wm_buf *out, size_t *n_ops, const struct wanted_map *m)
{
    if (m->n == 0)
        return;
    if (m->map.kind == WM_JSON_ABSENT || m->map.kind == WM_JSON_NULL) {
        add_map(out, n_ops, m);
        return;
    }
    if (m->map.kind != WM_JSON_OBJECT) /* the API server will refuse such an object by itself */
        return;
    for (size_t i = 0; i < m->n; i++) {
        struct wm_json_span now = wm_member(m->map, m->list[i].key);

        if (now.kind == WM_JSON_ABSENT)
            set_key(out, n_ops, "add", m->pointer, &m->list[i]);
        else if (m->list[i].replace && !wm_json_span_is(now, m->list[i].value))
            set_key(out, n_ops, "replace", m->pointer, &m->list[i]);
    }
}

size_t wm_label_patch(const struct wm_label_conf *conf, const struct wm_label_rule *rule,
                      const struct wm_object *o, struct wm_derivation *d, struct wm_buf *out)
{
    char plan[WM_LABEL_VALUE_MAX + 1], migration[WM_LABEL_VALUE_MAX + 1];
    const struct wm_identity *id = &d->identity;
    struct wm_str full_plan = wm_str_of(id->plan), full_migration = wm_str_of(id->migration);
    size_t plan_n = wm_label_value_of(full_plan, plan),
           migration_n = wm_label_value_of(full_migration, migration);
    bool replace = rule->policy == WM_REPLACE;
    struct wanted_map labels = {"/metadata/labels", o->at[WM_O_LABELS], .n = 0};
    struct wanted_map notes = {"/metadata/annotations", o->at[WM_O_ANNOTATIONS], .n = 0};
    size_t n_ops = 0;

    if (o->at[WM_O_METADATA].kind != WM_JSON_OBJECT) {
        d->outcome = WM_UNRELATED; /* an object without metadata is the API server's to refuse */
        return 0;
    }
    if (plan_n) {
        want(&labels, conf->plan, plan, replace);
        if (rule->source == WM_FROM_SPEC)
            for (size_t i = 0; i < WM_LABEL_ALIASES_MAX && conf->plan_aliases[i]; i++)
                want(&labels, conf->plan_aliases[i], plan, replace);
    }
    if (migration_n)
        want(&labels, conf->migration, migration, replace);
    /* The uid key is ours alone, and copies what the object's own correlation says: a different value is
     * wrong. */
    if (id->uid[0] && rule->source != WM_FROM_SPEC)
        want(&labels, conf->uid, id->uid, true);
    if (plan_n && full_plan.n > WM_LABEL_VALUE_MAX)
        want(&notes, conf->plan_annotation, id->plan, replace);
    if (migration_n && full_migration.n > WM_LABEL_VALUE_MAX)
        want(&notes, conf->migration_annotation, id->migration, replace);
    patch_map(out, &n_ops, &labels);
    patch_map(out, &n_ops, &notes);
    if (n_ops)
        wm_buf_puts(out, "]");
    if (d->outcome == WM_LABELLED && ((full_plan.n && !plan_n) || (full_migration.n && !migration_n)))
        d->outcome = WM_UNSAFE_NAME;
    else if (d->outcome == WM_LABELLED && n_ops == 0)
        d->outcome = WM_COMPLETE;
    return n_ops;
}
