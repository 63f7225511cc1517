#include "causes.h"

const struct wm_cause wm_causes_velero_end[] = {
    {0},
};
