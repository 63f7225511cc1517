/* For people: one line a finding, and a sentence at the end; and objects as YAML. */
#include "review_print.h"

const char *wm_level_name(enum wm_mode mode)
{
    static const char *const names[WM_MODE_COUNT] = {"none", "note", "warning", "error"};

    return names[mode];
}

void wm_tally_add(struct wm_tally *t, const struct wm_reviewed *r)
{
    t->objects++;
    t->without_rules += !r->has_rules;
    t->printed += r->has_rules;
    t->denied += !wm_verdict_allows(&r->verdict);
    for (int m = 0; m < WM_MODE_COUNT; m++)
        t->findings[m] += r->verdict.n_of[m];
    for (size_t i = 0; i < WM_RULE_MASK_WORDS; i++)
        t->unknown[i] |= r->verdict.unknown[i];
}

void wm_rule_ids(const uint64_t set[WM_RULE_MASK_WORDS], void (*one)(struct wm_buf *out, struct wm_str id),
                 struct wm_buf *out)
{
    bool any = false;

    for (size_t i = 0; i < wm_rules_count(); i++) {
        if (!(set[i / 64] >> i % 64 & 1))
            continue;
        wm_buf_puts(out, any ? ", " : "");
        one(out, wm_str_of(wm_rule_at(i, NULL)->id));
        any = true;
    }
}

/* --- findings --- */

static void nothing(const struct wm_tally *t, struct wm_buf *out)
{
    (void)t;
    (void)out;
}

/* "file:line: level: KIND ns/name: ".  What strangers wrote must not break the line or drive the terminal. */
static void put_place(const struct wm_reviewed *r, unsigned line, const char *level, struct wm_buf *out)
{
    const struct wm_input_object *o = r->of;
    size_t from = out->n;

    wm_buf_printf(out, "%s:%u: %s: %s %s/%s: ", o->file, line, level, o->kind, o->namespace_, o->name);
    for (size_t i = from; i < out->n; i++)
        if ((unsigned char)out->p[i] < 0x20 || out->p[i] == 0x7f)
            out->p[i] = ' ';
}

static void text_object(const struct wm_tally *t, const struct wm_reviewed *r, struct wm_buf *out)
{
    const struct wm_verdict *v = &r->verdict;
    size_t all = 0;

    (void)t;
    for (size_t i = 0; i < v->n; i++) {
        put_place(r, wm_reviewed_line(r, &v->list[i]), wm_level_name(v->list[i].mode), out);
        wm_finding_print(&v->list[i], true, out);
        wm_buf_puts(out, v->list[i].excepted ? " [excepted by its annotation]\n" : "\n");
    }
    for (int m = 0; m < WM_MODE_COUNT; m++)
        all += v->n_of[m];
    if (all > v->n) {
        put_place(r, wm_yaml_line(r->of->yaml, r->of->object), "note", out);
        wm_buf_printf(out, "and %zu more of the same object\n", all - v->n);
    }
}

const struct wm_printer wm_text_printer = {"text", nothing, text_object, nothing};

/* --- the sentence at the end --- */

static void put_count(struct wm_buf *out, const char *before, size_t n, const char *what)
{
    wm_buf_printf(out, "%s%zu %s%s", before, n, what, n == 1 ? "" : "s");
}

static size_t count_rules(const uint64_t set[WM_RULE_MASK_WORDS])
{
    size_t n = 0;

    for (size_t i = 0; i < WM_RULE_MASK_WORDS; i++)
        n += (size_t)__builtin_popcountll(set[i]);
    return n;
}

void wm_summary_print(const struct wm_tally *t, struct wm_buf *out)
{
    size_t undecided = count_rules(t->unknown);

    put_count(out, "reviewed ", t->objects, "object");
    put_count(out, " in ", t->files, "file");
    wm_buf_printf(out, ": %zu denied", t->denied);
    put_count(out, ", ", t->findings[WM_MODE_WARN], "warning");
    if (t->findings[WM_MODE_AUDIT])
        put_count(out, ", ", t->findings[WM_MODE_AUDIT], "note");
    if (t->without_rules)
        wm_buf_printf(out, ", %zu of kinds without rules", t->without_rules);
    if (t->input->n_errors)
        put_count(out, ", ", t->input->n_errors, "error");
    if (undecided) {
        put_count(out, ", ", undecided, "rule");
        wm_buf_puts(out, t->has_context ? " could not tell (--context lacks objects of these kinds): "
                                        : " could not tell (--context DIR gives it the other objects): ");
        wm_rule_ids(t->unknown, wm_buf_str, out);
    }
    wm_buf_puts(out, "\n");
}

/* --- objects as they would be stored --- */

static void yaml_object(const struct wm_tally *t, const struct wm_reviewed *r, struct wm_buf *out)
{
    (void)t;
    if (wm_verdict_allows(&r->verdict) && cJSON_IsObject(r->stored))
        wm_yaml_print(r->stored, out, NULL);
}

const struct wm_printer wm_yaml_printer = {"yaml", nothing, yaml_object, nothing};
