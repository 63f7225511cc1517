#include "pki.h"

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "waymark/buf.h"

static char *take_text(BIO *bio)
{
    char *p;
    long n = BIO_get_mem_data(bio, &p);
    char *text = wm_xstrndup((struct wm_str){p, (size_t)n}); /* strndup would look for a NUL beyond n */

    BIO_free(bio);
    return text;
}

static void extend(X509 *x, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;

    X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);

    X509_add_ext(x, e, -1);
    X509_EXTENSION_free(e);
}

struct pki_pair pki_make(const char *name, const char *sans, const struct pki_pair *issuer)
{
    return pki_make_for(name, sans, issuer, -60, 3600);
}

struct pki_pair pki_make_for(const char *name, const char *sans, const struct pki_pair *issuer, long from_s,
                             long to_s)
{
    static long serial = 1;
    EVP_PKEY *key = EVP_EC_gen("P-256"), *signer = key;
    X509 *x = X509_new(), *ca = x;
    BIO *cert_out = BIO_new(BIO_s_mem()), *key_out = BIO_new(BIO_s_mem());

    if (issuer) {
        BIO *in = BIO_new_mem_buf(issuer->cert, -1);

        ca = PEM_read_bio_X509(in, NULL, NULL, NULL);
        BIO_free(in);
        in = BIO_new_mem_buf(issuer->key, -1);
        signer = PEM_read_bio_PrivateKey(in, NULL, NULL, NULL);
        BIO_free(in);
    }
    X509_set_version(x, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x), serial++);
    X509_gmtime_adj(X509_getm_notBefore(x), from_s);
    X509_gmtime_adj(X509_getm_notAfter(x), to_s);
    X509_set_pubkey(x, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC, (const unsigned char *)name, -1,
                               -1, 0);
    X509_set_issuer_name(x, X509_get_subject_name(ca));
    extend(x, ca, NID_basic_constraints, issuer ? "critical,CA:FALSE" : "critical,CA:TRUE");
    if (sans)
        extend(x, ca, NID_subject_alt_name, sans);
    X509_sign(x, signer, EVP_sha256());
    PEM_write_bio_X509(cert_out, x);
    PEM_write_bio_PrivateKey(key_out, key, NULL, NULL, 0, NULL, NULL);
    if (issuer) {
        X509_free(ca);
        EVP_PKEY_free(signer);
    }
    X509_free(x);
    EVP_PKEY_free(key);
    return (struct pki_pair){take_text(cert_out), take_text(key_out)};
}

void pki_done(struct pki_pair *p)
{
    free(p->cert);
    free(p->key);
    *p = (struct pki_pair){0};
}
