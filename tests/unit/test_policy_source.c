/* The configuration file while it changes. */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit.h"
#include "waymark/clock.h"
#include "waymark/log.h"
#include "webhook/policy_source.h"

struct fixture {
    char dir[64], file[96];
    struct wm_policy_source *source;
};

#define LIMIT(n) "validation:\n  namespace-limit: " #n "\n"
#define FAULTY "validation:\n  namespace-limit: 0\n"

static void put(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

/* As if it had been written so long ago: modification times then tell of every later write. */
static void put_old(const char *path, const char *text, int64_t seconds)
{
    struct timespec at[2] = {{wm_wall_s() - seconds, 0}, {wm_wall_s() - seconds, 0}};

    put(path, text);
    assert_int_equal(utimensat(AT_FDCWD, path, at, 0), 0);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    snprintf(f->dir, sizeof f->dir, "/tmp/waymark-policy-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    snprintf(f->file, sizeof f->file, "%s/config.yaml", f->dir);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    char command[128];

    wm_policy_source_free(f->source);
    snprintf(command, sizeof command, "rm -rf '%s'", f->dir);
    assert_int_equal(system(command), 0);
    free(f);
    return 0;
}

static void start(struct fixture *f)
{
    struct wm_error err = {0};

    if (wm_policy_source_new(f->file, &f->source, &err) < 0)
        fail_msg("%s: %s", err.where, err.msg);
}

static unsigned limit_in_force(struct fixture *f)
{
    const struct wm_policy *p = wm_policy_acquire(f->source);
    unsigned limit = p->namespace_limit;

    wm_policy_release(f->source, p);
    return limit;
}

static struct wm_policy_source_stats stats(struct fixture *f)
{
    struct wm_policy_source_stats s;

    wm_policy_source_stats(f->source, &s);
    return s;
}

/* What polls write to the log. */
static void poll_logged(struct fixture *f, int times, char *ret, size_t size)
{
    FILE *log = tmpfile();
    int saved = dup(STDERR_FILENO);

    dup2(fileno(log), STDERR_FILENO);
    wm_log_set_level(WM_LOG_INFO);
    for (int i = 0; i < times; i++)
        wm_policy_source_poll(f->source);
    wm_log_set_level(WM_LOG_ERROR);
    dup2(saved, STDERR_FILENO);
    close(saved);
    rewind(log);
    ret[fread(ret, 1, size - 1, log)] = '\0';
    fclose(log);
}

static void no_file_is_the_defaults_for_ever(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(wm_policy_source_new(NULL, &f->source, NULL), WM_OK);
    wm_policy_source_poll(f->source);
    assert_int_equal(limit_in_force(f), 10);
    assert_int_equal(stats(f).loads, 1);
    assert_false(stats(f).faulty);
}

static void a_start_needs_a_good_file(void **state)
{
    struct fixture *f = *state;
    struct wm_error err = {0};
    char place[128];

    assert_int_equal(wm_policy_source_new(f->file, &f->source, &err), WM_E_NOT_FOUND);
    put(f->file, FAULTY);
    assert_int_equal(wm_policy_source_new(f->file, &f->source, &err), WM_E_INVALID);
    snprintf(place, sizeof place, "%s:2:3", f->file);
    assert_string_equal(err.where, place);
    assert_int_equal(wm_policy_source_new(f->dir, &f->source, &err), WM_E_INVALID);
    assert_non_null(strstr(err.msg, "regular file"));
    assert_null(f->source);
    put(f->file, "");
    start(f);
    assert_int_equal(limit_in_force(f), 10);
}

static void a_change_is_taken_up(void **state)
{
    struct fixture *f = *state;
    char log[2048];

    put_old(f->file, LIMIT(3), 3600);
    start(f);
    assert_int_equal(limit_in_force(f), 3);
    poll_logged(f, 3, log, sizeof log);
    assert_string_equal(log, "");
    put(f->file, LIMIT(4));
    poll_logged(f, 3, log, sizeof log);
    assert_int_equal(limit_in_force(f), 4);
    assert_non_null(strstr(log, "\"policy_loaded\""));
    assert_int_equal(stats(f).loads, 2);
    assert_true(stats(f).loaded_s >= wm_wall_s() - 60);
}

/* Kernels stamp files by the tick: two writes may look the same from outside. */
static void a_write_within_the_clocks_grain_is_seen(void **state)
{
    struct fixture *f = *state;

    put_old(f->file, LIMIT(3), 0);
    start(f);
    put_old(f->file, LIMIT(4), 0);
    wm_policy_source_poll(f->source);
    assert_int_equal(limit_in_force(f), 4);
}

static void a_touch_is_no_change(void **state)
{
    struct fixture *f = *state;

    put_old(f->file, LIMIT(3), 3600);
    start(f);
    put_old(f->file, LIMIT(3), 1800);
    wm_policy_source_poll(f->source);
    assert_int_equal(stats(f).loads, 1);
}

static void a_faulty_file_leaves_the_old_policy_and_says_so_once(void **state)
{
    struct fixture *f = *state;
    char log[2048], place[128];

    put_old(f->file, LIMIT(3), 3600);
    start(f);
    put_old(f->file, FAULTY, 1800);
    poll_logged(f, 3, log, sizeof log);
    snprintf(place, sizeof place, "%s:2:3", f->file);
    assert_non_null(strstr(log, place));
    char *said = strstr(log, "\"policy_refused\"");

    assert_non_null(said);
    assert_non_null(strstr(said, "the policy in force stays"));
    assert_null(strstr(said + 2, "policy_refused"));
    assert_int_equal(limit_in_force(f), 3);
    assert_true(stats(f).faulty);
    assert_int_equal(stats(f).refused, 1);
    put(f->file, FAULTY); /* written again, it is no news */
    wm_policy_source_poll(f->source);
    put(f->file, LIMIT(5));
    wm_policy_source_poll(f->source);
    assert_int_equal(limit_in_force(f), 5);
    assert_false(stats(f).faulty);
    put(f->file, FAULTY "  modes: 1\n");
    wm_policy_source_poll(f->source);
    put(f->file, LIMIT(5));
    wm_policy_source_poll(f->source);
    assert_false(stats(f).faulty);
    assert_int_equal(stats(f).refused, 2);
    assert_int_equal(stats(f).loads, 3);
}

/* A key that is misspelt must not pass for a section that is not there. */
static void what_a_restart_would_refuse_is_refused(void **state)
{
    struct fixture *f = *state;

    put_old(f->file, "drain-s: 5\n" LIMIT(3), 3600);
    start(f);
    put(f->file, "validaton:\n  namespace-limit: 4\n");
    wm_policy_source_poll(f->source);
    assert_true(stats(f).faulty);
    put(f->file, "drain-s: long\n" LIMIT(4));
    wm_policy_source_poll(f->source);
    assert_int_equal(limit_in_force(f), 3);
    assert_int_equal(stats(f).refused, 2);
}

static void a_file_that_vanishes_is_refused_and_may_come_back(void **state)
{
    struct fixture *f = *state;
    char log[2048];

    put_old(f->file, LIMIT(3), 3600);
    start(f);
    unlink(f->file);
    poll_logged(f, 3, log, sizeof log);
    char *said = strstr(log, "\"policy_refused\"");

    assert_non_null(said);
    assert_null(strstr(said + 2, "policy_refused"));
    assert_int_equal(limit_in_force(f), 3);
    assert_true(stats(f).faulty);
    put_old(f->file, LIMIT(3), 3600);
    wm_policy_source_poll(f->source);
    assert_false(stats(f).faulty);
    assert_int_equal(limit_in_force(f), 3);
}

/* config.yaml -> ..data/config.yaml, ..data -> ..1: as the kubelet writes ConfigMaps. */
static void mount_version(struct fixture *f, const char *version, const char *text)
{
    char path[160], next[96], data[96];

    snprintf(path, sizeof path, "%s/%s", f->dir, version);
    assert_int_equal(mkdir(path, 0755), 0);
    snprintf(path, sizeof path, "%s/%s/config.yaml", f->dir, version);
    put_old(path, text, 3600);
    snprintf(next, sizeof next, "%s/..data_tmp", f->dir);
    snprintf(data, sizeof data, "%s/..data", f->dir);
    assert_int_equal(symlink(version, next), 0);
    assert_int_equal(rename(next, data), 0);
}

static void a_mounted_config_map_is_followed(void **state)
{
    struct fixture *f = *state;

    mount_version(f, "..1", LIMIT(3));
    assert_int_equal(symlink("..data/config.yaml", f->file), 0);
    start(f);
    assert_int_equal(limit_in_force(f), 3);
    mount_version(f, "..2", LIMIT(4));
    wm_policy_source_poll(f->source);
    assert_int_equal(limit_in_force(f), 4);
    mount_version(f, "..3", FAULTY);
    wm_policy_source_poll(f->source);
    assert_int_equal(limit_in_force(f), 4);
    assert_true(stats(f).faulty);
}

static void what_is_held_stays_as_it_is(void **state)
{
    struct fixture *f = *state;

    put(f->file, LIMIT(3));
    start(f);
    const struct wm_policy *first = wm_policy_acquire(f->source), *again = wm_policy_acquire(f->source);

    assert_ptr_equal(first, again);
    put(f->file, LIMIT(4));
    wm_policy_source_poll(f->source);
    const struct wm_policy *second = wm_policy_acquire(f->source);

    put(f->file, LIMIT(5));
    wm_policy_source_poll(f->source);
    wm_policy_release(f->source, again);
    assert_int_equal(first->namespace_limit, 3);
    assert_int_equal(second->namespace_limit, 4);
    wm_policy_release(f->source, first);
    assert_int_equal(second->namespace_limit, 4);
    wm_policy_release(f->source, second);
    assert_int_equal(limit_in_force(f), 5);
}

/* --- threads --- */

struct crowd {
    struct fixture *f;
    _Atomic bool done;
    _Atomic int wrong;
};

static void *read_policies(void *p)
{
    struct crowd *c = p;

    while (!atomic_load(&c->done)) {
        const struct wm_policy *policy = wm_policy_acquire(c->f->source);
        enum wm_mode modes[WM_RULES_MAX];
        unsigned before = policy->namespace_limit;

        wm_policy_modes(policy, "x", &(struct wm_requester){0}, modes);
        if (before != policy->namespace_limit || (before != 3 && before != 4))
            atomic_fetch_add(&c->wrong, 1);
        wm_policy_release(c->f->source, policy);
    }
    return NULL;
}

static void *poll_file(void *p)
{
    struct crowd *c = p;

    while (!atomic_load(&c->done)) {
        struct wm_policy_source_stats s;

        wm_policy_source_poll(c->f->source);
        wm_policy_source_stats(c->f->source, &s);
    }
    return NULL;
}

static void threads_do_not_get_in_each_others_way(void **state)
{
    static void *(*const work[])(void *) = {read_policies, read_policies, read_policies, poll_file,
                                            poll_file};
    static const char *const texts[] = {LIMIT(3), FAULTY, LIMIT(4), "validation: ["};
    enum { THREADS = sizeof work / sizeof work[0] };
    struct crowd crowd = {.f = *state};
    pthread_t threads[THREADS];
    char next[128];

    put(crowd.f->file, LIMIT(3));
    start(crowd.f);
    snprintf(next, sizeof next, "%s/next", crowd.f->dir);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, work[i], &crowd), 0);
    for (int i = 0; i < 200; i++) {
        put(next, texts[i % 4]);
        assert_int_equal(rename(next, crowd.f->file), 0);
        usleep(1000);
    }
    atomic_store(&crowd.done, true);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(atomic_load(&crowd.wrong), 0);
    assert_true(stats(crowd.f).loads > 1);
    assert_true(stats(crowd.f).refused > 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(no_file_is_the_defaults_for_ever),
        T(a_start_needs_a_good_file),
        T(a_change_is_taken_up),
        T(a_write_within_the_clocks_grain_is_seen),
        T(a_touch_is_no_change),
        T(a_faulty_file_leaves_the_old_policy_and_says_so_once),
        T(what_a_restart_would_refuse_is_refused),
        T(a_file_that_vanishes_is_refused_and_may_come_back),
        T(a_mounted_config_map_is_followed),
        T(what_is_held_stays_as_it_is),
        T(threads_do_not_get_in_each_others_way),
    };

    wm_log_set_level(WM_LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
