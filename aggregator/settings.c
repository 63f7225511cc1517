#include "settings.h"

#define AT(field) offsetof(struct wm_settings, field)

// clang-format off
static const struct wm_option table[] = {
    {"kubeconfig", WM_OPTION_TEXT, AT(kubeconfig), NULL, "FILE", NULL, 0, 0,
     "how to reach the host cluster, where the MigMigrations are; not set: as kubectl does, and in a pod its service account"},
    {"context", WM_OPTION_TEXT, AT(context), NULL, "NAME", NULL, 0, 0, "context in the kubeconfig; not set: its current one"},
    {"remotes", WM_OPTION_LIST, AT(remotes), NULL, "NAME=FILE,...", NULL, 0, 0,
     "kubeconfigs of other clusters, each under the name of its MigCluster; others are reached as their MigClusters say"},
    {"migration-namespace", WM_OPTION_TEXT, AT(migration_namespace), "openshift-migration", "NAME", NULL, 0, 0,
     "where mig-controller and Velero work, on every cluster; VMMigrations are followed wherever they are"},
    {"namespace", WM_OPTION_TEXT, AT(namespace_), NULL, "NAME", NULL, 0, 0,
     "our own namespace, of the Lease; not set: the pod's or the context's"},
    {"health-listen", WM_OPTION_TEXT, AT(health_listen), "0.0.0.0:8080", "ADDRESS:PORT", NULL, 0, 0,
     "where /healthz, /readyz and /metrics are served, plain"},
    {"log-level", WM_OPTION_TEXT, AT(log_level), "info", "LEVEL", "debug|info|warn|error", 0, 0, "lines below this are not written"},
    {"leader-election", WM_OPTION_SWITCH, AT(leader_election), "true", NULL, NULL, 0, 0,
     "of several replicas only the one that holds the Lease writes; off: this one writes"},
    {"lease", WM_OPTION_TEXT, AT(lease), "waymark-aggregator", "NAME", NULL, 0, 0, "name of the Lease"},
    {"conditions", WM_OPTION_SWITCH, AT(conditions), "true", NULL, NULL, 0, 0,
     "write MigrationProgress, MigrationStalled and MigrationOutcome into the conditions of MigMigrations, and these and "
     "ProviderRestarts into those of VMMigrations"},
    {"verdicts", WM_OPTION_SWITCH, AT(verdicts), "true", NULL, NULL, 0, 0,
     "write the annotation waymark.io/verdict on MigMigrations and VMMigrations"},
    {"reports", WM_OPTION_SWITCH, AT(reports), "true", NULL, NULL, 0, 0, "keep a MigrationReport of each migration"},
    {"events", WM_OPTION_SWITCH, AT(events), "true", NULL, NULL, 0, 0, "tell of new phases and of the end in Events"},
    {"pod-volume-timeout-s", WM_OPTION_NUMBER, AT(pod_volume_timeout_s), "3600", "SECONDS", NULL, 60, 864000,
     "after which Velero gives up on volumes (the operator's restic_timeout)"},
    {"thresholds", WM_OPTION_LIST, AT(thresholds), NULL, "NAME=SECONDS,...", NULL, 0, 0,
     "how long something may stand still before it is said: signal=15 (what does not heal by itself), quiet=120, startup=60, "
     "queue=120, sync=300, copy=600 (bytes), items=900, quiesce=300, rollout=60 (of a provider), tidy=600"},
    {"gaps", WM_OPTION_LIST, AT(gaps), NULL, "NAME=SECONDS,...", NULL, 0, 0,
     "beside what the time without a ready pod of a VirtRigaud provider is put: typical=15, worst-case=32, outage=60"},
    {"repair-per-s", WM_OPTION_NUMBER, AT(repair_per_s), "5", "N", NULL, 0, 1000,
     "how many objects that lack the webhook's labels are given them in a second, on all clusters together; 0 = none"},
    WM_LABEL_OPTIONS(AT(labels)),
};
// clang-format on

static const size_t config_at = AT(config);

const struct wm_options wm_run_options = {
    .program = "waymark-aggregator run",
    .usage = "Follows every migration on every cluster, and says where it stands, until SIGTERM or SIGINT.",
    .table = table,
    .n = sizeof table / sizeof table[0],
    .config = &config_at,
};
