#include "unit.h"
#include "waymark/json.h"
#include "waymark/rules.h"
#include "webhook/rules_command.h"

static char *print(const char *format)
{
    char flag[] = "--output", value[16], *argv[] = {flag, value}, *text = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&text, &n);

    snprintf(value, sizeof value, "%s", format);
    assert_int_equal(wm_rules_command(2, argv, f, NULL), WM_OK);
    fclose(f);
    return text;
}

static size_t count(const char *text, char c)
{
    size_t n = 0;

    for (; *text; text++)
        n += *text == c;
    return n;
}

static void text_is_a_line_a_rule_in_columns(void **state)
{
    wm_auto_free char *text = print("text");
    const char *line = text;

    (void)state;
    assert_int_equal(count(text, '\n'), wm_rules_count());
    for (size_t i = 0; i < wm_rules_count(); i++, line = strchr(line, '\n') + 1) {
        const char *id = wm_rule_at(i, NULL)->id;

        assert_memory_equal(line, id, strlen(id));
        assert_int_equal(line[strlen(id)], ' ');
    }
}

/* Every row of a table has as many cells as its head, whatever stands in them. */
static void markdown_cells_hold_together(void **state)
{
    wm_auto_free char *text = print("markdown");
    char *rest = NULL;
    size_t rows = 0;

    (void)state;
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest), rows++) {
        size_t bars = 0;

        for (const char *p = line; *p; p++)
            if (*p == '\\' && p[1])
                p++;
            else
                bars += *p == '|';
        assert_int_equal(bars, 9);
    }
    assert_int_equal(rows, wm_rules_count() + 2);
}

static void json_has_every_column_of_every_rule(void **state)
{
    static const char *const texts[] = {"/id",    "/kind",      "/group", "/needs",  "/mode",
                                        "/cause", "/condition", "/about", "/remedy", NULL};
    wm_auto_free char *text = print("json");
    wm_auto_json cJSON *doc = NULL;
    const cJSON *rule;
    size_t i = 0;

    (void)state;
    assert_int_equal(wm_json_parse(wm_str_of(text), &doc, NULL), WM_OK);
    assert_int_equal(cJSON_GetArraySize(doc), wm_rules_count());
    cJSON_ArrayForEach(rule, doc)
    {
        const struct wm_rule *r = wm_rule_at(i++, NULL);

        for (const char *const *t = texts; *t; t++)
            assert_non_null(wm_json_str(rule, *t));
        assert_string_equal(wm_json_str(rule, "/id"), r->id);
        assert_string_equal(wm_json_str(rule, "/about"), r->about);
        assert_true(cJSON_GetArraySize(wm_json_at(rule, "/operations")) > 0);
        assert_int_equal(cJSON_GetArraySize(wm_json_at(rule, "/reads")),
                         *r->reads ? count(r->reads, ',') + 1 : 0);
    }
}

static void what_it_does_not_know_it_refuses(void **state)
{
    char flag[] = "--output=xml", *argv[] = {flag};
    struct wm_error err = {0};

    (void)state;
    assert_int_equal(wm_rules_command(1, argv, stdout, &err), WM_E_INVALID);
    assert_string_equal(err.where, "--output");
    assert_non_null(strstr(err.msg, "text|markdown|json"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_a_line_a_rule_in_columns),
        cmocka_unit_test(markdown_cells_hold_together),
        cmocka_unit_test(json_has_every_column_of_every_rule),
        cmocka_unit_test(what_it_does_not_know_it_refuses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
