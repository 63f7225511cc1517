#include "waymark/commands.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

int wm_complain(const char *program, const struct wm_error *err, int status)
{
    fprintf(stderr, "%s: %s%s%s\n", program, err->where, err->where[0] ? ": " : "", err->msg);
    return status;
}

static void help_line(const char *name, const char *help)
{
    fprintf(stdout, "  %-10s %s\n", name, help);
}

static int help(const struct wm_program *p)
{
    fprintf(stdout, "Usage: %s COMMAND [OPTIONS]\n\n%s\n\n", p->name, p->about);
    for (size_t i = 0; i < p->n; i++)
        help_line(p->commands[i].name, p->commands[i].help);
    help_line("version", "print the version");
    help_line("help", "print this");
    return WM_EXIT_OK;
}

static int version(const struct wm_program *p)
{
    fprintf(stdout, "%s %s\n", p->name, WAYMARK_VERSION);
    return WM_EXIT_OK;
}

static bool is(const char *word, const char *name, const char *alias)
{
    return strcmp(word, name) == 0 || (alias && strcmp(word, alias) == 0);
}

int wm_commands_run(const struct wm_program *p, int argc, char *argv[])
{
    const char *word = argc > 1 ? argv[1] : "";

    for (size_t i = 0; i < p->n; i++)
        if (is(word, p->commands[i].name, p->commands[i].alias))
            return p->commands[i].run(argc - 2, argv + 2);
    if (is(word, "version", "--version"))
        return version(p);
    if (is(word, "help", "--help"))
        return help(p);
    fprintf(stderr, "%s: %s%s (see %s help)\n", p->name,
            word[0] ? "unknown command " : "a command is expected", word, p->name);
    return WM_EXIT_USAGE;
}
