#include "validate_route.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "routes.h"
#include "telemetry.h"
#include "waymark/clock.h"
#include "waymark/log.h"
#include "waymark/validate.h"

/* Each round may find a reference to ask for in the next: a migration's plan, the plan's storage, its Secret.
 */
enum { MAX_ROUNDS = 3, ANSWER_MAX = 1 << 20, IDS_MAX = 480, KEPT_NODES = 16 << 10 };

/* The memory of a thread's last index serves again: fresh pages cost more than filling them.  256 KiB at
 * most, given back when the thread ends. */
static _Thread_local struct wm_json_index spare;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t thread_end;

struct validation;
struct asked {
    struct validation *of;
    size_t fact;
};

/* A review under way.  On the stack, unless other objects must be fetched: then on the heap, with its body
 * read once more, since values point into the index that lies beside them. */
struct validation {
    const struct wm_validator *with;
    struct wm_request *req;
    const struct wm_policy *policy;
    struct wm_str body; /* the request's: gone when it is answered */
    int64_t received_ns, deadline_ms;
    struct wm_admission admission;
    struct wm_verdict verdict;
    int rounds, n_lookups;
    atomic_int waits;   /* for so many answers, and one for whoever asks */
    atomic_size_t held; /* bytes of answers, accounted for by the fetcher */
    /* Large, and mostly not used: not zeroed. */
    struct wm_facts facts;
    struct asked asked[WM_FACTS_MAX];
};

/* --- telling --- */

static const char *unknown_rules(const struct wm_verdict *v, struct wm_buf *out)
{
    for (size_t i = 0, n = wm_rules_count(); i < n; i++)
        if (v->unknown[i / 64] >> i % 64 & 1) {
            wm_buf_puts(out, out->n ? "," : "");
            wm_buf_puts(out, wm_rule_at(i, NULL)->id);
        }
    return wm_buf_text(out).p;
}

/* Each mode and rule once: a fault that an object has many times says no more here. */
static const char *found_rules(const struct wm_verdict *v, struct wm_buf *out)
{
    const struct wm_finding *last = NULL;

    for (size_t i = 0; i < v->n; i++) {
        const struct wm_finding *f = &v->list[i];

        if (!last || last->rule != f->rule || last->mode != f->mode)
            wm_buf_printf(out, "%s%s:%s", last ? "," : "", wm_mode_name(f->mode), f->rule->id);
        last = f;
    }
    return wm_buf_text(out).p;
}

static void log_validation(const struct validation *w, enum wm_verdict_word word, int64_t duration_ns)
{
    const struct wm_review *r = &w->admission.review;
    wm_auto_buf struct wm_buf found = WM_BUF_MAX(IDS_MAX), unknown = WM_BUF_MAX(IDS_MAX);

    wm_log(WM_LOG_INFO, "validation", WM_FJ("uid", r->uid.text), WM_FJ("op", r->operation_text.text),
           WM_FJ("kind", r->kind.text), WM_FJ("ns", r->namespace_.text),
           WM_FJ("name", wm_review_object_name(r).text), WM_F("verdict", wm_verdict_words[word]),
           WM_F("findings", found_rules(&w->verdict, &found)),
           WM_F("cannot_tell", unknown_rules(&w->verdict, &unknown)), WM_FI("lookups", w->n_lookups),
           WM_FI("dur_us", duration_ns / 1000));
}

static enum wm_verdict_word word_of(const struct wm_subject *s, const struct wm_verdict *v)
{
    bool unknown = false;

    for (size_t i = 0; i < WM_RULE_MASK_WORDS; i++)
        unknown |= v->unknown[i] != 0;
    if (s->kind == WM_SUBJECT_NONE || s->going)
        return WM_VERDICT_SKIPPED;
    if (!wm_verdict_allows(v))
        return WM_VERDICT_DENIED;
    if (v->n_of[WM_MODE_WARN])
        return WM_VERDICT_WARNED;
    return unknown ? WM_VERDICT_CANNOT_TELL : WM_VERDICT_ALLOWED;
}

static void reply(struct validation *w)
{
    wm_auto_buf struct wm_buf answer = WM_BUF_MAX(ANSWER_MAX);
    enum wm_verdict_word word = word_of(&w->admission.subject, &w->verdict);
    struct wm_error err = {0};

    if (wm_admission_answer(&w->admission, &w->verdict, &answer, &err) < 0) {
        wm_route_fail(w->req, 500, &err, w->admission.review.uid);
        return;
    }
    int64_t duration_ns = wm_mono_ns() - w->received_ns;

    wm_count_validation(w->admission.subject.kind, word, &w->verdict, duration_ns);
    log_validation(w, word, duration_ns); /* before the reply: the spans lie in the request's body */
    wm_request_reply(w->req, &(struct wm_reply){.status = 200, .body = wm_buf_text(&answer)});
}

static void free_spare(void *x)
{
    wm_json_index_done(x);
}

static void make_key(void)
{
    pthread_key_create(&thread_end, free_spare);
}

static void keep_index(struct wm_json_index *x)
{
    if (x->cap <= spare.cap || x->cap > KEPT_NODES)
        return;
    struct wm_json_index smaller = spare;

    spare = *x;
    *x = smaller;
    pthread_once(&once, make_key);
    pthread_setspecific(thread_end, &spare);
}

static void done(struct validation *w)
{
    wm_verdict_done(&w->verdict);
    keep_index(&w->admission.index);
    wm_admission_done(&w->admission);
    if (w->facts.n)
        wm_facts_done(&w->facts);
    if (w->held)
        wm_fetcher_release(w->with->fetcher, w->held);
    wm_policy_release(w->with->policies, w->policy);
}

/* --- judging --- */

static bool read_review(struct validation *w)
{
    struct wm_error err = {0};

    if (wm_admission_read(w->body, &w->admission, &err) < 0) {
        wm_route_fail(w->req, 400, &err, w->admission.review.uid);
        return false;
    }
    w->admission.subject.now_s = wm_wall_s();
    return true;
}

static void judge(struct validation *w)
{
    wm_validate(&w->admission.subject, w->policy, &w->facts, &w->verdict);
}

/* Judges, and when nothing is to be fetched any more, answers. */
static bool conclude(struct validation *w)
{
    bool late = w->rounds == MAX_ROUNDS || wm_mono_ms() >= w->deadline_ms;

    w->facts.final |= late || !w->with->fetcher;
    judge(w);
    if (w->verdict.wants_facts)
        return false;
    reply(w);
    return true;
}

/* --- fetching --- */

static void go_on(struct validation *w);

/* True for whoever the round waited for last: that one goes on.  For the others `w` may be gone. */
static bool is_last(struct validation *w)
{
    return atomic_fetch_sub(&w->waits, 1) == 1;
}

static void on_fact(void *ctx, enum wm_fetch_result result, char *text, size_t n)
{
    const struct asked *a = ctx;
    struct validation *w = a->of;

    wm_count_fact(result);
    atomic_fetch_add(&w->held, n);
    wm_facts_answer(&w->facts, a->fact, wm_fetch_state(result), text, n);
    if (is_last(w))
        go_on(w);
}

/* True when all the answers are there already. */
static bool ask_all(struct validation *w)
{
    int64_t left_ms = w->deadline_ms - wm_mono_ms();

    w->rounds++;
    atomic_store(&w->waits, 1);
    for (size_t i = 0; i < w->facts.n; i++)
        if (w->facts.list[i].state == WM_FACT_WANTED) {
            w->asked[i] = (struct asked){w, i};
            w->n_lookups++;
            atomic_fetch_add(&w->waits, 1);
            wm_fetch(w->with->fetcher, &w->facts.list[i].query, left_ms > 1 ? (int)left_ms : 1, on_fact,
                     &w->asked[i]);
        }
    return is_last(w);
}

/* Round after round in one loop, in the thread that brought the last answer. */
static void go_on(struct validation *w)
{
    while (!conclude(w))
        if (!ask_all(w))
            return;
    done(w);
    free(w);
}

/* Continues on the heap; the one on the stack keeps nothing that must be freed. */
static void fetch_and_go_on(struct validation *w)
{
    struct validation *kept = wm_xcalloc(1, sizeof *kept);

    kept->with = w->with;
    kept->req = w->req;
    kept->policy = w->policy;
    kept->body = w->body;
    kept->received_ns = w->received_ns;
    kept->deadline_ms = w->deadline_ms;
    wm_verdict_done(&w->verdict);
    wm_admission_done(&w->admission);
    /* It could be read a moment ago; what it wants to know is found out anew. */
    if (read_review(kept)) {
        go_on(kept);
    } else {
        done(kept);
        free(kept);
    }
}

void wm_validate_handle(void *ctx, struct wm_request *req, const struct wm_request_view *view)
{
    struct wm_validator *with = ctx;
    struct validation w;

    memset(&w, 0, offsetof(struct validation, facts));
    w.facts.n = 0;
    w.facts.final = false;
    w.with = with;
    w.req = req;
    w.body = view->body;
    w.received_ns = view->received_ns;
    w.admission.index = spare;
    spare = (struct wm_json_index){0};
    w.policy = wm_policy_acquire(with->policies);
    w.deadline_ms = wm_route_deadline_ms(view, with->budget_ms);
    if (read_review(&w) && !conclude(&w))
        fetch_and_go_on(&w);
    else
        done(&w);
}
