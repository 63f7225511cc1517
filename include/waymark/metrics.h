/* Counters, gauges and histograms in Prometheus' text format (version 0.0.4).  Edge only in that it is
 * global: one registry a program.  Updates are atomic, from any thread, and cost no lock. */
#ifndef WAYMARK_METRICS_H
#define WAYMARK_METRICS_H

#include <stdatomic.h>
#include <stdint.h>

#include "waymark/buf.h"

enum wm_metric_kind { WM_COUNTER, WM_GAUGE, WM_HISTOGRAM };

/* One family with up to two labels whose values are small closed sets (tables of words), so that no input can
 * make the registry grow.  Define as static, name cells by index: metric->cells[i * n_values2 + j]. */
struct wm_metric {
    const char *name, *help;
    enum wm_metric_kind kind;
    const char *label1;
    const char *const *values1;
    size_t n_values1; /* 0 = no label */
    const char *label2;
    const char *const *values2;
    size_t n_values2;
    _Atomic int64_t *cells; /* n1 * n2 cells; a histogram: one (bucket counts, sum in ns, count) a cell row */
};

/* Upper bounds of histogram buckets in seconds: 50 us to 10 s. */
#define WM_HISTOGRAM_BUCKETS 16
#define WM_HISTOGRAM_CELLS (WM_HISTOGRAM_BUCKETS + 3) /* + Inf, sum (ns), count */

void wm_metric_add(struct wm_metric *m, size_t i, size_t j, int64_t n);
void wm_metric_set(struct wm_metric *m, size_t i, size_t j, int64_t value);
void wm_metric_observe_ns(struct wm_metric *m, size_t i, int64_t ns); /* histograms have one label at most */
int64_t wm_metric_get(const struct wm_metric *m, size_t i, size_t j);

/* Appends the families as text. */
void wm_metrics_print(struct wm_buf *out, struct wm_metric *const families[], size_t n);

#endif
