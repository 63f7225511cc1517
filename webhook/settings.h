/* The settings of `waymark-webhook serve`: one table (settings.c) makes flags, environment, file, --help and
 * the README's list. */
#ifndef WAYMARK_WEBHOOK_SETTINGS_H
#define WAYMARK_WEBHOOK_SETTINGS_H

#include "waymark/label_settings.h"

struct wm_settings {
    char *listen, *health_listen, *log_level;
    char *kubeconfig, *context, *namespace_;
    bool parents;
    int64_t lookup_budget_ms, validate_budget_ms;
    char *tls_mode, *tls_dir, *tls_secret, *service, *client_ca;
    struct wm_option_list tls_names, webhook_configs, validating_configs, client_names;
    int64_t cert_validity_h, cert_wait_s, cert_keep_s;
    int64_t loops, max_connections, max_body_mib, body_budget_mib, max_in_flight, idle_timeout_s, max_age_s;
    int64_t drain_s, grace_s;
    struct wm_label_settings labels;
    char *config; /* the file that the settings came from; NULL = none */
};

extern const struct wm_options wm_serve_options;

#endif
