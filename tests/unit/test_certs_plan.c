#include <stdio.h>

#include "certs/plan.h"
#include "unit.h"

enum { DAY = 86400, NOW = 1795000000, VALIDITY = 90 * DAY, WAIT = 60, KEEP = 600, TICK = 30 };

static const struct wm_certs_settings settings = {VALIDITY, WAIT, KEEP, TICK};

/* Generations are numbers here; their CAs and certificates are texts of one length. */
enum { MAX_GEN = 200, CA_LEN = 6 };
static char ca_text[MAX_GEN][CA_LEN + 1], cert_text[MAX_GEN][CA_LEN + 1];

static void make_texts(void)
{
    for (unsigned i = 0; i < MAX_GEN; i++) {
        snprintf(ca_text[i], sizeof ca_text[i], "<%04u>", i);
        snprintf(cert_text[i], sizeof cert_text[i], "[%04u]", i);
    }
}

static struct wm_str ca_of(int gen)
{
    return gen > 0 ? (struct wm_str){ca_text[gen], CA_LEN} : (struct wm_str){0};
}

/* --- one step from one view --- */

enum { MAX_LIST = 12 };

struct gen_spec {
    int id;         /* 0 = absent, -1 = garbage */
    int left_days;  /* of 90 */
    int trusted_s;  /* -1 = not */
    bool bad_names; /* does not cover ours */
};

static const struct plan_row {
    const char *name;
    bool absent, blind; /* Secret absent; caBundles unknown */
    struct gen_spec active, next, held;
    int previous[MAX_LIST], previous_age_s; /* ids; 0 ends */
    const char *bundles[3];                 /* as they stand; NULL ends */
    enum wm_certs_step step;
    bool serve;
    enum wm_certs_source to_active, to_next; /* for steps that write the Secret */
    const char *to_previous, *to_bundle;     /* texts joined; NULL = not asked */
    int wait_s;                              /* 0 = not asked */
} plans[] = {
    // clang-format off
    {.name = "nothing there: create", .absent = true, .bundles = {""},
     .step = WM_CERTS_CREATE, .to_active = WM_CERTS_FRESH, .to_previous = ""},
    {.name = "nothing there, nobody calls us: create", .absent = true,
     .step = WM_CERTS_CREATE, .to_active = WM_CERTS_FRESH, .to_previous = ""},
    {.name = "nothing there and the caBundles unreadable: touch nothing", .absent = true, .blind = true,
     .step = WM_CERTS_WAIT},
    {.name = "Secret gone, others may serve what the caBundle trusts: keep that trusted", .absent = true, .bundles = {"<0007>"},
     .step = WM_CERTS_CREATE, .to_active = WM_CERTS_FRESH, .to_previous = "<0007>"},
    {.name = "Secret gone, we serve a trusted pair: put it back and rotate", .absent = true, .held = {7, 80, 500}, .bundles = {"<0007>"},
     .step = WM_CERTS_CREATE, .to_active = WM_CERTS_HELD, .to_next = WM_CERTS_FRESH, .to_previous = ""},
    {.name = "Secret gone, we serve an untrusted pair: a fresh one is as good", .absent = true, .held = {7, 80, -1}, .bundles = {"<0008>"},
     .step = WM_CERTS_CREATE, .to_active = WM_CERTS_FRESH, .to_previous = "<0008>"},
    {.name = "Secret gone, we serve an expired pair", .absent = true, .held = {7, -1, 500}, .bundles = {""},
     .step = WM_CERTS_CREATE, .to_active = WM_CERTS_FRESH, .to_previous = ""},
    {.name = "garbage: repair", .active = {-1}, .bundles = {""},
     .step = WM_CERTS_REPAIR, .to_active = WM_CERTS_FRESH, .to_previous = ""},
    {.name = "garbage, next is good: use it", .active = {-1}, .next = {8, 89, -1}, .bundles = {"<0007>"},
     .step = WM_CERTS_REPAIR, .to_active = WM_CERTS_NEXT, .to_previous = "<0007>"},
    {.name = "garbage, next is good but we hold better", .active = {-1}, .next = {8, 89, 5}, .held = {7, 20, 900}, .bundles = {"<0007><0008>"},
     .step = WM_CERTS_REPAIR, .to_active = WM_CERTS_HELD, .to_next = WM_CERTS_NEXT, .to_previous = ""},
    {.name = "garbage, next is for other names", .active = {-1}, .next = {8, 89, 5, true}, .bundles = {"<0007><0008>"},
     .step = WM_CERTS_REPAIR, .to_active = WM_CERTS_FRESH, .to_previous = "<0007><0008>"},
    {.name = "expired: repair at once", .active = {7, -1, 500}, .bundles = {"<0007>"}, .held = {7, -1, 500},
     .step = WM_CERTS_REPAIR, .to_active = WM_CERTS_FRESH},
    {.name = "expired, next not yet spread: use it at once", .active = {7, 0, 500}, .next = {8, 89, 3}, .bundles = {"<0007><0008>"},
     .step = WM_CERTS_REPAIR, .to_active = WM_CERTS_NEXT, .to_previous = "<0007>"},

    {.name = "fresh pair, empty caBundle: serve and set it", .active = {7, 90, -1}, .bundles = {""},
     .step = WM_CERTS_SET_BUNDLE, .serve = true, .to_bundle = "<0007>"},
    {.name = "one caBundle of two lacks the CA", .active = {7, 90, -1}, .bundles = {"<0007>", ""},
     .step = WM_CERTS_SET_BUNDLE, .serve = true, .to_bundle = "<0007>"},
    {.name = "all well: nothing", .active = {7, 80, 500}, .bundles = {"<0007>", "<0007>"},
     .step = WM_CERTS_WAIT, .serve = true, .wait_s = TICK},
    {.name = "all well and nobody calls us: nothing", .active = {7, 80, 0},
     .step = WM_CERTS_WAIT, .serve = true},
    {.name = "caBundles unreadable: serve, write nothing", .blind = true, .active = {7, -5, -1}, .next = {8, 89, -1},
     .step = WM_CERTS_WAIT},
    {.name = "caBundles unreadable at the start: serve what there is", .blind = true, .active = {7, 80, -1},
     .step = WM_CERTS_WAIT, .serve = true},
    {.name = "same CA in another spelling: write ours", .active = {7, 80, 500}, .bundles = {"<0007>\n"},
     .step = WM_CERTS_SET_BUNDLE, .serve = true, .to_bundle = "<0007>"},
    {.name = "a stranger's CA is adopted before it leaves", .active = {7, 80, 500}, .bundles = {"<0009><0007>"},
     .step = WM_CERTS_ADOPT, .serve = true, .to_active = WM_CERTS_ACTIVE, .to_previous = "<0009>"},
    {.name = "adopting keeps those that live", .active = {7, 80, 500}, .previous = {6}, .previous_age_s = 30, .bundles = {"<0006><0007><0009>"},
     .step = WM_CERTS_ADOPT, .serve = true, .to_active = WM_CERTS_ACTIVE, .to_previous = "<0006><0009>"},
    {.name = "adopting does not wake those that are past", .active = {7, 80, 500}, .previous = {6}, .previous_age_s = KEEP, .bundles = {"<0006><0007><0009>"},
     .step = WM_CERTS_ADOPT, .serve = true, .to_active = WM_CERTS_ACTIVE, .to_previous = "<0009>"},

    {.name = "not yet due", .active = {7, 31, 500}, .bundles = {"<0007>"},
     .step = WM_CERTS_WAIT, .serve = true},
    {.name = "a third is left: make the next", .active = {7, 30, 500}, .bundles = {"<0007>"},
     .step = WM_CERTS_STORE_NEXT, .serve = true, .to_active = WM_CERTS_ACTIVE, .to_next = WM_CERTS_FRESH, .to_previous = ""},
    {.name = "names changed: make the next", .active = {7, 80, 500, true}, .bundles = {"<0007>"},
     .step = WM_CERTS_STORE_NEXT, .serve = true, .to_active = WM_CERTS_ACTIVE, .to_next = WM_CERTS_FRESH, .to_previous = ""},
    {.name = "next is garbage and it is time: make another", .active = {7, 20, 500}, .next = {-1}, .bundles = {"<0007>"},
     .step = WM_CERTS_STORE_NEXT, .serve = true, .to_active = WM_CERTS_ACTIVE, .to_next = WM_CERTS_FRESH},
    {.name = "next is for other names and it is time: make another", .active = {7, 20, 500}, .next = {8, 89, 500, true}, .bundles = {"<0007><0008>"},
     .step = WM_CERTS_STORE_NEXT, .serve = true, .to_active = WM_CERTS_ACTIVE, .to_next = WM_CERTS_FRESH},
    {.name = "next is for other names and it is not time: let it be", .active = {7, 80, 500}, .next = {8, 89, 500, true}, .bundles = {"<0007><0008>"},
     .step = WM_CERTS_WAIT, .serve = true},
    {.name = "next stored: its CA joins", .active = {7, 30, 500}, .next = {8, 90, -1}, .bundles = {"<0007>"},
     .step = WM_CERTS_SET_BUNDLE, .serve = true, .to_bundle = "<0007><0008>"},
    {.name = "the caBundle is sorted, whatever is active", .active = {8, 30, 500}, .next = {7, 90, -1}, .bundles = {"<0008>"},
     .step = WM_CERTS_SET_BUNDLE, .serve = true, .to_bundle = "<0007><0008>"},
    {.name = "next spreads: wait for the rest", .active = {7, 30, 500}, .next = {8, 90, 45}, .bundles = {"<0007><0008>"},
     .step = WM_CERTS_WAIT, .serve = true, .wait_s = WAIT - 45},
    {.name = "next has spread: promote", .active = {7, 30, 500}, .next = {8, 90, WAIT}, .bundles = {"<0007><0008>"},
     .step = WM_CERTS_PROMOTE, .serve = true, .to_active = WM_CERTS_NEXT, .to_next = WM_CERTS_NONE, .to_previous = "<0007>"},
    {.name = "promoting keeps earlier ones", .active = {7, 30, 500}, .next = {8, 90, WAIT}, .previous = {6}, .previous_age_s = 10, .bundles = {"<0006><0007><0008>"},
     .step = WM_CERTS_PROMOTE, .serve = true, .to_active = WM_CERTS_NEXT, .to_previous = "<0006><0007>"},
    {.name = "nobody calls us: promote without waiting", .active = {7, 30, 0}, .next = {8, 90, 0},
     .step = WM_CERTS_PROMOTE, .serve = true, .to_active = WM_CERTS_NEXT, .to_previous = "<0007>"},
    {.name = "too many previous: wait until they leave", .active = {7, 30, 500}, .next = {8, 90, WAIT}, .previous = {11, 12, 13, 14, 15, 16, 17, 18}, .previous_age_s = 10,
     .bundles = {"<0007><0008><0011><0012><0013><0014><0015><0016><0017><0018>"},
     .step = WM_CERTS_WAIT, .serve = true},

    {.name = "promoted by another, trusted here for long: switch", .active = {8, 90, 70}, .held = {7, 30, 500}, .previous = {7}, .previous_age_s = 5, .bundles = {"<0007><0008>"},
     .step = WM_CERTS_WAIT, .serve = true},
    {.name = "promoted by another, seen here just now: not yet", .active = {8, 90, 0}, .held = {7, 30, 500}, .previous = {7}, .previous_age_s = 5, .bundles = {"<0007><0008>"},
     .step = WM_CERTS_WAIT, .serve = false},
    {.name = "the active pair is not trusted, ours is: not yet", .active = {8, 90, -1}, .held = {7, 30, 500}, .previous = {7}, .previous_age_s = 5, .bundles = {"<0007>"},
     .step = WM_CERTS_SET_BUNDLE, .serve = false, .to_bundle = "<0007><0008>"},
    {.name = "an older Secret was restored: what we serve is adopted", .active = {6, 40, -1}, .held = {7, 80, 500}, .bundles = {"<0007>"},
     .step = WM_CERTS_ADOPT, .serve = false, .to_active = WM_CERTS_ACTIVE, .to_previous = "<0007>"},
    {.name = "neither is trusted and ours is forgotten: switch", .active = {8, 90, -1}, .held = {7, 80, -1}, .bundles = {""},
     .step = WM_CERTS_SET_BUNDLE, .serve = true, .to_bundle = "<0008>"},
    {.name = "neither is trusted but both come back: stay", .active = {8, 90, -1}, .held = {7, 80, -1}, .previous = {7}, .previous_age_s = 5, .bundles = {""},
     .step = WM_CERTS_SET_BUNDLE, .serve = false, .to_bundle = "<0007><0008>"},
    {.name = "ours expired: switch", .active = {8, 90, -1}, .held = {7, -1, 900}, .bundles = {"<0008>"},
     .step = WM_CERTS_WAIT, .serve = true},
    {.name = "caBundles unreadable: keep what we serve", .blind = true, .active = {8, 90, -1}, .held = {7, 30, 900},
     .step = WM_CERTS_WAIT, .serve = false},

    {.name = "previous is still young", .active = {8, 90, 500}, .previous = {7}, .previous_age_s = KEEP - 10, .bundles = {"<0007><0008>"},
     .step = WM_CERTS_WAIT, .serve = true, .wait_s = 10},
    {.name = "previous is old: out of the caBundle first", .active = {8, 90, 500}, .previous = {7}, .previous_age_s = KEEP, .bundles = {"<0007><0008>"},
     .step = WM_CERTS_SET_BUNDLE, .serve = true, .to_bundle = "<0008>"},
    {.name = "previous is out of the caBundle: forget it", .active = {8, 90, 500}, .previous = {7}, .previous_age_s = KEEP, .bundles = {"<0008>"},
     .step = WM_CERTS_DROP_PREVIOUS, .serve = true, .to_active = WM_CERTS_ACTIVE, .to_previous = ""},
    {.name = "previous is old but we serve it", .active = {8, 90, 30}, .held = {7, 30, 9000}, .previous = {7}, .previous_age_s = KEEP + 100, .bundles = {"<0007><0008>"},
     .step = WM_CERTS_WAIT, .serve = false},
    {.name = "previous is from the far future: nonsense, forget it", .active = {8, 90, 500}, .previous = {7}, .previous_age_s = -KEEP, .bundles = {"<0008>"},
     .step = WM_CERTS_DROP_PREVIOUS, .serve = true, .to_active = WM_CERTS_ACTIVE, .to_previous = ""},
    {.name = "previous is from a clock a little ahead: young", .active = {8, 90, 500}, .previous = {7}, .previous_age_s = -100, .bundles = {"<0007><0008>"},
     .step = WM_CERTS_WAIT, .serve = true},
    {.name = "our clock is in the past: not the pair's fault", .active = {8, 200, 500}, .bundles = {"<0008>"},
     .step = WM_CERTS_WAIT, .serve = true},
    // clang-format on
};

static struct wm_certs_gen gen_of(const struct gen_spec *s)
{
    if (s->id <= 0)
        return (struct wm_certs_gen){.trusted_s = WM_CERTS_UNTRUSTED};
    int64_t not_after_s = NOW + (int64_t)s->left_days * DAY;

    return (struct wm_certs_gen){
        true,         !s->bad_names, not_after_s - VALIDITY - 3600,
        not_after_s,  s->trusted_s,  {cert_text[s->id], CA_LEN},
        ca_of(s->id),
    };
}

/* Splits "<0007><0008>" into the CAs not yet in `list`. */
static size_t split(struct wm_str bytes, struct wm_str *list, size_t n)
{
    for (size_t i = 0; i + CA_LEN <= bytes.n; i += CA_LEN) {
        struct wm_str ca = {bytes.p + i, CA_LEN};
        bool there = false;

        if (*ca.p != '<')
            break;
        for (size_t j = 0; j < n; j++)
            there = there || wm_str_eq(list[j], ca);
        if (!there)
            list[n++] = ca;
    }
    return n;
}

static void assert_joined(const struct wm_str *list, size_t n, const char *want)
{
    wm_auto_buf struct wm_buf b = WM_BUF_MAX(200);

    for (size_t i = 0; i < n; i++)
        wm_buf_str(&b, list[i]);
    assert_string_equal(b.p ? b.p : "", want);
}

static void check_plan(void **state)
{
    const struct plan_row *t = *state;
    struct wm_str previous[MAX_LIST], bundles[3], bundled[3 * MAX_LIST];
    struct wm_certs_seen seen = {
        .now_s = NOW,
        .bundles_known = !t->blind,
        .secret_present = !t->absent,
        .active = gen_of(&t->active),
        .next = gen_of(&t->next),
        .held = gen_of(&t->held),
        .previous_present = t->previous[0] != 0,
        .previous = previous,
        .previous_since_s = NOW - t->previous_age_s,
        .bundles = bundles,
        .bundled = bundled,
    };
    struct wm_certs_plan p;

    for (; t->previous[seen.n_previous]; seen.n_previous++)
        previous[seen.n_previous] = ca_of(t->previous[seen.n_previous]);
    for (; seen.n_bundles < 3 && t->bundles[seen.n_bundles]; seen.n_bundles++) {
        bundles[seen.n_bundles] = wm_str_of(t->bundles[seen.n_bundles]);
        seen.n_bundled = split(bundles[seen.n_bundles], bundled, seen.n_bundled);
    }
    if (seen.n_bundles == 0)
        seen.active.trusted_s = seen.next.trusted_s = WM_CERTS_ALWAYS;
    wm_certs_plan(&settings, &seen, &p);
    assert_string_equal(wm_certs_step_name(p.step), wm_certs_step_name(t->step));
    assert_int_equal(p.serve_active, t->serve);
    if (t->to_active)
        assert_int_equal(p.active, t->to_active);
    if (t->to_active)
        assert_int_equal(p.next, t->to_next);
    if (t->to_previous)
        assert_joined(p.previous, p.n_previous, t->to_previous);
    if (t->to_bundle)
        assert_joined(p.bundle, p.n_bundle, t->to_bundle);
    if (t->wait_s)
        assert_int_equal(p.wait_s, t->wait_s);
    assert_true(p.wait_s > 0 && p.wait_s <= TICK);
}

/* --- trust over time --- */

static void trust_counts_only_while_it_is_seen_everywhere(void **state)
{
    struct wm_certs_trust t = {0};
    struct wm_str both[2] = {wm_str_of("<0007><0008>"), wm_str_of("<0008><0007>")};
    struct wm_str one[2] = {wm_str_of("<0007><0008>"), wm_str_of("<0007>")};
    struct wm_str cas[WM_CERTS_MAX_TRUST] = {ca_of(7), ca_of(8), {0}};
    int64_t got[WM_CERTS_MAX_TRUST];

    (void)state;
    wm_certs_trust_look(&t, one, 2, cas, 1000, got);
    assert_int_equal(got[0], 0);
    assert_int_equal(got[1], WM_CERTS_UNTRUSTED);
    assert_int_equal(got[2], WM_CERTS_UNTRUSTED);
    wm_certs_trust_look(&t, both, 2, cas, 1010, got);
    assert_int_equal(got[0], 10);
    assert_int_equal(got[1], 0);
    wm_certs_trust_look(&t, both, 2, cas, 1030, got);
    assert_int_equal(got[1], 20);
    wm_certs_trust_look(&t, one, 2, cas, 1040, got); /* taken out, */
    assert_int_equal(got[1], WM_CERTS_UNTRUSTED);
    wm_certs_trust_look(&t, both, 2, cas, 1050, got); /* put back: counts anew */
    assert_int_equal(got[0], 50);
    assert_int_equal(got[1], 0);
    struct wm_str swapped[WM_CERTS_MAX_TRUST] = {ca_of(8), ca_of(7), ca_of(8)};

    wm_certs_trust_look(&t, both, 2, swapped, 1060, got); /* whatever it is now called */
    assert_int_equal(got[0], 10);
    assert_int_equal(got[1], 60);
    assert_int_equal(got[2], 10);
    wm_certs_trust_look(&t, NULL, 0, cas, 1070, got);
    assert_true(got[0] == WM_CERTS_ALWAYS && got[1] == WM_CERTS_ALWAYS && got[2] == WM_CERTS_UNTRUSTED);
    wm_certs_trust_done(&t);
}

/* --- many replicas, in every order ---
 *
 * A cluster in miniature: one Secret and up to two webhook configurations with versions and their recent
 * past, replicas that read, plan and write in separate steps, and API servers that see a configuration up to
 * LAG seconds late.  What must hold: once the pair that a replica serves is trusted by all API servers, that
 * replica never serves one that is not, and no trusted pair in service loses trust. */

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

static uint32_t roll(struct world *w, uint32_t n)
{
    w->random = w->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(w->random >> 33) % n;
}

static int new_gen(struct world *w, int64_t made_s)
{
    int id = ++w->n_gens;

    assert_in_range(id, 1, MAX_GEN - 1);
    w->gens[id].made_s = made_s;
    w->gens[id].true_s = w->now_s;
    return id;
}

static void put(struct world *w, struct past *p, const struct secret *s, const struct config *c)
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

static void join(struct config *c, int gen)
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

static void advance(struct world *w, struct replica *r)
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

static bool expired(const struct world *w, int gen)
{
    return w->now_s + 60 >= w->gens[gen].made_s + VALIDITY;
}

/* What must always hold; returns false and says why. */
static bool holds(struct world *w)
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

static void forget_trust(struct world *w)
{
    for (int i = 0; i < w->n_replicas; i++)
        w->replicas[i].trusted = false;
}

static void restart(struct replica *r)
{
    wm_certs_trust_done(&r->trust);
    *r = (struct replica){.skew_s = r->skew_s, .ready_s = r->ready_s};
}

static void world_done(struct world *w)
{
    for (int i = 0; i < MAX_REPLICAS; i++)
        wm_certs_trust_done(&w->replicas[i].trust);
}

static const struct secret *secret_now(const struct world *w)
{
    return &w->secret.was[w->secret.n - 1].secret;
}

/* Everybody runs, one whole round after the other, for `for_s`. */
static bool settle(struct world *w, int64_t for_s)
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

static bool at_rest(struct world *w, const char **why)
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
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trust_counts_only_while_it_is_seen_everywhere),
    };

    make_texts();
    return RUN_TABLE("certificate plan", plans, check_plan) +
           RUN_TABLE("two replicas in every order", starts, check_every_order) +
           RUN_TABLE("replicas in random orders", starts, check_random_orders) +
           cmocka_run_group_tests(tests, NULL, NULL);
}
