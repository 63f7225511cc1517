/* Where the serving pair comes from: made and rotated by ourselves in a Secret, or read from files that
 * somebody else rotates.  Edge.
 *
 * No CA key is ever kept: each generation is a fresh self-signed CA that signs one serving pair, and its key
 * is thrown away.  So a rotation is always a change of CA, done in the only order that never shows an API
 * server a pair it does not trust: the new CA joins every caBundle, then the pair changes, then the old CA
 * leaves. */
#ifndef WAYMARK_CERTS_H
#define WAYMARK_CERTS_H

#include <stdbool.h>
#include <stdint.h>

#include "waymark/buf.h"
#include "waymark/error.h"

struct wm_kube;

/* --- generations --- */

/* Owned, PEM, terminated. */
struct wm_cert_pems {
    char *ca, *cert, *key;
};
void wm_cert_pems_done(struct wm_cert_pems *p); /* wipes the key */

/* How far a certificate's life begins before it is made, for API servers whose clock is behind ours. */
#define WM_CERT_BACKDATE_S 3600

struct wm_cert_spec {
    const char *const *names; /* DNS names and IP addresses, NULL-terminated, at least one, at most 64 */
    int64_t now_s;
    int64_t validity_s; /* from now on; 60 s to 50 years */
};

/* A new generation: P-256 CA and serving pair, random serial numbers. */
int wm_cert_issue(const struct wm_cert_spec *spec, struct wm_cert_pems *ret, struct wm_error *err);

/* The names under which a Service is called: NAME, NAME.NS, NAME.NS.svc, NAME.NS.svc.cluster.local, then
 * `extra` (NULL-terminated, may be NULL) without what stands already.  NULL-terminated and owned. */
char **wm_cert_service_names(const char *service, const char *ns, const char *const *extra);
void wm_cert_names_freep_(char ***names);
#define wm_auto_names WM_AUTO(wm_cert_names_freep_)

/* What a certificate says; of a chain, its leaf. */
struct wm_cert_info {
    int64_t not_before_s, not_after_s;
    char **names; /* SANs: DNS names and IP addresses, NULL-terminated, owned */
};
void wm_cert_info_done(struct wm_cert_info *i);
int wm_cert_info(struct wm_str cert_pem, struct wm_cert_info *ret, struct wm_error *err);

/* WM_OK when the key is the leaf's. */
int wm_cert_check_pair(struct wm_str cert_pem, struct wm_str key_pem, struct wm_error *err);
/* WM_OK when the leaf leads to a certificate of `ca_pem`, over what follows it in `cert_pem`.  Dates are not
 * looked at. */
int wm_cert_check_issuer(struct wm_str cert_pem, struct wm_str ca_pem, struct wm_error *err);
/* WM_OK when the leaf's SANs cover all names (wildcards count); else WM_E_NOT_FOUND naming the first. */
int wm_cert_check_names(struct wm_str cert_pem, const char *const *names, struct wm_error *err);

/* Calls `each` with every certificate of a PEM text in one spelling, so that equal certificates are equal
 * texts; skips other things, and ends at a broken one.  Of more than 1 MiB nothing is read. */
void wm_cert_each(struct wm_str pem, void (*each)(void *ctx, struct wm_str pem, int64_t not_after_s),
                  void *ctx);

/* --- who brings the pair --- */

/* Runs in the bringer's thread when there is a new pair to serve; wm_server_set_pair fits.  On failure the
 * bringer keeps what it had and tries again. */
typedef int wm_pair_fn(void *ctx, struct wm_str cert_pem, struct wm_str key_pem, struct wm_error *err);

/* A snapshot for metrics and readiness. */
struct wm_certs_stats {
    bool serving;         /* a pair was handed out */
    bool trusted;         /* manager: its CA was in every caBundle that calls us, at the last look */
    int64_t not_after_s;  /* of the pair handed out; 0 = none */
    int64_t loaded_s;     /* wall time of the last hand-out; 0 = none */
    uint64_t loads;       /* pairs handed out */
    uint64_t rotations;   /* manager: generations that this replica made active */
    uint64_t writes;      /* manager: writes to the API that this replica made */
    uint64_t errors;      /* rounds that failed, or states of the files that could not be used */
    char last_error[256]; /* "" = the last round was fine */
};

/* --- from a Secret that we keep ourselves --- */

struct wm_certs_manager;

struct wm_certs_manager_opts {
    struct wm_kube *kube;                            /* borrowed, must outlive the manager */
    const char *namespace_;                          /* of Secret and Service */
    const char *secret;                              /* created when absent */
    const char *service;                             /* whose webhook entries are ours */
    const char *const *extra_names;                  /* further DNS names and IPs; NULL = none */
    const char *const *mutating, *const *validating; /* names of webhook configurations; NULL = none */
    int64_t validity_s;                              /* 0 = 90 days; renewed when a third is left */
    int64_t wait_s; /* how long API servers may take to see a caBundle; 0 = 60 */
    int64_t keep_s; /* how long a replica may take to see a new pair; 0 = 3,600 */
    int tick_s;     /* between looks, plus up to a quarter; 0 = half of wait_s, 1 to 30 */
    int timeout_ms; /* of one request; 0 = 10,000 */
    wm_pair_fn *on_pair;
    void *ctx;
};

/* Starts the thread; the first round begins at once.  Strings are copied.  Works with any number of replicas
 * on one Secret. */
int wm_certs_manager_new(const struct wm_certs_manager_opts *opts, struct wm_certs_manager **ret,
                         struct wm_error *err);
/* Waits for the request under way (timeout_ms at most).  NULL is fine. */
struct wm_certs_manager *wm_certs_manager_free(struct wm_certs_manager *m);
void wm_certs_manager_stats(struct wm_certs_manager *m, struct wm_certs_stats *ret);

/* --- from files --- */

struct wm_certs_files;

struct wm_certs_files_opts {
    const char *dir;          /* with tls.crt, tls.key and perhaps ca.crt, as Secrets are mounted */
    const char *const *names; /* warned of when the certificate does not cover them; NULL = not asked */
    int poll_ms;              /* beside inotify; 0 = 5,000 */
    wm_pair_fn *on_pair;
    void *ctx;
};

/* Looks once at the files before it returns (nothing good there is not an error: they may come later), then
 * watches from its own thread. */
int wm_certs_files_new(const struct wm_certs_files_opts *opts, struct wm_certs_files **ret,
                       struct wm_error *err);
struct wm_certs_files *wm_certs_files_free(struct wm_certs_files *f); /* NULL is fine */
void wm_certs_files_stats(struct wm_certs_files *f, struct wm_certs_stats *ret);

#endif
