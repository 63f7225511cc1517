/* What cJSON trees cannot show: which of two members with one name counts. */
#ifndef WAYMARK_TESTS_TREES_H
#define WAYMARK_TESTS_TREES_H

#include "waymark/json.h"

/* cJSON keeps every duplicate and works on the first, Go on the last: such texts cannot be checked through
 * trees. */
bool tree_has_doubles(const cJSON *tree);

#endif
