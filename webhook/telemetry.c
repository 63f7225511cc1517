#include "telemetry.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "waymark/clock.h"
#include "waymark/metrics.h"

enum { MAX_KINDS = 24, N_STATUSES = 9, N_STATES = 6 };

/* The kinds of the label table, then "other". */
static const char *kind_words[MAX_KINDS];
static const char *outcome_words[WM_OUTCOME_COUNT];
static const char *parent_words[WM_PARENT_COUNT - 1];
static const char *state_words[N_STATES];
static const char *const status_words[N_STATUSES] = {"400", "404", "405", "408",  "413",
                                                     "415", "500", "503", "other"};
static const int statuses[N_STATUSES - 1] = {400, 404, 405, 408, 413, 415, 500, 503};

static _Atomic int64_t mutation_cells[MAX_KINDS * WM_OUTCOME_COUNT], duration_cells[WM_HISTOGRAM_CELLS];
static _Atomic int64_t lookup_cells[WM_LOOKUP_COUNT], http_error_cells[N_STATUSES];
static _Atomic int64_t parent_cells[WM_PARENT_COUNT], state_cells[WM_PARENT_COUNT * N_STATES];
static _Atomic int64_t list_cells[WM_PARENT_COUNT], watch_cells[WM_PARENT_COUNT],
    expired_cells[WM_PARENT_COUNT];
static _Atomic int64_t watch_error_cells[WM_PARENT_COUNT];

static struct wm_metric mutations = {"waymark_mutations_total",
                                     "Reviews answered, by kind and by how they ended.",
                                     WM_COUNTER,
                                     "kind",
                                     kind_words,
                                     0,
                                     "outcome",
                                     outcome_words,
                                     WM_OUTCOME_COUNT,
                                     mutation_cells};
static struct wm_metric durations = {"waymark_mutation_duration_seconds",
                                     "From the complete header of a review to its answer, lookups included.",
                                     WM_HISTOGRAM,
                                     NULL,
                                     NULL,
                                     0,
                                     NULL,
                                     NULL,
                                     0,
                                     duration_cells};
static struct wm_metric lookups = {
    "waymark_parent_lookups_total",
    "Single lookups of parents that the watches had not brought yet, by result.",
    WM_COUNTER,
    "result",
    wm_lookup_result_names,
    WM_LOOKUP_COUNT,
    NULL,
    NULL,
    0,
    lookup_cells};
static struct wm_metric http_errors = {"waymark_http_errors_total",
                                       "Requests answered with an HTTP error, by status.",
                                       WM_COUNTER,
                                       "status",
                                       status_words,
                                       N_STATUSES,
                                       NULL,
                                       NULL,
                                       0,
                                       http_error_cells};
static struct wm_metric parents = {"waymark_parents",
                                   "Parents known, by resource.",
                                   WM_GAUGE,
                                   "resource",
                                   parent_words,
                                   WM_PARENT_COUNT - 1,
                                   NULL,
                                   NULL,
                                   0,
                                   parent_cells};
static struct wm_metric states = {"waymark_watch_state",
                                  "1 for the state that the watch of a resource is in.",
                                  WM_GAUGE,
                                  "resource",
                                  parent_words,
                                  WM_PARENT_COUNT - 1,
                                  "state",
                                  state_words,
                                  N_STATES,
                                  state_cells};
static struct wm_metric lists = {"waymark_watch_lists_total",
                                 "Complete lists begun, by resource.",
                                 WM_COUNTER,
                                 "resource",
                                 parent_words,
                                 WM_PARENT_COUNT - 1,
                                 NULL,
                                 NULL,
                                 0,
                                 list_cells};
static struct wm_metric watches = {"waymark_watch_connects_total",
                                   "Watches opened, by resource.",
                                   WM_COUNTER,
                                   "resource",
                                   parent_words,
                                   WM_PARENT_COUNT - 1,
                                   NULL,
                                   NULL,
                                   0,
                                   watch_cells};
static struct wm_metric expired = {"waymark_watch_expired_total",
                                   "Watches whose resourceVersion was gone (410), by resource.",
                                   WM_COUNTER,
                                   "resource",
                                   parent_words,
                                   WM_PARENT_COUNT - 1,
                                   NULL,
                                   NULL,
                                   0,
                                   expired_cells};
static struct wm_metric watch_errors = {"waymark_watch_errors_total",
                                        "Lists and watches that failed, by resource.",
                                        WM_COUNTER,
                                        "resource",
                                        parent_words,
                                        WM_PARENT_COUNT - 1,
                                        NULL,
                                        NULL,
                                        0,
                                        watch_error_cells};

/* Words that come from other tables are filled in once, by whoever counts or prints first. */
__attribute__((constructor)) static void fill_words(void)
{
    size_t n;
    const struct wm_label_rule *rules = wm_label_rules(&n);

    for (size_t i = 0; i < n && i < MAX_KINDS - 1; i++)
        kind_words[i] = rules[i].kind;
    kind_words[n] = "other";
    mutations.n_values1 = n + 1;
    for (int i = 0; i < WM_OUTCOME_COUNT; i++)
        outcome_words[i] = wm_outcome_name((enum wm_outcome)i);
    for (int i = 1; i < WM_PARENT_COUNT; i++)
        parent_words[i - 1] = wm_parent_resources[i].resource;
    for (int i = 0; i < N_STATES; i++)
        state_words[i] = wm_watch_state_name((enum wm_watch_state)i);
}

void wm_count_mutation(const struct wm_label_rule *rule, enum wm_outcome outcome, int64_t duration_ns)
{
    size_t n;
    const struct wm_label_rule *rules = wm_label_rules(&n);

    wm_metric_add(&mutations, rule ? (size_t)(rule - rules) : n, (size_t)outcome, 1);
    wm_metric_observe_ns(&durations, 0, duration_ns);
}

void wm_count_lookup(enum wm_lookup_result result)
{
    wm_metric_add(&lookups, (size_t)result, 0, 1);
}

void wm_count_http_error(int status)
{
    size_t i = 0;

    while (i < N_STATUSES - 1 && statuses[i] != status)
        i++;
    wm_metric_add(&http_errors, i, 0, 1);
}

/* --- the pages --- */

static void sample_parents(struct wm_parents *p)
{
    struct wm_parents_kind_stats k[WM_PARENT_COUNT];

    wm_parents_stats(p, k);
    for (size_t i = 1; i < WM_PARENT_COUNT; i++) {
        wm_metric_set(&parents, i - 1, 0, (int64_t)k[i].objects);
        for (size_t s = 0; s < N_STATES; s++)
            wm_metric_set(&states, i - 1, s, k[i].watch.state == (enum wm_watch_state)s);
        wm_metric_set(&lists, i - 1, 0, (int64_t)k[i].watch.lists);
        wm_metric_set(&watches, i - 1, 0, (int64_t)k[i].watch.watches);
        wm_metric_set(&expired, i - 1, 0, (int64_t)k[i].watch.expired);
        wm_metric_set(&watch_errors, i - 1, 0, (int64_t)k[i].watch.errors);
    }
}

void wm_telemetry_sample(struct wm_buf *out, const char *name, const char *kind, const char *help,
                         int64_t value)
{
    wm_buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n%s %" PRId64 "\n", name, help, name, kind, name, value);
}

static void put_server(struct wm_buf *out, const struct wm_server *server)
{
    struct wm_server_stats s;

    wm_server_stats(server, &s);
    wm_telemetry_sample(out, "waymark_connections_total", "counter", "Connections accepted.",
                        (int64_t)s.accepted);
    wm_telemetry_sample(out, "waymark_connections_refused_total", "counter",
                        "Connections closed at once: too many.", (int64_t)s.refused);
    wm_telemetry_sample(out, "waymark_connections", "gauge", "Connections open now.", s.open);
    wm_telemetry_sample(out, "waymark_tls_handshakes_total", "counter", "TLS handshakes completed.",
                        (int64_t)s.handshakes);
    wm_telemetry_sample(out, "waymark_tls_handshake_failures_total", "counter",
                        "TLS handshakes failed or given up.", (int64_t)s.handshake_failures);
    wm_telemetry_sample(out, "waymark_http_requests_total", "counter", "HTTP requests begun.",
                        (int64_t)s.requests);
    wm_telemetry_sample(out, "waymark_requests_in_flight", "gauge", "Requests taken and not answered.",
                        s.in_flight);
    wm_telemetry_sample(out, "waymark_requests_shed_total", "counter",
                        "Requests sent away with 503 and Retry-After.", (int64_t)s.shed);
    wm_telemetry_sample(out, "waymark_timeouts_total", "counter",
                        "Connections closed because the client was too slow.", (int64_t)s.timeouts);
    wm_telemetry_sample(out, "waymark_body_bytes", "gauge", "Bytes of bodies held now.", s.body_bytes);
    wm_telemetry_sample(out, "waymark_received_bytes_total", "counter", "Plain bytes received.",
                        (int64_t)s.bytes_in);
    wm_telemetry_sample(out, "waymark_sent_bytes_total", "counter", "Plain bytes sent.",
                        (int64_t)s.bytes_out);
    wm_telemetry_sample(out, "waymark_cert_not_after_seconds", "gauge",
                        "When the serving certificate expires, Unix time.", s.cert_not_after_s);
}

static bool certs_stats(const struct wm_telemetry_sources *from, struct wm_certs_stats *ret)
{
    if (from->certs)
        wm_certs_manager_stats(from->certs, ret);
    else if (from->cert_files)
        wm_certs_files_stats(from->cert_files, ret);
    return from->certs || from->cert_files;
}

static void put_certs(struct wm_buf *out, const struct wm_certs_stats *c)
{
    wm_telemetry_sample(out, "waymark_cert_loads_total", "counter", "Serving pairs taken into use.",
                        (int64_t)c->loads);
    wm_telemetry_sample(out, "waymark_cert_rotations_total", "counter",
                        "Generations that this replica made active.", (int64_t)c->rotations);
    wm_telemetry_sample(out, "waymark_cert_errors_total", "counter",
                        "Rounds of the certificate's upkeep that failed.", (int64_t)c->errors);
    wm_telemetry_sample(out, "waymark_cert_trusted", "gauge",
                        "1 while our CA is in every caBundle that calls us.", c->trusted);
}

/* The standard names of process metrics. */
static void put_process(struct wm_buf *out)
{
    long long pages = 0, resident = 0;
    FILE *f = fopen("/proc/self/statm", "re");

    if (f) {
        if (fscanf(f, "%lld %lld", &pages, &resident) == 2)
            wm_telemetry_sample(out, "process_resident_memory_bytes", "gauge", "Resident memory.",
                                resident * sysconf(_SC_PAGESIZE));
        fclose(f);
    }
}

void wm_metrics_page(struct wm_buf *out, const struct wm_telemetry_sources *from)
{
    struct wm_metric *const always[] = {&mutations, &durations, &lookups, &http_errors};
    struct wm_metric *const of_parents[] = {&parents, &states, &lists, &watches, &expired, &watch_errors};
    struct wm_certs_stats c;

    wm_buf_printf(out,
                  "# HELP waymark_build_info The version that runs.\n# TYPE waymark_build_info gauge\n"
                  "waymark_build_info{version=\"%s\"} 1\n",
                  WAYMARK_VERSION);
    wm_metrics_print(out, always, sizeof always / sizeof always[0]);
    wm_telemetry_validation(out, from->policies);
    if (from->parents) {
        sample_parents(from->parents);
        wm_metrics_print(out, of_parents, sizeof of_parents / sizeof of_parents[0]);
    }
    if (from->server)
        put_server(out, from->server);
    if (certs_stats(from, &c))
        put_certs(out, &c);
    put_process(out);
}

static void ready_certs(struct wm_buf *out, const struct wm_telemetry_sources *from)
{
    struct wm_certs_stats c;

    if (!certs_stats(from, &c))
        return;
    if (from->certs && !c.trusted)
        wm_buf_puts(out,
                    "[!]trust: no webhook configuration carries our CA yet: API servers will not call us\n");
    if (c.last_error[0])
        wm_buf_printf(out, "[!]certificate upkeep: %s\n", c.last_error);
}

/* Told, but no reason to be unready: what was in force before goes on. */
static void ready_policy(struct wm_buf *out, struct wm_policy_source *policies)
{
    struct wm_policy_source_stats s;

    wm_policy_source_stats(policies, &s);
    if (s.faulty)
        wm_buf_puts(out, "[!]validation: the configuration file is faulty (the log says where); what was in "
                         "force before stays\n");
}

static void ready_parents(struct wm_buf *out, struct wm_parents *p)
{
    struct wm_parents_kind_stats k[WM_PARENT_COUNT];
    int64_t now_ms = wm_mono_ms();

    wm_parents_stats(p, k);
    for (size_t i = 1; i < WM_PARENT_COUNT; i++) {
        bool good = k[i].watch.state == WM_WATCH_SYNCED || k[i].watch.state == WM_WATCH_ABSENT;

        wm_buf_printf(out, "[%c]parents %s: %s since %" PRId64 " s, %zu known%s\n", good ? '+' : '!',
                      k[i].resource, wm_watch_state_name(k[i].watch.state),
                      (now_ms - k[i].watch.state_since_ms) / 1000, k[i].objects,
                      good ? "" : "; what needs this parent is looked up one by one, or admitted unlabelled");
    }
}

bool wm_ready_page(struct wm_buf *out, const struct wm_telemetry_sources *from)
{
    struct wm_server_stats s = {0};
    bool draining = *from->draining;

    wm_server_stats(from->server, &s);
    bool pair = s.cert_not_after_s > 0, valid = s.cert_not_after_s > wm_wall_s();

    if (!pair)
        wm_buf_puts(out, "[-]certificate: none is loaded yet\n");
    else
        wm_buf_printf(out, "[%c]certificate: %s, %" PRId64 " hours left\n", valid ? '+' : '!',
                      valid ? "loaded" : "expired", (s.cert_not_after_s - wm_wall_s()) / 3600);
    wm_buf_printf(out, "[%c]serving: %s\n", draining ? '-' : '+',
                  draining ? "draining, about to stop" : "yes");
    ready_certs(out, from);
    if (from->policies)
        ready_policy(out, from->policies);
    if (from->parents)
        ready_parents(out, from->parents);
    wm_buf_printf(out, "readyz check %s\n", pair && !draining ? "passed" : "failed");
    return pair && !draining;
}
