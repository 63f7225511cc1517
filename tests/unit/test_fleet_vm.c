/* The namespaces of VirtRigaud: what is watched there, how long, and what it does not disturb. */
#include "fleet_fixture.h"

#define VIRTRIGAUD "/apis/infra.virtrigaud.io/v1beta1"
#define IN_VMS(name, uid) "{\"metadata\":{\"namespace\":\"vms\",\"name\":\"" name "\",\"uid\":\"" uid "\"}"
#define PROVIDER_PATH VIRTRIGAUD "/namespaces/vms/providers/vs"
#define PROVIDER(phase)                                                                                      \
    IN_VMS("vs", "vs-uid")                                                                                   \
    ",\"status\":{\"conditions\":[{\"type\":\"ProviderRuntimeReady\",\"status\":\"" phase "\"}]}}"
#define VM_PATH VIRTRIGAUD "/namespaces/vms/vmmigrations/web"
#define VM(phase) IN_VMS("web", "web-uid") ",\"spec\":{},\"status\":{\"phase\":\"" phase "\"}}"
#define POD_PATH "/api/v1/namespaces/vms/pods/p"
#define POD(phase) IN_VMS("p", "pod-uid") ",\"status\":{\"phase\":\"" phase "\"}}"

/* How many watches of the resource there are in the namespace. */
static int feeds_of(struct ground *g, const char *namespace_, const char *resource)
{
    static struct wm_fleet_watch rows[256];
    size_t n = wm_fleet_watches(g->fleet, rows, 256);
    int found = 0;

    for (size_t i = 0; i < n; i++)
        found += strcmp(rows[i].namespace_, namespace_) == 0 && strcmp(rows[i].cluster, "host") == 0 &&
                 strcmp(rows[i].resource, resource) == 0;
    return found;
}

static void ticks(struct ground *g, int n)
{
    for (int i = 0; i < n; i++)
        tick(g);
}

static void namespaces_are_watched_as_long_as_a_provider_or_a_migration_is_there(void **state)
{
    static const char *const resources[] = {"deployments", "replicasets",    "pods", "persistentvolumeclaims",
                                            "events",      "virtualmachines"};
    struct ground g;

    (void)state;
    begin(&g);
    fake_api_put(g.host, POD_PATH, POD("Running"));
    TICK_UNTIL(&g, wm_fleet_synced(g.fleet));
    ticks(&g, 5);
    assert_false(is_watched(&g, "vms"));
    fake_api_put(g.host, PROVIDER_PATH, PROVIDER("True"));
    TICK_UNTIL(&g, knows(&g, "pod-uid"));
    for (size_t i = 0; i < sizeof resources / sizeof resources[0]; i++)
        assert_int_equal(feeds_of(&g, "vms", resources[i]), 1);
    assert_int_equal(feeds_of(&g, "vms", "jobs"), 0);
    assert_int_equal(feeds_of(&g, "", "nodes"), 0);

    fake_api_put(g.host, VM_PATH, VM("Exporting"));
    TICK_UNTIL(&g, feeds_of(&g, "", "nodes") == 1);
    fake_api_remove(g.host, PROVIDER_PATH);
    TICK_UNTIL(&g, !knows(&g, "vs-uid"));
    ticks(&g, 5);
    assert_true(knows(&g, "pod-uid"));
    fake_api_put(g.host, VM_PATH, VM("Ready"));
    TICK_UNTIL(&g, feeds_of(&g, "", "nodes") == 0);
    assert_int_equal(feeds_of(&g, "vms", "pods"), 1);
    fake_api_remove(g.host, VM_PATH);
    TICK_UNTIL(&g, !is_watched(&g, "vms") && !knows(&g, "pod-uid"));
    assert_int_equal(fault_server_count(fake_api_server(g.remote), NULL), 0);
    finish(&g);
}

/* One namespace may be the operators', an application's and a provider's. */
static void no_kind_is_watched_twice_in_a_namespace(void **state)
{
    static const char *const places[] = {NS, "shop"};
    struct ground g;

    (void)state;
    begin(&g);
    add_remote(&g);
    fake_api_put(g.host, MTC "/migclusters/host", HOST_CLUSTER);
    fake_api_put(g.host, MTC "/migplans/plan", PLAN);
    fake_api_put(g.host, MTC "/migmigrations/m", MIGRATION("StageBackupCreated"));
    TICK_UNTIL(&g, feeds_of(&g, "shop", "jobs") == 1);
    for (size_t i = 0; i < 2; i++) {
        wm_auto_buf struct wm_buf path = WM_BUF_MAX(200), json = WM_BUF_MAX(200);

        wm_buf_printf(&path, VIRTRIGAUD "/namespaces/%s/providers/p%zu", places[i], i);
        wm_buf_printf(&json, "{\"metadata\":{\"namespace\":\"%s\",\"name\":\"p%zu\",\"uid\":\"p%zu-uid\"}}",
                      places[i], i, i);
        fake_api_put(g.host, path.p, json.p);
        TICK_UNTIL(&g, feeds_of(&g, places[i], "replicasets") == 1);
        ticks(&g, 5);
        for (int kind = 1; kind < WM_KIND_COUNT; kind++)
            assert_true(feeds_of(&g, places[i], wm_kinds[kind].resource) <= 1);
    }
    assert_int_equal(feeds_of(&g, NS, "jobs"), 0);
    fake_api_put(g.host, MTC "/migmigrations/m", MIGRATION("Completed"));
    TICK_UNTIL(&g, feeds_of(&g, "shop", "jobs") == 0);
    ticks(&g, 5);
    assert_int_equal(feeds_of(&g, "shop", "pods"), 1);
    fake_api_remove(g.host, VIRTRIGAUD "/namespaces/" NS "/providers/p0");
    TICK_UNTIL(&g, feeds_of(&g, NS, "replicasets") == 0);
    assert_int_equal(feeds_of(&g, NS, "pods"), 1);
    finish(&g);
}

static const struct without {
    const char *name;
    struct fault fault;
    const char *why;
} withouts[] = {
    {"not installed",
     {.match = "/infra.virtrigaud.io/", .status = 404, .type = "text/plain", .body = {"404\n"}, .times = -1},
     ""},
    {"forbidden",
     {.match = "/infra.virtrigaud.io/v1beta1/vmmigrations", .status = 403, .times = -1},
     "vmmigrations may not be read, so VMMigrations are not judged well"},
    {"failing",
     {.match = "/infra.virtrigaud.io/v1beta1/providers", .status = 500, .times = -1},
     "providers cannot be had, so VMMigrations are not judged well"},
};

/* MigMigrations are seen as well as without VirtRigaud. */
static void check_without(void **state)
{
    const struct without *w = *state;
    struct ground g = {.host = fake_api_start(NULL, 0, NULL), .remote = fake_api_start(NULL, 0, NULL)};

    fault_server_add(fake_api_server(g.host), &w->fault, 1, true);
    start_fleet(&g);
    TICK_UNTIL(&g, wm_fleet_synced(g.fleet) && is_seen(&g, "host", WM_SIGHT_GOOD, w->why));
    finish(&g);
}

/* What happens to a provider marks the migrations of its namespace, and nobody else. */
static void changes_mark_the_migrations_of_the_namespace(void **state)
{
    struct ground g;

    (void)state;
    begin(&g);
    fake_api_put(g.host, PROVIDER_PATH, PROVIDER("True"));
    fake_api_put(g.host, POD_PATH, POD("Pending"));
    TICK_UNTIL(&g, knows(&g, "pod-uid") && is_seen(&g, "host", WM_SIGHT_GOOD, ""));
    ticks(&g, 10);
    g.changed = g.all_changed = 0;
    fake_api_put(g.host, POD_PATH, POD("Running"));
    ticks(&g, 20);
    assert_int_equal(g.changed, 0);

    fake_api_put(g.host, VM_PATH, VM("Exporting"));
    TICK_UNTIL(&g, knows(&g, "web-uid") && feeds_of(&g, "", "nodes") == 1);
    ticks(&g, 20);
    g.changed = g.all_changed = 0;
    fake_api_put(g.host, POD_PATH, POD("Failed"));
    TICK_UNTIL(&g, g.changed == 1);
    fake_api_put(g.host, PROVIDER_PATH, PROVIDER("False"));
    TICK_UNTIL(&g, g.changed == 2);
    ticks(&g, 10);
    assert_int_equal(g.changed, 2);
    assert_int_equal(g.all_changed, 0);

    fake_api_put(g.host, VM_PATH, VM("Ready"));
    TICK_UNTIL(&g, g.changed == 3);
    fake_api_put(g.host, POD_PATH, POD("Running"));
    fake_api_put(g.host, PROVIDER_PATH, PROVIDER("True"));
    ticks(&g, 20);
    assert_int_equal(g.changed, 3);
    finish(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(namespaces_are_watched_as_long_as_a_provider_or_a_migration_is_there),
        cmocka_unit_test(no_kind_is_watched_twice_in_a_namespace),
        cmocka_unit_test(changes_mark_the_migrations_of_the_namespace),
    };

    return RUN_TABLE("without", withouts, check_without) + cmocka_run_group_tests(tests, NULL, NULL);
}
