/* Requests: a bounded queue, a few at a time, tried again where the server asks for it, ended at their
 * deadline. */
#include <assert.h>
#include <stdlib.h>

#include "internal.h"
#include "waymark/clock.h"
#include "waymark/log.h"
#include "waymark/names.h"

enum { MAX_TRIES = 10, DEFAULT_MAX_BODY = 16 << 20 };

struct job {
    struct wm_kube *k;
    char *method, *path, *accept, *content_type;
    struct wm_str body; /* owned */
    bool once;
    wm_kube_reply_fn *done;
    void *ctx;
    enum { QUEUED, RUNNING, WAITING } at;
    int64_t deadline_ms, start_by_ms; /* start_by_ms: 0 = the deadline */
    struct wm_timer deadline, retry;
    struct wm_transfer *transfer;
    struct wm_buf answer;
    int tries, last_status;
    struct job *next;
};

struct wm_requests {
    struct wm_kube *k;
    struct job *jobs; /* in the order they came */
    int n_running;
    _Atomic int n_pending; /* counted from the moment of wm_kube_send, in any thread */
    int64_t write_credit_us, credit_at_ms;
    struct wm_timer credit;
};

static void dispatch(void *ctx);

/* --- the limit on writes: a bucket of `write_burst`, filled at `writes_per_s` --- */

static bool is_write(const struct job *j)
{
    return strcmp(j->method, "GET") != 0;
}

static bool may_write(struct wm_requests *q)
{
    const struct wm_kube_tunables *t = &q->k->t;

    if (t->writes_per_s <= 0)
        return true;
    int64_t now = wm_mono_ms(), one_us = 1000000 / t->writes_per_s, full_us = one_us * t->write_burst;

    q->write_credit_us += (now - q->credit_at_ms) * 1000;
    q->credit_at_ms = now;
    if (q->write_credit_us > full_us)
        q->write_credit_us = full_us;
    if (q->write_credit_us >= one_us) {
        q->write_credit_us -= one_us;
        return true;
    }
    if (!q->credit.armed)
        wm_timer_set(q->k, &q->credit, (one_us - q->write_credit_us) / 1000 + 1);
    return false;
}

/* --- ends --- */

static void job_free(struct job *j)
{
    wm_timer_stop(j->k, &j->deadline);
    wm_timer_stop(j->k, &j->retry);
    wm_transfer_cancel(j->transfer);
    free(j->method);
    free(j->path);
    free(j->accept);
    free(j->content_type);
    free((char *)(uintptr_t)j->body.p);
    wm_buf_done(&j->answer);
    free(j);
}

static void finish(struct job *j, const struct wm_kube_reply *reply)
{
    struct wm_requests *q = j->k->requests;
    struct job **at = &q->jobs;

    while (*at != j)
        at = &(*at)->next;
    *at = j->next;
    q->n_running -= j->at == RUNNING;
    q->n_pending--;
    j->done(j->ctx, reply);
    job_free(j);
}

static void finish_failed(struct job *j, enum wm_code code, const char *what)
{
    struct wm_kube_reply reply = {.status = 0};
    char path[96];

    wm_path_only(j->path, path);
    wm_fail(&reply.error, code, path, "%s: %s %s", j->k->access.server, j->method, what);
    reply.error.sys = j->last_status;
    finish(j, &reply);
}

static void on_deadline(void *ctx)
{
    struct job *j = ctx;
    struct wm_kube *k = j->k;

    if (j->start_by_ms && j->tries == 0)
        finish_failed(j, WM_E_BUSY, "was not sent in time");
    else
        finish_failed(j, WM_E_TIMEOUT, "did not end in time");
    dispatch(k->requests);
}

/* --- tries --- */

/* Only when the server said when: anything else could make an overload worse. */
static bool wants_retry(const struct job *j, const struct wm_answer *a, int64_t *ret_after_ms)
{
    if (j->once || a->retry_after_s < 0 || j->tries >= MAX_TRIES || !(a->status == 429 || a->status >= 500))
        return false;
    *ret_after_ms = (int64_t)a->retry_after_s * 1000 + wm_kube_random(j->k) % 500;
    return wm_mono_ms() + *ret_after_ms < j->deadline_ms;
}

static void on_retry(void *ctx)
{
    struct job *j = ctx;

    j->at = QUEUED;
    dispatch(j->k->requests);
}

static bool on_body(void *ctx, struct wm_str bytes, struct wm_error *why)
{
    struct job *j = ctx;

    wm_buf_str(&j->answer, bytes);
    return wm_buf_check(&j->answer, why) == WM_OK;
}

static void on_done(void *ctx, const struct wm_answer *a)
{
    struct job *j = ctx;
    struct wm_kube *k = j->k;
    struct wm_kube_reply reply = {.status = a->status, .error = a->error};
    int64_t after_ms;

    j->transfer = NULL;
    j->last_status = a->status;
    if (wants_retry(j, a, &after_ms)) {
        k->requests->n_running--;
        j->at = WAITING;
        wm_buf_clear(&j->answer);
        wm_timer_set(k, &j->retry, after_ms);
    } else {
        reply.body = a->error.code == WM_OK ? wm_buf_text(&j->answer) : a->body;
        reply.retry_after_s = a->retry_after_s > 0 ? a->retry_after_s : 0;
        finish(j, &reply);
    }
    dispatch(k->requests);
}

static void set_deadline(struct job *j)
{
    int64_t at_ms = j->start_by_ms && j->tries == 0 ? j->start_by_ms : j->deadline_ms;
    int64_t left_ms = at_ms - wm_mono_ms();

    wm_timer_set(j->k, &j->deadline, left_ms > 0 ? left_ms : 0);
}

static void start(struct job *j)
{
    struct wm_transfer_spec spec = {.method = j->method,
                                    .path = j->path,
                                    .accept = j->accept,
                                    .content_type = j->content_type,
                                    .body = j->body,
                                    .on_body = on_body,
                                    .on_done = on_done,
                                    .ctx = j};

    j->at = RUNNING;
    j->tries++;
    if (j->start_by_ms)
        set_deadline(j);
    j->k->requests->n_running++;
    j->transfer = wm_transfer_start(j->k, &spec);
}

/* Starts what may run.  Reads pass writes that wait for the limit; writes keep their order. */
static void dispatch(void *ctx)
{
    struct wm_requests *q = ctx;
    bool writes = true;

    for (struct job *j = q->jobs; j && q->n_running < q->k->t.max_running; j = j->next) {
        if (j->at != QUEUED)
            continue;
        if (is_write(j) && (!writes || !(writes = may_write(q))))
            continue;
        start(j);
    }
}

/* --- from outside --- */

bool wm_kube_is_name(const char *name)
{
    size_t n = name ? strlen(name) : 0;

    return n > 0 && n <= WM_NAME_MAX && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-.") == n &&
           strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

int wm_kube_name_check(const char *what, const char *name, struct wm_error *err)
{
    if (wm_kube_is_name(name))
        return WM_OK;
    return wm_fail(err, WM_E_INVALID, NULL, "'%s' is no name of a %s", name ? name : "", what);
}

static void enqueue(void *ctx)
{
    struct job *j = ctx, **at = &j->k->requests->jobs;

    while (*at)
        at = &(*at)->next;
    *at = j;
    set_deadline(j);
    dispatch(j->k->requests);
}

static struct job *job_new(struct wm_kube *k, const struct wm_kube_request *r)
{
    struct job *j = wm_xcalloc(1, sizeof *j);

    *j = (struct job){.k = k, .once = r->once};
    j->method = wm_xstrdup(r->method);
    j->path = wm_xstrdup(r->path);
    j->accept = r->accept ? wm_xstrdup(r->accept) : NULL;
    j->content_type = r->content_type ? wm_xstrdup(r->content_type) : NULL;
    if (r->body.p)
        j->body = (struct wm_str){wm_xstrndup(r->body), r->body.n};
    j->answer = WM_BUF_MAX(r->max_body ? r->max_body : DEFAULT_MAX_BODY);
    j->deadline_ms = wm_mono_ms() + (r->timeout_ms ? r->timeout_ms : k->t.request_ms);
    j->start_by_ms = r->start_ms ? wm_mono_ms() + r->start_ms : 0;
    j->deadline = (struct wm_timer){.fire = on_deadline, .ctx = j};
    j->retry = (struct wm_timer){.fire = on_retry, .ctx = j};
    return j;
}

int wm_kube_send(struct wm_kube *k, const struct wm_kube_request *r, wm_kube_reply_fn *done, void *ctx,
                 struct wm_error *err)
{
    struct wm_requests *q = k->requests;

    if (r->path[0] != '/')
        return wm_fail(err, WM_E_INVALID, r->path, "a path begins with '/'");
    if (++q->n_pending > k->t.max_pending) {
        q->n_pending--;
        return wm_fail(err, WM_E_BUSY, r->path, "%d requests are pending already", k->t.max_pending);
    }
    struct job *j = job_new(k, r);

    j->done = done;
    j->ctx = ctx;
    if (wm_kube_post(k, enqueue, j))
        return WM_OK;
    q->n_pending--;
    job_free(j);
    return wm_fail(err, WM_E_IO, r->path, "%s: shutting down", k->access.server);
}

struct wm_requests *wm_requests_new(struct wm_kube *k)
{
    struct wm_requests *q = wm_xcalloc(1, sizeof *q);

    q->k = k;
    q->credit = (struct wm_timer){.fire = dispatch, .ctx = q};
    q->credit_at_ms = wm_mono_ms();
    q->write_credit_us = k->t.writes_per_s > 0 ? (int64_t)1000000 / k->t.writes_per_s * k->t.write_burst : 0;
    return q;
}

struct wm_requests *wm_requests_free(struct wm_requests *q)
{
    if (q) {
        while (q->jobs)
            finish_failed(q->jobs, WM_E_IO, "not done: shutting down");
        wm_timer_stop(q->k, &q->credit);
        free(q);
    }
    return NULL;
}

/* --- waiting --- */

struct waiter {
    pthread_mutex_t lock;
    pthread_cond_t cond;
    bool done;
    int status;
    struct wm_error error;
    struct wm_buf *body;
};

static void wake(void *ctx, const struct wm_kube_reply *reply)
{
    struct waiter *w = ctx;

    pthread_mutex_lock(&w->lock);
    w->status = reply->status;
    w->error = reply->error;
    if (reply->error.code == WM_OK && w->body) {
        wm_buf_str(w->body, reply->body);
        wm_buf_check(w->body, &w->error);
    }
    w->done = true;
    pthread_cond_signal(&w->cond);
    pthread_mutex_unlock(&w->lock);
}

int wm_kube_call(struct wm_kube *k, const struct wm_kube_request *r, struct wm_buf *ret_body, int *ret_status,
                 struct wm_error *err)
{
    struct waiter w = {.body = ret_body};
    int rc;

    assert(!wm_kube_in_thread(k));
    pthread_mutex_init(&w.lock, NULL);
    pthread_cond_init(&w.cond, NULL);
    rc = wm_kube_send(k, r, wake, &w, err);
    if (rc == WM_OK) {
        pthread_mutex_lock(&w.lock);
        while (!w.done)
            pthread_cond_wait(&w.cond, &w.lock);
        pthread_mutex_unlock(&w.lock);
        rc = w.error.code;
        if (rc < 0 && err)
            *err = w.error;
    }
    if (ret_status)
        *ret_status = w.status;
    pthread_mutex_destroy(&w.lock);
    pthread_cond_destroy(&w.cond);
    return rc;
}
