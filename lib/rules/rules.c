#include "check.h"

#define MTC "migration.openshift.io"

// clang-format off
const struct wm_subject_resource wm_subject_resources[WM_SUBJECT_COUNT] = {
    [WM_SUBJECT_PLAN] = {MTC, "MigPlan", "migplans"},
    [WM_SUBJECT_MIGRATION] = {MTC, "MigMigration", "migmigrations"},
    [WM_SUBJECT_HOOK] = {MTC, "MigHook", "mighooks"},
    [WM_SUBJECT_STORAGE] = {MTC, "MigStorage", "migstorages"},
    [WM_SUBJECT_CLUSTER] = {MTC, "MigCluster", "migclusters"},
    [WM_SUBJECT_DVM] = {MTC, "DirectVolumeMigration", "directvolumemigrations"},
    [WM_SUBJECT_VMMIGRATION] = {"infra.virtrigaud.io", "VMMigration", "vmmigrations"},
};

const struct wm_rule_set *const wm_rule_sets[WM_SUBJECT_COUNT] = {
    [WM_SUBJECT_PLAN] = &wm_plan_rules,       [WM_SUBJECT_MIGRATION] = &wm_migration_rules,
    [WM_SUBJECT_HOOK] = &wm_hook_rules,       [WM_SUBJECT_STORAGE] = &wm_storage_rules,
    [WM_SUBJECT_CLUSTER] = &wm_cluster_rules, [WM_SUBJECT_DVM] = &wm_dvm_rules,
    [WM_SUBJECT_VMMIGRATION] = &wm_vmmigration_rules,
};
// clang-format on

static const char *const mode_names[WM_MODE_COUNT] = {"off", "audit", "warn", "enforce"};

static const char *const cause_names[WM_CAUSE_COUNT] = {
    [WM_CAUSE_INVALID] = "FieldValueInvalid",          [WM_CAUSE_REQUIRED] = "FieldValueRequired",
    [WM_CAUSE_DUPLICATE] = "FieldValueDuplicate",      [WM_CAUSE_NOT_FOUND] = "FieldValueNotFound",
    [WM_CAUSE_UNSUPPORTED] = "FieldValueNotSupported", [WM_CAUSE_TOO_LONG] = "FieldValueTooLong",
    [WM_CAUSE_TOO_MANY] = "FieldValueTooMany",         [WM_CAUSE_FORBIDDEN] = "FieldValueForbidden",
};

enum wm_subject_kind wm_subject_kind_of(struct wm_json_span group, struct wm_json_span kind)
{
    for (int i = 1; i < WM_SUBJECT_COUNT; i++)
        if (wm_json_span_is(kind, wm_subject_resources[i].kind) &&
            wm_json_span_is(group, wm_subject_resources[i].group))
            return (enum wm_subject_kind)i;
    return WM_SUBJECT_NONE;
}

enum wm_subject_kind wm_subject_kind_in(struct wm_json_span api_version, struct wm_json_span kind)
{
    for (int i = 1; i < WM_SUBJECT_COUNT; i++)
        if (wm_json_span_is(kind, wm_subject_resources[i].kind) &&
            wm_span_in_group(api_version, wm_subject_resources[i].group))
            return (enum wm_subject_kind)i;
    return WM_SUBJECT_NONE;
}

const char *wm_mode_name(enum wm_mode m)
{
    return mode_names[m];
}

enum wm_mode wm_mode_of(const char *z)
{
    int m = 0;

    while (m < WM_MODE_COUNT && strcmp(z, mode_names[m]) != 0)
        m++;
    return (enum wm_mode)m;
}

const char *wm_cause_name(enum wm_cause c)
{
    return cause_names[c];
}

size_t wm_rules_count(void)
{
    size_t n = 0;

    for (int kind = 1; kind < WM_SUBJECT_COUNT; kind++)
        n += wm_rule_sets[kind]->n;
    return n;
}

const struct wm_rule *wm_rule_at(size_t i, enum wm_subject_kind *ret_kind)
{
    int kind = 1;

    while (i >= wm_rule_sets[kind]->n)
        i -= wm_rule_sets[kind++]->n;
    if (ret_kind)
        *ret_kind = (enum wm_subject_kind)kind;
    return &wm_rule_sets[kind]->rules[i];
}

size_t wm_rule_first_of(enum wm_subject_kind kind)
{
    size_t first = 0;

    for (int k = 1; k < (int)kind; k++)
        first += wm_rule_sets[k]->n;
    return first;
}
