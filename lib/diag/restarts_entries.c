/* The restarts that the ledger keeps. */
#include <stdio.h>
#include <stdlib.h>

#include "restarts_impl.h"

uint64_t wm_restart_key(struct wm_id id, enum wm_restart_kind kind, uint64_t number)
{
    uint64_t key = wm_mix(wm_mix(wm_mix(id.hi) ^ id.lo) ^ (number << 3 | (uint64_t)kind));

    return key ? key : 1;
}

void wm_id_print(struct wm_id id, wm_uid out)
{
    snprintf(out, sizeof(wm_uid), "%08x-%04x-%04x-%04x-%012llx", (unsigned)(id.hi >> 32),
             (unsigned)(id.hi >> 16 & 0xffff), (unsigned)(id.hi & 0xffff), (unsigned)(id.lo >> 48),
             (unsigned long long)(id.lo & UINT64_C(0xffffffffffff)));
}

struct wm_entry *wm_entry_find(const struct wm_ledger *l, uint64_t key)
{
    for (size_t i = 0; i < l->n; i++)
        if (l->entries[i]->r.key == key)
            return l->entries[i];
    return NULL;
}

void wm_entry_drop(struct wm_ledger *l, struct wm_entry *e)
{
    for (size_t i = 0; i < l->n; i++)
        if (l->entries[i] == e) {
            l->entries[i] = l->entries[--l->n];
            free(e);
            return;
        }
}

static bool goes_first(const struct wm_entry *a, const struct wm_entry *b)
{
    return a->sealed != b->sealed ? a->sealed : a->r.begun_s < b->r.begun_s;
}

struct wm_entry *wm_entry_add(struct wm_ledger *l, uint64_t key)
{
    struct wm_entry *e = wm_xcalloc(1, sizeof *e);

    if (l->n == WM_RESTARTS_MAX) {
        struct wm_entry *first = l->entries[0];

        for (size_t i = 1; i < l->n; i++)
            if (goes_first(l->entries[i], first))
                first = l->entries[i];
        wm_entry_drop(l, first);
    }
    e->r.key = key;
    return l->entries[l->n++] = e;
}

struct wm_entry *wm_entry_open(const struct wm_glance *g, enum wm_restart_kind kind, struct wm_id id,
                               uint64_t number)
{
    const struct wm_server_memo *s = g->server;
    uint64_t key = wm_restart_key(id, kind, number);
    struct wm_entry *e = wm_entry_find(g->l, key);

    if (!e)
        e = wm_entry_add(g->l, key);
    e->server = s->id;
    e->r.kind = kind;
    memcpy(e->r.namespace_, s->namespace_, sizeof e->r.namespace_);
    memcpy(e->r.provider, s->provider, sizeof e->r.provider);
    memcpy(e->r.deployment, s->name, sizeof e->r.deployment);
    wm_id_print(s->id, e->r.deployment_uid);
    return e;
}

/* Those that had begun before are nobody's news. */
static void count(const struct wm_glance *g, struct wm_entry *e)
{
    if (e->counted || e->r.begun_s < g->l->made_s)
        return;
    e->counted = true;
    g->server->restarts[e->r.kind]++;
}

void wm_entry_conclude(const struct wm_glance *g, struct wm_entry *e)
{
    wm_entry_find_stuck(g, e);
    wm_entry_find_gap(g, e);
    wm_entry_find_victims(g, e);
    count(g, e);
    if (!e->r.ended_s || wm_restart_gap_is_open(&e->r))
        e->closed_s = 0;
    else if (!e->closed_s)
        e->closed_s = g->now_s;
    e->sealed = e->closed_s && g->now_s > e->closed_s + WM_SETTLE_S;
}
