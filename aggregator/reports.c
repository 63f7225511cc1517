#include "reports.h"

#include <stdlib.h>

#include "waymark/log.h"
#include "waymark/report.h"

enum { AUDIT_S = 3600 };

struct wm_reports {
    struct wm_follow *follow;
    struct wm_watch *watch;
    bool said; /* that something is missing; of the kube thread */
};

/* --- the sink, in the kube thread --- */

static void on_begin(void *ctx)
{
    const struct wm_reports *r = ctx;

    wm_follow_reports_begin(r->follow);
}

static void on_end(void *ctx)
{
    const struct wm_reports *r = ctx;

    wm_follow_reports_end(r->follow);
}

static void on_abort(void *ctx)
{
    (void)ctx; /* what a list has not shown is no sign */
}

/* The id of the migration that owns it, and its version; false = it is none of ours. */
static bool read_metadata(struct wm_str object, struct wm_id *ret_migration, struct wm_str *ret_version)
{
    static const char *const pointers[] = {"/metadata/ownerReferences", "/metadata/resourceVersion"};
    struct wm_json_span s[2];

    if (wm_json_pick(object, 2, pointers, s, NULL) < 0)
        return false;
    *ret_migration = wm_follow_owner_of(s[0]);
    *ret_version = wm_span_plain(s[1]);
    return wm_id_is_set(*ret_migration);
}

static void on_upsert(void *ctx, struct wm_str object)
{
    const struct wm_reports *r = ctx;
    struct wm_id migration;
    struct wm_str version;

    if (read_metadata(object, &migration, &version))
        wm_follow_report_seen(r->follow, migration, version);
}

static void on_remove(void *ctx, struct wm_str object)
{
    const struct wm_reports *r = ctx;
    struct wm_id migration;
    struct wm_str version;

    if (read_metadata(object, &migration, &version))
        wm_follow_report_gone(r->follow, migration);
}

static const struct trouble {
    enum wm_watch_state state;
    const char *what, *effect, *remedy;
} troubles[] = {
    {WM_WATCH_ABSENT, "reports_not_installed",
     "no MigrationReport is written; conditions, verdicts and Events are",
     "kubectl apply -f manifests/base/migrationreport-crd.yaml, and reports follow within a minute; or say "
     "--reports=false"},
    {WM_WATCH_FORBIDDEN, "reports_not_watched",
     "reports are written, and not missed when somebody deletes or changes one",
     "allow list and watch of migrationreports.waymark.io, as manifests/base/aggregator-rbac.yaml does"},
};

static void on_state(void *ctx, enum wm_watch_state state, const struct wm_error *why)
{
    struct wm_reports *r = ctx;

    wm_follow_reports_there(r->follow, state != WM_WATCH_ABSENT);
    for (size_t i = 0; i < sizeof troubles / sizeof troubles[0]; i++)
        if (troubles[i].state == state) {
            wm_log(WM_LOG_WARN, troubles[i].what, WM_F("why", why ? why->msg : ""),
                   WM_F("effect", troubles[i].effect), WM_F("remedy", troubles[i].remedy));
            r->said = true;
            return;
        }
    if (state == WM_WATCH_SYNCED && r->said) {
        wm_log(WM_LOG_INFO, "reports_watched");
        r->said = false;
    }
}

/* --- life --- */

int wm_reports_new(struct wm_kube *host, struct wm_follow *follow, struct wm_reports **ret,
                   struct wm_error *err)
{
    struct wm_reports *r = wm_xcalloc(1, sizeof *r);
    struct wm_watch_sink sink = {r, on_begin, on_end, on_abort, on_upsert, on_remove, on_state};

    r->follow = follow;
    struct wm_watch_spec spec = {.path = "/apis/" WM_REPORT_API_VERSION "/" WM_REPORT_RESOURCE,
                                 .metadata_only = true,
                                 .audit_s = AUDIT_S};
    int rc = wm_watch_start(host, &spec, &sink, &r->watch, err);

    if (rc < 0) {
        free(r);
        return rc;
    }
    *ret = r;
    return WM_OK;
}

struct wm_reports *wm_reports_free(struct wm_reports *r)
{
    if (r)
        wm_watch_stop(r->watch);
    free(r);
    return NULL;
}

static enum wm_watch_state state_of(const struct wm_reports *r)
{
    struct wm_watch_stats stats;

    wm_watch_stats(r->watch, &stats);
    return stats.state;
}

bool wm_reports_looked(const struct wm_reports *r)
{
    return !r || state_of(r) != WM_WATCH_STARTING;
}

bool wm_reports_installed(const struct wm_reports *r)
{
    return state_of(r) != WM_WATCH_ABSENT;
}
