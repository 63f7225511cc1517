/* Verdicts and the answers made of them; what single rules find is in the goldens. */
#include <stdio.h>

#include "unit.h"
#include "waymark/validate.h"

static const struct wm_rule wrong = {"t/wrong",    WM_ON_CREATE,     false,
                                     WM_MODE_WARN, WM_CAUSE_INVALID, "",
                                     "Wrong",      "It is wrong.",   "make it right"};
static const struct wm_rule untimely = {
    "t/untimely", WM_ON_CREATE,       false, WM_MODE_ENFORCE, WM_CAUSE_FORBIDDEN, "",
    "",           "It is too early.", "wait"};

static const char body[] = "{\"apiVersion\":\"admission.k8s.io/"
                           "v1\",\"kind\":\"AdmissionReview\",\"request\":{\"uid\":\"u-1\",\"operation\":"
                           "\"CREATE\",\"namespace\":\"openshift-migration\",\"kind\":{\"group\":\"migration."
                           "openshift.io\",\"kind\":\"MigHook\"},"
                           "\"object\":{\"apiVersion\":\"migration.openshift.io/"
                           "v1alpha1\",\"kind\":\"MigHook\",\"metadata\":{\"name\":\"h\"},"
                           "\"spec\":{\"custom\":true,\"image\":\"a/b:c\",\"targetCluster\":\"source\"}}}}";

static void add(struct wm_verdict *v, const struct wm_rule *rule, enum wm_mode mode, const char *why)
{
    if (!v->list)
        v->list = calloc(WM_FINDINGS_MAX, sizeof *v->list);
    v->n_of[mode]++;
    if (v->n == WM_FINDINGS_MAX)
        return;
    struct wm_finding *f = &v->list[v->n++];

    *f = (struct wm_finding){.rule = rule, .mode = mode};
    snprintf(f->field, sizeof f->field, "spec.x[%zu]", v->n);
    snprintf(f->why, sizeof f->why, "%s", why);
}

/* The answer to `body` as a tree. */
static cJSON *answer(const struct wm_verdict *v)
{
    struct wm_admission a = {0};
    wm_auto_buf struct wm_buf out = WM_BUF_MAX(1 << 20);
    cJSON *tree = NULL;

    assert_int_equal(wm_admission_read(wm_str_of(body), &a, NULL), WM_OK);
    assert_int_equal(wm_admission_answer(&a, v, &out, NULL), WM_OK);
    assert_int_equal(wm_json_parse(wm_buf_text(&out), &tree, NULL), WM_OK);
    wm_admission_done(&a);
    return tree;
}

static void an_object_without_faults_is_allowed_without_a_word(void **state)
{
    struct wm_verdict v = {0};
    wm_auto_json cJSON *a = answer(&v);

    (void)state;
    assert_true(wm_json_bool(a, "/response/allowed"));
    assert_string_equal(wm_json_str(a, "/response/uid"), "u-1");
    assert_int_equal(cJSON_GetArraySize(wm_json_at(a, "/response")), 2);
}

static void faults_of_the_object_are_422_and_of_the_moment_403(void **state)
{
    struct wm_verdict v = {0};

    (void)state;
    add(&v, &untimely, WM_MODE_ENFORCE, "a is running");
    wm_auto_json cJSON *early = answer(&v);

    assert_int_equal(wm_json_i64(early, "/response/status/code", 0), 403);
    assert_string_equal(wm_json_str(early, "/response/status/reason"), "Forbidden");
    add(&v, &wrong, WM_MODE_ENFORCE, "b is wrong");
    wm_auto_json cJSON *both = answer(&v);

    assert_int_equal(wm_json_i64(both, "/response/status/code", 0), 422);
    assert_string_equal(wm_json_str(both, "/response/status/reason"), "Invalid");
    wm_verdict_done(&v);
}

static void a_denial_names_object_fields_and_remedies(void **state)
{
    struct wm_verdict v = {0};

    (void)state;
    add(&v, &wrong, WM_MODE_ENFORCE, "b is wrong");
    add(&v, &untimely, WM_MODE_ENFORCE, "a is running");
    add(&v, &wrong, WM_MODE_AUDIT, "quiet");
    wm_auto_json cJSON *a = answer(&v);

    assert_string_equal(wm_json_str(a, "/response/status/message"),
                        "MigHook openshift-migration/h has 2 faults:\n"
                        "* spec.x[1]: b is wrong; make it right (t/wrong; the controller would say Wrong)\n"
                        "* spec.x[2]: a is running; wait (t/untimely)");
    assert_string_equal(wm_json_str(a, "/response/status/details/kind"), "MigHook");
    assert_string_equal(wm_json_str(a, "/response/status/details/name"), "h");
    assert_string_equal(wm_json_str(a, "/response/status/details/causes/0/field"), "spec.x[1]");
    assert_string_equal(wm_json_str(a, "/response/status/details/causes/1/reason"), "FieldValueForbidden");
    assert_int_equal(cJSON_GetArraySize(wm_json_at(a, "/response/status/details/causes")), 2);
    assert_string_equal(wm_json_str(a, "/response/auditAnnotations/denied"), "t/wrong,t/untimely");
    assert_string_equal(wm_json_str(a, "/response/auditAnnotations/audited"), "t/wrong");
    wm_verdict_done(&v);
}

static size_t runes(const char *z)
{
    size_t n = 0;

    for (; *z; z++)
        n += ((unsigned char)*z & 0xc0) != 0x80;
    return n;
}

/* What the API server passes on: k8s.io/apiserver warning.go. */
static void check_warnings(const cJSON *a, size_t at_least, size_t all)
{
    const cJSON *w, *list = wm_json_at(a, "/response/warnings");
    size_t total = 0, n = (size_t)cJSON_GetArraySize(list), rest = 0;

    cJSON_ArrayForEach(w, list) total += runes(w->valuestring);
    assert_true(total <= 4096);
    const char *last = cJSON_GetArrayItem(list, (int)n - 1)->valuestring;

    if (sscanf(last, "and %zu more;", &rest) == 1)
        n--;
    assert_int_equal(n + rest, all);
    assert_true(n >= at_least);
}

static void few_warnings_are_told_in_full(void **state)
{
    struct wm_verdict v = {0};
    char why[380];

    (void)state;
    memset(why, 'x', sizeof why - 1);
    why[sizeof why - 1] = '\0';
    for (int i = 0; i < 8; i++)
        add(&v, &wrong, WM_MODE_WARN, why);
    wm_auto_json cJSON *a = answer(&v);

    assert_true(wm_json_bool(a, "/response/allowed"));
    check_warnings(a, 8, 8);
    assert_non_null(strstr(wm_json_str(a, "/response/warnings/0"), why));
    wm_verdict_done(&v);
}

static void many_warnings_are_cut_and_the_rest_is_counted(void **state)
{
    struct wm_verdict v = {0};
    char why[380] = "";

    (void)state;
    for (int i = 0; i < 120; i++)
        memcpy(why + 3 * i, "\xe2\x82\xac", 3); /* three bytes, one rune */
    for (int i = 0; i < 400; i++)
        add(&v, &wrong, WM_MODE_WARN, why);
    wm_auto_json cJSON *a = answer(&v);

    check_warnings(a, 14, 400);
    wm_verdict_done(&v);
}

static void a_denial_with_many_faults_lists_the_first_and_counts_the_rest(void **state)
{
    struct wm_verdict v = {0};

    (void)state;
    for (int i = 0; i < 100; i++)
        add(&v, &wrong, WM_MODE_ENFORCE, "b is wrong");
    wm_auto_json cJSON *a = answer(&v);

    assert_int_equal(cJSON_GetArraySize(wm_json_at(a, "/response/status/details/causes")), 32);
    assert_non_null(strstr(wm_json_str(a, "/response/status/message"), "and 68 more"));
    wm_verdict_done(&v);
}

static void rules_that_cannot_tell_are_named_in_the_audit_annotations(void **state)
{
    struct wm_verdict v = {.unknown = {1}};
    wm_auto_json cJSON *a = answer(&v);

    (void)state;
    assert_true(wm_json_bool(a, "/response/allowed"));
    assert_string_equal(wm_json_str(a, "/response/auditAnnotations/cannot-tell"), wm_rule_at(0, NULL)->id);
}

static void a_stored_object_is_judged_as_if_it_were_created(void **state)
{
    static const char stored[] =
        "{\"apiVersion\":\"migration.openshift.io/v1alpha1\",\"kind\":\"MigHook\",\"metadata\":{"
        "\"name\":\"h\",\"namespace\":\"n\"},\"spec\":{\"custom\":true,\"image\":\"a/b\","
        "\"targetCluster\":\"moon\"}}";
    wm_auto_index struct wm_json_index x = {0};
    struct wm_subject s;
    struct wm_facts facts = {.final = true};
    struct wm_policy policy;
    struct wm_verdict v = {0};

    (void)state;
    wm_policy_init(&policy);
    assert_int_equal(wm_subject_read(wm_str_of(stored), &x, &s, NULL), WM_OK);
    assert_int_equal(s.kind, WM_SUBJECT_HOOK);
    wm_validate(&s, &policy, &facts, &v);
    assert_int_equal(v.n_of[WM_MODE_ENFORCE], 1);
    assert_string_equal(v.list[0].rule->id, "hook/target-cluster");
    wm_verdict_done(&v);
    wm_policy_done(&policy);
    assert_int_equal(wm_subject_read(wm_str_of("{\"apiVersion\":\"v1\",\"kind\":\"Pod\"}"), &x, &s, NULL),
                     WM_OK);
    assert_int_equal(s.kind, WM_SUBJECT_NONE);
    assert_int_equal(wm_subject_read(wm_str_of("{"), &x, &s, NULL), WM_E_INVALID);
}

static void a_review_of_a_deletion_without_the_object_is_not_judged(void **state)
{
    static const char text[] = "{\"apiVersion\":\"admission.k8s.io/"
                               "v1beta1\",\"kind\":\"AdmissionReview\",\"request\":{\"uid\":\"u\","
                               "\"operation\":\"DELETE\",\"kind\":{\"group\":\"migration.openshift.io\","
                               "\"kind\":\"MigPlan\"},\"name\":\"p\"}}";
    struct wm_admission a = {0};

    (void)state;
    assert_int_equal(wm_admission_read(wm_str_of(text), &a, NULL), WM_OK);
    assert_int_equal(a.subject.kind, WM_SUBJECT_NONE);
    wm_admission_done(&a);
}

/* --- the table --- */

static void every_rule_is_complete_and_its_id_unique(void **state)
{
    size_t n = wm_rules_count();

    (void)state;
    assert_true(n <= WM_RULES_MAX);
    for (size_t i = 0; i < n; i++) {
        const struct wm_rule *r = wm_rule_at(i, NULL);
        const char *slash = strchr(r->id, '/');

        assert_non_null(slash);
        assert_true(strspn(r->id, "abcdefghijklmnopqrstuvwxyz-/") == strlen(r->id));
        assert_true(r->on && r->mode > WM_MODE_OFF && r->mode < WM_MODE_COUNT && r->cause < WM_CAUSE_COUNT);
        assert_true(r->reads && r->condition);
        if (!r->reads[0] == !!(r->on & WM_ON_UPDATE))
            fail_msg("%s: a rule is tried on UPDATE exactly when it reads something of spec", r->id);
        assert_true(strlen(r->about) > 10 && r->about[strlen(r->about) - 1] == '.');
        assert_true(strlen(r->remedy) > 5 && r->remedy[strlen(r->remedy) - 1] != '.');
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(r->id, wm_rule_at(k, NULL)->id);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_object_without_faults_is_allowed_without_a_word),
        cmocka_unit_test(faults_of_the_object_are_422_and_of_the_moment_403),
        cmocka_unit_test(a_denial_names_object_fields_and_remedies),
        cmocka_unit_test(few_warnings_are_told_in_full),
        cmocka_unit_test(many_warnings_are_cut_and_the_rest_is_counted),
        cmocka_unit_test(a_denial_with_many_faults_lists_the_first_and_counts_the_rest),
        cmocka_unit_test(rules_that_cannot_tell_are_named_in_the_audit_annotations),
        cmocka_unit_test(a_stored_object_is_judged_as_if_it_were_created),
        cmocka_unit_test(a_review_of_a_deletion_without_the_object_is_not_judged),
        cmocka_unit_test(every_rule_is_complete_and_its_id_unique),
    };

    return cmocka_run_group_tests_name("validate", tests, NULL, NULL);
}
