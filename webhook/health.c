#include "health.h"

static unsigned healthz(void *ctx, struct wm_buf *out)
{
    (void)ctx;
    wm_buf_puts(out, "ok\n");
    return 200;
}

static unsigned readyz(void *ctx, struct wm_buf *out)
{
    return wm_ready_page(out, ctx) ? 200 : 503;
}

static unsigned metrics(void *ctx, struct wm_buf *out)
{
    wm_metrics_page(out, ctx);
    return 200;
}

static const struct wm_page table[] = {
    {"/healthz", WM_PAGE_TEXT, healthz},
    {"/livez", WM_PAGE_TEXT, healthz},
    {"/readyz", WM_PAGE_TEXT, readyz},
    {"/metrics", WM_PAGE_METRICS, metrics},
};

int wm_health_new(const char *address, int port, struct wm_telemetry_sources *from, struct wm_pages **ret,
                  struct wm_error *err)
{
    return wm_pages_new(address, port, table, sizeof table / sizeof table[0], from, ret, err);
}
