/* The pages of the second port: /healthz, /readyz, /metrics. */
#ifndef WAYMARK_AGGREGATOR_TELEMETRY_H
#define WAYMARK_AGGREGATOR_TELEMETRY_H

#include "canary.h"
#include "fleet.h"
#include "follow.h"
#include "repair.h"
#include "reports.h"
#include "waymark/lease.h"
#include "waymark/pages.h"

/* Borrowed; each but `fleet` and `follow` may be NULL. */
struct wm_telemetry_sources {
    struct wm_fleet *fleet;
    struct wm_follow *follow;
    struct wm_reports *reports;
    struct wm_repair *repair;
    struct wm_events *events;
    struct wm_lease *lease;
    struct wm_canary *canary;
};
int wm_telemetry_new(const char *address, int port, struct wm_telemetry_sources *from, struct wm_pages **ret,
                     struct wm_error *err);

#endif
