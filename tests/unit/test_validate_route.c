/* POST /validate over the real server, with rules of the test's own in the place of MigHook's, and an API
 * server that answers by script. */
#include <stdio.h>

#include "fault_server.h"
#include "lib/rules/check.h"
#include "server_fixture.h"
#include "unit.h"
#include "waymark/clock.h"
#include "waymark/log.h"
#include "webhook/routes.h"
#include "webhook/telemetry.h"
#include "webhook/validate_route.h"

/* --- the rules: a linker takes these instead of the library's --- */

enum { BAD, CHAIN, MISSING, N_RULES };
static const struct wm_rule rules[N_RULES] = {
    [BAD] = {"hook/bad", WM_ON_CREATE, false, WM_MODE_ENFORCE, WM_CAUSE_INVALID, "bad", "", "It is bad.",
             "make it good"},
    [CHAIN] = {"hook/chain", WM_ON_CREATE, true, WM_MODE_ENFORCE, WM_CAUSE_INVALID, "first", "",
               "The last in the chain is bad.", "make it good"},
    [MISSING] = {"hook/missing", WM_ON_CREATE, true, WM_MODE_WARN, WM_CAUSE_NOT_FOUND, "all", "",
                 "One of them is missing.", "create it"},
};

static void check_bad(struct wm_check *c)
{
    if (wm_is_true(c->s->spec, "bad"))
        wm_report(c, &rules[BAD], "spec.bad", (struct wm_json_span){0}, "it says so");
}

/* spec.first names a plan, whose spec.next names another, and so on; the last may be bad. */
static void check_chain(struct wm_check *c)
{
    struct wm_json_value plan, at = c->s->spec;
    const char *key = "first";
    wm_name name;

    while (wm_span_copy(wm_get_span(at, key), name, sizeof name)) {
        if (wm_ask(c, &rules[CHAIN], WM_MIGPLANS, c->s->namespace_, name, &plan) != WM_FACT_FOUND)
            return;
        at = wm_json_get(plan, "spec");
        key = "next";
    }
    if (wm_is_true(at, "bad") && at.of != c->s->spec.of)
        wm_report(c, &rules[CHAIN], "spec.first", (struct wm_json_span){0}, "its last is bad");
}

static void check_all(struct wm_check *c)
{
    struct wm_json_value found;
    wm_name name;

    for (struct wm_json_value v = wm_json_first(wm_spec(c, "all")); v.node; v = wm_json_after(v))
        if (wm_span_copy(wm_json_span_of(v), name, sizeof name) &&
            wm_ask(c, &rules[MISSING], WM_SECRETS, c->s->namespace_, name, &found) == WM_FACT_ABSENT)
            wm_report(c, &rules[MISSING], "spec.all", wm_json_span_of(v), "there is no such Secret");
}

static void (*const checks[])(struct wm_check *) = {check_bad, check_chain, check_all, NULL};
const struct wm_rule_set wm_hook_rules = {rules, N_RULES, checks};

/* --- the program around them --- */

struct world {
    struct fault_server *api;
    struct wm_kube *kube;
    struct wm_fetcher *fetcher;
    struct wm_validator validator;
    struct wm_routes routes;
    struct fixture server;
};

static struct world *begin(const struct fault *rows, size_t n)
{
    struct world *w = wm_xcalloc(1, sizeof *w);
    wm_auto_buf struct wm_buf url = WM_BUF_MAX(100);

    w->api = fault_server_start(rows, n, NULL);
    wm_buf_printf(&url, "http://127.0.0.1:%d", fault_server_port(w->api));
    struct wm_kube_access access = {.server = wm_buf_take(&url)};

    assert_int_equal(wm_kube_new(&access, NULL, &w->kube, NULL), WM_OK);
    w->validator.fetcher = w->fetcher = wm_fetcher_new(w->kube);
    w->validator.budget_ms = 5000;
    assert_int_equal(wm_policy_source_new(NULL, &w->validator.policies, NULL), WM_OK);
    w->routes = (struct wm_routes){
        {{"/elsewhere", wm_validate_handle, NULL}, {"/validate", wm_validate_handle, &w->validator}}, 2};
    w->server = fixture_start(&(struct wm_server_opts){.wants = wm_routes_wants,
                                                       .handle = wm_routes_handle,
                                                       .error_body = wm_routes_error_body,
                                                       .turn_end = wm_routes_turn_end,
                                                       .ctx = &w->routes});
    return w;
}

static void end(struct world *w)
{
    fixture_end(&w->server, 1000);
    wm_kube_free(w->kube);
    wm_fetcher_free(w->fetcher);
    wm_policy_source_free(w->validator.policies);
    fault_server_stop(w->api);
    free(w);
}

/* --- asking --- */

static cJSON *answer_of(struct client *c, int status)
{
    struct answer a = client_answer(c);
    cJSON *doc = NULL;

    assert_int_equal(a.status, status);
    assert_int_equal(wm_json_parse(wm_buf_text(&a.body), &doc, NULL), WM_OK);
    wm_buf_done(&a.body);
    return doc;
}

static void post_review(struct client *c, const char *path, const char *kind, const char *spec)
{
    wm_auto_buf struct wm_buf body = WM_BUF_MAX(64 << 10);

    wm_buf_printf(&body,
                  "{\"apiVersion\":\"admission.k8s.io/v1\",\"kind\":\"AdmissionReview\",\"request\":{\"uid\":"
                  "\"u-1\",\"kind\":{\"group\":\"migration.openshift.io\",\"version\":\"v1alpha1\",\"kind\":"
                  "\"%s\"},\"operation\":\"CREATE\",\"namespace\":\"ns\",\"name\":\"h\",\"object\":{"
                  "\"metadata\":{\"name\":\"h\",\"namespace\":\"ns\"},\"spec\":%s}}}",
                  kind, spec);
    assert_true(client_post(c, path, body.p, body.n));
}

static cJSON *ask(struct world *w, const char *path, const char *kind, const char *spec)
{
    struct client c = fixture_client(&w->server);

    post_review(&c, path, kind, spec);
    cJSON *doc = answer_of(&c, 200);

    client_close(&c);
    assert_string_equal(wm_json_str(doc, "/response/uid"), "u-1");
    return doc;
}

/* How often the metrics say so, since the process began. */
static long counted(const char *line)
{
    wm_auto_buf struct wm_buf page = WM_BUF_MAX(1 << 20);

    wm_telemetry_validation(&page, NULL);
    const char *at = strstr(page.p, line);

    assert_non_null(at);
    return strtol(at + strlen(line), NULL, 10);
}

/* --- one review each --- */

#define PLAN(name) "/migplans/" name " HTTP"
#define SECRET(name) "/secrets/" name " HTTP"
#define ABSENT(name)                                                                                         \
    .status = 404, .body = {"{\"kind\":\"Status\",\"code\":404,\"details\":{\"name\":\"" name "\"}}"}

static const struct verdict_row {
    const char *name, *kind, *spec;
    struct fault api[4];
    bool no_fetcher;
    const char *word; /* of the metric */
    const char *says; /* in the answer; NULL = nothing is asked for */
    int requests;
} verdicts[] = {
    {"good by itself", "MigHook", "{}", {{0}}, false, "allowed", NULL, 0},
    {"bad by itself",
     "MigHook",
     "{\"bad\":true}",
     {{0}},
     false,
     "denied",
     "spec.bad: it says so; make it good (hook/bad)",
     0},
    {"a kind without rules", "MigAnalytic", "{\"bad\":true}", {{0}}, false, "skipped", NULL, 0},
    {"what it refers to is there",
     "MigHook",
     "{\"all\":[\"a\",\"b\"]}",
     {{.match = SECRET("a"), .body = {"{}"}}, {.match = SECRET("b"), .body = {"{}"}}},
     false,
     "allowed",
     NULL,
     2},
    {"one that it refers to is not",
     "MigHook",
     "{\"all\":[\"a\",\"b\"]}",
     {{.match = SECRET("a"), .body = {"{}"}}, {.match = SECRET("b"), ABSENT("b")}},
     false,
     "warned",
     "\\\"b\\\": there is no such Secret",
     2},
    {"one that may not be read",
     "MigHook",
     "{\"all\":[\"a\"]}",
     {{.match = SECRET("a"), .status = 403, .body = {"{}"}}},
     false,
     "cannot-tell",
     "\"cannot-tell\":\"hook/missing\"",
     1},
    {"no lookups",
     "MigHook",
     "{\"all\":[\"a\"]}",
     {{0}},
     true,
     "cannot-tell",
     "\"cannot-tell\":\"hook/missing\"",
     0},
    {"a name that nothing can have",
     "MigHook",
     "{\"all\":[\"../a\"]}",
     {{0}},
     false,
     "warned",
     "there is no such Secret",
     0},
    {"the third of a chain is bad",
     "MigHook",
     "{\"first\":\"a\"}",
     {{.match = PLAN("a"), .body = {"{\"spec\":{\"next\":\"b\"}}"}},
      {.match = PLAN("b"), .body = {"{\"spec\":{\"next\":\"c\"}}"}},
      {.match = PLAN("c"), .body = {"{\"spec\":{\"bad\":true}}"}}},
     false,
     "denied",
     "spec.first: its last is bad",
     3},
    {"a chain that is too long",
     "MigHook",
     "{\"first\":\"a\"}",
     {{.match = PLAN("a"), .body = {"{\"spec\":{\"next\":\"b\"}}"}},
      {.match = PLAN("b"), .body = {"{\"spec\":{\"next\":\"c\"}}"}},
      {.match = PLAN("c"), .body = {"{\"spec\":{\"next\":\"d\"}}"}}},
     false,
     "cannot-tell",
     "\"cannot-tell\":\"hook/chain\"",
     3},
    {"bad, whatever else cannot be told",
     "MigHook",
     "{\"bad\":true,\"all\":[\"a\"]}",
     {{.match = SECRET("a"), .status = 500, .body = {"{}"}}},
     false,
     "denied",
     "\"cannot-tell\":\"hook/missing\"",
     1},
    {"an answer that is no object",
     "MigHook",
     "{\"all\":[\"a\"]}",
     {{.match = SECRET("a"), .body = {"[1,2"}}},
     false,
     "cannot-tell",
     "\"cannot-tell\":\"hook/missing\"",
     1},
};

static void check_verdict(void **state)
{
    const struct verdict_row *t = *state;
    size_t n = 0;
    char line[128];

    while (n < 4 && t->api[n].match)
        n++;
    struct world *w = begin(t->api, n);

    if (t->no_fetcher)
        w->validator.fetcher = NULL;
    snprintf(line, sizeof line, "waymark_validations_total{kind=\"%s\",verdict=\"%s\"} ",
             strcmp(t->word, "skipped") == 0 ? "other" : t->kind, t->word);
    long before = counted(line);
    wm_auto_json cJSON *doc = ask(w, "/validate?timeout=3s", t->kind, t->spec);
    wm_auto_buf struct wm_buf text = WM_BUF_MAX(1 << 20);

    wm_json_print(doc, &text, NULL);
    assert_int_equal(wm_json_bool(doc, "/response/allowed"), strcmp(t->word, "denied") != 0);
    if (t->says && !strstr(text.p, t->says))
        fail_msg("%s is not in %s", t->says, text.p);
    assert_int_equal(counted(line), before + 1);
    assert_int_equal(fault_server_count(w->api, NULL), t->requests);
    end(w);
}

/* --- time --- */

static void lookups_of_a_round_are_made_together(void **state)
{
    static const struct fault slow = {.body = {"{}"}, .delay_ms = 400, .times = -1};
    struct world *w = begin(&slow, 1);
    int64_t began_ms = wm_mono_ms();
    wm_auto_json cJSON *doc = ask(w, "/validate?timeout=5s", "MigHook",
                                  "{\"all\":[\"a\",\"b\",\"c\",\"d\",\"e\",\"f\",\"g\",\"h\"]}");

    (void)state;
    assert_true(wm_mono_ms() - began_ms < 8 * 400 / 2);
    assert_null(wm_json_at(doc, "/response/auditAnnotations"));
    assert_int_equal(fault_server_count(w->api, NULL), 8);
    end(w);
}

static void check_deadline(const char *path, int budget_ms, int64_t least_ms, int64_t most_ms)
{
    static const struct fault mute = {.end = FAULT_MUTE, .times = -1};
    struct world *w = begin(&mute, 1);

    w->validator.budget_ms = budget_ms;
    int64_t began_ms = wm_mono_ms();
    wm_auto_json cJSON *doc = ask(w, path, "MigHook", "{\"all\":[\"a\",\"b\"],\"first\":\"p\"}");

    assert_in_range(wm_mono_ms() - began_ms, least_ms, most_ms);
    assert_true(wm_json_bool(doc, "/response/allowed"));
    assert_string_equal(wm_json_str(doc, "/response/auditAnnotations/cannot-tell"),
                        "hook/chain,hook/missing");
    end(w);
}

static void an_api_server_that_is_silent_ends_with_the_callers_time(void **state)
{
    (void)state;
    check_deadline("/validate?timeout=1s", 5000, 700, 2500);
}

static void or_with_our_own(void **state)
{
    (void)state;
    check_deadline("/validate?timeout=30s", 300, 250, 2000);
}

static void without_time_nothing_is_asked(void **state)
{
    (void)state;
    check_deadline("/validate?timeout=100ms", 5000, 0, 500);
}

/* The client is gone when the answers come; fixture_end finds nothing left. */
static void a_client_may_leave(void **state)
{
    static const struct fault slow = {.body = {"{}"}, .delay_ms = 300, .times = -1};
    struct world *w = begin(&slow, 1);
    struct client c = fixture_client(&w->server);

    (void)state;
    post_review(&c, "/validate", "MigHook", "{\"all\":[\"a\"]}");
    assert_true(fault_server_wait(w->api, SECRET("a"), 1, 2000));
    client_close(&c);
    end(w);
}

static void what_is_under_way_is_answered_when_the_way_to_the_api_server_ends(void **state)
{
    static const struct fault mute = {.end = FAULT_MUTE, .times = -1};
    struct world *w = begin(&mute, 1);
    struct client c = fixture_client(&w->server);

    (void)state;
    post_review(&c, "/validate", "MigHook", "{\"all\":[\"a\"]}");
    assert_true(fault_server_wait(w->api, SECRET("a"), 1, 2000));
    w->kube = wm_kube_free(w->kube);
    wm_auto_json cJSON *doc = answer_of(&c, 200);

    assert_true(wm_json_bool(doc, "/response/allowed"));
    client_close(&c);
    end(w);
}

/* --- what is refused --- */

static const struct refusal_row {
    const char *name, *request;
    int status;
    const char *says;
} refusals[] = {
    {"another path", "POST /other HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", 404,
     "POST /elsewhere or /validate"},
    {"another method", "GET /validate HTTP/1.1\r\nHost: a\r\n\r\n", 405, "POST"},
    {"another type",
     "POST /validate HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\nContent-Length: 0\r\n\r\n", 415,
     "application/json"},
    {"no review",
     "POST /validate HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
     400, "apiVersion"},
};

static void check_refusal(void **state)
{
    const struct refusal_row *t = *state;
    struct world *w = begin(NULL, 0);
    struct client c = fixture_client(&w->server);

    assert_true(client_puts(&c, t->request));
    wm_auto_json cJSON *doc = answer_of(&c, t->status);

    assert_string_equal(wm_json_str(doc, "/kind"), "Status");
    assert_non_null(strstr(wm_json_str(doc, "/message"), t->says));
    client_close(&c);
    end(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lookups_of_a_round_are_made_together),
        cmocka_unit_test(an_api_server_that_is_silent_ends_with_the_callers_time),
        cmocka_unit_test(or_with_our_own),
        cmocka_unit_test(without_time_nothing_is_asked),
        cmocka_unit_test(a_client_may_leave),
        cmocka_unit_test(what_is_under_way_is_answered_when_the_way_to_the_api_server_ends),
    };

    wm_log_set_level(WM_LOG_ERROR);
    return RUN_TABLE("a review's verdict", verdicts, check_verdict) +
           RUN_TABLE("what is refused", refusals, check_refusal) + cmocka_run_group_tests(tests, NULL, NULL);
}
