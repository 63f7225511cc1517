#include <stdio.h>
#include <unistd.h>

#include "unit.h"
#include "waymark/metrics.h"
#include "waymark/options.h"

struct target {
    char *listen, *mode;
    int64_t loops;
    bool watch;
    struct wm_option_list names;
    char *config;
};
#define AT(f) offsetof(struct target, f)

// clang-format off
static const struct wm_option table[] = {
    {"listen", WM_OPTION_TEXT, AT(listen), "0.0.0.0:1", "ADDRESS", NULL, 0, 0, "where"},
    {"mode", WM_OPTION_TEXT, AT(mode), "self", "MODE", "self|files", 0, 0, "which"},
    {"loops", WM_OPTION_NUMBER, AT(loops), "2", "N", NULL, 0, 64, "how many"},
    {"watch", WM_OPTION_SWITCH, AT(watch), "true", NULL, NULL, 0, 0, "whether"},
    {"names", WM_OPTION_LIST, AT(names), "a,b", "NAME,...", NULL, 0, 0, "who"},
};
// clang-format on
static const char *const sections[] = {"rules", "people", NULL};
static const size_t config_at = AT(config);
static const struct wm_options options = {"prog run", "Does things.", table, sizeof table / sizeof table[0],
                                          sections,   &config_at,     false};

static const struct row {
    const char *name, *file, *env, *flags[4];
    const char *want; /* what is printed; NULL = refused */
    const char *error[2];
} rows[] = {
    {"defaults",
     NULL,
     NULL,
     {0},
     "listen: \"0.0.0.0:1\"\nmode: \"self\"\nloops: 2\nwatch: true\nnames: [\"a\", \"b\"]\n",
     {0}},
    {"a file",
     "loops: 7\nnames: [x]\nwatch: false\n",
     NULL,
     {0},
     "listen: \"0.0.0.0:1\"\nmode: \"self\"\nloops: 7\nwatch: false\nnames: [\"x\"]\n",
     {0}},
    {"the environment wins over the file",
     "loops: 7\n",
     "WAYMARK_LOOPS=8",
     {0},
     "listen: \"0.0.0.0:1\"\nmode: \"self\"\nloops: 8\nwatch: true\nnames: [\"a\", \"b\"]\n",
     {0}},
    {"flags win over the environment",
     "loops: 7\n",
     "WAYMARK_LOOPS=8",
     {"--loops=9", "--mode", "files", "--watch=false"},
     "listen: \"0.0.0.0:1\"\nmode: \"files\"\nloops: 9\nwatch: false\nnames: [\"a\", \"b\"]\n",
     {0}},
    {"a list may be emptied",
     NULL,
     "WAYMARK_NAMES=",
     {0},
     "listen: \"0.0.0.0:1\"\nmode: \"self\"\nloops: 2\nwatch: true\nnames: []\n",
     {0}},
    {"an empty file is fine",
     "# nothing\n",
     NULL,
     {0},
     "listen: \"0.0.0.0:1\"\nmode: \"self\"\nloops: 2\nwatch: true\nnames: [\"a\", \"b\"]\n",
     {0}},
    {"sections that others read",
     "people: {loops: many}\nloops: 7\nrules: 5\n",
     NULL,
     {0},
     "listen: \"0.0.0.0:1\"\nmode: \"self\"\nloops: 7\nwatch: true\nnames: [\"a\", \"b\"]\n",
     {0}},
    {"a section's name in another case", "Rules: 5\n", NULL, {0}, NULL, {":1:1", "unknown option 'Rules'"}},
    {"a section is no flag", NULL, NULL, {"--rules=5"}, NULL, {"--rules", "unknown option"}},
    {"the file's name is no key of it", "config: x\n", NULL, {0}, NULL, {":1:1", "unknown option 'config'"}},
    {"unknown key", "loops: 1\nloop: 2\n", NULL, {0}, NULL, {":2:1", "unknown option 'loop'"}},
    {"wrong type", "loops: many\n", NULL, {0}, NULL, {":1:1", "a whole number"}},
    {"a number where a text is meant", "listen: 5\n", NULL, {0}, NULL, {":1:1", "a text"}},
    {"beyond the limit", "loops: 65\n", NULL, {0}, NULL, {":1:1", "between 0 and 64"}},
    {"a fraction", "loops: 1.5\n", NULL, {0}, NULL, {":1:1", "whole number"}},
    {"not a map", "[1]\n", NULL, {0}, NULL, {":1:1", "a map of options"}},
    {"bad YAML", "loops: [\n", NULL, {0}, NULL, {":", ""}},
    {"a word that is no choice",
     NULL,
     "WAYMARK_MODE=elf",
     {0},
     NULL,
     {"WAYMARK_MODE", "not one of self|files"}},
    {"unknown flag", NULL, NULL, {"--frob=1"}, NULL, {"--frob", "unknown option"}},
    {"flag without its value", NULL, NULL, {"--listen"}, NULL, {"--listen", "needs a value"}},
    {"stray argument", NULL, NULL, {"hello"}, NULL, {"hello", "unexpected argument"}},
    {"a switch that is neither", NULL, NULL, {"--watch=maybe"}, NULL, {"--watch", "neither true nor false"}},
};

static void write_text(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static char *print(const struct target *t)
{
    char *text = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&text, &n);

    wm_options_print(&options, t, f);
    fclose(f);
    return text;
}

static void check_row(void **state)
{
    const struct row *r = *state;
    struct target t = {0};
    struct wm_error err = {0};
    enum wm_options_wish wish;
    char path[] = "/tmp/waymark-options-XXXXXX", config[64], *argv[6],
         *env[] = {(char *)(uintptr_t)r->env, NULL};
    int argc = 0, fd = mkstemp(path);

    close(fd);
    if (r->file) {
        write_text(path, r->file);
        snprintf(config, sizeof config, "--config=%s", path);
        argv[argc++] = config;
    }
    for (int i = 0; i < 4 && r->flags[i]; i++)
        argv[argc++] = (char *)(uintptr_t)r->flags[i];
    int rc = wm_options_load(&options, argc, argv, env, &t, &wish, &err);

    if (r->want) {
        if (rc < 0)
            fail_msg("%s: %s", err.where, err.msg);
        char *got = print(&t);

        assert_string_equal(got, r->want);
        free(got);
    } else {
        assert_int_equal(rc, WM_E_INVALID);
        assert_non_null(strstr(err.where, r->error[0]));
        assert_non_null(strstr(err.msg, r->error[1]));
    }
    wm_options_done(&options, &t);
    unlink(path);
}

static void what_is_printed_reads_back_to_the_same(void **state)
{
    struct target a = {0}, b = {0};
    char path[] = "/tmp/waymark-options-XXXXXX", config[64];
    char flag[] = "--names=x:y,\"q\",#z", *argv[] = {flag}, *argv2[] = {config}, *env[] = {NULL};
    enum wm_options_wish wish;

    (void)state;
    close(mkstemp(path));
    assert_int_equal(wm_options_load(&options, 1, argv, env, &a, &wish, NULL), WM_OK);
    char *once = print(&a);

    write_text(path, once);
    snprintf(config, sizeof config, "--config=%s", path);
    assert_int_equal(wm_options_load(&options, 1, argv2, env, &b, &wish, NULL), WM_OK);
    char *twice = print(&b);

    assert_string_equal(once, twice);
    free(once);
    free(twice);
    wm_options_done(&options, &a);
    wm_options_done(&options, &b);
    unlink(path);
}

static void the_target_gets_the_name_of_the_file(void **state)
{
    char path[] = "/tmp/waymark-options-XXXXXX", variable[64], *env[] = {variable, NULL};
    struct target t = {0};
    enum wm_options_wish wish;

    (void)state;
    assert_int_equal(wm_options_load(&options, 0, NULL, NULL, &t, &wish, NULL), WM_OK);
    assert_null(t.config);
    wm_options_done(&options, &t);
    close(mkstemp(path));
    snprintf(variable, sizeof variable, "WAYMARK_CONFIG=%s", path);
    assert_int_equal(wm_options_load(&options, 0, NULL, env, &t, &wish, NULL), WM_OK);
    assert_string_equal(t.config, path);
    wm_options_done(&options, &t);
    assert_null(t.config);
    unlink(path);
}

static char *help_of(const struct wm_options *o)
{
    char *text = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&text, &n);

    wm_options_help(o, f);
    fclose(f);
    return text;
}

static void a_command_of_flags_alone_has_no_file_and_no_environment(void **state)
{
    struct wm_options alone = {"prog list", "Lists.", table, sizeof table / sizeof table[0],
                               NULL,        NULL,     true};
    char variable[] = "WAYMARK_LOOPS=8", file[] = "WAYMARK_CONFIG=/nowhere", *env[] = {variable, file, NULL};
    char flag[] = "--watch=false", other[] = "--config=/nowhere", *argv[] = {flag, other};
    struct target t = {0};
    struct wm_error err = {0};
    enum wm_options_wish wish;

    (void)state;
    assert_int_equal(wm_options_load(&alone, 1, argv, env, &t, &wish, &err), WM_OK);
    assert_int_equal(t.loops, 2);
    assert_false(t.watch);
    wm_options_done(&alone, &t);
    assert_int_equal(wm_options_load(&alone, 2, argv, env, &t, &wish, &err), WM_E_INVALID);
    assert_string_equal(err.where, "--config");
    wm_options_done(&alone, &t);
    char *help = help_of(&alone);

    assert_null(strstr(help, "config"));
    assert_null(strstr(help, "WAYMARK_"));
    free(help);
}

static void help_names_every_option_with_its_default_and_every_section(void **state)
{
    char *text = help_of(&options);

    (void)state;
    for (size_t i = 0; i < options.n; i++) {
        char flag[64];

        snprintf(flag, sizeof flag, "--%s", table[i].name);
        assert_non_null(strstr(text, flag));
        assert_non_null(strstr(text, table[i].fallback));
    }
    for (const char *const *section = sections; *section; section++)
        assert_non_null(strstr(text, *section));
    free(text);
}

static void metrics_print_in_prometheus_text(void **state)
{
    static const char *const kinds[] = {"Backup", "Restore"}, *const outcomes[] = {"a", "b"};
    static _Atomic int64_t cells[4], buckets[WM_HISTOGRAM_CELLS];
    struct wm_metric counter = {"x_total", "Xs.",     WM_COUNTER, "kind", kinds,
                                2,         "outcome", outcomes,   2,      cells};
    struct wm_metric histogram = {"d_seconds", "Ds.", WM_HISTOGRAM, NULL, NULL, 0, NULL, NULL, 0, buckets};
    struct wm_metric *const all[] = {&counter, &histogram};
    wm_auto_buf struct wm_buf out = WM_BUF_MAX(10000);

    (void)state;
    wm_metric_add(&counter, 1, 0, 3);
    wm_metric_observe_ns(&histogram, 0, 50000);       /* on the first bound: inside */
    wm_metric_observe_ns(&histogram, 0, 50001);       /* just over it */
    wm_metric_observe_ns(&histogram, 0, 20000000000); /* beyond the last */
    wm_metrics_print(&out, all, 2);
    assert_non_null(strstr(out.p, "# TYPE x_total counter\n"));
    assert_non_null(strstr(out.p, "x_total{kind=\"Restore\",outcome=\"a\"} 3\n"));
    assert_non_null(strstr(out.p, "x_total{kind=\"Backup\",outcome=\"b\"} 0\n"));
    assert_non_null(strstr(out.p, "d_seconds_bucket{le=\"5e-05\"} 1\nd_seconds_bucket{le=\"0.0001\"} 2\n"));
    assert_non_null(strstr(out.p, "d_seconds_bucket{le=\"10\"} 2\nd_seconds_bucket{le=\"+Inf\"} 3\n"));
    assert_non_null(strstr(out.p, "d_seconds_sum 20.000100001\nd_seconds_count 3\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_printed_reads_back_to_the_same),
        cmocka_unit_test(the_target_gets_the_name_of_the_file),
        cmocka_unit_test(a_command_of_flags_alone_has_no_file_and_no_environment),
        cmocka_unit_test(help_names_every_option_with_its_default_and_every_section),
        cmocka_unit_test(metrics_print_in_prometheus_text),
    };

    return RUN_TABLE("options", rows, check_row) + cmocka_run_group_tests(tests, NULL, NULL);
}
