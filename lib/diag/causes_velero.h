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
/* "volume html of pod ns/x": the clue's detail. */
void wm_clue_volume(struct wm_clue *c);

#endif
