/* Pieces of sentences about a VMMigration. */
#ifndef WAYMARK_VIEW_VM_WORDS_H
#define WAYMARK_VIEW_VM_WORDS_H

#include "words.h"

/* Behind "waits for ". */
void wm_say_vm_wait(struct wm_speech *sp);
/* A clause: "attempt 2 of 4, the one before failed with: ...", in brief ", attempt 2 of 4"; nothing in the
 * first one, and of a MigMigration. */
void wm_say_vm_attempt(struct wm_speech *sp);
/* It has failed, and begins anew after a pause. */
bool wm_vm_waits_for_retry(const struct wm_situation *s);
/* The whole of that, except for what comes next. */
void wm_say_vm_retry(struct wm_speech *sp);
/* Clauses about what is there after the end. */
void wm_say_vm_leftovers(struct wm_speech *sp);

#endif
