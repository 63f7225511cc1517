/* Writing into objects that belong to another controller: what, how, and when.  Pure.
 *
 * mig-controller and VirtRigaud write whole objects; a write of ours at the wrong moment costs them a
 * conflict.  So: only what changed, by a JSON Patch that tests what it relies on, and in the quiet slot just
 * after the owner's own write.  Never server-side apply: it would take the owner's conditions away (none of
 * these lists is a map). */
#ifndef WAYMARK_WRITING_H
#define WAYMARK_WRITING_H

#include "waymark/buf.h"
#include "waymark/json.h"
#include "waymark/situation.h"

/* How a kind's conditions look. */
enum wm_condition_style {
    WM_CONDITIONS_MTC,  /* category Advisory and durable true, or mig-controller drops them or acts on them */
    WM_CONDITIONS_META, /* metav1.Condition */
};

/* Appends the JSON Patch that makes the conditions of the live object `object` what `said` says: tests of
 * uid, of /status/phase and of the type at each index touched, then replace, add or remove; creates status
 * and conditions where they are missing.  lastTransitionTime changes with the status only.  Returns the
 * number of changes; 0 = nothing to write (and nothing appended); negative = error.  Conditions of other
 * types are never touched. */
int wm_conditions_patch(struct wm_str object, enum wm_condition_style style, const struct wm_said said[],
                        size_t n, int64_t now_s, struct wm_buf *out, struct wm_error *err);

/* The same for one annotation; `value` NULL = remove it. */
int wm_annotation_patch(struct wm_str object, const char *key, const char *value, struct wm_buf *out,
                        struct wm_error *err);

/* --- when --- */

/* One object's writing: kept by the caller, zeroed at first.  All times are monotonic milliseconds. */
struct wm_slot {
    int64_t touched_ms; /* when the owner's stamp (annotation openshift.io/touch) was last seen to change */
    uint64_t touch;     /* digest of the stamp */
    int64_t first_seen_ms, changed_ms; /* first sight; last change of anything in the object */
    int64_t written_ms;                /* our last write; 0 = none */
    int64_t lost_ms;                   /* when what we wrote was last found missing */
    int losses;                        /* in a row */
    int64_t wanted_ms;                 /* since when a write is wanted; 0 = none is */
};

enum wm_slot_answer {
    WM_SLOT_NOW,
    WM_SLOT_WAIT,    /* ask again at *ret_ms */
    WM_SLOT_GIVE_UP, /* somebody keeps taking our words away: say so once, and stop */
};

struct wm_slot_rules {
    int quiet_ms;    /* how long after the owner's stamp a write is safe: 1000 */
    int settle_ms;   /* an object without stamps counts as quiet when nothing changed for so long: 5000 */
    int gap_ms;      /* between two writes of ours: 30000 */
    int reassert_ms; /* before the first re-assertion; doubles to reassert_max_ms: 60000, 900000 */
    int reassert_max_ms;
    int losses_max; /* 5 */
};
extern const struct wm_slot_rules wm_slot_rules_default;

/* The object was seen: its stamp ("" = none), and whether anything else changed. */
void wm_slot_seen(struct wm_slot *s, struct wm_str touch, int64_t now_ms);
/* `ended`: the migration is Completed, nobody else writes any more.  `polls`: it is in a phase of slow rounds
 * (3 s), not of fast ones (100 ms). */
enum wm_slot_answer wm_slot_ask(struct wm_slot *s, const struct wm_slot_rules *r, bool ended, bool polls,
                                int64_t now_ms, int64_t *ret_ms);
void wm_slot_wrote(struct wm_slot *s, int64_t now_ms);
void wm_slot_lost(struct wm_slot *s, int64_t now_ms);

#endif
