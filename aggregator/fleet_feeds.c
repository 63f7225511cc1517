/* From watches into the model. */
#include <stdio.h>
#include <stdlib.h>

#include "fleet_impl.h"
#include "waymark/log.h"

enum { PATH_MAX_N = 512, AUDIT_S = 3600 };
enum { ALWAYS = WM_IN_OPERATORS | WM_IN_ALL };

/* --- the sink, in the cluster's thread --- */

/* Under the lock, after the model changed. */
static void note_strays(struct feed *d)
{
    d->touched |= d->fleet->strayed;
    d->fleet->strayed = false;
}

static uint8_t cluster_of(const struct feed *d)
{
    return (uint8_t)(d->cluster - d->fleet->clusters);
}

static void on_begin(void *ctx)
{
    struct feed *d = ctx;

    pthread_mutex_lock(&d->fleet->lock);
    wm_model_list_begin(d->fleet->model, d->source);
    d->listing = true;
    pthread_mutex_unlock(&d->fleet->lock);
}

static void on_end(void *ctx)
{
    struct feed *d = ctx;

    pthread_mutex_lock(&d->fleet->lock);
    size_t n = wm_model_list_end(d->fleet->model, d->source);

    d->listing = false;
    /* Of Events the oldest are dropped where there are many: a list brings them again. */
    if (!wm_watch_is_audit(d->watch) || d->kind == WM_KIND_EVENT)
        n = 0;
    d->differences += n;
    note_strays(d);
    pthread_mutex_unlock(&d->fleet->lock);
    if (n)
        wm_log(WM_LOG_WARN, "audit_difference", WM_F("cluster", d->cluster->name),
               WM_F("resource", wm_kinds[d->kind].resource), WM_F("ns", d->namespace_),
               WM_FI("objects", (int64_t)n),
               WM_F("effect", "the watch had lost them; what is known is right again"));
}

static void on_abort(void *ctx)
{
    struct feed *d = ctx;

    pthread_mutex_lock(&d->fleet->lock);
    d->listing = false; /* what was put is newer than what was there; nothing is dropped */
    pthread_mutex_unlock(&d->fleet->lock);
}

static void on_upsert(void *ctx, struct wm_str object)
{
    struct feed *d = ctx;
    struct wm_fleet *f = d->fleet;
    const struct wm_record *r = NULL;
    struct wm_error err;

    if (!wm_feed_takes(d, object))
        return;
    pthread_mutex_lock(&f->lock);
    if (d->kind == WM_KIND_EVENT)
        wm_feed_make_room(f, cluster_of(d));
    if (wm_reading_of(&f->reading, d->kind, object, &err) == WM_OK)
        r = wm_model_take(f->model, d->source, &f->reading, &err);
    if (!r)
        wm_log_error(WM_LOG_WARN, "object_unreadable", &err);
    else if (f->opts.object)
        f->opts.object(f->opts.ctx, r, &f->reading, !d->listing);
    note_strays(d);
    pthread_mutex_unlock(&f->lock);
}

static void on_remove(void *ctx, struct wm_str object)
{
    static const char *const pointers[] = {"/metadata/uid"};
    struct feed *d = ctx;
    struct wm_json_span s;

    if (wm_json_pick(object, 1, pointers, &s, NULL) < 0 || s.kind != WM_JSON_STRING)
        return;
    pthread_mutex_lock(&d->fleet->lock);
    wm_model_remove(d->fleet->model, cluster_of(d), wm_id_of((struct wm_str){s.text.p + 1, s.text.n - 2}));
    note_strays(d);
    pthread_mutex_unlock(&d->fleet->lock);
}

static void on_state(void *ctx, enum wm_watch_state state, const struct wm_error *why)
{
    const struct feed *d = ctx;
    enum wm_log_level level =
        state == WM_WATCH_SYNCED || state == WM_WATCH_ABSENT ? WM_LOG_INFO : WM_LOG_WARN;

    wm_log(level, "watch_state", WM_F("cluster", d->cluster->name),
           WM_F("resource", wm_kinds[d->kind].resource), WM_F("ns", d->namespace_),
           WM_F("state", wm_watch_state_name(state)), WM_F("why", why ? why->msg : ""));
}

/* --- life --- */

static uint16_t new_source(struct wm_fleet *f, const struct cluster *c, enum wm_kind kind)
{
    pthread_mutex_lock(&f->lock);
    uint16_t source = wm_model_source(f->model, (uint8_t)(c - f->clusters), kind);

    pthread_mutex_unlock(&f->lock);
    return source;
}

static void end_source(struct wm_fleet *f, uint16_t source)
{
    pthread_mutex_lock(&f->lock);
    wm_model_source_end(f->model, source);
    pthread_mutex_unlock(&f->lock);
}

static void print_path(const struct wm_kind_info *k, const char *version, const char *namespace_,
                       char out[PATH_MAX_N])
{
    snprintf(out, PATH_MAX_N, "%s%s/%s%s%s/%s", k->group[0] ? "/apis/" : "/api", k->group, version,
             namespace_[0] ? "/namespaces/" : "", namespace_, k->resource);
}

int wm_feed_start(struct wm_fleet *f, struct cluster *c, enum wm_kind kind, const char *namespace_,
                  unsigned scopes, struct wm_error *err)
{
    const struct wm_kind_info *k = &wm_kinds[kind];
    char path[PATH_MAX_N], older[PATH_MAX_N];
    uint16_t source = new_source(f, c, kind);

    if (source == 0)
        return wm_fail(err, WM_E_TOO_BIG, NULL, "more than %d watches", WM_SOURCES_MAX - 1);
    struct feed *d = wm_xcalloc(1, sizeof *d);

    *d = (struct feed){.fleet = f, .cluster = c, .kind = kind, .source = source, .scopes = scopes};
    d->extra = !(scopes & ALWAYS);
    snprintf(d->namespace_, sizeof d->namespace_, "%s", namespace_);
    print_path(k, k->version, namespace_, path);
    if (k->older)
        print_path(k, k->older, namespace_, older);
    struct wm_watch_sink sink = {d, on_begin, on_end, on_abort, on_upsert, on_remove, on_state};
    /* streamed: a first list from the cache could be older than what the last leader has told */
    struct wm_watch_spec spec = {
        .path = path, .other_path = k->older ? older : NULL, .stream = true, .audit_s = AUDIT_S};
    int rc = wm_watch_start(c->kube, &spec, &sink, &d->watch, err);

    if (rc < 0) {
        end_source(f, source);
        free(d);
        return rc;
    }
    pthread_mutex_lock(&f->lock);
    d->next = c->feeds;
    c->feeds = d;
    pthread_mutex_unlock(&f->lock);
    return WM_OK;
}

static int start_always(struct wm_fleet *f, struct cluster *c, enum wm_kind kind, struct wm_error *err)
{
    const struct wm_kind_info *k = &wm_kinds[kind];
    unsigned scopes = k->scopes & ALWAYS;

    if (!scopes || !(k->where & (c == f->clusters ? WM_ON_HOST : WM_ON_REMOTE)))
        return WM_OK;
    return wm_feed_start(f, c, kind, scopes & WM_IN_ALL ? "" : f->opts.namespace_, scopes, err);
}

int wm_feeds_start(struct wm_fleet *f, struct cluster *c, struct wm_error *err)
{
    int rc = WM_OK;

    for (int kind = 1; kind < WM_KIND_COUNT && rc == WM_OK; kind++)
        rc = start_always(f, c, (enum wm_kind)kind, err);
    return rc;
}

/* Not under the lock: the watch's last callback may be waiting for it. */
void wm_feed_stop(struct wm_fleet *f, struct feed *d)
{
    wm_watch_stop(d->watch);
    end_source(f, d->source);
    free(d);
}
