/* A migration's sight from its JSON. */
#ifndef WAYMARK_TESTS_SIGHT_READ_H
#define WAYMARK_TESTS_SIGHT_READ_H

#include "waymark/writing.h"

/* False when it is no JSON, too. */
static inline bool sight_read(struct wm_str object, bool live, struct wm_sight *ret)
{
    wm_auto_reading struct wm_reading reading = {0};

    return wm_reading_of(&reading, WM_KIND_MIGMIGRATION, object, NULL) == WM_OK &&
           wm_sight_of(&reading, live, ret);
}

#endif
