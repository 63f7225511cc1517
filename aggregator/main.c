/* waymark-aggregator: subcommands, one row each. */
#include <stdio.h>

#include "analyze_command.h"
#include "causes_command.h"
#include "run.h"
#include "waymark/commands.h"
#include "waymark/log.h"

extern char **environ;

static const char PROGRAM[] = "waymark-aggregator";

static int run_with(const struct wm_settings *s, struct wm_error *err)
{
    enum wm_log_level level;
    int rc = wm_log_level_parse(s->log_level, &level, err);

    if (rc < 0)
        return rc;
    wm_log_set_level(level);
    return wm_run(s, err);
}

static int run(int argc, char *argv[])
{
    struct wm_settings settings = {0};
    struct wm_error err = {0};
    enum wm_options_wish wish = WM_RUN;
    int status = WM_EXIT_OK;

    if (wm_options_load(&wm_run_options, argc, argv, environ, &settings, &wish, &err) < 0)
        status = wm_complain(PROGRAM, &err, WM_EXIT_USAGE);
    else if (wish == WM_WISH_HELP)
        wm_options_help(&wm_run_options, stdout);
    else if (wish == WM_WISH_PRINT_CONFIG)
        wm_options_print(&wm_run_options, &settings, stdout);
    else if (run_with(&settings, &err) < 0)
        status = wm_complain(PROGRAM, &err, WM_EXIT_FAILED);
    wm_options_done(&wm_run_options, &settings);
    return status;
}

static int analyze(int argc, char *argv[])
{
    return wm_analyze_command(argc + 1, argv - 1); /* with the command's name, as getopt expects one */
}

static int causes(int argc, char *argv[])
{
    struct wm_error err = {0};

    if (wm_causes_command(argc, argv, stdout, &err) == WM_OK)
        return WM_EXIT_OK;
    return wm_complain(PROGRAM, &err, err.code == WM_E_IO ? WM_EXIT_FAILED : WM_EXIT_USAGE);
}

static const struct wm_command commands[] = {
    {"run", NULL, "follow every migration until SIGTERM (run --help lists the options)", run},
    {"analyze", NULL, "say from a dump what holds migrations up (see analyze --help)", analyze},
    {"causes", NULL, "print the causes that are known for a migration that does not get on", causes},
};

int main(int argc, char *argv[])
{
    static const struct wm_program program = {
        PROGRAM,
        "Watches migrations and all that belongs to them, on every cluster, and says where they stand.",
        commands,
        sizeof commands / sizeof commands[0],
    };

    return wm_commands_run(&program, argc, argv);
}
