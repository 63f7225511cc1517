/* Many replicas in every order, and in random ones: nobody ever serves a pair that is not trusted. */
#include "certs_world.h"

/* --- the states to start from --- */

static const struct start_row {
    const char *name;
    bool absent;
    int active_age_days, next_age_days; /* -1 = none, -2 = garbage */
    int previous_age_s;                 /* -1 = none */
    const char *bundle;                 /* a = active's CA, n = next's, p = previous', h = held's own */
    int held[2];                        /* 'a', 'p', 'h' (of its own generation) or 0 */
    bool new_names;
    int makes; /* generations made until it rests; -1 = any */
} starts[] = {
    {"an empty cluster", true, -1, -1, -1, "", {0, 0}, false, 1},
    {"at rest", false, 10, -1, -1, "a", {'a', 'a'}, false, 0},
    {"due", false, 61, -1, -1, "a", {'a', 'a'}, false, 1},
    {"names changed", false, 10, -1, -1, "a", {'a', 'a'}, true, 1},
    {"next stored", false, 61, 0, -1, "a", {'a', 'a'}, false, 0},
    {"next trusted", false, 61, 0, -1, "an", {'a', 'a'}, false, 0},
    {"next is garbage", false, 61, -2, -1, "a", {'a', 'a'}, false, 1},
    {"just promoted", false, 0, -1, 0, "ap", {'p', 'p'}, false, 0},
    {"just promoted, one has switched", false, 0, -1, 0, "ap", {'p', 'a'}, false, 0},
    {"previous is past", false, 0, -1, KEEP, "ap", {'a', 'a'}, false, 0},
    {"due while previous lives", false, 61, -1, 10, "ap", {'a', 'p'}, false, 1},
    {"Secret deleted", true, -1, -1, -1, "h", {'h', 'h'}, false, -1},
    {"Secret deleted, one has restarted", true, -1, -1, -1, "h", {'h', 0}, false, -1},
    {"Secret deleted, all have restarted", true, -1, -1, -1, "h", {0, 0}, false, 1},
    {"Secret is garbage", false, -2, -1, -1, "h", {'h', 'h'}, false, -1},
    {"Secret is garbage, one has restarted", false, -2, -1, -1, "h", {0, 'h'}, false, -1},
    {"an older Secret restored", false, 20, -1, -1, "h", {'h', 'h'}, false, 0},
    {"an older Secret restored, one has restarted", false, 20, -1, -1, "h", {'h', 0}, false, 0},
    {"expired", false, 91, -1, -1, "a", {'a', 'a'}, false, 1},
    {"expired in mid rotation", false, 91, 0, -1, "an", {'a', 'a'}, false, 0},
    {"caBundle emptied", false, 10, -1, -1, "", {'a', 'a'}, false, 0},
};

static void begin(struct world *w, const struct start_row *t, int n_configs, int n_replicas)
{
    *w = (struct world){.now_s = NOW - 1000, .n_configs = n_configs, .n_replicas = n_replicas};
    struct secret s = {.present = !t->absent};
    struct config c = {{0}};
    int previous = new_gen(w, NOW - 61 * (int64_t)DAY), held = new_gen(w, NOW - 5 * (int64_t)DAY);

    s.active = t->active_age_days >= 0 ? new_gen(w, NOW - t->active_age_days * (int64_t)DAY)
                                       : t->active_age_days + 1;
    s.next = t->next_age_days >= 0 ? new_gen(w, NOW - t->next_age_days * (int64_t)DAY) : t->next_age_days + 1;
    if (t->previous_age_s >= 0) {
        s.previous[s.n_previous++] = previous;
        s.since_s = NOW - t->previous_age_s;
    }
    for (const char *b = t->bundle; *b; b++)
        join(&c, *b == 'a' ? s.active : *b == 'n' ? s.next : *b == 'p' ? previous : held);
    put(w, &w->secret, &s, NULL);
    for (int i = 0; i < n_configs; i++)
        put(w, &w->configs[i], NULL, &c);
    w->now_s = NOW;
    w->names_since_s = t->new_names ? NOW : 0;
    for (int i = 0; i < n_replicas; i++) {
        int h = t->held[i % 2];

        w->replicas[i].held = h == 'a' ? s.active : h == 'p' ? previous : h == 'h' ? held : 0;
        /* it has been running for long: its view of trust is as old */
        if (h) {
            struct wm_str bundles[MAX_CONFIGS] = {wm_str_of(c.bundle), wm_str_of(c.bundle)};
            struct wm_str cas[WM_CERTS_MAX_TRUST] = {ca_of(s.active), ca_of(s.next),
                                                     ca_of(w->replicas[i].held)};
            int64_t unused[WM_CERTS_MAX_TRUST];

            wm_certs_trust_look(&w->replicas[i].trust, bundles, (size_t)n_configs, cas, NOW - 30, unused);
        }
    }
    w->made = w->n_gens;
}

static void finish(struct world *w, const struct start_row *t, unsigned order)
{
    const char *why = "trust was lost";

    if (!settle(w, 3 * KEEP) || !at_rest(w, &why))
        fail_msg("order %x: %s", order, why);
    /* two may make one each at the same time; of those one wins, and only writes count */
    if (t->makes >= 0 && w->n_gens - w->made != t->makes)
        fail_msg("order %x: %d generations were made", order, w->n_gens - w->made);
    world_done(w);
}

/* Two replicas, every order of their first ORDER steps: a round that writes is four. */
static void check_every_order(void **state)
{
    enum { ORDER = 12 };
    const struct start_row *t = *state;
    struct world *w = malloc(sizeof *w);

    for (unsigned order = 0; order < 1u << ORDER; order++) {
        begin(w, t, 1, 2);
        for (unsigned i = 0; i < ORDER; i++) {
            advance(w, &w->replicas[order >> i & 1]);
            if (!holds(w))
                fail_msg("order %x, step %u", order, i);
        }
        finish(w, t, order);
    }
    free(w);
}

/* Somebody else meddles. */
static void meddle(struct world *w)
{
    struct secret s = *secret_now(w);
    struct config c = {{0}};

    switch (roll(w, 6)) {
    case 0:
        s = (struct secret){0};
        put(w, &w->secret, &s, NULL);
        break;
    case 1:
        s.active = -1;
        put(w, &w->secret, &s, NULL);
        break;
    case 2:
        s.next = -1;
        put(w, &w->secret, &s, NULL);
        break;
    case 3:
        put(w, &w->configs[0], NULL, &c); /* as a GitOps tool does that does not ignore the caBundle */
        w->emptied_s = w->now_s;
        forget_trust(w);
        break;
    case 4:
        w->names_since_s = w->now_s;
        break;
    default:
        restart(&w->replicas[roll(w, (uint32_t)w->n_replicas)]);
        break;
    }
}

/* Up to three replicas, up to two configurations, stale reads, clocks apart, restarts and meddling. */
static void check_random_orders(void **state)
{
    const struct start_row *t = *state;
    struct world *w = malloc(sizeof *w);

    for (unsigned seed = 0; seed < 400; seed++) {
        begin(w, t, 1 + (int)(seed % 2), 2 + (int)(seed / 2 % 2));
        w->random = seed * UINT64_C(0x9E3779B97F4A7C15) + 1;
        w->stale = seed / 4 % 2;
        for (int i = 0; i < w->n_replicas; i++)
            w->replicas[i].skew_s = (int64_t)roll(w, 30) - 15;
        for (unsigned i = 0; i < 400; i++) {
            struct replica *r = &w->replicas[roll(w, (uint32_t)w->n_replicas)];

            /* nobody is late by more than KEEP allows for */
            if (r->phase == READ_SECRET && r->ready_s > w->now_s)
                for (int j = 0; j < w->n_replicas; j++)
                    if (w->replicas[j].phase != READ_SECRET || w->replicas[j].ready_s < r->ready_s - 300)
                        r = &w->replicas[j];
            advance(w, r);
            if (!holds(w))
                fail_msg("seed %u, step %u", seed, i);
            if (seed % 3 == 0 && roll(w, 60) == 0)
                meddle(w);
        }
        w->stale = false;
        const char *why = "trust was lost";

        if (!settle(w, 4 * KEEP) || !at_rest(w, &why))
            fail_msg("seed %u: %s", seed, why);
        world_done(w);
    }
    free(w);
}

int main(void)
{
    make_texts();
    return RUN_TABLE("two replicas in every order", starts, check_every_order) +
           RUN_TABLE("replicas in random orders", starts, check_random_orders);
}
