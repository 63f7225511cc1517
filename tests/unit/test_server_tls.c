/* The HTTPS server as a TLS server: who gets in, with what, and how pairs change under way. */
#include "server_fixture.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "unit.h"
#include "waymark/clock.h"

/* --- versions and protocols --- */

static const struct row {
    const char *name;
    int min, max;        /* protocol; 0 = any */
    const char *ciphers; /* of TLS 1.2; NULL = the client's own */
    const char *alpn;    /* wire format; NULL = none offered */
    bool enters;
    const char *selected; /* ALPN; NULL = none */
} rows[] = {
    {"anything", 0, 0, NULL, NULL, true, NULL},
    {"TLS 1.1", TLS1_1_VERSION, TLS1_1_VERSION, "DEFAULT@SECLEVEL=0", NULL, false, NULL},
    {"TLS 1.2", TLS1_2_VERSION, TLS1_2_VERSION, NULL, "\x08http/1.1", true, "http/1.1"},
    {"TLS 1.3", TLS1_3_VERSION, TLS1_3_VERSION, NULL, "\x08http/1.1", true, "http/1.1"},
    {"TLS 1.2 without AEAD", TLS1_2_VERSION, TLS1_2_VERSION, "ECDHE-ECDSA-AES128-SHA256", NULL, false, NULL},
    {"h2 and http/1.1", 0, 0, NULL, "\x02h2\x08http/1.1", true, "http/1.1"},
    {"h2 alone", 0, 0, NULL, "\x02h2", true, NULL},
    {"http/1.0 alone", 0, 0, NULL, "\x08http/1.0", true, NULL},
};

static struct fixture shared;

static void check_row(void **state)
{
    const struct row *r = *state;
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    const unsigned char *alpn = NULL;
    unsigned n = 0;
    struct client c;

    SSL_CTX_set_min_proto_version(ctx, r->min);
    SSL_CTX_set_max_proto_version(ctx, r->max);
    if (r->ciphers)
        assert_int_equal(SSL_CTX_set_cipher_list(ctx, r->ciphers), 1);
    if (r->alpn)
        SSL_CTX_set_alpn_protos(ctx, (const unsigned char *)r->alpn, (unsigned)strlen(r->alpn));
    assert_int_equal(client_open(&c, shared.port, ctx), r->enters);
    if (r->enters) {
        SSL_get0_alpn_selected(c.ssl, &alpn, &n);
        assert_int_equal(n, r->selected ? strlen(r->selected) : 0);
        if (n)
            assert_memory_equal(alpn, r->selected, n);
        client_post(&c, "/echo", "x", 1);
        fixture_expect(&c, 200, NULL);
    }
    client_close(&c);
    SSL_CTX_free(ctx);
}

static int count_session(SSL *ssl, SSL_SESSION *session)
{
    (void)session;
    ++*(int *)SSL_get_app_data(ssl);
    return 0;
}

static void test_no_tickets(void **state)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    struct fixture f = fixture_start(NULL);
    struct client c;
    int tickets = 0;

    (void)state;
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(ctx, count_session);
    assert_true(client_open(&c, f.port, ctx));
    SSL_set_app_data(c.ssl, &tickets);
    client_post(&c, "/echo", "x", 1);
    fixture_expect(&c, 200, NULL);
    assert_int_equal(tickets, 0);
    client_close(&c);
    SSL_CTX_free(ctx);
    fixture_end(&f, 0);
}

static void test_renegotiation_refused(void **state)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    struct fixture f = fixture_start(NULL);
    struct client c;

    (void)state;
    SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION);
    assert_true(client_open(&c, f.port, ctx));
    assert_int_equal(SSL_renegotiate(c.ssl), 1);
    assert_int_not_equal(SSL_do_handshake(c.ssl), 1);
    client_close(&c);
    SSL_CTX_free(ctx);
    assert_int_equal(client_once(f.port, "x"), 200);
    fixture_end(&f, 0);
}

static void test_key_updates(void **state)
{
    struct fixture f = fixture_start(NULL);
    struct client c;
    bool alive = true;

    (void)state;
    assert_true(client_open(&c, f.port, NULL));
    for (int i = 0; i < 3; i++) {
        assert_int_equal(SSL_key_update(c.ssl, SSL_KEY_UPDATE_REQUESTED), 1);
        client_post(&c, "/echo", "x", 1);
        fixture_expect(&c, 200, NULL);
    }
    /* A flood of them is not a conversation. */
    for (int i = 0; i < 100000 && alive; i++) {
        SSL_key_update(c.ssl, SSL_KEY_UPDATE_REQUESTED);
        alive = SSL_do_handshake(c.ssl) == 1;
    }
    assert_false(alive);
    ERR_clear_error();
    client_close(&c);
    fixture_end(&f, 0);
}

/* A ClientHello that comes byte by byte, as over a bad line, and the request in the same flight as the end of
 * the handshake. */
static void test_slow_hello(void **state)
{
    struct fixture f = fixture_start(NULL);
    SSL *ssl = SSL_new(client_context());
    BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());
    int fd = client_dial(f.port), n;
    char buf[16384];

    (void)state;
    SSL_set_bio(ssl, in, out);
    SSL_set_connect_state(ssl);
    while (SSL_do_handshake(ssl) != 1) {
        while ((n = BIO_read(out, buf, sizeof buf)) > 0)
            for (int i = 0; i < n; i++)
                assert_int_equal(send(fd, buf + i, 1, MSG_NOSIGNAL), 1);
        n = (int)recv(fd, buf, sizeof buf, 0);
        assert_true(n > 0);
        BIO_write(in, buf, n);
    }
    SSL_write(ssl, "GET / HTTP/1.1\r\nHost: a\r\n\r\n", 27);
    n = BIO_read(out, buf, sizeof buf);
    assert_int_equal(send(fd, buf, (size_t)n, MSG_NOSIGNAL), n);
    n = (int)recv(fd, buf, sizeof buf, 0);
    BIO_write(in, buf, n);
    assert_true(SSL_read(ssl, buf, sizeof buf) > 12);
    assert_memory_equal(buf, "HTTP/1.1 200", 12);
    SSL_free(ssl);
    close(fd);
    fixture_end(&f, 0);
}

static void test_plain_http(void **state)
{
    struct fixture f = fixture_start(NULL);
    struct client c = {.fd = client_dial(f.port), .in = WM_BUF_MAX(1 << 20)};

    (void)state;
    client_puts(&c, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    struct answer a = client_answer(&c);

    assert_int_equal(a.status, 400);
    assert_string_equal(a.body.p, "This port speaks HTTPS (TLS).\r\n");
    wm_buf_done(&a.body);
    assert_true(client_sees_end(&c));
    client_close(&c);
    assert_int_equal(fixture_stats(&f).handshake_failures, 1);
    fixture_end(&f, 0);
}

static int set_pair(struct fixture *f, const char *cert, const char *key, struct wm_error *err)
{
    return wm_server_set_pair(f->s, wm_str_of(cert), wm_str_of(key), err);
}

/* --- client certificates --- */

static SSL_CTX *context_with(const struct pki_pair *p)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

    if (p) {
        BIO *cert = BIO_new_mem_buf(p->cert, -1), *key = BIO_new_mem_buf(p->key, -1);
        X509 *x = PEM_read_bio_X509(cert, NULL, NULL, NULL);
        EVP_PKEY *k = PEM_read_bio_PrivateKey(key, NULL, NULL, NULL);

        assert_int_equal(SSL_CTX_use_certificate(ctx, x), 1);
        assert_int_equal(SSL_CTX_use_PrivateKey(ctx, k), 1);
        X509_free(x);
        EVP_PKEY_free(k);
        BIO_free(cert);
        BIO_free(key);
    }
    return ctx;
}

/* In TLS 1.3 a client learns of its refusal only when it reads. */
static bool gets_in(int port, const struct pki_pair *p, int version)
{
    SSL_CTX *ctx = context_with(p);
    struct client c;
    bool in;

    SSL_CTX_set_max_proto_version(ctx, version);
    in = client_open(&c, port, ctx) && client_post(&c, "/echo", "x", 1);
    if (in) {
        struct answer a = client_answer(&c);

        in = a.status == 200;
        wm_buf_done(&a.body);
    }
    client_close(&c);
    SSL_CTX_free(ctx);
    return in;
}

static void test_client_certificates(void **state)
{
    static const char *const names[] = {"kube-apiserver", "another", NULL};
    struct pki_pair ca = pki_make("clients", NULL, NULL), foreign_ca = pki_make("strangers", NULL, NULL);
    struct pki_pair right = pki_make("another", NULL, &ca), wrong = pki_make("nobody", NULL, &ca);
    struct pki_pair foreign = pki_make("another", NULL, &foreign_ca);
    struct pki_pair old = pki_make_for("another", NULL, &ca, -7200, -3600);
    struct wm_server_opts o = {.client_ca_pem = ca.cert, .client_names = names};
    struct fixture f = fixture_start(&o);

    (void)state;
    for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
        assert_true(gets_in(f.port, &right, version));
        assert_false(gets_in(f.port, NULL, version));
        assert_false(gets_in(f.port, &wrong, version));
        assert_false(gets_in(f.port, &foreign, version));
        assert_false(gets_in(f.port, &old, version));
    }
    assert_int_equal(fixture_stats(&f).handshake_failures, 8);
    assert_int_equal(fixture_stats(&f).requests, 2);
    /* The authorities change: a broken file changes nothing, a good one whom we let in. */
    assert_int_equal(wm_server_set_client_ca(f.s, wm_str_of("rubbish"), NULL), WM_E_INVALID);
    assert_true(gets_in(f.port, &right, 0));
    assert_int_equal(wm_server_set_client_ca(f.s, wm_str_of(foreign_ca.cert), NULL), WM_OK);
    assert_true(gets_in(f.port, &foreign, 0));
    assert_false(gets_in(f.port, &right, 0));
    assert_int_equal(set_pair(&f, f.pair.cert, f.pair.key, NULL), WM_OK);
    assert_true(gets_in(f.port, &foreign, 0));
    fixture_end(&f, 0);
    o.client_names = NULL;
    f = fixture_start(&o);
    assert_true(gets_in(f.port, &wrong, 0));
    assert_false(gets_in(f.port, &foreign, 0));
    fixture_end(&f, 0);
    pki_done(&ca);
    pki_done(&foreign_ca);
    pki_done(&right);
    pki_done(&wrong);
    pki_done(&foreign);
    pki_done(&old);
}

/* --- pairs --- */

static void test_bad_pairs_keep_the_old(void **state)
{
    struct fixture f = fixture_start(NULL);
    struct pki_pair other = pki_make("localhost", NULL, &f.ca);
    struct pki_pair expired = pki_make_for("localhost", NULL, &f.ca, -7200, -3600);
    struct pki_pair early = pki_make_for("localhost", NULL, &f.ca, 3600, 7200);
    struct wm_server_stats before = fixture_stats(&f);
    struct wm_error err;
    const struct {
        const char *cert, *key, *says;
    } bad[] = {
        {f.pair.cert, other.key, "does not belong"},
        {expired.cert, expired.key, "has expired"},
        {early.cert, early.key, "not valid yet"},
        {"", f.pair.key, "empty"},
        {"rubbish", f.pair.key, "no certificate"},
        {f.pair.cert, "rubbish", "no unencrypted private key"},
        {f.pair.cert, f.pair.cert, "no unencrypted private key"},
        {f.pair.key, f.pair.key, "no certificate"},
    };

    (void)state;
    assert_in_range(before.cert_not_after_s - wm_wall_s(), 3500, 3600);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(set_pair(&f, bad[i].cert, bad[i].key, &err), WM_E_INVALID);
        assert_non_null(strstr(err.msg, bad[i].says));
        assert_int_equal(client_once(f.port, "x"), 200);
    }
    /* A file half written: the chain breaks off. */
    char *half = wm_xcalloc(strlen(f.pair.cert) * 2, 1);

    strcpy(half, f.pair.cert);
    strncat(half, other.cert, strlen(other.cert) / 2);
    assert_int_equal(set_pair(&f, half, f.pair.key, &err), WM_E_INVALID);
    free(half);
    assert_int_equal(fixture_stats(&f).cert_not_after_s, before.cert_not_after_s);
    pki_done(&other);
    pki_done(&expired);
    pki_done(&early);
    fixture_end(&f, 0);
}

static void never(void *ctx, struct wm_request *req, const struct wm_request_view *view)
{
    (void)ctx, (void)req, (void)view;
    fail();
}

static void test_before_the_first_pair(void **state)
{
    struct wm_server_opts o = {.address = "127.0.0.1", .handle = never};
    struct wm_server *s = NULL;
    struct client c;

    (void)state;
    assert_int_equal(wm_server_new(&o, &s, NULL), WM_OK);
    assert_false(client_open(&c, wm_server_port(s), NULL));
    client_close(&c);
    wm_server_free(s, 0);
}

static void test_bad_options(void **state)
{
    struct wm_server_opts o = {.address = "127.0.0.1", .handle = never};
    struct wm_server *s = NULL;
    struct wm_error err;

    (void)state;
    o.client_ca_pem = "not PEM";
    assert_int_equal(wm_server_new(&o, &s, &err), WM_E_INVALID);
    o.client_ca_pem = NULL;
    o.address = "not an address";
    assert_int_equal(wm_server_new(&o, &s, &err), WM_E_INVALID);
    o.address = "192.0.2.1"; /* not ours */
    assert_int_equal(wm_server_new(&o, &s, &err), WM_E_IO);
    o = (struct wm_server_opts){.address = "127.0.0.1"};
    assert_int_equal(wm_server_new(&o, &s, &err), WM_E_INVALID);
    assert_null(s);
}

static _Atomic bool enough;
static _Atomic int lost, answered;

static void *connect_again_and_again(void *arg)
{
    const struct fixture *f = arg;

    while (!enough)
        if (client_once(f->port, "x") == 200)
            answered++;
        else
            lost++;
    return NULL;
}

static void *one_connection(void *arg)
{
    const struct fixture *f = arg;
    struct client c;

    if (!client_open(&c, f->port, NULL))
        abort();
    while (!enough) {
        client_post(&c, "/echo", "x", 1);
        struct answer a = client_answer(&c);

        if (a.status == 200)
            answered++;
        else
            lost++;
        wm_buf_done(&a.body);
    }
    client_close(&c);
    return NULL;
}

static void test_swap_under_load(void **state)
{
    struct fixture f = fixture_start(NULL);
    struct pki_pair other = pki_make("localhost", NULL, &f.ca);
    pthread_t t[4];
    int64_t until = wm_mono_ms() + 1000;
    int swaps = 0;

    (void)state;
    enough = false;
    lost = answered = 0;
    for (int i = 0; i < 4; i++)
        pthread_create(&t[i], NULL, i ? connect_again_and_again : one_connection, &f);
    for (; wm_mono_ms() < until; swaps++) {
        const struct pki_pair *p = swaps % 2 ? &f.pair : &other;

        assert_int_equal(set_pair(&f, p->cert, p->key, NULL), WM_OK);
        fixture_pause_ms(2);
    }
    enough = true;
    for (int i = 0; i < 4; i++)
        pthread_join(t[i], NULL);
    assert_int_equal(lost, 0);
    assert_int_equal(fixture_stats(&f).handshake_failures, 0);
    assert_true(swaps > 5 && answered > 5);
    pki_done(&other);
    fixture_end(&f, 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_tickets),
        cmocka_unit_test(test_renegotiation_refused),
        cmocka_unit_test(test_key_updates),
        cmocka_unit_test(test_slow_hello),
        cmocka_unit_test(test_plain_http),
        cmocka_unit_test(test_client_certificates),
        cmocka_unit_test(test_bad_pairs_keep_the_old),
        cmocka_unit_test(test_before_the_first_pair),
        cmocka_unit_test(test_bad_options),
        cmocka_unit_test(test_swap_under_load),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);

    shared = fixture_start(NULL);
    failed += RUN_TABLE("versions and protocols", rows, check_row);
    fixture_end(&shared, 0);
    return failed;
}
