/* Restarts of kind A: a rollout of another template. */
#include "restarts_impl.h"

/* With the strategy Recreate the old pods have ended, within their grace of 30 s, before the first new one is
 * made. */
enum { BEFORE_S = 120 };

/* From which template to which. */
struct rollout {
    int revision, from_revision;
    const struct wm_template *old, *new; /* old NULL = not known */
    const char *hash;                    /* of the new pods; "" = not known yet */
};

/* --- templates --- */

static bool has_claim(const struct wm_template *t, const char *claim)
{
    for (int i = 0; i < t->n_claims; i++)
        if (strcmp(wm_template_claim(t, i), claim) == 0)
            return true;
    return false;
}

static int n_without(const struct wm_template *a, const struct wm_template *b)
{
    int n = 0;

    for (int i = 0; i < a->n_claims; i++)
        n += !has_claim(b, wm_template_claim(a, i));
    return n;
}

static bool same_order(const struct wm_template *a, const struct wm_template *b)
{
    if (a->n_claims != b->n_claims)
        return false;
    for (int i = 0; i < a->n_claims; i++)
        if (strcmp(wm_template_claim(a, i), wm_template_claim(b, i)) != 0)
            return false;
    return true;
}

static bool same_template(const struct wm_template *a, const struct wm_template *b)
{
    return a->rest == b->rest && same_order(a, b);
}

static const char *hash_of(const struct wm_glance *g, int revision, const struct wm_template *t)
{
    for (size_t i = 0; i < g->n_sets; i++)
        if (wm_replicas_of(g->sets[i])->revision == revision)
            return wm_replicas_of(g->sets[i])->hash;
    for (size_t i = 0; i < g->n_sets; i++) /* one is used again, and has not been told so yet */
        if (same_template(&wm_replicas_of(g->sets[i])->template_, t))
            return wm_replicas_of(g->sets[i])->hash;
    return "";
}

/* Its template is not that of its own revision: with Recreate no ReplicaSet is made, and no revision raised,
 * before the old pods have ended. */
static bool is_ahead(const struct wm_glance *g, const struct wm_replicas_state *top)
{
    const struct wm_server_state *s = g->state;

    if (!top || s->revision != top->revision)
        return false;
    return !same_order(&s->template_, &top->template_) ||
           (s->template_.rest != top->template_.rest && s->generation > s->observed);
}

static struct rollout rollout_of(const struct wm_glance *g)
{
    const struct wm_server_state *s = g->state;
    const struct wm_replicas_state *top = g->n_sets > 0 ? wm_replicas_of(g->sets[0]) : NULL,
                                   *next = g->n_sets > 1 ? wm_replicas_of(g->sets[1]) : NULL;
    bool ahead = is_ahead(g, top), raised = !top || s->revision > top->revision;
    struct rollout r = {.new = &s->template_};

    if (ahead || raised) {
        r.revision = ahead ? top->revision + 1 : s->revision;
        next = top;
    } else {
        r.revision = top->revision;
        r.new = &top->template_;
    }
    if (next && next->revision > 0) {
        r.old = &next->template_;
        r.from_revision = next->revision;
    }
    r.hash = hash_of(g, r.revision, r.new);
    return r;
}

/* --- why --- */

static void add_culprit(const struct wm_glance *g, struct wm_restart *r, const char *claim, bool deleted)
{
    if (r->n_culprits < WM_CULPRITS_MAX)
        wm_culprit_of(g, claim, deleted, &r->culprits[r->n_culprits++]);
}

static void add_culprits(const struct wm_glance *g, struct wm_restart *r, const struct wm_template *of,
                         const struct wm_template *not_of, bool deleted)
{
    for (int i = 0; i < of->n_claims; i++)
        if (!not_of || !has_claim(not_of, wm_template_claim(of, i)))
            add_culprit(g, r, wm_template_claim(of, i), deleted);
}

static void find_cause(const struct wm_glance *g, const struct rollout *ro, struct wm_entry *e)
{
    struct wm_restart *r = &e->r;

    if (!ro->old)
        return;
    int came = n_without(ro->new, ro->old), went = n_without(ro->old, ro->new);
    bool same_rest = ro->old->rest == ro->new->rest;

    r->from_revision = ro->from_revision;
    r->n_culprits = 0;
    memset(r->culprits, 0, sizeof r->culprits);
    r->cause = came                                         ? WM_RESTART_CREATED
               : went                                       ? WM_RESTART_DELETED
               : same_rest && !same_order(ro->old, ro->new) ? WM_RESTART_CHURN
                                                            : WM_RESTART_CHANGED;
    r->also_changed = (came || went) && !same_rest;
    add_culprits(g, r, ro->new, ro->old, false);
    add_culprits(g, r, ro->old, ro->new, true);
    if (r->cause == WM_RESTART_CHURN)
        add_culprits(g, r, ro->new, NULL, false);
    wm_culprits_keep(e);
}

/* --- its pods --- */

/* The rollout before this one, of the same Deployment; NULL = none is known. */
static struct wm_entry *one_before(const struct wm_glance *g, const struct wm_entry *e)
{
    struct wm_entry *found = NULL;

    for (size_t i = 0; i < g->l->n; i++) {
        struct wm_entry *other = g->l->entries[i];

        if (other != e && wm_id_is(other->server, e->server) && other->r.kind == WM_RESTART_ROLLOUT &&
            other->r.to_revision < e->r.to_revision &&
            (!found || other->r.to_revision > found->r.to_revision))
            found = other;
    }
    return found;
}

struct pods {
    int64_t first_s, ready_s; /* of the new ones: made; ready, the last of them */
    int64_t let_go_s, last_s; /* of the old ones: told to end, the first and the last */
    const struct wm_pod_memo *newest;
};

static bool is_in_time(const struct wm_entry *e, int64_t s)
{
    return !e->r.ended_s || s <= e->r.ended_s;
}

static void count_new(const struct wm_entry *e, const struct wm_pod_memo *p, struct pods *ret)
{
    if (!is_in_time(e, p->created_s))
        return;
    if (!ret->first_s || p->created_s < ret->first_s)
        ret->first_s = p->created_s;
    if (p->n_stays)
        ret->ready_s = wm_later(ret->ready_s, p->stays[0].from_s);
    if (!ret->newest || p->created_s > ret->newest->created_s ||
        (p->created_s == ret->newest->created_s && strcmp(p->name, ret->newest->name) < 0))
        ret->newest = p;
}

static void count_old(const struct wm_entry *e, const struct wm_pod_memo *p, int64_t since_s,
                      struct pods *ret)
{
    int64_t end_s = wm_pod_memo_end(p);

    if (!end_s || !p->n_stays || end_s <= since_s ||
        !is_in_time(e, end_s)) /* who never served harms nobody */
        return;
    if (!ret->let_go_s || end_s < ret->let_go_s)
        ret->let_go_s = end_s;
    ret->last_s = wm_later(ret->last_s, end_s);
}

bool wm_entry_is_new(const struct wm_entry *e, const struct wm_pod_memo *p)
{
    return e->r.kind == WM_RESTART_ROLLOUT
               ? e->hash[0] && strcmp(p->hash, e->hash) == 0 && p->created_s >= e->r.begun_s
               : wm_id_is(p->id, e->new);
}

static struct pods pods_of(const struct wm_glance *g, const struct wm_entry *e, const struct wm_entry *before)
{
    const struct wm_server_memo *s = g->server;
    struct pods pods = {0};
    int64_t after_s = before ? before->r.begun_s : 0;
    int64_t since_s = before ? before->r.ended_s - before->cut : 0;

    for (size_t i = 0; i < s->n_pods; i++)
        if (e->hash[0] && strcmp(s->pods[i].hash, e->hash) == 0 && s->pods[i].created_s > after_s)
            count_new(e, &s->pods[i], &pods);
    if (pods.first_s && pods.first_s - BEFORE_S > since_s)
        since_s = pods.first_s - BEFORE_S;
    for (size_t i = 0; i < s->n_pods; i++)
        if (strcmp(s->pods[i].hash, e->hash) != 0 || s->pods[i].created_s <= after_s)
            count_old(e, &s->pods[i], since_s, &pods);
    return pods;
}

/* --- its times --- */

/* While there is no new pod: what the Deployment says of its last progress, or now. */
static void guess_begin(const struct wm_glance *g, struct wm_entry *e)
{
    const struct wm_server_state *s = g->state;
    int64_t told_s = s->revision == e->r.to_revision ? s->progress_s : 0;

    if (!e->guessed_s)
        e->guessed_s = g->now_s;
    if (told_s && told_s < e->guessed_s)
        e->guessed_s = told_s;
}

static void find_end(const struct wm_glance *g, struct wm_entry *e, const struct pods *pods)
{
    const struct wm_server_state *s = g->state;
    struct wm_restart *r = &e->r;
    bool current = s->revision == r->to_revision && e->hash[0];

    if (!(current && wm_server_is_rolled_out(s)) && (!r->ended_s || e->cut))
        return;
    if (current && strcmp(s->progress, "NewReplicaSetAvailable") == 0 && s->progress_s >= r->begun_s)
        r->ended_s = s->progress_s;
    else if (pods->ready_s && current)
        r->ended_s = wm_later(pods->ready_s, pods->last_s);
    else if (!r->ended_s)
        r->ended_s = g->now_s;
}

/* How long old and new ones were ready at the same time, once that is over. */
static int64_t overlap_of(const struct wm_glance *g, const struct wm_entry *e, const struct pods *pods)
{
    const struct wm_server_memo *s = g->server;
    int64_t ready_s = 0;

    for (size_t i = 0; i < s->n_pods; i++)
        if (wm_entry_is_new(e, &s->pods[i]) && s->pods[i].n_stays &&
            (!ready_s || s->pods[i].stays[0].from_s < ready_s))
            ready_s = s->pods[i].stays[0].from_s;
    return ready_s && pods->last_s > ready_s ? pods->last_s - ready_s : 0;
}

static void find_times(const struct wm_glance *g, struct wm_entry *e, struct wm_entry *before)
{
    struct pods pods = pods_of(g, e, before);
    struct wm_restart *r = &e->r;

    guess_begin(g, e);
    r->begun_s = pods.first_s ? pods.first_s : e->guessed_s;
    r->let_go_s = pods.let_go_s ? pods.let_go_s : r->let_go_s;
    if (pods.newest)
        memcpy(r->pod, pods.newest->name, sizeof r->pod);
    find_end(g, e, &pods);
    r->overlap_s = wm_later(r->overlap_s, overlap_of(g, e, &pods));
}

/* --- all of it --- */

/* What was taken for a rollout that would come, and did not. */
static void drop_later(const struct wm_glance *g, int revision)
{
    for (size_t i = 0; i < g->l->n;) {
        struct wm_entry *e = g->l->entries[i];

        if (wm_id_is(e->server, g->server->id) && e->r.kind == WM_RESTART_ROLLOUT &&
            e->r.to_revision > revision && !e->sealed)
            wm_entry_drop(g->l, e);
        else
            i++;
    }
}

/* The first revision is the Deployment's creation; and one without pods restarts nothing. */
static bool is_restart(const struct wm_glance *g, const struct rollout *ro)
{
    return ro->revision > 1 && (g->state->wanted > 0 || g->server->n_pods > 0);
}

/* Another one began: it will not come to its end. */
static void cut_off(struct wm_entry *e, const struct wm_entry *next)
{
    if (e->r.ended_s && !e->cut)
        return;
    e->cut = true;
    e->r.ended_s = next->r.begun_s;
}

/* Those before are looked at again: what they did to pods may be seen later than what came after them. */
static void look_back(const struct wm_glance *g, struct wm_entry *e)
{
    struct wm_entry *chain[WM_RESTARTS_MAX], *next = e;
    size_t n = 0;

    for (; next && n < WM_RESTARTS_MAX && (n == 0 || !next->sealed); next = one_before(g, next))
        chain[n++] = next;
    for (size_t i = n; i-- > 0;) {
        struct wm_entry *before = one_before(g, chain[i]);

        if (i + 1 < n) {
            cut_off(before, chain[i]);
            wm_entry_conclude(g, before);
        }
        find_times(g, chain[i], before);
        if (before && before->cut && !before->sealed)
            cut_off(before, chain[i]);
    }
}

void wm_look_at_rollout(const struct wm_glance *g)
{
    struct rollout ro = rollout_of(g);
    struct wm_entry *e;

    drop_later(g, ro.revision);
    if (!is_restart(g, &ro))
        return;
    e = wm_entry_open(g, WM_RESTART_ROLLOUT, g->server->id, (uint64_t)ro.revision);
    if (e->sealed)
        return;
    e->r.to_revision = ro.revision;
    wm_line_copy(e->hash, sizeof e->hash, wm_str_of(ro.hash));
    find_cause(g, &ro, e);
    look_back(g, e);
    wm_entry_conclude(g, e);
}
