/* Plans, clusters, and the order of migrations. */
#include "causes.h"

const struct wm_cause wm_causes_plan[] = {
    {0},
};
