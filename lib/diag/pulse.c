/* Whether a migration gets on: a digest of all that moves when it does. */
#include <string.h>

#include "situation_impl.h"
#include "waymark/cause.h"
#include "waymark/time.h"
#include "waymark/vm.h"

static uint64_t mix_text(uint64_t token, const char *text)
{
    return wm_mix(token ^ wm_str_digest(wm_str_of(text), 0));
}

static uint64_t token_of(const struct wm_world *w, const struct wm_record *r)
{
    uint64_t token = wm_mix(r->id.hi ^ r->id.lo ^ r->cluster);

    token = mix_text(token, wm_model_word(w->model, r->phase));
    token = wm_mix(token ^ (uint64_t)r->done);
    token = wm_mix(token ^ r->completed_s);
    if (r->kind == WM_KIND_POD)
        token = wm_mix(token ^ wm_pod_of(r)->ready);
    if (r->kind == WM_KIND_DVMP)
        token = wm_mix(token ^ wm_rsync_of(r)->progress);
    return token;
}

/* What all that is below a migration tells: a sum, so that the order in which objects came does not matter,
 * and the youngest of its times. */
struct felt {
    uint64_t token;
    int64_t youngest_s;
};

static void feel(struct felt *felt, const struct wm_world *w, const struct wm_record *r)
{
    felt->token += token_of(w, r);
    felt->youngest_s =
        wm_later(felt->youngest_s, wm_later(r->created_s, wm_later(r->started_s, r->completed_s)));
}

struct level {
    const struct wm_record *parent, *next;
};

static struct level level_below(const struct wm_world *w, const struct wm_record *parent)
{
    return (struct level){parent, parent->has_children ? wm_model_children(w->model, parent->id) : NULL};
}

/* --- VMMigrations --- */

/* What of the tree a phase of it is about: a provider's restart is no progress of an export. */
static bool is_about(enum wm_wait wait, enum wm_kind kind)
{
    if (kind == WM_KIND_MACHINE)
        return wait == WM_WAIT_VM_TARGET || wait == WM_WAIT_VM_PROVIDERS;
    return kind == WM_KIND_PVC || wait == WM_WAIT_VM_PROVIDERS;
}

static struct felt feel_vm(const struct wm_world *w, const struct wm_situation *s)
{
    enum wm_wait wait = s->state->row ? s->state->row->waits_for : WM_WAIT_NOTHING;
    struct felt felt = {mix_text((uint64_t)s->vm->retries, s->vm->waits_message), s->state->since_s};

    for (size_t i = 0; i < s->n_twigs; i++)
        if (is_about(wait, (enum wm_kind)s->tree[i].record->kind))
            feel(&felt, w, s->tree[i].record);
    return felt;
}

/* --- MigMigrations --- */

static struct felt feel_below(const struct wm_world *w, const struct wm_record *migration)
{
    enum { DEPTH_MAX = 6 };
    struct level levels[DEPTH_MAX] = {level_below(w, migration)};
    struct felt felt = {0, 0};
    int depth = 1;

    while (depth > 0) {
        struct level *l = &levels[depth - 1];
        const struct wm_record *r = l->next;

        if (!r) {
            depth--;
            continue;
        }
        l->next = wm_model_next_child(r, l->parent->id);
        if (!wm_is_child(l->parent, r))
            continue;
        feel(&felt, w, r);
        if (depth < DEPTH_MAX)
            levels[depth++] = level_below(w, r);
    }
    return felt;
}

static struct felt feel_all(const struct wm_world *w, const struct wm_situation *s)
{
    return s->vm ? feel_vm(w, s) : feel_below(w, s->migration);
}

static uint64_t token_with(const struct wm_migration_state *m, const struct felt *felt)
{
    uint64_t token = mix_text((uint64_t)m->itinerary, m->phase);

    token = mix_text(wm_mix(token ^ (uint64_t)m->outcome), m->pipeline.line);
    token = mix_text(wm_mix(token ^ (uint64_t)m->pipeline.done), m->pipeline.message);
    return token + felt->token;
}

uint64_t wm_progress_token(const struct wm_world *w, const struct wm_situation *s)
{
    struct felt felt = feel_all(w, s);

    return token_with(s->state, &felt);
}

bool wm_pulse_feel(struct wm_pulse *p, const struct wm_world *w, const struct wm_situation *s)
{
    struct felt felt = feel_all(w, s);
    const struct wm_migration_state *m = s->state;
    uint64_t token = token_with(m, &felt);
    bool first = p->changed_s == 0;

    if (!first && token == p->token)
        return false;
    p->token = token;
    p->changed_s = w->now_s;
    if (first) {
        int64_t known_s = wm_later(m->since_s ? m->since_s : m->created_s, felt.youngest_s);

        if (known_s && known_s < w->now_s)
            p->changed_s = known_s;
    }
    return true;
}
