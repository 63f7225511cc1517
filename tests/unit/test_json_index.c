#include "unit.h"
#include "waymark/json_index.h"
#include "waymark/time.h"

/* --- the index says what a tree says --- */

static void check_value(struct wm_json_value v, const cJSON *tree)
{
    struct wm_json_span s = wm_json_span_of(v);
    wm_auto_json cJSON *own = NULL;

    assert_int_equal(wm_json_parse(s.text, &own, NULL), WM_OK);
    assert_true(cJSON_Compare(own, tree, true));
    if (s.kind != WM_JSON_OBJECT && s.kind != WM_JSON_ARRAY) {
        assert_int_equal(wm_json_first(v).node, 0);
        return;
    }
    struct wm_json_value child = wm_json_first(v);
    const cJSON *item;

    cJSON_ArrayForEach(item, tree)
    {
        assert_true(child.node);
        if (item->string) {
            assert_true(wm_json_span_is(wm_json_key_of(child), item->string));
            assert_int_equal(wm_json_get(v, item->string).node, child.node);
        } else {
            assert_int_equal(wm_json_key_of(child).kind, WM_JSON_ABSENT);
        }
        check_value(child, item);
        child = wm_json_after(child);
    }
    assert_int_equal(child.node, 0);
    assert_int_equal(wm_json_count(v), cJSON_GetArraySize(tree));
}

static const struct {
    const char *name, *text;
} documents[] = {
    {"index: empty object", "{}"},
    {"index: empty array", "[]"},
    {"index: scalars", "{\"a\":1,\"b\":\"x\",\"c\":null,\"d\":true,\"e\":false,\"f\":-1.5e3}"},
    {"index: nested", "{\"a\":{\"b\":{\"c\":[1,[2,[3]],{\"d\":{}}]}},\"z\":[]}"},
    {"index: spaces", " { \"a\" : [ 1 , { \"b\" : \"c\" } ] , \"d\" : { } } "},
    {"index: keys with escapes", "{\"a\\u0062\":1,\"c\\\"d\":2,\"e\":3}"},
    {"index: a key that begins another", "{\"name\":1,\"names\":2,\"nam\":3}"},
    {"index: array of objects", "[{\"a\":1},{\"a\":2},{\"a\":[{\"a\":3}]}]"},
};

static void an_index_says_what_a_tree_says(void **state)
{
    const char *text = ((const char *const *)*state)[1];
    wm_auto_index struct wm_json_index x = {0};
    wm_auto_json cJSON *tree = NULL;

    assert_int_equal(wm_json_index(wm_str_of(text), &x, NULL), WM_OK);
    assert_int_equal(wm_json_parse(wm_str_of(text), &tree, NULL), WM_OK);
    check_value(wm_json_root(&x, 0), tree);
}

static void only_what_was_chosen_is_indexed(void **state)
{
    static const char *const pointers[] = {"/a", "/a/b", "/c", "/d", "/e"};
    static const char text[] = "{\"a\":{\"b\":{\"x\":1}},\"c\":[1,2],\"d\":\"scalar\",\"z\":{\"b\":2}}";
    struct wm_json_span spans[5];
    wm_auto_index struct wm_json_index x = {0};

    (void)state;
    assert_int_equal(wm_json_locate_indexed(wm_str_of(text), 5, pointers, spans, 0x1d, &x, NULL), WM_OK);
    assert_int_equal(wm_json_count(wm_json_root(&x, 0)), 1);
    assert_int_equal(wm_json_root(&x, 1).node, 0); /* not chosen; reached through /a */
    assert_true(wm_json_span_is(wm_json_span_of(wm_json_get(wm_json_root(&x, 0), "b")), "") == false);
    assert_int_equal(wm_json_kind_of(wm_json_get(wm_json_get(wm_json_root(&x, 0), "b"), "x")),
                     WM_JSON_NUMBER);
    assert_int_equal(wm_json_count(wm_json_root(&x, 2)), 2);
    assert_int_equal(wm_json_root(&x, 3).node, 0); /* a scalar has no nodes, its span tells it */
    assert_int_equal(spans[3].kind, WM_JSON_STRING);
    assert_int_equal(wm_json_root(&x, 4).node, 0);
    assert_int_equal(x.n, 1 + 3 + 3);
}

static void the_last_of_two_members_with_one_name_counts(void **state)
{
    wm_auto_index struct wm_json_index x = {0};

    (void)state;
    assert_int_equal(wm_json_index(wm_str_of("{\"a\":1,\"b\":2,\"\\u0061\":3}"), &x, NULL), WM_OK);
    assert_true(wm_str_is(wm_json_span_of(wm_json_get(wm_json_root(&x, 0), "a")).text, "3"));
}

static void a_key_is_met_as_a_whole(void **state)
{
    static const struct wm_str keys[] = {WM_STR("names"), WM_STR("nam"), WM_STR(""), WM_STR("name"),
                                         WM_STR("namesake")};
    static const char *const want[] = {"4", "5", "1", "3", NULL};
    enum { N = sizeof keys / sizeof keys[0] };
    wm_auto_index struct wm_json_index x = {0};
    struct wm_json_value found[N];

    (void)state;
    assert_int_equal(
        wm_json_index(wm_str_of("{\"\":1,\"na\":2,\"name\":3,\"names\":4,\"n\\u0061m\":5,\"names\\\"\":6}"),
                      &x, NULL),
        WM_OK);
    wm_json_collect(wm_json_root(&x, 0), keys, found, N);
    for (size_t i = 0; i < N; i++) {
        assert_true(wm_str_eq(wm_json_span_of(found[i]).text, wm_str_of(want[i])));
        assert_int_equal(wm_json_get(wm_json_root(&x, 0), keys[i].p).node, found[i].node);
    }
}

static void absent_values_have_nothing_in_them(void **state)
{
    struct wm_json_value none = {0};

    (void)state;
    assert_int_equal(wm_json_kind_of(none), WM_JSON_ABSENT);
    assert_int_equal(wm_json_get(none, "a").node, 0);
    assert_int_equal(wm_json_first(none).node, 0);
    assert_int_equal(wm_json_count(none), 0);
    assert_int_equal(wm_json_span_of(none).kind, WM_JSON_ABSENT);
    assert_int_equal(wm_json_key_of(none).kind, WM_JSON_ABSENT);
}

static void a_text_with_too_many_values_is_refused_and_the_index_serves_again(void **state)
{
    size_t n = 2 * (size_t)WM_JSON_INDEX_MAX_NODES + 1; /* "[0,0,...,0]" */
    char *text = malloc(n);
    wm_auto_index struct wm_json_index x = {0};
    struct wm_error err = {0};

    (void)state;
    for (size_t i = 0; i < n; i++)
        text[i] = i % 2 ? '0' : ',';
    text[0] = '[';
    text[n - 1] = ']';
    assert_int_equal(wm_json_index((struct wm_str){text, n}, &x, &err), WM_E_TOO_BIG);
    assert_int_equal(wm_json_root(&x, 0).node, 0);
    free(text);
    assert_int_equal(wm_json_index(wm_str_of("[1,2]"), &x, NULL), WM_OK);
    assert_int_equal(wm_json_count(wm_json_root(&x, 0)), 2);
}

static void what_is_no_json_has_no_roots(void **state)
{
    wm_auto_index struct wm_json_index x = {0};

    (void)state;
    assert_int_equal(wm_json_index(wm_str_of("{\"a\":[1,2}"), &x, NULL), WM_E_INVALID);
    assert_int_equal(wm_json_root(&x, 0).node, 0);
}

/* --- sameness --- */

static const struct pair {
    const char *name, *a, *b;
    bool same;
} pairs[] = {
    {"same: equal texts", "{\"a\":[1,2]}", "{\"a\":[1,2]}", true},
    {"same: other spaces", "{\"a\":[1,2]}", "{ \"a\" : [ 1, 2 ] }", true},
    {"same: members in another order", "{\"a\":1,\"b\":{\"c\":2,\"d\":[3]}}",
     "{\"b\":{\"d\":[3],\"c\":2},\"a\":1}", true},
    {"same: other escapes", "{\"a\":\"x<\"}", "{\"\\u0061\":\"x\\u003c\"}", true},
    {"differs: a scalar", "{\"a\":1}", "{\"a\":2}", false},
    {"differs: a kind", "{\"a\":\"1\"}", "{\"a\":1}", false},
    {"differs: null and absent", "{\"a\":null}", "{}", false},
    {"differs: a key", "{\"a\":1}", "{\"b\":1}", false},
    {"differs: items in another order", "[1,2]", "[2,1]", false},
    {"differs: an item more", "[1,2]", "[1,2,3]", false},
    {"differs: nesting", "[[1],2]", "[[1,2]]", false},
    {"differs: object and array", "{}", "[]", false},
    {"differs: keys changed hands", "{\"a\":1,\"b\":2}", "{\"b\":1,\"a\":2}", false},
    {"differs: deep, in another order", "{\"a\":{\"x\":1},\"b\":2}", "{\"b\":2,\"a\":{\"x\":3}}", false},
    {"differs: moved between members", "{\"a\":[1],\"b\":[]}", "{\"b\":[1],\"a\":[]}", false},
};

static void sameness_is_of_meaning(void **state)
{
    const struct pair *p = *state;
    wm_auto_index struct wm_json_index a = {0}, b = {0};

    assert_int_equal(wm_json_index(wm_str_of(p->a), &a, NULL), WM_OK);
    assert_int_equal(wm_json_index(wm_str_of(p->b), &b, NULL), WM_OK);
    assert_int_equal(wm_json_same(wm_json_root(&a, 0), wm_json_root(&b, 0)), p->same);
    assert_int_equal(wm_json_same(wm_json_root(&b, 0), wm_json_root(&a, 0)), p->same);
    assert_false(wm_json_same(wm_json_root(&a, 0), (struct wm_json_value){0}));
}

/* --- lines --- */

static const struct line {
    const char *name, *value, *want;
} lines[] = {
    {"line: plain", "\"plain\"", "plain"},
    {"line: nothing in it", "\"\"", ""},
    {"line: escapes", "\"a\\n\\u00e9\\\"\"", "a \xc3\xa9\""},
    {"line: DEL", "\"a\x7f\"", "a "},
    {"line: just long enough", "\"123456789\"", "123456789"},
    {"line: too long", "\"1234567890\"", "123456..."},
    {"line: too long only as it is written", "\"1234567\\u0038\"", "12345678"},
    {"line: too long with escapes", "\"\\n234567890\"", " 23456..."},
    {"line: cut at a whole character", "\"12345\xc3\xa9\xc3\xa9\xc3\xa9\"", "12345..."},
    {"line: a NUL stays as it is written", "\"\\u0000\"", "\"\\u0000\""},
    {"line: no text", "[1,\n2]", "[1, 2]"},
    {"line: null", "null", "null"},
};

static void a_value_is_one_line(void **state)
{
    static const char *const whole[] = {""};
    const struct line *l = *state;
    struct wm_json_span span;
    char out[sizeof "123456789"] = "x";

    assert_int_equal(wm_json_locate(wm_str_of(l->value), 1, whole, &span, NULL), WM_OK);
    wm_json_line(span, out, sizeof out);
    assert_string_equal(out, l->want);
    wm_json_line((struct wm_json_span){0}, out, sizeof out);
    assert_string_equal(out, "");
}

/* --- times --- */

static const struct moment {
    const char *name, *text;
    int64_t s; /* -1 = refused */
} moments[] = {
    {"time: the epoch", "1970-01-01T00:00:00Z", 0},
    {"time: today", "2026-11-21T07:18:00Z", 1795245480},
    {"time: a leap day", "2024-02-29T23:59:59Z", 1709251199},
    {"time: the day after", "2024-03-01T00:00:00Z", 1709251200},
    {"time: fractions are cut", "2026-11-21T07:18:00.999999Z", 1795245480},
    {"time: an offset east", "2026-11-21T09:18:00+02:00", 1795245480},
    {"time: an offset west", "2026-11-21T00:48:00-06:30", 1795245480},
    {"time: a century that is no leap year", "2100-03-01T00:00:00Z", 4107542400},
    {"time: no zone", "2026-11-21T07:18:00", -1},
    {"time: month 13", "2026-13-21T07:18:00Z", -1},
    {"time: hour 24", "2026-11-21T24:18:00Z", -1},
    {"time: hour 23", "2026-11-21T23:59:60Z", 1795305600},
    {"time: second 61", "2026-11-21T23:59:61Z", -1},
    {"time: minute 60", "2026-11-21T07:60:00Z", -1},
    {"time: month 0", "2026-00-21T07:18:00Z", -1},
    {"time: day 0", "2026-11-00T07:18:00Z", -1},
    {"time: day 32", "2026-11-32T07:18:00Z", -1},
    {"time: a letter for a digit", "2O26-11-21T07:18:00Z", -1},
    {"time: a sign for a digit", "2026-11-21T07:18:+1Z", -1},
    {"time: more than ASCII", "2026-11-21T07:18:0\xb0Z", -1},
    {"time: a space for the T", "2026-11-21 07:18:00Z", -1},
    {"time: another sign between", "2026-11-21T07.18:00Z", -1},
    {"time: an offset in words", "2026-11-21T07:18:00+0a:00", -1},
    {"time: words", "yesterday", -1},
    {"time: nothing", "", -1},
    {"time: something behind", "2026-11-21T07:18:00Zx", -1},
};

static void times_are_read(void **state)
{
    const struct moment *m = *state;
    int64_t s = -1;

    assert_int_equal(wm_time_parse(wm_str_of(m->text), &s), m->s >= 0);
    assert_int_equal(s, m->s);
}

static const struct written_time {
    const char *name;
    int64_t us;
    const char *text;
} written_times[] = {
    {"time: microseconds keep their zeros", INT64_C(1795245480000042), "2026-11-21T07:18:00.000042Z"},
    {"time: the beginning", 0, "1970-01-01T00:00:00.000000Z"},
    {"time: before the beginning", -1, "1970-01-01T00:00:00.000000Z"},
    {"time: a leap day's last moment", INT64_C(1709251199999999), "2024-02-29T23:59:59.999999Z"},
    {"time: a century without leap day", INT64_C(4107542400000000), "2100-03-01T00:00:00.000000Z"},
    {"time: beyond the year 9999", INT64_MAX, "9999-12-31T23:59:59.999999Z"},
};

static void times_are_written(void **state)
{
    const struct written_time *w = *state;
    char text[WM_TIME_US_SIZE];
    int64_t s;

    wm_time_format_us(w->us, text);
    assert_string_equal(text, w->text);
    assert_true(wm_time_parse(wm_str_of(text), &s));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_was_chosen_is_indexed),
        cmocka_unit_test(the_last_of_two_members_with_one_name_counts),
        cmocka_unit_test(a_key_is_met_as_a_whole),
        cmocka_unit_test(absent_values_have_nothing_in_them),
        cmocka_unit_test(a_text_with_too_many_values_is_refused_and_the_index_serves_again),
        cmocka_unit_test(what_is_no_json_has_no_roots),
    };
    int failed = RUN_TABLE("index", documents, an_index_says_what_a_tree_says);

    failed += RUN_TABLE("sameness", pairs, sameness_is_of_meaning);
    failed += RUN_TABLE("lines", lines, a_value_is_one_line);
    failed += RUN_TABLE("times", moments, times_are_read);
    failed += RUN_TABLE("written times", written_times, times_are_written);
    return failed + cmocka_run_group_tests_name("index and its edges", tests, NULL, NULL);
}
