/* A migration among those of its plan (mig-controller pkg/controller/migmigration/validation.go,
 * validateFinalMigration; migmigration_controller.go, postpone; migplan_types.go, ListMigrations). */
#include "check_migration.h"
#include "waymark/time.h"

static struct wm_json_value metadata_of(struct wm_json_value migration)
{
    return wm_json_get(migration, "metadata");
}

/* A time that is not known is `otherwise`. */
static int64_t time_of(struct wm_json_span timestamp, int64_t otherwise)
{
    int64_t t;

    return wm_time_parse(wm_span_plain(timestamp), &t) ? t : otherwise;
}

static int64_t created_at(struct wm_json_value migration)
{
    return time_of(wm_get_span(metadata_of(migration), "creationTimestamp"), 0);
}

/* The migration in question may be among those that exist: in an audit, and on UPDATE. */
static bool is_self(const struct wm_check *c, struct wm_json_value migration)
{
    struct wm_json_value metadata = metadata_of(migration);

    return !c->s->generated && wm_json_span_is(wm_get_span(metadata, "name"), c->s->name) &&
           wm_json_span_is(wm_get_span(metadata, "namespace"), c->s->namespace_);
}

static bool is_of(const struct wm_target *plan, struct wm_json_value migration)
{
    struct wm_json_value ref = wm_json_get(wm_json_get(migration, "spec"), "migPlanRef");

    return wm_json_span_is(wm_get_span(ref, "name"), plan->name) &&
           wm_json_span_is(wm_get_span(ref, "namespace"), plan->namespace_);
}

static bool is_over(struct wm_json_value migration)
{
    return wm_json_span_is(wm_get_span(wm_json_get(migration, "status"), "phase"), "Completed");
}

/* All migrations there are, for the sake of `rule`; absent when it is off or cannot tell.  Those of other
 * namespaces are not mig-controller's. */
static struct wm_json_value list_migrations(struct wm_check *c, const struct wm_rule *rule)
{
    struct wm_json_value list = {0};

    if (!wm_wants(c, rule) ||
        wm_ask(c, rule, WM_MIGMIGRATIONS, c->policy->migration_namespace, "", &list) != WM_FACT_FOUND)
        return (struct wm_json_value){0};
    return wm_json_get(list, "items");
}

static void name_of(struct wm_json_value migration, wm_name ret)
{
    wm_span_copy(wm_get_span(metadata_of(migration), "name"), ret, WM_NAME_MAX + 1);
}

/* --- what follows a final migration --- */

/* What a migration means for later ones of its plan. */
enum meaning { MEANS_NOTHING, OPENS, CLOSES };

static enum meaning meaning_of(struct wm_json_value m, bool for_stage)
{
    static const char *const ends[] = {"Succeeded", "Running", "Failed"};
    struct wm_json_value spec = wm_json_get(m, "spec"), status = wm_json_get(m, "status");
    struct wm_migration_type t = wm_migration_type_of(spec);

    if (t.stage || t.state || wm_is_true(spec, "canceled"))
        return MEANS_NOTHING;
    if (t.rollback && wm_condition_is_true(status, "Succeeded"))
        return OPENS;
    for (size_t i = 0; i < (for_stage ? 3 : 1); i++)
        if (wm_condition_is_true(status, ends[i]))
            return CLOSES;
    return MEANS_NOTHING;
}

/* mig-controller goes from the newest to the oldest: the newest that means anything decides.  Of one age it
 * takes any; we take the rollback. */
static void check_final(struct wm_check *c, const struct wm_target *plan)
{
    const struct wm_rule *rule = &wm_migration_rule[WM_MM_HAS_FINAL];
    struct wm_migration_type t = wm_migration_type_of(c->s->spec);
    struct wm_json_value found = {0};
    enum meaning decided = MEANS_NOTHING;
    int64_t newest = INT64_MIN;
    wm_name name;

    if (t.rollback)
        return;
    for (struct wm_json_value m = wm_json_first(list_migrations(c, rule)); m.node; m = wm_json_after(m)) {
        enum meaning meaning = is_of(plan, m) && !is_self(c, m) ? meaning_of(m, t.stage) : MEANS_NOTHING;

        int64_t rank = 2 * created_at(m) + (meaning == OPENS);

        if (meaning == MEANS_NOTHING || rank <= newest)
            continue;
        newest = rank;
        found = m;
        decided = meaning;
    }
    if (decided != CLOSES)
        return;
    struct wm_json_value status = wm_json_get(found, "status");

    name_of(found, name);
    wm_report(c, rule, "spec.migPlanRef", wm_get_span(wm_spec(c, "migPlanRef"), "name"),
              "the plan's %s %s %s",
              wm_is_true(wm_json_get(found, "spec"), "rollback") ? "rollback" : "final migration", name,
              wm_condition_is_true(status, "Succeeded") ? "has succeeded already"
              : wm_condition_is_true(status, "Failed")  ? "has failed"
                                                        : "is running");
}

/* --- the queue --- */

struct place {
    bool stage;
    int64_t created;
};

/* Stages first, then by age; of one age the one that exists is first. */
static bool is_before(struct place a, struct place b)
{
    return a.stage != b.stage ? a.stage : a.created <= b.created;
}

static struct place place_of(struct wm_json_value m)
{
    return (struct place){wm_is_true(wm_json_get(m, "spec"), "stage"), created_at(m)};
}

static void check_turn(struct wm_check *c, const struct wm_target *plan)
{
    const struct wm_rule *rule = &wm_migration_rule[WM_MM_QUEUED];
    struct wm_json_span created = wm_member(c->s->object.at[WM_O_METADATA], "creationTimestamp");
    struct place own = {wm_is_true(c->s->spec, "stage"), time_of(created, INT64_MAX)};
    struct wm_json_value first = {0};
    wm_name name, phase;

    for (struct wm_json_value m = wm_json_first(list_migrations(c, rule)); m.node; m = wm_json_after(m))
        if (is_of(plan, m) && !is_over(m) && !is_self(c, m) && is_before(place_of(m), own) &&
            !(first.node && is_before(place_of(first), place_of(m))))
            first = m;
    if (!first.node)
        return;
    name_of(first, name);
    bool begun = wm_span_copy(wm_get_span(wm_json_get(first, "status"), "phase"), phase, sizeof phase);

    wm_report(c, rule, "spec.migPlanRef", wm_get_span(wm_spec(c, "migPlanRef"), "name"),
              "MigMigration %s of the same plan is before it, %s%s", name,
              begun ? "in phase " : "not begun yet", phase);
}

void wm_check_migration_queue(struct wm_check *c, const struct wm_target *plan)
{
    check_final(c, plan);
    check_turn(c, plan);
}
