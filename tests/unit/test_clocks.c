/* Clusters whose clocks are minutes apart: what is compared with a cluster's times, and what is said of it.
 */
#include "report_fixture.h"
#include "unit.h"
#include "waymark/time.h"

enum { MINUTES_5 = 300 };

/* --- what a measurement changes --- */

static const struct settle_row {
    const char *name;
    int64_t kept_s, measured_ms, want_s;
} settle_rows[] = {
    {"none", 0, 0, 0},
    {"less than two seconds is none", 0, 1999, 0},
    {"neither the other way", 0, -1999, 0},
    {"two seconds", 0, 2000, 2},
    {"behind", 0, -300000, -300},
    {"a second more is noise", 300, 301000, 300},
    {"a second less too", -300, -301000, -300},
    {"two seconds more is news", 300, 302000, 302},
    {"it was set right", 300, 1000, 0},
    {"from ahead to behind", 5, -5000, -5},
};

static void check_settle(void **state)
{
    const struct settle_row *r = *state;
    int64_t got = wm_offset_settle(r->kept_s, r->measured_ms);

    assert_int_equal(got, r->want_s);
    assert_int_equal(wm_offset_settle(got, r->measured_ms), got);
}

/* --- timeouts --- */

/* What the Restore on the target waits for ends at 04:04:06, by the target's clock. */
static const struct timeout_row {
    const char *name, *our_time;
    int64_t host_s, target_s;
    const char *says;
} timeout_rows[] = {
    {"clocks agree, before", "2026-01-02T04:02:00Z", 0, 0, "gives up at"},
    {"clocks agree, after", "2026-01-02T04:06:00Z", 0, 0, "was to give up at"},
    {"ahead over there: it is over sooner", "2026-01-02T04:02:00Z", 0, MINUTES_5, "was to give up at"},
    {"behind over there: it is over later", "2026-01-02T04:06:00Z", 0, -MINUTES_5, "gives up at"},
    {"the host's clock does not count, ahead", "2026-01-02T04:02:00Z", MINUTES_5, 0, "gives up at"},
    {"the host's clock does not count, behind", "2026-01-02T04:06:00Z", -MINUTES_5, 0, "was to give up at"},
};

static void check_timeout(void **state)
{
    const struct timeout_row *r = *state;
    struct wm_said said[WM_SAID_COUNT];
    struct fixture f;

    fixture_begin(&f, "multi-attach");
    fixture_add_volumes(&f);
    assert_true(wm_time_parse(wm_str_of(r->our_time), &f.w.now_s));
    f.clusters[0].offset_s = r->host_s;
    f.clusters[2].offset_s = r->target_s;
    wm_situation_say(&f.w, &f.s, said);
    if (!strstr(said[WM_SAID_PROGRESS].message, r->says))
        fail_msg("'%s' is not in: %s", r->says, said[WM_SAID_PROGRESS].message);
    /* the time itself stays as the cluster's own clock will show it */
    assert_non_null(strstr(said[WM_SAID_PROGRESS].message, "04:04:06Z"));
    fixture_end(&f);
}

/* --- the timeline --- */

/* A phase that tells its start is followed by one that does not: both are in the host's time. */
static void check_timeline(int64_t offset_s)
{
    struct fixture f;

    fixture_begin(&f, "multi-attach");
    f.clusters[0].offset_s = offset_s;
    fixture_phase(&f, "StageBackupCreated", FIXTURE_NOW + offset_s);
    fixture_update(&f, "v", FIXTURE_NOW + 1);
    fixture_phase(&f, "StageRestoreCreated", 0);
    fixture_update(&f, "w", FIXTURE_NOW + 60);
    assert_int_equal(f.h.moments[0].to_s - f.h.moments[0].from_s, 60);
    assert_int_equal(f.h.moments[1].from_s, FIXTURE_NOW + offset_s + 60);
    assert_int_equal(f.h.verdict_since_s, FIXTURE_NOW + offset_s + 60);
    fixture_end(&f);
}

static void a_phase_lasts_as_long_as_it_did_whatever_the_hosts_clock(void **state)
{
    static const int64_t offsets[] = {0, MINUTES_5, -MINUTES_5};

    (void)state;
    for (size_t i = 0; i < sizeof offsets / sizeof offsets[0]; i++)
        check_timeline(offsets[i]);
}

/* --- the report --- */

static const struct skew_row {
    const char *name;
    int64_t host_s, source_s, target_s;
    const char *source, *target; /* what is said of them; NULL = nothing */
} skew_rows[] = {
    {"none", 0, 0, 0, NULL, NULL},
    {"a minute is none", 0, 60, 0, NULL, NULL},
    {"more is said", 0, 61, 0, "about 60 s ahead of the host's", NULL},
    {"five minutes each way", 0, 300, -300, "about 300 s ahead of the host's",
     "about 300 s behind the host's"},
    {"it is the host's that is off", 300, 0, 0, "about 300 s behind the host's",
     "about 300 s behind the host's"},
    {"all are off together: they agree", -300, -300, -300, NULL, NULL},
    {"near the host's, and far from each other", 0, 40, -40, "about 40 s ahead of the host's",
     "about 40 s behind the host's"},
    {"a tick of a clock that drifts changes nothing", 0, 302, 0, "about 300 s ahead of the host's", NULL},
};

static const char *clock_of(const cJSON *report, int cluster)
{
    const cJSON *list = wm_json_at(report, "/status/clusters");

    return wm_json_str(cJSON_GetArrayItem(list, cluster), "/clock");
}

static void assert_clock(const char *got, const char *want)
{
    if (!got || !want)
        assert_ptr_equal(got, want);
    else
        assert_string_equal(got, want);
}

static void check_skew(void **state)
{
    const struct skew_row *r = *state;
    wm_auto_buf struct wm_buf text = WM_BUF_MAX(1 << 20);
    wm_auto_json cJSON *report = NULL;
    struct fixture f;

    fixture_begin(&f, "multi-attach");
    f.clusters[0].offset_s = r->host_s;
    f.clusters[1].offset_s = r->source_s;
    f.clusters[2].offset_s = r->target_s;
    fixture_update(&f, "v", FIXTURE_NOW);
    fixture_report(&f, &text);
    assert_int_equal(wm_json_parse(wm_buf_text(&text), &report, NULL), WM_OK);
    assert_clock(clock_of(report, 0), NULL);
    assert_clock(clock_of(report, 1), r->source);
    assert_clock(clock_of(report, 2), r->target);
    fixture_end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_phase_lasts_as_long_as_it_did_whatever_the_hosts_clock),
    };

    return RUN_TABLE("measured offsets", settle_rows, check_settle) +
           RUN_TABLE("timeouts", timeout_rows, check_timeout) + RUN_TABLE("skew", skew_rows, check_skew) +
           cmocka_run_group_tests(tests, NULL, NULL);
}
