#include "waymark/restarts.h"

struct wm_ledger {
    int64_t signal_s, patience_s;
};

struct wm_ledger *wm_ledger_new(void)
{
    return wm_xcalloc(1, sizeof(struct wm_ledger));
}
#include <stdlib.h>
struct wm_ledger *wm_ledger_free(struct wm_ledger *l)
{
    free(l);
    return NULL;
}
void wm_ledger_patience(struct wm_ledger *l, int64_t signal_s, int64_t patience_s)
{
    l->signal_s = signal_s;
    l->patience_s = patience_s;
}
void wm_ledger_changed(struct wm_ledger *l, const struct wm_model *m, const struct wm_record *r, bool gone,
                       int64_t now_s)
{
    (void)l, (void)m, (void)r, (void)gone, (void)now_s;
}
void wm_ledger_recall(struct wm_ledger *l, struct wm_str report)
{
    (void)l, (void)report;
}
bool wm_ledger_tick(struct wm_ledger *l, const struct wm_model *m, int64_t now_s)
{
    (void)l, (void)m, (void)now_s;
    return false;
}
void wm_ledger_each(const struct wm_ledger *l, wm_restart_fn *fn, void *ctx)
{
    (void)l, (void)fn, (void)ctx;
}
size_t wm_ledger_of(const struct wm_ledger *l, const struct wm_vm_state *vm, const struct wm_restart *ret[],
                    size_t max)
{
    (void)l, (void)vm, (void)ret, (void)max;
    return 0;
}
size_t wm_ledger_providers(const struct wm_ledger *l, int64_t now_s, struct wm_provider_log *ret, size_t max)
{
    (void)l, (void)now_s, (void)ret, (void)max;
    return 0;
}
