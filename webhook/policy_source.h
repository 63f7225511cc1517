/* The policy of the configuration file: read at the start, and again when the file changes.  Edge;
 * thread-safe. */
#ifndef WAYMARK_WEBHOOK_POLICY_SOURCE_H
#define WAYMARK_WEBHOOK_POLICY_SOURCE_H

#include "waymark/policy.h"

/* Reads the `validation` section of the YAML file at `path` (NULL, or no such section: the defaults).
 * Everything that is wrong in it is an error with err->where = "file:line:column"; nothing is guessed. */
int wm_policy_load(const char *path, struct wm_policy *ret, struct wm_error *err);
/* The same of a text; `name` is what messages call it. */
int wm_policy_parse(struct wm_str text, const char *name, struct wm_policy *ret, struct wm_error *err);

struct wm_policy_source;

/* Loads and keeps; fails as wm_policy_load, and when another part of the file is no good for `serve`: what a
 * restart would refuse must not be taken up before. */
int wm_policy_source_new(const char *path, struct wm_policy_source **ret, struct wm_error *err);
struct wm_policy_source *
wm_policy_source_free(struct wm_policy_source *s); /* all policies must be released */

/* The policy in force.  It stays as it is until it is released, whatever is loaded meanwhile. */
const struct wm_policy *wm_policy_acquire(struct wm_policy_source *s);
void wm_policy_release(struct wm_policy_source *s, const struct wm_policy *p);

/* Looks at the file (also through the links of a mounted ConfigMap) and takes up what changed; a faulty file
 * is logged once, with its line, and what was in force stays, also when the file is gone.  Cheap; call about
 * once a second. */
void wm_policy_source_poll(struct wm_policy_source *s);

struct wm_policy_source_stats {
    bool faulty;             /* the file as it is now was refused */
    uint64_t loads, refused; /* since the start */
    int64_t loaded_s;        /* wm_wall_s of the last load */
};
void wm_policy_source_stats(struct wm_policy_source *s, struct wm_policy_source_stats *ret);

#endif
