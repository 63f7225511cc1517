/* Whose PVCs are: remembered, since a PVC and its VMMigration go before the rollouts of their going end. */
#include <stdio.h>

#include "restarts_impl.h"

static const char CLAIM_END[] = "-storage"; /* of the names that VirtRigaud gives */

/* --- providers --- */

void wm_source_provider_of(const struct wm_model *m, const struct wm_record *migration, wm_name ret)
{
    const struct wm_vm_state *vm = wm_vm_of(migration);
    const struct wm_record *machine = NULL;

    if (!vm->source_provider[0] && vm->vm[0])
        machine = wm_model_find_named(m, migration->cluster, WM_KIND_MACHINE,
                                      wm_model_word(m, migration->namespace_), vm->vm);
    snprintf(ret, sizeof(wm_name), "%s", machine ? wm_machine_of(machine)->provider : vm->source_provider);
}

enum wm_restart_role wm_role_of_provider(const char *provider, const char *source, const char *target)
{
    return source[0] && strcmp(provider, source) == 0   ? WM_RESTART_SOURCE
           : target[0] && strcmp(provider, target) == 0 ? WM_RESTART_TARGET
           : source[0] && target[0]                     ? WM_RESTART_COLLATERAL
                                                        : WM_RESTART_ROLE_UNKNOWN;
}

/* --- remembering --- */

static struct wm_claim_memo *memo_of(struct wm_ledger *l, struct wm_id id)
{
    for (size_t i = 0; i < l->n_claims; i++)
        if (wm_id_is(l->claims[i].id, id))
            return &l->claims[i];
    return NULL;
}

static size_t least_needed(const struct wm_ledger *l)
{
    size_t least = 0;

    for (size_t i = 1; i < l->n_claims; i++) {
        const struct wm_claim_memo *a = &l->claims[i], *b = &l->claims[least];

        if (a->going != b->going ? a->going : a->seen_s < b->seen_s)
            least = i;
    }
    return least;
}

static struct wm_claim_memo *new_memo(struct wm_ledger *l, const struct wm_model *m,
                                      const struct wm_record *claim)
{
    size_t i = l->n_claims < WM_LEDGER_CLAIMS_MAX ? l->n_claims++ : least_needed(l);
    struct wm_claim_memo *memo = &l->claims[i];

    *memo = (struct wm_claim_memo){.id = claim->id, .created_s = claim->created_s};
    wm_line_copy(memo->namespace_, sizeof memo->namespace_, wm_str_of(wm_model_word(m, claim->namespace_)));
    wm_line_copy(memo->claim, sizeof memo->claim, wm_str_of(wm_record_name(claim)));
    return memo;
}

static void take_owner(struct wm_claim_memo *memo, const struct wm_model *m, const struct wm_record *owner)
{
    const struct wm_vm_state *vm = wm_vm_of(owner);
    wm_name source;

    wm_source_provider_of(m, owner, source);
    memcpy(memo->migration, vm->m.name, sizeof memo->migration);
    memcpy(memo->uid, vm->m.uid, sizeof memo->uid);
    if (source[0]) /* a VirtualMachine may be gone by now */
        memcpy(memo->source, source, sizeof memo->source);
    memcpy(memo->target, vm->target_provider, sizeof memo->target);
}

static bool names_claim(const char *claim, wm_name ret)
{
    size_t n = strlen(claim), end = strlen(CLAIM_END);

    if (n <= end || strcmp(claim + n - end, CLAIM_END) != 0)
        return false;
    snprintf(ret, sizeof(wm_name), "%.*s", (int)(n - end), claim);
    return true;
}

/* Its owner is not there (yet, or any more), and is told by the reference and the label. */
static void take_traces(struct wm_claim_memo *memo, const struct wm_record *claim)
{
    const char *label = wm_claim_of(claim)->vm_migration;

    if (memo->migration[0] || !wm_id_is_set(claim->parent))
        return;
    wm_id_print(claim->parent, memo->uid);
    if (label[0])
        wm_line_copy(memo->migration, sizeof memo->migration, wm_str_of(label));
    else
        names_claim(memo->claim, memo->migration);
}

/* Or there is none, and it uses a PVC of this name; not one that was made anew after the owner went. */
static bool is_owner(const struct wm_record *claim, const struct wm_record *migration)
{
    return !wm_id_is_set(claim->parent) || wm_id_is(claim->parent, migration->id);
}

static void refresh(struct wm_claim_memo *memo, const struct wm_model *m, const struct wm_record *claim,
                    int64_t now_s)
{
    struct wm_migration_claim of;

    memo->seen_s = now_s;
    memo->going |= claim->going;
    if (wm_migration_claim_of(m, claim, &of) && of.migration && is_owner(claim, of.migration))
        take_owner(memo, m, of.migration);
    else
        take_traces(memo, claim);
}

void wm_ledger_note_claim(struct wm_ledger *l, const struct wm_model *m, const struct wm_record *claim,
                          bool gone, int64_t now_s)
{
    struct wm_claim_memo *memo = memo_of(l, claim->id);

    if (!wm_claim_of(claim)->vm_storage && !memo)
        return;
    if (!memo)
        memo = new_memo(l, m, claim);
    refresh(memo, m, claim, now_s);
    memo->going |= gone;
}

/* The VMMigration of the PVC, or a VirtualMachine that may tell where a disk comes from. */
static bool concerns(const struct wm_claim_memo *memo, const struct wm_model *m, const struct wm_record *r)
{
    if (strcmp(memo->namespace_, wm_model_word(m, r->namespace_)) != 0)
        return false;
    return r->kind == WM_KIND_MACHINE ? !memo->source[0] : strcmp(wm_vm_of(r)->claim, memo->claim) == 0;
}

void wm_ledger_note_owner(struct wm_ledger *l, const struct wm_model *m, const struct wm_record *r,
                          int64_t now_s)
{
    for (size_t i = 0; i < l->n_claims; i++) {
        struct wm_claim_memo *memo = &l->claims[i];
        const struct wm_record *claim = concerns(memo, m, r) ? wm_model_find(m, 0, memo->id) : NULL;

        if (claim)
            refresh(memo, m, claim, now_s);
    }
}

/* --- attributing --- */

/* Of several of one name, the one that goes, or went, for a deletion; the youngest. */
static const struct wm_claim_memo *remembered(const struct wm_glance *g, const char *claim, bool deleted)
{
    const struct wm_claim_memo *found = NULL;

    for (size_t i = 0; i < g->l->n_claims; i++) {
        const struct wm_claim_memo *memo = &g->l->claims[i];

        if (strcmp(memo->claim, claim) != 0 || strcmp(memo->namespace_, g->server->namespace_) != 0)
            continue;
        if (!found ||
            (deleted && memo->going != found->going ? memo->going : memo->created_s > found->created_s))
            found = memo;
    }
    return found;
}

void wm_culprit_of(const struct wm_glance *g, const char *claim, bool deleted, struct wm_culprit *ret)
{
    const struct wm_claim_memo *memo = remembered(g, claim, deleted);

    *ret = (struct wm_culprit){.role = WM_RESTART_ROLE_UNKNOWN, .deleted = deleted};
    wm_line_copy(ret->claim, sizeof ret->claim, wm_str_of(claim));
    if (memo) {
        memcpy(ret->migration, memo->migration, sizeof ret->migration);
        memcpy(ret->uid, memo->uid, sizeof ret->uid);
        ret->role = wm_role_of_provider(g->server->provider, memo->source, memo->target);
    } else {
        names_claim(claim, ret->migration);
    }
}

void wm_culprits_keep(struct wm_entry *e)
{
    for (size_t i = 0; i < e->r.n_culprits; i++)
        for (size_t k = 0; k < e->n_known && !e->r.culprits[i].uid[0]; k++)
            if (e->known[k].uid[0] && strcmp(e->r.culprits[i].claim, e->known[k].claim) == 0)
                e->r.culprits[i] = e->known[k];
}
