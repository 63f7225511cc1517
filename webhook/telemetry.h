/* What the webhook counts, and the pages that tell it.  Thread-safe. */
#ifndef WAYMARK_WEBHOOK_TELEMETRY_H
#define WAYMARK_WEBHOOK_TELEMETRY_H

#include "facts_fetch.h"
#include "parents.h"
#include "policy_source.h"
#include "server.h"
#include "waymark/certs.h"
#include "waymark/review.h"
#include "waymark/validate.h"

/* Where the pages find their numbers; each may be NULL. */
struct wm_telemetry_sources {
    struct wm_server *server;
    struct wm_parents *parents;
    struct wm_certs_manager *certs;
    struct wm_certs_files *cert_files;
    struct wm_policy_source *policies;
    _Atomic bool *draining;
};

/* One answered review: which kind (its row in the label table, or none), how it ended, how long it took. */
void wm_count_mutation(const struct wm_label_rule *rule, enum wm_outcome outcome, int64_t duration_ns);
void wm_count_lookup(enum wm_lookup_result result);
/* A request that was answered with an HTTP error of ours. */
void wm_count_http_error(int status);

/* How a validation ended: the first of these that fits, from DENIED over WARNED and CANNOT_TELL to ALLOWED;
 * SKIPPED = there was nothing to judge. */
enum wm_verdict_word {
    WM_VERDICT_ALLOWED,
    WM_VERDICT_WARNED,
    WM_VERDICT_DENIED,
    WM_VERDICT_CANNOT_TELL,
    WM_VERDICT_SKIPPED,
    WM_VERDICT_COUNT
};
extern const char *const wm_verdict_words[];
void wm_count_validation(enum wm_subject_kind kind, enum wm_verdict_word word, const struct wm_verdict *v,
                         int64_t duration_ns);
void wm_count_fact(enum wm_fetch_result result);

/* Appends /metrics. */
void wm_metrics_page(struct wm_buf *out, const struct wm_telemetry_sources *from);

/* Appends /readyz: one line a check.  True when reviews can be answered: a serving pair is loaded and we are
 * not draining.  An API server that is gone does not make us unready: what needs no lookup is labelled all
 * the same. */
bool wm_ready_page(struct wm_buf *out, const struct wm_telemetry_sources *from);

/* --- between the files of telemetry --- */

void wm_telemetry_validation(struct wm_buf *out, struct wm_policy_source *policies);
void wm_telemetry_sample(struct wm_buf *out, const char *name, const char *kind, const char *help,
                         int64_t value);

#endif
