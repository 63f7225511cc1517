/* Inside of the situation. */
#ifndef WAYMARK_DIAG_SITUATION_IMPL_H
#define WAYMARK_DIAG_SITUATION_IMPL_H

#include "waymark/situation.h"

/* Whose an object is does not depend on names, but the model keeps one record a uid and cluster, and anybody
 * may write a label: a child is on its parent's cluster, unless the parent works on all of them. */
bool wm_is_child(const struct wm_record *parent, const struct wm_record *r);

/* By kind, then by name: the same whatever the order in which objects came. */
int wm_record_order(const struct wm_record *x, const struct wm_record *y);
/* All children in no order; to be freed, NULL when there are none. */
const struct wm_record **wm_children(const struct wm_world *w, const struct wm_record *parent, size_t *n);
/* Puts the first `room` of them in order to the front. */
void wm_order_first(const struct wm_record **list, size_t n, size_t room);
/* All children, the first `room` of them in that order; to be freed, NULL when there are none. */
const struct wm_record **wm_children_in_order(const struct wm_world *w, const struct wm_record *parent,
                                              size_t room, size_t *n);

/* A Backup, or what is below one, that Velero's sync brought here from the cluster where it was made. */
bool wm_is_copy(const struct wm_situation *s, const struct wm_record *r);

/* Whether nothing more will happen to an object, and whether something has failed. */
struct wm_judgement {
    bool ended, faulty;
};
struct wm_judgement wm_judge(const struct wm_world *w, const struct wm_record *r);

/* Of two migrations of one plan, whether mig-controller takes `a` before `b`: stage migrations first, then by
 * age (pkg/apis/migration/v1alpha1/migplan_types.go, ListMigrations). */
bool wm_goes_first(const struct wm_record *a, const struct wm_record *b);

/* The objects that a phase waits for: the one to be named; NULL = it is not there, or has no kind. */
const struct wm_record *wm_awaited_by(const struct wm_world *w, const struct wm_situation *s,
                                      const struct wm_phase *phase);
/* Fills in what the situation's phase waits for. */
void wm_situation_await(const struct wm_world *w, struct wm_situation *s);
/* The same for a VMMigration; and of a phase that failed, what of it is still in the way. */
void wm_vm_await(const struct wm_world *w, struct wm_situation *s);
const struct wm_record *wm_vm_blamed_for(const struct wm_world *w, const struct wm_situation *s,
                                         const struct wm_phase *phase);
/* What is below `parent` in the tree of a VMMigration; as wm_children_in_order. */
const struct wm_record **wm_vm_children_in_order(const struct wm_world *w, const struct wm_situation *s,
                                                 const struct wm_record *parent, size_t room, size_t *n);
/* Fills in which phases may come next. */
void wm_situation_next(const struct wm_world *w, struct wm_situation *s);

#endif
