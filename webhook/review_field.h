/* From a field as findings name it to the node that people wrote.  Pure. */
#ifndef WAYMARK_WEBHOOK_REVIEW_FIELD_H
#define WAYMARK_WEBHOOK_REVIEW_FIELD_H

#include "waymark/json.h"

/* The node of `object` at "spec.namespaces[1]" or "metadata.labels[app.kubernetes.io/name]"; when it is not
 * there, the deepest of its parents that is: `object` itself in the end.  Borrowed. */
const cJSON *wm_field_nearest(const cJSON *object, const char *field);

#endif
