/* Why a migration failed by its own word, and what it left behind. */
#include <string.h>

#include "causes.h"
#include "situation_impl.h"

static const struct wm_migration_state *own(const struct wm_clue *c)
{
    return c->look->s->state;
}

static bool has_failed(struct wm_clue *c)
{
    c->since_s = own(c)->completed_s;
    return c->look->s->ending == WM_ENDING_FAILED;
}

/* "PVC: mysql/data, not-found." (mig-controller pkg/controller/migmigration/stage.go); the detail is the
 * claim. */
static bool has_claim_error(struct wm_clue *c, const char *what)
{
    static const char before[] = "PVC: ";
    const char *error = own(c)->first_error;
    size_t n = strlen(before), name_n = strcspn(error + (strlen(error) < n ? 0 : n), ",");

    if (!has_failed(c) || strncmp(error, before, n) != 0 || !strstr(error + n + name_n, what))
        return false;
    wm_clue_detail(c, "%.*s on cluster %s", (int)name_n, error + n, c->look->s->source_name);
    return true;
}

static bool lacked_claim(struct wm_clue *c)
{
    return has_claim_error(c, "not-found");
}

static bool had_claim_deleted(struct wm_clue *c)
{
    return has_claim_error(c, "deleted");
}

static bool had_claim_unbound(struct wm_clue *c)
{
    return has_claim_error(c, "not bound");
}

static bool failed_at_all(struct wm_clue *c)
{
    if (!has_failed(c))
        return false;
    c->detail = own(c)->cause[0] ? own(c)->cause : "not told";
    c->quote = own(c)->first_error[0] ? own(c)->first_error
               : own(c)->message[0]   ? own(c)->message
                                      : "it lists no error";
    return true;
}

/* --- what was left --- */

struct later {
    const struct wm_record *migration;
    const struct wm_migration_state *own;
    bool found;
};

/* One that came after it has scaled the application up again, or is about to: that is its affair. */
static void find_later(void *ctx, const struct wm_record *r)
{
    struct later *l = ctx;
    const struct wm_migration_state *m = wm_migration_of(r);
    bool counts = m->kind == WM_RUN_FINAL || m->kind == WM_RUN_ROLLBACK;

    l->found |= counts && r != l->migration && r->created_s >= l->migration->created_s &&
                strcmp(m->plan, l->own->plan) == 0 &&
                strcmp(m->plan_namespace, l->own->plan_namespace) == 0 && m->outcome != WM_RUN_FAILED &&
                m->outcome != WM_RUN_BLOCKED;
}

/* A failure scales nothing up again: what had been scaled down stays so. */
static bool left_it_down(struct wm_clue *c)
{
    const struct wm_migration_state *m = own(c);
    int quiesced = wm_phase_step(WM_ITINERARY_FINAL, "EnsureSrcQuiesced");
    int failed = wm_phase_step(WM_ITINERARY_FINAL, m->cause);
    struct later later = {c->r, m, false};

    if (!has_failed(c) || m->kind != WM_RUN_FINAL || !m->quiesces || failed < quiesced)
        return false;
    wm_model_each(c->look->w->model, WM_KIND_MIGMIGRATION, find_later, &later);
    return !later.found;
}

#define HERE WM_ROLE(MIGRATION), WM_KIND_MIGMIGRATION, WM_ANY_WAIT | WM_AFTER_END
#define STAGE "mig-controller pkg/controller/migmigration/stage.go, mig-controller#582"

const struct wm_cause wm_causes_end[] = {
    {"ClaimNotFound", HERE, lacked_claim, WM_STOPS, WM_CERTAIN, WM_T_SIGNAL, 6,
     "A PersistentVolumeClaim did not exist",
     "{migration} failed because a pod mounts the PersistentVolumeClaim {detail}, which does not exist",
     "create it, or take it out of the workload; then refresh the plan (spec.refresh) and migrate again:\n"
     "{kubectl} edit migplan {plan}",
     STAGE},
    {"ClaimDeleted", HERE, had_claim_deleted, WM_STOPS, WM_CERTAIN, WM_T_SIGNAL, 6,
     "A PersistentVolumeClaim was being deleted",
     "{migration} failed because the PersistentVolumeClaim {detail} was being deleted",
     "let it go and make it anew, or take it out of the workload; then refresh the plan (spec.refresh) and "
     "migrate "
     "again:\n"
     "{kubectl} edit migplan {plan}",
     STAGE},
    {"ClaimNotBound", HERE, had_claim_unbound, WM_STOPS, WM_CERTAIN, WM_T_SIGNAL, 6,
     "A PersistentVolumeClaim had no volume",
     "{migration} failed because the PersistentVolumeClaim {detail} was not bound to a volume",
     "give it a volume (storage class, capacity, access mode), or take it out of the workload; then refresh "
     "the plan "
     "(spec.refresh) and migrate again:\n"
     "{kubectl} edit migplan {plan}",
     STAGE},
    {"MigrationFailed", HERE, failed_at_all, WM_STOPS, WM_POSSIBLE, WM_T_SIGNAL, 1,
     "The migration has failed", "{migration} failed in the phase {detail}: {quote}",
     "mend what the message names, and migrate again; all that it says of itself:\n"
     "{kubectl} describe migmigration {migration}",
     "mig-controller pkg/controller/migmigration/task.go"},
    {"AppsLeftDown", HERE, left_it_down, WM_THREATENS, WM_LIKELY, WM_T_SIGNAL, 1,
     "The application was left scaled down",
     "{migration} failed after it had scaled the application down on cluster {source}, and a failure does "
     "not scale it up "
     "again",
     "roll back with a new MigMigration (spec.rollback: true), or scale up by hand to what the annotations "
     "migration.openshift.io/preQuiesceReplicas say:\n"
     "kubectl --context {source} get deployments,statefulsets --all-namespaces\n"
     "kubectl --context {source} -n NAMESPACE scale deployment NAME --replicas=N",
     "mig-controller pkg/controller/migmigration/quiesce.go, pkg/controller/migmigration/task.go"},
    {0},
};
