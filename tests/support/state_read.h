/* A migration's state from its JSON, without a model. */
#ifndef WAYMARK_TESTS_STATE_READ_H
#define WAYMARK_TESTS_STATE_READ_H

#include "waymark/situation.h"

/* `ret` of `size` bytes: a struct wm_migration_state or wm_vm_state, as `kind` has it; all zero on error. */
static inline int state_read(enum wm_kind kind, struct wm_str object, void *ret, size_t size,
                             struct wm_error *err)
{
    wm_auto_reading struct wm_reading reading = {0};
    int rc = wm_reading_of(&reading, kind, object, err);

    memset(ret, 0, size);
    if (rc == WM_OK) {
        wm_auto_free void *detail = wm_detail_of(NULL, &reading, NULL);

        memcpy(ret, detail, size);
    }
    return rc;
}

#endif
