/* The objects of a document, Lists unfolded.  Pure. */
#ifndef WAYMARK_YAML_OBJECTS_H
#define WAYMARK_YAML_OBJECTS_H

#include "waymark/yaml.h"

/* `api_version` and `kind` are what the object says, or what its List says of it: API servers leave them out
 * in the items of a typed list ("MigPlan" of MigPlanList); "" = neither does.  `kind` may be gone after the
 * call, unless it is the object's own. */
typedef void wm_yaml_object_fn(void *ctx, const cJSON *object, const char *api_version, const char *kind);

/* In the order of the document; a List may be within a List. */
void wm_yaml_each_object(const struct wm_yaml *y, wm_yaml_object_fn *fn, void *ctx);

/* How long the name of a List's items is: 7 for "MigPlanList", 0 for "List"; -1 = it is no List. */
int wm_list_of(struct wm_str kind);

#endif
