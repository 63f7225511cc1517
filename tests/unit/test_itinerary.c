/* The table of phases: complete, in mig-controller's order, and what is looked up in it. */
#include <stdio.h>

#include "unit.h"
#include "waymark/itinerary.h"

/* --- the order, once more, as mig-controller's task.go has it (release 1.8), a pipeline step a line --- */

struct order {
    const char *name;
    enum wm_itinerary it;
    const char *phases; /* "-" stands for "" */
};

static const struct order orders[] = {
    {"Stage", WM_ITINERARY_STAGE,
     "- Started StartRefresh WaitForRefresh CleanStaleAnnotations CleanStaleResticCRs CleanStaleVeleroCRs "
     "RestartVelero CleanStaleStagePods WaitForStaleStagePodsTerminated CreateRegistries "
     "CreateDirectImageMigration QuiesceSourceApplications EnsureSrcQuiesced "
     "CreateDirectVolumeMigrationStage "
     "EnsureStagePodsFromRunning EnsureStagePodsFromTemplates EnsureStagePodsFromOrphanedPVCs "
     "StagePodsCreated "
     "RestartRestic AnnotateResources WaitForVeleroReady WaitForResticReady WaitForRegistriesReady "
     "EnsureCloudSecretPropagated EnsureStageBackup StageBackupCreated EnsureStageBackupReplicated "
     "EnsureStageRestore StageRestoreCreated "
     "WaitForDirectImageMigrationToComplete WaitForDirectVolumeMigrationToComplete "
     "SwapPVCReferences DeleteRegistries EnsureStagePodsDeleted EnsureStagePodsTerminated "
     "EnsureAnnotationsDeleted Completed"},
    {"Final", WM_ITINERARY_FINAL,
     "- Started StartRefresh WaitForRefresh CleanStaleAnnotations CleanStaleResticCRs CleanStaleVeleroCRs "
     "RestartVelero CleanStaleStagePods WaitForStaleStagePodsTerminated CreateRegistries "
     "WaitForVeleroReady WaitForRegistriesReady EnsureCloudSecretPropagated "
     "PreBackupHooks CreateDirectImageMigration CreateDirectVolumeMigrationStage "
     "EnsureInitialBackup InitialBackupCreated "
     "QuiesceSourceApplications EnsureSrcQuiesced EnsureStagePodsFromRunning EnsureStagePodsFromTemplates "
     "EnsureStagePodsFromOrphanedPVCs StagePodsCreated RestartRestic AnnotateResources WaitForResticReady "
     "CreateDirectVolumeMigrationFinal EnsureStageBackup StageBackupCreated EnsureStageBackupReplicated "
     "EnsureStageRestore StageRestoreCreated EnsureStagePodsDeleted EnsureStagePodsTerminated "
     "EnsureAnnotationsDeleted "
     "WaitForDirectImageMigrationToComplete WaitForDirectVolumeMigrationToComplete PostBackupHooks "
     "PreRestoreHooks EnsureInitialBackupReplicated EnsureFinalRestore FinalRestoreCreated "
     "UnQuiesceDestApplications PostRestoreHooks "
     "SwapPVCReferences DeleteRegistries Verification Completed"},
    {"Cancel", WM_ITINERARY_CANCEL,
     "Canceling DeleteBackups DeleteRestores "
     "DeleteRegistries DeleteHookJobs DeleteDirectVolumeMigrationResources "
     "DeleteDirectImageMigrationResources "
     "EnsureStagePodsDeleted EnsureAnnotationsDeleted UnQuiesceSrcApplications Canceled Completed"},
    {"Failed", WM_ITINERARY_FAILED, "MigrationFailed DeleteRegistries EnsureAnnotationsDeleted Completed"},
    {"Rollback", WM_ITINERARY_ROLLBACK,
     "Rollback DeleteBackups DeleteRestores DeleteRegistries EnsureStagePodsDeleted EnsureAnnotationsDeleted "
     "QuiesceDestinationApplications EnsureDestQuiesced SwapPVCReferences "
     "CreateDirectVolumeMigrationRollback WaitForDirectVolumeMigrationToRollbackComplete "
     "DeleteMigrated EnsureMigratedDeleted UnQuiesceSrcApplications Completed"},
    {"VolumeMigration", WM_ITINERARY_VOLUMES,
     "- Started Prepare CleanStaleRsyncResources WaitForStaleRsyncResourcesTerminated VerifyVMs "
     "CreateDestinationNamespaces DestinationNamespacesCreated CreateDestinationPVCs "
     "DeleteStaleVirtualMachineInstanceMigrations CreateRsyncRoute EnsureRsyncRouteAdmitted "
     "CreateRsyncConfig "
     "CreateStunnelConfig CreatePVProgressCRs CreateRsyncTransferPods WaitForRsyncTransferPodsRunning "
     "RunRsyncOperations DeleteRsyncResources WaitForRsyncResourcesTerminated CleanupStaleVirtHandlerPods "
     "Completed"},
    {"VolumeMigrationFailed", WM_ITINERARY_VOLUMES_FAILED, "MigrationFailed Completed"},
    {"VolumeMigrationRollback", WM_ITINERARY_VOLUMES_ROLLBACK,
     "- Started Prepare CleanStaleRsyncResources DeleteStaleVirtualMachineInstanceMigrations "
     "WaitForStaleRsyncResourcesTerminated RunRsyncOperations CleanupStaleVirtHandlerPods Completed"},
    {"VirtualMachine", WM_ITINERARY_VM,
     "Pending Validating Snapshotting Exporting Importing Creating Validating-Target Ready"},
};

static bool is_of_volumes(enum wm_itinerary it)
{
    return it >= WM_ITINERARY_VOLUMES && it < WM_ITINERARY_VM;
}

static void check_order(void **state)
{
    const struct order *o = *state;
    char text[4096], *save = NULL;
    int step = 0;

    assert_int_equal(wm_itinerary_of(o->name), o->it);
    assert_string_equal(wm_itinerary_name(o->it), o->name);
    snprintf(text, sizeof text, "%s", o->phases);
    for (char *w = strtok_r(text, " ", &save); w; w = strtok_r(NULL, " ", &save)) {
        const char *name = strcmp(w, "-") == 0 ? "" : w;
        const struct wm_phase *p = wm_itinerary_phase(o->it, ++step), *next = wm_phase_next(o->it, name);
        const char *group = wm_phase_pipeline_step(o->it, name);

        assert_non_null(p);
        assert_string_equal(p->name, name);
        assert_true(p->generations & WM_GENERATION_2025);
        assert_int_equal(wm_phase_step(o->it, name), step);
        assert_ptr_equal(next, wm_itinerary_phase(o->it, step + 1));
        assert_int_equal(group != NULL, o->it < WM_ITINERARY_VOLUMES);
    }
    assert_int_equal(wm_itinerary_steps(o->it), step);
    assert_null(wm_itinerary_phase(o->it, step + 1));
    assert_null(wm_itinerary_phase(o->it, 0));
}

/* --- rows --- */

static bool is_end(const struct wm_phase *p)
{
    return strcmp(p->name, "Completed") == 0 || p == wm_vm_phase_find("Ready") ||
           p == wm_vm_phase_find("Failed");
}

static void check_phase(const struct wm_phase *p, const struct wm_phase *(*find)(const char *))
{
    size_t n = strlen(p->about);
    bool waits = p->waits_for != WM_WAIT_NOTHING, over = is_end(p);
    int least_s = p->waits_for == WM_WAIT_VM_WORKER ? 60 : 120;

    if (find(p->name) != p)
        fail_msg("%s stands twice", p->name);
    if (n < 10 || n > 120 || !strchr(".?", p->about[n - 1]) || strchr(p->about, '\n'))
        fail_msg("%s: \"%s\" is no short sentence", p->name, p->about);
    assert_true(p->generations > 0 && p->on > 0);
    assert_non_null(p->fails);
    assert_int_equal(p->stall_s == 0, over);
    assert_true(over || (p->stall_s >= least_s && p->stall_s <= 3600));
    assert_int_equal(waits, p->ends != WM_END_AT_ONCE);
    assert_int_equal(waits, wm_wait_text(p->waits_for)[0] != '\0');
    assert_true(strlen(wm_wait_end_text(p->ends)) > 10);
    if (strncmp(p->name, "WaitFor", 7) == 0)
        assert_true(waits);
}

static void every_row_is_complete(void **state)
{
    const struct wm_phase *p;

    (void)state;
    for (size_t i = 0; (p = wm_phase_at(i)); i++)
        check_phase(p, wm_phase_find);
    for (size_t i = 0; (p = wm_dvm_phase_at(i)); i++)
        check_phase(p, wm_dvm_phase_find);
    for (size_t i = 0; (p = wm_vm_phase_at(i)); i++)
        check_phase(p, wm_vm_phase_find);
}

static int places_of(const char *name, bool volumes)
{
    int n = 0;

    for (int it = 1; it < WM_ITINERARY_COUNT; it++)
        if (is_of_volumes((enum wm_itinerary)it) == volumes)
            n += wm_phase_step((enum wm_itinerary)it, name) > 0;
    return n;
}

/* Phases of today that no itinerary has are those that a failure leaves for an instant. */
static void every_phase_has_a_place_or_is_a_failure(void **state)
{
    const struct wm_phase *p;

    (void)state;
    for (size_t i = 0; (p = wm_phase_at(i)); i++)
        if (!places_of(p->name, false) && !strstr(p->name, "Failed"))
            fail_msg("%s has no place", p->name);
    for (size_t i = 0; (p = wm_dvm_phase_at(i)); i++)
        if (!places_of(p->name, true))
            fail_msg("%s has no place", p->name);
}

/* Nothing leads into two of them, and Failed is a failure. */
static void every_phase_of_a_machine_has_a_place_but_those_that_never_come(void **state)
{
    static const char *const none[] = {"", "Transferring", "Converting", "Failed"};
    const struct wm_phase *p;

    (void)state;
    for (size_t i = 0; (p = wm_vm_phase_at(i)); i++) {
        bool has_place = wm_phase_step(WM_ITINERARY_VM, p->name) > 0;

        for (size_t k = 0; k < sizeof none / sizeof none[0]; k++)
            has_place ^= strcmp(none[k], p->name) == 0;
        if (!has_place)
            fail_msg("%s", p->name);
    }
    assert_int_equal(wm_vm_phase_find("Validating")->ends, WM_END_VM_MOUNT);
    assert_int_equal(wm_vm_phase_find("Exporting")->ends, WM_END_VM_COPY);
    assert_ptr_not_equal(wm_vm_phase_find("Failed"), wm_phase_find("Failed"));
}

static void former_names_stand_at_the_place_of_todays(void **state)
{
    static const struct {
        enum wm_itinerary it;
        const char *former, *now;
    } rows[] = {
        {WM_ITINERARY_STAGE, "QuiesceApplications", "QuiesceSourceApplications"},
        {WM_ITINERARY_FINAL, "EnsureQuiesced", "EnsureSrcQuiesced"},
        {WM_ITINERARY_STAGE, "CreateDirectVolumeMigration", "CreateDirectVolumeMigrationStage"},
        {WM_ITINERARY_FINAL, "CreateDirectVolumeMigration", "CreateDirectVolumeMigrationFinal"},
        {WM_ITINERARY_FINAL, "DirectVolumeMigrationStarted", "CreateDirectVolumeMigrationFinal"},
        {WM_ITINERARY_STAGE, "EnsureStagePods", "EnsureStagePodsFromRunning"},
        {WM_ITINERARY_STAGE, "ResticRestarted", "WaitForResticReady"},
        {WM_ITINERARY_STAGE, "Prepare", "CleanStaleAnnotations"},
        {WM_ITINERARY_CANCEL, "Cancelled", "Canceled"},
        {WM_ITINERARY_ROLLBACK, "UnQuiesceApplications", "UnQuiesceSrcApplications"},
        {WM_ITINERARY_VOLUMES, "WaitForRsyncClientPodsCompleted", "RunRsyncOperations"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct wm_phase *p =
            is_of_volumes(rows[i].it) ? wm_dvm_phase_find(rows[i].former) : wm_phase_find(rows[i].former);

        assert_non_null(p);
        assert_false(p->generations & WM_GENERATION_2025);
        assert_int_equal(wm_phase_step(rows[i].it, rows[i].former), wm_phase_step(rows[i].it, rows[i].now));
    }
}

static void what_is_unknown_is_said_to_be_unknown(void **state)
{
    (void)state;
    assert_null(wm_phase_find("EnsureStagePodsCreated"));
    assert_null(wm_phase_find("RunRsyncOperations"));
    assert_null(wm_dvm_phase_find("StagePodsCreated"));
    assert_int_equal(wm_itinerary_of(""), WM_ITINERARY_NONE);
    assert_int_equal(wm_itinerary_of("stage"), WM_ITINERARY_NONE);
    assert_string_equal(wm_itinerary_name(WM_ITINERARY_NONE), "");
    assert_int_equal(wm_itinerary_steps(WM_ITINERARY_NONE), 0);
    assert_int_equal(wm_phase_step(WM_ITINERARY_NONE, "Started"), 0);
    assert_int_equal(wm_phase_step(WM_ITINERARY_STAGE, "EnsureFinalRestore"), 0);
    /* Neither a part of a former name nor two of them. */
    assert_int_equal(wm_phase_step(WM_ITINERARY_STAGE, "CreateDirectVolume"), 0);
    assert_int_equal(
        wm_phase_step(WM_ITINERARY_CANCEL, "UnQuiesceApplications ReactivateApplication Canceling"), 0);
    assert_null(wm_phase_next(WM_ITINERARY_STAGE, "no such phase"));
    assert_null(wm_phase_pipeline_step(WM_ITINERARY_STAGE, "no such phase"));
}

static void one_name_can_mean_two_things(void **state)
{
    (void)state;
    assert_ptr_not_equal(wm_phase_find("Prepare"), wm_dvm_phase_find("Prepare"));
    assert_string_equal(wm_phase_pipeline_step(WM_ITINERARY_STAGE, "EnsureStagePodsDeleted"), "Cleanup");
    assert_string_equal(wm_phase_pipeline_step(WM_ITINERARY_FINAL, "EnsureStagePodsDeleted"), "StageRestore");
}

static void some_rows_in_full(void **state)
{
    const struct wm_phase *p = wm_phase_find("StageRestoreCreated");

    (void)state;
    assert_int_equal(p->waits_for, WM_WAIT_RESTORE);
    assert_int_equal(p->on, WM_CLUSTER_TARGET);
    assert_int_equal(p->ends, WM_END_POD_VOLUME_TIMEOUT);
    p = wm_phase_find("PreBackupHooks");
    assert_int_equal(p->ends, WM_END_HOOK_DEADLINE);
    assert_int_equal(p->stall_s, 1800);
    p = wm_phase_find("EnsureMigratedDeleted");
    assert_int_equal(p->ends, WM_END_NEVER);
    assert_string_equal(p->fails, "");
    p = wm_dvm_phase_find("EnsureRsyncRouteAdmitted");
    assert_int_equal(p->stall_s, 180);
}

static void the_choice_of_an_itinerary(void **state)
{
    struct wm_itinerary_choice c = {true, true, true, true};

    (void)state;
    assert_int_equal(wm_itinerary_choose(&c), WM_ITINERARY_FAILED);
    c.failed = false;
    assert_int_equal(wm_itinerary_choose(&c), WM_ITINERARY_CANCEL);
    c.canceled = false;
    assert_int_equal(wm_itinerary_choose(&c), WM_ITINERARY_ROLLBACK);
    c.rollback = false;
    assert_int_equal(wm_itinerary_choose(&c), WM_ITINERARY_STAGE);
    c.stage = false;
    assert_int_equal(wm_itinerary_choose(&c), WM_ITINERARY_FINAL);
}

/* --- what comes next --- */

static const struct next_row {
    const char *title;
    enum wm_itinerary it;
    const char *phase;
    unsigned met, unmet;
    const char *next; /* with " ..." when there are more */
} next_rows[] = {
    {"certain", WM_ITINERARY_STAGE, "Started", 0, 0, "StartRefresh"},
    {"nothing known, one thing in doubt", WM_ITINERARY_STAGE, "StagePodsCreated", 0, 0,
     "RestartRestic AnnotateResources WaitForVeleroReady"},
    {"what depends on the same is left out", WM_ITINERARY_STAGE, "EnsureStageRestore", 0,
     WM_NEED_DIRECT_IMAGES,
     "StageRestoreCreated WaitForDirectVolumeMigrationToComplete SwapPVCReferences ..."},
    {"it is known to be needed", WM_ITINERARY_STAGE, "EnsureStageRestore", WM_NEED_STAGE_BACKUP, 0,
     "StageRestoreCreated"},
    {"one optional", WM_ITINERARY_FINAL, "FinalRestoreCreated", 0, 0, "UnQuiesceDestApplications"},
    {"hooks may be there", WM_ITINERARY_FINAL, "UnQuiesceDestApplications", 0, WM_NEED_QUIESCE,
     "PostRestoreHooks DeleteRegistries"},
    {"hooks are not there", WM_ITINERARY_FINAL, "UnQuiesceDestApplications", 0,
     WM_NEED_QUIESCE | WM_NEED_POST_RESTORE_HOOK, "DeleteRegistries"},
    {"hooks are there", WM_ITINERARY_FINAL, "UnQuiesceDestApplications", WM_NEED_POST_RESTORE_HOOK, 0,
     "PostRestoreHooks"},
    {"one of two is not met", WM_ITINERARY_FINAL, "PostRestoreHooks", WM_NEED_CONVERSION, WM_NEED_QUIESCE,
     "DeleteRegistries"},
    {"a machine's snapshot may be made", WM_ITINERARY_VM, "Validating", 0, 0, "Snapshotting Exporting"},
    {"a machine's snapshot is made", WM_ITINERARY_VM, "Validating", WM_NEED_SNAPSHOT, 0, "Snapshotting"},
    {"a machine's snapshot is not made", WM_ITINERARY_VM, "Validating", 0, WM_NEED_SNAPSHOT, "Exporting"},
    {"a machine's export", WM_ITINERARY_VM, "Exporting", 0, 0, "Importing"},
    {"a machine's end", WM_ITINERARY_VM, "Ready", 0, 0, ""},
    {"the end", WM_ITINERARY_FINAL, "Completed", 0, 0, ""},
    {"no place", WM_ITINERARY_FINAL, "no such phase", 0, 0, ""},
    {"no itinerary", WM_ITINERARY_NONE, "Started", 0, 0, ""},
};

static void what_may_come_next_is_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof next_rows / sizeof next_rows[0]; i++) {
        const struct next_row *r = &next_rows[i];
        const struct wm_phase *next[WM_NEXT_PHASES_MAX];
        struct wm_needs known = {r->met, r->unmet};
        char text[300] = "";
        bool more;
        int n = wm_phases_next(r->it, r->phase, &known, next, &more);

        for (int k = 0; k < n; k++)
            sprintf(text + strlen(text), "%s%s", k ? " " : "", next[k]->name);
        strcat(text, more ? " ..." : "");
        if (strcmp(text, r->next) != 0)
            fail_msg("%s: '%s' instead of '%s'", r->title, text, r->next);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_is_complete),
        cmocka_unit_test(every_phase_has_a_place_or_is_a_failure),
        cmocka_unit_test(every_phase_of_a_machine_has_a_place_but_those_that_never_come),
        cmocka_unit_test(former_names_stand_at_the_place_of_todays),
        cmocka_unit_test(what_is_unknown_is_said_to_be_unknown),
        cmocka_unit_test(one_name_can_mean_two_things),
        cmocka_unit_test(some_rows_in_full),
        cmocka_unit_test(the_choice_of_an_itinerary),
        cmocka_unit_test(what_may_come_next_is_named),
    };
    int failed = RUN_TABLE("order of the itineraries", orders, check_order);

    return failed + cmocka_run_group_tests_name("phases", tests, NULL, NULL);
}
