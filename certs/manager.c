/* Keeps the serving pair in a Secret and its CA in the webhook configurations: one thread, that looks at all
 * of it each round, asks the plan for one step, does it, and looks again. */
#include <inttypes.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "manager_impl.h"
#include "waymark/clock.h"
#include "waymark/kube.h"
#include "waymark/log.h"

enum {
    DAY_S = 24 * 3600,
    MAX_STEPS = 16,    /* in one go; more means that somebody works against us */
    REPEAT_ERROR = 40, /* rounds after which a lasting error is logged again */
};

/* --- rounds --- */

/* One look and at most one step.  *ret_wait_s = 0: there may be more to do at once. */
static int round_once(struct wm_certs_manager *m, int64_t *ret_wait_s, struct wm_error *err)
{
    WM_AUTO(wm_certs_view_freep_) struct wm_certs_view *v = wm_xcalloc(1, sizeof *v);
    struct wm_certs_plan p;
    /* The Secret first: a CA that is then seen in a caBundle and not known is at worst adopted in vain. */
    int rc = wm_certs_read_secret(m, v, err), configs_rc;

    if (rc < 0)
        return rc;
    configs_rc = wm_certs_read_configs(m, v, err);
    wm_certs_understand(m, v);
    wm_certs_plan(&m->set, &v->seen, &p);
    if (p.serve_active && (rc = wm_certs_serve(m, v, err)) < 0)
        return rc;
    wm_certs_note_trust(m, p.serve_active ? &v->seen.active : &v->seen.held);
    if (configs_rc < 0)
        return configs_rc;
    wm_log(WM_LOG_DEBUG, "certs_plan", WM_F("step", wm_certs_step_name(p.step)), WM_F("why", p.why),
           WM_FI("wait_s", p.wait_s));
    *ret_wait_s = p.step == WM_CERTS_WAIT ? p.wait_s : 0;
    if (p.step == WM_CERTS_WAIT)
        return WM_OK;
    return p.step == WM_CERTS_SET_BUNDLE ? wm_certs_set_bundles(m, v, &p, err)
                                         : wm_certs_write_secret(m, v, &p, err);
}

static uint32_t random_below(uint32_t n)
{
    uint32_t r = 0;

    RAND_bytes((unsigned char *)&r, sizeof r);
    return r % n;
}

static void note_round(struct wm_certs_manager *m, const struct wm_error *err)
{
    bool changed;

    pthread_mutex_lock(&m->lock);
    changed = strcmp(m->stats.last_error, err ? err->msg : "") != 0;
    if (err)
        m->stats.errors++;
    snprintf(m->stats.last_error, sizeof m->stats.last_error, "%s", err ? err->msg : "");
    pthread_mutex_unlock(&m->lock);
    if (err && (changed || ++m->since_logged >= REPEAT_ERROR)) {
        wm_log_error(WM_LOG_WARN, "certs_round_failed", err);
        m->since_logged = 0;
    } else if (!err && changed) {
        wm_log(WM_LOG_INFO, "certs_recovered");
    }
}

/* Runs rounds until there is nothing to do; returns how long to wait. */
static int64_t rounds(struct wm_certs_manager *m)
{
    struct wm_error err = {0};
    int64_t wait_s = 0;
    int rc = WM_OK, steps = 0;

    while (rc == WM_OK && wait_s == 0 && steps++ < MAX_STEPS)
        rc = round_once(m, &wait_s, &err);
    if (rc == WM_OK && wait_s == 0)
        rc = wm_fail(
            &err, WM_E_CONFLICT, NULL,
            "the Secret or a caBundle kept changing while it was written; does somebody else write it too?");
    note_round(m, rc < 0 ? &err : NULL);
    if (rc == WM_OK) {
        m->failures = 0;
        return wait_s * 1000;
    }
    /* 1, 2, 4 ... s, but not longer than a round takes anyway */
    int64_t backoff_s = INT64_C(1) << (m->failures < 10 ? m->failures++ : m->failures);

    return (backoff_s < m->set.tick_s ? backoff_s : m->set.tick_s) * 1000;
}

/* True when it is time to stop. */
static bool pause_for(struct wm_certs_manager *m, int64_t ms)
{
    int64_t at_ns = wm_mono_ns() + ms * 1000000;
    struct timespec at = {at_ns / 1000000000, at_ns % 1000000000};
    bool stop;

    pthread_mutex_lock(&m->lock);
    while (!m->stop && pthread_cond_timedwait(&m->wake, &m->lock, &at) == 0)
        ;
    stop = m->stop;
    pthread_mutex_unlock(&m->lock);
    return stop;
}

static void *run(void *arg)
{
    struct wm_certs_manager *m = arg;
    int64_t ms;

    do
        ms = rounds(m);
    /* never earlier than planned: what is waited for is over then */
    while (!pause_for(m, ms + random_below((uint32_t)(ms / 4) + 1)));
    return NULL;
}

/* --- birth and death --- */

static int take_configs(struct wm_certs_manager *m, const char *const *names, enum wm_certs_ask get,
                        enum wm_certs_ask patch, struct wm_error *err)
{
    int rc = WM_OK;

    for (; names && *names && rc == WM_OK; names++) {
        if (m->n_configs == WM_MANAGER_CONFIGS)
            return wm_fail(err, WM_E_TOO_BIG, NULL, "more than %d webhook configurations",
                           WM_MANAGER_CONFIGS);
        if ((rc = wm_kube_name_check("webhook configuration", *names, err)) == WM_OK)
            m->configs[m->n_configs++] =
                (struct wm_certs_config){wm_xstrdup(*names), get, patch, false, false};
    }
    return rc;
}

static int64_t or_else(int64_t value, int64_t otherwise)
{
    return value > 0 ? value : otherwise;
}

static int64_t clamp(int64_t value, int64_t least, int64_t most)
{
    return value < least ? least : value > most ? most : value;
}

static int take_settings(struct wm_certs_manager *m, const struct wm_certs_manager_opts *o,
                         struct wm_error *err)
{
    struct wm_certs_settings *s = &m->set;

    s->validity_s = or_else(o->validity_s, INT64_C(90) * DAY_S);
    s->wait_s = or_else(o->wait_s, 60);
    s->keep_s = or_else(o->keep_s, 3600);
    /* a replica must look more than once while a CA spreads */
    s->tick_s = or_else(o->tick_s, clamp(s->wait_s / 2, 1, 30));
    m->timeout_ms = o->timeout_ms > 0 ? o->timeout_ms : 10000;
    const int64_t change_s = s->wait_s + 3 * s->tick_s;

    if (s->keep_s < change_s)
        return wm_fail(err, WM_E_INVALID, NULL,
                       "the old CA is kept for %" PRId64 " s, but a replica may take %" PRId64
                       " s to change its pair",
                       s->keep_s, change_s);
    if (s->validity_s / 3 < change_s)
        return wm_fail(err, WM_E_INVALID, NULL,
                       "a validity of %" PRId64 " s is too short: a change of pair takes %" PRId64
                       " s, in a third of it",
                       s->validity_s, change_s);
    return WM_OK;
}

static int take_opts(struct wm_certs_manager *m, const struct wm_certs_manager_opts *o, struct wm_error *err)
{
    int rc;

    if ((rc = wm_kube_name_check("namespace", o->namespace_, err)) < 0 ||
        (rc = wm_kube_name_check("Secret", o->secret, err)) < 0 ||
        (rc = wm_kube_name_check("Service", o->service, err)) < 0 ||
        (rc = take_configs(m, o->mutating, WM_ASK_GET_MUTATING, WM_ASK_PATCH_MUTATING, err)) < 0 ||
        (rc = take_configs(m, o->validating, WM_ASK_GET_VALIDATING, WM_ASK_PATCH_VALIDATING, err)) < 0 ||
        (rc = take_settings(m, o, err)) < 0)
        return rc;
    m->kube = o->kube;
    m->ns = wm_xstrdup(o->namespace_);
    m->secret = wm_xstrdup(o->secret);
    m->service = wm_xstrdup(o->service);
    m->names = wm_cert_service_names(o->service, o->namespace_, o->extra_names);
    m->on_pair = o->on_pair;
    m->ctx = o->ctx;
    /* names that cannot be certified show now and not in the first round */
    WM_AUTO(wm_cert_pems_done) struct wm_cert_pems probe = {0};

    return wm_cert_issue(
        &(struct wm_cert_spec){(const char *const *)m->names, wm_wall_s(), m->set.validity_s}, &probe, err);
}

static void half_free(struct wm_certs_manager *m)
{
    wm_cert_pems_done(&m->held);
    wm_certs_trust_done(&m->trust);
    wm_cert_names_freep_(&m->names);
    for (size_t i = 0; i < m->n_configs; i++)
        free(m->configs[i].name);
    free(m->refused);
    free(m->ns);
    free(m->secret);
    free(m->service);
    pthread_cond_destroy(&m->wake);
    pthread_mutex_destroy(&m->lock);
    free(m);
}

int wm_certs_manager_new(const struct wm_certs_manager_opts *opts, struct wm_certs_manager **ret,
                         struct wm_error *err)
{
    struct wm_certs_manager *m = wm_xcalloc(1, sizeof *m);
    pthread_condattr_t attr;
    int rc;

    pthread_mutex_init(&m->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&m->wake, &attr);
    pthread_condattr_destroy(&attr);
    rc = take_opts(m, opts, err);
    if (rc == WM_OK && pthread_create(&m->thread, NULL, run, m) != 0)
        rc = wm_fail(err, WM_E_NOMEM, NULL, "no thread for the certificates");
    if (rc < 0) {
        half_free(m);
        return rc;
    }
    *ret = m;
    return WM_OK;
}

struct wm_certs_manager *wm_certs_manager_free(struct wm_certs_manager *m)
{
    if (!m)
        return NULL;
    pthread_mutex_lock(&m->lock);
    m->stop = true;
    pthread_cond_signal(&m->wake);
    pthread_mutex_unlock(&m->lock);
    pthread_join(m->thread, NULL);
    half_free(m);
    return NULL;
}

void wm_certs_manager_stats(struct wm_certs_manager *m, struct wm_certs_stats *ret)
{
    pthread_mutex_lock(&m->lock);
    *ret = m->stats;
    pthread_mutex_unlock(&m->lock);
}
