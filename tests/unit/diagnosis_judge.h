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

/* The one that the case is about. */
const struct wm_record *diagnosis_migration(const struct world *w, const struct wm_model *m);
/* What is found, while the model of these objects is there. */
typedef void diagnosis_fn(void *ctx, const struct wm_diagnosis *d);
void diagnosis_judge(struct world *w, const struct object *objects, size_t n, diagnosis_fn *fn, void *ctx);
/* As it stands in expected.txt; malloc'ed. */
char *diagnosis_text(const struct wm_diagnosis *d);

#endif
