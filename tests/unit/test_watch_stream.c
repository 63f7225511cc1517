/* Lists that come as a stream: when they are asked for, when they are complete, and when pages are better. */
#include <stdio.h>
#include <unistd.h>

#include "watch_fixture.h"
#include "waymark/clock.h"

#define STREAM "watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&"
#define STREAM_NEW STREAM "timeoutSeconds="
#define STREAM_FROM(rv) STREAM "resourceVersion=" rv "&timeoutSeconds="
#define END_OF_INITIAL(rv)                                                                                   \
    "{\"type\":\"BOOKMARK\",\"object\":{\"metadata\":{\"resourceVersion\":\"" rv                             \
    "\",\"annotations\":{\"k8s.io/initial-events-end\":\"true\"}}}}\n"
#define WATCH_FROM(rv) "watch=1&resourceVersion=" rv "&"
#define REFUSED                                                                                              \
    "{\"kind\":\"Status\",\"reason\":\"Invalid\",\"message\":\"resourceVersionMatch: Forbidden: "            \
    "resourceVersionMatch is forbidden for watch\",\"code\":422}"

static const struct watch_script scripts[] = {
    {"complete at its bookmark, and on it goes as a watch on the same connection",
     {{.match = STREAM_NEW,
       .body = {EVENT("ADDED", "a", "9"), EVENT("ADDED", "b", "3"), END_OF_INITIAL("10"),
                EVENT("MODIFIED", "a", "11")}},
      QUIET_WATCH},
     "begin +a@9 +b@3 end synced +a@11 ",
     {WATCH_FROM("11")},
     IS_LIST,
     {.stream = true}},
    {"an empty list",
     {{.match = STREAM_NEW, .body = {END_OF_INITIAL("10")}}, QUIET_WATCH},
     "begin end synced ",
     {WATCH_FROM("10")},
     IS_LIST,
     {.stream = true}},
    {"the end in the same chunk as all else, and what follows it",
     {{.match = STREAM_NEW,
       .body = {EVENT("ADDED", "a", "9") END_OF_INITIAL("10") EVENT("DELETED", "a", "12")}},
      QUIET_WATCH},
     "begin +a@9 end synced -a@12 ",
     {WATCH_FROM("12")},
     IS_LIST,
     {.stream = true}},
    {"what is deleted before the end is told at once, a plain bookmark ends nothing",
     {{.match = STREAM_NEW,
       .body = {EVENT("ADDED", "a", "9"), BOOKMARK("9"), EVENT("DELETED", "a", "10"),
                EVENT("MODIFIED", "b", "11"), END_OF_INITIAL("12")}},
      QUIET_WATCH},
     "begin +a@9 -a@10 +b@11 end synced ",
     {WATCH_FROM("12")},
     IS_LIST,
     {.stream = true}},
    {"a stream that dies before its end is thrown away, its versions too",
     {{.match = STREAM_NEW,
       .body = {EVENT("ADDED", "a", "9"), EVENT("ADDED", "b", "30")},
       .end = FAULT_RESET},
      {.match = STREAM_NEW, .body = {EVENT("ADDED", "a", "9"), END_OF_INITIAL("31")}},
      QUIET_WATCH},
     "begin +a@9 +b@30 abort unreachable begin +a@9 end synced ",
     {WATCH_FROM("31")},
     "resourceVersion=30",
     {.stream = true}},
    {"a stream that is ended in good order, too early",
     {{.match = STREAM_NEW, .body = {EVENT("ADDED", "a", "9")}},
      {.match = STREAM_NEW, .body = {END_OF_INITIAL("10")}},
      QUIET_WATCH},
     "begin +a@9 abort unreachable begin end synced ",
     {WATCH_FROM("10")},
     IS_LIST,
     {.stream = true}},
    {"two that broke off: pages",
     {{.match = STREAM_NEW, .body = {EVENT("ADDED", "a", "9")}, .end = FAULT_CLOSE, .times = 2},
      {.match = IS_LIST "=500&resourceVersion=0 ", .body = {LIST("20", OBJ("a", "9"))}},
      QUIET_WATCH},
     "begin +a@9 abort unreachable begin +a@9 abort begin +a@9 end synced ",
     {WATCH_FROM("20")},
     NULL,
     {.stream = true}},
    {"422 of a server that does not know it: pages, and a watch as ever",
     {{.match = STREAM, .status = 422, .body = {REFUSED}},
      {.match = IS_LIST "=500&resourceVersion=0 ", .body = {LIST("10", OBJ("a", "3"))}},
      QUIET_WATCH},
     "begin +a@3 end synced ",
     {WATCH_FROM("10") "allowWatchBookmarks=true&"},
     "unreachable",
     {.stream = true}},
    {"400 says the same; the list from etcd that was asked for stays one",
     {{.match = STREAM, .status = 400}, {.match = IS_LIST "=500 ", .body = {LIST("10", "")}}, QUIET_WATCH},
     "begin end synced ",
     {WATCH_FROM("10")},
     "resourceVersion=0",
     {.stream = true, .quorum_first = true}},
    {"after a 410: a stream not older than what was seen",
     {{.match = STREAM_NEW, .body = {END_OF_INITIAL("10") EVENT("ADDED", "a", "11")}},
      {.match = WATCH_FROM("11"), .status = 410},
      {.match = STREAM_FROM("11"), .body = {EVENT("ADDED", "a", "11") END_OF_INITIAL("20")}},
      QUIET_WATCH},
     "begin end synced +a@11 begin +a@11 end ",
     {WATCH_FROM("20")},
     IS_LIST,
     {.stream = true}},
    {"410 for that too: the newest",
     {{.match = STREAM_NEW, .body = {END_OF_INITIAL("10")}},
      {.match = WATCH_FROM("10"), .status = 410},
      {.match = STREAM_FROM("10"), .body = {ERROR_EVENT(410, "Expired")}},
      {.match = STREAM_NEW, .body = {END_OF_INITIAL("30")}},
      QUIET_WATCH},
     "begin end synced begin abort begin end ",
     {WATCH_FROM("30")},
     IS_LIST,
     {.stream = true}},
    {"a server that is behind: the newest",
     {{.match = STREAM_NEW, .body = {END_OF_INITIAL("10")}},
      {.match = WATCH_FROM("10"), .status = 410},
      {.match = STREAM_FROM("10"),
       .status = 504,
       .body = {"{\"kind\":\"Status\",\"message\":\"Timeout: Too large resource version: 10, current: 5\"}"}},
      {.match = STREAM_NEW, .body = {END_OF_INITIAL("30")}},
      QUIET_WATCH},
     "begin end synced begin end ",
     {WATCH_FROM("30")},
     IS_LIST,
     {.stream = true}},
    {"an end without a version is none",
     {{.match = STREAM_NEW, .body = {END_OF_INITIAL("0")}},
      {.match = STREAM_NEW, .body = {END_OF_INITIAL("10")}},
      QUIET_WATCH},
     "begin abort unreachable begin end synced ",
     {WATCH_FROM("10")},
     WATCH_FROM("0"),
     {.stream = true}},
    {"garbage",
     {{.match = STREAM_NEW, .body = {"garbage\n"}},
      {.match = STREAM_NEW, .body = {END_OF_INITIAL("10")}},
      QUIET_WATCH},
     "begin abort unreachable begin end synced ",
     {NULL},
     IS_LIST,
     {.stream = true}},
    {"metadata only",
     {{.match = "as=PartialObjectMetadata;g=meta.k8s.io;v=v1,",
       .body = {EVENT("ADDED", "a", "9"), END_OF_INITIAL("10")}},
      QUIET_WATCH},
     "begin +a@9 end synced ",
     {STREAM_NEW, WATCH_FROM("10")},
     "PartialObjectMetadataList",
     {.stream = true, .metadata_only = true}},
    {"406: whole objects, still as a stream",
     {{.match = "as=PartialObjectMetadata;", .status = 406},
      {.match = STREAM_NEW, .body = {END_OF_INITIAL("10")}},
      QUIET_WATCH},
     "begin end synced ",
     {WATCH_FROM("10")},
     IS_LIST,
     {.stream = true, .metadata_only = true}},
    {"a kind that is not installed",
     {{.match = STREAM_NEW,
       .status = 404,
       .type = "text/plain",
       .body = {"404 page not found\n"},
       .times = 2},
      {.match = STREAM_NEW, .body = {EVENT("ADDED", "a", "9"), END_OF_INITIAL("10")}},
      QUIET_WATCH},
     "begin end absent begin +a@9 end synced ",
     {NULL},
     IS_LIST,
     {.stream = true}},
    {"403, then allowed",
     {{.match = STREAM_NEW, .status = 403},
      {.match = STREAM_NEW, .body = {END_OF_INITIAL("10")}},
      QUIET_WATCH},
     "forbidden begin end synced ",
     {NULL},
     IS_LIST,
     {.stream = true}},
    {"503: the gate, then a stream",
     {{.match = STREAM_NEW, .status = 503},
      {.match = STREAM_NEW, .body = {END_OF_INITIAL("10")}},
      QUIET_WATCH},
     "unreachable begin end synced ",
     {NULL},
     IS_LIST,
     {.stream = true}},
    {"a selector is in it",
     {{.match = "?labelSelector=a%3Db&" STREAM_NEW, .body = {END_OF_INITIAL("10")}}, QUIET_WATCH},
     "begin end synced ",
     {"?labelSelector=a%3Db&" WATCH_FROM("10")},
     IS_LIST,
     {.stream = true, .label_selector = "a=b"}},
};

/* --- what a row cannot say --- */

static void nothing_is_synced_before_the_end(void **state)
{
    struct setup s = {.spec = {.stream = true}};
    struct wm_watch_stats st;

    (void)state;
    BEGIN(&s, {.match = STREAM_NEW,
               .body = {EVENT("ADDED", "a", "9"), END_OF_INITIAL("10")},
               .between_ms = 150,
               .end = FAULT_HANG});
    expect_notes(&s, "+a@9 ");
    usleep(50000);
    st = stats_of(&s);
    assert_int_equal(st.state, WM_WATCH_STARTING);
    assert_false(st.confirmed);
    expect_notes(&s, "begin +a@9 end synced ");
    usleep(20000);
    st = stats_of(&s);
    assert_true(st.confirmed);
    assert_int_equal(st.lists, 1);
    assert_int_equal(st.streams, 1);
    assert_int_equal(st.events, 0);
    assert_int_equal(st.errors, 0);
    finish(&s);
}

/* What one watch learned holds for all of the cluster, for a day. */
static void a_refusal_is_remembered_until_it_is_old(void **state)
{
    struct setup s = {.t = quick(), .spec = {.stream = true}};

    (void)state;
    s.t.stream_again_ms = 400;
    BEGIN(&s, {.match = STREAM, .status = 422, .body = {REFUSED}},
          {.match = IS_LIST, .body = {LIST("10", "")}}, {.match = WATCH_FROM("10"), .status = 410},
          {.match = PATH "?resourceVersion=10 ", .body = {LIST("20", "")}},
          {.match = WATCH_FROM("20"), .status = 410, .delay_ms = 500},
          {.match = STREAM_FROM("20"), .body = {END_OF_INITIAL("30")}}, QUIET_WATCH);
    expect_requests(&s, WATCH_FROM("30"), 1);
    assert_int_equal(fault_server_count(s.server, STREAM), 2);
    assert_int_equal(stats_of(&s).errors, 0);
    assert_int_equal(stats_of(&s).streams, 2);
    finish(&s);
}

static void silence_before_the_end_is_counted_and_then_given_up(void **state)
{
    struct setup s = {.t = quick(), .spec = {.stream = true}};

    (void)state;
    s.t.stream_quiet_ms = 100;
    s.t.list_stall_ms = 350;
    BEGIN(&s, {.match = STREAM, .body = {EVENT("ADDED", "a", "9")}, .end = FAULT_HANG},
          {.match = STREAM, .body = {END_OF_INITIAL("10")}, .end = FAULT_HANG});
    expect_notes(&s, "begin +a@9 abort unreachable begin end synced ");
    assert_in_range(stats_of(&s).stream_stalls, 2, 3);
    usleep(300000);
    /* a watch may be as quiet as it likes */
    assert_in_range(stats_of(&s).stream_stalls, 2, 3);
    finish(&s);
}

static void no_answer_at_all_is_given_up_too(void **state)
{
    struct setup s = {.t = quick(), .spec = {.stream = true}};

    (void)state;
    s.t.stream_quiet_ms = 50;
    s.t.list_first_byte_ms = 150;
    BEGIN(&s, {.match = STREAM, .end = FAULT_MUTE}, {.match = STREAM, .body = {END_OF_INITIAL("10")}},
          QUIET_WATCH);
    expect_notes(&s, "unreachable begin end synced ");
    assert_in_range(stats_of(&s).stream_stalls, 1, 2);
    finish(&s);
}

/* They cost the server as much as lists. */
static void few_streams_run_at_a_time(void **state)
{
    enum { N = 5 };
    struct setup s[N] = {{.spec = {.stream = true}}};

    (void)state;
    BEGIN(&s[0],
          {.match = STREAM, .body = {END_OF_INITIAL("10")}, .delay_ms = 200, .end = FAULT_HANG, .times = -1});
    for (int i = 1; i < N; i++) {
        struct wm_watch_sink sink = sink_of(&s[i].notes);

        pthread_mutex_init(&s[i].notes.lock, NULL);
        s[i].notes.text = WM_BUF_MAX(1 << 20);
        s[i].spec = s[0].spec;
        assert_int_equal(wm_watch_start(s[0].kube, &s[i].spec, &sink, &s[i].watch, NULL), WM_OK);
    }
    usleep(120000);
    assert_int_equal(fault_server_count(s[0].server, STREAM), 2);
    for (int i = 0; i < N; i++)
        expect_notes(&s[i], "synced ");
    for (int i = 1; i < N; i++) {
        wm_watch_stop(s[i].watch);
        wm_buf_done(&s[i].notes.text);
    }
    finish(&s[0]);
}

/* A list that has become a watch must end at its time like any other. */
static void the_deadline_holds_behind_a_stream(void **state)
{
    struct setup s = {.spec = {.stream = true, .watch_min_s = 1, .watch_max_s = 1}};
    int64_t start = wm_mono_ms();

    (void)state;
    BEGIN(&s, {.match = STREAM, .body = {END_OF_INITIAL("10")}, .end = FAULT_HANG}, QUIET_WATCH);
    expect_requests(&s, WATCH_FROM("10"), 1);
    assert_in_range(wm_mono_ms() - start, 1200, 2500);
    finish(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_synced_before_the_end),
        cmocka_unit_test(a_refusal_is_remembered_until_it_is_old),
        cmocka_unit_test(silence_before_the_end_is_counted_and_then_given_up),
        cmocka_unit_test(no_answer_at_all_is_given_up_too),
        cmocka_unit_test(few_streams_run_at_a_time),
        cmocka_unit_test(the_deadline_holds_behind_a_stream),
    };

    return RUN_TABLE("streamed lists", scripts, watch_script_check) +
           cmocka_run_group_tests(tests, NULL, NULL);
}
