/* The pods of a provider's Deployment: when each of them served. */
#include "restarts_impl.h"

int64_t wm_pod_memo_end(const struct wm_pod_memo *p)
{
    return p->let_go_s ? p->let_go_s : p->failed_s ? p->failed_s : p->gone_s;
}

int64_t wm_pod_memo_ready(const struct wm_pod_memo *p)
{
    const struct wm_stay *last = p->n_stays ? &p->stays[p->n_stays - 1] : NULL;

    return last && !last->to_s ? last->from_s : 0;
}

struct wm_pod_memo *wm_server_pod(const struct wm_server_memo *s, struct wm_id id)
{
    for (size_t i = 0; i < s->n_pods; i++)
        if (wm_id_is(s->pods[i].id, id))
            return &s->pods[i];
    return NULL;
}

/* --- stays --- */

static void begin_stay(struct wm_pod_memo *p, int64_t from_s)
{
    if (p->n_stays == WM_STAYS_MAX) {
        memmove(&p->stays[1], &p->stays[2], (WM_STAYS_MAX - 2) * sizeof p->stays[0]);
        p->n_stays--;
    }
    p->stays[p->n_stays++] = (struct wm_stay){from_s, 0};
}

static void end_stay(struct wm_pod_memo *p, int64_t to_s)
{
    struct wm_stay *last = p->n_stays ? &p->stays[p->n_stays - 1] : NULL;

    if (last && !last->to_s)
        last->to_s = to_s > last->from_s ? to_s : last->from_s;
}

/* It was not ready for a moment that was not seen: the container's end tells when that began. */
static void bridge(struct wm_pod_memo *p, int64_t ready_s)
{
    const struct wm_stay *last = &p->stays[p->n_stays - 1];

    end_stay(p, p->died_s > last->from_s && p->died_s < ready_s ? p->died_s : ready_s);
    begin_stay(p, ready_s);
}

static void see_ready(struct wm_pod_memo *p, int64_t ready_s, int64_t now_s)
{
    const struct wm_stay *last = p->n_stays ? &p->stays[p->n_stays - 1] : NULL;

    if (last && !last->to_s) {
        if (ready_s > last->from_s)
            bridge(p, ready_s);
    } else if (!last || ((ready_s > last->from_s || !ready_s) && !wm_pod_memo_end(p))) {
        begin_stay(p, ready_s ? ready_s : now_s);
    }
}

/* --- one pod --- */

static void see_trouble(struct wm_pod_memo *p, const struct wm_pod_state *pod)
{
    const struct wm_pod_trouble *t = pod->trouble;

    if (!t)
        return;
    if (t->going_s) {
        /* deletionTimestamp is when its grace is over; one that has none at all is gone at once */
        p->let_go_s = t->going_s - pod->grace_s;
        if (!p->why[0])
            wm_line_copy(p->why, sizeof p->why, wm_str_of(t->reason));
    }
    if (t->last_s > p->died_s || (t->now == WM_CONTAINER_TERMINATED && t->state_s > p->died_s)) {
        bool now = t->now == WM_CONTAINER_TERMINATED && t->state_s > t->last_s;

        p->died_s = now ? t->state_s : t->last_s;
        wm_line_copy(p->died_of, sizeof p->died_of, wm_str_of(now ? t->state_reason : t->last_reason));
        wm_line_copy(p->last_words, sizeof p->last_words,
                     wm_str_of(now ? t->state_message : t->last_message));
    }
}

static void see_end(struct wm_pod_memo *p, const struct wm_model *m, const struct wm_record *r, int64_t now_s)
{
    const struct wm_pod_state *pod = wm_pod_of(r);
    const char *phase = wm_model_word(m, r->phase);

    if ((strcmp(phase, "Failed") != 0 && strcmp(phase, "Succeeded") != 0) || p->failed_s)
        return;
    p->failed_s = !pod->ready && pod->ready_s ? pod->ready_s : now_s;
    if (pod->trouble)
        wm_line_copy(p->why, sizeof p->why, wm_str_of(pod->trouble->reason));
}

static void see_pod(struct wm_pod_memo *p, const struct wm_model *m, const struct wm_record *r, int64_t now_s)
{
    const struct wm_pod_state *pod = wm_pod_of(r);

    p->seen_s = now_s;
    p->created_s = r->created_s;
    see_trouble(p, pod);
    p->restarts = pod->restarts;
    if (pod->ready)
        see_ready(p, pod->ready_s, now_s);
    else
        end_stay(p, pod->ready_s ? pod->ready_s : now_s);
    see_end(p, m, r, now_s);
    if (p->let_go_s)
        end_stay(p, p->let_go_s);
}

/* One that vanished unseen served until its successor came, at the latest. */
static void miss_pod(struct wm_pod_memo *p, int64_t now_s)
{
    if (p->gone_s)
        return;
    p->gone_s = now_s;
    end_stay(p, now_s);
}

/* --- all of them --- */

static void make_room(struct wm_server_memo *s)
{
    size_t oldest = 0;

    for (size_t i = 1; i < s->n_pods; i++)
        if ((s->pods[i].gone_s && !s->pods[oldest].gone_s) ||
            (!s->pods[i].gone_s == !s->pods[oldest].gone_s &&
             s->pods[i].created_s < s->pods[oldest].created_s))
            oldest = i;
    s->pods[oldest] = s->pods[--s->n_pods];
}

static void meet_pod(const struct wm_glance *g, const struct wm_record *set, const struct wm_record *r)
{
    struct wm_server_memo *s = g->server;

    if (r->kind != WM_KIND_POD || wm_server_pod(s, r->id))
        return;
    if (s->n_pods == WM_LEDGER_PODS_MAX)
        make_room(s);
    struct wm_pod_memo *p = &s->pods[s->n_pods++];

    *p = (struct wm_pod_memo){.id = r->id};
    wm_line_copy(p->name, sizeof p->name, wm_str_of(wm_record_name(r)));
    wm_line_copy(p->hash, sizeof p->hash, wm_str_of(wm_replicas_of(set)->hash));
    if (!p->hash[0])
        wm_line_copy(p->hash, sizeof p->hash, wm_str_of(wm_pod_of(r)->template_));
}

void wm_server_see_pods(const struct wm_glance *g)
{
    struct wm_server_memo *s = g->server;

    for (size_t i = 0; i < g->n_sets; i++)
        for (const struct wm_record *r = wm_model_children(g->m, g->sets[i]->id); r;
             r = wm_model_next_child(r, g->sets[i]->id))
            meet_pod(g, g->sets[i], r);
    for (size_t i = 0; i < s->n_pods; i++) {
        const struct wm_record *r = wm_model_find(g->m, 0, s->pods[i].id);

        if (r)
            see_pod(&s->pods[i], g->m, r, g->now_s);
        else
            miss_pod(&s->pods[i], g->now_s);
    }
}

void wm_server_forget(struct wm_server_memo *s, int64_t keep_s, int64_t now_s)
{
    enum { KEEP_S = 300 };
    int64_t to_s = keep_s < now_s - KEEP_S ? keep_s : now_s - KEEP_S, since_s;

    if (to_s <= s->horizon_s)
        return;
    wm_server_down(s, s->horizon_s, to_s, &since_s);
    if (since_s) /* since when nobody serves is not forgotten while it is so */
        to_s = since_s;
    s->down_s += wm_server_down(s, s->horizon_s, to_s, &since_s);
    s->horizon_s = to_s;
    wm_server_forget_aways(s, to_s);
    for (size_t i = 0; i < s->n_pods;)
        if (s->pods[i].gone_s && s->pods[i].gone_s < to_s)
            s->pods[i] = s->pods[--s->n_pods];
        else
            i++;
}
