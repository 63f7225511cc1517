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

/* --- what and how --- */

/* How a kind's conditions look. */
enum wm_condition_style {
    WM_CONDITIONS_MTC,  /* category Advisory and durable true, or mig-controller drops them or acts on them */
    WM_CONDITIONS_META, /* metav1.Condition: the reason has an alphabet, and is never empty */
};

/* A patch applies to the object that it was made from, and is refused (by its tests, HTTP 422) when that
 * changed in what matters: its uid, its phase, the owner's stamp, the type at each index touched.  No test
 * says that something is absent (no phase, no list, no condition of that type), so where that matters the
 * whole resourceVersion is tested.  WM_E_INVALID for an object that lacks what must be tested, or whose
 * members have wrong kinds.
 *
 * Where `out` holds a finished patch, that one is continued: conditions and annotation in one request, for a
 * kind without a status subresource.  Do not write the same list or annotations twice into one patch. */

enum { WM_SAID_MAX = 8 };

/* Appends the JSON Patch that makes the conditions of the live object `object` what `said` says (at most
 * WM_SAID_MAX).  Only members that differ are written, others of the same condition (observedGeneration) are
 * left alone, and lastTransitionTime changes with the status only.  Where a type stands twice the first
 * stays. Returns the number of conditions changed; 0 = nothing to write (and nothing appended); negative =
 * error. Conditions of other types are never touched. */
int wm_conditions_patch(struct wm_str object, enum wm_condition_style style, const struct wm_said said[],
                        size_t n, int64_t now_s, struct wm_buf *out, struct wm_error *err);

/* A condition's reason and message as they are written in that style: what an object has where ours stands.
 */
enum { WM_WRITTEN_MAX = 3 * WM_MESSAGE_MAX }; /* each byte that is not UTF-8 becomes three */
void wm_condition_words(const struct wm_said *said, enum wm_condition_style style, wm_word ret_reason,
                        char ret_message[static WM_WRITTEN_MAX]);

/* wm_conditions_patch for one annotation; `value` NULL = remove it.  The phase is not tested. */
int wm_annotation_patch(struct wm_str object, const char *key, const char *value, struct wm_buf *out,
                        struct wm_error *err);

/* --- when --- */

/* What is looked at in an object to know when its owner is quiet.  Borrowed. */
struct wm_sight {
    struct wm_str version; /* metadata.resourceVersion */
    struct wm_str stamp;   /* the owner puts a new one in with each of its writes; p NULL = it does not */
    struct wm_str phase;
    bool
        live; /* it came by a watch: it is as old as the way here is long.  A list tells nothing about when */
};
/* Of a migration; false when it cannot be written, since its annotations are not an object. */
bool wm_sight_of(const struct wm_reading *object, bool live, struct wm_sight *ret);

/* One object's writing: kept by the caller, zeroed at first.  All times are monotonic milliseconds above 0;
 * 0 = never. */
struct wm_slot {
    uint64_t version, stamp, phase; /* digests of the last sight; stamp 0 = it has none */
    int64_t changed_ms;             /* last change of anything in the object; at first: first sight */
    int64_t opened_ms;              /* the owner has just written and sleeps now */
    int64_t wanted_ms;              /* since when a write is wanted */
    int64_t written_ms;             /* our last write */
    int64_t paid_ms;                /* our writes take gap_ms each, one after the other: until then */
    bool urgent;                    /* set by who asks: it must not wait for the gap */
    int64_t lost_ms;                /* when what we wrote was last found missing */
    int64_t refused_ms;
    int losses, refusals; /* in a row */
    bool stands;          /* what we wrote was not found missing since */
    bool ended, gave_up;
};

enum wm_slot_answer {
    WM_SLOT_NOW,
    WM_SLOT_WAIT,    /* ask again after the next sight, and at *ret_ms */
    WM_SLOT_GIVE_UP, /* somebody keeps taking our words away: say so */
    WM_SLOT_OVER,    /* given up before, and that was said; until `ended` changes */
};

struct wm_slot_rules {
    bool stamps;     /* the owner stamps: an object without a stamp is one that it has not written yet */
    int quiet_ms;    /* how long after the owner's write another is safe */
    int stale_ms;    /* an owner that has not stamped for so long is down, or stuck for good */
    int settle_ms;   /* where the owner does not: an object is quiet when nothing changed for so long */
    int patience_ms; /* one that never settles is written just after a change, when that long was waited */
    int gap_ms;      /* between two writes of ours; one that is urgent borrows that of the next */
    int retry_ms;    /* after a refused write; doubles to reassert_max_ms */
    int reassert_ms; /* before the first re-assertion; doubles to reassert_max_ms */
    int reassert_max_ms;
    int echo_ms;    /* what we wrote may take so long to come back by the watch */
    int forget_ms;  /* a loss so long after the one before is the first of a new row */
    int losses_max; /* in a row: then it is given up */
};
/* For mig-controller, and for owners without stamps (VirtRigaud). */
extern const struct wm_slot_rules wm_slot_rules_mtc, wm_slot_rules_meta;

/* The object was seen.  Every change must be told, in order; the same sight twice does no harm.
 *
 * A slot opens only when the owner stamped without a change of phase.  mig-controller (task.go, Run) asks to
 * be called again after 100 ms whenever it moved on, whatever the next phase is; only a round that left the
 * phase as it was is followed by its long sleep.  Any other change closes the slot: somebody changed the
 * spec, which starts a round at once. */
void wm_slot_seen(struct wm_slot *s, const struct wm_sight *sight, int64_t now_ms);

/* May a patch that is wanted be sent now?  Not to be asked while the cluster cannot be seen.
 *
 * `ended`: the owner never writes this object again: at once, except for refusals and losses.  `polls`: a
 * round that leaves the phase as it is is followed by 3 s of sleep or more: the phase waits for something, or
 * the migration is blocked or postponed.  In phases that do not, only a stale owner makes room: they are
 * short.
 *
 * `s->urgent`: a phase's own write leaves room for one that tells why it does not get on.  In any time t
 * there are at most t / gap_ms + 2 writes, and an urgent one waits for the gap only when another came less
 * than gap_ms before it. */
enum wm_slot_answer wm_slot_ask(struct wm_slot *s, const struct wm_slot_rules *r, bool ended, bool polls,
                                int64_t now_ms, int64_t *ret_ms);

/* What came of it: the patch was taken; or the API server refused it (422, 409): make a new one from a newer
 * sight. */
void wm_slot_wrote(struct wm_slot *s, const struct wm_slot_rules *r, int64_t now_ms);
void wm_slot_refused(struct wm_slot *s, int64_t now_ms);
/* What we wrote last and still want is not there.  Counts once for each write, and not before its echo can
 * have come. */
void wm_slot_lost(struct wm_slot *s, const struct wm_slot_rules *r, int64_t now_ms);
/* Nothing is wanted (any more). */
void wm_slot_idle(struct wm_slot *s);

#endif
