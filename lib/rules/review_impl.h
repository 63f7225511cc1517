/* What reading for labels and reading for validation share. */
#ifndef WAYMARK_RULES_REVIEW_IMPL_H
#define WAYMARK_RULES_REVIEW_IMPL_H

#include "waymark/review.h"

/* The members of an AdmissionReview, as an index into spans; the object's follow. */
enum wm_review_member {
    WM_R_API_VERSION,
    WM_R_KIND,
    WM_R_REQUEST,
    WM_R_UID,
    WM_R_GROUP,
    WM_R_OBJECT_KIND,
    WM_R_SUBRESOURCE,
    WM_R_OPERATION,
    WM_R_NAMESPACE,
    WM_R_NAME,
    WM_R_DRY_RUN,
    WM_R_OBJECT,
    WM_R_COUNT = WM_R_OBJECT + WM_O_COUNT
};
#define WM_REVIEW_POINTERS                                                                                   \
    "/apiVersion", "/kind", "/request", "/request/uid", "/request/kind/group", "/request/kind/kind",         \
        "/request/subResource", "/request/operation", "/request/namespace", "/request/name",                 \
        "/request/dryRun", WM_OBJECT_POINTERS("/request/object")

/* Checks the spans and fills *ret; `rc` is how the reading of the body ended, and is returned when it failed.
 */
int wm_review_from(const struct wm_json_span s[WM_R_COUNT], int rc, struct wm_review *ret,
                   struct wm_error *err);

/* `{"kind":"AdmissionReview",...,"response":{"uid":...,"allowed":...`: to be closed with "}}". */
void wm_review_begin_answer(const struct wm_review *r, bool allowed, struct wm_buf *out);

#endif
