/* PVCs that hold the disks of VMMigrations: whose they are, and who holds them. */
#include <stdlib.h>

#include "waymark/restarts.h"

/* --- whose --- */

struct search {
    const struct wm_record *claim, *found;
};

/* The controller takes a PVC of the right name as its own, whoever made it, and deletes it by this name
 * (virtrigaud internal/controller/vmmigration_controller.go). */
static void find_user(void *ctx, const struct wm_record *r)
{
    struct search *s = ctx;

    if (r->cluster == s->claim->cluster && r->namespace_ == s->claim->namespace_ &&
        strcmp(wm_vm_of(r)->claim, wm_record_name(s->claim)) == 0 &&
        (!s->found || r->created_s > s->found->created_s))
        s->found = r;
}

static const struct wm_record *migration_of(const struct wm_model *m, const struct wm_record *claim)
{
    const struct wm_record *owner = wm_model_find(m, claim->cluster, claim->parent);
    struct search s = {claim, NULL};

    if (owner && owner->kind == WM_KIND_VMMIGRATION)
        return owner;
    wm_model_each(m, WM_KIND_VMMIGRATION, find_user, &s);
    return s.found;
}

bool wm_migration_claim_of(const struct wm_model *m, const struct wm_record *claim,
                           struct wm_migration_claim *ret)
{
    const struct wm_claim_state *state = wm_claim_of(claim);

    if (claim->kind != WM_KIND_PVC || !state->vm_storage)
        return false;
    *ret = (struct wm_migration_claim){
        .claim = claim, .migration = migration_of(m, claim), .restored = state->restored};
    ret->state = claim->going                       ? WM_CLAIM_GOING
                 : !ret->migration                  ? WM_CLAIM_ORPHAN
                 : wm_vm_of(ret->migration)->m.over ? WM_CLAIM_LINGERING
                                                    : WM_CLAIM_IN_USE;
    return true;
}

/* --- who holds them --- */

struct holders {
    const struct wm_model *m;
    const struct wm_record *claim, **list;
    size_t n, max;
};

static bool has_ended(const struct wm_model *m, const struct wm_record *pod)
{
    const char *phase = wm_model_word(m, pod->phase);

    return strcmp(phase, "Succeeded") == 0 || strcmp(phase, "Failed") == 0;
}

/* Kept in the order of their names, so that of too many always the same are told. */
static void hold(struct holders *h, const struct wm_record *pod)
{
    size_t at = h->n;

    while (at > 0 && strcmp(wm_record_name(h->list[at - 1]), wm_record_name(pod)) > 0)
        at--;
    if (at == h->max)
        return;
    h->n += h->n < h->max;
    memmove(&h->list[at + 1], &h->list[at], (h->n - at - 1) * sizeof(struct wm_record *));
    h->list[at] = pod;
}

static void find_holder(void *ctx, const struct wm_record *pod)
{
    struct holders *h = ctx;

    if (pod->cluster == h->claim->cluster && pod->namespace_ == h->claim->namespace_ &&
        wm_pod_mounts(wm_pod_of(pod), wm_record_name(h->claim)) && !has_ended(h->m, pod))
        hold(h, pod);
}

size_t wm_claim_holders(const struct wm_model *m, const struct wm_record *claim,
                        const struct wm_record *ret[], size_t max)
{
    struct holders h = {m, claim, ret, 0, max};

    wm_model_each(m, WM_KIND_POD, find_holder, &h);
    return h.n;
}
