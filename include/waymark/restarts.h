/* Every restart of VirtRigaud's providers: why, how long nobody answered, and whom it hurt.  Pure; not
 * thread-safe.
 *
 * A VMMigration with a PVC rolls the Deployments of all providers of its namespace, when the PVC is made and
 * again when it goes; transfers of others that run in the old pods are cut some 30 seconds after these are
 * told to end. The ledger sees every change of Deployments, ReplicaSets, pods, EndpointSlices, PVCs and
 * VMMigrations, in whatever order they arrive, and keeps what the objects soon forget: pods that are gone,
 * who a deleted PVC belonged to, windows without a ready pod, or without one that the provider's Service
 * leads to.  Times are those that stand in the objects, never those of their arrival, where there are any. */
#ifndef WAYMARK_RESTARTS_H
#define WAYMARK_RESTARTS_H

#include "waymark/situation.h"
#include "waymark/vm.h"

/* --- a restart --- */

enum wm_restart_kind {
    WM_RESTART_ROLLOUT,   /* A: another template, so all pods are replaced */
    WM_RESTART_REPLACED,  /* B: a pod went and another came, the template is the same */
    WM_RESTART_CONTAINER, /* C: a container was started again in its pod */
    WM_RESTART_SCALED,    /* D: more or fewer pods were asked for */
    WM_RESTART_KIND_COUNT
};
const char *wm_restart_kind_name(enum wm_restart_kind k); /* "rollout", "replaced", "container", "scaled" */

enum wm_restart_cause {
    WM_RESTART_UNKNOWN, /* what it was before is not known */
    WM_RESTART_CREATED, /* of a rollout: PVCs came into the template */
    WM_RESTART_DELETED, /* PVCs went out of it */
    WM_RESTART_CHURN,   /* the same PVCs in another order: of use to nobody */
    WM_RESTART_CHANGED, /* something else in the template: no migration's doing */
    WM_RESTART_POD,     /* of the others: what `why` says (Evicted, OOMKilled, ...) */
    WM_RESTART_CAUSE_COUNT
};
const char *wm_restart_cause_name(enum wm_restart_cause c); /* "unknown", "pvc-created", "pvc-deleted", ... */

/* How long nobody could answer, beside what VirtRigaud's documents promise (15 s; 26 to 32 s at worst; an
 * alert after a minute). */
enum wm_gap { WM_GAP_NONE, WM_GAP_TYPICAL, WM_GAP_WORST_CASE, WM_GAP_BEYOND, WM_GAP_OUTAGE, WM_GAP_COUNT };
/* Reasons of the condition ProviderRestarts: "NoGap", "Typical", "WithinWorstCase", "BeyondWorstCase",
 * "Unavailable". */
const char *wm_gap_name(enum wm_gap g);
/* Settings, in seconds. */
struct wm_gap_marks {
    int64_t typical, worst_case, outage;
};
void wm_gap_marks_default(struct wm_gap_marks *ret); /* 15, 32, 60 */
enum wm_gap wm_gap_of(const struct wm_gap_marks *marks, int64_t seconds);

/* Where a provider stands to the migration that made it restart. */
enum wm_restart_role { WM_RESTART_COLLATERAL, WM_RESTART_SOURCE, WM_RESTART_TARGET, WM_RESTART_ROLE_UNKNOWN };
const char *wm_restart_role_name(enum wm_restart_role r); /* "collateral", "source", "target", "unknown" */

enum { WM_CULPRITS_MAX = 4, WM_VICTIMS_MAX = 4 };
struct wm_culprit {
    wm_name migration; /* "" = nobody's: an orphan PVC */
    wm_uid uid;        /* "" = not known */
    wm_name claim;
    enum wm_restart_role role; /* of the provider in that migration */
    bool deleted;              /* of a rollout: its PVC went out of the template; false: it came, or stays */
};
/* A migration that was copying through this provider when its old pods were told to end. */
struct wm_victim {
    wm_name migration;
    wm_uid uid;
    wm_word phase; /* it was in: "Exporting", "Importing" */
    bool failed;   /* it failed of it; false: it was at risk, and may have got away */
};

struct wm_restart {
    wm_name namespace_, provider, deployment;
    wm_uid deployment_uid;
    uint64_t key; /* the same for the same restart, also after a restart of ours */
    enum wm_restart_kind kind;
    enum wm_restart_cause cause;
    struct wm_culprit culprits[WM_CULPRITS_MAX]; /* several share a rollout; of CHURN all that have a PVC */
    size_t n_culprits;
    int from_revision, to_revision; /* of a rollout; 0 = not known */
    bool also_changed;              /* of a rollout for PVCs: something else in the template changed, too */

    int64_t begun_s;  /* the first new pod was made, the container ended, the number changed */
    int64_t ended_s;  /* all is as wanted again; 0 = not yet */
    int64_t let_go_s; /* the first old pod was told to end; 0 = not yet, or not known */
    int64_t stuck_s;  /* since when it does not get on; 0 = it does */
    wm_word
        stuck; /* why: "ImagePullBackOff", "Unschedulable", "ProgressDeadlineExceeded", ...; "" = it is not */
    wm_name pod;     /* the new one; of CONTAINER the pod; "" = none yet */
    wm_word why;     /* of the pod that went, or the container that ended: "Evicted", "OOMKilled" */
    wm_text message; /* what is said of `stuck` or `why` */

    /* The longest time within it in which nobody answered: without any ready pod or, where the EndpointSlices
     * of its Service are known, without one that this leads to. */
    int64_t gap_from_s, gap_to_s; /* gap_to_s 0 with a gap_from_s: it is open still; both 0 = none */
    bool gap_at_least;            /* it began before gap_from_s, nobody saw when */
    bool gap_of_service;          /* for seconds of it a pod was ready, and its Service did not lead there */
    int64_t overlap_s;            /* how long both, old and new, were ready; 0 = not at all, or not known */
    struct wm_victim victims[WM_VICTIMS_MAX];
    size_t n_victims;

    bool recalled_open; /* stored reports tell that it is under way, and none that it ended */
};
/* Its seconds up to now; of one that is open it grows. */
int64_t wm_restart_gap_s(const struct wm_restart *r, int64_t now_s);
/* It has begun, and is not over; it may outlast the restart. */
bool wm_restart_gap_is_open(const struct wm_restart *r);

/* --- the ledger --- */

struct wm_ledger;

enum { WM_RESTARTS_MAX = 512 }; /* the oldest that are over go first */

struct wm_ledger *wm_ledger_new(void);
struct wm_ledger *wm_ledger_free(struct wm_ledger *l);
/* How long a new pod's bad reason must have stood, and how long nothing may happen without one, before a
 * restart counts as stuck; 15 and 60 s where this is not called. */
void wm_ledger_patience(struct wm_ledger *l, int64_t signal_s, int64_t patience_s);

/* A record of cluster 0 came, changed or is about to go: called from the model's `changed`, with what the
 * model has by then.  Costs what the Deployment that it belongs to has of pods and ReplicaSets, and a walk
 * over all EndpointSlices; nothing for kinds and namespaces without providers. */
void wm_ledger_changed(struct wm_ledger *l, const struct wm_model *m, const struct wm_record *r, bool gone,
                       int64_t now_s);
/* What a stored MigrationReport tells of restarts (`restarts` of its status): taken in where it is not known,
 * or was over by then.  Before or after the objects are seen, in any order. */
void wm_ledger_recall(struct wm_ledger *l, struct wm_str report);
/* Time alone: restarts that do not get on. True when something is to be said anew.  To be called every few
 * seconds; costs nothing while there is no restart under way, or over for less than some minutes. */
bool wm_ledger_tick(struct wm_ledger *l, const struct wm_model *m, int64_t now_s);

/* All that is known, the oldest first. */
typedef void wm_restart_fn(void *ctx, const struct wm_restart *r);
void wm_ledger_each(const struct wm_ledger *l, wm_restart_fn *fn, void *ctx);
/* Those that the migration caused, or that hurt or threatened it, or that befell its source's or target's
 * Deployment while it ran; at most `max`, the youngest, the oldest of them first. */
size_t wm_ledger_of(const struct wm_ledger *l, const struct wm_vm_state *vm, const struct wm_restart *ret[],
                    size_t max);
/* Whether this one caused it, or is among its victims. */
bool wm_restart_is_of(const struct wm_restart *r, const char *uid);
const struct wm_victim *wm_restart_victim(const struct wm_restart *r, const char *uid);

/* For metrics: one row a provider that has a Deployment, in order of namespace and name.  Before a pod of the
 * Deployment was ready for the first time it is not unavailable, it starts: as a rollout, which may be stuck.
 */
struct wm_provider_log {
    wm_name namespace_, provider;
    uint64_t restarts[WM_RESTART_KIND_COUNT]; /* since the ledger was made */
    int64_t unavailable_s;                    /* in all, closed and open windows */
    int64_t unavailable_since_s;              /* of the open one; 0 = it is available */
    bool rolls, stuck; /* a rollout or its first start is under way; and does not get on */
};
size_t wm_ledger_providers(const struct wm_ledger *l, int64_t now_s, struct wm_provider_log *ret, size_t max);

/* --- PVCs of migrations --- */

enum wm_claim_state_of {
    WM_CLAIM_IN_USE,    /* of a migration that runs */
    WM_CLAIM_LINGERING, /* of one that is over: legal, and providers still mount it */
    WM_CLAIM_ORPHAN,    /* it has no owner, or one that is gone: nobody will delete it */
    WM_CLAIM_GOING,     /* it is being deleted */
};
struct wm_migration_claim {
    const struct wm_record *claim, *migration; /* migration NULL = none */
    enum wm_claim_state_of state;
    bool restored; /* by Velero: it bears its label of a restore */
};
/* A PVC with the label virtrigaud.io/component=migration-storage; false for any other. */
bool wm_migration_claim_of(const struct wm_model *m, const struct wm_record *claim,
                           struct wm_migration_claim *ret);
/* The pods of its namespace that mount it and have not ended; at most max. */
size_t wm_claim_holders(const struct wm_model *m, const struct wm_record *claim,
                        const struct wm_record *ret[], size_t max);

/* --- the words --- */

/* One sentence, without ages: "provider vs (source of web): rollout 2, since PVC web-storage was made for
 * VMMigration web: no moment without a ready pod". */
void wm_restart_say(const struct wm_restart *r, int64_t now_s, const struct wm_gap_marks *marks, char *out,
                    size_t size);
/* The condition ProviderRestarts of the situation of a VMMigration: reason RolloutStuck, RolloutInProgress,
 * Unavailable while nobody answers for longer than that, or the name of the longest gap; not wanted where no
 * restart is known. */
void wm_restarts_say(const struct wm_world *w, const struct wm_situation *s, struct wm_said *out);
/* Appends the member `restarts` of a report's status; nothing when there are none. */
void wm_report_put_restarts(const struct wm_world *w, const struct wm_situation *s, struct wm_buf *out);

#endif
