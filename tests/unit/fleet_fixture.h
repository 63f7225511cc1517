/* What tests of the fleet share: a host and a remote API server that misbehave by script, and what is seen.
 */
#ifndef WAYMARK_TESTS_FLEET_FIXTURE_H
#define WAYMARK_TESTS_FLEET_FIXTURE_H

#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "aggregator/fleet.h"
#include "fake_api.h"
#include "pki.h"
#include "unit.h"
#include "waymark/base64.h"
#include "waymark/clock.h"

#define NS "openshift-migration"
#define MTC "/apis/migration.openshift.io/v1alpha1/namespaces/" NS
#define VELERO "/apis/velero.io/v1/namespaces/" NS
#define SECRET "/api/v1/namespaces/openshift-config/secrets/remote-token"
#define META(name, uid) "\"metadata\":{\"namespace\":\"" NS "\",\"name\":\"" name "\",\"uid\":\"" uid "\"}"
#define BACKUP "{" META("b", "backup-uid") ",\"status\":{\"phase\":\"InProgress\"}}"
#define PLAN                                                                                                 \
    "{" META("plan", "plan-uid") ",\"spec\":{\"srcMigClusterRef\":{\"name\":\"remote\"},"                    \
                                 "\"destMigClusterRef\":{\"name\":\"host\"},\"namespaces\":[\"app:shop\"]}}"
#define HOST_CLUSTER "{" META("host", "host-uid") ",\"spec\":{\"isHostCluster\":true}}"
#define MIGRATION(phase)                                                                                     \
    "{" META("m", "m-uid") ",\"spec\":{\"migPlanRef\":{\"namespace\":\"" NS                                  \
                           "\",\"name\":\"plan\"}},\"status\":{\"phase\":\"" phase "\"}}"

enum { PATIENCE_MS = 15000, QUICK_MS = 5000 };

struct ground {
    struct fake_api *host, *remote;
    struct wm_fleet *fleet;
    atomic_int changed, all_changed, listed, live;
    atomic_bool over; /* nothing may be called any more */
};

/* --- what the fleet tells --- */

static inline void note(struct ground *g, atomic_int *what)
{
    if (g->over)
        abort();
    (*what)++;
}

static inline void on_changed(void *ctx, struct wm_id migration)
{
    struct ground *g = ctx;

    (void)migration;
    note(g, &g->changed);
}

static inline void on_all_changed(void *ctx)
{
    struct ground *g = ctx;

    note(g, &g->all_changed);
}

static inline void on_object(void *ctx, const struct wm_record *r, const struct wm_reading *object, bool live)
{
    struct ground *g = ctx;

    (void)r;
    (void)object;
    note(g, live ? &g->live : &g->listed);
}

/* --- life --- */

static inline struct wm_kube_access access_to(struct fake_api *a)
{
    wm_auto_buf struct wm_buf url = WM_BUF_MAX(100);

    wm_buf_printf(&url, "http://127.0.0.1:%d", fault_server_port(fake_api_server(a)));
    return (struct wm_kube_access){.server = wm_buf_take(&url)};
}

static inline void start_fleet(struct ground *g)
{
    struct wm_kube_access access = access_to(g->host);
    struct wm_fleet_opts opts = {.user_agent = "test",
                                 .namespace_ = NS,
                                 .pod_volume_timeout_s = 3600,
                                 .retry_ms = 300,
                                 .changed = on_changed,
                                 .all_changed = on_all_changed,
                                 .object = on_object,
                                 .ctx = g};

    assert_int_equal(wm_fleet_new(&opts, &access, &g->fleet, NULL), WM_OK);
}

static inline void begin(struct ground *g)
{
    *g = (struct ground){.host = fake_api_start(NULL, 0, NULL), .remote = fake_api_start(NULL, 0, NULL)};
    start_fleet(g);
}

static inline void finish(struct ground *g)
{
    g->fleet = wm_fleet_free(g->fleet);
    g->over = true;
    g->host = fake_api_stop(g->host);
    if (g->remote)
        g->remote = fake_api_stop(g->remote);
}

static inline void add_remote(struct ground *g)
{
    struct wm_kube_access access = access_to(g->remote);

    assert_int_equal(wm_fleet_add(g->fleet, "remote", &access, NULL), WM_OK);
}

static inline void put_secret(struct ground *g, const char *token)
{
    wm_auto_buf struct wm_buf json = WM_BUF_MAX(4096);

    wm_buf_puts(&json, "{\"metadata\":{},\"data\":{\"saToken\":\"");
    wm_base64_encode(wm_str_of(token), &json);
    wm_buf_puts(&json, "\"}}");
    fake_api_put(g->host, SECRET, json.p);
}

/* A MigCluster of that name at the remote's port; `more` are members of its spec. */
static inline void put_cluster(struct ground *g, const char *scheme, const char *name, const char *secret,
                               const char *more)
{
    wm_auto_buf struct wm_buf json = WM_BUF_MAX(64 << 10), path = WM_BUF_MAX(4096);

    wm_buf_printf(&path, MTC "/migclusters/%s", name);
    wm_buf_printf(&json,
                  "{\"metadata\":{\"namespace\":\"" NS "\",\"name\":\"%s\",\"uid\":\"uid of %s\"},"
                  "\"spec\":{\"url\":\"%s://127.0.0.1:%d/\",\"serviceAccountSecretRef\":"
                  "{\"namespace\":\"openshift-config\",\"name\":\"%s\"}%s}}",
                  name, name, scheme, fault_server_port(fake_api_server(g->remote)), secret, more);
    fake_api_put(g->host, path.p, json.p);
}

/* --- what is seen --- */

static inline bool knows(struct ground *g, const char *uid)
{
    struct wm_world w;

    wm_fleet_lock(g->fleet);
    wm_fleet_world(g->fleet, &w);
    bool found = wm_model_find_anywhere(w.model, wm_id_of(wm_str_of(uid)));

    wm_fleet_unlock(g->fleet);
    return found;
}

struct sight {
    enum wm_cluster_sight sight;
    char why[256];
    int64_t since_s, offset_s;
    bool found;
};

static inline struct sight sight_of(struct ground *g, const char *name)
{
    struct sight s = {0};
    struct wm_world w;

    wm_fleet_lock(g->fleet);
    wm_fleet_world(g->fleet, &w);
    for (size_t i = 0; i < w.n_clusters; i++)
        if (strcmp(w.clusters[i].name, name) == 0) {
            s = (struct sight){.sight = w.clusters[i].sight,
                               .since_s = w.clusters[i].since_s,
                               .offset_s = w.clusters[i].offset_s,
                               .found = true};
            snprintf(s.why, sizeof s.why, "%s", w.clusters[i].why);
        }
    wm_fleet_unlock(g->fleet);
    return s;
}

static inline void tick(struct ground *g)
{
    int64_t begin_ms = wm_mono_ms();

    wm_fleet_tick(g->fleet);
    assert_true(wm_mono_ms() - begin_ms < QUICK_MS);
    usleep(20000);
}

#define TICK_UNTIL(g, condition)                                                                             \
    for (int64_t end_ms = wm_mono_ms() + PATIENCE_MS; !(condition);) {                                       \
        if (wm_mono_ms() > end_ms)                                                                           \
            fail_msg("not within %d ms: %s; remote: %s", PATIENCE_MS, #condition,                            \
                     sight_of(g, "remote").why);                                                             \
        tick(g);                                                                                             \
    }

static inline bool is_seen(struct ground *g, const char *name, enum wm_cluster_sight sight, const char *why)
{
    struct sight s = sight_of(g, name);

    return s.sight == sight && strcmp(s.why, why) == 0;
}

static inline bool is_watched(struct ground *g, const char *namespace_)
{
    static struct wm_fleet_watch rows[256];
    size_t n = wm_fleet_watches(g->fleet, rows, 256);

    for (size_t i = 0; i < n; i++)
        if (strcmp(rows[i].namespace_, namespace_) == 0)
            return true;
    return false;
}

#endif
