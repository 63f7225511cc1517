/* What is kept of objects so that a cause can be named: why a pod does not run, why a volume does not come,
 * what Kubernetes said about them.  Pure.
 *
 * All texts are one line, cut at a whole character, and never NULL ("" = not told).  They and the states that
 * hold them belong to the model and are gone with its next change. */
#ifndef WAYMARK_EVIDENCE_H
#define WAYMARK_EVIDENCE_H

#include "waymark/model.h"

/* --- Event: wm_model_children(m, id) of an object's id brings the Events about it, on any cluster --- */

struct wm_event_state {
    uint64_t digest; /* of all of it */
    bool warning;
    int count;               /* how often it happened; at least 1 */
    int64_t first_s, last_s; /* Unix time; last_s is never before first_s; 0 = not told */
    const char *reason;      /* "FailedAttachVolume" */
    const char *message;     /* at most 512 bytes */
    const char *kind;        /* of the object that it is about */
    const char *namespace_;  /* "" = that object is of no namespace */
    const char *name;        /* of that object */
    const char *component;   /* who says so: "kubelet", "attachdetach-controller", ... */
};

/* --- Pod --- */

enum wm_container_now {
    WM_CONTAINER_UNKNOWN,
    WM_CONTAINER_WAITING,
    WM_CONTAINER_RUNNING,
    WM_CONTAINER_TERMINATED
};

/* Of a pod that is not ready and has not succeeded, that is being deleted, or that is of a component. */
struct wm_pod_trouble {
    int64_t going_s;            /* deletionTimestamp: when its time to end in peace is over; 0 = it stays */
    const char *reason;         /* of the pod: "Evicted", "NodeLost", "DeletionByTaintManager" */
    const char *reason_message; /* what the condition says that tells it; the pod's own is the record's */
    const char *owner_kind, *owner; /* the controlling one, else the first */
    int64_t unscheduled_s;          /* since when no node is found for it; 0 = not so, or not told */
    const char *unscheduled;        /* reason of that: "Unschedulable"; "" = it has a node */
    const char *unscheduled_message;

    /* The container that it hangs on, in this order: one that waits or ended for a reason of its own
     * ("ImagePullBackOff", "Error"); the first init container that has not ended; the first container that is
     * not ready; and of a component's pods, when all is well, the first.  `container` "" = there is none. */
    const char *container, *image;
    bool is_init;
    int index;                 /* among the init containers, or among the others */
    int init_done, init_total; /* kubectl's Init:0/1 */
    enum wm_container_now now;
    const char *state_reason, *state_message; /* "CrashLoopBackOff", "PodInitializing", "OOMKilled" */
    int exit_code;                            /* when TERMINATED; -1 = it is not */
    int64_t state_s;                          /* started, or ended; 0 = not told: a wait has no time */
    int restarts;
    /* How it ended the last time; "" = it never did. */
    const char *last_reason, *last_message;
    int last_exit_code;
    int64_t last_s;
};

/* PROVIDER: a pod of one of VirtRigaud's Providers. */
enum wm_component { WM_COMPONENT_OTHER, WM_COMPONENT_VELERO, WM_COMPONENT_NODE_AGENT, WM_COMPONENT_PROVIDER };
enum { WM_CLAIMS_MAX = 8 };

struct wm_pod_state {
    uint64_t digest;
    bool is_stage_pod;       /* labelled as one: made for it, or one of the application's own that serves */
    bool is_application_pod; /* of those, one that serves: it stays when the migration is over */
    bool is_registry, ready;
    bool waits_for_data;     /* an init container of Velero's holds it until its volumes have been restored */
    bool is_velero_instance; /* labelled so: where mig-controller looks for the credentials */
    uint8_t component;       /* enum wm_component */
    uint8_t n_claims;        /* those beyond the maximum are left out */
    int restarts;            /* of all its containers */
    int grace_s;             /* deletionGracePeriodSeconds; 0 = it stays, or not told */
    int64_t ready_s;         /* since when it is ready, or is not; 0 = not told */
    const char *template_;   /* label pod-template-hash: of which ReplicaSet it is; "" = of none */
    const char *workload;    /* what makes it, as kubectl takes it: "deployment/nginx"; "" = nothing does */
    const char *claims;      /* names of the PVCs that it mounts, one behind the other; see wm_pod_claim */
    const struct wm_pod_trouble *trouble; /* NULL = nothing hinders it */
};
/* The i-th PVC that it mounts, of its own namespace; "" = there is none. */
const char *wm_pod_claim(const struct wm_pod_state *pod, int i);
bool wm_pod_mounts(const struct wm_pod_state *pod, const char *claim);

/* --- volumes --- */

enum wm_access_mode { WM_ACCESS_RWO = 1, WM_ACCESS_ROX = 2, WM_ACCESS_RWX = 4, WM_ACCESS_RWOP = 8 };

/* PersistentVolumeClaim.  Its phase is the record's. */
struct wm_claim_state {
    uint64_t digest;
    unsigned access_modes;     /* of enum wm_access_mode */
    bool class_set;            /* false: no class is asked for, and the default one is taken */
    bool in_use_protected;     /* it cannot go while a pod uses it: finalizer kubernetes.io/pvc-protection */
    bool vm_storage;           /* of VirtRigaud's migrations, by the label that its providers look for */
    bool restored;             /* bears Velero's label of a restore */
    int64_t requested;         /* bytes; -1 = not told */
    int64_t going_s;           /* deletionTimestamp; 0 = it stays */
    const char *storage_class; /* "" with class_set: none, it waits for a volume made by hand */
    const char *volume;        /* name of the PersistentVolume */
    const char *node;          /* that the scheduler chose for it (WaitForFirstConsumer) */
    const char *vm_migration;  /* VirtRigaud's VMMigration that it was made for */
};

/* StorageClass. */
struct wm_class_state {
    uint64_t digest;
    bool waits_for_consumer; /* volumeBindingMode WaitForFirstConsumer: Pending is well until a pod comes */
    bool is_default;
    const char *provisioner;
};

/* VolumeAttachment. */
struct wm_attachment_state {
    uint64_t digest;
    bool attached;
    int64_t error_s, going_s;             /* 0 = none; it stays */
    const char *attacher, *node, *volume; /* volume: name of the PersistentVolume */
    const char *error;                    /* of attaching, else of detaching; "" = none */
};

/* --- what Velero copies --- */

/* PodVolumeBackup, PodVolumeRestore, DataUpload, DataDownload: of those that are not complete; there are
 * thousands that are. */
struct wm_volume_state {
    uint64_t digest;
    struct wm_id pod;          /* whose volume it is; none of DataUpload and DataDownload */
    int64_t accepted_s;        /* when a node took it up (Velero 1.17); 0 = not told */
    const char *pod_namespace; /* of DataUpload, DataDownload: the claim's */
    const char *pod_name;      /* "" = of DataUpload, DataDownload */
    const char *volume;        /* name of the pod's volume, or of the claim */
    const char *uploader;      /* "restic", "kopia"; "" = not told */
};

/* A pod template, as far as VirtRigaud's rollouts are about it.  Its controller puts every migration's PVC
 * into every provider's template as a volume "migration-<claim>", mounted as such (virtrigaud
 * internal/controller/provider_controller.go). */
enum { WM_TEMPLATE_CLAIMS_MAX = 16 };
struct wm_template {
    uint64_t rest;      /* digest of all that is not such a volume; what a ReplicaSet adds is not in it */
    uint8_t n_claims;   /* those beyond the maximum are left out */
    const char *claims; /* names of these PVCs in the template's order, one behind the other */
    const char *image;  /* of the first container */
};
/* The i-th of them; "" = there is none. */
const char *wm_template_claim(const struct wm_template *t, int i);

/* Deployment. */
struct wm_server_state {
    uint64_t digest;
    bool available_known, available; /* its condition Available */
    bool late;                       /* Progressing False: ProgressDeadlineExceeded */
    bool failing;                    /* ReplicaFailure: no pod can be made */
    bool recreates;                  /* strategy Recreate */
    int revision;                    /* annotation deployment.kubernetes.io/revision; 0 = none yet */
    int deadline_s;                  /* spec.progressDeadlineSeconds; 600 where that is not set */
    int64_t generation, observed;
    int wanted, replicas, updated, available_n; /* wanted: spec.replicas, 1 where that is not set */
    int64_t available_s, progress_s, failing_s; /* since when each is what it is; 0 = not told */
    const char *reason, *message;               /* of Available */
    const char *progress;                       /* reason of Progressing: "ReplicaSetUpdated", ... */
    const char *failure;                        /* message of ReplicaFailure; "" = none */
    const char *provider;                       /* the VirtRigaud Provider that it serves; "" = none */
    struct wm_template template_;
};
/* All its pods are of the current template and serve (kubectl rollout status asks the same). */
bool wm_server_is_rolled_out(const struct wm_server_state *s);

/* ReplicaSet. */
struct wm_replicas_state {
    uint64_t digest;
    int revision, wanted, replicas;
    int64_t failing_s; /* ReplicaFailure since; 0 = not told */
    bool failing;
    const char *hash;    /* label pod-template-hash */
    const char *failure; /* message of ReplicaFailure; "" = none */
    struct wm_template template_;
};

/* EndpointSlice: to which pods a Service leads, on the way that its callers take. */
enum { WM_SLICE_PODS_MAX = 8 };
struct wm_slice_state {
    uint64_t digest;
    int64_t changed_s;                    /* when it became what it is; 0 = not told */
    int ready;                            /* endpoints that are called: ready, and not about to end */
    const char *service;                  /* "" = of none */
    struct wm_id pods[WM_SLICE_PODS_MAX]; /* of these the first; not set: it is no pod */
};

/* --- Node --- */

struct wm_node_state {
    uint64_t digest;
    bool ready;         /* status True; neither ready nor `ready_known` false = its kubelet says it is not */
    bool ready_known;   /* false: its kubelet is not heard of (status Unknown, or none) */
    bool unschedulable; /* cordoned */
    bool unreachable;   /* taint node.kubernetes.io/unreachable or not-ready */
    int64_t ready_s;    /* since when the condition Ready is what it is; 0 = not told */
    const char *reason, *message; /* of the condition Ready */
    const char *taints; /* "key=value:NoExecute, key:NoSchedule", those with PreferNoSchedule left out */
};

/* Of records of that kind; never NULL for them. */
const struct wm_event_state *wm_event_of(const struct wm_record *r);
const struct wm_pod_state *wm_pod_of(const struct wm_record *r);
const struct wm_claim_state *wm_claim_of(const struct wm_record *r);
const struct wm_class_state *wm_class_of(const struct wm_record *r);
const struct wm_attachment_state *wm_attachment_of(const struct wm_record *r);
const struct wm_node_state *wm_node_of(const struct wm_record *r);
const struct wm_volume_state *wm_volume_of(const struct wm_record *r);
const struct wm_server_state *wm_server_of(const struct wm_record *r);
const struct wm_replicas_state *wm_replicas_of(const struct wm_record *r);
const struct wm_slice_state *wm_slice_of(const struct wm_record *r);

/* Whether an Event can help to name a cause: false for those about kinds that play no part in a migration,
 * for what went well ("Pulled", "Scheduled"), and for our own. */
bool wm_event_matters(struct wm_str object);

#endif
