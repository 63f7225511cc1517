/* A diagnosis for people who read a dump, and for programs that do.  Pure. */
#ifndef WAYMARK_DIAGNOSIS_VIEW_H
#define WAYMARK_DIAGNOSIS_VIEW_H

#include "waymark/cause.h"

/* A migration, what is found of it, and those that wait for it. */
struct wm_case {
    const struct wm_diagnosis *d; /* with its look, situation and world */
    const struct wm_record *const *waiting;
    size_t n_waiting;
};

/* At most WM_SCREEN_LINES lines: whether it moves, since when, which object it hangs on, why, what to do,
 * whether it ends by itself, who else waits. */
enum { WM_SCREEN_LINES = 12 };
void wm_case_screen(const struct wm_case *c, struct wm_buf *out);
/* The rest: further findings with their remedies and what they were come upon through, and the tree. */
void wm_case_details(const struct wm_case *c, struct wm_buf *out);

/* Appends an item of a JSON array, with all of this. */
void wm_case_object(const struct wm_case *c, struct wm_buf *out);

#endif
