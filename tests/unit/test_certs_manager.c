/* Managers of certificates: from nothing to rest, with what is there, and with settings that do not fit. */
#include <unistd.h>

#include "certs_fixture.h"
#include "waymark/clock.h"
#include "waymark/log.h"

static void from_nothing_to_rest_and_then_no_writes(void **state)
{
    struct fixture *f = *state;

    install_config(f->api);
    start(f, 0);
    assert_soon(f, at_rest);
    assert_int_equal(writes(f), 2); /* the Secret, and both entries in one patch */
    pthread_mutex_lock(&f->api->lock);
    assert_string_equal(wm_json_str(f->api->config, "/webhooks/1/clientConfig/caBundle"), "eA==");
    pthread_mutex_unlock(&f->api->lock);
    sleep(3);
    assert_int_equal(writes(f), 2);
    assert_true(stats(f, 0).trusted);
    assert_int_equal(stats(f, 0).writes, 2);
    assert_int_equal(stats(f, 0).rotations, 1);
    assert_int_equal(stats(f, 0).errors, 0);
    assert_int_equal(stats(f, 0).loads, 1);
    assert_in_range(stats(f, 0).not_after_s - wm_wall_s(), 89 * 86400, 90 * 86400);
}

static void a_second_replica_takes_what_is_there(void **state)
{
    struct fixture *f = *state;

    install_config(f->api);
    start(f, 0);
    assert_soon(f, at_rest);
    start(f, 1);
    assert_soon(f, at_rest);
    assert_int_equal(writes(f), 2);
    assert_int_equal(stats(f, 1).writes, 0);
}

static void replicas_that_start_together_agree(void **state)
{
    struct fixture *f = *state;

    install_config(f->api);
    for (int i = 0; i < MAX_REPLICAS; i++)
        start(f, i);
    assert_soon(f, at_rest);
    for (int i = 0; i < MAX_REPLICAS; i++)
        assert_int_equal(stats(f, i).loads, 1);
}

static void the_configuration_may_come_later(void **state)
{
    struct fixture *f = *state;

    start(f, 0);
    assert_soon(f, serves);
    assert_soon(f, works);
    install_config(f->api);
    assert_soon(f, at_rest);
    assert_int_equal(stats(f, 0).errors, 0);
}

static void a_validating_configuration_is_kept_too(void **state)
{
    struct fixture *f = *state;

    install_config(f->api);
    start(f, 0);
    assert_soon(f, at_rest); /* without one, as everywhere else here: that is no error */
    assert_soon(f, says_trusted);
    install(f->api, &f->api->validating);
    assert_soon(f, at_rest_both);
    assert_int_equal(writes(f), 3);
    install(f->api, &f->api->validating); /* somebody takes the caBundles away */
    assert_soon(f, at_rest_both);
    assert_int_equal(writes(f), 4);
    assert_int_equal(stats(f, 0).errors, 0);
    assert_int_equal(stats(f, 0).rotations, 1);
}

static void a_validating_configuration_alone_will_do(void **state)
{
    struct fixture *f = *state;

    install(f->api, &f->api->validating);
    start(f, 0);
    assert_soon(f, says_trusted);
    assert_int_equal(stats(f, 0).errors, 0);
    assert_int_equal(writes(f), 2);
}

static void an_old_api_server_is_asked_in_its_version(void **state)
{
    struct fixture *f = *state;

    f->api->old = true;
    install_config(f->api);
    start(f, 0);
    assert_soon(f, at_rest);
}

static const struct opts_row {
    const char *name;
    struct wm_certs_manager_opts opts;
    const char *says;
} wrong[] = {
    {"no namespace", {.secret = "s", .service = "h"}, "namespace"},
    {"a Secret that leaves its path", {.namespace_ = "n", .secret = "../x", .service = "h"}, "Secret"},
    {"an empty Service", {.namespace_ = "n", .secret = "s", .service = ""}, "Service"},
    {"kept shorter than it takes",
     {.namespace_ = "n", .secret = "s", .service = "h", .keep_s = 60},
     "kept for"},
    {"a life shorter than a change",
     {.namespace_ = "n", .secret = "s", .service = "h", .validity_s = 300},
     "too short"},
    {"a name that is none",
     {.namespace_ = "n", .secret = "s", .service = "h", .extra_names = (const char *const[]){"a b", NULL}},
     "a b"},
};

static void check_opts(void **state)
{
    const struct opts_row *t = *state;
    struct wm_certs_manager *m = NULL;
    struct wm_error err = {0};

    assert_int_equal(wm_certs_manager_new(&t->opts, &m, &err), WM_E_INVALID);
    assert_non_null(strstr(err.msg, t->says));
    assert_null(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FIXTURE(from_nothing_to_rest_and_then_no_writes),
        IN_FIXTURE(a_second_replica_takes_what_is_there),
        IN_FIXTURE(replicas_that_start_together_agree),
        IN_FIXTURE(the_configuration_may_come_later),
        IN_FIXTURE(a_validating_configuration_is_kept_too),
        IN_FIXTURE(a_validating_configuration_alone_will_do),
        IN_FIXTURE(an_old_api_server_is_asked_in_its_version),
    };

    wm_log_set_level(getenv("V") ? WM_LOG_DEBUG : WM_LOG_ERROR);
    return RUN_TABLE("settings that do not fit", wrong, check_opts) +
           cmocka_run_group_tests(tests, NULL, NULL);
}
