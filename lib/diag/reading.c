#include "waymark/reading.h"

#include "details_impl.h"

static void want(struct wm_json_wanted *ret, enum wm_kind kind)
{
    static const char *const of_all[WM_AT_COUNT] = {
        WM_OBJECT_POINTERS(""),
        [WM_AT_VERSION] = "/metadata/resourceVersion",
        [WM_AT_CREATED] = "/metadata/creationTimestamp",
        [WM_AT_GOING] = "/metadata/deletionTimestamp",
        [WM_AT_GENERATION] = "/metadata/generation",
        [WM_AT_GRACE] = "/metadata/deletionGracePeriodSeconds",
        [WM_AT_FINALIZERS] = "/metadata/finalizers",
        [WM_AT_SPEC] = "/spec",
        [WM_AT_STATUS] = "/status",
    };
    const struct wm_kind_fields *f = &wm_kinds[kind].fields;
    const char *pointers[WM_AT_COUNT];

    memcpy(pointers, of_all, sizeof of_all);
    if (kind == WM_KIND_EVENT)
        pointers[WM_AT_REGARDING] = "/involvedObject/uid";
    pointers[WM_AT_PHASE] = f->phase;
    pointers[WM_AT_MESSAGE] = f->message;
    pointers[WM_AT_STARTED] = f->started;
    pointers[WM_AT_COMPLETED] = f->completed;
    pointers[WM_AT_DONE] = f->done;
    pointers[WM_AT_TOTAL] = f->total;
    pointers[WM_AT_NODE] = f->node;
    wm_json_want(ret, WM_AT_COUNT, pointers);
}

int wm_reading_of(struct wm_reading *r, enum wm_kind kind, struct wm_str object, struct wm_error *err)
{
    /* of many objects nearly every one is of the kind of that before it */
    if (r->wanted.n == 0 || r->kind != kind)
        want(&r->wanted, kind);
    r->kind = kind;
    r->text = object;
    int rc = wm_json_pick_wanted(object, &r->wanted, r->at, wm_detail_indexed(kind), &r->index, err);
    struct wm_json_span owners = {0};

    if (rc == WM_OK)
        owners = r->at[WM_O_OWNERS];
    r->owner = wm_owner_first(owners);
    return rc;
}

void wm_reading_done(struct wm_reading *r)
{
    wm_json_index_done(&r->index);
}

struct wm_object wm_reading_object(const struct wm_reading *r)
{
    struct wm_object o;

    memcpy(o.at, r->at, sizeof o.at);
    o.owner = &r->owner;
    return o;
}
