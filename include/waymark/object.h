/* A Kubernetes object as far as Waymark reads it: metadata and the references that a migration has.  Pure. */
#ifndef WAYMARK_OBJECT_H
#define WAYMARK_OBJECT_H

#include "waymark/json_index.h"
#include "waymark/names.h"

/* The members that are looked for, as an index into spans; `prefix` leads to the object within a larger text.
 */
enum wm_object_member {
    WM_O_SELF,
    WM_O_METADATA,
    WM_O_NAME,
    WM_O_GENERATE_NAME,
    WM_O_NAMESPACE,
    WM_O_UID,
    WM_O_LABELS,
    WM_O_ANNOTATIONS,
    WM_O_OWNERS,
    WM_O_PLAN_REF, /* spec.migPlanRef.name of a MigMigration */
    WM_O_PROJECT,  /* of a VMMigration: spec.metadata.project */
    WM_O_SOURCE_PROVIDER,
    WM_O_TARGET_PROVIDER, /* spec.source.providerRef.name, spec.target.providerRef.name */
    WM_O_COUNT
};
#define WM_OBJECT_POINTERS(prefix)                                                                           \
    prefix "", prefix "/metadata", prefix "/metadata/name", prefix "/metadata/generateName",                 \
        prefix "/metadata/namespace", prefix "/metadata/uid", prefix "/metadata/labels",                     \
        prefix "/metadata/annotations", prefix "/metadata/ownerReferences", prefix "/spec/migPlanRef/name",  \
        prefix "/spec/metadata/project", prefix "/spec/source/providerRef/name",                             \
        prefix "/spec/target/providerRef/name"

/* One of metadata.ownerReferences, and the way to those behind it:
 *     for (struct wm_owner o = wm_owner_first(owners); o.is_there; wm_owner_next(&o)) */
enum wm_owner_member {
    WM_OWNER_VERSION,
    WM_OWNER_KIND,
    WM_OWNER_NAME,
    WM_OWNER_UID,
    WM_OWNER_CONTROLLER,
    WM_OWNER_COUNT
};
#define WM_OWNER_BIT(member) (1u << (member))
struct wm_owner {
    bool is_there;
    unsigned twice; /* bits of the members that stand there twice: nobody can say which one counts */
    struct wm_json_span at[WM_OWNER_COUNT];
    struct wm_json_iter rest;
};
struct wm_owner wm_owner_first(struct wm_json_span owners);
void wm_owner_next(struct wm_owner *o);

struct wm_object {
    struct wm_json_span at[WM_O_COUNT]; /* borrowed from the text that was read */
    const struct wm_owner *owner;       /* the first one, where somebody has read it already; else NULL */
};

/* The kinds whose objects are parents of others, and so are kept. */
enum wm_parent_kind {
    WM_PARENT_NONE,
    WM_PARENT_MIGMIGRATION,
    WM_PARENT_DVM,
    WM_PARENT_DIM,
    WM_PARENT_BACKUP,
    WM_PARENT_RESTORE,
    WM_PARENT_VMMIGRATION,
    WM_PARENT_COUNT
};

struct wm_parent_resource {
    const char *group, *version, *resource, *kind;
};
/* [WM_PARENT_COUNT]; the row of WM_PARENT_NONE is empty. */
extern const struct wm_parent_resource wm_parent_resources[];

/* Fixed room: an identity is copied by value, and no input can make it grow. */
typedef char wm_name[WM_NAME_MAX + 1];
typedef char wm_uid[WM_LABEL_VALUE_MAX + 1]; /* uids are used as label values */

/* Whose an object is; "" = not known. */
struct wm_identity {
    wm_name plan, migration; /* full names; where only a label is known, its (perhaps shortened) value */
    wm_uid uid;              /* of the migration */
    wm_name source_provider, target_provider; /* VirtRigaud's; full names as above */
};

/* A reference to a parent: by namespace, name and uid, or by uid alone (name ""). */
struct wm_ref {
    enum wm_parent_kind kind; /* NONE = there is no reference */
    wm_name namespace_, name; /* namespace "" = any */
    wm_uid uid;
};

/* What is kept of a parent: who it is, whose it is, and where to ask further. */
struct wm_parent {
    enum wm_parent_kind kind;
    wm_name namespace_, name;
    wm_uid uid;
    struct wm_identity identity;
    struct wm_ref up;
};

/* Decodes a string span into `out` of `size` bytes.  False, with out "" when it is absent, not a string,
 * empty, too long, or holds a NUL. */
bool wm_span_copy(struct wm_json_span s, char *out, size_t size);

/* True for an apiVersion "group/version" of `group`; "" = the core group. */
bool wm_span_in_group(struct wm_json_span api_version, const char *group);

/* The members of an object span under `n` different keys (terminated texts, at most 32), in one pass over it:
 * ret[i] is the last one named keys[i] (the last one wins, as in Go), ABSENT when there is none.  Returns the
 * bits 1 << i of those that stand there twice. */
unsigned wm_members(struct wm_json_span object, size_t n, const struct wm_str keys[],
                    struct wm_json_span ret[]);
/* The same of a single one. */
struct wm_json_span wm_member(struct wm_json_span object, const char *key);

/* The condition of `type` in status.conditions whose status is True (mig-controller's HasCondition); absent
 * when there is none. */
struct wm_json_value wm_condition(struct wm_json_value status, const char *type);
static inline bool wm_condition_is_true(struct wm_json_value status, const char *type)
{
    return wm_condition(status, type).node != 0;
}

#endif
