/* What is kept of VirtRigaud's Providers, VirtualMachines, Deployments, ReplicaSets and provider pods. */
#include "evidence_fixture.h"
#include "waymark/vm.h"

/* --- templates --- */

#define MOUNT(claim) "{\"name\":\"migration-" claim "\",\"mountPath\":\"/mnt/migration-storage/" claim "\"}"
#define VOLUME(claim)                                                                                        \
    "{\"name\":\"migration-" claim "\",\"persistentVolumeClaim\":{\"claimName\":\"" claim "\"}}"
#define TMP_MOUNT "{\"name\":\"tmp\",\"mountPath\":\"/tmp\"}"
#define TMP_VOLUME "{\"name\":\"tmp\",\"emptyDir\":{}}"
#define TEMPLATE(annotations, image, mounts, volumes)                                                        \
    "\"template\":{\"metadata\":{\"labels\":{\"a\":\"b\"},\"annotations\":{" annotations "}},\"spec\":{"     \
    "\"containers\":[{\"name\":\"provider\",\"image\":\"" image "\",\"volumeMounts\":[" mounts "]}],"        \
    "\"volumes\":[" volumes "]}}"
#define DEPLOYMENT(template_) "{" META("vm", "d") "},\"spec\":{" template_ "}}"

static const char PLAIN[] = DEPLOYMENT(TEMPLATE("", "r/vs:v1", TMP_MOUNT, TMP_VOLUME));

static struct wm_template template_of(const char *json)
{
    return wm_server_of(put(WM_KIND_DEPLOYMENT, json))->template_;
}

static void a_template_tells_its_claims_in_its_order(void **state)
{
    (void)state;
    struct wm_template t = template_of(DEPLOYMENT(TEMPLATE(
        "", "r/vs:v1", MOUNT("b") "," TMP_MOUNT "," MOUNT("a"),
        VOLUME("b") "," TMP_VOLUME
                    "," VOLUME("a") ",{\"name\":\"migration-x\",\"emptyDir\":{}},"
                                    "{\"name\":\"own\",\"persistentVolumeClaim\":{\"claimName\":\"own\"}}")));

    assert_int_equal(t.n_claims, 2);
    assert_string_equal(wm_template_claim(&t, 0), "b");
    assert_string_equal(wm_template_claim(&t, 1), "a");
    assert_string_equal(wm_template_claim(&t, 2), "");
    assert_string_equal(wm_template_claim(&t, -1), "");
    assert_string_equal(t.image, "r/vs:v1");
}

struct rest {
    const char *name, *json;
    bool same; /* as PLAIN */
};

static const struct rest rests[] = {
    {"the same", DEPLOYMENT(TEMPLATE("", "r/vs:v1", TMP_MOUNT, TMP_VOLUME)), true},
    {"a migration's volume",
     DEPLOYMENT(TEMPLATE("", "r/vs:v1", TMP_MOUNT "," MOUNT("a"), TMP_VOLUME "," VOLUME("a"))), true},
    {"two of them, and first of all",
     DEPLOYMENT(TEMPLATE("", "r/vs:v1", MOUNT("a") "," MOUNT("b") "," TMP_MOUNT,
                         VOLUME("b") "," VOLUME("a") "," TMP_VOLUME)),
     true},
    {"another image", DEPLOYMENT(TEMPLATE("", "r/vs:v2", TMP_MOUNT, TMP_VOLUME)), false},
    {"an annotation, as kubectl rollout restart sets it",
     DEPLOYMENT(TEMPLATE("\"kubectl.kubernetes.io/restartedAt\":\"now\"", "r/vs:v1", TMP_MOUNT, TMP_VOLUME)),
     false},
    {"another volume",
     DEPLOYMENT(TEMPLATE("", "r/vs:v1", TMP_MOUNT,
                         TMP_VOLUME ","
                                    "{\"name\":\"x\"}")),
     false},
    {"another mount", DEPLOYMENT(TEMPLATE("", "r/vs:v1", TMP_MOUNT ",{\"name\":\"x\"}", TMP_VOLUME)), false},
    {"a volume of that prefix that is no claim",
     DEPLOYMENT(TEMPLATE("", "r/vs:v1", TMP_MOUNT, TMP_VOLUME ",{\"name\":\"migration-x\"}")), false},
};

static void check_rest(void **state)
{
    const struct rest *row = *state;

    begin(NULL);
    uint64_t plain = template_of(PLAIN).rest;

    if ((template_of(row->json).rest == plain) != row->same)
        fail_msg("%s", row->name);
    end(NULL);
}

static void a_replicaset_has_the_template_of_its_deployment(void **state)
{
    (void)state;
    struct wm_template deployment = template_of(
        DEPLOYMENT(TEMPLATE("", "r/vs:v1", MOUNT("a") "," TMP_MOUNT, VOLUME("a") "," TMP_VOLUME)));
    const struct wm_replicas_state *r = wm_replicas_of(put(
        WM_KIND_REPLICASET,
        "{" META("vm",
                 "d-1") ",\"labels\":{\"pod-template-hash\":\"5d9\"},\"annotations\":{"
                        "\"deployment.kubernetes.io/revision\":\"7\"}},\"spec\":{\"replicas\":2,"
                        "\"template\":{\"metadata\":{\"labels\":{\"a\":\"b\",\"pod-template-hash\":"
                        "\"5d9\"},\"annotations\":{}},\"spec\":{\"containers\":[{\"name\":"
                        "\"provider\",\"image\":\"r/vs:v1\",\"volumeMounts\":[" MOUNT(
                            "a") "," TMP_MOUNT
                                 "]}],\"volumes\":[" VOLUME(
                                     "a") "," TMP_VOLUME "]}}},\"status\":{\"replicas\":1,"
                                          "\"conditions\":[{\"type\":\"ReplicaFailure\",\"status\":\"True\","
                                          "\"reason\":\"FailedCreate\",\"lastTransitionTime\":\"" T1 "\","
                                          "\"message\":\"exceeded quota: pods\"}]}}"));

    assert_int_equal(r->revision, 7);
    assert_int_equal(r->wanted, 2);
    assert_int_equal(r->replicas, 1);
    assert_string_equal(r->hash, "5d9");
    assert_true(r->failing);
    assert_int_equal(r->failing_s, T1_S);
    assert_string_equal(r->failure, "exceeded quota: pods");
    assert_true(r->template_.rest == deployment.rest);
    assert_string_equal(wm_template_claim(&r->template_, 0), "a");
}

static void claims_beyond_the_maximum_are_left_out(void **state)
{
    wm_auto_buf struct wm_buf json = WM_BUF_MAX(1 << 16);

    (void)state;
    wm_buf_puts(&json, "{" META("vm", "d") "},\"spec\":{\"template\":{\"spec\":{\"volumes\":[");
    for (int i = 0; i < WM_TEMPLATE_CLAIMS_MAX + 5; i++)
        wm_buf_printf(
            &json, "%s{\"name\":\"migration-%0240d\",\"persistentVolumeClaim\":{\"claimName\":\"%0240d\"}}",
            i ? "," : "", i, i);
    wm_buf_puts(&json, "]}}}}");
    struct wm_template t = template_of(json.p);

    assert_int_equal(t.n_claims, WM_TEMPLATE_CLAIMS_MAX);
    assert_int_equal(strlen(wm_template_claim(&t, WM_TEMPLATE_CLAIMS_MAX - 1)), 240);
}

/* --- rollouts --- */

struct rollout {
    const char *name, *counts;
    bool done;
};
#define COUNTS(generation, observed, replicas, updated, available)                                           \
    "{" META("vm", "d") ",\"generation\":" #generation "},\"spec\":{\"replicas\":2},\"status\":{"            \
                        "\"observedGeneration\":" #observed ",\"replicas\":" #replicas                       \
                        ",\"updatedReplicas\":" #updated ",\"availableReplicas\":" #available "}}"

static const struct rollout rollouts[] = {
    {"done", COUNTS(3, 3, 2, 2, 2), true},
    {"not seen yet", COUNTS(3, 2, 2, 2, 2), false},
    {"an old pod is still there", COUNTS(3, 3, 3, 2, 2), false},
    {"a new pod is missing", COUNTS(3, 3, 2, 1, 2), false},
    {"a new pod is not available", COUNTS(3, 3, 2, 2, 1), false},
};

static void check_rollout(void **state)
{
    const struct rollout *row = *state;

    begin(NULL);
    assert_int_equal(wm_server_is_rolled_out(wm_server_of(put(WM_KIND_DEPLOYMENT, row->counts))), row->done);
    end(NULL);
}

static void a_deployment_tells_whose_it_is_and_how_it_rolls(void **state)
{
    (void)state;
    const struct wm_server_state *d = wm_server_of(put(
        WM_KIND_DEPLOYMENT,
        "{" META("vm", "virtrigaud-provider-vm-vs") ",\"generation\":4,\"annotations\":{"
                                                    "\"deployment.kubernetes.io/revision\":\"3\"},"
                                                    "\"ownerReferences\":[{\"kind\":\"Provider\",\"name\":"
                                                    "\"vs\",\"uid\":\"u\"}]},\"spec\":{\"strategy\":{"
                                                    "\"type\":\"Recreate\"},\"progressDeadlineSeconds\":90},"
                                                    "\"status\":{\"observedGeneration\":4,\"conditions\":["
                                                    "{\"type\":\"Available\",\"status\":\"False\","
                                                    "\"reason\":\"MinimumReplicasUnavailable\","
                                                    "\"lastTransitionTime\":\"" T1 "\"},"
                                                    "{\"type\":\"Progressing\",\"status\":\"False\","
                                                    "\"reason\":\"ProgressDeadlineExceeded\","
                                                    "\"lastUpdateTime\":\"" T2 "\"}]}}"));

    assert_string_equal(d->provider, "vs");
    assert_true(d->recreates && d->available_known && !d->available && d->late && !d->failing);
    assert_int_equal(d->revision, 3);
    assert_int_equal(d->deadline_s, 90);
    assert_int_equal(d->wanted, 1);
    assert_int_equal(d->available_s, T1_S);
    assert_int_equal(d->progress_s, T2_S);
    assert_string_equal(d->reason, "MinimumReplicasUnavailable");
    assert_string_equal(d->progress, "ProgressDeadlineExceeded");
    d = wm_server_of(
        put(WM_KIND_DEPLOYMENT,
            "{" META("vm", "x") ",\"labels\":{\"app.kubernetes.io/name\":\"virtrigaud-provider\","
                                "\"app.kubernetes.io/instance\":\"lv\"}}}"));
    assert_string_equal(d->provider, "lv");
    assert_int_equal(d->deadline_s, 600);
    assert_string_equal(wm_server_of(put(WM_KIND_DEPLOYMENT, "{" META("vm", "y") "}}"))->provider, "");
}

/* --- VirtRigaud's own --- */

static void a_provider_tells_what_does_not_change_and_what_does(void **state)
{
    (void)state;
    const struct wm_provider_state *p = wm_provider_of(put(
        WM_KIND_PROVIDER,
        "{" META("vm", "vs") "},\"spec\":{\"type\":\"vsphere\",\"runtime\":{\"image\":\"r/vs:v1\"}},"
                             "\"status\":{\"healthy\":true,\"conditions\":[{\"type\":\"ProviderAvailable\","
                             "\"status\":\"True\"},{\"type\":\"ProviderRuntimeReady\",\"status\":\"False\","
                             "\"reason\":\"DeploymentError\",\"message\":\"invalid volume name\","
                             "\"lastTransitionTime\":\"" T1 "\"}]}}"));

    assert_true(p->available && p->runtime_known && !p->runtime_ready);
    assert_int_equal(p->runtime_s, T1_S);
    assert_string_equal(p->type, "vsphere");
    assert_string_equal(p->image, "r/vs:v1");
    assert_string_equal(p->reason, "DeploymentError");
    assert_string_equal(p->message, "invalid volume name");
    p = wm_provider_of(put(WM_KIND_PROVIDER, "{" META("vm", "new") "}}"));
    assert_false(p->available || p->runtime_known);
}

/* Its controller writes the time of its last check with every round. */
static void a_health_check_changes_nothing(void **state)
{
    (void)state;
    put(WM_KIND_PROVIDER, "{" META("vm", "vs") "},\"status\":{\"lastHealthCheck\":\"" T1 "\"}}");
    put(WM_KIND_PROVIDER, "{" META("vm", "vs") "},\"status\":{\"lastHealthCheck\":\"" T2 "\"}}");
    assert_int_equal(changes, 1);
}

static void a_machine_tells_its_provider_and_whether_it_is_ready(void **state)
{
    (void)state;
    const struct wm_machine_state *m = wm_machine_of(put(
        WM_KIND_MACHINE,
        "{" META("vm", "web") "},\"spec\":{\"providerRef\":{\"name\":\"vs\",\"namespace\":\"other\"}},"
                              "\"status\":{\"id\":\"vm-7\",\"powerState\":\"On\",\"conditions\":[{\"type\":"
                              "\"Ready\",\"status\":\"False\",\"reason\":\"WaitingForDependencies\","
                              "\"message\":\"VMClass small not found\",\"lastTransitionTime\":\"" T1
                              "\"}]}}"));

    assert_true(m->has_id && m->ready_known && !m->ready);
    assert_int_equal(m->ready_s, T1_S);
    assert_string_equal(m->provider, "vs");
    assert_string_equal(m->provider_namespace, "other");
    assert_string_equal(m->power, "On");
    assert_string_equal(m->reason, "WaitingForDependencies");
    assert_string_equal(m->message, "VMClass small not found");
    assert_false(wm_machine_of(put(WM_KIND_MACHINE, "{" META("vm", "x") "}}"))->has_id);
}

static void a_pod_of_a_provider_tells_its_template_and_since_when_it_is_ready(void **state)
{
    (void)state;
    const struct wm_pod_state *p = wm_pod_of(put(
        WM_KIND_POD,
        "{" META("vm", "vs-1") ",\"deletionTimestamp\":\"" T2 "\",\"deletionGracePeriodSeconds\":30,"
                               "\"labels\":{\"app.kubernetes.io/name\":\"virtrigaud-provider\","
                               "\"app.kubernetes.io/instance\":\"vs\",\"pod-template-hash\":\"5d9\"}},"
                               "\"spec\":{\"volumes\":[" VOLUME(
                                   "a") "]},\"status\":{\"phase\":\"Running\","
                                        "\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\","
                                        "\"lastTransitionTime\":\"" T1
                                        "\"}],\"containerStatuses\":[{\"name\":\"provider\","
                                        "\"ready\":true,\"restartCount\":2,\"state\":{\"running\":{}}}]}}"));

    assert_int_equal(p->component, WM_COMPONENT_PROVIDER);
    assert_string_equal(p->template_, "5d9");
    assert_true(p->ready && wm_pod_mounts(p, "a") && !wm_pod_mounts(p, "b"));
    assert_int_equal(p->ready_s, T1_S);
    assert_int_equal(p->grace_s, 30);
    assert_int_equal(p->restarts, 2);
    assert_non_null(p->trouble);
    assert_int_equal(p->trouble->going_s, T2_S);
}

/* --- EndpointSlices --- */

#define SLICE(more, endpoints)                                                                               \
    "{" META("vm", "vs-s") ",\"labels\":{\"kubernetes.io/service-name\":\"vs\"}" more                        \
                           "},\"addressType\":\"IPv4\",\"endpoints\":" endpoints "}"
#define POD "\"targetRef\":{\"kind\":\"Pod\",\"name\":\"p\",\"uid\":\"pod-uid\"}"
#define CONDITIONS(c) "[{\"conditions\":{" c "}," POD "}]"

static const struct slice {
    const char *name, *json;
    int ready;
} slices[] = {
    {"ready", SLICE("", CONDITIONS("\"ready\":true,\"serving\":true,\"terminating\":false")), 1},
    {"not told", SLICE("", "[{" POD "}]"), 1},
    {"null is not told", SLICE("", CONDITIONS("\"ready\":null")), 1},
    {"not ready", SLICE("", CONDITIONS("\"ready\":false")), 0},
    {"about to end, and serving still",
     SLICE("", CONDITIONS("\"ready\":false,\"serving\":true,\"terminating\":true")), 0},
    {"about to end, of a Service that publishes all",
     SLICE("", CONDITIONS("\"ready\":true,\"serving\":true,\"terminating\":true")), 0},
    {"no endpoints", SLICE("", "null"), 0},
};

static void check_slice(void **state)
{
    const struct slice *row = *state;

    begin(NULL);
    const struct wm_slice_state *s = wm_slice_of(put(WM_KIND_ENDPOINTSLICE, row->json));

    assert_string_equal(s->service, "vs");
    assert_int_equal(s->ready, row->ready);
    assert_int_equal(wm_id_is(s->pods[0], wm_id_of(wm_str_of("pod-uid"))), row->ready);
    end(NULL);
}

#define TRIGGERED(t) ",\"annotations\":{\"endpoints.kubernetes.io/last-change-trigger-time\":\"" t "\"}"
#define WRITTEN(t)                                                                                           \
    ",\"managedFields\":[{\"manager\":\"kube-controller-manager\",\"time\":\"" T1 "\"},{\"time\":\"" t       \
    "\"},{}]"

static void a_slice_tells_when_it_became_what_it_is(void **state)
{
    (void)state;
    assert_int_equal(wm_slice_of(put(WM_KIND_ENDPOINTSLICE, SLICE("", "[]")))->changed_s, 0);
    assert_int_equal(
        wm_slice_of(put(WM_KIND_ENDPOINTSLICE, SLICE(TRIGGERED("2026-11-21T07:18:00.123456789Z"), "[]")))
            ->changed_s,
        T1_S);
    assert_int_equal(
        wm_slice_of(put(WM_KIND_ENDPOINTSLICE, SLICE(TRIGGERED(T1) WRITTEN(T2), "[]")))->changed_s, T2_S);
}

static void endpoints_beyond_the_maximum_are_counted(void **state)
{
    wm_auto_buf struct wm_buf json = WM_BUF_MAX(1 << 16);

    (void)state;
    wm_buf_puts(&json, "{" META("vm", "vs-s") "},\"endpoints\":[{}");
    for (int i = 0; i < WM_SLICE_PODS_MAX; i++)
        wm_buf_puts(&json, ",{" POD "}");
    wm_buf_puts(&json, "]}");
    const struct wm_slice_state *s = wm_slice_of(put(WM_KIND_ENDPOINTSLICE, json.p));

    assert_int_equal(s->ready, WM_SLICE_PODS_MAX + 1);
    assert_false(wm_id_is_set(s->pods[0]));
    assert_true(wm_id_is_set(s->pods[WM_SLICE_PODS_MAX - 1]));
    assert_string_equal(s->service, "");
}

/* --- all --- */

static void broken_shapes_tell_nothing(void **state)
{
    static const char *const shapes[] = {
        "{" META("vm", "x") "},\"spec\":[],\"status\":7}",
        "{" META("vm", "x") ",\"generation\":\"g\",\"labels\":7,\"annotations\":[],\"ownerReferences\":{}},"
                            "\"spec\":{\"template\":7,\"replicas\":\"two\",\"providerRef\":[],\"runtime\":1},"
                            "\"status\":{\"conditions\":{}}}",
        "{" META("vm",
                 "x") "},\"spec\":{\"template\":{\"metadata\":1,\"spec\":{\"containers\":[7,{}],"
                      "\"volumes\":[7,{\"name\":7},{\"name\":\"migration-a\","
                      "\"persistentVolumeClaim\":{\"claimName\":7}}]}}},\"status\":{\"conditions\":[7]}}",
        "{" META("vm", "x") ",\"labels\":[],\"managedFields\":[7,{\"time\":7}]},"
                            "\"endpoints\":[7,{\"conditions\":[],\"targetRef\":7}]}",
    };
    static const enum wm_kind kinds[] = {WM_KIND_DEPLOYMENT, WM_KIND_REPLICASET, WM_KIND_PROVIDER,
                                         WM_KIND_MACHINE, WM_KIND_ENDPOINTSLICE};

    (void)state;
    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++)
        for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
            const struct wm_record *r = put(kinds[k], shapes[i]);

            assert_non_null(r->detail);
            assert_string_equal(wm_server_of(r)->provider, "");
            assert_int_equal(wm_server_of(r)->template_.n_claims, 0);
            assert_string_equal(wm_replicas_of(r)->hash, "");
            assert_string_equal(wm_provider_of(r)->image, "");
            assert_string_equal(wm_machine_of(r)->provider, "");
            assert_string_equal(wm_slice_of(r)->service, "");
            wm_model_remove(model, 0, r->id);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_template_tells_its_claims_in_its_order),
        TEST(a_replicaset_has_the_template_of_its_deployment),
        TEST(claims_beyond_the_maximum_are_left_out),
        TEST(a_deployment_tells_whose_it_is_and_how_it_rolls),
        TEST(a_provider_tells_what_does_not_change_and_what_does),
        TEST(a_health_check_changes_nothing),
        TEST(a_machine_tells_its_provider_and_whether_it_is_ready),
        TEST(a_pod_of_a_provider_tells_its_template_and_since_when_it_is_ready),
        TEST(a_slice_tells_when_it_became_what_it_is),
        TEST(endpoints_beyond_the_maximum_are_counted),
        TEST(broken_shapes_tell_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) + RUN_TABLE("rests", rests, check_rest) +
           RUN_TABLE("rollouts", rollouts, check_rollout) + RUN_TABLE("slices", slices, check_slice);
}
