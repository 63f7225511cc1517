/* Patches of conditions and annotations: each is applied to the object that it was made from, and to others.
 */
#include "tests/support/sight_read.h"
#include "unit.h"
#include "waymark/patch.h"
#include "waymark/time.h"

#define NOW 1767323045 /* 2026-01-02T03:04:05Z */
#define T_NOW "\"lastTransitionTime\":\"2026-01-02T03:04:05Z\""
#define T_OLD "\"lastTransitionTime\":\"2025-12-01T00:00:00Z\""
#define META "\"metadata\":{\"uid\":\"u1\",\"resourceVersion\":\"7\"}"
#define OBJECT(conditions) "{" META ",\"status\":{\"phase\":\"P\",\"conditions\":" conditions "}}"
#define READY "{\"type\":\"Ready\",\"status\":\"True\",\"category\":\"Required\"," T_OLD "}"
#define RUNNING "{\"type\":\"Running\",\"status\":\"True\",\"category\":\"Advisory\"," T_OLD "}"
#define MTC(type, status, reason, message, time)                                                             \
    "{\"type\":\"" type "\",\"status\":\"" status "\",\"category\":\"Advisory\",\"durable\":true,"           \
    "\"reason\":\"" reason "\",\"message\":\"" message "\"," time "}"
#define PROGRESS(time) MTC("Progress", "True", "R", "M", time)
#define OUTCOME(time) MTC("Outcome", "True", "O", "N", time)

#define SAY_PROGRESS                                                                                         \
    {                                                                                                        \
        .type = "Progress", .status = true, .wanted = true, .reason = "R", .message = "M"                    \
    }
#define SAY_OUTCOME                                                                                          \
    {                                                                                                        \
        .type = "Outcome", .status = true, .wanted = true, .reason = "O", .message = "N"                     \
    }
#define NO_PROGRESS                                                                                          \
    {                                                                                                        \
        .type = "Progress"                                                                                   \
    }
#define NO_OUTCOME                                                                                           \
    {                                                                                                        \
        .type = "Outcome"                                                                                    \
    }

struct row {
    const char *name, *object;
    struct wm_said said[2];
    int changes; /* of said[0] alone where said[1] has no type */
    const char *after;
    enum wm_condition_style style;
};

// clang-format off
static const struct row rows[] = {
    {"no status", "{" META "}", {SAY_PROGRESS}, 1,
     "{" META ",\"status\":{\"conditions\":[" PROGRESS(T_NOW) "]}}"},
    {"status null, two at once", "{" META ",\"status\":null}", {SAY_PROGRESS, SAY_OUTCOME}, 2,
     "{" META ",\"status\":{\"conditions\":[" PROGRESS(T_NOW) "," OUTCOME(T_NOW) "]}}"},
    {"status empty", "{" META ",\"status\":{}}", {SAY_PROGRESS}, 1,
     "{" META ",\"status\":{\"conditions\":[" PROGRESS(T_NOW) "]}}"},
    {"list absent", "{" META ",\"status\":{\"phase\":\"P\"}}", {SAY_PROGRESS, NO_OUTCOME}, 1,
     OBJECT("[" PROGRESS(T_NOW) "]")},
    {"list null, two at once", OBJECT("null"), {SAY_PROGRESS, SAY_OUTCOME}, 2,
     OBJECT("[" PROGRESS(T_NOW) "," OUTCOME(T_NOW) "]")},
    {"list empty, two at once", OBJECT("[]"), {SAY_PROGRESS, SAY_OUTCOME}, 2,
     OBJECT("[" PROGRESS(T_NOW) "," OUTCOME(T_NOW) "]")},
    {"nothing wanted, nothing there", OBJECT("[" READY "]"), {NO_PROGRESS, NO_OUTCOME}, 0, OBJECT("[" READY "]")},
    {"nothing wanted, no status", "{" META "}", {NO_PROGRESS}, 0, "{" META "}"},
    {"added behind the owner's", OBJECT("[" READY "," RUNNING "]"), {SAY_PROGRESS}, 1,
     OBJECT("[" READY "," RUNNING "," PROGRESS(T_NOW) "]")},
    {"equal", OBJECT("[" PROGRESS(T_OLD) "," READY "]"), {SAY_PROGRESS}, 0, OBJECT("[" PROGRESS(T_OLD) "," READY "]")},
    {"equal, escaped", OBJECT("[{\"type\":\"Pro\\u0067ress\",\"status\":\"True\",\"category\":\"Advisory\","
                              "\"durable\":true,\"reason\":\"\\u0052\",\"message\":\"\\u004d\"," T_OLD "}]"),
     {SAY_PROGRESS}, 0, OBJECT("[" PROGRESS(T_OLD) "]")},
    {"another text keeps the time", OBJECT("[" READY "," MTC("Progress", "True", "R", "old", T_OLD) "]"), {SAY_PROGRESS}, 1,
     OBJECT("[" READY "," PROGRESS(T_OLD) "]")},
    {"another reason keeps the time", OBJECT("[" MTC("Progress", "True", "Q", "M", T_OLD) "]"), {SAY_PROGRESS}, 1,
     OBJECT("[" PROGRESS(T_OLD) "]")},
    {"another status", OBJECT("[" MTC("Progress", "False", "R", "M", T_OLD) "]"), {SAY_PROGRESS}, 1,
     OBJECT("[" PROGRESS(T_NOW) "]")},
    {"bare", OBJECT("[{\"type\":\"Progress\"}]"), {SAY_PROGRESS}, 1, OBJECT("[" PROGRESS(T_NOW) "]")},
    {"wrong kinds, a time that is none", OBJECT("[{\"type\":\"Progress\",\"status\":\"True\",\"category\":1,\"durable\":\"true\","
                                                "\"reason\":null,\"message\":{},\"lastTransitionTime\":\"soon\"}]"),
     {SAY_PROGRESS}, 1, OBJECT("[" PROGRESS(T_NOW) "]")},
    {"strangers in the list", OBJECT("[null,1,{\"type\":null},\"Progress\"," PROGRESS(T_OLD) "]"), {NO_PROGRESS}, 1,
     OBJECT("[null,1,{\"type\":null},\"Progress\"]")},
    {"twice: the first stays", OBJECT("[" PROGRESS(T_OLD) "," READY "," MTC("Progress", "False", "Z", "z", T_OLD) "]"),
     {SAY_PROGRESS}, 1, OBJECT("[" PROGRESS(T_OLD) "," READY "]")},
    {"twice, both old", OBJECT("[" MTC("Progress", "True", "R", "a", T_OLD) "," MTC("Progress", "True", "R", "b", T_OLD) "," READY "]"),
     {SAY_PROGRESS}, 2, OBJECT("[" PROGRESS(T_OLD) "," READY "]")},
    {"the last one removed", OBJECT("[" PROGRESS(T_OLD) "]"), {NO_PROGRESS}, 1, OBJECT("[]")},
    {"two removed", OBJECT("[" PROGRESS(T_OLD) "," READY "," OUTCOME(T_OLD) "," RUNNING "]"), {NO_PROGRESS, NO_OUTCOME}, 2,
     OBJECT("[" READY "," RUNNING "]")},
    {"two neighbours removed", OBJECT("[" READY "," PROGRESS(T_OLD) "," OUTCOME(T_OLD) "]"), {NO_PROGRESS, NO_OUTCOME}, 2,
     OBJECT("[" READY "]")},
    {"one removed before one that changes", OBJECT("[" PROGRESS(T_OLD) "," READY "," MTC("Outcome", "True", "O", "old", T_OLD) "]"),
     {NO_PROGRESS, SAY_OUTCOME}, 2, OBJECT("[" READY "," OUTCOME(T_OLD) "]")},
    {"one removed, one added", OBJECT("[" READY "," PROGRESS(T_OLD) "]"), {NO_PROGRESS, SAY_OUTCOME}, 2,
     OBJECT("[" READY "," OUTCOME(T_NOW) "]")},
    {"brackets", OBJECT("[]"), {{.type = "Progress", .status = true, .wanted = true, .reason = "R", .message = "a [b] ]c["}}, 1,
     OBJECT("[" MTC("Progress", "True", "R", "a (b) )c(", T_NOW) "]")},
    {"not UTF-8", OBJECT("[]"), {{.type = "Progress", .status = true, .wanted = true, .reason = "R", .message = "a\xff\x80 \"q\""}}, 1,
     OBJECT("[" MTC("Progress", "True", "R", "a\xef\xbf\xbd\xef\xbf\xbd \\\"q\\\"", T_NOW) "]")},
    {"status False, the message left out by Go", OBJECT("[{\"type\":\"Progress\",\"status\":\"False\",\"category\":\"Advisory\",\"durable\":true," T_OLD "}]"),
     {{.type = "Progress", .wanted = true}}, 0,
     OBJECT("[{\"type\":\"Progress\",\"status\":\"False\",\"category\":\"Advisory\",\"durable\":true," T_OLD "}]")},
    {"metav1: added", OBJECT("[]"), {SAY_PROGRESS}, 1,
     OBJECT("[{\"type\":\"Progress\",\"status\":\"True\",\"reason\":\"R\",\"message\":\"M\"," T_NOW "}]"), WM_CONDITIONS_META},
    {"metav1: observedGeneration stays",
     OBJECT("[{\"type\":\"Progress\",\"status\":\"False\",\"reason\":\"R\",\"message\":\"M\",\"observedGeneration\":12345678901234," T_OLD "}]"),
     {SAY_PROGRESS}, 1,
     OBJECT("[{\"type\":\"Progress\",\"status\":\"True\",\"reason\":\"R\",\"message\":\"M\",\"observedGeneration\":12345678901234," T_NOW "}]"),
     WM_CONDITIONS_META},
    {"metav1: a phase as reason, brackets as they are", OBJECT("[]"),
     {{.type = "Progress", .status = true, .wanted = true, .reason = "-1Validating-Target:", .message = "[a]"}}, 1,
     OBJECT("[{\"type\":\"Progress\",\"status\":\"True\",\"reason\":\"ValidatingTarget\",\"message\":\"[a]\"," T_NOW "}]"), WM_CONDITIONS_META},
    {"metav1: never without a reason, the message is required", OBJECT("[{\"type\":\"Progress\",\"status\":\"True\",\"reason\":\"\"," T_OLD "}]"),
     {{.type = "Progress", .status = true, .wanted = true}}, 1,
     OBJECT("[{\"type\":\"Progress\",\"status\":\"True\",\"reason\":\"Progress\",\"message\":\"\"," T_OLD "}]"), WM_CONDITIONS_META},
};
// clang-format on

static cJSON *parse(const char *text)
{
    cJSON *tree = NULL;

    assert_int_equal(wm_json_parse(wm_str_of(text), &tree, NULL), WM_OK);
    return tree;
}

static int make(const char *object, const struct row *r, struct wm_buf *out)
{
    return wm_conditions_patch(wm_str_of(object), r->style, r->said, r->said[1].type ? 2 : 1, NOW, out, NULL);
}

static int apply(cJSON **doc, const struct wm_buf *patch)
{
    wm_auto_json cJSON *ops = parse(wm_buf_text(patch).p);

    return wm_patch_apply(doc, ops, NULL);
}

static void check_row(void **state)
{
    const struct row *r = *state;
    wm_auto_buf struct wm_buf out = WM_BUF_MAX(1 << 16), again = WM_BUF_MAX(1 << 16);
    wm_auto_json cJSON *doc = parse(r->object), *want = parse(r->after);

    assert_int_equal(make(r->object, r, &out), r->changes);
    assert_true((out.n == 0) == (r->changes == 0));
    if (out.n)
        assert_int_equal(apply(&doc, &out), WM_OK);
    wm_auto_free char *after = cJSON_PrintUnformatted(doc);

    if (!cJSON_Compare(doc, want, true))
        assert_string_equal(after, r->after);
    assert_int_equal(make(after, r, &again), 0);
    assert_int_equal(again.n, 0);
}

/* --- what a patch refuses --- */

#define STAMPED(stamp, conditions)                                                                           \
    "{\"metadata\":{\"uid\":\"u1\",\"resourceVersion\":\"7\",\"annotations\":{\"openshift.io/"               \
    "touch\":\"" stamp "\"}},\"status\":{\"phase\":\"P\",\"conditions\":" conditions "}}"
#define OLD_PROGRESS MTC("Progress", "True", "R", "old", T_OLD)

struct refusal {
    const char *name, *object, *other;
    bool taken;
};

// clang-format off
static const struct refusal refusals[] = {
    {"another uid", OBJECT("[" OLD_PROGRESS "]"), "{\"metadata\":{\"uid\":\"u2\",\"resourceVersion\":\"7\"},\"status\":{\"phase\":\"P\",\"conditions\":[" OLD_PROGRESS "]}}"},
    {"another phase", OBJECT("[" OLD_PROGRESS "]"), "{" META ",\"status\":{\"phase\":\"Q\",\"conditions\":[" OLD_PROGRESS "]}}"},
    {"the phase is gone", OBJECT("[" OLD_PROGRESS "]"), "{" META ",\"status\":{\"conditions\":[" OLD_PROGRESS "]}}"},
    {"the list moved", OBJECT("[" OLD_PROGRESS "," READY "]"), OBJECT("[" READY "," OLD_PROGRESS "]")},
    {"the list is shorter", OBJECT("[" READY "," OLD_PROGRESS "]"), OBJECT("[" READY "]")},
    {"the owner has written since", STAMPED("a", "[" OLD_PROGRESS "]"), STAMPED("b", "[" OLD_PROGRESS "]")},
    {"a phase has come", "{" META ",\"status\":{\"conditions\":[" OLD_PROGRESS "]}}", "{\"metadata\":{\"uid\":\"u1\",\"resourceVersion\":\"8\"},\"status\":{\"phase\":\"P\",\"conditions\":[" OLD_PROGRESS "]}}"},
    {"a status has come", "{" META "}", "{\"metadata\":{\"uid\":\"u1\",\"resourceVersion\":\"8\"},\"status\":{\"phase\":\"P\"}}"},
    {"it was added meanwhile", OBJECT("[" READY "]"), "{\"metadata\":{\"uid\":\"u1\",\"resourceVersion\":\"8\"},\"status\":{\"phase\":\"P\",\"conditions\":[" READY "," OLD_PROGRESS "]}}"},
    {"something else changed", OBJECT("[" OLD_PROGRESS "]"), "{\"metadata\":{\"uid\":\"u1\",\"resourceVersion\":\"8\",\"labels\":{\"a\":\"b\"}},\"status\":{\"phase\":\"P\",\"conditions\":[" OLD_PROGRESS "," READY "]}}", true},
};
// clang-format on

static void check_refusal(void **state)
{
    const struct refusal *r = *state;
    static const struct row say = {.said = {SAY_PROGRESS}};
    wm_auto_buf struct wm_buf out = WM_BUF_MAX(1 << 16);
    wm_auto_json cJSON *doc = parse(r->other);

    assert_int_equal(make(r->object, &say, &out), 1);
    assert_int_equal(apply(&doc, &out), r->taken ? WM_OK : WM_E_CONFLICT);
}

/* --- what cannot be patched --- */

static const struct {
    const char *name, *object;
} bad_rows[] = {
    {"not JSON", "{"},
    {"no uid", "{\"metadata\":{\"resourceVersion\":\"7\"},\"status\":{\"phase\":\"P\"}}"},
    {"no version where it is needed", "{\"metadata\":{\"uid\":\"u\"},\"status\":{\"phase\":\"P\"}}"},
    {"status is a text", "{" META ",\"status\":\"x\"}"},
    {"conditions are an object", OBJECT("{}")},
    {"annotations are a list", "{\"metadata\":{\"uid\":\"u\",\"resourceVersion\":\"7\",\"annotations\":[]}}"},
};

static void check_bad(void **state)
{
    const char *const *row = *state;
    static const struct row say = {.said = {SAY_PROGRESS}};
    wm_auto_buf struct wm_buf out = WM_BUF_MAX(1 << 16);

    assert_int_equal(make(row[1], &say, &out), WM_E_INVALID);
    assert_int_equal(out.n, 0);
}

static void limits(void **state)
{
    static const struct wm_said many[WM_SAID_MAX + 1];
    static const struct row say = {.said = {SAY_PROGRESS}};
    wm_auto_buf struct wm_buf out = WM_BUF_MAX(1 << 16), small = WM_BUF_MAX(40);

    (void)state;
    assert_int_equal(
        wm_conditions_patch(wm_str_of("{}"), WM_CONDITIONS_MTC, many, WM_SAID_MAX + 1, NOW, &out, NULL),
        WM_E_TOO_BIG);
    assert_int_equal(make(OBJECT("[]"), &say, &small), WM_E_TOO_BIG);
}

/* More doubles than one patch takes away: the next ones do. */
static void many_doubles(void **state)
{
    static const struct row none = {.said = {NO_PROGRESS}};
    wm_auto_json cJSON *doc = parse(OBJECT("[]"));
    cJSON *list = wm_json_at(doc, "/status/conditions");
    int patches = 0;

    (void)state;
    for (int i = 0; i < 100; i++)
        cJSON_AddItemToArray(list, parse(i == 50 ? READY : PROGRESS(T_OLD)));
    for (int n = 1; n; patches++) {
        wm_auto_free char *text = cJSON_PrintUnformatted(doc);
        wm_auto_buf struct wm_buf out = WM_BUF_MAX(1 << 16);

        n = make(text, &none, &out);
        if (n)
            assert_int_equal(apply(&doc, &out), WM_OK);
    }
    assert_int_equal(patches, 5);
    assert_int_equal(cJSON_GetArraySize(wm_json_at(doc, "/status/conditions")), 1);
}

/* --- annotations --- */

#define NOTED(notes) "{\"metadata\":{\"uid\":\"u1\",\"resourceVersion\":\"7\",\"annotations\":" notes "}}"

static const struct note {
    const char *name, *object, *key, *value;
    int changes;
    const char *after;
} note_rows[] = {
    {"no annotations", "{" META "}", "w.io/a~b", "v", 1, NOTED("{\"w.io/a~b\":\"v\"}")},
    {"annotations null", NOTED("null"), "w.io/v", "v", 1, NOTED("{\"w.io/v\":\"v\"}")},
    {"beside others", NOTED("{\"a\":\"b\"}"), "w.io/a~b", "v", 1, NOTED("{\"a\":\"b\",\"w.io/a~b\":\"v\"}")},
    {"another value", NOTED("{\"w.io/~1\":\"x\"}"), "w.io/~1", "v", 1, NOTED("{\"w.io/~1\":\"v\"}")},
    {"equal", NOTED("{\"w.io/v\":\"\\u0076\"}"), "w.io/v", "v", 0, NOTED("{\"w.io/v\":\"v\"}")},
    {"not UTF-8", NOTED("{}"), "w.io/v", "a\xff", 1, NOTED("{\"w.io/v\":\"a\xef\xbf\xbd\"}")},
    {"empty", NOTED("{}"), "w.io/v", "", 1, NOTED("{\"w.io/v\":\"\"}")},
    {"removed", NOTED("{\"a\":\"b\",\"w.io/a~b\":\"v\"}"), "w.io/a~b", NULL, 1, NOTED("{\"a\":\"b\"}")},
    {"the last removed", NOTED("{\"w.io/v\":\"v\"}"), "w.io/v", NULL, 1, NOTED("{}")},
    {"removed and not there", NOTED("{\"a\":\"b\"}"), "w.io/v", NULL, 0, NOTED("{\"a\":\"b\"}")},
    {"removed and no annotations", "{" META "}", "w.io/v", NULL, 0, "{" META "}"},
};

static void check_note(void **state)
{
    const struct note *r = *state;
    wm_auto_buf struct wm_buf out = WM_BUF_MAX(1 << 16), again = WM_BUF_MAX(1 << 16);
    wm_auto_json cJSON *doc = parse(r->object), *want = parse(r->after);
    wm_auto_json cJSON *other = parse("{\"metadata\":{\"uid\":\"u2\",\"annotations\":{}}}");

    assert_int_equal(wm_annotation_patch(wm_str_of(r->object), r->key, r->value, &out, NULL), r->changes);
    if (out.n) {
        assert_int_equal(apply(&doc, &out), WM_OK);
        assert_int_equal(apply(&other, &out), WM_E_CONFLICT);
    }
    wm_auto_free char *after = cJSON_PrintUnformatted(doc);

    if (!cJSON_Compare(doc, want, true))
        assert_string_equal(after, r->after);
    assert_int_equal(wm_annotation_patch(wm_str_of(after), r->key, r->value, &again, NULL), 0);
}

static void one_request_says_both(void **state)
{
    static const struct row say = {.said = {SAY_PROGRESS}};
    wm_auto_buf struct wm_buf out = WM_BUF_MAX(1 << 16);
    wm_auto_json cJSON *doc = parse(OBJECT("[]"));

    (void)state;
    assert_int_equal(make(OBJECT("[]"), &say, &out), 1);
    assert_int_equal(wm_annotation_patch(wm_str_of(OBJECT("[]")), "w.io/v", "v", &out, NULL), 1);
    assert_int_equal(apply(&doc, &out), WM_OK);
    assert_string_equal(wm_json_str(doc, "/metadata/annotations/w.io~1v"), "v");
    assert_string_equal(wm_json_str(doc, "/status/conditions/0/type"), "Progress");
}

/* --- sights and times --- */

static void sights(void **state)
{
    static const char text[] = "{\"metadata\":{\"resourceVersion\":\"7\",\"annotations\":{\"touch\":\"old\","
                               "\"openshift.io/touch\":\"new\"}},\"status\":{\"phase\":\"P\"}}";
    struct wm_sight s;

    (void)state;
    assert_true(sight_read(wm_str_of(text), true, &s));
    assert_true(s.live && wm_str_is(s.version, "7") && wm_str_is(s.stamp, "new") && wm_str_is(s.phase, "P"));
    assert_true(sight_read(wm_str_of("{\"metadata\":{\"annotations\":null}}"), false, &s));
    assert_true(sight_read(wm_str_of("{\"metadata\":{}}"), false, &s));
    assert_true(!s.live && !s.version.p && !s.stamp.p && !s.phase.p);
    assert_false(sight_read(wm_str_of("{\"metadata\":{\"annotations\":[]}}"), false, &s));
    assert_false(sight_read(wm_str_of("["), false, &s));
}

static void times(void **state)
{
    char text[WM_TIME_SIZE];
    int64_t back;

    (void)state;
    for (int64_t t = 0; t < INT64_C(253402300799); t += 86400 * 13 + 12347) {
        wm_time_print(t, text);
        assert_true(wm_time_parse(wm_str_of(text), &back));
        assert_true(back == t);
    }
    wm_time_print(INT64_MIN, text);
    assert_string_equal(text, "1970-01-01T00:00:00Z");
    wm_time_print(INT64_MAX, text);
    assert_string_equal(text, "9999-12-31T23:59:59Z");
    wm_time_print(951782400, text);
    assert_string_equal(text, "2000-02-29T00:00:00Z");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(limits), cmocka_unit_test(many_doubles), cmocka_unit_test(one_request_says_both),
        cmocka_unit_test(sights), cmocka_unit_test(times),
    };
    int failed = RUN_TABLE("conditions", rows, check_row);

    failed += RUN_TABLE("refused", refusals, check_refusal);
    failed += RUN_TABLE("impossible", bad_rows, check_bad);
    failed += RUN_TABLE("annotations", note_rows, check_note);
    return failed + cmocka_run_group_tests_name("writing", tests, NULL, NULL);
}
