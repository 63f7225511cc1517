/* Checked texts: what is passed over by its brackets, wherever it stands and however it is cut. */
#include <stdio.h>

#include "unit.h"
#include "waymark/json.h"

/* Containers whose end is not where a hasty reader would see it. */
static const struct row {
    const char *name, *text;
} rows[] = {
    {"an empty object ends", "{}"},
    {"an empty array ends", "[]"},
    {"brackets in strings close nothing", "{\"a\":\"}\",\"]\":[\"{\"],\"b\":\"[[[[\"}"},
    {"a quote behind a backslash ends no string", "{\"a\":\"\\\"}\",\"b\":1}"},
    {"a backslash behind a backslash hides nothing", "{\"a\":\"\\\\\",\"b\":{}}"},
    {"many backslashes", "{\"a\":\"\\\\\\\\\\\"}\\\\\\\\\",\"b\":\"\\\\\\\\\"}"},
    {"nested ones end with the last", "{\"a\":[[[{}],[]],{\"b\":[{\"c\":{}}]}],\"d\":[[],[[]]]}"},
    {"other bytes are no brackets", "{\"a\":\"\xc3\xa9\xf0\x9f\x98\x80\",\";\":\"=;{=\",\"\\u007d\":1.5e3}"},
    {"longer than many blocks",
     "{\"managedFields\":[{\"apiVersion\":\"velero.io/"
     "v1\",\"fieldsType\":\"FieldsV1\",\"fieldsV1\":{\"f:metadata\":"
     "{\"f:labels\":{\".\":{},\"f:velero.io/"
     "pvc-uid\":{}}},\"f:spec\":{\".\":{},\"f:pod\":{\".\":{},\"f:kind\":{}}}},"
     "\"manager\":\"a \\\"quoted\\\" "
     "one\",\"operation\":\"Update\"}],\"x\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
     "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]}"},
};

/* Before it as many bytes as make it begin anywhere in a block, behind it brackets that are not its own. */
static void it_ends_where_it_ends(void **state)
{
    const struct row *row = *state;
    size_t n = strlen(row->text);
    char text[1200];

    for (size_t behind = 0; behind < 130; behind++) {
        snprintf(text, sizeof text, "%s%.*s", row->text, (int)behind,
                 "}]\"}]}]}]}]{[{[{[\\\"}]}]}]}]}]}]}]}]}]}]}]}]}]}]}]}]}]}]}]}]}]}]}]}]}]}]}]}]}]}]}]}]}]}]}"
                 "]}]}]}]}]}"
                 "]}]}]}]}]}]}]}]}]}]}]}");
        struct wm_json_skip s = {0};

        assert_ptr_equal(wm_json_skip(&s, text, text + strlen(text)), text + n);
        assert_int_equal(s.depth, 0);
        assert_false(s.in_string || s.escaped);
    }
}

static void it_may_come_in_pieces(void **state)
{
    const struct row *row = *state;
    size_t n = strlen(row->text);

    for (size_t cut = 0; cut < n; cut++)
        for (size_t second = cut; second < n; second += 37) {
            struct wm_json_skip s = {0};

            assert_null(wm_json_skip(&s, row->text, row->text + cut));
            assert_null(wm_json_skip(&s, row->text + cut, row->text + second));
            assert_ptr_equal(wm_json_skip(&s, row->text + second, row->text + n), row->text + n);
        }
}

static void its_length_is_known_when_it_is_whole(void **state)
{
    const struct row *row = *state;
    size_t n = strlen(row->text);
    char text[1200];

    snprintf(text, sizeof text, "%s,{\"next\":1}", row->text);
    assert_int_equal(wm_json_object_length(wm_str_of(text)), row->text[0] == '{' ? n : 0);
    for (size_t cut = 0; cut < n; cut++)
        assert_int_equal(wm_json_object_length((struct wm_str){text, cut}), 0);
}

/* Between members that are asked for, and after them, at every place within a block. */
static void members_are_found_around_it(void **state)
{
    static const char *const pointers[] = {"/metadata/name", NULL, "/status", "/status/phase"};
    const struct row *row = *state;
    char text[1500];

    for (int pad = 0; pad < 70; pad++) {
        struct wm_json_span picked[4], located[4];

        snprintf(text, sizeof text,
                 "{\"%0*d\":%s,\"metadata\":{\"x\":%s,\"name\":\"n\"},\"status\":{\"y\":%s,\"phase\":\"p\"},"
                 "\"z\":%s}",
                 pad + 1, 0, row->text, row->text, row->text, row->text);
        assert_int_equal(wm_json_pick(wm_str_of(text), 4, pointers, picked, NULL), WM_OK);
        assert_int_equal(wm_json_locate(wm_str_of(text), 4, pointers, located, NULL), WM_OK);
        assert_true(wm_json_span_is(picked[0], "n") && wm_json_span_is(picked[3], "p"));
        assert_int_equal(picked[1].kind, WM_JSON_ABSENT);
        for (size_t i = 0; i < 4; i++) {
            assert_int_equal(picked[i].kind, located[i].kind);
            assert_true(wm_str_eq(picked[i].text, located[i].text));
        }
    }
}

/* --- texts that were not checked --- */

static const struct fault {
    const char *name, *text;
    int rc;
} faults[] = {
    {"what nobody asks for may be wrong", "{\"x\":{oops},\"a\":{\"b\":1}}", WM_OK},
    {"what is asked for is checked", "{\"x\":{},\"a\":{oops}}", WM_E_INVALID},
    {"what is asked within, too", "{\"x\":{},\"a\":{\"b\":{1}}}", WM_E_INVALID},
    {"an end that does not come", "{\"x\":{\"y\":[,\"a\":{\"b\":1}}", WM_E_INVALID},
    {"a string that does not end", "{\"x\":{\"y\":\"},\"a\":1}", WM_E_INVALID},
    {"a wanted member twice", "{\"a\":1,\"a\":2}", WM_E_INVALID},
    {"something behind the document", "{\"a\":1}}", WM_E_INVALID},
};

static void check_fault(void **state)
{
    static const char *const pointers[] = {"/a", "/a/b"};
    const struct fault *f = *state;
    struct wm_json_span spans[2];
    struct wm_error err = {0};

    assert_int_equal(wm_json_pick(wm_str_of(f->text), 2, pointers, spans, &err), f->rc);
    if (f->rc != WM_OK)
        assert_non_null(strstr(err.msg, "byte"));
}

static void an_object_deeper_than_64_levels_has_no_length(void **state)
{
    (void)state;
    for (size_t depth = 63; depth <= 65; depth++) {
        wm_auto_buf struct wm_buf text = WM_BUF_MAX(400);

        for (size_t i = 0; i < depth; i++)
            wm_buf_puts(&text, "{\"\":");
        wm_buf_puts(&text, "1");
        for (size_t i = 0; i < depth; i++)
            wm_buf_puts(&text, "}");
        assert_int_equal(wm_json_object_length(wm_buf_text(&text)), depth <= 64 ? text.n : 0);
    }
}

static void only_objects_have_a_length(void **state)
{
    static const char *const others[] = {"", "[]", "\"{}\"", " {}", "1", "{oops}", "{\"a\":\"\n\"}"};

    (void)state;
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        assert_int_equal(wm_json_object_length(wm_str_of(others[i])), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_object_deeper_than_64_levels_has_no_length),
        cmocka_unit_test(only_objects_have_a_length),
    };

    return RUN_TABLE("ends", rows, it_ends_where_it_ends) + RUN_TABLE("pieces", rows, it_may_come_in_pieces) +
           RUN_TABLE("length", rows, its_length_is_known_when_it_is_whole) +
           RUN_TABLE("around", rows, members_are_found_around_it) + RUN_TABLE("faults", faults, check_fault) +
           cmocka_run_group_tests(tests, NULL, NULL);
}
