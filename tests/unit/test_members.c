/* Members of small objects, and whose an object is by its ownerReferences. */
#include "unit.h"
#include "waymark/labels.h"
#include "waymark/model.h"

static struct wm_json_span root_of(const char *json)
{
    static const char *const root[] = {""};
    struct wm_json_span span;

    assert_int_equal(wm_json_locate(wm_str_of(json), 1, root, &span, NULL), WM_OK);
    return span;
}

/* --- members --- */

static const struct members_row {
    const char *name, *json;
    const char *a, *bb; /* text of the members "a" and "bb"; NULL = absent */
    unsigned twice;
} members[] = {
    {"in another order than they are asked for", "{\"bb\":2,\"x\":3,\"a\":1}", "1", "2", 0},
    {"with spaces", " { \"a\" : \"x y\" , \"bb\"\n:\t[ 1 , 2 ] } ", "\"x y\"", "[ 1 , 2 ]", 0},
    {"words and numbers up to the end", "{\"a\":-2e3,\"bb\":true}", "-2e3", "true", 0},
    {"words before a space", "{\"a\":null ,\"bb\":false }", "null", "false", 0},
    {"keys that begin like them", "{\"aa\":1,\"b\":2,\"bbb\":3,\"\":4}", NULL, NULL, 0},
    {"the last one counts", "{\"a\":1,\"bb\":2,\"a\":3}", "3", "2", 1},
    {"another one twice", "{\"bb\":1,\"a\":2,\"bb\":null}", "2", "null", 2},
    {"three times", "{\"bb\":1,\"bb\":2,\"bb\":3}", NULL, "3", 2},
    {"one that is not asked for twice", "{\"x\":1,\"x\":2,\"a\":3}", "3", NULL, 0},
    {"an escaped key", "{\"\\u0061\":1,\"b\\u0062\":2}", "1", "2", 0},
    {"twice, once escaped", "{\"a\":1,\"\\u0061\":2}", "2", NULL, 1},
    {"an escape of its own", "{\"a\\n\":1,\"\\\"bb\":2}", NULL, NULL, 0},
    {"a key with a NUL", "{\"a\\u0000\":1}", NULL, NULL, 0},
    {"a key that is not ASCII", "{\"\xc3\xa4\":1,\"a\":2}", "2", NULL, 0},
    {"of inner objects none", "{\"x\":{\"a\":1},\"y\":[{\"bb\":2}]}", NULL, NULL, 0},
    {"strings with brackets and quotes", "{\"x\":\"}\\\"{\",\"a\":\"]\\\\\",\"bb\":{\"}\":\"{\"}}",
     "\"]\\\\\"", "{\"}\":\"{\"}", 0},
    {"an empty object", "{}", NULL, NULL, 0},
    {"an array", "[\"a\",1]", NULL, NULL, 0},
    {"a string", "\"a\"", NULL, NULL, 0},
    {"null", "null", NULL, NULL, 0},
};

static void assert_text(struct wm_json_span span, const char *want)
{
    assert_int_equal(span.kind != WM_JSON_ABSENT, want != NULL);
    if (want)
        assert_true(wm_str_is(span.text, want));
}

static void check_members(void **state)
{
    static const struct wm_str keys[] = {WM_STR("a"), WM_STR("bb")};
    const struct members_row *row = *state;
    struct wm_json_span found[2];

    assert_int_equal(wm_members(root_of(row->json), 2, keys, found), row->twice);
    assert_text(found[0], row->a);
    assert_text(found[1], row->bb);
    assert_text(wm_member(root_of(row->json), "a"), row->a);
}

static void the_empty_key_is_a_key(void **state)
{
    (void)state;
    assert_text(wm_member(root_of("{\"x\":1,\"\":2}"), ""), "2");
}

/* --- owners --- */

#define OWNER(kind, name, uid)                                                                               \
    "\"apiVersion\":\"velero.io/v1\",\"kind\":\"" kind "\",\"name\":\"" name "\",\"uid\":\"" uid "\""
#define CONTROLLER ",\"controller\":true"

// clang-format off
static const struct owner_row {
    const char *name, *owners;
    const char *model;  /* uid of the Restore that the model takes for its owner; NULL = none */
    const char *labels; /* and whom labels come from */
} owners[] = {
    {"one", "[{" OWNER("Restore", "r", "1") "}]", "1", "1"},
    {"the controller, before the first", "[{" OWNER("Restore", "r", "1") "},{" OWNER("Restore", "s", "2") CONTROLLER "}]",
     "2", "2"},
    {"the first, when none controls", "[{" OWNER("Restore", "r", "1") "},{" OWNER("Restore", "s", "2") "}]", "1", "1"},
    {"not one of another kind", "[{" OWNER("Pod", "p", "1") CONTROLLER "},{" OWNER("Restore", "r", "2") "}]", "2", "2"},
    {"one of another group is no reason for labels", "[{\"apiVersion\":\"v1\",\"kind\":\"Restore\",\"name\":\"r\",\"uid\":\"1\"}]",
     "1", NULL},
    {"a controller by name only is none", "[{" OWNER("Restore", "r", "1") "},{" OWNER("Restore", "s", "2") ",\"controller\":\"true\"}]",
     "1", "1"},
    {"escaped keys", "[{\"apiVersion\":\"velero.io/v1\",\"k\\u0069nd\":\"Restore\",\"name\":\"r\",\"\\u0075id\":\"1\"}]", "1", "1"},
    {"a kind that stands twice", "[{" OWNER("Restore", "r", "1") ",\"kind\":\"Restore\"},{" OWNER("Restore", "s", "2") "}]", "2", "2"},
    {"a uid that stands twice, once escaped", "[{" OWNER("Restore", "r", "1") ",\"\\u0075id\":\"3\"}]", NULL, NULL},
    {"a name that stands twice", "[{" OWNER("Restore", "r", "1") ",\"name\":\"s\"}]", "1", NULL},
    {"another member that stands twice", "[{" OWNER("Restore", "r", "1") ",\"x\":1,\"x\":2}]", "1", "1"},
    {"without a name", "[{\"apiVersion\":\"velero.io/v1\",\"kind\":\"Restore\",\"uid\":\"1\"}]", "1", NULL},
    {"an empty uid, and one behind it", "[{" OWNER("Restore", "r", "") "},{" OWNER("Restore", "s", "2") "}]", "2", "2"},
    {"a uid that is no text", "[{\"apiVersion\":\"velero.io/v1\",\"kind\":\"Restore\",\"name\":\"r\",\"uid\":1}]", NULL, NULL},
    {"what is no owner at all", "[null,7,\"x\",[],{},{" OWNER("Restore", "r", "1") "}]", "1", "1"},
    {"none", "[]", NULL, NULL},
    {"null", "null", NULL, NULL},
};
// clang-format on

static enum wm_found note_ref(void *ctx, const struct wm_ref *ref, struct wm_parent *ret)
{
    (void)ret;
    *(struct wm_ref *)ctx = *ref;
    return WM_FOUND_NOT;
}

static const struct wm_label_rule *pvr_rule(void)
{
    return wm_label_rule_of(root_of("\"velero.io\""), root_of("\"PodVolumeRestore\""));
}

static void check_owner(void **state)
{
    const struct owner_row *row = *state;
    struct wm_object object = {.at[WM_O_OWNERS] = root_of(row->owners)};
    const struct wm_owner first = wm_owner_first(object.at[WM_O_OWNERS]);

    assert_true(wm_id_is(wm_owner_of(&first, "Restore"), wm_id_of(wm_str_of(row->model ? row->model : ""))));
    for (int again = 0; again < 2; again++) { /* the second time with what was read before */
        struct wm_ref asked = {0};
        struct wm_derivation d;

        wm_derive(&wm_label_conf_default, pvr_rule(), &object, "ns", note_ref, &asked, &d);
        assert_string_equal(asked.uid, row->labels ? row->labels : "");
        assert_int_equal(asked.kind, row->labels ? WM_PARENT_RESTORE : WM_PARENT_NONE);
        object.owner = &first;
    }
}

static void of_any_kind_the_first_or_the_controller(void **state)
{
    const struct wm_owner plain = wm_owner_first(root_of("[{\"uid\":\"1\"},{\"uid\":\"2\"}]"));
    const struct wm_owner controlled =
        wm_owner_first(root_of("[{\"uid\":\"1\"},{\"uid\":\"2\",\"controller\":true}]"));

    (void)state;
    assert_true(wm_id_is(wm_owner_of(&plain, NULL), wm_id_of(wm_str_of("1"))));
    assert_true(wm_id_is(wm_owner_of(&controlled, NULL), wm_id_of(wm_str_of("2"))));
}

static void what_could_not_be_read_has_no_owner(void **state)
{
    wm_auto_reading struct wm_reading reading = {0};
    static const char good[] = "{\"metadata\":{\"ownerReferences\":[{\"uid\":\"1\"}]}}",
                      bad[] = "{\"metadata\":{\"ownerReferences\":[{\"uid\":\"1\"}],\"uid\":1,\"uid\":2}}";

    (void)state;
    assert_int_equal(wm_reading_of(&reading, WM_KIND_PVR, wm_str_of(good), NULL), WM_OK);
    assert_true(reading.owner.is_there);
    assert_int_equal(wm_reading_of(&reading, WM_KIND_PVR, wm_str_of(bad), NULL), WM_E_INVALID);
    assert_false(reading.owner.is_there);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_empty_key_is_a_key),
        cmocka_unit_test(of_any_kind_the_first_or_the_controller),
        cmocka_unit_test(what_could_not_be_read_has_no_owner),
    };

    return RUN_TABLE("members", members, check_members) + RUN_TABLE("owners", owners, check_owner) +
           cmocka_run_group_tests(tests, NULL, NULL);
}
