#include "mutate.h"

#include <stdlib.h>

#include "routes.h"
#include "telemetry.h"
#include "waymark/clock.h"
#include "waymark/log.h"

enum { ANSWER_MAX = 64 << 10, MAX_LOOKUPS_A_REQUEST = 3 };

/* A review under way; on the heap only while a parent is looked up. */
struct review_job {
    struct wm_mutate *mutate;
    struct wm_request *req;
    struct wm_review review;
    int64_t received_ns, deadline_ms;
    int n_lookups;
};

static void log_review(const struct review_job *j, const struct wm_mutation *m, int64_t duration_ns)
{
    const struct wm_review *r = &j->review;

    wm_log(WM_LOG_INFO, "review", WM_FJ("uid", r->uid.text), WM_FJ("op", r->operation_text.text),
           WM_FJ("kind", r->kind.text), WM_FJ("ns", r->namespace_.text),
           WM_FJ("name", wm_review_object_name(r).text),
           WM_F("verdict", wm_outcome_name(m->derivation.outcome)), WM_FI("ops", m->n_ops),
           WM_FI("patch_bytes", m->patch_bytes), WM_FI("lookups", j->n_lookups),
           WM_FI("dur_us", duration_ns / 1000));
}

static void reply_review(const struct review_job *j, const struct wm_mutation *m, const struct wm_buf *answer)
{
    int64_t duration_ns = wm_mono_ns() - j->received_ns;

    wm_count_mutation(j->review.rule, m->derivation.outcome, duration_ns);
    log_review(j, m, duration_ns); /* before the reply: the spans lie in the request's body */
    wm_request_reply(j->req, &(struct wm_reply){.status = 200, .body = wm_buf_text(answer)});
}

static void on_lookup(void *ctx, enum wm_lookup_result result);

/* Starts looking up what is missing; false when there is nothing to ask, no time, or too much under way. */
static bool look_up(struct review_job *j, const struct wm_mutation *m)
{
    int64_t left_ms = j->deadline_ms - wm_mono_ms();

    if (!j->mutate->parents || m->derivation.missing.kind == WM_PARENT_NONE ||
        j->n_lookups >= MAX_LOOKUPS_A_REQUEST || left_ms <= 0)
        return false;
    struct review_job *kept = wm_xcalloc(1, sizeof *kept);

    *kept = *j;
    kept->n_lookups++;
    if (wm_parents_lookup(j->mutate->parents, &m->derivation.missing, (int)left_ms, on_lookup, kept))
        return true;
    wm_count_lookup(WM_LOOKUP_BUSY);
    free(kept);
    return false;
}

static enum wm_found find_parent(void *ctx, const struct wm_ref *ref, struct wm_parent *ret)
{
    const struct wm_mutate *m = ctx;

    return m->parents ? wm_parents_find(m->parents, ref, ret) : WM_FOUND_MISS;
}

/* Answers, unless a parent must be looked up first.  `j` is the caller's and may go away afterwards. */
static void proceed(struct review_job *j, bool may_look_up)
{
    wm_auto_buf struct wm_buf answer = WM_BUF_MAX(ANSWER_MAX);
    struct wm_mutation m;
    struct wm_error err = {0};

    if (wm_review_mutate(&j->review, j->mutate->labels, find_parent, j->mutate, &answer, &m, &err) < 0)
        wm_route_fail(j->req, 500, &err, j->review.uid);
    else if (!(may_look_up && m.derivation.outcome == WM_UNKNOWN_PARENT && look_up(j, &m)))
        reply_review(j, &m, &answer);
}

static void on_lookup(void *ctx, enum wm_lookup_result result)
{
    struct review_job *j = ctx;

    wm_count_lookup(result);
    proceed(j, result == WM_LOOKUP_FOUND);
    free(j);
}

void wm_mutate_handle(void *ctx, struct wm_request *req, const struct wm_request_view *view)
{
    struct review_job j = {.mutate = ctx, .req = req, .received_ns = view->received_ns};
    struct wm_error err = {0};

    if (wm_review_read(view->body, &j.review, &err) < 0) {
        wm_route_fail(req, 400, &err, j.review.uid);
        return;
    }
    j.deadline_ms = wm_route_deadline_ms(view, j.mutate->lookup_budget_ms);
    proceed(&j, true);
}
