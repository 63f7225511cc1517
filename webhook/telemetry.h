/* What the webhook counts, and the pages that tell it.  Thread-safe. */
#ifndef WAYMARK_WEBHOOK_TELEMETRY_H
#define WAYMARK_WEBHOOK_TELEMETRY_H

#include "parents.h"
#include "server.h"
#include "waymark/certs.h"
#include "waymark/review.h"

/* Where the pages find their numbers; each may be NULL. */
struct wm_telemetry_sources {
    struct wm_server *server;
    struct wm_parents *parents;
    struct wm_certs_manager *certs;
    struct wm_certs_files *cert_files;
    _Atomic bool *draining;
};

/* One answered review: which kind (its row in the label table, or none), how it ended, how long it took. */
void wm_count_mutation(const struct wm_label_rule *rule, enum wm_outcome outcome, int64_t duration_ns);
void wm_count_lookup(enum wm_lookup_result result);
/* A request that was answered with an HTTP error of ours. */
void wm_count_http_error(int status);

/* Appends /metrics. */
void wm_metrics_page(struct wm_buf *out, const struct wm_telemetry_sources *from);

/* Appends /readyz: one line a check.  True when reviews can be answered: a serving pair is loaded and we are
 * not draining.  An API server that is gone does not make us unready: what needs no lookup is labelled all
 * the same. */
bool wm_ready_page(struct wm_buf *out, const struct wm_telemetry_sources *from);

#endif
