/* Runs the faults of tests/golden/corpus.yaml: the right cause has to stand first, as a rule, and among the
 * first three always; see tests/golden/README.md. */
#include <stdio.h>

#include "diagnosis_judge.h"
#include "unit.h"

#define CORPUS "tests/golden/corpus.yaml"
enum { FIRST_PERCENT = 95, FEW = 3, PATH_MAX_N = 512 };

struct score {
    const char *cause; /* "" = nothing is wrong */
    bool first, among_few;
    int n, n_first, n_among_few;
};

static void look_for_cause(void *ctx, const struct wm_diagnosis *d)
{
    struct score *s = ctx;

    s->first = s->among_few = !s->cause[0] && d->n == 0;
    for (size_t i = 0; i < d->n && i < FEW; i++)
        if (strcmp(d->findings[i].cause->id, s->cause) == 0) {
            s->first |= i == 0;
            s->among_few = true;
        }
}

/* What goes on, or waits by design, is never said to stand still. */
static void stays_calm(void *ctx, const struct wm_diagnosis *d)
{
    const char *fault = ctx;

    if (d->pace == WM_PACE_STALLED || d->pace == WM_PACE_BLIND)
        fail_msg("%s: it is said to be %s", fault, wm_pace_name(d->pace));
}

static bool is_harmless(const char *fault)
{
    return strstr(fault, "(healthy)") || strstr(fault, "(by design)");
}

static void judge_fault(const cJSON *row, struct score *s)
{
    const char *fault = wm_json_str(row, "/fault"), *folder = wm_json_str(row, "/folder");
    char path[PATH_MAX_N];

    s->cause = wm_json_str(row, "/cause");
    assert_true(fault && folder && s->cause);
    if (s->cause[0] && !wm_cause_find(s->cause))
        fail_msg("%s: there is no cause %s", fault, s->cause);
    snprintf(path, sizeof path, "%s/%s", DIAGNOSIS_FOLDER, folder);
    wm_auto_yaml struct wm_yaml *y = diagnosis_read_case(path);
    struct world *w = diagnosis_world_read(path, wm_yaml_root(y));

    diagnosis_judge(w, w->objects, w->n, look_for_cause, s);
    if (is_harmless(fault))
        diagnosis_judge(w, w->objects, w->n, stays_calm, (void *)(uintptr_t)fault);
    diagnosis_world_free(w);
    if (!s->first)
        print_error("%s (%s): %s is %s\n", fault, folder, s->cause[0] ? s->cause : "nothing",
                    s->among_few ? "not the first" : "not found");
    s->n++;
    s->n_first += s->first;
    s->n_among_few += s->among_few;
}

static void right_cause_stands_first(void **state)
{
    wm_auto_yaml struct wm_yaml *y = NULL;
    wm_auto_free char *text = golden_text(CORPUS);
    struct score s = {.n = 0};
    struct wm_error err = {0};
    const cJSON *row;

    (void)state;
    assert_non_null(text);
    if (wm_yaml_parse(wm_str_of(text), CORPUS, DIAGNOSIS_FILE_MAX, &y, &err) < 0)
        fail_msg("%s: %s", err.where, err.msg);
    cJSON_ArrayForEach(row, wm_json_at(wm_yaml_root(y), "/faults")) judge_fault(row, &s);
    print_message("right cause first %d of %d, among the first three %d of %d\n", s.n_first, s.n,
                  s.n_among_few, s.n);
    assert_true(s.n > 0);
    assert_int_equal(s.n_among_few, s.n);
    assert_true(100 * s.n_first >= FIRST_PERCENT * s.n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(right_cause_stands_first)};

    return cmocka_run_group_tests_name("corpus", tests, NULL, NULL);
}
