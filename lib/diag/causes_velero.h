/* What the rows about Velero share. */
#ifndef WAYMARK_DIAG_CAUSES_VELERO_H
#define WAYMARK_DIAG_CAUSES_VELERO_H

#include "causes.h"
#include "velero_look.h"

#define CANCEL                                                                                               \
    "{host.kubectl} patch migmigration {migration} --type merge -p '{\"spec\":{\"canceled\":true}}'"

/* Since when Velero's server runs on a cluster, its oldest pod; false = it does not, or is not among the
 * suspects.
 */
bool wm_server_since(const struct wm_look *look, uint8_t cluster, int64_t *ret);
/* Velero found it unfinished when it was started, and gave it up (velero pkg/cmd/server/server.go). */
bool wm_was_cut_off(const struct wm_record *r);
/* "volume html of pod ns/x": the clue's detail. */
void wm_clue_volume(struct wm_clue *c);

#endif
