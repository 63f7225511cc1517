/* The serving pair from files that somebody else rotates.  Secrets are mounted as symlinks into a folder that
 * is swapped as a whole, others write in place: both are followed, and whatever is not a good pair leaves the
 * last good one in use. */
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "waymark/certs.h"
#include "waymark/clock.h"
#include "waymark/host.h"
#include "waymark/log.h"

enum {
    MAX_FILE = 1 << 20,
    SETTLE_MS = 100, /* after an event, for the writer's other files */
};

enum { DIGEST = 32 };

struct wm_certs_files {
    char *dir;
    char **names; /* may be NULL */
    int poll_ms;
    wm_pair_fn *on_pair;
    void *ctx;

    pthread_t thread;
    bool started;
    int inotify, watch, stop; /* descriptors; watch -1 = the folder is not there */
    pthread_mutex_t lock;     /* over stats */
    struct wm_certs_stats stats;

    unsigned char loaded[DIGEST], bad[DIGEST]; /* of the texts in use, and of those refused last */
    bool has_bad;
};

struct texts {
    struct wm_buf cert, key, ca;
};

static void texts_done(struct texts *t)
{
    if (t->key.p)
        OPENSSL_cleanse(t->key.p, t->key.cap);
    wm_buf_done(&t->cert);
    wm_buf_done(&t->key);
    wm_buf_done(&t->ca);
}

static int read_one(const struct wm_certs_files *f, const char *name, struct wm_buf *out,
                    struct wm_error *err)
{
    wm_auto_buf struct wm_buf path = WM_BUF_MAX(8192);
    int rc;

    wm_buf_printf(&path, "%s/%s", f->dir, name);
    if ((rc = wm_buf_check(&path, err)) < 0)
        return rc;
    rc = wm_file_read(path.p, out, err);
    return rc < 0 ? wm_fail_in(err, "%s", name) : rc;
}

static int read_texts(const struct wm_certs_files *f, struct texts *t, struct wm_error *err)
{
    int rc;

    if ((rc = read_one(f, "tls.crt", &t->cert, err)) < 0 || (rc = read_one(f, "tls.key", &t->key, err)) < 0)
        return rc;
    read_one(f, "ca.crt", &t->ca, NULL); /* need not be there */
    return WM_OK;
}

static void digest_of(const struct texts *t, unsigned char out[DIGEST])
{
    const struct wm_buf *parts[] = {&t->cert, &t->key, &t->ca};
    EVP_MD_CTX *md = EVP_MD_CTX_new();

    memset(out, 0, DIGEST);
    if (md && EVP_DigestInit_ex(md, EVP_sha256(), NULL) == 1) {
        for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
            EVP_DigestUpdate(md, &parts[i]->n, sizeof parts[i]->n);
            EVP_DigestUpdate(md, parts[i]->p ? parts[i]->p : "", parts[i]->n);
        }
        EVP_DigestFinal_ex(md, out, NULL);
    }
    EVP_MD_CTX_free(md);
}

/* --- judging --- */

static int check(const struct texts *t, int64_t now_s, struct wm_cert_info *ret, struct wm_error *err)
{
    struct wm_str cert = wm_buf_text(&t->cert);
    int rc;

    if ((rc = wm_cert_check_pair(cert, wm_buf_text(&t->key), err)) < 0 ||
        (rc = wm_cert_info(cert, ret, err)) < 0)
        return rc;
    /* no numbers: the same state must give the same message */
    if (now_s >= ret->not_after_s)
        return wm_fail(err, WM_E_INVALID, "tls.crt", "the certificate has expired");
    if (now_s < ret->not_before_s)
        return wm_fail(err, WM_E_INVALID, "tls.crt", "the certificate is not valid yet");
    return WM_OK;
}

/* What is odd but does not forbid to serve: who mounted it may know better. */
static void warn_about(const struct wm_certs_files *f, const struct texts *t)
{
    struct wm_error err;

    if (f->names && wm_cert_check_names(wm_buf_text(&t->cert), (const char *const *)f->names, &err) < 0)
        wm_log_error(WM_LOG_WARN, "certs_names", &err);
    if (t->ca.n && wm_cert_check_issuer(wm_buf_text(&t->cert), wm_buf_text(&t->ca), &err) < 0)
        wm_log_error(WM_LOG_WARN, "certs_ca", &err);
}

/* --- loading --- */

static void note_good(struct wm_certs_files *f, const struct wm_cert_info *info, int64_t now_s)
{
    pthread_mutex_lock(&f->lock);
    f->stats.serving = f->stats.trusted = true;
    f->stats.not_after_s = info->not_after_s;
    f->stats.loaded_s = now_s;
    f->stats.loads++;
    f->stats.last_error[0] = '\0';
    pthread_mutex_unlock(&f->lock);
    wm_log(WM_LOG_INFO, "certs_serving", WM_F("dir", f->dir),
           WM_FI("hours_left", (info->not_after_s - now_s) / 3600));
}

/* Counts and logs a state of the files once, however often it is looked at. */
static void note_bad(struct wm_certs_files *f, const unsigned char digest[DIGEST], const struct wm_error *err)
{
    bool again;

    pthread_mutex_lock(&f->lock);
    again = f->has_bad && memcmp(f->bad, digest, DIGEST) == 0 && strcmp(f->stats.last_error, err->msg) == 0;
    if (!again)
        f->stats.errors++;
    snprintf(f->stats.last_error, sizeof f->stats.last_error, "%s", err->msg);
    pthread_mutex_unlock(&f->lock);
    if (!again)
        wm_log_error(f->stats.serving ? WM_LOG_WARN : WM_LOG_ERROR, "certs_files_unusable", err);
    memcpy(f->bad, digest, DIGEST);
    f->has_bad = true;
}

static void note_unchanged(struct wm_certs_files *f)
{
    pthread_mutex_lock(&f->lock);
    f->stats.last_error[0] = '\0';
    pthread_mutex_unlock(&f->lock);
    f->has_bad = false;
}

/* Looks at the files; returns false when it may be worth to look again soon. */
static bool look(struct wm_certs_files *f)
{
    WM_AUTO(texts_done) struct texts t = {WM_BUF_MAX(MAX_FILE), WM_BUF_MAX(MAX_FILE), WM_BUF_MAX(MAX_FILE)};
    WM_AUTO(wm_cert_info_done) struct wm_cert_info info = {0};
    unsigned char digest[DIGEST];
    struct wm_error err = {0};
    int64_t now_s = wm_wall_s();
    int rc = read_texts(f, &t, &err);

    digest_of(&t, digest);
    if (rc == WM_OK && f->stats.serving && memcmp(digest, f->loaded, DIGEST) == 0) {
        note_unchanged(f);
        return true;
    }
    if (rc == WM_OK)
        rc = check(&t, now_s, &info, &err);
    if (rc == WM_OK)
        rc = f->on_pair(f->ctx, wm_buf_text(&t.cert), wm_buf_text(&t.key), &err);
    if (rc < 0) {
        note_bad(f, digest, &err);
        return false;
    }
    memcpy(f->loaded, digest, DIGEST);
    f->has_bad = false;
    note_good(f, &info, now_s);
    warn_about(f, &t);
    return true;
}

/* --- watching --- */

/* The folder may come later, or be replaced: the watch is on what bears the name now. */
static void watch_dir(struct wm_certs_files *f)
{
    const uint32_t mask = IN_CREATE | IN_MOVED_TO | IN_CLOSE_WRITE | IN_DELETE | IN_ATTRIB | IN_ONLYDIR;

    if (f->inotify >= 0)
        f->watch = inotify_add_watch(f->inotify, f->dir, mask); /* the same one again if it is watched */
}

static void swallow_events(int fd)
{
    char events[4096];
    ssize_t n;

    do
        n = read(fd, events, sizeof events);
    while (n > 0 || (n < 0 && errno == EINTR));
}

/* Waits for an event, the next look, or the end; false for the end. */
static bool wait_for(struct wm_certs_files *f, int ms)
{
    struct pollfd fds[2] = {{f->stop, POLLIN, 0}, {f->inotify, POLLIN, 0}};
    int n = poll(fds, 2, ms);

    if (n > 0 && fds[0].revents)
        return false;
    if (n > 0 && fds[1].revents) {
        /* let the writer finish, and a flood of events not make a flood of looks */
        if (poll(fds, 1, SETTLE_MS) > 0)
            return false;
        swallow_events(f->inotify);
    }
    return true;
}

static void *run(void *arg)
{
    struct wm_certs_files *f = arg;
    bool good = true;

    while (wait_for(f, good || f->poll_ms < 1000 ? f->poll_ms : 1000)) {
        watch_dir(f);
        good = look(f);
    }
    return NULL;
}

/* --- birth and death --- */

static char **dup_names(const char *const *names)
{
    size_t n = 0;

    while (names && names[n])
        n++;
    char **all = n ? wm_xcalloc(n + 1, sizeof *all) : NULL;

    for (size_t i = 0; i < n; i++)
        all[i] = wm_xstrdup(names[i]);
    return all;
}

struct wm_certs_files *wm_certs_files_free(struct wm_certs_files *f)
{
    if (!f)
        return NULL;
    if (f->started) {
        eventfd_write(f->stop, 1);
        pthread_join(f->thread, NULL);
    }
    if (f->inotify >= 0)
        close(f->inotify);
    if (f->stop >= 0)
        close(f->stop);
    wm_cert_names_freep_(&f->names);
    pthread_mutex_destroy(&f->lock);
    free(f->dir);
    free(f);
    return NULL;
}

int wm_certs_files_new(const struct wm_certs_files_opts *opts, struct wm_certs_files **ret,
                       struct wm_error *err)
{
    if (!opts->dir || !*opts->dir)
        return wm_fail(err, WM_E_INVALID, NULL, "no folder for tls.crt and tls.key is given");
    struct wm_certs_files *f = wm_xcalloc(1, sizeof *f);

    f->dir = wm_xstrdup(opts->dir);
    f->names = dup_names(opts->names);
    f->poll_ms = opts->poll_ms > 0 ? opts->poll_ms : 5000;
    f->on_pair = opts->on_pair;
    f->ctx = opts->ctx;
    pthread_mutex_init(&f->lock, NULL);
    f->stop = eventfd(0, EFD_CLOEXEC);
    f->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK); /* without it (limits), polling is enough */
    if (f->inotify < 0)
        wm_log(WM_LOG_WARN, "certs_no_inotify", WM_FI("errno", errno));
    watch_dir(f);
    look(f);
    f->started = f->stop >= 0 && pthread_create(&f->thread, NULL, run, f) == 0;
    if (!f->started) {
        wm_certs_files_free(f);
        return wm_fail(err, WM_E_NOMEM, NULL, "no thread for the certificate files");
    }
    *ret = f;
    return WM_OK;
}

void wm_certs_files_stats(struct wm_certs_files *f, struct wm_certs_stats *ret)
{
    pthread_mutex_lock(&f->lock);
    *ret = f->stats;
    pthread_mutex_unlock(&f->lock);
}
