/* waymark-webhook: subcommands, one row each. */
#include <stdio.h>
#include <string.h>

#include "review_command.h"
#include "rules_command.h"
#include "serve.h"
#include "waymark/commands.h"
#include "waymark/log.h"

extern char **environ;

static const char PROGRAM[] = "waymark-webhook";

static int run_serve(const struct wm_settings *s, struct wm_error *err)
{
    enum wm_log_level level;
    int rc = wm_log_level_parse(s->log_level, &level, err);

    if (rc < 0)
        return rc;
    wm_log_set_level(level);
    return wm_serve(s, err);
}

static int serve(int argc, char *argv[])
{
    struct wm_settings settings = {0};
    struct wm_error err = {0};
    enum wm_options_wish wish = WM_RUN;
    int status = WM_EXIT_OK;

    if (wm_options_load(&wm_serve_options, argc, argv, environ, &settings, &wish, &err) < 0)
        status = wm_complain(PROGRAM, &err, WM_EXIT_USAGE);
    else if (wish == WM_WISH_HELP)
        wm_options_help(&wm_serve_options, stdout);
    else if (wish == WM_WISH_PRINT_CONFIG)
        wm_options_print(&wm_serve_options, &settings, stdout);
    else if (run_serve(&settings, &err) < 0)
        status = wm_complain(PROGRAM, &err, WM_EXIT_FAILED);
    wm_options_done(&wm_serve_options, &settings);
    return status;
}

static int review(int argc, char *argv[])
{
    return wm_review_command(argc + 1, argv - 1); /* with the command's name, as getopt expects one */
}

/* The label table as the README has it. */
static int labels(int argc, char *argv[])
{
    size_t n;
    const struct wm_label_rule *rules = wm_label_rules(&n);

    (void)argc;
    (void)argv;
    puts("| kind | from |\n|---|---|");
    for (size_t i = 0; i < n; i++)
        printf("| `%s` | %s |\n", rules[i].kind, rules[i].from);
    return WM_EXIT_OK;
}

static int rules(int argc, char *argv[])
{
    struct wm_error err = {0};

    if (wm_rules_command(argc, argv, stdout, &err) == WM_OK)
        return WM_EXIT_OK;
    return wm_complain(PROGRAM, &err, err.code == WM_E_IO ? WM_EXIT_FAILED : WM_EXIT_USAGE);
}

static const struct wm_command commands[] = {
    {"serve", NULL, "answer AdmissionReviews until SIGTERM (serve --help lists the options)", serve},
    {"review", NULL, "say to objects in files what the server would say (see review --help)", review},
    {"labels", NULL, "print which kinds are labelled, and from what", labels},
    {"rules", NULL, "print what plans and migrations are checked for (rules --help lists the options)",
     rules},
};

int main(int argc, char *argv[])
{
    static const struct wm_program program = {
        PROGRAM,
        "Labels every object of a migration with the names of its plan and its migration, as it is created, "
        "and "
        "checks plans\nand migrations before they are stored.",
        commands,
        sizeof commands / sizeof commands[0],
    };

    return wm_commands_run(&program, argc, argv);
}
