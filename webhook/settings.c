#include "settings.h"

#include <string.h>

#define AT(field) offsetof(struct wm_settings, field)

// clang-format off
static const struct wm_option table[] = {
    {"listen", WM_OPTION_TEXT, AT(listen), "0.0.0.0:9443", "ADDRESS:PORT", NULL, 0, 0,
     "where AdmissionReviews are taken, over TLS; port 0 = any free one"},
    {"health-listen", WM_OPTION_TEXT, AT(health_listen), "0.0.0.0:8080", "ADDRESS:PORT", NULL, 0, 0,
     "where /healthz, /readyz and /metrics are served, plain"},
    {"log-level", WM_OPTION_TEXT, AT(log_level), "info", "LEVEL", "debug|info|warn|error", 0, 0,
     "lines below this are not written; at info there is one a request"},
    {"kubeconfig", WM_OPTION_TEXT, AT(kubeconfig), NULL, "FILE", NULL, 0, 0,
     "how to reach the API server; not set: as kubectl does, and in a pod its service account"},
    {"context", WM_OPTION_TEXT, AT(context), NULL, "NAME", NULL, 0, 0, "context in the kubeconfig; not set: its current one"},
    {"namespace", WM_OPTION_TEXT, AT(namespace_), NULL, "NAME", NULL, 0, 0,
     "our own namespace: of the Service and the certificate's Secret; not set: the pod's or the context's"},
    {"parents", WM_OPTION_SWITCH, AT(parents), "true", NULL, NULL, 0, 0,
     "watch the parents (MigMigrations, Backups, ...) and look up what rules ask for; off: each object is labelled and validated by itself alone"},
    {"lookup-budget-ms", WM_OPTION_NUMBER, AT(lookup_budget_ms), "500", "MS", NULL, 0, 10000,
     "how long one review may wait for the lookup of a parent that no watch has brought yet"},
    {"validate-budget-ms", WM_OPTION_NUMBER, AT(validate_budget_ms), "1500", "MS", NULL, 0, 10000,
     "how long one validation may wait for the other objects that its rules look up; what is not known then is allowed; 0 = no lookups"},
    {"tls-mode", WM_OPTION_TEXT, AT(tls_mode), "self", "MODE", "self|files", 0, 0,
     "self: make and rotate the certificate in a Secret and set the caBundle; files: somebody else does (cert-manager, OpenShift)"},
    {"tls-dir", WM_OPTION_TEXT, AT(tls_dir), NULL, "DIR", NULL, 0, 0,
     "tls.crt and tls.key, as a Secret is mounted; mode files: changes are taken up without a restart; mode self: read once, for a start without API server"},
    {"tls-secret", WM_OPTION_TEXT, AT(tls_secret), "waymark-webhook-tls", "NAME", NULL, 0, 0, "Secret of mode self"},
    {"tls-names", WM_OPTION_LIST, AT(tls_names), NULL, "NAME,...", NULL, 0, 0,
     "further DNS names and addresses in the certificate of mode self, beside the Service's"},
    {"service", WM_OPTION_TEXT, AT(service), "waymark-webhook", "NAME", NULL, 0, 0,
     "Service under which API servers call us"},
    {"webhook-configs", WM_OPTION_LIST, AT(webhook_configs), "waymark-labels", "NAME,...", NULL, 0, 0,
     "MutatingWebhookConfigurations whose caBundle mode self keeps"},
    {"validating-configs", WM_OPTION_LIST, AT(validating_configs), "waymark-validation", "NAME,...", NULL, 0, 0,
     "ValidatingWebhookConfigurations whose caBundle mode self keeps"},
    {"cert-validity-h", WM_OPTION_NUMBER, AT(cert_validity_h), "2160", "HOURS", NULL, 1, 87600,
     "life of a certificate of mode self; it is renewed when a third is left"},
    {"cert-wait-s", WM_OPTION_NUMBER, AT(cert_wait_s), "60", "SECONDS", NULL, 1, 3600,
     "how long API servers may take to see a changed caBundle before the new certificate is used"},
    {"cert-keep-s", WM_OPTION_NUMBER, AT(cert_keep_s), "3600", "SECONDS", NULL, 1, 86400,
     "how long the old CA stays trusted after a change of certificate"},
    {"client-ca", WM_OPTION_TEXT, AT(client_ca), NULL, "FILE", NULL, 0, 0,
     "CA of the API server's client certificate; set: callers without one are refused"},
    {"client-names", WM_OPTION_LIST, AT(client_names), NULL, "CN,...", NULL, 0, 0,
     "with client-ca: subject names that may call; not set: any that the CA signed"},
    {"loops", WM_OPTION_NUMBER, AT(loops), "0", "N", NULL, 0, 64, "serving threads; 0 = one a CPU, at most 2"},
    {"max-connections", WM_OPTION_NUMBER, AT(max_connections), "2000", "N", NULL, 1, 100000, "connections open at once"},
    {"max-body-mib", WM_OPTION_NUMBER, AT(max_body_mib), "28", "MIB", NULL, 1, 1024,
     "largest review; 28 is the largest that an API server can send"},
    {"body-budget-mib", WM_OPTION_NUMBER, AT(body_budget_mib), "84", "MIB", NULL, 1, 65536,
     "memory for all bodies together; beyond it reviews are sent away with Retry-After: 1"},
    {"max-in-flight", WM_OPTION_NUMBER, AT(max_in_flight), "1000", "N", NULL, 1, 100000,
     "reviews taken and not answered; beyond it they are sent away with Retry-After: 1"},
    {"idle-timeout-s", WM_OPTION_NUMBER, AT(idle_timeout_s), "120", "SECONDS", NULL, 1, 3600,
     "idle connections are closed after this; keep it over 90, the API server's own"},
    {"max-age-s", WM_OPTION_NUMBER, AT(max_age_s), "300", "SECONDS", NULL, -1, 86400,
     "connections end after this, give or take a fifth, so that replicas share the load; -1 = never"},
    {"drain-s", WM_OPTION_NUMBER, AT(drain_s), "15", "SECONDS", NULL, 0, 600,
     "after SIGTERM: how long requests are still taken, each answered with Connection: close, while Endpoints forget us"},
    {"grace-s", WM_OPTION_NUMBER, AT(grace_s), "10", "SECONDS", NULL, 0, 600,
     "after the drain: how long running requests may take to end"},
    {"label-plan", WM_OPTION_TEXT, AT(label_plan), "migration.openshift.io/migplan-name", "KEY", NULL, 0, 0,
     "label with the plan's name"},
    {"label-plan-aliases", WM_OPTION_LIST, AT(label_plan_aliases), "migrations.openshift.io/migPlanName", "KEY,...", NULL, 0, 0,
     "further labels with the plan's name, on MigMigrations only; at most 4"},
    {"label-migration", WM_OPTION_TEXT, AT(label_migration), "migration.openshift.io/migmigration-name", "KEY", NULL, 0, 0,
     "label with the migration's name"},
    {"label-uid", WM_OPTION_TEXT, AT(label_uid), "migration.openshift.io/migmigration-uid", "KEY", NULL, 0, 0,
     "label with the migration's uid"},
};
// clang-format on

static const char *const sections[] = {"validation", NULL};
static const size_t config = AT(config);

const struct wm_options wm_serve_options = {
    "waymark-webhook serve",
    "Labels and validates the objects of migrations as they are created, and serves until SIGTERM or SIGINT.",
    table,
    sizeof table / sizeof table[0],
    .sections = sections,
    .config = &config,
};

int wm_settings_labels(const struct wm_settings *s, struct wm_label_conf *ret, struct wm_error *err)
{
    struct wm_label_conf conf = wm_label_conf_default;

    conf.plan = s->label_plan ? s->label_plan : "";
    conf.migration = s->label_migration ? s->label_migration : "";
    conf.uid = s->label_uid ? s->label_uid : "";
    memset(conf.plan_aliases, 0, sizeof conf.plan_aliases);
    if (s->label_plan_aliases.n > WM_LABEL_ALIASES_MAX)
        return wm_fail(err, WM_E_TOO_BIG, "label-plan-aliases", "%zu aliases of the plan's label; at most %d",
                       s->label_plan_aliases.n, WM_LABEL_ALIASES_MAX);
    for (size_t i = 0; i < s->label_plan_aliases.n; i++)
        conf.plan_aliases[i] = s->label_plan_aliases.items[i];
    int rc = wm_label_conf_check(&conf, err);

    if (rc == WM_OK)
        *ret = conf;
    return rc;
}
