/* Requests against a server that misbehaves by script. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fault_server.h"
#include "lib/kube/internal.h"
#include "pki.h"
#include "unit.h"
#include "waymark/clock.h"

static struct wm_kube_tunables tuned(void)
{
    struct wm_kube_tunables t = wm_kube_default_tunables;

    t.connect_ms = 1000;
    t.request_ms = 5000;
    t.backoff_divisor = 20;
    return t;
}

/* --- a server and a client of it --- */

struct pair {
    struct fault_server *server;
    struct wm_kube *kube;
};

static char *url_of(const struct fault_server *s, const char *scheme, const char *host)
{
    wm_auto_buf struct wm_buf url = WM_BUF_MAX(256);

    wm_buf_printf(&url, "%s://%s:%d", scheme, host, fault_server_port(s));
    return wm_buf_take(&url);
}

static struct pair open_with(struct fault_server *s, struct wm_kube_access access, struct wm_kube_tunables t)
{
    struct pair p = {.server = s};

    if (!access.server)
        access.server = url_of(s, "http", "127.0.0.1");
    assert_int_equal(wm_kube_new_tuned(&access, NULL, &t, &p.kube, NULL), WM_OK);
    assert_null(access.server);
    return p;
}

static struct pair open_pair(const struct fault *rows, size_t n)
{
    return open_with(fault_server_start(rows, n, NULL), (struct wm_kube_access){0}, tuned());
}
#define OPEN(...)                                                                                            \
    open_pair((const struct fault[]){__VA_ARGS__},                                                           \
              sizeof((const struct fault[]){__VA_ARGS__}) / sizeof(struct fault))

static void close_pair(struct pair *p)
{
    p->kube = wm_kube_free(p->kube);
    p->server = fault_server_stop(p->server);
}

static int get(struct pair *p, const char *path, struct wm_buf *body, int *status, struct wm_error *err)
{
    return wm_kube_call(p->kube, &(struct wm_kube_request){.method = "GET", .path = path}, body, status, err);
}

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_goes_out_as_it_was_given),
    };

    return RUN_TABLE("kube answers", answers, check_answer) + cmocka_run_group_tests(tests, NULL, NULL);
}
