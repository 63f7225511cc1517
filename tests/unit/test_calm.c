/* Where all is well nothing is said to stand still: every phase of every itinerary in its first minute, with
 * clocks of clusters that are minutes apart. */
#include <stdio.h>

#include "diagnosis_world.h"
#include "tests/support/model_put.h"
#include "unit.h"
#include "waymark/cause.h"
#include "waymark/time.h"
#include "waymark/vm.h"

enum { MINUTES_5 = 300, A_MINUTE = 60 };

static const int64_t begun_s = 1795290000; /* 2026-11-22T00:20:00Z */

static const struct row {
    const char *name;
    int64_t source_s, target_s; /* their clocks, ahead of ours */
} rows[] = {
    {"clocks agree", 0, 0},
    {"the source is ahead, the target behind", MINUTES_5, -MINUTES_5},
    {"the source is behind, the target ahead", -MINUTES_5, MINUTES_5},
};

/* --- what there is --- */

#define MIGRATION                                                                                            \
    "{\"kind\":\"MigMigration\",\"metadata\":{\"namespace\":\"openshift-migration\",\"name\":\"m\",\"uid\":" \
    "\"m\",\"creationTimestamp\":\"%s\",\"annotations\":{\"openshift.io/touch\":\"1\"}},\"spec\":{"          \
    "\"migPlanRef\":{\"name\":\"nginx-plan\",\"namespace\":\"openshift-migration\"},\"stage\":%s,"           \
    "\"quiescePods\":true},\"status\":{\"phase\":\"%s\",\"itinerary\":\"%s\",\"startTimestamp\":\"%s\","     \
    "\"conditions\":[{\"type\":\"Running\",\"status\":\"True\",\"category\":\"Advisory\",\"reason\":\"%s\"," \
    "\"lastTransitionTime\":\"%s\"}]}}"
#define RESTORE                                                                                              \
    "{\"metadata\":{\"namespace\":\"openshift-migration\",\"name\":\"r\",\"uid\":\"r\","                     \
    "\"creationTimestamp\""                                                                                  \
    ":\"%s\",\"labels\":{\"migmigration\":\"m\",\"migration-stage-restore\":\"m\"}},\"status\":{\"phase\":"  \
    "\"InProgress\",\"startTimestamp\":\"%s\"}}"
/* No node agent has taken it up yet. */
#define VOLUME                                                                                               \
    "{\"metadata\":{\"namespace\":\"openshift-migration\",\"name\":\"v\",\"uid\":\"v\","                     \
    "\"creationTimestamp\""                                                                                  \
    ":\"%s\",\"ownerReferences\":[{\"kind\":\"Restore\",\"name\":\"r\",\"uid\":\"r\",\"controller\":true}]}" \
    ","                                                                                                      \
    "\"spec\":{\"volume\":\"html\"},\"status\":{}}"

static void put_work(struct model_sources *sources, struct wm_model *m, const struct row *r,
                     enum wm_itinerary it, const struct wm_phase *phase)
{
    char json[4096], here[WM_TIME_SIZE], there[WM_TIME_SIZE];

    wm_time_print(begun_s, here);
    wm_time_print(begun_s + r->target_s, there);
    snprintf(json, sizeof json, MIGRATION, here, it == WM_ITINERARY_STAGE ? "true" : "false", phase->name,
             wm_itinerary_name(it), here, phase->name, here);
    model_put(sources, m, 0, WM_KIND_MIGMIGRATION, json);
    if (phase->waits_for != WM_WAIT_RESTORE)
        return;
    snprintf(json, sizeof json, RESTORE, there, there);
    model_put(sources, m, 2, WM_KIND_RESTORE, json);
    snprintf(json, sizeof json, VOLUME, there);
    model_put(sources, m, 2, WM_KIND_PVR, json);
}

/* --- judging --- */

static void expect_calm(const struct world *w, const struct wm_record *migration, int64_t from_s,
                        int64_t after_s, struct wm_diagnosis *d)
{
    static struct wm_situation situation;
    static struct wm_look look;
    struct wm_thresholds thresholds;
    struct wm_world at = w->world;

    at.now_s = from_s + after_s;
    wm_thresholds_default(&thresholds);
    wm_situation_of(&at, migration, &situation);
    wm_look_around(&at, &situation, &thresholds, &look);
    look.still_since_s = from_s;
    wm_diagnose(&look, d);
    for (size_t i = 0; i < d->n; i++)
        if (d->findings[i].cause->weight <= WM_THREATENS)
            fail_msg("%s in %s after %d s", d->findings[i].cause->id, situation.state->phase, (int)after_s);
}

static void check_phase(struct world *w, const struct row *r, enum wm_itinerary it,
                        const struct wm_phase *phase)
{
    static struct wm_diagnosis d;
    struct wm_model *m = wm_model_new(
        &(struct wm_model_conf){.detail = wm_detail_of, .detail_done = wm_detail_done, .over = wm_is_over});
    struct model_sources sources = {0};

    for (size_t i = 0; i < w->n; i++)
        model_put(&sources, m, w->objects[i].cluster, w->objects[i].kind, w->objects[i].json);
    put_work(&sources, m, r, it, phase);
    w->world.model = m;
    const struct wm_record *migration = wm_model_find(m, 0, wm_id_of(wm_str_of("m")));

    expect_calm(w, migration, begun_s, 1, &d);
    if (d.again_s) {
        assert_true(d.again_s >= begun_s + A_MINUTE);
        expect_calm(w, migration, begun_s, d.again_s - begun_s - 1, &d);
    }
    wm_model_free(m);
}

static void check_row(void **state)
{
    const struct row *r = *state;
    wm_auto_json cJSON *root = cJSON_Parse("{\"now\":\"2026-11-22T00:20:00Z\"}");
    struct world *w = diagnosis_world_read(DIAGNOSIS_FOLDER "/base", root);

    w->clusters[1].offset_s = r->source_s;
    w->clusters[2].offset_s = r->target_s;
    for (int it = WM_ITINERARY_NONE + 1; it < WM_ITINERARY_VM; it++)
        for (int step = 1; step <= wm_itinerary_steps((enum wm_itinerary)it); step++) {
            const struct wm_phase *phase = wm_itinerary_phase((enum wm_itinerary)it, step);

            if (strcmp(phase->name, "Completed") != 0 && phase->name[0])
                check_phase(w, r, (enum wm_itinerary)it, phase);
        }
    diagnosis_world_free(w);
}

/* --- VMMigrations --- */

#define VM_T "2026-11-21T19:00:00Z"
static const int64_t vm_begun_s = 1795287600; /* VM_T */

#define VM_MIGRATION                                                                                         \
    "{\"kind\":\"VMMigration\",\"metadata\":{\"namespace\":\"vm\",\"name\":\"m\",\"uid\":\"m\","             \
    "\"creationTimestamp\":\"" VM_T "\"},\"spec\":{\"source\":{\"vmRef\":{\"name\":\"web\"}},\"target\":{"   \
    "\"name\":\"web-new\",\"providerRef\":{\"name\":\"lv\"}},\"storage\":{\"type\":\"pvc\",\"pvc\":{"        \
    "\"storageClassName\":\"nfs\",\"size\":\"50Gi\"}}},\"status\":{\"phase\":\"%s\",\"startTime\":\"" VM_T   \
    "\","                                                                                                    \
    "\"storagePVCName\":\"web-storage\",\"conditions\":[%s]}}"
#define WAITS(reason)                                                                                        \
    "{\"type\":\"Validating\",\"status\":\"False\",\"reason\":\"" reason "\",\"lastTransitionTime\":\"" VM_T \
    "\"}"
#define DONE(type, reason)                                                                                   \
    "{\"type\":\"" type "\",\"status\":\"True\",\"reason\":\"" reason "\",\"lastTransitionTime\":\"" VM_T    \
    "\"}"

/* Each step as it looks at its beginning, and for how long it may look so. */
static const struct vm_row {
    const char *name, *base, *phase, *conditions;
    int calm_s;
} vm_rows[] = {
    {"created", "vm-idle", "", "", A_MINUTE},
    {"pending", "vm-idle", "Pending", "", A_MINUTE},
    {"validating begins", "vm-idle", "Validating", "", 2 * A_MINUTE},
    {"the source machine is not known yet", "vm-idle", "Validating", WAITS("SourceVMNotReady"), A_MINUTE},
    {"the new pods start", "vm-rolling", "Validating", WAITS("WaitingForStorageMount"), A_MINUTE},
    {"the new pods are ready", "vm-mounted", "Validating", WAITS("WaitingForStorageMount"), A_MINUTE},
    {"snapshotting", "vm-mounted", "Snapshotting", DONE("Validating", "ValidationComplete"), 10 * A_MINUTE},
    {"exporting", "vm-mounted", "Exporting", DONE("Snapshotting", "SnapshotComplete"), WM_VM_COPY_S / 4 * 3},
    {"importing", "vm-mounted", "Importing", DONE("Exporting", "ExportComplete"), WM_VM_COPY_S / 4 * 3},
    {"creating", "vm-mounted", "Creating", DONE("Importing", "ImportComplete"), 10 * A_MINUTE},
    {"validating the target", "vm-mounted", "Validating-Target", "", 10 * A_MINUTE},
};

static void check_vm_row(void **state)
{
    static struct wm_diagnosis d;
    const struct vm_row *r = *state;
    char json[4096];
    wm_auto_json cJSON *root = cJSON_CreateObject();
    struct wm_model *m = wm_model_new(
        &(struct wm_model_conf){.detail = wm_detail_of, .detail_done = wm_detail_done, .over = wm_is_over});
    struct model_sources sources = {0};

    cJSON_AddStringToObject(root, "base", r->base);
    struct world *w = diagnosis_world_read(DIAGNOSIS_FOLDER "/none", root);

    for (size_t i = 0; i < w->n; i++)
        if (w->objects[i].kind != WM_KIND_VMMIGRATION)
            model_put(&sources, m, w->objects[i].cluster, w->objects[i].kind, w->objects[i].json);
    snprintf(json, sizeof json, VM_MIGRATION, r->phase, r->conditions);
    const struct wm_record *migration = model_put(&sources, m, 0, WM_KIND_VMMIGRATION, json);

    w->world.model = m;
    for (int after_s = 1; after_s < r->calm_s; after_s += r->calm_s - 2)
        expect_calm(w, migration, vm_begun_s, after_s, &d);
    wm_model_free(m);
    diagnosis_world_free(w);
}

int main(void)
{
    return RUN_TABLE("calm", rows, check_row) + RUN_TABLE("calm VMMigrations", vm_rows, check_vm_row);
}
