/* The namespaces of VirtRigaud: what is watched there, how long, and what it does not disturb. */
#include "aggregator/telemetry_impl.h"
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
    static const char *const resources[] = {
        "deployments", "replicasets",     "pods",          "persistentvolumeclaims",
        "events",      "virtualmachines", "endpointslices"};
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

#define SLICES(version) "/apis/discovery.k8s.io/" version "/namespaces/vms/endpointslices"

/* Kubernetes 1.17 to 1.20 serve them as v1beta1. */
static void slices_are_watched_in_the_version_that_is_served(void **state)
{
    static const struct fault unknown = {
        .match = SLICES("v1") "?", .status = 404, .type = "text/plain", .body = {"404\n"}, .times = -1};
    struct ground g;

    (void)state;
    begin(&g);
    fault_server_add(fake_api_server(g.host), &unknown, 1, true);
    fake_api_put(g.host, SLICES("v1beta1") "/vs-1", IN_VMS("vs-1", "slice-uid") "}");
    fake_api_put(g.host, PROVIDER_PATH, PROVIDER("True"));
    TICK_UNTIL(&g, knows(&g, "slice-uid") && is_seen(&g, "host", WM_SIGHT_GOOD, ""));
    finish(&g);
}

/* What is not seen any more would be taken for what is: an old slice leads to pods that have gone since. */
static void slices_that_may_not_be_read_any_more_are_forgotten(void **state)
{
    static const struct fault forbidden = {.match = SLICES("v1") "?", .status = 403, .times = -1};
    struct ground g;

    (void)state;
    begin(&g);
    fake_api_put(g.host, SLICES("v1") "/vs-1", IN_VMS("vs-1", "slice-uid") "}");
    fake_api_put(g.host, PROVIDER_PATH, PROVIDER("True"));
    TICK_UNTIL(&g, knows(&g, "slice-uid"));
    fault_server_add(fake_api_server(g.host), &forbidden, 1, true);
    fake_api_put(g.host, SLICES("v1") "/vs-2", IN_VMS("vs-2", "other-uid") "}");
    TICK_UNTIL(&g, !knows(&g, "slice-uid") && !knows(&g, "other-uid"));
    ticks(&g, 10);
    assert_int_equal(feeds_of(&g, "vms", "endpointslices"), 1);
    assert_true(is_seen(&g, "host", WM_SIGHT_GOOD, ""));
    finish(&g);
}

static const struct without slices_without[] = {
    {"not installed",
     {.match = "/discovery.k8s.io/", .status = 404, .type = "text/plain", .body = {"404\n"}, .times = -1},
     ""},
    {"forbidden", {.match = "/discovery.k8s.io/", .status = 403, .times = -1}, ""},
    {"failing", {.match = "/discovery.k8s.io/", .status = 500, .times = -1}, ""},
    {"mute", {.match = "/discovery.k8s.io/", .end = FAULT_MUTE, .times = -1}, ""},
};

/* They tell more where they are there; without them nothing is missing. */
static void check_without_slices(void **state)
{
    const struct without *w = *state;
    struct ground g = {.host = fake_api_start(NULL, 0, NULL), .remote = fake_api_start(NULL, 0, NULL)};

    fault_server_add(fake_api_server(g.host), &w->fault, 1, true);
    fake_api_put(g.host, PROVIDER_PATH, PROVIDER("True"));
    fake_api_put(g.host, POD_PATH, POD("Running"));
    start_fleet(&g);
    TICK_UNTIL(&g, wm_fleet_synced(g.fleet) && is_seen(&g, "host", WM_SIGHT_GOOD, w->why) &&
                       knows(&g, "pod-uid"));
    TICK_UNTIL(&g, fault_server_count(fake_api_server(g.host), "/discovery.k8s.io/") > 0);
    ticks(&g, 10);
    assert_true(is_seen(&g, "host", WM_SIGHT_GOOD, w->why));
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

static bool has_metric(struct ground *g, const char *line)
{
    wm_auto_buf struct wm_buf out = WM_BUF_MAX(64 << 10);

    wm_telemetry_providers(&out, g->fleet);
    return strstr(out.p, line);
}

#define CLAIM(name, uid, owner)                                                                              \
    "{\"metadata\":{\"namespace\":\"vms\",\"name\":\"" name "\",\"uid\":\"" uid                              \
    "\",\"creationTimestamp\":\"2026-11-21T10:00:00Z\",\"labels\":{\"virtrigaud.io/component\":"             \
    "\"migration-storage\",\"virtrigaud.io/migration\":\"web\"}" owner "}}"
#define OWNER                                                                                                \
    ",\"ownerReferences\":[{\"apiVersion\":\"infra.virtrigaud.io/v1beta1\",\"kind\":\"VMMigration\","        \
    "\"name\":\"web\",\"uid\":\"web-uid\",\"controller\":true}]"

static void waits_and_leftovers_are_counted(void **state)
{
    static const char waiting[] =
        "{\"metadata\":{\"namespace\":\"vms\",\"name\":\"web\",\"uid\":\"web-uid\"},\"spec\":{\"storage\":"
        "{\"type\":\"pvc\"}},\"status\":{\"phase\":\"Validating\",\"storagePVCName\":\"web-storage\","
        "\"conditions\":[{\"type\":\"Validating\",\"status\":\"False\","
        "\"reason\":\"WaitingForStorageMount\"}]}}";
    static const char wait[] = "waymark_vm_mount_wait_seconds{namespace=\"vms\",name=\"web\"} ";
    struct ground g;

    (void)state;
    begin(&g);
    fake_api_put(g.host, VM_PATH, waiting);
    fake_api_put(g.host, "/api/v1/namespaces/vms/persistentvolumeclaims/web-storage",
                 CLAIM("web-storage", "claim-uid", OWNER));
    TICK_UNTIL(&g, has_metric(&g, wait));
    assert_true(has_metric(&g, "\nwaymark_vm_mount_limit_seconds 300\n"));
    assert_false(has_metric(&g, "waymark_orphan_claims{"));
    assert_false(has_metric(&g, "waymark_lingering_claims{"));
    fake_api_put(g.host, "/api/v1/namespaces/vms/persistentvolumeclaims/old-storage",
                 CLAIM("old-storage", "old-uid", ""));
    TICK_UNTIL(&g, has_metric(&g, "waymark_orphan_claims{namespace=\"vms\"} 1\n"));
    fake_api_put(g.host, VM_PATH, VM("Ready"));
    TICK_UNTIL(&g, has_metric(&g, "waymark_lingering_claims{namespace=\"vms\"} 1\n"));
    assert_false(has_metric(&g, wait));
    finish(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(namespaces_are_watched_as_long_as_a_provider_or_a_migration_is_there),
        cmocka_unit_test(no_kind_is_watched_twice_in_a_namespace),
        cmocka_unit_test(slices_are_watched_in_the_version_that_is_served),
        cmocka_unit_test(slices_that_may_not_be_read_any_more_are_forgotten),
        cmocka_unit_test(waits_and_leftovers_are_counted),
        cmocka_unit_test(changes_mark_the_migrations_of_the_namespace),
    };

    return RUN_TABLE("without", withouts, check_without) +
           RUN_TABLE("without slices", slices_without, check_without_slices) +
           cmocka_run_group_tests(tests, NULL, NULL);
}
