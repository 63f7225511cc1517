/* What the ledger tells: of all, of one migration, of each provider. */
#include <stdlib.h>

#include "restarts_impl.h"

static int by_beginning(const void *a, const void *b)
{
    const struct wm_restart *x = *(const struct wm_restart *const *)a,
                            *y = *(const struct wm_restart *const *)b;
    int rc = (x->begun_s > y->begun_s) - (x->begun_s < y->begun_s);

    if (rc == 0)
        rc = strcmp(x->namespace_, y->namespace_);
    if (rc == 0)
        rc = strcmp(x->provider, y->provider);
    return rc ? rc : (x->key > y->key) - (x->key < y->key);
}

void wm_ledger_each(const struct wm_ledger *l, wm_restart_fn *fn, void *ctx)
{
    const struct wm_restart *list[WM_RESTARTS_MAX];

    for (size_t i = 0; i < l->n; i++)
        list[i] = &l->entries[i]->r;
    qsort(list, l->n, sizeof list[0], by_beginning);
    for (size_t i = 0; i < l->n; i++)
        fn(ctx, list[i]);
}

/* --- of a migration --- */

/* What was found out about where its VirtualMachine comes from. */
static const char *source_of(const struct wm_ledger *l, const struct wm_vm_state *vm)
{
    for (size_t i = 0; !vm->source_provider[0] && i < l->n_claims; i++)
        if (strcmp(l->claims[i].uid, vm->m.uid) == 0)
            return l->claims[i].source;
    return vm->source_provider;
}

static bool befell(const struct wm_restart *r, const struct wm_vm_state *vm, const char *source)
{
    const struct wm_migration_state *m = &vm->m;

    if (strcmp(r->namespace_, m->namespace_) != 0 ||
        (strcmp(r->provider, source) != 0 && strcmp(r->provider, vm->target_provider) != 0))
        return false;
    return (!r->ended_s || r->ended_s >= m->created_s) &&
           (!m->over || !m->completed_s || r->begun_s <= m->completed_s);
}

size_t wm_ledger_of(const struct wm_ledger *l, const struct wm_vm_state *vm, const struct wm_restart *ret[],
                    size_t max)
{
    const struct wm_restart *list[WM_RESTARTS_MAX];
    const char *source = source_of(l, vm);
    size_t n = 0;

    for (size_t i = 0; i < l->n; i++) {
        const struct wm_restart *r = &l->entries[i]->r;

        if (wm_restart_is_of(r, vm->m.uid) || befell(r, vm, source))
            list[n++] = r;
    }
    qsort(list, n, sizeof list[0], by_beginning);
    size_t skipped = n > max ? n - max : 0;

    for (size_t i = skipped; i < n; i++)
        ret[i - skipped] = list[i];
    return n - skipped;
}

/* --- of providers --- */

/* Up to now; it may have been so before it was looked at. */
static void log_windows(const struct wm_server_memo *s, int64_t now_s, struct wm_provider_log *ret)
{
    int64_t since_s = 0;

    if (!s->served)
        return;
    if (s->n_pods > 0 && s->wanted > 0)
        ret->unavailable_s += wm_server_down(s, s->horizon_s, now_s, &since_s);
    else if (s->n_pods == 0 && s->down)
        since_s = now_s;
    if (since_s && s->down && s->down_since_s < since_s && (s->n_pods == 0 || since_s == s->since_s)) {
        ret->unavailable_s += since_s - s->down_since_s;
        since_s = s->down_since_s;
    }
    ret->unavailable_since_s = since_s;
}

static void log_server(const struct wm_ledger *l, const struct wm_server_memo *s, int64_t now_s,
                       struct wm_provider_log *ret)
{
    *ret = (struct wm_provider_log){.unavailable_s = s->down_s};
    memcpy(ret->namespace_, s->namespace_, sizeof ret->namespace_);
    memcpy(ret->provider, s->provider, sizeof ret->provider);
    memcpy(ret->restarts, s->restarts, sizeof ret->restarts);
    log_windows(s, now_s, ret);
    ret->rolls = s->starts;
    ret->stuck = s->start_sticks;
    for (size_t i = 0; i < l->n; i++) {
        const struct wm_restart *r = &l->entries[i]->r;

        if (!wm_id_is(l->entries[i]->server, s->id) || r->kind != WM_RESTART_ROLLOUT || r->ended_s)
            continue;
        ret->rolls = true;
        ret->stuck |= r->stuck_s != 0;
    }
}

static int by_name(const void *a, const void *b)
{
    const struct wm_server_memo *x = *(const struct wm_server_memo *const *)a,
                                *y = *(const struct wm_server_memo *const *)b;
    int rc = strcmp(x->namespace_, y->namespace_);

    return rc ? rc : strcmp(x->provider, y->provider);
}

size_t wm_ledger_providers(const struct wm_ledger *l, int64_t now_s, struct wm_provider_log *ret, size_t max)
{
    struct wm_server_memo **list;
    size_t n = l->n_servers < max ? l->n_servers : max;

    if (n == 0)
        return 0;
    list = wm_xcalloc(l->n_servers, sizeof(struct wm_server_memo *));
    memcpy(list, l->servers, l->n_servers * sizeof(struct wm_server_memo *));
    qsort(list, l->n_servers, sizeof(struct wm_server_memo *), by_name);
    for (size_t i = 0; i < n; i++)
        log_server(l, list[i], now_s, &ret[i]);
    free(list);
    return n;
}
