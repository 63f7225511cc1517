#include "repair.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "repair_look.h"
#include "todo.h"
#include "waymark/clock.h"
#include "waymark/log.h"
#include "waymark/store.h"

/* 65,536 entries are 3 MiB; at five a second that is more than three hours of work.  A credit of one turn's
 * length lets no second have more than its share, and keeps the other work of the thread waiting for few. */
enum { TODO_MAX = 65536, CREDIT_MS = 200, TIDY_MS = 600000 };
/* What cannot be written is tried again; others of its kind on its cluster wait meanwhile. */
enum { RETRY_MS = 30000, REFUSED_MS = 600000 };
enum { HOST = 0 }; /* the cluster of that number */
enum { CALL_MS = 2000, PATH_MAX_N = 1024, OBJECT_MAX = 4 << 20, PATCH_MAX = 64 << 10 };

static const char JSON_PATCH[] = "application/json-patch+json";

struct wm_repair {
    struct wm_repair_opts opts;
    struct wm_store *parents;
    struct wm_todo *todo; /* under the fleet's lock, as is the next */
    bool grown;           /* a parent came that was not known */
    /* Of the thread of turns: */
    int64_t credit, last_ms, tidy_ms;
    int64_t retry_ms[WM_CLUSTERS_MAX][WM_KIND_COUNT];
    _Atomic uint64_t repaired, refused, failed, dropped;
    _Atomic size_t due, waiting;
};

struct wm_repair *wm_repair_new(const struct wm_repair_opts *opts)
{
    struct wm_repair *r = wm_xcalloc(1, sizeof *r);

    r->opts = *opts;
    r->parents = wm_store_new();
    r->todo = wm_todo_new(TODO_MAX);
    r->last_ms = wm_mono_ms();
    r->tidy_ms = r->last_ms + TIDY_MS;
    return r;
}

struct wm_repair *wm_repair_free(struct wm_repair *r)
{
    if (!r)
        return NULL;
    wm_todo_free(r->todo);
    wm_store_free(r->parents);
    free(r);
    return NULL;
}

/* --- what the fleet tells --- */

enum wm_found wm_repair_find(void *ctx, const struct wm_ref *ref, struct wm_parent *ret)
{
    const struct wm_repair *r = ctx;

    return wm_store_find(r->parents, ref, ret);
}

static void keep_parent(struct wm_repair *r, enum wm_parent_kind kind, const struct wm_reading *reading)
{
    const struct wm_object object = wm_reading_object(reading);
    struct wm_parent parent, known;

    if (wm_parent_of(r->opts.labels, kind, &object, &parent, NULL) < 0)
        return;
    struct wm_ref ref = {.kind = kind};

    memcpy(ref.uid, parent.uid, sizeof ref.uid);
    r->grown |= wm_store_find(r->parents, &ref, &known) != WM_FOUND;
    wm_store_put(r->parents, &parent, true);
}

static void counted(struct wm_repair *r)
{
    r->due = wm_todo_due(r->todo);
    r->waiting = wm_todo_waiting(r->todo);
}

void wm_repair_object(struct wm_repair *r, const struct wm_record *record, const struct wm_reading *object)
{
    enum wm_kind kind = (enum wm_kind)record->kind;
    enum wm_parent_kind parent = wm_parent_kind_of(kind);
    struct wm_lack_look look = {r->opts.labels, wm_repair_find, r, false};
    struct wm_todo_item item = {.id = record->id, .cluster = record->cluster, .kind = record->kind};
    wm_auto_buf struct wm_buf patch = WM_BUF_MAX(PATCH_MAX);
    wm_uid missing;

    if (kind == WM_KIND_PVC && record->cluster != HOST) /* VirtRigaud works on the host alone */
        return;
    if (parent != WM_PARENT_NONE)
        keep_parent(r, parent, object);
    enum wm_lack lack = wm_lack_of(&look, object, &patch, missing);

    if (lack == WM_LACKS_PARENT)
        item.parent = wm_id_of(wm_str_of(missing));
    if (lack == WM_LACKS_NOTHING)
        wm_todo_drop(r->todo, item.cluster, item.id);
    else if (!wm_todo_put(r->todo, &item) && r->dropped++ == 0)
        wm_log(WM_LOG_WARN, "repairs_dropped", WM_FI("queue", TODO_MAX),
               WM_F("hint", "more objects lack labels than fit into the queue; start the aggregator again "
                            "once the queue is empty"));
    counted(r);
}

/* --- which is next, under the fleet's lock --- */

/* One object to be repaired, as the log and the requests name it. */
struct job {
    struct wm_todo_item item;
    char path[PATH_MAX_N];
    wm_name cluster, namespace_, name;
};

struct choice {
    struct wm_repair *repair;
    struct wm_world world;
    int64_t now_ms;
};

static bool is_there(void *ctx, const struct wm_todo_item *item)
{
    const struct choice *c = ctx;

    return wm_model_find_anywhere(c->world.model, item->parent) != NULL;
}

static bool is_known(void *ctx, const struct wm_todo_item *item)
{
    const struct choice *c = ctx;

    return wm_model_find(c->world.model, item->cluster, item->id) != NULL;
}

static bool is_kept(void *ctx, const char *uid)
{
    const struct choice *c = ctx;

    return wm_model_find_anywhere(c->world.model, wm_id_of(wm_str_of(uid))) != NULL;
}

/* VirtRigaud looks at all Providers of a namespace when a PVC of a migration changes there.  It lists these
 * PVCs in no order, so that with two of them the Deployments' templates may change by that, and a rollout
 * would cut what other migrations copy (internal/controller/provider_controller.go). */
struct siblings {
    uint16_t namespace_;
    size_t n;
};

static void count_sibling(void *ctx, const struct wm_record *r)
{
    struct siblings *s = ctx;

    s->n += r->cluster == HOST && r->namespace_ == s->namespace_ && wm_claim_of(r)->vm_migration[0];
}

static bool disturbs(const struct choice *c, const struct wm_todo_item *item)
{
    const struct wm_record *record = wm_model_find(c->world.model, item->cluster, item->id);

    if (item->kind != WM_KIND_PVC || !record)
        return false;
    struct siblings s = {.namespace_ = record->namespace_};

    wm_model_each(c->world.model, WM_KIND_PVC, count_sibling, &s);
    return s.n > 1;
}

static bool may_take(void *ctx, const struct wm_todo_item *item)
{
    const struct choice *c = ctx;
    enum wm_cluster_sight sight = c->world.clusters[item->cluster].sight;

    return !disturbs(c, item) && (sight == WM_SIGHT_GOOD || sight == WM_SIGHT_PARTIAL) &&
           c->now_ms >= c->repair->retry_ms[item->cluster][item->kind];
}

static bool describe(const struct choice *c, struct job *job)
{
    const struct wm_record *record = wm_model_find(c->world.model, job->item.cluster, job->item.id);
    const struct wm_kind_info *k = &wm_kinds[job->item.kind];

    if (!record) /* it is gone */
        return false;
    snprintf(job->cluster, sizeof job->cluster, "%s", c->world.clusters[job->item.cluster].name);
    snprintf(job->namespace_, sizeof job->namespace_, "%s",
             wm_model_word(c->world.model, record->namespace_));
    snprintf(job->name, sizeof job->name, "%s", wm_record_name(record));
    snprintf(job->path, sizeof job->path, "%s%s/%s/namespaces/%s/%s/%s", k->group[0] ? "/apis/" : "/api",
             k->group, k->version, job->namespace_, k->resource, job->name);
    return wm_kube_name_check("namespace", job->namespace_, NULL) == WM_OK &&
           wm_kube_name_check(k->kind, job->name, NULL) == WM_OK;
}

/* Of removals we are not told. */
static void tidy(struct choice *c)
{
    struct wm_repair *r = c->repair;

    if (c->now_ms < r->tidy_ms)
        return;
    wm_store_retain(r->parents, is_kept, c);
    wm_todo_retain(r->todo, is_known, c);
    r->tidy_ms = c->now_ms + TIDY_MS;
}

static bool next_job(struct wm_repair *r, struct wm_fleet *fleet, struct job *job)
{
    struct choice c = {.repair = r, .now_ms = wm_mono_ms()};
    bool found = false;

    wm_fleet_lock(fleet);
    wm_fleet_world(fleet, &c.world);
    tidy(&c);
    if (r->grown)
        wm_todo_wake(r->todo, is_there, &c);
    r->grown = false;
    while (!found && wm_todo_take(r->todo, may_take, &c, &job->item))
        found = describe(&c, job);
    counted(r);
    wm_fleet_unlock(fleet);
    return found;
}

/* --- one object --- */

static int call(struct wm_kube *kube, const struct job *job, const char *method, struct wm_str patch,
                struct wm_buf *ret_body, int *ret_status, struct wm_error *err)
{
    struct wm_kube_request request = {
        .method = method,
        .path = job->path,
        .content_type = patch.n ? JSON_PATCH : NULL,
        .body = patch,
        .timeout_ms = CALL_MS,
        .max_body = OBJECT_MAX,
        .once = true,
    };

    return wm_kube_call(kube, &request, ret_body, ret_status, err);
}

/* Reads it, and writes what it lacks now.  1 = it has its labels now, 0 = nothing to write (any more). */
static int repair_one(struct wm_repair *r, struct wm_kube *kube, const struct job *job, int *ret_status,
                      struct wm_error *err)
{
    wm_auto_buf struct wm_buf object = WM_BUF_MAX(OBJECT_MAX), patch = WM_BUF_MAX(PATCH_MAX);
    wm_auto_reading struct wm_reading reading = {0};
    struct wm_lack_look look = {r->opts.labels, wm_repair_find, r, false};
    wm_uid missing;
    int rc = call(kube, job, "GET", (struct wm_str){0}, &object, ret_status, err);

    if (rc < 0)
        return rc;
    if (wm_reading_of(&reading, (enum wm_kind)job->item.kind, wm_buf_text(&object), NULL) < 0 ||
        wm_lack_of(&look, &reading, &patch, missing) != WM_LACKS_LABELS)
        return 0;
    if ((rc = wm_buf_check(&patch, err)) == WM_OK)
        rc = call(kube, job, "PATCH", wm_buf_text(&patch), NULL, ret_status, err);
    return rc < 0 ? rc : 1;
}

/* A cluster that does not answer would make every kind of it wait anew. */
static void put_off(struct wm_repair *r, const struct job *job, int status)
{
    int64_t *kinds = r->retry_ms[job->item.cluster], now_ms = wm_mono_ms();

    for (int kind = 0; kind < WM_KIND_COUNT; kind++)
        if (status == 0)
            kinds[kind] = now_ms + RETRY_MS;
    kinds[job->item.kind] = now_ms + (status >= 400 && status < 429 ? REFUSED_MS : RETRY_MS);
}

static void failed(struct wm_repair *r, struct wm_fleet *fleet, const struct job *job, int status,
                   const struct wm_error *err)
{
    r->failed++;
    put_off(r, job, status);
    wm_fleet_lock(fleet);
    wm_todo_put(r->todo, &job->item);
    counted(r);
    wm_fleet_unlock(fleet);
    wm_log(WM_LOG_WARN, "labels_not_repaired", WM_F("cluster", job->cluster),
           WM_F("kind", wm_kinds[job->item.kind].kind), WM_F("ns", job->namespace_), WM_F("name", job->name),
           WM_F("error", err->msg));
}

static void work(struct wm_repair *r, struct wm_fleet *fleet, const struct job *job)
{
    struct wm_error err = {0};
    int status = 0;
    struct wm_kube *kube = wm_fleet_kube(fleet, job->item.cluster);
    int rc = kube ? repair_one(r, kube, job, &status, &err)
                  : wm_fail(&err, WM_E_IO, NULL, "there is no way to the cluster");

    if (rc > 0) {
        r->repaired++;
        wm_log(WM_LOG_INFO, "labels_repaired", WM_F("cluster", job->cluster),
               WM_F("kind", wm_kinds[job->item.kind].kind), WM_F("ns", job->namespace_),
               WM_F("name", job->name));
    } else if (status == 409 || status == 422) {
        r->refused++; /* it was changed meanwhile: that change brings it here again */
    } else if (rc < 0 && status != 404) {
        failed(r, fleet, job, status, &err);
    }
}

void wm_repair_turn(struct wm_repair *r, struct wm_fleet *fleet)
{
    enum { A_JOB = 1000000 };
    struct job job;
    int64_t now_ms = wm_mono_ms(), most = CREDIT_MS * 1000 * r->opts.per_s;

    /* Credit is counted in millionths of an object. */
    r->credit += (now_ms - r->last_ms) * 1000 * r->opts.per_s;
    r->last_ms = now_ms;
    if (most < A_JOB)
        most = A_JOB;
    if (r->credit > most)
        r->credit = most;
    while (r->opts.may_write(r->opts.ctx) && r->credit >= A_JOB && next_job(r, fleet, &job)) {
        r->credit -= A_JOB;
        work(r, fleet, &job);
    }
}

void wm_repair_stats(const struct wm_repair *r, struct wm_repair_stats *ret)
{
    *ret = (struct wm_repair_stats){.repaired = r->repaired,
                                    .refused = r->refused,
                                    .failed = r->failed,
                                    .dropped = r->dropped,
                                    .due = r->due,
                                    .waiting = r->waiting};
}
