#include "unit.h"
#include "waymark/patch.h"
#include "waymark/review.h"

/* --- names --- */

static const struct name_row {
    const char *name, *in, *want; /* want NULL = no label can bear it */
} names[] = {
    {"a short name is itself", "nginx-plan", "nginx-plan"},
    {"dots are allowed", "a.b_c-d", "a.b_c-d"},
    {"63 bytes are itself", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"},
    /* sha256("the-really-long-location-name-that-is-much-more-than-63-characters"), from Velero's own test
     * (pkg/label/label_test.go) */
    {"longer ones as Velero shortens them",
     "the-really-long-location-name-that-is-much-more-than-63-characters",
     "the-really-long-location-name-that-is-much-more-than-63-c69e779"},
    {"an empty name", "", NULL},
    {"a space", "my plan", NULL},
    {"not ASCII", "pl\xc3\xa4n", NULL},
    {"a dash at the end", "plan-", NULL},
    {"a slash", "a/b", NULL},
};

static void check_name(void **state)
{
    const struct name_row *t = *state;
    char out[WM_LABEL_VALUE_MAX + 1];
    size_t n = wm_label_value_of(wm_str_of(t->in), out);

    assert_int_equal(n, t->want ? strlen(t->want) : 0);
    if (t->want)
        assert_string_equal(out, t->want);
}

static const struct key_row {
    const char *name, *key;
    bool ok;
} keys[] = {
    {"with a prefix", "migration.openshift.io/migplan-name", true},
    {"without a prefix", "team", true},
    {"upper case in the name", "migrations.openshift.io/migPlanName", true},
    {"upper case in the prefix", "Migration.io/x", false},
    {"empty", "", false},
    {"empty prefix", "/x", false},
    {"empty name", "a.b/", false},
    {"two slashes", "a/b/c", false},
    {"prefix with two dots", "a..b/x", false},
    {"prefix that ends in a dash", "a-.b/x", false},
};

static void check_key(void **state)
{
    const struct key_row *t = *state;

    assert_int_equal(wm_label_key_ok(wm_str_of(t->key)), t->ok);
}

/* --- which keys may be configured --- */

static const struct conf_row {
    const char *name, *key, *error; /* error NULL = accepted */
} confs[] = {
    {"an own prefix", "example.com/plan", NULL},
    {"the key by which a plan's closing deletes", "migplan", "act upon"},
    {"the key by which a rollback deletes", "migration.openshift.io/migrated-by-migplan", "act upon"},
    {"the key by which Velero hears of restores", "velero.io/restore-uid", "act upon"},
    {"the key by which VirtRigaud finds what to mount", "virtrigaud.io/component", "act upon"},
    {"any other key of VirtRigaud's", "virtrigaud.io/migration", "act upon"},
    {"a provider's key once more", "waymark.io/target-provider", "twice"},
    {"the key that joins a stage backup", "migration-included-stage-backup", "act upon"},
    {"the migration key once more", "migration.openshift.io/migmigration-name", "twice"},
    {"no label key", "a b", "not a label key"},
};

static void check_conf(void **state)
{
    const struct conf_row *t = *state;
    struct wm_label_conf conf = wm_label_conf_default;
    struct wm_error err = {0};

    conf.plan = t->key;
    assert_int_equal(wm_label_conf_check(&conf, &err), t->error ? WM_E_INVALID : WM_OK);
    if (t->error)
        assert_non_null(strstr(err.msg, t->error));
}

static void the_defaults_are_acceptable(void **state)
{
    (void)state;
    assert_int_equal(wm_label_conf_check(&wm_label_conf_default, NULL), WM_OK);
}

/* --- what is no review --- */

#define HEAD                                                                                                 \
    "{\"kind\":\"AdmissionReview\",\"apiVersion\":\"admission.k8s.io/v1\",\"request\":{\"uid\":\"u-1\","
#define KIND                                                                                                 \
    "\"kind\":{\"group\":\"migration.openshift.io\",\"version\":\"v1alpha1\",\"kind\":\"MigMigration\"},"
#define OBJECT "\"object\":{\"metadata\":{\"name\":\"m\"},\"spec\":{\"migPlanRef\":{\"name\":\"p\"}}}"

static const struct bad_row {
    const char *name, *body, *where;
    bool uid; /* the uid could be read, so the error must name it */
} bads[] = {
    {"empty", "", "byte 0", false},
    {"not JSON", "hello", "byte 0", false},
    {"an array", "[]", "/apiVersion", false},
    {"truncated behind the uid", HEAD KIND, "byte", true},
    {"garbage after the document", HEAD KIND "\"operation\":\"CREATE\"," OBJECT "}}x", "byte", true},
    {"uid given twice", HEAD "\"uid\":\"u-2\"}}", "byte", true},
    {"metadata given twice",
     HEAD KIND "\"operation\":\"CREATE\",\"object\":{\"metadata\":{},\"metadata\":{}}}}", "byte", true},
    {"labels given twice",
     HEAD KIND "\"operation\":\"CREATE\",\"object\":{\"metadata\":{\"labels\":{},\"labels\":{}}}}}", "byte",
     true},
    {"invalid UTF-8", HEAD KIND "\"operation\":\"CREATE\",\"x\":\"\xff\"," OBJECT "}}", "byte", true},
    {"kind and apiVersion alone", "{\"kind\":\"AdmissionReview\",\"apiVersion\":\"admission.k8s.io/v1\"}",
     "/request", false},
    {"unknown version",
     "{\"kind\":\"AdmissionReview\",\"apiVersion\":\"admission.k8s.io/v9\",\"request\":{\"uid\":\"u-1\"}}",
     "/apiVersion", true},
    {"version missing", "{\"kind\":\"AdmissionReview\",\"request\":{\"uid\":\"u-1\"}}", "/apiVersion", true},
    {"another kind",
     "{\"kind\":\"Pod\",\"apiVersion\":\"admission.k8s.io/v1\",\"request\":{\"uid\":\"u-1\"}}", "/kind",
     true},
    {"kind in another case",
     "{\"kind\":\"admissionreview\",\"apiVersion\":\"admission.k8s.io/v1\",\"request\":{}}", "/kind", false},
    {"uid missing",
     "{\"kind\":\"AdmissionReview\",\"apiVersion\":\"admission.k8s.io/v1\",\"request\":{" KIND
     "\"operation\":\"CREATE\"," OBJECT "}}",
     "/request/uid", false},
    {"uid a number",
     "{\"kind\":\"AdmissionReview\",\"apiVersion\":\"admission.k8s.io/v1\",\"request\":{\"uid\":7," KIND
     "\"operation\":\"CREATE\"," OBJECT "}}",
     "/request/uid", false},
    {"kind of the object missing", HEAD "\"operation\":\"CREATE\"," OBJECT "}}", "/request/kind/kind", true},
    {"unknown operation", HEAD KIND "\"operation\":\"PATCH\"," OBJECT "}}", "/request/operation", true},
    {"object missing", HEAD KIND "\"operation\":\"CREATE\"}}", "/request/object", true},
    {"object null on CREATE", HEAD KIND "\"operation\":\"CREATE\",\"object\":null}}", "/request/object",
     true},
    {"object an array", HEAD KIND "\"operation\":\"UPDATE\",\"object\":[]}}", "/request/object", true},
};

static void check_bad(void **state)
{
    const struct bad_row *t = *state;
    struct wm_review r;
    struct wm_error err = {0};
    wm_auto_buf struct wm_buf status = WM_BUF_MAX(4096);
    wm_auto_json cJSON *doc = NULL;

    assert_int_equal(wm_review_read(wm_str_of(t->body), &r, &err), WM_E_INVALID);
    assert_non_null(strstr(err.where, t->where));
    wm_status_print(&status, 400, err.msg, r.uid);
    assert_int_equal(wm_json_parse(wm_buf_text(&status), &doc, NULL), WM_OK);
    assert_string_equal(wm_json_str(doc, "/kind"), "Status");
    assert_string_equal(wm_json_str(doc, "/reason"), "BadRequest");
    assert_int_equal(wm_json_str(doc, "/details/uid") != NULL, t->uid);
    if (t->uid)
        assert_string_equal(wm_json_str(doc, "/details/uid"), "u-1");
}

/* --- odd but legal --- */

static enum wm_found nobody(void *ctx, const struct wm_ref *ref, struct wm_parent *ret)
{
    (void)ctx;
    (void)ref;
    (void)ret;
    return WM_FOUND_NOT;
}

static size_t mutate(const char *body, struct wm_mutation *m)
{
    struct wm_review r;
    struct wm_error err = {0};
    wm_auto_buf struct wm_buf out = WM_BUF_MAX(1 << 20);

    if (wm_review_read(wm_str_of(body), &r, &err) < 0 ||
        wm_review_mutate(&r, &wm_label_conf_default, nobody, NULL, &out, m, &err) < 0)
        fail_msg("%s: %s", err.where, err.msg);
    return m->n_ops;
}

static void escaped_keys_mean_what_they_decode_to(void **state)
{
    struct wm_mutation m;

    (void)state;
    mutate(HEAD KIND
           "\"operation\":\"CREATE\",\"object\":{\"\\u006detadata\":{\"n\\u0061me\":\"m\",\"l\\u0061bels\":{"
           "\"migration.openshift.io\\/migmigration-name\":\"\\u006d\"}}}}}",
           &m);
    assert_int_equal(m.derivation.outcome, WM_COMPLETE);
}

static void a_nul_in_a_name_is_no_name(void **state)
{
    struct wm_mutation m;

    (void)state;
    mutate(HEAD KIND "\"operation\":\"CREATE\",\"object\":{\"metadata\":{\"name\":\"m\"},"
                     "\"spec\":{\"migPlanRef\":{\"name\":\"a\\u0000b\"}}}}}",
           &m);
    assert_int_equal(m.n_ops, 1);
    assert_string_equal(m.derivation.identity.plan, "");
    assert_string_equal(m.derivation.identity.migration, "m");
}

static void an_object_without_metadata_is_left_untouched(void **state)
{
    struct wm_mutation m;

    (void)state;
    mutate(HEAD KIND "\"operation\":\"CREATE\",\"object\":{\"spec\":{\"migPlanRef\":{\"name\":\"p\"}}}}}",
           &m);
    assert_int_equal(m.n_ops, 0);
    assert_int_equal(m.derivation.outcome, WM_UNRELATED);
}

static void of_a_label_given_twice_the_last_counts_as_in_go(void **state)
{
    struct wm_mutation m;

    (void)state;
    mutate(HEAD KIND
           "\"operation\":\"CREATE\",\"object\":{\"metadata\":{\"name\":\"m\",\"labels\":{"
           "\"migration.openshift.io/migmigration-name\":\"x\",\"migration.openshift.io/migmigration-name\":"
           "\"m\"}}}}}",
           &m);
    assert_int_equal(m.derivation.outcome, WM_COMPLETE);
}

static void every_rule_has_a_resource_and_a_source_for_the_table(void **state)
{
    size_t n;
    const struct wm_label_rule *rules = wm_label_rules(&n);

    (void)state;
    assert_true(n >= 15);
    for (size_t i = 0; i < n; i++) {
        assert_non_null(rules[i].resource);
        assert_true(strlen(rules[i].from) > 10);
        assert_int_equal(rules[i].source == WM_FROM_UID_KEY || rules[i].name_key,
                         rules[i].guard_key[0] != NULL);
    }
}

/* --- applying patches --- */

static const struct patch_row {
    const char *name, *doc, *patch, *want;
    int rc;
} patches[] = {
    {"add a member", "{}", "[{\"op\":\"add\",\"path\":\"/a~1b\",\"value\":1}]", "{\"a/b\":1}", WM_OK},
    {"add replaces a member", "{\"a\":1}", "[{\"op\":\"add\",\"path\":\"/a\",\"value\":2}]", "{\"a\":2}",
     WM_OK},
    {"add before an item", "[1,3]", "[{\"op\":\"add\",\"path\":\"/1\",\"value\":2}]", "[1,2,3]", WM_OK},
    {"add at the front", "[1,2,3]", "[{\"op\":\"add\",\"path\":\"/0\",\"value\":0}]", "[0,1,2,3]", WM_OK},
    {"add at the end", "[1]", "[{\"op\":\"add\",\"path\":\"/-\",\"value\":2}]", "[1,2]", WM_OK},
    {"add beyond the end", "[1]", "[{\"op\":\"add\",\"path\":\"/3\",\"value\":2}]", NULL, WM_E_INVALID},
    {"add below nothing", "{}", "[{\"op\":\"add\",\"path\":\"/a/b\",\"value\":2}]", NULL, WM_E_INVALID},
    {"add below a scalar", "{\"a\":1}", "[{\"op\":\"add\",\"path\":\"/a/b\",\"value\":2}]", NULL,
     WM_E_INVALID},
    {"replace the root", "{}", "[{\"op\":\"replace\",\"path\":\"\",\"value\":5}]", "5", WM_OK},
    {"replace what is not there", "{}", "[{\"op\":\"replace\",\"path\":\"/a\",\"value\":5}]", NULL,
     WM_E_INVALID},
    {"replace an item", "[1,2]", "[{\"op\":\"replace\",\"path\":\"/0\",\"value\":9}]", "[9,2]", WM_OK},
    {"remove an item", "[1,2]", "[{\"op\":\"remove\",\"path\":\"/0\"}]", "[2]", WM_OK},
    {"remove the root", "[]", "[{\"op\":\"remove\",\"path\":\"\"}]", NULL, WM_E_INVALID},
    {"a leading zero is no index", "[1,2]", "[{\"op\":\"remove\",\"path\":\"/01\"}]", NULL, WM_E_INVALID},
    {"test holds", "{\"a\":[1]}", "[{\"op\":\"test\",\"path\":\"/a\",\"value\":[1]}]", "{\"a\":[1]}", WM_OK},
    {"test fails", "{\"a\":1}", "[{\"op\":\"test\",\"path\":\"/a\",\"value\":2}]", NULL, WM_E_CONFLICT},
    {"move", "{\"a\":1}", "[{\"op\":\"move\",\"from\":\"/a\",\"path\":\"/b\"}]", "{\"b\":1}", WM_OK},
    {"move into itself", "{\"a\":{}}", "[{\"op\":\"move\",\"from\":\"/a\",\"path\":\"/a/b\"}]", NULL,
     WM_E_INVALID},
    {"copy", "{\"a\":1}", "[{\"op\":\"copy\",\"from\":\"/a\",\"path\":\"/b\"}]", "{\"a\":1,\"b\":1}", WM_OK},
    {"a failure undoes what went before", "{}",
     "[{\"op\":\"add\",\"path\":\"/a\",\"value\":1},{\"op\":\"remove\",\"path\":\"/x\"}]", NULL,
     WM_E_INVALID},
    {"unknown operation", "{}", "[{\"op\":\"merge\",\"path\":\"/a\",\"value\":1}]", NULL, WM_E_INVALID},
    {"stray tilde", "{}", "[{\"op\":\"add\",\"path\":\"/a~2\",\"value\":1}]", NULL, WM_E_INVALID},
    {"no array", "{}", "{}", NULL, WM_E_INVALID},
};

static void check_patch(void **state)
{
    const struct patch_row *t = *state;
    wm_auto_json cJSON *doc = NULL, *patch = NULL, *want = NULL;

    assert_int_equal(wm_json_parse(wm_str_of(t->doc), &doc, NULL), WM_OK);
    assert_int_equal(wm_json_parse(wm_str_of(t->patch), &patch, NULL), WM_OK);
    assert_int_equal(wm_json_parse(wm_str_of(t->want ? t->want : t->doc), &want, NULL), WM_OK);
    assert_int_equal(wm_patch_apply(&doc, patch, NULL), t->rc);
    assert_true(cJSON_Compare(doc, want, true));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_defaults_are_acceptable),
        cmocka_unit_test(escaped_keys_mean_what_they_decode_to),
        cmocka_unit_test(a_nul_in_a_name_is_no_name),
        cmocka_unit_test(an_object_without_metadata_is_left_untouched),
        cmocka_unit_test(of_a_label_given_twice_the_last_counts_as_in_go),
        cmocka_unit_test(every_rule_has_a_resource_and_a_source_for_the_table),
    };

    return RUN_TABLE("label values", names, check_name) + RUN_TABLE("label keys", keys, check_key) +
           RUN_TABLE("configured keys", confs, check_conf) + RUN_TABLE("bad reviews", bads, check_bad) +
           RUN_TABLE("patches", patches, check_patch) + cmocka_run_group_tests(tests, NULL, NULL);
}
