/* The plain second port: GET /healthz, /readyz, /metrics, in a thread of libmicrohttpd's own, so that probes
 * never wait behind reviews.  Edge. */
#ifndef WAYMARK_WEBHOOK_HEALTH_H
#define WAYMARK_WEBHOOK_HEALTH_H

#include "telemetry.h"

struct wm_health;

/* `from` is borrowed and may change underneath only in its atomics. */
int wm_health_new(const char *address, int port, const struct wm_telemetry_sources *from,
                  struct wm_health **ret, struct wm_error *err);
int wm_health_port(const struct wm_health *h);
struct wm_health *wm_health_free(struct wm_health *h);

#endif
