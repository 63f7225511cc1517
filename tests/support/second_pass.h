/* What must hold for every answer to every review; used by the goldens and by the fuzzer. */
#ifndef WAYMARK_TESTS_SECOND_PASS_H
#define WAYMARK_TESTS_SECOND_PASS_H

#include "waymark/review.h"

/* Checks the answer to `body`: it is JSON and an AdmissionReview of the version asked; the uid came back; it
 * allows; patch and patchType come together; the patch applies and changes nothing but labels and waymark.io/
 * annotations; the patched object, asked again, wants nothing.  Returns NULL, or what does not hold.
 * *ret_patch (may be NULL) is the decoded patch, [] when there is none; the caller deletes it. */
const char *second_pass_fault(struct wm_str body, struct wm_str answer, wm_find_fn *find, void *ctx,
                              cJSON **ret_patch);

#endif
