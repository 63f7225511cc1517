/* Reports: written, read again after a restart, made anew, and not asked for where there is no place for
 * them. */
#include "follow_ground.h"

/* --- reports --- */

static void a_report_that_came_meanwhile_is_filled(void **state)
{
    static const char report[] = "{\"metadata\":{\"namespace\":\"" NS "\",\"name\":\"m\"},\"spec\":{}}";
    struct ground g;

    (void)state;
    ground_begin(&g);
    FAULTS(&g, {.match = "GET " REPORTS "/m ", .status = 404},
           {.match = "PATCH " REPORTS "/m/status", .status = 404});
    fake_api_put(g.host, REPORTS "/m", report);
    fake_api_put(g.host, M, ENDED("m"));
    ground_start(&g);
    TURN_UNTIL(&g, ground_says(&g, REPORTS "/m", "\"verdict\""));
    assert_int_equal(fault_server_count(g.server, "POST " REPORTS " "), 1);
    assert_int_equal(ground_stats_of(&g).failed, 0);
    ground_finish(&g);
}

static void history_is_read_after_a_restart(void **state)
{
    struct ground g;

    (void)state;
    ground_begin(&g);
    fake_api_put(g.host, M, RUNNING("m", "StageBackupCreated", "1"));
    ground_start(&g);
    TURN_UNTIL(&g, ground_says(&g, REPORTS "/m", "\"phase\":\"StageBackupCreated\""));
    ground_stop(&g);
    fake_api_put(g.host, M, RUNNING("m", "StageRestoreCreated", "2"));
    ground_start(&g);
    TURN_UNTIL(&g, ground_says(&g, REPORTS "/m", "\"phase\":\"StageRestoreCreated\""));
    assert_true(ground_says(&g, REPORTS "/m", "\"phase\":\"StageBackupCreated\""));
    fake_api_put(g.host, M, ENDED("m"));
    TURN_UNTIL(&g, ground_has_words(&g, M, "MigrationOutcome") &&
                       ground_says(&g, REPORTS "/m", "\"phase\":\"Completed\""));
    ground_settle(&g);
    ground_stop(&g);
    int before = ground_writes(&g);

    ground_start(&g);
    TURN_UNTIL(&g, ground_stats_of(&g).judged > 1);
    ground_turn_for(&g, 500);
    assert_int_equal(ground_writes(&g), before);
    ground_finish(&g);
}

static void a_report_that_could_not_be_read_is_read_later(void **state)
{
    struct ground g;

    (void)state;
    ground_begin(&g);
    FAULTS(&g, {.match = "GET " REPORTS "/m ", .status = 500});
    fake_api_put(g.host, M, ENDED("m"));
    ground_start(&g);
    TURN_UNTIL(&g, fault_server_count(g.server, "GET " REPORTS "/m ") == 1);
    ground_turn_for(&g, 300);
    assert_int_equal(fault_server_count(g.server, "GET " REPORTS "/m "), 1);
    TURN_UNTIL(&g, ground_says(&g, REPORTS "/m", "\"verdict\""));
    ground_finish(&g);
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
    ground_begin(&g);
    fake_api_put(g.host, REPORTS "/m", other);
    fake_api_put(g.host, M, ENDED("m"));
    ground_start(&g);
    TURN_UNTIL(&g,
               ground_says(&g, REPORTS "/m", "\"m-uid\"") && ground_says(&g, REPORTS "/m", "\"verdict\""));
    assert_false(ground_says(&g, REPORTS "/m", "other-uid"));
    ground_finish(&g);
}

static void who_leads_again_reads_what_others_wrote(void **state)
{
    struct ground g;

    (void)state;
    ground_begin(&g);
    fake_api_put(g.host, M, RUNNING("m", "StageRestoreCreated", "1"));
    ground_start(&g);
    TURN_UNTIL(&g, ground_says(&g, REPORTS "/m", "\"phase\":\"StageRestoreCreated\""));
    g.may_write = false;
    ground_turn_for(&g, 100);
    int gets = fault_server_count(g.server, "GET " REPORTS "/m ");

    g.may_write = true;
    wm_follow_again(g.follow);
    TURN_UNTIL(&g, fault_server_count(g.server, "GET " REPORTS "/m ") == gets + 1);
    ground_turn_for(&g, 300);
    assert_int_equal(fault_server_count(g.server, "GET " REPORTS "/m "), gets + 1);
    ground_finish(&g);
}

/* --- reports that others take away or change --- */

/* As the program's own, and quick. */
static const struct wm_slot_rules quick = {.retry_ms = 50,
                                           .reassert_ms = 100,
                                           .reassert_max_ms = 200,
                                           .echo_ms = 100,
                                           .forget_ms = 3600000,
                                           .losses_max = 3};

static void begin_guarded(struct ground *g, const char *migration)
{
    ground_begin(g);
    g->opts.report_rules = &quick;
    fake_api_put(g->host, M, migration);
    ground_start(g);
    TURN_UNTIL(g, ground_says(g, REPORTS "/m", "\"verdict\""));
}

static void a_report_that_was_deleted_comes_back(void **state)
{
    static const char *const migrations[] = {ENDED("m"), RUNNING("m", "StageRestoreCreated", "1")};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct ground g;

        begin_guarded(&g, migrations[i]);
        fake_api_remove(g.host, REPORTS "/m");
        TURN_UNTIL(&g, ground_says(&g, REPORTS "/m", "\"verdict\""));
        assert_true(ground_says(&g, REPORTS "/m", i ? "\"phase\":\"StageRestoreCreated\"" : "\"succeeded\""));
        ground_settle(&g);
        int before = ground_writes(&g);

        ground_turn_for(&g, 600);
        assert_int_equal(ground_writes(&g), before);
        ground_finish(&g);
    }
}

/* Each judgement of one that has ended looks for its report: that it is not there must not count as known. */
static void a_deleted_report_of_one_that_changes_all_the_time_comes_back(void **state)
{
    struct ground g;

    (void)state;
    begin_guarded(&g, ENDED("m"));
    fake_api_remove(g.host, REPORTS "/m");
    TURN_UNTIL(&g, (wm_follow_changed(g.follow, wm_id_of(wm_str_of("m-uid"))),
                    ground_says(&g, REPORTS "/m", "\"verdict\"")));
    ground_finish(&g);
}

/* What it had seen of the way is in its memory. */
static void a_running_one_loses_no_history_with_its_report(void **state)
{
    struct ground g;

    (void)state;
    begin_guarded(&g, RUNNING("m", "StageBackupCreated", "1"));
    fake_api_put(g.host, M, RUNNING("m", "StageRestoreCreated", "2"));
    TURN_UNTIL(&g, ground_says(&g, REPORTS "/m", "\"phase\":\"StageRestoreCreated\""));
    fake_api_remove(g.host, REPORTS "/m");
    TURN_UNTIL(&g, ground_says(&g, REPORTS "/m", "\"verdict\""));
    assert_true(ground_says(&g, REPORTS "/m", "\"phase\":\"StageBackupCreated\""));
    ground_finish(&g);
}

/* The watch was away when it was deleted, and a list does not show it any more. */
static void a_report_that_no_list_shows_is_looked_for(void **state)
{
    struct ground g;

    (void)state;
    begin_guarded(&g, ENDED("m"));
    TURN_UNTIL(&g, ground_has_words(&g, M, "MigrationOutcome"));
    ground_settle(&g);
    int gets = fault_server_count(g.server, "GET " REPORTS "/m "), before = ground_writes(&g);

    wm_follow_reports_begin(g.follow);
    wm_follow_reports_end(g.follow);
    TURN_UNTIL(&g, fault_server_count(g.server, "GET " REPORTS "/m ") > gets);
    ground_turn_for(&g, 300);
    assert_int_equal(ground_writes(&g), before); /* it was there */
    ground_finish(&g);
}

static void change(struct ground *g, const char *pointer, const char *key, const char *value)
{
    wm_auto_json cJSON *report = fake_api_get(g->host, REPORTS "/m");

    assert_non_null(report);
    cJSON_DeleteItemFromObject(wm_json_at(report, pointer), key);
    cJSON_AddStringToObject(wm_json_at(report, pointer), key, value);
    wm_auto_free char *json = cJSON_PrintUnformatted(report);

    fake_api_put(g->host, REPORTS "/m", json);
}

static void a_status_that_others_changed_is_taken_back(void **state)
{
    static const char *const migrations[] = {ENDED("m"), RUNNING("m", "StageRestoreCreated", "1")};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct ground g;

        begin_guarded(&g, migrations[i]);
        change(&g, "/status", "verdict", "all is lost");
        TURN_UNTIL(&g, !ground_says(&g, REPORTS "/m", "all is lost"));
        assert_true(ground_says(&g, REPORTS "/m", "\"verdict\""));
        ground_finish(&g);
    }
}

static void labels_of_others_on_a_report_are_left_alone(void **state)
{
    struct ground g;

    (void)state;
    begin_guarded(&g, ENDED("m"));
    TURN_UNTIL(&g, ground_has_words(&g, M, "MigrationOutcome"));
    ground_settle(&g);
    int before = ground_writes(&g), gets = fault_server_count(g.server, "GET " REPORTS "/m ");

    change(&g, "/metadata/labels", "team", "blue");
    TURN_UNTIL(&g, fault_server_count(g.server, "GET " REPORTS "/m ") > gets);
    ground_turn_for(&g, 500);
    assert_int_equal(ground_writes(&g), before);
    assert_true(ground_says(&g, REPORTS "/m", "blue"));
    ground_finish(&g);
}

static bool was_made_anew(struct ground *g, uint64_t times)
{
    if (ground_stats_of(g).reports_again == times)
        return true;
    if (ground_says(g, REPORTS "/m", "\"verdict\""))
        fake_api_remove(g->host, REPORTS "/m");
    return false;
}

static void who_deletes_a_report_again_and_again_wins(void **state)
{
    const uint64_t times = (uint64_t)quick.losses_max - 1;
    struct ground g;

    (void)state;
    begin_guarded(&g, ENDED("m"));
    TURN_UNTIL(&g, was_made_anew(&g, times));
    TURN_UNTIL(&g, ground_says(&g, REPORTS "/m", "\"verdict\""));
    fake_api_remove(g.host, REPORTS "/m");
    ground_turn_for(&g, 1000);
    assert_false(ground_says(&g, REPORTS "/m", "MigrationReport"));
    assert_int_equal(ground_stats_of(&g).reports_again, times);
    ground_finish(&g);
}

/* Deleted in the foreground, a migration goes only when its report is gone. */
static void a_migration_that_is_being_deleted_gets_no_report_again(void **state)
{
    static const char going[] = "{" META(
        "m",
        TOUCH(
            "t") ",\"deletionTimestamp\":\"2026-11-21T12:00:00Z\"") "," SPEC
                                                                    ",\"status\":{\"phase\":\"Completed\","
                                                                    "\"itinerary\":\"Stage\",\"conditions\":["
                                                                    "{\"type\":\"Succeeded\","
                                                                    "\"status\":\"True\",\"category\":"
                                                                    "\"Advisory\",\"durable\":true}]}}";
    struct ground g;

    (void)state;
    begin_guarded(&g, ENDED("m"));
    fake_api_put(g.host, M, going);
    uint64_t judged = ground_stats_of(&g).judged;

    TURN_UNTIL(&g, ground_stats_of(&g).judged > judged);
    fake_api_remove(g.host, REPORTS "/m");
    ground_turn_for(&g, 800);
    assert_false(ground_says(&g, REPORTS "/m", "MigrationReport"));
    ground_finish(&g);
}

/* --- no place for reports --- */

static void without_their_definition_no_report_is_asked_for(void **state)
{
    struct ground g;

    (void)state;
    ground_begin(&g);
    FAULTS(&g, {.match = "GET " ALL_REPORTS "?", .status = 404, .times = 2});
    fake_api_put(g.host, M, ENDED("m"));
    fake_api_put(g.host, MTC "/migmigrations/n", RUNNING("n", "StageRestoreCreated", "1"));
    ground_start(&g);
    TURN_UNTIL(&g, ground_has_words(&g, M, "MigrationOutcome"));
    assert_int_equal(fault_server_count(g.server, REPORTS "/"), 0);
    assert_int_equal(fault_server_count(g.server, "POST " REPORTS), 0);
    assert_int_equal(ground_stats_of(&g).failed, 0);
    assert_false(wm_reports_installed(g.reports));
    TURN_UNTIL(&g,
               ground_says(&g, REPORTS "/m", "\"verdict\"") && ground_says(&g, REPORTS "/n", "\"verdict\""));
    assert_true(wm_reports_installed(g.reports));
    ground_finish(&g);
}

/* Rights of an older installation. */
static void reports_that_may_not_be_listed_are_written(void **state)
{
    struct ground g;

    (void)state;
    ground_begin(&g);
    FAULTS(&g, {.match = "GET " ALL_REPORTS "?", .status = 403, .times = -1});
    fake_api_put(g.host, M, ENDED("m"));
    ground_start(&g);
    TURN_UNTIL(&g, ground_says(&g, REPORTS "/m", "\"verdict\""));
    ground_finish(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_report_that_came_meanwhile_is_filled),
        cmocka_unit_test(history_is_read_after_a_restart),
        cmocka_unit_test(a_report_that_could_not_be_read_is_read_later),
        cmocka_unit_test(the_report_of_another_migration_is_replaced),
        cmocka_unit_test(who_leads_again_reads_what_others_wrote),
        cmocka_unit_test(a_report_that_was_deleted_comes_back),
        cmocka_unit_test(a_deleted_report_of_one_that_changes_all_the_time_comes_back),
        cmocka_unit_test(a_running_one_loses_no_history_with_its_report),
        cmocka_unit_test(a_report_that_no_list_shows_is_looked_for),
        cmocka_unit_test(a_status_that_others_changed_is_taken_back),
        cmocka_unit_test(labels_of_others_on_a_report_are_left_alone),
        cmocka_unit_test(who_deletes_a_report_again_and_again_wins),
        cmocka_unit_test(a_migration_that_is_being_deleted_gets_no_report_again),
        cmocka_unit_test(without_their_definition_no_report_is_asked_for),
        cmocka_unit_test(reports_that_may_not_be_listed_are_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
