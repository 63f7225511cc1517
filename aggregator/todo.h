/* Objects that are to be looked at again: each once, at most so many.  Pure; not thread-safe. */
#ifndef WAYMARK_AGGREGATOR_TODO_H
#define WAYMARK_AGGREGATOR_TODO_H

#include "waymark/model.h"

struct wm_todo_item {
    struct wm_id id;
    struct wm_id parent; /* what it waits for; not set = it is due */
    uint8_t cluster, kind;
};

struct wm_todo;
struct wm_todo *wm_todo_new(size_t max);
struct wm_todo *wm_todo_free(struct wm_todo *t);

/* Adds it, or replaces what is known of the object; false = there is no room. */
bool wm_todo_put(struct wm_todo *t, const struct wm_todo_item *item);
void wm_todo_drop(struct wm_todo *t, uint8_t cluster, struct wm_id id);

typedef bool wm_todo_fn(void *ctx, const struct wm_todo_item *item);
/* What waits for a parent that `is_there` becomes due. */
void wm_todo_wake(struct wm_todo *t, wm_todo_fn *is_there, void *ctx);
/* Drops what `keep` denies. */
void wm_todo_retain(struct wm_todo *t, wm_todo_fn *keep, void *ctx);
/* Takes one that is due and that `may` be taken, each in its turn; false = there is none. */
bool wm_todo_take(struct wm_todo *t, wm_todo_fn *may, void *ctx, struct wm_todo_item *ret);

size_t wm_todo_due(const struct wm_todo *t);
size_t wm_todo_waiting(const struct wm_todo *t);

#endif
