/* To which pods the Service of a provider's Deployment leads.  Inside of wm_diag. */
#ifndef WAYMARK_DIAG_SLICES_H
#define WAYMARK_DIAG_SLICES_H

#include "waymark/evidence.h"

/* Every EndpointSlice of that Service. */
void wm_slices_each(const struct wm_model *m, uint8_t cluster, const char *namespace_, const char *service,
                    wm_record_fn *fn, void *ctx);

/* Whose an endpoint of a slice is. */
enum wm_lead {
    WM_LEAD_NOWHERE, /* a pod that is not there, or not known yet */
    WM_LEAD_HERE,    /* a pod of that Deployment; or no pod at all, somebody's own work */
    WM_LEAD_ASTRAY,  /* a pod of others */
};
enum wm_lead wm_lead_of(const struct wm_model *m, uint8_t cluster, struct wm_id pod, struct wm_id server);

#endif
