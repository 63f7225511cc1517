/* SARIF 2.1.0 (OASIS), which code hosts show beside the changed lines. */
#include <ctype.h>
#include <stdio.h>

#include "review_print.h"

static const char HEAD[] =
    "{\"$schema\":\"https://json.schemastore.org/sarif-2.1.0.json\",\"version\":\"2.1.0\",\"runs\":[{"
    "\"tool\":{\"driver\":{\"name\":\"waymark-webhook\",\"version\":\"" WAYMARK_VERSION "\",\"rules\":[";

/* All rules are listed, in the order of wm_rule_at; what labelling can find comes last. */
static const struct wm_rule *rule_at(size_t i)
{
    return i < wm_rules_count() ? wm_rule_at(i, NULL) : &wm_label_rule_unsafe_name;
}

static size_t index_of(const struct wm_rule *rule)
{
    size_t i = 0;

    while (rule_at(i) != rule)
        i++;
    return i;
}

static void put_text(struct wm_buf *out, const char *key, const char *text)
{
    wm_buf_printf(out, "\"%s\":{\"text\":", key);
    wm_json_quote(out, wm_str_of(text));
    wm_buf_puts(out, "}");
}

static void put_rule(const struct wm_rule *rule, struct wm_buf *out)
{
    wm_buf_puts(out, "\n{\"id\":");
    wm_json_quote(out, wm_str_of(rule->id));
    wm_buf_puts(out, ",");
    put_text(out, "shortDescription", rule->about);
    wm_buf_puts(out, ",");
    put_text(out, "help", rule->remedy);
    wm_buf_printf(out, ",\"defaultConfiguration\":{\"level\":\"%s\"}}", wm_level_name(rule->mode));
}

static void sarif_begin(const struct wm_tally *t, struct wm_buf *out)
{
    (void)t;
    wm_buf_puts(out, HEAD);
    for (size_t i = 0; i <= wm_rules_count(); i++) {
        wm_buf_puts(out, i ? "," : "");
        put_rule(rule_at(i), out);
    }
    wm_buf_puts(out, "]}},\n\"results\":[");
}

/* --- results --- */

/* Encodes everything but RFC 3986's unreserved characters and the slash; a colon would look like a scheme. */
static void put_encoded(struct wm_buf *out, const char *path)
{
    for (; *path; path++) {
        if (isalnum((unsigned char)*path) || strchr("-._~/", *path))
            wm_buf_add(out, path, 1);
        else
            wm_buf_printf(out, "%%%02X", (unsigned char)*path);
    }
}

void wm_sarif_uri(const char *path, const char *cwd, struct wm_buf *out)
{
    size_t n = strlen(cwd);

    while (strncmp(path, "./", 2) == 0)
        path += 2 + strspn(path + 2, "/");
    if (n && strncmp(path, cwd, n) == 0 && path[n] == '/')
        path += n + strspn(path + n, "/");
    else if (path[0] == '/')
        wm_buf_puts(out, "file://");
    put_encoded(out, path);
}

static void put_message(const struct wm_reviewed *r, const struct wm_finding *f, struct wm_buf *out)
{
    wm_auto_buf struct wm_buf line = WM_BUF_MAX(8192);

    wm_buf_printf(&line, "%s %s/%s: ", r->of->kind, r->of->namespace_, r->of->name);
    wm_finding_print(f, true, &line);
    put_text(out, "message", wm_buf_text(&line).p);
}

static void put_result(const struct wm_tally *t, const struct wm_reviewed *r, const struct wm_finding *f,
                       struct wm_buf *out)
{
    wm_auto_buf struct wm_buf uri = WM_BUF_MAX(16384);

    wm_sarif_uri(r->of->file, t->cwd, &uri);
    wm_buf_printf(out, "\n{\"ruleId\":\"%s\",\"ruleIndex\":%zu,\"level\":\"%s\",", f->rule->id,
                  index_of(f->rule), wm_level_name(f->mode));
    put_message(r, f, out);
    wm_buf_printf(out,
                  ",\"locations\":[{\"physicalLocation\":{\"artifactLocation\":{\"uri\":\"%s\"},"
                  "\"region\":{\"startLine\":%u}}}]%s}",
                  wm_buf_text(&uri).p, wm_reviewed_line(r, f),
                  f->excepted ? ",\"suppressions\":[{\"kind\":\"inSource\"}]" : "");
}

static bool has_results(const struct wm_tally *t)
{
    size_t n = 0;

    for (int m = 0; m < WM_MODE_COUNT; m++)
        n += t->findings[m];
    return n > 0;
}

static void sarif_object(const struct wm_tally *t, const struct wm_reviewed *r, struct wm_buf *out)
{
    for (size_t i = 0; i < r->verdict.n; i++) {
        wm_buf_puts(out, i || has_results(t) ? "," : "");
        put_result(t, r, &r->verdict.list[i], out);
    }
}

/* What could not be read is no result, but must not look like success either. */
static void sarif_end(const struct wm_tally *t, struct wm_buf *out)
{
    const struct wm_input *in = t->input;

    wm_buf_printf(out, "],\n\"invocations\":[{\"executionSuccessful\":%s,\"toolExecutionNotifications\":[",
                  in->n_errors ? "false" : "true");
    for (size_t i = 0; i < in->n_errors && i < WM_INPUT_MAX_ERRORS; i++) {
        char text[sizeof in->errors[i].where + sizeof in->errors[i].msg + 2];

        snprintf(text, sizeof text, "%s: %s", in->errors[i].where, in->errors[i].msg);
        wm_buf_puts(out, i ? ",{\"level\":\"error\"," : "{\"level\":\"error\",");
        put_text(out, "message", text);
        wm_buf_puts(out, "}");
    }
    wm_buf_puts(out, "]}]}]}\n");
}

const struct wm_printer wm_sarif_printer = {"sarif", sarif_begin, sarif_object, sarif_end};
