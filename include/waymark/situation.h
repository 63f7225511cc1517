/* Where a migration stands, seen over all clusters: its own state, and all that belongs to it.  Pure.
 *
 * A situation is made anew from the model whenever something of the migration changed; everything that is
 * written back (conditions, report, events) is derived from it and from nothing else. */
#ifndef WAYMARK_SITUATION_H
#define WAYMARK_SITUATION_H

#include "waymark/evidence.h"
#include "waymark/migration_state.h"
#include "waymark/model.h"
#include "waymark/velero_phase.h"

/* --- what is kept of some kinds beside the record; of Pods and further ones: waymark/evidence.h --- */

/* A condition that holds, of the category Critical or Error (it blocks) or Warn. */
enum wm_category { WM_CATEGORY_NONE, WM_CATEGORY_WARN, WM_CATEGORY_ERROR, WM_CATEGORY_CRITICAL };
struct wm_note {
    enum wm_category category;
    int64_t since_s; /* 0 = not told */
    wm_word type, reason;
    wm_text message;
};
/* Of an object, the worst first. */
enum { WM_NOTES_MAX = 6 };
struct wm_notes {
    size_t n; /* those beyond the maximum are left out */
    struct wm_note list[WM_NOTES_MAX];
};
/* The first of one of these types (a list that ends with NULL); NULL = there is none. */
const struct wm_note *wm_note_of(const struct wm_notes *notes, const char *const types[]);
/* The first that blocks; NULL = there is none. */
const struct wm_note *wm_note_blocking(const struct wm_notes *notes);

/* MigPlan: what leads to its clusters, and what keeps it from being ready. */
enum { WM_PLAN_NAMESPACES_MAX = 32 };
struct wm_plan_state {
    wm_name source, target; /* names of MigClusters; "" = not set */
    wm_name storage;        /* of the MigStorage; "" = not set */
    bool closed, ready;
    bool indirect_images, indirect_volumes;
    bool has_volumes, has_direct_volumes; /* to be copied or moved at all; by rsync, where that is not off */
    bool has_moved_volumes;               /* or snapshots: they need Velero in any case */
    unsigned hooks;                       /* of enum wm_need */
    bool type_known, is_conversion;
    bool refreshing; /* spec.refresh: it is asked to check itself again */
    struct wm_notes notes;
    wm_text incompatible; /* the first of the kinds that the target does not know: "widgets.v1.example.com" */
    size_t n_namespaces;  /* those beyond the maximum are left out */
    struct {
        wm_word source, target;
    } namespaces[WM_PLAN_NAMESPACES_MAX];
};
/* MigCluster. */
struct wm_cluster_state {
    bool is_host, ready, insecure, refreshing;
    struct wm_notes notes;
    char url[256];
    wm_name secret_namespace, secret; /* of its saToken */
    char ca_bundle_digest[17];        /* changes when spec.caBundle does */
};
/* MigStorage: what keeps it from being ready. */
struct wm_storage_state {
    bool ready, refreshing;
    struct wm_notes notes;
};
/* DirectVolumeMigration: whether it copied what it was to copy (mig-controller may call the migration a
 * success when it did not). */
struct wm_dvm_state {
    bool failed; /* condition Failed, phase ...Failed, failed pods or operations, or errors */
    int successful_pods, failed_pods, running_pods, pending_pods;
    int failed_operations; /* of rsync, and live migrations of virtual machines' disks */
    wm_word failed_at;     /* reason of the condition Failed */
    wm_text first_error;
    struct wm_notes notes;
    /* Of the volumes that are still being tried, the one with most attempts behind it. */
    int attempt, attempts; /* attempts: the limit */
    wm_name claim_namespace, claim;
};
/* DirectVolumeMigrationProgress: how the last rsync pod ended that did. */
struct wm_rsync_state {
    uint64_t digest;
    uint64_t progress;                         /* a digest of how far it is and how fast; 0 = not told */
    int exit_code;                             /* -1 = none has ended */
    const char *pod_namespace, *pod, *cluster; /* of the last pod; cluster: a MigCluster's name */
    const char *log;                           /* the last lines of the one that failed */
};
/* DirectImageMigration, DirectImageStreamMigration. */
struct wm_image_state {
    uint64_t digest;
    bool failed;               /* phase ...Failed, or errors */
    int64_t blocked_s;         /* 0 = not told, or not blocked */
    const char *blocker, *why; /* type and message of the condition that blocks it; "" = none */
    const char *error;         /* the first of its errors; "" = none */
};
/* Backup, Restore: which of a migration's they are. */
enum wm_velero_part { WM_PART_UNKNOWN, WM_PART_INITIAL, WM_PART_STAGE, WM_PART_FINAL };
struct wm_velero_state {
    enum wm_velero_part part;
    int64_t pod_volume_timeout_s; /* its own, by annotation; 0 = Velero's */
    int64_t going_s;              /* deletionTimestamp; 0 = it stays */
    int errors, warnings, verify_errors;
    wm_name backup, location; /* of a Restore, of a Backup; "" = not told */
    wm_text why;              /* the first of its validation errors */
};
/* Job: of a hook. */
struct wm_job_state {
    wm_word hook_phase; /* "PreBackup", ...; "" = not of a hook */
    int64_t deadline_s; /* spec.activeDeadlineSeconds; 0 = none */
    bool failed;
    int active, failures;  /* pods */
    int64_t failed_s;      /* 0 = not told */
    wm_word failed_reason; /* "BackoffLimitExceeded", "DeadlineExceeded" */
    wm_text failed_message;
};
/* The detail of a record, by kind; see wm_model_conf. */
void *wm_detail_of(void *ctx, const struct wm_reading *object, void *old);
void wm_detail_done(void *ctx, enum wm_kind kind, void *detail);
/* For the model's conf: a MigMigration that is Completed, and Velero's objects in a final phase. */
bool wm_is_over(enum wm_kind kind, const char *phase);
/* Of records of that kind; never NULL for them. */
const struct wm_migration_state *wm_migration_of(const struct wm_record *r);
const struct wm_plan_state *wm_plan_of(const struct wm_record *r);
const struct wm_cluster_state *wm_cluster_of(const struct wm_record *r);
const struct wm_storage_state *wm_storage_of(const struct wm_record *r);
const struct wm_dvm_state *wm_dvm_of(const struct wm_record *r);
const struct wm_velero_state *wm_velero_of(const struct wm_record *r);
const struct wm_job_state *wm_job_of(const struct wm_record *r);
const struct wm_rsync_state *wm_rsync_of(const struct wm_record *r);
const struct wm_image_state *wm_image_of(const struct wm_record *r);

/* --- the clusters --- */

enum wm_cluster_sight {
    WM_SIGHT_NONE,     /* not watched: no way to it is known */
    WM_SIGHT_STARTING, /* not everything is known yet */
    WM_SIGHT_GOOD,
    WM_SIGHT_UNREACHABLE,
    WM_SIGHT_UNAUTHORIZED, /* its token is refused */
    WM_SIGHT_PARTIAL,      /* some kinds are forbidden: `why` names them */
};
const char *wm_sight_name(enum wm_cluster_sight s); /* "good", "unreachable", ... */

struct wm_cluster_view {
    const char *name; /* "host", or the MigCluster's or the kubeconfig's name */
    enum wm_cluster_sight sight;
    const char *why; /* "" = nothing to say */
    int64_t since_s; /* of `sight` */
    /* Not all is listed yet of what is watched for some migrations only, as that of their applications'
     * namespaces: that something is not there means nothing. */
    bool evidence_starting;
    /* Its clock minus ours, when that is more than the measuring is worth; 0 = none, or not known. */
    int64_t offset_s;
};
enum { WM_OFFSET_NOISE_S = 2 };
/* The offset to go on with: `kept_s`, unless it was measured to be another.  A Date is cut to the second, and
 * as old as its answer was on the way: less than WM_OFFSET_NOISE_S moves nothing. */
int64_t wm_offset_settle(int64_t kept_s, int64_t measured_ms);

struct wm_ledger;
struct wm_gap_marks;
struct wm_vm_state;

/* What everything is judged against; borrowed. */
struct wm_world {
    const struct wm_model *model;
    const struct wm_cluster_view *clusters; /* [n_clusters]; 0 = the host */
    size_t n_clusters;
    int64_t now_s; /* by our own clock; wm_world_now is what an object's times are compared with */
    int64_t pod_volume_timeout_s;         /* of Velero: 3600 with MTC's operator (restic_timeout) */
    const struct wm_ledger *ledger;       /* of VirtRigaud's providers (restarts.h); NULL = none is kept */
    const struct wm_gap_marks *gap_marks; /* NULL = the defaults */
};

/* Now, by the clock of the cluster that wrote the times which are looked at.  What is told of a migration is
 * in the host's time, as its own object's is. */
int64_t wm_world_now(const struct wm_world *w, uint8_t cluster);

/* --- the situation --- */

enum { WM_TWIGS_MAX = 256, WM_NO_CLUSTER = 255 };

/* One object of the tree, in the order of printing: depth first, kinds in the order of wm_kind, then by name.
 * Where the room is not enough, the migration's own children have it first. */
struct wm_twig {
    const struct wm_record *record;
    int depth; /* 1 = a child of the migration */
    bool copy; /* made by Velero's sync of a Backup: history of another cluster, not work on this one */
};

/* How much is done, over all objects of a kind that are no copies. */
struct wm_progress {
    int objects, ended, faulty;
    int64_t done, total; /* bytes or items; of those that tell it */
};

enum wm_ending {
    WM_ENDING_NONE, /* it has not ended */
    WM_ENDING_SUCCEEDED,
    WM_ENDING_SUCCEEDED_WITH_WARNINGS,
    WM_ENDING_DATA_NOT_MIGRATED, /* a success by its own word, while a DirectVolumeMigration of it failed */
    WM_ENDING_FAILED,
    WM_ENDING_CANCELED,
    WM_ENDING_UNKNOWN, /* it is over, and nothing tells how */
    WM_ENDING_COUNT
};
const char *wm_ending_name(enum wm_ending e); /* "Succeeded", ...: reasons of MigrationOutcome; "" for NONE */

struct wm_situation {
    const struct wm_record *migration;
    const struct wm_migration_state *state;
    const struct wm_vm_state *vm;          /* of a VMMigration (vm.h); NULL = it is a MigMigration */
    const struct wm_record *plan;          /* NULL = not there, or none is needed */
    uint8_t source, target;                /* clusters; WM_NO_CLUSTER = not known or not watched */
    const char *source_name, *target_name; /* MigClusters' names; "" = not known */

    struct wm_twig tree[WM_TWIGS_MAX];
    size_t n_twigs, n_twigs_more; /* more: those beyond */
    struct wm_progress progress[WM_KIND_COUNT];

    /* The object that the phase waits for, when there is one to be named, and where it is to be looked for.
     */
    const struct wm_record *awaited;
    uint8_t awaited_on;                      /* cluster; WM_NO_CLUSTER = none in particular */
    const char *awaited_kind;                /* "Restore"; "" = no kind of objects is awaited */
    wm_name awaited_namespace, awaited_name; /* of one that is not there; "" = it has no name yet */
    bool awaits_many;                        /* all of a kind: `awaited` is one of those that are missing */
    const struct wm_record *original;        /* a copy of this Backup is awaited; NULL = no copy is */
    wm_text next;   /* names of the phases of which one comes next: "X", "X or Y"; "" = none, or not known */
    int64_t ends_s; /* when a timeout that is known ends the wait by itself; 0 = none is known */
    const char *ends_by; /* who ends it: "Velero"; "" = nobody */

    /* Clusters that are needed and cannot be seen, or not all of it; WM_NO_CLUSTER = none.  One without any
     * view is told by `source` or `target` being WM_NO_CLUSTER while its name is known. */
    uint8_t blind[2];
    enum wm_ending ending;
    const struct wm_record *failed_dvm; /* of DATA_NOT_MIGRATED */
    const struct wm_record *culprit; /* of FAILED: what the phase that failed waited for; NULL = not known */
    int stage_pods_left;             /* after the end: what the failed itinerary leaves behind */
};

/* What is known of a phase of its kind of migration; NULL = unknown. */
const struct wm_phase *wm_phase_of(const struct wm_situation *s, const char *name);

/* Only the plan and the clusters of the migration `r`: cheap, whatever belongs to it. */
void wm_situation_place(const struct wm_world *w, const struct wm_record *r, struct wm_situation *ret);
/* Everything about the migration `r`, a record of kind MIGMIGRATION or VMMIGRATION. */
void wm_situation_of(const struct wm_world *w, const struct wm_record *r, struct wm_situation *ret);

/* --- the words --- */

enum { WM_MESSAGE_MAX = 1024, WM_VERDICT_MAX = 256 };

/* The conditions that a situation calls for (types of design: MigrationProgress, MigrationOutcome).  No
 * square brackets, no ages, no counters: a message changes only when something happened. */
struct wm_said {
    const char *type;
    bool status, wanted; /* wanted false: must not be there */
    wm_word reason;
    char message[WM_MESSAGE_MAX];
};
enum { WM_SAID_PROGRESS, WM_SAID_OUTCOME, WM_SAID_STALLED, WM_SAID_RESTARTS, WM_SAID_COUNT };
/* All but MigrationStalled, which wm_stall_say tells: that one is not wanted afterwards. */
void wm_situation_say(const struct wm_world *w, const struct wm_situation *s,
                      struct wm_said said[WM_SAID_COUNT]);
/* One line, for the annotation waymark.io/verdict. */
void wm_situation_verdict(const struct wm_world *w, const struct wm_situation *s,
                          char out[static WM_VERDICT_MAX]);

#endif
