#include "slices.h"

#include <string.h>

struct search {
    const struct wm_model *m;
    uint8_t cluster;
    const char *namespace_, *service;
    wm_record_fn *fn;
    void *ctx;
};

static void take(void *ctx, const struct wm_record *r)
{
    const struct search *s = ctx;

    if (r->cluster == s->cluster && strcmp(wm_slice_of(r)->service, s->service) == 0 &&
        strcmp(wm_model_word(s->m, r->namespace_), s->namespace_) == 0)
        s->fn(s->ctx, r);
}

void wm_slices_each(const struct wm_model *m, uint8_t cluster, const char *namespace_, const char *service,
                    wm_record_fn *fn, void *ctx)
{
    struct search s = {m, cluster, namespace_, service, fn, ctx};

    wm_model_each(m, WM_KIND_ENDPOINTSLICE, take, &s);
}

/* A ReplicaSet that is not known yet is taken for one of the Deployment's. */
enum wm_lead wm_lead_of(const struct wm_model *m, uint8_t cluster, struct wm_id pod, struct wm_id server)
{
    const struct wm_record *r, *set;

    if (!wm_id_is_set(pod))
        return WM_LEAD_HERE;
    r = wm_model_find(m, cluster, pod);
    if (!r)
        return WM_LEAD_NOWHERE;
    set = wm_model_find(m, cluster, r->parent);
    return !set || wm_id_is(set->parent, server) ? WM_LEAD_HERE : WM_LEAD_ASTRAY;
}
