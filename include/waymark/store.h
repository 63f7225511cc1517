/* What is known of the parents: compact records by uid, fed by watches and by single lookups.  No I/O.
 * Thread-safe: one lock, held for a hash lookup. */
#ifndef WAYMARK_STORE_H
#define WAYMARK_STORE_H

#include "waymark/labels.h"

struct wm_store;

struct wm_store *wm_store_new(void);
struct wm_store *wm_store_free(struct wm_store *s);

/* Adds or replaces.  `whole`: the record comes from the whole object, not from its metadata alone: only then
 * are a MigMigration's plan and a VMMigration's providers certain when no label tells them, and metadata that
 * come later do not take them away again. */
void wm_store_put(struct wm_store *s, const struct wm_parent *p, bool whole);
void wm_store_remove(struct wm_store *s, const char *uid);

/* A complete list of a kind begins; at its end every record of the kind that was not put meanwhile is
 * dropped. */
void wm_store_list_begin(struct wm_store *s, enum wm_parent_kind kind);
void wm_store_list_end(struct wm_store *s, enum wm_parent_kind kind);

/* Drops what `keep` denies, for feeds that tell of no removals; it runs with the store's lock held. */
typedef bool wm_store_keep_fn(void *ctx, const char *uid);
void wm_store_retain(struct wm_store *s, wm_store_keep_fn *keep, void *ctx);

/* WM_FOUND, or WM_FOUND_MISS: whether it can exist at all is not the store's to know. */
enum wm_found wm_store_find(struct wm_store *s, const struct wm_ref *ref, struct wm_parent *ret);

size_t wm_store_count(struct wm_store *s, enum wm_parent_kind kind);

#endif
