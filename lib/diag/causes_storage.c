/* What keeps volumes from being there. */
#include "causes.h"

const struct wm_cause wm_causes_storage[] = {
    {0},
};
