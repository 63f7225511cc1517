/* YAML for people's files: documents into cJSON trees, with the place of every node kept for messages, and
 * back.  JSON is YAML, so JSON files are read too.
 *
 * Plain scalars mean what YAML 1.2's core schema says: null ~, true false, integers (also 0o17, 0x1f) and
 * floats; anything quoted is a string, and so are `yes`, `on` and dates.  Refused, with line and column:
 * anchors and aliases (a small file could unfold into a large tree), duplicate keys (readers differ in which
 * one wins), keys that are not scalars, .inf and .nan (JSON has none), unknown tags, NUL, nesting beyond
 * WM_YAML_MAX_DEPTH, more than WM_YAML_MAX_NODES nodes in a document. */
#ifndef WAYMARK_YAML_H
#define WAYMARK_YAML_H

#include "waymark/json.h"

#define WM_YAML_MAX_DEPTH 64
/* A List of 10,000 objects as kubectl prints it; about 100 MiB of tree. */
#define WM_YAML_MAX_NODES 1000000

struct wm_yaml;

/* Reads a text of one document.  `name` is what messages call it (a file name; NULL = "line:column" alone).
 * An empty text is null.  WM_E_INVALID or WM_E_TOO_BIG with err->where = "name:line:column". */
int wm_yaml_parse(struct wm_str text, const char *name, size_t max_bytes, struct wm_yaml **ret,
                  struct wm_error *err);
struct wm_yaml *wm_yaml_free(struct wm_yaml *y);

/* Reads the documents of a text one after the other.  `text` must outlive the reader, not the documents.
 * wm_yaml_next returns 1 with *ret set, 0 at the end, or an error, after which there is nothing more; lines
 * are those of the whole text. */
struct wm_yaml_reader;
int wm_yaml_open(struct wm_str text, const char *name, size_t max_bytes, struct wm_yaml_reader **ret,
                 struct wm_error *err);
int wm_yaml_next(struct wm_yaml_reader *r, struct wm_yaml **ret, struct wm_error *err);
struct wm_yaml_reader *wm_yaml_close(struct wm_yaml_reader *r);

/* The tree; borrowed.  Integers that a double cannot hold exactly keep their text, as JSON writes it, in
 * ->valuestring. */
const cJSON *wm_yaml_root(const struct wm_yaml *y);

/* Where `node` stands, from 1; a member's place is that of its key.  0 = not a node of this document. */
unsigned wm_yaml_line(const struct wm_yaml *y, const cJSON *node);

/* wm_fail with WM_E_INVALID and the place of `node` as err->where. */
int wm_yaml_fail(const struct wm_yaml *y, const cJSON *node, struct wm_error *err, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* A copy of `node`, for the caller to delete, in which such integers are cJSON_Raw: it prints as it was
 * written.  NULL = out of memory, or deeper than WM_JSON_MAX_TREE_DEPTH, which nothing is that was read. */
cJSON *wm_yaml_copy(const cJSON *node);

/* Appends `tree` as a document that begins with "---".  Strings that YAML 1.1 or 1.2 would take for something
 * else are quoted.  WM_E_TOO_BIG for a tree deeper than WM_JSON_MAX_TREE_DEPTH. */
int wm_yaml_print(const cJSON *tree, struct wm_buf *out, struct wm_error *err);

void wm_yaml_freep_(struct wm_yaml **pp);
#define wm_auto_yaml WM_AUTO(wm_yaml_freep_)
void wm_yaml_closep_(struct wm_yaml_reader **pp);
#define wm_auto_yaml_reader WM_AUTO(wm_yaml_closep_)

#endif
