/* What is passed over by its brackets, wherever it stands and however it is cut; what is asked for around it.
 */
#include <stdio.h>

#include "unit.h"
#include "waymark/json_index.h"

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

/* No JSON, but its end is no matter of how it is cut or where it stands. */
static const struct row no_json[] = {
    {"a backslash outside of strings hides a quote", "{\"a\":\\\"}"},
    {"and no bracket", "{\"a\":\\{\\}\\\\\\\"}"},
    {"brackets are all alike", "{[}{]]"},
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

/* --- what is asked of many texts --- */

static void one_question_is_asked_of_many_texts(void **state)
{
    static const char *const pointers[] = {
        "/metadata/name", "/metadata",        NULL, "", "/metadata/labels/a~1b", "/spec/x~0",
        "/metadata/nam",  "/metadata/labels",
    };
    enum { N = sizeof pointers / sizeof pointers[0] };
    static const struct {
        const char *text;
        int rc;
        const char *found[N];
    } texts[] = {
        {"{\"metadata\":{\"name\":\"n\",\"labels\":{\"a/b\":1}},\"spec\":{\"x~\":2}}",
         WM_OK,
         {"\"n\"", "{\"name\":\"n\",\"labels\":{\"a/b\":1}}", "",
          "{\"metadata\":{\"name\":\"n\",\"labels\":{\"a/b\":1}},\"spec\":{\"x~\":2}}", "1", "2", "",
          "{\"a/b\":1}"}},
        {"{\"metadata\":[{\"name\":1}]}", WM_OK, {"", "[{\"name\":1}]", "", "{\"metadata\":[{\"name\":1}]}"}},
        {"{\"metadat\\u0061\":{\"nam\":1,\"Name\":2}}",
         WM_OK,
         {"", "{\"nam\":1,\"Name\":2}", "", "{\"metadat\\u0061\":{\"nam\":1,\"Name\":2}}", "", "", "1"}},
        {"{\"metadata\":{\"name\":1,\"n\\u0061me\":2}}", WM_E_INVALID, {"1"}},
        {"{\"spec\":{\"metadata\":{\"name\":1}},\"name\":2}",
         WM_OK,
         {"", "", "", "{\"spec\":{\"metadata\":{\"name\":1}},\"name\":2}"}},
        {"[]", WM_OK, {"", "", "", "[]"}},
    };
    struct wm_json_wanted wanted;
    wm_auto_index struct wm_json_index x = {0};

    (void)state;
    wm_json_want(&wanted, N, pointers);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct wm_json_span picked[N], located[N];

        assert_int_equal(wm_json_pick_wanted(wm_str_of(texts[i].text), &wanted, picked, 0, &x, NULL),
                         texts[i].rc);
        assert_int_equal(wm_json_locate(wm_str_of(texts[i].text), N, pointers, located, NULL), texts[i].rc);
        for (size_t p = 0; p < N; p++) {
            assert_true(wm_str_eq(picked[p].text, wm_str_of(texts[i].found[p] ? texts[i].found[p] : "")));
            assert_true(wm_str_eq(located[p].text, picked[p].text));
        }
    }
}

/* As many as there may be, all beside one another. */
static void sixty_four_members_are_told_apart(void **state)
{
    static char pointers[WM_JSON_MAX_POINTERS][16];
    const char *list[WM_JSON_MAX_POINTERS];
    struct wm_json_span spans[WM_JSON_MAX_POINTERS];
    wm_auto_buf struct wm_buf text = WM_BUF_MAX(4000);

    (void)state;
    for (size_t i = 0; i < WM_JSON_MAX_POINTERS; i++) {
        snprintf(pointers[i], sizeof pointers[i], "/k%zu", i);
        list[i] = pointers[i];
        wm_buf_printf(&text, "%s\"k%zu\":%zu", i ? "," : "{", i, 1000 + i);
    }
    wm_buf_puts(&text, "}");
    assert_int_equal(wm_json_locate(wm_buf_text(&text), WM_JSON_MAX_POINTERS, list, spans, NULL), WM_OK);
    for (size_t i = 0; i < WM_JSON_MAX_POINTERS; i++)
        assert_int_equal(wm_str_digits(spans[i].text, 0), 1000 + (int)i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_question_is_asked_of_many_texts),
        cmocka_unit_test(sixty_four_members_are_told_apart),
    };

    return RUN_TABLE("ends", rows, it_ends_where_it_ends) + RUN_TABLE("pieces", rows, it_may_come_in_pieces) +
           RUN_TABLE("no JSON ends", no_json, it_ends_where_it_ends) +
           RUN_TABLE("no JSON in pieces", no_json, it_may_come_in_pieces) +
           RUN_TABLE("around", rows, members_are_found_around_it) + RUN_TABLE("faults", faults, check_fault) +
           cmocka_run_group_tests(tests, NULL, NULL);
}
