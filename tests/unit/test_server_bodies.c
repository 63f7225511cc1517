/* The HTTPS server and its load: bodies of any size, budgets, refusals, and answers whenever they come. */
#include "server_fixture.h"

#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>

#include "unit.h"

static void expect_end(struct client *c)
{
    assert_true(client_sees_end(c));
    client_close(c);
}

/* --- refusals --- */

static void test_refusals(void **state)
{
    struct fixture f = fixture_start(NULL);
    struct client c = fixture_client(&f);
    char *body = wm_xcalloc(200 << 10, 1);

    (void)state;
    memset(body, 'b', 200 << 10);
    /* Small bodies are read to the end: the connection is worth more than they cost. */
    client_post(&c, "/no", body, 64 << 10);
    fixture_expect(&c, 404, "{\"no\":1}");
    client_puts(&c,
                "POST /not-json HTTP/1.1\r\nHost: a\r\nContent-Type: text/x\r\nContent-Length: 2\r\n\r\nab");
    fixture_expect(&c, 415, "json only");
    client_post(&c, "/not-json", "{}", 2);
    fixture_expect(&c, 200, "ok");
    /* Large ones are not. */
    client_post(&c, "/no", body, 200 << 10);
    struct answer a = client_answer(&c);

    assert_int_equal(a.status, 404);
    assert_true(a.close);
    wm_buf_done(&a.body);
    expect_end(&c);
    free(body);
    fixture_end(&f, 0);
}

static void test_largest_body(void **state)
{
    enum { MAX = 28 << 20 };
    struct fixture f = fixture_start(NULL);
    struct client c = fixture_client(&f);
    char *body = wm_xcalloc(MAX + 1, 1);

    (void)state;
    for (size_t i = 0; i < MAX; i++)
        body[i] = (char)('a' + i % 23);
    client_post(&c, "/echo", body, MAX);
    struct answer a = client_answer(&c);

    assert_int_equal(a.status, 200);
    assert_int_equal(a.body.n, MAX);
    assert_memory_equal(a.body.p, body, MAX);
    wm_buf_done(&a.body);
    /* One byte more: 413, and it arrives although the client writes everything before it reads. */
    client_post(&c, "/echo", body, MAX + 1);
    fixture_expect(&c, 413, NULL);
    expect_end(&c);
    assert_int_equal(fixture_stats(&f).too_big, 1);
    free(body);
    fixture_end(&f, 0);
}

static void test_too_long_chunked(void **state)
{
    struct wm_server_opts o = {.max_body = 1 << 20};
    struct fixture f = fixture_start(&o);
    struct client c = fixture_client(&f);
    char *chunk = wm_xcalloc((64 << 10) + 16, 1);

    (void)state;
    int n = sprintf(chunk, "10000\r\n");

    memset(chunk + n, 'c', 64 << 10);
    memcpy(chunk + n + (64 << 10), "\r\n", 2);
    client_puts(&c, "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < 320; i++) /* 20 MiB of a body without end */
        client_send(&c, chunk, (size_t)n + (64 << 10) + 2);
    fixture_expect(&c, 413, NULL);
    free(chunk);
    expect_end(&c);
    fixture_end(&f, 0);
}

/* What is declared costs nothing; what has come counts. */
static void test_budget(void **state)
{
    struct wm_server_opts o = {.max_body = 1 << 20, .body_budget = 3 << 20};
    struct fixture f = fixture_start(&o);
    struct client slow[20], c;
    char *body = wm_xcalloc(1 << 20, 1);

    (void)state;
    memset(body, 'b', 1 << 20);
    for (int i = 0; i < 20; i++) {
        slow[i] = fixture_client(&f);
        client_puts(&slow[i], "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1048576\r\n\r\nx");
    }
    FIXTURE_WAIT(&f, requests, 20);
    assert_true(fixture_stats(&f).body_bytes <= 20 * (8 << 10));
    c = fixture_client(&f);
    client_post(&c, "/", body, 1 << 20);
    fixture_expect(&c, 200, "ok");
    for (int i = 0; i < 2; i++)
        client_send(&slow[i], body, (1 << 20) - 2);
    FIXTURE_WAIT(&f, body_bytes, 2 << 20);
    client_post(&c, "/", body, 1 << 20);
    struct answer a = client_answer(&c);

    assert_int_equal(a.status, 503);
    assert_int_equal(a.retry_after_s, 1);
    wm_buf_done(&a.body);
    expect_end(&c);
    assert_int_equal(client_once(f.port, "small ones go on"), 200);
    client_puts(&slow[0], "x");
    fixture_expect(&slow[0], 200, "ok");
    assert_int_equal(fixture_stats(&f).shed, 1);
    for (int i = 0; i < 20; i++)
        client_close(&slow[i]);
    free(body);
    fixture_end(&f, 0);
}

static void test_in_flight(void **state)
{
    struct wm_server_opts o = {.max_in_flight = 3};
    struct fixture f = fixture_start(&o);
    struct client busy[3], c = fixture_client(&f);

    (void)state;
    for (int i = 0; i < 3; i++) {
        busy[i] = fixture_client(&f);
        client_post(&busy[i], "/held", "x", 1);
    }
    FIXTURE_WAIT(&f, in_flight, 3);
    for (int i = 0; i < 3; i++) { /* shedding keeps the connection: the caller comes back in a second */
        client_post(&c, "/echo", "x", 1);
        struct answer a = client_answer(&c);

        assert_int_equal(a.status, 503);
        assert_int_equal(a.retry_after_s, 1);
        assert_false(a.close);
        assert_string_equal(a.body.p, "{\"code\":503,\"message\":\"overloaded, try again\"}");
        wm_buf_done(&a.body);
    }
    fixture_let_go();
    for (int i = 0; i < 3; i++) {
        fixture_expect(&busy[i], 200, "let go");
        client_close(&busy[i]);
    }
    client_post(&c, "/echo", "x", 1);
    fixture_expect(&c, 200, "x");
    client_close(&c);
    fixture_end(&f, 0);
}

/* --- answers --- */

static void *post_many(void *arg)
{
    const struct fixture *f = arg;
    static const char *const paths[] = {"/late", "/race", "/echo", "/race"};
    struct client c = fixture_client(f);
    char body[32];

    for (int i = 0; i < 60; i++) {
        snprintf(body, sizeof body, "body %d", i);
        client_post(&c, paths[i % 4], body, strlen(body));
        struct answer a = client_answer(&c);

        if (a.status != 200 || strcmp(a.body.p, body) != 0)
            abort();
        wm_buf_done(&a.body);
    }
    client_close(&c);
    return NULL;
}

static void test_late_answers(void **state)
{
    struct fixture f = fixture_start(NULL);
    pthread_t t[8];

    (void)state;
    for (int i = 0; i < 8; i++)
        pthread_create(&t[i], NULL, post_many, &f);
    for (int i = 0; i < 8; i++)
        pthread_join(t[i], NULL);
    assert_int_equal(fixture_stats(&f).requests, 8 * 60);
    fixture_end(&f, 0);
}

/* The client has gone, or half gone, when the answer comes. */
static void test_late_answers_into_the_void(void **state)
{
    static const struct linger reset = {.l_onoff = 1};
    struct fixture f = fixture_start(NULL);

    (void)state;
    for (int i = 0; i < 30; i++) {
        struct client c = fixture_client(&f);

        client_post(&c, "/held", "abc", 3);
        while (fixture_held() <= i)
            fixture_pause_ms(1);
        if (i % 3 == 0)
            setsockopt(c.fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        if (i % 3 == 1)
            SSL_shutdown(c.ssl);
        client_close(&c);
    }
    FIXTURE_WAIT(&f, in_flight, 30);
    fixture_let_go();
    assert_int_equal(client_once(f.port, "x"), 200);
    fixture_end(&f, 0);
}

/* `printf ... | nc`: the request is whole, and nothing follows; the answer is still wanted. */
static void test_half_closed_client(void **state)
{
    struct fixture f = fixture_start(NULL);
    const char *paths[] = {"/echo", "/late"};

    (void)state;
    for (int i = 0; i < 2; i++) {
        struct client c = fixture_client(&f);

        client_post(&c, paths[i], "abc", 3);
        SSL_shutdown(c.ssl);
        shutdown(c.fd, SHUT_WR);
        fixture_expect(&c, 200, "abc");
        expect_end(&c);
    }
    fixture_end(&f, 0);
}

/* Large answers to somebody who does not read; then reads; or never does. */
static void test_large_answers(void **state)
{
    struct wm_server_opts o = {.body_timeout_ms = 600};
    struct fixture f = fixture_start(&o);
    struct client c = fixture_client(&f);

    (void)state;
    for (int i = 0; i < 3; i++) {
        client_post(&c, "/big", "x", 1);
        fixture_pause_ms(i * 100);
        struct answer a = client_answer(&c);

        assert_int_equal(a.status, 200);
        assert_int_equal(a.body.n, BIG_ANSWER);
        wm_buf_done(&a.body);
    }
    client_post(&c, "/big", "x", 1);
    FIXTURE_WAIT(&f, timeouts, 1);
    struct answer a = client_answer(&c);

    assert_int_equal(a.status, 0);
    wm_buf_done(&a.body);
    client_close(&c);
    fixture_end(&f, 0);
}

/* Requests without reading any answer: we stop reading, rather than hoard. */
static void test_pipelining_without_reading(void **state)
{
    struct wm_server_opts o = {.body_timeout_ms = 700, .header_timeout_ms = 700};
    struct fixture f = fixture_start(&o);
    struct client c = fixture_client(&f);
    struct timeval soon = {.tv_usec = 300000};

    (void)state;
    setsockopt(c.fd, SOL_SOCKET, SO_SNDTIMEO, &soon, sizeof soon);
    for (int i = 0; i < 200000 && client_post(&c, "/big", "x", 1); i++)
        ;
    assert_true(fixture_stats(&f).body_bytes < 1 << 20);
    FIXTURE_WAIT(&f, timeouts, 1);
    client_close(&c);
    fixture_end(&f, 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_largest_body),
        cmocka_unit_test(test_too_long_chunked),
        cmocka_unit_test(test_budget),
        cmocka_unit_test(test_in_flight),
        cmocka_unit_test(test_late_answers),
        cmocka_unit_test(test_late_answers_into_the_void),
        cmocka_unit_test(test_half_closed_client),
        cmocka_unit_test(test_large_answers),
        cmocka_unit_test(test_pipelining_without_reading),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
