/* A ledger that is fed, and all that it says as text. */
#ifndef WAYMARK_TESTS_RESTARTS_PLAY_H
#define WAYMARK_TESTS_RESTARTS_PLAY_H

#include "restarts_case.h"
#include "tests/support/model_put.h"
#include "waymark/restarts.h"

struct play {
    struct model_sources sources;
    struct wm_model *model;
    struct wm_ledger *ledger;
    int64_t now_s;
};
struct play *play_new(void);
void play_free(struct play *p);
void play_item(struct play *p, const struct restarts_item *i);
void play_step(struct play *p, const struct restarts_step *s);

/* malloc'ed: all restarts; the conditions of the migrations; the members `restarts` of their reports, in one
 * object, one behind the other; what is counted of providers. */
char *play_list(const struct play *p);
char *play_conditions(const struct play *p);
char *play_reports(const struct play *p);
char *play_providers(const struct play *p);

#endif
