/* A cluster in miniature: one Secret and up to two webhook configurations with versions and their recent
 * past, replicas that read, plan and write in separate steps, and API servers that see a configuration up to
 * LAG seconds late.  What must hold: once the pair that a replica serves is trusted by all API servers, that
 * replica never serves one that is not, and no trusted pair in service loses trust. */
#ifndef WAYMARK_TESTS_CERTS_WORLD_H
#define WAYMARK_TESTS_CERTS_WORLD_H

#include "certs_texts.h"
#include "unit.h"

enum { LAG = 20, STALE = 10, MAX_PAST = 64, MAX_REPLICAS = 3, MAX_CONFIGS = 2 };

struct secret {
    bool present;
    int active, next; /* -1 = garbage */
    int previous[WM_CERTS_MAX_PREVIOUS];
    size_t n_previous;
    int64_t since_s;
};

struct config {
    char bundle[CA_LEN * 16 + 1];
};

struct past { /* a versioned object and its recent past; the last is now */
    int version;
    size_t n;
    struct {
        int version;
        int64_t from_s;
        struct secret secret;
        struct config config;
    } was[MAX_PAST];
};

struct replica {
    enum { READ_SECRET, READ_CONFIGS, PLAN, WRITE } phase;
    int held;
    bool trusted; /* what it serves was once trusted by all */
    int64_t ready_s, skew_s;
    struct secret secret;
    int secret_version;
    struct config configs[MAX_CONFIGS];
    int config_versions[MAX_CONFIGS], next_config;
    struct wm_certs_trust trust;
    struct wm_certs_plan plan;
    struct secret to; /* what the plan makes of the Secret; FRESH = -2 */
};

struct world {
    int64_t now_s, names_since_s; /* generations made before names_since_s lack a name */
    uint64_t random;
    int n_gens, n_configs, n_replicas;
    struct {
        int64_t made_s /* by its maker's clock */, true_s;
    } gens[MAX_GEN];
    struct past secret, configs[MAX_CONFIGS];
    struct replica replicas[MAX_REPLICAS];
    bool stale;        /* reads may be STALE seconds old */
    bool broken;       /* a pair became active that an API server does not trust */
    int64_t emptied_s; /* when somebody last emptied a caBundle */
    int writes, made;
};

uint32_t roll(struct world *w, uint32_t n);
int new_gen(struct world *w, int64_t made_s);
void put(struct world *w, struct past *p, const struct secret *s, const struct config *c);
void join(struct config *c, int gen);
void advance(struct world *w, struct replica *r);
bool expired(const struct world *w, int gen);
bool holds(struct world *w);
void forget_trust(struct world *w);
void restart(struct replica *r);
void world_done(struct world *w);
const struct secret *secret_now(const struct world *w);
bool settle(struct world *w, int64_t for_s);
bool at_rest(struct world *w, const char **why);

#endif
