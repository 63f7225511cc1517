/* The fleet against API servers that misbehave: what comes into the model, and how well clusters are seen. */
#include <pthread.h>

#include "fleet_fixture.h"

/* --- tests --- */

static void lists_and_watches_feed_the_model(void **state)
{
    struct ground g;

    (void)state;
    g = (struct ground){.host = fake_api_start(NULL, 0, NULL), .remote = fake_api_start(NULL, 0, NULL)};
    fake_api_put(g.host, MTC "/migplans/plan", PLAN);
    fake_api_put(g.remote, VELERO "/backups/b", BACKUP);
    start_fleet(&g);
    add_remote(&g);
    TICK_UNTIL(&g, wm_fleet_synced(g.fleet) && knows(&g, "plan-uid") && knows(&g, "backup-uid"));
    assert_int_equal(g.live, 0);
    int listed = g.listed;

    fake_api_put(g.host, MTC "/migmigrations/m", MIGRATION("Started"));
    TICK_UNTIL(&g, knows(&g, "m-uid") && g.live == 1 && g.changed >= 1);
    assert_int_equal(g.listed, listed);
    fake_api_remove(g.host, MTC "/migmigrations/m");
    TICK_UNTIL(&g, !knows(&g, "m-uid"));
    fake_api_remove(g.remote, VELERO "/backups/b");
    TICK_UNTIL(&g, !knows(&g, "backup-uid"));
    TICK_UNTIL(&g, is_seen(&g, "host", WM_SIGHT_GOOD, "") && is_seen(&g, "remote", WM_SIGHT_GOOD, ""));
    finish(&g);
}

static const struct trouble {
    const char *name;
    struct fault fault; /* for all requests that match, for ever */
    bool down;
    enum wm_cluster_sight sight;
    const char *why;
} troubles[] = {
    {"a remote that refuses its token",
     {.status = 401, .times = -1},
     .sight = WM_SIGHT_UNAUTHORIZED,
     .why = "its API server refuses the token"},
    {"a remote where nobody listens",
     {.status = 599, .times = -1},
     .down = true,
     .sight = WM_SIGHT_UNREACHABLE,
     .why = "its API server does not answer"},
    {"a remote that fails",
     {.status = 500, .times = -1},
     .sight = WM_SIGHT_UNREACHABLE,
     .why = "its API server does not answer"},
    {"a remote that never answers", {.end = FAULT_MUTE, .times = -1}, .sight = WM_SIGHT_STARTING, .why = ""},
    {"a remote that forbids a kind",
     {.match = "/restores", .status = 403, .times = -1},
     .sight = WM_SIGHT_PARTIAL,
     .why = "restores may not be read"},
    {"a remote that lacks a kind",
     {.match = "/datauploads",
      .status = 404,
      .type = "text/plain",
      .body = {"404 page not found\n"},
      .times = -1},
     .sight = WM_SIGHT_GOOD,
     .why = ""},
};

static void check_trouble(void **state)
{
    const struct trouble *t = *state;
    struct ground g;

    begin(&g);
    fault_server_add(fake_api_server(g.remote), &t->fault, 1, true);
    if (t->down)
        fault_server_down(fake_api_server(g.remote));
    add_remote(&g);
    TICK_UNTIL(&g, is_seen(&g, "remote", t->sight, t->why));
    assert_true(sight_of(&g, "remote").since_s > 0);
    int64_t begin_ms = wm_mono_ms();

    fake_api_put(g.host, MTC "/migmigrations/m", MIGRATION("Started"));
    TICK_UNTIL(&g, wm_fleet_synced(g.fleet) && knows(&g, "m-uid"));
    assert_true(wm_mono_ms() - begin_ms < QUICK_MS);
    TICK_UNTIL(&g, is_seen(&g, "host", WM_SIGHT_GOOD, ""));
    begin_ms = wm_mono_ms();
    g.fleet = wm_fleet_free(g.fleet);
    assert_true(wm_mono_ms() - begin_ms < QUICK_MS);
    if (t->down)
        fault_server_up(fake_api_server(g.remote));
    finish(&g);
}

/* The head of an answer from a server whose clock is so far from ours. */
static const char *date_in(int64_t s, char out[static 64])
{
    time_t at = (time_t)(wm_wall_s() + s);
    struct tm tm;

    gmtime_r(&at, &tm);
    strftime(out, 64, "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", &tm);
    return out;
}

static void the_clocks_of_clusters_are_measured(void **state)
{
    enum { LATE_S = 60 }; /* the machine may be slow: a Date is of the test's start */
    struct ground g;
    char host[64], remote[64];
    int64_t off;

    (void)state;
    begin(&g);
    assert_int_equal(sight_of(&g, "host").offset_s, 0);
    fault_server_add(fake_api_server(g.host),
                     &(struct fault){.status = 404, .headers = date_in(300, host), .times = -1}, 1, true);
    fault_server_add(fake_api_server(g.remote),
                     &(struct fault){.status = 404, .headers = date_in(-300, remote), .times = -1}, 1, true);
    add_remote(&g);
    TICK_UNTIL(&g, (off = sight_of(&g, "host").offset_s) != 0);
    assert_in_range(off, 300 - LATE_S, 301);
    TICK_UNTIL(&g, (off = sight_of(&g, "remote").offset_s) != 0);
    assert_in_range(-off, 299, 300 + LATE_S);
    finish(&g);
}

static void a_migcluster_comes_moves_and_goes(void **state)
{
    static const char unread[] = "Secret openshift-config/remote-token: ";
    struct ground g;

    (void)state;
    begin(&g);
    fake_api_put(g.remote, VELERO "/backups/b", BACKUP);
    put_cluster(&g, "http", "remote", "remote-token", "");
    TICK_UNTIL(&g, strncmp(sight_of(&g, "remote").why, unread, strlen(unread)) == 0);
    assert_int_equal(sight_of(&g, "remote").sight, WM_SIGHT_NONE);
    put_secret(&g, "first-token\n");
    TICK_UNTIL(&g, is_seen(&g, "remote", WM_SIGHT_GOOD, "") && knows(&g, "backup-uid"));
    assert_true(fault_server_count(fake_api_server(g.remote), "Authorization: Bearer first-token\r\n") > 0);

    struct fake_api *old = g.remote;

    g.remote = fake_api_start(NULL, 0, NULL);
    put_cluster(&g, "http", "remote", "remote-token", "");
    TICK_UNTIL(&g, is_seen(&g, "remote", WM_SIGHT_GOOD, "") && !knows(&g, "backup-uid"));
    assert_true(fault_server_count(fake_api_server(g.remote), "Bearer first-token") > 0);
    fake_api_stop(old);

    fake_api_put(g.remote, VELERO "/backups/b", BACKUP);
    TICK_UNTIL(&g, knows(&g, "backup-uid"));
    fake_api_remove(g.host, MTC "/migclusters/remote");
    TICK_UNTIL(&g, !knows(&g, "backup-uid"));
    assert_false(sight_of(&g, "remote").found);
    finish(&g);
}

static void the_ca_bundle_of_a_migcluster_is_used(void **state)
{
    struct pki_pair ca = pki_make("test ca", NULL, NULL), server = pki_make("server", "IP:127.0.0.1", &ca),
                    other = pki_make("other ca", NULL, NULL);
    struct fault_tls tls = {.cert = server.cert, .key = server.key};
    wm_auto_buf struct wm_buf right = WM_BUF_MAX(16 << 10), wrong = WM_BUF_MAX(16 << 10);
    struct ground g = {.host = fake_api_start(NULL, 0, NULL), .remote = fake_api_start(NULL, 0, &tls)};

    (void)state;
    wm_buf_puts(&right, ",\"caBundle\":\"");
    wm_base64_encode(wm_str_of(ca.cert), &right);
    wm_buf_puts(&right, "\"");
    wm_buf_puts(&wrong, ",\"caBundle\":\"");
    wm_base64_encode(wm_str_of(other.cert), &wrong);
    wm_buf_puts(&wrong, "\"");
    start_fleet(&g);
    put_secret(&g, "t");
    put_cluster(&g, "https", "remote", "remote-token", wrong.p);
    TICK_UNTIL(&g, sight_of(&g, "remote").sight == WM_SIGHT_UNREACHABLE);
    assert_int_equal(fault_server_count(fake_api_server(g.remote), NULL), 0);
    put_cluster(&g, "https", "remote", "remote-token", right.p);
    TICK_UNTIL(&g, is_seen(&g, "remote", WM_SIGHT_GOOD, ""));
    finish(&g);
    pki_done(&ca);
    pki_done(&server);
    pki_done(&other);
}

static void a_new_token_is_found_and_an_old_one_leaves_things_alone(void **state)
{
    static const struct fault refusal = {.match = "Bearer old-token", .status = 401, .times = -1};
    struct ground g;

    (void)state;
    begin(&g);
    fault_server_add(fake_api_server(g.remote), &refusal, 1, true);
    put_secret(&g, "old-token");
    put_cluster(&g, "http", "remote", "remote-token", "");
    TICK_UNTIL(&g, sight_of(&g, "remote").sight == WM_SIGHT_UNAUTHORIZED);
    int connections = fault_server_connections(fake_api_server(g.remote)),
        reads = fault_server_count(fake_api_server(g.host), "GET " SECRET);

    /* the Secret is looked at again and again, and nothing is torn down for the same token */
    while (fault_server_count(fake_api_server(g.host), "GET " SECRET) < reads + 4) {
        tick(&g);
        assert_int_equal(sight_of(&g, "remote").sight, WM_SIGHT_UNAUTHORIZED);
    }
    assert_true(fault_server_connections(fake_api_server(g.remote)) <= connections + 4);
    put_secret(&g, "new-token");
    TICK_UNTIL(&g, is_seen(&g, "remote", WM_SIGHT_GOOD, ""));
    finish(&g);
}

static void an_applications_namespaces_are_watched_while_it_migrates(void **state)
{
    static const char pod[] = "{\"metadata\":{\"namespace\":\"shop\",\"name\":\"p\",\"uid\":\"pod-uid\"}}";
    struct ground g;

    (void)state;
    begin(&g);
    add_remote(&g);
    fake_api_put(g.host, MTC "/migclusters/host", HOST_CLUSTER);
    fake_api_put(g.host, MTC "/migplans/plan", PLAN);
    fake_api_put(g.host, "/api/v1/namespaces/shop/pods/p", pod);
    TICK_UNTIL(&g, wm_fleet_synced(g.fleet) && knows(&g, "plan-uid"));
    tick(&g);
    assert_false(is_watched(&g, "shop"));
    fake_api_put(g.host, MTC "/migmigrations/m", MIGRATION("StageBackupCreated"));
    TICK_UNTIL(&g, knows(&g, "pod-uid") && is_watched(&g, "app"));
    assert_true(fault_server_count(fake_api_server(g.remote), "/api/v1/namespaces/app/pods?") > 0);
    assert_int_equal(fault_server_count(fake_api_server(g.host), "/namespaces/app/"), 0);
    TICK_UNTIL(&g, is_seen(&g, "host", WM_SIGHT_GOOD, ""));
    fake_api_put(g.host, MTC "/migmigrations/m", MIGRATION("Completed"));
    TICK_UNTIL(&g, !knows(&g, "pod-uid") && !is_watched(&g, "shop") && !is_watched(&g, "app"));
    finish(&g);
}

/* Names come out of objects that others write. */
static void what_is_no_name_gets_into_no_path(void **state)
{
    static const char plan[] = "{" META(
        "plan", "plan-uid") ",\"spec\":{\"srcMigClusterRef\":{\"name\":\"remote\"},"
                            "\"destMigClusterRef\":{\"name\":\"host\"},\"namespaces\":[\"../../ghosts?x\","
                            "\"..\",\"a%2e%2e\",\"A B\",\"app\"]}}";
    static const char *const secrets[] = {"../../ghosts", "..", ".", "a%2f..", "a?b", "a#b", "a b", ""};
    struct ground g;

    (void)state;
    begin(&g);
    add_remote(&g);
    fake_api_put(g.host, MTC "/migclusters/host", HOST_CLUSTER);
    fake_api_put(g.host, MTC "/migplans/plan", plan);
    fake_api_put(g.host, MTC "/migmigrations/m", MIGRATION("StageBackupCreated"));
    for (size_t i = 0; i < sizeof secrets / sizeof secrets[0]; i++) {
        char name[16];

        snprintf(name, sizeof name, "hostile%zu", i);
        put_cluster(&g, "http", name, secrets[i], "");
        TICK_UNTIL(&g, strstr(sight_of(&g, name).why, "is no name of a Secret"));
    }
    TICK_UNTIL(&g, is_watched(&g, "app"));
    for (int i = 0; i < 10; i++)
        tick(&g);
    assert_int_equal(fault_server_count(fake_api_server(g.host), "/secrets"), 0);
    for (int i = 0; i < 2; i++) {
        struct fault_server *s = fake_api_server(i ? g.remote : g.host);

        assert_int_equal(fault_server_count(s, "ghosts"), 0);
        assert_int_equal(fault_server_count(s, ".."), 0);
        assert_int_equal(fault_server_count(s, "%2e"), 0);
        assert_int_equal(fault_server_count(s, "A B"), 0);
        assert_int_equal(fault_server_count(s, "namespaces//"), 0);
    }
    finish(&g);
}

/* Each is gone before the next comes. */
static void places_of_clusters_are_used_again(void **state)
{
    struct ground g;
    char name[32], path[200];

    (void)state;
    begin(&g);
    put_secret(&g, "t");
    for (int i = 0; i < WM_CLUSTERS_MAX + 3; i++) {
        snprintf(name, sizeof name, "cluster-%d", i);
        snprintf(path, sizeof path, MTC "/migclusters/%s", name);
        put_cluster(&g, "http", name, "no-such-secret", "");
        TICK_UNTIL(&g, sight_of(&g, name).found);
        fake_api_remove(g.host, path);
        TICK_UNTIL(&g, !sight_of(&g, name).found);
    }
    put_cluster(&g, "http", "last", "remote-token", "");
    TICK_UNTIL(&g, is_seen(&g, "last", WM_SIGHT_GOOD, ""));
    finish(&g);
}

static void *stir(void *arg)
{
    struct ground *g = arg;

    for (int i = 0; i < 20; i++) {
        fake_api_put(g->host, MTC "/migmigrations/m", MIGRATION("StageBackupCreated"));
        fake_api_put(g->remote, VELERO "/backups/b", BACKUP);
        usleep(5000);
    }
    return NULL;
}

static void it_ends_in_the_middle_of_everything(void **state)
{
    (void)state;
    for (int round = 0; round < 6; round++) {
        struct ground g;
        pthread_t thread;

        begin(&g);
        put_secret(&g, "t");
        put_cluster(&g, "http", "remote", "remote-token", "");
        fake_api_put(g.host, MTC "/migclusters/host", HOST_CLUSTER);
        fake_api_put(g.host, MTC "/migplans/plan", PLAN);
        pthread_create(&thread, NULL, stir, &g);
        for (int64_t end_ms = wm_mono_ms() + 30 * round; wm_mono_ms() < end_ms;)
            wm_fleet_tick(g.fleet);
        int64_t begin_ms = wm_mono_ms();

        g.fleet = wm_fleet_free(g.fleet);
        assert_true(wm_mono_ms() - begin_ms < QUICK_MS);
        g.over = true;
        pthread_join(thread, NULL);
        finish(&g);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_and_watches_feed_the_model),
        cmocka_unit_test(the_clocks_of_clusters_are_measured),
        cmocka_unit_test(a_migcluster_comes_moves_and_goes),
        cmocka_unit_test(the_ca_bundle_of_a_migcluster_is_used),
        cmocka_unit_test(a_new_token_is_found_and_an_old_one_leaves_things_alone),
        cmocka_unit_test(an_applications_namespaces_are_watched_while_it_migrates),
        cmocka_unit_test(what_is_no_name_gets_into_no_path),
        cmocka_unit_test(places_of_clusters_are_used_again),
        cmocka_unit_test(it_ends_in_the_middle_of_everything),
    };

    return RUN_TABLE("troubles", troubles, check_trouble) + cmocka_run_group_tests(tests, NULL, NULL);
}
