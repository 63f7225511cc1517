#include "dump.h"

#include <stdio.h>
#include <stdlib.h>

#include "waymark/folder.h"
#include "waymark/host.h"
#include "waymark/object_text.h"
#include "waymark/restarts.h"

static const char STDIN_PATH[] = "/dev/stdin";

void wm_dump_fail(struct wm_dump *d, const struct wm_error *err)
{
    if (d->n_errors < WM_DUMP_ERRORS_MAX)
        d->errors[d->n_errors] = *err;
    d->n_errors++;
}

/* --- clusters --- */

static uint8_t add_cluster(struct wm_dump *d, struct wm_str name, enum wm_cluster_sight sight,
                           const char *why)
{
    uint8_t i = (uint8_t)d->n_clusters++;

    snprintf(d->names[i], sizeof d->names[i], WM_STR_FMT, WM_STR_ARG(name));
    d->views[i] = (struct wm_cluster_view){.name = d->names[i], .sight = sight, .why = why};
    return i;
}

/* Its index; WM_NO_CLUSTER = there are too many. */
static uint8_t cluster_of(struct wm_dump *d, struct wm_str name)
{
    struct wm_error err = {0};

    if (!name.p)
        return 0;
    for (size_t i = 0; i < d->n_clusters; i++)
        if (wm_str_is(name, d->names[i]))
            return (uint8_t)i;
    if (d->n_clusters < WM_CLUSTERS_MAX && name.n <= WM_NAME_MAX)
        return add_cluster(d, name, WM_SIGHT_GOOD, "");
    wm_fail(&err, WM_E_TOO_BIG, d->file, "not read: there are more than %d clusters, or this is no name",
            WM_CLUSTERS_MAX);
    wm_dump_fail(d, &err);
    return WM_NO_CLUSTER;
}

/* --- objects --- */

static bool is_in_group(struct wm_str api_version, const char *group)
{
    const char *slash = memchr(api_version.p, '/', api_version.n);

    return wm_str_is((struct wm_str){api_version.p, slash ? (size_t)(slash - api_version.p) : 0}, group);
}

static int wanted(void *ctx, struct wm_str api_version, struct wm_str kind)
{
    struct wm_dump *d = ctx;

    for (int k = WM_KIND_NONE + 1; k < WM_KIND_COUNT; k++)
        if (wm_str_is(kind, wm_kinds[k].kind) && is_in_group(api_version, wm_kinds[k].group) &&
            (!d->plans_only || strcmp(wm_kinds[k].group, wm_kinds[WM_KIND_MIGPLAN].group) == 0))
            return k;
    d->n_ignored++;
    return WM_KIND_NONE;
}

/* Names become parts of commands that people paste into a shell; files may hold any, API servers do not. */
static bool is_plain(const char *name)
{
    static const char LETTERS[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._:";

    return name[strspn(name, LETTERS)] == '\0';
}

static int put(struct wm_dump *d, uint16_t source, struct wm_str object, struct wm_error *err)
{
    const struct wm_record *r = wm_model_put(d->model, source, object, err);

    if (!r)
        return WM_E_INVALID;
    if (is_plain(wm_record_name(r)) && is_plain(wm_model_word(d->model, r->namespace_)) &&
        is_plain(wm_record_node(r)))
        return WM_OK;
    wm_model_remove(d->model, r->cluster, r->id);
    return wm_fail(err, WM_E_INVALID, NULL, "its name, namespace or node is none that an API server takes");
}

static int take(void *ctx, int kind, struct wm_str object, struct wm_error *err)
{
    struct wm_dump *d = ctx;
    uint16_t *source = &d->sources[d->cluster][kind];
    int64_t s = wm_dump_youngest(object);

    if (s > d->youngest_s)
        d->youngest_s = s;
    if (kind == WM_KIND_EVENT && !wm_event_matters(object)) {
        d->n_objects++;
        return WM_OK;
    }
    if (d->n_objects >= WM_DUMP_OBJECTS_MAX)
        return wm_fail(err, WM_E_TOO_BIG, NULL, "not read: there are more than %d objects",
                       WM_DUMP_OBJECTS_MAX);
    if (!*source)
        *source = wm_model_source(d->model, d->cluster, (enum wm_kind)kind);
    d->n_objects++;
    return put(d, *source, object, err);
}

static void failed(void *ctx, const struct wm_error *err)
{
    wm_dump_fail(ctx, err);
}

void wm_dump_add_text(struct wm_dump *d, struct wm_str text, const char *path, const char *shown,
                      const char *cluster)
{
    const struct wm_object_sink sink = {wanted, take, failed, d};
    struct wm_dump_place place = wm_dump_place(path);

    d->file = shown;
    d->plans_only = !cluster && place.plans_only;
    d->cluster = cluster_of(d, cluster ? wm_str_of(cluster) : place.cluster);
    if (d->cluster == WM_NO_CLUSTER)
        return;
    d->seen[d->cluster] = true;
    if (place.no_login) {
        d->views[d->cluster].sight = WM_SIGHT_UNAUTHORIZED;
        d->views[d->cluster].why = "must-gather could not log in there";
        return;
    }
    wm_objects_read(text, shown, &sink);
}

/* --- files --- */

bool wm_is_dump_file(const char *name)
{
    return wm_is_object_file(name) || strcmp(name, "login_error.txt") == 0;
}

static bool is_wanted(const char *name)
{
    return wm_is_dump_file(name) || wm_is_archive(name);
}

void wm_dump_file(struct wm_dump *d, const char *shown)
{
    d->n_files++;
    if (d->ticker && wm_ticker_due(d->ticker))
        fprintf(stderr, WM_TICKER_LINE "reading: %zu objects in %zu files, now %.60s", d->n_objects,
                d->n_files, shown);
}

/* `from`: where in `path` the part begins that tells the cluster. */
static void read_file(struct wm_dump *d, const char *path, const char *from, const char *cluster)
{
    wm_auto_buf struct wm_buf text = WM_BUF_MAX(WM_DUMP_FILE_MAX);
    struct wm_error err = {0};

    if (wm_is_archive(path)) {
        wm_dump_add_archive(d, path, cluster);
        return;
    }
    wm_dump_file(d, path);
    if (wm_file_read(path, &text, &err) < 0)
        wm_dump_fail(d, &err);
    else
        wm_dump_add_text(d, wm_buf_text(&text), from, path, cluster);
}

struct folder {
    struct wm_dump *d;
    const char *cluster;
    size_t skip; /* of the paths, so that they begin with the folder's own name */
};

static void found_file(void *ctx, const char *path)
{
    const struct folder *f = ctx;

    read_file(f->d, path, path + f->skip, f->cluster);
}

static void found_failure(void *ctx, const struct wm_error *err)
{
    wm_dump_fail(((const struct folder *)ctx)->d, err);
}

static size_t last_part(const char *path)
{
    size_t n = strlen(path);

    while (n > 0 && path[n - 1] == '/')
        n--;
    while (n > 0 && path[n - 1] != '/')
        n--;
    return n;
}

void wm_dump_add(struct wm_dump *d, const char *path, const char *cluster)
{
    struct folder f = {d, cluster, last_part(path)};
    const struct wm_folder_walk walk = {is_wanted, found_file, found_failure, &f};
    size_t files = d->n_files, errors = d->n_errors;
    struct wm_error err = {0};

    if (strcmp(path, "-") == 0) {
        read_file(d, STDIN_PATH, "stdin", cluster);
        return;
    }
    if (!wm_is_folder(path)) {
        read_file(d, path, path + f.skip, cluster);
        return;
    }
    wm_folder_each(path, &walk);
    if (d->n_files == files && d->n_errors == errors) {
        wm_fail(&err, WM_E_NOT_FOUND, path, "there is no *.yaml, *.yml, *.json or *.tar* in this folder");
        wm_dump_fail(d, &err);
    }
}

/* --- begin and end --- */

void wm_dump_begin(struct wm_dump *d, const char *host)
{
    struct wm_ticker *ticker = d->ticker;

    memset(d, 0, sizeof *d);
    d->ticker = ticker;
    d->model = wm_model_new(
        &(struct wm_model_conf){.detail = wm_detail_of, .detail_done = wm_detail_done, .over = wm_is_over});
    add_cluster(d, wm_str_of(host), WM_SIGHT_GOOD, "");
}

void wm_dump_done(struct wm_dump *d)
{
    if (d->model)
        wm_model_free(d->model);
    d->model = NULL;
}

struct host_search {
    const struct wm_dump *d;
    const struct wm_record *found;
};

static bool holds_plans(const struct wm_dump *d, uint8_t cluster)
{
    return wm_model_count(d->model, cluster, WM_KIND_MIGCLUSTER) ||
           wm_model_count(d->model, cluster, WM_KIND_MIGMIGRATION);
}

static void find_host(void *ctx, const struct wm_record *r)
{
    struct host_search *s = ctx;

    if (wm_cluster_of(r)->is_host && holds_plans(s->d, r->cluster) &&
        (!s->found || r->cluster < s->found->cluster))
        s->found = r;
}

static const struct wm_record *host_of(const struct wm_dump *d)
{
    struct host_search s = {d, NULL};

    wm_model_each(d->model, WM_KIND_MIGCLUSTER, find_host, &s);
    return s.found;
}

const char *wm_dump_host(const struct wm_dump *d)
{
    const struct wm_record *r = host_of(d);

    return r && !holds_plans(d, 0) ? d->names[r->cluster] : d->names[0];
}

struct name_search {
    const char *name;
    bool found;
};

static void find_name(void *ctx, const struct wm_record *r)
{
    struct name_search *s = ctx;

    s->found |= r->cluster == 0 && strcmp(wm_record_name(r), s->name) == 0;
}

bool wm_dump_has_cluster(const struct wm_dump *d, const char *name)
{
    struct name_search s = {name, false};

    wm_model_each(d->model, WM_KIND_MIGCLUSTER, find_name, &s);
    return s.found;
}

/* Of a MigCluster that is not in the dump nothing can be seen, and that is to be said. */
static void add_unseen(void *ctx, const struct wm_record *r)
{
    struct wm_dump *d = ctx;
    const char *name = wm_record_name(r);

    if (r->cluster != 0 || wm_cluster_of(r)->is_host || d->n_clusters == WM_CLUSTERS_MAX)
        return;
    for (size_t i = 0; i < d->n_clusters; i++)
        if (strcmp(d->names[i], name) == 0)
            return;
    add_cluster(d, wm_str_of(name), WM_SIGHT_NONE, "it is not in the dump");
}

void wm_dump_end(struct wm_dump *d)
{
    const struct wm_record *host = host_of(d);

    if (host && host->cluster == 0)
        snprintf(d->names[0], sizeof d->names[0], "%s", wm_record_name(host));
    wm_model_each(d->model, WM_KIND_MIGCLUSTER, add_unseen, d);
}

/* --- restarts --- */

struct entering {
    struct wm_ledger *ledger;
    const struct wm_model *model;
    int64_t now_s;
};

static void enter(void *ctx, const struct wm_record *record)
{
    struct entering *e = ctx;

    if (record->cluster == 0)
        wm_ledger_changed(e->ledger, e->model, record, false, e->now_s);
}

struct wm_ledger *wm_dump_ledger(const struct wm_dump *d, int64_t now_s)
{
    static const enum wm_kind kinds[] = {WM_KIND_VMMIGRATION, WM_KIND_PROVIDER,   WM_KIND_PVC,
                                         WM_KIND_DEPLOYMENT,  WM_KIND_REPLICASET, WM_KIND_POD};
    struct entering e = {wm_ledger_new(), d->model, now_s};

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        wm_model_each(d->model, kinds[i], enter, &e);
    wm_ledger_tick(e.ledger, d->model, now_s);
    return e.ledger;
}
