#include "facts_fetch.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "waymark/log.h"

/* Memory is what bounds them: a pod has 192 MiB for everything. */
enum {
    MIB = 1 << 20,
    OBJECT_MAX = 4 * MIB, /* etcd takes 1.5 MiB */
    LIST_MAX = 16 * MIB,
    IN_FLIGHT_MAX = 64,
    LISTS_IN_FLIGHT_MAX = 4,
    HELD_MAX = 32 * MIB, /* of answers that requests hold while they wait for others */
    MAX_PATH = 1024,
};

const char *const wm_fetch_result_names[WM_FETCH_COUNT] = {"found",   "absent",  "not-installed", "forbidden",
                                                           "timeout", "too-big", "busy",          "error"};

struct wm_fetcher {
    struct wm_kube *kube;
    atomic_int in_flight, lists_in_flight;
    atomic_size_t held;
    atomic_bool forbidden[WM_RESOURCE_COUNT]; /* said so in the log */
};

/* One request under way. */
struct fetch {
    struct wm_fetcher *owner;
    struct wm_query query;
    wm_fetch_fn *done;
    void *ctx;
};

enum wm_fact_state wm_fetch_state(enum wm_fetch_result result)
{
    if (result == WM_FETCH_FOUND)
        return WM_FACT_FOUND;
    return result == WM_FETCH_ABSENT ? WM_FACT_ABSENT : WM_FACT_UNKNOWN;
}

struct wm_fetcher *wm_fetcher_new(struct wm_kube *k)
{
    struct wm_fetcher *f = wm_xcalloc(1, sizeof *f);

    f->kube = k;
    return f;
}

struct wm_fetcher *wm_fetcher_free(struct wm_fetcher *f)
{
    free(f);
    return NULL;
}

void wm_fetcher_release(struct wm_fetcher *f, size_t bytes)
{
    atomic_fetch_sub(&f->held, bytes);
}

/* --- bounds --- */

static bool take_one(atomic_int *counter, int max)
{
    if (atomic_fetch_add(counter, 1) < max)
        return true;
    atomic_fetch_sub(counter, 1);
    return false;
}

static bool take_place(struct wm_fetcher *f, bool list)
{
    if (!take_one(&f->in_flight, IN_FLIGHT_MAX))
        return false;
    if (!list || take_one(&f->lists_in_flight, LISTS_IN_FLIGHT_MAX))
        return true;
    atomic_fetch_sub(&f->in_flight, 1);
    return false;
}

static void give_place(struct wm_fetcher *f, bool list)
{
    atomic_fetch_sub(&f->in_flight, 1);
    if (list)
        atomic_fetch_sub(&f->lists_in_flight, 1);
}

static bool take_memory(struct wm_fetcher *f, size_t bytes)
{
    if (atomic_fetch_add(&f->held, bytes) + bytes <= HELD_MAX)
        return true;
    atomic_fetch_sub(&f->held, bytes);
    return false;
}

/* --- what an answer means --- */

/* A 404 tells two things apart only in its Status: with details.name the object is not there, without it
 * there is no such kind (k8s.io/apimachinery api/errors: NewNotFound, NewGenericServerResponse). */
static bool names_the_object(struct wm_str status, const char *name)
{
    static const char *const pointers[] = {"/details/name"};
    struct wm_json_span s;

    return name[0] && wm_json_locate(status, 1, pointers, &s, NULL) == WM_OK && wm_json_span_is(s, name);
}

static enum wm_fetch_result meaning(const struct wm_kube_reply *reply, const char *name)
{
    if (reply->error.code == WM_OK)
        return WM_FETCH_FOUND;
    if (reply->status == 404)
        return names_the_object(reply->body, name) ? WM_FETCH_ABSENT : WM_FETCH_NO_KIND;
    if (reply->status == 403 || reply->status == 401)
        return WM_FETCH_FORBIDDEN;
    if (reply->error.code == WM_E_TOO_BIG)
        return WM_FETCH_TOO_BIG;
    return reply->error.code == WM_E_TIMEOUT ? WM_FETCH_TIMEOUT : WM_FETCH_ERROR;
}

static void note_forbidden(struct wm_fetcher *f, const struct wm_query *q, bool forbidden)
{
    const struct wm_resource_info *r = &wm_resources[q->resource];

    if (atomic_exchange(&f->forbidden[q->resource], forbidden) || !forbidden)
        return;
    wm_log(WM_LOG_WARN, "lookup_forbidden", WM_F("verb", q->name[0] ? "get" : "list"),
           WM_F("group", r->group), WM_F("resource", r->resource),
           WM_F("remedy", "grant it in a ClusterRole to our ServiceAccount; until then rules that need it "
                          "cannot tell"));
}

static void on_reply(void *ctx, const struct wm_kube_reply *reply)
{
    struct fetch *t = ctx;
    struct wm_fetcher *f = t->owner;
    enum wm_fetch_result result = meaning(reply, t->query.name);
    char *text = NULL;

    if (result == WM_FETCH_FOUND && !take_memory(f, reply->body.n))
        result = WM_FETCH_BUSY;
    if (result == WM_FETCH_FOUND)
        text = wm_xstrndup(reply->body);
    if (reply->status)
        note_forbidden(f, &t->query, result == WM_FETCH_FORBIDDEN);
    give_place(f, !t->query.name[0]);
    t->done(t->ctx, result, text, text ? reply->body.n : 0);
    free(t);
}

/* --- asking --- */

static bool print_path(const struct wm_query *q, char path[static MAX_PATH])
{
    const struct wm_resource_info *r = &wm_resources[q->resource];
    wm_name of = "";

    if (!r->cluster_scoped)
        snprintf(of, sizeof of, "%s", q->namespace_);
    int n = snprintf(path, MAX_PATH, "%s%s/%s%s%s/%s%s%s", r->group[0] ? "/apis/" : "/api", r->group,
                     r->version, of[0] ? "/namespaces/" : "", of, r->resource,
                     q->name[0] ? "/" : "?resourceVersion=0", q->name);

    return n > 0 && n < MAX_PATH;
}

/* What can be told without asking.  A name that no object can have is absent, and must not become part of a
 * path: the API server reads "%2F" as a slash. */
static bool is_known(const struct wm_query *q, enum wm_fetch_result *ret)
{
    bool scoped = !wm_resources[q->resource].cluster_scoped;

    *ret = WM_FETCH_ABSENT;
    if (scoped && !q->namespace_[0])
        *ret = WM_FETCH_ERROR;
    else if (scoped && !wm_kube_is_name(q->namespace_))
        *ret = q->name[0] ? WM_FETCH_ABSENT : WM_FETCH_ERROR;
    else if (!q->name[0] || wm_kube_is_name(q->name))
        return false;
    return true;
}

static bool send_fetch(struct wm_fetcher *f, const struct wm_query *q, int budget_ms, wm_fetch_fn *done,
                       void *ctx)
{
    char path[MAX_PATH];
    struct wm_kube_request request = {.method = "GET",
                                      .path = path,
                                      .timeout_ms = budget_ms,
                                      .once = true,
                                      .max_body = q->name[0] ? OBJECT_MAX : LIST_MAX};
    struct fetch *t = wm_xcalloc(1, sizeof *t);

    *t = (struct fetch){f, *q, done, ctx};
    if (print_path(q, path) && wm_kube_send(f->kube, &request, on_reply, t, NULL) == WM_OK)
        return true;
    free(t);
    return false;
}

void wm_fetch(struct wm_fetcher *f, const struct wm_query *q, int budget_ms, wm_fetch_fn *done, void *ctx)
{
    bool list = !q->name[0];
    enum wm_fetch_result result;

    if (is_known(q, &result)) {
        done(ctx, result, NULL, 0);
    } else if (!take_place(f, list)) {
        done(ctx, WM_FETCH_BUSY, NULL, 0);
    } else if (!send_fetch(f, q, budget_ms, done, ctx)) {
        give_place(f, list);
        done(ctx, WM_FETCH_BUSY, NULL, 0);
    }
}
