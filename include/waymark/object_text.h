/* Kubernetes objects out of a text, JSON or YAML: single ones, documents one behind the other, Lists.  Pure.
 *
 * JSON is read where it stands; YAML costs a tree a document, and is printed as JSON only where it is wanted.
 */
#ifndef WAYMARK_OBJECT_TEXT_H
#define WAYMARK_OBJECT_TEXT_H

#include "waymark/yaml.h"

struct wm_object_sink {
    /* What is to be made of objects of this kind: a number to know them by; 0 = nothing.  Both may be "". */
    int (*wanted)(void *ctx, struct wm_str api_version, struct wm_str kind);
    /* `object` is JSON, and borrowed.  An error is told with the object's place. */
    int (*object)(void *ctx, int wanted, struct wm_str object, struct wm_error *err);
    /* What cannot be read: err->where = "name:line", or with its column. */
    void (*failed)(void *ctx, const struct wm_error *err);
    void *ctx;
};

/* Of a text in YAML; one in JSON may be as long as memory allows. */
#define WM_OBJECT_YAML_MAX (64u << 20)

/* What stands before the first thing that cannot be read is told all the same.  `name` is what messages call
 * the text. */
void wm_objects_read(struct wm_str text, const char *name, const struct wm_object_sink *sink);

#endif
