#include "waymark/listing.h"

#include <string.h>

#include "waymark/json.h"
#include "waymark/options.h"

enum { CELL_MAX = 4096, TEXT_MAX = 4 << 20 };

/* --- text --- */

static int width_of(size_t rows, size_t column, wm_cell_fn *cell)
{
    size_t width = 0;

    for (size_t i = 0; i < rows; i++) {
        wm_auto_buf struct wm_buf text = WM_BUF_MAX(CELL_MAX);

        cell(i, column, &text);
        width = text.n > width ? text.n : width;
    }
    return (int)width;
}

void wm_listing_columns(size_t rows, size_t columns, wm_cell_fn *cell, struct wm_buf *out)
{
    int widths[WM_COLUMNS_MAX] = {0}; /* the last one needs none */

    for (size_t column = 0; column + 1 < columns; column++)
        widths[column] = width_of(rows, column, cell);
    for (size_t i = 0; i < rows; i++)
        for (size_t column = 0; column < columns; column++) {
            wm_auto_buf struct wm_buf text = WM_BUF_MAX(CELL_MAX);

            cell(i, column, &text);
            wm_buf_printf(out, "%-*s%s", widths[column], wm_buf_text(&text).p,
                          column + 1 < columns ? "  " : "\n");
        }
}

/* --- Markdown --- */

static void put_escaped(const char *text, const char *special, struct wm_buf *out)
{
    for (; *text; text++)
        wm_buf_printf(out, "%s%c", strchr(special, *text) ? "\\" : "", *text);
}

void wm_listing_prose(const char *text, struct wm_buf *out)
{
    put_escaped(text, "|\\`*<", out);
    wm_buf_puts(out, " | ");
}

void wm_listing_code(const char *text, struct wm_buf *out)
{
    const char *quote = *text ? "`" : "";

    wm_buf_puts(out, quote);
    put_escaped(text, "|", out);
    wm_buf_puts(out, quote);
}

/* --- JSON --- */

void wm_listing_member(const char *key, const char *text, struct wm_buf *out)
{
    wm_buf_printf(out, ",\"%s\":", key);
    wm_json_quote(out, wm_str_of(text));
}

/* --- the command --- */

struct wishes {
    char *output;
};

static int print(const struct wm_listing *l, const char *format, FILE *out, struct wm_error *err)
{
    const struct {
        const char *name;
        void (*print)(struct wm_buf *out);
    } formats[] = {{"text", l->text}, {"markdown", l->markdown}, {"json", l->json}};
    wm_auto_buf struct wm_buf text = WM_BUF_MAX(TEXT_MAX);

    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++)
        if (strcmp(formats[i].name, format) == 0)
            formats[i].print(&text);
    int rc = wm_buf_check(&text, err);

    if (rc == WM_OK && (fwrite(text.p, 1, text.n, out) != text.n || fflush(out) != 0))
        rc = wm_fail_errno(err, WM_E_IO, NULL, "cannot write");
    return rc;
}

int wm_listing_run(const struct wm_listing *l, int argc, char *const argv[], FILE *out, struct wm_error *err)
{
    const struct wm_option table[] = {{"output", WM_OPTION_TEXT, offsetof(struct wishes, output), "text",
                                       "FORMAT", "text|markdown|json", 0, 0, l->help}};
    const struct wm_options options = {l->program, l->about, table, 1, .flags_only = true};
    struct wishes wishes = {0};
    enum wm_options_wish wish;
    int rc = wm_options_load(&options, argc, argv, NULL, &wishes, &wish, err);

    if (rc == WM_OK && wish == WM_WISH_HELP)
        wm_options_help(&options, out);
    else if (rc == WM_OK)
        rc = print(l, wishes.output, out, err);
    wm_options_done(&options, &wishes);
    return rc;
}
