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

int main(void)
{
    return RUN_TABLE("pulse", looks, check_look);
}
