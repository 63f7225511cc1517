/* Following migrations over an API server that misbehaves: what is written, when, and what is not. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "aggregator/follow.h"
#include "fake_api.h"
#include "unit.h"
#include "waymark/clock.h"

#define NS "openshift-migration"
#define MTC "/apis/migration.openshift.io/v1alpha1/namespaces/" NS
#define REPORTS "/apis/waymark.io/v1alpha1/namespaces/" NS "/migrationreports"
#define M MTC "/migmigrations/m"
#define META(name, more)                                                                                     \
    "\"metadata\":{\"namespace\":\"" NS "\",\"name\":\"" name "\",\"uid\":\"" name "-uid\"" more "}"
#define TOUCH(touch) ",\"annotations\":{\"openshift.io/touch\":\"" touch "\"}"
#define SPEC "\"spec\":{\"migPlanRef\":{\"namespace\":\"" NS "\",\"name\":\"plan\"}}"
#define RUNNING(name, phase, touch)                                                                          \
    "{" META(name, TOUCH(touch)) "," SPEC ",\"status\":{\"phase\":\"" phase "\",\"itinerary\":\"Stage\","    \
                                 "\"conditions\":[{\"type\":\"Running\",\"status\":\"True\",\"category\":"   \
                                 "\"Advisory\",\"reason\":\"" phase "\"}]}}"
#define ENDED(name)                                                                                          \
    "{" META(name, TOUCH("t")) "," SPEC ",\"status\":{\"phase\":\"Completed\",\"itinerary\":\"Stage\","      \
                               "\"conditions\":[{\"type\":\"Succeeded\",\"status\":\"True\",\"category\":"   \
                               "\"Advisory\",\"durable\":true}]}}"
#define PLAN "{" META("plan", "") ",\"spec\":{}}"

enum { PATIENCE_MS = 25000 };

struct ground {
    struct fake_api *host;
    struct fault_server *server;
    struct wm_fleet *fleet;
    struct wm_follow *follow;
    struct wm_follow_opts opts;
    atomic_bool may_write, one_write_only;
};

/* --- life --- */

static int writes(struct ground *g)
{
    return fault_server_count(g->server, "PATCH /") + fault_server_count(g->server, "POST /") +
           fault_server_count(g->server, "PUT /") + fault_server_count(g->server, "DELETE /");
}

static bool may_write(void *ctx)
{
    struct ground *g = ctx;

    return g->may_write && !(g->one_write_only && writes(g) > 0);
}

static void start(struct ground *g)
{
    wm_auto_buf struct wm_buf url = WM_BUF_MAX(100);
    struct wm_kube_access access = {0};

    g->follow = wm_follow_new(&g->opts);
    wm_buf_printf(&url, "http://127.0.0.1:%d", fault_server_port(g->server));
    access.server = wm_buf_take(&url);
    struct wm_fleet_opts opts = {.user_agent = "test",
                                 .namespace_ = NS,
                                 .pod_volume_timeout_s = 3600,
                                 .changed = wm_follow_changed,
                                 .all_changed = wm_follow_all_changed,
                                 .object = wm_follow_object,
                                 .ctx = g->follow};

    assert_int_equal(wm_fleet_new(&opts, &access, &g->fleet, NULL), WM_OK);
}

static void begin(struct ground *g)
{
    memset(g, 0, sizeof *g);
    g->host = fake_api_start(NULL, 0, NULL);
    g->server = fake_api_server(g->host);
    g->opts = (struct wm_follow_opts){true, true, true, false, NULL, may_write, g};
    g->may_write = true;
}

static void stop(struct ground *g)
{
    g->fleet = wm_fleet_free(g->fleet);
    g->follow = wm_follow_free(g->follow);
}

static void finish(struct ground *g)
{
    stop(g);
    g->host = fake_api_stop(g->host);
}

#define FAULTS(g, ...)                                                                                       \
    fault_server_add((g)->server, (const struct fault[]){__VA_ARGS__},                                       \
                     sizeof((const struct fault[]){__VA_ARGS__}) / sizeof(struct fault), true)

static void turn(struct ground *g)
{
    wm_fleet_tick(g->fleet);
    if (wm_fleet_synced(g->fleet))
        wm_follow_turn(g->follow, g->fleet, NULL);
    wm_follow_wait(g->follow, 20);
}

static void turn_for(struct ground *g, int ms)
{
    for (int64_t end_ms = wm_mono_ms() + ms; wm_mono_ms() < end_ms;)
        turn(g);
}

#define TURN_UNTIL(g, condition)                                                                             \
    for (int64_t end_ms = wm_mono_ms() + PATIENCE_MS; !(condition);) {                                       \
        if (wm_mono_ms() > end_ms)                                                                           \
            fail_msg("not within %d ms: %s", PATIENCE_MS, #condition);                                       \
        turn(g);                                                                                             \
    }

/* --- what is stored --- */

static bool says(struct ground *g, const char *path, const char *text)
{
    wm_auto_json cJSON *object = fake_api_get(g->host, path);
    wm_auto_free char *json = object ? cJSON_PrintUnformatted(object) : NULL;

    return json && strstr(json, text);
}

static bool has_words(struct ground *g, const char *path, const char *type)
{
    return says(g, path, type) && says(g, path, "waymark.io/verdict");
}

static int patches_of(struct ground *g, const char *name)
{
    char text[200];

    snprintf(text, sizeof text, "PATCH " MTC "/migmigrations/%s ", name);
    return fault_server_count(g->server, text);
}

static struct wm_follow_stats stats_of(struct ground *g)
{
    struct wm_follow_stats s;

    wm_follow_stats(g->follow, &s);
    return s;
}

/* --- words --- */

static void words_are_written_once(void **state)
{
    struct ground g;

    (void)state;
    begin(&g);
    fake_api_put(g.host, M, ENDED("m"));
    start(&g);
    TURN_UNTIL(&g, has_words(&g, M, "MigrationOutcome") && says(&g, REPORTS "/m", "\"verdict\""));
    int before = writes(&g);

    assert_int_equal(patches_of(&g, "m"), 1);
    fake_api_put(g.host, MTC "/migplans/plan", PLAN);
    wm_follow_again(g.follow);
    turn_for(&g, 500);
    assert_int_equal(writes(&g), before);
    assert_int_equal(stats_of(&g).migrations, 1);
    assert_int_equal(stats_of(&g).unfinished, 0);
    finish(&g);
}

static void a_running_one_is_written_in_its_owners_sleep(void **state)
{
    struct ground g;

    (void)state;
    begin(&g);
    fake_api_put(g.host, M, RUNNING("m", "StageRestoreCreated", "1"));
    start(&g);
    TURN_UNTIL(&g, says(&g, REPORTS "/m", "\"verdict\""));
    turn_for(&g, 300);
    assert_int_equal(patches_of(&g, "m"), 0);
    fake_api_put(g.host, M, RUNNING("m", "StageRestoreCreated", "2"));
    TURN_UNTIL(&g, has_words(&g, M, "MigrationProgress"));
    turn_for(&g, 300);
    assert_int_equal(patches_of(&g, "m"), 1);
    finish(&g);
}

static void a_refused_patch_is_made_anew_later(void **state)
{
    static const int refusals[] = {422, 409};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct ground g;

        begin(&g);
        FAULTS(&g, {.match = "PATCH " M, .status = refusals[i]});
        fake_api_put(g.host, M, ENDED("m"));
        start(&g);
        TURN_UNTIL(&g, patches_of(&g, "m") == 1);
        turn_for(&g, 300);
        assert_int_equal(patches_of(&g, "m"), 1);
        assert_int_equal(stats_of(&g).refused, 1);
        TURN_UNTIL(&g, has_words(&g, M, "MigrationOutcome"));
        assert_int_equal(patches_of(&g, "m"), 2);
        finish(&g);
    }
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

        begin(&g);
        fault_server_add(g.server, patches ? busy : slow, 1, true);
        fake_api_put(g.host, M, RUNNING("m", "StageRestoreCreated", "1"));
        start(&g);
        TURN_UNTIL(&g, says(&g, REPORTS "/m", "\"verdict\""));
        fake_api_put(g.host, M, RUNNING("m", "StageRestoreCreated", "2"));
        TURN_UNTIL(&g, stats_of(&g).refused + stats_of(&g).failed == 1);
        turn_for(&g, 2500);
        assert_int_equal(patches_of(&g, "m"), patches);
        assert_false(says(&g, M, "MigrationProgress"));
        finish(&g);
    }
}

/* What an earlier setting wrote is not what this one wants, and not its business either. */
static void words_that_are_not_asked_for_are_left_alone(void **state)
{
    struct ground g;

    (void)state;
    begin(&g);
    fake_api_put(g.host, M, ENDED("m"));
    start(&g);
    TURN_UNTIL(&g, has_words(&g, M, "MigrationOutcome"));
    stop(&g);
    g.opts.conditions = g.opts.verdicts = false;
    int gets = fault_server_count(g.server, "GET " M " "), patches = patches_of(&g, "m");

    start(&g);
    TURN_UNTIL(&g, stats_of(&g).judged > 0);
    turn_for(&g, 500);
    assert_int_equal(fault_server_count(g.server, "GET " M " "), gets);
    assert_int_equal(patches_of(&g, "m"), patches);
    finish(&g);
}

/* --- who may write --- */

static void nothing_is_written_without_the_right(void **state)
{
    struct ground g;

    (void)state;
    begin(&g);
    g.may_write = false;
    fake_api_put(g.host, M, ENDED("m"));
    start(&g);
    TURN_UNTIL(&g, stats_of(&g).judged > 0);
    turn_for(&g, 500);
    assert_int_equal(writes(&g), 0);
    g.may_write = true;
    wm_follow_again(g.follow);
    TURN_UNTIL(&g, has_words(&g, M, "MigrationOutcome") && says(&g, REPORTS "/m", "\"verdict\""));
    finish(&g);
}

static void the_right_may_end_within_a_turn(void **state)
{
    struct ground g;

    (void)state;
    begin(&g);
    g.one_write_only = true;
    fake_api_put(g.host, M, ENDED("m"));
    fake_api_put(g.host, MTC "/migmigrations/n", ENDED("n"));
    fake_api_put(g.host, MTC "/migmigrations/o", ENDED("o"));
    start(&g);
    TURN_UNTIL(&g, writes(&g) > 0);
    turn_for(&g, 300);
    assert_int_equal(writes(&g), 1);
    finish(&g);
}

/* --- reports --- */

static void a_report_that_came_meanwhile_is_filled(void **state)
{
    static const char report[] = "{\"metadata\":{\"namespace\":\"" NS "\",\"name\":\"m\"},\"spec\":{}}";
    struct ground g;

    (void)state;
    begin(&g);
    FAULTS(&g, {.match = "GET " REPORTS "/m ", .status = 404},
           {.match = "PATCH " REPORTS "/m/status", .status = 404});
    fake_api_put(g.host, REPORTS "/m", report);
    fake_api_put(g.host, M, ENDED("m"));
    start(&g);
    TURN_UNTIL(&g, says(&g, REPORTS "/m", "\"verdict\""));
    assert_int_equal(fault_server_count(g.server, "POST " REPORTS " "), 1);
    assert_int_equal(stats_of(&g).failed, 0);
    finish(&g);
}

static void history_is_read_after_a_restart(void **state)
{
    struct ground g;

    (void)state;
    begin(&g);
    fake_api_put(g.host, M, RUNNING("m", "StageBackupCreated", "1"));
    start(&g);
    TURN_UNTIL(&g, says(&g, REPORTS "/m", "\"phase\":\"StageBackupCreated\""));
    stop(&g);
    fake_api_put(g.host, M, RUNNING("m", "StageRestoreCreated", "2"));
    start(&g);
    TURN_UNTIL(&g, says(&g, REPORTS "/m", "\"phase\":\"StageRestoreCreated\""));
    assert_true(says(&g, REPORTS "/m", "\"phase\":\"StageBackupCreated\""));
    fake_api_put(g.host, M, ENDED("m"));
    TURN_UNTIL(&g, has_words(&g, M, "MigrationOutcome") && says(&g, REPORTS "/m", "\"phase\":\"Completed\""));
    stop(&g);
    int before = writes(&g);

    start(&g);
    TURN_UNTIL(&g, stats_of(&g).judged > 1);
    turn_for(&g, 500);
    assert_int_equal(writes(&g), before);
    finish(&g);
}

static void a_report_that_could_not_be_read_is_read_later(void **state)
{
    struct ground g;

    (void)state;
    begin(&g);
    FAULTS(&g, {.match = "GET " REPORTS "/m ", .status = 500});
    fake_api_put(g.host, M, ENDED("m"));
    start(&g);
    TURN_UNTIL(&g, fault_server_count(g.server, "GET " REPORTS "/m ") == 1);
    turn_for(&g, 300);
    assert_int_equal(fault_server_count(g.server, "GET " REPORTS "/m "), 1);
    TURN_UNTIL(&g, says(&g, REPORTS "/m", "\"verdict\""));
    finish(&g);
}

/* One of that name was deleted, and the garbage collector has not come by yet. */
static void the_report_of_another_migration_is_replaced(void **state)
{
    static const char other[] =
        "{\"apiVersion\":\"waymark.io/"
        "v1alpha1\",\"kind\":\"MigrationReport\",\"metadata\":{\"namespace\":\"" NS
        "\",\"name\":\"m\",\"uid\":\"r-uid\",\"ownerReferences\":[{\"kind\":\"MigMigration\",\"name\":\"m\","
        "\"uid\":\"other-uid\"}]},\"spec\":{\"migrationRef\":{\"uid\":\"other-uid\"}},\"status\":{"
        "\"verdict\":\"old\"}}";
    struct ground g;

    (void)state;
    begin(&g);
    fake_api_put(g.host, REPORTS "/m", other);
    fake_api_put(g.host, M, ENDED("m"));
    start(&g);
    TURN_UNTIL(&g, says(&g, REPORTS "/m", "\"m-uid\"") && says(&g, REPORTS "/m", "\"verdict\""));
    assert_false(says(&g, REPORTS "/m", "other-uid"));
    finish(&g);
}

static void who_leads_again_reads_what_others_wrote(void **state)
{
    struct ground g;

    (void)state;
    begin(&g);
    fake_api_put(g.host, M, RUNNING("m", "StageRestoreCreated", "1"));
    start(&g);
    TURN_UNTIL(&g, says(&g, REPORTS "/m", "\"phase\":\"StageRestoreCreated\""));
    g.may_write = false;
    turn_for(&g, 100);
    int gets = fault_server_count(g.server, "GET " REPORTS "/m ");

    g.may_write = true;
    wm_follow_again(g.follow);
    TURN_UNTIL(&g, fault_server_count(g.server, "GET " REPORTS "/m ") == gets + 1);
    turn_for(&g, 300);
    assert_int_equal(fault_server_count(g.server, "GET " REPORTS "/m "), gets + 1);
    finish(&g);
}

/* --- migrations that go --- */

static void one_that_was_deleted_meanwhile_is_not_asked_for_all_the_time(void **state)
{
    struct ground g;

    (void)state;
    begin(&g);
    g.opts.reports = false;
    FAULTS(&g, {.match = "GET " M " ", .status = 404, .times = -1});
    fake_api_put(g.host, M, ENDED("m"));
    start(&g);
    TURN_UNTIL(&g, fault_server_count(g.server, "GET " M " ") >= 1);
    turn_for(&g, 900);
    assert_true(fault_server_count(g.server, "GET " M " ") <= 2);
    assert_int_equal(stats_of(&g).failed, 0);
    fake_api_remove(g.host, M);
    TURN_UNTIL(&g, stats_of(&g).migrations == 0);
    assert_int_equal(writes(&g), 0);
    finish(&g);
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
    begin(&g);
    fake_api_put(g.host, M, ENDED("m"));
    start(&g);
    TURN_UNTIL(&g, stats_of(&g).migrations == 1 && has_words(&g, M, "MigrationOutcome"));
    FAULTS(&g, {.match = "PATCH " MTC "/migmigrations/n", .respond = bring_back, .ctx = &g});
    fake_api_remove(g.host, M);
    fake_api_put(g.host, MTC "/migmigrations/n", ENDED("n"));
    while (is_known(&g, "m-uid") || !is_known(&g, "n-uid"))
        usleep(1000);
    TURN_UNTIL(&g, fault_server_count(g.server, "PATCH " MTC "/migmigrations/n") >= 1);
    TURN_UNTIL(&g, has_words(&g, M, "MigrationOutcome"));
    assert_int_equal(stats_of(&g).migrations, 2);
    finish(&g);
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
        stats_of(s->g);
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
    begin(&g);
    start(&g);
    pthread_create(&threads[0], NULL, look_at, &s);
    pthread_create(&threads[1], NULL, stir, &s);
    turn_for(&g, 1500);
    s.over = true;
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    TURN_UNTIL(&g, stats_of(&g).migrations == 0);
    finish(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_written_once),
        cmocka_unit_test(a_running_one_is_written_in_its_owners_sleep),
        cmocka_unit_test(a_refused_patch_is_made_anew_later),
        cmocka_unit_test(what_comes_too_late_for_the_slot_is_not_sent),
        cmocka_unit_test(words_that_are_not_asked_for_are_left_alone),
        cmocka_unit_test(nothing_is_written_without_the_right),
        cmocka_unit_test(the_right_may_end_within_a_turn),
        cmocka_unit_test(a_report_that_came_meanwhile_is_filled),
        cmocka_unit_test(history_is_read_after_a_restart),
        cmocka_unit_test(a_report_that_could_not_be_read_is_read_later),
        cmocka_unit_test(the_report_of_another_migration_is_replaced),
        cmocka_unit_test(who_leads_again_reads_what_others_wrote),
        cmocka_unit_test(one_that_was_deleted_meanwhile_is_not_asked_for_all_the_time),
        cmocka_unit_test(one_that_comes_back_within_a_turn_is_followed),
        cmocka_unit_test(threads_do_not_wait_for_each_other_in_a_ring),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
