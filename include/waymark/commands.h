/* A program's subcommands, from one table.  Edge (prints). */
#ifndef WAYMARK_COMMANDS_H
#define WAYMARK_COMMANDS_H

#include <stddef.h>

#include "waymark/error.h"

enum { WM_EXIT_OK = 0, WM_EXIT_FAILED = 1, WM_EXIT_USAGE = 2 };

struct wm_command {
    const char *name, *alias;           /* alias may be NULL */
    const char *help;                   /* one line */
    int (*run)(int argc, char *argv[]); /* without program and command; returns the exit status */
};

struct wm_program {
    const char *name, *about;
    const struct wm_command *commands; /* "version" and "help" are added */
    size_t n;
};

/* Runs what argv asks for; returns the exit status. */
int wm_commands_run(const struct wm_program *p, int argc, char *argv[]);

/* Tells an error on stderr, as "PROGRAM: where: message"; returns `status`. */
int wm_complain(const char *program, const struct wm_error *err, int status);

#endif
