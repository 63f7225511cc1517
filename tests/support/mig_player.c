/* Plays mig-controller to MigMigrations on a real API server, for end-to-end tests.
 *
 * As that one does: each round works on the copy in a cache of its own, fed by a watch; it writes the whole
 * object with the resourceVersion that it read, so that whoever wrote in between costs it a conflict; and it
 * comes again after 100 ms when it has moved on, else after 3 s.  One thing is harder than the truth: that
 * one has a single worker, whose rounds wait for each other; here each migration has a thread of its own and
 * comes exactly in time, which leaves others the shortest pauses.
 *
 * Usage: mig_player KUBECONFIG NAMESPACE POLLS NAME...      (POLLS: rounds in each phase that waits)
 * Prints a JSON line for each migration that ended, with the counts of mig_round.h; and one for each conflict
 * that somebody else caused: whose managedFields and conditions are new.  Says on stderr how far it is.  Exit
 * 1 when it broke off. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "mig_round.h"
#include "waymark/clock.h"
#include "waymark/watch.h"

enum {
    MOVED_MS = 100,
    POLL_MS = 3000,
    WORK_MIN_MS = 5,
    WORK_MAX_MS = 400,
    OBJECT_MAX = 4 << 20,
    OUTCOME_S = 300,
    PROGRESS_S = 10
};

struct player {
    struct mig_owner m;
    struct wm_kube *kube;
    char path[1024];
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t came;
    char *cached; /* lock: the object as the watch brought it last; owned */
    _Atomic int over;
    int rc;
};

struct stage {
    struct player *players;
    int n;
    struct wm_kube *kube;
    pthread_mutex_t print;
};
static struct stage all = {.print = PTHREAD_MUTEX_INITIALIZER};

static void pause_ms(int64_t ms)
{
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

    if (ms > 0)
        nanosleep(&t, NULL);
}

static void print_line(const cJSON *o)
{
    wm_auto_buf struct wm_buf line = WM_BUF_MAX(OBJECT_MAX);

    if (wm_json_print(o, &line, NULL) < 0)
        return;
    pthread_mutex_lock(&all.print);
    printf("%s\n", line.p);
    fflush(stdout);
    pthread_mutex_unlock(&all.print);
}

/* --- the cache --- */

static void on_nothing(void *ctx)
{
    (void)ctx;
}

static void on_upsert(void *ctx, struct wm_str object)
{
    static const char *const pointers[] = {"/metadata/name"};
    struct stage *s = ctx;
    struct wm_json_span name;
    int i = 0;

    if (wm_json_locate(object, 1, pointers, &name, NULL) < 0)
        return;
    while (i < s->n && !wm_json_span_is(name, s->players[i].m.name))
        i++;
    if (i == s->n)
        return;
    struct player *p = &s->players[i];

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

/* --- a conflict --- */

static void add_managers(cJSON *line, const cJSON *now)
{
    cJSON *list = cJSON_AddArrayToObject(line, "managers");
    const cJSON *f;
    char text[256];

    cJSON_ArrayForEach(f, wm_json_at(now, "/metadata/managedFields"))
    {
        const char *manager = wm_json_str(f, "/manager"), *time = wm_json_str(f, "/time");

        snprintf(text, sizeof text, "%s at %s", manager ? manager : "?", time ? time : "?");
        cJSON_AddItemToArray(list, cJSON_CreateString(text));
    }
}

static void add_conditions(cJSON *line, const cJSON *read, const cJSON *now)
{
    cJSON *list = cJSON_AddArrayToObject(line, "conditions");
    const cJSON *c;

    cJSON_ArrayForEach(c, wm_json_at(now, "/status/conditions"))
    {
        const char *type = wm_json_str(c, "/type");

        if (!cJSON_Compare(c, mig_condition(read, type ? type : ""), true))
            cJSON_AddItemToArray(list, cJSON_Duplicate(c, true));
    }
}

static int count_conflict(struct player *p, const cJSON *read, struct wm_error *err)
{
    wm_auto_buf struct wm_buf body = WM_BUF_MAX(OBJECT_MAX);
    wm_auto_json cJSON *now = NULL, *line = NULL;
    struct wm_kube_request r = {.method = "GET", .path = p->path};

    p->m.counts[MIG_CONFLICTS]++;
    if (!mig_is_current(&p->m, read))
        return WM_OK;
    p->m.counts[MIG_OTHERS]++;
    int rc = wm_kube_call(p->kube, &r, &body, NULL, err);

    if (rc == WM_OK)
        rc = wm_json_parse(wm_buf_text(&body), &now, err);
    if (rc < 0)
        return rc;
    line = cJSON_CreateObject();
    cJSON_AddStringToObject(line, "conflict", p->m.name);
    cJSON_AddStringToObject(line, "phase", mig_phase(&p->m));
    cJSON_AddNumberToObject(line, "round", p->m.counts[MIG_ROUNDS]);
    add_managers(line, now);
    add_conditions(line, read, now);
    print_line(line);
    return WM_OK;
}

/* --- a round --- */

static void at_most(struct player *p, enum mig_count which, int64_t ms)
{
    if (p->m.counts[which] < ms)
        p->m.counts[which] = (int)ms;
}

static int round_of(struct player *p, int64_t *ret_sleep_ms, struct wm_error *err)
{
    wm_auto_buf struct wm_buf body = WM_BUF_MAX(OBJECT_MAX);
    wm_auto_json cJSON *read = from_cache(p), *object = cJSON_Duplicate(read, true);
    int status = 0;

    mig_look(&p->m, read);
    bool moved = mig_work(&p->m, object, wm_wall_s());

    pause_ms(WORK_MIN_MS + rand() % (WORK_MAX_MS - WORK_MIN_MS));
    int64_t begin_ms = wm_mono_ms();
    int rc = wm_json_print(object, &body, err);
    struct wm_kube_request r = {.method = "PUT", .path = p->path, .body = wm_buf_text(&body), .once = true};

    *ret_sleep_ms = MOVED_MS;
    if (rc == WM_OK)
        rc = wm_kube_call(p->kube, &r, NULL, &status, err);
    at_most(p, MIG_SLOW_MS, wm_mono_ms() - begin_ms);
    if (status == 409)
        return count_conflict(p, read, err);
    if (rc < 0)
        return rc;
    *ret_sleep_ms = moved ? MOVED_MS : POLL_MS;
    mig_wrote(&p->m, object, moved);
    return WM_OK;
}

/* --- a migration --- */

/* It writes no more; whether the last words come, and leave its own as they are, it still looks at. */
static void await_outcome(struct player *p)
{
    for (int i = 0; i < OUTCOME_S && !p->m.counts[MIG_OUTCOME]; i++) {
        wm_auto_json cJSON *object = from_cache(p);

        if (mig_condition(object, "MigrationOutcome")) {
            mig_look(&p->m, object);
            p->m.counts[MIG_OUTCOME] = 1;
        } else {
            pause_ms(1000);
        }
    }
}

static void print_counts(const struct player *p)
{
    wm_auto_json cJSON *line = cJSON_CreateObject();

    cJSON_AddStringToObject(line, "ended", p->m.name);
    for (int i = 0; i < MIG_COUNTS; i++)
        cJSON_AddNumberToObject(line, mig_count_names[i], p->m.counts[i]);
    print_line(line);
}

static void *play(void *ctx)
{
    struct player *p = ctx;
    struct wm_error err = {0};
    int64_t due_ms = wm_mono_ms() + rand() % POLL_MS, sleep_ms;

    while (p->rc == WM_OK && !mig_ended(&p->m)) {
        pause_ms(due_ms - wm_mono_ms());
        at_most(p, MIG_LATE_MS, wm_mono_ms() - due_ms);
        p->rc = round_of(p, &sleep_ms, &err);
        due_ms = wm_mono_ms() + sleep_ms;
    }
    if (p->rc == WM_OK) {
        await_outcome(p);
        print_counts(p);
    } else {
        fprintf(stderr, "%s: %s: %s\n", p->m.name, err.where, err.msg);
    }
    p->over = 1;
    return NULL;
}

/* --- the whole --- */

static int sum(enum mig_count which)
{
    int n = 0;

    for (int i = 0; i < all.n; i++)
        n += all.players[i].m.counts[which];
    return n;
}

static int over(void)
{
    int n = 0;

    for (int i = 0; i < all.n; i++)
        n += all.players[i].over;
    return n;
}

static void await_all(int polls)
{
    int64_t said_ms = wm_mono_ms();

    while (over() < all.n) {
        pause_ms(200);
        if (wm_mono_ms() - said_ms < PROGRESS_S * 1000 && over() < all.n)
            continue;
        said_ms = wm_mono_ms();
        fprintf(stderr, "%d of %d rounds, %d of %d migrations over, %d conflicts of which %d by others\n",
                sum(MIG_ROUNDS), all.n * mig_rounds(polls), over(), all.n, sum(MIG_CONFLICTS),
                sum(MIG_OTHERS));
    }
}

static int start(char **argv, struct wm_error *err)
{
    struct wm_kube_access access = {0};
    struct wm_kube_opts opts = {.user_agent = "waymark-mig-player", .writes_per_s = -1};
    struct wm_watch_sink sink = {&all, on_nothing, on_nothing, on_nothing, on_upsert, on_remove, NULL};
    char list[512];
    struct wm_watch_spec spec = {.path = list};
    struct wm_watch *watch;
    int rc = wm_kube_access_load(argv[1], NULL, &access, err);

    if (rc == WM_OK)
        rc = wm_kube_new(&access, &opts, &all.kube, err);
    wm_kube_access_done(&access);
    snprintf(list, sizeof list, "/apis/migration.openshift.io/v1alpha1/namespaces/%s/migmigrations", argv[2]);
    for (int i = 0; i < all.n; i++) {
        struct player *p = &all.players[i];

        p->kube = all.kube;
        snprintf(p->path, sizeof p->path, "%s/%s", list, p->m.name);
    }
    return rc == WM_OK ? wm_watch_start(all.kube, &spec, &sink, &watch, err) : rc;
}

int main(int argc, char **argv)
{
    struct wm_error err = {0};
    int polls = argc > 4 ? atoi(argv[3]) : 0, rc = 0;

    if (polls < 1) {
        fprintf(stderr, "usage: mig_player KUBECONFIG NAMESPACE POLLS NAME...\n");
        return 2;
    }
    all.n = argc - 4;
    all.players = wm_xcalloc((size_t)all.n, sizeof *all.players);
    for (int i = 0; i < all.n; i++) {
        struct player *p = &all.players[i];

        p->m = (struct mig_owner){.name = argv[4 + i], .polls = polls};
        pthread_mutex_init(&p->lock, NULL);
        pthread_cond_init(&p->came, NULL);
    }
    srand((unsigned)wm_mono_ns());
    if (start(argv, &err) < 0) {
        fprintf(stderr, "%s: %s\n", err.where, err.msg);
        return 1;
    }
    for (int i = 0; i < all.n; i++)
        pthread_create(&all.players[i].thread, NULL, play, &all.players[i]);
    await_all(polls);
    for (int i = 0; i < all.n; i++) {
        pthread_join(all.players[i].thread, NULL);
        rc |= all.players[i].rc < 0;
    }
    wm_kube_free(all.kube);
    for (int i = 0; i < all.n; i++) {
        mig_owner_done(&all.players[i].m);
        free(all.players[i].cached);
    }
    free(all.players);
    return rc;
}
