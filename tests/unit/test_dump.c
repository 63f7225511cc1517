/* Whose an object of a dump is, and of when. */
#include "aggregator/dump.h"
#include "unit.h"
#include "waymark/time.h"

static const struct place_row {
    const char *name, *path, *cluster; /* cluster NULL = the path does not tell */
    bool plans_only, no_login;
} places[] = {
    {"must-gather's folder", "must-gather/clusters/target/namespaces/x/crs/backups.velero.io/b.yaml",
     "target", false, false},
    {"its folder of clusters alone", "clusters/east/x.yaml", "east", false, false},
    {"a namespace called target is no cluster", "dump/namespaces/shop/target/x.yaml", NULL, false, false},
    {"a folder of clusters that holds files only", "dump/clusters/x.yaml", NULL, false, false},
    {"the copies beside the clusters", "must-gather/migplans/migplan-a/restore-x/pvr/x.yml", NULL, true,
     false},
    {"a note instead of a cluster", "must-gather/clusters/target/login_error.txt", "target", false, true},
    {"a file named after its role", "dump/source.yaml", "source", false, false},
    {"a folder named after its role", "dump/target/pods.json", "target", false, false},
    {"named on the command line", "host.yaml", "host", false, false},
    {"with a dot before", "./target/pods.json", "target", false, false},
    {"deeper down it means nothing", "dump/a/target/pods.json", NULL, false, false},
    {"nothing tells", "everything.yaml", NULL, false, false},
    {"no name at all", "", NULL, false, false},
};

static void check_place(void **state)
{
    const struct place_row *row = *state;
    struct wm_dump_place got = wm_dump_place(row->path);

    assert_true(row->cluster ? wm_str_is(got.cluster, row->cluster) : !got.cluster.p);
    assert_int_equal(got.plans_only, row->plans_only);
    assert_int_equal(got.no_login, row->no_login);
}

static const struct time_row {
    const char *name, *text, *youngest; /* NULL = none */
} times[] = {
    {"the youngest of several",
     "{\"metadata\":{\"creationTimestamp\":\"2026-11-21T18:00:00Z\"},\"status\":{\"startTimestamp\" :\n "
     "\"2026-11-21T18:05:00Z\"}}",
     "2026-11-21T18:05:00Z"},
    {"with parts of seconds", "{\"eventTime\":\"2026-11-21T18:00:00.123456Z\"}", "2026-11-21T18:00:00Z"},
    {"what lies ahead does not count", "{\"expiration\":\"2027-01-01T00:00:00Z\"}", NULL},
    {"nor does what somebody wrote", "{\"message\":\"2027-01-01T00:00:00Z\",\"time\":\"2027-x\"}", NULL},
    {"an item has no key", "[\"2027-01-01T00:00:00Z\"]", NULL},
    {"cut off", "{\"time\":\"2027-01-01T00:00:0", NULL},
    {"empty", "", NULL},
};

static void check_time(void **state)
{
    const struct time_row *row = *state;
    int64_t s = 0;

    if (row->youngest)
        assert_true(wm_time_parse(wm_str_of(row->youngest), &s));
    assert_int_equal(wm_dump_youngest(wm_str_of(row->text)), s);
}

int main(void)
{
    return RUN_TABLE("places", places, check_place) + RUN_TABLE("times", times, check_time);
}
