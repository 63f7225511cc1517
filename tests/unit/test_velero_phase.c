/* What is made of Velero's phases. */
#include "unit.h"
#include "waymark/velero_phase.h"

enum { T = 1, F = 2 }; /* terminal, faulty */

struct row {
    const char *name, *kind, *phase, *is;
    int flags;
    enum wm_velero_result result;
};

static const struct row rows[] = {
    {"a new Backup without a phase", "Backup", NULL, "New", 0, WM_VELERO_OPEN},
    {"an empty phase", "Restore", "", "New", 0, WM_VELERO_OPEN},
    {"a Backup of Velero 1.18 in the queue", "Backup", "Queued", "Queued", 0, WM_VELERO_OPEN},
    {"a Restore has no queue", "Restore", "Queued", "", 0, WM_VELERO_OPEN},
    {"a Backup under way", "Backup", "InProgress", "InProgress", 0, WM_VELERO_OPEN},
    {"a Backup under way with a fault", "Backup", "FinalizingPartiallyFailed", "FinalizingPartiallyFailed", F,
     WM_VELERO_OPEN},
    {"a Restore under way with a fault", "Restore", "WaitingForPluginOperationsPartiallyFailed",
     "WaitingForPluginOperationsPartiallyFailed", F, WM_VELERO_OPEN},
    {"a Restore that lacks something", "Restore", "PartiallyFailed", "PartiallyFailed", T | F,
     WM_VELERO_PARTIAL},
    {"a refused Backup", "Backup", "FailedValidation", "FailedValidation", T | F, WM_VELERO_BAD},
    {"a good Restore", "Restore", "Completed", "Completed", T, WM_VELERO_GOOD},
    {"a Backup that goes", "Backup", "Deleting", "Deleting", 0, WM_VELERO_OPEN},
    {"a phase of the future", "Backup", "Rehydrating", "", 0, WM_VELERO_OPEN},
    {"phases are case-sensitive", "Backup", "completed", "", 0, WM_VELERO_OPEN},
    {"a PodVolumeRestore that nobody has taken", "PodVolumeRestore", NULL, "New", 0, WM_VELERO_OPEN},
    {"a PodVolumeBackup that a node has taken", "PodVolumeBackup", "Accepted", "Accepted", 0, WM_VELERO_OPEN},
    {"a canceled PodVolumeBackup", "PodVolumeBackup", "Canceled", "Canceled", T | F, WM_VELERO_CANCELED},
    {"a failed DataUpload", "DataUpload", "Failed", "Failed", T | F, WM_VELERO_BAD},
    {"a DataDownload being canceled", "DataDownload", "Canceling", "Canceling", F, WM_VELERO_OPEN},
    {"volumes never fail partially", "DataUpload", "PartiallyFailed", "", 0, WM_VELERO_OPEN},
    {"a storage location nobody has looked at", "BackupStorageLocation", NULL, "", 0, WM_VELERO_OPEN},
    {"a good storage location", "BackupStorageLocation", "Available", "Available", 0, WM_VELERO_GOOD},
    {"a storage location out of reach", "BackupStorageLocation", "Unavailable", "Unavailable", F,
     WM_VELERO_BAD},
    {"a kind without phases", "Schedule", "New", "", 0, WM_VELERO_OPEN},
};

static void check_row(void **state)
{
    const struct row *r = *state;
    enum wm_velero_kind kind = wm_velero_kind_of(r->kind);
    const struct wm_velero_phase *p = wm_velero_phase(kind, r->phase);

    assert_string_equal(p->name, r->is);
    assert_int_equal(p->known, r->is[0] || kind == WM_VELERO_LOCATION);
    assert_int_equal(p->terminal, (r->flags & T) != 0);
    assert_int_equal(p->faulty, (r->flags & F) != 0);
    assert_int_equal(p->result, r->result);
}

static void every_row_is_complete_and_consistent(void **state)
{
    const struct wm_velero_phase *p;

    (void)state;
    assert_null(wm_velero_phase_at(WM_VELERO_NONE, 0));
    for (int k = 1; k < WM_VELERO_KIND_COUNT; k++)
        for (size_t i = 0; (p = wm_velero_phase_at((enum wm_velero_kind)k, i)); i++) {
            size_t n = strlen(p->about);

            assert_true(p->known);
            assert_true(n > 10 && p->about[n - 1] == '.');
            assert_ptr_equal(wm_velero_phase((enum wm_velero_kind)k, p->name), p);
            if (p->terminal)
                assert_int_not_equal(p->result, WM_VELERO_OPEN);
            if (p->result == WM_VELERO_GOOD)
                assert_false(p->faulty);
            if (strstr(p->name, "PartiallyFailed") || strstr(p->name, "Failed"))
                assert_true(p->faulty);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_row_is_complete_and_consistent)};
    int failed = RUN_TABLE("phases of Velero", rows, check_row);

    return failed + cmocka_run_group_tests_name("table of Velero's phases", tests, NULL, NULL);
}
