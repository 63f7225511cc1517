/* Following VMMigrations: their words go through the status subresource, and their owner overwrites it. */
#include <stdio.h>

#include "follow_ground.h"

#define VM_NS "/apis/infra.virtrigaud.io/v1beta1/namespaces/vms"
#define V VM_NS "/vmmigrations/web"
#define VM_REPORT "/apis/waymark.io/v1alpha1/namespaces/vms/migrationreports/web.vm"
#define VM_META "\"metadata\":{\"namespace\":\"vms\",\"name\":\"web\",\"uid\":\"web-uid\"}"
#define VM_SPEC                                                                                              \
    "\"spec\":{\"source\":{\"vmRef\":{\"name\":\"web\"},\"providerRef\":{\"name\":\"vs\"}},"                 \
    "\"target\":{\"name\":\"web\",\"providerRef\":{\"name\":\"pr\"}},\"storage\":{\"type\":\"s3\"}}"
#define VM(phase)                                                                                            \
    "{" VM_META "," VM_SPEC ",\"status\":{\"phase\":\"" phase "\",\"startTime\":\"2026-11-21T10:00:00Z\","   \
    "\"conditions\":[{\"type\":\"Validating\",\"status\":\"True\",\"reason\":\"ValidationComplete\","        \
    "\"message\":\"m\",\"lastTransitionTime\":\"2026-11-21T10:00:01Z\"}]}}"

static int patches(struct ground *g, const char *path)
{
    char text[300];

    snprintf(text, sizeof text, "PATCH %s ", path);
    return fault_server_count(g->server, text);
}

/* As the program's own, and quick; the echo is that of a slow machine. */
enum { LOSSES = 3 };
static const struct wm_slot_rules quick_words = {.quiet_ms = 1000,
                                                 .settle_ms = 50,
                                                 .patience_ms = 60000,
                                                 .gap_ms = 100,
                                                 .retry_ms = 50,
                                                 .reassert_ms = 100,
                                                 .reassert_max_ms = 200,
                                                 .echo_ms = 1500,
                                                 .forget_ms = 3600000,
                                                 .losses_max = LOSSES};

static void conditions_go_through_the_status_and_the_verdict_does_not(void **state)
{
    struct ground g;

    (void)state;
    ground_begin(&g);
    fake_api_put(g.host, V, VM("Creating"));
    ground_start(&g);
    TURN_UNTIL(&g, ground_says(&g, VM_REPORT, "\"verdict\""));
    TURN_UNTIL(&g, ground_has_words(&g, V, "MigrationProgress"));
    ground_settle(&g);
    assert_int_equal(patches(&g, V "/status"), 1);
    assert_int_equal(patches(&g, V), 1);
    assert_false(ground_says(&g, V, "\"durable\""));
    assert_true(ground_says(&g, V, "\"ValidationComplete\""));
    assert_true(ground_says(&g, VM_REPORT, "\"kind\":\"VMMigration\""));
    assert_int_equal(ground_stats_of(&g).unfinished, 1);
    ground_finish(&g);
}

/* A change would make it begin the copying a second time. */
static void nothing_is_written_into_one_while_its_disk_is_copied(void **state)
{
    static const char *const phases[] = {VM("Snapshotting"), VM("Exporting"), VM("Importing")};

    (void)state;
    for (size_t i = 0; i < sizeof phases / sizeof phases[0]; i++) {
        struct ground g;

        ground_begin(&g);
        g.opts.meta_rules = &quick_words;
        fake_api_put(g.host, V, phases[i]);
        ground_start(&g);
        TURN_UNTIL(&g, ground_says(&g, VM_REPORT, "\"verdict\""));
        ground_turn_for(&g, 1500);
        assert_int_equal(patches(&g, V "/status") + patches(&g, V), 0);
        fake_api_put(g.host, V, VM("Creating"));
        TURN_UNTIL(&g, ground_has_words(&g, V, "MigrationProgress"));
        ground_finish(&g);
    }
}

/* Then it is only asked for, every half a minute. */
static void one_whose_copying_goes_on_by_itself_is_written(void **state)
{
    static const char copied[] =
        "{" VM_META "," VM_SPEC ",\"status\":{\"phase\":\"Exporting\",\"exportID\":\"e\","
        "\"taskRef\":\"task-1\"}}";
    struct ground g;

    (void)state;
    ground_begin(&g);
    g.opts.meta_rules = &quick_words;
    fake_api_put(g.host, V, copied);
    ground_start(&g);
    TURN_UNTIL(&g, ground_has_words(&g, V, "MigrationProgress"));
    ground_finish(&g);
}

/* The phase may have become one in which nothing may be written. */
static void every_request_relies_on_the_phase(void **state)
{
    struct ground g;

    (void)state;
    ground_begin(&g);
    g.opts.meta_rules = &quick_words;
    fake_api_put(g.host, V, VM("Creating"));
    ground_start(&g);
    TURN_UNTIL(&g, ground_has_words(&g, V, "MigrationProgress"));
    assert_non_null(strstr(fault_server_request(g.server, "PATCH " V "/status ", 0), "\"/status/phase\""));
    assert_non_null(strstr(fault_server_request(g.server, "PATCH " V " ", 0), "\"/status/phase\""));
    ground_finish(&g);
}

/* Its owner goes on with it after Ready: a write then is as careful as before. */
static void one_that_has_ended_is_written_when_it_is_quiet(void **state)
{
    struct ground g;

    (void)state;
    ground_begin(&g);
    fake_api_put(g.host, V, VM("Ready"));
    ground_start(&g);
    int64_t begin_ms = wm_mono_ms();

    TURN_UNTIL(&g, ground_says(&g, VM_REPORT, "\"verdict\""));
    TURN_UNTIL(&g, ground_has_words(&g, V, "MigrationOutcome"));
    assert_true(wm_mono_ms() - begin_ms >= wm_slot_rules_meta.settle_ms);
    assert_int_equal(ground_stats_of(&g).unfinished, 0);
    ground_finish(&g);
}

/* VirtRigaud writes a whole status of its own copy: ours comes back, and not at once. */
static void words_that_were_overwritten_come_back_slowly(void **state)
{
    struct ground g;

    (void)state;
    ground_begin(&g);
    g.opts.reports = false;
    fake_api_put(g.host, V, VM("Creating"));
    ground_start(&g);
    TURN_UNTIL(&g, ground_has_words(&g, V, "MigrationProgress"));
    ground_turn_for(&g, wm_slot_rules_meta.echo_ms + 500);
    fake_api_put(g.host, V, VM("Creating"));
    TURN_UNTIL(&g, ground_stats_of(&g).lost == 1);
    ground_turn_for(&g, 8000);
    assert_int_equal(patches(&g, V "/status"), 1);
    assert_false(ground_says(&g, V, "MigrationProgress"));
    ground_finish(&g);
}

/* An owner that always wins is left alone after some rounds. */
static void an_owner_that_takes_them_away_for_ever_is_left_alone(void **state)
{
    struct ground g;

    (void)state;
    ground_begin(&g);
    g.opts.reports = false;
    g.opts.meta_rules = &quick_words;
    fake_api_put(g.host, V, VM("Creating"));
    ground_start(&g);
    for (int i = 0; i < LOSSES; i++) {
        TURN_UNTIL(&g, ground_has_words(&g, V, "MigrationProgress"));
        ground_turn_for(&g, 200);
        fake_api_put(g.host, V, VM("Creating"));
    }
    TURN_UNTIL(&g, ground_stats_of(&g).lost == LOSSES);
    ground_turn_for(&g, 2000);
    assert_int_equal(patches(&g, V "/status"), LOSSES);
    assert_false(ground_says(&g, V, "MigrationProgress"));
    ground_finish(&g);
}

static void a_refused_verdict_is_tried_again_without_the_conditions(void **state)
{
    struct ground g;

    (void)state;
    ground_begin(&g);
    FAULTS(&g, {.match = "PATCH " V " ", .status = 422});
    fake_api_put(g.host, V, VM("Creating"));
    ground_start(&g);
    TURN_UNTIL(&g, ground_stats_of(&g).refused == 1);
    assert_true(ground_says(&g, V, "MigrationProgress"));
    TURN_UNTIL(&g, ground_has_words(&g, V, "MigrationProgress"));
    assert_int_equal(patches(&g, V "/status"), 1);
    assert_int_equal(patches(&g, V), 2);
    ground_finish(&g);
}

/* Both kinds may have one name; each has its report. */
static void migrations_of_both_kinds_are_told_apart(void **state)
{
    static const char v[] = "/apis/infra.virtrigaud.io/v1beta1/namespaces/" NS "/vmmigrations/m";
    static const char vm[] =
        "{\"metadata\":{\"namespace\":\"" NS "\",\"name\":\"m\",\"uid\":\"vm-uid\"}," VM_SPEC
        ",\"status\":{\"phase\":\"Exporting\"}}";
    struct ground g;

    (void)state;
    ground_begin(&g);
    fake_api_put(g.host, M, ENDED("m"));
    fake_api_put(g.host, v, vm);
    ground_start(&g);
    TURN_UNTIL(&g, ground_says(&g, REPORTS "/m", "\"verdict\"") &&
                       ground_says(&g, REPORTS "/m.vm", "\"verdict\""));
    assert_true(ground_says(&g, REPORTS "/m", "\"m-uid\""));
    assert_true(ground_says(&g, REPORTS "/m.vm", "\"vm-uid\""));
    assert_int_equal(ground_stats_of(&g).migrations, 2);
    assert_int_equal(ground_stats_of(&g).unfinished, 1);
    ground_finish(&g);
}

/* A report in any namespace is missed. */
static void a_report_that_others_delete_is_made_anew(void **state)
{
    static const struct wm_slot_rules quick = {
        .retry_ms = 100, .reassert_ms = 100, .reassert_max_ms = 100, .forget_ms = 3600000, .losses_max = 8};
    struct ground g;

    (void)state;
    ground_begin(&g);
    g.opts.report_rules = &quick;
    fake_api_put(g.host, V, VM("Ready"));
    ground_start(&g);
    TURN_UNTIL(&g, ground_says(&g, VM_REPORT, "\"verdict\""));
    ground_settle(&g);
    assert_int_equal(ground_stats_of(&g).reports_again, 0);
    fake_api_remove(g.host, VM_REPORT);
    TURN_UNTIL(&g, ground_says(&g, VM_REPORT, "\"verdict\""));
    assert_int_equal(ground_stats_of(&g).reports_again, 1);
    ground_finish(&g);
}

static void one_that_is_deleted_is_forgotten(void **state)
{
    struct ground g;

    (void)state;
    ground_begin(&g);
    fake_api_put(g.host, V, VM("Creating"));
    ground_start(&g);
    TURN_UNTIL(&g, ground_says(&g, VM_REPORT, "\"verdict\""));
    fake_api_remove(g.host, V);
    TURN_UNTIL(&g, ground_stats_of(&g).migrations == 0);
    assert_int_equal(ground_stats_of(&g).unfinished, 0);
    ground_finish(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conditions_go_through_the_status_and_the_verdict_does_not),
        cmocka_unit_test(nothing_is_written_into_one_while_its_disk_is_copied),
        cmocka_unit_test(one_whose_copying_goes_on_by_itself_is_written),
        cmocka_unit_test(every_request_relies_on_the_phase),
        cmocka_unit_test(one_that_has_ended_is_written_when_it_is_quiet),
        cmocka_unit_test(words_that_were_overwritten_come_back_slowly),
        cmocka_unit_test(an_owner_that_takes_them_away_for_ever_is_left_alone),
        cmocka_unit_test(a_refused_verdict_is_tried_again_without_the_conditions),
        cmocka_unit_test(migrations_of_both_kinds_are_told_apart),
        cmocka_unit_test(a_report_that_others_delete_is_made_anew),
        cmocka_unit_test(one_that_is_deleted_is_forgotten),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
