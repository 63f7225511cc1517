/* Of a pod: what it mounts and, when it does not work, what it hangs on. */
#include <stddef.h>
#include <stdio.h>

#include "details_impl.h"

/* A state as it is allocated; a pod that is well has no second half. */
struct made {
    struct wm_pod_state pod;
    struct wm_pod_trouble trouble;
};
#define AT(member) offsetof(struct made, trouble.member)

enum { REASON_MAX = WM_WORD_MAX, NAME_MAX_N = WM_NAME_MAX, CONTAINER_MESSAGE_MAX = 384 };

static bool is_label(const struct wm_parts *p, const char *key, const char *value)
{
    return wm_json_span_is(wm_get_span(p->labels, key), value);
}

/* The pods that copy volumes bear Velero's component, too; their own names changed with Velero 1.10
 * (velero pkg/install/daemonset.go; mig-operator's templates). */
static enum wm_component component_of(const struct wm_parts *p)
{
    return is_label(p, "name", "restic") || is_label(p, "name", "node-agent") ||
                   is_label(p, "role", "node-agent")
               ? WM_COMPONENT_NODE_AGENT
           : is_label(p, "component", "velero")                           ? WM_COMPONENT_VELERO
           : is_label(p, "app.kubernetes.io/name", "virtrigaud-provider") ? WM_COMPONENT_PROVIDER
                                                                          : WM_COMPONENT_OTHER;
}

/* --- what it mounts --- */

static void put_claims(struct wm_texts *t, const struct wm_parts *p, struct wm_pod_state *pod)
{
    wm_auto_buf struct wm_buf names = WM_BUF_MAX(WM_CLAIMS_MAX * (NAME_MAX_N + 1));
    wm_name name;

    for (struct wm_json_value v = wm_json_first(wm_json_get(p->spec, "volumes"));
         v.node && pod->n_claims < WM_CLAIMS_MAX; v = wm_json_after(v))
        if (wm_span_copy(wm_get_span(wm_json_get(v, "persistentVolumeClaim"), "claimName"), name,
                         sizeof name)) {
            wm_buf_add(&names, name, strlen(name) + 1);
            pod->n_claims++;
        }
    wm_texts_put(t, offsetof(struct made, pod.claims), wm_buf_text(&names));
}

/* Named so by Velero (pkg/restorehelper, until 1.9 pkg/restic), which puts it into the pods that it restores.
 */
static bool waits_for_data(const struct wm_parts *p)
{
    for (struct wm_json_value v = wm_json_first(wm_json_get(p->spec, "initContainers")); v.node;
         v = wm_json_after(v)) {
        struct wm_json_span name = wm_get_span(v, "name");

        if (wm_json_span_is(name, "restore-wait") || wm_json_span_is(name, "restic-wait"))
            return true;
    }
    return false;
}

/* --- its containers --- */

struct container {
    struct wm_json_value status, state; /* state: the inner object */
    bool is_init;
    int index;
    enum wm_container_now now;
};

static void read_state(struct container *c)
{
    static const char *const states[] = {
        [WM_CONTAINER_WAITING] = "waiting",
        [WM_CONTAINER_RUNNING] = "running",
        [WM_CONTAINER_TERMINATED] = "terminated",
    };
    struct wm_json_value state = wm_json_get(c->status, "state");

    for (int now = WM_CONTAINER_WAITING; now <= WM_CONTAINER_TERMINATED; now++) {
        struct wm_json_value inner = wm_json_get(state, states[now]);

        if (wm_json_kind_of(inner) != WM_JSON_OBJECT)
            continue;
        c->state = inner;
        c->now = (enum wm_container_now)now;
        return;
    }
}

static bool has_ended_well(const struct container *c)
{
    return c->now == WM_CONTAINER_TERMINATED && wm_number_at(c->state, "exitCode") == 0 &&
           (!wm_is_set(c->state, "reason") || wm_json_span_is(wm_get_span(c->state, "reason"), "Completed"));
}

/* "PodInitializing" and "ContainerCreating" are what every pod goes through. */
static bool is_bad(const struct container *c)
{
    struct wm_json_span reason = wm_get_span(c->state, "reason");

    if (c->now == WM_CONTAINER_TERMINATED)
        return !has_ended_well(c);
    return c->now == WM_CONTAINER_WAITING && wm_is_set(c->state, "reason") &&
           !wm_json_span_is(reason, "PodInitializing") && !wm_json_span_is(reason, "ContainerCreating");
}

/* An init container is ready once it has ended, one that stays beside the others (a sidecar) once it runs. */
static bool is_unready(const struct container *c)
{
    return !wm_is_true(c->status, "ready") && !has_ended_well(c);
}

static bool is_any(const struct container *c)
{
    return c->status.node != 0;
}

typedef bool container_fn(const struct container *c);

static bool find_in(const struct wm_parts *p, bool init, container_fn *fits, struct container *ret)
{
    struct wm_json_value list = wm_json_get(p->status, init ? "initContainerStatuses" : "containerStatuses");
    int index = 0;

    for (struct wm_json_value v = wm_json_first(list); v.node; v = wm_json_after(v), index++) {
        *ret = (struct container){.status = v, .is_init = init, .index = index};
        read_state(ret);
        if (fits(ret))
            return true;
    }
    return false;
}

/* All zero when there is none. */
static struct container chosen_of(const struct wm_parts *p, enum wm_component component)
{
    struct container c;

    if (find_in(p, true, is_bad, &c) || find_in(p, false, is_bad, &c) || find_in(p, true, is_unready, &c) ||
        find_in(p, false, is_unready, &c) ||
        (component != WM_COMPONENT_OTHER && find_in(p, false, is_any, &c)))
        return c;
    return (struct container){0};
}

static void count_init(const struct wm_parts *p, struct wm_pod_trouble *t)
{
    struct wm_json_value list = wm_json_get(p->status, "initContainerStatuses");

    t->init_total = (int)wm_json_count(list);
    for (struct wm_json_value v = wm_json_first(list); v.node; v = wm_json_after(v)) {
        struct container c = {.status = v};

        read_state(&c);
        t->init_done += !is_unready(&c);
    }
}

static void put_container(struct wm_texts *t, const struct wm_parts *p, struct made *m)
{
    struct container c = chosen_of(p, (enum wm_component)m->pod.component);
    struct wm_json_value last = wm_json_get(wm_json_get(c.status, "lastState"), "terminated");
    struct wm_pod_trouble *to = &m->trouble;

    to->is_init = c.is_init;
    to->index = c.index;
    to->now = c.now;
    to->exit_code = c.now == WM_CONTAINER_TERMINATED ? wm_number_at(c.state, "exitCode") : -1;
    to->state_s = wm_time_at(c.state, c.now == WM_CONTAINER_TERMINATED ? "finishedAt" : "startedAt");
    to->restarts = wm_number_at(c.status, "restartCount");
    to->last_exit_code = wm_number_at(last, "exitCode");
    to->last_s = wm_time_at(last, "finishedAt");
    wm_texts_line(t, AT(container), wm_get_span(c.status, "name"), REASON_MAX);
    wm_texts_line(t, AT(image), wm_get_span(c.status, "image"), CONTAINER_MESSAGE_MAX);
    wm_texts_line(t, AT(state_reason), wm_get_span(c.state, "reason"), REASON_MAX);
    wm_texts_line(t, AT(state_message), wm_get_span(c.state, "message"), CONTAINER_MESSAGE_MAX);
    wm_texts_line(t, AT(last_reason), wm_get_span(last, "reason"), REASON_MAX);
    wm_texts_line(t, AT(last_message), wm_get_span(last, "message"), CONTAINER_MESSAGE_MAX);
}

/* --- the pod --- */

static struct wm_json_value owner_of(const struct wm_parts *p)
{
    struct wm_json_value first = wm_json_first(p->owners);

    for (struct wm_json_value v = first; v.node; v = wm_json_after(v))
        if (wm_is_true(v, "controller"))
            return v;
    return first;
}

/* A Deployment's ReplicaSet is called after it and the hash that its pods are labelled with
 * (kubernetes pkg/controller/deployment/sync.go), a DeploymentConfig's ReplicationController after it and a
 * number. */
static void put_workload(struct wm_texts *t, const struct wm_parts *p)
{
    wm_name kind = "", name = "", hash = "", config = "";
    char text[2 * sizeof(wm_name) + 16];
    struct wm_json_value owner = owner_of(p);

    wm_span_copy(wm_get_span(owner, "kind"), kind, sizeof kind);
    wm_span_copy(wm_get_span(owner, "name"), name, sizeof name);
    wm_span_copy(wm_get_span(p->labels, "pod-template-hash"), hash, sizeof hash);
    wm_span_copy(wm_get_span(p->annotations, "openshift.io/deployment-config.name"), config, sizeof config);

    size_t n = strlen(name), hash_n = strlen(hash), config_n = strlen(config);

    if (strcmp(kind, "ReplicaSet") == 0 && hash_n > 0 && n > hash_n + 1 &&
        strcmp(name + n - hash_n, hash) == 0 && name[n - hash_n - 1] == '-')
        snprintf(text, sizeof text, "deployment/%.*s", (int)(n - hash_n - 1), name);
    else if (strcmp(kind, "ReplicationController") == 0 && config_n > 0 &&
             strncmp(name, config, config_n) == 0 && name[config_n] == '-')
        snprintf(text, sizeof text, "deploymentconfig/%s", config);
    else
        snprintf(text, sizeof text, "%s%s%s", kind, kind[0] ? "/" : "", name);
    for (char *c = text; *c && *c != '/'; c++)
        *c = (char)(*c >= 'A' && *c <= 'Z' ? *c - 'A' + 'a' : *c);
    wm_texts_put(t, offsetof(struct made, pod.workload), wm_str_of(text));
}

static void put_unscheduled(struct wm_texts *t, const struct wm_parts *p, struct wm_pod_trouble *to)
{
    struct wm_json_value c = wm_any_condition(p->status, "PodScheduled");

    if (!wm_json_span_is(wm_get_span(c, "status"), "False"))
        c = (struct wm_json_value){0};
    to->unscheduled_s = wm_time_at(c, "lastTransitionTime");
    wm_texts_line(t, AT(unscheduled), wm_get_span(c, "reason"), REASON_MAX);
    wm_texts_line(t, AT(unscheduled_message), wm_get_span(c, "message"), WM_NOTE_MAX);
}

/* Since Kubernetes 1.26 who ends a pod says why in a condition, where status.reason stays empty. */
static void put_reason(struct wm_texts *t, const struct wm_parts *p)
{
    struct wm_json_value told = {0}, from = p->status;

    if (!wm_is_set(p->status, "reason"))
        from = told = wm_condition(p->status, "DisruptionTarget");
    wm_texts_line(t, AT(reason), wm_get_span(from, "reason"), REASON_MAX);
    wm_texts_line(t, AT(reason_message), wm_get_span(told, "message"), WM_NOTE_MAX);
}

static void put_trouble(struct wm_texts *t, const struct wm_parts *p, struct made *m)
{
    struct wm_json_value owner = owner_of(p);

    m->trouble.going_s = wm_time_in(p->going);
    count_init(p, &m->trouble);
    put_reason(t, p);
    wm_texts_line(t, AT(owner_kind), wm_get_span(owner, "kind"), REASON_MAX);
    wm_texts_line(t, AT(owner), wm_get_span(owner, "name"), NAME_MAX_N);
    put_unscheduled(t, p, &m->trouble);
    put_container(t, p, m);
}

static int restarts_in(struct wm_json_value list)
{
    int n = 0;

    for (struct wm_json_value c = wm_json_first(list); c.node; c = wm_json_after(c))
        n += wm_number_at(c, "restartCount");
    return n;
}

void *wm_pod_make(const struct wm_parts *p)
{
    struct wm_texts t;
    struct made m;

    wm_texts_begin(&t, &m, sizeof m);
    m.pod.is_stage_pod = is_label(p, "migration.openshift.io/is-stage-pod", "True");
    m.pod.is_application_pod = is_label(p, "migration.openshift.io/is-application-pod", "True");
    m.pod.is_registry = is_label(p, "migration.openshift.io/migration-registry", "True");
    m.pod.is_velero_instance = is_label(p, "app.kubernetes.io/instance", "velero");
    m.pod.ready = wm_condition_is_true(p->status, "Ready");
    m.pod.ready_s = wm_time_at(wm_any_condition(p->status, "Ready"), "lastTransitionTime");
    m.pod.grace_s = p->grace_s;
    m.pod.waits_for_data = waits_for_data(p);
    m.pod.component = (uint8_t)component_of(p);
    m.pod.restarts = restarts_in(wm_json_get(p->status, "containerStatuses")) +
                     restarts_in(wm_json_get(p->status, "initContainerStatuses"));
    put_claims(&t, p, &m.pod);
    put_workload(&t, p);
    wm_texts_line(&t, offsetof(struct made, pod.template_), wm_get_span(p->labels, "pod-template-hash"),
                  REASON_MAX);

    bool well = m.pod.ready || wm_json_span_is(wm_get_span(p->status, "phase"), "Succeeded");

    if (well && p->going.kind != WM_JSON_STRING && m.pod.component == WM_COMPONENT_OTHER)
        return wm_texts_close(&t, &m, sizeof m.pod);
    put_trouble(&t, p, &m);
    struct made *made = wm_texts_close(&t, &m, sizeof m);

    made->pod.trouble = &made->trouble;
    return made;
}
