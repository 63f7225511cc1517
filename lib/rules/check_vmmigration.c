#include "check.h"

static void (*const checks[])(struct wm_check *) = {NULL};

const struct wm_rule_set wm_vmmigration_rules = {NULL, 0, checks};
