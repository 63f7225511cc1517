/* What a round of mig-controller makes of a MigMigration, and what it finds that others have done to it.
 * Pure.
 *
 * As pkg/controller/migmigration does it: a round takes away conditions that are not durable and not set
 * anew, rewrites what stands in brackets, and puts a new stamp in. */
#ifndef WAYMARK_TESTS_MIG_ROUND_H
#define WAYMARK_TESTS_MIG_ROUND_H

#include <stdbool.h>

#include "waymark/json.h"
#include "waymark/time.h"

enum mig_count {
    MIG_ROUNDS,
    MIG_WRITES,
    MIG_CONFLICTS, /* its write met another */
    MIG_OTHERS,    /* of these, those that were not its own cache's delay */
    MIG_WAITS,     /* phases that waited */
    MIG_TOLD,      /* of these, those that ended with our condition about them */
    MIG_DROPPED,   /* conditions of others that were not durable */
    MIG_REWRITTEN, /* messages with brackets */
    MIG_SPOILED,   /* rounds that found what it had written changed by somebody */
    MIG_LOST,      /* rounds that found our condition gone */
    MIG_OUTCOME,   /* 1: our condition about the end stood at last */
    MIG_LATE_MS,   /* the latest round began so long after its time */
    MIG_SLOW_MS,   /* the slowest write */
    MIG_COUNTS
};
extern const char *const mig_count_names[MIG_COUNTS];

enum { MIG_STAMP_SIZE = 320 };

/* One migration, as its controller knows it. */
struct mig_owner {
    const char *name; /* borrowed */
    int polls;        /* rounds in each phase that waits; at least 1 */
    int phase, round; /* round: in this phase */
    char since[WM_TIME_SIZE];
    char stamp[MIG_STAMP_SIZE]; /* of its last write; "" = none yet */
    cJSON *written;             /* that, but for what is ours; owned */
    bool heard;                 /* our condition was there */
    int dropped, rewritten;     /* by the round that is under way: a copy that was late has them again */
    _Atomic int counts[MIG_COUNTS];
};
void mig_owner_done(struct mig_owner *m);

const char *mig_phase(const struct mig_owner *m);
bool mig_ended(const struct mig_owner *m);
/* How many rounds a migration takes in all. */
int mig_rounds(int polls);

/* Has the copy that was read what we wrote last?  A conflict then is somebody else's doing. */
bool mig_is_current(const struct mig_owner *m, const cJSON *read);
/* Counts what others have done to the copy that was read. */
void mig_look(struct mig_owner *m, const cJSON *read);
/* Makes of that copy what is to be written; true when it moves on, so that the next round comes at once. */
bool mig_work(struct mig_owner *m, cJSON *object, int64_t now_s);
/* It was taken. */
void mig_wrote(struct mig_owner *m, const cJSON *object, bool moved);

cJSON *mig_condition(const cJSON *object, const char *type); /* NULL = none */

#endif
