/* Runs tests/golden/restarts/<case>.yaml: objects that come and go, and the restarts that follow from them;
 * see tests/golden/README.md. */
#include <dirent.h>
#include <stdio.h>

#include "restarts_play.h"
#include "tests/support/golden.h"
#include "unit.h"
#include "waymark/yaml.h"

enum { MAX_CASES = 100, MAX_STEPS = 40, ROUNDS = 4, FILE_MAX = 1 << 20 };

/* --- a case --- */

struct the_case {
    struct wm_yaml *yaml;
    struct restarts_step *steps;
    size_t n;
};

static void read_case(const char *folder, struct the_case *ret)
{
    char path[512];
    struct wm_error err = {0};
    const cJSON *step;

    snprintf(path, sizeof path, "%s/case.yaml", folder);
    wm_auto_free char *text = golden_text(path);

    assert_non_null(text);
    if (wm_yaml_parse(wm_str_of(text), path, FILE_MAX, &ret->yaml, &err) < 0)
        fail_msg("%s: %s", err.where, err.msg);
    assert_non_null(wm_json_str(wm_yaml_root(ret->yaml), "/about"));
    ret->steps = calloc(MAX_STEPS, sizeof *ret->steps);
    cJSON_ArrayForEach(step, wm_json_at(wm_yaml_root(ret->yaml), "/steps"))
    {
        assert_in_range(ret->n, 0, MAX_STEPS - 1);
        restarts_step_read(step, &ret->steps[ret->n++]);
    }
}

static void free_case(struct the_case *c)
{
    for (size_t i = 0; i < c->n; i++)
        restarts_step_done(&c->steps[i]);
    free(c->steps);
    wm_yaml_free(c->yaml);
}

/* What is known after each step that changed something, and what is said at the end; the play goes on in
 * *ret. */
static char *play_case(struct the_case *c, struct play **ret)
{
    wm_auto_buf struct wm_buf out = WM_BUF_MAX(1 << 20);
    struct play *p = play_new();
    wm_auto_free char *before = strdup("");

    for (size_t i = 0; i < c->n; i++) {
        play_step(p, &c->steps[i]);
        wm_auto_free char *list = play_list(p);

        if (strcmp(list, before) != 0)
            wm_buf_printf(&out, "T%+lld\n%s", (long long)(p->now_s - RESTARTS_START_S), list);
        free(before);
        before = strdup(list);
    }
    wm_auto_free char *conditions = play_conditions(p);

    wm_auto_free char *providers = play_providers(p);

    wm_buf_printf(&out, "said\n%sproviders\n%s", conditions, providers);
    *ret = p;
    return wm_buf_take(&out);
}

/* --- what must hold of every case --- */

static void order_does_not_matter(struct the_case *c, const char *expected)
{
    uint64_t seed = 1;

    for (int round = 0; round < ROUNDS; round++) {
        struct play *p;

        for (size_t i = 0; i < c->n; i++)
            golden_shuffle(c->steps[i].items, c->steps[i].n, sizeof c->steps[i].items[0], &seed);
        wm_auto_free char *text = play_case(c, &p);

        play_free(p);
        assert_string_equal(text, expected);
    }
}

/* All that is there at the end, at once: as the aggregator finds it when it starts. */
static void feed_rest(const struct the_case *c, struct play *p)
{
    struct restarts_item *last[256];
    size_t n = 0;

    for (size_t i = 0; i < c->n; i++)
        for (size_t k = 0; k < c->steps[i].n; k++) {
            size_t at = 0;

            while (at < n && strcmp(last[at]->uid, c->steps[i].items[k].uid) != 0)
                at++;
            assert_in_range(at, 0, 255);
            last[at] = &c->steps[i].items[k];
            n += at == n;
        }
    p->now_s = c->steps[c->n - 1].now_s;
    for (size_t i = 0; i < n; i++)
        if (!last[i]->remove)
            play_item(p, last[i]);
    wm_ledger_tick(p->ledger, p->model, p->now_s);
}

struct rollouts {
    struct wm_restart list[16]; /* the last of each provider */
    size_t n;
};

static void keep_last(void *ctx, const struct wm_restart *r)
{
    struct rollouts *all = ctx;
    size_t at = 0;

    if (r->kind != WM_RESTART_ROLLOUT)
        return;
    while (at < all->n && strcmp(all->list[at].provider, r->provider) != 0)
        at++;
    assert_in_range(at, 0, 15);
    if (at == all->n || all->list[at].to_revision < r->to_revision)
        all->list[at] = *r;
    all->n += at == all->n;
}

static void rest_tells_last_rollout(const struct the_case *c, const struct play *whole)
{
    static struct rollouts expected, found;
    struct play *p = play_new();

    expected.n = found.n = 0;
    feed_rest(c, p);
    wm_ledger_each(whole->ledger, keep_last, &expected);
    wm_ledger_each(p->ledger, keep_last, &found);
    for (size_t i = 0; i < expected.n; i++) {
        const struct wm_restart *r = &expected.list[i], *f = NULL;

        for (size_t k = 0; k < found.n; k++)
            f = strcmp(found.list[k].provider, r->provider) == 0 ? &found.list[k] : f;
        assert_non_null(f);
        assert_true(f->key == r->key);
        assert_int_equal(f->cause, r->cause);
        assert_int_equal(f->n_culprits, r->n_culprits);
        for (size_t k = 0; k < r->n_culprits; k++) {
            assert_string_equal(f->culprits[k].claim, r->culprits[k].claim);
            assert_string_equal(f->culprits[k].migration, r->culprits[k].migration);
        }
    }
    play_free(p);
}

static void recall_all(const struct play *from, struct wm_ledger *to)
{
    wm_auto_free char *reports = play_reports(from);
    cJSON *root = cJSON_Parse(reports), *status;

    assert_non_null(root);
    cJSON_ArrayForEach(status, root)
    {
        wm_auto_free char *list = cJSON_PrintUnformatted(status);
        wm_auto_buf struct wm_buf report = WM_BUF_MAX(1 << 20);

        wm_buf_printf(&report, "{\"kind\":\"MigrationReport\",\"status\":{\"restarts\":%s}}", list);
        wm_ledger_recall(to, wm_buf_text(&report));
    }
    cJSON_Delete(root);
}

/* What a report tells of restarts is read again, also when the objects were seen before. */
static void reports_remember(const struct the_case *c, const struct play *whole, bool first)
{
    struct play *p = play_new();
    wm_auto_free char *before = play_reports(whole);

    if (first)
        recall_all(whole, p->ledger);
    feed_rest(c, p);
    if (!first)
        recall_all(whole, p->ledger);
    wm_ledger_tick(p->ledger, p->model, p->now_s);
    wm_auto_free char *after = play_reports(p);

    assert_string_equal(after, before);
    play_free(p);
}

/* --- the definition of reports --- */

static void expect_in_schema(const cJSON *value, const cJSON *schema, const char *name)
{
    const cJSON *member;

    if (!schema)
        fail_msg("%s is not in the schema, and would be pruned", name);
    if (cJSON_IsArray(value))
        cJSON_ArrayForEach(member, value) expect_in_schema(member, wm_json_at(schema, "/items"), name);
    if (cJSON_IsObject(value))
        cJSON_ArrayForEach(member, value) expect_in_schema(
            member, cJSON_GetObjectItemCaseSensitive(wm_json_at(schema, "/properties"), member->string),
            member->string);
}

static void nothing_is_pruned(const struct play *p)
{
    static const char path[] = "manifests/base/migrationreport-crd.yaml";
    wm_auto_yaml struct wm_yaml *y = NULL;
    wm_auto_free char *text = golden_text(path), *reports = play_reports(p);
    wm_auto_json cJSON *root = cJSON_Parse(reports);

    assert_non_null(text);
    assert_int_equal(wm_yaml_parse(wm_str_of(text), path, FILE_MAX, &y, NULL), WM_OK);
    expect_in_schema(root,
                     wm_json_at(wm_yaml_root(y), "/spec/versions/0/schema/openAPIV3Schema/properties/status"),
                     "status");
}

static void check_case(void **state)
{
    const struct golden *g = *state;
    struct the_case c = {0};
    struct play *p;
    char path[512];

    read_case(g->path, &c);
    wm_auto_free char *text = play_case(&c, &p);

    snprintf(path, sizeof path, "%s/expected.txt", g->path);
    assert_true(golden_matches(path, text));
    if (!wm_json_bool(wm_yaml_root(c.yaml), "/lost"))
        rest_tells_last_rollout(&c, p);
    nothing_is_pruned(p);
    reports_remember(&c, p, true);
    reports_remember(&c, p, false);
    play_free(p);
    order_does_not_matter(&c, text);
    free_case(&c);
}

/* --- the folder --- */

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct golden *)a)->name, ((const struct golden *)b)->name);
}

static size_t find_cases(struct golden *cases)
{
    DIR *d = opendir(RESTARTS_FOLDER);
    size_t n = 0;
    char path[512];

    for (struct dirent *e; d && n < MAX_CASES && (e = readdir(d));) {
        if (e->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", RESTARTS_FOLDER, e->d_name);
        cases[n++] = (struct golden){strdup(e->d_name), strdup(path)};
    }
    if (d)
        closedir(d);
    qsort(cases, n, sizeof *cases, by_name);
    return n;
}

static void gaps_are_classified(void **state)
{
    static const struct {
        int64_t s;
        const char *name;
    } rows[] = {{0, "NoGap"},
                {1, "Typical"},
                {15, "Typical"},
                {16, "WithinWorstCase"},
                {32, "WithinWorstCase"},
                {33, "BeyondWorstCase"},
                {60, "BeyondWorstCase"},
                {61, "Unavailable"}};
    struct wm_gap_marks marks;

    (void)state;
    wm_gap_marks_default(&marks);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_string_equal(wm_gap_name(wm_gap_of(&marks, rows[i].s)), rows[i].name);
}

int main(void)
{
    static struct golden cases[MAX_CASES];
    size_t n = find_cases(cases);
    int failed = n == 0 || run_rows("restarts", cases, n, sizeof *cases, check_case);
    const struct CMUnitTest tests[] = {cmocka_unit_test(gaps_are_classified)};

    failed += cmocka_run_group_tests_name("gaps", tests, NULL, NULL);
    golden_free(cases, n);
    return failed;
}
