/* The ledger: what is kept of restarts, and who is looked at when something changed. */
#include <stdlib.h>

#include "restarts_impl.h"

enum { SIGNAL_S = 15, PATIENCE_S = 60, FIRST_SERVERS = 8 };

/* --- life --- */

struct wm_ledger *wm_ledger_new(void)
{
    struct wm_ledger *l = wm_xcalloc(1, sizeof *l);

    l->signal_s = SIGNAL_S;
    l->patience_s = PATIENCE_S;
    l->entries = wm_xcalloc(WM_RESTARTS_MAX, sizeof(struct wm_entry *));
    l->claims = wm_xcalloc(WM_LEDGER_CLAIMS_MAX, sizeof *l->claims);
    return l;
}

static void free_server(struct wm_server_memo *s)
{
    free(s->pods);
    free(s);
}

struct wm_ledger *wm_ledger_free(struct wm_ledger *l)
{
    if (!l)
        return NULL;
    for (size_t i = 0; i < l->n; i++)
        free(l->entries[i]);
    for (size_t i = 0; i < l->n_servers; i++)
        free_server(l->servers[i]);
    free(l->entries);
    free(l->servers);
    free(l->claims);
    free(l);
    return NULL;
}

void wm_ledger_patience(struct wm_ledger *l, int64_t signal_s, int64_t patience_s)
{
    l->signal_s = signal_s;
    l->patience_s = patience_s;
}

/* --- Deployments --- */

static struct wm_server_memo *server_of(const struct wm_ledger *l, struct wm_id id)
{
    for (size_t i = 0; i < l->n_servers; i++)
        if (wm_id_is(l->servers[i]->id, id))
            return l->servers[i];
    return NULL;
}

static struct wm_server_memo *add_server(struct wm_ledger *l, const struct wm_model *m,
                                         const struct wm_record *r, int64_t now_s)
{
    struct wm_server_memo *s = wm_xcalloc(1, sizeof *s);

    if (l->n_servers == l->cap_servers) {
        struct wm_server_memo **more;

        l->cap_servers = l->cap_servers ? 2 * l->cap_servers : FIRST_SERVERS;
        more = wm_xcalloc(l->cap_servers, sizeof(struct wm_server_memo *));
        if (l->n_servers)
            memcpy(more, l->servers, l->n_servers * sizeof(struct wm_server_memo *));
        free(l->servers);
        l->servers = more;
    }
    s->id = r->id;
    s->created_s = r->created_s;
    s->since_s = s->horizon_s = now_s;
    s->wanted = -1;
    wm_line_copy(s->namespace_, sizeof s->namespace_, wm_str_of(wm_model_word(m, r->namespace_)));
    wm_line_copy(s->name, sizeof s->name, wm_str_of(wm_record_name(r)));
    wm_line_copy(s->provider, sizeof s->provider, wm_str_of(wm_server_of(r)->provider));
    s->pods = wm_xcalloc(WM_LEDGER_PODS_MAX, sizeof *s->pods);
    return l->servers[l->n_servers++] = s;
}

/* What was under way with it will not be seen to end. */
static void lose_server(struct wm_ledger *l, struct wm_id id, int64_t now_s)
{
    for (size_t i = 0; i < l->n; i++)
        if (wm_id_is(l->entries[i]->server, id)) {
            l->entries[i]->sealed = true;
            if (!l->entries[i]->r.ended_s)
                l->entries[i]->r.ended_s = now_s;
        }
    for (size_t i = 0; i < l->n_servers; i++)
        if (wm_id_is(l->servers[i]->id, id)) {
            free_server(l->servers[i]);
            l->servers[i] = l->servers[--l->n_servers];
            return;
        }
}

static void add_set(struct wm_glance *g, const struct wm_record *r)
{
    int revision = wm_replicas_of(r)->revision;
    size_t at = g->n_sets;

    while (at > 0 && wm_replicas_of(g->sets[at - 1])->revision < revision)
        at--;
    if (at == WM_LEDGER_SETS_MAX)
        return;
    g->n_sets += g->n_sets < WM_LEDGER_SETS_MAX;
    memmove(&g->sets[at + 1], &g->sets[at], (g->n_sets - at - 1) * sizeof(struct wm_record *));
    g->sets[at] = r;
}

static bool glance(struct wm_ledger *l, const struct wm_model *m, struct wm_server_memo *s, int64_t now_s,
                   struct wm_glance *ret)
{
    const struct wm_record *r = wm_model_find(m, 0, s->id);

    *ret = (struct wm_glance){.l = l, .m = m, .server = s, .now_s = now_s};
    if (!r)
        return false;
    ret->state = wm_server_of(r);
    for (const struct wm_record *set = wm_model_children(m, s->id); set;
         set = wm_model_next_child(set, s->id))
        if (set->kind == WM_KIND_REPLICASET)
            add_set(ret, set);
    return true;
}

/* --- a look --- */

/* The earliest time from which on something of it is needed. */
static int64_t needed_from(const struct wm_ledger *l, const struct wm_server_memo *s, int64_t now_s)
{
    int64_t from_s = now_s;

    for (size_t i = 0; i < l->n; i++) {
        const struct wm_entry *e = l->entries[i];
        int64_t begun_s = e->r.let_go_s && e->r.let_go_s < e->r.begun_s ? e->r.let_go_s : e->r.begun_s;

        if (!e->sealed && wm_id_is(e->server, s->id) && begun_s < from_s)
            from_s = begun_s;
    }
    return from_s;
}

/* Of pods that are not known, only its own word tells. */
static void note_word(const struct wm_glance *g)
{
    struct wm_server_memo *s = g->server;
    const struct wm_server_state *d = g->state;
    bool down = s->served && d->available_known && !d->available && d->available_n == 0 && d->wanted > 0;

    if (s->n_pods == 0 && s->down && !down && d->available_s > s->down_since_s)
        s->down_s += d->available_s - s->down_since_s;
    if (down && !s->down)
        s->down_since_s = d->available_s ? d->available_s : g->now_s;
    s->down = down;
}

/* Rollouts that are over while nobody answers: a report may be all that tells of them. */
static void look_at_open_gaps(const struct wm_glance *g)
{
    for (size_t i = 0; i < g->l->n; i++) {
        struct wm_entry *e = g->l->entries[i];

        if (!e->sealed && e->r.kind == WM_RESTART_ROLLOUT && wm_id_is(e->server, g->server->id) &&
            e->r.ended_s && wm_restart_gap_is_open(&e->r))
            wm_entry_conclude(g, e);
    }
}

static void look(struct wm_ledger *l, const struct wm_model *m, struct wm_server_memo *s, int64_t now_s)
{
    struct wm_glance g;

    if (!glance(l, m, s, now_s, &g))
        return;
    wm_server_see_pods(&g);
    wm_server_see_service(&g);
    wm_look_at_rollout(&g);
    wm_look_at_scale(&g);
    wm_look_at_pods(&g);
    wm_server_note_served(&g);
    look_at_open_gaps(&g);
    note_word(&g);
    wm_server_forget(s, needed_from(l, s, now_s), now_s);
}

/* --- whom a change concerns --- */

static bool is_under_way(const struct wm_ledger *l, const struct wm_server_memo *s)
{
    if (s->starts)
        return true;
    for (size_t i = 0; i < l->n; i++)
        if (!l->entries[i]->sealed && wm_id_is(l->entries[i]->server, s->id))
            return true;
    return false;
}

static void look_at_namespace(struct wm_ledger *l, const struct wm_model *m, const char *namespace_,
                              int64_t now_s)
{
    for (size_t i = 0; i < l->n_servers; i++)
        if (strcmp(l->servers[i]->namespace_, namespace_) == 0 && is_under_way(l, l->servers[i]))
            look(l, m, l->servers[i], now_s);
}

static struct wm_server_memo *server_of_pod(const struct wm_ledger *l, const struct wm_model *m,
                                            const struct wm_record *pod)
{
    const struct wm_record *set = wm_model_find(m, 0, pod->parent);

    if (set)
        return set->kind == WM_KIND_REPLICASET ? server_of(l, set->parent) : NULL;
    for (size_t i = 0; i < l->n_servers; i++)
        if (wm_server_pod(l->servers[i], pod->id))
            return l->servers[i];
    return NULL;
}

static void deployment_changed(struct wm_ledger *l, const struct wm_model *m, const struct wm_record *r,
                               bool gone, int64_t now_s)
{
    struct wm_server_memo *s = server_of(l, r->id);

    if (gone || !wm_server_of(r)->provider[0])
        lose_server(l, r->id, now_s);
    else
        look(l, m, s ? s : add_server(l, m, r, now_s), now_s);
}

static void part_changed(struct wm_ledger *l, const struct wm_model *m, const struct wm_record *r,
                         int64_t now_s)
{
    const struct wm_record *pod = r;

    if (r->kind == WM_KIND_EVENT)
        pod = wm_model_find(m, 0, r->parent);
    if (!pod || (r->kind == WM_KIND_EVENT && pod->kind != WM_KIND_POD))
        return;
    struct wm_server_memo *s =
        pod->kind == WM_KIND_REPLICASET ? server_of(l, pod->parent) : server_of_pod(l, m, pod);

    if (s)
        look(l, m, s, now_s);
}

static void slice_changed(struct wm_ledger *l, const struct wm_model *m, const struct wm_record *r,
                          int64_t now_s)
{
    const char *namespace_ = wm_model_word(m, r->namespace_), *service = wm_slice_of(r)->service;

    for (size_t i = 0; i < l->n_servers; i++)
        if (strcmp(l->servers[i]->name, service) == 0 && strcmp(l->servers[i]->namespace_, namespace_) == 0)
            look(l, m, l->servers[i], now_s);
}

static void owner_changed(struct wm_ledger *l, const struct wm_model *m, const struct wm_record *r, bool gone,
                          int64_t now_s)
{
    const char *namespace_ = wm_model_word(m, r->namespace_);

    if (r->kind == WM_KIND_PVC)
        wm_ledger_note_claim(l, m, r, gone, now_s);
    else
        wm_ledger_note_owner(l, m, r, now_s);
    look_at_namespace(l, m, namespace_, now_s);
}

void wm_ledger_changed(struct wm_ledger *l, const struct wm_model *m, const struct wm_record *r, bool gone,
                       int64_t now_s)
{
    if (!l->made_s)
        l->made_s = now_s;
    if (r->cluster != 0)
        return;
    switch (r->kind) {
    case WM_KIND_DEPLOYMENT:
        deployment_changed(l, m, r, gone, now_s);
        break;
    case WM_KIND_REPLICASET:
    case WM_KIND_POD:
    case WM_KIND_EVENT:
        if (l->n_servers)
            part_changed(l, m, r, now_s);
        break;
    case WM_KIND_ENDPOINTSLICE:
        slice_changed(l, m, r, now_s);
        break;
    case WM_KIND_PVC:
    case WM_KIND_VMMIGRATION:
    case WM_KIND_MACHINE:
        owner_changed(l, m, r, gone, now_s);
        break;
    default:
        break;
    }
}

static uint64_t digest_of(const struct wm_ledger *l, const struct wm_server_memo *s)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < l->n; i++)
        if (wm_id_is(l->entries[i]->server, s->id))
            sum +=
                wm_str_digest((struct wm_str){(const char *)&l->entries[i]->r, sizeof(struct wm_restart)}, 1);
    return sum;
}

/* What was remembered as under way, of a Deployment that is not there any more. */
static bool close_lost(struct wm_ledger *l, int64_t now_s)
{
    bool news = false;

    for (size_t i = 0; i < l->n && now_s > l->made_s + WM_SETTLE_S; i++) {
        struct wm_entry *e = l->entries[i];

        if (e->sealed || server_of(l, e->server))
            continue;
        e->r.ended_s = e->r.ended_s ? e->r.ended_s : now_s;
        e->sealed = news = true;
    }
    return news;
}

bool wm_ledger_tick(struct wm_ledger *l, const struct wm_model *m, int64_t now_s)
{
    bool news = l->made_s && close_lost(l, now_s);

    for (size_t i = 0; i < l->n_servers; i++) {
        struct wm_server_memo *s = l->servers[i];

        if (!is_under_way(l, s))
            continue;
        uint64_t before = digest_of(l, s);

        look(l, m, s, now_s);
        news |= digest_of(l, s) != before;
    }
    return news;
}
