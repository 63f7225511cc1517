#include <stdio.h>

#include "unit.h"
#include "waymark/clock.h"
#include "waymark/yaml.h"

/* --- what a text becomes, as JSON; or where it fails --- */

static const struct row {
    const char *name, *text, *json; /* json NULL = refused ... */
    const char *where;              /* ... here */
} rows[] = {
    {"empty text is null", "", "null"},
    {"only a comment", "# nothing\n", "null"},
    {"block mapping", "a: 1\nb: x\n", "{\"a\":1,\"b\":\"x\"}"},
    {"block sequence in a mapping", "a:\n- x\n- y: z\n", "{\"a\":[\"x\",{\"y\":\"z\"}]}"},
    {"JSON", "{\"a\":[1,2.5,true,null,\"x\\/\\u00e9\"]}", "{\"a\":[1,2.5,true,null,\"x/\u00e9\"]}"},
    {"JSON over lines with tabs", "{\n\t\"a\":\n\t\t[\n\t\t1\n\t]\n}\n", "{\"a\":[1]}"},
    {"an explicit single document", "---\na: b\n...\n", "{\"a\":\"b\"}"},
    {"a literal block", "a: |\n  x\n  y\n", "{\"a\":\"x\\ny\\n\"}"},
    {"nulls", "[~, null, Null, NULL, ]", "[null,null,null,null]"},
    {"an empty value is null", "a:\nb: 1\n", "{\"a\":null,\"b\":1}"},
    {"booleans", "[true, True, TRUE, false, False, FALSE]", "[true,true,true,false,false,false]"},
    {"words of YAML 1.1 are strings", "[yes, no, on, off, y, n, tRUE]",
     "[\"yes\",\"no\",\"on\",\"off\",\"y\",\"n\",\"tRUE\"]"},
    {"quoted is a string", "['true', \"1\", '~', \"\"]", "[\"true\",\"1\",\"~\",\"\"]"},
    {"tagged as a string", "[!!str 1, !!str true, ! 2]", "[\"1\",\"true\",\"2\"]"},
    {"integers", "[0, -1, +2, 007, 0o17, 0x1F]", "[0,-1,2,7,15,31]"},
    {"floats", "[1.5, .5, 5., -1e3, 1E-2]", "[1.5,0.5,5,-1000,0.01]"},
    {"nearly numbers are strings", "[1_000, 0b1, 1.2.3, '-', 1e, 0x, 0o8, .e1, +, 1:30]",
     "[\"1_000\",\"0b1\",\"1.2.3\",\"-\",\"1e\",\"0x\",\"0o8\",\".e1\",\"+\",\"1:30\"]"},
    {"a date is a string", "2026-11-21", "\"2026-11-21\""},
    {"keys keep their text", "1: a\ntrue: b\n~: c\n", "{\"1\":\"a\",\"true\":\"b\",\"~\":\"c\"}"},
    {"a merge key is a key", "<<: {a: 1}\n", "{\"<<\":{\"a\":1}}"},
    {"keys that differ in case", "a: 1\nA: 2\n", "{\"a\":1,\"A\":2}"},
    {"duplicate key", "a: 1\nb: 2\na: 3\n", NULL, "f:3:1"},
    {"duplicate key in flow", "x: {k: 1, k: 2}\n", NULL, "f:1:11"},
    {"duplicate key, quoted once", "a: 1\n\"a\": 3\n", NULL, "f:2:1"},
    {"alias", "a: &x 1\nb: *x\n", NULL, "f:1:4"},
    {"alias without its anchor", "a: 1\nb: *x\n", NULL, "f:2:4"},
    {"anchor on a mapping", "a: &x {b: 1}\n", NULL, "f:1:4"},
    {"anchor on a key", "&x a: 1\n", NULL, "f:1:1"},
    {"unknown tag", "a: !!python/object x\n", NULL, "f:1:4"},
    {"binary tag", "a: !!binary aGk=\n", NULL, "f:1:4"},
    {"tag on a mapping", "a: !!set {b: 1}\n", NULL, "f:1:4"},
    {"a mapping as key", "? {a: 1}\n: b\n", NULL, "f:1:3"},
    {"infinity", "a: .inf\n", NULL, "f:1:4"},
    {"minus infinity", "a: -.Inf\n", NULL, "f:1:4"},
    {"not a number", "a: .nan\n", NULL, "f:1:4"},
    {"out of range", "a: 1e999\n", NULL, "f:1:4"},
    {"second document", "a: 1\n---\nb: 2\n", NULL, "f:2:1"},
    {"tab as indentation", "a:\n\tb: 1\n", NULL, "f:2:1"},
    {"not closed", "a: [1, 2\n", NULL, "f:2:1"},
    {"wrong indentation", "a: 1\n  b: 2\n", NULL, "f:2:4"},
    {"NUL in a string", "a: \"x\\0y\"\n", NULL, "f:1:4"},
    {"NUL in a key", "\"x\\0y\": 1\n", NULL, "f:1:1"},
    {"not UTF-8", "a: 1\nb: \xff\n", NULL, "f:2:4"},
    {"control character", "a: \x01\n", NULL, "f:1:4"},
};

static void check(void **state)
{
    const struct row *r = *state;
    wm_auto_yaml struct wm_yaml *y = NULL;
    wm_auto_buf struct wm_buf out = WM_BUF_MAX(4096);
    struct wm_error err = {0};
    int rc = wm_yaml_parse(wm_str_of(r->text), "f", 4096, &y, &err);

    if (r->json) {
        assert_string_equal(err.msg, "");
        assert_int_equal(rc, WM_OK);
        assert_int_equal(wm_json_print(wm_yaml_root(y), &out, NULL), WM_OK);
        assert_string_equal(out.p, r->json);
    } else {
        assert_int_equal(rc, WM_E_INVALID);
        assert_null(y);
        assert_string_equal(err.where, r->where);
        assert_non_null(strstr(err.msg, "line "));
    }
}

/* --- limits --- */

static char *repeat(const char *unit, size_t n)
{
    size_t u = strlen(unit);
    char *p = malloc(u * n + 1);

    for (size_t i = 0; i < n; i++)
        memcpy(p + i * u, unit, u);
    p[u * n] = '\0';
    return p;
}

static void depth_is_stopped_while_reading(void **state)
{
    static const char *const units[] = {"[", "{a: ", "- ", "? "};

    (void)state;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        wm_auto_free char *deep = repeat(units[i], 2000000 / strlen(units[i]));
        struct wm_yaml *y = NULL;
        struct wm_error err = {0};
        int64_t start = wm_mono_ms();

        assert_int_equal(wm_yaml_parse(wm_str_of(deep), "f", 4 << 20, &y, &err), WM_E_INVALID);
        assert_true(wm_mono_ms() - start < 2000);
    }
    wm_auto_free char *opens = repeat("[", WM_YAML_MAX_DEPTH), *closes = repeat("]", WM_YAML_MAX_DEPTH);
    wm_auto_buf struct wm_buf just = WM_BUF_MAX(1000);
    wm_auto_yaml struct wm_yaml *y = NULL;

    wm_buf_printf(&just, "%s%s", opens, closes);
    assert_int_equal(wm_yaml_parse(wm_buf_text(&just), "f", 1000, &y, NULL), WM_OK);
    struct wm_yaml *none = NULL;
    struct wm_error err = {0};

    wm_buf_clear(&just);
    wm_buf_printf(&just, "[%s%s]", opens, closes);
    assert_int_equal(wm_yaml_parse(wm_buf_text(&just), "f", 1000, &none, &err), WM_E_INVALID);
    assert_non_null(strstr(err.msg, "deep"));
}

static void size_and_number_of_nodes_are_bounded(void **state)
{
    wm_auto_free char *many = repeat("- a\n", WM_YAML_MAX_NODES + 1);
    struct wm_yaml *y = NULL;
    struct wm_error err = {0};

    (void)state;
    assert_int_equal(wm_yaml_parse(wm_str_of("a: 1"), "f", 3, &y, &err), WM_E_TOO_BIG);
    assert_int_equal(wm_yaml_parse(wm_str_of(many), "f", 4 << 20, &y, &err), WM_E_TOO_BIG);
    assert_non_null(strstr(err.msg, "too many"));
}

static void wide_mappings_cost_no_square(void **state)
{
    wm_auto_buf struct wm_buf text = WM_BUF_MAX(4 << 20);
    wm_auto_yaml struct wm_yaml *y = NULL;
    int64_t start = wm_mono_ms();

    (void)state;
    for (int i = 0; i < 100000; i++)
        wm_buf_printf(&text, "key%d: 1\n", i);
    assert_int_equal(wm_yaml_parse(wm_buf_text(&text), NULL, 4 << 20, &y, NULL), WM_OK);
    assert_true(wm_mono_ms() - start < 5000);
}

/* --- places --- */

static void every_node_knows_its_line(void **state)
{
    static const char text[] = "a: 1\n"
                               "b:\n"
                               "  - x\n"
                               "  - c:\n"
                               "      d: e\n";
    wm_auto_yaml struct wm_yaml *y = NULL;
    struct wm_error err = {0};

    (void)state;
    assert_int_equal(wm_yaml_parse(wm_str_of(text), "conf.yaml", 1000, &y, NULL), WM_OK);
    assert_int_equal(wm_yaml_line(y, wm_yaml_root(y)), 1);
    assert_int_equal(wm_yaml_line(y, wm_json_at(wm_yaml_root(y), "/b")), 2);
    assert_int_equal(wm_yaml_line(y, wm_json_at(wm_yaml_root(y), "/b/0")), 3);
    assert_int_equal(wm_yaml_line(y, wm_json_at(wm_yaml_root(y), "/b/1/c/d")), 5);
    assert_int_equal(wm_yaml_line(y, NULL), 0);
    assert_int_equal(wm_yaml_fail(y, wm_json_at(wm_yaml_root(y), "/b/1/c/d"), &err, "unknown key '%s'", "d"),
                     WM_E_INVALID);
    assert_string_equal(err.where, "conf.yaml:5:7");
    assert_string_equal(err.msg, "unknown key 'd'");
}

static void a_long_file_name_does_not_push_the_line_out(void **state)
{
    wm_auto_free char *name = repeat("directory/", 30);
    struct wm_yaml *y = NULL;
    struct wm_error err = {0};

    (void)state;
    assert_int_equal(wm_yaml_parse(wm_str_of("\n\n  ["), name, 1000, &y, &err), WM_E_INVALID);
    assert_non_null(strstr(err.where, "directory/:4:1"));
}

static void large_integers_keep_their_text(void **state)
{
    wm_auto_yaml struct wm_yaml *y = NULL;

    (void)state;
    assert_int_equal(
        wm_yaml_parse(wm_str_of("[9007199254740993, 9007199254740991, -09007199254740993, 0x20000000000000]"),
                      NULL, 100, &y, NULL),
        WM_OK);
    assert_string_equal(wm_json_at(wm_yaml_root(y), "/0")->valuestring, "9007199254740993");
    assert_null(wm_json_at(wm_yaml_root(y), "/1")->valuestring);
    assert_string_equal(wm_json_at(wm_yaml_root(y), "/2")->valuestring, "-9007199254740993");
    assert_string_equal(wm_json_at(wm_yaml_root(y), "/3")->valuestring, "9007199254740992");
}

/* --- several documents --- */

static void documents_come_one_after_the_other(void **state)
{
    static const char text[] = "a: 1\n---\n# nothing\n---\n- b\n...\n---\nc: {d: 9007199254740993}\n";
    static const char *const json[] = {"{\"a\":1}", "null", "[\"b\"]", "{\"c\":{\"d\":9007199254740993}}"};
    static const unsigned lines[] = {1, 4, 5, 8};
    wm_auto_yaml_reader struct wm_yaml_reader *r = NULL;
    struct wm_yaml *y = NULL;

    (void)state;
    assert_int_equal(wm_yaml_open(wm_str_of(text), "f", 1000, &r, NULL), WM_OK);
    for (size_t i = 0; i < 4; i++) {
        wm_auto_buf struct wm_buf out = WM_BUF_MAX(1000);

        assert_int_equal(wm_yaml_next(r, &y, NULL), 1);
        wm_auto_json cJSON *copy = wm_yaml_copy(wm_yaml_root(y));

        assert_int_equal(wm_json_print(copy, &out, NULL), WM_OK);
        assert_string_equal(out.p, json[i]);
        assert_int_equal(wm_yaml_line(y, wm_yaml_root(y)), lines[i]);
        y = wm_yaml_free(y);
    }
    assert_int_equal(wm_yaml_next(r, &y, NULL), 0);
    assert_int_equal(wm_yaml_next(r, &y, NULL), 0);
}

static void an_error_ends_the_documents(void **state)
{
    wm_auto_yaml_reader struct wm_yaml_reader *r = NULL;
    wm_auto_yaml struct wm_yaml *y = NULL;
    struct wm_yaml *none = NULL;
    struct wm_error err = {0};

    (void)state;
    assert_int_equal(wm_yaml_open(wm_str_of("a: 1\n---\nb: [\n---\nc: 1\n"), "f", 1000, &r, NULL), WM_OK);
    assert_int_equal(wm_yaml_next(r, &y, NULL), 1);
    assert_int_equal(wm_yaml_next(r, &none, &err), WM_E_INVALID);
    assert_string_equal(err.where, "f:4:1");
    assert_int_equal(wm_yaml_next(r, &none, NULL), 0);
}

/* --- printing --- */

static void check_printing(const char *json, const char *yaml)
{
    wm_auto_json cJSON *tree = NULL;
    wm_auto_buf struct wm_buf out = WM_BUF_MAX(10000);

    assert_int_equal(wm_json_parse(wm_str_of(json), &tree, NULL), WM_OK);
    assert_int_equal(wm_yaml_print(tree, &out, NULL), WM_OK);
    assert_string_equal(out.p, yaml);
}

static void trees_print_as_kubectl_prints_them(void **state)
{
    (void)state;
    check_printing("{\"a\":{\"b\":[\"x\",{\"c\":null,\"d\":true}],\"e\":1.5},\"f\":{},\"g\":[]}",
                   "---\na:\n  b:\n  - x\n  - c: null\n    d: true\n  e: 1.5\nf: {}\ng: []\n");
    check_printing("{\"text\":\"one\\ntwo\\n\"}", "---\ntext: |\n  one\n  two\n");
}

static cJSON *nested(size_t levels)
{
    cJSON *tree = cJSON_CreateArray();

    for (size_t i = 1; i < levels; i++) {
        cJSON *outer = cJSON_CreateArray();

        cJSON_AddItemToArray(outer, tree);
        tree = outer;
    }
    return tree;
}

static void trees_may_be_as_deep_as_json(void **state)
{
    wm_auto_json cJSON *deepest = nested(WM_JSON_MAX_TREE_DEPTH + 1),
                       *deeper = nested(WM_JSON_MAX_TREE_DEPTH + 2);
    wm_auto_json cJSON *copy = wm_yaml_copy(deepest);
    wm_auto_buf struct wm_buf out = WM_BUF_MAX(100000);

    (void)state;
    assert_true(cJSON_Compare(copy, deepest, true));
    assert_int_equal(wm_yaml_print(deepest, &out, NULL), WM_OK);
    assert_null(wm_yaml_copy(deeper));
    assert_int_equal(wm_yaml_print(deeper, &out, NULL), WM_E_TOO_BIG);
}

/* What stands behind a node is not its own. */
static void a_part_of_a_tree_prints_alone(void **state)
{
    wm_auto_json cJSON *tree = NULL;
    wm_auto_buf struct wm_buf out = WM_BUF_MAX(100);

    (void)state;
    assert_int_equal(wm_json_parse(wm_str_of("{\"a\":{\"b\":[{}]},\"c\":1}"), &tree, NULL), WM_OK);
    assert_int_equal(wm_yaml_print(wm_json_at(tree, "/a"), &out, NULL), WM_OK);
    assert_string_equal(out.p, "---\nb:\n- {}\n");
}

static void what_looks_like_another_type_is_quoted(void **state)
{
    static const char *const texts[] = {"",    "true", "Yes",  "on",  "n",    "null",
                                        "~",   "1",    "-1",   "1e3", ".5",   "0x1f",
                                        "0b1", "1_0",  "1:30", "<<",  ".inf", "2026-11-21"};

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        char json[64], yaml[64];

        snprintf(json, sizeof json, "{\"a\":\"%s\"}", texts[i]);
        snprintf(yaml, sizeof yaml, "---\na: \"%s\"\n", texts[i]);
        check_printing(json, yaml);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(depth_is_stopped_while_reading),
        cmocka_unit_test(size_and_number_of_nodes_are_bounded),
        cmocka_unit_test(wide_mappings_cost_no_square),
        cmocka_unit_test(every_node_knows_its_line),
        cmocka_unit_test(a_long_file_name_does_not_push_the_line_out),
        cmocka_unit_test(large_integers_keep_their_text),
        cmocka_unit_test(documents_come_one_after_the_other),
        cmocka_unit_test(an_error_ends_the_documents),
        cmocka_unit_test(trees_print_as_kubectl_prints_them),
        cmocka_unit_test(trees_may_be_as_deep_as_json),
        cmocka_unit_test(a_part_of_a_tree_prints_alone),
        cmocka_unit_test(what_looks_like_another_type_is_quoted),
    };

    return RUN_TABLE("yaml", rows, check) + cmocka_run_group_tests(tests, NULL, NULL);
}
