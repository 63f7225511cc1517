/* What is kept of Events, claims, classes, attachments and Nodes: from objects as API servers give them, and
 * from such as nobody should. */
#include <signal.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "evidence_fixture.h"
#include "lib/diag/details_impl.h"

/* --- Events --- */

#define REGARDING(kind, uid)                                                                                 \
    "\"involvedObject\":{\"kind\":\"" kind "\",\"namespace\":\"app\",\"name\":\"p\",\"uid\":\"" uid "\"}"

static void an_event_of_the_old_kind_tells_times_count_and_source(void **state)
{
    (void)state;
    const struct wm_event_state *e = wm_event_of(
        put(WM_KIND_EVENT, "{" META("app", "p.17") ",\"creationTimestamp\":\"" T1 "\"}," REGARDING(
                               "Pod", "pod-uid") ","
                                                 "\"type\":\"Warning\",\"reason\":\"FailedAttachVolume\","
                                                 "\"count\":12,\"eventTime\":null,"
                                                 "\"firstTimestamp\":\"" T1 "\",\"lastTimestamp\":\"" T2
                                                 "\",\"reportingComponent\":\"\","
                                                 "\"source\":{\"component\":\"attachdetach-controller\"},"
                                                 "\"message\":\"Multi-Attach error for volume \\\"pvc-1\\\" "
                                                 "Volume is already used by pod(s) x\"}"));

    assert_true(e->warning);
    assert_int_equal(e->count, 12);
    assert_int_equal(e->first_s, T1_S);
    assert_int_equal(e->last_s, T2_S);
    assert_string_equal(e->reason, "FailedAttachVolume");
    assert_string_equal(e->message,
                        "Multi-Attach error for volume \"pvc-1\" Volume is already used by pod(s) x");
    assert_string_equal(e->kind, "Pod");
    assert_string_equal(e->namespace_, "app");
    assert_string_equal(e->name, "p");
    assert_string_equal(e->component, "attachdetach-controller");
}

static void an_event_of_the_new_kind_has_a_series_where_the_old_times_are_null(void **state)
{
    (void)state;
    const struct wm_event_state *e = wm_event_of(put(
        WM_KIND_EVENT,
        "{" META("app", "p.18") "}," REGARDING(
            "Pod", "pod-uid") ",\"type\":\"Warning\","
                              "\"reason\":\"FailedScheduling\",\"eventTime\":\"2026-11-21T07:18:00.123456Z\","
                              "\"series\":{\"count\":7,\"lastObservedTime\":\"2026-11-21T08:18:00.000000Z\"},"
                              "\"firstTimestamp\":null,\"lastTimestamp\":null,\"source\":{},"
                              "\"reportingComponent\":\"default-scheduler\",\"message\":\"m\"}"));

    assert_int_equal(e->first_s, T1_S);
    assert_int_equal(e->last_s, T2_S);
    assert_int_equal(e->count, 7);
    assert_string_equal(e->component, "default-scheduler");
}

static void an_event_that_tells_nothing_was_when_it_was_made(void **state)
{
    (void)state;
    const struct wm_event_state *e =
        wm_event_of(put(WM_KIND_EVENT, "{" META("app", "p.19") ",\"creationTimestamp\":\"" T1 "\"}}"));

    assert_int_equal(e->first_s, T1_S);
    assert_int_equal(e->last_s, T1_S);
    assert_int_equal(e->count, 1);
    assert_false(e->warning);
    assert_string_equal(e->reason, "");
    assert_string_equal(e->component, "");
}

static void a_long_message_is_cut_at_a_whole_character(void **state)
{
    wm_auto_buf struct wm_buf json = WM_BUF_MAX(64 << 10);

    (void)state;
    wm_buf_puts(&json, "{" META("app", "p.20") "},\"message\":\"x");
    for (int i = 0; i < 2000; i++)
        wm_buf_puts(&json, "\xc3\xa4");
    wm_buf_puts(&json, "\"}");
    const char *message = wm_event_of(put(WM_KIND_EVENT, json.p))->message;
    size_t n = strlen(message);

    assert_true(n > 500 && n <= 512);
    assert_string_equal(message + n - 3, "...");
    assert_int_equal((n - 3 - 1) % 2, 0);
}

static void events_are_the_children_of_what_they_are_about_and_no_part_of_its_tree(void **state)
{
    static struct wm_situation s;
    struct wm_world w = {.model = model};

    (void)state;
    put(WM_KIND_MIGMIGRATION, "{" META("openshift-migration", "m") "}}");
    const struct wm_record *pod =
        put(WM_KIND_POD, "{" META("app", "p") ",\"labels\":{\"migmigration\":\"uid of m\"}}}");
    struct wm_id id = pod->id, m = wm_id_of(wm_str_of("uid of m"));

    put(WM_KIND_EVENT, "{" META("app", "p.21") "}," REGARDING("Pod", "uid of p") "}");
    put(WM_KIND_EVENT, "{" META("app", "m.22") "}," REGARDING("MigMigration", "uid of m") "}");
    const struct wm_record *child = wm_model_children(model, id);

    assert_string_equal(wm_record_name(child), "p.21");
    assert_null(wm_model_next_child(child, id));
    wm_situation_of(&w, wm_model_find(model, 0, m), &s);
    assert_int_equal(s.n_twigs, 1);
    assert_int_equal(s.tree[0].record->kind, WM_KIND_POD);
    assert_int_equal(s.progress[WM_KIND_EVENT].objects, 0);
}

static const struct matter {
    const char *name, *json;
    bool matters;
} matters[] = {
    {"a warning about a pod",
     "{\"involvedObject\":{\"kind\":\"Pod\"},\"type\":\"Warning\",\"reason\":\"Failed\"}", true},
    {"what an image waits for is no warning",
     "{\"involvedObject\":{\"kind\":\"Pod\"},\"type\":\"Normal\",\"reason\":\"BackOff\"}", true},
    {"a claim that waits for its first consumer",
     "{\"involvedObject\":{\"kind\":\"PersistentVolumeClaim\"},\"type\":\"Normal\","
     "\"reason\":\"WaitForFirstConsumer\"}",
     true},
    {"a quota in the way of a ReplicaSet",
     "{\"involvedObject\":{\"kind\":\"ReplicaSet\"},\"type\":\"Warning\",\"reason\":\"FailedCreate\"}", true},
    {"what went well", "{\"involvedObject\":{\"kind\":\"Pod\"},\"type\":\"Normal\",\"reason\":\"Pulled\"}",
     false},
    {"a kind that plays no part",
     "{\"involvedObject\":{\"kind\":\"HorizontalPodAutoscaler\"},\"type\":\"Warning\",\"reason\":\"x\"}",
     false},
    {"our own, as new ones name us",
     "{\"involvedObject\":{\"kind\":\"MigMigration\"},\"reportingComponent\":\"waymark.io/aggregator\"}",
     false},
    {"our own, as old ones name us",
     "{\"involvedObject\":{\"kind\":\"MigMigration\"},\"source\":{\"component\":\"waymark.io/aggregator\"}}",
     false},
    {"mig-controller's",
     "{\"involvedObject\":{\"kind\":\"MigMigration\"},\"source\":{\"component\":\"migmigration-controller\"}"
     "}",
     true},
    {"about nothing", "{\"type\":\"Warning\"}", false},
    {"no object", "[]", false},
    {"no JSON", "{", false},
};

static void check_matter(void **state)
{
    const struct matter *m = *state;

    assert_int_equal(wm_event_matters(wm_str_of(m->json)), m->matters);
}

/* --- volumes --- */

static void a_claim_tells_what_it_asks_for_and_what_it_got(void **state)
{
    (void)state;
    const struct wm_record *r = put(
        WM_KIND_PVC,
        "{" META(
            "app",
            "data") ",\"deletionTimestamp\":\"" T1 "\","
                    "\"finalizers\":[\"kubernetes.io/pvc-protection\"],\"annotations\":{"
                    "\"volume.kubernetes.io/selected-node\":\"node-1\"},\"labels\":{"
                    "\"virtrigaud.io/migration\":\"vm-1\"}},\"spec\":{\"accessModes\":[\"ReadWriteOnce\","
                    "\"ReadWriteMany\",\"Sometimes\"],\"storageClassName\":\"gold\",\"volumeName\":\"pvc-1\","
                    "\"resources\":{\"requests\":{\"storage\":\"10Gi\"}}},\"status\":{\"phase\":\"Bound\"}}");
    const struct wm_claim_state *c = wm_claim_of(r);

    assert_string_equal(wm_model_word(model, r->phase), "Bound");
    assert_int_equal(c->access_modes, WM_ACCESS_RWO | WM_ACCESS_RWX);
    assert_true(c->class_set && c->in_use_protected);
    assert_int_equal(c->requested, INT64_C(10) << 30);
    assert_int_equal(c->going_s, T1_S);
    assert_string_equal(c->storage_class, "gold");
    assert_string_equal(c->volume, "pvc-1");
    assert_string_equal(c->node, "node-1");
    assert_string_equal(c->vm_migration, "vm-1");
}

static void no_class_and_the_empty_class_are_different(void **state)
{
    (void)state;
    const struct wm_claim_state *c = wm_claim_of(put(WM_KIND_PVC, "{" META("app", "a") "},\"spec\":{}}"));

    assert_false(c->class_set);
    assert_int_equal(c->requested, -1);
    c = wm_claim_of(put(WM_KIND_PVC, "{" META("app", "b") "},\"spec\":{\"storageClassName\":\"\"}}"));
    assert_true(c->class_set);
    assert_string_equal(c->storage_class, "");
    c = wm_claim_of(put(WM_KIND_PVC,
                        "{" META("app", "c") ",\"annotations\":{"
                                             "\"volume.beta.kubernetes.io/storage-class\":\"old\"}}}"));
    assert_string_equal(c->storage_class, "old");
}

#define CLUSTER_META(name) "\"metadata\":{\"name\":\"" name "\",\"uid\":\"uid of " name "\""

static void a_class_tells_its_provisioner_and_when_it_binds(void **state)
{
    (void)state;
    const struct wm_class_state *c =
        wm_class_of(put(WM_KIND_STORAGECLASS,
                        "{" CLUSTER_META("gold") ",\"annotations\":{"
                                                 "\"storageclass.kubernetes.io/is-default-class\":\"true\"}},"
                                                 "\"provisioner\":\"ebs.csi.aws.com\",\"volumeBindingMode\":"
                                                 "\"WaitForFirstConsumer\"}"));

    assert_true(c->waits_for_consumer && c->is_default);
    assert_string_equal(c->provisioner, "ebs.csi.aws.com");
    c = wm_class_of(put(WM_KIND_STORAGECLASS, "{" CLUSTER_META("plain") "},\"provisioner\":7}"));
    assert_false(c->waits_for_consumer || c->is_default);
}

static void an_attachment_tells_its_node_its_volume_and_its_error(void **state)
{
    (void)state;
    const struct wm_record *r = put(
        WM_KIND_ATTACHMENT,
        "{" CLUSTER_META("csi-1") "},\"spec\":{\"attacher\":\"ebs.csi.aws.com\","
                                  "\"nodeName\":\"node-1\",\"source\":{\"persistentVolumeName\":\"pvc-1\"}},"
                                  "\"status\":{\"attached\":false,\"attachError\":{\"time\":\"" T1 "\","
                                  "\"message\":\"volume is in use\"}}}");
    const struct wm_attachment_state *a = wm_attachment_of(r);

    assert_string_equal(wm_record_node(r), "node-1");
    assert_false(a->attached);
    assert_int_equal(a->error_s, T1_S);
    assert_string_equal(a->attacher, "ebs.csi.aws.com");
    assert_string_equal(a->node, "node-1");
    assert_string_equal(a->volume, "pvc-1");
    assert_string_equal(a->error, "volume is in use");
    a = wm_attachment_of(put(WM_KIND_ATTACHMENT,
                             "{" CLUSTER_META("csi-2") ",\"deletionTimestamp\":\"" T2 "\"},"
                                                       "\"status\":{\"attached\":true,\"detachError\":{"
                                                       "\"message\":\"node is gone\"}}}"));
    assert_true(a->attached);
    assert_int_equal(a->going_s, T2_S);
    assert_string_equal(a->error, "node is gone");
}

/* --- Nodes --- */

#define NODE(spec, status, heartbeat)                                                                        \
    "{" CLUSTER_META(                                                                                        \
        "node-1") "},\"spec\":{" spec "},\"status\":{\"conditions\":[{\"type\":\"DiskPressure\","            \
                  "\"status\":\"False\"},{\"type\":\"Ready\",\"status\":\"" status                           \
                  "\",\"reason\":\"NodeStatusUnknown\","                                                     \
                  "\"message\":\"Kubelet stopped posting node status.\",\"lastHeartbeatTime\":\"" heartbeat  \
                  "\","                                                                                      \
                  "\"lastTransitionTime\":\"" T1 "\"}]}}"

static void a_node_that_is_lost_says_so(void **state)
{
    (void)state;
    const struct wm_node_state *n = wm_node_of(
        put(WM_KIND_NODE,
            NODE("\"unschedulable\":true,\"taints\":[{\"key\":\"node.kubernetes.io/unreachable\","
                 "\"effect\":\"NoExecute\"},{\"key\":\"a\",\"value\":\"b\",\"effect\":\"NoSchedule\"},"
                 "{\"key\":\"c\",\"effect\":\"PreferNoSchedule\"},7]",
                 "Unknown", T1)));

    assert_false(n->ready || n->ready_known);
    assert_true(n->unschedulable && n->unreachable);
    assert_int_equal(n->ready_s, T1_S);
    assert_string_equal(n->reason, "NodeStatusUnknown");
    assert_string_equal(n->message, "Kubelet stopped posting node status.");
    assert_string_equal(n->taints, "node.kubernetes.io/unreachable:NoExecute, a=b:NoSchedule");
    n = wm_node_of(put(WM_KIND_NODE, NODE("", "False", T1)));
    assert_true(n->ready_known && !n->ready && !n->unreachable && !n->unschedulable);
    n = wm_node_of(put(WM_KIND_NODE, NODE("", "True", T1)));
    assert_true(n->ready_known && n->ready);
}

static void a_heartbeat_changes_nothing(void **state)
{
    (void)state;
    put(WM_KIND_NODE, NODE("", "True", T1));
    assert_int_equal(changes, 1);
    const void *detail = put(WM_KIND_NODE, NODE("", "True", T2))->detail;

    assert_int_equal(changes, 1);
    assert_ptr_equal(put(WM_KIND_NODE, NODE("", "True", T1))->detail, detail);
    put(WM_KIND_NODE, NODE("\"unschedulable\":true", "True", T2));
    assert_int_equal(changes, 2);
}

/* --- Jobs --- */

static void a_job_that_failed_says_by_what(void **state)
{
    (void)state;
    const struct wm_job_state *j = wm_job_of(
        put(WM_KIND_JOB, "{" META("app", "hook") "},\"status\":{\"conditions\":[{\"type\":\"Failed\","
                                                 "\"status\":\"True\",\"reason\":\"DeadlineExceeded\"}]}}"));

    assert_true(j->failed);
    assert_string_equal(j->failed_reason, "DeadlineExceeded");
}

/* --- all --- */

/* Members that are of other kinds than they should be, and none at all. */
static void broken_shapes_tell_nothing(void **state)
{
    static const char *const shapes[] = {
        "{" META("app", "x") "}}",
        "{" META("app",
                 "x") ",\"ownerReferences\":{},\"finalizers\":\"f\",\"labels\":[],\"annotations\":7},"
                      "\"spec\":[],\"status\":\"s\",\"involvedObject\":[],\"series\":7,\"source\":null}",
        "{" META("app",
                 "x") ",\"deletionTimestamp\":\"soon\",\"ownerReferences\":[null,7],\"finalizers\":[7]},"
                      "\"spec\":{\"volumes\":[7,{\"persistentVolumeClaim\":7}],\"accessModes\":[{}],"
                      "\"taints\":[{\"key\":7}],\"resources\":{\"requests\":{\"storage\":10}},"
                      "\"source\":\"s\"},\"status\":{\"conditions\":[7,{\"type\":7}],\"attachError\":\"e\"},"
                      "\"count\":-3,\"firstTimestamp\":\"never\",\"eventTime\":7,\"provisioner\":{},"
                      "\"message\":{\"a\":1},\"reason\":[1]}",
    };
    static const enum wm_kind kinds[] = {WM_KIND_EVENT,        WM_KIND_POD,        WM_KIND_PVC,
                                         WM_KIND_STORAGECLASS, WM_KIND_ATTACHMENT, WM_KIND_NODE};

    (void)state;
    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++)
        for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
            const struct wm_record *r = put(kinds[k], shapes[i]);

            assert_non_null(r->detail);
            assert_int_equal(wm_pod_of(r)->n_claims, 0);
            assert_int_equal(wm_event_of(r)->first_s, 0);
            assert_string_equal(wm_claim_of(r)->storage_class, "");
            assert_string_equal(wm_class_of(r)->provisioner,
                                kinds[k] == WM_KIND_STORAGECLASS && i == 2 ? "{}" : "");
            assert_string_equal(wm_attachment_of(r)->error, "");
            assert_false(wm_node_of(r)->ready);
            wm_model_remove(model, 0, put(kinds[k], shapes[i])->id);
        }
}

static void a_record_without_detail_tells_nothing_and_no_text_is_missing(void **state)
{
    struct wm_record r = {.kind = WM_KIND_POD};

    (void)state;
    assert_string_equal(wm_pod_claim(wm_pod_of(&r), 0), "");
    assert_string_equal(wm_event_of(&r)->message, "");
    assert_string_equal(wm_claim_of(&r)->node, "");
    assert_int_equal(wm_claim_of(&r)->requested, -1);
    assert_string_equal(wm_class_of(&r)->provisioner, "");
    assert_string_equal(wm_attachment_of(&r)->volume, "");
    assert_string_equal(wm_node_of(&r)->taints, "");
}

/* --- states with texts --- */

struct many {
    uint64_t digest;
    const char *texts[WM_TEXTS_MAX + 1];
};

static struct many *made_with(size_t n, struct wm_str text)
{
    struct wm_texts t;
    struct many head;

    wm_texts_begin(&t, &head, sizeof head);
    for (size_t i = 0; i < n; i++)
        wm_texts_put(&t, offsetof(struct many, texts) + i * sizeof head.texts[0], text);
    return wm_texts_close(&t, &head, sizeof head);
}

static void a_state_has_at_most_so_many_texts(void **state)
{
    struct many *all = made_with(WM_TEXTS_MAX, wm_str_of("x"));
    int status = 0;

    (void)state;
    for (int i = 0; i < WM_TEXTS_MAX; i++)
        assert_string_equal(all->texts[i], "x");
    free(all);

    pid_t child = fork();

    if (child == 0) {
        setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
        signal(SIGABRT, SIG_DFL);
        close(STDERR_FILENO);
        made_with(WM_TEXTS_MAX + 1, wm_str_of("x"));
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

static void a_text_without_room_is_empty(void **state)
{
    static char text[WM_TEXT_ROOM + 1];

    (void)state;
    memset(text, 'x', sizeof text);
    struct many *none = made_with(2, (struct wm_str){text, sizeof text});
    struct many *one = made_with(2, (struct wm_str){text, sizeof text - 1});

    assert_string_equal(none->texts[0], "");
    assert_string_equal(none->texts[1], "");
    assert_int_equal(strlen(one->texts[0]), WM_TEXT_ROOM);
    assert_string_equal(one->texts[1], "");
    free(none);
    free(one);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_event_of_the_old_kind_tells_times_count_and_source),
        TEST(an_event_of_the_new_kind_has_a_series_where_the_old_times_are_null),
        TEST(an_event_that_tells_nothing_was_when_it_was_made),
        TEST(a_long_message_is_cut_at_a_whole_character),
        TEST(events_are_the_children_of_what_they_are_about_and_no_part_of_its_tree),
        TEST(a_claim_tells_what_it_asks_for_and_what_it_got),
        TEST(no_class_and_the_empty_class_are_different),
        TEST(a_class_tells_its_provisioner_and_when_it_binds),
        TEST(an_attachment_tells_its_node_its_volume_and_its_error),
        TEST(a_node_that_is_lost_says_so),
        TEST(a_heartbeat_changes_nothing),
        TEST(a_job_that_failed_says_by_what),
        TEST(broken_shapes_tell_nothing),
        TEST(a_state_has_at_most_so_many_texts),
        TEST(a_text_without_room_is_empty),
        TEST(a_record_without_detail_tells_nothing_and_no_text_is_missing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) + RUN_TABLE("matters", matters, check_matter);
}
