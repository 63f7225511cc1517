#include "run.h"

#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "reports.h"
#include "telemetry.h"
#include "waymark/address.h"
#include "waymark/clock.h"
#include "waymark/host.h"
#include "waymark/log.h"

enum {
    TURN_MS = 200,
    LOOK_MS = 20,
    TICK_MS = 1000,
    FIRST_TICK_MS = 100,
    IDLE_MS = 10000,
    RELEASE_MS = 600000,
    LARGE_BLOCK = 64 << 10,
    HEAP_STEP = 1 << 20
};

static const char USER_AGENT[] = "waymark-aggregator/" WAYMARK_VERSION;

struct running {
    const struct wm_settings *settings;
    struct wm_kube *own; /* of the Lease and of Events: never behind long lists or other writes */
    struct wm_fleet *fleet;
    struct wm_follow *follow;
    struct wm_label_conf labels;
    struct wm_reports *reports; /* NULL = none are kept */
    struct wm_repair *repair;   /* NULL = labels are not repaired */
    struct wm_events *events;
    struct wm_lease *lease;
    struct wm_canary *canary;
    struct wm_telemetry_sources telemetry;
    struct wm_pages *pages;
};

static bool may_write(void *ctx)
{
    const struct running *r = ctx;

    return !r->settings->leader_election || (r->lease && wm_lease_holds(r->lease));
}

/* --- starting --- */

static int load_access(const struct running *r, struct wm_kube_access *ret, struct wm_error *err)
{
    int rc = wm_kube_access_load(r->settings->kubeconfig, r->settings->context, ret, err);

    return rc < 0 ? wm_fail_in(err, "no way to the host cluster") : WM_OK;
}

static int start_own(struct running *r, struct wm_error *err)
{
    struct wm_kube_access access = {0};
    struct wm_kube_opts opts = {.user_agent = USER_AGENT};
    int rc = load_access(r, &access, err);

    if (rc == WM_OK)
        rc = wm_kube_new(&access, &opts, &r->own, err);
    wm_kube_access_done(&access);
    return rc;
}

static int start_follow(struct running *r, struct wm_error *err)
{
    const struct wm_settings *s = r->settings;
    struct wm_repair_opts repair = {&r->labels, s->repair_per_s, may_write, r};
    struct wm_follow_opts opts = {
        .conditions = s->conditions,
        .verdicts = s->verdicts,
        .reports = s->reports,
        .events = s->events,
        .labels = s->repair_per_s ? &r->labels : NULL,
        .may_write = may_write,
        .ctx = r,
    };
    int rc = wm_label_settings_conf(&s->labels, &r->labels, err);

    if (rc == WM_OK)
        rc = wm_settings_thresholds(s, &opts.thresholds, err);
    if (rc < 0)
        return rc;
    r->follow = wm_follow_new(&opts);
    if (s->repair_per_s)
        r->repair = wm_repair_new(&repair);
    return WM_OK;
}

static int start_events(struct running *r, struct wm_error *err)
{
    const char *pod = wm_env("HOSTNAME");
    struct wm_events_opts opts = {
        .kube = r->own,
        .controller = "waymark.io/aggregator",
        .instance = pod ? pod : "waymark-aggregator",
        .may_write = may_write,
        .ctx = r,
        .per_object_s = 0,
        .per_object_hour = 60,
    };

    return r->settings->events ? wm_events_new(&opts, &r->events, err) : WM_OK;
}

static int add_remotes(struct running *r, struct wm_error *err)
{
    const struct wm_option_list *list = &r->settings->remotes;

    for (size_t i = 0; i < list->n; i++) {
        const char *file = strchr(list->items[i], '=');
        struct wm_kube_access access = {0};

        if (!file || file == list->items[i] || !file[1])
            return wm_fail(err, WM_E_INVALID, "remotes", "'%s' is not NAME=FILE", list->items[i]);
        wm_auto_free char *name =
            wm_xstrndup((struct wm_str){list->items[i], (size_t)(file - list->items[i])});
        int rc = wm_kube_access_load(file + 1, NULL, &access, err);

        if (rc == WM_OK)
            rc = wm_fleet_add(r->fleet, name, &access, err);
        wm_kube_access_done(&access);
        if (rc < 0)
            return wm_fail_in(err, "remote %s", name);
    }
    return WM_OK;
}

static void on_changed(void *ctx, struct wm_id migration)
{
    const struct running *r = ctx;

    wm_follow_changed(r->follow, migration);
}

static void on_all_changed(void *ctx)
{
    const struct running *r = ctx;

    wm_follow_all_changed(r->follow);
}

static void on_object(void *ctx, const struct wm_record *record, const struct wm_reading *object, bool live)
{
    const struct running *r = ctx;

    wm_follow_object(r->follow, record, object, live);
    /* A migration's labels follow its spec, too, and wait for a moment that does not disturb its controller.
     */
    if (r->repair &&
        (record->relabelled || record->kind == WM_KIND_MIGMIGRATION || record->kind == WM_KIND_VMMIGRATION))
        wm_repair_object(r->repair, record, object);
}

static int start_fleet(struct running *r, struct wm_error *err)
{
    struct wm_kube_access access = {0};
    struct wm_gap_marks gap_marks;
    struct wm_thresholds thresholds;
    struct wm_fleet_opts opts = {
        .user_agent = USER_AGENT,
        .gap_marks = &gap_marks,
        .namespace_ = r->settings->migration_namespace,
        .pod_volume_timeout_s = r->settings->pod_volume_timeout_s,
        .changed = on_changed,
        .all_changed = on_all_changed,
        .object = on_object,
        .ctx = r,
    };
    int rc = wm_settings_gap_marks(r->settings, &gap_marks, err);

    if (rc == WM_OK)
        rc = wm_settings_thresholds(r->settings, &thresholds, err);
    if (rc < 0)
        return rc;
    opts.signal_s = thresholds.s[WM_T_SIGNAL];
    opts.rollout_s = thresholds.s[WM_T_ROLLOUT];
    rc = load_access(r, &access, err);
    if (rc == WM_OK)
        rc = wm_fleet_new(&opts, &access, &r->fleet, err);
    wm_kube_access_done(&access);
    return rc < 0 ? rc : add_remotes(r, err);
}

static int start_reports(struct running *r, struct wm_error *err)
{
    return r->settings->reports ? wm_reports_new(wm_fleet_kube(r->fleet, 0), r->follow, &r->reports, err)
                                : WM_OK;
}

/* What another leader wrote meanwhile is looked at anew. */
static void on_leading(void *ctx, bool leading)
{
    struct running *r = ctx;

    wm_log(WM_LOG_INFO, leading ? "leading" : "following");
    if (leading)
        wm_follow_again(r->follow);
}

static const char *lease_namespace(const struct running *r)
{
    const char *given = r->settings->namespace_;

    return given ? given : wm_kube_namespace(r->own);
}

static int start_lease(struct running *r, struct wm_error *err)
{
    const struct wm_settings *s = r->settings;
    struct wm_lease_opts opts = {
        .kube = r->own,
        .namespace_ = lease_namespace(r),
        .name = s->lease,
        .changed = on_leading,
        .ctx = r,
    };

    return s->leader_election ? wm_lease_new(&opts, &r->lease, err) : WM_OK;
}

static int start_canary(struct running *r, struct wm_error *err)
{
    struct wm_canary_opts opts = {.watched = wm_fleet_kube(r->fleet, 0),
                                  .lease = r->lease,
                                  .namespace_ = lease_namespace(r),
                                  .name = r->settings->lease};

    return r->lease ? wm_canary_new(&opts, &r->canary, err) : WM_OK;
}

static int start_pages(struct running *r, struct wm_error *err)
{
    char address[WM_ADDRESS_MAX];
    int port, rc = wm_address_split(r->settings->health_listen, address, &port, err);

    if (rc < 0)
        return wm_fail_in(err, "health-listen");
    r->telemetry = (struct wm_telemetry_sources){r->fleet,  r->follow, r->reports, r->repair,
                                                 r->events, r->lease,  r->canary};
    return wm_telemetry_new(address, port, &r->telemetry, &r->pages, err);
}

static int start(struct running *r, struct wm_error *err)
{
    static int (*const steps[])(struct running *,
                                struct wm_error *) = {start_own,     start_follow, start_events, start_fleet,
                                                      start_reports, start_lease,  start_canary, start_pages};

    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        int rc = steps[i](r, err);

        if (rc < 0)
            return rc;
    }
    return WM_OK;
}

/* --- running --- */

static bool is_told_to_stop(const sigset_t *signals, int wait_ms)
{
    const struct timespec wait = {.tv_nsec = wait_ms * 1000000L};

    return sigtimedwait(signals, NULL, &wait) > 0;
}

/* What was released has to be fetched again by whoever works next, and people wait for him: so it is done
 * when nobody has worked for a while, or not for very long. */
struct work {
    int64_t last_ms, released_ms;
};

static void release(struct work *w, int64_t now_ms)
{
    bool worked = w->last_ms > w->released_ms;

    if (worked && (now_ms - w->last_ms >= IDLE_MS || now_ms - w->released_ms >= RELEASE_MS)) {
        wm_memory_release();
        w->released_ms = now_ms;
    }
}

static void turns(struct running *r, const sigset_t *signals)
{
    int64_t tick_ms = 0, begin_ms = wm_mono_ms();
    struct work work = {begin_ms, begin_ms - 1};
    bool ready = false;

    /* As long as lists come in, each of their objects would wake us for nothing. */
    while (!is_told_to_stop(signals, ready ? 0 : LOOK_MS)) {
        int64_t now_ms = wm_mono_ms();

        if (now_ms >= tick_ms) {
            wm_fleet_tick(r->fleet);
            wm_canary_tick(r->canary);
            tick_ms = now_ms + (ready ? TICK_MS : FIRST_TICK_MS);
        }
        ready = wm_fleet_synced(r->fleet) && wm_reports_looked(r->reports);
        if (ready) {
            if (wm_follow_turn(r->follow, r->fleet, r->events))
                work.last_ms = now_ms;
            if (r->repair)
                wm_repair_turn(r->repair, r->fleet);
        }
        release(&work, now_ms);
        if (ready)
            wm_follow_wait(r->follow, TURN_MS);
    }
}

static void stop(struct running *r)
{
    r->pages = wm_pages_free(r->pages);
    r->events = wm_events_free(r->events);
    r->canary = wm_canary_free(r->canary);
    r->lease = wm_lease_free(r->lease);
    r->reports = wm_reports_free(r->reports);
    r->fleet = wm_fleet_free(r->fleet);
    r->follow = wm_follow_free(r->follow);
    r->repair = wm_repair_free(r->repair);
    r->own = wm_kube_free(r->own);
}

int wm_run(const struct wm_settings *settings, struct wm_error *err)
{
    struct running r = {.settings = settings};
    sigset_t signals;

    mallopt(M_MMAP_THRESHOLD, LARGE_BLOCK);
    /* one heap, that grows by many pages at a time: those of threads grow page by page, a system call each */
    mallopt(M_ARENA_MAX, 1);
    mallopt(M_TOP_PAD, HEAP_STEP);
    mallopt(M_TRIM_THRESHOLD, 2 * HEAP_STEP);
    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    int rc = start(&r, err);

    if (rc == WM_OK) {
        wm_log(WM_LOG_INFO, "running", WM_F("version", WAYMARK_VERSION),
               WM_FI("health_port", wm_pages_port(r.pages)), WM_F("host", wm_kube_server(r.own)));
        turns(&r, &signals);
    }
    stop(&r);
    if (rc == WM_OK)
        wm_log(WM_LOG_INFO, "stopped");
    return rc;
}
