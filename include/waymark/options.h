/* A program's settings from one table: defaults, then a YAML file, then the environment, then flags.  --help,
 * --print-config and the README's list come from the same table.  Edge (reads the environment and a file). */
#ifndef WAYMARK_OPTIONS_H
#define WAYMARK_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "waymark/buf.h"

/* What the target struct holds at `offset`: char * (owned, NULL = not set), int64_t, bool, struct
 * wm_option_list. */
enum wm_option_type { WM_OPTION_TEXT, WM_OPTION_NUMBER, WM_OPTION_SWITCH, WM_OPTION_LIST };

struct wm_option_list {
    char **items; /* owned */
    size_t n;
};

struct wm_option {
    const char *name; /* flag --name, YAML key name, environment WAYMARK_NAME with '_' for '-' */
    enum wm_option_type type;
    size_t offset;
    const char *fallback; /* default as text; NULL = not set, empty list, 0, off */
    const char *arg;      /* for --help: ADDRESS, SECONDS, ...; NULL for switches */
    const char *choices;  /* TEXT: "a|b|c", NULL = anything */
    int64_t min, max;     /* NUMBER */
    const char *help;     /* one sentence, with the unit */
};

struct wm_options {
    const char *program, *usage; /* for --help: "waymark-webhook serve", a sentence */
    const struct wm_option *table;
    size_t n;
    const char *const
        *sections;        /* top-level keys of the file that others read; NULL-terminated; NULL = none */
    const size_t *config; /* where the target gets the file's name: a char * (owned, NULL = no file) */
    bool flags_only;      /* a command that neither a file nor the environment configures */
};

#define WM_OPTIONS_MAX 64
#define WM_CONFIG_MAX_BYTES (1u << 20)

enum wm_options_wish { WM_RUN, WM_WISH_HELP, WM_WISH_PRINT_CONFIG };

/* Fills `target` (zeroed by the caller) from all four sources.  argv without program and subcommand; `env` as
 * in environ.  --config FILE (or WAYMARK_CONFIG) names the file.  Errors say "--flag", "WAYMARK_X" or
 * "file:line:col". */
int wm_options_load(const struct wm_options *o, int argc, char *const argv[], char *const env[], void *target,
                    enum wm_options_wish *ret_wish, struct wm_error *err);

/* The file's part of it, from a text; `name` is what messages call it. */
int wm_options_read(const struct wm_options *o, struct wm_str text, const char *name, void *target,
                    struct wm_error *err);

/* Frees what the target owns. */
void wm_options_done(const struct wm_options *o, void *target);

void wm_options_help(const struct wm_options *o, FILE *out);
/* The options in the target as a YAML file that wm_options_load reads back to the same; no sections. */
void wm_options_print(const struct wm_options *o, const void *target, FILE *out);

#endif
