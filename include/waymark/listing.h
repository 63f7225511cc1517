/* A command that prints one of our tables: for people, for the manual, for programs.  Edge (prints). */
#ifndef WAYMARK_LISTING_H
#define WAYMARK_LISTING_H

#include <stdio.h>

#include "waymark/buf.h"

struct wm_listing {
    const char *program, *about; /* for --help: "waymark-webhook rules", a sentence */
    const char *help;            /* what a line of text holds */
    void (*text)(struct wm_buf *out);
    void (*markdown)(struct wm_buf *out);
    void (*json)(struct wm_buf *out);
};
/* Runs the command: --output text|markdown|json.  WM_E_INVALID for what it does not understand. */
int wm_listing_run(const struct wm_listing *l, int argc, char *const argv[], FILE *out, struct wm_error *err);

/* --- what the formats are made of --- */

enum { WM_COLUMNS_MAX = 8 };
typedef void wm_cell_fn(size_t row, size_t column, struct wm_buf *out);
/* Rows as lines, each column as wide as it has to be. */
void wm_listing_columns(size_t rows, size_t columns, wm_cell_fn *cell, struct wm_buf *out);

/* Cells of Markdown, of which a '|' is no end: prose, where nothing begins markup, with the bar behind it;
 * and code without. */
void wm_listing_prose(const char *text, struct wm_buf *out);
void wm_listing_code(const char *text, struct wm_buf *out);

/* ,"key":"text" */
void wm_listing_member(const char *key, const char *text, struct wm_buf *out);

#endif
