/* One Lease as the API server keeps it: versions, and writes that are refused when they know an old one.
 * Thread-safe. */
#ifndef WAYMARK_TESTS_LEASE_STORE_H
#define WAYMARK_TESTS_LEASE_STORE_H

#include <pthread.h>
#include <stdbool.h>

#include "waymark/buf.h"

struct lease_store {
    pthread_mutex_t lock;
    int version;       /* of the last write */
    struct wm_buf now; /* the object; empty = there is none */
    int n_writes, n_reads;
};
void lease_store_init(struct lease_store *s);
void lease_store_done(struct lease_store *s);

/* What somebody else does to it; NULL deletes it.  The text may be anything. */
void lease_store_set(struct lease_store *s, const char *object);

/* One request ("GET", "POST", "PUT"): appends the answer's body and returns its status. */
int lease_store_call(struct lease_store *s, const char *method, struct wm_str body, struct wm_buf *out);

/* A member of its spec as it is written there; "" = absent.  Valid until the next call of the same thread. */
const char *lease_store_spec(struct lease_store *s, const char *pointer);

#endif
