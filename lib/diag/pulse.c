/* Whether a migration gets on: a digest of all that moves when it does. */
#include <string.h>

#include "situation_impl.h"
#include "waymark/cause.h"

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

/* A sum, so that the order in which objects came does not matter. */
static uint64_t token_below(const struct wm_world *w, const struct wm_record *parent, int depth)
{
    enum { DEPTH_MAX = 6 };
    uint64_t token = 0;

    if (depth == DEPTH_MAX || !parent->has_children)
        return 0;
    for (const struct wm_record *r = wm_model_children(w->model, parent->id); r;
         r = wm_model_next_child(r, parent->id))
        if (wm_is_child(parent, r))
            token += token_of(w, r) + token_below(w, r, depth + 1);
    return token;
}

uint64_t wm_progress_token(const struct wm_world *w, const struct wm_situation *s)
{
    const struct wm_migration_state *m = s->state;
    uint64_t token = mix_text((uint64_t)m->itinerary, m->phase);

    token = mix_text(wm_mix(token ^ (uint64_t)m->outcome), m->pipeline.line);
    token = mix_text(wm_mix(token ^ (uint64_t)m->pipeline.done), m->pipeline.message);
    return token + token_below(w, s->migration, 0);
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* The youngest time that the objects tell. */
static int64_t youngest_below(const struct wm_world *w, const struct wm_record *parent, int depth)
{
    enum { DEPTH_MAX = 6 };
    int64_t s = 0;

    if (depth == DEPTH_MAX || !parent->has_children)
        return 0;
    for (const struct wm_record *r = wm_model_children(w->model, parent->id); r;
         r = wm_model_next_child(r, parent->id))
        if (wm_is_child(parent, r)) {
            s = later(s, later(r->created_s, later(r->started_s, r->completed_s)));
            s = later(s, youngest_below(w, r, depth + 1));
        }
    return s;
}

bool wm_pulse_feel(struct wm_pulse *p, const struct wm_world *w, const struct wm_situation *s)
{
    uint64_t token = wm_progress_token(w, s);
    bool first = p->changed_s == 0;
    const struct wm_migration_state *m = s->state;

    if (!first && token == p->token)
        return false;
    p->token = token;
    p->changed_s = w->now_s;
    if (first) {
        int64_t known_s = later(m->since_s ? m->since_s : m->created_s, youngest_below(w, s->migration, 0));

        if (known_s && known_s < w->now_s)
            p->changed_s = known_s;
    }
    return true;
}
