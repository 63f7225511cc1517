/* What is counted of validation. */
#include "telemetry.h"
#include "waymark/metrics.h"

enum { N_KINDS = WM_SUBJECT_COUNT, N_MODES = WM_MODE_COUNT - 1 /* findings of rules that are off: none */ };

const char *const wm_verdict_words[WM_VERDICT_COUNT] = {"allowed", "warned", "denied", "cannot-tell",
                                                        "skipped"};

/* The kinds that have rules, then "other". */
static const char *kind_words[N_KINDS], *rule_words[WM_RULES_MAX], *mode_words[N_MODES];

static _Atomic int64_t validation_cells[N_KINDS * WM_VERDICT_COUNT], duration_cells[WM_HISTOGRAM_CELLS];
static _Atomic int64_t finding_cells[WM_RULES_MAX * N_MODES], fact_cells[WM_FETCH_COUNT];

static struct wm_metric validations = {"waymark_validations_total",
                                       "Validations answered, by kind and verdict.",
                                       WM_COUNTER,
                                       "kind",
                                       kind_words,
                                       N_KINDS,
                                       "verdict",
                                       wm_verdict_words,
                                       WM_VERDICT_COUNT,
                                       validation_cells};
static struct wm_metric durations = {"waymark_validation_duration_seconds",
                                     "From the complete header of a review to its verdict, lookups included.",
                                     WM_HISTOGRAM,
                                     NULL,
                                     NULL,
                                     0,
                                     NULL,
                                     NULL,
                                     0,
                                     duration_cells};
static struct wm_metric findings = {"waymark_findings_total",
                                    "Findings of validation, by rule and by what they led to.",
                                    WM_COUNTER,
                                    "rule",
                                    rule_words,
                                    0,
                                    "mode",
                                    mode_words,
                                    N_MODES,
                                    finding_cells};
static struct wm_metric facts = {"waymark_fact_lookups_total",
                                 "Lookups of other objects for validation, by result; all but found and "
                                 "absent leave a rule that cannot tell.",
                                 WM_COUNTER,
                                 "result",
                                 wm_fetch_result_names,
                                 WM_FETCH_COUNT,
                                 NULL,
                                 NULL,
                                 0,
                                 fact_cells};

/* Words that come from other tables. */
__attribute__((constructor)) static void fill_words(void)
{
    for (int k = 1; k < WM_SUBJECT_COUNT; k++)
        kind_words[k - 1] = wm_subject_resources[k].kind;
    kind_words[N_KINDS - 1] = "other";
    for (int m = 0; m < N_MODES; m++)
        mode_words[m] = wm_mode_name((enum wm_mode)(m + 1));
    findings.n_values1 = wm_rules_count();
    for (size_t i = 0; i < findings.n_values1; i++)
        rule_words[i] = wm_rule_at(i, NULL)->id;
}

static void count_findings(enum wm_subject_kind kind, const struct wm_verdict *v)
{
    const struct wm_rule *rules = wm_rule_sets[kind]->rules;

    for (size_t i = 0; i < v->n; i++)
        wm_metric_add(&findings, wm_rule_first_of(kind) + (size_t)(v->list[i].rule - rules),
                      (size_t)v->list[i].mode - 1, 1);
}

void wm_count_validation(enum wm_subject_kind kind, enum wm_verdict_word word, const struct wm_verdict *v,
                         int64_t duration_ns)
{
    wm_metric_add(&validations, kind ? (size_t)kind - 1 : N_KINDS - 1, (size_t)word, 1);
    wm_metric_observe_ns(&durations, 0, duration_ns);
    if (kind)
        count_findings(kind, v);
}

void wm_count_fact(enum wm_fetch_result result)
{
    wm_metric_add(&facts, (size_t)result, 0, 1);
}

static void put_policy(struct wm_buf *out, struct wm_policy_source *source)
{
    struct wm_policy_source_stats s;

    wm_policy_source_stats(source, &s);
    wm_telemetry_sample(out, "waymark_policy_loads_total", "counter", "Policies taken into force.",
                        (int64_t)s.loads);
    wm_telemetry_sample(out, "waymark_policy_refused_total", "counter",
                        "Changed configuration files that were refused.", (int64_t)s.refused);
    wm_telemetry_sample(out, "waymark_policy_faulty", "gauge",
                        "1 while the configuration file is faulty and an older policy stays in force.",
                        s.faulty);
    wm_telemetry_sample(out, "waymark_policy_loaded_timestamp_seconds", "gauge",
                        "When the policy in force was loaded, Unix time.", s.loaded_s);
}

void wm_telemetry_validation(struct wm_buf *out, struct wm_policy_source *policies)
{
    struct wm_metric *const families[] = {&validations, &durations, &findings, &facts};

    wm_metrics_print(out, families, sizeof families / sizeof families[0]);
    if (policies)
        put_policy(out, policies);
}
