/* Our own Lease, watched: renewals that do not come back mean that watches are dead. */
#include <unistd.h>

#include "aggregator/canary.h"
#include "lease_store.h"
#include "watch_fixture.h"
#include "waymark/clock.h"

#define LEASES "/apis/coordination.k8s.io/v1/namespaces/n/leases"
#define ITS_LIST LEASES "?fieldSelector=metadata.name%3Dl&limit"
#define ITS_WATCH LEASES "?fieldSelector=metadata.name%3Dl&watch=1"

enum { LIMIT_MS = 300, RETRY_MS = 100 };

struct cage {
    struct setup s;
    struct lease_store store;
    struct wm_kube *own;
    struct wm_lease *lease;
    struct wm_canary *canary;
};

static int respond(void *ctx, const char *request, struct wm_buf *out)
{
    char method[8] = "";
    const char *body = strstr(request, "\r\n\r\n");

    memcpy(method, request, strcspn(request, " ") % sizeof method);
    return lease_store_call(ctx, method, wm_str_of(body ? body + 4 : ""), out);
}

/* `leases`: what the canary's list and watches are answered. */
static void begin_cage(struct cage *c, const struct fault *leases, size_t n)
{
    struct wm_canary_opts opts = {.namespace_ = "n", .name = "l", .limit_ms = LIMIT_MS};

    lease_store_init(&c->store);
    const struct fault store = {.match = LEASES, .times = -1, .respond = respond, .ctx = &c->store};

    BEGIN(&c->s, {.match = IS_LIST, .body = {LIST("10", "")}},
          {.match = "watch=1&resourceVersion=10&", .end = FAULT_HANG, .times = -1});
    fault_server_add(c->s.server, leases, n, false);
    fault_server_add(c->s.server, &store, 1, false);
    c->own = connect_to(c->s.server, &c->s.t);
    const struct wm_lease_opts lease = {.kube = c->own,
                                        .namespace_ = "n",
                                        .name = "l",
                                        .duration_ms = 3000,
                                        .renew_deadline_ms = 2000,
                                        .retry_ms = RETRY_MS};

    assert_int_equal(wm_lease_new(&lease, &c->lease, NULL), WM_OK);
    opts.watched = c->s.kube;
    opts.lease = c->lease;
    assert_int_equal(wm_canary_new(&opts, &c->canary, NULL), WM_OK);
    expect_notes(&c->s, "synced ");
}

static void end_cage(struct cage *c)
{
    c->canary = wm_canary_free(c->canary);
    c->lease = wm_lease_free(c->lease);
    c->own = wm_kube_free(c->own);
    finish(&c->s);
    lease_store_done(&c->store);
}

static void tick_for(struct cage *c, int64_t ms)
{
    for (int64_t until = wm_mono_ms() + ms; wm_mono_ms() < until; usleep(20000))
        wm_canary_tick(c->canary);
}

#define RENEWED(rv) EVENT("MODIFIED", "l", rv)

static void a_watch_that_is_dead_takes_all_others_down(void **state)
{
    static const struct fault leases[] = {
        {.match = ITS_LIST, .body = {LIST("5", "")}},
        /* acknowledged for ever, and nothing comes */
        {.match = ITS_WATCH "&resourceVersion=5&", .end = FAULT_HANG},
        {.match = ITS_WATCH "&resourceVersion=5&",
         .body = {RENEWED("6"), RENEWED("7"), RENEWED("8"), RENEWED("9"), RENEWED("10"), RENEWED("11"),
                  RENEWED("12"), RENEWED("13")},
         .between_ms = 100,
         .end = FAULT_HANG},
    };
    struct cage c = {0};

    (void)state;
    begin_cage(&c, leases, 3);
    tick_for(&c, 250);
    assert_int_equal(wm_canary_misses(c.canary), 0);
    int64_t until = wm_mono_ms() + 5000;

    while (wm_canary_misses(c.canary) == 0 && wm_mono_ms() < until)
        tick_for(&c, 20);
    assert_int_equal(wm_canary_misses(c.canary), 1);
    expect_requests(&c.s, PATH "?watch=1&resourceVersion=10&", 2);
    expect_requests(&c.s, ITS_WATCH, 2);
    tick_for(&c, 600);
    assert_int_equal(wm_canary_misses(c.canary), 1);
    assert_int_equal(stats_of(&c.s).state, WM_WATCH_SYNCED);
    assert_int_equal(stats_of(&c.s).lists, 1);
    end_cage(&c);
}

static void renewals_that_come_back_are_good(void **state)
{
    static const struct fault leases[] = {
        {.match = ITS_LIST, .body = {LIST("5", "")}},
        {.match = ITS_WATCH,
         .body = {RENEWED("6"), RENEWED("7"), RENEWED("8"), RENEWED("9"), RENEWED("10"), RENEWED("11"),
                  RENEWED("12"), RENEWED("13")},
         .between_ms = 120,
         .end = FAULT_HANG},
    };
    struct cage c = {0};

    (void)state;
    begin_cage(&c, leases, 2);
    tick_for(&c, 900);
    assert_int_equal(wm_canary_misses(c.canary), 0);
    assert_int_equal(fault_server_count(c.s.server, ITS_WATCH), 1);
    end_cage(&c);
}

/* Nothing is known then, and nothing is done. */
static void it_does_not_judge_what_it_cannot_see(void **state)
{
    static const struct fault forbidden[] = {{.match = ITS_LIST, .status = 403, .times = -1}};
    struct cage c = {0};

    (void)state;
    begin_cage(&c, forbidden, 1);
    tick_for(&c, 900);
    assert_int_equal(wm_canary_misses(c.canary), 0);
    assert_int_equal(fault_server_count(c.s.server, PATH "?watch=1"), 1);
    end_cage(&c);
}

static void who_does_not_lead_does_not_judge(void **state)
{
    static const struct fault leases[] = {{.match = ITS_LIST, .body = {LIST("5", "")}},
                                          {.match = ITS_WATCH, .end = FAULT_HANG}};
    struct cage c = {0};

    (void)state;
    begin_cage(&c, leases, 2);
    /* somebody else takes it, and our renewals end */
    lease_store_set(&c.store, "{\"metadata\":{\"name\":\"l\",\"resourceVersion\":\"99\"},\"spec\":"
                              "{\"holderIdentity\":\"other\",\"leaseDurationSeconds\":60}}");
    tick_for(&c, 900);
    assert_int_equal(wm_canary_misses(c.canary), 0);
    end_cage(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_watch_that_is_dead_takes_all_others_down),
        cmocka_unit_test(renewals_that_come_back_are_good),
        cmocka_unit_test(it_does_not_judge_what_it_cannot_see),
        cmocka_unit_test(who_does_not_lead_does_not_judge),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
