/* `waymark-webhook serve`: wiring, from settings to a running server to a clean end. */
#ifndef WAYMARK_WEBHOOK_SERVE_H
#define WAYMARK_WEBHOOK_SERVE_H

#include "settings.h"

/* Serves until SIGTERM or SIGINT, then drains.  A second signal ends the drain at once. */
int wm_serve(const struct wm_settings *settings, struct wm_error *err);

#endif
