/* What keeps pods from running. */
#include "causes.h"

const struct wm_cause wm_causes_pod[] = {
    {0},
};
