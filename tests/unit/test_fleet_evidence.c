/* What is watched for a migration only: why it does not move.  It comes and goes with it, and costs the
 * others nothing. */
#include "fleet_fixture.h"

#define EVENTS "/api/v1/namespaces/shop/events/"
#define STORAGE "/apis/storage.k8s.io/v1/"
/* About a pod that is none of the migration's. */
#define EVENT(ns, name, kind, reason)                                                                        \
    "{\"metadata\":{\"namespace\":\"" ns "\",\"name\":\"" name "\",\"uid\":\"uid of " name "\"},"            \
    "\"involvedObject\":{\"kind\":\"" kind "\",\"name\":\"p\",\"uid\":\"nobody\"},\"type\":\"Warning\","     \
    "\"reason\":\"" reason "\"}"
#define NODE(more) "{\"metadata\":{\"name\":\"node-1\",\"uid\":\"node-uid\"}" more "}"
#define OF_CLUSTER(uid) "{\"metadata\":{\"name\":\"x\",\"uid\":\"" uid "\"}}"

/* The source is the remote (namespace app), the target the host (shop). */
static void begin_plan(struct ground *g)
{
    begin(g);
    add_remote(g);
    fake_api_put(g->host, MTC "/migclusters/host", HOST_CLUSTER);
    fake_api_put(g->host, MTC "/migplans/plan", PLAN);
    TICK_UNTIL(g, wm_fleet_synced(g->fleet) && knows(g, "plan-uid"));
    TICK_UNTIL(g, is_seen(g, "host", WM_SIGHT_GOOD, "") && is_seen(g, "remote", WM_SIGHT_GOOD, ""));
}

static void migrate(struct ground *g, const char *migration)
{
    fake_api_put(g->host, MTC "/migmigrations/m", migration);
}

static bool is_resource_watched(struct ground *g, const char *cluster, const char *resource)
{
    static struct wm_fleet_watch rows[256];
    size_t n = wm_fleet_watches(g->fleet, rows, 256);

    for (size_t i = 0; i < n; i++)
        if (strcmp(rows[i].cluster, cluster) == 0 && strcmp(rows[i].resource, resource) == 0)
            return true;
    return false;
}

static struct wm_cluster_view view_of(struct ground *g, size_t cluster)
{
    struct wm_world w;

    wm_fleet_lock(g->fleet);
    wm_fleet_world(g->fleet, &w);
    struct wm_cluster_view v = w.clusters[cluster];

    wm_fleet_unlock(g->fleet);
    return v;
}

static size_t count_of(struct ground *g, enum wm_kind kind)
{
    struct wm_world w;

    wm_fleet_lock(g->fleet);
    wm_fleet_world(g->fleet, &w);
    size_t n = wm_model_count(w.model, 0, kind);

    wm_fleet_unlock(g->fleet);
    return n;
}

static void evidence_is_watched_while_a_migration_needs_it(void **state)
{
    struct ground g;

    (void)state;
    begin_plan(&g);
    fake_api_put(g.host, EVENTS "e", EVENT("shop", "e", "Pod", "FailedAttachVolume"));
    fake_api_put(g.host, "/api/v1/nodes/node-1", NODE(""));
    fake_api_put(g.remote, STORAGE "storageclasses/x", OF_CLUSTER("class-uid"));
    fake_api_put(g.remote, STORAGE "volumeattachments/x", OF_CLUSTER("attachment-uid"));
    tick(&g);
    assert_false(is_resource_watched(&g, "host", "nodes") || is_resource_watched(&g, "remote", "nodes"));
    migrate(&g, MIGRATION("StageBackupCreated"));
    TICK_UNTIL(&g, knows(&g, "uid of e") && knows(&g, "node-uid") && knows(&g, "class-uid") &&
                       knows(&g, "attachment-uid"));
    assert_true(is_resource_watched(&g, "host", "nodes") && is_resource_watched(&g, "remote", "nodes"));
    migrate(&g, MIGRATION("Completed"));
    TICK_UNTIL(&g, !knows(&g, "uid of e") && !knows(&g, "node-uid") && !knows(&g, "class-uid") &&
                       !knows(&g, "attachment-uid") && !is_resource_watched(&g, "host", "nodes") &&
                       !is_resource_watched(&g, "remote", "volumeattachments"));
    assert_true(is_resource_watched(&g, "host", "events"));
    finish(&g);
}

static void events_of_the_operators_are_watched_always(void **state)
{
    struct ground g;

    (void)state;
    begin(&g);
    add_remote(&g);
    fake_api_put(g.remote, "/api/v1/namespaces/" NS "/events/e", EVENT(NS, "e", "Pod", "BackOff"));
    TICK_UNTIL(&g, knows(&g, "uid of e"));
    finish(&g);
}

static void events_that_tell_no_cause_are_left_out(void **state)
{
    struct ground g;

    (void)state;
    begin_plan(&g);
    migrate(&g, MIGRATION("StageBackupCreated"));
    fake_api_put(g.host, EVENTS "other", EVENT("shop", "other", "HorizontalPodAutoscaler", "FailedGetScale"));
    fake_api_put(g.host, EVENTS "e", EVENT("shop", "e", "Pod", "Failed"));
    TICK_UNTIL(&g, knows(&g, "uid of e"));
    fake_api_put(g.host, EVENTS "another", EVENT("shop", "another", "ConfigMap", "x"));
    fake_api_put(g.host, EVENTS "f", EVENT("shop", "f", "Pod", "Failed"));
    TICK_UNTIL(&g, knows(&g, "uid of f"));
    assert_false(knows(&g, "uid of other") || knows(&g, "uid of another"));
    finish(&g);
}

/* A list of more Events than are kept, the newest first; and one more that is newer than all. */
static void a_storm_of_events_leaves_the_newest(void **state)
{
    enum { MANY = 6000, MAX = 5000 };
    wm_auto_buf struct wm_buf list = WM_BUF_MAX(16 << 20);
    struct fault row = {.match = "/namespaces/shop/events?", .times = 1};
    static const struct fault refusal = {.match = "/namespaces/shop/events?watch", .status = 400, .times = 1};
    struct ground g;

    (void)state;
    begin_plan(&g);
    wm_buf_puts(&list, "{\"metadata\":{\"resourceVersion\":\"1\"},\"items\":[");
    for (int i = 0; i < MANY; i++)
        wm_buf_printf(&list,
                      "%s{\"metadata\":{\"name\":\"e%d\",\"namespace\":\"shop\",\"uid\":\"uid-%d\"},"
                      "\"involvedObject\":{\"kind\":\"Pod\"},\"lastTimestamp\":"
                      "\"2026-11-21T%02d:%02d:%02dZ\"}",
                      i ? "," : "", i, i, 20 - i / 3600, 59 - i / 60 % 60, 59 - i % 60);
    wm_buf_puts(&list, "]}");
    row.body[0] = list.p;
    fault_server_add(fake_api_server(g.host), &row, 1, true);
    fault_server_add(fake_api_server(g.host), &refusal, 1, true);
    migrate(&g, MIGRATION("StageBackupCreated"));
    TICK_UNTIL(&g, knows(&g, "uid-0") && count_of(&g, WM_KIND_EVENT) > 0);
    TICK_UNTIL(&g, fault_server_count(fake_api_server(g.host), "/namespaces/shop/events?") >= 3);
    assert_true(count_of(&g, WM_KIND_EVENT) <= MAX && count_of(&g, WM_KIND_EVENT) > MAX / 2);
    assert_true(knows(&g, "uid-0") && knows(&g, "uid-1000"));
    finish(&g);
}

/* What belongs to no migration asks for the judgement of those that it may hinder, once for many. */
static void what_happens_beside_a_migration_asks_for_its_judgement(void **state)
{
    struct ground g;

    (void)state;
    begin_plan(&g);
    migrate(&g, MIGRATION("StageBackupCreated"));
    TICK_UNTIL(&g, is_watched(&g, "shop") && is_seen(&g, "host", WM_SIGHT_GOOD, "") &&
                       !view_of(&g, 0).evidence_starting && !view_of(&g, 1).evidence_starting);
    tick(&g);
    int before = g.changed, all_before = g.all_changed;

    for (int i = 0; i < 20; i++) {
        char path[100], json[400];

        snprintf(path, sizeof path, EVENTS "e%d", i);
        snprintf(json, sizeof json,
                 "{\"metadata\":{\"name\":\"e%d\",\"uid\":\"e-%d\"},\"involvedObject\":{\"kind\":\"Pod\"}}",
                 i, i);
        fake_api_put(g.host, path, json);
    }
    for (int64_t end_ms = wm_mono_ms() + PATIENCE_MS; !knows(&g, "e-19") && wm_mono_ms() < end_ms;)
        usleep(20000);
    assert_true(knows(&g, "e-19"));
    assert_int_equal(g.changed, before);
    TICK_UNTIL(&g, g.changed > before);
    assert_int_equal(g.changed, before + 1);
    before = g.changed;
    fake_api_put(g.host, "/api/v1/nodes/node-1", NODE(",\"spec\":{\"unschedulable\":true}"));
    TICK_UNTIL(&g, g.changed > before);
    assert_int_equal(g.all_changed, all_before);
    finish(&g);
}

static void a_known_cluster_is_not_starting_again(void **state)
{
    static const struct fault late = {.match = "/namespaces/shop/", .end = FAULT_MUTE, .times = -1};
    struct ground g;

    (void)state;
    begin_plan(&g);
    int64_t since_s = sight_of(&g, "host").since_s;

    fault_server_add(fake_api_server(g.host), &late, 1, true);
    migrate(&g, MIGRATION("StageBackupCreated"));
    TICK_UNTIL(&g, is_watched(&g, "shop") && is_watched(&g, "app"));
    for (int i = 0; i < 10; i++) {
        tick(&g);
        assert_true(is_seen(&g, "host", WM_SIGHT_GOOD, "") && is_seen(&g, "remote", WM_SIGHT_GOOD, ""));
    }
    assert_int_equal(sight_of(&g, "host").since_s, since_s);
    assert_true(wm_fleet_synced(g.fleet));
    assert_true(view_of(&g, 0).evidence_starting);
    TICK_UNTIL(&g, !view_of(&g, 1).evidence_starting);
    finish(&g);
}

/* At the start everything is waited for: what would be said without the pods were taken back a moment later.
 */
static void a_new_cluster_is_starting_until_its_applications_are_known(void **state)
{
    static const struct fault late = {.match = "/namespaces/shop/pods", .end = FAULT_MUTE, .times = -1};
    struct ground g = {.host = fake_api_start(&late, 1, NULL), .remote = fake_api_start(NULL, 0, NULL)};

    (void)state;
    fake_api_put(g.host, MTC "/migclusters/host", HOST_CLUSTER);
    fake_api_put(g.host, MTC "/migplans/plan", PLAN);
    migrate(&g, MIGRATION("StageBackupCreated"));
    start_fleet(&g);
    add_remote(&g);
    TICK_UNTIL(&g, is_watched(&g, "shop") && is_seen(&g, "remote", WM_SIGHT_GOOD, ""));
    for (int i = 0; i < 10; i++) {
        tick(&g);
        assert_true(is_seen(&g, "host", WM_SIGHT_STARTING, ""));
    }
    finish(&g);
}

static void evidence_that_may_not_be_read_leaves_the_sight_as_it_is(void **state)
{
    static const struct fault refusal = {.match = "/nodes", .status = 403, .times = -1};
    struct ground g;

    (void)state;
    begin_plan(&g);
    fault_server_add(fake_api_server(g.remote), &refusal, 1, true);
    migrate(&g, MIGRATION("StageBackupCreated"));
    TICK_UNTIL(&g, is_seen(&g, "remote", WM_SIGHT_GOOD, "nodes may not be read, so causes may stay unknown"));
    finish(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(evidence_is_watched_while_a_migration_needs_it),
        cmocka_unit_test(events_of_the_operators_are_watched_always),
        cmocka_unit_test(events_that_tell_no_cause_are_left_out),
        cmocka_unit_test(a_storm_of_events_leaves_the_newest),
        cmocka_unit_test(what_happens_beside_a_migration_asks_for_its_judgement),
        cmocka_unit_test(a_known_cluster_is_not_starting_again),
        cmocka_unit_test(a_new_cluster_is_starting_until_its_applications_are_known),
        cmocka_unit_test(evidence_that_may_not_be_read_leaves_the_sight_as_it_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
