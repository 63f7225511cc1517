/* Words that both tables of phases are written with; for them only. */
#ifndef WAYMARK_DIAG_ITINERARY_ROWS_H
#define WAYMARK_DIAG_ITINERARY_ROWS_H

#include "itinerary_table.h"

enum {
    G2020 = WM_GENERATION_2020,
    G2021 = WM_GENERATION_2021,
    G2025 = WM_GENERATION_2025,
    ALL = G2020 | G2021 | G2025,
    HOST = WM_CLUSTER_HOST,
    SOURCE = WM_CLUSTER_SOURCE,
    TARGET = WM_CLUSTER_TARGET,
    BOTH = SOURCE | TARGET
};

/* When a person should look, in seconds: most phases do their work in one round of a tenth of a second to
 * three seconds, so two minutes are plenty.  The others have what the thing that they wait for usually needs,
 * and where mig-controller or Velero have a time of their own, that one.  A copy that moves is never stalled:
 * these are times without progress. */
enum {
    MINUTE = 60,
    ACT = 2 * MINUTE,
    ACT_ON_MANY = 10 * MINUTE,  /* one write an object of the application, 50 a round */
    STAGE_PODS = 5 * MINUTE,    /* scheduling, mounting and one small image */
    COPY = 10 * MINUTE,         /* Velero and rsync report progress every few seconds */
    HOOK_DEADLINE = 30 * MINUTE /* the default of a MigHook's activeDeadlineSeconds */
};

#endif
