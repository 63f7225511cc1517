/* Runs tests/golden/diagnosis/<case>/: objects of several clusters in, findings out; see
 * tests/golden/README.md. */
#include <stdio.h>

#include "diagnosis_judge.h"
#include "unit.h"

enum { MAX_CASES = 600, MAX_CAUSES = 400, ROUNDS = 3, PATH_MAX_N = 512 };

/* --- which causes the cases find --- */

static struct {
    const struct wm_cause *list[MAX_CAUSES];
    size_t n;
} found;

static bool is_found(const struct wm_cause *cause)
{
    for (size_t i = 0; i < found.n; i++)
        if (found.list[i] == cause)
            return true;
    return false;
}

static void remember(const struct wm_cause *cause)
{
    if (is_found(cause))
        return;
    assert_true(found.n < MAX_CAUSES);
    found.list[found.n++] = cause;
}

/* --- judging --- */

struct told {
    const char **ids; /* of the causes, first those that explain the others */
    size_t n;
    char *text;
};

static void tell(void *ctx, const struct wm_diagnosis *d)
{
    struct told *told = ctx;

    for (size_t i = 0; i < d->n; i++) {
        remember(d->findings[i].cause);
        told->ids[i] = d->findings[i].cause->id;
    }
    told->n = d->n;
    told->text = diagnosis_text(d);
}

static char *judge(struct world *w, const struct object *objects, size_t n, const char *ids[WM_FINDINGS_MAX],
                   size_t *n_ids)
{
    struct told told = {.ids = ids};

    diagnosis_judge(w, objects, n, tell, &told);
    *n_ids = told.n;
    return told.text;
}

/* --- cases --- */

static void expect_causes(const cJSON *root, const char *const ids[], size_t n)
{
    const cJSON *expected = wm_json_at(root, "/causes");

    if (cJSON_GetArraySize(expected) == 0 && n > 0)
        fail_msg("found %s where nothing is wrong", ids[0]);
    for (int i = 0; i < cJSON_GetArraySize(expected); i++) {
        const char *id = cJSON_GetArrayItem(expected, i)->valuestring;

        if ((size_t)i >= n || strcmp(id, ids[i]) != 0)
            fail_msg("expected %s as number %d, found %s", id, i + 1, (size_t)i < n ? ids[i] : "nothing");
    }
}

static void order_does_not_matter(struct world *w, const char *expected)
{
    const char *ids[WM_FINDINGS_MAX];
    uint64_t seed = 1;
    size_t n;

    for (int round = 0; round < ROUNDS; round++) {
        golden_shuffle(w->objects, w->n, sizeof *w->objects, &seed);
        wm_auto_free char *text = judge(w, w->objects, w->n, ids, &n);

        assert_string_equal(text, expected);
    }
}

/* The same objects of somebody else: other uids and other namespaces, but the same names. */
static void strangers_change_nothing(struct world *w, const char *expected)
{
    const char *ids[WM_FINDINGS_MAX];
    struct object *all = calloc(2 * w->n, sizeof *all);
    size_t n_all = w->n, n;

    memcpy(all, w->objects, w->n * sizeof *all);
    for (size_t i = 0; i < w->n; i++) {
        wm_auto_free char *moved =
            golden_replaced(w->objects[i].json, "\"namespace\":\"", "\"namespace\":\"other-");

        if (!w->objects[i].namespace_[0])
            continue;
        all[n_all] = w->objects[i];
        all[n_all++].json = golden_replaced(moved, "-4000-8000-", "-4001-8000-");
    }
    wm_auto_free char *text = judge(w, all, n_all, ids, &n);

    assert_string_equal(text, expected);
    for (size_t i = w->n; i < n_all; i++)
        free(all[i].json);
    free(all);
}

/* Who is not asked again before `again_s` must not miss anything. */
static void time_alone_changes_nothing_before(struct world *w, int64_t again_s, const char *expected)
{
    enum { A_DAY = 86400 };
    const char *ids[WM_FINDINGS_MAX];
    int64_t now_s = w->world.now_s;
    size_t n;

    if (again_s)
        assert_true(again_s > now_s);
    w->world.now_s = again_s ? again_s - 1 : now_s + A_DAY;
    wm_auto_free char *text = judge(w, w->objects, w->n, ids, &n);

    assert_string_equal(text, expected);
    w->world.now_s = now_s;
}

static void check_case(void **state)
{
    const struct golden *g = *state;
    char path[PATH_MAX_N];
    const char *ids[WM_FINDINGS_MAX];
    wm_auto_yaml struct wm_yaml *y = diagnosis_read_case(g->path);
    size_t n;
    struct world *w = diagnosis_world_read(g->path, wm_yaml_root(y));
    wm_auto_free char *text = judge(w, w->objects, w->n, ids, &n);

    snprintf(path, sizeof path, "%s/expected.txt", g->path);
    assert_true(golden_matches(path, text));
    expect_causes(wm_yaml_root(y), ids, n);
    time_alone_changes_nothing_before(w, w->again_s, text);
    if (!w->is_cluster_wide)
        strangers_change_nothing(w, text);
    order_does_not_matter(w, text);
    diagnosis_world_free(w);
}

/* --- the table --- */

static bool is_camel_case(const char *id)
{
    size_t n = strlen(id);

    return n > 0 && n <= 63 && id[0] >= 'A' && id[0] <= 'Z' &&
           strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789") == n;
}

static void check_row(void *ctx, const struct wm_cause *c)
{
    /* What was found for want of a cause is from nowhere. */
    bool is_makeshift = c->depth == 0;

    (void)ctx;
    if (!is_camel_case(c->id))
        fail_msg("%s cannot be a condition's reason", c->id);
    if (wm_cause_find(c->id) != c)
        fail_msg("%s is there twice", c->id);
    if (!c->test || !c->roles || c->depth < 0 || c->depth > 9)
        fail_msg("%s can never be found", c->id);
    if (!c->title || !c->title[0] || !c->says || !c->says[0] || !c->remedy || !c->remedy[0])
        fail_msg("%s has no words", c->id);
    if (!c->source || (!c->source[0] && !is_makeshift))
        fail_msg("nobody knows where %s is from", c->id);
    if (strpbrk(c->title, "[]\n") || strpbrk(c->says, "[]\n"))
        fail_msg("%s does not say what it is in one line without square brackets", c->id);
}

static void rows_are_whole(void **state)
{
    (void)state;
    wm_causes_each(check_row, NULL);
}

static void expect_found(void *ctx, const struct wm_cause *c)
{
    size_t *n = ctx;

    if (is_found(c))
        return;
    print_error("no case finds %s\n", c->id);
    ++*n;
}

static void every_row_has_a_case(void **state)
{
    size_t n = 0;

    (void)state;
    wm_causes_each(expect_found, &n);
    assert_int_equal(n, 0);
}

int main(void)
{
    static struct golden cases[MAX_CASES];
    size_t n = diagnosis_find_cases(cases, MAX_CASES);
    int failed = n == 0 || run_rows("diagnosis", cases, n, sizeof *cases, check_case);
    const struct CMUnitTest table[] = {
        cmocka_unit_test(rows_are_whole), cmocka_unit_test(every_row_has_a_case), /* after all cases */
    };

    failed += cmocka_run_group_tests_name("table of causes", table, NULL, NULL);
    golden_free(cases, n);
    return failed;
}
