/* Whether a plan can be run by such a migration (mig-controller pkg/controller/migmigration/validation.go,
 * validatePlan and validateMigrationType). */
#include <stdlib.h>

#include "check_migration.h"

/* Asks for the plan for the sake of one rule; true when the rule is on and the plan is there. */
static bool find_plan(struct wm_check *c, enum wm_migration_rule rule, const struct wm_target *at,
                      struct wm_json_value *ret)
{
    const struct wm_rule *r = &wm_migration_rule[rule];

    return wm_wants(c, r) && wm_ask(c, r, WM_MIGPLANS, at->namespace_, at->name, ret) == WM_FACT_FOUND;
}

/* `detail` ends the clause. */
static void report(struct wm_check *c, enum wm_migration_rule rule, const char *why, struct wm_str detail)
{
    struct wm_json_span name = wm_get_span(wm_spec(c, "migPlanRef"), "name");

    wm_report(c, &wm_migration_rule[rule], "spec.migPlanRef", name, "%s" WM_STR_FMT, why, WM_STR_ARG(detail));
}

/* --- its state --- */

static void check_existence(struct wm_check *c, const struct wm_target *at)
{
    const struct wm_rule *rule = &wm_migration_rule[WM_MM_PLAN_MISSING];
    struct wm_json_value plan;

    if (wm_wants(c, rule) && wm_ask(c, rule, WM_MIGPLANS, at->namespace_, at->name, &plan) == WM_FACT_ABSENT)
        report(c, WM_MM_PLAN_MISSING, "there is no such MigPlan in namespace ", wm_str_of(at->namespace_));
}

/* The condition that keeps a plan from being ready: mig-controller's blockers are Critical or Error. */
static bool find_blocker(struct wm_json_value status, wm_name ret)
{
    for (struct wm_json_value v = wm_json_first(wm_json_get(status, "conditions")); v.node;
         v = wm_json_after(v)) {
        struct wm_json_span category = wm_get_span(v, "category");

        if ((wm_json_span_is(category, "Critical") || wm_json_span_is(category, "Error")) &&
            wm_json_span_is(wm_get_span(v, "status"), "True") &&
            wm_span_copy(wm_get_span(v, "type"), ret, WM_NAME_MAX + 1))
            return true;
    }
    return false;
}

static void check_state(struct wm_check *c, const struct wm_target *at)
{
    struct wm_json_value plan;
    wm_name blocker;

    if (find_plan(c, WM_MM_PLAN_CLOSED, at, &plan) && wm_is_true(wm_json_get(plan, "spec"), "closed"))
        report(c, WM_MM_PLAN_CLOSED, "the plan is closed", (struct wm_str){0});
    if (!find_plan(c, WM_MM_PLAN_NOT_READY, at, &plan))
        return;
    struct wm_json_value status = wm_json_get(plan, "status");

    if (wm_is_true(wm_json_get(plan, "spec"), "closed") || wm_condition_is_true(status, "Ready"))
        return;
    if (find_blocker(status, blocker))
        report(c, WM_MM_PLAN_NOT_READY, "the plan is not ready because of its condition ",
               wm_str_of(blocker));
    else
        report(c, WM_MM_PLAN_NOT_READY, "the plan is not ready yet", (struct wm_str){0});
}

/* migplan/validation.go, validatePossibleMigrationTypes: the reasons of MigrationTypeIdentified. */
static void check_lock(struct wm_check *c, const struct wm_target *at)
{
    struct wm_json_value plan;
    struct wm_migration_type t = wm_migration_type_of(c->s->spec);

    if (t.rollback || !find_plan(c, WM_MM_TYPE_LOCKED, at, &plan))
        return;
    for (struct wm_json_value v = wm_json_first(wm_json_get(wm_json_get(plan, "status"), "conditions"));
         v.node; v = wm_json_after(v)) {
        struct wm_json_span reason = wm_get_span(v, "reason");

        if (!wm_json_span_is(wm_get_span(v, "type"), "MigrationTypeIdentified") ||
            !wm_json_span_is(wm_get_span(v, "status"), "True"))
            continue;
        if (!t.state && (wm_json_span_is(reason, "StateMigrationPlan") ||
                         wm_json_span_is(reason, "StorageConversionPlan")))
            report(c, WM_MM_TYPE_LOCKED,
                   "the plan is for migrations with spec.migrateState true, and this is a ",
                   wm_str_of(t.stage ? "stage" : "final migration"));
        if (t.state && wm_json_span_is(reason, "NamespaceMigrationPlan"))
            report(c, WM_MM_TYPE_LOCKED, "the plan is for stages and final migrations, and this is a ",
                   wm_str_of("state migration"));
    }
}

/* --- its mappings --- */

/* "source:target", or one name for both. */
struct mapping {
    struct wm_str from, to;
};

static struct mapping mapping_of(struct wm_json_span s)
{
    struct wm_str text = wm_span_plain(s);
    const char *colon = text.n ? memchr(text.p, ':', text.n) : NULL;

    if (!colon)
        return (struct mapping){text, text};
    struct wm_str to = {colon + 1, text.n - (size_t)(colon - text.p) - 1};
    const char *second = memchr(to.p, ':', to.n);

    if (second)
        to.n = (size_t)(second - to.p);
    return (struct mapping){{text.p, (size_t)(colon - text.p)}, to};
}

static int compare_texts(struct wm_str a, struct wm_str b)
{
    int order = a.n && b.n ? memcmp(a.p, b.p, a.n < b.n ? a.n : b.n) : 0;

    return order ? order : (a.n > b.n) - (a.n < b.n);
}

static int compare_sources(const void *a, const void *b)
{
    return compare_texts(((const struct mapping *)a)->from, ((const struct mapping *)b)->from);
}

/* The plan's namespaces in order of their sources; the caller frees *ret. */
static size_t list_namespaces(struct wm_json_value spec, struct mapping **ret)
{
    struct wm_json_value list = wm_json_get(spec, "namespaces");
    size_t n = 0;

    *ret = wm_xcalloc(wm_json_count(list) + 1, sizeof **ret);
    for (struct wm_json_value v = wm_json_first(list); v.node; v = wm_json_after(v))
        (*ret)[n++] = mapping_of(wm_json_span_of(v));
    qsort(*ret, n, sizeof **ret, compare_sources);
    return n;
}

static const struct mapping *find_source(const struct mapping *list, size_t n, struct wm_str name)
{
    struct mapping key = {name, name};

    return bsearch(&key, list, n, sizeof *list, compare_sources);
}

/* Both ends are the same MigCluster. */
static bool is_within_one_cluster(struct wm_json_value spec)
{
    struct wm_target from, to;

    return wm_target_of(wm_json_get(spec, "srcMigClusterRef"), &from) &&
           wm_target_of(wm_json_get(spec, "destMigClusterRef"), &to) && strcmp(from.name, to.name) == 0 &&
           strcmp(from.namespace_, to.namespace_) == 0;
}

static void check_overlap(struct wm_check *c, const struct wm_target *at)
{
    struct wm_json_value plan;

    if (!wm_moves_namespaces(wm_migration_type_of(c->s->spec)) ||
        !find_plan(c, WM_MM_OVERLAPPING_NAMESPACES, at, &plan))
        return;
    struct wm_json_value spec = wm_json_get(plan, "spec");

    if (!is_within_one_cluster(spec))
        return;
    wm_auto_free struct mapping *list = NULL;
    size_t n = list_namespaces(spec, &list);

    for (size_t i = 0; i < n; i++)
        if (find_source(list, n, list[i].to)) {
            report(
                c, WM_MM_OVERLAPPING_NAMESPACES,
                "source and target are one cluster, and a target namespace is a source, too: ", list[i].to);
            return;
        }
}

static void check_pvc_names(struct wm_check *c, const struct wm_target *at)
{
    struct wm_json_value plan;

    if (!wm_moves_namespaces(wm_migration_type_of(c->s->spec)) || !find_plan(c, WM_MM_PVC_MAPPING, at, &plan))
        return;
    for (struct wm_json_value v = wm_json_first(wm_json_get(wm_json_get(plan, "spec"), "persistentVolumes"));
         v.node; v = wm_json_after(v)) {
        struct wm_json_span name = wm_get_span(wm_json_get(v, "pvc"), "name");
        struct mapping m = mapping_of(name);

        if (wm_str_eq(m.from, m.to))
            continue;
        report(c, WM_MM_PVC_MAPPING, "the plan gives a volume claim a new name: ", wm_span_plain(name));
        return;
    }
}

/* --- claims that meet --- */

struct claim {
    struct wm_str namespace_, name;
};

static int compare_claims(const void *a, const void *b)
{
    const struct claim *p = a, *q = b;
    int order = compare_texts(p->namespace_, q->namespace_);

    return order ? order : compare_texts(p->name, q->name);
}

/* Leaves each claim once, in order. */
static size_t make_set(struct claim *list, size_t n)
{
    size_t kept = 0;

    qsort(list, n, sizeof *list, compare_claims);
    for (size_t i = 0; i < n; i++)
        if (i == 0 || compare_claims(&list[i], &list[kept - 1]) != 0)
            list[kept++] = list[i];
    return kept;
}

/* The plan's claims: where they are and where they go, `room` each. */
static size_t list_claims(struct wm_json_value spec, struct claim *from, struct claim *to)
{
    wm_auto_free struct mapping *namespaces = NULL;
    size_t n_namespaces = list_namespaces(spec, &namespaces), n = 0;

    for (struct wm_json_value v = wm_json_first(wm_json_get(spec, "persistentVolumes")); v.node;
         v = wm_json_after(v), n++) {
        struct wm_json_value pvc = wm_json_get(v, "pvc");
        struct wm_str namespace_ = wm_json_plain(wm_json_get(pvc, "namespace"));
        const struct mapping *m = find_source(namespaces, n_namespaces, namespace_);
        struct mapping name = mapping_of(wm_get_span(pvc, "name"));

        from[n] = (struct claim){namespace_, name.from};
        to[n] = (struct claim){m ? m->to : (struct wm_str){0}, name.to};
    }
    return n;
}

static void report_claim(struct wm_check *c, const struct claim *claim)
{
    wm_report(c, &wm_migration_rule[WM_MM_CONFLICTING_PVC_MAPPINGS], "spec.migPlanRef",
              wm_get_span(wm_spec(c, "migPlanRef"), "name"),
              "source and target are one cluster, and target claim " WM_STR_FMT "/" WM_STR_FMT
              " is a source, too",
              WM_STR_ARG(claim->namespace_), WM_STR_ARG(claim->name));
}

static void check_claims(struct wm_check *c, const struct wm_target *at)
{
    struct wm_json_value plan;

    if (!find_plan(c, WM_MM_CONFLICTING_PVC_MAPPINGS, at, &plan))
        return;
    struct wm_json_value spec = wm_json_get(plan, "spec");

    if (!is_within_one_cluster(spec))
        return;
    size_t room = wm_json_count(wm_json_get(spec, "persistentVolumes")) + 1;
    wm_auto_free struct claim *from = wm_xcalloc(room, sizeof *from), *to = wm_xcalloc(room, sizeof *to);
    size_t n = list_claims(spec, from, to), n_from = make_set(from, n), n_to = make_set(to, n);

    for (size_t i = 0; i < n_to; i++)
        if (bsearch(&to[i], from, n_from, sizeof *from, compare_claims)) {
            report_claim(c, &to[i]);
            return;
        }
    if (n_from != n_to)
        report(c, WM_MM_CONFLICTING_PVC_MAPPINGS,
               "source and target are one cluster, and two claims have one target claim", (struct wm_str){0});
}

void wm_check_migration_plan(struct wm_check *c, const struct wm_target *plan)
{
    struct wm_migration_type t = wm_migration_type_of(c->s->spec);

    check_existence(c, plan);
    check_state(c, plan);
    if (t.stage + t.state + t.rollback > 1)
        return; /* what it is to do is not known */
    check_lock(c, plan);
    check_overlap(c, plan);
    check_pvc_names(c, plan);
    check_claims(c, plan);
}
