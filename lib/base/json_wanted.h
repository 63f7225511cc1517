/* Inside of the JSON module: a key of a text among the members that are wanted. */
#ifndef WAYMARK_BASE_JSON_WANTED_H
#define WAYMARK_BASE_JSON_WANTED_H

#include <string.h>

#include "waymark/json_index.h"

/* In members[], whose first is none: the document itself. */
enum { WM_JSON_ROOT = 1 };

/* The slow way: a key (text between the quotes) or a token with escapes. */
bool wm_json_key_is_member(const struct wm_json_member *m, struct wm_str key);

/* The member of `parent` that a key names; 0 = nobody asks for it.  `plain` = the key has no escapes. */
static inline uint16_t wm_json_member_of(const struct wm_json_wanted *w, uint16_t parent, struct wm_str key,
                                         bool plain)
{
    for (uint16_t i = w->members[parent].first; i; i = w->members[i].next) {
        const struct wm_json_member *m = &w->members[i];

        if (plain && !m->escaped ? m->n == key.n && memcmp(m->token, key.p, key.n) == 0
                                 : wm_json_key_is_member(m, key))
            return i;
    }
    return 0;
}

#endif
