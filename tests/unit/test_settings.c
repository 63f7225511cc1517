/* Settings of the aggregator that are lists of NAME=SECONDS. */
#include "aggregator/settings.h"
#include "unit.h"

static struct wm_settings with_gaps(char *items[], size_t n)
{
    return (struct wm_settings){.gaps = {.items = items, .n = n}};
}

static void marks_of_gaps_are_set_over_the_defaults(void **state)
{
    char outage[] = "outage=90", typical[] = "typical=5";
    struct wm_settings none = {0}, some = with_gaps((char *[]){outage, typical}, 2);
    struct wm_gap_marks marks;

    (void)state;
    assert_int_equal(wm_settings_gap_marks(&none, &marks, NULL), WM_OK);
    assert_int_equal(marks.typical, 15);
    assert_int_equal(marks.worst_case, 32);
    assert_int_equal(marks.outage, 60);
    assert_int_equal(wm_settings_gap_marks(&some, &marks, NULL), WM_OK);
    assert_int_equal(marks.typical, 5);
    assert_int_equal(marks.worst_case, 32);
    assert_int_equal(marks.outage, 90);
}

static const struct wrong {
    const char *name;
    const char *item;
} wrongs[] = {
    {"an unknown name", "worst=3"},
    {"a name's beginning", "typ=3"},
    {"no number", "outage=soon"},
    {"nothing", "outage="},
    {"zero", "typical=0"},
    {"only a name", "outage"},
    {"marks that fall", "typical=33"},
    {"marks that fall at the end", "outage=31"},
};

static void check_wrong(void **state)
{
    const struct wrong *w = *state;
    wm_auto_free char *item = wm_xstrdup(w->item);
    struct wm_settings s = with_gaps(&item, 1);
    struct wm_gap_marks marks;
    struct wm_error err = {0};

    assert_int_equal(wm_settings_gap_marks(&s, &marks, &err), WM_E_INVALID);
    assert_string_equal(err.where, "gaps");
}

static void thresholds_are_set_over_the_defaults(void **state)
{
    char rollout[] = "rollout=7", bad[] = "rollout=-1";
    struct wm_settings s = {.thresholds = {.items = (char *[]){rollout}, .n = 1}};
    struct wm_thresholds t, defaults;

    (void)state;
    wm_thresholds_default(&defaults);
    assert_int_equal(wm_settings_thresholds(&s, &t, NULL), WM_OK);
    assert_int_equal(t.s[WM_T_ROLLOUT], 7);
    assert_int_equal(t.s[WM_T_SIGNAL], defaults.s[WM_T_SIGNAL]);
    s.thresholds.items = (char *[]){bad};
    assert_int_equal(wm_settings_thresholds(&s, &t, NULL), WM_E_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(marks_of_gaps_are_set_over_the_defaults),
        cmocka_unit_test(thresholds_are_set_over_the_defaults),
    };

    return RUN_TABLE("wrong gaps", wrongs, check_wrong) + cmocka_run_group_tests(tests, NULL, NULL);
}
