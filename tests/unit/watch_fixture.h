/* What tests of watches share: a server that follows a script, a client, a watch, and a sink that writes down
 * what it is told: "begin +NAME@VERSION -NAME@VERSION end abort STATE ". */
#ifndef WAYMARK_TESTS_WATCH_FIXTURE_H
#define WAYMARK_TESTS_WATCH_FIXTURE_H

#include <pthread.h>

#include "fault_server.h"
#include "lib/kube/watch_internal.h"
#include "unit.h"

#define PATH "/apis/velero.io/v1/backups"
#define OTHER_PATH "/apis/velero.io/v1beta1/backups"
#define OBJ(name, rv) "{\"metadata\":{\"name\":\"" name "\",\"resourceVersion\":\"" rv "\"}}"
#define EVENT(type, name, rv) "{\"type\":\"" type "\",\"object\":" OBJ(name, rv) "}\n"
#define BOOKMARK(rv) "{\"type\":\"BOOKMARK\",\"object\":{\"metadata\":{\"resourceVersion\":\"" rv "\"}}}\n"
#define ERROR_EVENT(code, reason)                                                                            \
    "{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"code\":" #code ",\"reason\":\"" reason "\"}}\n"
#define LIST(rv, items)                                                                                      \
    "{\"kind\":\"BackupList\",\"metadata\":{\"resourceVersion\":\"" rv "\"},\"items\":[" items "]}"
#define PAGE(rv, token, items)                                                                               \
    "{\"metadata\":{\"resourceVersion\":\"" rv "\",\"continue\":\"" token "\"},\"items\":[" items "]}"
#define IS_LIST "GET " PATH "?limit"
#define IS_WATCH "watch=1"
#define QUIET_WATCH                                                                                          \
    {                                                                                                        \
        .match = IS_WATCH, .end = FAULT_HANG, .times = -1                                                    \
    }

struct notes {
    pthread_mutex_t lock;
    struct wm_buf text;
    struct wm_watch *to_stop; /* stopped from inside the first upsert */
};

struct setup {
    struct fault_server *server;
    struct wm_kube *kube;
    struct wm_watch *watch;
    struct notes notes;
    struct wm_kube_tunables t;
    struct wm_watch_spec spec;
};

struct wm_kube_tunables quick(void);
bool has(struct notes *n, const char *text);
struct wm_watch_sink sink_of(struct notes *n);
struct wm_kube *connect_to(struct fault_server *s, const struct wm_kube_tunables *t);

void begin(struct setup *s, const struct fault *rows, size_t n);
#define BEGIN(s, ...)                                                                                        \
    begin((s), (const struct fault[]){__VA_ARGS__},                                                          \
          sizeof((const struct fault[]){__VA_ARGS__}) / sizeof(struct fault))

void finish(struct setup *s);

/* Wait until the sink has been told `text`, until the server was asked `n` times for `text`. */
void expect_notes(struct setup *s, const char *text);
void expect_requests(struct setup *s, const char *text, int n);
struct wm_watch_stats stats_of(struct setup *s);

/* What the server does, what must be asked, what the sink must be told: for RUN_TABLE. */
struct watch_script {
    const char *name;
    struct fault rows[8];
    const char *notes;      /* a part of what the sink is told */
    const char *asks[6];    /* each is asked for at least once */
    const char *never_asks; /* NULL = none */
    struct wm_watch_spec spec;
};
void watch_script_check(void **state);

#endif
