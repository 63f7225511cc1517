/* VirtRigaud's providers in numbers: their restarts, how long they were gone, and what waits for them. */
#include "telemetry_impl.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "waymark/restarts.h"

/* As many as a monitoring system can bear. */
enum { MAX_PROVIDERS = 200, MAX_WAITS = 100, MAX_NAMESPACES = 100 };

static void put_label(struct wm_buf *out, const char *before, const char *value)
{
    wm_buf_puts(out, before);
    wm_json_quote(out, wm_str_of(value));
}

static void put_row(struct wm_buf *out, const char *name, const struct wm_provider_log *p)
{
    wm_buf_puts(out, name);
    put_label(out, "{namespace=", p->namespace_);
    put_label(out, ",provider=", p->provider);
}

static void put_end(struct wm_buf *out, int64_t value)
{
    wm_buf_printf(out, "} %" PRId64 "\n", value);
}

/* --- one row a provider --- */

static int64_t unavailable_s(const struct wm_provider_log *p)
{
    return p->unavailable_s;
}
static int64_t unavailable_since_s(const struct wm_provider_log *p)
{
    return p->unavailable_since_s;
}
static int64_t rolls(const struct wm_provider_log *p)
{
    return p->rolls;
}
static int64_t stuck(const struct wm_provider_log *p)
{
    return p->stuck;
}

static const struct family {
    const char *name, *type, *help;
    int64_t (*value)(const struct wm_provider_log *p);
    bool only_set; /* 0 is not told */
} families[] = {
    {"waymark_provider_unavailable_seconds_total", "counter",
     "How long nobody answered for the provider, in all, since its first start; the first 200 providers.",
     unavailable_s, false},
    {"waymark_provider_unavailable_since_seconds", "gauge",
     "Unix time since when nobody answers for the provider; none = it is available, or starts for the first "
     "time.",
     unavailable_since_s, true},
    {"waymark_provider_rollouts_in_progress", "gauge",
     "1 while the provider's Deployment is rolled out, or starts for the first time.", rolls, false},
    {"waymark_provider_rollouts_stuck", "gauge", "1 while that does not get on.", stuck, false},
};

static void put_restarts(struct wm_buf *out, const struct wm_provider_log *p, size_t n)
{
    static const char name[] = "waymark_provider_restarts_total";

    wm_telemetry_head(out, name, "counter",
                      "Restarts of the provider by their kind; the first 200 providers.");
    for (size_t i = 0; i < n; i++)
        for (int k = 0; k < WM_RESTART_KIND_COUNT; k++) {
            put_row(out, name, &p[i]);
            put_label(out, ",kind=", wm_restart_kind_name((enum wm_restart_kind)k));
            put_end(out, (int64_t)p[i].restarts[k]);
        }
}

static void put_providers(struct wm_buf *out, const struct wm_world *w)
{
    wm_auto_free struct wm_provider_log *p = wm_xcalloc(MAX_PROVIDERS, sizeof *p);
    size_t n = wm_ledger_providers(w->ledger, wm_world_now(w, 0), p, MAX_PROVIDERS);

    put_restarts(out, p, n);
    for (size_t f = 0; f < sizeof families / sizeof families[0]; f++) {
        wm_telemetry_head(out, families[f].name, families[f].type, families[f].help);
        for (size_t i = 0; i < n; i++) {
            if (families[f].only_set && !families[f].value(&p[i]))
                continue;
            put_row(out, families[f].name, &p[i]);
            put_end(out, families[f].value(&p[i]));
        }
    }
}

/* --- who waits for them --- */

struct waits {
    struct wm_buf *out;
    const struct wm_world *w;
    int left;
};

/* As the controller counts it: since the PVC was made. */
static void put_wait(void *ctx, const struct wm_record *r)
{
    struct waits *waits = ctx;
    const struct wm_world *w = waits->w;
    const struct wm_vm_state *vm = wm_vm_of(r);
    bool mounts = strcmp(vm->waits, "WaitingForStorageMount") == 0;
    const struct wm_record *claim =
        mounts ? wm_model_find_named(w->model, r->cluster, WM_KIND_PVC, vm->m.namespace_, vm->claim) : NULL;

    if (!claim || !claim->created_s || waits->left == 0)
        return;
    waits->left--;
    put_label(waits->out, "waymark_vm_mount_wait_seconds{namespace=", vm->m.namespace_);
    put_label(waits->out, ",name=", vm->m.name);
    put_end(waits->out, wm_world_now(w, r->cluster) - claim->created_s);
}

static void put_waits(struct wm_buf *out, const struct wm_world *w)
{
    struct waits waits = {out, w, MAX_WAITS};

    wm_telemetry_head(out, "waymark_vm_mount_wait_seconds", "gauge",
                      "Age of the PVC that a VMMigration waits for its providers to mount; the first 100.");
    wm_model_each(w->model, WM_KIND_VMMIGRATION, put_wait, &waits);
    wm_telemetry_sample(out, "waymark_vm_mount_limit_seconds", "gauge",
                        "The age at which VirtRigaud fails a VMMigration that still waits.", WM_VM_MOUNT_S);
}

/* --- PVCs that stay --- */

struct claims {
    const struct wm_model *model;
    enum wm_claim_state_of state;
    struct {
        uint16_t namespace_; /* word of the model */
        int64_t n;
    } rows[MAX_NAMESPACES];
    size_t n;
};

static void count_claim(void *ctx, const struct wm_record *r)
{
    struct claims *c = ctx;
    struct wm_migration_claim claim;
    size_t i = 0;

    if (r->cluster != 0 || !wm_migration_claim_of(c->model, r, &claim) || claim.state != c->state)
        return;
    while (i < c->n && c->rows[i].namespace_ != r->namespace_)
        i++;
    if (i == MAX_NAMESPACES)
        return;
    if (i == c->n)
        c->rows[c->n++].namespace_ = r->namespace_;
    c->rows[i].n++;
}

static void put_claims(struct wm_buf *out, const struct wm_world *w, const char *name,
                       enum wm_claim_state_of state, const char *help)
{
    wm_auto_free struct claims *c = wm_xcalloc(1, sizeof *c);

    c->model = w->model;
    c->state = state;
    wm_model_each(w->model, WM_KIND_PVC, count_claim, c);
    wm_telemetry_head(out, name, "gauge", help);
    for (size_t i = 0; i < c->n; i++) {
        wm_buf_puts(out, name);
        put_label(out, "{namespace=", wm_model_word(w->model, c->rows[i].namespace_));
        put_end(out, c->rows[i].n);
    }
}

void wm_telemetry_providers(struct wm_buf *out, struct wm_fleet *fleet)
{
    struct wm_world w;

    wm_fleet_lock(fleet);
    wm_fleet_world(fleet, &w);
    put_providers(out, &w);
    put_waits(out, &w);
    put_claims(out, &w, "waymark_orphan_claims", WM_CLAIM_ORPHAN,
               "PVCs of VMMigrations that have no owner any more; the first 100 namespaces.");
    put_claims(out, &w, "waymark_lingering_claims", WM_CLAIM_LINGERING,
               "PVCs of VMMigrations that are over, which providers still mount; the first 100 namespaces.");
    wm_fleet_unlock(fleet);
}
