/* Requests against a server that misbehaves by script. */
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "kube_fixture.h"
#include "waymark/clock.h"
#include "waymark/host.h"

/* --- what an answer means --- */

static const struct answer_row {
    const char *name;
    struct fault answer;
    enum wm_code code;
    const char *says;
} answers[] = {
    {"200", {.body = {"{}"}}, WM_OK, NULL},
    {"201", {.status = 201, .body = {"{}"}}, WM_OK, NULL},
    {"400 with a Status",
     {.status = 400,
      .body = {"{\"kind\":\"Status\",\"reason\":\"BadRequest\",\"message\":\"no such field\"}"}},
     WM_E_INVALID,
     "HTTP 400 BadRequest: no such field"},
    {"401",
     {.status = 401, .body = {"{\n \"kind\": \"Status\",\n \"reason\": \"Unauthorized\"\n}"}},
     WM_E_AUTH,
     "HTTP 401 Unauthorized"},
    {"403",
     {.status = 403, .body = {"{\"kind\":\"Status\",\"message\":\"not allowed\"}"}},
     WM_E_AUTH,
     "not allowed"},
    {"404 as text",
     {.status = 404, .type = "text/plain", .body = {"404 page not found\n"}},
     WM_E_NOT_FOUND,
     "404 page not found"},
    {"404 as HTML", {.status = 404, .type = "text/html", .body = {"<html>"}}, WM_E_NOT_FOUND, "HTTP 404"},
    {"409", {.status = 409}, WM_E_CONFLICT, "409"},
    {"422", {.status = 422}, WM_E_INVALID, "422"},
    {"429 without a time", {.status = 429}, WM_E_BUSY, "429"},
    {"429 names its flow schema",
     {.status = 429, .headers = "X-Kubernetes-PF-FlowSchema-UID: f1-2\r\n"},
     WM_E_BUSY,
     "(flow schema f1-2)"},
    {"500 is not tried again", {.status = 500}, WM_E_IO, "500"},
    {"504", {.status = 504}, WM_E_TIMEOUT, "504"},
    {"a redirect is not followed", {.status = 307, .headers = "Location: /elsewhere\r\n"}, WM_E_IO, "307"},
    {"cut off in the body", {.body = {"{\"a\":"}, .end = FAULT_CLOSE}, WM_E_IO, "http://127.0.0.1"},
    {"reset in the body", {.body = {"{\"a\":"}, .end = FAULT_RESET}, WM_E_IO, "http://127.0.0.1"},
};

static void check_answer(void **state)
{
    const struct answer_row *r = *state;
    struct pair p = open_pair(&r->answer, 1);
    wm_auto_buf struct wm_buf body = WM_BUF_MAX(1000);
    struct wm_error err = {0};
    int status = -1;

    assert_int_equal(get(&p, "/api/v1/pods?limit=1", &body, &status, &err), r->code);
    assert_int_equal(err.code, r->code);
    if (r->code) {
        assert_string_equal(err.where, "/api/v1/pods");
        assert_int_equal(body.n, 0);
        if (!strstr(err.msg, r->says) || !strstr(err.msg, "http://127.0.0.1:"))
            fail_msg("'%s' does not say '%s' and the server", err.msg, r->says);
    } else {
        assert_string_equal(body.p, "{}");
        assert_int_equal(status, r->answer.status ? r->answer.status : 200);
    }
    assert_int_equal(fault_server_count(p.server, NULL), 1);
    close_pair(&p);
}

/* --- what is sent --- */

static void a_request_goes_out_as_it_was_given(void **state)
{
    struct pair p = OPEN({.match = "PATCH", .body = {"{}"}}, {.body = {"{}"}, .times = -1});
    struct wm_kube_request r = {.method = "PATCH",
                                .path = "/apis/a/v1/b/c/status?fieldManager=x%20y",
                                .content_type = "application/json-patch+json",
                                .accept = "application/json;as=Table",
                                .body = wm_str_of("[{\"op\":\"test\"}]")};

    (void)state;
    assert_int_equal(wm_kube_call(p.kube, &r, NULL, NULL, NULL), WM_OK);
    const char *sent = fault_server_request(p.server, NULL, 0);

    assert_non_null(strstr(sent, "PATCH /apis/a/v1/b/c/status?fieldManager=x%20y HTTP/1.1\r\n"));
    assert_non_null(strstr(sent, "\r\nContent-Type: application/json-patch+json\r\n"));
    assert_non_null(strstr(sent, "\r\nAccept: application/json;as=Table\r\n"));
    assert_non_null(strstr(sent, "\r\nContent-Length: 15\r\n"));
    assert_non_null(strstr(sent, "\r\n\r\n[{\"op\":\"test\"}]"));
    assert_non_null(strstr(sent, "\r\nUser-Agent: waymark/"));
    assert_null(strstr(sent, "Accept-Encoding"));
    assert_null(strstr(sent, "Expect"));
    assert_null(strstr(sent, "Authorization"));
    assert_int_equal(
        wm_kube_call(p.kube, &(struct wm_kube_request){.method = "DELETE", .path = "/x"}, NULL, NULL, NULL),
        WM_OK);
    sent = fault_server_request(p.server, "DELETE /x", 0);
    assert_non_null(sent);
    assert_null(strstr(sent, "Content-Type"));
    assert_int_equal(fault_server_connections(p.server), 1);
    close_pair(&p);
}

static void connections_are_kept_and_guarded(void **state)
{
    struct pair p = OPEN({.body = {"{}"}, .times = -1});
    int found = 0;

    (void)state;
    for (int i = 0; i < 5; i++)
        assert_int_equal(get(&p, "/x", NULL, NULL, NULL), WM_OK);
    assert_int_equal(fault_server_connections(p.server), 1);
    for (int fd = 3; fd < 256; fd++) {
        struct sockaddr_in to = {0};
        socklen_t n = sizeof to;
        static const struct {
            int option, want;
        } options[] = {{TCP_KEEPIDLE, 15}, {TCP_KEEPINTVL, 5}, {TCP_KEEPCNT, 3}, {TCP_USER_TIMEOUT, 30000}};

        if (getpeername(fd, (struct sockaddr *)&to, &n) < 0 ||
            ntohs(to.sin_port) != fault_server_port(p.server))
            continue;
        found++;
        assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
        for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
            int value = 0;

            n = sizeof value;
            assert_int_equal(getsockopt(fd, IPPROTO_TCP, options[i].option, &value, &n), 0);
            assert_int_equal(value, options[i].want);
        }
    }
    assert_int_equal(found, 1);
    close_pair(&p);
}

/* --- again, when the server says when --- */

static void a_server_that_says_when_is_asked_again(void **state)
{
    static const struct fault rows[] = {{.status = 429, .headers = "Retry-After: 0\r\n"},
                                        {.status = 503, .headers = "Retry-After: 0\r\n"},
                                        {.body = {"{}"}}};
    struct pair p = open_pair(rows, 3);

    (void)state;
    assert_int_equal(get(&p, "/x", NULL, NULL, NULL), WM_OK);
    assert_int_equal(fault_server_count(p.server, "GET /x"), 3);
    close_pair(&p);
}

static void the_reply_tells_when_to_come_back(void *ctx, const struct wm_kube_reply *reply)
{
    *(struct wm_kube_reply *)ctx = *reply;
}

static void once_means_once_and_the_caller_is_told_when(void **state)
{
    struct pair p = OPEN({.status = 429, .headers = "Retry-After: 7\r\n"});
    struct wm_kube_request r = {.method = "GET", .path = "/x", .once = true};
    struct wm_kube_reply reply = {.retry_after_s = -1};

    (void)state;
    assert_int_equal(wm_kube_send(p.kube, &r, the_reply_tells_when_to_come_back, &reply, NULL), WM_OK);
    assert_true(fault_server_wait(p.server, NULL, 1, 1000));
    usleep(100000);
    p.kube = wm_kube_free(p.kube);
    assert_int_equal(reply.status, 429);
    assert_int_equal(reply.retry_after_s, 7);
    assert_int_equal(reply.error.code, WM_E_BUSY);
    close_pair(&p);
}

static void a_pause_beyond_the_deadline_is_not_waited_for(void **state)
{
    struct pair p = OPEN({.status = 503, .headers = "Retry-After: 100\r\n"});
    int64_t start = wm_mono_ms();

    (void)state;
    assert_int_equal(get(&p, "/x", NULL, NULL, NULL), WM_E_IO);
    assert_true(wm_mono_ms() - start < 1000);
    close_pair(&p);
}

static void there_are_at_most_ten_tries(void **state)
{
    struct wm_kube_tunables t = tuned();
    struct pair p;

    (void)state;
    t.request_ms = 60000;
    p = open_with(fault_server_start(
                      &(struct fault){.status = 500, .headers = "Retry-After: 0\r\n", .times = -1}, 1, NULL),
                  (struct wm_kube_access){0}, t);
    assert_int_equal(get(&p, "/x", NULL, NULL, NULL), WM_E_IO);
    assert_int_equal(fault_server_count(p.server, NULL), 10);
    close_pair(&p);
}

/* --- limits --- */

static void silence_ends_at_the_deadline(void **state)
{
    struct pair p = OPEN({.end = FAULT_MUTE});
    struct wm_kube_request r = {.method = "GET", .path = "/x?secret=1", .timeout_ms = 200};
    struct wm_error err = {0};
    int64_t start = wm_mono_ms();
    int status = -1;

    (void)state;
    assert_int_equal(wm_kube_call(p.kube, &r, NULL, &status, &err), WM_E_TIMEOUT);
    assert_in_range(wm_mono_ms() - start, 200, 800);
    assert_int_equal(status, 0);
    assert_string_equal(err.where, "/x");
    close_pair(&p);
}

static void nobody_there(void **state)
{
    struct pair p = OPEN({.times = -1});
    struct wm_error err = {0};

    (void)state;
    fault_server_down(p.server);
    assert_int_equal(get(&p, "/x", NULL, NULL, &err), WM_E_IO);
    assert_non_null(strstr(err.msg, "http://127.0.0.1:"));
    assert_non_null(strstr(err.msg, "onnect"));
    fault_server_up(p.server);
    assert_int_equal(get(&p, "/x", NULL, NULL, &err), WM_OK);
    close_pair(&p);
}

static void a_body_over_the_limit_is_refused(void **state)
{
    struct pair p = OPEN({.body = {"0123456789"}, .times = -1});
    struct wm_kube_request r = {.method = "GET", .path = "/x", .max_body = 9};
    wm_auto_buf struct wm_buf body = WM_BUF_MAX(100);
    struct wm_error err = {0};

    (void)state;
    assert_int_equal(wm_kube_call(p.kube, &r, &body, NULL, &err), WM_E_TOO_BIG);
    assert_int_equal(body.n, 0);
    r.max_body = 10;
    assert_int_equal(wm_kube_call(p.kube, &r, &body, NULL, &err), WM_OK);
    assert_string_equal(body.p, "0123456789");
    close_pair(&p);
}

static void the_queue_is_bounded_and_the_end_answers_everyone(void **state)
{
    struct wm_kube_tunables t = tuned();
    struct wm_kube_request r = {.method = "GET", .path = "/x"};
    _Atomic int codes[16] = {0};
    struct wm_error err = {0};
    struct pair p;

    (void)state;
    t.max_pending = 20;
    p = open_with(fault_server_start(&(struct fault){.end = FAULT_MUTE, .times = -1}, 1, NULL),
                  (struct wm_kube_access){0}, t);
    for (int i = 0; i < 20; i++)
        assert_int_equal(wm_kube_send(p.kube, &r, count_codes, codes, NULL), WM_OK);
    assert_int_equal(wm_kube_send(p.kube, &r, count_codes, codes, &err), WM_E_BUSY);
    assert_true(fault_server_wait(p.server, NULL, t.max_running, 1000));
    usleep(50000);
    /* no more than so many at a time */
    assert_int_equal(fault_server_count(p.server, NULL), t.max_running);
    p.kube = wm_kube_free(p.kube);
    assert_int_equal(codes[-WM_E_IO], 20);
    close_pair(&p);
}

static void writes_are_limited_and_reads_are_not(void **state)
{
    struct wm_kube_tunables t = tuned();
    struct wm_kube_request w = {.method = "PATCH", .path = "/w", .body = wm_str_of("{}")},
                           r = {.method = "GET", .path = "/r"};
    _Atomic int codes[16] = {0};
    struct pair p;

    (void)state;
    t.writes_per_s = 20;
    t.write_burst = 5;
    p = open_with(fault_server_start(&(struct fault){.times = -1}, 1, NULL), (struct wm_kube_access){0}, t);
    for (int i = 0; i < 15; i++)
        assert_int_equal(wm_kube_send(p.kube, &w, count_codes, codes, NULL), WM_OK);
    for (int i = 0; i < 15; i++)
        assert_int_equal(wm_kube_call(p.kube, &r, NULL, NULL, NULL), WM_OK);
    assert_true(fault_server_wait(p.server, "PATCH", 5, 1000));
    assert_true(fault_server_count(p.server, "PATCH") < 12);
    assert_true(fault_server_wait(p.server, "PATCH", 15, 2000));
    close_pair(&p);
}

static void a_write_that_may_not_wait_is_given_up_unsent(void **state)
{
    struct wm_kube_tunables t = tuned();
    struct wm_kube_request w = {.method = "PATCH", .path = "/w", .body = wm_str_of("{}")};
    _Atomic int codes[16] = {0};
    struct pair p;
    int status = -1;

    (void)state;
    t.writes_per_s = 1;
    t.write_burst = 2;
    p = open_with(fault_server_start((struct fault[]){{.delay_ms = 1300}, {.times = -1}}, 2, NULL),
                  (struct wm_kube_access){0}, t);
    /* what is sent in time has all of its timeout */
    w.start_ms = 1000;
    assert_int_equal(wm_kube_call(p.kube, &w, NULL, NULL, NULL), WM_OK);
    w.start_ms = 0;
    for (int i = 0; i < 10; i++)
        assert_int_equal(wm_kube_send(p.kube, &w, count_codes, codes, NULL), WM_OK);
    w.start_ms = 20;
    assert_int_equal(wm_kube_call(p.kube, &w, NULL, &status, NULL), WM_E_BUSY);
    assert_int_equal(status, 0);
    assert_true(fault_server_count(p.server, "PATCH") < 11);
    p.kube = wm_kube_free(p.kube);
    close_pair(&p);
}

static void send_another(void *ctx, const struct wm_kube_reply *reply)
{
    static struct wm_kube_reply second; /* outlives this call */
    struct pair *p = ctx;

    (void)reply;
    wm_kube_send(p->kube, &(struct wm_kube_request){.method = "GET", .path = "/second"},
                 the_reply_tells_when_to_come_back, &second, NULL);
}

static void a_callback_may_send(void **state)
{
    struct pair p = OPEN({.times = -1});

    (void)state;
    assert_int_equal(wm_kube_send(p.kube, &(struct wm_kube_request){.method = "GET", .path = "/first"},
                                  send_another, &p, NULL),
                     WM_OK);
    assert_true(fault_server_wait(p.server, "/second", 1, 1000));
    close_pair(&p);
}

static void a_path_must_be_one(void **state)
{
    struct pair p = OPEN({.times = -1});

    (void)state;
    assert_int_equal(get(&p, "http://elsewhere/", NULL, NULL, NULL), WM_E_INVALID);
    assert_int_equal(fault_server_count(p.server, NULL), 0);
    close_pair(&p);
}

/* --- clocks and proxies --- */

static void the_offset_of_clocks_is_a_median(void **state)
{
    static char heads[9][64];
    struct fault rows[9] = {{0}};
    struct pair p;
    int64_t offset_ms = 0;

    (void)state;
    for (int i = 0; i < 9; i++) {
        time_t at = time(NULL) + (i < 2 ? -5000 : 100);
        struct tm tm;

        gmtime_r(&at, &tm);
        strftime(heads[i], sizeof heads[i], "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", &tm);
        rows[i].headers = heads[i];
    }
    p = open_pair(rows, 9);
    assert_false(wm_kube_clock_offset_ms(p.kube, &offset_ms));
    for (int i = 0; i < 9; i++)
        assert_int_equal(get(&p, "/x", NULL, NULL, NULL), WM_OK);
    assert_true(wm_kube_clock_offset_ms(p.kube, &offset_ms));
    assert_in_range(offset_ms, 98000, 101000);
    close_pair(&p);
}

static void the_proxy_of_the_kubeconfig_is_used(void **state)
{
    struct fault_server *proxy = fault_server_start(&(struct fault){.body = {"{}"}, .times = -1}, 1, NULL);
    struct wm_kube_access access = {.server = wm_xstrdup("http://api.example:8080"),
                                    .proxy_url = url_of(proxy, "http", "127.0.0.1")};
    struct pair p;

    (void)state;
    /* NO_PROXY is about the environment's proxy */
    setenv("NO_PROXY", "*", 1);
    p = open_with(proxy, access, tuned());
    assert_int_equal(get(&p, "/x", NULL, NULL, NULL), WM_OK);
    assert_int_equal(fault_server_count(proxy, "GET http://api.example:8080/x HTTP/1.1"), 1);
    unsetenv("NO_PROXY");
    close_pair(&p);
}

static void this_machine_is_never_reached_through_a_proxy(void **state)
{
    struct pair p;

    (void)state;
    setenv("http_proxy", "http://127.0.0.1:1", 1);
    setenv("HTTPS_PROXY", "http://127.0.0.1:1", 1);
    p = OPEN({.times = -1});
    assert_int_equal(get(&p, "/x", NULL, NULL, NULL), WM_OK);
    close_pair(&p);
    unsetenv("http_proxy");
    unsetenv("HTTPS_PROXY");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_goes_out_as_it_was_given),
        cmocka_unit_test(connections_are_kept_and_guarded),
        cmocka_unit_test(a_server_that_says_when_is_asked_again),
        cmocka_unit_test(once_means_once_and_the_caller_is_told_when),
        cmocka_unit_test(a_pause_beyond_the_deadline_is_not_waited_for),
        cmocka_unit_test(there_are_at_most_ten_tries),
        cmocka_unit_test(silence_ends_at_the_deadline),
        cmocka_unit_test(nobody_there),
        cmocka_unit_test(a_body_over_the_limit_is_refused),
        cmocka_unit_test(the_queue_is_bounded_and_the_end_answers_everyone),
        cmocka_unit_test(writes_are_limited_and_reads_are_not),
        cmocka_unit_test(a_write_that_may_not_wait_is_given_up_unsent),
        cmocka_unit_test(a_callback_may_send),
        cmocka_unit_test(a_path_must_be_one),
        cmocka_unit_test(the_offset_of_clocks_is_a_median),
        cmocka_unit_test(the_proxy_of_the_kubeconfig_is_used),
        cmocka_unit_test(this_machine_is_never_reached_through_a_proxy),
    };

    return RUN_TABLE("kube answers", answers, check_answer) + cmocka_run_group_tests(tests, NULL, NULL);
}
