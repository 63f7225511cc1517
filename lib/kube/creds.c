/* Who we are at this moment: files that are re-read, a plugin that is re-run. */
#include <stdlib.h>

#include "internal.h"
#include "waymark/clock.h"
#include "waymark/host.h"
#include "waymark/log.h"

/* A file whose last good content stays in use while it cannot be read. */
struct kept_file {
    const char *path; /* NULL = none */
    bool trim;
    char *text;
    size_t n;
    int64_t read_ms; /* 0 = due */
    bool failing;
};

struct wm_creds {
    struct wm_kube *k;
    struct kept_file token, ca, cert, key;
    struct wm_exec *exec;
    bool exec_known; /* `got` holds credentials */
    struct wm_exec_result got;
    int64_t got_ms;
    uint64_t generation;
};

/* --- files --- */

static void wipe(char *p, size_t n)
{
    if (p)
        explicit_bzero(p, n);
    free(p);
}

static int read_kept(const struct kept_file *f, struct wm_buf *out, struct wm_error *err)
{
    int rc = wm_file_read(f->path, out, err);

    if (rc < 0)
        return rc;
    while (f->trim && out->n > 0 && strchr(" \t\r\n", out->p[out->n - 1]))
        out->p[--out->n] = '\0';
    size_t lead = f->trim && out->p ? strspn(out->p, " \t\r\n") : 0;

    if (lead)
        wm_buf_shift(out, lead);
    return out->n ? WM_OK : wm_fail(err, WM_E_AUTH, f->path, "the file is empty");
}

/* Reads the file when it is due.  The old content stays when that fails; without one it is an error. */
static int refresh(struct wm_creds *c, struct kept_file *f, int every_ms, struct wm_error *err)
{
    wm_auto_buf struct wm_buf text = WM_BUF_MAX(WM_KUBE_MAX_FILE_BYTES);
    int64_t now = wm_mono_ms();
    struct wm_error why;

    if (!f->path || (f->read_ms && now - f->read_ms < every_ms))
        return WM_OK;
    f->read_ms = now;
    if (read_kept(f, &text, &why) < 0) {
        if (!f->failing)
            wm_log(WM_LOG_WARN, "credentials_unreadable", WM_F("server", c->k->access.server),
                   WM_F("file", f->path), WM_F("error", why.msg));
        f->failing = true;
        if (f->text)
            return WM_OK;
        f->read_ms = 0;
        return wm_fail(err, WM_E_AUTH, f->path, "%s", why.msg);
    }
    f->failing = false;
    if (f->text && f->n == text.n && memcmp(f->text, text.p, f->n) == 0)
        return WM_OK;
    wipe(f->text, f->n);
    f->n = text.n;
    f->text = wm_buf_take(&text);
    c->generation++;
    return WM_OK;
}

static void kept_done(struct kept_file *f)
{
    wipe(f->text, f->n);
}

/* --- plugin --- */

static void exec_done(void *ctx, const struct wm_error *why, struct wm_exec_result *result)
{
    struct wm_creds *c = ctx;

    c->exec = wm_exec_free(c->exec);
    c->generation++;
    if (!why) {
        wm_exec_result_done(&c->got);
        c->got = *result;
        *result = (struct wm_exec_result){0};
        c->exec_known = true;
        c->got_ms = wm_mono_ms();
    }
    wm_transfers_wake(c->k, why);
}

static bool exec_expired(const struct wm_creds *c)
{
    enum { LEEWAY_S = 10, LEAST_MS = 1000 };

    /* a plugin whose word is worn out when it comes must not be run for ever without a request between */
    return c->got.expires_s && wm_wall_s() + LEEWAY_S >= c->got.expires_s &&
           wm_mono_ms() - c->got_ms >= LEAST_MS;
}

static int need_exec(struct wm_creds *c, struct wm_error *err)
{
    int rc;

    if (c->exec)
        return WM_E_BUSY;
    if (c->exec_known && !exec_expired(c))
        return WM_OK;
    if ((rc = wm_exec_start(c->k, exec_done, c, &c->exec, err)) < 0)
        return rc;
    return WM_E_BUSY;
}

int wm_creds_fd(const struct wm_creds *c)
{
    return c->exec ? wm_exec_fd(c->exec) : -1;
}

void wm_creds_readable(struct wm_creds *c)
{
    if (c->exec)
        wm_exec_readable(c->exec);
}

/* --- together --- */

struct wm_creds *wm_creds_new(struct wm_kube *k)
{
    struct wm_creds *c = wm_xcalloc(1, sizeof *c);
    const struct wm_kube_access *a = &k->access;

    c->k = k;
    c->token = (struct kept_file){.path = a->token_file, .trim = true};
    c->ca = (struct kept_file){.path = a->ca_file};
    c->cert = (struct kept_file){.path = a->cert_file};
    c->key = (struct kept_file){.path = a->key_file};
    return c;
}

struct wm_creds *wm_creds_free(struct wm_creds *c)
{
    if (c) {
        wm_exec_free(c->exec);
        wm_exec_result_done(&c->got);
        kept_done(&c->token);
        kept_done(&c->ca);
        kept_done(&c->cert);
        kept_done(&c->key);
        free(c);
    }
    return NULL;
}

/* A token with a line break in it would add headers of somebody else's choice. */
static bool is_header_safe(const char *z)
{
    for (; *z; z++)
        if ((unsigned char)*z <= 0x20 || (unsigned char)*z >= 0x7f)
            return false;
    return true;
}

static struct wm_str either(const struct kept_file *f, struct wm_str pem)
{
    return f->text ? (struct wm_str){f->text, f->n} : pem;
}

int wm_creds_get(struct wm_creds *c, struct wm_identity *ret, struct wm_error *err)
{
    const struct wm_kube_access *a = &c->k->access;
    const struct wm_kube_tunables *t = &c->k->t;
    int rc;

    if ((rc = refresh(c, &c->ca, t->cert_reread_ms, err)) < 0 ||
        (rc = refresh(c, &c->cert, t->cert_reread_ms, err)) < 0 ||
        (rc = refresh(c, &c->key, t->cert_reread_ms, err)) < 0 ||
        (rc = a->token ? WM_OK : refresh(c, &c->token, t->token_reread_ms, err)) < 0)
        return rc;
    if (a->token && a->token_file)
        refresh(c, &c->token, t->token_reread_ms, NULL);
    if (a->exec_argv && (rc = need_exec(c, err)) < 0)
        return rc;
    struct wm_identity id = {.username = a->username,
                             .password = a->password,
                             .token = c->token.text ? c->token.text : a->token,
                             .ca = either(&c->ca, a->ca_pem),
                             .cert = either(&c->cert, a->cert_pem),
                             .key = either(&c->key, a->key_pem),
                             .generation = c->generation};

    if (a->exec_argv && c->got.token)
        id.token = c->got.token;
    if (a->exec_argv && c->got.cert.p) {
        id.cert = c->got.cert;
        id.key = c->got.key;
    }
    if (id.token && !is_header_safe(id.token))
        return wm_fail(err, WM_E_AUTH, a->token_file, "the token holds spaces or control characters");
    *ret = id;
    return WM_OK;
}

bool wm_creds_refused(struct wm_creds *c, uint64_t generation)
{
    const struct wm_kube_access *a = &c->k->access;

    /* somebody else was refused with the same ones, and they were renewed since */
    if (generation != c->generation)
        return true;
    c->token.read_ms = 0;
    wm_creds_suspect(c);
    if (a->exec_argv)
        c->exec_known = false;
    return a->exec_argv || a->token_file || a->cert_file;
}

void wm_creds_suspect(struct wm_creds *c)
{
    c->ca.read_ms = c->cert.read_ms = c->key.read_ms = 0;
}
