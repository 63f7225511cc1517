/* The HTTPS server against the impatient and the hostile: deadlines, limits, and clients that stop in the
 * middle. */
#include "server_fixture.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "unit.h"
#include "waymark/clock.h"

static _Atomic bool enough;

static const struct deadline {
    const char *name;
    enum stop_at where;
    int status; /* what is said at the end; 0 = nothing */
    int timeouts;
} deadlines[] = {
    {"silent", CONNECTED, 0, 1},
    {"half a ClientHello", IN_HELLO, 0, 1},
    {"nothing after the handshake", SHAKEN, 0, 0},
    {"half a header", IN_HEADER, 408, 1},
    {"half a body", IN_BODY, 408, 1},
    {"nothing after an answer", ANSWERED, 0, 0},
};

static void check_deadline(void **state)
{
    const struct deadline *d = *state;
    struct wm_server_opts o = {.handshake_timeout_ms = 150,
                               .header_timeout_ms = 150,
                               .body_timeout_ms = 150,
                               .idle_timeout_ms = 150,
                               .idle_release_ms = 50,
                               .linger_ms = 100};
    struct fixture f = fixture_start(&o);
    int64_t began = wm_mono_ms();
    struct client c = fixture_client_at(&f, d->where);

    if (d->status) {
        struct answer a = client_answer(&c);

        assert_int_equal(a.status, d->status);
        assert_true(a.close);
        wm_buf_done(&a.body);
    }
    client_sees_end(&c);
    assert_in_range(wm_mono_ms() - began, 140, 2000);
    assert_int_equal(fixture_stats(&f).timeouts, d->timeouts);
    client_close(&c);
    fixture_end(&f, 0);
}

/* A byte now and then does not move a deadline. */
static void test_trickle(void **state)
{
    struct wm_server_opts o = {.header_timeout_ms = 200, .body_timeout_ms = 200, .handshake_timeout_ms = 200};
    struct fixture f = fixture_start(&o);
    uint64_t n = 0;

    (void)state;
    for (enum stop_at where = IN_HELLO; where <= IN_BODY; where++) {
        int64_t began = wm_mono_ms();
        struct client c = fixture_client_at(&f, where);

        if (where == SHAKEN) {
            client_close(&c);
            continue;
        }
        while (fixture_stats(&f).timeouts == n && wm_mono_ms() - began < 2000) {
            client_puts(&c, "a");
            fixture_pause_ms(20);
        }
        n++;
        assert_in_range(wm_mono_ms() - began, 180, 1000);
        client_close(&c);
    }
    fixture_end(&f, 0);
}

/* Those who stop in the middle cost no CPU, however many. */
static void test_half_open_costs_nothing(void **state)
{
    struct fixture f = fixture_start(NULL);
    struct client c[120];

    (void)state;
    for (int i = 0; i < 120; i++)
        c[i] = fixture_client_at(&f, (enum stop_at)(i % 6));
    fixture_pause_ms(100);
    double before = fixture_cpu_ms();

    fixture_pause_ms(1000);
    double spent = fixture_cpu_ms() - before;

    print_message("120 half-open clients: %.1f ms CPU in a second\n", spent);
    assert_true(spent < 50);
    for (int i = 0; i < 120; i++)
        client_close(&c[i]);
    fixture_end(&f, 0);
}

static void test_slowloris(void **state)
{
    enum { SLOW = 500, SHAKING = 200 };
    static struct client c[SLOW + SHAKING];
    struct wm_server_opts o = {.handshake_timeout_ms = 60000, .header_timeout_ms = 60000};
    struct fixture f = fixture_start(&o);
    int64_t worst = 0;

    (void)state;
    for (int i = 0; i < SLOW + SHAKING; i++)
        c[i] = fixture_client_at(&f, i < SLOW ? IN_HEADER : i % 2 ? CONNECTED : IN_HELLO);
    for (int i = 0; i < 100; i++) {
        int64_t began = wm_mono_ms();

        client_puts(&c[i * 5], "y");
        assert_int_equal(client_once(f.port, "real"), 200);
        if (wm_mono_ms() - began > worst)
            worst = wm_mono_ms() - began;
    }
    print_message("worst of 100 requests among 700 hostile connections: %d ms\n", (int)worst);
    assert_true(worst < 1000);
    for (int i = 0; i < SLOW + SHAKING; i++)
        client_close(&c[i]);
    fixture_end(&f, 0);
}

/* --- chaos --- */

static uint32_t roll(uint32_t *seed, uint32_t n)
{
    *seed = *seed * 1664525 + 1013904223;
    return (*seed >> 8) % n;
}

/* A piece of something that a client may say, mostly right. */
static bool say_something(struct client *c, uint32_t *seed)
{
    static const char *const things[] = {
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabcde",
        "POST /late HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabcde",
        "POST /race HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n",
        "POST /no HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabcde",
        "POST /big HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\na",
        "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 90000\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n",
        "GET / HTTP/1.0\r\n\r\n",
        "HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        "\r\n",
        "nonsense\r\n\r\n",
    };
    const char *z = things[roll(seed, sizeof things / sizeof things[0])];
    size_t n = strlen(z);

    return client_send(c, z, roll(seed, 4) ? n : roll(seed, (uint32_t)n) + 1);
}

static void *misbehave(void *arg)
{
    static const struct linger reset = {.l_onoff = 1};
    static _Atomic uint32_t threads;
    uint32_t seed = ++threads * 7919;

    while (!enough) {
        struct client c = {.fd = client_dial(*(const int *)arg), .in = WM_BUF_MAX(64 << 20)};

        if (roll(&seed, 8)) {
            c.ssl = SSL_new(client_context());
            SSL_set_fd(c.ssl, c.fd);
            SSL_connect(c.ssl);
        }
        for (uint32_t i = roll(&seed, 6); i > 0 && say_something(&c, &seed); i--)
            if (roll(&seed, 4) == 0)
                fixture_pause_ms((int)roll(&seed, 40));
        if (roll(&seed, 2)) {
            shutdown(c.fd, SHUT_WR);
            client_sees_end(&c);
        }
        if (roll(&seed, 3) == 0)
            setsockopt(c.fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        client_close(&c);
    }
    return NULL;
}

/* Everything at once, cut off anywhere.  fixture_end checks that nothing is left behind. */
static void test_chaos(void **state)
{
    struct wm_server_opts o = {.idle_release_ms = 5,
                               .header_timeout_ms = 50,
                               .body_timeout_ms = 80,
                               .idle_timeout_ms = 60,
                               .max_age_s = 1,
                               .body_budget = 2 << 20,
                               .max_body = 1 << 20};
    struct fixture f = fixture_start(&o);
    pthread_t t[8];

    (void)state;
    enough = false;
    for (int i = 0; i < 8; i++)
        pthread_create(&t[i], NULL, misbehave, &f.port);
    fixture_pause_ms(2000);
    enough = true;
    for (int i = 0; i < 8; i++)
        pthread_join(t[i], NULL);
    assert_int_equal(client_once(f.port, "x"), 200);
    print_message("chaos: %d requests, %d timeouts, %d bad\n", (int)fixture_stats(&f).requests,
                  (int)fixture_stats(&f).timeouts, (int)fixture_stats(&f).bad_http);
    fixture_end(&f, 0);
}

/* --- limits --- */

static void test_max_connections(void **state)
{
    struct wm_server_opts o = {.max_connections = 4};
    struct fixture f = fixture_start(&o);
    struct client c[4], extra;

    (void)state;
    for (int i = 0; i < 4; i++)
        c[i] = fixture_client_at(&f, ANSWERED);
    assert_false(client_open(&extra, f.port, NULL));
    client_close(&extra);
    FIXTURE_WAIT(&f, refused, 1);
    client_close(&c[0]);
    for (int i = 0; i < 500 && fixture_stats(&f).open > 3; i++)
        fixture_pause_ms(10);
    assert_int_equal(client_once(f.port, "x"), 200);
    for (int i = 1; i < 4; i++)
        client_close(&c[i]);
    fixture_end(&f, 0);
}

/* Full of clients that only connected: who has hung for a second makes room. */
static void test_room_is_made(void **state)
{
    struct wm_server_opts o = {.max_connections = 4, .handshake_timeout_ms = 60000, .loops = 1};
    struct fixture f = fixture_start(&o);
    struct client c[4];

    (void)state;
    for (int i = 0; i < 4; i++)
        c[i] = fixture_client_at(&f, CONNECTED);
    FIXTURE_WAIT(&f, open, 4);
    assert_int_equal(client_once(f.port, "too early"), 0 - 1);
    fixture_pause_ms(1050);
    assert_int_equal(client_once(f.port, "x"), 200);
    assert_int_equal(fixture_stats(&f).timeouts, 1);
    for (int i = 0; i < 4; i++)
        client_close(&c[i]);
    fixture_end(&f, 0);
}

static void test_max_per_peer(void **state)
{
    struct wm_server_opts o = {.max_per_peer = 3};
    struct fixture f = fixture_start(&o);
    struct client c[3], extra;

    (void)state;
    for (int i = 0; i < 3; i++)
        c[i] = fixture_client_at(&f, ANSWERED);
    assert_false(client_open(&extra, f.port, NULL));
    client_close(&extra);
    for (int i = 0; i < 3; i++)
        client_close(&c[i]);
    for (int i = 0; i < 500 && fixture_stats(&f).open > 0; i++)
        fixture_pause_ms(10);
    for (int i = 0; i < 5; i++)
        assert_int_equal(client_once(f.port, "x"), 200);
    fixture_end(&f, 0);
}

/* No file descriptor left: connections are dropped, nothing spins, and it passes. */
static void test_no_descriptors(void **state)
{
    struct fixture f = fixture_start(NULL);
    struct rlimit was, few;
    int fd[64], n = 0;

    (void)state;
    getrlimit(RLIMIT_NOFILE, &was);
    few = was;
    few.rlim_cur = (rlim_t)fixture_open_files() + 40;
    setrlimit(RLIMIT_NOFILE, &few);
    while (n < 64 && (fd[n] = client_dial(f.port)) >= 0)
        n++;
    assert_true(n > 10 && n < 64);
    fixture_pause_ms(50);
    double before = fixture_cpu_ms();

    fixture_pause_ms(300);
    assert_true(fixture_cpu_ms() - before < 50);
    setrlimit(RLIMIT_NOFILE, &was);
    for (int i = 0; i < n; i++)
        close(fd[i]);
    assert_int_equal(client_once(f.port, "x"), 200);
    fixture_end(&f, 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_trickle),         cmocka_unit_test(test_half_open_costs_nothing),
        cmocka_unit_test(test_slowloris),       cmocka_unit_test(test_chaos),
        cmocka_unit_test(test_max_connections), cmocka_unit_test(test_room_is_made),
        cmocka_unit_test(test_max_per_peer),    cmocka_unit_test(test_no_descriptors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) + RUN_TABLE("deadlines", deadlines, check_deadline);
}
