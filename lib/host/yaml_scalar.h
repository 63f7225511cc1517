/* Inside of the YAML reader: what a scalar is. */
#ifndef WAYMARK_HOST_YAML_SCALAR_H
#define WAYMARK_HOST_YAML_SCALAR_H

#include "waymark/json.h"

/* A node of the caller's for `text`; `plain` = written without quotes or tag, so that YAML 1.2's core schema
 * decides its type.  NULL with *ret_wrong set = JSON cannot hold it; NULL without = out of memory. */
cJSON *wm_yaml_scalar(struct wm_str text, bool plain, const char **ret_wrong);

/* A copy that cJSON may free, or NULL. */
char *wm_yaml_dup(struct wm_str text);

#endif
