/* The webhook's plain second port: GET /healthz, /readyz, /metrics.  Edge. */
#ifndef WAYMARK_WEBHOOK_HEALTH_H
#define WAYMARK_WEBHOOK_HEALTH_H

#include "telemetry.h"
#include "waymark/pages.h"

/* `from` is borrowed and may change underneath only in its atomics. */
int wm_health_new(const char *address, int port, struct wm_telemetry_sources *from, struct wm_pages **ret,
                  struct wm_error *err);

#endif
