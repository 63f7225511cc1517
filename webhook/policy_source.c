/* Two locks, so that a slow file never delays a request: one over what is known of the file, one over the
 * policies. */
#include "policy_source.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "settings.h"
#include "waymark/clock.h"
#include "waymark/host.h"
#include "waymark/log.h"

enum { SETTLED_S = 2 }; /* writes that come sooner after a look may leave the same modification time */

/* Differs when the file is another or was written to. */
struct stamp {
    int64_t device, inode, size, modified_s, modified_ns;
};

/* A policy that is in force or still held. */
struct kept {
    struct wm_policy policy;
    size_t holders;
    struct kept *older;
};

struct wm_policy_source {
    char *path; /* NULL = the defaults for ever */

    pthread_mutex_t looking; /* over the file as it was when we last looked */
    struct stamp stamp;
    bool settled;       /* the stamp tells of later writes */
    bool readable;      /* and if not, */
    struct wm_buf seen; /* its text is that of the error */

    pthread_mutex_t lock; /* over what follows */
    struct kept *newest;  /* the one in force; behind it those that are held */
    struct wm_policy_source_stats stats;
};

/* --- policies --- */

/* Frees what is neither in force nor held.  Under the lock. */
static void drop_unused(struct wm_policy_source *s)
{
    for (struct kept **at = &s->newest->older; *at;) {
        struct kept *k = *at;

        if (k->holders) {
            at = &k->older;
            continue;
        }
        *at = k->older;
        wm_policy_done(&k->policy);
        free(k);
    }
}

static void put_in_force(struct wm_policy_source *s, const struct wm_policy *policy)
{
    struct kept *k = wm_xcalloc(1, sizeof *k);

    k->policy = *policy;
    pthread_mutex_lock(&s->lock);
    k->older = s->newest;
    s->newest = k;
    drop_unused(s);
    s->stats.faulty = false;
    s->stats.loads++;
    s->stats.loaded_s = wm_wall_s();
    pthread_mutex_unlock(&s->lock);
}

const struct wm_policy *wm_policy_acquire(struct wm_policy_source *s)
{
    pthread_mutex_lock(&s->lock);
    struct kept *k = s->newest;

    k->holders++;
    pthread_mutex_unlock(&s->lock);
    return &k->policy;
}

void wm_policy_release(struct wm_policy_source *s, const struct wm_policy *p)
{
    pthread_mutex_lock(&s->lock);
    struct kept *k = s->newest;

    while (k && &k->policy != p)
        k = k->older;
    if (k && --k->holders == 0)
        drop_unused(s);
    pthread_mutex_unlock(&s->lock);
}

/* --- the file --- */

static int stamp_of(const char *path, struct stamp *ret, struct wm_error *err)
{
    struct stat st;

    if (stat(path, &st) < 0)
        return wm_fail_errno(err, errno == ENOENT ? WM_E_NOT_FOUND : WM_E_IO, path,
                             "cannot look at the configuration file");
    if (!S_ISREG(st.st_mode))
        return wm_fail(err, WM_E_INVALID, path,
                       "the configuration must be a regular file, since it is read more than once");
    *ret = (struct stamp){(int64_t)st.st_dev, (int64_t)st.st_ino, (int64_t)st.st_size,
                          (int64_t)st.st_mtim.tv_sec, (int64_t)st.st_mtim.tv_nsec};
    return WM_OK;
}

/* Looks whether the file is another than before, and keeps what it is now.  *ret_rc: whether it can be read.
 */
static bool has_changed(struct wm_policy_source *s, int *ret_rc, struct wm_error *err)
{
    struct wm_buf now = WM_BUF_MAX(WM_CONFIG_MAX_BYTES);
    struct stamp stamp = {0};
    int rc = stamp_of(s->path, &stamp, err);

    if (s->settled && memcmp(&stamp, &s->stamp, sizeof stamp) == 0)
        return false;
    s->stamp = stamp;
    s->settled = rc < 0 || stamp.modified_s + SETTLED_S < wm_wall_s();
    if (rc == WM_OK && (rc = wm_file_read(s->path, &now, err)) < 0)
        wm_buf_clear(&now);
    if (rc < 0)
        wm_buf_puts(&now, err->msg);
    bool changed = s->readable != (rc == WM_OK) || !wm_str_eq(wm_buf_text(&now), wm_buf_text(&s->seen));

    if (changed) {
        s->readable = rc == WM_OK;
        wm_buf_done(&s->seen);
        s->seen = now;
        *ret_rc = rc;
    } else {
        wm_buf_done(&now);
    }
    return changed;
}

/* What the next start would refuse is refused now, not then. */
static int check_options(struct wm_str text, const char *path, struct wm_error *err)
{
    struct wm_settings settings = {0};
    int rc = wm_options_read(&wm_serve_options, text, path, &settings, err);

    wm_options_done(&wm_serve_options, &settings);
    return rc;
}

static int load(struct wm_policy_source *s, struct wm_error *err)
{
    struct wm_policy policy;
    struct wm_str text = wm_buf_text(&s->seen);
    int rc;

    if ((rc = check_options(text, s->path, err)) < 0 ||
        (rc = wm_policy_parse(text, s->path, &policy, err)) < 0)
        return rc;
    put_in_force(s, &policy);
    wm_log(WM_LOG_INFO, "policy_loaded", WM_F("file", s->path), WM_FI("rows", policy.n_rows));
    return WM_OK;
}

static void refuse(struct wm_policy_source *s, struct wm_error *err)
{
    pthread_mutex_lock(&s->lock);
    s->stats.faulty = true;
    s->stats.refused++;
    pthread_mutex_unlock(&s->lock);
    wm_fail_in(err, "the policy in force stays");
    wm_log_error(WM_LOG_WARN, "policy_refused", err);
}

void wm_policy_source_poll(struct wm_policy_source *s)
{
    struct wm_error err = {0};
    int rc;

    if (!s->path)
        return;
    pthread_mutex_lock(&s->looking);
    if (has_changed(s, &rc, &err) && (rc < 0 || load(s, &err) < 0))
        refuse(s, &err);
    pthread_mutex_unlock(&s->looking);
}

/* --- life --- */

static int load_first(struct wm_policy_source *s, struct wm_error *err)
{
    struct wm_policy defaults;
    int rc = WM_OK;

    if (s->path)
        return has_changed(s, &rc, err) && rc < 0 ? rc : load(s, err);
    wm_policy_init(&defaults);
    put_in_force(s, &defaults);
    return WM_OK;
}

int wm_policy_source_new(const char *path, struct wm_policy_source **ret, struct wm_error *err)
{
    struct wm_policy_source *s = wm_xcalloc(1, sizeof *s);
    struct wm_error why = {0};

    s->path = path ? wm_xstrdup(path) : NULL;
    s->seen = WM_BUF_MAX(WM_CONFIG_MAX_BYTES);
    pthread_mutex_init(&s->looking, NULL);
    pthread_mutex_init(&s->lock, NULL);
    int rc = load_first(s, &why);

    if (rc < 0) {
        wm_policy_source_free(s);
        if (err)
            *err = why;
        return rc;
    }
    *ret = s;
    return WM_OK;
}

struct wm_policy_source *wm_policy_source_free(struct wm_policy_source *s)
{
    if (!s)
        return NULL;
    for (struct kept *k = s->newest, *older; k; k = older) {
        older = k->older;
        wm_policy_done(&k->policy);
        free(k);
    }
    pthread_mutex_destroy(&s->looking);
    pthread_mutex_destroy(&s->lock);
    wm_buf_done(&s->seen);
    free(s->path);
    free(s);
    return NULL;
}

void wm_policy_source_stats(struct wm_policy_source *s, struct wm_policy_source_stats *ret)
{
    pthread_mutex_lock(&s->lock);
    *ret = s->stats;
    pthread_mutex_unlock(&s->lock);
}
