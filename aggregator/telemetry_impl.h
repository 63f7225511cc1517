/* What the files of telemetry share. */
#ifndef WAYMARK_AGGREGATOR_TELEMETRY_IMPL_H
#define WAYMARK_AGGREGATOR_TELEMETRY_IMPL_H

#include "telemetry.h"

void wm_telemetry_head(struct wm_buf *out, const char *name, const char *type, const char *help);
void wm_telemetry_sample(struct wm_buf *out, const char *name, const char *type, const char *help,
                         int64_t value);
/* telemetry_providers.c */
void wm_telemetry_providers(struct wm_buf *out, struct wm_fleet *fleet);

#endif
