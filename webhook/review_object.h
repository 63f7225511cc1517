/* One object through what the server does: mutation, then validation. */
#ifndef WAYMARK_WEBHOOK_REVIEW_OBJECT_H
#define WAYMARK_WEBHOOK_REVIEW_OBJECT_H

#include "review_context.h"

struct wm_reviewer {
    const struct wm_label_conf *labels;
    const struct wm_policy *policy;
    struct wm_context *context;
    int64_t now_s;
};

struct wm_reviewed {
    const struct wm_input_object *of;
    bool has_rules;            /* of either sort */
    cJSON *review;             /* the AdmissionReview, owned; its request.object as it would be stored */
    const cJSON *stored;       /* in there; NULL = nothing would be (DELETE) */
    struct wm_verdict verdict; /* what cannot be labelled is among its findings */
};

/* WM_E_INVALID when it is an AdmissionReview that no API server could have sent. */
int wm_reviewer_run(const struct wm_reviewer *r, const struct wm_input_object *o, struct wm_reviewed *ret,
                    struct wm_error *err);
void wm_reviewed_done(struct wm_reviewed *r);

/* The rule of the one finding that labelling can make; it is in no table. */
extern const struct wm_rule wm_label_rule_unsafe_name;

/* The line of a finding's field, of the nearest there is. */
unsigned wm_reviewed_line(const struct wm_reviewed *r, const struct wm_finding *f);

#endif
