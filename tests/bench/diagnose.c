/* What it costs to judge one migration anew after an event, where there are ten and where there are a
 * thousand, all but ten of them over: it should depend on the migration, not on what else the clusters hold.
 */
#include <stdio.h>
#include <stdlib.h>

#include "tests/support/model_put.h"
#include "waymark/cause.h"
#include "waymark/clock.h"

enum { VOLUMES = 8, RUNNING = 10, ROUNDS = 4000, NOW = 1795290000 };
#define NS "\"namespace\":\"openshift-migration\""

struct world {
    struct wm_model *model;
    struct model_sources sources;
    struct wm_cluster_view clusters[3];
    struct wm_world w;
    size_t n;
    struct wm_pulse pulses[RUNNING];
    struct wm_volume_marks marks[RUNNING];
};

static void put(struct world *w, uint8_t cluster, enum wm_kind kind, const char *json)
{
    if (!model_put(&w->sources, w->model, cluster, kind, json))
        abort();
}

static void put_clusters(struct world *w)
{
    static const char *const names[] = {"host", "source", "target"};
    char json[512];

    for (size_t i = 0; i < 3; i++) {
        w->clusters[i] = (struct wm_cluster_view){.name = names[i], .sight = WM_SIGHT_GOOD, .why = ""};
        snprintf(json, sizeof json,
                 "{\"metadata\":{" NS ",\"name\":\"%s\",\"uid\":\"c%zu\"},\"spec\":{\"isHostCluster\":%s}}",
                 names[i], i, i ? "false" : "true");
        put(w, 0, WM_KIND_MIGCLUSTER, json);
    }
}

static void put_volume(struct world *w, size_t i, size_t v, bool backup, uint8_t cluster)
{
    const char *kind = backup ? "Backup" : "Restore";
    char json[1024];

    snprintf(
        json, sizeof json,
        "{\"metadata\":{" NS
        ",\"name\":\"%c%zu-%zu\",\"uid\":\"%cv%zu-%zu\",\"ownerReferences\":[{\"kind\":\"%s\","
        "\"name\":\"x\",\"uid\":\"%s%zu\",\"controller\":true}]},\"spec\":{\"volume\":\"html\"},\"status\":{"
        "\"phase\":\"%s\",\"progress\":{\"bytesDone\":1000,\"totalBytes\":9000000}}}",
        kind[0], i, v, kind[0], i, v, kind, kind, i, backup || i >= RUNNING ? "Completed" : "InProgress");
    put(w, cluster, backup ? WM_KIND_PVB : WM_KIND_PVR, json);
}

/* A plan, its running migration, a Backup and a Restore, and their volumes: twenty objects. */
static void put_migration(struct world *w, size_t i)
{
    char json[2048];

    snprintf(json, sizeof json,
             "{\"metadata\":{" NS
             ",\"name\":\"plan-%zu\",\"uid\":\"p%zu\"},\"spec\":{\"srcMigClusterRef\":{\"name\":"
             "\"source\"},\"destMigClusterRef\":{\"name\":\"target\"},\"namespaces\":[\"app-%zu\"]}}",
             i, i, i);
    put(w, 0, WM_KIND_MIGPLAN, json);
    snprintf(
        json, sizeof json,
        "{\"metadata\":{" NS
        ",\"name\":\"m-%zu\",\"uid\":\"m%zu\",\"ownerReferences\":[{\"kind\":\"MigPlan\",\"name\":"
        "\"plan-%zu\",\"uid\":\"p%zu\"}]},\"spec\":{\"stage\":true,\"migPlanRef\":{\"name\":\"plan-%zu\","
        "\"namespace\":\"openshift-migration\"}},\"status\":{\"phase\":\"%s\",\"itinerary\":"
        "\"Stage\",\"conditions\":[{\"type\":\"Running\",\"status\":\"True\",\"category\":\"Advisory\","
        "\"reason\":"
        "\"StageRestoreCreated\",\"lastTransitionTime\":\"2026-11-22T00:19:00Z\"}]}}",
        i, i, i, i, i, i < RUNNING ? "StageRestoreCreated" : "Completed");
    put(w, 0, WM_KIND_MIGMIGRATION, json);
    for (int backup = 0; backup < 2; backup++) {
        snprintf(json, sizeof json,
                 "{\"metadata\":{" NS
                 ",\"name\":\"%s-%zu\",\"uid\":\"%s%zu\",\"labels\":{\"migmigration\":\"m%zu\",\"%s\":"
                 "\"m%zu\"}},\"status\":{\"phase\":\"%s\"}}",
                 backup ? "b" : "r", i, backup ? "Backup" : "Restore", i, i,
                 backup ? "migration-stage-backup" : "migration-stage-restore", i,
                 backup || i >= RUNNING ? "Completed" : "InProgress");
        put(w, backup ? 1 : 2, backup ? WM_KIND_BACKUP : WM_KIND_RESTORE, json);
        for (size_t v = 0; v < VOLUMES; v++)
            put_volume(w, i, v, backup, backup ? 1 : 2);
    }
    if (i >= RUNNING)
        return;
    snprintf(json, sizeof json,
             "{\"metadata\":{\"namespace\":\"app-%zu\",\"name\":\"stage\",\"uid\":\"s%zu\",\"labels\":{"
             "\"migration.openshift.io/"
             "is-stage-pod\":\"True\",\"migmigration\":\"m%zu\"}},\"status\":{\"phase\":\"Running\"}}",
             i, i, i);
    put(w, 2, WM_KIND_POD, json);
}

static struct world *build(size_t n)
{
    struct world *w = calloc(1, sizeof *w);

    w->model = wm_model_new(
        &(struct wm_model_conf){.detail = wm_detail_of, .detail_done = wm_detail_done, .over = wm_is_over});
    put_clusters(w);
    for (size_t i = 0; i < n; i++)
        put_migration(w, i);
    w->n = n;
    w->w = (struct wm_world){w->model, w->clusters, 3, NOW, 3600};
    return w;
}

/* Microseconds of CPU for an event of a volume, and for judging its migration anew. */
static double measure(struct world *w)
{
    static struct wm_situation s;
    static struct wm_look look;
    static struct wm_diagnosis d;
    struct wm_thresholds thresholds;
    char uid[32];

    wm_thresholds_default(&thresholds);
    int64_t begin_us = wm_thread_cpu_us();

    for (size_t round = 0; round < ROUNDS; round++) {
        size_t i = round * 7919 % RUNNING;

        put_volume(w, i, round % VOLUMES, false, 2);
        snprintf(uid, sizeof uid, "m%zu", i);
        wm_situation_of(&w->w, wm_model_find(w->model, 0, wm_id_of(wm_str_of(uid))), &s);
        wm_look_around(&w->w, &s, &thresholds, &look);
        w->pulses[i].marks = &w->marks[i];
        wm_pulse_feel(&w->pulses[i], &w->w, &s);
        look.still_since_s = NOW - 5;
        look.marks = &w->marks[i];
        wm_diagnose(&look, &d);
    }
    return (double)(wm_thread_cpu_us() - begin_us) / ROUNDS;
}

int main(void)
{
    static const size_t sizes[] = {10, 100, 1000};
    double first = 0;

    printf("%10s  %12s  %s\n", "migrations", "us an event", "ratio");
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct world *w = build(sizes[i]);
        double us = measure(w);

        first = first > 0 ? first : us;
        printf("%10zu  %12.1f  %.2f\n", sizes[i], us, us / first);
        wm_model_free(w->model);
        for (size_t k = 0; k < RUNNING; k++)
            wm_volume_marks_done(&w->marks[k]);
        free(w);
    }
    return 0;
}
