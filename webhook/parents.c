#include "parents.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "waymark/log.h"
#include "waymark/store.h"

enum { MAX_LOOKUPS = 64, MAX_PATH = 1024 };

static const char METADATA_LIST[] =
    "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1, application/json";

const char *const wm_lookup_result_names[WM_LOOKUP_COUNT] = {"found", "absent", "timeout", "error", "busy"};

struct kind_watch {
    struct wm_parents *owner;
    enum wm_parent_kind kind;
    struct wm_watch *watch;
};

struct waiter {
    struct waiter *next;
    wm_lookup_fn *done;
    void *ctx;
};

/* One request to the API server, and everybody who waits for it. */
struct lookup {
    struct lookup *next;
    struct wm_parents *owner;
    struct wm_ref ref;
    struct waiter *waiters;
};

struct wm_parents {
    struct wm_kube *kube;
    const struct wm_label_conf *conf;
    struct wm_store *store;
    struct kind_watch kinds[WM_PARENT_COUNT];
    pthread_mutex_t lock; /* of the list below */
    struct lookup *lookups;
    int n_lookups;
};

/* --- watches --- */

static void on_begin(void *ctx)
{
    struct kind_watch *w = ctx;

    wm_store_list_begin(w->owner->store, w->kind);
}

static void on_end(void *ctx)
{
    struct kind_watch *w = ctx;

    wm_store_list_end(w->owner->store, w->kind);
}

static void on_abort(void *ctx)
{
    (void)ctx; /* what was put is newer than what was there; nothing is dropped */
}

static void put_object(struct wm_parents *p, enum wm_parent_kind kind, struct wm_str object, bool whole)
{
    struct wm_parent parent;
    struct wm_error err;

    if (wm_parent_project(p->conf, kind, object, &parent, &err) < 0)
        wm_log_error(WM_LOG_WARN, "parent_unreadable", &err);
    else
        wm_store_put(p->store, &parent, whole);
}

static void on_upsert(void *ctx, struct wm_str object)
{
    struct kind_watch *w = ctx;

    put_object(w->owner, w->kind, object, false);
}

static void on_remove(void *ctx, struct wm_str object)
{
    static const char *const pointers[] = {"/metadata/uid"};
    struct kind_watch *w = ctx;
    struct wm_json_span span;
    wm_uid uid;

    if (wm_json_locate(object, 1, pointers, &span, NULL) == WM_OK && wm_span_copy(span, uid, sizeof uid))
        wm_store_remove(w->owner->store, uid);
}

static void on_state(void *ctx, enum wm_watch_state state, const struct wm_error *why)
{
    struct kind_watch *w = ctx;
    enum wm_log_level level =
        state == WM_WATCH_SYNCED || state == WM_WATCH_ABSENT ? WM_LOG_INFO : WM_LOG_WARN;

    wm_log(level, "watch_state", WM_F("resource", wm_parent_resources[w->kind].resource),
           WM_F("state", wm_watch_state_name(state)), WM_F("why", why ? why->msg : ""));
}

static int start_watch(struct wm_parents *p, enum wm_parent_kind kind, struct wm_error *err)
{
    const struct wm_parent_resource *r = &wm_parent_resources[kind];
    struct kind_watch *w = &p->kinds[kind];
    struct wm_watch_sink sink = {w, on_begin, on_end, on_abort, on_upsert, on_remove, on_state};
    char path[MAX_PATH];

    *w = (struct kind_watch){.owner = p, .kind = kind};
    snprintf(path, sizeof path, "/apis/%s/%s/%s", r->group, r->version, r->resource);
    struct wm_watch_spec spec = {.path = path, .metadata_only = true};

    return wm_watch_start(p->kube, &spec, &sink, &w->watch, err);
}

int wm_parents_new(struct wm_kube *k, const struct wm_label_conf *conf, struct wm_parents **ret,
                   struct wm_error *err)
{
    struct wm_parents *p = wm_xcalloc(1, sizeof *p);

    p->kube = k;
    p->conf = conf;
    p->store = wm_store_new();
    pthread_mutex_init(&p->lock, NULL);
    *ret = p; /* also on failure: watches that were started refer to it until the kube ends */
    for (int kind = 1; kind < WM_PARENT_COUNT; kind++) {
        int rc = start_watch(p, (enum wm_parent_kind)kind, err);

        if (rc < 0)
            return rc;
    }
    return WM_OK;
}

struct wm_parents *wm_parents_free(struct wm_parents *p)
{
    if (!p)
        return NULL;
    wm_store_free(p->store);
    pthread_mutex_destroy(&p->lock);
    free(p);
    return NULL;
}

enum wm_found wm_parents_find(void *ctx, const struct wm_ref *ref, struct wm_parent *ret)
{
    struct wm_parents *p = ctx;
    struct wm_watch_stats stats;

    if (wm_store_find(p->store, ref, ret) == WM_FOUND)
        return WM_FOUND;
    wm_watch_stats(p->kinds[ref->kind].watch, &stats);
    return stats.state == WM_WATCH_ABSENT ? WM_FOUND_NOT : WM_FOUND_MISS;
}

void wm_parents_stats(struct wm_parents *p, struct wm_parents_kind_stats ret[WM_PARENT_COUNT])
{
    for (int kind = 1; kind < WM_PARENT_COUNT; kind++) {
        ret[kind].resource = wm_parent_resources[kind].resource;
        ret[kind].objects = wm_store_count(p->store, (enum wm_parent_kind)kind);
        wm_watch_stats(p->kinds[kind].watch, &ret[kind].watch);
    }
}

/* --- single lookups --- */

static struct lookup *detach_lookup(struct wm_parents *p, struct lookup *l)
{
    pthread_mutex_lock(&p->lock);
    for (struct lookup **link = &p->lookups; *link; link = &(*link)->next)
        if (*link == l) {
            *link = l->next;
            p->n_lookups--;
            break;
        }
    pthread_mutex_unlock(&p->lock);
    return l;
}

static void finish(struct lookup *l, enum wm_lookup_result result)
{
    struct waiter *w = detach_lookup(l->owner, l)->waiters;

    free(l);
    while (w) {
        struct waiter *next = w->next;

        w->done(w->ctx, result);
        free(w);
        w = next;
    }
}

static enum wm_lookup_result failure(const struct wm_error *err)
{
    if (err->code == WM_E_NOT_FOUND)
        return WM_LOOKUP_ABSENT;
    return err->code == WM_E_TIMEOUT ? WM_LOOKUP_TIMEOUT : WM_LOOKUP_ERROR;
}

/* A single object, or the items of a list (metadata only). */
static void take_reply(struct wm_parents *p, const struct lookup *l, struct wm_str body)
{
    static const char *const pointers[] = {"", "/items"};
    struct wm_json_span s[2];

    if (wm_json_locate(body, 2, pointers, s, NULL) < 0)
        return;
    if (s[1].kind != WM_JSON_ARRAY) {
        put_object(p, l->ref.kind, s[0].text, true);
        return;
    }
    for (struct wm_json_iter it = wm_json_iter(s[1]); wm_json_next(&it);)
        put_object(p, l->ref.kind, it.value.text, false);
}

static void on_reply(void *ctx, const struct wm_kube_reply *reply)
{
    struct lookup *l = ctx;
    struct wm_parent found;

    if (reply->error.code != WM_OK) {
        finish(l, failure(&reply->error));
        return;
    }
    take_reply(l->owner, l, reply->body);
    finish(l,
           wm_store_find(l->owner->store, &l->ref, &found) == WM_FOUND ? WM_LOOKUP_FOUND : WM_LOOKUP_ABSENT);
}

static bool send_lookup(struct lookup *l, int budget_ms)
{
    const struct wm_parent_resource *r = &wm_parent_resources[l->ref.kind];
    bool by_name = l->ref.name[0] != '\0';
    char path[MAX_PATH];
    struct wm_kube_request request = {.method = "GET",
                                      .path = path,
                                      .timeout_ms = budget_ms,
                                      .once = true,
                                      .accept = by_name ? NULL : METADATA_LIST};

    if (by_name && (!wm_kube_is_name(l->ref.name) || !wm_kube_is_name(l->ref.namespace_)))
        return false;
    if (by_name)
        snprintf(path, sizeof path, "/apis/%s/%s/namespaces/%s/%s/%s", r->group, r->version,
                 l->ref.namespace_, r->resource, l->ref.name);
    else
        snprintf(path, sizeof path, "/apis/%s/%s/%s?resourceVersion=0", r->group, r->version, r->resource);
    return wm_kube_send(l->owner->kube, &request, on_reply, l, NULL) == WM_OK;
}

static struct lookup *same_lookup(struct wm_parents *p, const struct wm_ref *ref)
{
    struct lookup *l = p->lookups;

    while (l && !(l->ref.kind == ref->kind && strcmp(l->ref.uid, ref->uid) == 0 &&
                  strcmp(l->ref.name, ref->name) == 0 && strcmp(l->ref.namespace_, ref->namespace_) == 0))
        l = l->next;
    return l;
}

bool wm_parents_lookup(struct wm_parents *p, const struct wm_ref *ref, int budget_ms, wm_lookup_fn *done,
                       void *ctx)
{
    struct waiter *w = wm_xcalloc(1, sizeof *w);
    bool started = true;

    w->done = done;
    w->ctx = ctx;
    pthread_mutex_lock(&p->lock);
    struct lookup *l = same_lookup(p, ref);

    if (l) {
        w->next = l->waiters;
        l->waiters = w;
        w = NULL;
    } else if (p->n_lookups < MAX_LOOKUPS) {
        l = wm_xcalloc(1, sizeof *l);
        *l = (struct lookup){.next = p->lookups, .owner = p, .ref = *ref, .waiters = w};
        /* Sent under the lock: its reply cannot be taken before it is in the list. */
        if (send_lookup(l, budget_ms)) {
            p->lookups = l;
            p->n_lookups++;
            w = NULL;
        } else {
            free(l);
            started = false;
        }
    } else {
        started = false;
    }
    pthread_mutex_unlock(&p->lock);
    free(w);
    return started;
}
