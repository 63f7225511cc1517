/* AdmissionReview in, AdmissionReview out; no HTTP.  Pure.
 *
 * v1 and v1beta1 (k8s.io/api/admission), answered in the version asked; the rules of a valid answer are those
 * of k8s.io/apiserver VerifyAdmissionResponse.  What we cannot read is an error, which the caller answers as
 * an HTTP error with wm_status_print: so that failurePolicy decides.  It is never a denial. */
#ifndef WAYMARK_REVIEW_H
#define WAYMARK_REVIEW_H

#include "waymark/labels.h"

/* The largest review that an API server can send: object and old object of 3 and 1.5 MiB, each byte escaped
 * to six (Go writes '<' as six characters), and the envelope. */
#define WM_REVIEW_MAX_BYTES (28u << 20)

enum wm_operation { WM_OP_CREATE, WM_OP_UPDATE, WM_OP_DELETE, WM_OP_CONNECT, WM_OP_COUNT };

struct wm_review {
    struct wm_json_span uid, group, kind, subresource, operation_text, namespace_,
        name; /* borrowed from the body */
    enum wm_operation operation;
    bool beta, dry_run;
    struct wm_object object;          /* metadata absent on DELETE */
    const struct wm_label_rule *rule; /* NULL = a kind that has none */
};

/* Reads and checks a request body.  On error *ret still has `uid` when it could be read. */
int wm_review_read(struct wm_str body, struct wm_review *ret, struct wm_error *err);

/* The object's name for people: its name, else its generateName, else "".  A span, for the log. */
struct wm_json_span wm_review_object_name(const struct wm_review *r);

struct wm_mutation {
    struct wm_derivation derivation;
    size_t n_ops, patch_bytes;
};

/* Answers `r` with the labels that its object lacks, appended to `out` as a whole AdmissionReview.  With
 * outcome UNKNOWN_PARENT and a `missing` reference the answer labels what is known; the caller may look the
 * parent up and ask again, or send it as it is. */
int wm_review_mutate(const struct wm_review *r, const struct wm_label_conf *conf, wm_find_fn *find, void *ctx,
                     struct wm_buf *out, struct wm_mutation *ret, struct wm_error *err);

/* A v1 Status of kind Failure for an HTTP error; its message is what the API server shows to the user.  `uid`
 * may be absent. */
void wm_status_print(struct wm_buf *out, int http_code, const char *message, struct wm_json_span uid);

#endif
