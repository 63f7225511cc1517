/* What to do next about the Secret and the caBundles: one step at a time, from what was just read.  Pure.
 *
 * The Secret holds the active generation, perhaps the next one, and CAs that are still trusted though nothing
 * new is signed by them.  Every step is one guarded write after which all is read again, so any number of
 * replicas may take steps in any order, from views that are stale: a Secret is only replaced at the
 * resourceVersion that was read, a caBundle likewise.  What makes that safe:
 *   - a CA enters the Secret before it enters a caBundle;
 *   - a CA leaves a caBundle only after the Secret has named it as previous for `keep_s`: one that nobody
 *     knows is first adopted as previous;
 *   - a pair becomes active only after its CA was seen in every caBundle for `wait_s` without a break;
 *   - a replica gives up a pair that is trusted only for one that is trusted for as long. */
#ifndef WAYMARK_CERTS_PLAN_H
#define WAYMARK_CERTS_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "waymark/buf.h"

/* CAs that are kept as previous at most; then the next rotation waits until they are dropped. */
enum { WM_CERTS_MAX_PREVIOUS = 8, WM_CERTS_MAX_BUNDLE = WM_CERTS_MAX_PREVIOUS + 2 };

#define WM_CERTS_UNTRUSTED INT64_C(-1)
#define WM_CERTS_ALWAYS                                                                                      \
    INT64_MAX /* no caBundle asks for trust: nobody calls us, or not through our names                       \
               */

struct wm_certs_settings {
    int64_t validity_s, wait_s, keep_s, tick_s;
};

/* One generation, as found. */
struct wm_certs_gen {
    bool ok;       /* the pair belongs together and leads to the CA */
    bool names_ok; /* covers the names we are called by */
    int64_t not_before_s, not_after_s;
    int64_t trusted_s;      /* for how long every caBundle has had `ca`, or one of the two above */
    struct wm_str cert, ca; /* PEM in one spelling; `cert` is the identity */
};

struct wm_certs_seen {
    int64_t now_s;
    bool bundles_known; /* all webhook configurations were read, or are certainly absent */
    bool secret_present;
    struct wm_certs_gen active, next; /* from the Secret; !ok = absent or garbage */
    struct wm_certs_gen held;         /* what this replica serves; !ok = nothing */
    bool previous_present;
    const struct wm_str *previous; /* CAs, valid now */
    size_t n_previous;
    int64_t previous_since_s;
    const struct wm_str *bundles; /* the caBundle of each entry that calls us, as it stands there */
    size_t n_bundles;
    const struct wm_str *bundled; /* the CAs in any of them, valid now, in one spelling, each once */
    size_t n_bundled;
};

enum wm_certs_step {
    WM_CERTS_WAIT,       /* nothing to write */
    WM_CERTS_CREATE,     /* the Secret is absent */
    WM_CERTS_REPAIR,     /* it has no active pair that could be served */
    WM_CERTS_ADOPT,      /* it does not know a CA that is trusted now */
    WM_CERTS_SET_BUNDLE, /* the only step that writes the webhook configurations, not the Secret */
    WM_CERTS_STORE_NEXT,
    WM_CERTS_PROMOTE,
    WM_CERTS_DROP_PREVIOUS,
    WM_CERTS_N_STEPS
};
const char *wm_certs_step_name(enum wm_certs_step s); /* "wait", "create", ... for logs */

enum wm_certs_source { WM_CERTS_NONE, WM_CERTS_ACTIVE, WM_CERTS_NEXT, WM_CERTS_HELD, WM_CERTS_FRESH };

struct wm_certs_plan {
    enum wm_certs_step step;
    const char *why;   /* one word for the log */
    bool serve_active; /* the Secret's active pair is what this replica should serve from now on */
    int64_t wait_s;    /* until the next look when step is WAIT */
    /* What the Secret holds after the step, for steps that write it: */
    enum wm_certs_source active, next;
    struct wm_str previous[WM_CERTS_MAX_PREVIOUS]; /* borrowed from what was seen */
    size_t n_previous;
    int64_t previous_since_s;
    /* What every caBundle should be: these texts one after the other.  Sorted, so that a promotion does not
     * change it. */
    struct wm_str bundle[WM_CERTS_MAX_BUNDLE];
    size_t n_bundle;
};

void wm_certs_plan(const struct wm_certs_settings *set, const struct wm_certs_seen *seen,
                   struct wm_certs_plan *ret);

/* Remembers since when each CA of interest has been in every caBundle, on a clock that only goes forward. */
enum { WM_CERTS_MAX_TRUST = 3 };
struct wm_certs_trust {
    struct {
        char *ca; /* owned; NULL = free */
        int64_t since_s;
    } of[WM_CERTS_MAX_TRUST];
};
void wm_certs_trust_done(struct wm_certs_trust *t);
/* Looks at the caBundles now, for the CAs given (empty ones are skipped), and sets ret[i] to what trusted_s
 * must be.  CAs not given are forgotten. */
void wm_certs_trust_look(struct wm_certs_trust *t, const struct wm_str *bundles, size_t n_bundles,
                         const struct wm_str cas[WM_CERTS_MAX_TRUST], int64_t mono_s,
                         int64_t ret[WM_CERTS_MAX_TRUST]);

#endif
