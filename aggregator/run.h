/* The program between its settings and a signal. */
#ifndef WAYMARK_AGGREGATOR_RUN_H
#define WAYMARK_AGGREGATOR_RUN_H

#include "settings.h"

/* Runs until SIGTERM or SIGINT. */
int wm_run(const struct wm_settings *s, struct wm_error *err);

#endif
