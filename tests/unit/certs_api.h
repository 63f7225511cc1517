/* An API server in miniature for managers of certificates: one Secret, a webhook configuration of either
 * kind, resourceVersions that count, and refusals on demand. */
#ifndef WAYMARK_TESTS_CERTS_API_H
#define WAYMARK_TESTS_CERTS_API_H

#include <pthread.h>

#include "certs/wire.h"
#include "waymark/json.h"

enum { MAX_REFUSALS = 4, MAX_CONNS = 64 };

struct api {
    int listener, port;
    pthread_t acceptor, workers[MAX_CONNS];
    int conns[MAX_CONNS], n_conns;
    pthread_mutex_t lock; /* over all below */
    cJSON *secret, *config, *validating;
    bool old; /* serves v1beta1 only */
    int version;
    int writes, reads, conflicts;
    int forbidden_seen;
    const char *refuse_method, *refuse_part; /* requests that are answered with refuse_status */
    int refuse_status;
    int meddle; /* so many writes to the Secret come too late, because somebody else writes just before */
};

cJSON *tree(const char *json);
void bump(struct api *a, cJSON *doc);
struct api *api_start(void);
void api_stop(struct api *a);
void install(struct api *a, cJSON **config);
void install_config(struct api *a);
struct wm_certs_secret secret_of(struct api *a);
struct wm_certs_hooks hooks_in(struct api *a, cJSON *const *config);
struct wm_certs_hooks hooks_of(struct api *a);

#endif
