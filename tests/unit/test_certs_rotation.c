/* Managers of certificates: rotation and repair without a gap, and API servers that refuse. */
#include <unistd.h>

#include "certs_fixture.h"
#include "waymark/clock.h"
#include "waymark/log.h"

/* Before the last replica has seen that it is alone, all is at rest with the old names. */
static bool at_rest_with_the_new_name(struct fixture *f)
{
    wm_auto_free char *cert = cert_of(&f->replicas[1]);

    return cert &&
           wm_cert_check_names(wm_str_of(cert), (const char *const[]){"new.example", NULL}, NULL) == WM_OK &&
           at_rest(f);
}

static void a_changed_name_rotates_without_a_gap(void **state)
{
    struct fixture *f = *state;

    install_config(f->api);
    start(f, 0);
    assert_soon(f, at_rest);
    wm_auto_free char *before = cert_of(&f->replicas[0]);

    start_with(f, 1, 0, "new.example");
    assert_soon(f, both_trusted);
    stop(&f->replicas[0]); /* the rollout ends */
    assert_soon_without_a_gap(f, at_rest_with_the_new_name);
    wm_auto_free char *after = cert_of(&f->replicas[1]);

    assert_string_not_equal(before, after);
}

static void a_pair_that_ages_rotates_without_a_gap(void **state)
{
    struct fixture *f = *state;

    install_config(f->api);
    start_with(f, 0, 60, NULL); /* due when 20 s are left */
    start_with(f, 1, 60, NULL);
    assert_soon(f, at_rest);
    wm_auto_free char *before = cert_of(&f->replicas[0]);

    /* make it due now: a validity of 60 s was made 41 s ago */
    WM_AUTO(wm_cert_pems_done) struct wm_cert_pems old = {0};
    wm_auto_names char **names =
        wm_cert_service_names("hook", "ns", (const char *const[]){"127.0.0.1", NULL});
    struct wm_cert_spec spec = {(const char *const *)names, wm_wall_s() - 41, 60};
    (void)before;

    assert_int_equal(wm_cert_issue(&spec, &old, NULL), WM_OK);
    stop(&f->replicas[0]);
    stop(&f->replicas[1]);
    pthread_mutex_lock(&f->api->lock);
    struct wm_certs_content c = {&old, NULL, {0}, 0};
    wm_auto_buf struct wm_buf json = WM_BUF_MAX(1 << 20);

    assert_int_equal(wm_certs_secret_print(f->api->secret, "ns", "pair", &c, &json, NULL), WM_OK);
    cJSON_Delete(f->api->secret);
    f->api->secret = tree(json.p);
    pthread_mutex_unlock(&f->api->lock);
    start_with(f, 0, 60, NULL);
    start_with(f, 1, 60, NULL);
    assert_soon(f, both_trusted);
    assert_soon_without_a_gap(f, at_rest);
    wm_auto_free char *after = cert_of(&f->replicas[0]);

    assert_string_not_equal(after, old.cert);
}

static void a_deleted_secret_comes_back_and_rotates_without_a_gap(void **state)
{
    struct fixture *f = *state;

    install_config(f->api);
    start(f, 0);
    start(f, 1);
    assert_soon(f, at_rest);
    wm_auto_free char *before = cert_of(&f->replicas[0]);

    pthread_mutex_lock(&f->api->lock);
    cJSON_Delete(f->api->secret);
    f->api->secret = NULL;
    pthread_mutex_unlock(&f->api->lock);
    assert_soon_without_a_gap(f, at_rest);
    wm_auto_free char *after = cert_of(&f->replicas[0]);

    assert_string_not_equal(before, after);
}

static void garbage_is_repaired_without_a_gap(void **state)
{
    struct fixture *f = *state;

    install_config(f->api);
    start(f, 0);
    assert_soon(f, at_rest);
    pthread_mutex_lock(&f->api->lock);
    cJSON_ReplaceItemInObjectCaseSensitive(wm_json_at(f->api->secret, "/data"), "tls.key",
                                           cJSON_CreateString("eA=="));
    bump(f->api, f->api->secret);
    pthread_mutex_unlock(&f->api->lock);
    assert_soon_without_a_gap(f, at_rest);
    assert_int_equal(stats(f, 0).errors, 0);
}

static void an_emptied_bundle_is_filled_again(void **state)
{
    struct fixture *f = *state;

    install_config(f->api);
    start(f, 0);
    assert_soon(f, at_rest);
    install_config(f->api);
    assert_soon(f, at_rest);
    assert_int_equal(writes(f), 3);
}

static void conflicts_are_no_errors(void **state)
{
    struct fixture *f = *state;

    install_config(f->api);
    start(f, 0);
    assert_soon(f, at_rest);
    pthread_mutex_lock(&f->api->lock);
    cJSON_DeleteItemFromObjectCaseSensitive(wm_json_at(f->api->secret, "/data"), "tls.key");
    bump(f->api, f->api->secret);
    f->api->meddle = 3;
    pthread_mutex_unlock(&f->api->lock);
    assert_soon(f, at_rest);
    assert_int_equal(f->api->conflicts, 3);
    assert_int_equal(stats(f, 0).errors, 0);
}

static const struct refusal_row {
    const char *name, *method, *part;
    int status;
    const char *says;
    bool serves; /* meanwhile */
} refusals[] = {
    {"may not get the Secret", "GET", "secrets", 403, "get secrets pair", false},
    {"may not create Secrets", "POST", "secrets", 403, "create secrets pair", false},
    {"may not get the configuration", "GET", "mutating", 403, "get mutatingwebhookconfigurations labels",
     false},
    {"may not get the validating configuration", "GET", "validating", 403,
     "get validatingwebhookconfigurations validation", false},
    {"may not patch the configuration", "PATCH", "mutating", 403,
     "patch mutatingwebhookconfigurations labels", true},
    {"the server is broken", "GET", "secrets", 500, "get secrets pair", false},
    {"the namespace is not there", "POST", "secrets", 404, "create secrets pair", false},
};

static void check_refusal(void **state)
{
    const struct refusal_row *t = *state;
    struct fixture *f = NULL;

    setup((void **)&f);
    install_config(f->api);
    refuse(f, t->method, t->part, t->status);
    start(f, 0);
    assert_soon(f, forbidden);
    assert_soon(f, fails);
    assert_non_null(strstr(stats(f, 0).last_error, t->says));
    assert_int_equal(stats(f, 0).serving, t->serves);
    refuse(f, NULL, NULL, 0);
    assert_soon(f, at_rest);
    assert_soon(f, works);
    teardown((void **)&f);
}

static void when_the_server_is_away_we_serve_on(void **state)
{
    struct fixture *f = *state;

    install_config(f->api);
    start(f, 0);
    assert_soon(f, at_rest);
    refuse(f, "GET", "", 503);
    assert_soon(f, fails);
    assert_true(stats(f, 0).serving);
    assert_int_equal(f->replicas[0].pairs, 1);
    refuse(f, NULL, NULL, 0);
    assert_soon(f, works);
    assert_int_equal(writes(f), 2);
}

static void a_pair_that_the_server_does_not_want_is_replaced(void **state)
{
    struct fixture *f = *state;

    install_config(f->api);
    f->replicas[0].refuse = true;
    start(f, 0);
    assert_soon(f, fails);
    assert_non_null(strstr(stats(f, 0).last_error, "not wanted"));
    pthread_mutex_lock(&f->replicas[0].lock);
    f->replicas[0].refuse = false;
    pthread_mutex_unlock(&f->replicas[0].lock);
    assert_soon(f, at_rest);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FIXTURE(a_changed_name_rotates_without_a_gap),
        IN_FIXTURE(a_pair_that_ages_rotates_without_a_gap),
        IN_FIXTURE(a_deleted_secret_comes_back_and_rotates_without_a_gap),
        IN_FIXTURE(garbage_is_repaired_without_a_gap),
        IN_FIXTURE(an_emptied_bundle_is_filled_again),
        IN_FIXTURE(conflicts_are_no_errors),
        IN_FIXTURE(when_the_server_is_away_we_serve_on),
        IN_FIXTURE(a_pair_that_the_server_does_not_want_is_replaced),
    };

    wm_log_set_level(getenv("V") ? WM_LOG_DEBUG : WM_LOG_ERROR);
    return RUN_TABLE("refused by the API server", refusals, check_refusal) +
           cmocka_run_group_tests(tests, NULL, NULL);
}
