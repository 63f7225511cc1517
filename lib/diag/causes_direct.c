/* Direct volume and image migrations, hooks, registries. */
#include "causes.h"

const struct wm_cause wm_causes_direct[] = {
    {0},
};
