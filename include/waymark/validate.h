/* Validation of one object: findings in, verdict out.  Pure.
 *
 * An UPDATE is judged only by the rules whose part of spec it changes, so that controllers can always write
 * status, labels and finalizers of an object that was bad before.  An object that is being deleted is not
 * judged at all. */
#ifndef WAYMARK_VALIDATE_H
#define WAYMARK_VALIDATE_H

#include "waymark/facts.h"
#include "waymark/policy.h"
#include "waymark/review.h"

/* The object in question.  Spans and values are borrowed from the text and its index. */
struct wm_subject {
    enum wm_subject_kind kind;
    enum wm_on on;
    wm_name namespace_, name;
    bool generated;          /* `name` is a generateName: five characters follow */
    bool going;              /* it is being deleted already: nothing is judged */
    struct wm_object object; /* on DELETE: the object that goes */
    /* Of the object, and on UPDATE of what it was.  On DELETE spec and status are those of the object that
     * goes. */
    struct wm_json_value spec, status, old_spec, old_status;
    struct wm_requester who;
    int64_t now_s; /* Unix time; 0 = not known, then ages are not judged */
};

/* A finding, as people see it. */
struct wm_finding {
    const struct wm_rule *rule;
    enum wm_mode mode;
    bool excepted;   /* by the object's annotation; then mode is AUDIT */
    char field[192]; /* "spec.namespaces[1]" */
    char value[96];  /* as found, cut; "" = nothing there */
    char why[400];   /* this very case, one clause, without a full stop */
};

#define WM_FINDINGS_MAX 64
struct wm_verdict {
    struct wm_finding *list; /* owned; the most severe first */
    size_t n;
    size_t n_of[WM_MODE_COUNT];           /* by mode, also those beyond WM_FINDINGS_MAX */
    uint64_t unknown[WM_RULE_MASK_WORDS]; /* rules that could not be decided for want of a fact */
    bool wants_facts; /* something is WANTED: fetch and judge again for the whole verdict */
};
void wm_verdict_done(struct wm_verdict *v);
static inline bool wm_verdict_allows(const struct wm_verdict *v)
{
    return v->n_of[WM_MODE_ENFORCE] == 0;
}

/* Reads a stored object as if it were created now, for audits; `index` is filled and must outlive *ret.  kind
 * NONE when it has no rules. */
int wm_subject_read(struct wm_str object, struct wm_json_index *index, struct wm_subject *ret,
                    struct wm_error *err);

/* Judges `s`.  `verdict` is emptied first. */
void wm_validate(const struct wm_subject *s, const struct wm_policy *policy, struct wm_facts *facts,
                 struct wm_verdict *ret);

/* `"value": why; remedy (id; the controller would say Condition)`, and the whole line with "field: " before
 * it. */
void wm_finding_print(const struct wm_finding *f, bool with_field, struct wm_buf *out);

/* --- AdmissionReviews --- */

/* A review read for validation.  The index is owned: wm_admission_done. */
struct wm_admission {
    struct wm_review review;
    struct wm_subject subject; /* kind NONE: nothing to judge */
    struct wm_json_index index;
};
/* As wm_review_read; on error `ret` still has review.uid when it could be read. */
int wm_admission_read(struct wm_str body, struct wm_admission *ret, struct wm_error *err);
void wm_admission_done(struct wm_admission *a);

/* Appends the answer: a whole AdmissionReview.  Denials bear code and reason, every finding as a cause and a
 * line of the message; warnings are cut to what API servers pass on (k8s.io/apiserver warning.go: 4096 runes
 * in all), with a count of the rest; audit annotations name the rules. */
int wm_admission_answer(const struct wm_admission *a, const struct wm_verdict *v, struct wm_buf *out,
                        struct wm_error *err);

#endif
