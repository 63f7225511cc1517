/* Migrations that copied through a provider whose pod was told to end. */
#include "restarts_impl.h"

/* What a copy that was cut says, and what the controller says when it finds nobody
 * (virtrigaud internal/transport/grpc/client.go, internal/runtime/remote/resolver.go). */
static const char *const signs[] = {
    "Unavailable",          "EOF",
    "connection refused",   "remote provider validation failed",
    "runtime is not ready", "transport is closing",
};

struct harm {
    const struct wm_glance *g;
    struct wm_entry *e;
    int64_t at_s;
    bool seen; /* at_s is known for certain */
};

/* --- who copies --- */

static bool copies(const struct wm_glance *g, const struct wm_record *r, const char *phase)
{
    const struct wm_vm_state *vm = wm_vm_of(r);
    wm_name source;

    if (strcmp(phase, "Importing") == 0)
        return strcmp(vm->target_provider, g->server->provider) == 0;
    if (strcmp(phase, "Exporting") != 0)
        return false;
    wm_source_provider_of(g->m, r, source);
    return strcmp(source, g->server->provider) == 0;
}

static bool is_here(const struct wm_glance *g, const struct wm_record *r)
{
    return r->cluster == 0 && strcmp(wm_model_word(g->m, r->namespace_), g->server->namespace_) == 0;
}

struct copier {
    const struct wm_glance *g;
    int64_t at_s;
    const struct wm_record *found;
};

static void find_copier(void *ctx, const struct wm_record *r)
{
    struct copier *c = ctx;
    const struct wm_migration_state *m = &wm_vm_of(r)->m;

    if (is_here(c->g, r) && copies(c->g, r, m->phase) && m->since_s <= c->at_s &&
        (!c->found || r->created_s < c->found->created_s))
        c->found = r;
}

const struct wm_record *wm_copies_through(const struct wm_glance *g, int64_t at_s)
{
    struct copier c = {g, at_s, NULL};

    wm_model_each(g->m, WM_KIND_VMMIGRATION, find_copier, &c);
    return c.found;
}

/* --- whom it hurt --- */

/* One that caused it waits for it; but of several whose PVCs change places each may copy. */
static bool is_culprit(const struct wm_restart *r, const struct wm_migration_state *m)
{
    if (r->kind == WM_RESTART_CONTAINER || r->cause == WM_RESTART_CHURN)
        return false;
    for (size_t i = 0; i < r->n_culprits; i++)
        if (r->culprits[i].uid[0] ? strcmp(r->culprits[i].uid, m->uid) == 0
                                  : strcmp(r->culprits[i].migration, m->name) == 0)
            return true;
    return false;
}

static bool says_so(const char *message)
{
    for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++)
        if (strstr(message, signs[i]))
            return true;
    return false;
}

static bool is_soon_after(const struct harm *h, int64_t s)
{
    return s >= h->at_s && s <= h->at_s + WM_HARM_S;
}

/* It is in the phase Failed of that; or failed of it and tries again by now. */
static bool has_failed(const struct harm *h, const struct wm_record *r, bool at_risk)
{
    const struct wm_vm_state *vm = wm_vm_of(r);

    if (strcmp(vm->m.phase, "Failed") != 0)
        return at_risk && is_soon_after(h, vm->retried_s);
    if (!says_so(vm->m.message) || !is_soon_after(h, r->completed_s))
        return false;
    return at_risk || !vm->m.cause[0] || copies(h->g, r, vm->m.cause);
}

/* Between two phases the controller asks the provider, too. */
static bool uses(const struct wm_glance *g, const struct wm_record *r)
{
    return copies(g, r, "Exporting") || copies(g, r, "Importing");
}

static struct wm_victim *victim_of(struct wm_restart *r, const char *uid)
{
    for (size_t i = 0; i < r->n_victims; i++)
        if (strcmp(r->victims[i].uid, uid) == 0)
            return &r->victims[i];
    return NULL;
}

/* Kept in the order of their names: it does not matter who was seen first. */
static struct wm_victim *add_victim(struct wm_restart *r, const struct wm_migration_state *m)
{
    size_t at = r->n_victims;

    while (at > 0 && strcmp(r->victims[at - 1].migration, m->name) > 0)
        at--;
    if (at == WM_VICTIMS_MAX)
        return NULL;
    r->n_victims += r->n_victims < WM_VICTIMS_MAX;
    memmove(&r->victims[at + 1], &r->victims[at], (r->n_victims - at - 1) * sizeof r->victims[0]);
    struct wm_victim *v = &r->victims[at];

    *v = (struct wm_victim){0};
    memcpy(v->migration, m->name, sizeof v->migration);
    memcpy(v->uid, m->uid, sizeof v->uid);
    memcpy(v->phase, m->phase, sizeof v->phase);
    if (strcmp(m->phase, "Failed") == 0)
        memcpy(v->phase, m->cause, sizeof v->phase);
    return v;
}

static void judge(void *ctx, const struct wm_record *r)
{
    const struct harm *h = ctx;
    struct wm_restart *restart = &h->e->r;
    const struct wm_migration_state *m = &wm_vm_of(r)->m;

    if (!is_here(h->g, r) || is_culprit(restart, m))
        return;
    struct wm_victim *v = victim_of(restart, m->uid);
    bool failed = has_failed(h, r, v != NULL) && (v || uses(h->g, r));
    bool at_risk = h->seen && copies(h->g, r, m->phase) && m->since_s <= h->at_s;

    if (!v && (failed || at_risk))
        v = add_victim(restart, m);
    if (v)
        v->failed |= failed;
}

/* A PVC's VMMigration may be seen only later. */
static void acquit(struct wm_restart *r)
{
    for (size_t i = 0; i < r->n_victims;) {
        struct wm_migration_state m = {0};

        memcpy(m.uid, r->victims[i].uid, sizeof m.uid);
        memcpy(m.name, r->victims[i].migration, sizeof m.name);
        if (is_culprit(r, &m)) {
            memmove(&r->victims[i], &r->victims[i + 1], (r->n_victims - i - 1) * sizeof r->victims[0]);
            r->n_victims--;
        } else {
            i++;
        }
    }
}

void wm_entry_find_victims(const struct wm_glance *g, struct wm_entry *e)
{
    const struct wm_restart *r = &e->r;
    int64_t seen_s = r->kind == WM_RESTART_CONTAINER ? r->begun_s : r->let_go_s;
    struct harm h = {g, e, seen_s ? seen_s : r->ended_s, seen_s != 0};

    acquit(&e->r);
    if (h.at_s && r->kind != WM_RESTART_SCALED)
        wm_model_each(g->m, WM_KIND_VMMIGRATION, judge, &h);
}
