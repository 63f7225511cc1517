#include "causes_command.h"

#include "waymark/cause.h"
#include "waymark/listing.h"

enum { CAUSES_MAX = 256, CELL_MAX = 4096 };

static struct {
    const struct wm_cause *list[CAUSES_MAX];
    size_t n;
} all;

static void collect(void *ctx, const struct wm_cause *cause)
{
    (void)ctx;
    if (all.n < CAUSES_MAX)
        all.list[all.n++] = cause;
}

/* --- cells --- */

static void put_roles(const struct wm_cause *c, const char *quote, const char *between, struct wm_buf *out)
{
    size_t before = out->n;

    for (int r = 0; r < WM_ROLE_COUNT; r++)
        if (c->roles & (1u << r))
            wm_buf_printf(out, "%s%s%s%s", out->n > before ? between : "", quote,
                          wm_role_name((enum wm_role)r), quote);
}

static int64_t after_of(const struct wm_cause *c)
{
    struct wm_thresholds defaults;

    wm_thresholds_default(&defaults);
    return defaults.s[c->after];
}

/* --- text --- */

enum { TEXT_COLUMNS = 6 };

static void put_text_cell(size_t row, size_t column, struct wm_buf *out)
{
    const struct wm_cause *c = all.list[row];
    const char *const cells[TEXT_COLUMNS] = {
        c->id, wm_weight_name(c->weight), wm_confidence_name(c->confidence), NULL, NULL, c->title,
    };

    if (cells[column])
        wm_buf_puts(out, cells[column]);
    else if (column == 3)
        wm_buf_printf(out, "%lld s", (long long)after_of(c));
    else
        put_roles(c, "", ",", out);
}

static void print_text(struct wm_buf *out)
{
    wm_listing_columns(all.n, TEXT_COLUMNS, put_text_cell, out);
}

/* --- Markdown --- */

static void put_row(const struct wm_cause *c, struct wm_buf *out)
{
    wm_auto_buf struct wm_buf remedy = WM_BUF_MAX(CELL_MAX);

    wm_buf_printf(out, "| `%s` | ", c->id);
    wm_listing_prose(c->title, out);
    wm_buf_printf(out, "%s, %s | ", wm_weight_name(c->weight), wm_confidence_name(c->confidence));
    put_roles(c, "", ", ", out);
    wm_buf_printf(out, " | %s %lld s | ", wm_threshold_name(c->after), (long long)after_of(c));
    wm_listing_prose(c->says, out);
    for (const char *p = c->remedy; *p; p++)
        if (*p != '\n')
            wm_buf_add(&remedy, p, 1);
        else
            wm_buf_puts(&remedy, p > c->remedy && p[-1] == ':' ? " " : "; ");
    wm_listing_prose(wm_buf_text(&remedy).p, out);
    wm_listing_prose(c->source, out);
    out->n -= out->n && out->p[out->n - 1] == ' ';
    wm_buf_puts(out, "\n");
}

static void print_markdown(struct wm_buf *out)
{
    wm_buf_puts(out,
                "| cause | what it is | weight, confidence | looked for at | after | what is said | what to "
                "do | source |\n|---|---|---|---|---|---|---|---|\n");
    for (size_t i = 0; i < all.n; i++)
        put_row(all.list[i], out);
}

/* --- JSON --- */

static void put_object(const struct wm_cause *c, struct wm_buf *out)
{
    wm_buf_puts(out, "{\"id\":");
    wm_json_quote(out, wm_str_of(c->id));
    wm_listing_member("title", c->title, out);
    wm_listing_member("weight", wm_weight_name(c->weight), out);
    wm_listing_member("confidence", wm_confidence_name(c->confidence), out);
    wm_buf_puts(out, ",\"lookedForAt\":[");
    put_roles(c, "\"", ",", out);
    wm_buf_puts(out, "]");
    wm_listing_member("kind", c->kind ? wm_kinds[c->kind].kind : "", out);
    wm_listing_member("threshold", wm_threshold_name(c->after), out);
    wm_buf_printf(out, ",\"afterSeconds\":%lld", (long long)after_of(c));
    wm_listing_member("says", c->says, out);
    wm_listing_member("remedy", c->remedy, out);
    wm_listing_member("source", c->source, out);
    wm_buf_puts(out, "}");
}

static void print_json(struct wm_buf *out)
{
    wm_buf_puts(out, "[");
    for (size_t i = 0; i < all.n; i++) {
        wm_buf_puts(out, i ? ",\n" : "");
        put_object(all.list[i], out);
    }
    wm_buf_puts(out, "]\n");
}

/* --- the command --- */

int wm_causes_command(int argc, char *const argv[], FILE *out, struct wm_error *err)
{
    static const struct wm_listing listing = {
        "waymark-aggregator causes",
        "Prints the causes that are known for a migration that does not get on.",
        "text: a line each with cause, weight, confidence, after how long it counts, at whom it is looked "
        "for, title",
        print_text,
        print_markdown,
        print_json,
    };

    all.n = 0;
    wm_causes_each(collect, NULL);
    return wm_listing_run(&listing, argc, argv, out, err);
}
