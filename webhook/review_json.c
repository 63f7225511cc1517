/* For programs: one object for each that has rules. */
#include "review_print.h"

static void quote(struct wm_buf *out, struct wm_str s)
{
    wm_json_quote(out, s);
}

static void put_member(struct wm_buf *out, const char *key, const char *value)
{
    wm_buf_printf(out, ",\"%s\":", key);
    quote(out, wm_str_of(value));
}

/* --- labels --- */

static const cJSON *labels_of(const cJSON *object)
{
    return wm_json_at(object, "/metadata/labels");
}

/* The labels that are new, or those that had another value. */
static void put_labels(const struct wm_reviewed *r, bool replaced, struct wm_buf *out)
{
    const cJSON *before = labels_of(r->of->object), *label;
    bool any = false;

    wm_buf_printf(out, "%s\":{", replaced ? ",\"replaced" : "\"added");
    cJSON_ArrayForEach(label, labels_of(r->stored))
    {
        const cJSON *old = cJSON_GetObjectItemCaseSensitive(before, label->string);

        if ((old != NULL) != replaced || (old && cJSON_Compare(old, label, true)))
            continue;
        wm_buf_puts(out, any ? "," : "");
        quote(out, wm_str_of(label->string));
        wm_buf_puts(out, ":");
        quote(out, wm_str_of(cJSON_IsString(label) ? label->valuestring : ""));
        any = true;
    }
    wm_buf_puts(out, "}");
}

/* --- findings --- */

static void put_finding(const struct wm_reviewed *r, const struct wm_finding *f, struct wm_buf *out)
{
    wm_buf_puts(out, "{\"rule\":");
    quote(out, wm_str_of(f->rule->id));
    put_member(out, "mode", wm_mode_name(f->mode));
    put_member(out, "field", f->field);
    put_member(out, "value", f->value);
    put_member(out, "why", f->why);
    put_member(out, "remedy", f->rule->remedy);
    put_member(out, "condition", f->rule->condition);
    wm_buf_printf(out, ",\"excepted\":%s,\"line\":%u}", f->excepted ? "true" : "false",
                  wm_reviewed_line(r, f));
}

static void json_object(const struct wm_tally *t, const struct wm_reviewed *r, struct wm_buf *out)
{
    const struct wm_input_object *o = r->of;

    if (!r->has_rules)
        return;
    wm_buf_puts(out, t->printed ? ",\n{\"file\":" : "\n{\"file\":");
    quote(out, wm_str_of(o->file));
    wm_buf_printf(out, ",\"line\":%u", wm_yaml_line(o->yaml, o->object));
    put_member(out, "kind", o->kind);
    put_member(out, "namespace", o->namespace_);
    put_member(out, "name", o->name);
    wm_buf_printf(out, ",\"allowed\":%s,\"labels\":{", wm_verdict_allows(&r->verdict) ? "true" : "false");
    put_labels(r, false, out);
    put_labels(r, true, out);
    wm_buf_puts(out, "},\"findings\":[");
    for (size_t i = 0; i < r->verdict.n; i++) {
        wm_buf_puts(out, i ? "," : "");
        put_finding(r, &r->verdict.list[i], out);
    }
    wm_buf_puts(out, "],\"cannotTell\":[");
    wm_rule_ids(r->verdict.unknown, quote, out);
    wm_buf_puts(out, "]}");
}

/* --- around them --- */

static void json_begin(const struct wm_tally *t, struct wm_buf *out)
{
    (void)t;
    wm_buf_puts(out, "{\"objects\":[");
}

static void put_errors(const struct wm_input *in, struct wm_buf *out)
{
    for (size_t i = 0; i < in->n_errors && i < WM_INPUT_MAX_ERRORS; i++) {
        wm_buf_puts(out, i ? ",{\"where\":" : "{\"where\":");
        quote(out, wm_str_of(in->errors[i].where));
        put_member(out, "message", in->errors[i].msg);
        wm_buf_puts(out, "}");
    }
}

static void json_end(const struct wm_tally *t, struct wm_buf *out)
{
    wm_buf_puts(out, "],\n\"errors\":[");
    put_errors(t->input, out);
    wm_buf_printf(out,
                  "],\n\"summary\":{\"objects\":%zu,\"files\":%zu,\"denied\":%zu,\"warnings\":%zu,"
                  "\"notes\":%zu,\"withoutRules\":%zu,\"errors\":%zu,\"cannotTell\":[",
                  t->objects, t->files, t->denied, t->findings[WM_MODE_WARN], t->findings[WM_MODE_AUDIT],
                  t->without_rules, t->input->n_errors);
    wm_rule_ids(t->unknown, quote, out);
    wm_buf_puts(out, "]}}\n");
}

const struct wm_printer wm_json_printer = {"json", json_begin, json_object, json_end};
