#include "mig_round.h"

#include <stdio.h>
#include <string.h>

const char *const mig_count_names[MIG_COUNTS] = {"rounds",  "writes",  "conflicts", "others",  "waits",
                                                 "told",    "dropped", "rewritten", "spoiled", "lost",
                                                 "outcome", "late_ms", "slow_ms"};

/* A stage migration; those that wait take many rounds. */
static const struct {
    const char *name;
    bool waits;
} phases[] = {{"Created", false},
              {"Started", false},
              {"StartRefresh", false},
              {"WaitForRefresh", true},
              {"CleanStaleAnnotations", false},
              {"CleanStaleVeleroCRs", false},
              {"CreateRegistries", false},
              {"EnsureStagePodsFromRunning", false},
              {"StagePodsCreated", true},
              {"AnnotateResources", false},
              {"EnsureStageBackup", false},
              {"StageBackupCreated", true},
              {"EnsureStageRestore", false},
              {"StageRestoreCreated", true},
              {"EnsureStagePodsDeleted", false},
              {"EnsureAnnotationsDeleted", false},
              {"Completed", false}};
enum { PHASES = sizeof phases / sizeof phases[0] };

static const char STAMP[] = "openshift.io/touch", STAMP_AT[] = "/metadata/annotations/openshift.io~1touch";
static const char PROGRESS[] = "MigrationProgress", OUTCOME[] = "MigrationOutcome";

void mig_owner_done(struct mig_owner *m)
{
    cJSON_Delete(m->written);
    m->written = NULL;
}

const char *mig_phase(const struct mig_owner *m)
{
    return phases[m->phase].name;
}

bool mig_ended(const struct mig_owner *m)
{
    return m->phase == PHASES - 1;
}

int mig_rounds(int polls)
{
    int n = 0;

    for (int i = 0; i < PHASES - 1; i++)
        n += phases[i].waits ? polls : 1;
    return n;
}

/* --- what is in the object --- */

static void put_text(cJSON *o, const char *key, const char *text)
{
    cJSON_DeleteItemFromObjectCaseSensitive(o, key);
    cJSON_AddStringToObject(o, key, text);
}

static cJSON *member(cJSON *o, const char *key, cJSON *(*make)(void))
{
    cJSON *m = cJSON_GetObjectItemCaseSensitive(o, key);

    if (!m)
        cJSON_AddItemToObject(o, key, m = make());
    return m;
}

cJSON *mig_condition(const cJSON *object, const char *type)
{
    cJSON *c;

    cJSON_ArrayForEach(c, wm_json_at(object, "/status/conditions"))
    {
        const char *have = wm_json_str(c, "/type");

        if (have && strcmp(have, type) == 0)
            return c;
    }
    return NULL;
}

static const char *stamp_of(const cJSON *object)
{
    const char *stamp = wm_json_str(object, STAMP_AT);

    return stamp ? stamp : "";
}

/* The object without what the API server keeps in it, and without what is the aggregator's. */
static cJSON *owners_part(const cJSON *object)
{
    static const char *const kept[] = {"resourceVersion", "generation", "managedFields"};
    static const char *const labels[] = {"migration.openshift.io/migplan-name",
                                         "migration.openshift.io/migmigration-name",
                                         "migrations.openshift.io/migPlanName"};
    static const char *const types[] = {PROGRESS, OUTCOME};
    cJSON *part = cJSON_Duplicate(object, true), *meta = wm_json_at(part, "/metadata");
    cJSON *of_meta = wm_json_at(meta, "/labels");

    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
        cJSON_DeleteItemFromObjectCaseSensitive(meta, kept[i]);
    for (size_t i = 0; i < sizeof labels / sizeof *labels; i++)
        cJSON_DeleteItemFromObjectCaseSensitive(of_meta, labels[i]);
    if (of_meta && !of_meta->child)
        cJSON_DeleteItemFromObjectCaseSensitive(meta, "labels");
    cJSON_DeleteItemFromObjectCaseSensitive(wm_json_at(meta, "/annotations"), "waymark.io/verdict");
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        cJSON_Delete(cJSON_DetachItemViaPointer(wm_json_at(part, "/status/conditions"),
                                                mig_condition(part, types[i])));
    return part;
}

/* --- a round --- */

bool mig_is_current(const struct mig_owner *m, const cJSON *read)
{
    return strcmp(stamp_of(read), m->stamp) == 0;
}

void mig_look(struct mig_owner *m, const cJSON *read)
{
    const cJSON *progress = mig_condition(read, PROGRESS), *outcome = mig_condition(read, OUTCOME);
    const char *reason = progress ? wm_json_str(progress, "/reason") : NULL;

    if (m->written && mig_is_current(m, read)) {
        wm_auto_json cJSON *part = owners_part(read);

        m->counts[MIG_SPOILED] += !cJSON_Compare(part, m->written, true);
    }
    m->counts[MIG_LOST] += m->heard && !progress && !outcome;
    m->heard = progress || outcome;
    if (!phases[m->phase].waits || m->round + 1 != m->polls)
        return;
    m->counts[MIG_WAITS]++;
    m->counts[MIG_TOLD] += reason && strcmp(reason, phases[m->phase].name) == 0;
}

static void add_condition(cJSON *list, const char *type, const char *reason, const char *since, bool durable)
{
    cJSON *c = cJSON_CreateObject();

    cJSON_AddStringToObject(c, "type", type);
    cJSON_AddStringToObject(c, "status", "True");
    cJSON_AddStringToObject(c, "category", "Advisory");
    cJSON_AddStringToObject(c, "reason", reason);
    cJSON_AddStringToObject(c, "message", "Step: 1/17");
    cJSON_AddStringToObject(c, "lastTransitionTime", since);
    if (durable)
        cJSON_AddTrueToObject(c, "durable");
    cJSON_AddItemToArray(list, c);
}

/* BeginStagingConditions and EndStagingConditions. */
static void stage_conditions(struct mig_owner *m, cJSON *list)
{
    cJSON *c = list->child;

    while (c) {
        cJSON *next = c->next;
        const char *message = wm_json_str(c, "/message"), *type = wm_json_str(c, "/type");

        if (message && strchr(message, '[')) {
            m->rewritten++;
            put_text(c, "message", "rewritten");
        }
        if (!wm_json_bool(c, "/durable")) {
            m->dropped += !type || strcmp(type, "Running") != 0;
            cJSON_Delete(cJSON_DetachItemViaPointer(list, c));
        }
        c = next;
    }
}

bool mig_work(struct mig_owner *m, cJSON *object, int64_t now_s)
{
    bool last = !phases[m->phase].waits || m->round + 1 >= m->polls;
    int phase = m->phase + last;
    cJSON *status = member(object, "status", cJSON_CreateObject);
    cJSON *list = member(status, "conditions", cJSON_CreateArray);
    char stamp[MIG_STAMP_SIZE];

    m->counts[MIG_ROUNDS]++;
    m->dropped = m->rewritten = 0;
    stage_conditions(m, list);
    if (last || !m->since[0])
        wm_time_print(now_s, m->since);
    put_text(status, "phase", phases[phase].name);
    put_text(status, "itinerary", "Stage");
    if (phase == PHASES - 1)
        add_condition(list, "Succeeded", "Completed", m->since, true);
    else
        add_condition(list, "Running", phases[phase].name, m->since, false);
    snprintf(stamp, sizeof stamp, "%s-%d", m->name, m->counts[MIG_ROUNDS]);
    put_text(member(wm_json_at(object, "/metadata"), "annotations", cJSON_CreateObject), STAMP, stamp);
    return last;
}

void mig_wrote(struct mig_owner *m, const cJSON *object, bool moved)
{
    cJSON_Delete(m->written);
    m->written = owners_part(object);
    snprintf(m->stamp, sizeof m->stamp, "%s", stamp_of(object));
    m->counts[MIG_WRITES]++;
    m->counts[MIG_DROPPED] += m->dropped;
    m->counts[MIG_REWRITTEN] += m->rewritten;
    m->round = moved ? 0 : m->round + 1;
    m->phase += moved;
}
