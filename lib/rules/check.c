/* What checks are given: whether to look, how to report, how to ask. */
#include "check.h"

#include <stdarg.h>
#include <stdio.h>

static const char EXCEPTIONS[] = "waymark.io/exceptions", SEPARATORS[] = ", \t\r\n";

static size_t index_of(const struct wm_check *c, const struct wm_rule *rule)
{
    return wm_rule_first_of(c->s->kind) + (size_t)(rule - wm_rule_sets[c->s->kind]->rules);
}

/* Whether spec.<key> differs from what it was; compared once a request. */
static bool member_changed(struct wm_check *c, const char *key)
{
    size_t i = 0;

    while (i < c->n_compared && strcmp(c->compared[i].key, key) != 0)
        i++;
    if (i < c->n_compared)
        return c->compared[i].differs;
    bool differs = !wm_json_same(wm_json_get(c->s->spec, key), wm_json_get(c->s->old_spec, key));

    if (c->n_compared < WM_COMPARED_MAX) {
        snprintf(c->compared[i].key, sizeof c->compared[i].key, "%s", key);
        c->compared[c->n_compared++].differs = differs;
    }
    return differs;
}

/* True when one of the comma-separated members differs. */
static bool changed(struct wm_check *c, const char *reads)
{
    while (*reads) {
        size_t n = strcspn(reads, ",");
        char key[WM_SPEC_KEY_MAX];

        snprintf(key, sizeof key, "%.*s", (int)n, reads);
        if (member_changed(c, key))
            return true;
        reads += n + (reads[n] == ',');
    }
    return false;
}

bool wm_wants(struct wm_check *c, const struct wm_rule *rule)
{
    if (!(rule->on & c->s->on) || c->modes[index_of(c, rule)] == WM_MODE_OFF)
        return false;
    return c->s->on != WM_ON_UPDATE || changed(c, rule->reads);
}

/* --- reporting --- */

/* The annotation's words are patterns, and so are the policy's: both must fit the rule. */
static bool is_excepted(const struct wm_check *c, const struct wm_rule *rule)
{
    char text[1024];
    wm_globs allowed = c->policy->exceptions;
    bool may = false;

    for (size_t i = 0; allowed && allowed[i] && !may; i++)
        may = wm_glob_match(allowed[i], wm_str_of(rule->id));
    if (!may || !wm_span_copy(wm_member(c->s->object.at[WM_O_ANNOTATIONS], EXCEPTIONS), text, sizeof text))
        return false;
    for (char *word = text + strspn(text, SEPARATORS); *word; word += strspn(word, SEPARATORS)) {
        char *end = word + strcspn(word, SEPARATORS);
        bool last = *end == '\0';

        *end = '\0';
        if (wm_glob_match(word, wm_str_of(rule->id)))
            return true;
        word = last ? end : end + 1;
    }
    return false;
}

/* Where a finding of `mode` and `rule` belongs: the most severe first, then in the table's order, then as
 * found. */
static size_t place_of(const struct wm_verdict *v, enum wm_mode mode, const struct wm_rule *rule)
{
    size_t at = v->n;

    while (at > 0 &&
           (v->list[at - 1].mode < mode || (v->list[at - 1].mode == mode && v->list[at - 1].rule > rule)))
        at--;
    return at;
}

static struct wm_finding *insert(struct wm_verdict *v, enum wm_mode mode, const struct wm_rule *rule)
{
    size_t at = place_of(v, mode, rule);

    if (at == WM_FINDINGS_MAX)
        return NULL;
    if (!v->list)
        v->list = wm_xcalloc(WM_FINDINGS_MAX, sizeof *v->list);
    if (v->n < WM_FINDINGS_MAX)
        v->n++;
    memmove(&v->list[at + 1], &v->list[at], (v->n - 1 - at) * sizeof *v->list);
    return &v->list[at];
}

void wm_report(struct wm_check *c, const struct wm_rule *rule, const char *field, struct wm_json_span value,
               const char *why, ...)
{
    if (!wm_wants(c, rule))
        return;
    bool excepted = is_excepted(c, rule);
    enum wm_mode mode = excepted ? WM_MODE_AUDIT : c->modes[index_of(c, rule)];

    c->verdict->n_of[mode]++;
    struct wm_finding *f = insert(c->verdict, mode, rule);

    if (!f)
        return;
    *f = (struct wm_finding){.rule = rule, .mode = mode, .excepted = excepted};
    wm_line_copy(f->field, sizeof f->field, wm_str_of(field));
    wm_json_line(value, f->value, sizeof f->value);
    char text[2 * sizeof f->why];
    va_list args;

    va_start(args, why);
    vsnprintf(text, sizeof text, why, args);
    va_end(args);
    wm_line_copy(f->why, sizeof f->why, wm_str_of(text));
}

enum wm_fact_state wm_ask(struct wm_check *c, const struct wm_rule *rule, enum wm_resource resource,
                          const char *namespace_, const char *name, struct wm_json_value *ret)
{
    struct wm_query q = {.resource = resource};
    size_t i = index_of(c, rule);

    snprintf(q.namespace_, sizeof q.namespace_, "%s",
             wm_resources[resource].cluster_scoped ? "" : namespace_);
    snprintf(q.name, sizeof q.name, "%s", name);
    enum wm_fact_state state = wm_facts_ask(c->facts, &q, ret);

    if (state == WM_FACT_WANTED)
        c->verdict->wants_facts = true;
    if (state == WM_FACT_WANTED || state == WM_FACT_UNKNOWN)
        c->verdict->unknown[i / 64] |= UINT64_C(1) << i % 64;
    return state;
}

/* --- reading --- */

bool wm_target_of(struct wm_json_value ref, struct wm_target *ret)
{
    bool namespace_ = wm_span_copy(wm_get_span(ref, "namespace"), ret->namespace_, sizeof ret->namespace_);

    return wm_span_copy(wm_get_span(ref, "name"), ret->name, sizeof ret->name) && namespace_;
}

size_t wm_stored_name_length(const struct wm_subject *s)
{
    /* k8s.io/apiserver pkg/storage/names: the base is cut to 58 characters, and five follow. */
    enum { GENERATED_BASE_MAX = 58, GENERATED_TAIL = 5 };
    size_t n = strlen(s->name);

    if (!s->generated)
        return n;
    return (n < GENERATED_BASE_MAX ? n : GENERATED_BASE_MAX) + GENERATED_TAIL;
}
