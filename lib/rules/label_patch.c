/* The JSON Patch that an identity asks for. */
#include "waymark/labels.h"
#include "waymark/patch.h"

enum { MAX_NAMES = 4, MAX_WANTED = MAX_NAMES + 1 + WM_LABEL_ALIASES_MAX };

/* What a key of a string map should have. */
struct wanted {
    const char *value;
    bool replace; /* an existing different value is wrong, rather than somebody's */
};

struct wanted_map {
    const char *pointer; /* of the map */
    struct wm_json_span map;
    size_t n, n_values;
    struct wm_str keys[MAX_WANTED];
    struct wanted list[MAX_WANTED];
    char values[MAX_NAMES][WM_LABEL_VALUE_MAX + 1]; /* of names, as labels have them */
};

static void want_nothing(struct wanted_map *m, const char *pointer, struct wm_json_span map)
{
    m->pointer = pointer;
    m->map = map;
    m->n = 0;
    m->n_values = 0;
}

static void want(struct wanted_map *m, const char *key, const char *value, bool replace)
{
    m->keys[m->n] = wm_str_of(key);
    m->list[m->n++] = (struct wanted){value, replace};
}

static void add_map(struct wm_patch *p, const struct wanted_map *m)
{
    struct wm_buf *out = wm_patch_value(p, "add", m->pointer, NULL);

    for (size_t i = 0; i < m->n; i++) {
        wm_buf_puts(out, i ? "," : "{");
        wm_json_quote(out, m->keys[i]);
        wm_buf_puts(out, ":");
        wm_json_quote(out, wm_str_of(m->list[i].value));
    }
    wm_buf_puts(out, "}");
    wm_patch_value_end(p);
}

static void patch_map(struct wm_patch *p, const struct wanted_map *m)
{
    struct wm_json_span now[MAX_WANTED];

    if (m->n == 0)
        return;
    if (m->map.kind == WM_JSON_ABSENT || m->map.kind == WM_JSON_NULL) {
        add_map(p, m);
        return;
    }
    if (m->map.kind != WM_JSON_OBJECT) /* the API server will refuse such an object by itself */
        return;
    wm_members(m->map, m->n, m->keys, now);
    for (size_t i = 0; i < m->n; i++) {
        const struct wanted *w = &m->list[i];

        if (now[i].kind == WM_JSON_ABSENT)
            wm_patch_text(p, "add", m->pointer, m->keys[i].p, wm_str_of(w->value));
        else if (w->replace && !wm_json_span_is(now[i], w->value))
            wm_patch_text(p, "replace", m->pointer, m->keys[i].p, wm_str_of(w->value));
    }
}

/* A name that the object is to bear: the full one, its label, and the annotation for what a label has no room
 * for. */
struct bearing {
    const char *name, *label, *annotation;
};
enum { PLAN };

/* False when no label can bear that name. */
static bool want_name(const struct wm_label_conf *conf, const struct wm_label_rule *rule,
                      const struct bearing *b, bool is_plan, struct wanted_map *labels,
                      struct wanted_map *notes)
{
    bool replace = rule->policy == WM_REPLACE;
    char *value = labels->values[labels->n_values];
    struct wm_str full = wm_str_of(b->name);

    if (full.n == 0)
        return true;
    if (wm_label_value_of(full, value) == 0)
        return false;
    labels->n_values++;
    want(labels, b->label, value, replace);
    for (size_t i = 0; is_plan && rule->source == WM_FROM_SPEC && i < WM_LABEL_ALIASES_MAX; i++)
        if (conf->plan_aliases[i])
            want(labels, conf->plan_aliases[i], value, replace);
    if (full.n > WM_LABEL_VALUE_MAX)
        want(notes, b->annotation, b->name, replace);
    return true;
}

size_t wm_label_patch(const struct wm_label_conf *conf, const struct wm_label_rule *rule,
                      const struct wm_object *o, struct wm_derivation *d, struct wm_buf *out)
{
    const struct wm_identity *id = &d->identity;
    const struct bearing bearings[MAX_NAMES] = {
        [PLAN] = {id->plan, conf->plan, conf->plan_annotation},
        {id->migration, conf->migration, conf->migration_annotation},
        {id->source_provider, conf->source_provider, conf->source_provider_annotation},
        {id->target_provider, conf->target_provider, conf->target_provider_annotation},
    };
    struct wanted_map labels, notes;
    struct wm_patch p = wm_patch_to(out);
    bool safe = true;

    if (o->at[WM_O_METADATA].kind != WM_JSON_OBJECT) {
        d->outcome = WM_UNRELATED; /* an object without metadata is the API server's to refuse */
        return 0;
    }
    want_nothing(&labels, "/metadata/labels", o->at[WM_O_LABELS]);
    want_nothing(&notes, "/metadata/annotations", o->at[WM_O_ANNOTATIONS]);
    for (size_t i = 0; i < MAX_NAMES; i++)
        safe &= want_name(conf, rule, &bearings[i], i == PLAN, &labels, &notes);
    /* The uid key is ours alone, and copies what the object's own correlation says: a different value is
     * wrong.  MigMigrations and VMMigrations have none: they have their own. */
    if (id->uid[0] && rule->source != WM_FROM_SPEC)
        want(&labels, conf->uid, id->uid, true);
    patch_map(&p, &labels);
    patch_map(&p, &notes);
    wm_patch_end(&p);
    if (d->outcome == WM_LABELLED && !safe)
        d->outcome = WM_UNSAFE_NAME;
    else if (d->outcome == WM_LABELLED && p.n_ops == 0)
        d->outcome = WM_COMPLETE;
    return p.n_ops;
}
