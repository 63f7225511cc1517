/* Writes to an API server as controllers do, at a rate that kubectl cannot reach.  Access by $KUBECONFIG.
 *
 *   kube_load create PATH FILE RATE SECONDS   POSTs the object in FILE to PATH, RATE times a second, each '@'
 *                                             in it replaced by the count (generateName's names collide)
 *   kube_load patch PATH FILE RATE SECONDS    the same with merge patches, the '@' in PATH replaced, too
 *   kube_load update PATH TIMES               GETs the object at PATH, then PUTs it whole TIMES times, each
 *                                             time with another status.phase and touch, as mig-controller
 * does
 *
 * Prints one JSON line with what came of it; exit 1 when anything failed. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "waymark/clock.h"
#include "waymark/host.h"
#include "waymark/json.h"
#include "waymark/kube.h"

enum { FILE_MAX = 4 << 20, ANSWER_MAX = 16 << 20, MAX_OPEN = 500 };

static struct {
    pthread_mutex_t lock;
    int ok, failed, open;
    int64_t slowest_ms;
    struct wm_error first;
} tally = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void pause_us(int64_t us)
{
    struct timespec t = {.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000};

    nanosleep(&t, NULL);
}

static void on_reply(void *ctx, const struct wm_kube_reply *reply)
{
    int64_t *began_ms = ctx, took_ms = wm_mono_ms() - *began_ms;

    free(began_ms);
    pthread_mutex_lock(&tally.lock);
    tally.open--;
    if (reply->error.code == WM_OK)
        tally.ok++;
    else if (tally.failed++ == 0)
        tally.first = reply->error;
    if (took_ms > tally.slowest_ms)
        tally.slowest_ms = took_ms;
    pthread_mutex_unlock(&tally.lock);
}

static void count_failure(const struct wm_error *err)
{
    pthread_mutex_lock(&tally.lock);
    if (tally.failed++ == 0)
        tally.first = *err;
    pthread_mutex_unlock(&tally.lock);
}

static int n_open(void)
{
    pthread_mutex_lock(&tally.lock);
    int n = tally.open;

    pthread_mutex_unlock(&tally.lock);
    return n;
}

static void number(struct wm_buf *out, struct wm_str text, int i)
{
    wm_buf_clear(out);
    for (size_t at = 0; at < text.n; at++)
        if (text.p[at] == '@')
            wm_buf_printf(out, "%d", i);
        else
            wm_buf_add(out, text.p + at, 1);
}

static void send_one(struct wm_kube *k, const struct wm_kube_request *r)
{
    int64_t *began_ms = malloc(sizeof *began_ms);
    struct wm_error err;

    *began_ms = wm_mono_ms();
    pthread_mutex_lock(&tally.lock);
    tally.open++;
    pthread_mutex_unlock(&tally.lock);
    if (wm_kube_send(k, r, on_reply, began_ms, &err) == WM_OK)
        return;
    free(began_ms);
    pthread_mutex_lock(&tally.lock);
    tally.open--;
    pthread_mutex_unlock(&tally.lock);
    count_failure(&err);
}

static int send_all(struct wm_kube *k, bool creates, const char *path, const char *file, int rate,
                    int seconds)
{
    wm_auto_buf struct wm_buf body = WM_BUF_MAX(FILE_MAX), numbered = WM_BUF_MAX(FILE_MAX);
    wm_auto_buf struct wm_buf place = WM_BUF_MAX(FILE_MAX);
    struct wm_error err;

    if (wm_file_read(file, &body, &err) < 0) {
        fprintf(stderr, "%s: %s\n", err.where, err.msg);
        return 2;
    }
    /* A failure must show: nothing is tried again. */
    struct wm_kube_request r = {.method = creates ? "POST" : "PATCH", .timeout_ms = 30000, .once = true};
    int64_t from_us = wm_mono_ns() / 1000;

    if (!creates)
        r.content_type = "application/merge-patch+json";
    for (int i = 0; i < rate * seconds; i++) {
        int64_t due_us = from_us + (int64_t)i * 1000000 / rate, now_us = wm_mono_ns() / 1000;

        if (due_us > now_us)
            pause_us(due_us - now_us);
        while (n_open() >= MAX_OPEN)
            pause_us(1000);
        number(&numbered, wm_buf_text(&body), i);
        number(&place, wm_str_of(path), i);
        r.body = wm_buf_text(&numbered);
        r.path = wm_buf_text(&place).p;
        send_one(k, &r);
    }
    while (n_open() > 0)
        pause_us(1000);
    return 0;
}

static int update_once(struct wm_kube *k, const char *path, cJSON **object, int i)
{
    wm_auto_buf struct wm_buf body = WM_BUF_MAX(FILE_MAX), answer = WM_BUF_MAX(ANSWER_MAX);
    struct wm_error err = {0};
    char text[64];
    cJSON *meta = wm_json_at(*object, "/metadata"), *status = wm_json_at(*object, "/status");
    cJSON *notes = wm_json_at(meta, "/annotations");

    if (!status)
        status = cJSON_AddObjectToObject(*object, "status");
    if (!notes)
        notes = cJSON_AddObjectToObject(meta, "annotations");
    snprintf(text, sizeof text, "Phase%d", i);
    cJSON_DeleteItemFromObjectCaseSensitive(status, "phase");
    cJSON_AddStringToObject(status, "phase", text);
    cJSON_DeleteItemFromObjectCaseSensitive(notes, "openshift.io/touch");
    cJSON_AddStringToObject(notes, "openshift.io/touch", text);
    if (wm_json_print(*object, &body, &err) < 0 ||
        wm_kube_call(k,
                     &(struct wm_kube_request){
                         .method = "PUT", .path = path, .body = wm_buf_text(&body), .once = true},
                     &answer, NULL, &err) < 0) {
        count_failure(&err);
        return -1;
    }
    cJSON_Delete(*object);
    *object = NULL;
    tally.ok++;
    return wm_json_parse(wm_buf_text(&answer), object, NULL);
}

static int update(struct wm_kube *k, const char *path, int times)
{
    wm_auto_buf struct wm_buf answer = WM_BUF_MAX(ANSWER_MAX);
    wm_auto_json cJSON *object = NULL;
    struct wm_error err;

    if (wm_kube_call(k, &(struct wm_kube_request){.method = "GET", .path = path}, &answer, NULL, &err) < 0 ||
        wm_json_parse(wm_buf_text(&answer), &object, &err) < 0) {
        fprintf(stderr, "%s: %s\n", path, err.msg);
        return 2;
    }
    for (int i = 0; i < times; i++)
        if (update_once(k, path, &object, i) < 0)
            break;
    return 0;
}

int main(int argc, char *argv[])
{
    struct wm_kube_access access = {0};
    struct wm_kube_opts opts = {.user_agent = "waymark-kube-load", .writes_per_s = -1};
    struct wm_kube *k = NULL;
    struct wm_error err;
    int status = 2;
    bool creates = argc == 6 && strcmp(argv[1], "create") == 0,
         patches = argc == 6 && strcmp(argv[1], "patch") == 0,
         updates = argc == 4 && strcmp(argv[1], "update") == 0;

    if (!creates && !patches && !updates) {
        fprintf(stderr, "usage: kube_load create|patch PATH FILE RATE SECONDS | update PATH TIMES\n");
        return 2;
    }
    if (wm_kube_access_load(NULL, NULL, &access, &err) < 0 || wm_kube_new(&access, &opts, &k, &err) < 0) {
        fprintf(stderr, "%s: %s\n", err.where, err.msg);
        return 2;
    }
    status = updates ? update(k, argv[2], atoi(argv[3]))
                     : send_all(k, creates, argv[2], argv[3], atoi(argv[4]), atoi(argv[5]));
    wm_kube_free(k);
    for (char *p = tally.first.msg; *p; p++)
        if (*p == '"' || *p == '\\')
            *p = '\''; /* it goes between quotes */
    printf("{\"ok\":%d,\"failed\":%d,\"slowest_ms\":%lld,\"first_error\":\"%.180s\"}\n", tally.ok,
           tally.failed, (long long)tally.slowest_ms, tally.first.msg);
    return status ? status : tally.failed != 0;
}
