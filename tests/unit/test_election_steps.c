/* The single decisions of an election. */
#include "lib/kube/lease_rules.h"
#include "unit.h"

static struct wm_election_set set_of(const char *identity)
{
    return (struct wm_election_set){.namespace_ = "n", .name = "l", .identity = identity};
}

/* --- a Lease that somebody else made --- */

#define LEASE(spec) "{\"metadata\":{\"resourceVersion\":\"7\"},\"spec\":" spec "}"

static const struct foreign {
    const char *name, *body;
    enum wm_lease_act at_once, after_15_s;
    bool is_error;
} foreigns[] = {
    {"held", LEASE("{\"holderIdentity\":\"x\",\"leaseDurationSeconds\":20}"), WM_LEASE_PAUSE, WM_LEASE_PAUSE,
     false},
    {"held for 15 s", LEASE("{\"holderIdentity\":\"x\",\"leaseDurationSeconds\":15}"), WM_LEASE_PAUSE,
     WM_LEASE_UPDATE, false},
    {"released", LEASE("{\"holderIdentity\":\"\",\"leaseDurationSeconds\":1}"), WM_LEASE_UPDATE,
     WM_LEASE_UPDATE, false},
    {"ours from before", LEASE("{\"holderIdentity\":\"me\",\"leaseDurationSeconds\":15}"), WM_LEASE_UPDATE,
     WM_LEASE_UPDATE, false},
    {"a name with ours in it", LEASE("{\"holderIdentity\":\"me2\",\"leaseDurationSeconds\":15}"),
     WM_LEASE_PAUSE, WM_LEASE_UPDATE, false},
    {"without spec", "{\"metadata\":{\"resourceVersion\":\"7\"}}", WM_LEASE_UPDATE, WM_LEASE_UPDATE, false},
    {"with nulls", LEASE("{\"holderIdentity\":null,\"acquireTime\":null}"), WM_LEASE_UPDATE, WM_LEASE_UPDATE,
     false},
    {"held without duration", LEASE("{\"holderIdentity\":\"x\"}"), WM_LEASE_PAUSE, WM_LEASE_UPDATE, false},
    {"held for less than nothing", LEASE("{\"holderIdentity\":\"x\",\"leaseDurationSeconds\":-5}"),
     WM_LEASE_PAUSE, WM_LEASE_UPDATE, false},
    {"held since a time that is none",
     LEASE("{\"holderIdentity\":\"x\",\"leaseDurationSeconds\":5,\"renewTime\":\"yesterday\"}"),
     WM_LEASE_PAUSE, WM_LEASE_UPDATE, false},
    {"held by a number", LEASE("{\"holderIdentity\":5}"), WM_LEASE_PAUSE, WM_LEASE_PAUSE, true},
    {"without version", "{\"metadata\":{},\"spec\":{}}", WM_LEASE_PAUSE, WM_LEASE_PAUSE, true},
    {"a page of a proxy", "<html>", WM_LEASE_PAUSE, WM_LEASE_PAUSE, true},
    {"nothing", "", WM_LEASE_PAUSE, WM_LEASE_PAUSE, true},
};

static void a_foreign_lease_is_judged(void **state)
{
    const struct foreign *f = *state;
    struct wm_election_set set = set_of("me");
    struct wm_election e;

    assert_int_equal(wm_election_init(&e, &set, NULL), WM_OK);
    for (int64_t now = 0; now <= 15000; now += 15000) {
        struct wm_error err = {0};

        assert_int_equal(wm_election_begin(&e, now), WM_LEASE_GET);
        assert_int_equal(wm_election_answer(&e, now, 200, wm_str_of(f->body), &err),
                         now ? f->after_15_s : f->at_once);
        assert_int_equal(err.code != WM_OK, f->is_error);
        assert_false(e.leading);
    }
    assert_int_equal(e.errors, f->is_error ? 2 : 0);
    wm_election_done(&e);
}

/* --- what is written --- */

static const struct written {
    const char *name, *seen; /* NULL = there is none */
    bool is_release;
    const char *body;
} bodies[] = {
#define HEAD "{\"apiVersion\":\"coordination.k8s.io/v1\",\"kind\":\"Lease\",\"metadata\":"
#define NOW "\"2026-11-21T07:18:00.000042Z\""
    {"a new Lease", NULL, false,
     HEAD
     "{\"namespace\":\"n\",\"name\":\"l\"},\"spec\":{\"holderIdentity\":\"me\",\"leaseDurationSeconds\":15,"
     "\"acquireTime\":" NOW ",\"renewTime\":" NOW ",\"leaseTransitions\":0}}"},
    {"a Lease taken over keeps its labels",
     "{\"metadata\":{\"resourceVersion\":\"7\",\"labels\":{\"a\":\"b\"}},\"spec\":{\"holderIdentity\":\"\","
     "\"acquireTime\":\"2020-01-01T00:00:00Z\",\"leaseTransitions\":4}}",
     false,
     HEAD "{\"resourceVersion\":\"7\",\"labels\":{\"a\":\"b\"}},\"spec\":{\"holderIdentity\":\"me\","
          "\"leaseDurationSeconds\":15,\"acquireTime\":" NOW ",\"renewTime\":" NOW
          ",\"leaseTransitions\":5}}"},
    {"our own Lease keeps its time and count",
     LEASE("{\"holderIdentity\":\"me\",\"acquireTime\":\"2020-01-01T00:00:00Z\",\"leaseTransitions\":4}"),
     false,
     HEAD "{\"resourceVersion\":\"7\"},\"spec\":{\"holderIdentity\":\"me\",\"leaseDurationSeconds\":15,"
          "\"acquireTime\":\"2020-01-01T00:00:00Z\",\"renewTime\":" NOW ",\"leaseTransitions\":4}}"},
    {"a release", LEASE("{\"holderIdentity\":\"me\",\"leaseTransitions\":4}"), true,
     HEAD "{\"resourceVersion\":\"7\"},\"spec\":{\"holderIdentity\":\"\",\"leaseDurationSeconds\":1,"
          "\"acquireTime\":" NOW ",\"renewTime\":" NOW ",\"leaseTransitions\":4}}"},
};

static void a_lease_is_written(void **state)
{
    const struct written *b = *state;
    struct wm_election_set set = set_of("me");
    wm_auto_buf struct wm_buf out = WM_BUF_MAX(4096);
    struct wm_election e;

    assert_int_equal(wm_election_init(&e, &set, NULL), WM_OK);
    wm_election_begin(&e, 0);
    if (b->is_release)
        wm_election_release(&e);
    wm_election_answer(&e, 0, b->seen ? 200 : 404, wm_str_of(b->seen), NULL);
    assert_int_equal(e.act, b->seen ? WM_LEASE_UPDATE : WM_LEASE_CREATE);
    wm_election_body(&e, INT64_C(1795245480000042), &out);
    assert_string_equal(out.p, b->body);
    wm_election_done(&e);
}

/* --- times that do not fit --- */

static const struct times_row {
    const char *name;
    int duration_ms, renew_ms, retry_ms;
    bool ok;
} times[] = {
    {"the defaults", 0, 0, 0, true},
    {"a deadline as long as the lease", 15000, 15000, 2000, false},
    {"a retry period as long as the deadline", 15000, 2400, 2000, false},
    {"a retry period just short enough", 15000, 2401, 2000, true},
    {"a retry period below nothing", 15000, 10000, -1, false},
    {"a lease of a day", 86400000, 10000, 2000, false},
};

static void times_must_fit(void **state)
{
    const struct times_row *t = *state;
    struct wm_election_set set = set_of("me");
    struct wm_election e = {0};

    set.duration_ms = t->duration_ms;
    set.renew_ms = t->renew_ms;
    set.retry_ms = t->retry_ms;
    assert_int_equal(wm_election_init(&e, &set, NULL), t->ok ? WM_OK : WM_E_INVALID);
    wm_election_done(&e);
}

/* --- single steps --- */

static const char ours[] = LEASE("{\"holderIdentity\":\"me\",\"leaseDurationSeconds\":15}");

static struct wm_election begun(void)
{
    struct wm_election_set set = set_of("me");
    struct wm_election e;

    assert_int_equal(wm_election_init(&e, &set, NULL), WM_OK);
    assert_int_equal(wm_election_begin(&e, 0), WM_LEASE_GET);
    assert_int_equal(wm_election_answer(&e, 0, 404, (struct wm_str){0}, NULL), WM_LEASE_CREATE);
    return e;
}

static void an_answer_that_comes_too_late_does_not_count(void **state)
{
    struct wm_election e = begun();

    (void)state;
    wm_election_answer(&e, 10000, 201, wm_str_of(ours), NULL);
    assert_false(e.leading);
    wm_election_done(&e);
}

static void a_renewal_counts_from_when_it_was_sent(void **state)
{
    struct wm_election e = begun();

    (void)state;
    wm_election_answer(&e, 4000, 201, wm_str_of(ours), NULL);
    assert_true(e.leading);
    assert_int_equal(wm_election_deadline_ms(&e), 10000);
    assert_int_equal(wm_election_timeout_ms(&e, 4000), 5000);
    assert_int_equal(wm_election_timeout_ms(&e, 9000), 1000);
    assert_false(wm_election_tick(&e, 9999));
    assert_true(wm_election_tick(&e, 10000));
    wm_election_done(&e);
}

static void who_sees_another_holder_stops_at_once(void **state)
{
    struct wm_election e = begun();

    (void)state;
    wm_election_answer(&e, 0, 201, wm_str_of(ours), NULL);
    assert_int_equal(wm_election_begin(&e, 2000), WM_LEASE_UPDATE);
    assert_int_equal(wm_election_answer(&e, 2000, 409, (struct wm_str){0}, NULL), WM_LEASE_GET);
    assert_true(e.leading);
    assert_int_equal(
        wm_election_answer(&e, 2000, 200,
                           wm_str_of(LEASE("{\"holderIdentity\":\"x\",\"leaseDurationSeconds\":15}")), NULL),
        WM_LEASE_PAUSE);
    assert_false(e.leading);
    wm_election_done(&e);
}

static void a_deleted_lease_that_another_made_again_is_lost(void **state)
{
    struct wm_election e = begun();

    (void)state;
    wm_election_answer(&e, 0, 201, wm_str_of(ours), NULL);
    wm_election_begin(&e, 2000);
    wm_election_answer(&e, 2000, 404, (struct wm_str){0}, NULL);
    assert_int_equal(wm_election_answer(&e, 2000, 404, (struct wm_str){0}, NULL), WM_LEASE_CREATE);
    assert_true(e.leading);
    assert_int_equal(wm_election_answer(&e, 2000, 409, (struct wm_str){0}, NULL), WM_LEASE_PAUSE);
    assert_false(e.leading);
    wm_election_done(&e);
}

static void a_release_gives_up_after_some_conflicts(void **state)
{
    struct wm_election e = begun();
    enum wm_lease_act act;
    int n = 0;

    (void)state;
    wm_election_answer(&e, 0, 201, wm_str_of(ours), NULL);
    wm_election_release(&e);
    assert_false(e.leading);
    for (act = wm_election_begin(&e, 1000); act != WM_LEASE_PAUSE && n < 100; n++)
        act = act == WM_LEASE_GET ? wm_election_answer(&e, 1000, 200, wm_str_of(ours), NULL)
                                  : wm_election_answer(&e, 1000, 409, (struct wm_str){0}, NULL);
    assert_in_range(n, 4, 20);
    wm_election_done(&e);
}

static void who_never_wrote_releases_nothing(void **state)
{
    struct wm_election_set set = set_of("me");
    struct wm_election e;

    (void)state;
    assert_int_equal(wm_election_init(&e, &set, NULL), WM_OK);
    wm_election_release(&e);
    assert_int_equal(wm_election_begin(&e, 0), WM_LEASE_PAUSE);
    wm_election_done(&e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_that_comes_too_late_does_not_count),
        cmocka_unit_test(a_renewal_counts_from_when_it_was_sent),
        cmocka_unit_test(who_sees_another_holder_stops_at_once),
        cmocka_unit_test(a_deleted_lease_that_another_made_again_is_lost),
        cmocka_unit_test(a_release_gives_up_after_some_conflicts),
        cmocka_unit_test(who_never_wrote_releases_nothing),
    };
    int failed = RUN_TABLE("foreign Leases", foreigns, a_foreign_lease_is_judged);

    failed += RUN_TABLE("bodies", bodies, a_lease_is_written);
    failed += RUN_TABLE("times", times, times_must_fit);
    return failed + cmocka_run_group_tests_name("steps", tests, NULL, NULL);
}
