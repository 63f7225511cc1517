/* What can be set, as `waymark-aggregator run --help` lists it. */
#ifndef WAYMARK_AGGREGATOR_SETTINGS_H
#define WAYMARK_AGGREGATOR_SETTINGS_H

#include "waymark/label_settings.h"

struct wm_settings {
    char *config, *kubeconfig, *context, *log_level, *health_listen, *namespace_, *migration_namespace,
        *lease;
    struct wm_option_list remotes, thresholds, gaps;
    bool conditions, verdicts, reports, events, leader_election;
    int64_t pod_volume_timeout_s, repair_per_s;
    struct wm_label_settings labels;
};
extern const struct wm_options wm_run_options;

#endif
