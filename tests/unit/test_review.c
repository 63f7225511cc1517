/* The parts of `waymark-webhook review` that golden cases cannot reach well. */
#include "review_field.h"
#include "review_print.h"
#include "unit.h"

/* --- from a field to its node --- */

static const char object_text[] = "spec:\n"                    /* 1 */
                                  "  namespaces:\n"            /* 2 */
                                  "  - one\n"                  /* 3 */
                                  "  - two\n"                  /* 4 */
                                  "  hooks:\n"                 /* 5 */
                                  "  - reference: {name: x}\n" /* 6 */
                                  "metadata:\n"                /* 7 */
                                  "  labels:\n"                /* 8 */
                                  "    app.kubernetes.io/name: web\n" /* 9 */;

static const struct field_row {
    const char *field;
    unsigned line;
} field_rows[] = {
    {"spec.namespaces[1]", 4},
    {"spec.namespaces", 2},
    {"spec.namespaces[2]", 2},
    {"spec.namespaces[x]", 2},
    {"spec.hooks[0].reference.name", 6},
    {"spec.hooks[0].phase", 6},
    {"spec.nothing.here", 1},
    {"metadata.labels[app.kubernetes.io/name]", 9},
    {"metadata.labels[other]", 8},
    {"status.phase", 1},
    {"spec.namespaces[", 2},
    {"..[", 1},
    {"", 1},
};

static void check_field(void **state)
{
    const struct field_row *r = *state;
    wm_auto_yaml struct wm_yaml *y = NULL;

    assert_int_equal(wm_yaml_parse(wm_str_of(object_text), NULL, 4096, &y, NULL), WM_OK);
    assert_int_equal(wm_yaml_line(y, wm_field_nearest(wm_yaml_root(y), r->field)), r->line);
}

/* --- names of files in SARIF --- */

static const struct uri_row {
    const char *path, *uri;
} uri_rows[] = {
    {"plans/a.yaml", "plans/a.yaml"},
    {"./plans/a.yaml", "plans/a.yaml"},
    {"../a.yaml", "../a.yaml"},
    {"/repo/plans/a.yaml", "plans/a.yaml"},
    {"/repository/a.yaml", "file:///repository/a.yaml"},
    {"/etc/a b.yaml", "file:///etc/a%20b.yaml"},
    {"50%: \"x\".yaml", "50%25%3A%20%22x%22.yaml"},
    {"\xc3\xbc.yaml", "%C3%BC.yaml"},
};

static void check_uri(void **state)
{
    const struct uri_row *r = *state;
    wm_auto_buf struct wm_buf out = WM_BUF_MAX(1000);

    wm_sarif_uri(r->path, "/repo", &out);
    assert_string_equal(out.p, r->uri);
}

/* --- what is known of other objects --- */

#define MTC "apiVersion: migration.openshift.io/v1alpha1\n"
static const char *const reviewed_files[] = {
    MTC "kind: MigPlan\nmetadata: {name: new}\n", MTC "kind: MigPlan\nmetadata: {generateName: new-}\n",
    MTC "kind: MigStorage\nmetadata: {name: s3, namespace: a}\nspec: {new: true}\n"};
static const char *const other_files[] = {
    MTC "kind: MigCluster\nmetadata: {name: host, namespace: a}\n",
    MTC "kind: MigStorage\nmetadata: {name: s3, namespace: a}\n",
    "apiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata: {name: fast}\n",
    "apiVersion: example.com/v1\nkind: MigHook\nmetadata: {name: hook, namespace: a}\n"};

static const struct fact_row {
    const char *name;
    enum wm_resource resource;
    const char *namespace_, *object;
    enum wm_fact_state alone, with_context;
} fact_rows[] = {
    {"of the input", WM_MIGPLANS, "a", "new", WM_FACT_FOUND, WM_FACT_FOUND},
    {"not there, and only the input has the kind", WM_MIGPLANS, "a", "other", WM_FACT_UNKNOWN,
     WM_FACT_UNKNOWN},
    {"of the context", WM_MIGCLUSTERS, "a", "host", WM_FACT_UNKNOWN, WM_FACT_FOUND},
    {"not there, and the context has the kind", WM_MIGCLUSTERS, "a", "other", WM_FACT_UNKNOWN,
     WM_FACT_ABSENT},
    {"in a namespace that the context lacks", WM_MIGCLUSTERS, "b", "host", WM_FACT_UNKNOWN, WM_FACT_UNKNOWN},
    {"of both", WM_MIGSTORAGES, "a", "s3", WM_FACT_FOUND, WM_FACT_FOUND},
    {"without a namespace", WM_STORAGECLASSES, "", "fast", WM_FACT_UNKNOWN, WM_FACT_FOUND},
    {"of another group", WM_MIGHOOKS, "a", "hook", WM_FACT_UNKNOWN, WM_FACT_UNKNOWN},
    {"a list of the input", WM_MIGPLANS, "a", "", WM_FACT_FOUND, WM_FACT_FOUND},
    {"a list of the context", WM_MIGCLUSTERS, "a", "", WM_FACT_UNKNOWN, WM_FACT_FOUND},
    {"a list of nothing", WM_SECRETS, "a", "", WM_FACT_UNKNOWN, WM_FACT_UNKNOWN},
};

/* Inputs as if from files. */
static void add_files(struct wm_input *in, const char *const texts[], size_t n)
{
    for (size_t i = 0; i < n; i++)
        wm_input_add_text(in, wm_str_of(texts[i]), "f");
    assert_int_equal(in->n_errors, 0);
}

static enum wm_fact_state ask(const struct fact_row *row, size_t n_others, struct wm_buf *ret_text)
{
    struct wm_input reviewed = {.default_namespace = "a"}, others = {.default_namespace = "a"};
    struct wm_query q = {.resource = row->resource};
    struct wm_context c;
    struct wm_json_value v = {0};

    strcpy(q.namespace_, row->namespace_);
    strcpy(q.name, row->object);
    add_files(&reviewed, reviewed_files, sizeof reviewed_files / sizeof reviewed_files[0]);
    add_files(&others, other_files, n_others);
    wm_context_init(&c, &reviewed, &others, &wm_label_conf_default);
    assert_int_equal(wm_facts_ask(&c.facts, &q, &v), WM_FACT_WANTED);
    wm_context_answer(&c);
    enum wm_fact_state state = wm_facts_ask(&c.facts, &q, &v);

    if (ret_text && state == WM_FACT_FOUND)
        wm_buf_str(ret_text, wm_json_span_of(v).text);
    wm_context_done(&c);
    wm_input_done(&reviewed);
    wm_input_done(&others);
    return state;
}

static void check_fact(void **state)
{
    const struct fact_row *r = *state;

    assert_int_equal(ask(r, 0, NULL), r->alone);
    assert_int_equal(ask(r, sizeof other_files / sizeof other_files[0], NULL), r->with_context);
}

static void what_is_reviewed_replaces_what_is_there(void **state)
{
    static const struct fact_row row = {"", WM_MIGSTORAGES, "a", "s3", 0, 0};
    wm_auto_buf struct wm_buf text = WM_BUF_MAX(10000);

    (void)state;
    assert_int_equal(ask(&row, 2, &text), WM_FACT_FOUND);
    assert_non_null(strstr(text.p, "\"new\":true"));
}

static void a_list_holds_each_object_once_and_none_without_a_name(void **state)
{
    static const struct fact_row plans = {"", WM_MIGPLANS, "a", "", 0, 0},
                                 storages = {"", WM_MIGSTORAGES, "a", "", 0, 0};
    wm_auto_buf struct wm_buf text = WM_BUF_MAX(10000);
    wm_auto_json cJSON *a = NULL, *b = NULL;

    (void)state;
    assert_int_equal(ask(&plans, 4, &text), WM_FACT_FOUND);
    assert_int_equal(wm_json_parse(wm_buf_text(&text), &a, NULL), WM_OK);
    assert_int_equal(cJSON_GetArraySize(wm_json_at(a, "/items")), 1);
    wm_buf_clear(&text);
    assert_int_equal(ask(&storages, 4, &text), WM_FACT_FOUND);
    assert_int_equal(wm_json_parse(wm_buf_text(&text), &b, NULL), WM_OK);
    assert_int_equal(cJSON_GetArraySize(wm_json_at(b, "/items")), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_reviewed_replaces_what_is_there),
        cmocka_unit_test(a_list_holds_each_object_once_and_none_without_a_name),
    };

    return RUN_TABLE("fields", field_rows, check_field) + RUN_TABLE("SARIF names", uri_rows, check_uri) +
           RUN_TABLE("facts", fact_rows, check_fact) + cmocka_run_group_tests(tests, NULL, NULL);
}
