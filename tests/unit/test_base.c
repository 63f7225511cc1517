#include <stdio.h>

#include "unit.h"
#include "waymark/buf.h"
#include "waymark/duration.h"
#include "waymark/json.h"

static char *big(const char *unit, size_t n, const char *before, const char *after)
{
    size_t u = strlen(unit), b = strlen(before), a = strlen(after);
    char *p = malloc(b + u * n + a + 1);

    memcpy(p, before, b);
    for (size_t i = 0; i < n; i++)
        memcpy(p + b + i * u, unit, u);
    memcpy(p + b + u * n, after, a + 1);
    return p;
}

/* --- which texts are JSON --- */

static const struct text_row {
    const char *name, *text;
    bool ok;
} texts[] = {
    {"empty text is no JSON", "", false},
    {"only spaces", "  \n", false},
    {"a scalar document", " 12.5e-3 ", true},
    {"empty object", "{}", true},
    {"nested with spaces", " { \"a\" : [ 1 , { } , [ ] ] } ", true},
    {"garbage after the document", "{}x", false},
    {"two documents", "{}{}", false},
    {"leading zero", "01", false},
    {"bare minus", "-", false},
    {"fraction without digits", "1.", false},
    {"exponent without digits", "1e+", false},
    {"plus sign", "+1", false},
    {"NaN", "NaN", false},
    {"trailing comma in object", "{\"a\":1,}", false},
    {"trailing comma in array", "[1,]", false},
    {"missing comma", "[1 2]", false},
    {"missing colon", "{\"a\" 1}", false},
    {"key without quotes", "{a:1}", false},
    {"wrong bracket", "[1}", false},
    {"cut in an object", "{\"a\":", false},
    {"cut in a string", "\"abc", false},
    {"cut in an escape", "\"\\u00", false},
    {"unknown escape", "\"\\x\"", false},
    {"raw newline in a string", "\"a\nb\"", false},
    {"two-byte UTF-8", "\"\xc3\xa9\"", true},
    {"overlong UTF-8", "\"\xc0\xaf\"", false},
    {"UTF-8 of a surrogate", "\"\xed\xa0\x80\"", false},
    {"UTF-8 beyond the last character", "\"\xf4\x90\x80\x80\"", false},
    {"four-byte UTF-8", "\"\xf0\x9f\x98\x80\"", true},
    {"stray continuation byte", "\"\x80\"", false},
    {"byte order mark", "\xef\xbb\xbf{}", false},
    {"words", "[true,false,null]", true},
    {"a word cut short", "[tru]", false},
    {"long plain string over the vector width", "\"0123456789abcdef0123456789abcdef0123\"", true},
    {"control character behind 16 plain bytes", "\"0123456789abcdef\x01\"", false},
};

static void check_text(void **state)
{
    const struct text_row *t = *state;
    struct wm_error err = {0};
    int rc = wm_json_locate(wm_str_of(t->text), 0, NULL, NULL, &err);

    assert_int_equal(rc, t->ok ? WM_OK : WM_E_INVALID);
    if (!t->ok)
        assert_non_null(strstr(err.msg, "byte"));
}

/* Where nobody looks a text is read in another way, to the same end. */
static void check_unasked_text(void **state)
{
    static const char *const looked_at[] = {"/q/z"};
    const struct text_row *t = *state;
    struct wm_json_span span;
    struct wm_error careful = {0}, quick = {0};
    char whole[128];

    snprintf(whole, sizeof whole, "{\"q\": {\"z\": %s} }", t->text);
    int rc = wm_json_locate(wm_str_of(whole), 0, NULL, NULL, &quick);

    assert_int_equal(rc, t->ok ? WM_OK : WM_E_INVALID);
    assert_int_equal(wm_json_locate(wm_str_of(whole), 1, looked_at, &span, &careful), rc);
    assert_string_equal(quick.where, careful.where);
    assert_string_equal(quick.msg, careful.msg);
}

/* --- finding members --- */

static const char *const wanted[] = {"/a", "/a/b", "/a/b/c", "/x~1y", "/m~0n/k"};

static const struct find_row {
    const char *name, *text;
    const char *spans[5];
    bool ok;
} finds[] = {
    {"prefixes of one another", "{\"a\":{\"b\":{\"c\":1}}}", {"{\"b\":{\"c\":1}}", "{\"c\":1}", "1"}, true},
    {"escaped pointer tokens", "{\"x/y\":\"s\",\"m~n\":{\"k\":[1]}}", {0, 0, 0, "\"s\"", "[1]"}, true},
    {"escaped keys are equal to plain ones", "{\"\\u0061\":{\"\\u0062\":2}}", {"{\"\\u0062\":2}", "2"}, true},
    {"case matters", "{\"A\":1}", {0}, true},
    {"a key with a slash is no path", "{\"a/b\":1,\"a\":{\"b/c\":2}}", {"{\"b/c\":2}"}, true},
    {"an empty key is none of them", "{\"\":1,\"a\":{\"\":2}}", {"{\"\":2}"}, true},
    {"same key elsewhere is another", "{\"z\":{\"a\":1},\"a\":2}", {"2"}, true},
    {"members of arrays are not members", "[{\"a\":1}]", {0}, true},
    {"null is found", "{\"a\":null}", {"null"}, true},
    {"a wanted key twice is refused", "{\"a\":1,\"a\":2}", {"1"}, false},
    {"also when once escaped", "{\"a\":1,\"\\u0061\":2}", {"1"}, false},
    {"an unwanted key twice does not matter", "{\"q\":1,\"q\":2,\"a\":3}", {"3"}, true},
    {"a path twice through its parent", "{\"a\":{\"b\":1},\"a\":{}}", {"{\"b\":1}", "1"}, false},
    {"what stood before a fault is known", "{\"a\":7,,", {"7"}, false},
};

static void check_find(void **state)
{
    const struct find_row *t = *state;
    struct wm_json_span spans[5];
    int rc = wm_json_locate(wm_str_of(t->text), 5, wanted, spans, NULL);

    assert_int_equal(rc, t->ok ? WM_OK : WM_E_INVALID);
    for (size_t i = 0; i < 5; i++) {
        if (!t->spans[i]) {
            assert_int_equal(spans[i].kind, WM_JSON_ABSENT);
            continue;
        }
        assert_int_equal(spans[i].text.n, strlen(t->spans[i]));
        assert_memory_equal(spans[i].text.p, t->spans[i], spans[i].text.n);
    }
}

static void depth_is_bounded_at_what_the_api_server_takes(void **state)
{
    (void)state;
    wm_auto_free char *open = big("[", WM_JSON_MAX_DEPTH, "", ""),
                      *close = big("]", WM_JSON_MAX_DEPTH, open, "");
    wm_auto_free char *over = big("]", 1, "[", "");
    wm_auto_free char *deeper = malloc(2 * WM_JSON_MAX_DEPTH + 3);

    assert_int_equal(wm_json_locate(wm_str_of(close), 0, NULL, NULL, NULL), WM_OK);
    sprintf(deeper, "[%s]", close);
    assert_int_equal(wm_json_locate(wm_str_of(deeper), 0, NULL, NULL, NULL), WM_E_INVALID);
    assert_int_equal(wm_json_locate(wm_str_of(over), 0, NULL, NULL, NULL), WM_OK);
}

/* --- strings --- */

static const struct string_row {
    const char *name, *json, *want; /* NULL = refused */
} strings[] = {
    {"plain", "\"abc\"", "abc"},
    {"short escapes", "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t"},
    {"unicode escapes", "\"\\u0041\\u00e9\\u20ac\"", "A\xc3\xa9\xe2\x82\xac"},
    {"surrogate pair", "\"\\ud83d\\ude00\"", "\xf0\x9f\x98\x80"},
    {"lone high surrogate", "\"\\ud83dx\"", "\xef\xbf\xbdx"},
    {"lone low surrogate", "\"\\ude00\"", "\xef\xbf\xbd"},
    {"high surrogate twice", "\"\\ud83d\\ud83d\"", "\xef\xbf\xbd\xef\xbf\xbd"},
    {"NUL is refused", "\"a\\u0000b\"", NULL},
    {"a number is no string", "1", NULL},
};

static void check_string(void **state)
{
    const struct string_row *t = *state;
    static const char *const root[] = {""};
    struct wm_json_span span;
    wm_auto_buf struct wm_buf out = WM_BUF_MAX(100), quoted = WM_BUF_MAX(300), again = WM_BUF_MAX(300);

    assert_int_equal(wm_json_locate(wm_str_of(t->json), 1, root, &span, NULL), WM_OK);
    assert_int_equal(wm_json_unescape(span, &out, NULL), t->want ? WM_OK : WM_E_INVALID);
    if (!t->want)
        return;
    assert_string_equal(out.p, t->want);
    assert_true(wm_json_span_is(span, t->want));
    /* quoting and reading again gives the same */
    wm_json_quote(&quoted, wm_buf_text(&out));
    assert_int_equal(wm_json_locate(wm_buf_text(&quoted), 1, root, &span, NULL), WM_OK);
    assert_int_equal(wm_json_unescape(span, &again, NULL), WM_OK);
    assert_string_equal(again.p, t->want);
}

static void quoting_bytes_that_are_not_utf8_gives_json(void **state)
{
    (void)state;
    wm_auto_buf struct wm_buf out = WM_BUF_MAX(100);

    wm_json_quote(&out, wm_str_of("a\xff\xc3(\x01"));
    assert_string_equal(out.p, "\"a\xef\xbf\xbd\xef\xbf\xbd(\\u0001\"");
}

static void iterating_gives_members_in_order(void **state)
{
    (void)state;
    static const char *const root[] = {""};
    struct wm_json_span span;
    wm_auto_buf struct wm_buf seen = WM_BUF_MAX(200);

    assert_int_equal(
        wm_json_locate(
            wm_str_of("{ \"a\" : 1 , \"b]}\" : [ {\"x\":\"}\"} , -2e3 ], \"c\":{}, \"d\":\"\\\\\" }"), 1,
            root, &span, NULL),
        WM_OK);
    for (struct wm_json_iter it = wm_json_iter(span); wm_json_next(&it);)
        wm_buf_printf(&seen, "%.*s=%.*s;", (int)it.key.text.n, it.key.text.p, (int)it.value.text.n,
                      it.value.text.p);
    assert_string_equal(seen.p, "\"a\"=1;\"b]}\"=[ {\"x\":\"}\"} , -2e3 ];\"c\"={};\"d\"=\"\\\\\";");
}

/* --- trees --- */

static void trees_refuse_what_cjson_would_let_through(void **state)
{
    static const char *const bad[] = {"{\"a\":1}x", "\"\\u0000\"", "01", "\"\xff\"", "[1.]"};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        cJSON *doc = NULL;

        assert_int_equal(wm_json_parse(wm_str_of(bad[i]), &doc, NULL), WM_E_INVALID);
        assert_null(doc);
    }
    wm_auto_free char *deep = big("[", WM_JSON_MAX_TREE_DEPTH + 1, "", "");
    cJSON *doc = NULL;

    assert_int_equal(wm_json_parse(wm_str_of(deep), &doc, NULL), WM_E_INVALID);
}

static void pointers_lead_through_objects_and_arrays(void **state)
{
    wm_auto_json cJSON *doc = NULL;

    (void)state;
    assert_int_equal(
        wm_json_parse(wm_str_of("{\"a\":[{\"b/c\":\"x\"},5],\"t\":true,\"big\":9007199254740993}"), &doc,
                      NULL),
        WM_OK);
    assert_string_equal(wm_json_str(doc, "/a/0/b~1c"), "x");
    assert_int_equal(wm_json_i64(doc, "/a/1", -1), 5);
    assert_int_equal(wm_json_i64(doc, "/big", -1), -1);
    assert_null(wm_json_at(doc, "/a/2"));
    assert_null(wm_json_at(doc, "/A"));
    assert_null(wm_json_at(doc, "/a/-"));
    assert_true(wm_json_bool(doc, "/t"));
}

/* --- buffers and errors --- */

static void a_full_buffer_stays_full_and_says_so(void **state)
{
    wm_auto_buf struct wm_buf b = WM_BUF_MAX(5);
    struct wm_error err = {0};

    (void)state;
    wm_buf_puts(&b, "abc");
    wm_buf_puts(&b, "def");
    wm_buf_puts(&b, "g");
    assert_string_equal(b.p, "abc");
    assert_int_equal(wm_buf_check(&b, &err), WM_E_TOO_BIG);
    assert_non_null(strstr(err.msg, "5 bytes"));
    wm_buf_clear(&b);
    wm_buf_printf(&b, "%d", 12345);
    assert_string_equal(b.p, "12345");
    wm_buf_shift(&b, 2);
    assert_string_equal(b.p, "345");
}

static void only_digits_are_a_number(void **state)
{
    (void)state;
    assert_int_equal(wm_str_digits(wm_str_of("410"), -1), 410);
    assert_int_equal(wm_str_digits(wm_str_of("999999999"), -1), 999999999);
    assert_int_equal(wm_str_digits(wm_str_of("1000000000"), -1), -1);
    assert_int_equal(wm_str_digits(wm_str_of("-4"), -1), -1);
    assert_int_equal(wm_str_digits(wm_str_of("4x"), -1), -1);
    assert_int_equal(wm_str_digits(wm_str_of(""), -1), -1);
}

static void context_is_put_before_an_error_and_lines_stay_one(void **state)
{
    struct wm_error err = {0};

    (void)state;
    assert_int_equal(wm_fail(&err, WM_E_IO, "file:3", "bad\nthing"), WM_E_IO);
    assert_int_equal(wm_fail_in(&err, "reading %s", "x"), WM_E_IO);
    assert_string_equal(err.msg, "reading x: bad thing");
    assert_string_equal(err.where, "file:3");
    assert_string_equal(wm_code_name(WM_E_TOO_BIG), "TooBig");
}

/* --- durations --- */

static const struct duration_row {
    const char *name, *text;
    int64_t s; /* -1 = none */
} durations[] = {
    {"hours, minutes and seconds", "1h2m3s", 3723},
    {"minutes alone", "240m", 14400},
    {"a fraction", "1.5h", 5400},
    {"a fraction without a whole", ".5m", 30},
    {"less than a second", "1500ms", 1},
    {"no unit", "90", -1},
    {"no number", "h", -1},
    {"two points", "1.5.5h", -1},
    {"a sign", "-1h", -1},
    {"an unknown unit", "1d", -1},
    {"nothing", "", -1},
    {"longer than a century", "900000000h", -1},
};

static void check_duration(void **state)
{
    const struct duration_row *row = *state;
    int64_t s = -1;
    bool ok = wm_duration_parse(wm_str_of(row->text), &s);

    assert_int_equal(ok, row->s >= 0);
    assert_int_equal(s, row->s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(depth_is_bounded_at_what_the_api_server_takes),
        cmocka_unit_test(quoting_bytes_that_are_not_utf8_gives_json),
        cmocka_unit_test(iterating_gives_members_in_order),
        cmocka_unit_test(trees_refuse_what_cjson_would_let_through),
        cmocka_unit_test(pointers_lead_through_objects_and_arrays),
        cmocka_unit_test(a_full_buffer_stays_full_and_says_so),
        cmocka_unit_test(only_digits_are_a_number),
        cmocka_unit_test(context_is_put_before_an_error_and_lines_stay_one),
    };

    return RUN_TABLE("json text", texts, check_text) +
           RUN_TABLE("json text unasked", texts, check_unasked_text) +
           RUN_TABLE("json find", finds, check_find) + RUN_TABLE("json string", strings, check_string) +
           RUN_TABLE("duration", durations, check_duration) + cmocka_run_group_tests(tests, NULL, NULL);
}
