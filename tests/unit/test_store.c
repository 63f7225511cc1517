#include <pthread.h>
#include <stdio.h>

#include "unit.h"
#include "waymark/store.h"

static struct wm_parent migration(const char *name, const char *uid, const char *plan)
{
    struct wm_parent p = {.kind = WM_PARENT_MIGMIGRATION};

    snprintf(p.namespace_, sizeof p.namespace_, "openshift-migration");
    snprintf(p.name, sizeof p.name, "%s", name);
    snprintf(p.uid, sizeof p.uid, "%s", uid);
    snprintf(p.identity.plan, sizeof p.identity.plan, "%s", plan);
    snprintf(p.identity.migration, sizeof p.identity.migration, "%s", name);
    snprintf(p.identity.uid, sizeof p.identity.uid, "%s", uid);
    return p;
}

static struct wm_ref ref_to(const char *name, const char *uid)
{
    struct wm_ref r = {.kind = WM_PARENT_MIGMIGRATION};

    snprintf(r.name, sizeof r.name, "%s", name);
    snprintf(r.uid, sizeof r.uid, "%s", uid);
    if (name[0])
        snprintf(r.namespace_, sizeof r.namespace_, "openshift-migration");
    return r;
}

static enum wm_found find(struct wm_store *s, const char *name, const char *uid, struct wm_parent *ret)
{
    struct wm_ref r = ref_to(name, uid);

    return wm_store_find(s, &r, ret);
}

static void a_parent_is_found_by_uid_and_must_have_the_name(void **state)
{
    struct wm_store *s = wm_store_new();
    struct wm_parent p = migration("m", "u-1", "plan"), got;

    (void)state;
    p.up = (struct wm_ref){.kind = WM_PARENT_DVM, .uid = "u-9"};
    wm_store_put(s, &p, false);
    assert_int_equal(find(s, "m", "u-1", &got), WM_FOUND);
    assert_string_equal(got.identity.plan, "plan");
    assert_string_equal(got.up.uid, "u-9");
    assert_int_equal(got.up.kind, WM_PARENT_DVM);
    assert_int_equal(find(s, "", "u-1", &got), WM_FOUND);
    assert_int_equal(find(s, "other", "u-1", &got), WM_FOUND_MISS);
    assert_int_equal(find(s, "m", "u-2", &got), WM_FOUND_MISS);
    struct wm_ref elsewhere = ref_to("m", "u-1");

    snprintf(elsewhere.namespace_, sizeof elsewhere.namespace_, "default");
    assert_int_equal(wm_store_find(s, &elsewhere, &got), WM_FOUND_MISS);
    struct wm_ref other_kind = ref_to("m", "u-1");

    other_kind.kind = WM_PARENT_BACKUP;
    assert_int_equal(wm_store_find(s, &other_kind, &got), WM_FOUND_MISS);
    wm_store_free(s);
}

static void a_migration_whose_plan_is_unknown_is_a_miss_until_seen_whole(void **state)
{
    struct wm_store *s = wm_store_new();
    struct wm_parent p = migration("m", "u-1", ""), got;

    (void)state;
    wm_store_put(s, &p, false);
    assert_int_equal(find(s, "m", "u-1", &got), WM_FOUND_MISS);
    p = migration("m", "u-1", "plan");
    wm_store_put(s, &p, true);
    /* metadata that arrive later do not take the plan away */
    p = migration("m", "u-1", "");
    wm_store_put(s, &p, false);
    assert_int_equal(find(s, "m", "u-1", &got), WM_FOUND);
    assert_string_equal(got.identity.plan, "plan");
    /* but a label that tells another plan does */
    p = migration("m", "u-1", "new-plan");
    wm_store_put(s, &p, false);
    assert_int_equal(find(s, "m", "u-1", &got), WM_FOUND);
    assert_string_equal(got.identity.plan, "new-plan");
    /* a migration that has no plan is known, once seen whole */
    p = migration("n", "u-2", "");
    wm_store_put(s, &p, true);
    assert_int_equal(find(s, "n", "u-2", &got), WM_FOUND);
    wm_store_free(s);
}

static void a_vm_migration_whose_providers_are_unknown_is_a_miss_until_seen_whole(void **state)
{
    struct wm_store *s = wm_store_new();
    struct wm_parent p = migration("web", "u-1", "shop"), got;
    struct wm_ref r = ref_to("web", "u-1");

    (void)state;
    r.kind = p.kind = WM_PARENT_VMMIGRATION;
    wm_store_put(s, &p, false);
    assert_int_equal(wm_store_find(s, &r, &got), WM_FOUND_MISS); /* a plan's label says nothing of them */
    snprintf(p.identity.source_provider, sizeof p.identity.source_provider, "vs");
    snprintf(p.identity.target_provider, sizeof p.identity.target_provider, "lv");
    wm_store_put(s, &p, true);
    p.identity.source_provider[0] = p.identity.target_provider[0] = '\0';
    wm_store_put(s, &p, false);
    assert_int_equal(wm_store_find(s, &r, &got), WM_FOUND);
    assert_string_equal(got.identity.source_provider, "vs");
    assert_string_equal(got.identity.target_provider, "lv");
    wm_store_free(s);
}

static void a_complete_list_drops_what_it_does_not_hold(void **state)
{
    struct wm_store *s = wm_store_new();
    struct wm_parent p, got;

    (void)state;
    p = migration("a", "u-a", "plan");
    wm_store_put(s, &p, false);
    p = migration("b", "u-b", "plan");
    wm_store_put(s, &p, false);
    p = migration("other", "u-o", "plan");
    p.kind = WM_PARENT_BACKUP;
    wm_store_put(s, &p, false);
    wm_store_list_begin(s, WM_PARENT_MIGMIGRATION);
    assert_int_equal(find(s, "a", "u-a", &got), WM_FOUND); /* served meanwhile */
    p = migration("b", "u-b", "plan-2");
    wm_store_put(s, &p, false);
    wm_store_list_end(s, WM_PARENT_MIGMIGRATION);
    assert_int_equal(find(s, "a", "u-a", &got), WM_FOUND_MISS);
    assert_int_equal(find(s, "b", "u-b", &got), WM_FOUND);
    assert_string_equal(got.identity.plan, "plan-2");
    assert_int_equal(wm_store_count(s, WM_PARENT_MIGMIGRATION), 1);
    assert_int_equal(wm_store_count(s, WM_PARENT_BACKUP), 1);
    wm_store_free(s);
}

static void thousands_are_held_and_removed(void **state)
{
    enum { N = 5000 };
    struct wm_store *s = wm_store_new();
    struct wm_parent p, got;
    char uid[32];

    (void)state;
    for (int i = 0; i < N; i++) {
        snprintf(uid, sizeof uid, "uid-%d", i);
        p = migration("m", uid, "plan");
        wm_store_put(s, &p, false);
        wm_store_put(s, &p, false); /* again: still one */
    }
    assert_int_equal(wm_store_count(s, WM_PARENT_MIGMIGRATION), N);
    for (int i = 0; i < N; i += 2) {
        snprintf(uid, sizeof uid, "uid-%d", i);
        wm_store_remove(s, uid);
    }
    wm_store_remove(s, "never-there");
    assert_int_equal(wm_store_count(s, WM_PARENT_MIGMIGRATION), N / 2);
    assert_int_equal(find(s, "", "uid-1", &got), WM_FOUND);
    assert_int_equal(find(s, "", "uid-2", &got), WM_FOUND_MISS);
    wm_store_free(s);
}

static bool is_other(void *ctx, const char *uid)
{
    return strcmp(uid, ctx) != 0;
}

static void what_is_not_to_be_kept_goes(void **state)
{
    struct wm_store *s = wm_store_new();
    struct wm_parent p, got;
    char gone[] = "u-a";

    (void)state;
    p = migration("a", "u-a", "plan");
    wm_store_put(s, &p, true);
    p = migration("b", "u-b", "plan");
    wm_store_put(s, &p, true);
    wm_store_retain(s, is_other, gone);
    assert_int_equal(find(s, "a", "u-a", &got), WM_FOUND_MISS);
    assert_int_equal(find(s, "b", "u-b", &got), WM_FOUND);
    assert_int_equal(wm_store_count(s, WM_PARENT_MIGMIGRATION), 1);
    wm_store_free(s);
}

enum { ROUNDS = 2000 };

static void *write_often(void *ctx)
{
    struct wm_store *s = ctx;
    char uid[32];

    for (int i = 0; i < ROUNDS; i++) {
        snprintf(uid, sizeof uid, "u-%d", i % 100);
        struct wm_parent p = migration("m", uid, "plan");

        wm_store_put(s, &p, true);
        if (i % 7 == 0)
            wm_store_remove(s, uid);
    }
    return NULL;
}

static void one_thread_writes_while_another_reads(void **state)
{
    struct wm_store *s = wm_store_new();
    struct wm_parent got;
    pthread_t writer;
    char uid[32], gone[] = "u-1";

    (void)state;
    assert_int_equal(pthread_create(&writer, NULL, write_often, s), 0);
    for (int i = 0; i < ROUNDS; i++) {
        snprintf(uid, sizeof uid, "u-%d", i % 100);
        if (find(s, "", uid, &got) == WM_FOUND)
            assert_string_equal(got.identity.plan, "plan");
        if (i % 100 == 0)
            wm_store_retain(s, is_other, gone);
    }
    pthread_join(writer, NULL);
    wm_store_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_parent_is_found_by_uid_and_must_have_the_name),
        cmocka_unit_test(a_migration_whose_plan_is_unknown_is_a_miss_until_seen_whole),
        cmocka_unit_test(a_vm_migration_whose_providers_are_unknown_is_a_miss_until_seen_whole),
        cmocka_unit_test(a_complete_list_drops_what_it_does_not_hold),
        cmocka_unit_test(thousands_are_held_and_removed),
        cmocka_unit_test(what_is_not_to_be_kept_goes),
        cmocka_unit_test(one_thread_writes_while_another_reads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
