/* Why a migration does not get on: the table of causes, and what of it is found.  Pure.
 *
 * From a situation follow the suspects: every object that can hold this migration up now, each with the one
 * through which it was come upon (the migration waits for a Restore, that for a PodVolumeRestore, that for a
 * pod, that for a claim, that for a storage class).  Each row of the table looks at the suspects of its roles
 * and says whether its signals stand there.  The deepest findings are the causes, those above them their
 * effects.  Nothing is judged by a name's beginning, and nothing is guessed: where no row fits, the diagnosis
 * says what was looked at. */
#ifndef WAYMARK_CAUSE_H
#define WAYMARK_CAUSE_H

#include "waymark/situation.h"

/* --- how long is long --- */

/* Seconds without progress, or for which a signal has stood, before it counts.  Settings. */
enum wm_threshold {
    WM_T_SIGNAL,  /* states that do not heal by themselves: an image that cannot be pulled, an unschedulable
                     pod */
    WM_T_QUIET,   /* phases that wait for nothing */
    WM_T_STARTUP, /* a migration, a pod, an object that nobody has taken up */
    WM_T_QUEUE,   /* an object in a queue, with nothing before it */
    WM_T_SYNC,    /* what comes from another cluster: copies of Backups, credentials, a refresh */
    WM_T_COPY,    /* volumes, by bytes */
    WM_T_ITEMS,   /* Backups and Restores, by items */
    WM_T_QUIESCE, /* pods that end */
    WM_T_ROLLOUT, /* a provider's rollout, and the mounting of a PVC in it */
    WM_T_TIDY,    /* what should be tidied up after a VMMigration */
    WM_T_COUNT
};
struct wm_thresholds {
    int64_t s[WM_T_COUNT];
};
void wm_thresholds_default(struct wm_thresholds *ret);
/* "signal", "quiet", ...: names of settings; NULL beyond the last. */
const char *wm_threshold_name(enum wm_threshold t);

/* --- the suspects --- */

enum wm_role {
    WM_ROLE_MIGRATION,
    WM_ROLE_PLAN,
    WM_ROLE_CLUSTER, /* a MigCluster of the plan */
    WM_ROLE_WORK, /* the migration's own objects that are not done or have failed: Backup, PodVolumeRestore,
                     Job, ... */
    WM_ROLE_STAGE_POD,
    WM_ROLE_REGISTRY_POD,
    WM_ROLE_RSYNC_POD,
    WM_ROLE_HOOK_POD,
    WM_ROLE_RESTORED_POD, /* on the target, in a namespace of the plan, waiting for its volumes or not up */
    WM_ROLE_QUIESCED_POD, /* on the source, or when rolling back the target, in a namespace of the plan, and
                             should be gone */
    WM_ROLE_CLAIM, /* a PersistentVolumeClaim that one of the pods mounts, or of the plan's namespaces */
    WM_ROLE_STORAGE_CLASS, /* of such a claim */
    WM_ROLE_NODE,          /* of such a pod */
    WM_ROLE_VELERO,        /* Deployment and pods of Velero where the phase needs it */
    WM_ROLE_NODE_AGENT,    /* DaemonSet and pods of its node agent there */
    WM_ROLE_LOCATION,      /* BackupStorageLocations there; the plan's MigStorage */
    WM_ROLE_AHEAD,         /* Backups, Restores of others that Velero takes first; migrations that go first */
    WM_ROLE_PROVIDER,      /* of a VMMigration: the Providers of its source and its target */
    WM_ROLE_PROVIDER_SERVER, /* their Deployments; while its PVC is there also those of the others that mount
                                it */
    WM_ROLE_PROVIDER_POD,    /* the pods of such a Deployment that should serve, and do not */
    WM_ROLE_MACHINE,         /* its VirtualMachines: the source, then the target */
    WM_ROLE_COUNT
};
const char *wm_role_name(enum wm_role r); /* "migration", "stage-pod", ... */
#define WM_ROLE(r) (1u << WM_ROLE_##r)

enum { WM_SUSPECTS_MAX = 512, WM_NO_SUSPECT = -1 };
struct wm_suspect {
    const struct wm_record *record;
    enum wm_role role;
    int16_t
        via; /* index of the one that depends on it; WM_NO_SUSPECT for the migration, which is the first */
    int64_t
        volumes_done_s; /* of a Backup, a Restore: when the last of its volumes was copied; 0 = none was */
};

/* A volume that is being copied, of this migration or another. */
struct wm_copying {
    const struct wm_record *volume;
    const char *node;
};

struct wm_volume_marks;

/* A situation with its suspects.  `w` and `s` are borrowed, and with them every record. */
struct wm_look {
    const struct wm_world *w;
    const struct wm_situation *s;
    const struct wm_thresholds *thresholds;
    int64_t still_since_s;               /* no progress since; see wm_pulse */
    const struct wm_volume_marks *marks; /* NULL = no volume is known to have moved by itself */
    /* Of a VMMigration, NULL = not there: its PVC; of its source, then of its target, the VirtualMachine, the
     * Provider and its Deployment. */
    const struct wm_record *claim, *machines[2], *providers[2], *servers[2];
    struct wm_suspect suspects[WM_SUSPECTS_MAX];
    size_t n, n_more; /* more: beyond the maximum */
    /* Who else depends on a suspect: several pods on a node. */
    struct {
        int16_t suspect, via;
    } shared[WM_SUSPECTS_MAX];
    size_t n_shared;
    /* Where a volume of this migration waits for its turn: those of its kind that are being copied. */
    struct wm_copying copying[WM_SUSPECTS_MAX];
    size_t n_copying, n_copying_more;
};
void wm_look_around(const struct wm_world *w, const struct wm_situation *s, const struct wm_thresholds *t,
                    struct wm_look *ret);

/* --- the table --- */

/* What a row's test finds out.  All but `look`, `suspect`, `r` is for the test to fill in; texts are borrowed
 * from records, or stand in `room`. */
struct wm_clue {
    const struct wm_look *look;
    const struct wm_suspect *suspect;
    const struct wm_record *r; /* suspect->record */

    int64_t since_s;               /* since when the signal stands; 0 = since the last progress */
    bool by_us;                    /* since_s is by our own clock, as the last progress is */
    int64_t due_s;                 /* when it counts; 0 = `after` the signal's begin */
    int64_t until_s;               /* when it ceases to count; 0 = as long as it stands */
    const struct wm_record *other; /* who is in the way: {other} */
    const struct wm_record
        *event;         /* the Kubernetes Event that says so: {quote} where that is not set, {seen} */
    const char *quote;  /* the message that says so: {quote} */
    const char *detail; /* what it is about (an image, a condition's type, a count): {detail} */
    void (*say)(struct wm_clue *c); /* sets `detail` when it is told: of hundreds of volumes few are */
    char room[256];
};
/* Does not look at the clock: what time alone changes is told by due_s and until_s. */
typedef bool wm_cause_fn(struct wm_clue *c);

enum wm_weight {
    WM_STOPS,     /* nothing moves as long as it stands */
    WM_HIDES,     /* whether it moves cannot be seen */
    WM_THREATENS, /* it goes on, and will end badly */
    WM_SLOWS,     /* it goes on, and takes long: never called stalled */
    WM_WAITS,     /* by design: another goes first */
};
enum wm_confidence { WM_POSSIBLE, WM_LIKELY, WM_CERTAIN };
const char *wm_weight_name(enum wm_weight w);
const char *wm_confidence_name(enum wm_confidence c);

#define WM_ANY_WAIT 0u
#define WM_WAITS_FOR(w) (1u << WM_WAIT_##w)
/* Together with either: also when the migration is over.  Rows without it are asked then only where they tell
 * why it failed: of a failure, as if the phase that failed were still the current one, at the migration and
 * at what belongs to it; of a success with warnings, at the objects that failed. */
#define WM_AFTER_END (1u << 31)
/* Together with these: a thing of its own, that explains no other finding. */
#define WM_APART (1u << 30)

/* One cause.  `says` is one sentence, `remedy` one or more lines, commands on lines of their own; in both
 *   {kind} {name} {namespace} {cluster}   of the suspect; {object} = "Pod ns/name on cluster target"
 *   {other} = the other object in the same form; {other.name} {other.namespace} {other.kind}
 *   {node} {quote} {detail} {seen}        {seen} = the event's first time, else the signal's
 *   {migration} {plan} {phase} {ends}     {ends} = when a known timeout strikes
 *   {kubectl} = "kubectl --context target -n namespace" for the suspect, {other.kubectl}, {host.kubectl}
 *   {source} {target}                     the names of the plan's clusters
 *   {cancel} = the command that cancels the migration
 * are filled in.  Ids never change: they are reasons of conditions, labels of metrics, anchors in the manual.
 */
struct wm_cause {
    const char *id;    /* CamelCase */
    unsigned roles;    /* a set of WM_ROLE: at whom it is looked for */
    enum wm_kind kind; /* of these only; WM_KIND_NONE = of any kind */
    unsigned waits;    /* a set of WM_WAITS_FOR: in which phases; WM_ANY_WAIT = in all; WM_AFTER_END */
    wm_cause_fn *test;
    enum wm_weight weight;
    enum wm_confidence confidence;
    enum wm_threshold after; /* the signal must have stood for so long */
    int depth; /* of two at the same place the deeper one counts: 0 said for want of a cause, 1 symptom .. 9
                  nothing lies below it */
    const char *title; /* for tables: what it is, in a few words */
    const char *says, *remedy;
    const char *source; /* where the knowledge is from: an upstream file, an issue, an API's document */
};

/* A part of the table, by subject; ends with a row without id. */
extern const struct wm_cause *const wm_cause_parts[];
const struct wm_cause *wm_cause_find(const char *id); /* NULL = there is none */
typedef void wm_cause_each_fn(void *ctx, const struct wm_cause *cause);
void wm_causes_each(wm_cause_each_fn *fn, void *ctx); /* in the order of the table */

/* --- the diagnosis --- */

enum { WM_FINDINGS_MAX = 16 };
struct wm_finding {
    const struct wm_cause *cause;
    int suspect; /* index; its chain of `via` is the evidence */
    const struct wm_record *other, *event;
    int64_t since_s;
    int explained_by; /* index of the finding that is its cause; -1 = it is a cause itself */
    char quote[256], detail[160];
};

enum wm_pace {
    WM_PACE_OVER,  /* it has ended, or not begun and nothing is wrong */
    WM_PACE_MOVES, /* progress within the threshold */
    WM_PACE_SLOW,  /* it moves, and takes longer than usual */
    WM_PACE_WAITS, /* by design, for another */
    WM_PACE_STALLED,
    WM_PACE_BLIND, /* what it waits for cannot be seen */
};
const char *wm_pace_name(enum wm_pace p);

/* Of a migration that is over the findings say why it ended as it did, or what it has left behind, and pace
 * is OVER.  Causes first (explained_by -1): those that stop, by depth, confidence and age; then what they
 * explain. Borrows from look. */
struct wm_diagnosis {
    const struct wm_look *look;
    enum wm_pace pace;
    int64_t since_s; /* of the pace */
    int64_t again_s; /* when time alone may change it; 0 = never */
    struct wm_finding findings[WM_FINDINGS_MAX];
    size_t n, n_more;
    size_t behind; /* migrations that wait for this one */
};
void wm_diagnose(const struct wm_look *look, struct wm_diagnosis *ret);
/* How many migrations get on only when this one does: those of its plan that go after it,
 * and those whose Backup or Restore Velero has queued behind one of this one's; of a VMMigration that
 * occupies one of VirtRigaud's workers, while all are, those that nobody has taken up. */
size_t wm_migrations_behind(const struct wm_world *w, const struct wm_situation *s);
void wm_migrations_behind_each(const struct wm_world *w, const struct wm_situation *s, wm_record_fn *fn,
                               void *ctx);

/* --- progress --- */

/* A digest of all that moves when a migration gets on: phase, progress, the phases, items and bytes of its
 * objects, pods that come up.  Labels, conditions of others and versions are not in it. */
struct wm_pulse {
    uint64_t token;
    int64_t changed_s;             /* on our clock */
    struct wm_volume_marks *marks; /* borrowed: kept up to date with it; NULL = none are kept */
};
uint64_t wm_progress_token(const struct wm_world *w, const struct wm_situation *s);
/* True when it moved since the last call.  At the first call nothing is known of before: changed_s is then
 * the youngest time that stands in the objects themselves, never later than now. */
bool wm_pulse_feel(struct wm_pulse *p, const struct wm_world *w, const struct wm_situation *s);

/* One volume may stand still among others that move: when the bytes changed of each that is being copied, on
 * our clock.  The first sight of one counts as a change, so after a restart it begins anew.  All zero at
 * first. */
struct wm_volume_mark {
    uint64_t key;
    int64_t done, moved_s;
    unsigned round; /* in which it was looked at last */
};
struct wm_volume_marks {
    struct wm_volume_mark *list; /* owned, [room] */
    size_t room, used;
    unsigned round;
};
int64_t wm_volume_moved_s(const struct wm_volume_marks *m,
                          const struct wm_record *volume); /* 0 = not known */
void wm_volume_marks_done(struct wm_volume_marks *m);

/* --- the words --- */

/* A finding's `says` and `remedy`, filled in.  No square brackets, one line; `remedy`'s lines are joined by
 * "; ", after a colon by " ", where `lines` is false. */
void wm_finding_say(const struct wm_diagnosis *d, const struct wm_finding *f, char *out, size_t size);
void wm_finding_remedy(const struct wm_diagnosis *d, const struct wm_finding *f, bool lines,
                       struct wm_buf *out);
/* The condition MigrationStalled: wanted while something stops the migration, hides it, or threatens it. */
void wm_diagnosis_say(const struct wm_diagnosis *d, struct wm_said *out);
/* The finding that is the answer; NULL = there is none. */
const struct wm_finding *wm_diagnosis_cause(const struct wm_diagnosis *d);

#endif
