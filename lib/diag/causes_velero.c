/* Velero: its server, its node agents, its Backups and Restores. */
#include "causes.h"

const struct wm_cause wm_causes_velero[] = {
    {0},
};
