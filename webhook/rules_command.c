#include "rules_command.h"

#include <ctype.h>

#include "waymark/options.h"
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

static void put_text_cell(size_t rule, int column, struct wm_buf *out)
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

static int width_of(int column)
{
    size_t width = 0;

    for (size_t i = 0; i < wm_rules_count(); i++) {
        wm_auto_buf struct wm_buf cell = WM_BUF_MAX(CELL_MAX);

        put_text_cell(i, column, &cell);
        width = cell.n > width ? cell.n : width;
    }
    return (int)width;
}

static void print_text(struct wm_buf *out)
{
    int widths[TEXT_COLUMNS] = {0}; /* the last one needs none */

    for (int column = 0; column + 1 < TEXT_COLUMNS; column++)
        widths[column] = width_of(column);
    for (size_t i = 0; i < wm_rules_count(); i++)
        for (int column = 0; column < TEXT_COLUMNS; column++) {
            wm_auto_buf struct wm_buf cell = WM_BUF_MAX(CELL_MAX);

            put_text_cell(i, column, &cell);
            wm_buf_printf(out, "%-*s%s", widths[column], wm_buf_text(&cell).p,
                          column + 1 < TEXT_COLUMNS ? "  " : "\n");
        }
}

/* --- Markdown --- */

static void put_escaped(const char *text, const char *special, struct wm_buf *out)
{
    for (; *text; text++)
        wm_buf_printf(out, "%s%c", strchr(special, *text) ? "\\" : "", *text);
}

/* Text as it is meant: a '|' would end the cell, and the others would begin markup. */
static void put_prose(const char *text, struct wm_buf *out)
{
    put_escaped(text, "|\\`*<", out);
    wm_buf_puts(out, " | ");
}

static void put_code(const char *text, struct wm_buf *out)
{
    const char *quote = *text ? "`" : "";

    wm_buf_puts(out, quote);
    put_escaped(text, "|", out);
    wm_buf_puts(out, quote);
}

static void put_row(const struct wm_rule *r, const char *kind, struct wm_buf *out)
{
    wm_auto_buf struct wm_buf on = WM_BUF_MAX(CELL_MAX);

    put_operations(r, "", ", ", &on);
    for (size_t i = 0; i < on.n; i++)
        on.p[i] = (char)tolower((unsigned char)on.p[i]);
    wm_buf_printf(out, "| `%s` | %s | %s | %s | %s | ", r->id, kind, wm_buf_text(&on).p, needs_of(r),
                  wm_mode_name(r->mode));
    put_prose(r->about, out);
    put_prose(r->remedy, out);
    put_code(r->condition, out);
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

static void put_member(const char *key, const char *text, struct wm_buf *out)
{
    wm_buf_printf(out, ",\"%s\":", key);
    wm_json_quote(out, wm_str_of(text));
}

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
    put_member("kind", wm_subject_resources[kind].kind, out);
    put_member("group", wm_subject_resources[kind].group, out);
    wm_buf_puts(out, ",\"operations\":[");
    put_operations(r, "\"", ",", out);
    wm_buf_puts(out, "]");
    put_member("needs", needs_of(r), out);
    put_member("mode", wm_mode_name(r->mode), out);
    wm_buf_puts(out, ",\"reads\":[");
    put_reads(r->reads, out);
    wm_buf_puts(out, "]");
    put_member("condition", r->condition, out);
    put_member("about", r->about, out);
    put_member("remedy", r->remedy, out);
    put_member("cause", wm_cause_name(r->cause), out);
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

static const struct {
    const char *name;
    void (*print)(struct wm_buf *out);
} formats[] = {{"text", print_text}, {"markdown", print_markdown}, {"json", print_json}};

struct wishes {
    char *output;
};

static const struct wm_option table[] = {
    {"output", WM_OPTION_TEXT, offsetof(struct wishes, output), "text", "FORMAT", "text|markdown|json", 0, 0,
     "text: a line each with rule, kind, operations, what it needs to look at, default mode"},
};

static const struct wm_options options = {
    "waymark-webhook rules",
    "Prints what plans and migrations are checked for.",
    table,
    sizeof table / sizeof table[0],
    .flags_only = true,
};

static int print(const char *format, FILE *out, struct wm_error *err)
{
    wm_auto_buf struct wm_buf text = WM_BUF_MAX(4u << 20);

    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++)
        if (strcmp(formats[i].name, format) == 0)
            formats[i].print(&text);
    int rc = wm_buf_check(&text, err);

    if (rc == WM_OK && (fwrite(text.p, 1, text.n, out) != text.n || fflush(out) != 0))
        rc = wm_fail_errno(err, WM_E_IO, NULL, "cannot write");
    return rc;
}

int wm_rules_command(int argc, char *const argv[], FILE *out, struct wm_error *err)
{
    struct wishes wishes = {0};
    enum wm_options_wish wish;
    int rc = wm_options_load(&options, argc, argv, NULL, &wishes, &wish, err);

    if (rc == WM_OK && wish == WM_WISH_HELP)
        wm_options_help(&options, out);
    else if (rc == WM_OK)
        rc = print(wishes.output, out, err);
    wm_options_done(&options, &wishes);
    return rc;
}
