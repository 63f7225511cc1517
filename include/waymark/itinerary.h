/* What a migration's phases mean: which come in which order, what each waits for, on which cluster, and what
 * would ever end the wait.  One table for mig-controller of all releases.  Pure.
 *
 * How mig-controller uses them (pkg/controller/migmigration/task.go, migrate.go):
 * - status.phase is the phase that is being executed, not the last one that was done.
 * - Completed is the last phase of every itinerary: of success, of failure and of cancellation alike.  The
 *   phase that failed is the reason of the condition Failed.
 * - While it runs, the condition Running has the phase as reason, "Step: n/total" as message, and as
 *   lastTransitionTime the start of this phase.  It is gone while another condition blocks the migration.
 * - When the itinerary changes (a failure, a cancellation), the phase starts over at its first one.
 *
 * The itineraries are those of the current release; names that older releases had for a phase stand at the
 * place of today's.  So places and totals may differ by a few from the "Step: n/total" of an old controller,
 * which is the truth where it is there. */
#ifndef WAYMARK_ITINERARY_H
#define WAYMARK_ITINERARY_H

#include <stdbool.h>
#include <stddef.h>

/* What runs through phases: a MigMigration in one of the first five, a DirectVolumeMigration in the next
 * three, a VMMigration (vm.h) in the last. */
enum wm_itinerary {
    WM_ITINERARY_NONE, /* not known */
    WM_ITINERARY_STAGE,
    WM_ITINERARY_FINAL,
    WM_ITINERARY_CANCEL,
    WM_ITINERARY_FAILED,
    WM_ITINERARY_ROLLBACK,
    WM_ITINERARY_VOLUMES,
    WM_ITINERARY_VOLUMES_FAILED,
    WM_ITINERARY_VOLUMES_ROLLBACK,
    WM_ITINERARY_VM,
    WM_ITINERARY_COUNT
};

/* status.itinerary as it is written: "Stage", ..., "VolumeMigration"; "" for NONE. */
const char *wm_itinerary_name(enum wm_itinerary it);
enum wm_itinerary wm_itinerary_of(const char *name); /* NONE when there is none of that name */

/* The itinerary of a MigMigration that these lead to (task.go, init): the first that is true, else Final. */
struct wm_itinerary_choice {
    bool failed;   /* condition Failed, or status.errors holds something */
    bool canceled; /* spec.canceled, or condition Canceling or Canceled */
    bool rollback; /* spec.rollback */
    bool stage;    /* spec.stage or spec.migrateState */
};
enum wm_itinerary wm_itinerary_choose(const struct wm_itinerary_choice *c);

/* --- phases --- */

enum wm_wait {
    WM_WAIT_NOTHING, /* does its work at once, or in a few rounds */
    WM_WAIT_REFRESH,
    WM_WAIT_STAGE_PODS,
    WM_WAIT_STAGE_PODS_GONE,
    WM_WAIT_REGISTRIES,
    WM_WAIT_VELERO,
    WM_WAIT_NODE_AGENT,
    WM_WAIT_CREDENTIALS,
    WM_WAIT_HOOK,
    WM_WAIT_QUIESCED,
    WM_WAIT_BACKUP,
    WM_WAIT_BACKUP_COPY,
    WM_WAIT_RESTORE,
    WM_WAIT_IMAGES,
    WM_WAIT_VOLUMES,
    WM_WAIT_HEALTH,
    WM_WAIT_MIGRATED_GONE,
    WM_WAIT_ROUTE,
    WM_WAIT_RSYNC_SERVER,
    WM_WAIT_RSYNC,
    WM_WAIT_RSYNC_GONE,
    WM_WAIT_VM_WORKER,    /* VMMigration: to be taken up */
    WM_WAIT_VM_PROVIDERS, /* its machine, its providers, and that these have mounted its PVC */
    WM_WAIT_VM_SNAPSHOT,
    WM_WAIT_VM_EXPORT,
    WM_WAIT_VM_IMPORT,
    WM_WAIT_VM_TARGET, /* the new machine */
    WM_WAIT_COUNT
};
/* "the Backup to end", ...: continues "waits for"; "" for NOTHING. */
const char *wm_wait_text(enum wm_wait w);

/* A set: on which clusters a phase works, or what it waits for lives.  One cluster may play several roles. */
enum wm_cluster_role { WM_CLUSTER_HOST = 1, WM_CLUSTER_SOURCE = 2, WM_CLUSTER_TARGET = 4 };

/* What ends a phase when what it waits for never comes. */
enum wm_wait_end {
    WM_END_AT_ONCE, /* it waits for nothing */
    WM_END_NEVER,
    WM_END_POD_VOLUME_TIMEOUT,
    WM_END_HOOK_DEADLINE,
    WM_END_RSYNC_RETRIES,
    WM_END_VM_MOUNT, /* VirtRigaud's five minutes from the making of the PVC */
    WM_END_VM_COPY,  /* its half an hour for an export or import */
    WM_END_COUNT
};
/* One sentence each. */
const char *wm_wait_end_text(enum wm_wait_end e);

/* Releases, a set: MTC up to 1.3, MTC 1.4 to 1.5, MTC 1.8. */
enum wm_generation { WM_GENERATION_2020 = 1, WM_GENERATION_2021 = 2, WM_GENERATION_2025 = 4 };

struct wm_phase {
    const char *name; /* as in status.phase; "" is the phase of a migration that has just been created */
    unsigned generations;
    enum wm_wait waits_for;
    unsigned on; /* of enum wm_cluster_role */
    /* From here on, without any progress, a person should look: seconds; 0 = never, the migration is over. */
    int stall_s;
    enum wm_wait_end ends;
    const char *fails; /* when it fails by itself, a clause after "fails when"; "" = never */
    const char *about; /* one sentence for people */
};

/* The phase of a MigMigration, or of a DirectVolumeMigration; NULL = unknown: say "unknown phase" and its
 * name. */
const struct wm_phase *wm_phase_find(const char *name);
const struct wm_phase *wm_dvm_phase_find(const char *name);
const struct wm_phase *wm_vm_phase_find(const char *name); /* of a VMMigration */
/* Every phase in a row, for tests and documents; NULL beyond the last. */
const struct wm_phase *wm_phase_at(size_t i);
const struct wm_phase *wm_dvm_phase_at(size_t i);
const struct wm_phase *wm_vm_phase_at(size_t i);

/* --- places --- */

int wm_itinerary_steps(enum wm_itinerary it); /* how many phases; 0 for NONE */
/* The phase at place 1..wm_itinerary_steps; NULL beyond. */
const struct wm_phase *wm_itinerary_phase(enum wm_itinerary it, int step);
/* The place of a phase, by today's or a former name; 0 = it has none there. */
int wm_phase_step(enum wm_itinerary it, const char *phase);
/* The phase after it.  Many phases are conditional (no volumes, no hooks, no quiescing, ...) and are skipped
 * when their condition does not hold, so this is what comes next at the earliest; see wm_phases_next.  NULL
 * at the end, and for a phase that has no place. */
const struct wm_phase *wm_phase_next(enum wm_itinerary it, const char *phase);
/* What phases depend on (mig-controller pkg/controller/migmigration/task.go, allFlags); sets.  Whether MTC's
 * operator switched images or volumes off altogether stands in no object: they are taken to be on, as they
 * are by default. */
enum wm_need {
    WM_NEED_QUIESCE = 1 << 0,
    WM_NEED_VERIFY = 1 << 1,
    WM_NEED_DIRECT_IMAGES = 1 << 2,
    WM_NEED_INDIRECT_IMAGES = 1 << 3,
    WM_NEED_IMAGE_STREAMS = 1 << 4,
    WM_NEED_VOLUMES = 1 << 5,
    WM_NEED_DIRECT_VOLUMES = 1 << 6,
    WM_NEED_INDIRECT_VOLUMES = 1 << 7,
    WM_NEED_STAGE_PODS = 1 << 8,
    WM_NEED_STAGE_BACKUP = 1 << 9,
    WM_NEED_SOMETHING_TO_COPY = 1 << 10, /* volumes or image streams */
    WM_NEED_CONVERSION = 1 << 11,        /* of storage classes */
    WM_NEED_LIVE_VMS = 1 << 12,
    WM_NEED_PRE_BACKUP_HOOK = 1 << 13,
    WM_NEED_POST_BACKUP_HOOK = 1 << 14,
    WM_NEED_PRE_RESTORE_HOOK = 1 << 15,
    WM_NEED_POST_RESTORE_HOOK = 1 << 16,
    WM_NEED_SNAPSHOT = 1 << 17, /* of a virtual machine */
};
/* What the phase itself depends on: a migration that is in it meets that. */
unsigned wm_phase_needs(enum wm_itinerary it, const char *phase);
/* What is known of them; those in neither set are not known. */
struct wm_needs {
    unsigned met, unmet;
};
enum { WM_NEXT_PHASES_MAX = 3 };
/* The phases of which one comes next, in their order, up to the first that certainly comes if the ones before
 * it do not; what is certainly skipped is not among them.  Returns how many there are, at most
 * WM_NEXT_PHASES_MAX; *ret_more: there are others behind them.  0 at the end and for a phase without a place.
 */
int wm_phases_next(enum wm_itinerary it, const char *phase, const struct wm_needs *known,
                   const struct wm_phase *ret[static WM_NEXT_PHASES_MAX], bool *ret_more);
/* The name in status.pipeline of the step that the phase is part of: "Prepare", ...; NULL when it has no
 * place, and for DirectVolumeMigrations, which have no pipeline.  Up to 2020 the last step was called
 * "Final". */
const char *wm_phase_pipeline_step(enum wm_itinerary it, const char *phase);

#endif
