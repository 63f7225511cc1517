#include "server_fixture.h"

#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "unit.h"

enum { MAX_HELD = 2000 };

static pthread_mutex_t held_lock = PTHREAD_MUTEX_INITIALIZER;
static struct wm_request *held[MAX_HELD];
static int n_held;

void fixture_pause_ms(int ms)
{
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};

    nanosleep(&t, NULL);
}

double fixture_cpu_ms(void)
{
    struct rusage u;

    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e3 +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e3;
}

struct late {
    struct wm_request *req;
    const struct wm_request_view *view;
    int after_ms;
};

static void *answer_late(void *arg)
{
    struct late *l = arg;
    struct wm_reply r = {.status = 200, .body = l->view->body};

    if (l->after_ms)
        fixture_pause_ms(l->after_ms);
    wm_request_reply(l->req, &r);
    free(l);
    return NULL;
}

static void spawn(struct wm_request *req, const struct wm_request_view *view, int after_ms)
{
    struct late *l = wm_xcalloc(1, sizeof *l);
    pthread_t t;

    *l = (struct late){req, view, after_ms};
    assert_int_equal(pthread_create(&t, NULL, answer_late, l), 0);
    pthread_detach(t);
}

static void keep(struct wm_request *req)
{
    pthread_mutex_lock(&held_lock);
    held[n_held++] = req;
    pthread_mutex_unlock(&held_lock);
}

int fixture_held(void)
{
    pthread_mutex_lock(&held_lock);
    int n = n_held;

    pthread_mutex_unlock(&held_lock);
    return n;
}

void fixture_let_go(void)
{
    struct wm_reply r = {.status = 200, .body = wm_str_of("let go")};

    pthread_mutex_lock(&held_lock);
    for (int i = 0; i < n_held; i++)
        wm_request_reply(held[i], &r);
    n_held = 0;
    pthread_mutex_unlock(&held_lock);
}

static void handle(void *ctx, struct wm_request *req, const struct wm_request_view *v)
{
    static char big[BIG_ANSWER];
    char text[512];
    struct wm_reply r = {.status = 200, .body = wm_str_of("ok")};

    (void)ctx;
    if (strcmp(v->path, "/late") == 0) {
        spawn(req, v, 20);
        return;
    }
    if (strcmp(v->path, "/race") == 0) {
        spawn(req, v, 0);
        return;
    }
    if (strcmp(v->path, "/held") == 0) {
        keep(req);
        return;
    }
    if (strcmp(v->path, "/sleep") == 0) {
        fixture_pause_ms(200);
    } else if (strcmp(v->path, "/view") == 0) {
        snprintf(text, sizeof text, "%s %s [%s] %d %zu", v->method, v->path, v->content_type, v->timeout_ms,
                 v->body.n);
        r.body = wm_str_of(text);
    } else if (strcmp(v->path, "/echo") == 0) {
        r.body = v->body;
    } else if (strcmp(v->path, "/big") == 0) {
        r.body = (struct wm_str){big, sizeof big};
    }
    wm_request_reply(req, &r);
}

static bool wants(void *ctx, const char *method, const char *path, const char *content_type,
                  struct wm_reply *ret)
{
    (void)ctx, (void)method;
    if (strncmp(path, "/not-json", 9) == 0 && strcmp(content_type, "application/json") != 0)
        *ret = (struct wm_reply){.status = 415, .content_type = "text/plain", .body = wm_str_of("json only")};
    else if (strncmp(path, "/no", 3) == 0 && strncmp(path, "/not-json", 9) != 0)
        *ret = (struct wm_reply){.status = 404, .body = wm_str_of("{\"no\":1}")};
    else
        return true;
    return false;
}

static void error_body(void *ctx, int status, const char *message, struct wm_buf *out)
{
    (void)ctx;
    wm_buf_printf(out, "{\"code\":%d,\"message\":\"%s\"}", status, message);
}

struct fixture fixture_start(const struct wm_server_opts *o)
{
    struct wm_server_opts opts = o ? *o : (struct wm_server_opts){0};
    struct fixture f = {0};
    struct wm_error err = {0};

    signal(SIGPIPE, SIG_IGN);
    if (!opts.loops)
        opts.loops = 2;
    opts.address = "127.0.0.1";
    if (!opts.handle) {
        opts.wants = wants;
        opts.handle = handle;
        opts.error_body = error_body;
    }
    if (wm_server_new(&opts, &f.s, &err) < 0)
        fail_msg("%s: %s", err.where, err.msg);
    f.port = wm_server_port(f.s);
    f.ca = pki_make("test ca", NULL, NULL);
    f.pair = pki_make("localhost", "DNS:localhost,IP:127.0.0.1", &f.ca);
    if (wm_server_set_pair(f.s, wm_str_of(f.pair.cert), wm_str_of(f.pair.key), &err) < 0)
        fail_msg("%s: %s", err.where, err.msg);
    return f;
}

struct wm_server_stats fixture_stats(const struct fixture *f)
{
    struct wm_server_stats n;

    wm_server_stats(f->s, &n);
    return n;
}

void fixture_end(struct fixture *f, int grace_ms)
{
    /* Whatever the test did: when everybody has left, no memory is charged and nothing counts as open. */
    struct wm_server_stats n = fixture_stats(f);

    for (int i = 0; i < 500 && (n.open || n.in_flight || n.body_bytes); i++) {
        fixture_pause_ms(10);
        n = fixture_stats(f);
    }
    assert_int_equal(n.open, 0);
    assert_int_equal(n.in_flight, 0);
    assert_int_equal(n.body_bytes, 0);
    f->s = wm_server_free(f->s, grace_ms);
    pki_done(&f->ca);
    pki_done(&f->pair);
}

struct client fixture_client(const struct fixture *f)
{
    struct client c;

    assert_true(client_open(&c, f->port, NULL));
    return c;
}

void fixture_expect(struct client *c, int status, const char *body)
{
    struct answer a = client_answer(c);

    assert_int_equal(a.status, status);
    if (body)
        assert_string_equal(a.body.p ? a.body.p : "", body);
    wm_buf_done(&a.body);
}

static const char half_hello[] = {0x16, 3, 1, 2, 0, 1, 0};
static const char half_header[] = "POST /echo HTTP/1.1\r\nHost: a\r\nX-Half:";
static const char half_body[] = "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc";

struct client fixture_client_at(const struct fixture *f, enum stop_at where)
{
    struct client c = {.fd = -1, .in = WM_BUF_MAX(1 << 20)};

    if (where <= IN_HELLO) {
        c.fd = client_dial(f->port);
        assert_true(c.fd >= 0);
        if (where == IN_HELLO)
            assert_true(client_send(&c, half_hello, sizeof half_hello));
        return c;
    }
    assert_true(client_open(&c, f->port, NULL));
    if (where == IN_HEADER)
        client_puts(&c, half_header);
    if (where == IN_BODY)
        client_puts(&c, half_body);
    if (where == ANSWERED) {
        client_post(&c, "/echo", "x", 1);
        fixture_expect(&c, 200, "x");
    }
    return c;
}

int fixture_open_files(void)
{
    DIR *d = opendir("/proc/self/fd");
    int n = 0;

    while (readdir(d))
        n++;
    closedir(d);
    return n;
}
