/* What is kept of Pods: what they mount, and what hinders them. */
#include "evidence_fixture.h"

/* --- Pods --- */

#define POD(more) "{" META("app", "p") "}," more "}"

static void a_pod_that_is_well_keeps_flags_and_claims_only(void **state)
{
    (void)state;
    const struct wm_pod_state *pod = wm_pod_of(
        put(WM_KIND_POD,
            POD("\"spec\":{\"volumes\":[{\"name\":\"c\",\"configMap\":{\"name\":\"x\"}},"
                "{\"name\":\"d\",\"persistentVolumeClaim\":{\"claimName\":\"data\"}},"
                "{\"name\":\"l\",\"persistentVolumeClaim\":{\"claimName\":\"logs\",\"readOnly\":true}}]},"
                "\"status\":{\"phase\":\"Running\",\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\"}],"
                "\"containerStatuses\":[{\"name\":\"a\",\"ready\":true,\"restartCount\":2}],"
                "\"initContainerStatuses\":[{\"name\":\"i\",\"restartCount\":1}]}")));

    assert_true(pod->ready);
    assert_null(pod->trouble);
    assert_int_equal(pod->restarts, 3);
    assert_int_equal(pod->n_claims, 2);
    assert_string_equal(wm_pod_claim(pod, 0), "data");
    assert_string_equal(wm_pod_claim(pod, 1), "logs");
    assert_string_equal(wm_pod_claim(pod, 2), "");
    assert_string_equal(wm_pod_claim(pod, -1), "");
    assert_true(wm_pod_mounts(pod, "logs"));
    assert_false(wm_pod_mounts(pod, "log"));
}

static void claims_beyond_the_maximum_are_left_out(void **state)
{
    wm_auto_buf struct wm_buf json = WM_BUF_MAX(64 << 10);

    (void)state;
    wm_buf_puts(&json, "{" META("app", "p") "},\"spec\":{\"volumes\":[{}");
    for (int i = 0; i < 2 * WM_CLAIMS_MAX; i++)
        wm_buf_printf(&json, ",{\"persistentVolumeClaim\":{\"claimName\":\"claim-%d\"}}", i);
    wm_buf_puts(&json, "]},\"status\":{\"phase\":\"Succeeded\"}}");
    const struct wm_pod_state *pod = wm_pod_of(put(WM_KIND_POD, json.p));

    assert_int_equal(pod->n_claims, WM_CLAIMS_MAX);
    assert_string_equal(wm_pod_claim(pod, WM_CLAIMS_MAX - 1), "claim-7");
    assert_null(pod->trouble);
}

static void a_pod_without_a_node_says_why(void **state)
{
    (void)state;
    const struct wm_pod_trouble *t =
        wm_pod_of(
            put(WM_KIND_POD,
                "{" META("app",
                         "p") ",\"ownerReferences\":[{\"kind\":\"X\",\"name\":\"x\"},"
                              "{\"kind\":\"ReplicaSet\",\"name\":\"web-559d\",\"controller\":true}]},"
                              "\"status\":{\"phase\":\"Pending\",\"conditions\":[{\"type\":\"PodScheduled\","
                              "\"status\":\"False\",\"reason\":\"Unschedulable\","
                              "\"lastTransitionTime\":\"" T1
                              "\",\"message\":\"0/3 nodes are available: 3 pod "
                              "has unbound immediate PersistentVolumeClaims.\"}]}}"))
            ->trouble;

    assert_non_null(t);
    assert_string_equal(t->unscheduled, "Unschedulable");
    assert_string_equal(t->unscheduled_message,
                        "0/3 nodes are available: 3 pod has unbound immediate PersistentVolumeClaims.");
    assert_int_equal(t->unscheduled_s, T1_S);
    assert_string_equal(t->owner_kind, "ReplicaSet");
    assert_string_equal(t->owner, "web-559d");
    assert_string_equal(t->container, "");
    assert_int_equal(t->now, WM_CONTAINER_UNKNOWN);
    assert_int_equal(t->exit_code, -1);
}

#define STATUS(name, more) "{\"name\":\"" name "\",\"image\":\"i\",\"restartCount\":0," more "}"
#define WAITING(reason) "\"state\":{\"waiting\":{\"reason\":\"" reason "\",\"message\":\"m\"}}"
#define ENDED(reason, code)                                                                                  \
    "\"state\":{\"terminated\":{\"reason\":\"" reason "\",\"exitCode\":" code ",\"finishedAt\":\"" T2 "\"}}"
#define RUNNING "\"state\":{\"running\":{\"startedAt\":\"" T1 "\"}}"
#define LISTS(init, others) "\"initContainerStatuses\":[" init "],\"containerStatuses\":[" others "]"

/* Which container is named, and in which state. */
static const struct hanging {
    const char *name, *lists, *container;
    bool is_init;
    int index, init_done, init_total;
    enum wm_container_now now;
    const char *reason;
    int exit_code;
    int64_t state_s;
} hangings[] = {
    {"an image that does not come",
     LISTS("", STATUS("a", RUNNING ",\"ready\":true") "," STATUS("sleep-0", WAITING("ImagePullBackOff"))),
     "sleep-0", false, 1, 0, 0, WM_CONTAINER_WAITING, "ImagePullBackOff", -1, 0},
    {"a wait container that is not started",
     LISTS(STATUS("restic-wait", WAITING("PodInitializing")), STATUS("web", WAITING("PodInitializing"))),
     "restic-wait", true, 0, 0, 1, WM_CONTAINER_WAITING, "PodInitializing", -1, 0},
    {"a wait container that runs",
     LISTS(STATUS("first", ENDED("Completed", "0") ",\"ready\":true") "," STATUS("restore-wait",
                                                                                 RUNNING ",\"ready\":false"),
           STATUS("web", WAITING("PodInitializing"))),
     "restore-wait", true, 1, 1, 2, WM_CONTAINER_RUNNING, "", -1, T1_S},
    {"an init container that has ended counts, even where it is not called ready",
     LISTS(STATUS("first", "\"state\":{\"terminated\":{\"exitCode\":0}}"),
           STATUS("web", WAITING("ContainerCreating"))),
     "web", false, 0, 1, 1, WM_CONTAINER_WAITING, "ContainerCreating", -1, 0},
    {"a sidecar that runs among the init containers is no hindrance",
     LISTS(STATUS("proxy", RUNNING ",\"ready\":true,\"started\":true"),
           STATUS("web", RUNNING ",\"ready\":false")),
     "web", false, 0, 1, 1, WM_CONTAINER_RUNNING, "", -1, T1_S},
    {"an init container that fails",
     LISTS(STATUS("init", ENDED("Error", "2")), STATUS("web", WAITING("PodInitializing"))), "init", true, 0,
     0, 1, WM_CONTAINER_TERMINATED, "Error", 2, T2_S},
    {"what fails is named before what only waits",
     LISTS(STATUS("wait", RUNNING), STATUS("web", WAITING("CreateContainerConfigError"))), "web", false, 0, 0,
     1, WM_CONTAINER_WAITING, "CreateContainerConfigError", -1, 0},
    {"an end for want of memory is none that is well", LISTS("", STATUS("web", ENDED("OOMKilled", "0"))),
     "web", false, 0, 0, 0, WM_CONTAINER_TERMINATED, "OOMKilled", 0, T2_S},
    {"no containers", "\"x\":1", "", false, 0, 0, 0, WM_CONTAINER_UNKNOWN, "", -1, 0},
    {"lists that are none", "\"initContainerStatuses\":7,\"containerStatuses\":{\"a\":\"b\"}", "", false, 0,
     0, 0, WM_CONTAINER_UNKNOWN, "", -1, 0},
    {"items that are none", LISTS("null", "7,\"x\",[]"), "", true, 0, 0, 1, WM_CONTAINER_UNKNOWN, "", -1, 0},
    {"a state that is none", LISTS("", STATUS("web", "\"state\":\"running\"")), "web", false, 0, 0, 0,
     WM_CONTAINER_UNKNOWN, "", -1, 0},
};

static void check_hanging(void **state)
{
    const struct hanging *h = *state;
    wm_auto_buf struct wm_buf json = WM_BUF_MAX(64 << 10);

    begin(NULL);
    wm_buf_printf(&json, POD("\"status\":{\"phase\":\"Pending\",%s}"), h->lists);
    const struct wm_pod_trouble *t = wm_pod_of(put(WM_KIND_POD, json.p))->trouble;

    assert_non_null(t);
    assert_string_equal(t->container, h->container);
    assert_int_equal(t->is_init, h->is_init);
    assert_int_equal(t->index, h->index);
    assert_int_equal(t->init_done, h->init_done);
    assert_int_equal(t->init_total, h->init_total);
    assert_int_equal(t->now, h->now);
    assert_string_equal(t->state_reason, h->reason);
    assert_int_equal(t->exit_code, h->exit_code);
    assert_int_equal(t->state_s, h->state_s);
    end(NULL);
}

static void veleros_pod_tells_how_it_ended_the_last_time_even_when_it_is_well(void **state)
{
    (void)state;
    const struct wm_pod_state *pod = wm_pod_of(put(
        WM_KIND_POD,
        "{" META(
            "velero",
            "velero-x") ",\"labels\":{\"component\":\"velero\"}},\"status\":{"
                        "\"phase\":\"Running\",\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\"}],"
                        "\"containerStatuses\":[{\"name\":\"velero\",\"ready\":true,\"restartCount\":7,"
                        "\"state\":{\"running\":{\"startedAt\":\"" T2 "\"}},\"lastState\":{\"terminated\":{"
                        "\"reason\":\"OOMKilled\",\"exitCode\":137,\"finishedAt\":\"" T1 "\"}}}]}}"));

    assert_true(pod->ready);
    assert_int_equal(pod->component, WM_COMPONENT_VELERO);
    assert_non_null(pod->trouble);
    assert_string_equal(pod->trouble->container, "velero");
    assert_int_equal(pod->trouble->now, WM_CONTAINER_RUNNING);
    assert_int_equal(pod->trouble->state_s, T2_S);
    assert_int_equal(pod->trouble->restarts, 7);
    assert_string_equal(pod->trouble->last_reason, "OOMKilled");
    assert_int_equal(pod->trouble->last_exit_code, 137);
    assert_int_equal(pod->trouble->last_s, T1_S);
}

static void a_pod_that_goes_says_since_when_and_why(void **state)
{
    (void)state;
    const struct wm_pod_trouble *t =
        wm_pod_of(put(WM_KIND_POD,
                      "{" META("app", "p") ",\"deletionTimestamp\":\"" T1
                                           "\"},\"status\":{\"phase\":\"Running\","
                                           "\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\"},{"
                                           "\"type\":\"DisruptionTarget\","
                                           "\"status\":\"True\",\"reason\":\"DeletionByTaintManager\","
                                           "\"message\":\"Taint manager: deleting\"}]}}"))
            ->trouble;

    assert_int_equal(t->going_s, T1_S);
    assert_string_equal(t->reason, "DeletionByTaintManager");
    assert_string_equal(t->reason_message, "Taint manager: deleting");
    t = wm_pod_of(put(WM_KIND_POD, POD("\"status\":{\"phase\":\"Failed\",\"reason\":\"Evicted\"}")))->trouble;
    assert_int_equal(t->going_s, 0);
    assert_string_equal(t->reason, "Evicted");
    assert_string_equal(t->reason_message, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_pod_that_is_well_keeps_flags_and_claims_only),
        TEST(claims_beyond_the_maximum_are_left_out),
        TEST(a_pod_without_a_node_says_why),
        TEST(veleros_pod_tells_how_it_ended_the_last_time_even_when_it_is_well),
        TEST(a_pod_that_goes_says_since_when_and_why),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) + RUN_TABLE("hangings", hangings, check_hanging);
}
