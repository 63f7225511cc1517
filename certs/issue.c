/* Certificates as such: making a generation, and reading what one says. */
#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "waymark/certs.h"

enum { MAX_NAMES = 64, MAX_PEM = 1 << 20, MAX_CHAIN = 32, MAX_CN = 64 };
#define MAX_VALIDITY_S (INT64_C(50) * 366 * 24 * 3600)

static void key_freep(EVP_PKEY **p)
{
    EVP_PKEY_free(*p);
}

static void x509_freep(X509 **p)
{
    X509_free(*p);
}

static void bio_freep(BIO **p)
{
    BIO_free(*p);
}

#define auto_key WM_AUTO(key_freep) EVP_PKEY
#define auto_x509 WM_AUTO(x509_freep) X509
#define auto_bio WM_AUTO(bio_freep) BIO

static int fail_ssl(struct wm_error *err, enum wm_code code, const char *what)
{
    char text[160] = "";
    unsigned long e = ERR_peek_last_error();

    if (e)
        ERR_error_string_n(e, text, sizeof text);
    ERR_clear_error();
    return wm_fail(err, code, NULL, "%s%s%s", what, e ? ": " : "", text);
}

void wm_cert_pems_done(struct wm_cert_pems *p)
{
    if (p->key)
        OPENSSL_cleanse(p->key, strlen(p->key));
    free(p->ca);
    free(p->cert);
    free(p->key);
    *p = (struct wm_cert_pems){0};
}

void wm_cert_names_freep_(char ***names)
{
    for (char **n = *names; n && *n; n++)
        free(*n);
    free(*names);
    *names = NULL;
}

void wm_cert_info_done(struct wm_cert_info *i)
{
    wm_cert_names_freep_(&i->names);
    *i = (struct wm_cert_info){0};
}

/* --- making --- */

static bool is_ip(const char *name)
{
    unsigned char raw[16];

    return inet_pton(AF_INET, name, raw) == 1 || inet_pton(AF_INET6, name, raw) == 1;
}

/* Names go into a configuration syntax of OpenSSL, so nothing may pass that means something there. */
static bool name_fits(const char *name)
{
    size_t n = strlen(name);

    return n > 0 && n <= 253 &&
           (is_ip(name) ||
            strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.*_") == n);
}

static int check_spec(const struct wm_cert_spec *spec, struct wm_error *err)
{
    size_t n = 0;

    for (; spec->names && spec->names[n]; n++)
        if (!name_fits(spec->names[n]))
            return wm_fail(err, WM_E_INVALID, NULL, "'%s' is no name for a certificate", spec->names[n]);
    if (n == 0 || n > MAX_NAMES)
        return wm_fail(err, WM_E_INVALID, NULL, "a certificate needs 1 to %d names, not %zu", MAX_NAMES, n);
    if (spec->validity_s < 60 || spec->validity_s > MAX_VALIDITY_S)
        return wm_fail(err, WM_E_INVALID, NULL, "a validity of %lld s is out of range",
                       (long long)spec->validity_s);
    return WM_OK;
}

static bool set_serial(X509 *x)
{
    unsigned char raw[16];
    BIGNUM *n = NULL;
    bool ok;

    if (RAND_bytes(raw, sizeof raw) != 1)
        return false;
    raw[0] = (unsigned char)((raw[0] & 0x7f) | 0x40); /* positive, and always of one length */
    n = BN_bin2bn(raw, sizeof raw, NULL);
    ok = n && BN_to_ASN1_INTEGER(n, X509_get_serialNumber(x));
    BN_free(n);
    return ok;
}

static bool set_name(X509_NAME *name, const char *cn)
{
    return X509_NAME_add_entry_by_txt(name, "O", MBSTRING_UTF8, (const unsigned char *)"waymark", -1, -1,
                                      0) == 1 &&
           X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)cn, -1, -1, 0) == 1;
}

static bool add_ext(X509 *x, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;

    X509V3_set_ctx_nodb(&ctx);
    X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    bool ok = e && X509_add_ext(x, e, -1) == 1;

    X509_EXTENSION_free(e);
    return ok;
}

/* Version, serial, life and key of either certificate. */
static X509 *begin(const struct wm_cert_spec *spec, EVP_PKEY *key)
{
    auto_x509 *x = X509_new();

    if (!x || X509_set_version(x, X509_VERSION_3) != 1 || !set_serial(x) || X509_set_pubkey(x, key) != 1 ||
        !ASN1_TIME_set(X509_getm_notBefore(x), (time_t)(spec->now_s - WM_CERT_BACKDATE_S)) ||
        !ASN1_TIME_set(X509_getm_notAfter(x), (time_t)(spec->now_s + spec->validity_s)))
        return NULL;
    X509 *ret = x;

    x = NULL;
    return ret;
}

static X509 *make_ca(const struct wm_cert_spec *spec, EVP_PKEY *key)
{
    auto_x509 *x = begin(spec, key);
    unsigned char tag[4];
    char cn[64];

    if (!x || RAND_bytes(tag, sizeof tag) != 1)
        return NULL;
    /* Each CA has a subject of its own: verifiers look up issuers by name. */
    snprintf(cn, sizeof cn, "waymark webhook CA %02x%02x%02x%02x", tag[0], tag[1], tag[2], tag[3]);
    if (!set_name(X509_get_subject_name(x), cn) || X509_set_issuer_name(x, X509_get_subject_name(x)) != 1 ||
        !add_ext(x, x, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") ||
        !add_ext(x, x, NID_key_usage, "critical,keyCertSign") ||
        !add_ext(x, x, NID_subject_key_identifier, "hash") || X509_sign(x, key, EVP_sha256()) == 0)
        return NULL;
    X509 *ret = x;

    x = NULL;
    return ret;
}

static X509 *make_leaf(const struct wm_cert_spec *spec, EVP_PKEY *key, X509 *ca, EVP_PKEY *ca_key)
{
    auto_x509 *x = begin(spec, key);
    wm_auto_buf struct wm_buf sans = WM_BUF_MAX(MAX_NAMES * 260);

    for (const char *const *n = spec->names; *n; n++)
        wm_buf_printf(&sans, "%s%s:%s", sans.n ? "," : "", is_ip(*n) ? "IP" : "DNS", *n);
    if (!x || wm_buf_check(&sans, NULL) != WM_OK ||
        !set_name(X509_get_subject_name(x),
                  strlen(spec->names[0]) <= MAX_CN ? spec->names[0] : "waymark webhook") ||
        X509_set_issuer_name(x, X509_get_subject_name(ca)) != 1 ||
        !add_ext(x, ca, NID_basic_constraints, "critical,CA:FALSE") ||
        !add_ext(x, ca, NID_key_usage, "critical,digitalSignature") ||
        !add_ext(x, ca, NID_ext_key_usage, "serverAuth") || !add_ext(x, ca, NID_subject_alt_name, sans.p) ||
        !add_ext(x, ca, NID_subject_key_identifier, "hash") ||
        !add_ext(x, ca, NID_authority_key_identifier, "keyid:always") ||
        X509_sign(x, ca_key, EVP_sha256()) == 0)
        return NULL;
    X509 *ret = x;

    x = NULL;
    return ret;
}

/* The text of a memory BIO, which is wiped: it may be a key. */
static char *bio_text(BIO *b)
{
    char *p;
    long n = BIO_get_mem_data(b, &p);

    if (n <= 0)
        return NULL;
    char *text = wm_xstrndup((struct wm_str){p, (size_t)n});

    OPENSSL_cleanse(p, (size_t)n);
    return text;
}

static char *x509_pem(X509 *x)
{
    auto_bio *b = BIO_new(BIO_s_mem());

    return b && PEM_write_bio_X509(b, x) == 1 ? bio_text(b) : NULL;
}

static char *key_pem(EVP_PKEY *key)
{
    auto_bio *b = BIO_new(BIO_s_mem());

    return b && PEM_write_bio_PrivateKey(b, key, NULL, NULL, 0, NULL, NULL) == 1 ? bio_text(b) : NULL;
}

int wm_cert_issue(const struct wm_cert_spec *spec, struct wm_cert_pems *ret, struct wm_error *err)
{
    int rc = check_spec(spec, err);

    if (rc < 0)
        return rc;
    auto_key *ca_key = EVP_EC_gen("P-256");
    auto_key *key = EVP_EC_gen("P-256");
    auto_x509 *ca = ca_key && key ? make_ca(spec, ca_key) : NULL;
    auto_x509 *leaf = ca ? make_leaf(spec, key, ca, ca_key) : NULL;

    if (!leaf)
        return fail_ssl(err, WM_E_IO, "cannot make a certificate");
    struct wm_cert_pems made = {x509_pem(ca), x509_pem(leaf), key_pem(key)};

    if (!made.ca || !made.cert || !made.key) {
        wm_cert_pems_done(&made);
        return fail_ssl(err, WM_E_IO, "cannot write a certificate");
    }
    *ret = made;
    return WM_OK;
}

static void add_name(char **names, size_t *n, const char *name)
{
    for (size_t i = 0; i < *n; i++)
        if (strcmp(names[i], name) == 0)
            return;
    names[(*n)++] = wm_xstrdup(name);
}

char **wm_cert_service_names(const char *service, const char *ns, const char *const *extra)
{
    static const char *const tails[] = {"", "", ".svc", ".svc.cluster.local"};
    const size_t n_tails = sizeof tails / sizeof tails[0];
    size_t n = 0, n_extra = 0;

    while (extra && extra[n_extra])
        n_extra++;
    char **names = wm_xcalloc(n_tails + n_extra + 1, sizeof *names);

    for (size_t i = 0; i < n_tails; i++) {
        wm_auto_buf struct wm_buf b = WM_BUF_MAX(1024);

        wm_buf_puts(&b, service);
        if (i > 0)
            wm_buf_printf(&b, ".%s%s", ns, tails[i]);
        add_name(names, &n, b.p ? b.p : "");
    }
    for (size_t i = 0; i < n_extra; i++)
        add_name(names, &n, extra[i]);
    return names;
}

/* --- reading --- */

static int no_passphrase(char *buf, int size, int rwflag, void *u)
{
    (void)buf, (void)size, (void)rwflag, (void)u;
    return -1; /* never ask at a terminal */
}

static BIO *bio_of(struct wm_str pem)
{
    return pem.p && pem.n <= MAX_PEM ? BIO_new_mem_buf(pem.p, (int)pem.n) : NULL;
}

static int read_leaf(struct wm_str pem, X509 **ret, struct wm_error *err)
{
    auto_bio *b = bio_of(pem);

    ERR_clear_error();
    X509 *x = b ? PEM_read_bio_X509(b, NULL, no_passphrase, NULL) : NULL;

    if (!x)
        return fail_ssl(err, WM_E_INVALID, pem.n ? "not a certificate in PEM" : "the certificate is empty");
    *ret = x;
    return WM_OK;
}

static int64_t seconds_of(const ASN1_TIME *t)
{
    struct tm tm;

    return t && ASN1_TIME_to_tm(t, &tm) == 1 ? (int64_t)timegm(&tm) : 0;
}

/* One SAN as text, or NULL for kinds that we do not serve under. */
static char *san_text(const GENERAL_NAME *san)
{
    int kind = 0;
    const ASN1_STRING *value = GENERAL_NAME_get0_value(san, &kind);
    const unsigned char *p = kind == GEN_DNS || kind == GEN_IPADD ? ASN1_STRING_get0_data(value) : NULL;
    int n = p ? ASN1_STRING_length(value) : 0;
    char ip[INET6_ADDRSTRLEN];

    if (kind == GEN_DNS && p && !memchr(p, '\0', (size_t)n))
        return wm_xstrndup((struct wm_str){(const char *)p, (size_t)n});
    if (kind == GEN_IPADD && (n == 4 || n == 16) && inet_ntop(n == 4 ? AF_INET : AF_INET6, p, ip, sizeof ip))
        return wm_xstrdup(ip);
    return NULL;
}

int wm_cert_info(struct wm_str cert_pem, struct wm_cert_info *ret, struct wm_error *err)
{
    auto_x509 *x = NULL;
    int rc = read_leaf(cert_pem, &x, err);

    if (rc < 0)
        return rc;
    GENERAL_NAMES *sans = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
    int n = sans ? sk_GENERAL_NAME_num(sans) : 0;
    size_t n_names = 0;

    *ret = (struct wm_cert_info){seconds_of(X509_get0_notBefore(x)), seconds_of(X509_get0_notAfter(x)),
                                 wm_xcalloc((size_t)n + 1, sizeof *ret->names)};
    for (int i = 0; i < n; i++) {
        char *name = san_text(sk_GENERAL_NAME_value(sans, i));

        if (name)
            ret->names[n_names++] = name;
    }
    GENERAL_NAMES_free(sans);
    ERR_clear_error();
    return WM_OK;
}

int wm_cert_check_pair(struct wm_str cert_pem, struct wm_str key_pem_text, struct wm_error *err)
{
    auto_x509 *x = NULL;
    int rc = read_leaf(cert_pem, &x, err);

    if (rc < 0)
        return rc;
    auto_bio *b = bio_of(key_pem_text);
    auto_key *key = b ? PEM_read_bio_PrivateKey(b, NULL, no_passphrase, NULL) : NULL;

    if (!key)
        return fail_ssl(err, WM_E_INVALID,
                        key_pem_text.n ? "not a private key in PEM" : "the private key is empty");
    if (X509_check_private_key(x, key) != 1)
        return fail_ssl(err, WM_E_INVALID, "certificate and key do not belong together");
    return WM_OK;
}

/* All certificates of a text; the caller frees with sk_X509_pop_free. */
static STACK_OF(X509) * read_all(struct wm_str pem)
{
    STACK_OF(X509) *all = sk_X509_new_null();
    auto_bio *b = bio_of(pem);
    X509 *x;

    while (all && b && sk_X509_num(all) < MAX_CHAIN && (x = PEM_read_bio_X509(b, NULL, no_passphrase, NULL)))
        if (sk_X509_push(all, x) == 0)
            X509_free(x);
    ERR_clear_error();
    return all;
}

int wm_cert_check_issuer(struct wm_str cert_pem, struct wm_str ca_pem, struct wm_error *err)
{
    auto_x509 *x = NULL;
    int rc = read_leaf(cert_pem, &x, err);

    if (rc < 0)
        return rc;
    STACK_OF(X509) *chain = read_all(cert_pem), *roots = read_all(ca_pem);
    X509_STORE *none = X509_STORE_new();
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    bool ok = false;

    if (none && ctx && X509_STORE_CTX_init(ctx, none, x, chain) == 1) {
        X509_STORE_CTX_set0_trusted_stack(ctx, roots);
        X509_STORE_CTX_set_purpose(ctx, X509_PURPOSE_SSL_SERVER);
        X509_STORE_CTX_set_flags(ctx, X509_V_FLAG_NO_CHECK_TIME | X509_V_FLAG_PARTIAL_CHAIN);
        ok = X509_verify_cert(ctx) == 1;
    }
    const char *why = ctx ? X509_verify_cert_error_string(X509_STORE_CTX_get_error(ctx)) : "out of memory";

    X509_STORE_CTX_free(ctx);
    X509_STORE_free(none);
    sk_X509_pop_free(chain, X509_free);
    sk_X509_pop_free(roots, X509_free);
    ERR_clear_error();
    return ok ? WM_OK : wm_fail(err, WM_E_INVALID, NULL, "the certificate does not lead to the CA: %s", why);
}

int wm_cert_check_names(struct wm_str cert_pem, const char *const *names, struct wm_error *err)
{
    const unsigned flags = X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS;
    auto_x509 *x = NULL;
    int rc = read_leaf(cert_pem, &x, err);

    if (rc < 0)
        return rc;
    for (; *names; names++)
        if ((is_ip(*names) ? X509_check_ip_asc(x, *names, 0) : X509_check_host(x, *names, 0, flags, NULL)) !=
            1) {
            ERR_clear_error();
            return wm_fail(err, WM_E_NOT_FOUND, NULL, "the certificate does not cover %s", *names);
        }
    return WM_OK;
}

void wm_cert_each(struct wm_str pem, void (*each)(void *ctx, struct wm_str pem, int64_t not_after_s),
                  void *ctx)
{
    STACK_OF(X509) *all = read_all(pem);

    for (int i = 0; all && i < sk_X509_num(all); i++) {
        X509 *x = sk_X509_value(all, i);
        wm_auto_free char *text = x509_pem(x);

        if (text)
            each(ctx, wm_str_of(text), seconds_of(X509_get0_notAfter(x)));
    }
    sk_X509_pop_free(all, X509_free);
}
