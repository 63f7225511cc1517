/* What is done about watches that may not be trusted: audits, and connections made anew. */
#include <stdio.h>
#include <unistd.h>

#include "watch_fixture.h"
#include "waymark/clock.h"

/* An audit every second or two, at the end of the watch that is then running. */
#define LONG_WATCH(rv, ...)                                                                                  \
    {                                                                                                        \
        .match = "watch=1&resourceVersion=" rv "&", .body = {__VA_ARGS__}, .between_ms = 2100                \
    }

static const struct audit_row {
    const char *name;
    struct fault rows[8];
    const char *notes;
    int audits;
    bool stream;
} audits[] = {
    {"one list from the cache of the very version that the sink holds",
     {{.match = IS_LIST "=500&resourceVersion=0 ", .body = {LIST("10", OBJ("a", "3"))}},
      LONG_WATCH("10", BOOKMARK("11")),
      {.match = PATH "?resourceVersion=11 ", .body = {LIST("11", OBJ("a", "3") "," OBJ("lost", "4"))}},
      {.match = "watch=1&resourceVersion=11&", .body = {EVENT("ADDED", "b", "12")}, .end = FAULT_HANG}},
     "begin +a@3 end synced begin +a@3 +lost@4 end +b@12 ",
     1},
    {"another version: the list counts, as an audit it says nothing",
     {{.match = IS_LIST "=500&resourceVersion=0 ", .body = {LIST("10", "")}},
      LONG_WATCH("10", BOOKMARK("11")),
      {.match = PATH "?resourceVersion=11 ", .body = {LIST("12", OBJ("new", "12"))}},
      {.match = "watch=1&resourceVersion=12&", .body = {EVENT("ADDED", "b", "13")}, .end = FAULT_HANG}},
     "begin end synced begin +new@12 end +b@13 ",
     0},
    {"a list, also where first lists are streamed",
     {{.match = "sendInitialEvents",
       .body = {"{\"type\":\"BOOKMARK\",\"object\":{\"metadata\":{\"resourceVersion\":\"10\",\"annotations\":"
                "{\"k8s.io/initial-events-end\":\"true\"}}}}\n",
                BOOKMARK("11")}},
      LONG_WATCH("11", BOOKMARK("12")),
      {.match = PATH "?resourceVersion=12 ", .body = {LIST("12", "")}},
      {.match = "watch=1&resourceVersion=12&", .body = {EVENT("ADDED", "b", "13")}, .end = FAULT_HANG}},
     "begin end synced begin end +b@13 ",
     1,
     true},
    {"one that fails is a list like others, and its rest is no audit",
     {{.match = IS_LIST "=500&resourceVersion=0 ", .body = {LIST("10", "")}},
      LONG_WATCH("10", BOOKMARK("11")),
      {.match = PATH "?resourceVersion=11 ", .status = 503},
      {.match = PATH "?resourceVersion=11 ", .body = {LIST("11", "")}},
      {.match = "watch=1&resourceVersion=11&", .body = {EVENT("ADDED", "b", "12")}, .end = FAULT_HANG}},
     "begin end synced unreachable begin end synced +b@12 ",
     0},
};

static void check_audit(void **state)
{
    const struct audit_row *r = *state;
    struct setup s = {.spec = {.audit_s = 1, .stream = r->stream}};
    size_t n = 0;

    while (n < 8 && r->rows[n].match)
        n++;
    begin(&s, r->rows, n);
    expect_notes(&s, r->notes);
    assert_int_equal(stats_of(&s).audits, r->audits);
    finish(&s);
}

static void without_an_audit_no_list_is_made(void **state)
{
    struct setup s = {0};

    (void)state;
    BEGIN(&s, {.match = IS_LIST, .body = {LIST("10", "")}}, LONG_WATCH("10", BOOKMARK("11")), QUIET_WATCH);
    expect_requests(&s, "watch=1&resourceVersion=11&", 1);
    assert_int_equal(stats_of(&s).lists, 1);
    finish(&s);
}

/* Connections that are there already may lead through the same dead proxy. */
static void all_watches_are_reconnected_from_where_they_were(void **state)
{
    struct setup s = {0}, other = {.spec = {.path = "/other"}};
    struct wm_kube_request version = {.method = "GET", .path = "/version"};

    (void)state;
    BEGIN(&s, {.match = "/version", .body = {"{}"}}, {.match = IS_LIST, .body = {LIST("10", "")}},
          {.match = "/other?limit", .body = {LIST("20", "")}},
          {.match = "watch=1&resourceVersion=10&", .body = {BOOKMARK("11")}, .end = FAULT_HANG},
          {.match = "watch=1&resourceVersion=11&", .body = {EVENT("ADDED", "a", "12")}, .end = FAULT_HANG},
          QUIET_WATCH);
    struct wm_watch_sink sink = sink_of(&other.notes);

    pthread_mutex_init(&other.notes.lock, NULL);
    other.notes.text = WM_BUF_MAX(1 << 20);
    assert_int_equal(wm_watch_start(s.kube, &other.spec, &sink, &other.watch, NULL), WM_OK);
    expect_notes(&s, "synced ");
    expect_notes(&other, "synced ");
    expect_requests(&s, IS_WATCH, 2);
    while (stats_of(&s).bookmarks == 0)
        usleep(1000);
    assert_int_equal(wm_kube_call(s.kube, &version, NULL, NULL, NULL), WM_OK);
    int before = fault_server_connections(s.server);

    wm_watches_reconnect(s.kube);
    expect_notes(&s, "begin end synced +a@12 ");
    expect_requests(&s, "resourceVersion=20&", 2);
    assert_int_equal(fault_server_connections(s.server), before + 2);
    assert_int_equal(stats_of(&s).lists, 1);
    wm_watch_stop(other.watch);
    assert_string_equal(other.notes.text.p, "begin end synced ");
    wm_buf_done(&other.notes.text);
    finish(&s);
}

static void a_field_selector_is_in_every_query(void **state)
{
    struct setup s = {.spec = {.label_selector = "a=b", .field_selector = "metadata.name=x"}};

    (void)state;
    BEGIN(&s, QUIET_WATCH, {.match = PATH, .body = {LIST("10", "")}});
    expect_requests(&s, "?labelSelector=a%3Db&fieldSelector=metadata.name%3Dx&", 2);
    finish(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_an_audit_no_list_is_made),
        cmocka_unit_test(all_watches_are_reconnected_from_where_they_were),
        cmocka_unit_test(a_field_selector_is_in_every_query),
    };

    return RUN_TABLE("audits", audits, check_audit) + cmocka_run_group_tests(tests, NULL, NULL);
}
