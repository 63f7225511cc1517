/* The parts of the table of causes, by subject. */
#ifndef WAYMARK_DIAG_CAUSES_H
#define WAYMARK_DIAG_CAUSES_H

#include "waymark/cause.h"
#include "waymark/evidence.h"

extern const struct wm_cause wm_causes_pod[], wm_causes_place[], wm_causes_storage[], wm_causes_claim[],
    wm_causes_velero[], wm_causes_velero_queue[], wm_causes_velero_end[], wm_causes_volume[],
    wm_causes_plan[], wm_causes_direct[], wm_causes_general[];
extern const struct wm_cause wm_causes_cluster[], wm_causes_order[], wm_causes_hook[], wm_causes_end[];
extern const struct wm_cause wm_causes_vm[], wm_causes_vm_claim[], wm_causes_vm_copy[], wm_causes_vm_end[],
    wm_causes_provider[];

/* --- what tests share --- */

/* The youngest Event about `r` with one of these reasons (a list that ends with NULL) whose message contains
 * `part` (NULL = any); NULL = there is none. */
const struct wm_record *wm_clue_event(const struct wm_clue *c, const struct wm_record *r,
                                      const char *const reasons[], const char *part);
/* The phase of a record, as it is written. */
const char *wm_clue_phase(const struct wm_clue *c, const struct wm_record *r);
bool wm_is_one_of(const char *word, const char *const words[]);
/* Prints into the clue's room, and is its `detail`. */
void wm_clue_detail(struct wm_clue *c, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* --- pods; causes_holding.c --- */

#define WM_OWN_PODS (WM_ROLE(STAGE_POD) | WM_ROLE(REGISTRY_POD) | WM_ROLE(RSYNC_POD) | WM_ROLE(HOOK_POD))
#define WM_SERVER_PODS (WM_ROLE(VELERO) | WM_ROLE(NODE_AGENT))
#define WM_STARTING_PODS (WM_OWN_PODS | WM_SERVER_PODS | WM_ROLE(RESTORED_POD))
/* Where the words fit a provider's pods as well. */
#define WM_ALL_STARTING_PODS (WM_STARTING_PODS | WM_ROLE(PROVIDER_POD))

/* Whether what happens on this cluster can hold the phase up. */
bool wm_clue_is_here(const struct wm_clue *c);
/* Whether the phase waits for the pod `suspect` and, once Velero has put its data in place, still does. */
bool wm_clue_pod_holds(const struct wm_clue *c, const struct wm_suspect *suspect);
/* Whether a pod that holds the phase up stands on the clue's claim or node. */
bool wm_clue_is_stood_on(const struct wm_clue *c);
/* The phase's start, or what is known of it. */
int64_t wm_clue_phase_s(const struct wm_clue *c);
/* Whether kubectl scale stops it; of a pod's `workload`. */
bool wm_is_scaled(const char *workload);
/* The signal of the clue: the Event, told by `e`; since when it happens, but not from before `from_s`. */
void wm_clue_tell(struct wm_clue *c, const struct wm_record *e, int64_t from_s);

/* --- plans and clusters; causes_plan.c, causes_cluster.c --- */

/* Whether what the plan complains of now holds the migration up. */
bool wm_clue_plan_matters(const struct wm_clue *c);
/* The signal of the clue: the condition.  False without one. */
bool wm_clue_note(struct wm_clue *c, const struct wm_note *note);
/* Whether the phase works on a cluster that cannot be seen, or not all of it: that no cause is seen means
 * nothing. */
bool wm_look_is_blind(const struct wm_look *look);

/* --- VMMigrations; causes_vm_clues.c --- */

/* Every phase of a VMMigration that waits for something. */
#define WM_VM_WAITS                                                                                          \
    (WM_WAITS_FOR(VM_WORKER) | WM_WAITS_FOR(VM_PROVIDERS) | WM_WAITS_FOR(VM_SNAPSHOT) |                      \
     WM_WAITS_FOR(VM_EXPORT) | WM_WAITS_FOR(VM_IMPORT) | WM_WAITS_FOR(VM_TARGET))
#define WM_VM_COPIES (WM_WAITS_FOR(VM_EXPORT) | WM_WAITS_FOR(VM_IMPORT))

/* How to look at VirtRigaud's manager: labels of its chart, and the namespace that its documents name. */
#define WM_VM_MANAGER_PODS                                                                                   \
    "kubectl --context {cluster} get pods -A -l "                                                            \
    "app.kubernetes.io/name=virtrigaud,app.kubernetes.io/component=manager"
#define WM_VM_MANAGER_LOG                                                                                    \
    "kubectl --context {cluster} -n virtrigaud-system logs -l app.kubernetes.io/component=manager "          \
    "--since=30m"

/* Whether a row that is about MigMigrations, too, is asked about a VMMigration. */
bool wm_clue_is_of_vm(const struct wm_clue *c);
/* All that could be there is known: what is not known is not there. */
bool wm_clue_sees_all(const struct wm_clue *c);
/* Whether its providers must mount its PVC before it goes on; after a failure, whether it failed of that. */
bool wm_clue_awaits_mount(const struct wm_clue *c);
/* Whether that PVC is the one. */
bool wm_clue_awaits_claim(const struct wm_clue *c, const struct wm_record *claim);
/* When it began to wait so: a retry finds its PVC old. */
int64_t wm_clue_mount_wait_s(const struct wm_clue *c);
/* Whether as many others copy as VirtRigaud has workers. */
bool wm_clue_workers_are_busy(const struct wm_clue *c);
/* Whether the Deployment is that of its source or its target, and the phase cannot do without it. */
bool wm_clue_needs_server(const struct wm_clue *c, const struct wm_record *server);
/* Whether it is that of neither. */
bool wm_clue_is_bystander(const struct wm_clue *c, const struct wm_record *server);
/* Of a provider's pod; see wm_clue_pod_holds. */
bool wm_clue_provider_pod_holds(const struct wm_clue *c, const struct wm_suspect *pod);
/* A PVC in the namespace of `beside` whose name makes no volume: it keeps every provider's Deployment from
 * being changed; NULL = there is none. */
const struct wm_record *wm_clue_unmountable(const struct wm_clue *c, const struct wm_record *beside);
/* What hinders a pod, in its own words, or those of an Event; "" = nothing is known. */
const char *wm_clue_pod_reason(const struct wm_clue *c, const struct wm_record *pod);

#endif
