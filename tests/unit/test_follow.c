/* Following migrations over an API server that misbehaves: what is written, when, and what is not. */
#include <pthread.h>
#include <unistd.h>

#include "follow_ground.h"

/* --- words --- */

static void words_are_written_once(void **state)
{
    struct ground g;

    (void)state;
    ground_begin(&g);
    fake_api_put(g.host, M, ENDED("m"));
    ground_start(&g);
    TURN_UNTIL(&g,
               ground_has_words(&g, M, "MigrationOutcome") && ground_says(&g, REPORTS "/m", "\"verdict\""));
    ground_settle(&g);
    int before = ground_writes(&g);

    assert_int_equal(ground_patches_of(&g, "m"), 1);
    fake_api_put(g.host, MTC "/migplans/plan", PLAN);
    wm_follow_again(g.follow);
    ground_turn_for(&g, 500);
    assert_int_equal(ground_writes(&g), before);
    assert_int_equal(ground_stats_of(&g).migrations, 1);
    assert_int_equal(ground_stats_of(&g).unfinished, 0);
    ground_finish(&g);
}

static void a_running_one_is_written_in_its_owners_sleep(void **state)
{
    struct ground g;

    (void)state;
    ground_begin(&g);
    fake_api_put(g.host, M, RUNNING("m", "StageRestoreCreated", "1"));
    ground_start(&g);
    TURN_UNTIL(&g, ground_says(&g, REPORTS "/m", "\"verdict\""));
    ground_turn_for(&g, 300);
    assert_int_equal(ground_patches_of(&g, "m"), 0);
    fake_api_put(g.host, M, RUNNING("m", "StageRestoreCreated", "2"));
    TURN_UNTIL(&g, ground_has_words(&g, M, "MigrationProgress"));
    ground_turn_for(&g, 300);
    assert_int_equal(ground_patches_of(&g, "m"), 1);
    ground_finish(&g);
}

/* The gap between two writes is longer than the patience of this test. */
static void a_new_cause_does_not_wait_for_the_gap(void **state)
{
    static const char blocked[] =
        "{" META("m", TOUCH("3")) "," SPEC ",\"status\":{\"phase\":\"StageRestoreCreated\",\"itinerary\":"
                                  "\"Stage\",\"conditions\":[{\"type\":\"RegistriesUnhealthy\","
                                  "\"status\":\"True\",\"category\":\"Critical\","
                                  "\"lastTransitionTime\":\"2026-01-01T00:00:00Z\"}]}}";
    struct ground g;

    (void)state;
    ground_begin(&g);
    fake_api_put(g.host, MTC "/migplans/plan", PLAN);
    fake_api_put(g.host, M, RUNNING("m", "StageRestoreCreated", "1"));
    ground_start(&g);
    TURN_UNTIL(&g, ground_says(&g, REPORTS "/m", "\"verdict\""));
    fake_api_put(g.host, M, RUNNING("m", "StageRestoreCreated", "2"));
    TURN_UNTIL(&g, ground_has_words(&g, M, "MigrationProgress"));
    ground_turn_for(&g, 300);
    fake_api_put(g.host, M, blocked);
    TURN_UNTIL(&g, ground_has_words(&g, M, "MigrationStalled"));
    assert_int_equal(ground_patches_of(&g, "m"), 2);
    ground_finish(&g);
}

static void a_refused_patch_is_made_anew_later(void **state)
{
    static const int refusals[] = {422, 409};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct ground g;

        ground_begin(&g);
        FAULTS(&g, {.match = "PATCH " M, .status = refusals[i]});
        fake_api_put(g.host, M, ENDED("m"));
        ground_start(&g);
        TURN_UNTIL(&g, ground_patches_of(&g, "m") == 1);
        ground_turn_for(&g, 300);
        assert_int_equal(ground_patches_of(&g, "m"), 1);
        assert_int_equal(ground_stats_of(&g).refused, 1);
        TURN_UNTIL(&g, ground_has_words(&g, M, "MigrationOutcome"));
        assert_int_equal(ground_patches_of(&g, "m"), 2);
        ground_finish(&g);
    }
}

/* A connection that broke says nothing of the object: a second try does not wait as long as after a refusal.
 */
static void what_was_not_answered_is_written_soon(void **state)
{
    struct ground g;

    (void)state;
    ground_begin(&g);
    FAULTS(&g, {.match = "PATCH " M, .end = FAULT_RESET}, {.match = "POST " REPORTS, .end = FAULT_RESET});
    fake_api_put(g.host, M, ENDED("m"));
    ground_start(&g);
    TURN_UNTIL(&g, ground_stats_of(&g).failed == 1);
    int64_t failed_ms = wm_mono_ms();

    TURN_UNTIL(&g, ground_has_words(&g, M, "MigrationOutcome"));
    TURN_UNTIL(&g, ground_says(&g, REPORTS "/m", "\"verdict\""));
    assert_true(wm_mono_ms() - failed_ms < 8000);
    ground_finish(&g);
}

/* Its owner is at work again before the API server answers, or lets a second try in. */
static void what_comes_too_late_for_the_slot_is_not_sent(void **state)
{
    static const struct fault slow[] = {{.match = "GET " M " ", .delay_ms = 1500}};
    static const struct fault busy[] = {
        {.match = "PATCH " M, .status = 503, .headers = "Retry-After: 1\r\n", .body = {"{}"}}};

    (void)state;
    for (int patches = 0; patches < 2; patches++) {
        struct ground g;

        ground_begin(&g);
        fault_server_add(g.server, patches ? busy : slow, 1, true);
        fake_api_put(g.host, M, RUNNING("m", "StageRestoreCreated", "1"));
        ground_start(&g);
        TURN_UNTIL(&g, ground_says(&g, REPORTS "/m", "\"verdict\""));
        fake_api_put(g.host, M, RUNNING("m", "StageRestoreCreated", "2"));
        TURN_UNTIL(&g, ground_stats_of(&g).refused + ground_stats_of(&g).failed == 1);
        ground_turn_for(&g, 2500);
        assert_int_equal(ground_patches_of(&g, "m"), patches);
        assert_false(ground_says(&g, M, "MigrationProgress"));
        ground_finish(&g);
    }
}

/* What an earlier setting wrote is not what this one wants, and not its business either. */
static void words_that_are_not_asked_for_are_left_alone(void **state)
{
    struct ground g;

    (void)state;
    ground_begin(&g);
    fake_api_put(g.host, M, ENDED("m"));
    ground_start(&g);
    TURN_UNTIL(&g, ground_has_words(&g, M, "MigrationOutcome"));
    ground_stop(&g);
    g.opts.conditions = g.opts.verdicts = false;
    int gets = fault_server_count(g.server, "GET " M " "), patches = ground_patches_of(&g, "m");

    ground_start(&g);
    TURN_UNTIL(&g, ground_stats_of(&g).judged > 0);
    ground_turn_for(&g, 500);
    assert_int_equal(fault_server_count(g.server, "GET " M " "), gets);
    assert_int_equal(ground_patches_of(&g, "m"), patches);
    ground_finish(&g);
}

/* --- who may write --- */

static void nothing_is_written_without_the_right(void **state)
{
    struct ground g;

    (void)state;
    ground_begin(&g);
    g.may_write = false;
    fake_api_put(g.host, M, ENDED("m"));
    ground_start(&g);
    TURN_UNTIL(&g, ground_stats_of(&g).judged > 0);
    ground_turn_for(&g, 500);
    assert_int_equal(ground_writes(&g), 0);
    g.may_write = true;
    wm_follow_again(g.follow);
    TURN_UNTIL(&g,
               ground_has_words(&g, M, "MigrationOutcome") && ground_says(&g, REPORTS "/m", "\"verdict\""));
    ground_finish(&g);
}

static void the_right_may_end_within_a_turn(void **state)
{
    struct ground g;

    (void)state;
    ground_begin(&g);
    g.one_write_only = true;
    fake_api_put(g.host, M, ENDED("m"));
    fake_api_put(g.host, MTC "/migmigrations/n", ENDED("n"));
    fake_api_put(g.host, MTC "/migmigrations/o", ENDED("o"));
    ground_start(&g);
    TURN_UNTIL(&g, ground_writes(&g) > 0);
    ground_turn_for(&g, 300);
    assert_int_equal(ground_writes(&g), 1);
    ground_finish(&g);
}

/* --- migrations that go --- */

static void one_that_was_deleted_meanwhile_is_not_asked_for_all_the_time(void **state)
{
    struct ground g;

    (void)state;
    ground_begin(&g);
    g.opts.reports = false;
    FAULTS(&g, {.match = "GET " M " ", .status = 404, .times = -1});
    fake_api_put(g.host, M, ENDED("m"));
    ground_start(&g);
    TURN_UNTIL(&g, fault_server_count(g.server, "GET " M " ") >= 1);
    ground_turn_for(&g, 900);
    assert_true(fault_server_count(g.server, "GET " M " ") <= 2);
    assert_int_equal(ground_stats_of(&g).failed, 0);
    fake_api_remove(g.host, M);
    TURN_UNTIL(&g, ground_stats_of(&g).migrations == 0);
    assert_int_equal(ground_writes(&g), 0);
    ground_finish(&g);
}

static bool is_known(struct ground *g, const char *uid)
{
    struct wm_world w;

    wm_fleet_lock(g->fleet);
    wm_fleet_world(g->fleet, &w);
    bool found = wm_model_find(w.model, 0, wm_id_of(wm_str_of(uid)));

    wm_fleet_unlock(g->fleet);
    return found;
}

static int bring_back(void *ctx, const char *request, struct wm_buf *out)
{
    struct ground *g = ctx;

    (void)request;
    fake_api_put(g->host, M, ENDED("m"));
    while (!is_known(g, "m-uid"))
        usleep(1000);
    wm_buf_puts(out, "{}");
    return 422;
}

/* The turn that found it gone is still writing something else. */
static void one_that_comes_back_within_a_turn_is_followed(void **state)
{
    struct ground g;

    (void)state;
    ground_begin(&g);
    fake_api_put(g.host, M, ENDED("m"));
    ground_start(&g);
    TURN_UNTIL(&g, ground_stats_of(&g).migrations == 1 && ground_has_words(&g, M, "MigrationOutcome"));
    FAULTS(&g, {.match = "PATCH " MTC "/migmigrations/n", .respond = bring_back, .ctx = &g});
    fake_api_remove(g.host, M);
    fake_api_put(g.host, MTC "/migmigrations/n", ENDED("n"));
    while (is_known(&g, "m-uid") || !is_known(&g, "n-uid"))
        usleep(1000);
    TURN_UNTIL(&g, fault_server_count(g.server, "PATCH " MTC "/migmigrations/n") >= 1);
    TURN_UNTIL(&g, ground_has_words(&g, M, "MigrationOutcome"));
    assert_int_equal(ground_stats_of(&g).migrations, 2);
    ground_finish(&g);
}

/* --- many threads --- */

struct stirring {
    struct ground *g;
    atomic_bool over;
};

static void *look_at(void *arg)
{
    static struct wm_fleet_watch rows[64];
    struct stirring *s = arg;

    while (!s->over) {
        wm_follow_again(s->g->follow);
        ground_stats_of(s->g);
        wm_fleet_watches(s->g->fleet, rows, 64);
        is_known(s->g, "m-uid");
        usleep(500);
    }
    return NULL;
}

static void *stir(void *arg)
{
    struct stirring *s = arg;

    for (int i = 0; i < 60; i++) {
        fake_api_put(s->g->host, M, i % 2 ? RUNNING("m", "StageRestoreCreated", "1") : ENDED("m"));
        fake_api_put(s->g->host, MTC "/migplans/plan", PLAN);
        if (i % 10 == 9)
            fake_api_remove(s->g->host, M);
        usleep(10000);
    }
    return NULL;
}

static void threads_do_not_wait_for_each_other_in_a_ring(void **state)
{
    struct ground g;
    pthread_t threads[2];
    struct stirring s = {.g = &g};

    (void)state;
    ground_begin(&g);
    ground_start(&g);
    pthread_create(&threads[0], NULL, look_at, &s);
    pthread_create(&threads[1], NULL, stir, &s);
    ground_turn_for(&g, 1500);
    s.over = true;
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    TURN_UNTIL(&g, ground_stats_of(&g).migrations == 0);
    ground_finish(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_written_once),
        cmocka_unit_test(a_running_one_is_written_in_its_owners_sleep),
        cmocka_unit_test(a_new_cause_does_not_wait_for_the_gap),
        cmocka_unit_test(a_refused_patch_is_made_anew_later),
        cmocka_unit_test(what_was_not_answered_is_written_soon),
        cmocka_unit_test(what_comes_too_late_for_the_slot_is_not_sent),
        cmocka_unit_test(words_that_are_not_asked_for_are_left_alone),
        cmocka_unit_test(nothing_is_written_without_the_right),
        cmocka_unit_test(the_right_may_end_within_a_turn),
        cmocka_unit_test(one_that_was_deleted_meanwhile_is_not_asked_for_all_the_time),
        cmocka_unit_test(one_that_comes_back_within_a_turn_is_followed),
        cmocka_unit_test(threads_do_not_wait_for_each_other_in_a_ring),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
