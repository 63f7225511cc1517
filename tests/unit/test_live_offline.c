/* The same objects give the same findings, whether lists and watches brought them in any order or a dump did:
 * every case of tests/golden/diagnosis, judged as the aggregator that runs does and as `analyze` does. */
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "aggregator/analyze.h"
#include "aggregator/dump.h"
#include "aggregator/follow_impl.h"
#include "diagnosis_judge.h"
#include "tests/support/model_put.h"
#include "unit.h"
#include "waymark/restarts.h"

enum { MAX_CASES = 600, PATH_MAX_N = 512, ROUNDS = 2 };

/* --- live --- */

/* As it was before its owner wrote a status. */
static char *younger(const struct object *o)
{
    wm_auto_json cJSON *root = cJSON_Parse(o->json);

    cJSON_DeleteItemFromObjectCaseSensitive(root, "status");
    return cJSON_PrintUnformatted(root);
}

static void list_all(struct wm_model *m, struct model_sources *sources, const struct world *w, bool early)
{
    for (uint8_t c = 0; c < DIAGNOSIS_CLUSTERS; c++)
        for (int k = 1; k < WM_KIND_COUNT; k++)
            wm_model_list_begin(m, model_source(sources, m, c, (enum wm_kind)k));
    for (size_t i = 0; i < w->n; i++) {
        const struct object *o = &w->objects[i];
        wm_auto_free char *json = early ? younger(o) : NULL;

        if (!early || i % 3) /* every third is made after the list */
            assert_non_null(model_put(sources, m, o->cluster, o->kind, early ? json : o->json));
    }
    for (uint8_t c = 0; c < DIAGNOSIS_CLUSTERS; c++)
        for (int k = 1; k < WM_KIND_COUNT; k++) {
            size_t changed = wm_model_list_end(m, model_source(sources, m, c, (enum wm_kind)k));

            if (!early)
                assert_int_equal(changed, 0);
        }
}

/* A list of what there was once, then events, then a list again, as after a watch that broke. */
static void follow_objects(struct world *w, struct wm_model *m, uint64_t *seed)
{
    struct model_sources sources = {0};

    golden_shuffle(w->objects, w->n, sizeof *w->objects, seed);
    list_all(m, &sources, w, true);
    golden_shuffle(w->objects, w->n, sizeof *w->objects, seed);
    for (size_t i = 0; i < w->n; i++)
        assert_non_null(
            model_put(&sources, m, w->objects[i].cluster, w->objects[i].kind, w->objects[i].json));
    list_all(m, &sources, w, false);
}

/* `still_since_s` 0: it is met for the first time. */
static char *judge_live(struct world *w, struct wm_follow *f, int64_t still_since_s, uint64_t *seed)
{
    static struct wm_situation s;
    static struct wm_said said[WM_SAID_COUNT];
    static struct tracked t; /* large */
    struct diagnosis_watched watched;

    diagnosis_watch(&watched, &w->world);
    follow_objects(w, watched.model, seed);
    wm_ledger_tick(watched.ledger, watched.model, w->world.now_s);
    wm_situation_of(&w->world, diagnosis_migration(w, watched.model), &s);
    t = (struct tracked){0};
    if (still_since_s)
        t.pulse = (struct wm_pulse){wm_progress_token(&w->world, &s), still_since_s};
    t.said = said;
    wm_situation_say(&w->world, &s, t.said);
    char *text = diagnosis_text(wm_follow_diagnose(f, &t, &w->world, &s));

    wm_volume_marks_done(&t.marks);
    diagnosis_watched_done(&watched, &w->world);
    return text;
}

/* --- offline --- */

static void write_cluster(const struct world *w, uint8_t cluster, const char *folder)
{
    char path[PATH_MAX_N];
    const char *between = "";

    snprintf(path, sizeof path, "%s/%s", folder, w->clusters[cluster].name);
    assert_int_equal(mkdir(path, 0700), 0);
    snprintf(path, sizeof path, "%s/%s/all.json", folder, w->clusters[cluster].name);
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    fputs("{\"apiVersion\":\"v1\",\"kind\":\"List\",\"items\":[", f);
    for (size_t i = 0; i < w->n; i++)
        if (w->objects[i].cluster == cluster) {
            fprintf(f, "%s%s", between, w->objects[i].json);
            between = ",";
        }
    fputs("]}", f);
    assert_int_equal(fclose(f), 0);
}

static void remove_dump(const struct world *w, const char *folder)
{
    char path[PATH_MAX_N];

    for (uint8_t c = 0; c < DIAGNOSIS_CLUSTERS; c++) {
        snprintf(path, sizeof path, "%s/%s/all.json", folder, w->clusters[c].name);
        unlink(path);
        snprintf(path, sizeof path, "%s/%s", folder, w->clusters[c].name);
        rmdir(path);
    }
    rmdir(folder);
}

static void read_dump(const struct world *w, struct wm_dump *d)
{
    char folder[] = "/tmp/waymark-dump-XXXXXX";

    assert_non_null(mkdtemp(folder));
    for (uint8_t c = 0; c < DIAGNOSIS_CLUSTERS; c++)
        write_cluster(w, c, folder);
    wm_dump_begin(d, "host");
    wm_dump_add(d, folder, NULL);
    wm_dump_end(d);
    remove_dump(w, folder);
    if (d->n_errors)
        fail_msg("%s: %s", d->errors[0].where, d->errors[0].msg);
    assert_int_equal(d->n_objects, w->n);
}

/* How well a cluster can be seen is nothing that a dump tells. */
static void give_sights(const struct world *w, struct wm_dump *d)
{
    for (size_t i = 0; i < d->n_clusters; i++)
        for (uint8_t c = 0; c < DIAGNOSIS_CLUSTERS; c++)
            if (strcmp(d->views[i].name, w->clusters[c].name) == 0)
                d->views[i] = w->clusters[c];
}

static char *judge_offline(const struct world *w)
{
    static struct wm_dump d; /* large */
    static struct wm_analysis a;
    struct wm_world world = w->world;
    char *text = NULL;

    read_dump(w, &d);
    give_sights(w, &d);
    world.model = d.model;
    world.clusters = d.views;
    world.n_clusters = d.n_clusters;
    struct wm_ledger *ledger = wm_dump_ledger(&d, world.now_s);

    world.ledger = ledger;
    wm_analyze(&a, &world, NULL);
    for (size_t i = 0; i < a.n && !text; i++)
        if (a.list[i].migration == diagnosis_migration(w, d.model))
            text = diagnosis_text(wm_analysis_case(&a, i).d);
    assert_non_null(text);
    wm_analysis_done(&a);
    wm_ledger_free(ledger);
    wm_dump_done(&d);
    return text;
}

/* --- cases --- */

static void expect_same(const char *what, const char *text, const char *expected)
{
    if (strcmp(text, expected) != 0)
        fail_msg("%s:\n%s\ninstead of:\n%s", what, text, expected);
}

static void check_case(void **state)
{
    const struct golden *g = *state;
    char path[PATH_MAX_N];
    struct wm_follow_opts opts = {0};
    uint64_t seed = 1;
    wm_auto_yaml struct wm_yaml *y = diagnosis_read_case(g->path);
    struct world *w = diagnosis_world_read(g->path, wm_yaml_root(y));

    wm_thresholds_default(&opts.thresholds);
    struct wm_follow *f = wm_follow_new(&opts);

    snprintf(path, sizeof path, "%s/expected.txt", g->path);
    wm_auto_free char *expected = golden_text(path);
    wm_auto_free char *offline = judge_offline(w);

    assert_non_null(expected);
    for (int round = 0; round < ROUNDS; round++) {
        wm_auto_free char *met = judge_live(w, f, 0, &seed);
        wm_auto_free char *watched = judge_live(w, f, w->still_since_s, &seed);

        expect_same("watched", watched, expected);
        expect_same("offline", offline, met);
    }
    if (!w->still_since_s)
        expect_same("offline", offline, expected);
    wm_follow_free(f);
    diagnosis_world_free(w);
}

int main(void)
{
    static struct golden cases[MAX_CASES];
    size_t n = diagnosis_find_cases(cases, MAX_CASES);
    int failed = n == 0 || run_rows("live and offline", cases, n, sizeof *cases, check_case);

    golden_free(cases, n);
    return failed;
}
