/* What counts as progress of a migration, and what does not. */
#include "tests/support/model_put.h"
#include "unit.h"
#include "waymark/cause.h"

#define MIGRATION                                                                                            \
    "{\"kind\":\"MigMigration\",\"metadata\":{\"name\":\"m\",\"namespace\":\"n\",\"uid\":\"0a1b2c3d-1\","    \
    "\"creationTimestamp\":\"2026-11-21T18:00:00Z\"},"                                                       \
    "\"status\":{\"phase\":\"WaitForDirectVolumeMigrationToComplete\",\"itinerary\":\"Stage\"}}"
#define VOLUMES                                                                                              \
    "{\"kind\":\"DirectVolumeMigration\",\"metadata\":{\"name\":\"d\",\"namespace\":\"n\","                  \
    "\"uid\":\"0a1b2c3d-2\",\"labels\":{\"migmigration\":\"0a1b2c3d-1\"}},"                                  \
    "\"status\":{\"phase\":\"RunRsyncOperations\"}}"
#define VOLUME(status)                                                                                       \
    "{\"kind\":\"DirectVolumeMigrationProgress\",\"metadata\":{\"name\":\"p\",\"namespace\":\"n\","          \
    "\"uid\":\"0a1b2c3d-3\",\"labels\":{\"directvolumemigration\":\"0a1b2c3d-2\"}},"                         \
    "\"status\":{\"phase\":\"Running\"," status "}}"

struct look {
    const char *name, *before, *after;
    bool moved;
};

static const struct look looks[] = {
    {"nothing", VOLUME("\"totalProgressPercentage\":\"45%\""), VOLUME("\"totalProgressPercentage\":\"45%\""),
     false},
    {"a percent", VOLUME("\"totalProgressPercentage\":\"45%\""),
     VOLUME("\"totalProgressPercentage\":\"46%\""), true},
    {"a percent of older releases", VOLUME("\"lastObservedProgressPercent\":\"45%\""),
     VOLUME("\"lastObservedProgressPercent\":\"46%\""), true},
    {"another rate: a percent of a large volume takes long",
     VOLUME("\"totalProgressPercentage\":\"45%\",\"lastObservedTransferRate\":\"12.5MB/s\""),
     VOLUME("\"totalProgressPercentage\":\"45%\",\"lastObservedTransferRate\":\"12.6MB/s\""), true},
    {"the clock alone", VOLUME("\"totalProgressPercentage\":\"45%\",\"rsyncElapsedTime\":\"1m\""),
     VOLUME("\"totalProgressPercentage\":\"45%\",\"rsyncElapsedTime\":\"2m\""), false},
};

static void check_look(void **state)
{
    static struct wm_situation s;
    const struct look *look = *state;
    struct wm_model *m = wm_model_new(
        &(struct wm_model_conf){.detail = wm_detail_of, .detail_done = wm_detail_done, .over = wm_is_over});
    struct model_sources sources = {0};
    struct wm_pulse pulse = {0};
    const struct wm_cluster_view host = {.name = "host", .sight = WM_SIGHT_GOOD, .why = ""};
    struct wm_world w = {.model = m, .clusters = &host, .n_clusters = 1, .now_s = 1795287600};
    const struct wm_record *migration = model_put(&sources, m, 0, WM_KIND_MIGMIGRATION, MIGRATION);

    assert_non_null(migration);
    model_put(&sources, m, 0, WM_KIND_DVM, VOLUMES);
    model_put(&sources, m, 0, WM_KIND_DVMP, look->before);
    migration = wm_model_find(m, 0, wm_id_of(wm_str_of("0a1b2c3d-1")));
    wm_situation_of(&w, migration, &s);
    assert_true(wm_pulse_feel(&pulse, &w, &s));
    model_put(&sources, m, 0, WM_KIND_DVMP, look->after);
    wm_situation_of(&w, migration, &s);
    assert_int_equal(wm_pulse_feel(&pulse, &w, &s), look->moved);
    wm_model_free(m);
}

/* --- virtual machines --- */

#define MACHINES(name, uid) "\"metadata\":{\"name\":\"" name "\",\"namespace\":\"n\",\"uid\":\"" uid "\""
#define MOVE(phase, rest)                                                                                    \
    "{" MACHINES("web", "0a1b2c3d-1") "},\"spec\":{\"source\":{\"vmRef\":{\"name\":\"web\"},"                \
                                      "\"providerRef\":{\"name\":\"vs\"}},\"target\":{\"name\":\"new\","     \
                                      "\"providerRef\":{\"name\":\"lv\"}},\"storage\":{\"type\":\"pvc\"}},"  \
                                      "\"status\":{\"phase\":\"" phase "\"" rest "}}"
#define WAITS(message)                                                                                       \
    ",\"conditions\":[{\"type\":\"Validating\",\"status\":\"False\",\"reason\":\"WaitingForStorageMount\","  \
    "\"message\":\"" message "\"}]"
#define SERVER(ready)                                                                                        \
    "{" MACHINES("virtrigaud-provider-n-vs", "0a1b2c3d-3") "},\"spec\":{\"replicas\":1},\"status\":{"        \
                                                           "\"readyReplicas\":" ready "}}"
#define MACHINE(phase) "{" MACHINES("new", "0a1b2c3d-4") "},\"status\":{\"phase\":\"" phase "\"}}"
#define CLAIM(phase) "{" MACHINES("web-storage", "0a1b2c3d-5") "},\"status\":{\"phase\":\"" phase "\"}}"

struct vm_look {
    const char *name, *migration[2]; /* before and after */
    enum wm_kind kind;               /* of what else there is */
    const char *other[2];
    bool moved;
};

static const struct vm_look vm_looks[] = {
    {"nothing", {MOVE("Exporting", ""), MOVE("Exporting", "")}, WM_KIND_NONE, {NULL, NULL}, false},
    {"a phase", {MOVE("Exporting", ""), MOVE("Importing", "")}, WM_KIND_NONE, {NULL, NULL}, true},
    {"another attempt",
     {MOVE("Pending", ""), MOVE("Pending", ",\"retryCount\":1")},
     WM_KIND_NONE,
     {NULL, NULL},
     true},
    {"how far the rollout is, in VirtRigaud's words",
     {MOVE("Validating", WAITS("updated 0/1")), MOVE("Validating", WAITS("updated 1/1"))},
     WM_KIND_NONE,
     {NULL, NULL},
     true},
    {"a provider while it is waited for",
     {MOVE("Validating", WAITS("m")), MOVE("Validating", WAITS("m"))},
     WM_KIND_DEPLOYMENT,
     {SERVER("0"), SERVER("1")},
     true},
    {"a provider while it exports: another's rollout",
     {MOVE("Exporting", ""), MOVE("Exporting", "")},
     WM_KIND_DEPLOYMENT,
     {SERVER("0"), SERVER("1")},
     false},
    {"the new machine",
     {MOVE("Creating", ""), MOVE("Creating", "")},
     WM_KIND_MACHINE,
     {MACHINE("Pending"), MACHINE("Running")},
     true},
    {"the new machine before its time",
     {MOVE("Importing", ""), MOVE("Importing", "")},
     WM_KIND_MACHINE,
     {MACHINE("Pending"), MACHINE("Running")},
     false},
    {"the PVC",
     {MOVE("Validating", WAITS("m")), MOVE("Validating", WAITS("m"))},
     WM_KIND_PVC,
     {CLAIM("Pending"), CLAIM("Bound")},
     true},
};

static void check_vm_look(void **state)
{
    static struct wm_situation s;
    const struct vm_look *look = *state;
    struct wm_model *m = wm_model_new(
        &(struct wm_model_conf){.detail = wm_detail_of, .detail_done = wm_detail_done, .over = wm_is_over});
    struct model_sources sources = {0};
    struct wm_pulse pulse = {0};
    const struct wm_cluster_view host = {.name = "host", .sight = WM_SIGHT_GOOD, .why = ""};
    struct wm_world w = {.model = m, .clusters = &host, .n_clusters = 1, .now_s = 1795287600};

    assert_non_null(model_put(&sources, m, 0, WM_KIND_PROVIDER, "{" MACHINES("vs", "0a1b2c3d-2") "}}"));
    for (int i = 0; i < 2; i++) {
        assert_non_null(model_put(&sources, m, 0, WM_KIND_VMMIGRATION, look->migration[i]));
        if (look->kind != WM_KIND_NONE)
            assert_non_null(model_put(&sources, m, 0, look->kind, look->other[i]));
        wm_situation_of(&w, wm_model_find(m, 0, wm_id_of(wm_str_of("0a1b2c3d-1"))), &s);
        assert_int_equal(wm_pulse_feel(&pulse, &w, &s), i == 0 || look->moved);
    }
    wm_model_free(m);
}

int main(void)
{
    return RUN_TABLE("pulse", looks, check_look) + RUN_TABLE("pulse of machines", vm_looks, check_vm_look);
}
