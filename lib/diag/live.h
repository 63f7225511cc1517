/* A live object as far as patches and sights look into it.  Inside of wm_diag. */
#ifndef WAYMARK_DIAG_LIVE_H
#define WAYMARK_DIAG_LIVE_H

#include "waymark/object.h"
#include "waymark/patch.h"
#include "waymark/writing.h"

#define WM_LIVE_LIST "/status/conditions"
#define WM_LIVE_NOTES "/metadata/annotations"

enum wm_live_at {
    WM_LIVE_AT_UID,
    WM_LIVE_AT_VERSION,
    WM_LIVE_AT_NOTES,
    WM_LIVE_AT_STATUS,
    WM_LIVE_AT_PHASE,
    WM_LIVE_AT_LIST,
    WM_LIVE_AT_COUNT
};

struct wm_live {
    struct wm_json_span at[WM_LIVE_AT_COUNT];
    struct wm_json_index index; /* of the annotations and of the conditions */
    struct wm_json_value notes; /* the annotations */
    const char *stamp_key;      /* of the owner's stamp */
    struct wm_json_span stamp;  /* a string, or ABSENT */
};

int wm_live_read(struct wm_str object, struct wm_live *ret, struct wm_error *err);
void wm_live_done(struct wm_live *l);
#define wm_auto_live WM_AUTO(wm_live_done)

/* Absent or null. */
static inline bool wm_live_lacks(const struct wm_live *l, enum wm_live_at at)
{
    return l->at[at].kind == WM_JSON_ABSENT || l->at[at].kind == WM_JSON_NULL;
}

/* Can the object be tested?  `absences`: something that is not there matters. */
int wm_live_check(const struct wm_live *l, bool absences, struct wm_error *err);
void wm_live_test(struct wm_patch *p, const struct wm_live *l, bool absences);

/* A text as it will be read back: what is not UTF-8 is replaced when it is written.  "" when there is no room
 * for that: three bytes for each. */
void wm_live_as_read(const char *text, char *out, size_t size);

#endif
