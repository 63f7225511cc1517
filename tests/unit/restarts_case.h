/* A case of tests/golden/restarts: steps of objects that come and go; see tests/golden/README.md. */
#ifndef WAYMARK_TESTS_RESTARTS_CASE_H
#define WAYMARK_TESTS_RESTARTS_CASE_H

#include "waymark/json.h"
#include "waymark/kinds.h"

#define RESTARTS_FOLDER "tests/golden/restarts"
enum { RESTARTS_START_S = 1795255200 }; /* T, 2026-11-21T10:00:00Z */

/* An object that is put, or whose uid is removed. */
struct restarts_item {
    enum wm_kind kind;
    bool remove;
    char uid[37];
    char *json; /* malloc'ed */
};
struct restarts_step {
    int64_t now_s;
    size_t n;
    struct restarts_item items[64];
};

/* Ends the test where the step cannot be understood. */
void restarts_step_read(const cJSON *step, struct restarts_step *ret);
void restarts_step_done(struct restarts_step *s);

#endif
