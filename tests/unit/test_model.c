#include <stdio.h>

#include "tests/support/model_put.h"
#include "unit.h"
#include "waymark/situation.h"

#define UID_A "85d81222-f2fb-4457-817f-077139210b18"
#define UID_B "85d81222-f2fb-4457-817f-077139210b19"

struct seen {
    int came, went;
    char last[64];
};

static void on_change(void *ctx, const struct wm_record *r, bool gone)
{
    struct seen *s = ctx;

    *(gone ? &s->went : &s->came) += 1;
    snprintf(s->last, sizeof s->last, "%s", wm_record_name(r));
}

/* Of the model under test; zeroed with each. */
static struct model_sources sources;

static uint16_t source_of(struct wm_model *m, uint8_t cluster, enum wm_kind kind)
{
    return model_source(&sources, m, cluster, kind);
}

static const struct seen *model_seen;

static struct wm_model *new_model(struct seen *s)
{
    model_seen = s;
    *s = (struct seen){0};
    memset(&sources, 0, sizeof sources);
    return wm_model_new(&(struct wm_model_conf){.changed = on_change, .ctx = s});
}

static bool put(struct wm_model *m, uint8_t cluster, enum wm_kind kind, const char *json)
{
    const struct seen *s = model_seen;
    int before = s->came;
    struct wm_error err = {0};

    if (!wm_model_put(m, source_of(m, cluster, kind), wm_str_of(json), &err))
        fail_msg("%s", err.msg);
    return s->came > before;
}

static const char restore[] =
    "{\"metadata\":{\"name\":\"r1\",\"namespace\":\"openshift-migration\",\"uid\":\"" UID_B
    "\",\"creationTimestamp\":\"2026-11-21T07:18:00Z\",\"labels\":{\"migmigration\":\"" UID_A
    "\"}},\"status\":{\"phase\":\"InProgress\",\"startTimestamp\":\"2026-11-21T07:18:01Z\",\"progress\":{"
    "\"itemsRestored\":23,\"totalItems\":30},\"failureReason\":\"a\\nb\"}}";

static void an_object_is_kept_as_far_as_the_table_says(void **state)
{
    struct seen s;
    struct wm_model *m = new_model(&s);

    (void)state;
    assert_true(put(m, 1, WM_KIND_RESTORE, restore));
    const struct wm_record *r = wm_model_find(m, 1, wm_id_of(wm_str_of(UID_B)));

    assert_non_null(r);
    assert_string_equal(wm_record_name(r), "r1");
    assert_string_equal(wm_record_message(r), "a b");
    assert_string_equal(wm_record_node(r), "");
    assert_string_equal(wm_model_word(m, r->namespace_), "openshift-migration");
    assert_string_equal(wm_model_word(m, r->phase), "InProgress");
    assert_int_equal(r->done, 23);
    assert_int_equal(r->total, 30);
    assert_int_equal(r->created_s, 1795245480);
    assert_int_equal(r->started_s, 1795245481);
    assert_int_equal(r->completed_s, 0);
    assert_false(r->going);
    assert_null(wm_model_find(m, 0, r->id));
    assert_ptr_equal(wm_model_find_anywhere(m, r->id), r);
    wm_model_free(m);
}

static void children_are_found_by_their_parents_uid_on_all_clusters(void **state)
{
    static const char pvr[] =
        "{\"metadata\":{\"name\":\"v\",\"uid\":\"x-1\",\"ownerReferences\":[{\"kind\":\"Pod\",\"uid\":"
        "\"nobody\"},{\"kind\":\"Restore\",\"uid\":\"" UID_B "\",\"controller\":true}]}}";
    struct seen s;
    struct wm_model *m = new_model(&s);
    struct wm_id a = wm_id_of(wm_str_of(UID_A)), b = wm_id_of(wm_str_of(UID_B));

    (void)state;
    put(m, 1, WM_KIND_RESTORE, restore);
    put(m, 2, WM_KIND_PVR, pvr);
    const struct wm_record *r = wm_model_children(m, a);

    assert_string_equal(wm_record_name(r), "r1");
    assert_null(wm_model_next_child(r, a));
    assert_true(r->has_children);
    r = wm_model_children(m, b);
    assert_false(r->has_children);
    assert_string_equal(wm_record_name(r), "v");
    assert_int_equal(r->cluster, 2);
    assert_null(wm_model_children(m, (struct wm_id){0}));
    wm_model_free(m);
}

static void count_one(void *ctx, const struct wm_record *r)
{
    (void)r;
    ++*(int *)ctx;
}

static int count_kind(const struct wm_model *m, enum wm_kind kind)
{
    int n = 0;

    wm_model_each(m, kind, count_one, &n);
    return n;
}

static void parents_may_come_after_their_children(void **state)
{
    static const char child[] =
        "{\"metadata\":{\"name\":\"v\",\"uid\":\"x-1\",\"ownerReferences\":[{\"kind\":"
        "\"Restore\",\"uid\":\"" UID_B "\"}]}}";
    struct seen s;
    struct wm_model *m = new_model(&s);
    struct wm_id b = wm_id_of(wm_str_of(UID_B));

    (void)state;
    put(m, 1, WM_KIND_PVR, child);
    put(m, 1, WM_KIND_RESTORE, restore);
    assert_true(wm_model_find(m, 1, b)->has_children);
    put(m, 1, WM_KIND_RESTORE, restore); /* replaced */
    assert_true(wm_model_find(m, 1, b)->has_children);
    assert_int_equal(count_kind(m, WM_KIND_PVR), 1);
    assert_int_equal(count_kind(m, WM_KIND_RESTORE), 1);
    wm_model_remove(m, 1, b);
    assert_int_equal(count_kind(m, WM_KIND_RESTORE), 0);
    wm_model_free(m);
}

static void what_comes_again_as_it_was_is_no_change(void **state)
{
    struct seen s;
    struct wm_model *m = new_model(&s);

    (void)state;
    assert_true(put(m, 1, WM_KIND_RESTORE, restore));
    assert_false(put(m, 1, WM_KIND_RESTORE, restore));
    assert_int_equal(s.came, 1);
    assert_int_equal(wm_model_count(m, 1, WM_KIND_RESTORE), 1);
    wm_model_free(m);
}

static void only_what_is_kept_of_an_object_counts_as_a_change(void **state)
{
    static const char plan[] = "{\"metadata\":{\"name\":\"p\",\"uid\":\"" UID_A
                               "\",\"resourceVersion\":\"%d\"},\"spec\":{\"closed\":%s}}";
    static const struct {
        int version;
        const char *closed;
        bool change;
    } puts[] = {{1, "false", true}, {2, "false", false}, {3, "true", true}, {4, "true", false}};
    struct seen s;
    struct wm_model *m = new_model(&s);
    char json[256];

    (void)state;
    wm_model_free(m);
    memset(&sources, 0, sizeof sources);
    m = wm_model_new(&(struct wm_model_conf){
        .detail = wm_detail_of, .detail_done = wm_detail_done, .changed = on_change, .ctx = &s});
    for (size_t i = 0; i < sizeof puts / sizeof puts[0]; i++) {
        snprintf(json, sizeof json, plan, puts[i].version, puts[i].closed);
        assert_int_equal(put(m, 0, WM_KIND_MIGPLAN, json), puts[i].change);
    }
    assert_true(wm_plan_of(wm_model_find(m, 0, wm_id_of(wm_str_of(UID_A))))->closed);
    /* the same uid as another kind: nothing of the plan is taken for its own */
    snprintf(json, sizeof json, plan, 5, "true");
    assert_true(put(m, 0, WM_KIND_MIGCLUSTER, json));
    assert_int_equal(wm_model_count(m, 0, WM_KIND_MIGPLAN), 0);
    assert_false(wm_cluster_of(wm_model_find(m, 0, wm_id_of(wm_str_of(UID_A))))->is_host);
    wm_model_free(m);
}

static void a_change_leaves_parents_and_children_where_they_were(void **state)
{
    static const char volume[] = "{\"metadata\":{\"name\":\"v\",\"uid\":\"v\",\"ownerReferences\":[{\"kind\":"
                                 "\"Restore\",\"uid\":\"" UID_B "\"}]},\"status\":{\"message\":\"%s\","
                                 "\"progress\":{\"bytesDone\":%d}}}";
    static const char *const messages[] = {"a", "b", "longer", ""};
    struct wm_id b = wm_id_of(wm_str_of(UID_B));
    struct seen s;
    struct wm_model *m = new_model(&s);
    char json[512];

    (void)state;
    for (int i = 0; i < 4; i++) {
        snprintf(json, sizeof json, volume, messages[i], i);
        assert_true(put(m, 1, WM_KIND_PVR, json));
        put(m, 1, WM_KIND_RESTORE, restore);
        const struct wm_record *r = wm_model_children(m, b);

        assert_int_equal(r->done, i);
        assert_string_equal(wm_record_message(r), messages[i]);
        assert_null(wm_model_next_child(r, b));
        assert_true(wm_model_find(m, 1, b)->has_children);
        assert_int_equal(wm_model_count(m, 1, WM_KIND_PVR), 1);
    }
    wm_model_free(m);
}

static void count_record(void *ctx, const struct wm_record *r)
{
    (void)r;
    ++*(int *)ctx;
}

static bool is_done(enum wm_kind kind, const char *phase)
{
    return kind == WM_KIND_PVR && strcmp(phase, "Completed") == 0;
}

static void those_that_are_over_are_a_list_of_their_own(void **state)
{
    static const char object[] =
        "{\"metadata\":{\"name\":\"v%d\",\"uid\":\"v%d\"},\"status\":{\"phase\":\"%s\"}}";
    static const struct {
        int n;
        const char *phase; /* NULL = it goes */
        int all, open;
    } steps[] = {
        {1, "InProgress", 1, 1}, {2, "Completed", 2, 1}, {3, "InProgress", 3, 2}, {1, "Completed", 3, 1},
        {2, "InProgress", 3, 2}, {3, NULL, 2, 1},        {1, NULL, 1, 1},         {2, "Completed", 1, 0},
    };
    struct seen s;
    struct wm_model *m = new_model(&s);
    char json[256], uid[8];

    (void)state;
    wm_model_free(m);
    memset(&sources, 0, sizeof sources);
    m = wm_model_new(&(struct wm_model_conf){.over = is_done, .changed = on_change, .ctx = &s});
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        int all = 0, open = 0;

        snprintf(uid, sizeof uid, "v%d", steps[i].n);
        if (steps[i].phase) {
            snprintf(json, sizeof json, object, steps[i].n, steps[i].n, steps[i].phase);
            put(m, 1, WM_KIND_PVR, json);
        } else {
            wm_model_remove(m, 1, wm_id_of(wm_str_of(uid)));
        }
        wm_model_each(m, WM_KIND_PVR, count_record, &all);
        wm_model_each_open(m, WM_KIND_PVR, count_record, &open);
        assert_int_equal(all, steps[i].all);
        assert_int_equal(open, steps[i].open);
        assert_int_equal(wm_model_find_named(m, 1, WM_KIND_PVR, "", uid) != NULL, steps[i].phase != NULL);
    }
    wm_model_free(m);
}

static void it_is_told_whether_labels_or_owners_changed(void **state)
{
    static const char object[] = "{\"metadata\":{\"name\":\"v\",\"uid\":\"v\",\"labels\":{\"a\":\"%s\"},"
                                 "\"ownerReferences\":[{\"kind\":\"Restore\",\"uid\":\"%s\"}]},"
                                 "\"status\":{\"phase\":\"%s\"}}";
    static const struct {
        const char *label, *owner, *phase;
        bool relabelled;
    } puts[] = {
        {"1", UID_A, "New", true},        {"1", UID_A, "InProgress", false}, {"2", UID_A, "InProgress", true},
        {"2", UID_B, "InProgress", true}, {"2", UID_B, "Completed", false},
    };
    struct seen s;
    struct wm_model *m = new_model(&s);
    struct wm_id id = wm_id_of(wm_str_of("v"));
    char json[512];

    (void)state;
    for (size_t i = 0; i < sizeof puts / sizeof puts[0]; i++) {
        snprintf(json, sizeof json, object, puts[i].label, puts[i].owner, puts[i].phase);
        put(m, 1, WM_KIND_PVR, json);
        assert_int_equal(wm_model_find(m, 1, id)->relabelled, puts[i].relabelled);
        assert_non_null(wm_model_children(m, wm_id_of(wm_str_of(puts[i].owner))));
    }
    wm_model_free(m);
}

static void what_was_not_known_may_go(void **state)
{
    struct seen s;
    struct wm_model *m = new_model(&s);

    (void)state;
    assert_true(put(m, 1, WM_KIND_RESTORE, restore));
    wm_model_remove(m, 1, wm_id_of(wm_str_of("nobody's")));
    wm_model_remove(m, 2, wm_id_of(wm_str_of(UID_B)));
    assert_int_equal(s.went, 0);
    assert_int_equal(wm_model_count(m, 1, WM_KIND_RESTORE), 1);
    wm_model_free(m);
}

static void a_list_replaces_what_its_source_brought_before(void **state)
{
    struct seen s;
    struct wm_model *m = new_model(&s);

    (void)state;
    put(m, 1, WM_KIND_RESTORE, restore);
    put(m, 2, WM_KIND_RESTORE, restore);
    put(m, 1, WM_KIND_BACKUP, "{\"metadata\":{\"name\":\"b\",\"uid\":\"u-b\"}}");
    wm_model_list_begin(m, source_of(m, 1, WM_KIND_RESTORE));
    put(m, 1, WM_KIND_RESTORE, "{\"metadata\":{\"name\":\"r2\",\"uid\":\"u-r2\"}}");
    assert_int_equal(wm_model_list_end(m, source_of(m, 1, WM_KIND_RESTORE)), 2);
    assert_int_equal(s.went, 1);
    assert_string_equal(s.last, "r1");
    assert_int_equal(wm_model_count(m, 1, WM_KIND_RESTORE), 1);
    assert_int_equal(wm_model_count(m, 2, WM_KIND_RESTORE), 1);
    assert_int_equal(wm_model_count(m, 1, WM_KIND_BACKUP), 1);
    wm_model_source_end(m, source_of(m, 1, WM_KIND_BACKUP));
    assert_int_equal(wm_model_count(m, 1, WM_KIND_BACKUP), 0);
    assert_int_equal(wm_model_count(m, 2, WM_KIND_RESTORE), 1);
    wm_model_free(m);
}

static void a_list_says_how_much_of_it_was_not_known(void **state)
{
    static const struct row {
        const char *json[3]; /* of the second list; the first has a and b */
        size_t differences;
    } rows[] = {
        {{"{\"metadata\":{\"name\":\"a\",\"uid\":\"u-a\"}}",
          "{\"metadata\":{\"name\":\"b\",\"uid\":\"u-b\"}}"},
         0},
        {{"{\"metadata\":{\"name\":\"a\",\"uid\":\"u-a\"}}"}, 1},
        {{"{\"metadata\":{\"name\":\"a\",\"uid\":\"u-a\"}}",
          "{\"metadata\":{\"name\":\"b\",\"uid\":\"u-b\"},\"status\":{\"phase\":\"Failed\"}}",
          "{\"metadata\":{\"name\":\"c\",\"uid\":\"u-c\"}}"},
         2},
        {{NULL}, 2},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct seen s;
        struct wm_model *m = new_model(&s);

        put(m, 1, WM_KIND_POD, rows[0].json[0]);
        put(m, 1, WM_KIND_POD, rows[0].json[1]);
        wm_model_list_begin(m, source_of(m, 1, WM_KIND_POD));
        for (size_t j = 0; j < 3 && rows[i].json[j]; j++)
            put(m, 1, WM_KIND_POD, rows[i].json[j]);
        assert_int_equal(wm_model_list_end(m, source_of(m, 1, WM_KIND_POD)), rows[i].differences);
        wm_model_free(m);
    }
}

static void two_sources_of_one_kind_do_not_sweep_each_other(void **state)
{
    struct seen s;
    struct wm_model *m = new_model(&s);
    uint16_t a = wm_model_source(m, 1, WM_KIND_POD), b = wm_model_source(m, 1, WM_KIND_POD);

    (void)state;
    wm_model_put(m, a, wm_str_of("{\"metadata\":{\"name\":\"a\",\"uid\":\"u-a\"}}"), NULL);
    wm_model_put(m, b, wm_str_of("{\"metadata\":{\"name\":\"b\",\"uid\":\"u-b\"}}"), NULL);
    wm_model_list_begin(m, a);
    wm_model_list_end(m, a);
    assert_int_equal(wm_model_count(m, 1, WM_KIND_POD), 1);
    assert_non_null(wm_model_find(m, 1, wm_id_of(wm_str_of("u-b"))));
    wm_model_free(m);
}

static void ten_thousand_objects_come_change_and_go(void **state)
{
    struct seen s;
    struct wm_model *m = new_model(&s);
    char json[512];
    size_t n = 0;
    struct wm_id parent = wm_id_of(wm_str_of(UID_B));

    (void)state;
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < 10000; i++) {
            snprintf(json, sizeof json,
                     "{\"metadata\":{\"name\":\"pvr-%d\",\"uid\":\"00000000-0000-0000-0000-%012d\","
                     "\"ownerReferences\":[{"
                     "\"kind\":\"Restore\",\"uid\":\"" UID_B "\"}]},\"status\":{\"phase\":\"%s\"}}",
                     i, i, round ? "Completed" : "New");
            assert_true(put(m, 3, WM_KIND_PVR, json));
        }
    for (const struct wm_record *r = wm_model_children(m, parent); r; r = wm_model_next_child(r, parent)) {
        assert_string_equal(wm_model_word(m, r->phase), "Completed");
        n++;
    }
    assert_int_equal(n, 10000);
    for (int i = 0; i < 10000; i += 2) {
        snprintf(json, sizeof json, "00000000-0000-0000-0000-%012d", i);
        wm_model_remove(m, 3, wm_id_of(wm_str_of(json)));
    }
    assert_int_equal(wm_model_count(m, 3, WM_KIND_PVR), 5000);
    wm_model_free(m);
}

static void an_object_without_name_or_uid_is_refused(void **state)
{
    struct seen s;
    struct wm_model *m = new_model(&s);

    (void)state;
    assert_null(
        wm_model_put(m, source_of(m, 0, WM_KIND_POD), wm_str_of("{\"metadata\":{\"name\":\"p\"}}"), NULL));
    assert_null(
        wm_model_put(m, source_of(m, 0, WM_KIND_POD), wm_str_of("{\"metadata\":{\"uid\":\"p\"}}"), NULL));
    assert_null(wm_model_put(m, source_of(m, 0, WM_KIND_POD), wm_str_of("[]"), NULL));
    wm_model_free(m);
}

static void uids_that_are_no_uuids_are_told_apart_too(void **state)
{
    (void)state;
    assert_false(wm_id_is(wm_id_of(wm_str_of("a")), wm_id_of(wm_str_of("b"))));
    assert_true(wm_id_is(wm_id_of(wm_str_of("a")), wm_id_of(wm_str_of("a"))));
    assert_true(wm_id_is_set(wm_id_of(wm_str_of("a"))));
    assert_false(wm_id_is_set(wm_id_of(wm_str_of(""))));
}

static void a_uuid_is_its_own_sixteen_bytes(void **state)
{
    static const char uuid[] = "01234567-89ab-cdef-0123-456789abcdef";
    static const char *const others[] = {
        "01234567-89ab-cdef-0123-456789abcde",     "01234567-89ab-cdef-0123-456789abcdef0",
        "01234567-89AB-cdef-0123-456789abcdef",    "0123456789abcdef0123456789abcdef",
        "01234567-89ab-cdef-0123+456789abcdef",    "0123456-789ab-cdef-0123-456789abcdef",
        "01234567-89ab-cdef-0123-456789abcdeg",    "/1234567-89ab-cdef-0123-456789abcdef",
        "01234567-89ab-cdef-012:-456789abcdef",    "01234567-89ab-cde`-0123-456789abcdef",
        "01234567-89ab-cdef-0123-456789abcde\xe6",
    };
    struct wm_id id = wm_id_of(wm_str_of(uuid));

    (void)state;
    assert_true(id.hi == UINT64_C(0x0123456789abcdef) && id.lo == id.hi);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        struct wm_id other = wm_id_of(wm_str_of(others[i]));

        assert_true(wm_id_is_set(other));
        assert_true(other.hi != id.hi && other.lo != id.lo);
    }
}

static void every_kind_has_a_row(void **state)
{
    (void)state;
    for (int k = 1; k < WM_KIND_COUNT; k++) {
        assert_non_null(wm_kinds[k].resource);
        assert_true(wm_kinds[k].where != 0);
        assert_true(wm_kinds[k].scopes != 0);
    }
}

#define NAMED(ns, name, uid)                                                                                 \
    "{\"metadata\":{\"namespace\":\"" ns "\",\"name\":\"" name "\",\"uid\":\"" uid "\"}}"

static void a_record_is_found_by_its_name_on_its_cluster(void **state)
{
    struct seen s;
    struct wm_model *m = new_model(&s);

    (void)state;
    put(m, 1, WM_KIND_PVC, NAMED("app", "data", "1"));
    put(m, 1, WM_KIND_PVC, NAMED("app", "logs", "2"));
    put(m, 1, WM_KIND_PVC, NAMED("shop", "data", "3"));
    put(m, 2, WM_KIND_PVC, NAMED("app", "data", "4"));
    put(m, 1, WM_KIND_NODE, "{\"metadata\":{\"name\":\"node-1\",\"uid\":\"5\"}}");
    assert_ptr_equal(wm_model_find_named(m, 1, WM_KIND_PVC, "app", "data"),
                     wm_model_find(m, 1, wm_id_of(wm_str_of("1"))));
    assert_ptr_equal(wm_model_find_named(m, 2, WM_KIND_PVC, "app", "data"),
                     wm_model_find(m, 2, wm_id_of(wm_str_of("4"))));
    assert_non_null(wm_model_find_named(m, 1, WM_KIND_NODE, "", "node-1"));
    assert_null(wm_model_find_named(m, 1, WM_KIND_NODE, "app", "node-1"));
    assert_null(wm_model_find_named(m, 2, WM_KIND_PVC, "app", "logs"));
    assert_null(wm_model_find_named(m, 1, WM_KIND_POD, "app", "data"));
    wm_model_free(m);
}

static void a_source_counts_what_it_brought(void **state)
{
    struct seen s;
    struct wm_model *m = new_model(&s);
    uint16_t app = wm_model_source(m, 1, WM_KIND_POD), shop = wm_model_source(m, 1, WM_KIND_POD);

    (void)state;
    wm_model_put(m, app, wm_str_of(NAMED("app", "p", "1")), NULL);
    wm_model_put(m, app, wm_str_of(NAMED("app", "q", "2")), NULL);
    wm_model_put(m, shop, wm_str_of(NAMED("shop", "p", "3")), NULL);
    wm_model_put(m, app, wm_str_of(NAMED("app", "p", "1")), NULL);
    assert_int_equal(wm_model_source_count(m, app), 2);
    assert_int_equal(wm_model_source_count(m, shop), 1);
    assert_int_equal(wm_model_count(m, 1, WM_KIND_POD), 3);
    wm_model_remove(m, 1, wm_id_of(wm_str_of("1")));
    assert_int_equal(wm_model_source_count(m, app), 1);
    wm_model_source_end(m, app);
    assert_int_equal(wm_model_source_count(m, app), 0);
    wm_model_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_is_found_by_its_name_on_its_cluster),
        cmocka_unit_test(a_source_counts_what_it_brought),
        cmocka_unit_test(an_object_is_kept_as_far_as_the_table_says),
        cmocka_unit_test(children_are_found_by_their_parents_uid_on_all_clusters),
        cmocka_unit_test(parents_may_come_after_their_children),
        cmocka_unit_test(what_comes_again_as_it_was_is_no_change),
        cmocka_unit_test(only_what_is_kept_of_an_object_counts_as_a_change),
        cmocka_unit_test(a_change_leaves_parents_and_children_where_they_were),
        cmocka_unit_test(those_that_are_over_are_a_list_of_their_own),
        cmocka_unit_test(it_is_told_whether_labels_or_owners_changed),
        cmocka_unit_test(what_was_not_known_may_go),
        cmocka_unit_test(a_list_replaces_what_its_source_brought_before),
        cmocka_unit_test(a_list_says_how_much_of_it_was_not_known),
        cmocka_unit_test(two_sources_of_one_kind_do_not_sweep_each_other),
        cmocka_unit_test(ten_thousand_objects_come_change_and_go),
        cmocka_unit_test(an_object_without_name_or_uid_is_refused),
        cmocka_unit_test(uids_that_are_no_uuids_are_told_apart_too),
        cmocka_unit_test(a_uuid_is_its_own_sixteen_bytes),
        cmocka_unit_test(every_kind_has_a_row),
    };

    return cmocka_run_group_tests_name("model", tests, NULL, NULL);
}
