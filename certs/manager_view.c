/* All that one round reads: the Secret, the webhook configurations, and what both mean to the plan. */
#include <stdlib.h>
#include <string.h>

#include "manager_impl.h"
#include "waymark/clock.h"
#include "waymark/log.h"

/* --- the end of a view --- */

static void cas_done(struct wm_certs_cas *c)
{
    for (size_t i = 0; i < c->n; i++)
        free(c->pem[i]);
}

void wm_certs_view_freep_(struct wm_certs_view **pv)
{
    struct wm_certs_view *v = *pv;

    wm_certs_secret_done(&v->secret);
    for (size_t i = 0; i < WM_MANAGER_CONFIGS; i++)
        wm_certs_hooks_done(&v->hooks[i]);
    free(v->active_ca);
    free(v->next_ca);
    free(v->held_ca);
    cas_done(&v->bundled);
    cas_done(&v->previous);
    free(v);
}

/* --- reading --- */

int wm_certs_read_secret(struct wm_certs_manager *m, struct wm_certs_view *v, struct wm_error *err)
{
    WM_AUTO(wm_certs_wipe_done) struct wm_buf body = WM_BUF_MAX(WM_CERTS_MAX_SECRET);
    wm_auto_buf struct wm_buf path = WM_BUF_MAX(1024);
    int status, rc;

    wm_certs_secret_path(m, m->secret, &path);
    rc = wm_certs_call(m, WM_ASK_GET_SECRET, m->secret, path.p, (struct wm_str){0}, &body, &status, err);
    if (status == 404)
        return WM_OK;
    if (rc == WM_OK)
        rc = wm_certs_secret_parse(wm_buf_text(&body), &v->secret, err);
    v->secret_present = rc == WM_OK;
    return rc;
}

/* 404 is an answer: *ret_found is false then.  Which version of the group the server has shows only by
 * asking, so that a 404 asks both. */
static int get_config(struct wm_certs_manager *m, const struct wm_certs_config *c, struct wm_buf *body,
                      bool *ret_found, struct wm_error *err)
{
    for (int turn = 0; turn < 2; turn++) {
        wm_auto_buf struct wm_buf path = WM_BUF_MAX(1024);
        bool old_api = turn == 0 ? m->old_api : !m->old_api;
        int status, rc;

        wm_certs_config_path(c, old_api, &path);
        rc = wm_certs_call(m, c->get, c->name, path.p, (struct wm_str){0}, body, &status, err);
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
static void note_config(struct wm_certs_manager *m, struct wm_certs_config *c, bool found,
                        const struct wm_certs_hooks *h)
{
    bool foreign = found && h->n == 0;

    if (!found && !c->known_absent)
        wm_log(WM_LOG_INFO, "webhook_configuration_absent", WM_F("resource", wm_certs_ask_resource(c->get)),
               WM_F("name", c->name));
    else if (found && c->known_absent)
        wm_log(WM_LOG_INFO, "webhook_configuration_found", WM_F("resource", wm_certs_ask_resource(c->get)),
               WM_F("name", c->name), WM_FI("entries", h->n));
    if (foreign && !c->known_foreign)
        wm_log(WM_LOG_WARN, "webhook_configuration_calls_others",
               WM_F("resource", wm_certs_ask_resource(c->get)), WM_F("name", c->name),
               WM_F("service", m->service), WM_F("namespace", m->ns));
    c->known_absent = !found;
    c->known_foreign = foreign;
}

int wm_certs_read_configs(struct wm_certs_manager *m, struct wm_certs_view *v, struct wm_error *err)
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
            if (v->n_bundles == WM_MANAGER_ENTRIES)
                return wm_fail(err, WM_E_TOO_BIG, NULL, "more than %d webhook entries call us",
                               WM_MANAGER_ENTRIES);
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
    struct wm_certs_cas *c = ctx;

    if (c->n == WM_MANAGER_BUNDLED || not_after_s <= c->now_s)
        return;
    for (size_t i = 0; i < c->n; i++)
        if (wm_str_eq(c->str[i], pem))
            return;
    c->pem[c->n] = wm_xstrndup(pem);
    c->str[c->n] = wm_str_of(c->pem[c->n]);
    c->n++;
}

/* Fills everything but trusted_s. */
static struct wm_certs_gen look_at_pair(const struct wm_certs_manager *m, const struct wm_cert_pems *p,
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

static void look_at_trust(struct wm_certs_manager *m, struct wm_certs_view *v)
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

void wm_certs_understand(struct wm_certs_manager *m, struct wm_certs_view *v)
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
        .active = look_at_pair(m, &v->secret.active, &v->active_ca, now_s),
        .next = look_at_pair(m, &v->secret.next, &v->next_ca, now_s),
        .held = look_at_pair(m, &m->held, &v->held_ca, now_s),
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
