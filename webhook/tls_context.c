#include <limits.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <time.h>

#include "webhook/server_impl.h"

/* AES-128 first: cheaper, and no weaker against anything known.  TLS 1.2 only with forward secrecy and AEAD;
 * RSA for those who bring such a certificate. */
#define CIPHERS_13 "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"
#define CIPHERS_12                                                                                           \
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:"             \
    "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-CHACHA20-POLY1305"
#define GROUPS "X25519:P-256:P-384"
#define SIGALGS                                                                                              \
    "ECDSA+SHA256:ECDSA+SHA384:ed25519:RSA-PSS+SHA256:RSA-PSS+SHA384:RSA-PSS+SHA512:RSA+SHA256:RSA+SHA384"

enum { MAX_PEM = 1 << 20, MAX_CHAIN = 16, MAX_NAMES = 64 };

/* OpenSSL's own words for what just failed; empties its queue. */
static int fail_ssl(struct wm_error *err, enum wm_code code, const char *where, const char *what)
{
    unsigned long e = ERR_peek_last_error();
    const char *why = e ? ERR_reason_error_string(e) : NULL;

    ERR_clear_error();
    return wm_fail(err, code, where, "%s%s%s", what, why ? ": " : "", why ? why : "");
}

static int pem_open(struct wm_str pem, const char *where, BIO **ret, struct wm_error *err)
{
    if (pem.n == 0 || pem.n > MAX_PEM)
        return wm_fail(err, WM_E_INVALID, where, pem.n ? "larger than 1 MiB" : "empty");
    *ret = BIO_new_mem_buf(pem.p, (int)pem.n);
    return *ret ? WM_OK : fail_ssl(err, WM_E_NOMEM, where, "cannot read");
}

/* Without it OpenSSL asks on the terminal. */
static int no_passphrase(char *buf, int size, int rwflag, void *arg)
{
    (void)buf, (void)size, (void)rwflag, (void)arg;
    return -1;
}

/* True when reading stopped because the text was at its end, rather than broken. */
static bool at_end_of_pem(void)
{
    unsigned long e = ERR_peek_last_error();
    bool end = ERR_GET_LIB(e) == ERR_LIB_PEM && ERR_GET_REASON(e) == PEM_R_NO_START_LINE;

    ERR_clear_error();
    return end;
}

static int check_dates(X509 *leaf, int64_t now_s, int64_t *ret_not_after_s, struct wm_error *err)
{
    time_t now = (time_t)now_s;
    struct tm tm;

    if (X509_cmp_time(X509_get0_notBefore(leaf), &now) >= 0)
        return wm_fail(err, WM_E_INVALID, "certificate", "not valid yet");
    if (X509_cmp_time(X509_get0_notAfter(leaf), &now) <= 0)
        return wm_fail(err, WM_E_INVALID, "certificate", "has expired");
    if (ASN1_TIME_to_tm(X509_get0_notAfter(leaf), &tm) != 1)
        return fail_ssl(err, WM_E_INVALID, "certificate", "has no readable end");
    *ret_not_after_s = (int64_t)timegm(&tm);
    return WM_OK;
}

static int use_certificates(SSL_CTX *ctx, BIO *in, int64_t now_s, int64_t *ret_not_after_s,
                            struct wm_error *err)
{
    X509 *x = PEM_read_bio_X509(in, NULL, no_passphrase, NULL);

    if (!x)
        return fail_ssl(err, WM_E_INVALID, "certificate", "no certificate in it");
    int r = check_dates(x, now_s, ret_not_after_s, err);

    if (r == WM_OK && SSL_CTX_use_certificate(ctx, x) != 1)
        r = fail_ssl(err, WM_E_INVALID, "certificate", "not usable");
    X509_free(x);
    for (int i = 0; r == WM_OK; i++) {
        ERR_clear_error();
        x = PEM_read_bio_X509(in, NULL, no_passphrase, NULL);
        if (!x)
            return at_end_of_pem() ? WM_OK : wm_fail(err, WM_E_INVALID, "certificate", "broken chain");
        if (i >= MAX_CHAIN || SSL_CTX_add0_chain_cert(ctx, x) != 1) {
            X509_free(x);
            r = fail_ssl(err, WM_E_INVALID, "certificate", "chain not usable");
        }
    }
    return r;
}

static int use_key(SSL_CTX *ctx, BIO *in, struct wm_error *err)
{
    EVP_PKEY *key = PEM_read_bio_PrivateKey(in, NULL, no_passphrase, NULL);

    if (!key)
        return fail_ssl(err, WM_E_INVALID, "key", "no unencrypted private key in it");
    int ok = SSL_CTX_use_PrivateKey(ctx, key) == 1 && SSL_CTX_check_private_key(ctx) == 1;

    EVP_PKEY_free(key);
    return ok ? WM_OK : fail_ssl(err, WM_E_INVALID, "key", "does not belong to the certificate");
}

static int use_pair(SSL_CTX *ctx, struct wm_str cert, struct wm_str key, int64_t now_s,
                    int64_t *ret_not_after_s, struct wm_error *err)
{
    BIO *in = NULL;
    int64_t not_after_s = 0;

    int r = pem_open(cert, "certificate", &in, err);

    if (r < 0)
        return r;
    r = use_certificates(ctx, in, now_s, &not_after_s, err);
    BIO_free(in);
    if (r < 0)
        return r;
    r = pem_open(key, "key", &in, err);
    if (r < 0)
        return r;
    r = use_key(ctx, in, err);
    BIO_free(in);
    if (r == WM_OK)
        *ret_not_after_s = not_after_s;
    return r;
}

/* HTTP/1.1 or nothing: a client that offers only other protocols gets no ALPN answer, and decides itself. */
static int select_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_n, const unsigned char *in,
                       unsigned n, void *arg)
{
    static const char http11[] = "http/1.1";

    (void)ssl, (void)arg;
    for (unsigned i = 0; i + 1 <= n && i + 1 + in[i] <= n; i += 1 + (unsigned)in[i])
        if (in[i] == sizeof http11 - 1 && memcmp(in + i + 1, http11, sizeof http11 - 1) == 0) {
            *out = in + i + 1;
            *out_n = in[i];
            return SSL_TLSEXT_ERR_OK;
        }
    return SSL_TLSEXT_ERR_NOACK;
}

/* True when the certificate has exactly one common name and it is in the list. */
static bool name_allowed(X509 *cert, const char *const *names)
{
    const X509_NAME *subject = X509_get_subject_name(cert);
    int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    unsigned char *cn = NULL;
    bool ok = false;

    if (at < 0 || X509_NAME_get_index_by_NID(subject, NID_commonName, at) >= 0)
        return false;
    int n = ASN1_STRING_to_UTF8(&cn, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));

    for (; n > 0 && *names && !ok; names++)
        ok = strlen(*names) == (size_t)n && memcmp(*names, cn, (size_t)n) == 0;
    OPENSSL_free(cn);
    return ok;
}

static int verify_client(X509_STORE_CTX *store, void *names)
{
    if (X509_verify_cert(store) != 1)
        return 0;
    if (!names || name_allowed(X509_STORE_CTX_get0_cert(store), names))
        return 1;
    X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
    return 0;
}

static int ask_client_certificate(SSL_CTX *ctx, const char *pem, const char *const *names,
                                  struct wm_error *err)
{
    BIO *in = NULL;
    X509 *ca;
    int r = pem_open(wm_str_of(pem), "client CA", &in, err), n = 0;

    while (r == WM_OK && (ca = PEM_read_bio_X509(in, NULL, no_passphrase, NULL)) != NULL) {
        if (X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), ca) != 1 || SSL_CTX_add_client_CA(ctx, ca) != 1)
            r = fail_ssl(err, WM_E_INVALID, "client CA", "not usable");
        X509_free(ca);
        n++;
    }
    BIO_free(in);
    if (r < 0)
        return r;
    if (!at_end_of_pem() || n == 0)
        return wm_fail(err, WM_E_INVALID, "client CA", "no certificate in it, or a broken one");
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    /* The list is only read; OpenSSL's argument has no const. */
    SSL_CTX_set_cert_verify_callback(ctx, verify_client, (void *)(uintptr_t)names);
    return WM_OK;
}

int wm_tls_check_client_ca(const char *pem, struct wm_error *err)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

    if (!ctx)
        return fail_ssl(err, WM_E_NOMEM, NULL, "cannot make a TLS context");
    int r = ask_client_certificate(ctx, pem, NULL, err);

    SSL_CTX_free(ctx);
    return r;
}

static int set_rules(SSL_CTX *ctx, struct wm_error *err)
{
    char groups[] = GROUPS, sigalgs[] = SIGALGS; /* OpenSSL's macros have no const */

    /* kube-apiserver never resumes a session: tickets and a cache would only cost. */
    SSL_CTX_set_options(ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET |
                                 SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(ctx, 0);
    /* The chain is what the file says: OpenSSL would else search for one in every handshake. */
    SSL_CTX_set_mode(ctx,
                     SSL_MODE_RELEASE_BUFFERS | SSL_MODE_NO_AUTO_CHAIN | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    /* So that records without data are ours to count. */
    SSL_CTX_clear_mode(ctx, SSL_MODE_AUTO_RETRY);
    SSL_CTX_set_alpn_select_cb(ctx, select_alpn, NULL);
    if (SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) != 1 ||
        SSL_CTX_set_ciphersuites(ctx, CIPHERS_13) != 1 || SSL_CTX_set_cipher_list(ctx, CIPHERS_12) != 1 ||
        SSL_CTX_set1_groups_list(ctx, groups) != 1 || SSL_CTX_set1_sigalgs_list(ctx, sigalgs) != 1)
        return fail_ssl(err, WM_E_INVALID, NULL, "this OpenSSL refuses our TLS rules");
    return WM_OK;
}

/* Rules and client certificates, no pair yet. */
static int context_without_pair(const struct wm_server_opts *o, SSL_CTX **ret, struct wm_error *err)
{
    ERR_clear_error();
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

    if (!ctx)
        return fail_ssl(err, WM_E_NOMEM, NULL, "cannot make a TLS context");
    int r = set_rules(ctx, err);

    if (r == WM_OK && o->client_ca_pem)
        r = ask_client_certificate(ctx, o->client_ca_pem, o->client_names, err);
    if (r < 0) {
        SSL_CTX_free(ctx);
        return r;
    }
    *ret = ctx;
    return WM_OK;
}

int wm_tls_context_new(const struct wm_server_opts *o, struct wm_str cert_pem, struct wm_str key_pem,
                       int64_t now_s, SSL_CTX **ret, int64_t *ret_not_after_s, struct wm_error *err)
{
    SSL_CTX *ctx = NULL;
    int r = context_without_pair(o, &ctx, err);

    if (r < 0)
        return r;
    r = use_pair(ctx, cert_pem, key_pem, now_s, ret_not_after_s, err);
    if (r < 0)
        SSL_CTX_free(ctx);
    else
        *ret = ctx;
    return r;
}

int wm_tls_context_like(const struct wm_server_opts *o, SSL_CTX *old, SSL_CTX **ret, struct wm_error *err)
{
    SSL_CTX *ctx = NULL;
    STACK_OF(X509) *chain = NULL;
    int r = context_without_pair(o, &ctx, err);

    if (r < 0)
        return r;
    SSL_CTX_get0_chain_certs(old, &chain);
    if (SSL_CTX_use_certificate(ctx, SSL_CTX_get0_certificate(old)) != 1 ||
        (chain && SSL_CTX_set1_chain(ctx, chain) != 1) ||
        SSL_CTX_use_PrivateKey(ctx, SSL_CTX_get0_privatekey(old)) != 1) {
        SSL_CTX_free(ctx);
        return fail_ssl(err, WM_E_INVALID, NULL, "cannot carry the pair over");
    }
    *ret = ctx;
    return WM_OK;
}
