/* Folders of golden cases: one JSON file a case. */
#ifndef WAYMARK_TESTS_GOLDEN_H
#define WAYMARK_TESTS_GOLDEN_H

#include <stdbool.h>

#include "waymark/json.h"

struct golden {
    char *name, *path; /* name first: run_rows' rows */
};

/* The cases of `folder` in order of name; says so on stderr when there are none. */
size_t golden_find(const char *folder, struct golden *cases, size_t max);
void golden_free(struct golden *cases, size_t n);

/* Ends the test when the file is not JSON. */
cJSON *golden_read(const struct golden *g);
void golden_write(const struct golden *g, const cJSON *root);

/* WAYMARK_GOLDEN_UPDATE: expectations are to be rewritten. */
bool golden_updates(void);
/* A file as text; malloc'ed, NULL = there is none. */
char *golden_text(const char *path);
/* Whether that is what stands in the file, which is rewritten where expectations are; says what is not. */
bool golden_matches(const char *path, const char *text);
/* WAYMARK_GOLDEN_BODIES=DIR: the review of the case as a file, a seed for the fuzzer. */
void golden_write_body(const struct golden *g, const char *body);

/* Turns the order of members around, at every depth; arrays stay. */
void golden_reverse(cJSON *tree);

/* `text` with every `from` in it as `to`; malloc'ed. */
char *golden_replaced(const char *text, const char *from, const char *to);
/* Another order of `n` items of `size` bytes, the same for the same seed, which goes on. */
void golden_shuffle(void *items, size_t n, size_t size, uint64_t *seed);

/* The AdmissionReview of a case; see tests/golden/README.md for its members.  malloc'ed. */
char *review_of(const cJSON *root, const cJSON *object, const char *version);

#endif
