/* Keeps the serving pair in a Secret and its CA in the webhook configurations: one thread, that looks at all
 * of it each round, asks the plan for one step, does it, and looks again. */
#include <inttypes.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "plan.h"
#include "waymark/certs.h"
#include "waymark/clock.h"
#include "waymark/kube.h"
#include "waymark/log.h"
#include "wire.h"

enum {
    DAY_S = 24 * 3600,
    MAX_STEPS = 16,   /* in one go; more means that somebody works against us */
    MAX_CONFIGS = 16, /* webhook configurations */
    MAX_ENTRIES = 64, /* that call us, in all of them */
    MAX_BUNDLED = 64, /* CAs in their caBundles */
    MAX_BUNDLE = 64 << 10,
    REPEAT_ERROR = 40, /* rounds after which a lasting error is logged again */
};

/* --- what may be refused, and who grants it --- */

enum ask {
    GET_SECRET,
    CREATE_SECRET,
    UPDATE_SECRET,
    GET_MUTATING,
    PATCH_MUTATING,
    GET_VALIDATING,
    PATCH_VALIDATING,
    N_ASKS
};

static const struct ask_row {
    const char *method, *verb, *resource, *content_type;
} asks[N_ASKS] = {
    {"GET", "get", "secrets", NULL},
    {"POST", "create", "secrets", NULL},
    {"PUT", "update", "secrets", NULL},
    {"GET", "get", "mutatingwebhookconfigurations", NULL},
    {"PATCH", "patch", "mutatingwebhookconfigurations", "application/json-patch+json"},
    {"GET", "get", "validatingwebhookconfigurations", NULL},
    {"PATCH", "patch", "validatingwebhookconfigurations", "application/json-patch+json"},
};

struct config {
    char *name; /* owned */
    enum ask get, patch;
    bool known_absent, known_foreign; /* said so in the log */
};

struct wm_certs_manager {
    struct wm_kube *kube;
    struct wm_certs_settings set;
    int timeout_ms;
    char *ns, *secret, *service; /* owned, like all below */
    char **names;
    struct config configs[MAX_CONFIGS];
    size_t n_configs;
    wm_pair_fn *on_pair;
    void *ctx;

    pthread_t thread;
    pthread_mutex_t lock; /* over stop and stats */
    pthread_cond_t wake;
    bool stop;
    struct wm_certs_stats stats;

    /* of the thread alone: */
    struct wm_cert_pems held; /* what we serve */
    char *refused;            /* certificate that on_pair did not want */
    struct wm_certs_trust trust;
    bool forbidden[N_ASKS]; /* said so in the log */
    bool old_api;           /* admissionregistration.k8s.io/v1beta1: API servers before 1.16 */
    unsigned failures, since_logged;
};

/* All that was read in one round. */
struct view {
    bool secret_present, configs_known;
    struct wm_certs_secret secret;
    struct wm_certs_hooks hooks[MAX_CONFIGS];
    char *active_ca, *next_ca, *held_ca; /* in one spelling */
    struct wm_str bundles[MAX_ENTRIES];  /* borrowed from hooks */
    size_t n_bundles;
    struct cas {
        int64_t now_s;
        size_t n;
        char *pem[MAX_BUNDLED];
        struct wm_str str[MAX_BUNDLED];
    } bundled, previous;
    struct wm_certs_seen seen;
};

static void cas_done(struct cas *c)
{
    for (size_t i = 0; i < c->n; i++)
        free(c->pem[i]);
}

static void view_done(struct view *v)
{
    wm_certs_secret_done(&v->secret);
    for (size_t i = 0; i < MAX_CONFIGS; i++)
        wm_certs_hooks_done(&v->hooks[i]);
    free(v->active_ca);
    free(v->next_ca);
    free(v->held_ca);
    cas_done(&v->bundled);
    cas_done(&v->previous);
    free(v);
}

static void view_donep(struct view **v)
{
    view_done(*v);
}

/* Bodies hold keys. */
static void wipe_done(struct wm_buf *b)
{
    if (b->p)
        OPENSSL_cleanse(b->p, b->cap);
    wm_buf_done(b);
}

/* --- talking --- */

static void note_forbidden(struct wm_certs_manager *m, enum ask ask, const char *name, bool refused)
{
    bool namespaced = ask <= UPDATE_SECRET;

    if (refused && !m->forbidden[ask])
        wm_log(WM_LOG_ERROR, "certs_forbidden", WM_F("verb", asks[ask].verb),
               WM_F("resource", asks[ask].resource), WM_F("name", ask == CREATE_SECRET ? "" : name),
               WM_F("namespace", namespaced ? m->ns : ""),
               WM_F("remedy", namespaced ? "grant it in a Role to our ServiceAccount"
                                         : "grant it in a ClusterRole to our ServiceAccount"));
    m->forbidden[ask] = refused;
}

static int call(struct wm_certs_manager *m, enum ask ask, const char *name, const char *path,
                struct wm_str body, struct wm_buf *ret, int *ret_status, struct wm_error *err)
{
    struct wm_kube_request r = {
        .method = asks[ask].method,
        .path = path,
        .content_type = asks[ask].content_type,
        .body = body,
        .timeout_ms = m->timeout_ms,
        .max_body = ret->max,
    };
    struct wm_error e = {0};
    int rc = wm_kube_call(m->kube, &r, ret, ret_status, &e);

    note_forbidden(m, ask, name, *ret_status == 403);
    if (rc < 0 && err) {
        *err = e;
        wm_fail_in(err, "%s %s %s", asks[ask].verb, asks[ask].resource, name);
    }
    return rc;
}

static void count_write(struct wm_certs_manager *m)
{
    pthread_mutex_lock(&m->lock);
    m->stats.writes++;
    pthread_mutex_unlock(&m->lock);
}

static void secret_path(const struct wm_certs_manager *m, const char *name, struct wm_buf *out)
{
    wm_buf_printf(out, "/api/v1/namespaces/%s/secrets%s%s", m->ns, name[0] ? "/" : "", name);
}

static void config_path(const struct config *c, bool old_api, struct wm_buf *out)
{
    wm_buf_printf(out, "/apis/admissionregistration.k8s.io/%s/%s/%s", old_api ? "v1beta1" : "v1",
                  asks[c->get].resource, c->name);
}

/* --- reading --- */

static int read_secret(struct wm_certs_manager *m, struct view *v, struct wm_error *err)
{
    WM_AUTO(wipe_done) struct wm_buf body = WM_BUF_MAX(WM_CERTS_MAX_SECRET);
    wm_auto_buf struct wm_buf path = WM_BUF_MAX(1024);
    int status, rc;

    secret_path(m, m->secret, &path);
    rc = call(m, GET_SECRET, m->secret, path.p, (struct wm_str){0}, &body, &status, err);
    if (status == 404)
        return WM_OK;
    if (rc == WM_OK)
        rc = wm_certs_secret_parse(wm_buf_text(&body), &v->secret, err);
    v->secret_present = rc == WM_OK;
    return rc;
}

/* 404 is an answer: *ret_found is false then.  Which version of the group the server has shows only by
 * asking, so that a 404 asks both. */
static int get_config(struct wm_certs_manager *m, const struct config *c, struct wm_buf *body,
                      bool *ret_found, struct wm_error *err)
{
    for (int turn = 0; turn < 2; turn++) {
        wm_auto_buf struct wm_buf path = WM_BUF_MAX(1024);
        bool old_api = turn == 0 ? m->old_api : !m->old_api;
        int status, rc;

        config_path(c, old_api, &path);
        rc = call(m, c->get, c->name, path.p, (struct wm_str){0}, body, &status, err);
        if (rc < 0 && status != 404)
            return rc;
        if (rc == WM_OK) {
            m->old_api = old_api;
            *ret_found = true;
            return WM_OK;
        }
        wm_buf_clear(body);
    }
    *ret_found = false;
    return WM_OK;
}

/* Installing the Service before or after the webhook configuration is both fine, so that this is no error. */
static void note_config(struct wm_certs_manager *m, struct config *c, bool found,
                        const struct wm_certs_hooks *h)
{
    bool foreign = found && h->n == 0;

    if (!found && !c->known_absent)
        wm_log(WM_LOG_INFO, "webhook_configuration_absent", WM_F("resource", asks[c->get].resource),
               WM_F("name", c->name));
    else if (found && c->known_absent)
        wm_log(WM_LOG_INFO, "webhook_configuration_found", WM_F("resource", asks[c->get].resource),
               WM_F("name", c->name), WM_FI("entries", h->n));
    if (foreign && !c->known_foreign)
        wm_log(WM_LOG_WARN, "webhook_configuration_calls_others", WM_F("resource", asks[c->get].resource),
               WM_F("name", c->name), WM_F("service", m->service), WM_F("namespace", m->ns));
    c->known_absent = !found;
    c->known_foreign = foreign;
}

static int read_configs(struct wm_certs_manager *m, struct view *v, struct wm_error *err)
{
    const struct wm_certs_self self = {m->service, m->ns, (const char *const *)m->names};

    for (size_t i = 0; i < m->n_configs; i++) {
        wm_auto_buf struct wm_buf body = WM_BUF_MAX(WM_CERTS_MAX_CONFIG);
        struct wm_certs_hooks *h = &v->hooks[i];
        bool found;
        int rc = get_config(m, &m->configs[i], &body, &found, err);

        if (rc == WM_OK && found)
            rc = wm_certs_hooks_parse(wm_buf_text(&body), &self, h, err);
        if (rc < 0)
            return rc;
        note_config(m, &m->configs[i], found, h);
        for (size_t j = 0; j < h->n; j++) {
            if (v->n_bundles == MAX_ENTRIES)
                return wm_fail(err, WM_E_TOO_BIG, NULL, "more than %d webhook entries call us", MAX_ENTRIES);
            v->bundles[v->n_bundles++] = wm_str_of(h->of[j].bundle);
        }
    }
    v->configs_known = true;
    return WM_OK;
}

/* --- understanding what was read --- */

static void first_ca(void *ctx, struct wm_str pem, int64_t not_after_s)
{
    char **ca = ctx;

    (void)not_after_s;
    if (!*ca)
        *ca = wm_xstrndup(pem);
}

static void valid_ca(void *ctx, struct wm_str pem, int64_t not_after_s)
{
    struct cas *c = ctx;

    if (c->n == MAX_BUNDLED || not_after_s <= c->now_s)
        return;
    for (size_t i = 0; i < c->n; i++)
        if (wm_str_eq(c->str[i], pem))
            return;
    c->pem[c->n] = wm_xstrndup(pem);
    c->str[c->n] = wm_str_of(c->pem[c->n]);
    c->n++;
}

/* Fills everything but trusted_s. */
static struct wm_certs_gen understand(const struct wm_certs_manager *m, const struct wm_cert_pems *p,
                                      char **ca, int64_t now_s)
{
    struct wm_certs_gen g = {.trusted_s = WM_CERTS_UNTRUSTED};
    WM_AUTO(wm_cert_info_done) struct wm_cert_info info = {0};
    struct wm_str cert = wm_str_of(p->cert);

    if (!p->cert || !p->key || !p->ca)
        return g;
    wm_cert_each(wm_str_of(p->ca), first_ca, ca);
    if (!*ca || wm_cert_info(cert, &info, NULL) < 0 ||
        wm_cert_check_pair(cert, wm_str_of(p->key), NULL) < 0 ||
        wm_cert_check_issuer(cert, wm_str_of(*ca), NULL) < 0)
        return g;
    g.names_ok = wm_cert_check_names(cert, (const char *const *)m->names, NULL) == WM_OK;
    g.not_before_s = info.not_before_s;
    g.not_after_s = info.not_after_s;
    g.cert = cert;
    g.ca = wm_str_of(*ca);
    /* What the server did not want is no pair, unless only our clock says so. */
    g.ok = !m->refused || strcmp(m->refused, p->cert) != 0 || now_s < info.not_before_s;
    return g;
}

static void look_at_trust(struct wm_certs_manager *m, struct view *v)
{
    struct wm_certs_gen *gens[WM_CERTS_MAX_TRUST] = {&v->seen.active, &v->seen.next, &v->seen.held};
    struct wm_str cas[WM_CERTS_MAX_TRUST];
    int64_t trusted_s[WM_CERTS_MAX_TRUST];

    for (size_t i = 0; i < WM_CERTS_MAX_TRUST; i++)
        cas[i] = gens[i]->ca;
    wm_certs_trust_look(&m->trust, v->bundles, v->n_bundles, cas, wm_mono_ms() / 1000, trusted_s);
    for (size_t i = 0; i < WM_CERTS_MAX_TRUST; i++)
        gens[i]->trusted_s = trusted_s[i];
}

static void understand_view(struct wm_certs_manager *m, struct view *v)
{
    int64_t now_s = wm_wall_s();

    v->bundled.now_s = v->previous.now_s = now_s;
    for (size_t i = 0; i < v->n_bundles; i++)
        wm_cert_each(v->bundles[i], valid_ca, &v->bundled);
    if (v->secret.previous_ca)
        wm_cert_each(wm_str_of(v->secret.previous_ca), valid_ca, &v->previous);
    v->seen = (struct wm_certs_seen){
        .now_s = now_s,
        .bundles_known = v->configs_known,
        .secret_present = v->secret_present,
        .active = understand(m, &v->secret.active, &v->active_ca, now_s),
        .next = understand(m, &v->secret.next, &v->next_ca, now_s),
        .held = understand(m, &m->held, &v->held_ca, now_s),
        .previous_present = v->secret.previous_ca != NULL,
        .previous = v->previous.str,
        .n_previous = v->previous.n,
        .previous_since_s = v->secret.previous_since_s,
        .bundles = v->bundles,
        .n_bundles = v->n_bundles,
        .bundled = v->bundled.str,
        .n_bundled = v->bundled.n,
    };
    if (v->configs_known)
        look_at_trust(m, v);
}

/* --- serving --- */

static char *dup_or_null(const char *z)
{
    return z ? wm_xstrdup(z) : NULL;
}

static int serve(struct wm_certs_manager *m, const struct view *v, struct wm_error *err)
{
    const struct wm_cert_pems *active = &v->secret.active;

    if (m->held.cert && strcmp(m->held.cert, active->cert) == 0)
        return WM_OK;
    int rc = m->on_pair(m->ctx, wm_str_of(active->cert), wm_str_of(active->key), err);

    free(m->refused);
    m->refused = rc < 0 ? wm_xstrdup(active->cert) : NULL;
    if (rc < 0)
        return wm_fail_in(err, "the pair of Secret %s cannot be served", m->secret);
    wm_cert_pems_done(&m->held);
    m->held =
        (struct wm_cert_pems){dup_or_null(active->ca), wm_xstrdup(active->cert), wm_xstrdup(active->key)};
    pthread_mutex_lock(&m->lock);
    m->stats.serving = true;
    m->stats.loads++;
    m->stats.loaded_s = v->seen.now_s;
    m->stats.not_after_s = v->seen.active.not_after_s;
    pthread_mutex_unlock(&m->lock);
    wm_log(WM_LOG_INFO, "certs_serving", WM_F("secret", m->secret),
           WM_FI("hours_left", (v->seen.active.not_after_s - v->seen.now_s) / 3600));
    return WM_OK;
}

static void note_trust(struct wm_certs_manager *m, const struct wm_certs_gen *served)
{
    pthread_mutex_lock(&m->lock);
    m->stats.trusted = served->ok && served->trusted_s >= 0;
    pthread_mutex_unlock(&m->lock);
}

/* --- doing one step --- */

/* What is written was overtaken: not an error, look again. */
static bool overtaken(enum ask ask, int status)
{
    bool patch = ask == PATCH_MUTATING || ask == PATCH_VALIDATING;

    return status == 409 || (patch && (status == 422 || status == 404));
}

static const struct wm_cert_pems *source(const struct wm_certs_manager *m, const struct view *v,
                                         enum wm_certs_source from, const struct wm_cert_pems *fresh)
{
    switch (from) {
    case WM_CERTS_ACTIVE:
        return &v->secret.active;
    case WM_CERTS_NEXT:
        return &v->secret.next;
    case WM_CERTS_HELD:
        return &m->held;
    case WM_CERTS_FRESH:
        return fresh;
    case WM_CERTS_NONE:
        break;
    }
    return NULL;
}

static int write_secret(struct wm_certs_manager *m, const struct view *v, const struct wm_certs_plan *p,
                        struct wm_error *err)
{
    WM_AUTO(wipe_done) struct wm_buf body = WM_BUF_MAX(WM_CERTS_MAX_SECRET), answer = body;
    wm_auto_buf struct wm_buf path = WM_BUF_MAX(1024), previous = WM_BUF_MAX(MAX_BUNDLE);
    WM_AUTO(wm_cert_pems_done) struct wm_cert_pems fresh = {0};
    enum ask ask = v->secret_present ? UPDATE_SECRET : CREATE_SECRET;
    int status, rc = WM_OK;

    if (p->active == WM_CERTS_FRESH || p->next == WM_CERTS_FRESH)
        rc = wm_cert_issue(
            &(struct wm_cert_spec){(const char *const *)m->names, v->seen.now_s, m->set.validity_s}, &fresh,
            err);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < p->n_previous; i++)
        wm_buf_str(&previous, p->previous[i]);
    struct wm_certs_content content = {source(m, v, p->active, &fresh), source(m, v, p->next, &fresh),
                                       wm_buf_text(&previous), p->previous_since_s};

    if ((rc = wm_buf_check(&previous, err)) < 0 ||
        (rc = wm_certs_secret_print(v->secret.doc, m->ns, m->secret, &content, &body, err)) < 0)
        return rc;
    secret_path(m, v->secret_present ? m->secret : "", &path);
    rc = call(m, ask, m->secret, path.p, wm_buf_text(&body), &answer, &status, err);
    if (rc < 0)
        return overtaken(ask, status) ? WM_OK : rc;
    count_write(m);
    if (p->step == WM_CERTS_CREATE || p->step == WM_CERTS_REPAIR || p->step == WM_CERTS_PROMOTE) {
        pthread_mutex_lock(&m->lock);
        m->stats.rotations++;
        pthread_mutex_unlock(&m->lock);
    }
    wm_log(WM_LOG_INFO, "certs_step", WM_F("step", wm_certs_step_name(p->step)), WM_F("why", p->why),
           WM_F("secret", m->secret), WM_FI("previous_cas", p->n_previous));
    return WM_OK;
}

static int write_bundle(struct wm_certs_manager *m, const struct config *c, const struct wm_certs_hooks *h,
                        struct wm_str bundle, const struct wm_certs_plan *p, struct wm_error *err)
{
    wm_auto_buf struct wm_buf patch = WM_BUF_MAX(WM_CERTS_MAX_CONFIG),
                              answer = WM_BUF_MAX(WM_CERTS_MAX_CONFIG);
    wm_auto_buf struct wm_buf path = WM_BUF_MAX(1024);
    size_t n = wm_certs_hooks_patch(h, bundle, &patch);
    int status, rc;

    if (n == 0)
        return WM_OK;
    if ((rc = wm_buf_check(&patch, err)) < 0)
        return rc;
    config_path(c, m->old_api, &path);
    rc = call(m, c->patch, c->name, path.p, wm_buf_text(&patch), &answer, &status, err);
    if (rc < 0)
        return overtaken(c->patch, status) ? WM_OK : rc;
    count_write(m);
    wm_log(WM_LOG_INFO, "certs_step", WM_F("step", wm_certs_step_name(p->step)), WM_F("why", p->why),
           WM_F("resource", asks[c->get].resource), WM_F("name", c->name), WM_FI("entries", n),
           WM_FI("cas", p->n_bundle));
    return WM_OK;
}

static int set_bundles(struct wm_certs_manager *m, const struct view *v, const struct wm_certs_plan *p,
                       struct wm_error *err)
{
    wm_auto_buf struct wm_buf bundle = WM_BUF_MAX(MAX_BUNDLE);
    int rc;

    for (size_t i = 0; i < p->n_bundle; i++)
        wm_buf_str(&bundle, p->bundle[i]);
    if ((rc = wm_buf_check(&bundle, err)) < 0)
        return rc;
    /* One that is refused does not keep the others from theirs. */
    for (size_t i = 0; i < m->n_configs; i++) {
        int one = write_bundle(m, &m->configs[i], &v->hooks[i], wm_buf_text(&bundle), p, err);

        rc = one < 0 ? one : rc;
    }
    return rc;
}

/* --- rounds --- */

/* One look and at most one step.  *ret_wait_s = 0: there may be more to do at once. */
static int round_once(struct wm_certs_manager *m, int64_t *ret_wait_s, struct wm_error *err)
{
    WM_AUTO(view_donep) struct view *v = wm_xcalloc(1, sizeof *v);
    struct wm_certs_plan p;
    /* The Secret first: a CA that is then seen in a caBundle and not known is at worst adopted in vain. */
    int rc = read_secret(m, v, err), configs_rc;

    if (rc < 0)
        return rc;
    configs_rc = read_configs(m, v, err);
    understand_view(m, v);
    wm_certs_plan(&m->set, &v->seen, &p);
    if (p.serve_active && (rc = serve(m, v, err)) < 0)
        return rc;
    note_trust(m, p.serve_active ? &v->seen.active : &v->seen.held);
    if (configs_rc < 0)
        return configs_rc;
    wm_log(WM_LOG_DEBUG, "certs_plan", WM_F("step", wm_certs_step_name(p.step)), WM_F("why", p.why),
           WM_FI("wait_s", p.wait_s));
    *ret_wait_s = p.step == WM_CERTS_WAIT ? p.wait_s : 0;
    if (p.step == WM_CERTS_WAIT)
        return WM_OK;
    return p.step == WM_CERTS_SET_BUNDLE ? set_bundles(m, v, &p, err) : write_secret(m, v, &p, err);
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

/* What goes into a path must be a name of Kubernetes. */
static int check_name(const char *what, const char *name, struct wm_error *err)
{
    if (name && *name && strlen(name) <= 253 &&
        strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-.") == strlen(name))
        return WM_OK;
    return wm_fail(err, WM_E_INVALID, NULL, "'%s' is no name of a %s", name ? name : "", what);
}

static int take_configs(struct wm_certs_manager *m, const char *const *names, enum ask get, enum ask patch,
                        struct wm_error *err)
{
    int rc = WM_OK;

    for (; names && *names && rc == WM_OK; names++) {
        if (m->n_configs == MAX_CONFIGS)
            return wm_fail(err, WM_E_TOO_BIG, NULL, "more than %d webhook configurations", MAX_CONFIGS);
        if ((rc = check_name("webhook configuration", *names, err)) == WM_OK)
            m->configs[m->n_configs++] = (struct config){wm_xstrdup(*names), get, patch, false, false};
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

    if ((rc = check_name("namespace", o->namespace_, err)) < 0 ||
        (rc = check_name("Secret", o->secret, err)) < 0 ||
        (rc = check_name("Service", o->service, err)) < 0 ||
        (rc = take_configs(m, o->mutating, GET_MUTATING, PATCH_MUTATING, err)) < 0 ||
        (rc = take_configs(m, o->validating, GET_VALIDATING, PATCH_VALIDATING, err)) < 0 ||
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
