/* The parts of the table of causes, by subject. */
#ifndef WAYMARK_DIAG_CAUSES_H
#define WAYMARK_DIAG_CAUSES_H

#include "waymark/cause.h"
#include "waymark/evidence.h"

extern const struct wm_cause wm_causes_pod[], wm_causes_storage[], wm_causes_velero[], wm_causes_volume[],
    wm_causes_plan[], wm_causes_direct[], wm_causes_general[];
extern const struct wm_cause wm_causes_cluster[], wm_causes_order[], wm_causes_hook[], wm_causes_end[];

/* --- what tests share --- */

/* The youngest Event about `r` with one of these reasons (a list that ends with NULL) whose message contains
 * `part` (NULL = any); NULL = there is none. */
const struct wm_record *wm_clue_event(const struct wm_clue *c, const struct wm_record *r,
                                      const char *const reasons[], const char *part);
bool wm_is_one_of(const char *word, const char *const words[]);
/* Prints into the clue's room, and is its `detail`. */
void wm_clue_detail(struct wm_clue *c, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* --- plans and clusters; causes_plan.c, causes_cluster.c --- */

/* Whether what the plan complains of now holds the migration up. */
bool wm_clue_plan_matters(const struct wm_clue *c);
/* The signal of the clue: the condition.  False without one. */
bool wm_clue_note(struct wm_clue *c, const struct wm_note *note);
/* Whether the phase works on a cluster that cannot be seen: that nothing is seen to move means nothing. */
bool wm_look_is_blind(const struct wm_look *look);

#endif
