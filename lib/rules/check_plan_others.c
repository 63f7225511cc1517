/* A MigPlan among others: its clusters, other plans, its migrations. */
#include <stdlib.h>

#include "plan_impl.h"

/* --- within one cluster --- */

/* Two MigClusters are one cluster when both are the host, or both have one URL. */
static bool is_one_cluster(struct wm_check *c, enum wm_plan_row row)
{
    struct wm_json_value source = {0}, target = {0};
    struct wm_target s, t;

    if (wm_plan_has_one_cluster(c))
        return true;
    if (!wm_target_of(wm_spec(c, "srcMigClusterRef"), &s) ||
        !wm_target_of(wm_spec(c, "destMigClusterRef"), &t))
        return false;
    enum wm_fact_state found_s = wm_plan_ask(c, &row, 1, WM_MIGCLUSTERS, &s, &source),
                       found_t = wm_plan_ask(c, &row, 1, WM_MIGCLUSTERS, &t, &target);

    if (found_s != WM_FACT_FOUND || found_t != WM_FACT_FOUND)
        return false;
    source = wm_json_get(source, "spec");
    target = wm_json_get(target, "spec");
    if (wm_is_true(source, "isHostCluster") && wm_is_true(target, "isHostCluster"))
        return true;
    return wm_is_set(source, "url") && wm_json_same(wm_json_get(source, "url"), wm_json_get(target, "url"));
}

/* The first namespace that keeps its name, and the first that gets another. */
struct kept_and_mapped {
    struct wm_json_value kept;
    size_t kept_i, mapped_i;
    bool mapped;
};

static struct kept_and_mapped first_of_both(struct wm_json_value list)
{
    struct kept_and_mapped r = {0};
    size_t i = 0;

    for (struct wm_json_value v = wm_json_first(list); v.node && !(r.mapped && r.kept.node);
         v = wm_json_after(v), i++) {
        struct wm_plan_mapping m = wm_plan_mapping_of(v);
        bool mapped = wm_plan_is_mapped(m);

        if (mapped && !r.mapped) {
            r.mapped = true;
            r.mapped_i = i;
        } else if (!mapped && m.source.p && !r.kept.node) {
            r.kept = v;
            r.kept_i = i;
        }
    }
    return r;
}

static void check_kept(struct wm_check *c, const struct kept_and_mapped *r, bool images)
{
    enum wm_plan_row row = images ? PLAN_INTRA_CLUSTER_MAPPING : PLAN_INTRA_CLUSTER;
    struct wm_plan_field field = wm_plan_field("namespaces", r->kept_i, NULL);

    if (!r->kept.node || (!images && !r->mapped) || !wm_plan_wants(c, row) || !is_one_cluster(c, row))
        return;
    if (images)
        wm_report(c, &wm_plan_rows[row], field.z, wm_json_span_of(r->kept),
                  "source and destination are one cluster, so this namespace would be restored onto itself");
    else
        wm_report(c, &wm_plan_rows[row], field.z, wm_json_span_of(r->kept),
                  "source and destination are one cluster, and this namespace keeps its name while "
                  "spec.namespaces[%zu] gets another",
                  r->mapped_i);
}

/* In the order of mig-controller's validatePossibleMigrationTypes: with an indirect mode all else is moot. */
void wm_plan_check_intra_cluster(struct wm_check *c)
{
    const enum wm_plan_row row = PLAN_INTRA_CLUSTER_INDIRECT;

    if (wm_is_true(c->s->spec, "indirectVolumeMigration")) {
        if (wm_plan_wants(c, row) && is_one_cluster(c, row))
            wm_report(c, &wm_plan_rows[row], "spec.indirectVolumeMigration", (struct wm_json_span){0},
                      "source and destination are one cluster, where volumes are only copied directly");
        return;
    }
    if (!wm_plan_wants(c, PLAN_INTRA_CLUSTER) && !wm_plan_wants(c, PLAN_INTRA_CLUSTER_MAPPING))
        return;
    struct kept_and_mapped r = first_of_both(wm_spec(c, "namespaces"));

    check_kept(c, &r, wm_is_true(c->s->spec, "indirectImageMigration"));
}

/* --- other plans --- */

static struct wm_str whole_of(struct wm_json_value item)
{
    return wm_json_plain(item);
}

/* Both ends of a plan; absent ones are "". */
struct ends {
    struct wm_target end[2];
};

static struct ends ends_of(struct wm_json_value spec)
{
    static const char *const keys[] = {"srcMigClusterRef", "destMigClusterRef"};
    struct ends r = {0};

    for (size_t i = 0; i < 2; i++)
        if (!wm_target_of(wm_json_get(spec, keys[i]), &r.end[i]))
            r.end[i].name[0] = '\0';
    return r;
}

static bool share_a_cluster(const struct ends *a, const struct ends *b)
{
    for (size_t i = 0; i < 4; i++)
        if (a->end[i / 2].name[0] && wm_same_target(&a->end[i / 2], &b->end[i % 2]))
            return true;
    return false;
}

static void check_other_plan(struct wm_check *c, struct wm_json_value other, const struct ends *ends,
                             const struct wm_plan_texts *ours)
{
    struct wm_json_value meta = wm_json_get(other, "metadata"), spec = wm_json_get(other, "spec");
    const struct wm_plan_text *common = NULL;
    struct ends theirs = ends_of(spec);
    wm_name name;

    if (!wm_span_copy(wm_get_span(meta, "name"), name, sizeof name) ||
        (!c->s->generated && strcmp(name, c->s->name) == 0) || wm_is_true(spec, "closed") ||
        wm_is_set(meta, "deletionTimestamp") || !share_a_cluster(ends, &theirs))
        return;
    for (struct wm_json_value v = wm_json_first(wm_json_get(spec, "namespaces")); v.node && !common;
         v = wm_json_after(v))
        common = wm_plan_find(ours, whole_of(v));
    if (common)
        wm_report(c, &wm_plan_rows[PLAN_CONFLICT], wm_plan_field("namespaces", common->i, NULL).z,
                  wm_json_span_of(common->item),
                  "MigPlan %s has the same namespace and a cluster in common, and is not closed", name);
}

void wm_plan_check_conflict(struct wm_check *c)
{
    struct wm_json_value list = {0};

    if (!wm_plan_wants(c, PLAN_CONFLICT) || wm_is_true(c->s->spec, "closed") ||
        wm_ask(c, &wm_plan_rows[PLAN_CONFLICT], WM_MIGPLANS, c->s->namespace_, "", &list) != WM_FACT_FOUND)
        return;
    struct wm_plan_texts ours = wm_plan_texts(wm_spec(c, "namespaces"), whole_of);
    struct ends ends = ends_of(c->s->spec);

    for (struct wm_json_value v = wm_json_first(wm_json_get(list, "items")); v.node; v = wm_json_after(v))
        check_other_plan(c, v, &ends, &ours);
    free(ours.list);
}

/* --- its migrations --- */

typedef char phase_name[64];

static bool is_running(struct wm_json_value migration, const struct wm_target *plan, wm_name name,
                       phase_name phase)
{
    struct wm_target t;

    return wm_span_copy(wm_get_span(wm_json_get(migration, "status"), "phase"), phase, sizeof(phase_name)) &&
           strcmp(phase, "Completed") != 0 &&
           wm_target_of(wm_json_get(wm_json_get(migration, "spec"), "migPlanRef"), &t) &&
           wm_same_target(&t, plan) &&
           wm_span_copy(wm_get_span(wm_json_get(migration, "metadata"), "name"), name, sizeof(wm_name));
}

static void check_running(struct wm_check *c, enum wm_plan_row row, const char *field, const char *then)
{
    struct wm_json_value list = {0};
    struct wm_target plan;
    phase_name phase;
    wm_name name;

    if (!wm_plan_wants(c, row) ||
        wm_ask(c, &wm_plan_rows[row], WM_MIGMIGRATIONS, c->s->namespace_, "", &list) != WM_FACT_FOUND)
        return;
    memcpy(plan.namespace_, c->s->namespace_, sizeof plan.namespace_);
    memcpy(plan.name, c->s->name, sizeof plan.name);
    for (struct wm_json_value v = wm_json_first(wm_json_get(list, "items")); v.node; v = wm_json_after(v))
        if (is_running(v, &plan, name, phase)) {
            wm_report(c, &wm_plan_rows[row], field, (struct wm_json_span){0},
                      "MigMigration %s of this plan is running, in phase %s, and %s", name, phase, then);
            return;
        }
}

void wm_plan_check_running(struct wm_check *c)
{
    static const struct {
        const char *key, *field;
    } parts[] = {
        {"srcMigClusterRef", "spec.srcMigClusterRef"},
        {"destMigClusterRef", "spec.destMigClusterRef"},
        {"namespaces", "spec.namespaces"},
    };
    size_t i = 0, n = sizeof parts / sizeof parts[0];

    check_running(c, PLAN_DELETE_WHILE_RUNNING, "", "would be deleted with it, half done");
    if (wm_is_true(c->s->spec, "closed"))
        check_running(c, PLAN_CLOSE_WHILE_RUNNING, "spec.closed",
                      "would lose its backups and storage locations");
    while (i < n && wm_plan_is_as_before(c, parts[i].key))
        i++;
    if (i < n)
        check_running(c, PLAN_CHANGE_WHILE_RUNNING, parts[i].field,
                      "has done part of its work with the old value");
}
