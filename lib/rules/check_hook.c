/* MigHook (mig-controller pkg/controller/mighook/validation.go). */
#include "check.h"
#include "formats.h"

enum { IMAGE, TARGET, PLAYBOOK_DATA, CUSTOM_WITH_PLAYBOOK, NO_PLAYBOOK, N_RULES };

#define WRITES (WM_ON_CREATE | WM_ON_UPDATE)
static const struct wm_rule rules[N_RULES] = {
    [IMAGE] =
        {"hook/image", WRITES, false, WM_MODE_ENFORCE, WM_CAUSE_INVALID, "image", "InvalidImage",
         "The hook's image is no image reference, so its Job could never start.",
         "set spec.image to registry/path:tag, e.g. quay.io/konveyor/hook-runner:latest, without a scheme"},
    [TARGET] = {"hook/target-cluster", WRITES, false, WM_MODE_ENFORCE, WM_CAUSE_UNSUPPORTED, "targetCluster",
                "InvalidTarget", "The hook is to run on a cluster that is neither source nor destination.",
                "set spec.targetCluster to source or destination"},
    [PLAYBOOK_DATA] = {"hook/playbook-data", WRITES, false, WM_MODE_ENFORCE, WM_CAUSE_INVALID, "playbook",
                       "InvalidPlaybookData",
                       "The playbook is not base64, so the hook would never become ready.",
                       "set spec.playbook to the output of: base64 -w0 PLAYBOOK.yml"},
    [CUSTOM_WITH_PLAYBOOK] = {"hook/custom-with-playbook", WRITES, false, WM_MODE_ENFORCE, WM_CAUSE_INVALID,
                              "custom,playbook", "InvalidCustomHook",
                              "A custom image runs by itself; a playbook beside it would never run.",
                              "remove spec.playbook, or set spec.custom to false"},
    [NO_PLAYBOOK] = {"hook/no-playbook", WRITES, false, WM_MODE_ENFORCE, WM_CAUSE_REQUIRED, "custom,playbook",
                     "InvalidAnsibleHook", "An Ansible hook without a playbook has nothing to run.",
                     "set spec.playbook, or set spec.custom to true for an image that runs by itself"},
};

static void check_image(struct wm_check *c)
{
    struct wm_json_span image = wm_get_span(c->s->spec, "image");

    if (!wm_is_image_reference(wm_span_plain(image)))
        wm_report(c, &rules[IMAGE], "spec.image", image,
                  wm_is_set(c->s->spec, "image") ? "this is no image that can be pulled"
                                                 : "the hook has no image");
}

static void check_target(struct wm_check *c)
{
    struct wm_json_span target = wm_get_span(c->s->spec, "targetCluster");

    if (!wm_json_span_is(target, "source") && !wm_json_span_is(target, "destination"))
        wm_report(c, &rules[TARGET], "spec.targetCluster", target,
                  "only source and destination are clusters of a plan");
}

/* A playbook can be long: what is found is told, not shown. */
static void check_playbook(struct wm_check *c)
{
    struct wm_json_span nothing = {0};
    bool custom = wm_is_true(c->s->spec, "custom"), playbook = wm_is_set(c->s->spec, "playbook");

    if (playbook && wm_wants(c, &rules[PLAYBOOK_DATA]) && !wm_is_base64(wm_get_span(c->s->spec, "playbook")))
        wm_report(c, &rules[PLAYBOOK_DATA], "spec.playbook", nothing, "the playbook is not base64");
    if (custom && playbook)
        wm_report(c, &rules[CUSTOM_WITH_PLAYBOOK], "spec.playbook", nothing,
                  "spec.custom is true, so the playbook would never run");
    if (!custom && !playbook)
        wm_report(c, &rules[NO_PLAYBOOK], "spec.playbook", nothing,
                  "spec.custom is not true, and there is no playbook to run");
}

static void (*const checks[])(struct wm_check *) = {check_image, check_target, check_playbook, NULL};

const struct wm_rule_set wm_hook_rules = {rules, N_RULES, checks};
