/* Events against a server that misbehaves by script. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "fault_server.h"
#include "lib/kube/events_internal.h"
#include "lib/kube/internal.h"
#include "unit.h"
#include "waymark/clock.h"
#include "waymark/log.h"

struct setup {
    struct fault_server *server;
    struct wm_kube *kube;
    struct wm_events *events;
    atomic_bool leads;
};

static bool leads(void *ctx)
{
    return ((struct setup *)ctx)->leads;
}

static void open_setup(struct setup *s, const struct fault *rows, size_t n, int per_object_s)
{
    struct wm_kube_tunables t = wm_kube_default_tunables;
    struct wm_events_tunables et = wm_events_default_tunables;
    struct wm_kube_access access = {0};
    struct wm_events_opts opts = {.controller = "waymark.io/test",
                                  .instance = "pod-1",
                                  .may_write = leads,
                                  .ctx = s,
                                  .per_object_s = per_object_s};
    wm_auto_buf struct wm_buf url = WM_BUF_MAX(256);

    t.connect_ms = 500;
    t.request_ms = 3000;
    et.retry_ms = 40;
    s->leads = true;
    s->server = fault_server_start(rows, n, NULL);
    wm_buf_printf(&url, "http://127.0.0.1:%d", fault_server_port(s->server));
    access.server = wm_buf_take(&url);
    assert_int_equal(wm_kube_new_tuned(&access, NULL, &t, &s->kube, NULL), WM_OK);
    opts.kube = s->kube;
    assert_int_equal(wm_events_new_tuned(&opts, &et, &s->events, NULL), WM_OK);
}
#define OPEN(s, ...)                                                                                         \
    open_setup((s), (const struct fault[]){__VA_ARGS__},                                                     \
               sizeof((const struct fault[]){__VA_ARGS__}) / sizeof(struct fault), 0)

static void close_setup(struct setup *s)
{
    s->events = wm_events_free(s->events);
    s->kube = wm_kube_free(s->kube);
    s->server = fault_server_stop(s->server);
}

static void tell(struct setup *s, const char *name, const char *note)
{
    wm_events_tell(s->events, &(struct wm_event){.regarding = {"velero.io/v1", "Backup", "velero", name, "u"},
                                                 .reason = "Seen",
                                                 .note = note});
}

static struct wm_events_stats stats(struct setup *s)
{
    struct wm_events_stats st;

    wm_events_stats(s->events, &st);
    return st;
}

/* Waits until `*counter`, a member of `st`, is `n`. */
#define WAIT_FOR(s, counter, n)                                                                              \
    do {                                                                                                     \
        int64_t until_ = wm_mono_ms() + 5000;                                                                \
        while (stats(s).counter != (n) && wm_mono_ms() < until_)                                             \
            usleep(2000);                                                                                    \
        assert_int_equal(stats(s).counter, (n));                                                             \
    } while (0)

#define POST_V1 "POST /apis/events.k8s.io/v1/namespaces/velero/events HTTP"
#define PATCH_V1 "PATCH /apis/events.k8s.io/v1/namespaces/velero/events/b."
#define POST_CORE "POST /api/v1/namespaces/velero/events HTTP"
#define PATCH_CORE "PATCH /api/v1/namespaces/velero/events/b."
#define NO_API                                                                                               \
    {                                                                                                        \
        .match = "events.k8s.io", .status = 404, .type = "text/plain", .body = {"404 page not found\n"},     \
        .times = -1                                                                                          \
    }

static void one_is_created_and_the_second_makes_a_series(void **state)
{
    struct setup s;

    (void)state;
    OPEN(&s, {.match = "POST", .status = 201, .body = {"{}"}, .times = -1}, {.body = {"{}"}, .times = -1});
    tell(&s, "b", "n");
    WAIT_FOR(&s, created, 1);
    for (int i = 0; i < 4; i++)
        tell(&s, "b", "n");
    WAIT_FOR(&s, patched, 1);
    const char *sent = fault_server_request(s.server, POST_V1, 0);

    assert_non_null(sent);
    assert_non_null(strstr(sent, "Content-Type: application/json\r\n"));
    assert_non_null(strstr(sent, "\"note\":\"n\""));
    sent = fault_server_request(s.server, PATCH_V1, 0);
    assert_non_null(sent);
    assert_non_null(strstr(sent, "Content-Type: application/merge-patch+json\r\n"));
    assert_non_null(strstr(sent, "{\"series\":{\"count\":"));
    s.events = wm_events_free(s.events);
    /* what it owed */
    int n = fault_server_count(s.server, PATCH_V1);
    assert_non_null(strstr(fault_server_request(s.server, PATCH_V1, n - 1), "\"count\":5,"));
    close_setup(&s);
}

static void what_is_held_back_is_told_when_it_may(void **state)
{
    struct fault all = {.status = 201, .body = {"{}"}, .times = -1};
    struct setup s;

    (void)state;
    open_setup(&s, &all, 1, 1);
    tell(&s, "b", "one");
    tell(&s, "b", "two");
    tell(&s, "b", "three");
    WAIT_FOR(&s, created, 1);
    int64_t from = wm_mono_ms();
    WAIT_FOR(&s, created, 2);
    assert_true(wm_mono_ms() - from > 700);
    assert_int_equal(stats(&s).replaced, 1);
    assert_int_equal(fault_server_count(s.server, "\"two\""), 0);
    assert_int_equal(fault_server_count(s.server, "\"three\""), 1);
    close_setup(&s);
}

static void a_server_that_comes_back_is_told(void **state)
{
    struct setup s;

    (void)state;
    OPEN(&s, {.status = 503, .times = 2}, {.status = 201, .body = {"{}"}, .times = -1});
    fault_server_down(s.server);
    tell(&s, "b", "n");
    usleep(100000);
    assert_int_equal(stats(&s).dropped, 0);
    fault_server_up(s.server);
    WAIT_FOR(&s, created, 1);
    assert_int_equal(fault_server_count(s.server, POST_V1), 3);
    close_setup(&s);
}

/* Its head said what happened. */
static void an_answer_that_is_cut_off_is_an_answer(void **state)
{
    struct setup s;

    (void)state;
    OPEN(&s, {.status = 201, .body = {"{"}, .end = FAULT_RESET});
    tell(&s, "b", "n");
    WAIT_FOR(&s, created, 1);
    assert_int_equal(fault_server_count(s.server, NULL), 1);
    close_setup(&s);
}

static void twelve_tries_are_enough(void **state)
{
    struct setup s;

    (void)state;
    OPEN(&s, {.status = 500, .times = -1});
    tell(&s, "b", "n");
    WAIT_FOR(&s, dropped, 1);
    assert_int_equal(fault_server_count(s.server, POST_V1), 12);
    close_setup(&s);
}

static void an_old_server_gets_core_events(void **state)
{
    struct setup s;

    (void)state;
    OPEN(&s, NO_API, {.match = "POST", .status = 201, .body = {"{}"}, .times = -1},
         {.body = {"{}"}, .times = -1});
    tell(&s, "b", "n");
    tell(&s, "c", "n"); /* may be on its way already when the first answer comes */
    WAIT_FOR(&s, created, 2);
    tell(&s, "b", "n");
    WAIT_FOR(&s, patched, 1);
    assert_int_equal(fault_server_count(s.server, POST_CORE), 2);
    assert_int_equal(fault_server_count(s.server, PATCH_CORE), 1);
    int asked = fault_server_count(s.server, "events.k8s.io");

    tell(&s, "d", "n");
    WAIT_FOR(&s, created, 3);
    assert_int_equal(fault_server_count(s.server, "events.k8s.io"), asked);
    close_setup(&s);
}

static void a_namespace_that_is_gone_is_no_old_server(void **state)
{
    struct setup s;

    (void)state;
    OPEN(&s, {.status = 404,
              .body = {"{\"kind\":\"Status\",\"details\":{\"name\":\"velero\",\"kind\":\"namespaces\"}}"},
              .times = -1});
    tell(&s, "b", "n");
    WAIT_FOR(&s, refused, 1);
    assert_int_equal(fault_server_count(s.server, NULL), 1);
    close_setup(&s);
}

static void an_event_that_expired_is_created_again(void **state)
{
    struct setup s;

    (void)state;
    OPEN(&s, {.match = "PATCH", .status = 404, .body = {"{\"kind\":\"Status\"}"}},
         {.match = "POST", .status = 201, .body = {"{}"}, .times = -1});
    tell(&s, "b", "n");
    WAIT_FOR(&s, created, 1);
    tell(&s, "b", "n");
    WAIT_FOR(&s, created, 2);
    assert_non_null(strstr(fault_server_request(s.server, POST_V1, 1), "\"series\":{\"count\":2,"));
    close_setup(&s);
}

static void who_does_not_lead_does_not_write(void **state)
{
    struct setup s;

    (void)state;
    OPEN(&s, {.status = 201, .body = {"{}"}, .times = -1});
    s.leads = false;
    tell(&s, "b", "n");
    WAIT_FOR(&s, dropped, 1);
    s.leads = true;
    tell(&s, "b", "n");
    WAIT_FOR(&s, created, 1);
    assert_int_equal(fault_server_count(s.server, NULL), 1);
    assert_null(strstr(fault_server_request(s.server, NULL, 0), "series"));
    close_setup(&s);
}

static void tell_many(struct setup *s, int n)
{
    for (int i = 0; i < n; i++) {
        char name[16];

        snprintf(name, sizeof name, "b%d", i);
        tell(s, name, "n");
    }
}

static void a_full_queue_does_not_stop_the_end(void **state)
{
    struct setup s;

    (void)state;
    OPEN(&s, {.end = FAULT_MUTE, .times = -1});
    int64_t from = wm_mono_ms();

    tell_many(&s, 1200);
    /* it takes copies, and nothing else */
    assert_true(wm_mono_ms() - from < 1000);
    WAIT_FOR(&s, told, 1200);
    uint64_t beyond = stats(&s).dropped;

    assert_in_range(beyond, 196, 200); /* some may be on their way */
    from = wm_mono_ms();
    s.events = wm_events_free(s.events);
    assert_in_range(wm_mono_ms() - from, 900, 2000);
    from = wm_mono_ms();
    s.kube = wm_kube_free(s.kube);
    assert_true(wm_mono_ms() - from < 1000);
    close_setup(&s);
}

static void the_end_waits_for_what_is_queued(void **state)
{
    struct setup s;

    (void)state;
    OPEN(&s, {.status = 201, .body = {"{}"}, .delay_ms = 30, .times = -1});
    tell_many(&s, 20);
    s.events = wm_events_free(s.events);
    assert_int_equal(fault_server_count(s.server, "/velero/events"), 20);
    close_setup(&s);
}

static void an_end_without_work_is_quick(void **state)
{
    struct setup s;
    int64_t from = wm_mono_ms();

    (void)state;
    OPEN(&s, {.status = 201, .times = -1});
    assert_null(wm_events_free(NULL));
    s.events = wm_events_free(s.events);
    assert_true(wm_mono_ms() - from < 700);
    close_setup(&s);
}

static void nameless_reporters_are_refused(void **state)
{
    struct wm_events *e;
    struct wm_error err = {0};

    (void)state;
    assert_int_equal(wm_events_new(&(struct wm_events_opts){.controller = "a", .instance = ""}, &e, &err),
                     WM_E_INVALID);
}

static void *tell_from_a_thread(void *arg)
{
    struct setup *s = arg;

    for (int i = 0; i < 50; i++)
        tell(s, i % 2 ? "b" : "c", i % 5 ? "n" : "m");
    return NULL;
}

static void many_threads_may_tell(void **state)
{
    pthread_t threads[4];
    struct setup s;

    (void)state;
    OPEN(&s, {.status = 201, .body = {"{}"}, .times = -1});
    for (size_t i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, tell_from_a_thread, &s);
    for (size_t i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(stats(&s).told, 200);
    WAIT_FOR(&s, created, 4);
    close_setup(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_is_created_and_the_second_makes_a_series),
        cmocka_unit_test(what_is_held_back_is_told_when_it_may),
        cmocka_unit_test(a_server_that_comes_back_is_told),
        cmocka_unit_test(an_answer_that_is_cut_off_is_an_answer),
        cmocka_unit_test(twelve_tries_are_enough),
        cmocka_unit_test(an_old_server_gets_core_events),
        cmocka_unit_test(a_namespace_that_is_gone_is_no_old_server),
        cmocka_unit_test(an_event_that_expired_is_created_again),
        cmocka_unit_test(who_does_not_lead_does_not_write),
        cmocka_unit_test(a_full_queue_does_not_stop_the_end),
        cmocka_unit_test(the_end_waits_for_what_is_queued),
        cmocka_unit_test(an_end_without_work_is_quick),
        cmocka_unit_test(nameless_reporters_are_refused),
        cmocka_unit_test(many_threads_may_tell),
    };

    wm_log_set_level(WM_LOG_ERROR);
    return cmocka_run_group_tests_name("events and a server", tests, NULL, NULL);
}
