/* Runs tests/golden/validation/<case>.json; see tests/golden/README.md. */
#include "tests/support/golden.h"
#include "unit.h"
#include "waymark/time.h"
#include "waymark/validate.h"

#define FOLDER "tests/golden/validation"
enum { MAX_CASES = 1000, MAX_ROUNDS = 4, TEXT_MAX = 8 << 20 };

/* --- the cluster of a case --- */

static bool is_listed(const cJSON *list, const char *word)
{
    const cJSON *item;

    cJSON_ArrayForEach(item,
                       list) if (cJSON_IsString(item) && strcmp(item->valuestring, word) == 0) return true;
    return false;
}

static bool answers(const cJSON *object, const struct wm_query *q)
{
    const struct wm_resource_info *r = &wm_resources[q->resource];
    const char *kind = wm_json_str(object, "/kind"), *name = wm_json_str(object, "/metadata/name"),
               *ns = wm_json_str(object, "/metadata/namespace");

    return kind && strcmp(kind, r->kind) == 0 && (!q->name[0] || (name && strcmp(name, q->name) == 0)) &&
           (r->cluster_scoped || (ns && strcmp(ns, q->namespace_) == 0));
}

static void answer(const cJSON *root, struct wm_facts *facts, size_t i)
{
    const struct wm_query *q = &facts->list[i].query;
    const cJSON *o;
    cJSON *list = cJSON_CreateObject(), *items = cJSON_AddArrayToObject(list, "items");

    if (is_listed(wm_json_at(root, "/unknown"), wm_resources[q->resource].resource)) {
        wm_facts_answer(facts, i, WM_FACT_UNKNOWN, NULL, 0);
        cJSON_Delete(list);
        return;
    }
    cJSON_ArrayForEach(o, wm_json_at(root, "/cluster")) if (answers(o, q))
        cJSON_AddItemToArray(items, cJSON_Duplicate(o, true));
    const cJSON *found = q->name[0] ? cJSON_GetArrayItem(items, 0) : list;

    if (found) {
        char *text = cJSON_PrintUnformatted(found);

        wm_facts_answer(facts, i, WM_FACT_FOUND, text, strlen(text));
    } else {
        wm_facts_answer(facts, i, WM_FACT_ABSENT, NULL, 0);
    }
    cJSON_Delete(list);
}

/* --- the policy of a case --- */

static wm_globs globs_of(const cJSON *list)
{
    size_t n = 0;
    const cJSON *item;

    if (!cJSON_IsArray(list))
        return NULL;
    wm_globs globs = calloc((size_t)cJSON_GetArraySize(list) + 1, sizeof *globs);

    cJSON_ArrayForEach(item, list) globs[n++] = strdup(item->valuestring);
    return globs;
}

static void make_policy(const cJSON *conf, struct wm_policy *p)
{
    const cJSON *row;

    wm_policy_init(p);
    p->namespace_limit = (unsigned)wm_json_i64(conf, "/namespace-limit", p->namespace_limit);
    p->exceptions = globs_of(wm_json_at(conf, "/exceptions"));
    cJSON_ArrayForEach(row, wm_json_at(conf, "/modes"))
    {
        struct wm_policy_row r = {
            globs_of(wm_json_at(row, "/rules")),   globs_of(wm_json_at(row, "/namespaces")),
            globs_of(wm_json_at(row, "/users")),   globs_of(wm_json_at(row, "/groups")),
            wm_mode_of(wm_json_str(row, "/mode")), {0}};

        assert_true(wm_policy_add(p, &r));
    }
}

/* --- judging --- */

static void judge(const cJSON *root, const struct wm_subject *s, const struct wm_policy *p,
                  struct wm_facts *facts, struct wm_verdict *v)
{
    wm_validate(s, p, facts, v);
    for (int round = 0; v->wants_facts; round++) {
        assert_true(round < MAX_ROUNDS);
        for (size_t i = 0; i < facts->n; i++)
            if (facts->list[i].state == WM_FACT_WANTED)
                answer(root, facts, i);
        wm_validate(s, p, facts, v);
    }
}

static cJSON *findings_of(const struct wm_verdict *v)
{
    cJSON *list = cJSON_CreateArray();

    for (size_t i = 0; i < v->n; i++) {
        wm_auto_buf struct wm_buf line = WM_BUF_MAX(4096);

        wm_buf_printf(&line, "%s%s ", v->list[i].excepted ? "excepted, " : "", wm_mode_name(v->list[i].mode));
        wm_finding_print(&v->list[i], true, &line);
        cJSON_AddItemToArray(list, cJSON_CreateString(line.p));
    }
    return list;
}

static cJSON *unknown_of(const struct wm_verdict *v)
{
    cJSON *list = cJSON_CreateArray();

    for (size_t i = 0; i < wm_rules_count(); i++)
        if (v->unknown[i / 64] >> i % 64 & 1)
            cJSON_AddItemToArray(list, cJSON_CreateString(wm_rule_at(i, NULL)->id));
    return list;
}

/* The whole of a case's result: what `expect` says. */
static cJSON *result_of(const cJSON *root, const char *body, struct wm_buf *ret_answer)
{
    struct wm_admission a = {0};
    struct wm_error err = {0};
    struct wm_facts facts = {0};
    struct wm_verdict v = {0};
    struct wm_policy policy;

    if (wm_admission_read(wm_str_of(body), &a, &err) < 0)
        fail_msg("%s: %s", err.where, err.msg);
    const char *now = wm_json_str(root, "/now");

    assert_true(wm_time_parse(wm_str_of(now ? now : "2026-01-02T03:04:05Z"), &a.subject.now_s));
    make_policy(wm_json_at(root, "/config"), &policy);
    judge(root, &a.subject, &policy, &facts, &v);
    assert_int_equal(wm_admission_answer(&a, &v, ret_answer, &err), WM_OK);
    cJSON *result = cJSON_CreateObject(), *unknown = unknown_of(&v);

    cJSON_AddBoolToObject(result, "allowed", wm_verdict_allows(&v));
    cJSON_AddItemToObject(result, "findings", findings_of(&v));
    if (cJSON_GetArraySize(unknown))
        cJSON_AddItemToObject(result, "cannot-tell", unknown);
    else
        cJSON_Delete(unknown);
    wm_policy_done(&policy);
    wm_verdict_done(&v);
    wm_facts_done(&facts);
    wm_admission_done(&a);
    return result;
}

/* What must hold of every answer. */
static void check_answer(const cJSON *root, const cJSON *result, const struct wm_buf *text)
{
    wm_auto_json cJSON *a = NULL;
    const cJSON *warning, *cause;
    bool allowed = wm_json_bool(result, "/allowed");

    assert_int_equal(wm_json_parse(wm_buf_text(text), &a, NULL), WM_OK);
    assert_string_equal(wm_json_str(a, "/kind"), "AdmissionReview");
    assert_non_null(wm_json_str(a, "/response/uid"));
    assert_int_equal(wm_json_bool(a, "/response/allowed"), allowed);
    assert_null(wm_json_at(a, "/response/patch"));
    cJSON_ArrayForEach(warning, wm_json_at(a, "/response/warnings"))
        assert_null(strpbrk(warning->valuestring, "\n\t\r"));
    if (allowed) {
        assert_null(wm_json_at(a, "/response/status"));
        return;
    }
    int64_t code = wm_json_i64(a, "/response/status/code", 0), want = wm_json_i64(root, "/code", 422);

    assert_int_equal(code, want);
    assert_string_equal(wm_json_str(a, "/response/status/reason"), code == 403 ? "Forbidden" : "Invalid");
    assert_true(cJSON_GetArraySize(wm_json_at(a, "/response/status/details/causes")) > 0);
    cJSON_ArrayForEach(cause, wm_json_at(a, "/response/status/details/causes"))
    {
        assert_non_null(wm_json_str(cause, "/reason"));
        assert_true(strlen(wm_json_str(cause, "/message")) > 0);
    }
}

static void rewrite(const struct golden *g, cJSON *root, const cJSON *result)
{
    cJSON_DeleteItemFromObjectCaseSensitive(root, "expect");
    cJSON_AddItemToObject(root, "expect", cJSON_Duplicate(result, true));
    golden_write(g, root);
}

static void expect(const cJSON *root, const cJSON *result, const char *what)
{
    if (cJSON_Compare(result, wm_json_at(root, "/expect"), true))
        return;
    char *got = cJSON_Print(result);

    print_error("%s: got %s\n", what, got);
    free(got);
    fail();
}

static void check_case(void **state)
{
    const struct golden *g = *state;
    wm_auto_json cJSON *root = golden_read(g);
    wm_auto_free char *body = review_of(root, wm_json_at(root, "/object"), "v1");
    wm_auto_buf struct wm_buf answer = WM_BUF_MAX(TEXT_MAX), again = WM_BUF_MAX(TEXT_MAX);
    wm_auto_json cJSON *result = result_of(root, body, &answer);

    golden_write_body(g, body);
    if (golden_updates())
        rewrite(g, root, result);
    expect(root, result, "as given");
    check_answer(root, result, &answer);
    /* The same with the members of all objects in reverse. */
    wm_auto_json cJSON *reversed = cJSON_Duplicate(root, true);

    golden_reverse(wm_json_at(reversed, "/object"));
    golden_reverse(wm_json_at(reversed, "/oldObject"));
    wm_auto_free char *other = review_of(reversed, wm_json_at(reversed, "/object"), "v1");
    wm_auto_json cJSON *same = result_of(reversed, other, &again);

    expect(root, same, "with its keys in another order");
    assert_string_equal(answer.p, again.p);
}

/* --- every rule has cases on both sides of its limit --- */

static bool is_id_in(const char *line, const char *id)
{
    const char *at = strstr(line, "; ") ? line : NULL;
    size_t n = strlen(id);

    for (at = line; (at = strstr(at, id)); at += n)
        if (at > line && at[-1] == '(' && (at[n] == ')' || at[n] == ';'))
            return true;
    return false;
}

static bool finds(const cJSON *root, const char *id)
{
    const cJSON *line;

    cJSON_ArrayForEach(line,
                       wm_json_at(root, "/expect/findings")) if (is_id_in(line->valuestring, id)) return true;
    return false;
}

static struct golden cases[MAX_CASES];
static size_t n_cases;

static void every_rule_has_a_case_that_it_finds_and_one_that_it_just_accepts(void **state)
{
    bool found[WM_RULES_MAX] = {false}, accepted[WM_RULES_MAX] = {false};
    size_t n = wm_rules_count();
    int missing = 0;

    (void)state;
    assert_true(n <= WM_RULES_MAX);
    for (size_t k = 0; k < n_cases; k++) {
        wm_auto_json cJSON *root = golden_read(&cases[k]);

        for (size_t i = 0; i < n; i++) {
            const char *id = wm_rule_at(i, NULL)->id;
            bool claims = is_listed(wm_json_at(root, "/accepts"), id);

            found[i] |= finds(root, id);
            accepted[i] |= claims;
            if (claims && finds(root, id))
                fail_msg("%s says it accepts %s, and finds it", cases[k].name, id);
        }
    }
    for (size_t i = 0; i < n; i++)
        if (!found[i] || !accepted[i]) {
            print_error("%s has no case that %s it\n", wm_rule_at(i, NULL)->id,
                        found[i] ? "accepts" : "finds");
            missing++;
        }
    assert_int_equal(missing, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_rule_has_a_case_that_it_finds_and_one_that_it_just_accepts),
    };

    n_cases = golden_find(FOLDER, cases, MAX_CASES);
    if (n_cases == 0)
        return 1;
    int failed = run_rows("golden validation", cases, n_cases, sizeof cases[0], check_case);

    failed += cmocka_run_group_tests_name("coverage of the rules", tests, NULL, NULL);
    golden_free(cases, n_cases);
    return failed;
}
