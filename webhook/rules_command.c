#include "rules_command.h"

#include <ctype.h>

#include "waymark/listing.h"
#include "waymark/rules.h"

enum { CELL_MAX = 4096 };

/* --- columns --- */

static const struct {
    enum wm_on on;
    const char *name;
} operations[] = {{WM_ON_CREATE, "CREATE"}, {WM_ON_UPDATE, "UPDATE"}, {WM_ON_DELETE, "DELETE"}};
enum { N_OPERATIONS = sizeof operations / sizeof operations[0] };

static const char *needs_of(const struct wm_rule *r)
{
    return r->lookups ? "cluster" : "object";
}

static void put_operations(const struct wm_rule *r, const char *quote, const char *between,
                           struct wm_buf *out)
{
    size_t before = out->n;

    for (size_t i = 0; i < N_OPERATIONS; i++)
        if (r->on & (unsigned)operations[i].on)
            wm_buf_printf(out, "%s%s%s%s", out->n > before ? between : "", quote, operations[i].name, quote);
}

/* --- text --- */

enum { TEXT_COLUMNS = 5 };

static void put_text_cell(size_t rule, size_t column, struct wm_buf *out)
{
    enum wm_subject_kind kind;
    const struct wm_rule *r = wm_rule_at(rule, &kind);
    const char *const cells[TEXT_COLUMNS] = {
        r->id, wm_subject_resources[kind].kind, NULL, needs_of(r), wm_mode_name(r->mode),
    };

    if (cells[column])
        wm_buf_puts(out, cells[column]);
    else
        put_operations(r, "", ",", out);
}

static void print_text(struct wm_buf *out)
{
    wm_listing_columns(wm_rules_count(), TEXT_COLUMNS, put_text_cell, out);
}

/* --- Markdown --- */

static void put_row(const struct wm_rule *r, const char *kind, struct wm_buf *out)
{
    wm_auto_buf struct wm_buf on = WM_BUF_MAX(CELL_MAX);

    put_operations(r, "", ", ", &on);
    for (size_t i = 0; i < on.n; i++)
        on.p[i] = (char)tolower((unsigned char)on.p[i]);
    wm_buf_printf(out, "| `%s` | %s | %s | %s | %s | ", r->id, kind, wm_buf_text(&on).p, needs_of(r),
                  wm_mode_name(r->mode));
    wm_listing_prose(r->about, out);
    wm_listing_prose(r->remedy, out);
    wm_listing_code(r->condition, out);
    wm_buf_puts(out, " |\n");
}

static void print_markdown(struct wm_buf *out)
{
    wm_buf_puts(out, "| rule | kind | on | needs | default | what it finds | what to do | controller's "
                     "condition |\n|---|---|---|---|---|---|---|---|\n");
    for (size_t i = 0; i < wm_rules_count(); i++) {
        enum wm_subject_kind kind;
        const struct wm_rule *r = wm_rule_at(i, &kind);

        put_row(r, wm_subject_resources[kind].kind, out);
    }
}

/* --- JSON --- */

static void put_reads(const char *reads, struct wm_buf *out)
{
    for (const char *at = reads; *at; at += strspn(at, ",")) {
        size_t n = strcspn(at, ",");

        wm_buf_puts(out, at > reads ? "," : "");
        wm_json_quote(out, (struct wm_str){at, n});
        at += n;
    }
}

static void put_object(size_t i, struct wm_buf *out)
{
    enum wm_subject_kind kind;
    const struct wm_rule *r = wm_rule_at(i, &kind);

    wm_buf_puts(out, i ? ",\n{\"id\":" : "{\"id\":");
    wm_json_quote(out, wm_str_of(r->id));
    wm_listing_member("kind", wm_subject_resources[kind].kind, out);
    wm_listing_member("group", wm_subject_resources[kind].group, out);
    wm_buf_puts(out, ",\"operations\":[");
    put_operations(r, "\"", ",", out);
    wm_buf_puts(out, "]");
    wm_listing_member("needs", needs_of(r), out);
    wm_listing_member("mode", wm_mode_name(r->mode), out);
    wm_buf_puts(out, ",\"reads\":[");
    put_reads(r->reads, out);
    wm_buf_puts(out, "]");
    wm_listing_member("condition", r->condition, out);
    wm_listing_member("about", r->about, out);
    wm_listing_member("remedy", r->remedy, out);
    wm_listing_member("cause", wm_cause_name(r->cause), out);
    wm_buf_puts(out, "}");
}

static void print_json(struct wm_buf *out)
{
    wm_buf_puts(out, "[");
    for (size_t i = 0; i < wm_rules_count(); i++)
        put_object(i, out);
    wm_buf_puts(out, "]\n");
}

/* --- the command --- */

int wm_rules_command(int argc, char *const argv[], FILE *out, struct wm_error *err)
{
    static const struct wm_listing listing = {
        "waymark-webhook rules",
        "Prints what plans and migrations are checked for.",
        "text: a line each with rule, kind, operations, what it needs to look at, default mode",
        print_text,
        print_markdown,
        print_json,
    };

    return wm_listing_run(&listing, argc, argv, out, err);
}
