/* The kinds that the aggregator follows, and what it keeps of an object: one table.  Pure. */
#ifndef WAYMARK_KINDS_H
#define WAYMARK_KINDS_H

#include "waymark/object.h"

enum wm_kind {
    WM_KIND_NONE,
    WM_KIND_MIGPLAN,
    WM_KIND_MIGMIGRATION,
    WM_KIND_MIGCLUSTER,
    WM_KIND_MIGSTORAGE,
    WM_KIND_MIGHOOK,
    WM_KIND_DVM,
    WM_KIND_DVMP,
    WM_KIND_DIM,
    WM_KIND_DISM,
    WM_KIND_BACKUP,
    WM_KIND_RESTORE,
    WM_KIND_PVB,
    WM_KIND_PVR,
    WM_KIND_DATAUPLOAD,
    WM_KIND_DATADOWNLOAD,
    WM_KIND_BSL,
    WM_KIND_DEPLOYMENT,
    WM_KIND_DAEMONSET,
    WM_KIND_POD,
    WM_KIND_PVC,
    WM_KIND_JOB,
    WM_KIND_VMMIGRATION,
    WM_KIND_PROVIDER,
    WM_KIND_MACHINE,
    WM_KIND_REPLICASET,
    WM_KIND_EVIDENCE, /* from here on: what is about a migration's objects, and never of its tree */
    WM_KIND_EVENT = WM_KIND_EVIDENCE,
    WM_KIND_NODE,
    WM_KIND_STORAGECLASS,
    WM_KIND_ATTACHMENT,
    WM_KIND_ENDPOINTSLICE,
    WM_KIND_COUNT
};

/* On which clusters a kind is watched. */
enum wm_where { WM_ON_HOST = 1, WM_ON_REMOTE = 2, WM_EVERYWHERE = 3 };

/* And where on a cluster. */
enum wm_scope {
    WM_IN_OPERATORS = 1,  /* the namespace of the operators */
    WM_IN_APPS = 2,       /* the applications' namespaces of unfinished migrations */
    WM_CLUSTER_WIDE = 4,  /* it is of no namespace; on the clusters of unfinished migrations */
    WM_IN_ALL = 8,        /* all namespaces, by one watch, always */
    WM_IN_PROVIDERS = 16, /* the namespaces of VirtRigaud's Providers and VMMigrations */
};

/* How an object says whose it is, tried in this order until one is there. */
enum wm_parent_by {
    WM_BY_NOTHING,
    WM_BY_OWNER,     /* ownerReference: the controlling one, else the first of `parent_kind` */
    WM_BY_LABEL,     /* a label whose value is the parent's uid */
    WM_BY_REGARDING, /* involvedObject.uid: what an Event is about */
};
struct wm_parent_way {
    enum wm_parent_by by;
    const char *what; /* kind of the owner, NULL = any; key of the label */
};
#define WM_PARENT_WAYS 3

/* Members that are kept, as pointers below the object ("/status/phase"); NULL = the kind has none. */
struct wm_kind_fields {
    const char *phase, *message, *started, *completed, *done, *total, *node;
};

struct wm_kind_info {
    const char *group, *version, *resource, *kind;
    enum wm_where where;
    unsigned scopes; /* of enum wm_scope */
    struct wm_parent_way parent[WM_PARENT_WAYS];
    struct wm_kind_fields fields;
    const char *older; /* version for API servers that do not know `version` yet; NULL = they all do */
};
extern const struct wm_kind_info wm_kinds[WM_KIND_COUNT];

#endif
