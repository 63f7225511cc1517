/* The inside of the keeper of certificates: what its files share.  Edge.
 *
 *   manager.c        the public face: options, the thread, its rounds
 *   manager_ask.c    requests to the API server, and what to say when one is refused
 *   manager_view.c   all that one round reads, made into what the plan wants to see
 *   manager_step.c   what the plan says: serving a pair, writing the Secret, writing caBundles
 *
 * What decides is plan.c, which knows nothing of any of this.  All functions here are for the manager's own
 * thread. */
#ifndef WAYMARK_CERTS_MANAGER_IMPL_H
#define WAYMARK_CERTS_MANAGER_IMPL_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "plan.h"
#include "waymark/certs.h"
#include "wire.h"

enum {
    WM_MANAGER_CONFIGS = 16, /* webhook configurations */
    WM_MANAGER_ENTRIES = 64, /* that call us, in all of them */
    WM_MANAGER_BUNDLED = 64, /* CAs in their caBundles */
};

/* Each thing that RBAC may refuse us. */
enum wm_certs_ask {
    WM_ASK_GET_SECRET,
    WM_ASK_CREATE_SECRET,
    WM_ASK_UPDATE_SECRET,
    WM_ASK_GET_MUTATING,
    WM_ASK_PATCH_MUTATING,
    WM_ASK_GET_VALIDATING,
    WM_ASK_PATCH_VALIDATING,
    WM_N_ASKS
};

/* A webhook configuration that we were told of. */
struct wm_certs_config {
    char *name; /* owned */
    enum wm_certs_ask get, patch;
    bool known_absent, known_foreign; /* said so in the log */
};

struct wm_certs_manager {
    struct wm_kube *kube;
    struct wm_certs_settings set;
    int timeout_ms;
    char *ns, *secret, *service; /* owned, like all below */
    char **names;
    struct wm_certs_config configs[WM_MANAGER_CONFIGS];
    size_t n_configs;
    wm_pair_fn *on_pair;
    void *ctx;

    pthread_t thread;
    pthread_mutex_t lock; /* over stop and stats */
    pthread_cond_t wake;
    bool stop;
    struct wm_certs_stats stats;

    /* of the thread alone: */
    struct wm_cert_pems held; /* what we serve */
    char *refused;            /* certificate that on_pair did not want */
    struct wm_certs_trust trust;
    bool forbidden[WM_N_ASKS]; /* said so in the log */
    bool old_api;              /* admissionregistration.k8s.io/v1beta1: API servers before 1.16 */
    unsigned failures, since_logged;
};

/* CAs that are valid at now_s, each once, owned. */
struct wm_certs_cas {
    int64_t now_s;
    size_t n;
    char *pem[WM_MANAGER_BUNDLED];
    struct wm_str str[WM_MANAGER_BUNDLED];
};

/* All that was read in one round. */
struct wm_certs_view {
    bool secret_present, configs_known;
    struct wm_certs_secret secret;
    struct wm_certs_hooks hooks[WM_MANAGER_CONFIGS];
    char *active_ca, *next_ca, *held_ca;       /* in one spelling */
    struct wm_str bundles[WM_MANAGER_ENTRIES]; /* borrowed from hooks */
    size_t n_bundles;
    struct wm_certs_cas bundled, previous;
    struct wm_certs_seen seen;
};

/* --- manager_ask.c --- */

const char *wm_certs_ask_resource(enum wm_certs_ask ask); /* its plural, for paths and logs */
/* Append the path of the Secret `name` ("" = where one is created), and of a webhook configuration. */
void wm_certs_secret_path(const struct wm_certs_manager *m, const char *name, struct wm_buf *out);
void wm_certs_config_path(const struct wm_certs_config *c, bool old_api, struct wm_buf *out);
/* One request; *ret_status is 0 when there was no answer.  A refusal is logged once, with its remedy. */
int wm_certs_call(struct wm_certs_manager *m, enum wm_certs_ask ask, const char *name, const char *path,
                  struct wm_str body, struct wm_buf *ret, int *ret_status, struct wm_error *err);
void wm_certs_wipe_done(struct wm_buf *b); /* for bodies that hold keys */

/* --- manager_view.c --- */

void wm_certs_view_freep_(struct wm_certs_view **pv); /* wipes keys */
/* The Secret; that it is absent is no failure. */
int wm_certs_read_secret(struct wm_certs_manager *m, struct wm_certs_view *v, struct wm_error *err);
/* All webhook configurations; absent ones are no failure.  A failure leaves v->configs_known false. */
int wm_certs_read_configs(struct wm_certs_manager *m, struct wm_certs_view *v, struct wm_error *err);
/* Makes v->seen of what was read, and remembers since when each CA is trusted. */
void wm_certs_understand(struct wm_certs_manager *m, struct wm_certs_view *v);

/* --- manager_step.c --- */

/* Hands the Secret's active pair to on_pair, unless it is the one already held. */
int wm_certs_serve(struct wm_certs_manager *m, const struct wm_certs_view *v, struct wm_error *err);
/* Says in the statistics whether what is served now is trusted. */
void wm_certs_note_trust(struct wm_certs_manager *m, const struct wm_certs_gen *served);
/* The two ways to do a step.  That somebody else wrote meanwhile is no failure: the next look shows it. */
int wm_certs_write_secret(struct wm_certs_manager *m, const struct wm_certs_view *v,
                          const struct wm_certs_plan *p, struct wm_error *err);
int wm_certs_set_bundles(struct wm_certs_manager *m, const struct wm_certs_view *v,
                         const struct wm_certs_plan *p, struct wm_error *err);

#endif
