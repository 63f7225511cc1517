/* Why a restart does not get on. */
#include "restarts_impl.h"

/* What a new pod's container, the scheduler or the kubelet says, and does not heal by itself
 * (kubernetes pkg/kubelet/images/types.go, pkg/kubelet/container/sync_result.go). */
static const char *const bad_reasons[] = {
    "ImagePullBackOff", "ErrImagePull",         "ErrImageNeverPull",          "InvalidImageName",
    "CrashLoopBackOff", "CreateContainerError", "CreateContainerConfigError", "RunContainerError",
    "StartError",       "PostStartHookError",   "RegistryUnavailable",        "ImageInspectError",
};
static const char *const bad_events[] = {"FailedAttachVolume", "FailedMount", "FailedMapVolume"};
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct sign {
    const char *reason, *message;
    int64_t since_s; /* 0 = there is none */
};

static bool is_among(const char *word, const char *const list[], size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(list[i], word) == 0)
            return true;
    return false;
}

/* --- of a pod --- */

/* A wait has no time of its own: it is at least as old as the last end of its container, or as its pod. */
static struct sign sign_of_container(const struct wm_pod_trouble *t, int64_t created_s)
{
    const char *last = t->last_message[0] ? t->last_message : t->last_reason;

    if (t->now == WM_CONTAINER_WAITING && is_among(t->state_reason, bad_reasons, COUNT(bad_reasons)))
        return (struct sign){t->state_reason, t->state_message[0] ? t->state_message : last, created_s};
    if (t->now == WM_CONTAINER_TERMINATED && t->exit_code > 0 && t->restarts > 0)
        return (struct sign){"CrashLoopBackOff", t->state_reason, created_s};
    return (struct sign){0};
}

static struct sign sign_of_events(const struct wm_model *m, const struct wm_record *pod)
{
    struct sign sign = {0};

    for (const struct wm_record *r = wm_model_children(m, pod->id); r; r = wm_model_next_child(r, pod->id)) {
        const struct wm_event_state *e = wm_event_of(r);
        int64_t since_s = e->first_s ? e->first_s : r->created_s;

        if (r->kind == WM_KIND_EVENT && e->warning && is_among(e->reason, bad_events, COUNT(bad_events)) &&
            (!sign.since_s || since_s < sign.since_s))
            sign = (struct sign){e->reason, e->message, since_s};
    }
    return sign;
}

static struct sign sign_of_pod(const struct wm_model *m, const struct wm_record *pod)
{
    const struct wm_pod_state *state = wm_pod_of(pod);
    const struct wm_pod_trouble *t = state->trouble;
    struct sign sign = {0};

    if (state->ready || pod->going || !t)
        return sign;
    sign = sign_of_container(t, pod->created_s);
    if (!sign.since_s && t->unscheduled[0])
        sign = (struct sign){t->unscheduled, t->unscheduled_message,
                             t->unscheduled_s ? t->unscheduled_s : pod->created_s};
    return sign.since_s ? sign : sign_of_events(m, pod);
}

static struct sign sign_of_pods(const struct wm_glance *g, const struct wm_entry *e)
{
    struct sign first = {0};

    for (size_t i = 0; i < g->server->n_pods; i++) {
        const struct wm_pod_memo *p = &g->server->pods[i];
        const struct wm_record *r = wm_entry_is_new(e, p) ? wm_model_find(g->m, 0, p->id) : NULL;
        struct sign sign = r ? sign_of_pod(g->m, r) : (struct sign){0};

        if (sign.since_s && (!first.since_s || sign.since_s < first.since_s))
            first = sign;
    }
    return first;
}

/* --- of what makes pods --- */

static struct sign sign_of_sets(const struct wm_glance *g)
{
    const struct wm_server_state *s = g->state;
    const struct wm_replicas_state *top = g->n_sets ? wm_replicas_of(g->sets[0]) : NULL;

    if (top && top->failing)
        return (struct sign){"FailedCreate", top->failure, wm_later(top->failing_s, 1)};
    if (s->failing)
        return (struct sign){"FailedCreate", s->failure, wm_later(s->failing_s, 1)};
    return (struct sign){0};
}

/* --- time alone --- */

static int64_t last_step(const struct wm_glance *g, const struct wm_entry *e)
{
    int64_t step_s = wm_later(e->r.begun_s, e->r.let_go_s);

    for (size_t i = 0; i < g->server->n_pods; i++) {
        const struct wm_pod_memo *p = &g->server->pods[i];

        if (!wm_entry_is_new(e, p))
            continue;
        step_s = wm_later(step_s, p->created_s);
        if (p->n_stays)
            step_s = wm_later(step_s, p->stays[p->n_stays - 1].from_s);
    }
    return step_s;
}

static void get_stuck(struct wm_restart *r, const struct sign *sign)
{
    r->stuck_s = wm_later(sign->since_s, r->begun_s);
    wm_line_copy(r->stuck, sizeof r->stuck, wm_str_of(sign->reason));
    if (r->kind != WM_RESTART_CONTAINER) /* that one's tells how the container ended */
        wm_line_copy(r->message, sizeof r->message, wm_str_of(sign->message));
}

static void get_on(struct wm_restart *r)
{
    if (r->stuck_s && r->kind != WM_RESTART_CONTAINER)
        r->message[0] = '\0';
    r->stuck_s = 0;
    r->stuck[0] = '\0';
}

void wm_entry_find_stuck(const struct wm_glance *g, struct wm_entry *e)
{
    struct wm_restart *r = &e->r;
    struct sign sign = {0};
    int64_t quiet_s = last_step(g, e);

    get_on(r);
    if (r->ended_s || r->kind == WM_RESTART_SCALED)
        return;
    sign = sign_of_pods(g, e);
    if (!sign.since_s)
        sign = sign_of_sets(g);
    if (sign.since_s && g->now_s >= wm_later(sign.since_s, r->begun_s) + g->l->signal_s)
        get_stuck(r, &sign);
    else if (g->state->late && r->kind == WM_RESTART_ROLLOUT)
        get_stuck(r, &(struct sign){"ProgressDeadlineExceeded", "", wm_later(g->state->progress_s, 1)});
    else if (g->now_s >= quiet_s + g->l->patience_s)
        get_stuck(r, &(struct sign){"NoProgress", "", quiet_s});
}

/* --- of a first start --- */

bool wm_server_start_sticks(const struct wm_glance *g)
{
    struct wm_entry e = {.r = {.kind = WM_RESTART_ROLLOUT, .begun_s = g->server->created_s}};

    if (g->n_sets)
        wm_line_copy(e.hash, sizeof e.hash, wm_str_of(wm_replicas_of(g->sets[0])->hash));
    wm_entry_find_stuck(g, &e);
    return e.r.stuck_s != 0;
}
