/* Restarts of kinds B to D: a pod, a container, the number of pods. */
#include <stdio.h>

#include "restarts_impl.h"

/* A ReplicaSet makes another pod as soon as one is told to end, or has ended. */
enum { SOON_S = 60, SLACK_S = 5 };

/* The last rollout: what is needed of it. */
struct rolled {
    int revision;
    int64_t begun_s;
    wm_word hash; /* of its new pods; "" = none is known */
};

static struct rolled last_rollout(const struct wm_glance *g)
{
    struct rolled last = {0};

    for (size_t i = 0; i < g->l->n; i++) {
        const struct wm_entry *e = g->l->entries[i];

        if (!wm_id_is(e->server, g->server->id) || e->r.kind != WM_RESTART_ROLLOUT ||
            e->r.to_revision <= last.revision)
            continue;
        last.revision = e->r.to_revision;
        last.begun_s = e->r.begun_s;
        memcpy(last.hash, e->hash, sizeof last.hash);
    }
    return last;
}

/* --- B --- */

static bool set_wants_pods(const struct wm_glance *g, const char *hash)
{
    for (size_t i = 0; i < g->n_sets; i++)
        if (strcmp(wm_replicas_of(g->sets[i])->hash, hash) == 0)
            return wm_replicas_of(g->sets[i])->wanted > 0;
    return false;
}

/* It came in the place of `old`, which did not make room for a rollout. */
static bool is_successor(const struct wm_glance *g, const struct rolled *last, const struct wm_pod_memo *old,
                         const struct wm_pod_memo *new)
{
    int64_t end_s = wm_pod_memo_end(old);
    int64_t from_s = old->let_go_s || old->failed_s ? end_s : old->seen_s;

    if (old == new || !end_s || strcmp(old->hash, new->hash) != 0 || new->created_s <= old->created_s ||
        new->created_s < from_s - SLACK_S || new->created_s > end_s + SOON_S)
        return false;
    if (strcmp(last->hash, new->hash) == 0) /* a ReplicaSet may be used again */
        return end_s >= last->begun_s;
    return set_wants_pods(g, new->hash);
}

/* Each pod follows one, and each is followed by one: the first that fits. */
static bool is_taken(const struct wm_glance *g, const struct wm_pod_memo *old, const struct wm_pod_memo *new)
{
    for (size_t i = 0; i < g->l->n; i++) {
        const struct wm_entry *e = g->l->entries[i];

        if (e->r.kind == WM_RESTART_REPLACED && wm_id_is(e->server, g->server->id) &&
            wm_id_is(e->old, old->id) != wm_id_is(e->new, new->id))
            return true;
    }
    return false;
}

static void look_at_successor(const struct wm_glance *g, const struct wm_pod_memo *old,
                              const struct wm_pod_memo *new)
{
    struct wm_entry *e = wm_entry_open(g, WM_RESTART_REPLACED, old->id, 0);
    struct wm_restart *r = &e->r;
    int64_t end_s = wm_pod_memo_end(old);

    if (e->sealed)
        return;
    e->old = old->id;
    e->new = new->id;
    r->cause = WM_RESTART_POD;
    r->begun_s = new->created_s;
    r->let_go_s = end_s < new->created_s || old->let_go_s ? end_s : new->created_s;
    memcpy(r->pod, new->name, sizeof r->pod);
    memcpy(r->why, old->why, sizeof r->why);
    if (new->n_stays)
        r->ended_s = new->stays[0].from_s;
    else if (wm_pod_memo_end(new))
        r->ended_s = wm_pod_memo_end(new);
    if (new->n_stays && r->let_go_s > r->ended_s)
        r->overlap_s = r->let_go_s - r->ended_s;
}

static void look_for_successor(const struct wm_glance *g, const struct rolled *last,
                               const struct wm_pod_memo *old)
{
    const struct wm_server_memo *s = g->server;
    const struct wm_pod_memo *found = NULL;

    for (size_t i = 0; i < s->n_pods; i++) {
        const struct wm_pod_memo *p = &s->pods[i];

        if (is_successor(g, last, old, p) && !is_taken(g, old, p) &&
            (!found || p->created_s < found->created_s ||
             (p->created_s == found->created_s && strcmp(p->name, found->name) < 0)))
            found = p;
    }
    if (found)
        look_at_successor(g, old, found);
}

/* --- C --- */

static struct wm_entry *open_of_pod(const struct wm_glance *g, const struct wm_pod_memo *p)
{
    for (size_t i = 0; i < g->l->n; i++) {
        struct wm_entry *e = g->l->entries[i];

        if (e->r.kind == WM_RESTART_CONTAINER && wm_id_is(e->server, g->server->id) && !e->r.ended_s &&
            strcmp(e->r.pod, p->name) == 0)
            return e;
    }
    return NULL;
}

/* One that never was ready is what a rollout hangs on. */
static bool has_served(const struct wm_pod_memo *p)
{
    return p->n_stays > 0 && (p->stays[0].from_s < p->died_s || wm_pod_memo_ready(p));
}

static void blame(const struct wm_glance *g, struct wm_restart *r)
{
    const struct wm_record *vm = strcmp(r->why, "OOMKilled") == 0 ? wm_copies_through(g, r->begun_s) : NULL;
    const struct wm_vm_state *state = vm ? wm_vm_of(vm) : NULL;
    struct wm_culprit *c = &r->culprits[0];
    wm_name source;

    if (!state)
        return;
    r->n_culprits = 1;
    *c = (struct wm_culprit){0};
    wm_source_provider_of(g->m, vm, source);
    memcpy(c->migration, state->m.name, sizeof c->migration);
    memcpy(c->uid, state->m.uid, sizeof c->uid);
    memcpy(c->claim, state->claim, sizeof c->claim);
    c->role = wm_role_of_provider(r->provider, source, state->target_provider);
}

/* It died within a restart that is told already: one that crashes again and again. */
static bool is_told(const struct wm_glance *g, const struct wm_pod_memo *p)
{
    for (size_t i = 0; i < g->l->n; i++) {
        const struct wm_restart *r = &g->l->entries[i]->r;

        if (r->kind == WM_RESTART_CONTAINER && wm_id_is(g->l->entries[i]->server, g->server->id) &&
            strcmp(r->pod, p->name) == 0 && r->begun_s < p->died_s && p->died_s <= r->ended_s)
            return true;
    }
    return false;
}

static void look_at_container(const struct wm_glance *g, const struct wm_pod_memo *p)
{
    struct wm_entry *e = open_of_pod(g, p);

    if (!p->restarts || !p->died_s || !has_served(p) || wm_pod_memo_end(p) || is_told(g, p))
        return;
    if (!e)
        e = wm_entry_open(g, WM_RESTART_CONTAINER, p->id, (uint64_t)p->restarts);
    struct wm_restart *r = &e->r;

    if (e->sealed || r->ended_s)
        return;
    e->new = p->id;
    r->cause = WM_RESTART_POD;
    r->begun_s = r->begun_s ? r->begun_s : p->died_s;
    memcpy(r->pod, p->name, sizeof r->pod);
    memcpy(r->why, p->died_of, sizeof r->why);
    memcpy(r->message, p->last_words, sizeof r->message);
    if (wm_pod_memo_ready(p) >= p->died_s)
        r->ended_s = wm_pod_memo_ready(p);
    blame(g, r);
}

/* --- both --- */

/* Its new pod; of one that was remembered by name. */
static const struct wm_pod_memo *pod_of(const struct wm_glance *g, struct wm_entry *e)
{
    const struct wm_server_memo *s = g->server;

    for (size_t i = 0; i < s->n_pods && !wm_id_is_set(e->new); i++)
        if (strcmp(s->pods[i].name, e->r.pod) == 0)
            e->new = s->pods[i].id;
    return wm_server_pod(s, e->new);
}

/* Where the pod is gone another has to go on. */
static void end_without_pod(const struct wm_glance *g, struct wm_entry *e, const struct wm_pod_memo *p)
{
    if (p && e->r.kind == WM_RESTART_REPLACED && p->n_stays)
        e->r.ended_s = p->stays[0].from_s;
    else if (p && wm_pod_memo_end(p))
        e->r.ended_s = wm_pod_memo_end(p);
    else if (!p && wm_server_is_rolled_out(g->state))
        e->r.ended_s = g->now_s;
}

static void conclude_pods(const struct wm_glance *g)
{
    for (size_t i = 0; i < g->l->n; i++) {
        struct wm_entry *e = g->l->entries[i];

        if ((e->r.kind != WM_RESTART_CONTAINER && e->r.kind != WM_RESTART_REPLACED) || e->sealed ||
            !wm_id_is(e->server, g->server->id))
            continue;
        const struct wm_pod_memo *p = pod_of(g, e);

        if (!e->r.ended_s)
            end_without_pod(g, e, p);
        wm_entry_conclude(g, e);
    }
}

void wm_look_at_pods(const struct wm_glance *g)
{
    const struct rolled last = last_rollout(g);

    for (size_t i = 0; i < g->server->n_pods; i++) {
        const struct wm_pod_memo *p = &g->server->pods[i];

        look_at_container(g, p);
        if (wm_pod_memo_end(p))
            look_for_successor(g, &last, p);
    }
    conclude_pods(g);
}

/* --- D --- */

static void conclude_scale(const struct wm_glance *g, struct wm_entry *e)
{
    if (wm_server_is_rolled_out(g->state) && !e->r.ended_s)
        e->r.ended_s = wm_later(g->now_s, e->r.begun_s);
    wm_entry_conclude(g, e);
}

/* Told only when the controller has seen it: by then it is clear whether the template is another, too. */
static void see_scale(const struct wm_glance *g, int revision)
{
    struct wm_server_memo *s = g->server;
    int wanted = s->wanted;

    s->wanted = g->state->wanted;
    if (wanted < 0 || wanted == s->wanted || s->revision != revision)
        return;
    struct wm_entry *e = wm_entry_open(g, WM_RESTART_SCALED, s->id, (uint64_t)g->state->generation);

    e->r.cause = WM_RESTART_POD;
    e->r.begun_s = e->r.begun_s ? e->r.begun_s : g->now_s;
    snprintf(e->r.message, sizeof e->r.message, "from %d to %d", wanted, s->wanted);
}

void wm_look_at_scale(const struct wm_glance *g)
{
    const struct wm_server_state *state = g->state;

    if (state->observed >= state->generation) {
        see_scale(g, state->revision);
        g->server->revision = state->revision;
    }
    for (size_t i = 0; i < g->l->n; i++) {
        struct wm_entry *e = g->l->entries[i];

        if (wm_id_is(e->server, g->server->id) && e->r.kind == WM_RESTART_SCALED && !e->sealed)
            conclude_scale(g, e);
    }
}
