/* Throw-away certificates for TLS tests. */
#ifndef WAYMARK_TESTS_PKI_H
#define WAYMARK_TESTS_PKI_H

/* PEM texts, NUL-terminated; the caller frees them. */
struct pki_pair {
    char *cert, *key;
};

/* A P-256 pair for `name`: signed by `issuer`, or by itself (an authority) when that is NULL.  `sans` as
 * OpenSSL writes them ("DNS:a,IP:127.0.0.1"), NULL = none. */
struct pki_pair pki_make(const char *name, const char *sans, const struct pki_pair *issuer);

/* The same, valid from `from_s` to `to_s` seconds from now (pki_make: a minute ago, for an hour). */
struct pki_pair pki_make_for(const char *name, const char *sans, const struct pki_pair *issuer, long from_s,
                             long to_s);
void pki_done(struct pki_pair *p);

#endif
