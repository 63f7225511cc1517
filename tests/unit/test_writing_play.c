/* Our writer against players of the owners: mig-controller, whose writes must never meet ours, and
 * VirtRigaud, which takes foreign conditions away when they do. */
#include <stdio.h>

#include "play.h"
#include "unit.h"

/* --- what both have --- */

static cJSON *new_condition(const char *type, const char *reason, bool durable)
{
    cJSON *c = cJSON_CreateObject();

    cJSON_AddStringToObject(c, "type", type);
    cJSON_AddStringToObject(c, "status", "True");
    cJSON_AddStringToObject(c, "category", "Advisory");
    cJSON_AddStringToObject(c, "reason", reason);
    cJSON_AddStringToObject(c, "lastTransitionTime", "2026-01-01T00:00:00Z");
    if (durable)
        cJSON_AddTrueToObject(c, "durable");
    return c;
}

static cJSON *find_condition(const cJSON *object, const char *type)
{
    cJSON *c;

    cJSON_ArrayForEach(c, wm_json_at(object, "/status/conditions"))
    {
        if (strcmp(wm_json_str(c, "/type"), type) == 0)
            return c;
    }
    return NULL;
}

static void put_text(cJSON *o, const char *key, const char *text)
{
    cJSON_DeleteItemFromObjectCaseSensitive(o, key);
    cJSON_AddStringToObject(o, key, text);
}

/* What is not ours of a version. */
static cJSON *owners_part(const struct play_server *s, size_t version)
{
    static const char *const types[] = {"MigrationProgress", "MigrationStalled", "MigrationOutcome"};
    cJSON *object = play_object(s, version);

    cJSON_DeleteItemFromObjectCaseSensitive(wm_json_at(object, "/metadata"), "resourceVersion");
    for (size_t i = 0; i < 3; i++)
        cJSON_Delete(cJSON_DetachItemViaPointer(wm_json_at(object, "/status/conditions"),
                                                find_condition(object, types[i])));
    return object;
}

static void assert_only_ours_is_written(const struct play_server *s)
{
    for (size_t i = 1; i < s->n; i++) {
        if (!s->versions[i].ours)
            continue;
        wm_auto_json cJSON *before = owners_part(s, i - 1), *after = owners_part(s, i);

        assert_true(cJSON_Compare(before, after, true));
    }
}

static void start(struct play_server *s, const char *text, int64_t now_ms)
{
    wm_auto_json cJSON *object = cJSON_Parse(text);

    play_put(s, object, now_ms, false);
}

/* --- mig-controller --- */

/* "Wait..." are phases of slow rounds; the number is how many rounds a phase takes at most. */
static const struct {
    const char *name;
    int rounds;
} phases[] = {{"Created", 1},        {"Prepare", 2},         {"WaitForRefresh", 4}, {"EnsureBackup", 3},
              {"WaitForBackup", 60}, {"WaitForCopy", 3},     {"Quiesce", 40},       {"EnsureRestore", 2},
              {"WaitForPods", 30},   {"WaitForRestore", 60}, {"DeleteThings", 5},   {"Completed", 0}};
enum { PHASES = sizeof phases / sizeof phases[0] };

struct mig_controller {
    struct play_watch cache;
    int64_t wake_ms, done_ms; /* done_ms 0 = it sleeps */
    size_t base;              /* version that it works on */
    int need[PHASES], ran[PHASES];
    int rounds, written, conflicts, ours, silent; /* silent: long waits that ended without our word */
    bool ended;
};

static int phase_of(const cJSON *object)
{
    const char *name = wm_json_str(object, "/status/phase");
    int i = 0;

    while (name && i < PHASES - 1 && strcmp(phases[i].name, name) != 0)
        i++;
    return i;
}

/* BeginStagingConditions, SetCondition and EndStagingConditions: what is not durable and not set again goes,
 * and what stands in brackets is rewritten. */
static void stage_conditions(struct play_server *s, cJSON *object, const char *phase)
{
    cJSON *list = wm_json_at(object, "/status/conditions"), *c = list->child;

    while (c) {
        cJSON *next = c->next;
        const char *message = wm_json_str(c, "/message");

        if (message && strchr(message, '['))
            put_text(c, "message", "rewritten");
        if (!wm_json_bool(c, "/durable") && strcmp(wm_json_str(c, "/type"), "Running") != 0)
            cJSON_Delete(cJSON_DetachItemViaPointer(list, c));
        c = next;
    }
    cJSON *running = find_condition(object, "Running");

    if (running)
        put_text(running, "reason", phase);
    else
        cJSON_AddItemToArray(list, new_condition("Running", phase, false));
    if (play_random(s, 0, 2) == 0)
        cJSON_AddItemToArray(list, new_condition("Flicker", "", false));
    if (!find_condition(object, "StagePodsCreated") && play_random(s, 0, 30) == 0)
        cJSON_AddItemToArray(list, new_condition("StagePodsCreated", "", true));
}

/* One round's outcome in `object`; how long it sleeps then. */
static int64_t advance(struct play_server *s, struct mig_controller *m, cJSON *object)
{
    int phase = phase_of(object);
    bool waits = strncmp(phases[phase].name, "Wait", 4) == 0, done = ++m->ran[phase] >= m->need[phase];
    cJSON *status = wm_json_at(object, "/status"), *rounds = wm_json_at(status, "/rounds");
    char stamp[32];

    if (done)
        put_text(status, "phase", phases[phase + 1].name);
    stage_conditions(s, object, phases[done ? phase + 1 : phase].name);
    cJSON_SetNumberValue(rounds, rounds->valuedouble + 1);
    snprintf(stamp, sizeof stamp, "%d", m->rounds++);
    put_text(wm_json_at(object, "/metadata/annotations"), "openshift.io/touch", stamp);
    /* A phase that is done leads to the next one at once, or (some do) after a sleep. */
    return done ? play_random(s, 0, 3) ? 100 : 3000 : waits ? 3000 : 100;
}

static void count_conflict(const struct play_server *s, struct mig_controller *m)
{
    m->conflicts++;
    for (size_t i = m->base + 1; i < s->n; i++)
        m->ours += s->versions[i].ours;
}

static void look_back(const struct play_server *s, struct mig_controller *m, int before, int after)
{
    wm_auto_json cJSON *object = play_object(s, s->n - 1);
    const cJSON *c = find_condition(object, "MigrationProgress");

    /* 14 rounds are 42 seconds: the gap since the write before, a stamp, and delays. */
    if (before != after && phases[before].name[0] == 'W' && m->need[before] >= 14)
        m->silent += !c || strcmp(wm_json_str(c, "/reason"), phases[before].name) != 0;
}

static void finish_round(struct play_server *s, struct mig_controller *m, int64_t now_ms)
{
    wm_auto_json cJSON *object = play_object(s, m->base);
    int before = phase_of(object);
    int64_t sleep_ms = advance(s, m, object);

    m->done_ms = 0;
    m->wake_ms = now_ms + sleep_ms;
    if (m->base + 1 != s->n) {
        count_conflict(s, m);
        m->wake_ms = now_ms + play_random(s, 5, 20);
        return;
    }
    look_back(s, m, before, phase_of(object));
    play_put(s, object, now_ms, false);
    m->written++;
    m->ended = phase_of(object) == PHASES - 1;
}

static void run_mig_controller(struct play_server *s, struct mig_controller *m, int64_t now_ms)
{
    while (play_next(s, &m->cache, now_ms))
        continue;
    if (m->ended || now_ms < m->wake_ms || m->cache.n == 0)
        return;
    if (!m->done_ms) {
        m->base = m->cache.n - 1;
        m->done_ms = now_ms + play_random(s, 5, play_random(s, 0, 9) ? 400 : 8000);
    } else if (now_ms >= m->done_ms) {
        finish_round(s, m, now_ms);
    }
}

/* Somebody sets a label, at any time: that is nobody's business, but moves the version. */
static void label(struct play_server *s, int64_t now_ms)
{
    wm_auto_json cJSON *object = play_object(s, s->n - 1);
    char value[32];

    snprintf(value, sizeof value, "%zu", s->n);
    put_text(wm_json_at(object, "/metadata/labels"), "somebody", value);
    play_put(s, object, now_ms, false);
}

/* A cause has stood for 15 s when it is found, and people want it within 30 s. */
enum { CAUSE_MS = 15000 };

struct sums {
    int rounds, conflicts, ours, silent, writes, refusals, causes, late_ms;
};

static void migrate(uint64_t seed, struct sums *sums)
{
    struct play_server s = {.random = seed};
    struct mig_controller m = {.cache.delay_ms = 300};
    struct play_writer w = {.rules = &wm_slot_rules_mtc, .watch.delay_ms = 300, .patch = WM_BUF_MAX(1 << 16)};
    int64_t now = 1000, end = INT64_MAX;

    for (int i = 0; i < PHASES; i++)
        m.need[i] = phases[i].rounds ? (int)play_random(&s, 1, phases[i].rounds) : 0;
    start(&s,
          "{\"metadata\":{\"uid\":\"u\",\"labels\":{},\"annotations\":{}},"
          "\"status\":{\"phase\":\"Created\",\"rounds\":0,\"conditions\":[]}}",
          now);
    for (; now < end; now++) {
        run_mig_controller(&s, &m, now);
        play_write(&s, &w, now);
        if (play_random(&s, 0, 19999) == 0)
            label(&s, now);
        if (m.ended && end == INT64_MAX)
            end = now + 10000;
    }
    wm_auto_json cJSON *object = play_object(&s, s.n - 1);
    bool durable = find_condition(object, "StagePodsCreated") != NULL;

    /* nothing of either side is lost */
    assert_int_equal(wm_json_i64(object, "/status/rounds", -1), m.written);
    assert_true(find_condition(object, "MigrationOutcome") && !find_condition(object, "MigrationProgress"));
    assert_int_equal(cJSON_GetArraySize(wm_json_at(object, "/status/conditions")),
                     2 + durable + (find_condition(object, "Flicker") != NULL));
    assert_only_ours_is_written(&s);
    assert_int_equal(w.slot.losses + w.give_ups, 0);
    assert_true(w.writes <= now / wm_slot_rules_mtc.gap_ms + 3);
    sums->rounds += m.rounds;
    sums->conflicts += m.conflicts;
    sums->ours += m.ours;
    sums->silent += m.silent;
    sums->writes += w.writes;
    sums->refusals += w.refusals;
    sums->causes += w.causes;
    if (w.late_ms > sums->late_ms)
        sums->late_ms = w.late_ms;
    play_writer_done(&w);
    play_done(&s);
}

static void mig_controller_has_no_conflicts(void **state)
{
    struct sums sums = {0};
    uint64_t seed = 0;

    (void)state;
    while (sums.rounds < 10000)
        migrate(++seed, &sums);
    print_message("%d rounds of %d migrations: %d conflicts, %d of ours; %d writes, %d refused\n",
                  sums.rounds, (int)seed, sums.conflicts, sums.ours, sums.writes, sums.refusals);
    print_message("%d causes, told after %d ms at most\n", sums.causes, sums.late_ms);
    assert_in_range(sums.late_ms, 1, CAUSE_MS);
    assert_int_equal(sums.ours, 0);
    assert_int_equal(sums.silent, 0);
    assert_true(sums.conflicts > 0 && sums.writes > (int)seed);
}

/* --- VirtRigaud --- */

struct virtrigaud {
    struct play_watch cache;
    int64_t wake_ms, done_ms, busy_until_ms; /* until then every round is long, and says something new */
    size_t base;
    int rounds, overwrites;
    char said[32]; /* its last message */
};

/* Its status as it was when the round began, and what the round has found out (updateStatus). */
static void write_status(struct play_server *s, struct virtrigaud *v, int64_t now_ms)
{
    wm_auto_json cJSON *mine = play_object(s, v->base), *now = play_object(s, s->n - 1);
    cJSON *status = cJSON_DetachItemFromObjectCaseSensitive(mine, "status");

    snprintf(v->said, sizeof v->said, "Exporting, round %d", v->rounds);
    put_text(status, "message", v->said);
    v->overwrites += v->base + 1 != s->n;
    cJSON_ReplaceItemInObjectCaseSensitive(now, "status", status);
    play_put(s, now, now_ms, false);
}

static void run_virtrigaud(struct play_server *s, struct virtrigaud *v, int64_t now_ms)
{
    while (play_next(s, &v->cache, now_ms))
        v->wake_ms = now_ms; /* each change starts a round */
    if (!v->done_ms && now_ms >= v->wake_ms && v->cache.n) {
        v->base = v->cache.n - 1;
        v->done_ms = now_ms + (now_ms < v->busy_until_ms ? play_random(s, 20000, 40000) : 50);
    } else if (v->done_ms && now_ms >= v->done_ms) {
        v->rounds++;
        v->done_ms = 0;
        v->wake_ms = now_ms + 5000;
        if (now_ms < v->busy_until_ms) /* a write that changes nothing is none */
            write_status(s, v, now_ms);
    }
}

static void play_virtrigaud(struct play_server *s, struct virtrigaud *v, struct play_writer *w,
                            int64_t for_ms)
{
    start(s,
          "{\"metadata\":{\"uid\":\"u\"},\"status\":{\"phase\":\"Exporting\",\"conditions\":["
          "{\"type\":\"Validating\",\"status\":\"True\"}]}}",
          1000);
    for (int64_t now = 1000; now < for_ms; now += 10) {
        run_virtrigaud(s, v, now);
        play_write(s, w, now);
    }
    wm_auto_json cJSON *object = play_object(s, s->n - 1);

    /* nothing of its is lost; of ours, what it overwrites */
    assert_non_null(find_condition(object, "Validating"));
    assert_string_equal(wm_json_str(object, "/status/message"), v->said);
    assert_only_ours_is_written(s);
}

enum { MINUTE = 60000, HOUR = 3600000 };

/* A write of ours that falls into a round of its is lost, and it hardly rests. */
static void virtrigaud_is_not_fought(void **state)
{
    int gave_up = 0, rounds = 0;

    (void)state;
    for (uint64_t seed = 1; rounds < 10000; seed++) {
        struct play_server s = {.random = seed};
        struct virtrigaud v = {.cache.delay_ms = 300, .busy_until_ms = 6 * HOUR};
        struct play_writer w = {
            WM_CONDITIONS_META, &wm_slot_rules_meta, {.delay_ms = 300}, .patch = WM_BUF_MAX(1 << 16)};

        play_virtrigaud(&s, &v, &w, 6 * HOUR);
        wm_auto_json cJSON *object = play_object(&s, s.n - 1);
        bool stands = find_condition(object, "MigrationProgress") != NULL;

        assert_true(v.overwrites > 0 && w.writes <= wm_slot_rules_meta.losses_max);
        assert_int_equal(w.give_ups, !stands);
        gave_up += w.give_ups;
        rounds += v.rounds;
        assert_true(w.refusals < 5);
        play_writer_done(&w);
        play_done(&s);
    }
    assert_true(gave_up > 0);
}

static void virtrigaud_when_it_is_quiet_again(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        struct play_server s = {.random = seed};
        struct virtrigaud v = {.cache.delay_ms = 300, .busy_until_ms = 5 * MINUTE};
        struct play_writer w = {
            WM_CONDITIONS_META, &wm_slot_rules_meta, {.delay_ms = 300}, .patch = WM_BUF_MAX(1 << 16)};

        play_virtrigaud(&s, &v, &w, 30 * MINUTE);
        wm_auto_json cJSON *object = play_object(&s, s.n - 1);

        assert_true(v.overwrites > 0 && w.slot.losses > 0);
        assert_int_equal(w.give_ups, 0);
        assert_non_null(find_condition(object, "MigrationProgress"));
        play_writer_done(&w);
        play_done(&s);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(mig_controller_has_no_conflicts),
        cmocka_unit_test(virtrigaud_is_not_fought),
        cmocka_unit_test(virtrigaud_when_it_is_quiet_again),
    };

    return cmocka_run_group_tests_name("writing", tests, NULL, NULL);
}
