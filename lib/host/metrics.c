#include "waymark/metrics.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>

static const int64_t bounds_ns[WM_HISTOGRAM_BUCKETS] = {
    50000,    100000,   200000,    500000,    1000000,   2000000,    5000000,    10000000,
    20000000, 50000000, 100000000, 200000000, 500000000, 1000000000, 2000000000, 10000000000};
enum { CELL_SUM = WM_HISTOGRAM_BUCKETS + 1, CELL_COUNT };

static size_t row(const struct wm_metric *m, size_t i, size_t j)
{
    return i * (m->n_values2 ? m->n_values2 : 1) + j;
}

void wm_metric_add(struct wm_metric *m, size_t i, size_t j, int64_t n)
{
    atomic_fetch_add_explicit(&m->cells[row(m, i, j)], n, memory_order_relaxed);
}

void wm_metric_set(struct wm_metric *m, size_t i, size_t j, int64_t value)
{
    atomic_store_explicit(&m->cells[row(m, i, j)], value, memory_order_relaxed);
}

int64_t wm_metric_get(const struct wm_metric *m, size_t i, size_t j)
{
    return atomic_load_explicit(&m->cells[row(m, i, j)], memory_order_relaxed);
}

void wm_metric_observe_ns(struct wm_metric *m, size_t i, int64_t ns)
{
    _Atomic int64_t *cells = m->cells + i * WM_HISTOGRAM_CELLS;
    size_t b = 0;

    while (b < WM_HISTOGRAM_BUCKETS && ns > bounds_ns[b])
        b++;
    atomic_fetch_add_explicit(&cells[b], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&cells[CELL_SUM], ns, memory_order_relaxed);
    atomic_fetch_add_explicit(&cells[CELL_COUNT], 1, memory_order_relaxed);
}

/* --- text --- */

static void print_labels(struct wm_buf *out, const struct wm_metric *m, size_t i, size_t j, const char *le)
{
    const char *sep = "{";

    if (m->n_values1) {
        wm_buf_printf(out, "%s%s=\"%s\"", sep, m->label1, m->values1[i]);
        sep = ",";
    }
    if (m->n_values2) {
        wm_buf_printf(out, "%s%s=\"%s\"", sep, m->label2, m->values2[j]);
        sep = ",";
    }
    if (le) {
        wm_buf_printf(out, "%sle=\"%s\"", sep, le);
        sep = ",";
    }
    if (sep[0] == ',')
        wm_buf_puts(out, "}");
}

static void print_histogram(struct wm_buf *out, const struct wm_metric *m, size_t i)
{
    const _Atomic int64_t *cells = m->cells + i * WM_HISTOGRAM_CELLS;
    int64_t below = 0;

    for (size_t b = 0; b <= WM_HISTOGRAM_BUCKETS; b++) {
        char le[32] = "+Inf";

        if (b < WM_HISTOGRAM_BUCKETS)
            snprintf(le, sizeof le, "%g", (double)bounds_ns[b] / 1e9);
        below += cells[b];
        wm_buf_printf(out, "%s_bucket", m->name);
        print_labels(out, m, i, 0, le);
        wm_buf_printf(out, " %" PRId64 "\n", below);
    }
    wm_buf_printf(out, "%s_sum", m->name);
    print_labels(out, m, i, 0, NULL);
    wm_buf_printf(out, " %.9f\n%s_count", (double)cells[CELL_SUM] / 1e9, m->name);
    print_labels(out, m, i, 0, NULL);
    wm_buf_printf(out, " %" PRId64 "\n", (int64_t)cells[CELL_COUNT]);
}

void wm_metrics_print(struct wm_buf *out, struct wm_metric *const families[], size_t n)
{
    static const char *const kinds[] = {"counter", "gauge", "histogram"};

    for (size_t f = 0; f < n; f++) {
        const struct wm_metric *m = families[f];
        size_t n1 = m->n_values1 ? m->n_values1 : 1, n2 = m->n_values2 ? m->n_values2 : 1;

        wm_buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", m->name, m->help, m->name, kinds[m->kind]);
        for (size_t i = 0; i < n1; i++)
            for (size_t j = 0; j < n2; j++) {
                if (m->kind == WM_HISTOGRAM) {
                    print_histogram(out, m, i);
                    continue;
                }
                wm_buf_puts(out, m->name);
                print_labels(out, m, i, j, NULL);
                wm_buf_printf(out, " %" PRId64 "\n", wm_metric_get(m, i, j));
            }
    }
}
