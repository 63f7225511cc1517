/* The JSON Patch that an identity asks for. */
#include "waymark/labels.h"
#include "waymark/patch.h"

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

static void add_map(struct wm_patch *p, const struct wanted_map *m)
{
    struct wm_buf *out = wm_patch_value(p, "add", m->pointer, NULL);

    for (size_t i = 0; i < m->n; i++) {
        wm_buf_puts(out, i ? "," : "{");
        wm_json_quote(out, wm_str_of(m->list[i].key));
        wm_buf_puts(out, ":");
        wm_json_quote(out, wm_str_of(m->list[i].value));
    }
    wm_buf_puts(out, "}");
    wm_patch_value_end(p);
}

static void patch_map(struct wm_patch *p, const struct wanted_map *m)
{
    if (m->n == 0)
        return;
    if (m->map.kind == WM_JSON_ABSENT || m->map.kind == WM_JSON_NULL) {
        add_map(p, m);
        return;
    }
    if (m->map.kind != WM_JSON_OBJECT) /* the API server will refuse such an object by itself */
        return;
    for (size_t i = 0; i < m->n; i++) {
        const struct wanted *w = &m->list[i];
        struct wm_json_span now = wm_member(m->map, w->key);

        if (now.kind == WM_JSON_ABSENT)
            wm_patch_text(p, "add", m->pointer, w->key, wm_str_of(w->value));
        else if (w->replace && !wm_json_span_is(now, w->value))
            wm_patch_text(p, "replace", m->pointer, w->key, wm_str_of(w->value));
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
    struct wm_patch p = wm_patch_to(out);

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
    patch_map(&p, &labels);
    patch_map(&p, &notes);
    wm_patch_end(&p);
    if (d->outcome == WM_LABELLED && ((full_plan.n && !plan_n) || (full_migration.n && !migration_n)))
        d->outcome = WM_UNSAFE_NAME;
    else if (d->outcome == WM_LABELLED && p.n_ops == 0)
        d->outcome = WM_COMPLETE;
    return p.n_ops;
}
