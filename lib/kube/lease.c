/* The election's edge: its requests, timers and clock, all in the kube thread. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#include "internal.h"
#include "lease_rules.h"
#include "waymark/clock.h"
#include "waymark/lease.h"
#include "waymark/log.h"

enum { RELEASE_MS = 1000, PATH_MAX_BYTES = 1024 };

struct wm_lease {
    struct wm_kube *k;
    char *namespace_, *name, *identity;
    void (*changed)(void *ctx, bool leading);
    void *ctx;
    struct wm_buf list_path, path, body;

    /* the kube thread's */
    struct wm_election e;
    struct wm_timer round, deadline;
    bool told_leading, is_asking, is_giving_back, is_dead;
    enum wm_code told_error;
    char told_holder[WM_LEASE_HOLDER_SIZE];

    _Atomic int refs;     /* its owner, and the request under way */
    pthread_mutex_t lock; /* guards the rest */
    pthread_cond_t cond;
    bool is_ending, is_over, is_buried;
    int64_t renewed_ms; /* -1 = never */
    int64_t until_ms;   /* until when it holds, if it leads */
    struct wm_lease_stats shared;
};

static void unref(struct wm_lease *l)
{
    if (--l->refs > 0)
        return;
    wm_election_done(&l->e);
    wm_buf_done(&l->list_path);
    wm_buf_done(&l->path);
    wm_buf_done(&l->body);
    pthread_cond_destroy(&l->cond);
    pthread_mutex_destroy(&l->lock);
    free(l->namespace_);
    free(l->name);
    free(l->identity);
    free(l);
}

/* --- what others see --- */

static void publish(struct wm_lease *l)
{
    const struct wm_election *e = &l->e;
    struct wm_lease_stats s = {.leading = e->leading,
                               .transitions = e->seen.transitions,
                               .attempts = e->rounds,
                               .conflicts = e->conflicts,
                               .errors = e->errors};

    snprintf(s.holder, sizeof s.holder, WM_STR_FMT, WM_STR_ARG(wm_buf_text(&e->seen.holder)));
    pthread_mutex_lock(&l->lock);
    l->shared = s;
    l->renewed_ms = e->renewed_ms;
    l->until_ms = wm_election_deadline_ms(e);
    pthread_mutex_unlock(&l->lock);
    if (strcmp(s.holder, l->told_holder) != 0) {
        memcpy(l->told_holder, s.holder, sizeof s.holder);
        wm_log(WM_LOG_INFO, "lease_holder", WM_F("namespace", l->namespace_), WM_F("lease", l->name),
               WM_F("holder", s.holder), WM_FI("transitions", s.transitions));
    }
}

/* After every step of the election: who asks must know before the next request leaves. */
static void tell(struct wm_lease *l)
{
    bool leading = l->e.leading, gave_back = l->e.releasing;

    publish(l);
    if (leading == l->told_leading)
        return;
    l->told_leading = leading;
    wm_log(leading || gave_back ? WM_LOG_INFO : WM_LOG_WARN,
           leading     ? "lease_acquired"
           : gave_back ? "lease_released"
                       : "lease_lost",
           WM_F("namespace", l->namespace_), WM_F("lease", l->name), WM_F("identity", l->identity),
           WM_F("holder", l->told_holder),
           WM_F("effect",
                leading ? "this replica writes" : "this replica writes nothing until it holds the Lease"));
    if (l->changed)
        l->changed(l->ctx, leading);
}

/* An outage is one line, not one a round. */
static void tell_error(struct wm_lease *l, int status, const struct wm_error *why)
{
    if (why->code == WM_OK || why->code == l->told_error)
        return;
    l->told_error = why->code;
    wm_log(WM_LOG_WARN, "lease_error", WM_F("namespace", l->namespace_), WM_F("lease", l->name),
           WM_F("where", why->where), WM_F("error", why->msg),
           WM_F("remedy", status == 403 ? "grant get, create and update on leases.coordination.k8s.io in a "
                                          "Role to our ServiceAccount"
                                        : ""));
}

/* --- rounds --- */

static void rest(struct wm_lease *l)
{
    if (!l->e.has_failed)
        l->told_error = WM_OK;
    if (!l->e.releasing) {
        wm_timer_set(l->k, &l->round, wm_election_pause_ms(&l->e, wm_boot_ms(), wm_kube_random(l->k)));
        return;
    }
    if (!l->is_giving_back) {
        /* that was the round in which the end came */
        l->is_giving_back = true;
        wm_timer_set(l->k, &l->round, 0);
        return;
    }
    pthread_mutex_lock(&l->lock);
    l->is_over = true;
    pthread_cond_signal(&l->cond);
    pthread_mutex_unlock(&l->lock);
}

static void arm_deadline(struct wm_lease *l)
{
    int64_t left_ms = wm_election_deadline_ms(&l->e) - wm_boot_ms();

    if (l->e.leading)
        wm_timer_set(l->k, &l->deadline, left_ms > 0 ? left_ms : 0);
    else
        wm_timer_stop(l->k, &l->deadline);
}

static enum wm_lease_act take_answer(struct wm_lease *l, const struct wm_kube_reply *reply)
{
    struct wm_error why = reply->error;
    enum wm_lease_act next;

    /* another was faster, or there is none yet: that is how it goes */
    if (reply->status == 409 || (reply->status == 404 && l->e.act != WM_LEASE_CREATE))
        why.code = WM_OK;
    next = wm_election_answer(&l->e, wm_boot_ms(), reply->status, reply->body, &why);
    tell_error(l, reply->status, &why);
    tell(l);
    return next;
}

static int ask(struct wm_lease *l, enum wm_lease_act act, wm_kube_reply_fn *on_reply, struct wm_error *err)
{
    static const char *const methods[] = {
        [WM_LEASE_GET] = "GET", [WM_LEASE_CREATE] = "POST", [WM_LEASE_UPDATE] = "PUT"};
    /* no second tries in place: the rounds are those */
    struct wm_kube_request r = {.method = methods[act],
                                .path = act == WM_LEASE_CREATE ? l->list_path.p : l->path.p,
                                .timeout_ms = (int)wm_election_timeout_ms(&l->e, wm_boot_ms()),
                                .once = true,
                                .max_body = WM_LEASE_MAX_BODY};

    wm_buf_clear(&l->body);
    if (act != WM_LEASE_GET) {
        wm_election_body(&l->e, wm_wall_us(), &l->body);
        r.body = wm_buf_text(&l->body);
    }
    int rc = wm_kube_send(l->k, &r, on_reply, l, err);

    l->is_asking = rc == WM_OK;
    l->refs += l->is_asking;
    return rc;
}

/* Carries out what the election wants, until it waits for an answer or for the next round. */
static void follow(struct wm_lease *l, enum wm_lease_act act, wm_kube_reply_fn *on_reply)
{
    struct wm_kube_reply none = {.status = 0};

    while (act != WM_LEASE_PAUSE && ask(l, act, on_reply, &none.error) < 0)
        act = take_answer(l, &none);
    arm_deadline(l);
    if (act == WM_LEASE_PAUSE)
        rest(l);
}

static void on_reply(void *ctx, const struct wm_kube_reply *reply)
{
    struct wm_lease *l = ctx;

    l->is_asking = false;
    if (!l->is_dead)
        follow(l, take_answer(l, reply), on_reply);
    unref(l);
}

static void begin(void *ctx)
{
    struct wm_lease *l = ctx;
    enum wm_lease_act act = wm_election_begin(&l->e, wm_boot_ms());

    tell(l);
    follow(l, act, on_reply);
}

static void on_deadline(void *ctx)
{
    struct wm_lease *l = ctx;

    wm_election_tick(&l->e, wm_boot_ms());
    tell(l);
    arm_deadline(l);
}

/* --- life --- */

/* Other machines may bear the same host name. */
static char *identity_new(void)
{
    wm_auto_buf struct wm_buf b = WM_BUF_MAX(WM_LEASE_HOLDER_SIZE);
    char host[128] = "";
    uint64_t random;

    if (gethostname(host, sizeof host - 1) < 0)
        snprintf(host, sizeof host, "unknown");
    if (getrandom(&random, sizeof random, 0) != sizeof random)
        random = (uint64_t)wm_mono_ns() ^ (uint64_t)getpid() << 48;
    wm_buf_printf(&b, "%s_%016llx", host, (unsigned long long)random);
    return wm_buf_take(&b);
}

static int take_opts(struct wm_lease *l, const struct wm_lease_opts *o, struct wm_error *err)
{
    int rc;

    if ((rc = wm_kube_name_check("namespace", o->namespace_, err)) < 0 ||
        (rc = wm_kube_name_check("Lease", o->name, err)) < 0)
        return rc;
    l->namespace_ = wm_xstrdup(o->namespace_);
    l->name = wm_xstrdup(o->name);
    l->identity = o->identity ? wm_xstrdup(o->identity) : identity_new();
    wm_buf_printf(&l->list_path, "/apis/coordination.k8s.io/v1/namespaces/%s/leases", l->namespace_);
    wm_buf_printf(&l->path, "%s/%s", l->list_path.p, l->name);
    struct wm_election_set set = {.namespace_ = l->namespace_,
                                  .name = l->name,
                                  .identity = l->identity,
                                  .duration_ms = o->duration_ms,
                                  .renew_ms = o->renew_deadline_ms,
                                  .retry_ms = o->retry_ms,
                                  .look_ms = o->look_ms};

    return wm_election_init(&l->e, &set, err);
}

static struct wm_lease *lease_alloc(const struct wm_lease_opts *o)
{
    struct wm_lease *l = wm_xcalloc(1, sizeof *l);
    pthread_condattr_t attr;

    *l = (struct wm_lease){.k = o->kube, .changed = o->changed, .ctx = o->ctx, .refs = 1, .renewed_ms = -1};
    l->list_path = l->path = WM_BUF_MAX(PATH_MAX_BYTES);
    l->body = WM_BUF_MAX(2 * WM_LEASE_MAX_BODY);
    l->round = (struct wm_timer){.fire = begin, .ctx = l};
    l->deadline = (struct wm_timer){.fire = on_deadline, .ctx = l};
    pthread_mutex_init(&l->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&l->cond, &attr);
    pthread_condattr_destroy(&attr);
    return l;
}

int wm_lease_new(const struct wm_lease_opts *opts, struct wm_lease **ret, struct wm_error *err)
{
    struct wm_lease *l = lease_alloc(opts);
    int rc = take_opts(l, opts, err);

    if (rc < 0) {
        unref(l);
        return rc;
    }
    /* before the thread may call `changed`, which may ask it */
    *ret = l;
    if (wm_kube_post(l->k, begin, l))
        return WM_OK;
    unref(l);
    *ret = NULL;
    return wm_fail(err, WM_E_IO, NULL, "%s: shutting down", wm_kube_server(opts->kube));
}

static void give_back(void *ctx)
{
    struct wm_lease *l = ctx;

    wm_election_release(&l->e);
    tell(l);
    wm_timer_stop(l->k, &l->round);
    arm_deadline(l);
    if (!l->is_asking)
        rest(l);
}

static void bury(void *ctx)
{
    struct wm_lease *l = ctx;

    l->is_dead = true;
    wm_timer_stop(l->k, &l->round);
    wm_timer_stop(l->k, &l->deadline);
    pthread_mutex_lock(&l->lock);
    l->is_buried = true;
    pthread_cond_signal(&l->cond);
    pthread_mutex_unlock(&l->lock);
}

struct wm_lease *wm_lease_free(struct wm_lease *l)
{
    if (!l)
        return NULL;
    int64_t at_ns = wm_mono_ns() + RELEASE_MS * INT64_C(1000000);
    struct timespec at = {at_ns / 1000000000, at_ns % 1000000000};

    assert(!wm_kube_in_thread(l->k));
    pthread_mutex_lock(&l->lock);
    l->is_ending = true;
    pthread_mutex_unlock(&l->lock);
    bool is_posted = wm_kube_post(l->k, give_back, l);

    pthread_mutex_lock(&l->lock);
    while (is_posted && !l->is_over && pthread_cond_timedwait(&l->cond, &l->lock, &at) == 0)
        ;
    pthread_mutex_unlock(&l->lock);
    is_posted = wm_kube_post(l->k, bury, l);
    pthread_mutex_lock(&l->lock);
    while (is_posted && !l->is_buried)
        pthread_cond_wait(&l->cond, &l->lock);
    pthread_mutex_unlock(&l->lock);
    unref(l);
    return NULL;
}

bool wm_lease_holds(struct wm_lease *l)
{
    pthread_mutex_lock(&l->lock);
    bool holds = l->shared.leading && !l->is_ending && wm_boot_ms() < l->until_ms;

    pthread_mutex_unlock(&l->lock);
    return holds;
}

void wm_lease_stats(struct wm_lease *l, struct wm_lease_stats *ret)
{
    pthread_mutex_lock(&l->lock);
    *ret = l->shared;
    ret->renewed_ms_ago = l->renewed_ms < 0 ? -1 : wm_boot_ms() - l->renewed_ms;
    pthread_mutex_unlock(&l->lock);
}
