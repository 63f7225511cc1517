/* What holds a migration up, over time: said at once, taken back slowly, remembered at the end. */
#include <stdio.h>

#include "tests/support/model_put.h"
#include "unit.h"
#include "waymark/report.h"

enum { BEGIN = 1000000 };

struct ground {
    struct wm_model *model;
    struct wm_cluster_view cluster;
    struct wm_world w;
    struct wm_situation s;
    struct wm_look look;
    struct wm_thresholds thresholds;
    struct wm_diagnosis d;
    struct wm_stall stall;
    struct wm_said said;
};

static struct ground *begin(void)
{
    static const char migration[] =
        "{\"metadata\":{\"namespace\":\"openshift-migration\",\"name\":\"m\",\"uid\":\"u\"},"
        "\"spec\":{\"stage\":true},\"status\":{\"phase\":\"StageRestoreCreated\",\"itinerary\":\"Stage\"}}";
    struct ground *g = calloc(1, sizeof *g);
    struct model_sources sources = {0};

    g->model = wm_model_new(
        &(struct wm_model_conf){.detail = wm_detail_of, .detail_done = wm_detail_done, .over = wm_is_over});
    const struct wm_record *r = model_put(&sources, g->model, 0, WM_KIND_MIGMIGRATION, migration);

    g->cluster = (struct wm_cluster_view){.name = "host", .sight = WM_SIGHT_GOOD, .why = ""};
    g->w = (struct wm_world){g->model, &g->cluster, 1, BEGIN, 3600};
    wm_thresholds_default(&g->thresholds);
    wm_situation_of(&g->w, r, &g->s);
    wm_look_around(&g->w, &g->s, &g->thresholds, &g->look);
    return g;
}

static void finish(struct ground *g)
{
    wm_model_free(g->model);
    free(g);
}

/* At `after` seconds the diagnosis finds `cause` (NULL = nothing), and it is said. */
static int64_t look(struct ground *g, int64_t after, const char *cause)
{
    g->w.now_s = BEGIN + after;
    g->d = (struct wm_diagnosis){.look = &g->look, .pace = WM_PACE_MOVES, .since_s = g->w.now_s};
    if (cause) {
        g->d.pace = WM_PACE_STALLED;
        g->d.since_s = BEGIN;
        g->d.n = 1;
        g->d.findings[0] =
            (struct wm_finding){.cause = wm_cause_find(cause), .since_s = BEGIN, .explained_by = -1};
    }
    return wm_stall_say(&g->stall, &g->d, &g->said);
}

static const struct row {
    const char *name;
    struct {
        int64_t after;
        const char *cause;  /* found; NULL = none */
        const char *reason; /* said; NULL = nothing */
        bool status;
        int64_t again; /* 0 = never */
    } steps[6];
} rows[] = {
    {"what was never held up says nothing", {{5, NULL, NULL}}},
    {"a cause is said at once, and another one as soon as it is found",
     {{5, "NoKnownCause", "NoKnownCause", true}, {6, "PlanNotReady", "PlanNotReady", true}}},
    {"a cause that is not seen for a moment stays",
     {{5, "NoKnownCause", "NoKnownCause", true},
      {10, NULL, "NoKnownCause", true, 30},
      {20, "NoKnownCause", "NoKnownCause", true},
      {100, NULL, "NoKnownCause", true, 120}}},
    {"after twenty seconds it is over, and ten minutes later not spoken of any more",
     {{5, "NoKnownCause", "NoKnownCause", true},
      {10, NULL, "NoKnownCause", true, 30},
      {29, NULL, "NoKnownCause", true, 30},
      {30, NULL, WM_MOVES_AGAIN, false, 610},
      {609, NULL, WM_MOVES_AGAIN, false, 610},
      {610, NULL, NULL}}},
    {"what comes again is said again",
     {{5, "NoKnownCause", "NoKnownCause", true},
      {10, NULL, "NoKnownCause", true, 30},
      {40, NULL, WM_MOVES_AGAIN, false, 610},
      {50, "NoKnownCause", "NoKnownCause", true}}},
};

static void check_row(void **state)
{
    const struct row *r = *state;
    struct ground *g = begin();

    for (size_t i = 0; i < 6 && r->steps[i].after; i++) {
        int64_t again_s = look(g, r->steps[i].after, r->steps[i].cause);

        assert_int_equal(g->said.wanted, r->steps[i].reason != NULL);
        assert_string_equal(g->said.type, "MigrationStalled");
        if (r->steps[i].reason) {
            assert_string_equal(g->said.reason, r->steps[i].reason);
            assert_int_equal(g->said.status, r->steps[i].status);
            assert_true(strlen(g->said.message) > 0);
        }
        assert_int_equal(again_s, r->steps[i].again ? BEGIN + r->steps[i].again : 0);
    }
    finish(g);
}

/* What stood when it ended is told with the end, though its objects may be gone by then. */
static void the_end_remembers_what_held_it_up(void **state)
{
    struct ground *g = begin();
    struct wm_said outcome = {
        .type = "MigrationOutcome", .status = true, .wanted = true, .message = "It has failed"};
    struct wm_migration_state ended = *g->s.state;

    (void)state;
    look(g, 5, "PlanNotReady");
    ended.completed_s = BEGIN + 60;
    g->s.state = &ended;
    g->s.ending = WM_ENDING_SUCCEEDED;
    wm_stall_end(&g->stall, &g->s, &outcome);
    assert_string_equal(outcome.message, "It has failed");
    g->s.ending = WM_ENDING_FAILED;
    wm_stall_end(&g->stall, &g->s, &outcome);
    assert_non_null(strstr(outcome.message, "It has failed; before that: Stalled since"));
    snprintf(outcome.message, sizeof outcome.message, "It has failed");
    g->stall.to_s = BEGIN + 10;
    ended.completed_s = BEGIN + 4000; /* long after it moved again */
    wm_stall_end(&g->stall, &g->s, &outcome);
    assert_string_equal(outcome.message, "It has failed");
    finish(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_end_remembers_what_held_it_up)};

    return RUN_TABLE("stall", rows, check_row) + cmocka_run_group_tests(tests, NULL, NULL);
}
