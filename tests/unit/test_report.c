/* Reports as they are stored: tests/golden/report/<case>.json; see tests/golden/README.md. */
#include <stdio.h>

#include "report_fixture.h"
#include "tests/support/golden.h"
#include "unit.h"

#define FOLDER "tests/golden/report"

/* --- cases --- */

struct report_case {
    const char *name, *state; /* state: of tests/golden/state */
    void (*make)(struct fixture *f);
};

static void restoring(struct fixture *f)
{
    fixture_add_volumes(f);
    fixture_phase(f, "EnsureStageBackupReplicated", FIXTURE_NOW - 1040);
    fixture_update(f, "step 29 of 38: Velero copies the Backup", FIXTURE_NOW - 1040);
    fixture_phase(f, "StageRestoreCreated", FIXTURE_NOW - 900);
    fixture_update(f, "step 30 of 38: waits for Restore migration-aaaaa-stage-rw2w6 on new-cluster",
                   FIXTURE_NOW - 898);
}

static void a_cluster_is_unreachable(struct fixture *f)
{
    restoring(f);
    f->clusters[2] =
        (struct wm_cluster_view){"new-cluster", WM_SIGHT_UNREACHABLE, "connection refused", FIXTURE_NOW - 30};
    f->s.blind[0] = 2;
    fixture_update(f, "step 30 of 38, but new-cluster is not reachable", FIXTURE_NOW - 20);
}

static void clocks_are_apart(struct fixture *f)
{
    restoring(f);
    f->clusters[1].offset_s = 312;
    f->clusters[2].offset_s = -75;
}

static void not_begun(struct fixture *f)
{
    f->s.source = f->s.target = WM_NO_CLUSTER;
    f->s.source_name = f->s.target_name = "";
    fixture_update(f, "2 migrations of the plan go first", FIXTURE_NOW);
}

static void failed(struct fixture *f)
{
    fixture_phase(f, "StagePodsCreated", FIXTURE_NOW - 1400);
    f->st.itinerary = WM_ITINERARY_STAGE;
    f->st.outcome = WM_RUN_RUNNING;
    fixture_update(f, "step 19 of 38: waits for stage pods", FIXTURE_NOW - 1398);
    f->h.watched = false;
    f->st.outcome = WM_RUN_FAILED;
    f->st.itinerary = WM_ITINERARY_FAILED;
    f->s.ending = WM_ENDING_FAILED;
    fixture_phase(f, "Completed", 0);
    fixture_update(f, "failed in StagePodsCreated", FIXTURE_NOW);
}

static void data_not_migrated(struct fixture *f)
{
    f->s.source = 0;
    f->s.source_name = "host";
    f->s.ending = WM_ENDING_DATA_NOT_MIGRATED;
    f->s.failed_dvm = fixture_add(f, 0, WM_KIND_DVM, 1,
                                  "{\"metadata\":{\"name\":\"migration-aaaaa-x7k2p\",\"namespace\":"
                                  "\"openshift-migration\",\"uid\":\"d-1\",\"deletionTimestamp\":"
                                  "\"2026-01-02T03:05:00Z\"},\"status\":{\"phase\":\"Failed\","
                                  "\"phaseDescription\":\"said \\\"no\\\"\"}}");
    f->s.progress[WM_KIND_DVM] = (struct wm_progress){1, 1, 1, 0, 0};
    fixture_update(f, "it says Succeeded, but volumes were not copied", FIXTURE_NOW);
}

static void waits_for_mount(struct fixture *f)
{
    fixture_add(f, 0, WM_KIND_PVC, 1,
                "{\"metadata\":{\"name\":\"web-storage\",\"namespace\":\"machines\",\"uid\":\"p-1\","
                "\"creationTimestamp\":\"2026-11-21T10:00:05Z\"},\"status\":{\"phase\":\"Bound\"}}");
    f->s.progress[WM_KIND_PVC] = (struct wm_progress){.objects = 1};
    f->s.awaited_kind = "Deployment";
    f->s.awaited_on = 0;
    f->s.ends_s = f->st.started_s + 4 + WM_VM_MOUNT_S;
    f->s.ends_by = "VirtRigaud";
    snprintf(f->s.next, sizeof f->s.next, "Snapshotting");
    fixture_update(f, "step 2 of 8: waits for the providers", f->st.started_s + 30);
}

static void tried_again(struct fixture *f)
{
    fixture_phase(f, "Exporting", f->vm.retried_s - 100);
    fixture_update(f, "step 4 of 8: waits for Provider vs", f->vm.retried_s - 90);
    fixture_phase(f, "Failed", f->vm.retried_s - 1);
    fixture_update(f, "attempt 1 of 4 has failed", f->vm.retried_s - 1);
    fixture_phase(f, "Validating", f->vm.retried_s);
    fixture_update(f, "step 2 of 8, attempt 2 of 4", f->vm.retried_s + 1);
}

static void ready(struct fixture *f)
{
    f->s.ending = WM_ENDING_SUCCEEDED;
    fixture_update(f, "succeeded", f->st.completed_s + 1);
}

static const struct report_case cases[] = {
    {"restoring", "multi-attach", restoring},
    {"unreachable", "multi-attach", a_cluster_is_unreachable},
    {"clocks-apart", "multi-attach", clocks_are_apart},
    {"not-begun", "postponed", not_begun},
    {"failed", "pvc-gone-failed", failed},
    {"data-not-migrated", "false-success", data_not_migrated},
    {"warnings", "many-warnings", data_not_migrated},
    {"vm-mount-wait", "vm-mount-wait", waits_for_mount},
    {"vm-retried", "vm-retried", tried_again},
    {"vm-ready", "vm-ready", ready},
};

static void check_case(void **state)
{
    const struct report_case *c = *state;
    struct fixture f;
    wm_auto_buf struct wm_buf report = WM_BUF_MAX(1 << 20), again = WM_BUF_MAX(1 << 20);
    char path[128];
    struct golden g = {(char *)(uintptr_t)c->name, path};
    wm_auto_json cJSON *got = NULL;
    struct wm_error err = {0};

    snprintf(path, sizeof path, FOLDER "/%s.json", c->name);
    fixture_begin(&f, c->state);
    c->make(&f);
    fixture_report(&f, &report);
    fixture_report(&f, &again);
    assert_string_equal(report.p, again.p);
    fixture_end(&f);
    if (wm_json_parse(wm_buf_text(&report), &got, &err) < 0)
        fail_msg("%s", err.msg);
    if (golden_updates())
        golden_write(&g, got);
    wm_auto_json cJSON *want = golden_read(&g);

    if (!cJSON_Compare(want, got, true))
        fail_msg("got %s", report.p);
}

/* --- ceilings --- */

static void fill(struct fixture *f)
{
    wm_auto_buf struct wm_buf json = WM_BUF_MAX(1 << 16);

    for (int i = 0; i < WM_TWIGS_MAX + 44; i++) {
        wm_buf_clear(&json);
        wm_buf_printf(
            &json, "{\"metadata\":{\"uid\":\"u-%d\",\"name\":\"%0250d\"},\"status\":{\"message\":\"", i, i);
        for (int k = 0; k < 255; k++)
            wm_buf_puts(&json, "\\\"");
        wm_buf_puts(&json, "\"}}");
        fixture_add(f, 2, WM_KIND_PVR, 1, json.p);
    }
    for (int i = 0; i < 2 * WM_TIMELINE_MAX; i++) {
        fixture_phase(f, i % 2 ? "StageRestoreCreated" : "AFarLongerNameThanAnyPhaseHasToday",
                      1767323000 + i);
        fixture_update(f, "verdict", 1767323000 + i);
    }
}

static void check_ceiling(struct fixture *f, size_t max, size_t twigs_at_least)
{
    wm_auto_buf struct wm_buf out = WM_BUF_MAX(max);
    wm_auto_json cJSON *status = NULL;
    struct wm_error err = {0};

    wm_report_status(&f->w, &f->s, &f->h, NULL, &out);
    assert_int_equal(out.bad, WM_OK);
    assert_true(out.n <= max);
    if (wm_json_parse(wm_buf_text(&out), &status, &err) < 0)
        fail_msg("%zu bytes: %s at %s", max, err.msg, err.where);
    size_t told = (size_t)cJSON_GetArraySize(wm_json_at(status, "/tree"));

    assert_true(told >= twigs_at_least);
    assert_int_equal(told + (size_t)wm_json_i64(status, "/treeOmitted", 0), WM_TWIGS_MAX + 44);
    assert_int_equal(cJSON_GetArraySize(wm_json_at(status, "/timeline")), WM_TIMELINE_MAX);
    assert_int_equal(wm_json_i64(status, "/timelineOmitted", 0), WM_TIMELINE_MAX);
}

static void what_does_not_fit_is_cut_from_the_tree(void **state)
{
    struct fixture f;

    (void)state;
    fixture_begin(&f, "multi-attach");
    fill(&f);
    check_ceiling(&f, 4 << 20, WM_TWIGS_MAX);
    check_ceiling(&f, WM_REPORT_MAX, WM_TWIGS_MAX);
    for (size_t max = 20000; max < 24000; max += 7)
        check_ceiling(&f, max, 0);
    fixture_end(&f);
}

static void a_room_too_small_for_all_but_the_tree_is_an_error(void **state)
{
    struct fixture f;

    (void)state;
    fixture_begin(&f, "multi-attach");
    restoring(&f);
    for (size_t max = 0; max < 1000; max++) {
        wm_auto_buf struct wm_buf out = WM_BUF_MAX(max);

        wm_report_status(&f.w, &f.s, &f.h, NULL, &out);
        assert_int_equal(out.bad, WM_E_TOO_BIG);
    }
    fixture_end(&f);
}

/* --- the same --- */

static void what_the_api_server_reorders_is_the_same(void **state)
{
    struct fixture f;
    wm_auto_buf struct wm_buf report = WM_BUF_MAX(1 << 20), status = WM_BUF_MAX(1 << 20);
    wm_auto_json cJSON *stored = NULL;

    (void)state;
    fixture_begin(&f, "multi-attach");
    restoring(&f);
    fixture_report(&f, &report);
    wm_report_status(&f.w, &f.s, &f.h, NULL, &status);
    wm_json_parse(wm_buf_text(&report), &stored, NULL);
    golden_reverse(stored);
    wm_auto_free char *text = cJSON_Print(stored);

    assert_int_equal(wm_report_stored_digest(wm_str_of(text)), wm_report_digest(wm_buf_text(&status)));
    f.s.progress[WM_KIND_PVR].done++;
    wm_buf_clear(&status);
    wm_report_status(&f.w, &f.s, &f.h, NULL, &status);
    assert_int_not_equal(wm_report_stored_digest(wm_str_of(text)), wm_report_digest(wm_buf_text(&status)));
    assert_int_not_equal(wm_report_digest(wm_buf_text(&status)), 0);
    assert_int_equal(wm_report_stored_digest(wm_str_of("{\"spec\":{}}")), 0);
    assert_int_equal(wm_report_stored_digest(wm_str_of("{\"status\":")), 0);
    fixture_end(&f);
}

/* --- the name --- */

static void names_do_not_collide(void **state)
{
    static const char *const names[] = {"a",       "a.vm",     "a.mig",    "a.uid",     "a.vm.mig",
                                        "a.vm.vm", "a.mig.vm", "a.uid.vm", "a.mig.mig", FIXTURE_UID};
    static const char *const kinds[] = {"MigMigration", "VMMigration"};
    enum { N = sizeof names / sizeof names[0] };
    char made[2 * N][WM_NAME_MAX + 1];

    (void)state;
    for (size_t i = 0; i < 2 * (size_t)N; i++) {
        wm_report_name(kinds[i / N], names[i % N], "u", made[i]);
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(made[i], made[k]);
    }
    assert_string_equal(made[0], "a");
    assert_string_equal(made[N], "a.vm");
}

static void long_names_are_uids(void **state)
{
    char name[WM_NAME_MAX + 1], made[WM_NAME_MAX + 1];

    (void)state;
    memset(name, 'n', WM_NAME_MAX);
    name[WM_NAME_MAX] = '\0';
    wm_report_name("MigMigration", name, FIXTURE_UID, made);
    assert_string_equal(made, name);
    wm_report_name("VMMigration", name, FIXTURE_UID, made);
    assert_string_equal(made, FIXTURE_UID ".uid");
    name[WM_NAME_MAX - 3] = '\0';
    wm_report_name("VMMigration", name, FIXTURE_UID, made);
    assert_int_equal(strlen(made), WM_NAME_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_does_not_fit_is_cut_from_the_tree),
        cmocka_unit_test(a_room_too_small_for_all_but_the_tree_is_an_error),
        cmocka_unit_test(what_the_api_server_reorders_is_the_same),
        cmocka_unit_test(names_do_not_collide),
        cmocka_unit_test(long_names_are_uids),
    };

    return RUN_TABLE("report", cases, check_case) + cmocka_run_group_tests_name("report", tests, NULL, NULL);
}
