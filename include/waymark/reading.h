/* One object of a followed kind, read once for all who want something of it: the model, the kind's detail,
 * whoever repairs labels.  Pure. */
#ifndef WAYMARK_READING_H
#define WAYMARK_READING_H

#include "waymark/kinds.h"

/* Behind enum wm_object_member.  The last ones stand where the kind's row says (struct wm_kind_fields). */
enum wm_reading_member {
    WM_AT_VERSION = WM_O_COUNT, /* metadata.resourceVersion */
    WM_AT_CREATED,
    WM_AT_GOING, /* metadata.deletionTimestamp */
    WM_AT_GENERATION,
    WM_AT_GRACE, /* metadata.deletionGracePeriodSeconds */
    WM_AT_FINALIZERS,
    WM_AT_SPEC,
    WM_AT_STATUS,
    WM_AT_REGARDING, /* involvedObject.uid of an Event */
    WM_AT_PHASE,
    WM_AT_MESSAGE,
    WM_AT_STARTED,
    WM_AT_COMPLETED,
    WM_AT_DONE,
    WM_AT_TOTAL,
    WM_AT_NODE,
    WM_AT_COUNT
};
#define WM_AT_BIT(member) (UINT64_C(1) << (member))

struct wm_reading {
    enum wm_kind kind;
    struct wm_str text;                  /* borrowed, as are the spans */
    struct wm_json_span at[WM_AT_COUNT]; /* the first WM_O_COUNT are those of a struct wm_object */
    struct wm_owner owner;               /* the first of at[WM_O_OWNERS] */
    struct wm_json_index index;          /* roots: of the members that the row of the kind's detail names */
    struct wm_json_wanted wanted;        /* of the kind that was read last */
};
/* Reads what a server says that is believed (see wm_json_pick).  `r` is all zero, or was filled before; it is
 * filled even on error, and wm_reading_done frees it.  WM_E_INVALID when it is no JSON. */
int wm_reading_of(struct wm_reading *r, enum wm_kind kind, struct wm_str object, struct wm_error *err);
void wm_reading_done(struct wm_reading *r);
#define wm_auto_reading WM_AUTO(wm_reading_done)

/* What labels are derived from. */
struct wm_object wm_reading_object(const struct wm_reading *r);

#endif
