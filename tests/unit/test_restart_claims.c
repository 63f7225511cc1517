/* PVCs of VMMigrations, and what the ledger does with what cannot be, or is too much. */
#include <stdio.h>

#include "restarts_play.h"
#include "unit.h"
#include "waymark/yaml.h"

/* One step of objects, as in the cases. */
static struct play *play_of(const char *yaml)
{
    struct play *p = play_new();
    struct wm_yaml *y = NULL;
    static struct restarts_step step;
    struct wm_error err = {0};

    if (wm_yaml_parse(wm_str_of(yaml), "step", 1 << 20, &y, &err) < 0)
        fail_msg("%s: %s", err.where, err.msg);
    restarts_step_read(wm_yaml_root(y), &step);
    play_step(p, &step);
    restarts_step_done(&step);
    wm_yaml_free(y);
    return p;
}

/* --- whose --- */

#define CLAIM(more)                                                                                          \
    "  - {kind: PersistentVolumeClaim, metadata: {name: a-storage, labels: {virtrigaud.io/component: "       \
    "migration-storage" more ", status: {phase: Bound}}\n"
#define OWNED CLAIM("}, ownerReferences: [{kind: VMMigration, uid: '@VMMigration/a', controller: true}]}")
#define VM(status)                                                                                           \
    "  - {kind: VMMigration, metadata: {name: a}, spec: {storage: {type: pvc}}, status: " status "}\n"

static const struct row {
    const char *name, *objects;
    bool none; /* it is no PVC of a migration */
    enum wm_claim_state_of state;
    bool has_migration, restored;
} rows[] = {
    {"of one that runs", OWNED VM("{phase: Exporting}"), false, WM_CLAIM_IN_USE, true, false},
    {"of one that is Ready", OWNED VM("{phase: Ready}"), false, WM_CLAIM_LINGERING, true, false},
    {"of one that has failed", OWNED VM("{phase: Failed}"), false, WM_CLAIM_LINGERING, true, false},
    {"its owner is gone", OWNED, false, WM_CLAIM_ORPHAN, false, false},
    {"no owner", CLAIM("}}"), false, WM_CLAIM_ORPHAN, false, false},
    {"no owner, but one that uses it", CLAIM("}}") VM("{phase: Pending}"), false, WM_CLAIM_IN_USE, true,
     false},
    {"restored by Velero", CLAIM(", velero.io/restore-name: r1}}"), false, WM_CLAIM_ORPHAN, false, true},
    {"it goes",
     CLAIM("}, deletionTimestamp: T+0, ownerReferences: [{kind: VMMigration, uid: '@VMMigration/a'}]}")
         VM("{phase: Ready}"),
     false, WM_CLAIM_GOING, true, false},
    {"another label", "  - {kind: PersistentVolumeClaim, metadata: {name: a-storage}}\n", true,
     WM_CLAIM_IN_USE, false, false},
};

static void check_claim(void **state)
{
    const struct row *row = *state;
    wm_auto_buf struct wm_buf yaml = WM_BUF_MAX(1 << 16);
    struct wm_migration_claim of;

    wm_buf_printf(&yaml, "at: 0\nput:\n%s", row->objects);
    struct play *p = play_of(wm_buf_text(&yaml).p);
    const struct wm_record *claim = wm_model_find_named(p->model, 0, WM_KIND_PVC, "vm", "a-storage");

    assert_int_equal(wm_migration_claim_of(p->model, claim, &of), !row->none);
    if (!row->none) {
        assert_ptr_equal(of.claim, claim);
        assert_int_equal(of.state, row->state);
        assert_int_equal(of.migration != NULL, row->has_migration);
        assert_int_equal(of.restored, row->restored);
    }
    play_free(p);
}

/* --- who holds it --- */

static void holders_are_pods_that_have_not_ended(void **state)
{
    struct play *p = play_of("at: 0\nput:\n" OWNED "  - {pod: vs-r2-b, claims: [a-storage], ready: T-5}\n"
                             "  - {pod: lv-r2-b, claims: [other, a-storage]}\n"
                             "  - {pod: lv-r2-a, claims: [a-storage], phase: Failed}\n"
                             "  - {pod: px-r2-b, claims: [other]}\n"
                             "  - {pod: px-r2-c, claims: [a-storage], told: T-3, ready: T-5}\n");
    const struct wm_record *claim = wm_model_find_named(p->model, 0, WM_KIND_PVC, "vm", "a-storage");
    const struct wm_record *held[4];

    (void)state;
    assert_int_equal(wm_claim_holders(p->model, claim, held, 4), 3);
    assert_string_equal(wm_record_name(held[0]), "lv-r2-b");
    assert_string_equal(wm_record_name(held[1]), "px-r2-c");
    assert_string_equal(wm_record_name(held[2]), "vs-r2-b");
    assert_int_equal(wm_claim_holders(p->model, claim, held, 2), 2);
    assert_string_equal(wm_record_name(held[1]), "px-r2-c");
    assert_int_equal(wm_claim_holders(p->model, claim, held, 0), 0);
    play_free(p);
}

/* --- too much --- */

static void count_one(void *ctx, const struct wm_restart *r)
{
    size_t *n = ctx;

    assert_true(r->begun_s > 0);
    ++*n;
}

static void remember(struct wm_ledger *l, int from, int to)
{
    wm_auto_buf struct wm_buf report = WM_BUF_MAX(1 << 20);

    wm_buf_puts(&report, "{\"status\":{\"restarts\":[");
    for (int i = from; i < to; i++)
        wm_buf_printf(
            &report,
            "%s{\"kind\":\"rollout\",\"cause\":\"unheard-of\",\"provider\":\"vs\",\"deploymentUid\":\"x\","
            "\"started\":\"2026-11-21T10:%02d:%02dZ\",\"finished\":\"2026-11-21T12:00:00Z\","
            "\"key\":\"%016x\"}",
            i > from ? "," : "", i / 60 % 60, i % 60, (unsigned)i + 1);
    wm_buf_puts(&report, "]}}");
    wm_ledger_recall(l, wm_buf_text(&report));
}

static void oldest_goes_first(void **state)
{
    struct wm_ledger *l = wm_ledger_new();
    size_t n = 0;

    (void)state;
    for (int i = 0; i < WM_RESTARTS_MAX + 100; i += 100)
        remember(l, i, i + 100);
    remember(l, 0, 1); /* it comes in again, and another goes */
    wm_ledger_each(l, count_one, &n);
    assert_int_equal(n, WM_RESTARTS_MAX);
    wm_ledger_free(l);
}

static void what_is_malformed_is_not_remembered(void **state)
{
    static const char *const reports[] = {
        "",
        "[]",
        "{\"status\":{\"restarts\":{}}}",
        "{\"status\":{\"restarts\":[1,null,{}]}}",
        "{\"status\":{\"restarts\":[{\"kind\":\"rollout\",\"deploymentUid\":\"x\",\"key\":"
        "\"0000000000000001\"}]}}",
        "{\"status\":{\"restarts\":[{\"kind\":\"other\",\"deploymentUid\":\"x\",\"key\":\"0000000000000001\","
        "\"started\":\"2026-11-21T10:00:00Z\"}]}}",
        "{\"status\":{\"restarts\":[{\"kind\":\"rollout\",\"deploymentUid\":\"x\",\"key\":\"1\","
        "\"started\":\"2026-11-21T10:00:00Z\"}]}}",
    };
    struct wm_ledger *l = wm_ledger_new();
    size_t n = 0;

    (void)state;
    for (size_t i = 0; i < sizeof reports / sizeof reports[0]; i++)
        wm_ledger_recall(l, wm_str_of(reports[i]));
    wm_ledger_each(l, count_one, &n);
    assert_int_equal(n, 0);
    wm_ledger_free(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(holders_are_pods_that_have_not_ended),
        cmocka_unit_test(oldest_goes_first),
        cmocka_unit_test(what_is_malformed_is_not_remembered),
    };
    int failed = RUN_TABLE("claims", rows, check_claim);

    return failed + cmocka_run_group_tests_name("ledger", tests, NULL, NULL);
}
