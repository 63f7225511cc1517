/* YAML for people's files: one document into a cJSON tree, with the place of every node kept for messages.
 * JSON is YAML, so JSON files are read too.
 *
 * Plain scalars mean what YAML 1.2's core schema says: null ~, true false, integers (also 0o17, 0x1f) and
 * floats; anything quoted is a string, and so are `yes`, `on` and dates.  Refused, with line and column:
 * anchors and aliases (a small file could unfold into a large tree), duplicate keys (readers differ in which
 * one wins), keys that are not scalars, .inf and .nan (JSON has none), unknown tags, NUL, a second document,
 * nesting beyond WM_YAML_MAX_DEPTH, more than WM_YAML_MAX_NODES nodes. */
#ifndef WAYMARK_YAML_H
#define WAYMARK_YAML_H

#include "waymark/json.h"

#define WM_YAML_MAX_DEPTH 64
#define WM_YAML_MAX_NODES 200000

struct wm_yaml;

/* Reads `text`, at most `max_bytes` of it.  `name` is what messages call it (a file name; NULL =
 * "line:column" alone).  An empty text is null.  WM_E_INVALID or WM_E_TOO_BIG with err->where =
 * "name:line:column". */
int wm_yaml_parse(struct wm_str text, const char *name, size_t max_bytes, struct wm_yaml **ret,
                  struct wm_error *err);
struct wm_yaml *wm_yaml_free(struct wm_yaml *y);

/* The tree; borrowed.  Integers that a double cannot hold exactly keep their text in ->valuestring. */
const cJSON *wm_yaml_root(const struct wm_yaml *y);

/* Where `node` stands, from 1; a member's place is that of its key.  0 = not a node of this document. */
unsigned wm_yaml_line(const struct wm_yaml *y, const cJSON *node);

/* wm_fail with WM_E_INVALID and the place of `node` as err->where. */
int wm_yaml_fail(const struct wm_yaml *y, const cJSON *node, struct wm_error *err, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

void wm_yaml_freep_(struct wm_yaml **pp);
#define wm_auto_yaml WM_AUTO(wm_yaml_freep_)

#endif
