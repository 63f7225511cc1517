/* Inside of kube: the few response headers that matter. */
#ifndef WAYMARK_KUBE_HEAD_H
#define WAYMARK_KUBE_HEAD_H

#include "internal.h"

struct wm_head {
    struct wm_kube *k;
    int status; /* 0 = no status line yet */
    int64_t date_s;
    char content_type[96];
    char retry_after[64]; /* as it came */
    char flow_schema[40]; /* X-Kubernetes-PF-FlowSchema-UID: which queue a 429 came from */
};

void wm_head_init(struct wm_head *h, struct wm_kube *k);
void wm_head_done(struct wm_head *h);
/* One line as libcurl gives it; a status line begins anew (after a 100, a proxy's answer). */
void wm_head_line(struct wm_head *h, struct wm_str line);
int wm_head_retry_after(const struct wm_head *h);

#endif
