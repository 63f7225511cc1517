#include "telemetry_impl.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "waymark/clock.h"

enum { MAX_PHASES = 100, LEASE_STALE_MS = 20000 };

static const char RESOURCE_LABELS[] = "{cluster=\"%s\",namespace=\"%s\",resource=\"%s\"} ";

/* --- metrics --- */

void wm_telemetry_head(struct wm_buf *out, const char *name, const char *type, const char *help)
{
    wm_buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

void wm_telemetry_sample(struct wm_buf *out, const char *name, const char *type, const char *help,
                         int64_t value)
{
    wm_telemetry_head(out, name, type, help);
    wm_buf_printf(out, "%s %" PRId64 "\n", name, value);
}

/* One family over all watches. */
struct watch_family {
    const char *name, *type, *help;
    int64_t (*value)(const struct wm_fleet_watch *w);
};

static int64_t objects(const struct wm_fleet_watch *w)
{
    return (int64_t)w->objects;
}
static int64_t lists(const struct wm_fleet_watch *w)
{
    return (int64_t)w->stats.lists;
}
static int64_t watches(const struct wm_fleet_watch *w)
{
    return (int64_t)w->stats.watches;
}
static int64_t events(const struct wm_fleet_watch *w)
{
    return (int64_t)w->stats.events;
}
static int64_t errors(const struct wm_fleet_watch *w)
{
    return (int64_t)w->stats.errors;
}
static int64_t audits(const struct wm_fleet_watch *w)
{
    return (int64_t)w->stats.audits;
}
static int64_t differences(const struct wm_fleet_watch *w)
{
    return (int64_t)w->differences;
}
static int64_t stream_stalls(const struct wm_fleet_watch *w)
{
    return (int64_t)w->stats.stream_stalls;
}
static int64_t synced(const struct wm_fleet_watch *w)
{
    return w->stats.state == WM_WATCH_SYNCED || w->stats.state == WM_WATCH_ABSENT;
}
static int64_t silent_s(const struct wm_fleet_watch *w)
{
    return w->stats.last_heard_ms ? (wm_mono_ms() - w->stats.last_heard_ms) / 1000 : -1;
}

static const struct watch_family families[] = {
    {"waymark_objects", "gauge", "Objects known, by cluster, namespace and resource.", objects},
    {"waymark_watch_synced", "gauge", "1 when the resource was listed, and is watched or not installed.",
     synced},
    {"waymark_watch_lists_total", "counter", "Complete lists asked for.", lists},
    {"waymark_watch_starts_total", "counter", "Watches opened.", watches},
    {"waymark_watch_events_total", "counter", "Events received.", events},
    {"waymark_watch_errors_total", "counter", "Lists and watches that failed.", errors},
    {"waymark_audits_total", "counter",
     "Lists that were compared with what the watch had told, about one in 1 to 2 hours.", audits},
    {"waymark_audit_differences_total", "counter",
     "Objects that such a list found missing, surplus or different: what the watch had lost.", differences},
    {"waymark_watch_stream_stalls_total", "counter",
     "Times that nothing came for 10 s before a streamed list was complete.", stream_stalls},
    {"waymark_watch_silent_seconds", "gauge", "Since the last byte from the API server; -1 = never heard.",
     silent_s},
};

static void put_watches(struct wm_buf *out, struct wm_fleet *fleet)
{
    wm_auto_free struct wm_fleet_watch *w = wm_xcalloc(WM_SOURCES_MAX, sizeof *w);
    size_t n = wm_fleet_watches(fleet, w, WM_SOURCES_MAX);

    for (size_t k = 0; k < sizeof families / sizeof families[0]; k++) {
        wm_telemetry_head(out, families[k].name, families[k].type, families[k].help);
        for (size_t i = 0; i < n; i++) {
            wm_buf_puts(out, families[k].name);
            wm_buf_printf(out, RESOURCE_LABELS, w[i].cluster, w[i].namespace_, w[i].resource);
            wm_buf_int(out, families[k].value(&w[i]));
            wm_buf_puts(out, "\n");
        }
    }
}

static void put_follow(struct wm_buf *out, struct wm_follow *follow)
{
    struct wm_follow_stats s;

    wm_follow_stats(follow, &s);
    wm_telemetry_sample(out, "waymark_migrations", "gauge", "MigMigrations and VMMigrations known.",
                        (int64_t)s.migrations);
    wm_telemetry_sample(out, "waymark_migrations_unfinished", "gauge", "Those that have not ended.",
                        (int64_t)s.unfinished);
    wm_telemetry_sample(out, "waymark_judgements_total", "counter", "Migrations judged.", (int64_t)s.judged);
    wm_telemetry_sample(out, "waymark_writes_total", "counter", "Conditions, verdicts and reports written.",
                        (int64_t)s.writes);
    wm_telemetry_sample(out, "waymark_writes_refused_total", "counter",
                        "Patches that came too late (409, 422).", (int64_t)s.refused);
    wm_telemetry_sample(out, "waymark_writes_failed_total", "counter",
                        "Writes that failed for another reason.", (int64_t)s.failed);
    wm_telemetry_sample(out, "waymark_words_lost_total", "counter",
                        "Times that what we wrote was taken away.", (int64_t)s.lost);
    wm_telemetry_sample(out, "waymark_reports_made_anew_total", "counter",
                        "MigrationReports written again because others had deleted or changed them.",
                        (int64_t)s.reports_again);
    wm_telemetry_sample(out, "waymark_events_told_total", "counter", "Kubernetes Events told.",
                        (int64_t)s.events);
    wm_telemetry_sample(out, "waymark_turn_microseconds", "gauge",
                        "Duration of the last turn that had something to do.", s.turn_us);
}

static void put_repair(struct wm_buf *out, const struct wm_repair *repair)
{
    struct wm_repair_stats s;

    wm_repair_stats(repair, &s);
    wm_telemetry_sample(out, "waymark_labels_repaired_total", "counter",
                        "Objects given the labels that they lacked.", (int64_t)s.repaired);
    wm_telemetry_sample(out, "waymark_repairs_refused_total", "counter",
                        "Repairs that came too late (409, 422).", (int64_t)s.refused);
    wm_telemetry_sample(out, "waymark_repairs_failed_total", "counter",
                        "Repairs that failed for another reason.", (int64_t)s.failed);
    wm_telemetry_sample(out, "waymark_repairs_dropped_total", "counter",
                        "Objects for which the queue had no room.", (int64_t)s.dropped);
    wm_telemetry_sample(out, "waymark_repairs_due", "gauge", "Objects in the queue, that lack labels.",
                        (int64_t)s.due);
    wm_telemetry_sample(out, "waymark_repairs_waiting", "gauge",
                        "Objects in the queue, whose parent is not known.", (int64_t)s.waiting);
}

/* The unfinished ones, as many as a monitoring system can bear. */
struct phases {
    struct wm_buf *out;
    int64_t now_s;
    int left;
};

/* A MigMigration and a VMMigration may have one name. */
static void put_migration(struct wm_buf *out, const char *metric, enum wm_kind kind, const char *namespace_,
                          const char *name)
{
    wm_buf_printf(out, "%s{kind=\"%s\",namespace=\"%s\",migration=", metric, wm_kinds[kind].kind, namespace_);
    wm_json_quote(out, wm_str_of(name));
}

static void put_phase(void *ctx, const struct wm_record *r)
{
    struct phases *p = ctx;
    const struct wm_migration_state *m =
        r->kind == WM_KIND_VMMIGRATION ? &wm_vm_of(r)->m : wm_migration_of(r);

    if (p->left == 0 || m->over)
        return;
    p->left--;
    put_migration(p->out, "waymark_migration_phase_seconds", (enum wm_kind)r->kind, m->namespace_, m->name);
    wm_buf_puts(p->out, ",phase=");
    wm_json_quote(p->out, wm_str_of(m->phase));
    wm_buf_printf(p->out, "} %" PRId64 "\n", m->since_s ? p->now_s - m->since_s : -1);
}

static void put_phases(struct wm_buf *out, struct wm_fleet *fleet)
{
    struct wm_world w;
    struct phases p = {.out = out, .left = MAX_PHASES};

    wm_telemetry_head(
        out, "waymark_migration_phase_seconds", "gauge",
        "Since when an unfinished migration is in its phase, the first 100 of them; -1 = not known.");
    wm_fleet_lock(fleet);
    wm_fleet_world(fleet, &w);
    p.now_s = wm_world_now(&w, 0);
    wm_model_each_open(w.model, WM_KIND_MIGMIGRATION, put_phase, &p);
    wm_model_each_open(w.model, WM_KIND_VMMIGRATION, put_phase, &p);
    wm_fleet_unlock(fleet);
}

static void put_stall(void *ctx, enum wm_kind kind, const char *namespace_, const char *name,
                      const char *cause, int64_t since_s)
{
    struct phases *p = ctx;

    if (p->left-- <= 0)
        return;
    put_migration(p->out, "waymark_migration_stalled_since_seconds", kind, namespace_, name);
    wm_buf_printf(p->out, ",cause=\"%s\"} %" PRId64 "\n", cause, since_s);
}

static void put_stalls(struct wm_buf *out, struct wm_follow *follow)
{
    struct phases p = {.out = out, .left = MAX_PHASES};

    wm_telemetry_head(out, "waymark_migration_stalled_since_seconds", "gauge",
                      "Unix time since when a migration stands still, by its cause; the first 100 of them.");
    wm_follow_stalls(follow, put_stall, &p);
}

static unsigned metrics(void *ctx, struct wm_buf *out)
{
    const struct wm_telemetry_sources *from = ctx;

    wm_telemetry_head(out, "waymark_build_info", "gauge", "The version, always 1.");
    wm_buf_puts(out, "waymark_build_info{version=\"" WAYMARK_VERSION "\"} 1\n");
    put_watches(out, from->fleet);
    put_phases(out, from->fleet);
    put_stalls(out, from->follow);
    put_follow(out, from->follow);
    wm_telemetry_providers(out, from->fleet);
    if (from->reports)
        wm_telemetry_sample(out, "waymark_reports_installed", "gauge",
                            "0 when the definition of MigrationReports is not installed: none are written.",
                            wm_reports_installed(from->reports));
    if (from->repair)
        put_repair(out, from->repair);
    if (from->lease) {
        struct wm_lease_stats s;

        wm_lease_stats(from->lease, &s);
        wm_telemetry_sample(out, "waymark_leading", "gauge", "1 when this replica holds the Lease.",
                            s.leading);
        wm_telemetry_sample(out, "waymark_lease_conflicts_total", "counter",
                            "Attempts on the Lease that came too late.", (int64_t)s.conflicts);
    }
    if (from->canary)
        wm_telemetry_sample(
            out, "waymark_canary_misses_total", "counter",
            "Times that renewals of our Lease did not come back by a watch, and all were reconnected.",
            (int64_t)wm_canary_misses(from->canary));
    return 200;
}

/* --- health --- */

static void line(struct wm_buf *out, bool good, const char *what, const char *how)
{
    wm_buf_printf(out, "[%c]%s: %s\n", good ? '+' : '-', what, how);
}

/* A leader whose renewals stopped, without having noticed, is not alive. */
static unsigned healthz(void *ctx, struct wm_buf *out)
{
    const struct wm_telemetry_sources *from = ctx;
    struct wm_lease_stats s = {0};

    if (from->lease)
        wm_lease_stats(from->lease, &s);
    bool good = !s.leading || s.renewed_ms_ago < LEASE_STALE_MS;

    wm_buf_puts(out, good ? "ok\n" : "leads, and does not renew its Lease\n");
    return good ? 200 : 500;
}

static unsigned readyz(void *ctx, struct wm_buf *out)
{
    const struct wm_telemetry_sources *from = ctx;
    bool good = wm_fleet_synced(from->fleet);
    struct wm_world w;

    line(out, good, "host", good ? "synced" : "its first lists are under way");
    wm_fleet_lock(from->fleet);
    wm_fleet_world(from->fleet, &w);
    for (size_t i = 0; i < w.n_clusters; i++)
        if (w.clusters[i].name[0]) /* else its MigCluster is gone */
            wm_buf_printf(out, "[%c]cluster %s: %s%s%s\n", w.clusters[i].sight == WM_SIGHT_GOOD ? '+' : '!',
                          w.clusters[i].name, wm_sight_name(w.clusters[i].sight),
                          w.clusters[i].why[0] ? ", " : "", w.clusters[i].why);
    wm_fleet_unlock(from->fleet);
    if (from->lease) {
        struct wm_lease_stats s;

        wm_lease_stats(from->lease, &s);
        wm_buf_printf(out, "[+]lease: %s\n",
                      s.leading     ? "leads"
                      : s.holder[0] ? s.holder
                                    : "nobody leads yet");
    }
    wm_buf_puts(out, good ? "readyz check passed\n" : "readyz check failed\n");
    return good ? 200 : 503;
}

static const struct wm_page table[] = {
    {"/healthz", WM_PAGE_TEXT, healthz},
    {"/livez", WM_PAGE_TEXT, healthz},
    {"/readyz", WM_PAGE_TEXT, readyz},
    {"/metrics", WM_PAGE_METRICS, metrics},
};

int wm_telemetry_new(const char *address, int port, struct wm_telemetry_sources *from, struct wm_pages **ret,
                     struct wm_error *err)
{
    return wm_pages_new(address, port, table, sizeof table / sizeof table[0], from, ret, err);
}
