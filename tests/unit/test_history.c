/* What is remembered of a migration, through restarts and pauses. */
#include <stdio.h>

#include "report_fixture.h"
#include "unit.h"

enum { T0 = FIXTURE_NOW };

/* --- comparing --- */

static void assert_moment(const struct wm_history *h, size_t i, const char *phase, int64_t from_s,
                          int64_t to_s)
{
    assert_true(i < h->n);
    assert_string_equal(h->moments[i].phase, phase);
    assert_int_equal(h->moments[i].from_s, from_s);
    assert_int_equal(h->moments[i].to_s, to_s);
}

static void assert_same_lasting(const struct wm_lasting *a, const struct wm_lasting *b, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        assert_string_equal(a[i].what, b[i].what);
        assert_string_equal(a[i].state, b[i].state);
        assert_int_equal(a[i].since_s, b[i].since_s);
    }
}

static void assert_same_history(const struct wm_history *a, const struct wm_history *b)
{
    assert_int_equal(a->n, b->n);
    assert_int_equal(a->n_dropped, b->n_dropped);
    for (size_t i = 0; i < a->n; i++) {
        assert_moment(b, i, a->moments[i].phase, a->moments[i].from_s, a->moments[i].to_s);
        assert_int_equal(a->moments[i].itinerary, b->moments[i].itinerary);
    }
    assert_string_equal(a->verdict, b->verdict);
    assert_int_equal(a->verdict_since_s, b->verdict_since_s);
    assert_same_lasting(a->clusters, b->clusters, WM_REPORT_CLUSTERS_MAX);
    assert_same_lasting(a->conditions, b->conditions, WM_REPORT_CONDITIONS_MAX);
}

/* The aggregator is started anew: all it knows is what it wrote. */
static void restart(struct fixture *f)
{
    wm_auto_buf struct wm_buf report = WM_BUF_MAX(1 << 20);

    fixture_report(f, &report);
    assert_int_equal(report.bad, WM_OK);
    assert_true(wm_history_read(&f->h, wm_buf_text(&report), f->st.uid));
}

/* --- round trips --- */

static uint32_t random_below(uint32_t *seed, uint32_t n)
{
    *seed = *seed * 1664525u + 1013904223u;
    return (*seed >> 8) % n;
}

static void random_text(uint32_t *seed, char *out, size_t max)
{
    static const char *const pieces[] = {"a", "Z", " ", "\"", "\\", "/", "\xc3\xa9", "\xe2\x82\xac",
                                         "<", ":", "{"};
    size_t n = 0;

    for (uint32_t i = random_below(seed, 60); i > 0; i--) {
        const char *p = pieces[random_below(seed, sizeof pieces / sizeof pieces[0])];

        if (n + strlen(p) < max)
            n += (size_t)snprintf(out + n, max - n, "%s", p);
    }
    out[n] = '\0';
}

static void random_step(struct fixture *f, uint32_t *seed, int64_t *now_s)
{
    static const char *const phases[] = {"Created", "Prepare", "StageRestoreCreated", "InitialBackupCreated",
                                         ""};
    /* not STARTING: then nothing is written */
    static const enum wm_cluster_sight sights[] = {WM_SIGHT_GOOD, WM_SIGHT_UNREACHABLE, WM_SIGHT_PARTIAL};
    char verdict[WM_VERDICT_MAX] = "";
    wm_word odd = "";

    *now_s += random_below(seed, 100);
    random_text(seed, odd, sizeof odd);
    fixture_phase(f, random_below(seed, 3) ? phases[random_below(seed, 5)] : odd,
                  random_below(seed, 2) ? *now_s - random_below(seed, 200) : 0);
    f->st.itinerary = (enum wm_itinerary)random_below(seed, WM_ITINERARY_COUNT);
    f->st.outcome = random_below(seed, 9) ? WM_RUN_RUNNING : WM_RUN_BLOCKED;
    f->clusters[random_below(seed, 3)].sight = sights[random_below(seed, 3)];
    f->h.watched &= random_below(seed, 5) > 0;
    random_text(seed, verdict, sizeof verdict);
    fixture_update(f, random_below(seed, 3) ? verdict : f->h.verdict, *now_s);
}

static void what_was_written_is_read(void **state)
{
    uint32_t seed = 1;

    (void)state;
    for (int i = 0; i < 300; i++) {
        struct fixture f;
        int64_t now_s = T0;

        fixture_begin(&f, "multi-attach");
        for (uint32_t n = random_below(&seed, i % 10 ? 30 : 400); n > 0; n--) {
            random_step(&f, &seed, &now_s);
            struct wm_history before = f.h;

            restart(&f);
            assert_same_history(&before, &f.h);
            /* Nothing has happened: nothing is new. */
            assert_false(fixture_update(&f, before.verdict, now_s + 5));
            assert_same_history(&before, &f.h);
            f.h.watched = before.watched;
        }
        fixture_end(&f);
    }
}

/* --- restarts and pauses --- */

static void a_phase_goes_on_through_a_restart(void **state)
{
    struct fixture f;

    (void)state;
    fixture_begin(&f, "multi-attach");
    fixture_phase(&f, "StageRestoreCreated", T0);
    assert_true(fixture_update(&f, "v", T0 + 1));
    restart(&f);
    assert_false(fixture_update(&f, "v", T0 + 60));
    fixture_phase(&f, "EnsureStagePodsDeleted", 0); /* seen, though the object does not tell when */
    assert_true(fixture_update(&f, "v", T0 + 90));
    assert_int_equal(f.h.n, 2);
    assert_moment(&f.h, 0, "StageRestoreCreated", T0, T0 + 90);
    assert_moment(&f.h, 1, "EnsureStagePodsDeleted", T0 + 90, 0);
    fixture_end(&f);
}

static void what_passed_unseen_is_not_made_up(void **state)
{
    struct fixture f;

    (void)state;
    fixture_begin(&f, "multi-attach");
    fixture_phase(&f, "StageBackupCreated", T0);
    fixture_update(&f, "v", T0);
    restart(&f);
    fixture_phase(&f, "StageRestoreCreated", T0 + 300);
    fixture_update(&f, "v", T0 + 400);
    assert_int_equal(f.h.n, 2);
    assert_moment(&f.h, 0, "StageBackupCreated", T0, WM_ENDED_UNSEEN);
    assert_moment(&f.h, 1, "StageRestoreCreated", T0 + 300, 0);
    f.h.watched = false; /* the host's cluster was out of sight */
    fixture_phase(&f, "Verification", 0);
    fixture_update(&f, "v", T0 + 900);
    assert_moment(&f.h, 1, "StageRestoreCreated", T0 + 300, WM_ENDED_UNSEEN);
    assert_moment(&f.h, 2, "Verification", 0, 0);
    fixture_end(&f);
}

static void a_phase_that_must_follow_tells_the_end_of_the_one_before(void **state)
{
    struct fixture f;

    (void)state;
    fixture_begin(&f, "multi-attach");
    fixture_phase(&f, "StageBackupCreated", T0);
    fixture_update(&f, "v", T0);
    restart(&f);
    fixture_phase(&f, wm_phase_next(f.st.itinerary, "StageBackupCreated")->name, T0 + 300);
    fixture_update(&f, "v", T0 + 400);
    assert_moment(&f.h, 0, "StageBackupCreated", T0, T0 + 300);
    fixture_end(&f);
}

static void a_beginning_that_nobody_saw_is_not_known(void **state)
{
    struct fixture f;

    (void)state;
    fixture_begin(&f, "multi-attach");
    f.st.outcome = WM_RUN_BLOCKED; /* its time is that of what blocks */
    fixture_update(&f, "v", T0);
    assert_moment(&f.h, 0, "StageRestoreCreated", 0, 0);
    fixture_end(&f);
}

static void time_does_not_run_backwards(void **state)
{
    struct fixture f;

    (void)state;
    fixture_begin(&f, "multi-attach");
    fixture_phase(&f, "StageBackupCreated", T0);
    fixture_update(&f, "v", T0);
    fixture_phase(&f, "StageRestoreCreated", T0 - 50);
    fixture_update(&f, "v", T0);
    assert_moment(&f.h, 0, "StageBackupCreated", T0, T0);
    assert_moment(&f.h, 1, "StageRestoreCreated", T0, 0);
    fixture_end(&f);
}

static void a_request_to_cancel_is_no_phase(void **state)
{
    struct fixture f;

    (void)state;
    fixture_begin(&f, "multi-attach");
    fixture_update(&f, "v", T0);
    f.st.itinerary = WM_ITINERARY_CANCEL; /* due, and not taken up yet */
    assert_false(fixture_update(&f, "v", T0 + 1));
    assert_int_equal(f.h.n, 1);
    fixture_end(&f);
}

static void the_end_is_remembered_once(void **state)
{
    struct fixture f;

    (void)state;
    fixture_begin(&f, "false-success");
    f.s.ending = WM_ENDING_SUCCEEDED;
    fixture_update(&f, "v", T0);
    restart(&f);
    assert_false(fixture_update(&f, "v", T0 + 1));
    f.st.itinerary = WM_ITINERARY_CANCEL; /* canceled too late */
    assert_false(fixture_update(&f, "v", T0 + 2));
    assert_int_equal(f.h.n, 1);
    assert_moment(&f.h, 0, "Completed", f.st.completed_s, f.st.completed_s);
    /* Nor do links that fail change old reports. */
    f.clusters[2].sight = WM_SIGHT_UNREACHABLE;
    assert_false(fixture_update(&f, "v", T0 + 3));
    fixture_end(&f);
}

/* Its attempts follow each other in one timeline. */
static void an_attempt_after_a_failure_goes_on_in_the_same_timeline(void **state)
{
    static const char *const phases[] = {"Pending",    "Validating", "Exporting", "Failed", "Pending",
                                         "Validating", "Exporting",  "Importing", "Failed"};
    enum { N = sizeof phases / sizeof phases[0] };
    struct fixture f;

    (void)state;
    fixture_begin(&f, "vm-waits-for-retry");
    for (size_t i = 0; i < N; i++) {
        fixture_phase(&f, phases[i], T0 + (int64_t)i * 10);
        f.st.over = i == N - 1;
        f.st.completed_s = f.st.over ? T0 + (int64_t)i * 10 : 0;
        f.s.ending = f.st.over ? WM_ENDING_FAILED : WM_ENDING_NONE;
        assert_true(fixture_update(&f, phases[i], T0 + (int64_t)i * 10 + 1));
        if (i == 4)
            restart(&f);
    }
    assert_int_equal(f.h.n, N);
    assert_moment(&f.h, 3, "Failed", T0 + 30, T0 + 40);
    assert_moment(&f.h, 4, "Pending", T0 + 40, T0 + 50);
    assert_moment(&f.h, N - 1, "Failed", T0 + 80, T0 + 80);
    assert_false(fixture_update(&f, phases[N - 1], T0 + 100));
    fixture_end(&f);
}

static void an_attempt_that_failed_unseen_is_told_by_the_begin_of_the_next(void **state)
{
    struct fixture f;

    (void)state;
    fixture_begin(&f, "vm-retried");
    fixture_phase(&f, "Validating", T0);
    fixture_update(&f, "v", T0 + 1);
    restart(&f);
    assert_false(fixture_update(&f, "v", T0 + 10));
    restart(&f);
    fixture_phase(&f, "Validating", T0 + 300);
    assert_true(fixture_update(&f, "v", T0 + 310));
    assert_false(fixture_update(&f, "v", T0 + 320));
    assert_int_equal(f.h.n, 2);
    assert_moment(&f.h, 0, "Validating", T0, WM_ENDED_UNSEEN);
    assert_moment(&f.h, 1, "Validating", T0 + 300, 0);
    fixture_end(&f);
}

static void the_end_of_a_machines_migration_is_a_moment(void **state)
{
    struct fixture f;

    (void)state;
    fixture_begin(&f, "vm-ready");
    f.s.ending = WM_ENDING_SUCCEEDED;
    assert_true(fixture_update(&f, "v", T0));
    restart(&f);
    assert_false(fixture_update(&f, "v", T0 + 60));
    assert_int_equal(f.h.n, 1);
    assert_moment(&f.h, 0, "Ready", f.st.completed_s, f.st.completed_s);
    fixture_end(&f);
}

static void the_start_of_the_watching_is_no_event(void **state)
{
    struct fixture f;

    (void)state;
    fixture_begin(&f, "multi-attach");
    fixture_update(&f, "v", T0);
    struct wm_history before = f.h;

    restart(&f);
    for (size_t i = 0; i < 3; i++)
        f.clusters[i] = (struct wm_cluster_view){f.clusters[i].name, WM_SIGHT_STARTING, "", T0 + 100};
    assert_false(fixture_update(&f, "v", T0 + 100));
    for (size_t i = 0; i < 3; i++)
        f.clusters[i].sight = WM_SIGHT_GOOD;
    assert_false(fixture_update(&f, "v", T0 + 101));
    assert_same_history(&before, &f.h);
    fixture_end(&f);
}

static void the_first_moment_stays_when_the_timeline_is_full(void **state)
{
    struct fixture f;
    char phase[32];

    (void)state;
    fixture_begin(&f, "multi-attach");
    for (int i = 0; i < WM_TIMELINE_MAX + 10; i++) {
        snprintf(phase, sizeof phase, "Phase%d", i);
        fixture_phase(&f, phase, T0 + i);
        fixture_update(&f, "v", T0 + i);
    }
    assert_int_equal(f.h.n, WM_TIMELINE_MAX);
    assert_int_equal(f.h.n_dropped, 10);
    assert_moment(&f.h, 0, "Phase0", T0, T0 + 1);
    assert_moment(&f.h, 1, "Phase11", T0 + 11, T0 + 12);
    assert_moment(&f.h, WM_TIMELINE_MAX - 1, "Phase105", T0 + 105, 0);
    fixture_end(&f);
}

/* --- content of others --- */

static void what_is_no_report_of_the_migration_is_not_read(void **state)
{
    static const char *const texts[] = {
        "",
        "{",
        "[]",
        "{}",
        "{\"kind\":\"MigrationReport\"}",
        ("{\"kind\":\"MigrationReport\",\"spec\":{\"migrationRef\":{\"uid\":\"another\"}},"
         "\"status\":{\"verdict\":\"v\"}}"),
        "{\"kind\":\"ConfigMap\",\"spec\":{\"migrationRef\":{\"uid\":\"u\"}},\"status\":{\"verdict\":\"v\"}}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        static struct wm_history none, h;

        h.n = 7;
        assert_false(wm_history_read(&h, wm_str_of(texts[i]), "u"));
        assert_same_history(&h, &none);
    }
}

#define REPORT(status)                                                                                       \
    "{\"kind\":\"MigrationReport\",\"spec\":{\"migrationRef\":{\"uid\":\"u\"}},\"status\":" status "}"

static void what_is_malformed_is_not_remembered(void **state)
{
    static const char *const texts[] = {
        REPORT("7"),
        REPORT("null"),
        REPORT("[[]]"),
        REPORT("{\"timeline\":{},\"verdict\":[],\"clusters\":1,\"conditions\":{\"a\":1}}"),
        REPORT("{\"timeline\":[1,null,{},{\"phase\":7},{\"phase\":\"\"}],\"timelineOmitted\":-3}"),
        REPORT("{\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\",\"lastTransitionTime\":\"soon\"}]}"),
        REPORT("{\"clusters\":[{\"name\":\"a\"},{\"sight\":\"good\"},7]}"),
    };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        static struct wm_history none;
        struct wm_history h;

        assert_true(wm_history_read(&h, wm_str_of(texts[i]), "u"));
        assert_same_history(&h, &none);
    }
}

static void what_can_be_used_is_used(void **state)
{
    struct wm_history h;

    (void)state;
    assert_true(wm_history_read(
        &h,
        wm_str_of(REPORT("{\"timeline\":[{\"phase\":\"A\",\"from\":\"2026-01-02T03:19:05+00:00\",\"x\":1},"
                         "{\"phase\":\"B\",\"itinerary\":\"New\",\"from\":\"2026-01-02T03:19:06Z\",\"to\":"
                         "\"2026-01-01T00:00:00Z\"},7],\"timelineOmitted\":4,\"verdict\":\"v\"}")),
        "u"));
    assert_int_equal(h.n, 2);
    assert_int_equal(h.n_dropped, 4);
    assert_moment(&h, 0, "A", T0, WM_ENDED_UNSEEN);
    assert_moment(&h, 1, "B", T0 + 1, WM_ENDED_UNSEEN);
    assert_int_equal(h.moments[1].itinerary, WM_ITINERARY_NONE);
    assert_string_equal(h.verdict, "v");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_written_is_read),
        cmocka_unit_test(a_phase_goes_on_through_a_restart),
        cmocka_unit_test(what_passed_unseen_is_not_made_up),
        cmocka_unit_test(a_phase_that_must_follow_tells_the_end_of_the_one_before),
        cmocka_unit_test(a_beginning_that_nobody_saw_is_not_known),
        cmocka_unit_test(time_does_not_run_backwards),
        cmocka_unit_test(a_request_to_cancel_is_no_phase),
        cmocka_unit_test(the_end_is_remembered_once),
        cmocka_unit_test(an_attempt_after_a_failure_goes_on_in_the_same_timeline),
        cmocka_unit_test(an_attempt_that_failed_unseen_is_told_by_the_begin_of_the_next),
        cmocka_unit_test(the_end_of_a_machines_migration_is_a_moment),
        cmocka_unit_test(the_start_of_the_watching_is_no_event),
        cmocka_unit_test(the_first_moment_stays_when_the_timeline_is_full),
        cmocka_unit_test(what_is_no_report_of_the_migration_is_not_read),
        cmocka_unit_test(what_is_malformed_is_not_remembered),
        cmocka_unit_test(what_can_be_used_is_used),
    };

    return cmocka_run_group_tests_name("history", tests, NULL, NULL);
}
