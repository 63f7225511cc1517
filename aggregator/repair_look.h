/* Which labels an object lacks: the webhook's rules, for objects that are there already.  Pure. */
#ifndef WAYMARK_AGGREGATOR_REPAIR_LOOK_H
#define WAYMARK_AGGREGATOR_REPAIR_LOOK_H

#include "waymark/labels.h"
#include "waymark/reading.h"

enum wm_lack {
    WM_LACKS_NOTHING, /* nothing that could be written now */
    WM_LACKS_LABELS,
    WM_LACKS_PARENT, /* one that would tell what it lacks is not known yet */
};

struct wm_lack_look {
    const struct wm_label_conf *conf;
    wm_find_fn *find;
    void *ctx;
    /* Its owner, which writes whole objects, is to be asked no longer: it has ended, or it is quiet now. */
    bool quiet;
};

/* Appends the JSON Patch that gives the object its labels (continuing a finished one); it is refused when the
 * object is not any more what it was made from.  *ret_missing is the parent's uid of WM_LACKS_PARENT. */
enum wm_lack wm_lack_of(const struct wm_lack_look *look, const struct wm_reading *object,
                        struct wm_buf *patch, wm_uid ret_missing);

/* NONE for a kind that is no parent. */
enum wm_parent_kind wm_parent_kind_of(enum wm_kind kind);

#endif
