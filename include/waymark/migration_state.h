/* Where one migration stands, read from its own object alone: a MigMigration, or what vm.h tells of a
 * VMMigration in the same words.  Pure.
 *
 * Everything is copied into fixed room and cut where it is too long: a state can be kept by value, and
 * nothing in the object can make it grow.  Members of a wrong type count as absent.  What other objects would
 * tell (the Backup, the plan, the pods) is not here. */
#ifndef WAYMARK_MIGRATION_STATE_H
#define WAYMARK_MIGRATION_STATE_H

#include "waymark/itinerary.h"
#include "waymark/object.h"

/* What was asked for, as mig-controller takes it when several are set. */
enum wm_run_kind { WM_RUN_FINAL, WM_RUN_STAGE, WM_RUN_STATE, WM_RUN_ROLLBACK, WM_RUN_VM, WM_RUN_KIND_COUNT };
const char *wm_run_kind_name(enum wm_run_kind k); /* "final", "stage", "state", "rollback", "vm" */

enum wm_run_outcome {
    WM_RUN_NOT_STARTED, /* the controller has written nothing yet */
    WM_RUN_RUNNING,
    WM_RUN_BLOCKED,   /* `cause` is the type of the Critical or Error condition; it cannot be canceled */
    WM_RUN_POSTPONED, /* `ahead` migrations of its plan go first; it cannot be canceled */
    WM_RUN_SUCCEEDED,
    WM_RUN_SUCCEEDED_WITH_WARNINGS, /* `warnings` */
    WM_RUN_FAILED,                  /* `cause` is the phase that failed, `first_error` the first reason */
    WM_RUN_CANCELED,
    WM_RUN_ENDED, /* phase Completed, and no condition tells how */
    WM_RUN_OUTCOME_COUNT
};
const char *wm_run_outcome_name(enum wm_run_outcome o); /* "not-started", "running", ... */

enum { WM_WORD_MAX = 63, WM_TEXT_MAX = 255, WM_WARNINGS_MAX = 8 };
typedef char wm_word[WM_WORD_MAX + 1]; /* phases, types of conditions, reasons */
typedef char wm_text[WM_TEXT_MAX + 1]; /* messages, one line each */

/* status.pipeline in short. */
struct wm_pipeline {
    int steps, done;       /* done: completed or skipped */
    wm_word step;          /* the one that failed, else the one that runs; "" = none */
    bool failed;           /* `step` failed */
    int64_t started_s;     /* of `step`; 0 = not known */
    int progress_lines;    /* of `step` */
    wm_text message, line; /* of `step`: what it does, and its first line of progress */
};

struct wm_migration_state {
    wm_name namespace_, name;
    wm_uid uid;
    wm_name plan_namespace, plan; /* spec.migPlanRef */
    enum wm_run_kind kind;
    bool quiesces; /* spec.quiescePods: the application is scaled down on the source */
    bool canceled; /* that is asked for, or under way, or done */
    bool going;    /* the object is being deleted */
    bool verifies;
    bool has_stage_pods; /* that were made: later than their phase, false is certain */

    bool over;     /* the controller is done with it: phase Completed; Ready, or Failed for good */
    wm_word phase; /* as written */
    const struct wm_phase *row;  /* what is known about it; NULL = unknown phase */
    enum wm_itinerary itinerary; /* status.itinerary; where that is empty, the one that is due */
    int step, steps;             /* as the controller counts, else by the table; 0 = not known */

    int64_t created_s, started_s; /* seconds since 1970; 0 = not known, or not yet */
    int64_t since_s;              /* start of the phase, or of what blocks; 0 = not known */
    int64_t completed_s;

    enum wm_run_outcome outcome;
    wm_word cause, reason; /* reason: of the blocking condition */
    wm_text message;       /* of the condition that ended or blocks it */
    int ahead;             /* when postponed: how many go first; 0 = not known */

    int errors; /* status.errors */
    wm_text first_error;
    int n_warnings; /* conditions of category Warn, also those beyond WM_WARNINGS_MAX */
    wm_word warnings[WM_WARNINGS_MAX];
    struct wm_pipeline pipeline;
};

#endif
