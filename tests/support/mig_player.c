/* Plays mig-controller to one MigMigration on a real API server, for end-to-end tests.
 *
 * As that one does (pkg/controller/migmigration): each round works on the copy in a cache of its own, fed by
 * a watch; it takes away conditions that are not durable and rewrites what stands in brackets; it writes the
 * whole object with a new stamp and the resourceVersion that it read, so that whoever wrote in between costs
 * it a conflict; and it comes again after 100 ms when it has moved on, else after 3 s.
 *
 * Usage: mig_player KUBECONFIG NAMESPACE NAME POLLS      (POLLS: rounds in each phase that waits)
 * Prints one JSON line: rounds and writes; conflicts, and how many of them somebody else caused; how many of
 * the waits ended with our condition about them, and how many of its rounds saw it rewritten.  Exit 1 when it
 * broke off. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "waymark/clock.h"
#include "waymark/json.h"
#include "waymark/time.h"
#include "waymark/watch.h"

enum { MOVED_MS = 100, POLL_MS = 3000, WORK_MIN_MS = 5, WORK_MAX_MS = 400, OBJECT_MAX = 4 << 20 };

/* A stage migration; those that wait take POLLS rounds. */
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

struct player {
    struct wm_kube *kube;
    char path[1024];
    const char *name;
    int polls;
    pthread_mutex_t lock;
    pthread_cond_t came;
    char *cached;                        /* lock: the object as the watch brought it last; owned */
    char stamp[64], since[WM_TIME_SIZE]; /* of the phase */
    int phase, round;                    /* round: in this phase */
    int rounds, writes, conflicts, others, waits, told, mangled;
};

static void pause_ms(int64_t ms)
{
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

    nanosleep(&t, NULL);
}

/* --- the cache --- */

static void on_nothing(void *ctx)
{
    (void)ctx;
}

static void on_upsert(void *ctx, struct wm_str object)
{
    static const char *const pointers[] = {"/metadata/name"};
    struct player *p = ctx;
    struct wm_json_span s;

    if (wm_json_locate(object, 1, pointers, &s, NULL) < 0 || !wm_json_span_is(s, p->name))
        return;
    pthread_mutex_lock(&p->lock);
    free(p->cached);
    p->cached = wm_xstrndup(object);
    pthread_cond_signal(&p->came);
    pthread_mutex_unlock(&p->lock);
}

static void on_remove(void *ctx, struct wm_str object)
{
    (void)ctx;
    (void)object;
}

static cJSON *from_cache(struct player *p)
{
    pthread_mutex_lock(&p->lock);
    while (!p->cached)
        pthread_cond_wait(&p->came, &p->lock);
    cJSON *object = cJSON_Parse(p->cached);

    pthread_mutex_unlock(&p->lock);
    return object;
}

/* --- a round --- */

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

static cJSON *find_condition(const cJSON *object, const char *type)
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
static void stage_conditions(struct player *p, cJSON *list)
{
    cJSON *c = list->child;

    while (c) {
        cJSON *next = c->next;
        const char *message = wm_json_str(c, "/message");

        if (message && strchr(message, '[')) {
            p->mangled++;
            put_text(c, "message", "rewritten");
        }
        if (!wm_json_bool(c, "/durable"))
            cJSON_Delete(cJSON_DetachItemViaPointer(list, c));
        c = next;
    }
}

/* What a round makes of the object; true when it moved on. */
static bool work(struct player *p, cJSON *object)
{
    bool last = !phases[p->phase].waits || p->round + 1 >= p->polls;
    int phase = p->phase + last;
    cJSON *status = member(object, "status", cJSON_CreateObject);
    cJSON *list = member(status, "conditions", cJSON_CreateArray);

    stage_conditions(p, list);
    if (last || !p->since[0])
        wm_time_print(wm_wall_s(), p->since);
    put_text(status, "phase", phases[phase].name);
    put_text(status, "itinerary", "Stage");
    if (phase == PHASES - 1)
        add_condition(list, "Succeeded", "Completed", p->since, true);
    else
        add_condition(list, "Running", phases[phase].name, p->since, false);
    snprintf(p->stamp, sizeof p->stamp, "%s-%d", p->name, p->rounds);
    put_text(member(wm_json_at(object, "/metadata"), "annotations", cJSON_CreateObject), "openshift.io/touch",
             p->stamp);
    return last;
}

/* Whose write came in between: with a stamp that is not ours, or none, the cache was only late. */
static int count_conflict(struct player *p, const char *stamp_read, struct wm_error *err)
{
    wm_auto_buf struct wm_buf body = WM_BUF_MAX(OBJECT_MAX);
    wm_auto_json cJSON *now = NULL;
    struct wm_kube_request r = {.method = "GET", .path = p->path};
    int rc = wm_kube_call(p->kube, &r, &body, NULL, err);

    if (rc == WM_OK)
        rc = wm_json_parse(wm_buf_text(&body), &now, err);
    if (rc < 0)
        return rc;
    const char *stamp = wm_json_str(now, "/metadata/annotations/openshift.io~1touch");

    p->conflicts++;
    p->others += strcmp(stamp ? stamp : "", stamp_read) == 0;
    return WM_OK;
}

static void look_back(struct player *p, const cJSON *object)
{
    const cJSON *c = find_condition(object, "MigrationProgress");
    const char *reason = c ? wm_json_str(c, "/reason") : NULL;

    p->waits++;
    p->told += reason && strcmp(reason, phases[p->phase].name) == 0;
}

static int round_of(struct player *p, int *ret_sleep_ms, struct wm_error *err)
{
    wm_auto_buf struct wm_buf body = WM_BUF_MAX(OBJECT_MAX);
    wm_auto_json cJSON *object = from_cache(p);
    const char *read = wm_json_str(object, "/metadata/annotations/openshift.io~1touch");
    wm_auto_free char *stamp_read = wm_xstrdup(read ? read : "");
    int status = 0;

    p->rounds++;
    if (phases[p->phase].waits && p->round + 1 == p->polls)
        look_back(p, object);
    bool moved = work(p, object);

    pause_ms(WORK_MIN_MS + rand() % (WORK_MAX_MS - WORK_MIN_MS));
    int rc = wm_json_print(object, &body, err);
    struct wm_kube_request r = {.method = "PUT", .path = p->path, .body = wm_buf_text(&body), .once = true};

    *ret_sleep_ms = MOVED_MS;
    if (rc == WM_OK)
        rc = wm_kube_call(p->kube, &r, NULL, &status, err);
    if (status == 409)
        return count_conflict(p, stamp_read, err);
    if (rc < 0)
        return rc;
    p->writes++;
    *ret_sleep_ms = moved ? MOVED_MS : POLL_MS;
    p->round = moved ? 0 : p->round + 1;
    p->phase += moved;
    return WM_OK;
}

/* --- the whole --- */

static int play(struct player *p, struct wm_error *err)
{
    int sleep_ms, rc = WM_OK;

    while (rc == WM_OK && p->phase < PHASES - 1) {
        rc = round_of(p, &sleep_ms, err);
        pause_ms(sleep_ms);
    }
    return rc;
}

static int run(struct player *p, char **argv, struct wm_error *err)
{
    struct wm_kube_access access = {0};
    struct wm_kube_opts opts = {.user_agent = "waymark-mig-player", .writes_per_s = -1};
    struct wm_watch_sink sink = {p, on_nothing, on_nothing, on_nothing, on_upsert, on_remove, NULL};
    char list[512];
    struct wm_watch_spec spec = {.path = list};
    struct wm_watch *watch;
    int rc = wm_kube_access_load(argv[1], NULL, &access, err);

    if (rc == WM_OK)
        rc = wm_kube_new(&access, &opts, &p->kube, err);
    wm_kube_access_done(&access);
    snprintf(list, sizeof list, "/apis/migration.openshift.io/v1alpha1/namespaces/%s/migmigrations", argv[2]);
    snprintf(p->path, sizeof p->path, "%s/%s", list, p->name);
    if (rc == WM_OK)
        rc = wm_watch_start(p->kube, &spec, &sink, &watch, err);
    if (rc == WM_OK)
        rc = play(p, err);
    wm_kube_free(p->kube);
    return rc;
}

int main(int argc, char **argv)
{
    struct player p = {.lock = PTHREAD_MUTEX_INITIALIZER, .came = PTHREAD_COND_INITIALIZER};
    struct wm_error err = {0};

    if (argc != 5 || (p.polls = atoi(argv[4])) < 1) {
        fprintf(stderr, "usage: mig_player KUBECONFIG NAMESPACE NAME POLLS\n");
        return 2;
    }
    p.name = argv[3];
    srand((unsigned)wm_mono_ns());
    int rc = run(&p, argv, &err);

    if (rc < 0)
        fprintf(stderr, "%s: %s\n", err.where, err.msg);
    printf("{\"rounds\":%d,\"writes\":%d,\"conflicts\":%d,\"others\":%d,\"waits\":%d,\"told\":%d,"
           "\"rewritten\":%d}\n",
           p.rounds, p.writes, p.conflicts, p.others, p.waits, p.told, p.mangled);
    free(p.cached);
    return rc < 0;
}
