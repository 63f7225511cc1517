/* Events about restarts of providers: on the Provider, and on the VMMigrations that they come from or hurt.
 */
#include <stdio.h>
#include <unistd.h>

#include "follow_ground.h"
#include "waymark/time.h"

#define VMS "/namespaces/vms/"
#define VIRTRIGAUD "/apis/infra.virtrigaud.io/v1beta1" VMS
#define EVENTS "POST /apis/events.k8s.io/v1/namespaces/vms/events"
#define NAMED(name) "\"namespace\":\"vms\",\"name\":\"" name "\",\"uid\":\"" name "-uid\""
#define OWNED(kind, name)                                                                                    \
    ",\"ownerReferences\":[{\"kind\":\"" kind "\",\"name\":\"" name "\",\"uid\":\"" name                     \
    "-uid\",\"controller\":true}]"
#define CLAIM_VOLUME                                                                                         \
    "\"volumes\":[{\"name\":\"migration-web-storage\",\"persistentVolumeClaim\":{\"claimName\":"             \
    "\"web-storage\"}}],"
#define DEPLOYMENT "virtrigaud-provider-vms-vs"

static char now_text[WM_TIME_SIZE];

/* Every "NOW" in the object is the time of day. */
static void put(struct ground *g, const char *path, const char *json)
{
    wm_auto_buf struct wm_buf out = WM_BUF_MAX(64 << 10);

    wm_time_print(wm_wall_s(), now_text);
    for (const char *at; (at = strstr(json, "NOW")) != NULL; json = at + 3) {
        wm_buf_add(&out, json, (size_t)(at - json));
        wm_buf_puts(&out, now_text);
    }
    wm_buf_puts(&out, json);
    fake_api_put(g->host, path, out.p);
}

static void put_replicas(struct ground *g, const char *hash, const char *revision, const char *volumes)
{
    wm_auto_buf struct wm_buf json = WM_BUF_MAX(8192), path = WM_BUF_MAX(400);

    wm_buf_printf(&path, "/apis/apps/v1" VMS "replicasets/%s", hash);
    wm_buf_printf(
        &json,
        "{\"metadata\":{\"namespace\":\"vms\",\"name\":\"%s\",\"uid\":\"%s-uid\",\"labels\":"
        "{\"pod-template-hash\":\"%s\"},\"annotations\":{\"deployment.kubernetes.io/revision\":\"%s\"}" OWNED(
            "Deployment", DEPLOYMENT) "},\"spec\":{\"replicas\":1,\"template\":{\"spec\":{%s"
                                      "\"containers\":[{\"name\":\"provider\",\"image\":\"i\"}]}}}}",
        hash, hash, hash, revision, volumes);
    put(g, path.p, json.p);
}

static void put_pod(struct ground *g, const char *hash, const char *ready)
{
    wm_auto_buf struct wm_buf json = WM_BUF_MAX(8192), path = WM_BUF_MAX(400);

    wm_buf_printf(&path, "/api/v1" VMS "pods/%s-1", hash);
    wm_buf_printf(&json,
                  "{\"metadata\":{\"namespace\":\"vms\",\"name\":\"%s-1\",\"uid\":\"%s-1-uid\","
                  "\"creationTimestamp\":\"NOW\",\"labels\":{\"pod-template-hash\":\"%s\","
                  "\"app.kubernetes.io/name\":\"virtrigaud-provider\"},\"ownerReferences\":[{\"kind\":"
                  "\"ReplicaSet\",\"name\":\"%s\",\"uid\":\"%s-uid\",\"controller\":true}]},"
                  "\"spec\":{\"containers\":[{\"name\":\"provider\",\"image\":\"i\"}]},"
                  "\"status\":{\"phase\":\"Running\",\"conditions\":[{\"type\":\"Ready\",\"status\":\"%s\","
                  "\"lastTransitionTime\":\"NOW\"}]}}",
                  hash, hash, hash, hash, hash, ready);
    put(g, path.p, json.p);
}

static void put_stuck_pod(struct ground *g)
{
    put(g, "/api/v1" VMS "pods/new-1",
        "{\"metadata\":{" NAMED("new-1") ",\"creationTimestamp\":\"NOW\",\"labels\":{\"pod-template-hash\":"
                                         "\"new\",\"app.kubernetes.io/name\":\"virtrigaud-provider\"}" OWNED(
                                             "ReplicaSet",
                                             "new") "},\"spec\":{\"containers\":[{\"name\":\"provider\","
                                                    "\"image\":\"i\"}]},\"status\":{\"phase\":\"Pending\","
                                                    "\"conditions\":[{\"type\":\"Ready\",\"status\":"
                                                    "\"False\",\"lastTransitionTime\":\"NOW\"}],"
                                                    "\"containerStatuses\":[{\"name\":\"provider\",\"ready\":"
                                                    "false,\"restartCount\":0,\"state\":"
                                                    "{\"waiting\":{\"reason\":\"ImagePullBackOff\","
                                                    "\"message\":\"no such image\"}}}]}}");
}

static void put_deployment(struct ground *g, int revision, const char *volumes, int updated)
{
    wm_auto_buf struct wm_buf json = WM_BUF_MAX(8192);

    wm_buf_printf(
        &json,
        "{\"metadata\":{" NAMED(
            DEPLOYMENT) ",\"generation\":%d,\"annotations\":"
                        "{\"deployment.kubernetes.io/revision\":\"%d\"},\"labels\":{\"app.kubernetes.io/"
                        "name\":"
                        "\"virtrigaud-provider\",\"app.kubernetes.io/instance\":\"vs\"}" OWNED(
                            "Provider",
                            "vs") "},\"spec\":{\"replicas\":1,\"template\":{\"spec\":{%s\"containers\":[{"
                                  "\"name\":"
                                  "\"provider\",\"image\":\"i\"}]}}},\"status\":{\"observedGeneration\":%d,"
                                  "\"replicas\":%d,"
                                  "\"updatedReplicas\":%d,\"readyReplicas\":1,\"availableReplicas\":1}}",
        revision, revision, volumes, revision, updated ? 1 : 2, updated);
    put(g, "/apis/apps/v1" VMS "deployments/" DEPLOYMENT, json.p);
}

static void put_provider(struct ground *g)
{
    put(g, VIRTRIGAUD "providers/vs", "{\"metadata\":{" NAMED("vs") "}}");
    put_deployment(g, 1, "", 1);
    put_replicas(g, "old", "1", "");
    put_pod(g, "old", "True");
}

/* To which pod the provider's Service leads. */
static void put_slice(struct ground *g, const char *pod)
{
    wm_auto_buf struct wm_buf json = WM_BUF_MAX(8192);

    wm_buf_printf(&json,
                  "{\"metadata\":{" NAMED("slice") ",\"labels\":{\"kubernetes.io/service-name\":\"" DEPLOYMENT
                                                   "\"},\"managedFields\":[{\"time\":\"NOW\"}]},"
                                                   "\"endpoints\":[{\"targetRef\":{\"kind\":\"Pod\","
                                                   "\"uid\":\"%s-uid\"}}]}",
                  pod);
    put(g, "/apis/discovery.k8s.io/v1" VMS "endpointslices/slice", json.p);
}

static void put_migration(struct ground *g)
{
    put(g, VIRTRIGAUD "vmmigrations/web",
        "{\"metadata\":{" NAMED(
            "web") "},\"spec\":{\"source\":{\"vmRef\":{\"name\":\"web\"},"
                   "\"providerRef\":{\"name\":\"vs\"}},\"target\":{\"name\":\"web\",\"providerRef\":{"
                   "\"name\":\"pr\"}},"
                   "\"storage\":{\"type\":\"pvc\",\"pvc\":{\"storageClassName\":\"c\",\"size\":\"1Gi\"}}},"
                   "\"status\":{\"phase\":\"Validating\",\"startTime\":\"NOW\",\"storagePVCName\":\"web-"
                   "storage\"}}");
    put(g, "/api/v1" VMS "persistentvolumeclaims/web-storage",
        "{\"metadata\":{" NAMED(
            "web-storage") ",\"creationTimestamp\":\"NOW\",\"labels\":"
                           "{\"virtrigaud.io/component\":\"migration-storage\",\"virtrigaud.io/"
                           "migration\":\"web\"}" OWNED("VMMigration", "web") "}}");
}

static bool knows(struct ground *g, const char *uid)
{
    struct wm_world w;

    wm_fleet_lock(g->fleet);
    wm_fleet_world(g->fleet, &w);
    bool found = wm_model_find(w.model, 0, wm_id_of(wm_str_of(uid)));

    wm_fleet_unlock(g->fleet);
    return found;
}

/* How many Events of this reason were made about that kind of object. */
static int events_about(struct ground *g, const char *kind, const char *name, const char *reason)
{
    char of_kind[100], named[100];
    const char *request;
    int n = 0;

    snprintf(of_kind, sizeof of_kind, "\"kind\":\"%s\"", kind);
    snprintf(named, sizeof named, "\"uid\":\"%s-uid\"", name);
    for (int i = 0; (request = fault_server_request(g->server, EVENTS, i)) != NULL; i++)
        n += strstr(request, of_kind) && strstr(request, named) && strstr(request, reason);
    return n;
}

static void a_restart_is_told_on_its_provider_and_on_its_migration(void **state)
{
    struct ground g;

    (void)state;
    ground_begin(&g);
    g.opts.events = true;
    put_provider(&g);
    ground_start_with_events(&g);
    TURN_UNTIL(&g, knows(&g, "old-1-uid") && knows(&g, DEPLOYMENT "-uid"));
    ground_turn_for(&g, 1500);
    put_migration(&g);
    put_deployment(&g, 2, CLAIM_VOLUME, 0);
    put_replicas(&g, "new", "2", CLAIM_VOLUME);
    put_pod(&g, "new", "True");
    TURN_UNTIL(&g, knows(&g, "new-1-uid") && knows(&g, "web-uid"));
    fake_api_remove(g.host, "/api/v1" VMS "pods/old-1");
    put_deployment(&g, 2, CLAIM_VOLUME, 1);
    TURN_UNTIL(&g, events_about(&g, "Provider", "vs", "ProviderRestarted") == 1);
    TURN_UNTIL(&g, events_about(&g, "VMMigration", "web", "ProviderRestarted") == 1);
    TURN_UNTIL(&g, ground_says(&g, VIRTRIGAUD "vmmigrations/web", "ProviderRestarts"));

    /* What was told is not told again by the next one that leads. */
    ground_stop(&g);
    ground_start_with_events(&g);
    TURN_UNTIL(&g, knows(&g, "new-1-uid"));
    ground_turn_for(&g, 2500);
    assert_int_equal(events_about(&g, "Provider", "vs", "ProviderRestarted"), 1);
    ground_finish(&g);
}

static void one_is_told_when_its_service_leads_to_the_new_pod(void **state)
{
    struct ground g;

    (void)state;
    ground_begin(&g);
    g.opts.events = true;
    put_provider(&g);
    put_slice(&g, "old-1");
    ground_start_with_events(&g);
    TURN_UNTIL(&g, knows(&g, "old-1-uid") && knows(&g, DEPLOYMENT "-uid") && knows(&g, "slice-uid"));
    ground_turn_for(&g, 1500);
    put_migration(&g);
    put_deployment(&g, 2, CLAIM_VOLUME, 0);
    put_replicas(&g, "new", "2", CLAIM_VOLUME);
    put_pod(&g, "new", "True");
    TURN_UNTIL(&g, knows(&g, "new-1-uid") && knows(&g, "web-uid"));
    fake_api_remove(g.host, "/api/v1" VMS "pods/old-1");
    TURN_UNTIL(&g, !knows(&g, "old-1-uid"));
    put_deployment(&g, 2, CLAIM_VOLUME, 1);
    ground_turn_for(&g, 4000);
    assert_int_equal(events_about(&g, "Provider", "vs", "ProviderRestarted"), 0);
    put_slice(&g, "new-1");
    TURN_UNTIL(&g, events_about(&g, "Provider", "vs", "a ready pod that its Service leads to") == 1);
    assert_int_equal(events_about(&g, "Provider", "vs", "ProviderRestarted"), 1);
    ground_finish(&g);
}

static void one_that_is_stuck_is_told_once_before_its_end(void **state)
{
    struct ground g;

    (void)state;
    ground_begin(&g);
    g.opts.events = true;
    g.opts.thresholds.s[WM_T_SIGNAL] = 2;
    put_provider(&g);
    ground_start_with_events(&g);
    TURN_UNTIL(&g, knows(&g, "old-1-uid") && knows(&g, DEPLOYMENT "-uid"));
    ground_turn_for(&g, 1500);
    put_migration(&g);
    put_deployment(&g, 2, CLAIM_VOLUME, 0);
    put_replicas(&g, "new", "2", CLAIM_VOLUME);
    put_stuck_pod(&g);
    TURN_UNTIL(&g, events_about(&g, "Provider", "vs", "ProviderRestartStuck") == 1);
    TURN_UNTIL(&g, events_about(&g, "VMMigration", "web", "ProviderRestartStuck") == 1);
    ground_turn_for(&g, 1500);
    assert_int_equal(events_about(&g, "Provider", "vs", "ProviderRestartStuck"), 1);
    assert_int_equal(events_about(&g, "Provider", "vs", "ProviderRestarted"), 0);
    ground_finish(&g);
}

static const char *event_about_vs(struct ground *g, const char *text, int nth)
{
    const char *request;

    for (int i = 0; (request = fault_server_request(g->server, EVENTS, i)) != NULL; i++)
        if (strstr(request, "\"kind\":\"Provider\"") && strstr(request, text) && nth-- == 0)
            return request;
    return NULL;
}

static void one_that_is_stuck_is_told_again_when_the_reason_is_known(void **state)
{
    struct ground g;

    (void)state;
    ground_begin(&g);
    g.opts.events = true;
    g.opts.thresholds.s[WM_T_SIGNAL] = 1;
    g.opts.thresholds.s[WM_T_ROLLOUT] = 2;
    put_provider(&g);
    ground_start_with_events(&g);
    TURN_UNTIL(&g, knows(&g, "old-1-uid") && knows(&g, DEPLOYMENT "-uid"));
    ground_turn_for(&g, 1500);
    put_deployment(&g, 2, CLAIM_VOLUME, 0);
    put_replicas(&g, "new", "2", CLAIM_VOLUME);
    put_pod(&g, "new", "False");
    TURN_UNTIL(&g, events_about(&g, "Provider", "vs", "ProviderRestartStuck") == 1);
    assert_non_null(event_about_vs(&g, "NoProgress", 0));
    put_stuck_pod(&g);
    TURN_UNTIL(&g, events_about(&g, "Provider", "vs", "ProviderRestartStuck") == 2);
    assert_non_null(event_about_vs(&g, "ImagePullBackOff", 0));

    /* Neither when it is forgotten, nor when it is known once more. */
    put_pod(&g, "new", "False");
    ground_turn_for(&g, 4000);
    put_stuck_pod(&g);
    ground_turn_for(&g, 3000);
    assert_int_equal(events_about(&g, "Provider", "vs", "ProviderRestartStuck"), 2);
    ground_finish(&g);
}

#define REPORT "/apis/waymark.io/v1alpha1" VMS "migrationreports/web.vm"

static void a_rollout_begins(struct ground *g)
{
    put_migration(g);
    put_deployment(g, 2, CLAIM_VOLUME, 0);
    put_replicas(g, "new", "2", CLAIM_VOLUME);
    put_pod(g, "new", "False");
}

static void it_ends(struct ground *g)
{
    fake_api_remove(g->host, "/api/v1" VMS "pods/old-1");
    put_pod(g, "new", "True");
    put_deployment(g, 2, CLAIM_VOLUME, 1);
}

static void start_anew(struct ground *g)
{
    ground_start_with_events(g);
    TURN_UNTIL(g, knows(g, "new-1-uid"));
}

static void an_end_that_nobody_saw_is_told_by_the_next_one_that_leads(void **state)
{
    struct ground g;

    (void)state;
    ground_begin(&g);
    g.opts.events = true;
    put_provider(&g);
    ground_start_with_events(&g);
    TURN_UNTIL(&g, knows(&g, "old-1-uid") && knows(&g, DEPLOYMENT "-uid"));
    a_rollout_begins(&g);
    TURN_UNTIL(&g, ground_says(&g, REPORT, "in-progress"));
    wm_auto_json cJSON *before = fake_api_get(g.host, REPORT);
    wm_auto_free char *open = cJSON_PrintUnformatted(before);

    ground_stop(&g);
    it_ends(&g);
    start_anew(&g);
    TURN_UNTIL(&g, events_about(&g, "Provider", "vs", "ProviderRestarted") == 1);
    TURN_UNTIL(&g, events_about(&g, "VMMigration", "web", "ProviderRestarted") == 1);
    TURN_UNTIL(&g, ground_says(&g, REPORT, "finished"));

    /* Not by the one after that.  Times are of whole seconds: one that begins in the second of an end takes
     * it for its own. */
    ground_turn_for(&g, 1100);
    ground_stop(&g);
    start_anew(&g);
    ground_turn_for(&g, 2500);
    assert_int_equal(events_about(&g, "Provider", "vs", "ProviderRestarted"), 1);

    /* One that told it, and was killed before it stored so: the Event is there. */
    ground_stop(&g);
    fake_api_put(g.host, REPORT, open);
    start_anew(&g);
    TURN_UNTIL(&g, events_about(&g, "Provider", "vs", "ProviderRestarted") == 2);
    ground_turn_for(&g, 2500);
    assert_int_equal(events_about(&g, "Provider", "vs", "ProviderRestarted"), 2);
    wm_auto_free char *name = strdup(strstr(event_about_vs(&g, "ProviderRestarted", 0), "\"name\":\"vs."));

    name[strlen("\"name\":\"vs.") + 16] = '\0';
    assert_non_null(strstr(event_about_vs(&g, "ProviderRestarted", 1), name));
    ground_finish(&g);
}

static void an_end_that_is_not_known_to_be_news_is_not_told(void **state)
{
    struct ground g;

    (void)state;
    ground_begin(&g);
    g.opts.events = true;
    g.opts.reports = false;
    put_provider(&g);
    a_rollout_begins(&g);
    it_ends(&g);
    usleep(1100000); /* so that it is before the start */
    start_anew(&g);
    ground_turn_for(&g, 2500);
    assert_int_equal(events_about(&g, "Provider", "vs", "ProviderRestarted"), 0);
    ground_finish(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_that_is_stuck_is_told_once_before_its_end),
        cmocka_unit_test(one_that_is_stuck_is_told_again_when_the_reason_is_known),
        cmocka_unit_test(an_end_that_nobody_saw_is_told_by_the_next_one_that_leads),
        cmocka_unit_test(an_end_that_is_not_known_to_be_news_is_not_told),
        cmocka_unit_test(a_restart_is_told_on_its_provider_and_on_its_migration),
        cmocka_unit_test(one_is_told_when_its_service_leads_to_the_new_pod),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
