/* Which labels an object must bear, and where they come from.  Pure.
 *
 * The table in labels.c is the label table of the README.  Labels are derived from references,
 * ownerReferences and parents, never invented; nothing but the keys of `struct wm_label_conf` is ever
 * written. */
#ifndef WAYMARK_LABELS_H
#define WAYMARK_LABELS_H

#include "waymark/object.h"

#define WM_LABEL_ALIASES_MAX 4

/* Which keys are written.  Strings are borrowed and outlive the use. */
struct wm_label_conf {
    const char *plan;                               /* migration.openshift.io/migplan-name */
    const char *plan_aliases[WM_LABEL_ALIASES_MAX]; /* further keys of the plan, on MigMigrations only */
    const char *migration;                          /* migration.openshift.io/migmigration-name */
    const char *uid;                                /* migration.openshift.io/migmigration-uid */
    const char *source_provider, *target_provider;  /* waymark.io/source-provider, .../target-provider */
    /* Full names longer than a label may be. */
    const char *plan_annotation, *migration_annotation;
    const char *source_provider_annotation, *target_provider_annotation;
};
extern const struct wm_label_conf wm_label_conf_default;

/* WM_E_INVALID when a key is malformed, given twice, or one that mig-controller, Velero or VirtRigaud
 * acts upon: such a label could make a plan's closing delete an object, or a rollback, hide a Restore's
 * progress, or have every Provider mount a PVC (mig-controller pkg/controller/migplan,
 * migmigration/rollback.go; velero pkg/podvolume/restorer.go; virtrigaud
 * internal/controller/provider_controller.go). */
int wm_label_conf_check(const struct wm_label_conf *conf, struct wm_error *err);

/* How an existing different value is treated: in REPLACE rows the reference is the authority, in FILL rows
 * whoever wrote first (mig-controller, or Velero's sync from the source cluster). */
enum wm_label_policy { WM_REPLACE, WM_FILL };

/* Where a kind's labels come from. */
enum wm_label_source {
    WM_FROM_SPEC,    /* spec.migPlanRef.name and the own name */
    WM_FROM_LABELS,  /* own labels; what lacks, from the MigMigration whose uid they tell */
    WM_FROM_OWNER,   /* the owner of kind `parent`, by ownerReference */
    WM_FROM_UID_KEY, /* the `parent` whose uid stands in the label `uid_key` */
    WM_FROM_VM_SPEC, /* spec.metadata.project, the providers of spec, and the own name */
};

struct wm_label_rule {
    const char *group, *kind, *resource;
    enum wm_label_source source;
    enum wm_parent_kind parent;
    enum wm_label_policy policy;
    const char *uid_key; /* of WM_FROM_UID_KEY */
    const char
        *name_key; /* label with the migration's name, for when the owner does not tell it; NULL = none */
    const char *guard_key[2],
        *guard_val[2]; /* labels that the object must bear to be a migration's (val NULL = any) */
    const char *from;  /* for people: the README's column */
};
const struct wm_label_rule *wm_label_rules(size_t *ret_n);
const struct wm_label_rule *wm_label_rule_of(struct wm_json_span group, struct wm_json_span kind);

/* --- parents --- */

enum wm_found {
    WM_FOUND,
    WM_FOUND_NOT,  /* there is no such object: known for certain */
    WM_FOUND_MISS, /* not in the store; it may exist */
};
/* Looks `ref` up; on WM_FOUND fills *ret.  Must check the uid when ref has one. */
typedef enum wm_found wm_find_fn(void *ctx, const struct wm_ref *ref, struct wm_parent *ret);

/* What is to be kept of a parent of kind `kind`.  WM_E_INVALID when it has no name or uid. */
int wm_parent_of(const struct wm_label_conf *conf, enum wm_parent_kind kind, const struct wm_object *object,
                 struct wm_parent *ret, struct wm_error *err);
/* The same of its JSON: the whole of it, or its PartialObjectMetadata. */
int wm_parent_project(const struct wm_label_conf *conf, enum wm_parent_kind kind, struct wm_str object,
                      struct wm_parent *ret, struct wm_error *err);

/* --- derivation --- */

enum wm_outcome {
    WM_LABELLED,       /* labels to add or to replace */
    WM_COMPLETE,       /* everything is there already */
    WM_UNRELATED,      /* not a migration's object: left untouched */
    WM_UNKNOWN_PARENT, /* its parent is not known: what can be said without it is labelled */
    WM_UNSAFE_NAME,    /* a name that no label can bear */
    WM_NOT_OURS,       /* a kind, operation or subresource without a rule */
    WM_OUTCOME_COUNT
};
const char *
wm_outcome_name(enum wm_outcome o); /* "labelled", "complete", ...: log, metrics, audit annotation */

struct wm_derivation {
    enum wm_outcome
        outcome; /* LABELLED stands for "known"; the patch decides between LABELLED and COMPLETE */
    struct wm_identity identity;
    struct wm_ref missing; /* of UNKNOWN_PARENT: which parent would help */
};

/* Whose is `object`, of the kind of `rule`, in `namespace_`?  Asks `find` for at most four parents. */
void wm_derive(const struct wm_label_conf *conf, const struct wm_label_rule *rule,
               const struct wm_object *object, const char *namespace_, wm_find_fn *find, void *ctx,
               struct wm_derivation *ret);

/* Appends the JSON Patch (RFC 6902) that gives `object` the labels of `d`, and nothing when it wants none.
 * Every operation is applicable by construction.  Sets d->outcome to LABELLED, COMPLETE or UNSAFE_NAME where
 * the outcome was LABELLED.  Returns the number of operations. */
size_t wm_label_patch(const struct wm_label_conf *conf, const struct wm_label_rule *rule,
                      const struct wm_object *object, struct wm_derivation *d, struct wm_buf *out);

#endif
