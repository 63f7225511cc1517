/* What can be set, as `waymark-aggregator run --help` lists it. */
#ifndef WAYMARK_AGGREGATOR_SETTINGS_H
#define WAYMARK_AGGREGATOR_SETTINGS_H

#include "waymark/options.h"

struct wm_settings {
    char *config, *kubeconfig, *context, *log_level, *health_listen, *namespace_, *migration_namespace,
        *lease;
    struct wm_option_list remotes;
    bool conditions, verdicts, reports, events, leader_election;
    int64_t pod_volume_timeout_s;
};
extern const struct wm_options wm_run_options;

#endif
