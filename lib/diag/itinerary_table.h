/* The rows behind waymark/itinerary.h. */
#ifndef WAYMARK_DIAG_ITINERARY_TABLE_H
#define WAYMARK_DIAG_ITINERARY_TABLE_H

#include "waymark/itinerary.h"

/* A phase at its place in an itinerary. */
struct wm_stop {
    const char *phase;
    const char *step;     /* in status.pipeline; NULL in a DirectVolumeMigration or VMMigration */
    const char *formerly; /* names of older releases at this place, separated by spaces; NULL = none */
    unsigned needs;       /* of enum wm_need: it is skipped unless all of them hold */
};

/* Both end with a row of zeros. */
struct wm_route {
    const char *name;
    const struct wm_phase *phases; /* the table that its names are in */
    const struct wm_stop *stops;
};
extern const struct wm_route wm_routes[WM_ITINERARY_COUNT];
extern const struct wm_phase wm_migration_phases[], wm_volume_phases[], wm_vm_phases[];
extern const struct wm_stop wm_stage_stops[], wm_final_stops[], wm_cancel_stops[], wm_failed_stops[],
    wm_rollback_stops[], wm_volume_stops[], wm_volume_failed_stops[], wm_volume_rollback_stops[],
    wm_vm_stops[];

#endif
