/* List and watch against a server that misbehaves by script: what is asked, and what the sink sees. */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "watch_fixture.h"
#include "waymark/clock.h"

/* --- scripts as rows: what the server does, what must be asked, what the sink must be told --- */

static const struct watch_script scripts[] = {
    {"the first list is from the cache, the watch from the list's version",
     {{.match = IS_LIST "=500&resourceVersion=0 ", .body = {LIST("10", OBJ("a", "3") "," OBJ("b", "9"))}},
      QUIET_WATCH},
     "begin +a@3 +b@9 end synced ",
     {"watch=1&resourceVersion=10&allowWatchBookmarks=true&timeoutSeconds="}},
    {"events reach the sink in order, a DELETED moves the version too",
     {{.match = IS_LIST, .body = {LIST("10", "")}},
      {.match = "resourceVersion=10&",
       .body = {EVENT("ADDED", "a", "11"), EVENT("MODIFIED", "a", "12") EVENT("DELETED", "a", "13")}},
      QUIET_WATCH},
     "begin end synced +a@11 +a@12 -a@13 ",
     {"resourceVersion=13&"}},
    {"a bookmark moves the version and touches no object",
     {{.match = IS_LIST, .body = {LIST("10", "")}},
      {.match = "resourceVersion=10&", .body = {BOOKMARK("77")}},
      QUIET_WATCH},
     "begin end synced ",
     {"resourceVersion=77&"}},
    {"CR LF, blank lines and cuts anywhere",
     {{.match = IS_LIST, .body = {LIST("10", "")}},
      {.match = "resourceVersion=10&",
       .body = {"\r\n{\"type\":\"ADD", "ED\",\"object\":{\"metadata\":{\"name\":\"\xc3",
                "\xa9\",\"resourceVersion\":\"11\"}}}\r", "\n\n"}},
      QUIET_WATCH},
     "synced +\xc3\xa9@11 ",
     {"resourceVersion=11&"}},
    {"a last line without its end is dropped",
     {{.match = IS_LIST, .body = {LIST("10", "")}},
      {.match = "resourceVersion=10&",
       .body = {EVENT("ADDED", "a", "11"), "{\"type\":\"ADDED\",\"object\":{\"metad"}},
      QUIET_WATCH},
     "+a@11 ",
     {"resourceVersion=11&"}},
    {"a reset in the middle of a line resumes behind the last whole event",
     {{.match = IS_LIST, .body = {LIST("10", "")}},
      {.match = "resourceVersion=10&",
       .body = {EVENT("ADDED", "a", "11"), "{\"type\":\"ADDED\",\"obj"},
       .end = FAULT_RESET},
      {.match = "resourceVersion=11&", .body = {EVENT("ADDED", "b", "12")}, .end = FAULT_HANG}},
     "begin end synced +a@11 +b@12 ",
     {"resourceVersion=11&"}},
    {"a body without its end resumes too",
     {{.match = IS_LIST, .body = {LIST("10", "")}},
      {.match = "resourceVersion=10&", .body = {EVENT("ADDED", "a", "11")}, .end = FAULT_CLOSE},
      {.match = "resourceVersion=11&", .body = {EVENT("ADDED", "b", "12")}, .end = FAULT_HANG}},
     "begin end synced +a@11 +b@12 ",
     {NULL}},
    {"an unknown type of event is skipped and moves nothing",
     {{.match = IS_LIST, .body = {LIST("10", "")}},
      {.match = "resourceVersion=10&", .body = {EVENT("RENAMED", "a", "11")}},
      {.match = "resourceVersion=10&", .body = {EVENT("ADDED", "b", "12")}, .end = FAULT_HANG}},
     "begin end synced +b@12 ",
     {NULL},
     "resourceVersion=11"},
    {"410 as an event: list not older than the last version",
     {{.match = IS_LIST "=500&resourceVersion=0", .body = {LIST("10", OBJ("a", "1"))}},
      {.match = "resourceVersion=10&", .body = {EVENT("ADDED", "b", "11") ERROR_EVENT(410, "Expired")}},
      {.match = PATH "?resourceVersion=11 ", .body = {LIST("20", OBJ("b", "11"))}},
      QUIET_WATCH},
     "begin +a@1 end synced +b@11 begin +b@11 end ",
     {"watch=1&resourceVersion=20&"}},
    {"410 as a status does the same",
     {{.match = IS_LIST "=500&resourceVersion=0", .body = {LIST("10", "")}},
      {.match = "resourceVersion=10&", .status = 410},
      {.match = PATH "?resourceVersion=10 ", .body = {LIST("20", "")}},
      QUIET_WATCH},
     "begin end synced begin end ",
     {"watch=1&resourceVersion=20&"}},
    {"410 for the list too: from etcd",
     {{.match = IS_LIST "=500&resourceVersion=0", .body = {LIST("10", "")}},
      {.match = "watch=1&resourceVersion=10&", .status = 410},
      {.match = PATH "?resourceVersion=10 ", .status = 410},
      {.match = PATH "?limit=500 ", .body = {LIST("30", "")}},
      QUIET_WATCH},
     "begin end synced begin end ",
     {"watch=1&resourceVersion=30&"}},
    {"a server that is behind: from etcd",
     {{.match = IS_LIST "=500&resourceVersion=0", .body = {LIST("10", "")}},
      {.match = "watch=1&resourceVersion=10&", .status = 410},
      {.match = PATH "?resourceVersion=10 ",
       .status = 504,
       .headers = "Retry-After: 1\r\n",
       .body = {"{\"kind\":\"Status\",\"message\":\"Timeout: Too large resource version: 10, current: 5\"}"}},
      {.match = PATH "?limit=500 ", .body = {LIST("30", "")}},
      QUIET_WATCH},
     "begin end synced begin end ",
     {"watch=1&resourceVersion=30&"}},
    {"a watch that is told the same",
     {{.match = IS_LIST "=500&resourceVersion=0", .body = {LIST("10", "")}},
      {.match = "watch=1&resourceVersion=10&",
       .body = {"{\"type\":\"ERROR\",\"object\":{\"code\":504,\"message\":\"Too large resource version: "
                "10\"}}\n"}},
      {.match = PATH "?limit=500 ", .body = {LIST("30", "")}},
      QUIET_WATCH},
     "begin end synced begin end ",
     {"watch=1&resourceVersion=30&"}},
    {"pages: the token goes back unchanged, the last page's version counts",
     {{.match = IS_LIST "=500&resourceVersion=0", .body = {PAGE("10", "t+1/=", OBJ("a", "1"))}},
      {.match = "?limit=500&continue=t%2B1%2F%3D ", .body = {PAGE("10", "t2", OBJ("b", "2"))}},
      {.match = "?limit=500&continue=t2 ", .body = {LIST("12", OBJ("c", "3"))}},
      QUIET_WATCH},
     "begin +a@1 +b@2 +c@3 end synced ",
     {"watch=1&resourceVersion=12&"}},
    {"a cache that gave pages is none: pages from then on",
     {{.match = IS_LIST "=500&resourceVersion=0", .body = {PAGE("10", "t", "")}},
      {.match = "continue=t ", .body = {LIST("12", "")}},
      {.match = "watch=1&resourceVersion=12&", .status = 410},
      {.match = PATH "?limit=500&resourceVersion=12 ", .body = {LIST("20", "")}},
      QUIET_WATCH},
     "begin end synced begin end ",
     {"watch=1&resourceVersion=20&"}},
    {"410 for a page: the whole list, never the rest that is offered",
     {{.match = IS_LIST "=500&resourceVersion=0", .body = {PAGE("10", "t", OBJ("a", "1"))}},
      {.match = "continue=t ", .status = 410, .body = {"{\"metadata\":{\"continue\":\"inconsistent\"}}"}},
      {.match = PATH "?resourceVersion=0 ", .body = {LIST("15", OBJ("a", "1"))}},
      QUIET_WATCH},
     "begin +a@1 abort begin +a@1 end synced ",
     {"watch=1&resourceVersion=15&"},
     "inconsistent"},
    {"a token that is not taken: the whole list",
     {{.match = IS_LIST "=500&resourceVersion=0", .body = {PAGE("10", "t", "")}},
      {.match = "continue=t ", .status = 400},
      {.match = PATH "?resourceVersion=0 ", .body = {LIST("15", "")}},
      QUIET_WATCH},
     "begin abort begin end synced ",
     {NULL}},
    {"a list that breaks off leaves the old content in place",
     {{.match = IS_LIST,
       .body = {"{\"metadata\":{\"resourceVersion\":\"1\"},\"items\":[" OBJ("a", "1")},
       .end = FAULT_CLOSE},
      {.match = IS_LIST, .body = {LIST("10", OBJ("b", "2"))}},
      QUIET_WATCH},
     "begin +a@1 abort unreachable begin +b@2 end synced ",
     {NULL}},
    {"a list that is no JSON",
     {{.match = IS_LIST, .body = {"{\"items\":[01]}"}},
      {.match = IS_LIST, .body = {LIST("10", "")}},
      QUIET_WATCH},
     "begin abort unreachable begin end synced ",
     {NULL}},
    {"a list without a version is none",
     {{.match = IS_LIST, .body = {"{\"metadata\":{},\"items\":[]}"}},
      {.match = IS_LIST, .body = {LIST("0", "")}},
      {.match = IS_LIST, .body = {LIST("10", "")}},
      QUIET_WATCH},
     "begin abort unreachable begin abort begin end synced ",
     {NULL},
     "watch=1&resourceVersion=0"},
    {"a table is refused",
     {{.match = IS_LIST,
       .type = "application/json;as=Table;v=v1;g=meta.k8s.io",
       .body = {LIST("1", OBJ("a", "1"))}},
      {.match = IS_LIST, .body = {LIST("10", "")}},
      QUIET_WATCH},
     "unreachable begin end synced ",
     {NULL}},
    {"what is not JSON is refused",
     {{.match = IS_LIST, .type = "text/html", .body = {"<html>log in</html>"}},
      {.match = IS_LIST, .type = "", .body = {"{}"}},
      {.match = IS_LIST, .body = {LIST("10", "")}},
      QUIET_WATCH},
     "unreachable begin end synced ",
     {NULL}},
    {"a watch line that is no JSON: again from the same version",
     {{.match = IS_LIST, .body = {LIST("10", "")}},
      {.match = "resourceVersion=10&", .body = {"garbage\n"}},
      {.match = "resourceVersion=10&", .body = {EVENT("ADDED", "a", "11")}, .end = FAULT_HANG}},
     "begin end synced +a@11 ",
     {NULL}},
    {"garbage three times: the list again",
     {{.match = IS_LIST "=500&resourceVersion=0", .body = {LIST("10", "")}},
      {.match = "watch=1&resourceVersion=10&", .body = {"garbage\n"}, .times = 3},
      {.match = PATH "?resourceVersion=10 ", .body = {LIST("20", "")}},
      QUIET_WATCH},
     "begin end synced begin end ",
     {NULL}},
    {"an event without an object",
     {{.match = IS_LIST, .body = {LIST("10", "")}},
      {.match = "resourceVersion=10&", .body = {"{\"type\":\"ADDED\"}\n"}},
      QUIET_WATCH},
     "begin end synced ",
     {NULL}},
    {"an event without a version does not reach the sink",
     {{.match = IS_LIST, .body = {LIST("10", "")}},
      {.match = "resourceVersion=10&",
       .body = {"{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"name\":\"x\"}}}\n"}},
      {.match = "resourceVersion=10&", .body = {EVENT("ADDED", "a", "11")}, .end = FAULT_HANG}},
     "begin end synced +a@11 ",
     {NULL}},
    {"an inner error of the server: watch again from the same version",
     {{.match = IS_LIST, .body = {LIST("10", "")}},
      {.match = "resourceVersion=10&", .body = {ERROR_EVENT(500, "InternalError")}},
      {.match = "resourceVersion=10&", .body = {EVENT("ADDED", "a", "11")}, .end = FAULT_HANG}},
     "begin end synced +a@11 ",
     {NULL}},
    {"any other error event: the list again",
     {{.match = IS_LIST "=500&resourceVersion=0", .body = {LIST("10", "")}},
      {.match = "watch=1&resourceVersion=10&", .body = {ERROR_EVENT(418, "Teapot")}},
      {.match = PATH "?resourceVersion=10 ", .body = {LIST("20", "")}},
      QUIET_WATCH},
     "begin end synced begin end ",
     {NULL}},
    {"429 for a watch: from the same version, without a list",
     {{.match = IS_LIST, .body = {LIST("10", "")}},
      {.match = "resourceVersion=10&", .status = 429},
      {.match = "resourceVersion=10&", .body = {EVENT("ADDED", "a", "11")}, .end = FAULT_HANG}},
     "begin end synced unreachable synced +a@11 ",
     {NULL}},
    {"429 inside a stream",
     {{.match = IS_LIST, .body = {LIST("10", "")}},
      {.match = "resourceVersion=10&", .body = {ERROR_EVENT(429, "TooManyRequests")}},
      {.match = "resourceVersion=10&", .body = {EVENT("ADDED", "a", "11")}, .end = FAULT_HANG}},
     "begin end synced unreachable synced +a@11 ",
     {NULL}},
    {"503 for a watch",
     {{.match = IS_LIST, .body = {LIST("10", "")}},
      {.match = "resourceVersion=10&", .status = 503, .type = "text/html", .body = {"<html>"}},
      {.match = "resourceVersion=10&", .body = {EVENT("ADDED", "a", "11")}, .end = FAULT_HANG}},
     "begin end synced unreachable synced +a@11 ",
     {NULL}},
    {"401 stays: unauthorized, and asked again",
     {{.match = IS_LIST, .status = 401, .body = {"{\n  \"kind\": \"Status\",\n  \"code\": 401\n}\n"}},
      {.match = IS_LIST, .body = {LIST("10", "")}},
      QUIET_WATCH},
     "unauthorized begin end synced ",
     {NULL}},
    {"403 for the list, then allowed",
     {{.match = IS_LIST, .status = 403, .times = 2},
      {.match = IS_LIST, .body = {LIST("10", "")}},
      QUIET_WATCH},
     "forbidden begin end synced ",
     {NULL}},
    {"403 for the watch: resumes without a list",
     {{.match = IS_LIST, .body = {LIST("10", "")}},
      {.match = "resourceVersion=10&", .status = 403, .times = 2},
      {.match = "resourceVersion=10&", .body = {EVENT("ADDED", "a", "11")}, .end = FAULT_HANG}},
     "begin end synced forbidden synced +a@11 ",
     {NULL}},
    {"a kind that is not installed is synced and empty, until it comes",
     {{.match = IS_LIST, .status = 404, .type = "text/plain", .body = {"404 page not found\n"}, .times = 3},
      {.match = IS_LIST "=500&resourceVersion=0", .body = {LIST("10", OBJ("a", "9"))}},
      QUIET_WATCH},
     "begin end absent begin +a@9 end synced ",
     {NULL}},
    {"a kind that is removed, and comes back",
     {{.match = IS_LIST "=500&resourceVersion=0", .body = {LIST("10", OBJ("a", "9"))}},
      {.match = "watch=1&resourceVersion=10&", .body = {EVENT("DELETED", "a", "11")}},
      {.match = "watch=1&resourceVersion=11&",
       .status = 404,
       .type = "text/plain",
       .body = {"404 page not found\n"}},
      {.match = PATH "?resourceVersion=11 ",
       .status = 404,
       .type = "text/plain",
       .body = {"404 page not found\n"},
       .times = -1},
      {.match = IS_LIST "=500&resourceVersion=0", .status = 404, .times = 2},
      {.match = IS_LIST "=500&resourceVersion=0", .body = {LIST("40", OBJ("b", "39"))}},
      QUIET_WATCH},
     "begin +a@9 end synced -a@11 begin end absent begin +b@39 end synced ",
     {NULL}},
    {"a short 404 of a server that has just started empties nothing",
     {{.match = IS_LIST "=500&resourceVersion=0", .body = {LIST("10", OBJ("a", "9"))}},
      {.match = "watch=1&resourceVersion=10&", .status = 404, .body = {"404 page not found\n"}},
      {.match = PATH "?resourceVersion=10 ", .status = 404, .body = {"404 page not found\n"}, .times = 2},
      {.match = PATH "?resourceVersion=10 ", .body = {LIST("12", OBJ("a", "9"))}},
      QUIET_WATCH},
     "begin +a@9 end synced begin +a@9 end ",
     {NULL},
     NULL},
    {"a server that knows the kind in an older version only, and learns the newer one",
     {{.match = "GET " PATH "?", .status = 404, .body = {"404 page not found\n"}},
      {.match = "GET " OTHER_PATH "?limit", .body = {LIST("10", OBJ("a", "9"))}},
      {.match = "GET " OTHER_PATH "?watch=1&resourceVersion=10&", .body = {EVENT("ADDED", "b", "11")}},
      {.match = "GET " OTHER_PATH "?", .status = 404, .body = {"404 page not found\n"}, .times = 2},
      {.match = "GET " PATH "?resourceVersion=11 ", .body = {LIST("20", OBJ("a", "9"))}},
      QUIET_WATCH},
     "begin +a@9 end synced +b@11 begin +a@9 end ",
     {"GET " PATH "?watch=1&resourceVersion=20&"},
     .spec = {.other_path = OTHER_PATH}},
    {"a kind that is known in neither version, until it comes in the older one",
     {{.match = "GET " PATH "?", .status = 404, .times = 3},
      {.match = "GET " OTHER_PATH "?", .status = 404, .times = 2},
      {.match = "GET " OTHER_PATH "?limit", .body = {LIST("10", "")}},
      QUIET_WATCH},
     "begin end absent begin end synced ",
     {"GET " OTHER_PATH "?watch=1&resourceVersion=10&"},
     .spec = {.other_path = OTHER_PATH}},
    {"who may not read the one may not read the other",
     {{.match = "GET " PATH "?", .status = 403, .times = 2},
      {.match = IS_LIST, .body = {LIST("10", "")}},
      QUIET_WATCH},
     "forbidden begin end synced ",
     {NULL},
     OTHER_PATH,
     .spec = {.other_path = OTHER_PATH}},
    {"metadata only, and how it is asked for",
     {{.match =
           "as=PartialObjectMetadataList;g=meta.k8s.io;v=v1, application/json;as=PartialObjectMetadataList;"
           "g=meta.k8s.io;v=v1beta1, application/json\r\n",
       .type = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1",
       .body = {LIST("10", OBJ("a", "1"))}},
      QUIET_WATCH},
     "begin +a@1 end synced ",
     {"as=PartialObjectMetadata;g=meta.k8s.io;v=v1,"},
     .spec = {.metadata_only = true}},
    {"406: whole objects instead",
     {{.match = "PartialObjectMetadataList", .status = 406},
      {.match = IS_LIST, .body = {LIST("10", "")}},
      QUIET_WATCH},
     "begin end synced ",
     {NULL},
     "as=PartialObjectMetadata;",
     .spec = {.metadata_only = true}},
    {"415 for the watch: whole objects, from the same version",
     {{.match = "PartialObjectMetadataList", .body = {LIST("10", "")}},
      {.match = "PartialObjectMetadata;", .status = 415},
      {.match = "resourceVersion=10&", .body = {EVENT("ADDED", "a", "11")}, .end = FAULT_HANG}},
     "begin end synced +a@11 ",
     {NULL},
     .spec = {.metadata_only = true}},
    {"422 for an option: without bookmarks",
     {{.match = IS_LIST, .body = {LIST("10", "")}},
      {.match = "allowWatchBookmarks", .status = 422},
      {.match = "watch=1&resourceVersion=10&timeoutSeconds",
       .body = {EVENT("ADDED", "a", "11")},
       .end = FAULT_HANG}},
     "begin end synced +a@11 ",
     {NULL}},
    {"504 for a list: half the page",
     {{.match = "?limit=500&", .status = 504},
      {.match = "?limit=250&", .status = 504},
      {.match = "?limit=125&", .body = {LIST("10", "")}},
      QUIET_WATCH},
     "unreachable begin end synced ",
     {NULL}},
};

/* --- what a row cannot say --- */

static void connection_refused_for_long_keeps_version_and_content(void **state)
{
    struct setup s = {0};

    (void)state;
    BEGIN(&s, {.match = IS_LIST, .body = {LIST("10", OBJ("a", "1"))}},
          {.match = "watch=1&resourceVersion=10&", .body = {EVENT("ADDED", "b", "11")}, .end = FAULT_HANG},
          {.match = "watch=1&resourceVersion=11&", .body = {EVENT("ADDED", "c", "12")}, .end = FAULT_HANG},
          {.match = "/readyz", .body = {"ok"}}); /* asked when the first try after the pause was quick */
    expect_notes(&s, "+b@11 ");
    assert_true(wm_kube_is_reachable(s.kube));
    fault_server_down(s.server);
    expect_notes(&s, "+b@11 unreachable ");
    usleep(400000);
    assert_false(wm_kube_is_reachable(s.kube));
    fault_server_up(s.server);
    expect_notes(&s, "begin +a@1 end synced +b@11 unreachable synced +c@12 ");
    assert_true(wm_kube_is_reachable(s.kube));
    assert_int_equal(fault_server_count(s.server, IS_LIST), 1);
    assert_int_equal(stats_of(&s).lists, 1);
    finish(&s);
}

/* A server that has just started asks for ten seconds, and is ready after two. */
static void a_restarted_server_is_found_ready_before_its_time(void **state)
{
    struct setup s = {.t = quick()};
    int64_t start;

    (void)state;
    BEGIN(&s, {.match = IS_LIST, .body = {LIST("10", "")}},
          {.match = "watch=1&resourceVersion=10&", .end = FAULT_HANG},
          {.match = IS_WATCH, .status = 503, .headers = "Retry-After: 10\r\n"},
          {.match = "/readyz", .status = 500, .times = 2}, {.match = "/readyz", .body = {"ok"}}, QUIET_WATCH);
    expect_requests(&s, IS_WATCH, 1);
    fault_server_down(s.server);
    expect_notes(&s, "unreachable ");
    start = wm_mono_ms();
    fault_server_up(s.server);
    expect_notes(&s, "unreachable synced ");
    assert_true(wm_mono_ms() - start < 2000);
    assert_int_equal(fault_server_count(s.server, "/readyz"), 3);
    assert_int_equal(fault_server_count(s.server, IS_WATCH), 3);
    finish(&s);
}

static void while_nobody_listens_the_pause_stays_short(void **state)
{
    struct wm_kube k = {.t = wm_kube_default_tunables};

    (void)state;
    wm_gate_init(&k);
    for (int i = 0; i < 12; i++) {
        wm_gate_failed(&k, k.gate.epoch, true, -1);
        assert_true(k.gate.timer.at_ms - wm_mono_ms() <= 2000);
    }
    /* nor while it is starting; but when it answers and cannot, it does grow */
    wm_gate_failed(&k, k.gate.epoch, false, -1);
    assert_true(k.gate.timer.at_ms - wm_mono_ms() <= 2000);
    k.gate.last_refused_ms -= 31000;
    for (int i = 0; i < 6; i++)
        wm_gate_failed(&k, k.gate.epoch, false, -1);
    wm_gate_failed(&k, k.gate.epoch, false, -1);
    assert_true(k.gate.timer.at_ms - wm_mono_ms() > 25000);
    wm_gate_failed(&k, k.gate.epoch, false, 200);
    assert_true(k.gate.timer.at_ms - wm_mono_ms() > 190000);
    /* what began before the last failure is no news */
    unsigned failures = k.gate.failures;

    wm_gate_failed(&k, k.gate.epoch - 1, false, -1);
    assert_int_equal(k.gate.failures, failures);
    /* after two minutes of health the pauses begin anew */
    k.gate.last_failure_ms -= 121000;
    wm_gate_failed(&k, k.gate.epoch, false, -1);
    assert_true(k.gate.timer.at_ms - wm_mono_ms() <= 1600);
    wm_timer_stop(&k, &k.gate.timer);
}

/* Twelve watches of a server that answers 503 cost hardly more than one. */
static void a_cluster_in_trouble_is_asked_by_one_at_a_time(void **state)
{
    enum { N = 12 };
    struct setup s[N] = {{0}};
    char paths[N][32];

    (void)state;
    BEGIN(&s[0], {.match = "/x/", .status = 503, .times = -1}, {.match = PATH, .status = 503, .times = -1});
    for (int i = 1; i < N; i++) {
        struct wm_watch_sink sink = sink_of(&s[i].notes);

        pthread_mutex_init(&s[i].notes.lock, NULL);
        s[i].notes.text = WM_BUF_MAX(1 << 20);
        snprintf(paths[i], sizeof paths[i], "/x/%d", i);
        s[i].spec.path = paths[i];
        assert_int_equal(wm_watch_start(s[0].kube, &s[i].spec, &sink, &s[i].watch, NULL), WM_OK);
    }
    usleep(1000000);
    /* pauses of 20, 40, 80, 160, 320, 640 ms, doubled at most: 6 to 7 in a second, after the first 12 */
    int n = fault_server_count(s[0].server, NULL);

    assert_in_range(n, 4, N + 8);
    static const struct fault well[] = {{.match = IS_WATCH, .end = FAULT_HANG, .times = -1},
                                        {.body = {LIST("5", "")}, .times = -1}};

    fault_server_add(s[0].server, well, 2, true);
    for (int i = 0; i < N; i++)
        expect_notes(&s[i], "begin end synced ");
    for (int i = 1; i < N; i++) {
        wm_watch_stop(s[i].watch);
        wm_buf_done(&s[i].notes.text);
    }
    finish(&s[0]);
}

/* One resource whose list fails must not slow the others of its cluster down. */
static void trouble_of_one_resource_is_its_own(void **state)
{
    struct setup s = {0}, other = {.spec = {.path = "/other"}};

    (void)state;
    BEGIN(&s, {.match = "/other", .status = 500, .times = -1}, {.match = IS_LIST, .body = {LIST("10", "")}},
          {.match = "resourceVersion=10&", .body = {EVENT("ADDED", "a", "11")}, .end = FAULT_HANG},
          {.match = "resourceVersion=11&", .body = {EVENT("ADDED", "b", "12")}, .end = FAULT_HANG});
    expect_notes(&s, "+a@11 ");
    struct wm_watch_sink sink = sink_of(&other.notes);

    pthread_mutex_init(&other.notes.lock, NULL);
    other.notes.text = WM_BUF_MAX(1 << 20);
    assert_int_equal(wm_watch_start(s.kube, &other.spec, &sink, &other.watch, NULL), WM_OK);
    expect_requests(&s, "/other", 4);
    assert_int_equal(stats_of(&s).state, WM_WATCH_SYNCED);
    wm_watch_stop(other.watch);
    wm_buf_done(&other.notes.text);
    finish(&s);
}

static void retry_after_is_waited_for(void **state)
{
    struct setup s = {0};
    int64_t start = wm_mono_ms();

    (void)state;
    BEGIN(&s, {.match = IS_LIST, .status = 429, .headers = "Retry-After: 1\r\n"},
          {.match = IS_LIST, .body = {LIST("10", "")}}, QUIET_WATCH);
    expect_notes(&s, "unreachable begin end synced ");
    assert_true(wm_mono_ms() - start >= 1000);
    assert_int_equal(fault_server_count(s.server, IS_LIST), 2);
    finish(&s);
}

static void a_watch_that_ends_at_once_is_not_hammered(void **state)
{
    struct setup s = {0};

    (void)state;
    BEGIN(&s, {.match = IS_LIST, .body = {LIST("10", "")}}, {.match = IS_WATCH, .times = -1});
    expect_notes(&s, "synced ");
    usleep(600000);
    assert_in_range(fault_server_count(s.server, IS_WATCH), 3, 8);
    assert_int_equal(stats_of(&s).state, WM_WATCH_SYNCED);
    finish(&s);
}

/* 410 for ever: each is followed by a list at once, but not thousands of times. */
static void expiry_without_end_is_slowed_down(void **state)
{
    struct setup s = {0};

    (void)state;
    BEGIN(&s, {.match = IS_WATCH, .status = 410, .times = -1},
          {.match = PATH, .body = {LIST("10", "")}, .times = -1});
    expect_notes(&s, "synced ");
    usleep(600000);
    assert_in_range(fault_server_count(s.server, NULL), 4, 24);
    finish(&s);
}

static void a_watch_that_does_not_end_is_ended_by_the_client(void **state)
{
    struct setup s = {.spec = {.watch_min_s = 1, .watch_max_s = 1}};
    int64_t start = wm_mono_ms();

    (void)state;
    BEGIN(&s, {.match = IS_LIST, .body = {LIST("10", "")}}, QUIET_WATCH);
    expect_requests(&s, "resourceVersion=10&allowWatchBookmarks=true&timeoutSeconds=1 ", 2);
    assert_in_range(wm_mono_ms() - start, 1300, 2500);
    assert_int_equal(stats_of(&s).lists, 1);
    finish(&s);
}

static void the_server_is_asked_for_times_in_the_range(void **state)
{
    struct setup s = {0};
    int least = 1000, most = 0;

    (void)state;
    BEGIN(&s, {.match = IS_LIST, .body = {LIST("10", "")}},
          {.match = IS_WATCH, .body = {BOOKMARK("11")}, .times = 40}, QUIET_WATCH);
    expect_requests(&s, IS_WATCH, 41);
    for (int i = 0; i < 41; i++) {
        int t = atoi(strstr(fault_server_request(s.server, IS_WATCH, i), "timeoutSeconds=") + 15);

        least = t < least ? t : least;
        most = t > most ? t : most;
    }
    assert_in_range(least, 300, 400);
    assert_in_range(most, 500, 600);
    finish(&s);
}

static void a_frozen_server_is_noticed(void **state)
{
    struct setup s = {.t = quick()};

    (void)state;
    s.t.probe_silence_ms = 150;
    s.t.probe_timeout_ms = 150;
    BEGIN(&s, {.match = IS_LIST, .body = {LIST("10", "")}},
          {.match = "GET /version", .status = 403, .times = 2}, {.match = "GET /version", .end = FAULT_MUTE},
          {.match = "GET /version", .times = -1}, QUIET_WATCH);
    /* answered twice, whatever the answer was, and the watch lives */
    expect_requests(&s, "GET /version", 3);
    assert_int_equal(fault_server_count(s.server, IS_WATCH), 1);
    expect_notes(&s, "synced unreachable synced ");
    assert_int_equal(fault_server_count(s.server, IS_LIST), 1);
    finish(&s);
}

static void a_list_that_stands_still_is_given_up(void **state)
{
    struct setup s = {.t = quick()};

    (void)state;
    s.t.list_first_byte_ms = 200;
    s.t.list_stall_ms = 200;
    BEGIN(&s, {.match = IS_LIST, .body = {"{\"items\":[" OBJ("a", "1")}, .end = FAULT_HANG},
          {.match = IS_LIST, .end = FAULT_MUTE}, {.match = IS_LIST, .body = {LIST("10", "")}}, QUIET_WATCH);
    expect_notes(&s, "begin +a@1 abort unreachable begin end synced ");
    assert_int_equal(stats_of(&s).errors, 2);
    finish(&s);
}

static char *big_event(const char *name, const char *rv, size_t n)
{
    wm_auto_buf struct wm_buf out = WM_BUF_MAX(8 << 20);

    wm_buf_printf(
        &out,
        "{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"name\":\"%s\",\"resourceVersion\":\"%s\"},\"x\":\"",
        name, rv);
    char *room = wm_buf_room(&out, n);

    memset(room, 'x', n);
    wm_buf_grew(&out, n);
    wm_buf_puts(&out, "\"}}\n");
    return wm_buf_take(&out);
}

static void large_events_pass_and_larger_ones_fail_the_watch(void **state)
{
    wm_auto_free char *large = big_event("a", "11", 1550 << 10), *larger = big_event("b", "12", 5 << 20);
    struct setup s = {0};

    (void)state;
    BEGIN(&s, {.match = IS_LIST, .body = {LIST("10", "")}},
          {.match = "watch=1&resourceVersion=10&", .body = {large}},
          {.match = "watch=1&resourceVersion=11&", .body = {larger}},
          {.match = "watch=1&resourceVersion=11&", .body = {EVENT("ADDED", "c", "13")}, .end = FAULT_HANG});
    expect_notes(&s, "begin end synced +a@11 +c@13 ");
    assert_int_equal(stats_of(&s).errors, 1);
    assert_true(stats_of(&s).bytes > (5 << 20));
    finish(&s);
}

static void few_lists_run_at_a_time(void **state)
{
    enum { N = 5 };
    struct setup s[N] = {{0}};

    (void)state;
    BEGIN(&s[0], {.match = IS_LIST, .body = {LIST("10", "")}, .delay_ms = 200, .times = -1}, QUIET_WATCH);
    for (int i = 1; i < N; i++) {
        struct wm_watch_sink sink = sink_of(&s[i].notes);

        pthread_mutex_init(&s[i].notes.lock, NULL);
        s[i].notes.text = WM_BUF_MAX(1 << 20);
        s[i].spec.path = PATH;
        assert_int_equal(wm_watch_start(s[0].kube, &s[i].spec, &sink, &s[i].watch, NULL), WM_OK);
    }
    usleep(120000);
    assert_int_equal(fault_server_count(s[0].server, IS_LIST), 2);
    for (int i = 0; i < N; i++)
        expect_notes(&s[i], "synced ");
    for (int i = 1; i < N; i++) {
        wm_watch_stop(s[i].watch);
        wm_buf_done(&s[i].notes.text);
    }
    finish(&s[0]);
}

static void a_list_from_the_cache_is_confirmed_by_what_follows(void **state)
{
    struct setup s = {0}, q = {.spec = {.quorum_first = true}};

    (void)state;
    BEGIN(&s, {.match = IS_LIST, .body = {LIST("10", "")}},
          {.match = IS_WATCH, .body = {"\n", BOOKMARK("11")}, .between_ms = 150, .end = FAULT_HANG});
    expect_notes(&s, "synced ");
    usleep(50000);
    assert_false(stats_of(&s).confirmed);
    expect_requests(&s, IS_WATCH, 1);
    usleep(400000);
    assert_true(stats_of(&s).confirmed);
    assert_int_equal(stats_of(&s).bookmarks, 1);
    finish(&s);
    BEGIN(&q, {.match = PATH "?limit=500 ", .body = {LIST("10", "")}}, QUIET_WATCH);
    expect_notes(&q, "synced ");
    assert_true(stats_of(&q).confirmed);
    finish(&q);
}

static void a_selector_is_in_every_query(void **state)
{
    struct setup s = {.spec = {.label_selector = "a in (b,c)"}};

    (void)state;
    BEGIN(&s, {.match = IS_WATCH, .end = FAULT_HANG, .times = -1},
          {.match = "continue", .body = {LIST("10", "")}},
          {.match = "resourceVersion=0", .body = {PAGE("9", "t", "")}});
    expect_requests(&s, "labelSelector=a%20in%20%28b%2Cc%29&", 3);
    finish(&s);
}

static void stopping_ends_the_calls(void **state)
{
    struct setup s = {0};

    (void)state;
    BEGIN(&s, {.match = IS_LIST, .body = {LIST("10", "")}},
          {.match = IS_WATCH,
           .body = {EVENT("ADDED", "a", "11"), EVENT("ADDED", "b", "12"), EVENT("ADDED", "c", "13")},
           .between_ms = 100,
           .end = FAULT_HANG});
    expect_notes(&s, "+a@11 ");
    wm_watch_stop(s.watch);
    usleep(300000);
    assert_false(has(&s.notes, "+c@13"));
    finish(&s);
}

static void stopping_inside_a_sink_call(void **state)
{
    struct setup s = {0};

    (void)state;
    s.server = fault_server_start(
        (const struct fault[]){{.match = IS_LIST, .body = {LIST("10", OBJ("a", "1") "," OBJ("b", "2"))}}}, 1,
        NULL);
    s.t = quick();
    s.kube = connect_to(s.server, &s.t);
    s.notes.text = WM_BUF_MAX(1000);
    s.spec.path = PATH;
    pthread_mutex_init(&s.notes.lock, NULL);
    struct wm_watch_sink sink = sink_of(&s.notes);

    assert_int_equal(wm_watch_start(s.kube, &s.spec, &sink, &s.notes.to_stop, NULL), WM_OK);
    expect_notes(&s, "begin +a@1 ");
    usleep(100000);
    assert_string_equal(s.notes.text.p, "begin +a@1 ");
    finish(&s);
}

static void the_end_of_the_client_aborts_a_list(void **state)
{
    struct setup s = {0};

    (void)state;
    BEGIN(&s, {.match = IS_LIST, .body = {"{\"items\":[" OBJ("a", "1") ","}, .end = FAULT_HANG});
    expect_notes(&s, "begin +a@1 ");
    s.kube = wm_kube_free(s.kube);
    assert_string_equal(s.notes.text.p, "begin +a@1 abort ");
    finish(&s);
}

/* Without credentials nothing is sent, and a token that comes later is found. */
static void no_token_is_unauthorized_until_there_is_one(void **state)
{
    char path[] = "/tmp/waymark-token-XXXXXX";
    int fd = mkstemp(path);
    struct setup s = {.t = quick(), .spec = {.path = PATH}};
    struct wm_watch_sink sink = sink_of(&s.notes);
    struct wm_kube_access access = {.token_file = wm_xstrdup(path)};
    wm_auto_buf struct wm_buf url = WM_BUF_MAX(100);
    static const struct fault rows[] = {{.match = IS_LIST, .body = {LIST("10", "")}}, QUIET_WATCH};

    (void)state;
    pthread_mutex_init(&s.notes.lock, NULL);
    s.notes.text = WM_BUF_MAX(1000);
    s.server = fault_server_start(rows, 2, NULL);
    wm_buf_printf(&url, "http://127.0.0.1:%d", fault_server_port(s.server));
    access.server = wm_buf_take(&url);
    assert_int_equal(wm_kube_new_tuned(&access, NULL, &s.t, &s.kube, NULL), WM_OK);
    assert_int_equal(wm_watch_start(s.kube, &s.spec, &sink, &s.watch, NULL), WM_OK);
    expect_notes(&s, "unauthorized ");
    assert_int_equal(fault_server_count(s.server, NULL), 0);
    assert_int_equal(write(fd, "t", 1), 1);
    expect_notes(&s, "unauthorized begin end synced ");
    close(fd);
    unlink(path);
    finish(&s);
}

/* What is on stderr of a watch until its server was asked `n` times for `text`. */
static char *logged_until(struct setup *s, const struct fault *rows, size_t n_rows, const char *text, int n)
{
    char path[] = "/tmp/waymark-log-XXXXXX", *out = calloc(1, 8192);
    int log = mkstemp(path), saved = dup(STDERR_FILENO);

    unlink(path);
    dup2(log, STDERR_FILENO);
    begin(s, rows, n_rows);
    expect_requests(s, text, n);
    finish(s);
    dup2(saved, STDERR_FILENO);
    close(saved);
    assert_true(pread(log, out, 8191, 0) >= 0);
    close(log);
    return out;
}

static int times_in(const char *text, const char *word)
{
    int n = 0;

    for (const char *p = text; (p = strstr(p, word)); p++)
        n++;
    return n;
}

static void a_warning_is_logged_once(void **state)
{
    static const struct fault rows[] = {
        {.match = IS_LIST, .headers = "Warning: 299 - \"old kind\"\r\n", .body = {LIST("10", "")}},
        {.match = IS_WATCH,
         .headers = "Warning: 299 - \"old kind\"\r\n",
         .body = {BOOKMARK("11")},
         .times = 3},
        QUIET_WATCH};
    struct setup s = {0};
    wm_auto_free char *text = logged_until(&s, rows, sizeof rows / sizeof rows[0], IS_WATCH, 4);

    (void)state;
    assert_int_equal(times_in(text, "old kind"), 1);
}

/* Who takes the states knows better names than server and path, and logs them itself. */
static void a_change_of_state_that_is_taken_is_not_logged_as_well(void **state)
{
    static const struct fault rows[] = {{.match = IS_LIST, .body = {LIST("10", "")}}, QUIET_WATCH};
    struct setup s = {0};
    wm_auto_free char *text = logged_until(&s, rows, sizeof rows / sizeof rows[0], IS_WATCH, 1);

    (void)state;
    assert_int_equal(times_in(text, "watch_state"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connection_refused_for_long_keeps_version_and_content),
        cmocka_unit_test(a_restarted_server_is_found_ready_before_its_time),
        cmocka_unit_test(while_nobody_listens_the_pause_stays_short),
        cmocka_unit_test(a_cluster_in_trouble_is_asked_by_one_at_a_time),
        cmocka_unit_test(trouble_of_one_resource_is_its_own),
        cmocka_unit_test(retry_after_is_waited_for),
        cmocka_unit_test(a_watch_that_ends_at_once_is_not_hammered),
        cmocka_unit_test(expiry_without_end_is_slowed_down),
        cmocka_unit_test(a_watch_that_does_not_end_is_ended_by_the_client),
        cmocka_unit_test(the_server_is_asked_for_times_in_the_range),
        cmocka_unit_test(a_frozen_server_is_noticed),
        cmocka_unit_test(a_list_that_stands_still_is_given_up),
        cmocka_unit_test(large_events_pass_and_larger_ones_fail_the_watch),
        cmocka_unit_test(few_lists_run_at_a_time),
        cmocka_unit_test(a_list_from_the_cache_is_confirmed_by_what_follows),
        cmocka_unit_test(a_selector_is_in_every_query),
        cmocka_unit_test(stopping_ends_the_calls),
        cmocka_unit_test(stopping_inside_a_sink_call),
        cmocka_unit_test(the_end_of_the_client_aborts_a_list),
        cmocka_unit_test(no_token_is_unauthorized_until_there_is_one),
        cmocka_unit_test(a_warning_is_logged_once),
        cmocka_unit_test(a_change_of_state_that_is_taken_is_not_logged_as_well),
    };

    return RUN_TABLE("watch scripts", scripts, watch_script_check) +
           cmocka_run_group_tests(tests, NULL, NULL);
}
