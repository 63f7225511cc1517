/* The objects of a case of tests/golden/diagnosis, of several clusters; see tests/golden/README.md. */
#ifndef WAYMARK_TESTS_DIAGNOSIS_WORLD_H
#define WAYMARK_TESTS_DIAGNOSIS_WORLD_H

#include "waymark/json.h"
#include "waymark/situation.h"

#define DIAGNOSIS_FOLDER "tests/golden/diagnosis"
enum { DIAGNOSIS_OBJECTS_MAX = 2000, DIAGNOSIS_CLUSTERS = 3, DIAGNOSIS_FILE_MAX = 4 << 20 };

struct object {
    uint8_t cluster;
    enum wm_kind kind;
    wm_name namespace_, name;
    char *json;
};

struct world {
    struct object objects[DIAGNOSIS_OBJECTS_MAX];
    size_t n;
    struct wm_cluster_view clusters[DIAGNOSIS_CLUSTERS];
    struct wm_world world;
    const char *migration;
    bool is_cluster_wide; /* what is in other namespaces matters */
    int64_t still_since_s;
    int64_t again_s; /* of the last diagnosis */
};

/* What case.yaml, which is `root`, and the files beside it in `folder` say, over those of its base.  Borrows
 * from `root`.  Ends the test when something cannot be read. */
struct world *diagnosis_world_read(const char *folder, const cJSON *root);
void diagnosis_world_free(struct world *w);

#endif
