/* Runs tests/golden/diagnosis/<case>/: objects of several clusters in, findings out; see
 * tests/golden/README.md. */
#include <dirent.h>
#include <stdio.h>

#include "diagnosis_world.h"
#include "tests/support/golden.h"
#include "tests/support/model_put.h"
#include "unit.h"
#include "waymark/cause.h"
#include "waymark/restarts.h"
#include "waymark/time.h"
#include "waymark/yaml.h"

enum { MAX_CASES = 400, MAX_CAUSES = 400, ROUNDS = 3, PATH_MAX_N = 512 };

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

/* --- a diagnosis as text --- */

static void put_finding(const struct wm_diagnosis *d, const struct wm_finding *f, struct wm_buf *out)
{
    char line[WM_MESSAGE_MAX], time[WM_TIME_SIZE] = "-";

    remember(f->cause);
    wm_finding_say(d, f, line, sizeof line);
    assert_null(strpbrk(line, "[]\n\t"));
    if (f->since_s)
        wm_time_print(f->since_s, time);
    wm_buf_printf(out, "\n%s (%s, %s) since %s\n", f->cause->id, wm_weight_name(f->cause->weight),
                  wm_confidence_name(f->cause->confidence), time);
    if (f->explained_by >= 0)
        wm_buf_printf(out, "  because of: %s\n", d->findings[f->explained_by].cause->id);
    wm_buf_puts(out, "  through:");
    for (int i = f->suspect; i != WM_NO_SUSPECT; i = d->look->suspects[i].via) {
        const struct wm_record *r = d->look->suspects[i].record;

        wm_buf_printf(out, " %s %s/%s%s", wm_kinds[r->kind].kind, d->look->w->clusters[r->cluster].name,
                      wm_record_name(r), d->look->suspects[i].via == WM_NO_SUSPECT ? "" : ",");
    }
    wm_buf_printf(out, "\n  %s\n", line);
    wm_auto_buf struct wm_buf remedy = WM_BUF_MAX(1 << 16);

    wm_finding_remedy(d, f, true, &remedy);
    for (const char *p = wm_buf_text(&remedy).p, *end; p && *p; p = *end ? end + 1 : end) {
        end = p + strcspn(p, "\n");
        wm_buf_printf(out, "  > %.*s\n", (int)(end - p), p);
    }
}

static void put_diagnosis(const struct wm_diagnosis *d, struct wm_buf *out)
{
    struct wm_said said;
    char time[WM_TIME_SIZE] = "-";

    if (d->since_s)
        wm_time_print(d->since_s, time);
    wm_buf_printf(out, "%s since %s\n", wm_pace_name(d->pace), time);
    wm_diagnosis_say(d, &said);
    assert_null(strpbrk(said.message, "[]\n\t"));
    assert_in_range(strlen(said.message), 0, WM_MESSAGE_MAX - 2); /* or it was cut */
    if (said.wanted && !strstr(said.message, "cluster ") && !strstr(said.message, "--context "))
        fail_msg("it does not say on which cluster: %s", said.message);
    if (said.wanted)
        wm_buf_printf(out, "MigrationStalled=%s %s\n  %s\n", said.status ? "True" : "False", said.reason,
                      said.message);
    for (size_t i = 0; i < d->n; i++)
        put_finding(d, &d->findings[i], out);
}

/* --- judging --- */

struct wanted {
    const struct wm_model *m;
    const char *name;
    const struct wm_record *found;
};

static void find_migration(void *ctx, const struct wm_record *r)
{
    struct wanted *wanted = ctx;

    bool own = strncmp(wm_model_word(wanted->m, r->namespace_), "other-", strlen("other-")) != 0;

    if (own && (!wanted->name || strcmp(wm_record_name(r), wanted->name) == 0))
        wanted->found = r;
}

/* A folder has the one kind or the other; a MigMigration goes first. */
static const struct wm_record *find_wanted(const struct wm_model *m, const char *name)
{
    struct wanted wanted = {m, name, NULL};

    wm_model_each(m, WM_KIND_MIGMIGRATION, find_migration, &wanted);
    if (!wanted.found)
        wm_model_each(m, WM_KIND_VMMIGRATION, find_migration, &wanted);
    assert_non_null(wanted.found);
    return wanted.found;
}

/* The ledger sees the objects as they come, as it does in the aggregator. */
struct watcher {
    struct wm_ledger *ledger;
    struct wm_model *m;
    int64_t now_s;
};

static void on_change(void *ctx, const struct wm_record *r, bool gone)
{
    struct watcher *w = ctx;

    if (r->cluster == 0)
        wm_ledger_changed(w->ledger, w->m, r, gone, w->now_s);
}

/* The ids of the causes, first those that explain the others, go into `ids`. */
static char *judge(struct world *w, const struct object *objects, size_t n, const char *ids[WM_FINDINGS_MAX],
                   size_t *n_ids)
{
    static struct wm_situation situation;
    static struct wm_look look;
    static struct wm_diagnosis d;
    struct watcher watcher = {wm_ledger_new(), NULL, w->world.now_s};
    struct wm_model *m = wm_model_new(&(struct wm_model_conf){.detail = wm_detail_of,
                                                              .detail_done = wm_detail_done,
                                                              .over = wm_is_over,
                                                              .changed = on_change,
                                                              .ctx = &watcher});
    struct model_sources sources = {0};
    struct wm_thresholds thresholds;
    struct wm_pulse pulse = {0};
    wm_auto_buf struct wm_buf text = WM_BUF_MAX(1 << 20);

    watcher.m = m;
    for (size_t i = 0; i < n; i++)
        model_put(&sources, m, objects[i].cluster, objects[i].kind, objects[i].json);
    w->world.model = m;
    w->world.ledger = watcher.ledger;
    wm_thresholds_default(&thresholds);
    wm_ledger_tick(watcher.ledger, m, w->world.now_s);
    wm_situation_of(&w->world, find_wanted(m, w->migration), &situation);
    wm_pulse_feel(&pulse, &w->world, &situation);
    wm_look_around(&w->world, &situation, &thresholds, &look);
    look.still_since_s = w->still_since_s ? w->still_since_s : pulse.changed_s;
    wm_diagnose(&look, &d);
    put_diagnosis(&d, &text);
    w->again_s = d.again_s;
    *n_ids = d.n;
    for (size_t i = 0; i < d.n; i++)
        ids[i] = d.findings[i].cause->id;
    wm_model_free(m);
    wm_ledger_free(watcher.ledger);
    return wm_buf_take(&text);
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

static void expect_text(const char *path, const char *text)
{
    wm_auto_free char *expected = diagnosis_read_text(path);

    if (golden_updates()) {
        FILE *f = fopen(path, "w");

        assert_non_null(f);
        fputs(text, f);
        fclose(f);
        return;
    }
    if (!expected || strcmp(expected, text) != 0) {
        print_error("%s: got\n%s\n", path, text);
        fail();
    }
}

static void check_case(void **state)
{
    const struct golden *g = *state;
    char path[PATH_MAX_N];
    const char *ids[WM_FINDINGS_MAX];
    wm_auto_yaml struct wm_yaml *y = NULL;
    struct wm_error err = {0};
    size_t n;

    snprintf(path, sizeof path, "%s/case.yaml", g->path);
    wm_auto_free char *about = diagnosis_read_text(path);

    assert_non_null(about);
    if (wm_yaml_parse(wm_str_of(about), path, DIAGNOSIS_FILE_MAX, &y, &err) < 0)
        fail_msg("%s: %s", err.where, err.msg);
    struct world *w = diagnosis_world_read(g->path, wm_yaml_root(y));
    wm_auto_free char *text = judge(w, w->objects, w->n, ids, &n);

    snprintf(path, sizeof path, "%s/expected.txt", g->path);
    expect_text(path, text);
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

/* --- the folder --- */

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct golden *)a)->name, ((const struct golden *)b)->name);
}

static size_t find_cases(struct golden *cases)
{
    DIR *d = opendir(DIAGNOSIS_FOLDER);
    size_t n = 0;
    char path[PATH_MAX_N];

    for (struct dirent *e; d && n < MAX_CASES && (e = readdir(d));) {
        snprintf(path, sizeof path, "%s/%s/case.yaml", DIAGNOSIS_FOLDER, e->d_name);
        wm_auto_free char *text = e->d_name[0] == '.' ? NULL : diagnosis_read_text(path);

        if (!text)
            continue;
        path[strlen(path) - strlen("/case.yaml")] = '\0';
        cases[n++] = (struct golden){strdup(e->d_name), strdup(path)};
    }
    if (d)
        closedir(d);
    qsort(cases, n, sizeof *cases, by_name);
    return n;
}

int main(void)
{
    static struct golden cases[MAX_CASES];
    size_t n = find_cases(cases);
    int failed = n == 0 || run_rows("diagnosis", cases, n, sizeof *cases, check_case);
    const struct CMUnitTest table[] = {
        cmocka_unit_test(rows_are_whole), cmocka_unit_test(every_row_has_a_case), /* after all cases */
    };

    failed += cmocka_run_group_tests_name("table of causes", table, NULL, NULL);
    golden_free(cases, n);
    return failed;
}
