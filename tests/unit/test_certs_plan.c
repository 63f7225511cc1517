/* One step of a rotation, from what is seen; and how long a CA is trusted. */
#include "certs_texts.h"
#include "unit.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trust_counts_only_while_it_is_seen_everywhere),
    };

    make_texts();
    return RUN_TABLE("certificate plan", plans, check_plan) + cmocka_run_group_tests(tests, NULL, NULL);
}
