/* Lookups against an API server that answers by script: what is asked, and what each answer means. */
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "fault_server.h"
#include "unit.h"
#include "waymark/log.h"
#include "webhook/facts_fetch.h"

enum { BUDGET_MS = 400, MAX_OBJECT = 4 << 20 };

struct world {
    struct fault_server *api;
    struct wm_kube *kube;
    struct wm_fetcher *fetcher;
};

static struct world begin(const struct fault *rows, size_t n)
{
    struct world w = {.api = fault_server_start(rows, n, NULL)};
    wm_auto_buf struct wm_buf url = WM_BUF_MAX(100);

    wm_buf_printf(&url, "http://127.0.0.1:%d", fault_server_port(w.api));
    struct wm_kube_access access = {.server = wm_buf_take(&url)};

    assert_int_equal(wm_kube_new(&access, NULL, &w.kube, NULL), WM_OK);
    w.fetcher = wm_fetcher_new(w.kube);
    return w;
}

static void end(struct world *w)
{
    w->kube = wm_kube_free(w->kube);
    w->fetcher = wm_fetcher_free(w->fetcher);
    w->api = fault_server_stop(w->api);
}

/* What `done` was told, `times` written last. */
struct told {
    enum wm_fetch_result result;
    char *text;
    size_t n;
    atomic_int times;
};

static void on_done(void *ctx, enum wm_fetch_result result, char *text, size_t n)
{
    struct told *t = ctx;

    t->result = result;
    t->text = text;
    t->n = n;
    atomic_fetch_add(&t->times, 1);
}

static void wait_for(struct told *t)
{
    for (int i = 0; i < 500 && !t->times; i++)
        usleep(10000);
    assert_int_equal(t->times, 1);
}

static struct wm_query query(enum wm_resource resource, const char *ns, const char *name)
{
    struct wm_query q = {.resource = resource};

    snprintf(q.namespace_, sizeof q.namespace_, "%s", ns);
    snprintf(q.name, sizeof q.name, "%s", name);
    return q;
}

/* --- what an answer means --- */

#define NOT_FOUND(details)                                                                                   \
    "{\"kind\":\"Status\",\"status\":\"Failure\",\"reason\":\"NotFound\",\"code\":404,\"details\":{" details \
    "}}"

static const struct meaning_row {
    const char *name, *object; /* "" = a list */
    struct fault fault;
    enum wm_fetch_result expected;
    enum wm_fact_state state;
} meanings[] = {
    {"there it is", "p", {.body = {"{\"a\":1}"}}, WM_FETCH_FOUND, WM_FACT_FOUND},
    {"a list", "", {.body = {"{\"items\":[]}"}}, WM_FETCH_FOUND, WM_FACT_FOUND},
    {"no such object",
     "p",
     {.status = 404, .body = {NOT_FOUND("\"name\":\"p\",\"kind\":\"migplans\"")}},
     WM_FETCH_ABSENT,
     WM_FACT_ABSENT},
    {"another object is named",
     "p",
     {.status = 404, .body = {NOT_FOUND("\"name\":\"q\"")}},
     WM_FETCH_NO_KIND,
     WM_FACT_UNKNOWN},
    {"no such kind", "p", {.status = 404, .body = {NOT_FOUND("")}}, WM_FETCH_NO_KIND, WM_FACT_UNKNOWN},
    {"no such kind, in words",
     "p",
     {.status = 404, .type = "text/plain", .body = {"404 page not found\n"}},
     WM_FETCH_NO_KIND,
     WM_FACT_UNKNOWN},
    {"no such kind to list",
     "",
     {.status = 404, .body = {NOT_FOUND("\"name\":\"\"")}},
     WM_FETCH_NO_KIND,
     WM_FACT_UNKNOWN},
    {"forbidden",
     "p",
     {.status = 403, .body = {"{\"kind\":\"Status\",\"code\":403}"}},
     WM_FETCH_FORBIDDEN,
     WM_FACT_UNKNOWN},
    {"unauthorized", "p", {.status = 401, .body = {"{}"}}, WM_FETCH_FORBIDDEN, WM_FACT_UNKNOWN},
    {"overloaded",
     "p",
     {.status = 429, .headers = "Retry-After: 1\r\n", .body = {"{}"}},
     WM_FETCH_ERROR,
     WM_FACT_UNKNOWN},
    {"broken", "p", {.status = 500, .body = {"{}"}}, WM_FETCH_ERROR, WM_FACT_UNKNOWN},
    {"cut off", "p", {.body = {"{\"a\":"}, .end = FAULT_RESET}, WM_FETCH_ERROR, WM_FACT_UNKNOWN},
    {"silent", "p", {.end = FAULT_MUTE}, WM_FETCH_TIMEOUT, WM_FACT_UNKNOWN},
    {"silent in the middle",
     "p",
     {.body = {"{\"a\":"}, .end = FAULT_HANG},
     WM_FETCH_TIMEOUT,
     WM_FACT_UNKNOWN},
};

static void check_meaning(void **state)
{
    const struct meaning_row *t = *state;
    struct world w = begin(&t->fault, 1);
    struct wm_query q = query(WM_MIGPLANS, "ns", t->object);
    struct told told = {0};

    wm_fetch(w.fetcher, &q, BUDGET_MS, on_done, &told);
    wait_for(&told);
    assert_string_equal(wm_fetch_result_names[told.result], wm_fetch_result_names[t->expected]);
    assert_int_equal(wm_fetch_state(told.result), t->state);
    if (t->state == WM_FACT_FOUND)
        assert_string_equal(told.text, t->fault.body[0]);
    else
        assert_null(told.text);
    assert_int_equal(fault_server_count(w.api, NULL), 1); /* tried once: there is no time for more */
    free(told.text);
    end(&w);
}

/* --- what is asked --- */

static const struct path_row {
    const char *name;
    enum wm_resource resource;
    const char *ns, *object, *head; /* head NULL = nothing is asked, and the answer is `known` */
    enum wm_fetch_result known;
} paths[] = {
    {"an object", WM_MIGPLANS, "ns", "p.1",
     "GET /apis/migration.openshift.io/v1alpha1/namespaces/ns/migplans/p.1 HTTP", 0},
    {"a list comes from the cache", WM_VMMIGRATIONS, "ns", "",
     "GET /apis/infra.virtrigaud.io/v1beta1/namespaces/ns/vmmigrations?resourceVersion=0 HTTP", 0},
    {"the core group", WM_PVCS, "ns", "c", "GET /api/v1/namespaces/ns/persistentvolumeclaims/c HTTP", 0},
    {"of the cluster", WM_STORAGECLASSES, "", "fast", "GET /apis/storage.k8s.io/v1/storageclasses/fast HTTP",
     0},
    {"a name with a slash", WM_SECRETS, "ns", "a/../b", NULL, WM_FETCH_ABSENT},
    {"a name that leads up", WM_SECRETS, "ns", "..", NULL, WM_FETCH_ABSENT},
    {"a name with a query", WM_SECRETS, "ns", "a?b", NULL, WM_FETCH_ABSENT},
    {"a name with an escape", WM_SECRETS, "ns", "a%2fb", NULL, WM_FETCH_ABSENT},
    {"a namespace with a slash", WM_SECRETS, "a/b", "s", NULL, WM_FETCH_ABSENT},
    {"a list in such a namespace", WM_MIGPLANS, "a/b", "", NULL, WM_FETCH_ERROR},
    {"no namespace", WM_SECRETS, "", "s", NULL, WM_FETCH_ERROR},
};

static void check_path(void **state)
{
    static const struct fault any = {.body = {"{}"}};
    const struct path_row *t = *state;
    struct world w = begin(&any, 1);
    struct wm_query q = query(t->resource, t->ns, t->object);
    struct told told = {0};

    wm_fetch(w.fetcher, &q, BUDGET_MS, on_done, &told);
    wait_for(&told);
    assert_int_equal(told.result, t->head ? WM_FETCH_FOUND : t->known);
    assert_int_equal(fault_server_count(w.api, t->head), t->head ? 1 : 0);
    assert_int_equal(fault_server_count(w.api, NULL), t->head ? 1 : 0);
    free(told.text);
    end(&w);
}

/* --- bounds --- */

static void what_is_larger_than_any_object_is_unknown(void **state)
{
    char *large = calloc(1, MAX_OBJECT + 16);
    struct told told = {0};
    struct wm_query q = query(WM_MIGPLANS, "ns", "p");

    (void)state;
    memset(large, ' ', MAX_OBJECT + 8);
    struct fault row = {.body = {large}};
    struct world w = begin(&row, 1);

    wm_fetch(w.fetcher, &q, 10 * BUDGET_MS, on_done, &told);
    wait_for(&told);
    assert_string_equal(wm_fetch_result_names[told.result], "too-big");
    end(&w);
    free(large);
}

static int count_busy(const struct told *told, int n)
{
    int busy = 0;

    for (int i = 0; i < n; i++)
        busy += told[i].times && told[i].result == WM_FETCH_BUSY;
    return busy;
}

static void check_in_flight(const char *object, int max)
{
    enum { MORE = 3, MOST = 80 };
    static const struct fault mute = {.end = FAULT_MUTE, .times = -1};
    struct world w = begin(&mute, 1);
    struct told told[MOST] = {0};
    struct wm_query q = query(WM_MIGPLANS, "ns", object);

    for (int i = 0; i < max + MORE; i++)
        wm_fetch(w.fetcher, &q, 10 * BUDGET_MS, on_done, &told[i]);
    assert_int_equal(count_busy(told, max), 0);
    assert_int_equal(count_busy(told, max + MORE), MORE); /* at once, none waits in a queue */
    w.kube = wm_kube_free(w.kube);
    for (int i = 0; i < max; i++) {
        assert_int_equal(told[i].times, 1);
        assert_string_equal(wm_fetch_result_names[told[i].result], "error");
    }
    end(&w);
}

static void objects_under_way_are_bounded(void **state)
{
    (void)state;
    check_in_flight("p", 64);
}

static void lists_under_way_are_bounded(void **state)
{
    (void)state;
    check_in_flight("", 4);
}

static void what_is_held_is_bounded_until_it_is_released(void **state)
{
    enum { SIZE = 3 << 20, HELD = 10 }; /* 10 of them fit into 32 MiB */
    char *large = calloc(1, SIZE + 1);
    struct told told[HELD + 2] = {0};
    struct wm_query q = query(WM_MIGPLANS, "ns", "p");

    (void)state;
    memset(large, ' ', SIZE);
    struct fault row = {.body = {large}, .times = -1};
    struct world w = begin(&row, 1);

    for (int i = 0; i < HELD + 2; i++) {
        if (i > HELD)
            wm_fetcher_release(w.fetcher, SIZE);
        wm_fetch(w.fetcher, &q, 10 * BUDGET_MS, on_done, &told[i]);
        wait_for(&told[i]);
        assert_string_equal(wm_fetch_result_names[told[i].result], i == HELD ? "busy" : "found");
        assert_int_equal(told[i].n, i == HELD ? 0 : SIZE);
    }
    for (int i = 0; i < HELD + 2; i++)
        free(told[i].text);
    end(&w);
    free(large);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_larger_than_any_object_is_unknown),
        cmocka_unit_test(objects_under_way_are_bounded),
        cmocka_unit_test(lists_under_way_are_bounded),
        cmocka_unit_test(what_is_held_is_bounded_until_it_is_released),
    };

    wm_log_set_level(WM_LOG_ERROR);
    return RUN_TABLE("what an answer means", meanings, check_meaning) +
           RUN_TABLE("what is asked", paths, check_path) + cmocka_run_group_tests(tests, NULL, NULL);
}
