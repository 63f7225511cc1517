/* What is made of Velero's phases. */
#include "unit.h"
#include "waymark/velero_phase.h"

enum { T = 1, F = 2 }; /* terminal, faulty */

struct row {
    const char *name;
    enum wm_kind kind;
    const char *phase, *is;
    int flags;
    enum wm_velero_result result;
};

static const struct row rows[] = {
    {"a new Backup without a phase", WM_KIND_BACKUP, NULL, "New", 0, WM_VELERO_OPEN},
    {"an empty phase", WM_KIND_RESTORE, "", "New", 0, WM_VELERO_OPEN},
    {"a Backup of Velero 1.18 in the queue", WM_KIND_BACKUP, "Queued", "Queued", 0, WM_VELERO_OPEN},
    {"a Restore has no queue", WM_KIND_RESTORE, "Queued", "", 0, WM_VELERO_OPEN},
    {"a Backup under way", WM_KIND_BACKUP, "InProgress", "InProgress", 0, WM_VELERO_OPEN},
    {"a Backup under way with a fault", WM_KIND_BACKUP, "FinalizingPartiallyFailed",
     "FinalizingPartiallyFailed", F, WM_VELERO_OPEN},
    {"a Restore under way with a fault", WM_KIND_RESTORE, "WaitingForPluginOperationsPartiallyFailed",
     "WaitingForPluginOperationsPartiallyFailed", F, WM_VELERO_OPEN},
    {"a Restore that lacks something", WM_KIND_RESTORE, "PartiallyFailed", "PartiallyFailed", T | F,
     WM_VELERO_PARTIAL},
    {"a refused Backup", WM_KIND_BACKUP, "FailedValidation", "FailedValidation", T | F, WM_VELERO_BAD},
    {"a good Restore", WM_KIND_RESTORE, "Completed", "Completed", T, WM_VELERO_GOOD},
    {"a Backup that goes", WM_KIND_BACKUP, "Deleting", "Deleting", 0, WM_VELERO_OPEN},
    {"a phase of the future", WM_KIND_BACKUP, "Rehydrating", "", 0, WM_VELERO_OPEN},
    {"phases are case-sensitive", WM_KIND_BACKUP, "completed", "", 0, WM_VELERO_OPEN},
    {"a PodVolumeRestore that nobody has taken", WM_KIND_PVR, NULL, "New", 0, WM_VELERO_OPEN},
    {"a PodVolumeBackup that a node has taken", WM_KIND_PVB, "Accepted", "Accepted", 0, WM_VELERO_OPEN},
    {"a canceled PodVolumeBackup", WM_KIND_PVB, "Canceled", "Canceled", T | F, WM_VELERO_CANCELED},
    {"a failed DataUpload", WM_KIND_DATAUPLOAD, "Failed", "Failed", T | F, WM_VELERO_BAD},
    {"a DataDownload being canceled", WM_KIND_DATADOWNLOAD, "Canceling", "Canceling", F, WM_VELERO_OPEN},
    {"volumes never fail partially", WM_KIND_DATAUPLOAD, "PartiallyFailed", "", 0, WM_VELERO_OPEN},
    {"a storage location nobody has looked at", WM_KIND_BSL, NULL, "", 0, WM_VELERO_OPEN},
    {"a good storage location", WM_KIND_BSL, "Available", "Available", 0, WM_VELERO_GOOD},
    {"a storage location out of reach", WM_KIND_BSL, "Unavailable", "Unavailable", F, WM_VELERO_BAD},
    {"a kind without phases", WM_KIND_MIGPLAN, "New", "", 0, WM_VELERO_OPEN},
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
