/* Leader election over real requests, with short times, against a server that keeps one Lease. */
#include <unistd.h>

#include "fault_server.h"
#include "lease_store.h"
#include "lib/kube/internal.h"
#include "unit.h"
#include "waymark/clock.h"
#include "waymark/lease.h"

#define PATH "/apis/coordination.k8s.io/v1/namespaces/n/leases"

enum { DURATION_MS = 1000, RENEW_MS = 600, RETRY_MS = 150 };

struct candidate {
    struct wm_kube *kube;
    struct wm_lease *lease;
    int duration_ms, renew_ms; /* 0 = short */
    _Atomic int n_led, n_lost;
};

struct setup {
    struct lease_store store;
    struct fault_server *server;
    struct candidate a, b;
};

static int respond(void *ctx, const char *request, struct wm_buf *out)
{
    char method[8] = "";
    const char *body = strstr(request, "\r\n\r\n");

    memcpy(method, request, strcspn(request, " ") % sizeof method);
    return lease_store_call(ctx, method, wm_str_of(body ? body + 4 : ""), out);
}

static void begin(struct setup *s)
{
    *s = (struct setup){0};
    lease_store_init(&s->store);
    const struct fault row = {.match = PATH, .times = -1, .respond = respond, .ctx = &s->store};

    s->server = fault_server_start(&row, 1, NULL);
}

static void on_changed(void *ctx, bool leading)
{
    struct candidate *c = ctx;

    leading ? c->n_led++ : c->n_lost++;
}

static void join(struct setup *s, struct candidate *c, const char *identity)
{
    wm_auto_buf struct wm_buf url = WM_BUF_MAX(100);
    struct wm_kube_access access = {0};

    wm_buf_printf(&url, "http://127.0.0.1:%d", fault_server_port(s->server));
    access.server = wm_buf_take(&url);
    assert_int_equal(wm_kube_new(&access, NULL, &c->kube, NULL), WM_OK);
    const struct wm_lease_opts opts = {.kube = c->kube,
                                       .namespace_ = "n",
                                       .name = "l",
                                       .identity = identity,
                                       .duration_ms = c->duration_ms ? c->duration_ms : DURATION_MS,
                                       .renew_deadline_ms = c->renew_ms ? c->renew_ms : RENEW_MS,
                                       .retry_ms = RETRY_MS,
                                       .changed = on_changed,
                                       .ctx = c};

    assert_int_equal(wm_lease_new(&opts, &c->lease, NULL), WM_OK);
}

static void leave(struct candidate *c)
{
    c->lease = wm_lease_free(c->lease);
    c->kube = wm_kube_free(c->kube);
}

static void finish(struct setup *s)
{
    leave(&s->a);
    leave(&s->b);
    fault_server_stop(s->server);
    lease_store_done(&s->store);
}

/* Within `ms`; returns after how many. */
static int64_t expect_holds(struct candidate *c, bool holds, int64_t ms)
{
    int64_t start = wm_mono_ms();

    while (wm_lease_holds(c->lease) != holds) {
        assert_true(wm_mono_ms() - start <= ms);
        usleep(1000);
    }
    return wm_mono_ms() - start;
}

static void one_of_two_leads_and_renews(void **state)
{
    struct setup s;
    struct wm_lease_stats of_a, of_b;

    (void)state;
    begin(&s);
    join(&s, &s.a, "a");
    expect_holds(&s.a, true, 3000);
    join(&s, &s.b, "b");
    for (int i = 0; i < 150; i++) {
        assert_true(wm_lease_holds(s.a.lease));
        assert_false(wm_lease_holds(s.b.lease));
        usleep(10000);
    }
    wm_lease_stats(s.a.lease, &of_a);
    wm_lease_stats(s.b.lease, &of_b);
    assert_true(of_a.leading && !of_b.leading);
    assert_string_equal(of_b.holder, "a");
    assert_in_range(of_a.renewed_ms_ago, 0, RENEW_MS);
    assert_int_equal(of_b.renewed_ms_ago, -1);
    assert_int_equal(of_a.transitions, 0);
    assert_int_equal(of_a.errors + of_b.errors, 0);
    /* a leader writes without looking */
    assert_true(of_a.attempts >= 5);
    assert_int_equal(s.store.n_writes, of_a.attempts);
    finish(&s);
}

static void a_release_is_taken_up_at_once(void **state)
{
    struct setup s;
    struct wm_lease_stats of_b;

    (void)state;
    begin(&s);
    join(&s, &s.a, "a");
    expect_holds(&s.a, true, 3000);
    join(&s, &s.b, "b");
    usleep(200000);
    leave(&s.a);
    assert_int_equal(s.a.n_lost, 1);
    /* far less than its duration */
    expect_holds(&s.b, true, DURATION_MS / 2);
    wm_lease_stats(s.b.lease, &of_b);
    assert_int_equal(of_b.transitions, 1);
    finish(&s);
}

static void a_silent_leader_is_followed_by_the_other(void **state)
{
    static const struct fault mute = {.match = "\"holderIdentity\":\"a\"", .times = -1, .end = FAULT_MUTE};
    struct setup s;
    int64_t start;

    (void)state;
    begin(&s);
    join(&s, &s.a, "a");
    expect_holds(&s.a, true, 3000);
    join(&s, &s.b, "b");
    usleep(300000);
    start = wm_mono_ms();
    fault_server_add(s.server, &mute, 1, true);
    expect_holds(&s.a, false, RENEW_MS + 300);
    assert_false(wm_lease_holds(s.b.lease));
    expect_holds(&s.b, true, DURATION_MS + 1000);
    assert_true(wm_mono_ms() - start >= DURATION_MS - RETRY_MS - 100);
    assert_int_equal(s.a.n_lost, 1);
    finish(&s);
}

static void an_outage_shorter_than_the_deadline_is_survived(void **state)
{
    struct setup s;

    (void)state;
    begin(&s);
    join(&s, &s.a, "a");
    expect_holds(&s.a, true, 3000);
    fault_server_down(s.server);
    usleep(250000);
    assert_true(wm_lease_holds(s.a.lease));
    fault_server_up(s.server);
    usleep(800000);
    assert_true(wm_lease_holds(s.a.lease));
    assert_int_equal(s.a.n_led, 1);
    fault_server_down(s.server);
    expect_holds(&s.a, false, RENEW_MS + 100);
    fault_server_up(s.server);
    expect_holds(&s.a, true, 2000);
    assert_int_equal(s.a.n_led, 2);
    assert_string_equal(lease_store_spec(&s.store, "/spec/leaseTransitions"), "0");
    finish(&s);
}

static void a_deleted_lease_is_made_again(void **state)
{
    struct setup s;

    (void)state;
    begin(&s);
    join(&s, &s.a, "a");
    expect_holds(&s.a, true, 3000);
    join(&s, &s.b, "b");
    usleep(200000);
    lease_store_set(&s.store, NULL);
    usleep(600000);
    assert_true(wm_lease_holds(s.a.lease));
    assert_string_equal(lease_store_spec(&s.store, "/spec/holderIdentity"), "\"a\"");
    assert_int_equal(s.a.n_lost, 0);
    finish(&s);
}

/* While a renewal hangs, the end does not: it is given up after a second. */
static void the_end_waits_a_second_at_most(void **state)
{
    static const struct fault mute = {.times = -1, .end = FAULT_MUTE};
    struct setup s;
    int64_t start;

    (void)state;
    begin(&s);
    s.a.duration_ms = 10000;
    s.a.renew_ms = 8000;
    join(&s, &s.a, "a");
    expect_holds(&s.a, true, 3000);
    fault_server_add(s.server, &mute, 1, true);
    start = wm_mono_ms();
    s.a.lease = wm_lease_free(s.a.lease);
    assert_in_range(wm_mono_ms() - start, 900, 1500);
    assert_int_equal(s.a.n_lost, 1);
    finish(&s);
}

static void an_end_at_once_leaves_nothing_behind(void **state)
{
    struct setup s;

    (void)state;
    begin(&s);
    for (int i = 0; i < 20; i++) {
        join(&s, &s.a, "a");
        usleep((useconds_t)i * 500);
        leave(&s.a);
        assert_int_equal(s.a.n_led, s.a.n_lost);
        assert_string_not_equal(lease_store_spec(&s.store, "/spec/holderIdentity"), "\"a\"");
    }
    finish(&s);
}

static void names_and_times_are_checked(void **state)
{
    struct setup s;
    struct wm_lease *lease = NULL;
    struct wm_error err;

    (void)state;
    begin(&s);
    join(&s, &s.a, NULL);
    struct wm_lease_opts opts = {.kube = s.a.kube, .namespace_ = "n", .name = "../secrets"};

    assert_int_equal(wm_lease_new(&opts, &lease, &err), WM_E_INVALID);
    assert_string_equal(err.msg, "'../secrets' is no name of a Lease");
    opts.name = "l";
    opts.duration_ms = 5000;
    assert_int_equal(wm_lease_new(&opts, &lease, &err), WM_E_INVALID);
    assert_null(lease);
    finish(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_of_two_leads_and_renews),
        cmocka_unit_test(a_release_is_taken_up_at_once),
        cmocka_unit_test(a_silent_leader_is_followed_by_the_other),
        cmocka_unit_test(an_outage_shorter_than_the_deadline_is_survived),
        cmocka_unit_test(a_deleted_lease_is_made_again),
        cmocka_unit_test(the_end_waits_a_second_at_most),
        cmocka_unit_test(an_end_at_once_leaves_nothing_behind),
        cmocka_unit_test(names_and_times_are_checked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
