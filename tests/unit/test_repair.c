#include <stdio.h>

#include "aggregator/repair_look.h"
#include "aggregator/todo.h"
#include "unit.h"
#include "waymark/patch.h"
#include "waymark/store.h"

#define UID_M "11111111-1111-1111-1111-111111111111"
#define UID_B "22222222-2222-2222-2222-222222222222"
#define UID_D "33333333-3333-3333-3333-333333333333"
#define UID_V "44444444-4444-4444-4444-444444444444"
#define UID_X "99999999-9999-9999-9999-999999999999"
#define META "\"namespace\":\"openshift-migration\",\"uid\":\"u\",\"resourceVersion\":\"7\""
#define OWNER(group, kind, name, uid)                                                                        \
    "\"ownerReferences\":[{\"apiVersion\":\"" group "\",\"kind\":\"" kind "\",\"name\":\"" name              \
    "\",\"uid\":\"" uid "\",\"controller\":true}]"
#define PLAN "\"migration.openshift.io/migplan-name\":\"plan\""
#define MIGRATION "\"migration.openshift.io/migmigration-name\":\"m\""
#define MIGRATION_UID "\"migration.openshift.io/migmigration-uid\":\"" UID_M "\""
#define ALIAS "\"migrations.openshift.io/migPlanName\":\"plan\""
#define ALL PLAN "," MIGRATION "," MIGRATION_UID
#define SIGNED "\"app.kubernetes.io/part-of\":\"openshift-migration\",\"migmigration\":\"" UID_M "\""
#define VELERO_BACKUP "\"velero.io/backup-name\":\"b\",\"velero.io/backup-uid\":\"" UID_B "\""

#define VM_META "\"namespace\":\"vm\",\"uid\":\"" UID_V "\",\"resourceVersion\":\"7\",\"name\":\"web\""
#define VM_SPEC                                                                                              \
    "\"spec\":{\"source\":{\"providerRef\":{\"name\":\"vs\"}},\"target\":{\"providerRef\":{\"name\":\"lv\"}" \
    "}}"
#define VM_PROVIDERS "\"waymark.io/source-provider\":\"vs\",\"waymark.io/target-provider\":\"lv\""
#define VM_NAME "\"migration.openshift.io/migmigration-name\":\"web\""
#define VM_STORAGE "\"virtrigaud.io/component\":\"migration-storage\",\"virtrigaud.io/migration\":\"web\""
#define VM_PVC_META "\"namespace\":\"vm\",\"uid\":\"u\",\"resourceVersion\":\"7\""
#define VM_IN(phase) "{\"metadata\":{" VM_META "}," VM_SPEC ",\"status\":{\"phase\":\"" phase "\"}}"

/* --- what is known of parents: a migration on the host, its Backup on another cluster, its DVM --- */

static void put_parent(struct wm_store *s, enum wm_parent_kind kind, const char *object)
{
    struct wm_parent p;

    assert_int_equal(wm_parent_project(&wm_label_conf_default, kind, wm_str_of(object), &p, NULL), WM_OK);
    wm_store_put(s, &p, true);
}

static struct wm_store *parents(void)
{
    struct wm_store *s = wm_store_new();

    put_parent(s, WM_PARENT_MIGMIGRATION,
               "{\"metadata\":{\"name\":\"m\",\"namespace\":\"openshift-migration\",\"uid\":\"" UID_M
               "\"},\"spec\":{\"migPlanRef\":{\"name\":\"plan\"}}}");
    put_parent(s, WM_PARENT_BACKUP,
               "{\"metadata\":{\"name\":\"b\",\"namespace\":\"openshift-migration\",\"uid\":\"" UID_B
               "\",\"labels\":{" SIGNED "}}}");
    put_parent(s, WM_PARENT_DVM,
               "{\"metadata\":{\"name\":\"d\",\"namespace\":\"openshift-migration\",\"uid\":\"" UID_D
               "\"," OWNER("migration.openshift.io/v1alpha1", "MigMigration", "m", UID_M) "}}");
    put_parent(s, WM_PARENT_VMMIGRATION, "{\"metadata\":{" VM_META "}," VM_SPEC "}");
    return s;
}

static enum wm_found find(void *ctx, const struct wm_ref *ref, struct wm_parent *ret)
{
    return wm_store_find(ctx, ref, ret);
}

/* --- the decision --- */

struct row {
    const char *name;
    enum wm_kind kind;
    const char *object;
    enum wm_lack lack;
    const char *labels;  /* afterwards, without braces; NULL = as they were */
    const char *missing; /* of LACKS_PARENT */
    bool quiet;
};

// clang-format off
static const struct row rows[] = {
    {"a Backup signed by an old controller gets its names from the host's MigMigration", WM_KIND_BACKUP,
     "{\"metadata\":{" META ",\"labels\":{" SIGNED "}}}", WM_LACKS_LABELS, SIGNED "," ALL, NULL, false},
    {"a Backup that is complete is left alone", WM_KIND_BACKUP,
     "{\"metadata\":{" META ",\"labels\":{" SIGNED "," ALL "}}}", WM_LACKS_NOTHING, NULL, NULL, false},
    {"a foreign Backup is left alone", WM_KIND_BACKUP,
     "{\"metadata\":{" META ",\"labels\":{\"velero.io/schedule-name\":\"nightly\"}}}", WM_LACKS_NOTHING, NULL, NULL, false},
    {"a Backup without labels is left alone", WM_KIND_BACKUP, "{\"metadata\":{" META "}}", WM_LACKS_NOTHING, NULL, NULL, false},
    {"a Backup whose label tells an unknown uid waits", WM_KIND_BACKUP,
     "{\"metadata\":{" META ",\"labels\":{\"migmigration\":\"" UID_X "\"}}}", WM_LACKS_PARENT, NULL, UID_X, false},
    {"who was first is respected on Velero's objects", WM_KIND_BACKUP,
     "{\"metadata\":{" META ",\"labels\":{" SIGNED ",\"migration.openshift.io/migplan-name\":\"theirs\"}}}", WM_LACKS_LABELS,
     SIGNED ",\"migration.openshift.io/migplan-name\":\"theirs\"," MIGRATION "," MIGRATION_UID, NULL, false},
    {"a PodVolumeBackup gets them through its Backup, and keeps Velero's", WM_KIND_PVB,
     "{\"metadata\":{" META "," OWNER("velero.io/v1", "Backup", "b", UID_B) ",\"labels\":{" VELERO_BACKUP "}},\"status\":{\"phase\":\"InProgress\"}}",
     WM_LACKS_LABELS, VELERO_BACKUP "," ALL, NULL, false},
    {"a PodVolumeBackup without any labels gets the first", WM_KIND_PVB,
     "{\"metadata\":{" META "," OWNER("velero.io/v1", "Backup", "b", UID_B) "}}", WM_LACKS_LABELS, ALL, NULL, false},
    {"a PodVolumeRestore whose Restore is not known waits for it", WM_KIND_PVR,
     "{\"metadata\":{" META "," OWNER("velero.io/v1", "Restore", "r", UID_X) "}}", WM_LACKS_PARENT, NULL, UID_X, false},
    {"a namesake with another uid is no parent", WM_KIND_PVB,
     "{\"metadata\":{" META "," OWNER("velero.io/v1", "Backup", "b", UID_X) "}}", WM_LACKS_PARENT, NULL, UID_X, false},
    {"what is being deleted is left alone", WM_KIND_BACKUP,
     "{\"metadata\":{" META ",\"deletionTimestamp\":\"2026-11-21T07:05:00Z\",\"labels\":{" SIGNED "}}}", WM_LACKS_NOTHING, NULL, NULL, false},
    {"a running MigMigration is left alone", WM_KIND_MIGMIGRATION,
     "{\"metadata\":{" META ",\"name\":\"m\"},\"spec\":{\"migPlanRef\":{\"name\":\"plan\"}},\"status\":{\"phase\":\"StageBackupCreated\"}}",
     WM_LACKS_NOTHING, NULL, NULL, false},
    {"a MigMigration that has not begun is left alone", WM_KIND_MIGMIGRATION,
     "{\"metadata\":{" META ",\"name\":\"m\"},\"spec\":{\"migPlanRef\":{\"name\":\"plan\"}}}", WM_LACKS_NOTHING, NULL, NULL, false},
    {"a running MigMigration gets them when its owner is quiet", WM_KIND_MIGMIGRATION,
     "{\"metadata\":{" META ",\"name\":\"m\"},\"spec\":{\"migPlanRef\":{\"name\":\"plan\"}},\"status\":{\"phase\":\"StageBackupCreated\"}}",
     WM_LACKS_LABELS, PLAN "," ALIAS "," MIGRATION, NULL, true},
    {"a MigMigration that has ended gets them", WM_KIND_MIGMIGRATION,
     "{\"metadata\":{" META ",\"name\":\"m\"},\"spec\":{\"migPlanRef\":{\"name\":\"plan\"}},\"status\":{\"phase\":\"Completed\"}}",
     WM_LACKS_LABELS, PLAN "," ALIAS "," MIGRATION, NULL, false},
    {"a running DirectVolumeMigration is left alone", WM_KIND_DVM,
     "{\"metadata\":{" META "," OWNER("migration.openshift.io/v1alpha1", "MigMigration", "m", UID_M) "},\"status\":{\"phase\":\"RunRsyncOperations\"}}",
     WM_LACKS_NOTHING, NULL, NULL, false},
    {"a DirectVolumeMigration that has ended gets them", WM_KIND_DVM,
     "{\"metadata\":{" META "," OWNER("migration.openshift.io/v1alpha1", "MigMigration", "m", UID_M) "},\"status\":{\"phase\":\"Completed\"}}",
     WM_LACKS_LABELS, ALL, NULL, false},
    {"a progress whose pod has ended gets them over two hops", WM_KIND_DVMP,
     "{\"metadata\":{" META "," OWNER("migration.openshift.io/v1alpha1", "DirectVolumeMigration", "d", UID_D) "},\"status\":{\"phase\":\"Succeeded\"}}",
     WM_LACKS_LABELS, ALL, NULL, false},
    {"an rsync pod gets them", WM_KIND_POD,
     "{\"metadata\":{" META ",\"labels\":{\"owner\":\"directvolumemigration\",\"purpose\":\"rsync\",\"directvolumemigration\":\"" UID_D "\"}}}",
     WM_LACKS_LABELS, "\"owner\":\"directvolumemigration\",\"purpose\":\"rsync\",\"directvolumemigration\":\"" UID_D "\"," ALL, NULL, false},
    {"an application's pod is left alone", WM_KIND_POD,
     "{\"metadata\":{" META ",\"labels\":{\"owner\":\"somebody\",\"directvolumemigration\":\"" UID_D "\"}}}", WM_LACKS_NOTHING, NULL, NULL, false},
    {"a hook's Job gets them", WM_KIND_JOB,
     "{\"metadata\":{" META ",\"labels\":{\"mighook\":\"h\",\"owner\":\"" UID_M "\"}}}", WM_LACKS_LABELS,
     "\"mighook\":\"h\",\"owner\":\"" UID_M "\"," ALL, NULL, false},
    {"a VMMigration that has ended gets them", WM_KIND_VMMIGRATION, VM_IN("Ready"), WM_LACKS_LABELS,
     VM_NAME "," VM_PROVIDERS, NULL, false},
    {"one that failed does", WM_KIND_VMMIGRATION, VM_IN("Failed"), WM_LACKS_LABELS, VM_NAME "," VM_PROVIDERS, NULL, false},
    {"one that only waits does", WM_KIND_VMMIGRATION, VM_IN("Validating"), WM_LACKS_LABELS, VM_NAME "," VM_PROVIDERS, NULL, false},
    {"one that VirtRigaud has not begun is left alone", WM_KIND_VMMIGRATION, "{\"metadata\":{" VM_META "}," VM_SPEC "}",
     WM_LACKS_NOTHING, NULL, NULL, false},
    {"one of which a snapshot is taken is left alone", WM_KIND_VMMIGRATION, VM_IN("Snapshotting"), WM_LACKS_NOTHING, NULL, NULL, false},
    {"one that is exported is left alone", WM_KIND_VMMIGRATION, VM_IN("Exporting"), WM_LACKS_NOTHING, NULL, NULL, false},
    {"one that is imported is left alone", WM_KIND_VMMIGRATION, VM_IN("Importing"), WM_LACKS_NOTHING, NULL, NULL, false},
    {"a migration's PVC gets them from its VMMigration", WM_KIND_PVC,
     "{\"metadata\":{" VM_PVC_META ",\"labels\":{" VM_STORAGE "}," OWNER("infra.virtrigaud.io/v1beta1", "VMMigration", "web", UID_V) "}}",
     WM_LACKS_LABELS, VM_STORAGE "," VM_NAME "," VM_PROVIDERS ",\"migration.openshift.io/migmigration-uid\":\"" UID_V "\"", NULL, false},
    {"a migration's PVC without an owner gets the name that it tells", WM_KIND_PVC,
     "{\"metadata\":{" VM_PVC_META ",\"labels\":{" VM_STORAGE "}}}", WM_LACKS_LABELS, VM_STORAGE "," VM_NAME, NULL, false},
    {"an application's PVC is left alone", WM_KIND_PVC,
     "{\"metadata\":{" VM_PVC_META ",\"labels\":{\"app\":\"web\"}," OWNER("infra.virtrigaud.io/v1beta1", "VMMigration", "web", UID_V) "}}",
     WM_LACKS_NOTHING, NULL, NULL, false},
    {"a kind without a rule is left alone", WM_KIND_DEPLOYMENT, "{\"metadata\":{" META "}}", WM_LACKS_NOTHING, NULL, NULL, false},
    {"what has no resourceVersion cannot be patched safely", WM_KIND_BACKUP,
     "{\"metadata\":{\"uid\":\"u\",\"labels\":{" SIGNED "}}}", WM_LACKS_NOTHING, NULL, NULL, false},
};
// clang-format on

/* The patch applies to what it was made from, and gives it these labels. */
static void assert_labels(const struct row *row, const struct wm_buf *patch)
{
    cJSON *doc = cJSON_Parse(row->object), *ops = cJSON_ParseWithLength(patch->p, patch->n);
    char text[2048];

    snprintf(text, sizeof text, "{%s}", row->labels);
    cJSON *expected = cJSON_Parse(text);

    assert_non_null(expected);
    assert_int_equal(wm_patch_apply(&doc, ops, NULL), WM_OK);
    const cJSON *metadata = cJSON_GetObjectItemCaseSensitive(doc, "metadata");

    assert_true(cJSON_Compare(cJSON_GetObjectItemCaseSensitive(metadata, "labels"), expected, 1));
    cJSON_Delete(expected);
    cJSON_Delete(ops);
    cJSON_Delete(doc);
}

/* Changed meanwhile, or another object under that name: refused. */
static void assert_tests(const struct row *row, const struct wm_buf *patch)
{
    static const char *const members[] = {"uid", "resourceVersion"};

    for (size_t i = 0; i < 2; i++) {
        cJSON *doc = cJSON_Parse(row->object), *ops = cJSON_ParseWithLength(patch->p, patch->n);
        cJSON *metadata = cJSON_GetObjectItemCaseSensitive(doc, "metadata");

        cJSON_ReplaceItemInObjectCaseSensitive(metadata, members[i], cJSON_CreateString("other"));
        assert_int_equal(wm_patch_apply(&doc, ops, NULL), WM_E_CONFLICT);
        cJSON_Delete(ops);
        cJSON_Delete(doc);
    }
}

static void check_row(void **state)
{
    const struct row *row = *state;
    struct wm_store *s = parents();
    wm_auto_buf struct wm_buf patch = WM_BUF_MAX(4096);
    struct wm_lack_look look = {.conf = &wm_label_conf_default, .find = find, .ctx = s, .quiet = row->quiet};
    wm_auto_reading struct wm_reading reading = {0};
    wm_uid missing = "";

    assert_int_equal(wm_reading_of(&reading, row->kind, wm_str_of(row->object), NULL), WM_OK);
    assert_int_equal(wm_lack_of(&look, &reading, &patch, missing), row->lack);
    if (row->labels) {
        assert_labels(row, &patch);
        assert_tests(row, &patch);
    } else {
        assert_int_equal(patch.n, 0);
    }
    if (row->missing)
        assert_string_equal(missing, row->missing);
    wm_store_free(s);
}

static void some_kinds_are_parents_of_others(void **state)
{
    (void)state;
    assert_int_equal(wm_parent_kind_of(WM_KIND_NONE), WM_PARENT_NONE);
    assert_int_equal(wm_parent_kind_of(WM_KIND_MIGPLAN), WM_PARENT_NONE);
    assert_int_equal(wm_parent_kind_of(WM_KIND_MIGMIGRATION), WM_PARENT_MIGMIGRATION);
    assert_int_equal(wm_parent_kind_of(WM_KIND_DVM), WM_PARENT_DVM);
    assert_int_equal(wm_parent_kind_of(WM_KIND_DIM), WM_PARENT_DIM);
    assert_int_equal(wm_parent_kind_of(WM_KIND_BACKUP), WM_PARENT_BACKUP);
    assert_int_equal(wm_parent_kind_of(WM_KIND_RESTORE), WM_PARENT_RESTORE);
    assert_int_equal(wm_parent_kind_of(WM_KIND_VMMIGRATION), WM_PARENT_VMMIGRATION);
    assert_int_equal(wm_parent_kind_of(WM_KIND_PVR), WM_PARENT_NONE);
}

/* Conditions and labels are one patch. */
static void a_finished_patch_is_continued(void **state)
{
    const struct row *row = &rows[0];
    struct wm_store *s = parents();
    wm_auto_buf struct wm_buf patch = WM_BUF_MAX(4096);
    struct wm_lack_look look = {&wm_label_conf_default, find, s, false};
    wm_auto_reading struct wm_reading reading = {0};
    wm_uid missing;

    (void)state;
    struct wm_patch first = wm_patch_to(&patch);

    wm_patch_json(&first, "add", "/status", NULL, wm_str_of("{}"));
    wm_patch_end(&first);
    assert_int_equal(wm_reading_of(&reading, row->kind, wm_str_of(row->object), NULL), WM_OK);
    assert_int_equal(wm_lack_of(&look, &reading, &patch, missing), WM_LACKS_LABELS);
    assert_labels(row, &patch);
    wm_store_free(s);
}

/* --- the queue --- */

static struct wm_todo_item item(uint64_t id, uint64_t parent)
{
    return (struct wm_todo_item){.id = {1, id}, .parent = {parent, 0}, .cluster = (uint8_t)(id % 3)};
}

static bool is_not(void *ctx, const struct wm_todo_item *i)
{
    return i->id.lo != *(const uint64_t *)ctx;
}

static bool waits_for(void *ctx, const struct wm_todo_item *i)
{
    return i->parent.hi == *(const uint64_t *)ctx;
}

static void each_object_is_queued_once_and_at_most_so_many(void **state)
{
    struct wm_todo *t = wm_todo_new(3);
    struct wm_todo_item got;
    uint64_t none = 0;

    (void)state;
    for (uint64_t id = 1; id <= 4; id++) {
        struct wm_todo_item i = item(id, 0);

        assert_int_equal(wm_todo_put(t, &i), id <= 3);
    }
    struct wm_todo_item again = item(3, 9);

    assert_true(wm_todo_put(t, &again)); /* it waits now */
    assert_int_equal(wm_todo_due(t), 2);
    assert_int_equal(wm_todo_waiting(t), 1);
    wm_todo_drop(t, again.cluster, again.id);
    wm_todo_drop(t, again.cluster, again.id);
    assert_int_equal(wm_todo_waiting(t), 0);
    assert_true(wm_todo_take(t, is_not, &none, &got));
    assert_true(wm_todo_take(t, is_not, &none, &got));
    assert_false(wm_todo_take(t, is_not, &none, &got));
    assert_int_equal(wm_todo_due(t), 0);
    wm_todo_free(t);
}

static void what_waits_becomes_due_when_its_parent_is_there(void **state)
{
    struct wm_todo *t = wm_todo_new(10);
    struct wm_todo_item a = item(1, 7), b = item(2, 8), got;
    uint64_t parent = 7, none = 0;

    (void)state;
    wm_todo_put(t, &a);
    wm_todo_put(t, &b);
    assert_false(wm_todo_take(t, is_not, &none, &got));
    wm_todo_wake(t, waits_for, &parent);
    assert_true(wm_todo_take(t, is_not, &none, &got));
    assert_int_equal(got.id.lo, 1);
    assert_false(wm_todo_take(t, is_not, &none, &got));
    assert_int_equal(wm_todo_waiting(t), 1);
    uint64_t gone = 2;

    wm_todo_retain(t, is_not, &gone);
    assert_int_equal(wm_todo_waiting(t), 0);
    wm_todo_free(t);
}

static void what_may_not_be_taken_holds_up_nothing(void **state)
{
    struct wm_todo *t = wm_todo_new(10);
    struct wm_todo_item got;
    uint64_t paused = 1, seen = 0;

    (void)state;
    for (uint64_t id = 1; id <= 5; id++) {
        struct wm_todo_item i = item(id, 0);

        wm_todo_put(t, &i);
    }
    while (wm_todo_take(t, is_not, &paused, &got))
        seen |= 1u << got.id.lo;
    assert_int_equal(seen, 0x3c);
    assert_int_equal(wm_todo_due(t), 1);
    wm_todo_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_finished_patch_is_continued),
        cmocka_unit_test(some_kinds_are_parents_of_others),
        cmocka_unit_test(each_object_is_queued_once_and_at_most_so_many),
        cmocka_unit_test(what_waits_becomes_due_when_its_parent_is_there),
        cmocka_unit_test(what_may_not_be_taken_holds_up_nothing),
    };

    return RUN_TABLE("repair", rows, check_row) + cmocka_run_group_tests(tests, NULL, NULL);
}
