/* MigHook (mig-controller pkg/controller/mighook/validation.go). */
#include "check.h"

enum { TARGET, CUSTOM_WITH_PLAYBOOK, NO_PLAYBOOK, N_RULES };

#define WRITES (WM_ON_CREATE | WM_ON_UPDATE)
static const struct wm_rule rules[N_RULES] = {
    [TARGET] = {"hook/target-cluster", WRITES, false, WM_MODE_ENFORCE, WM_CAUSE_UNSUPPORTED, "targetCluster",
                "InvalidTarget", "The hook is to run on a cluster that is neither source nor destination.",
                "set spec.targetCluster to source or destination"},
    [CUSTOM_WITH_PLAYBOOK] = {"hook/custom-with-playbook", WRITES, false, WM_MODE_ENFORCE, WM_CAUSE_INVALID,
                              "custom,playbook", "InvalidCustomHook",
                              "A custom image runs by itself; a playbook beside it would never run.",
                              "remove spec.playbook, or set spec.custom to false"},
    [NO_PLAYBOOK] = {"hook/no-playbook", WRITES, false, WM_MODE_ENFORCE, WM_CAUSE_REQUIRED, "custom,playbook",
                     "InvalidAnsibleHook", "An Ansible hook without a playbook has nothing to run.",
                     "set spec.playbook, or set spec.custom to true for an image that runs by itself"},
};

static void check_target(struct wm_check *c)
{
    struct wm_json_span target = wm_get_span(c->s->spec, "targetCluster");

    if (!wm_json_span_is(target, "source") && !wm_json_span_is(target, "destination"))
        wm_report(c, &rules[TARGET], "spec.targetCluster", target,
                  "only source and destination are clusters of a plan");
}

static void check_playbook(struct wm_check *c)
{
    bool custom = wm_is_true(c->s->spec, "custom"), playbook = wm_is_set(c->s->spec, "playbook");

    if (custom && playbook)
        wm_report(c, &rules[CUSTOM_WITH_PLAYBOOK], "spec.playbook", (struct wm_json_span){0},
                  "spec.custom is true, so the playbook would never run");
    if (!custom && !playbook)
        wm_report(c, &rules[NO_PLAYBOOK], "spec.playbook", (struct wm_json_span){0},
                  "spec.custom is not true, and there is no playbook to run");
}

static void (*const checks[])(struct wm_check *) = {check_target, check_playbook, NULL};

const struct wm_rule_set wm_hook_rules = {rules, N_RULES, checks};
