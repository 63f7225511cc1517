/* What the plan says: serving the active pair, and the one guarded write that a step is. */
#include <stdlib.h>
#include <string.h>

#include "manager_impl.h"
#include "waymark/log.h"

enum { MAX_BUNDLE = 64 << 10 };

/* --- serving --- */

static char *dup_or_null(const char *z)
{
    return z ? wm_xstrdup(z) : NULL;
}

int wm_certs_serve(struct wm_certs_manager *m, const struct wm_certs_view *v, struct wm_error *err)
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

void wm_certs_note_trust(struct wm_certs_manager *m, const struct wm_certs_gen *served)
{
    pthread_mutex_lock(&m->lock);
    m->stats.trusted = served->ok && served->trusted_s >= 0;
    pthread_mutex_unlock(&m->lock);
}

/* --- doing one step --- */

static void count_write(struct wm_certs_manager *m)
{
    pthread_mutex_lock(&m->lock);
    m->stats.writes++;
    pthread_mutex_unlock(&m->lock);
}

/* What is written was overtaken: not an error, look again. */
static bool overtaken(enum wm_certs_ask ask, int status)
{
    bool patch = ask == WM_ASK_PATCH_MUTATING || ask == WM_ASK_PATCH_VALIDATING;

    return status == 409 || (patch && (status == 422 || status == 404));
}

static const struct wm_cert_pems *source(const struct wm_certs_manager *m, const struct wm_certs_view *v,
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

int wm_certs_write_secret(struct wm_certs_manager *m, const struct wm_certs_view *v,
                          const struct wm_certs_plan *p, struct wm_error *err)
{
    WM_AUTO(wm_certs_wipe_done) struct wm_buf body = WM_BUF_MAX(WM_CERTS_MAX_SECRET), answer = body;
    wm_auto_buf struct wm_buf path = WM_BUF_MAX(1024), previous = WM_BUF_MAX(MAX_BUNDLE);
    WM_AUTO(wm_cert_pems_done) struct wm_cert_pems fresh = {0};
    enum wm_certs_ask ask = v->secret_present ? WM_ASK_UPDATE_SECRET : WM_ASK_CREATE_SECRET;
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
    wm_certs_secret_path(m, v->secret_present ? m->secret : "", &path);
    rc = wm_certs_call(m, ask, m->secret, path.p, wm_buf_text(&body), &answer, &status, err);
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

static int write_bundle(struct wm_certs_manager *m, const struct wm_certs_config *c,
                        const struct wm_certs_hooks *h, struct wm_str bundle, const struct wm_certs_plan *p,
                        struct wm_error *err)
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
    wm_certs_config_path(c, m->old_api, &path);
    rc = wm_certs_call(m, c->patch, c->name, path.p, wm_buf_text(&patch), &answer, &status, err);
    if (rc < 0)
        return overtaken(c->patch, status) ? WM_OK : rc;
    count_write(m);
    wm_log(WM_LOG_INFO, "certs_step", WM_F("step", wm_certs_step_name(p->step)), WM_F("why", p->why),
           WM_F("resource", wm_certs_ask_resource(c->get)), WM_F("name", c->name), WM_FI("entries", n),
           WM_FI("cas", p->n_bundle));
    return WM_OK;
}

int wm_certs_set_bundles(struct wm_certs_manager *m, const struct wm_certs_view *v,
                         const struct wm_certs_plan *p, struct wm_error *err)
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
