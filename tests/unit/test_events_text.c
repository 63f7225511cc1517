/* Events: what is written of them. */
#include "lib/kube/events_internal.h"
#include "unit.h"
#include "waymark/json.h"
#include "waymark/time.h"

static const int64_t SEEN_US = 1795245480000123; /* 2026-11-21T07:18:00.000123Z */

/* --- times --- */

static const struct time_row {
    const char *name; /* as MicroTime */
    int64_t us;
} times[] = {
    {"1970-01-01T00:00:00.000000Z", 0},
    {"2000-02-29T12:00:00.000001Z", 951825600000001},
    {"2026-11-21T07:18:00.000123Z", SEEN_US},
    {"2100-03-01T00:00:00.100000Z", 4107542400100000},
};

static void check_time(void **state)
{
    const struct time_row *r = *state;
    char text[32];
    int64_t s;

    wm_time_format_us(r->us, text);
    assert_string_equal(text, r->name);
    assert_true(wm_time_parse(wm_str_of(text), &s));
    assert_int_equal(s, r->us / 1000000);
    wm_time_print(s, text);
    assert_int_equal(strlen(text), 20);
    assert_memory_equal(text, r->name, 19);
}

static void every_day_of_four_centuries_reads_back(void **state)
{
    (void)state;
    for (int64_t day = 0; day < 146097; day++) {
        char text[32];
        int64_t s = 0;

        wm_time_print(day * 86400 + 86399, text);
        assert_true(wm_time_parse(wm_str_of(text), &s));
        assert_int_equal(s, day * 86400 + 86399);
    }
}

/* --- notes --- */

#define TEN "0123456789"
#define HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN
#define THOUSAND HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED

static const struct note_row {
    const char *name, *note, *want;
} notes[] = {
    {"absent", NULL, ""},
    {"plain", "Restore r waits", "Restore r waits"},
    {"1,024 bytes fit", THOUSAND "0123456789abcdefghijklmn", THOUSAND "0123456789abcdefghijklmn"},
    {"1,025 bytes do not", THOUSAND "0123456789abcdefghijklmno", THOUSAND "0123456789abcdefghijk..."},
    {"cut before a character of two bytes, not inside", THOUSAND "0123456789abcdefghij\xc3\xa4klmn",
     THOUSAND "0123456789abcdefghij..."},
    {"control characters", "a\nb\tc\x01", "a b c "},
    {"no UTF-8",
     "a\xff\xfe"
     "b",
     "a\xef\xbf\xbd\xef\xbf\xbd"
     "b"},
    {"URL with a password", "cannot reach https://me:secret@minio:9000/bucket now",
     "cannot reach https://minio:9000/bucket now"},
    {"URL with a user, at the end", "s3://me@", "s3://"},
    {"two URLs", "\"http://a:b@c/\" and http://d:e@f", "\"http://c/\" and http://f"},
    {"a password with an @", "http://a:b@c@d/x@y", "http://d/x@y"},
    {"an @ that is none", "http://a/b@c and me@there", "http://a/b@c and me@there"},
    {"a password where it would be cut", THOUSAND "012 https://user:password" TEN TEN "@host",
     THOUSAND "012 https://host"},
};

static void check_note(void **state)
{
    const struct note_row *r = *state;
    wm_auto_free struct wm_event_kept *k =
        wm_event_keep(&(struct wm_event){.reason = "R", .note = r->note}, (struct wm_event_now){0});

    assert_string_equal(k->event.note, r->want);
    assert_true(strlen(k->event.note) <= 1024);
}

static void what_is_no_utf8_is_measured_as_it_is_sent(void **state)
{
    char note[1025];

    (void)state;
    memset(note, 0xff, sizeof note - 1);
    note[1024] = '\0';
    wm_auto_free struct wm_event_kept *k =
        wm_event_keep(&(struct wm_event){.note = note}, (struct wm_event_now){0});
    assert_true(strlen(k->event.note) > 1000 && strlen(k->event.note) <= 1024);
}

/* --- names --- */

static const struct name_row {
    const char *name, *object, *want;
} names[] = {
    {"as it is", "migration-1.x", "migration-1.x.18ea0a22a7a3c278"},
    {"no DNS name", "system:me", "event.18ea0a22a7a3c278"},
    {"upper case", "Me", "event.18ea0a22a7a3c278"},
    {"two dots", "a..b", "event.18ea0a22a7a3c278"},
    {"a dot and a hyphen", "a.-b", "event.18ea0a22a7a3c278"},
    {"none", "", "event.18ea0a22a7a3c278"},
    {"too long", HUNDRED HUNDRED TEN TEN TEN "01234-x89",
     HUNDRED HUNDRED TEN TEN TEN "01234.18ea0a22a7a3c278"},
};

static void check_name(void **state)
{
    const struct name_row *r = *state;
    struct wm_event e = {.regarding.name = r->object};
    char name[WM_EVENT_NAME_MAX + 1];

    wm_event_name(&e, 0x18ea0a22a7a3c278, name);
    assert_string_equal(name, r->want);
    assert_true(strlen(name) <= 253);
}

/* --- JSON --- */

static const struct wm_event full = {
    .regarding = {"migration.openshift.io/v1alpha1", "MigMigration", "openshift-migration", "m1", "u-1"},
    .related = {"velero.io/v1", "Restore", "openshift-migration", "r1", "u-2"},
    .warning = true,
    .reason = "Stalled",
    .action = "Watch",
    .note = "says \"no\"",
};
static const struct wm_event bare = {
    .regarding = {.kind = "MigCluster", .name = "host"}, .reason = "Seen", .note = "n"};

#define M1                                                                                                   \
    "{\"kind\":\"MigMigration\",\"apiVersion\":\"migration.openshift.io/v1alpha1\","                         \
    "\"namespace\":\"openshift-migration\",\"name\":\"m1\",\"uid\":\"u-1\"}"
#define R1                                                                                                   \
    "{\"kind\":\"Restore\",\"apiVersion\":\"velero.io/v1\",\"namespace\":\"openshift-migration\","           \
    "\"name\":\"r1\",\"uid\":\"u-2\"}"
#define SERIES "\"series\":{\"count\":3,\"lastObservedTime\":\"2026-11-21T07:18:02.000123Z\"}"

static const struct json_row {
    const char *name;
    const struct wm_event *event;
    enum wm_event_api api;
    int count;
    bool patch;
    const char *want;
} jsons[] = {
    {"new", &full, WM_EVENTS_V1, 1, false,
     "{\"kind\":\"Event\",\"apiVersion\":\"events.k8s.io/v1\",\"metadata\":{\"name\":\"m1.1\",\"namespace\":"
     "\"openshift-migration\"},\"type\":\"Warning\",\"reason\":\"Stalled\",\"action\":\"Watch\","
     "\"reportingInstance\":\"pod-1\",\"related\":" R1 ",\"eventTime\":\"2026-11-21T07:18:00.000123Z\","
     "\"reportingController\":\"waymark.io/aggregator\",\"note\":\"says \\\"no\\\"\",\"regarding\":" M1 "}"},
    {"new, and a series already", &bare, WM_EVENTS_V1, 3, false,
     "{\"kind\":\"Event\",\"apiVersion\":\"events.k8s.io/v1\",\"metadata\":{\"name\":\"m1.1\",\"namespace\":"
     "\"default\"},\"type\":\"Normal\",\"reason\":\"Seen\",\"action\":\"Seen\","
     "\"reportingInstance\":\"pod-1\",\"eventTime\":\"2026-11-21T07:18:00.000123Z\","
     "\"reportingController\":\"waymark.io/aggregator\",\"note\":\"n\","
     "\"regarding\":{\"kind\":\"MigCluster\",\"name\":\"host\"}," SERIES "}"},
    {"patch", &full, WM_EVENTS_V1, 3, true, "{" SERIES "}"},
    {"new, core", &full, WM_EVENTS_CORE, 1, false,
     "{\"kind\":\"Event\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"m1.1\",\"namespace\":"
     "\"openshift-migration\"},\"type\":\"Warning\",\"reason\":\"Stalled\",\"action\":\"Watch\","
     "\"reportingInstance\":\"pod-1\",\"related\":" R1 ",\"firstTimestamp\":\"2026-11-21T07:18:00Z\","
     "\"count\":1,\"lastTimestamp\":\"2026-11-21T07:18:02Z\",\"source\":{\"component\":"
     "\"waymark.io/aggregator\"},\"reportingComponent\":\"waymark.io/aggregator\","
     "\"message\":\"says \\\"no\\\"\",\"involvedObject\":" M1 "}"},
    {"patch, core", &full, WM_EVENTS_CORE, 3, true,
     "{\"count\":3,\"lastTimestamp\":\"2026-11-21T07:18:02Z\"}"},
};

static void check_json(void **state)
{
    const struct json_row *r = *state;
    wm_auto_free struct wm_event_kept *k = wm_event_keep(r->event, (struct wm_event_now){0});
    wm_auto_buf struct wm_buf out = WM_BUF_MAX(10000);
    struct wm_event_telling t = {.api = r->api,
                                 .controller = "waymark.io/aggregator",
                                 .instance = "pod-1",
                                 .namespace_ = wm_event_namespace(&k->event, false),
                                 .name = "m1.1",
                                 .event = &k->event,
                                 .first_us = SEEN_US,
                                 .last_us = SEEN_US + 2000000,
                                 .count = r->count};

    (r->patch ? wm_event_put_patch : wm_event_put)(&t, &out);
    assert_string_equal(out.p, r->want);
    assert_int_equal(wm_json_locate(wm_buf_text(&out), 0, NULL, NULL, NULL), WM_OK);
}

static const struct path_row {
    const char *name, *namespace_;
    bool system;
    enum wm_event_api api;
    bool with_name;
    const char *want;
} paths[] = {
    {"create", "n", false, WM_EVENTS_V1, false, "/apis/events.k8s.io/v1/namespaces/n/events"},
    {"patch", "n", true, WM_EVENTS_V1, true, "/apis/events.k8s.io/v1/namespaces/n/events/e.1"},
    {"no namespace", "", false, WM_EVENTS_V1, false, "/apis/events.k8s.io/v1/namespaces/default/events"},
    {"an odd one", "a/../b", false, WM_EVENTS_V1, false, "/apis/events.k8s.io/v1/namespaces/default/events"},
    {"system", "", true, WM_EVENTS_V1, true, "/apis/events.k8s.io/v1/namespaces/kube-system/events/e.1"},
    {"core", "n", false, WM_EVENTS_CORE, true, "/api/v1/namespaces/n/events/e.1"},
};

static void check_path(void **state)
{
    const struct path_row *r = *state;
    struct wm_event e = {.regarding.namespace_ = r->namespace_};
    struct wm_event_telling t = {
        .api = r->api, .namespace_ = wm_event_namespace(&e, r->system), .name = "e.1", .event = &e};
    wm_auto_buf struct wm_buf out = WM_BUF_MAX(1000);

    wm_event_put_path(&t, r->with_name, &out);
    assert_string_equal(out.p, r->want);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_day_of_four_centuries_reads_back),
        cmocka_unit_test(what_is_no_utf8_is_measured_as_it_is_sent),
    };

    return RUN_TABLE("times", times, check_time) + RUN_TABLE("notes", notes, check_note) +
           RUN_TABLE("names", names, check_name) + RUN_TABLE("JSON", jsons, check_json) +
           RUN_TABLE("paths", paths, check_path) +
           cmocka_run_group_tests_name("texts of events, one by one", tests, NULL, NULL);
}
