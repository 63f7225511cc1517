/* The copies of single volumes. */
#include "causes.h"

const struct wm_cause wm_causes_volume[] = {
    {0},
};
