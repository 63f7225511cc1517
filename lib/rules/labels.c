#include "waymark/labels.h"

#include <stdio.h>

#define MTC "migration.openshift.io"

/* Keys that mig-controller writes and that carry a migration's uid (mig-controller
 * pkg/apis/migration/v1alpha1/ labels.go, CorrelationLabel: the lower-cased kind, with the uid as value). */
static const char CORRELATION[] = "migmigration";
static const char PART_OF[] = "app.kubernetes.io/part-of", PART_OF_MTC[] = "openshift-migration";

static const char *const outcome_names[WM_OUTCOME_COUNT] = {
    [WM_LABELLED] = "labelled",       [WM_COMPLETE] = "complete",
    [WM_UNRELATED] = "unrelated",     [WM_UNKNOWN_PARENT] = "unknown-parent",
    [WM_UNSAFE_NAME] = "unsafe-name", [WM_NOT_OURS] = "not-ours",
};

const char *wm_outcome_name(enum wm_outcome o)
{
    return outcome_names[o];
}

#define COPY(span, array) wm_span_copy((span), (array), sizeof(array))

/* The full name from our annotation, else what the label has. */
static void own_name(struct wm_json_span annotation, struct wm_json_span label, wm_name ret)
{
    if (!wm_span_copy(annotation, ret, sizeof(wm_name)))
        wm_span_copy(label, ret, sizeof(wm_name));
}

/* What an object says of itself. */
static void own_identity(const struct wm_label_conf *conf, const struct wm_object *o, struct wm_identity *ret)
{
    const struct wm_str keys[] = {wm_str_of(conf->plan),
                                  wm_str_of(conf->migration),
                                  wm_str_of(conf->source_provider),
                                  wm_str_of(conf->target_provider),
                                  wm_str_of(CORRELATION),
                                  wm_str_of(conf->uid)};
    const struct wm_str notes[] = {wm_str_of(conf->plan_annotation), wm_str_of(conf->migration_annotation),
                                   wm_str_of(conf->source_provider_annotation),
                                   wm_str_of(conf->target_provider_annotation)};
    struct wm_json_span label[6], note[4];

    wm_members(o->at[WM_O_LABELS], 6, keys, label);
    wm_members(o->at[WM_O_ANNOTATIONS], 4, notes, note);
    own_name(note[0], label[0], ret->plan);
    own_name(note[1], label[1], ret->migration);
    own_name(note[2], label[2], ret->source_provider);
    own_name(note[3], label[3], ret->target_provider);
    if (!COPY(label[4], ret->uid))
        COPY(label[5], ret->uid);
}

/* The ownerReference of `kind` (a group and a kind name): the controller's if one is, else the first. */
static bool find_owner(const struct wm_object *object, const char *group, const char *kind, wm_name ret_name,
                       wm_uid ret_uid)
{
    struct wm_owner o = object->owner ? *object->owner : wm_owner_first(object->at[WM_O_OWNERS]);
    bool found = false;

    for (; o.is_there; wm_owner_next(&o)) {
        if (o.twice || !wm_json_span_is(o.at[WM_OWNER_KIND], kind) ||
            !wm_span_in_group(o.at[WM_OWNER_VERSION], group))
            continue;
        if (found && o.at[WM_OWNER_CONTROLLER].kind != WM_JSON_TRUE)
            continue;
        wm_name name;
        wm_uid uid;

        if (!COPY(o.at[WM_OWNER_NAME], name) || !COPY(o.at[WM_OWNER_UID], uid))
            continue;
        memcpy(ret_name, name, sizeof name);
        memcpy(ret_uid, uid, sizeof uid);
        found = true;
    }
    return found;
}

static void owner_ref(const struct wm_object *o, enum wm_parent_kind kind, const char *namespace_,
                      struct wm_ref *ret)
{
    const struct wm_parent_resource *r = &wm_parent_resources[kind];

    ret->kind = WM_PARENT_NONE;
    if (!find_owner(o, r->group, r->kind, ret->name, ret->uid))
        return;
    ret->kind = kind;
    wm_line_copy(ret->namespace_, sizeof ret->namespace_, wm_str_of(namespace_));
}

/* An identity is over 1 KB: it is not cleared as a whole for every object. */
static void forget(struct wm_identity *id)
{
    id->plan[0] = id->migration[0] = id->uid[0] = id->source_provider[0] = id->target_provider[0] = '\0';
}

static void fill(wm_name to, const wm_name from)
{
    if (!to[0] && from[0])
        memcpy(to, from, sizeof(wm_name));
}

/* Fills what is still unknown in `to`. */
static void merge(struct wm_identity *to, const struct wm_identity *from)
{
    fill(to->plan, from->plan);
    fill(to->migration, from->migration);
    fill(to->source_provider, from->source_provider);
    fill(to->target_provider, from->target_provider);
    if (!to->uid[0])
        memcpy(to->uid, from->uid, sizeof to->uid);
}

static bool has_names(const struct wm_identity *id)
{
    return id->plan[0] && id->migration[0];
}

/* Follows references upwards from `ref` until both names and the uid are known.  Four hops are more than any
 * chain has: progress, volume migration, migration. */
static void resolve(struct wm_ref *ref, wm_find_fn *find, void *ctx, struct wm_derivation *d)
{
    struct wm_parent parent;

    for (int hop = 0; hop < 4 && ref->kind != WM_PARENT_NONE; hop++) {
        enum wm_found found = find(ctx, ref, &parent);

        if (found != WM_FOUND) {
            if (!has_names(&d->identity)) {
                d->outcome = WM_UNKNOWN_PARENT;
                if (found == WM_FOUND_MISS)
                    d->missing = *ref;
            }
            return;
        }
        merge(&d->identity, &parent.identity);
        if (has_names(&d->identity) && d->identity.uid[0])
            return;
        *ref = parent.up;
    }
}

static bool is_uid(const char *z)
{
    return z[0] && wm_label_value_ok(wm_str_of(z));
}

/* Backup and Restore.  The uid alone is believed when mig-controller signed the object (part-of, or its name
 * labels), or when such a MigMigration exists: anybody may call a label "migmigration". */
static void derive_from_labels(const struct wm_label_conf *conf, const struct wm_object *o, wm_find_fn *find,
                               void *ctx, struct wm_derivation *d)
{
    own_identity(conf, o, &d->identity);
    bool named = d->identity.plan[0] || d->identity.migration[0];
    bool is_part = wm_json_span_is(wm_member(o->at[WM_O_LABELS], PART_OF), PART_OF_MTC);

    if (!is_uid(d->identity.uid))
        d->identity.uid[0] = '\0';
    if (d->identity.uid[0] && !has_names(&d->identity)) {
        struct wm_ref ref = {.kind = WM_PARENT_MIGMIGRATION};

        memcpy(ref.uid, d->identity.uid, sizeof ref.uid);
        resolve(&ref, find, ctx, d);
    }
    if (named || is_part || has_names(&d->identity))
        return;
    forget(&d->identity);
    if (d->missing.kind == WM_PARENT_NONE)
        d->outcome = WM_UNRELATED;
}

static bool passes_guard(const struct wm_label_rule *rule, struct wm_json_span labels)
{
    for (size_t i = 0; i < 2 && rule->guard_key[i]; i++) {
        struct wm_json_span v = wm_member(labels, rule->guard_key[i]);

        if (v.kind != WM_JSON_STRING || (rule->guard_val[i] && !wm_json_span_is(v, rule->guard_val[i])))
            return false;
    }
    return true;
}

static void derive_from_owner(const struct wm_label_rule *rule, const struct wm_object *o,
                              const char *namespace_, wm_find_fn *find, void *ctx, struct wm_derivation *d)
{
    struct wm_ref ref;

    if (!passes_guard(rule, o->at[WM_O_LABELS]))
        return;
    owner_ref(o, rule->parent, namespace_, &ref);
    resolve(&ref, find, ctx, d);
    if (rule->name_key && !d->identity.migration[0])
        COPY(wm_member(o->at[WM_O_LABELS], rule->name_key), d->identity.migration);
}

static void derive_from_vm_spec(const struct wm_object *o, struct wm_identity *ret)
{
    COPY(o->at[WM_O_PROJECT], ret->plan);
    COPY(o->at[WM_O_NAME], ret->migration);
    COPY(o->at[WM_O_SOURCE_PROVIDER], ret->source_provider);
    COPY(o->at[WM_O_TARGET_PROVIDER], ret->target_provider);
}

static void derive_from_uid_key(const struct wm_label_rule *rule, const struct wm_object *o, wm_find_fn *find,
                                void *ctx, struct wm_derivation *d)
{
    struct wm_ref ref = {.kind = rule->parent};
    wm_uid uid;

    if (!passes_guard(rule, o->at[WM_O_LABELS]) || !COPY(wm_member(o->at[WM_O_LABELS], rule->uid_key), uid) ||
        !is_uid(uid))
        return;
    memcpy(ref.uid, uid, sizeof ref.uid);
    resolve(&ref, find, ctx, d);
    /* On a cluster without MigMigrations the label still says whose hook this is. */
    if (rule->parent == WM_PARENT_MIGMIGRATION && !d->identity.uid[0])
        memcpy(d->identity.uid, uid, sizeof uid);
}

static bool is_anyones(const struct wm_identity *id)
{
    return id->plan[0] || id->migration[0] || id->uid[0] || id->source_provider[0] || id->target_provider[0];
}

void wm_derive(const struct wm_label_conf *conf, const struct wm_label_rule *rule, const struct wm_object *o,
               const char *namespace_, wm_find_fn *find, void *ctx, struct wm_derivation *ret)
{
    ret->outcome = WM_LABELLED;
    forget(&ret->identity);
    ret->missing.kind = WM_PARENT_NONE;
    switch (rule->source) {
    case WM_FROM_SPEC:
        COPY(o->at[WM_O_PLAN_REF], ret->identity.plan);
        COPY(o->at[WM_O_NAME], ret->identity.migration);
        break;
    case WM_FROM_LABELS:
        derive_from_labels(conf, o, find, ctx, ret);
        break;
    case WM_FROM_OWNER:
        derive_from_owner(rule, o, namespace_, find, ctx, ret);
        break;
    case WM_FROM_VM_SPEC:
        derive_from_vm_spec(o, &ret->identity);
        break;
    case WM_FROM_UID_KEY:
        derive_from_uid_key(rule, o, find, ctx, ret);
        break;
    }
    if (ret->outcome == WM_LABELLED && !is_anyones(&ret->identity))
        ret->outcome = WM_UNRELATED;
}

/* --- parents --- */

static void project_migration(const struct wm_object *o, struct wm_parent *p)
{
    wm_name plan;
    wm_uid uid;

    /* spec is the authority where the whole object is known; the label and the plan's ownerReference follow
     * it. */
    if (COPY(o->at[WM_O_PLAN_REF], plan) ||
        (!p->identity.plan[0] && find_owner(o, MTC, "MigPlan", plan, uid)))
        memcpy(p->identity.plan, plan, sizeof plan);
    memcpy(p->identity.migration, p->name, sizeof p->name);
    memcpy(p->identity.uid, p->uid, sizeof p->uid);
}

/* The same of a VMMigration: what spec says wins over the labels, which are all that metadata have. */
static void project_vm(const struct wm_object *o, struct wm_parent *p)
{
    struct wm_identity said = {0};

    derive_from_vm_spec(o, &said);
    memcpy(said.uid, p->uid, sizeof p->uid);
    merge(&said, &p->identity);
    p->identity = said;
}

int wm_parent_of(const struct wm_label_conf *conf, enum wm_parent_kind kind, const struct wm_object *o,
                 struct wm_parent *ret, struct wm_error *err)
{
    struct wm_parent p = {.kind = kind};

    if (!COPY(o->at[WM_O_NAME], p.name) || !COPY(o->at[WM_O_UID], p.uid))
        return wm_fail(err, WM_E_INVALID, "/metadata", "a %s without name or uid",
                       wm_parent_resources[kind].kind);
    COPY(o->at[WM_O_NAMESPACE], p.namespace_);
    own_identity(conf, o, &p.identity);
    if (kind == WM_PARENT_MIGMIGRATION) {
        project_migration(o, &p);
    } else if (kind == WM_PARENT_VMMIGRATION) {
        project_vm(o, &p);
    } else if (kind == WM_PARENT_DVM || kind == WM_PARENT_DIM) {
        owner_ref(o, WM_PARENT_MIGMIGRATION, p.namespace_, &p.up);
    } else if (is_uid(p.identity.uid)) {
        p.up.kind = WM_PARENT_MIGMIGRATION;
        memcpy(p.up.uid, p.identity.uid, sizeof p.up.uid);
    }
    *ret = p;
    return WM_OK;
}

int wm_parent_project(const struct wm_label_conf *conf, enum wm_parent_kind kind, struct wm_str object,
                      struct wm_parent *ret, struct wm_error *err)
{
    static const char *const pointers[] = {WM_OBJECT_POINTERS("")};
    struct wm_object o = {.owner = NULL};
    int rc = wm_json_locate(object, WM_O_COUNT, pointers, o.at, err);

    return rc < 0 ? rc : wm_parent_of(conf, kind, &o, ret, err);
}
