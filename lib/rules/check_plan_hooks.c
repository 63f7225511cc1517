/* spec.hooks of a MigPlan. */
#include "plan_impl.h"

static const char *const phases[] = {"PreBackup", "PostBackup", "PreRestore", "PostRestore"};
enum { N_PHASES = sizeof phases / sizeof phases[0] };

static void check_names(struct wm_check *c, struct wm_json_value hook, size_t i)
{
    struct wm_json_span account = wm_get_span(hook, "serviceAccount"),
                        namespace_ = wm_get_span(hook, "executionNamespace");

    if (!wm_is_dns_subdomain(wm_span_plain(account)))
        wm_report(c, &wm_plan_rows[PLAN_HOOK_SERVICE_ACCOUNT], wm_plan_field("hooks", i, "serviceAccount").z,
                  account, "this is no name that a service account can have");
    if (!wm_is_dns_label(wm_span_plain(namespace_)))
        wm_report(c, &wm_plan_rows[PLAN_HOOK_NAMESPACE], wm_plan_field("hooks", i, "executionNamespace").z,
                  namespace_, "this is no name that a namespace can have");
}

/* `taken` counts from 1; 0 = free. */
static void check_phase(struct wm_check *c, struct wm_json_value hook, size_t i, size_t taken[N_PHASES])
{
    struct wm_json_span phase = wm_get_span(hook, "phase");
    struct wm_plan_field field = wm_plan_field("hooks", i, "phase");
    size_t p = 0;

    while (p < N_PHASES && !wm_json_span_is(phase, phases[p]))
        p++;
    if (p == N_PHASES)
        wm_report(c, &wm_plan_rows[PLAN_HOOK_PHASE_UNKNOWN], field.z, phase,
                  "hooks run in PreBackup, PostBackup, PreRestore and PostRestore");
    else if (taken[p])
        wm_report(c, &wm_plan_rows[PLAN_HOOK_PHASE_DUPLICATE], field.z, phase,
                  "spec.hooks[%zu] has this phase already", taken[p] - 1);
    else
        taken[p] = i + 1;
}

static void check_reference(struct wm_check *c, struct wm_json_value hook, size_t i)
{
    static const enum wm_plan_row rows[] = {PLAN_HOOK_MISSING, PLAN_HOOK_NOT_READY};
    struct wm_json_value ref = wm_json_get(hook, "reference"), found = {0};
    struct wm_json_span name = wm_get_span(ref, "name");
    struct wm_plan_field field = wm_plan_field("hooks", i, "reference");
    struct wm_target t;

    if (!wm_target_of(ref, &t)) {
        wm_report(c, &wm_plan_rows[PLAN_HOOK_MISSING], field.z, name,
                  "the reference to a MigHook needs both a name and a namespace");
        return;
    }
    enum wm_fact_state state = wm_plan_ask(c, rows, 2, WM_MIGHOOKS, &t, &found);

    if (state == WM_FACT_ABSENT)
        wm_report(c, &wm_plan_rows[PLAN_HOOK_MISSING], field.z, name,
                  "namespace %s has no MigHook of this name", t.namespace_);
    if (state == WM_FACT_FOUND && !wm_condition_is_true(wm_json_get(found, "status"), "Ready"))
        wm_report(c, &wm_plan_rows[PLAN_HOOK_NOT_READY], field.z, name,
                  "the hook is not Ready, so the plan will not be either");
}

void wm_plan_check_hooks(struct wm_check *c)
{
    size_t i = 0, taken[N_PHASES] = {0};

    if (c->s->on == WM_ON_DELETE)
        return;
    for (struct wm_json_value v = wm_json_first(wm_spec(c, "hooks")); v.node; v = wm_json_after(v), i++) {
        check_names(c, v, i);
        check_phase(c, v, i, taken);
        check_reference(c, v, i);
    }
}
