/* A fleet of one fake host, and the migrations on it followed in turns: what tests of following share. */
#ifndef WAYMARK_TESTS_FOLLOW_GROUND_H
#define WAYMARK_TESTS_FOLLOW_GROUND_H

#include <stdatomic.h>

#include "aggregator/follow.h"
#include "aggregator/reports.h"
#include "fake_api.h"
#include "unit.h"
#include "waymark/clock.h"

#define NS "openshift-migration"
#define MTC "/apis/migration.openshift.io/v1alpha1/namespaces/" NS
#define REPORTS "/apis/waymark.io/v1alpha1/namespaces/" NS "/migrationreports"
#define ALL_REPORTS "/apis/waymark.io/v1alpha1/migrationreports"
#define M MTC "/migmigrations/m"
#define META(name, more)                                                                                     \
    "\"metadata\":{\"namespace\":\"" NS "\",\"name\":\"" name "\",\"uid\":\"" name "-uid\"" more "}"
#define TOUCH(touch) ",\"annotations\":{\"openshift.io/touch\":\"" touch "\"}"
#define SPEC "\"spec\":{\"migPlanRef\":{\"namespace\":\"" NS "\",\"name\":\"plan\"}}"
#define RUNNING(name, phase, touch)                                                                          \
    "{" META(name, TOUCH(touch)) "," SPEC ",\"status\":{\"phase\":\"" phase "\",\"itinerary\":\"Stage\","    \
                                 "\"conditions\":[{\"type\":\"Running\",\"status\":\"True\",\"category\":"   \
                                 "\"Advisory\",\"reason\":\"" phase "\"}]}}"
#define ENDED(name)                                                                                          \
    "{" META(name, TOUCH("t")) "," SPEC ",\"status\":{\"phase\":\"Completed\",\"itinerary\":\"Stage\","      \
                               "\"conditions\":[{\"type\":\"Succeeded\",\"status\":\"True\",\"category\":"   \
                               "\"Advisory\",\"durable\":true}]}}"
#define PLAN "{" META("plan", "") ",\"spec\":{}}"

enum { PATIENCE_MS = 25000 };

struct ground {
    struct fake_api *host;
    struct fault_server *server;
    struct wm_fleet *fleet;
    struct wm_follow *follow;
    struct wm_reports *reports;
    struct wm_follow_opts opts;
    atomic_bool may_write, one_write_only;
};

/* Nothing is there yet; opts may be changed before the start. */
void ground_begin(struct ground *g);
void ground_start(struct ground *g);
/* The program ends, what is stored stays; it may be started again. */
void ground_stop(struct ground *g);
void ground_finish(struct ground *g);
void ground_turn(struct ground *g);
void ground_turn_for(struct ground *g, int ms);
/* Until nothing was written for a while: writes that are counted from here on are new ones. */
void ground_settle(struct ground *g);
/* Requests that write. */
int ground_writes(struct ground *g);
int ground_patches_of(struct ground *g, const char *name);
/* The object at `path` holds this text. */
bool ground_says(struct ground *g, const char *path, const char *text);
bool ground_has_words(struct ground *g, const char *path, const char *type);
struct wm_follow_stats ground_stats_of(struct ground *g);

#define FAULTS(g, ...)                                                                                       \
    fault_server_add((g)->server, (const struct fault[]){__VA_ARGS__},                                       \
                     sizeof((const struct fault[]){__VA_ARGS__}) / sizeof(struct fault), true)

#define TURN_UNTIL(g, condition)                                                                             \
    for (int64_t end_ms = wm_mono_ms() + PATIENCE_MS; !(condition);) {                                       \
        if (wm_mono_ms() > end_ms)                                                                           \
            fail_msg("not within %d ms: %s", PATIENCE_MS, #condition);                                       \
        ground_turn(g);                                                                                      \
    }

#endif
