/* The HTTPS server as an HTTP server: what it reads, and what it says to what it cannot read. */
#include "server_fixture.h"

#include <stdio.h>

#include "unit.h"

static void expect_end(struct client *c)
{
    assert_true(client_sees_end(c));
    client_close(c);
}

static void test_view(void **state)
{
    struct fixture f = fixture_start(NULL);
    struct client c = fixture_client(&f);

    (void)state;
    client_puts(&c, "POST /view?timeout=2s&x=1 HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
                    "Content-Length: 3\r\n\r\nabc");
    fixture_expect(&c, 200, "POST /view [application/json] 2000 3");
    client_puts(&c, "GET /view HTTP/1.1\r\nHost: a\r\n\r\n");
    fixture_expect(&c, 200, "GET /view [] 0 0");
    client_puts(&c, "GET /vi%65w HTTP/1.1\r\nHost: a\r\n\r\n");
    fixture_expect(&c, 200, "ok");
    client_post(&c, "/echo", "x", 1);
    struct answer a = client_answer(&c);

    assert_string_equal(a.content_type, "application/json");
    assert_false(a.close);
    wm_buf_done(&a.body);
    client_close(&c);
    assert_int_equal(fixture_stats(&f).requests, 4);
    assert_int_equal(fixture_stats(&f).handshakes, 1);
    fixture_end(&f, 0);
}

static const struct {
    const char *name, *text;
    int ms;
} durations[] = {
    {"2s", "2s", 2000},
    {"1m30s", "1m30s", 90000},
    {"1.5h", "1.5h", 5400000},
    {"500ms", "500ms", 500},
    {"100us", "100us", 1},
    {"300ns", "300ns", 1},
    {"0", "0", 0},
    {"empty", "", 0},
    {"no unit", "5", 0},
    {"no number", "s", 0},
    {"garbage", "2s!", 0},
    {"negative", "-2s", 0},
    {"enormous", "99999999999999999999h", 86400000},
};

static void test_durations(void **state)
{
    struct fixture f = fixture_start(NULL);
    struct client c = fixture_client(&f);
    char line[256], want[64];

    (void)state;
    for (size_t i = 0; i < sizeof durations / sizeof durations[0]; i++) {
        snprintf(line, sizeof line, "GET /view?timeout=%s HTTP/1.1\r\nHost: a\r\n\r\n", durations[i].text);
        snprintf(want, sizeof want, "GET /view [] %d 0", durations[i].ms);
        client_puts(&c, line);
        fixture_expect(&c, 200, want);
    }
    client_close(&c);
    fixture_end(&f, 0);
}

static void test_http_1_0_and_close(void **state)
{
    struct fixture f = fixture_start(NULL);
    struct client c = fixture_client(&f);

    (void)state;
    client_puts(&c, "POST /echo HTTP/1.0\r\nContent-Length: 2\r\n\r\nhi");
    fixture_expect(&c, 200, "hi");
    expect_end(&c);
    c = fixture_client(&f);
    client_puts(&c, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    struct answer a = client_answer(&c);

    assert_int_equal(a.status, 200);
    assert_true(a.close);
    wm_buf_done(&a.body);
    expect_end(&c);
    fixture_end(&f, 0);
}

static void test_head(void **state)
{
    struct fixture f = fixture_start(NULL);
    struct client c = fixture_client(&f);
    char got[512] = "";

    (void)state;
    client_puts(&c, "HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    size_t n = 0;

    for (int r; n < sizeof got - 1 && (r = SSL_read(c.ssl, got + n, (int)(sizeof got - 1 - n))) > 0;)
        n += (size_t)r;
    assert_non_null(strstr(got, "Content-Length: 2\r\n"));
    assert_string_equal(got + n - 4, "\r\n\r\n");
    client_close(&c);
    fixture_end(&f, 0);
}

static void test_pipelining(void **state)
{
    struct fixture f = fixture_start(NULL);
    struct client c = fixture_client(&f);

    (void)state;
    for (int round = 0; round < 20; round++) {
        client_puts(&c, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n1"
                        "POST /late HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n2"
                        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n3"
                        "POST /no HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n4"
                        "POST /race HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n5GE");
        fixture_expect(&c, 200, "1");
        fixture_expect(&c, 200, "2");
        fixture_expect(&c, 200, "3");
        fixture_expect(&c, 404, NULL);
        fixture_expect(&c, 200, "5");
        client_puts(&c, "T / HTTP/1.1\r\nHost: a\r\n\r\n");
        fixture_expect(&c, 200, "ok");
    }
    client_close(&c);
    fixture_end(&f, 0);
}

static void test_split_everywhere(void **state)
{
    static const char req[] = "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabcde";
    struct fixture f = fixture_start(NULL);
    struct client c = fixture_client(&f);

    (void)state;
    for (size_t at = 1; at < sizeof req - 1; at++) {
        client_send(&c, req, at);
        client_send(&c, req + at, sizeof req - 1 - at);
        fixture_expect(&c, 200, "abcde");
    }
    for (size_t at = 0; at < sizeof req - 1; at++)
        client_send(&c, req + at, 1);
    fixture_expect(&c, 200, "abcde");
    client_close(&c);
    fixture_end(&f, 0);
}

static void test_expect_continue(void **state)
{
    struct fixture f = fixture_start(NULL);
    struct client c = fixture_client(&f);
    char got[64] = "";

    (void)state;
    client_puts(&c, "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    assert_true(SSL_read(c.ssl, got, sizeof got - 1) > 0);
    assert_non_null(strstr(got, "100 Continue\r\n\r\n"));
    client_puts(&c, "hi");
    fixture_expect(&c, 200, "hi");
    /* A refusal comes instead of the 100. */
    client_puts(&c, "POST /no HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    fixture_expect(&c, 404, "{\"no\":1}");
    expect_end(&c);
    fixture_end(&f, 0);
}

static void test_chunked(void **state)
{
    struct fixture f = fixture_start(NULL);
    struct client c = fixture_client(&f);

    (void)state;
    client_puts(&c, "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                    "3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nTrailer: 1\r\n\r\n");
    fixture_expect(&c, 200, "abcde");
    client_puts(&c, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    fixture_expect(&c, 200, "ok");
    client_close(&c);
    fixture_end(&f, 0);
}

/* Requests that cannot be read, or that two readers could read differently: one answer, then the end. */
static const struct bad {
    const char *name, *text;
    int status;
    int status_or; /* another right answer; 0 = none */
} bad_requests[] = {
    {"no host", "GET / HTTP/1.1\r\n\r\n", 400, 0},
    {"length not a number", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ten\r\n\r\n", 400, 0},
    {"length negative", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", 400, 0},
    {"length overflows", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n", 413,
     0},
    {"two lengths", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400, 0},
    {"length and chunked",
     "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400,
     0},
    {"unknown coding", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 400,
     0},
    {"chunk size not hex", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400, 0},
    {"chunk size overflows",
     "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n", 413, 400},
    {"chunk without its end",
     "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabcdef\r\n", 400, 0},
    {"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, 400},
    {"header without colon", "GET / HTTP/1.1\r\nHost: a\r\nnonsense\r\n\r\n", 400, 0},
};

static struct fixture shared;

static void check_bad(void **state)
{
    const struct bad *b = *state;
    struct client c = fixture_client(&shared);

    client_puts(&c, b->text);
    struct answer a = client_answer(&c);

    if (a.status != b->status)
        assert_int_equal(a.status, b->status_or);
    assert_true(a.close);
    assert_non_null(strstr(a.body.p, "\"code\":"));
    wm_buf_done(&a.body);
    expect_end(&c);
}

static void test_garbage(void **state)
{
    struct fixture f = fixture_start(NULL);
    char junk[5000];
    uint32_t x = 12345;

    (void)state;
    for (int round = 0; round < 50; round++) {
        struct client c = fixture_client(&f);

        for (size_t i = 0; i < sizeof junk; i++) {
            x = x * 1664525 + 1013904223;
            junk[i] = (char)(x >> 24);
        }
        junk[sizeof junk - 1] = '\n';
        client_send(&c, junk, sizeof junk);
        client_puts(&c, "\r\n\r\n");
        struct answer a = client_answer(&c);

        assert_true(a.status == 0 || a.status >= 400);
        wm_buf_done(&a.body);
        client_close(&c);
    }
    assert_int_equal(client_once(f.port, "still alive"), 200);
    fixture_end(&f, 0);
}

static void send_long_header(struct client *c, const char *start, size_t n)
{
    char *filler = wm_xcalloc(n + 1, 1);

    memset(filler, 'x', n);
    client_puts(c, start);
    client_send(c, filler, n);
    free(filler);
}

static void test_long_headers(void **state)
{
    struct fixture f = fixture_start(NULL);
    struct client c = fixture_client(&f);

    (void)state;
    send_long_header(&c, "GET / HTTP/1.1\r\nHost: a\r\nX: ", 16 << 10);
    client_puts(&c, "\r\n\r\n");
    fixture_expect(&c, 200, "ok");
    send_long_header(&c, "GET / HTTP/1.1\r\nHost: a\r\nX: ", 300 << 10);
    fixture_expect(&c, 431, NULL);
    expect_end(&c);
    c = fixture_client(&f);
    send_long_header(&c, "GET /", 300 << 10);
    fixture_expect(&c, 414, NULL);
    expect_end(&c);
    assert_int_equal(fixture_stats(&f).bad_http, 2);
    fixture_end(&f, 0);
}

#define CHUNKED "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"

/* MHD would ask to be run for ever: its buffer is full and holds no end of line. */
static void test_endless_chunk_line(void **state)
{
    struct fixture f = fixture_start(NULL);
    struct client c = fixture_client(&f);

    (void)state;
    send_long_header(&c, CHUNKED "1;", 100 << 10);
    fixture_expect(&c, 400, NULL);
    client_close(&c);
    /* Behind a good chunk, in one piece with it, and of lengths around the size of the buffer. */
    struct client many[20];

    for (int i = 0; i < 20; i++) {
        many[i] = fixture_client(&f);
        send_long_header(&many[i], CHUNKED "5\r\nabcde\r\n1;", (size_t)(10 + i) << 10);
    }
    fixture_pause_ms(200);
    double before = fixture_cpu_ms();

    fixture_pause_ms(500);
    print_message("endless chunk lines: %.0f ms CPU\n", fixture_cpu_ms() - before);
    assert_true(fixture_cpu_ms() - before < 50);
    for (int i = 0; i < 20; i++)
        client_close(&many[i]);
    c = fixture_client(&f);
    send_long_header(&c, CHUNKED "5\r\nabcde\r\n1;", 40 << 10);
    fixture_expect(&c, 400, NULL);
    client_close(&c);
    fixture_end(&f, 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_view),
        cmocka_unit_test(test_durations),
        cmocka_unit_test(test_http_1_0_and_close),
        cmocka_unit_test(test_head),
        cmocka_unit_test(test_pipelining),
        cmocka_unit_test(test_split_everywhere),
        cmocka_unit_test(test_expect_continue),
        cmocka_unit_test(test_chunked),
        cmocka_unit_test(test_garbage),
        cmocka_unit_test(test_long_headers),
        cmocka_unit_test(test_endless_chunk_line),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);

    shared = fixture_start(NULL);
    failed += RUN_TABLE("requests that cannot be read", bad_requests, check_bad);
    fixture_end(&shared, 0);
    return failed;
}
