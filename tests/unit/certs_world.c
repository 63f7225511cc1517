#include "certs_world.h"

#include <stdio.h>

uint32_t roll(struct world *w, uint32_t n)
{
    w->random = w->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(w->random >> 33) % n;
}

int new_gen(struct world *w, int64_t made_s)
{
    int id = ++w->n_gens;

    assert_in_range(id, 1, MAX_GEN - 1);
    w->gens[id].made_s = made_s;
    w->gens[id].true_s = w->now_s;
    return id;
}

void put(struct world *w, struct past *p, const struct secret *s, const struct config *c)
{
    if (p->n == MAX_PAST) {
        memmove(&p->was[0], &p->was[1], sizeof p->was[0] * (MAX_PAST - 1));
        p->n--;
    }
    p->version++;
    p->was[p->n].version = p->version;
    p->was[p->n].from_s = w->now_s;
    p->was[p->n].secret = s ? *s : (struct secret){0};
    p->was[p->n].config = c ? *c : (struct config){0};
    p->n++;
}

/* Index of a version that a read may return now. */
static size_t pick(struct world *w, const struct past *p)
{
    size_t i = p->n - 1;

    while (w->stale && i > 0 && p->was[i].from_s > w->now_s - STALE && roll(w, 2))
        i--;
    return i;
}

static struct wm_certs_gen gen_seen(const struct world *w, int id, int64_t trusted_s)
{
    if (id <= 0)
        return (struct wm_certs_gen){.trusted_s = WM_CERTS_UNTRUSTED};
    int64_t made_s = w->gens[id].made_s;

    return (struct wm_certs_gen){
        true,          w->gens[id].true_s >= w->names_since_s,
        made_s - 3600, made_s + VALIDITY,
        trusted_s,     {cert_text[id], CA_LEN},
        ca_of(id),
    };
}

static int id_of(struct wm_str ca)
{
    int id = 0;

    for (size_t i = 1; i + 1 < ca.n; i++)
        id = id * 10 + (ca.p[i] - '0');
    return id;
}

static void plan_replica(struct world *w, struct replica *r)
{
    struct wm_str previous[WM_CERTS_MAX_PREVIOUS], bundles[MAX_CONFIGS], bundled[64];
    struct wm_str cas[WM_CERTS_MAX_TRUST] = {ca_of(r->secret.active), ca_of(r->secret.next), ca_of(r->held)};
    int64_t trusted_s[WM_CERTS_MAX_TRUST], now_s = w->now_s + r->skew_s;
    size_t n_bundled = 0, n = 0;

    for (int i = 0; i < w->n_configs; i++) {
        bundles[i] = wm_str_of(r->configs[i].bundle);
        n_bundled = split(bundles[i], bundled, n_bundled);
    }
    for (size_t i = 0; i < n_bundled; i++)
        if (now_s < w->gens[id_of(bundled[i])].made_s + VALIDITY)
            bundled[n++] = bundled[i];
    wm_certs_trust_look(&r->trust, bundles, (size_t)w->n_configs, cas, w->now_s, trusted_s);
    for (size_t i = 0; i < r->secret.n_previous; i++)
        previous[i] = ca_of(r->secret.previous[i]);
    struct wm_certs_seen seen = {
        .now_s = now_s,
        .bundles_known = true,
        .secret_present = r->secret.present,
        .active = gen_seen(w, r->secret.active, trusted_s[0]),
        .next = gen_seen(w, r->secret.next, trusted_s[1]),
        .held = gen_seen(w, r->held, trusted_s[2]),
        .previous_present = r->secret.n_previous > 0,
        .previous = previous,
        .n_previous = r->secret.n_previous,
        .previous_since_s = r->secret.since_s,
        .bundles = bundles,
        .n_bundles = (size_t)w->n_configs,
        .bundled = bundled,
        .n_bundled = n,
    };

    wm_certs_plan(&settings, &seen, &r->plan);
    const int from[] = {0, r->secret.active, r->secret.next, r->held, -2};

    r->to = (struct secret){true, from[r->plan.active], from[r->plan.next],
                            {0},  r->plan.n_previous,   r->plan.previous_since_s};
    for (size_t i = 0; i < r->plan.n_previous; i++)
        r->to.previous[i] = id_of(r->plan.previous[i]);
    if (r->plan.serve_active && r->held != r->secret.active)
        r->held = r->secret.active;
}

void join(struct config *c, int gen)
{
    size_t n = strlen(c->bundle);

    snprintf(c->bundle + n, sizeof c->bundle - n, "%s", ca_text[gen]);
}

static void write_bundles(struct world *w, struct replica *r)
{
    struct config c = {{0}};

    for (size_t i = 0; i < r->plan.n_bundle; i++)
        join(&c, id_of(r->plan.bundle[i]));
    for (int i = 0; i < w->n_configs; i++)
        if (strcmp(r->configs[i].bundle, c.bundle) != 0 && w->configs[i].version == r->config_versions[i]) {
            put(w, &w->configs[i], NULL, &c);
            w->writes++;
        }
}

static bool trusted_by_all(const struct world *w, int gen)
{
    for (int i = 0; i < w->n_configs; i++) {
        const struct past *p = &w->configs[i];

        for (size_t j = p->n; j-- > 0;) {
            if (!strstr(p->was[j].config.bundle, ca_text[gen]))
                return false;
            if (p->was[j].from_s <= w->now_s - LAG)
                break;
        }
    }
    return true;
}

static void write_secret(struct world *w, struct replica *r)
{
    struct secret s = r->to;

    if (w->secret.version != r->secret_version)
        return;
    if (s.active == -2)
        s.active = new_gen(w, w->now_s + r->skew_s);
    if (s.next == -2)
        s.next = new_gen(w, w->now_s + r->skew_s);
    put(w, &w->secret, &s, NULL);
    w->writes++;
    if (r->plan.step == WM_CERTS_PROMOTE && w->now_s > w->emptied_s + 2 * TICK + LAG)
        w->broken = w->broken || !trusted_by_all(w, s.active);
}

void advance(struct world *w, struct replica *r)
{
    size_t i;

    switch (r->phase) {
    case READ_SECRET:
        if (w->now_s < r->ready_s)
            w->now_s = r->ready_s;
        i = pick(w, &w->secret);
        r->secret = w->secret.was[i].secret;
        r->secret_version = w->secret.was[i].version;
        r->next_config = 0;
        r->phase = w->n_configs ? READ_CONFIGS : PLAN;
        break;
    case READ_CONFIGS:
        i = pick(w, &w->configs[r->next_config]);
        r->configs[r->next_config] = w->configs[r->next_config].was[i].config;
        r->config_versions[r->next_config] = w->configs[r->next_config].was[i].version;
        if (++r->next_config == w->n_configs)
            r->phase = PLAN;
        break;
    case PLAN:
        plan_replica(w, r);
        r->phase = r->plan.step == WM_CERTS_WAIT ? READ_SECRET : WRITE;
        r->ready_s = r->plan.step == WM_CERTS_WAIT ? w->now_s + r->plan.wait_s : w->now_s;
        break;
    case WRITE:
        if (r->plan.step == WM_CERTS_SET_BUNDLE)
            write_bundles(w, r);
        else
            write_secret(w, r);
        r->phase = READ_SECRET;
        break;
    }
}

bool expired(const struct world *w, int gen)
{
    return w->now_s + 60 >= w->gens[gen].made_s + VALIDITY;
}

/* What must always hold; returns false and says why. */
bool holds(struct world *w)
{
    for (int i = 0; i < w->n_replicas; i++) {
        struct replica *r = &w->replicas[i];
        bool trusted = r->held > 0 && !expired(w, r->held) && trusted_by_all(w, r->held);

        if (r->trusted && !trusted && !(r->held > 0 && expired(w, r->held))) {
            print_error("replica %d serves %d, which an API server does not trust: '%s'\n", i, r->held,
                        w->configs[0].was[w->configs[0].n - 1].config.bundle);
            return false;
        }
        r->trusted = trusted;
    }
    if (w->broken)
        print_error("a pair became active that an API server does not trust\n");
    return !w->broken;
}

void forget_trust(struct world *w)
{
    for (int i = 0; i < w->n_replicas; i++)
        w->replicas[i].trusted = false;
}

void restart(struct replica *r)
{
    wm_certs_trust_done(&r->trust);
    *r = (struct replica){.skew_s = r->skew_s, .ready_s = r->ready_s};
}

void world_done(struct world *w)
{
    for (int i = 0; i < MAX_REPLICAS; i++)
        wm_certs_trust_done(&w->replicas[i].trust);
}

const struct secret *secret_now(const struct world *w)
{
    return &w->secret.was[w->secret.n - 1].secret;
}

/* Everybody runs, one whole round after the other, for `for_s`. */
bool settle(struct world *w, int64_t for_s)
{
    int64_t until_s = w->now_s + for_s;

    while (w->now_s < until_s) {
        struct replica *first = &w->replicas[0];

        for (int i = 0; i < w->n_replicas; i++) {
            struct replica *r = &w->replicas[i];

            if (r->phase != READ_SECRET || r->ready_s <= w->now_s)
                first = r;
        }
        for (int i = 0; i < w->n_replicas && first->phase == READ_SECRET && first->ready_s > w->now_s; i++)
            if (w->replicas[i].ready_s < first->ready_s)
                first = &w->replicas[i];
        advance(w, first);
        if (!holds(w))
            return false;
    }
    return true;
}

bool at_rest(struct world *w, const char **why)
{
    const struct secret *s = secret_now(w);
    int writes = w->writes;

    *why = "no active pair";
    if (!s->present || s->active <= 0 || expired(w, s->active))
        return false;
    *why = "next is left";
    if (s->next > 0)
        return false;
    *why = "previous is left";
    if (s->n_previous)
        return false;
    *why = "a caBundle is not the active CA alone";
    for (int i = 0; i < w->n_configs; i++)
        if (strcmp(w->configs[i].was[w->configs[i].n - 1].config.bundle, ca_text[s->active]) != 0)
            return false;
    *why = "a replica serves something else";
    for (int i = 0; i < w->n_replicas; i++)
        if (w->replicas[i].held != s->active)
            return false;
    *why = "trust was lost";
    if (!settle(w, 200))
        return false;
    *why = "there are writes though nothing changes";
    return w->writes == writes;
}
