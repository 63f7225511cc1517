/* One volume that stands still among others that move, and how long that is remembered. */
#include <stdio.h>

#include "tests/support/model_put.h"
#include "unit.h"
#include "waymark/cause.h"
#include "waymark/time.h"

#define NOW INT64_C(1795290000)
#define UID "0a1b2c3d-"
#define MIGRATION                                                                                            \
    "{\"metadata\":{\"name\":\"m\",\"namespace\":\"n\",\"uid\":\"" UID "m\"},\"status\":{\"phase\":"         \
    "\"StageRestoreCreated\",\"itinerary\":\"Stage\"}}"
#define RESTORE                                                                                              \
    "{\"metadata\":{\"name\":\"r\",\"namespace\":\"n\",\"uid\":\"" UID "r\",\"labels\":{\"migmigration\":"   \
    "\"" UID "m\",\"migration-stage-restore\":\"" UID "m\"}},\"status\":{\"phase\":\"InProgress\"}}"
#define VOLUME                                                                                               \
    "{\"metadata\":{\"name\":\"v%d\",\"namespace\":\"n\",\"uid\":\"" UID "v%d\",\"ownerReferences\":["       \
    "{\"kind\":\"Restore\",\"name\":\"r\",\"uid\":\"" UID "r\",\"controller\":true}]},\"spec\":{"            \
    "\"volume\":\"v\"},\"status\":{\"phase\":\"%s\",\"progress\":{\"bytesDone\":%lld,"                       \
    "\"totalBytes\":9000000000000}}}"

enum { COPY_S = 600 };

struct scene {
    struct wm_model *m;
    struct model_sources sources;
    struct wm_world w;
    struct wm_situation s;
    struct wm_look look;
    struct wm_diagnosis d;
    struct wm_thresholds thresholds;
    struct wm_pulse pulse;
    struct wm_volume_marks marks;
};

static const struct wm_cluster_view host = {.name = "host", .sight = WM_SIGHT_GOOD, .why = ""};

static void put_volume(struct scene *sc, int i, const char *phase, int64_t done)
{
    char json[1024];

    snprintf(json, sizeof json, VOLUME, i, i, phase, (long long)done);
    assert_non_null(model_put(&sc->sources, sc->m, 0, WM_KIND_PVR, json));
}

static struct scene *begin(void)
{
    struct scene *sc = calloc(1, sizeof *sc);

    sc->m = wm_model_new(
        &(struct wm_model_conf){.detail = wm_detail_of, .detail_done = wm_detail_done, .over = wm_is_over});
    sc->w = (struct wm_world){.model = sc->m, .clusters = &host, .n_clusters = 1};
    wm_thresholds_default(&sc->thresholds);
    model_put(&sc->sources, sc->m, 0, WM_KIND_MIGMIGRATION, MIGRATION);
    model_put(&sc->sources, sc->m, 0, WM_KIND_RESTORE, RESTORE);
    return sc;
}

static void end(struct scene *sc)
{
    wm_volume_marks_done(&sc->marks);
    wm_model_free(sc->m);
    free(sc);
}

/* The volume that is said to stand still; NULL = none. */
static const char *stuck_at(struct scene *sc, int64_t now_s, bool marks)
{
    const struct wm_record *r = wm_model_find(sc->m, 0, wm_id_of(wm_str_of(UID "m")));

    sc->w.now_s = now_s;
    sc->pulse.marks = marks ? &sc->marks : NULL;
    wm_situation_of(&sc->w, r, &sc->s);
    wm_pulse_feel(&sc->pulse, &sc->w, &sc->s);
    wm_look_around(&sc->w, &sc->s, &sc->thresholds, &sc->look);
    sc->look.still_since_s = sc->pulse.changed_s;
    sc->look.marks = sc->pulse.marks;
    wm_diagnose(&sc->look, &sc->d);
    for (size_t i = 0; i < sc->d.n; i++)
        if (strcmp(sc->d.findings[i].cause->id, "VolumeCopyStuck") == 0)
            return wm_record_name(sc->look.suspects[sc->d.findings[i].suspect].record);
    return NULL;
}

/* v0 stands still from NOW on, v1 moves every ten seconds; looked at until `to_s`. */
static const char *watch(struct scene *sc, int64_t from_s, int64_t to_s, bool marks)
{
    const char *stuck = NULL;

    for (int64_t s = from_s; s <= to_s; s += 10) {
        put_volume(sc, 0, "InProgress", 1000);
        put_volume(sc, 1, "InProgress", (s - NOW + 1) * 100000000);
        stuck = stuck_at(sc, s, marks);
    }
    return stuck;
}

static void one_among_moving_ones_is_told_at_its_limit(void **state)
{
    struct scene *sc = begin();

    (void)state;
    assert_null(watch(sc, NOW, NOW + COPY_S - 10, true));
    assert_null(stuck_at(sc, NOW + COPY_S - 1, true));
    assert_true(sc->d.again_s == NOW + COPY_S);
    assert_string_equal(stuck_at(sc, NOW + COPY_S, true), "v0");
    assert_int_equal(sc->d.pace, WM_PACE_STALLED);
    assert_true(sc->d.since_s == NOW);
    end(sc);
}

static void it_is_taken_back_when_its_bytes_move(void **state)
{
    struct scene *sc = begin();

    (void)state;
    assert_string_equal(watch(sc, NOW, NOW + COPY_S, true), "v0");
    put_volume(sc, 0, "InProgress", 1001);
    assert_null(stuck_at(sc, NOW + COPY_S + 1, true));
    put_volume(sc, 1, "InProgress", 0);
    assert_null(stuck_at(sc, NOW + 2 * COPY_S, true));
    assert_string_equal(stuck_at(sc, NOW + 2 * COPY_S + 1, true), "v0");
    end(sc);
}

/* Marks are by our clock, whatever that of the cluster says. */
static void clocks_that_are_apart_move_no_limit(void **state)
{
    static const int64_t ahead_s[] = {300, -300};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct scene *sc = begin();
        struct wm_cluster_view v = host;

        v.offset_s = ahead_s[i];
        sc->w.clusters = &v;
        assert_null(watch(sc, NOW, NOW + COPY_S - 10, true));
        assert_string_equal(watch(sc, NOW + COPY_S, NOW + COPY_S, true), "v0");
        end(sc);
    }
}

static void the_first_sight_counts_as_a_move(void **state)
{
    enum { RESTART_S = 300 };
    struct scene *sc = begin();

    (void)state;
    assert_null(watch(sc, NOW, NOW + RESTART_S, true));
    wm_volume_marks_done(&sc->marks);
    assert_null(watch(sc, NOW + RESTART_S, NOW + RESTART_S + COPY_S - 10, true));
    assert_string_equal(watch(sc, NOW + RESTART_S + COPY_S, NOW + RESTART_S + COPY_S, true), "v0");
    end(sc);
}

/* One that was put back into the queue, and is taken up again. */
static void what_was_not_copied_meanwhile_begins_anew(void **state)
{
    struct scene *sc = begin();

    (void)state;
    assert_null(watch(sc, NOW, NOW + COPY_S - 10, true));
    for (int round = 0; round < 2; round++) {
        put_volume(sc, 0, "Prepared", 1000);
        stuck_at(sc, NOW + COPY_S - 5, true);
    }
    assert_null(watch(sc, NOW + COPY_S, NOW + COPY_S + COPY_S - 10, true));
    assert_string_equal(watch(sc, NOW + 2 * COPY_S, NOW + 2 * COPY_S, true), "v0");
    end(sc);
}

static void without_marks_the_last_progress_of_all_counts(void **state)
{
    struct scene *sc = begin();
    int64_t last_s = NOW + 2 * COPY_S;

    (void)state;
    assert_null(watch(sc, NOW, last_s, false));
    assert_null(stuck_at(sc, last_s + COPY_S - 1, false));
    assert_non_null(stuck_at(sc, last_s + COPY_S, false));
    end(sc);
}

static void thousands_are_known_and_forgotten(void **state)
{
    enum { MANY = 6000, FEW = 10 };
    struct scene *sc = begin();

    (void)state;
    for (int i = 0; i < MANY; i++)
        put_volume(sc, i, "InProgress", 1);
    stuck_at(sc, NOW, true);
    for (int i = 0; i < MANY; i++)
        put_volume(sc, i, "InProgress", i % 2 ? 2 : 1);
    stuck_at(sc, NOW + 60, true);
    for (int i = 0; i < MANY; i++) {
        char uid[32];

        snprintf(uid, sizeof uid, UID "v%d", i);
        const struct wm_record *r = wm_model_find(sc->m, 0, wm_id_of(wm_str_of(uid)));

        assert_true(wm_volume_moved_s(&sc->marks, r) == (i % 2 ? NOW + 60 : NOW));
    }
    size_t room = sc->marks.room;

    for (int i = FEW; i < MANY; i++)
        put_volume(sc, i, "Completed", 3);
    for (int s = 61; s < 64; s++)
        stuck_at(sc, NOW + s, true);
    assert_true(sc->marks.used == FEW && sc->marks.room < room);
    end(sc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_among_moving_ones_is_told_at_its_limit),
        cmocka_unit_test(it_is_taken_back_when_its_bytes_move),
        cmocka_unit_test(clocks_that_are_apart_move_no_limit),
        cmocka_unit_test(the_first_sight_counts_as_a_move),
        cmocka_unit_test(what_was_not_copied_meanwhile_begins_anew),
        cmocka_unit_test(without_marks_the_last_progress_of_all_counts),
        cmocka_unit_test(thousands_are_known_and_forgotten),
    };

    return cmocka_run_group_tests_name("volume marks", tests, NULL, NULL);
}
