/* Judging the cases of tests/golden/diagnosis. */
#ifndef WAYMARK_TESTS_DIAGNOSIS_JUDGE_H
#define WAYMARK_TESTS_DIAGNOSIS_JUDGE_H

#include "diagnosis_world.h"
#include "tests/support/golden.h"
#include "waymark/cause.h"
#include "waymark/yaml.h"

/* Their folders, in order of name; returns how many. */
size_t diagnosis_find_cases(struct golden *cases, size_t max);
/* A folder's case.yaml, the caller's; ends the test when it cannot be read. */
struct wm_yaml *diagnosis_read_case(const char *folder);

/* A model, and a ledger that sees its objects as they come, as in the aggregator; both in `world` until they
 * are done with. */
struct diagnosis_watched {
    struct wm_ledger *ledger;
    struct wm_model *model;
    int64_t now_s;
};
void diagnosis_watch(struct diagnosis_watched *w, struct wm_world *world);
void diagnosis_watched_done(struct diagnosis_watched *w, struct wm_world *world);

/* The one that the case is about. */
const struct wm_record *diagnosis_migration(const struct world *w, const struct wm_model *m);
/* What is found, while the model of these objects is there. */
typedef void diagnosis_fn(void *ctx, const struct wm_diagnosis *d);
void diagnosis_judge(struct world *w, const struct object *objects, size_t n, diagnosis_fn *fn, void *ctx);
/* As it stands in expected.txt; malloc'ed. */
char *diagnosis_text(const struct wm_diagnosis *d);

#endif
