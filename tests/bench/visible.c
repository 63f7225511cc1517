/* How long it takes from a PATCH until what it says is visible in another object, by a watch.  Access by
 * $KUBECONFIG.
 *
 * Usage: bench_visible PATH FILE WATCH_PATH FIRST TIMES
 *
 * Sends the merge patch in FILE to PATH TIMES times, each '@' in it replaced by a number that counts from
 * FIRST, and waits each time until an object below WATCH_PATH holds that number.  Prints the milliseconds,
 * one line each; exit 1 when a number does not come within 60 s. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "waymark/clock.h"
#include "waymark/host.h"
#include "waymark/watch.h"

enum { FILE_MAX = 1 << 20, LIMIT_MS = 60000, PAUSE_MS = 400 };

static struct {
    pthread_mutex_t lock;
    char number[24]; /* what is waited for; "" = nothing */
    int64_t seen_ms;
    bool synced;
} shared = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void on_upsert(void *ctx, struct wm_str object)
{
    (void)ctx;
    pthread_mutex_lock(&shared.lock);
    if (shared.number[0] && memmem(object.p, object.n, shared.number, strlen(shared.number))) {
        shared.seen_ms = wm_mono_ms();
        shared.number[0] = '\0';
    }
    pthread_mutex_unlock(&shared.lock);
}

static void on_nothing(void *ctx)
{
    (void)ctx;
}

static void on_remove(void *ctx, struct wm_str object)
{
    (void)ctx;
    (void)object;
}

static void on_state(void *ctx, enum wm_watch_state s, const struct wm_error *why)
{
    (void)ctx;
    (void)why;
    pthread_mutex_lock(&shared.lock);
    shared.synced = s == WM_WATCH_SYNCED;
    pthread_mutex_unlock(&shared.lock);
}

static void pause_ms(int ms)
{
    struct timespec t = {ms / 1000, ms % 1000 * 1000000L};

    nanosleep(&t, NULL);
}

static bool is_synced(void)
{
    pthread_mutex_lock(&shared.lock);
    bool synced = shared.synced;

    pthread_mutex_unlock(&shared.lock);
    return synced;
}

static int64_t seen_at(void)
{
    pthread_mutex_lock(&shared.lock);
    int64_t ms = shared.number[0] ? 0 : shared.seen_ms;

    pthread_mutex_unlock(&shared.lock);
    return ms;
}

static void number_in(struct wm_buf *out, struct wm_str text, const char *number)
{
    wm_buf_clear(out);
    for (size_t at = 0; at < text.n; at++)
        if (text.p[at] == '@')
            wm_buf_puts(out, number);
        else
            wm_buf_add(out, text.p + at, 1);
}

static int once(struct wm_kube *k, const char *path, struct wm_str text, int number, struct wm_error *err)
{
    wm_auto_buf struct wm_buf body = WM_BUF_MAX(FILE_MAX);
    int64_t began_ms = wm_mono_ms(), ms = 0;

    pthread_mutex_lock(&shared.lock);
    snprintf(shared.number, sizeof shared.number, "%d", number);
    number_in(&body, text, shared.number);
    pthread_mutex_unlock(&shared.lock);
    struct wm_kube_request r = {.method = "PATCH",
                                .path = path,
                                .content_type = "application/merge-patch+json",
                                .body = wm_buf_text(&body)};
    int rc = wm_kube_call(k, &r, NULL, NULL, err);

    while (rc == WM_OK && (ms = seen_at()) == 0) {
        if (wm_mono_ms() - began_ms > LIMIT_MS)
            return wm_fail(err, WM_E_TIMEOUT, path, "%d did not become visible", number);
        pause_ms(1);
    }
    if (rc == WM_OK)
        printf("%lld\n", (long long)(ms - began_ms));
    return rc;
}

static int run(char **argv, struct wm_error *err)
{
    struct wm_kube_access access = {0};
    struct wm_kube_opts opts = {.user_agent = "waymark-bench", .writes_per_s = -1};
    struct wm_watch_sink sink = {NULL, on_nothing, on_nothing, on_nothing, on_upsert, on_remove, on_state};
    struct wm_watch_spec spec = {.path = argv[3]};
    wm_auto_buf struct wm_buf text = WM_BUF_MAX(FILE_MAX);
    struct wm_kube *k = NULL;
    struct wm_watch *watch;
    int rc = wm_file_read(argv[2], &text, err);

    if (rc == WM_OK)
        rc = wm_kube_access_load(NULL, NULL, &access, err);
    if (rc == WM_OK)
        rc = wm_kube_new(&access, &opts, &k, err);
    if (rc == WM_OK)
        rc = wm_watch_start(k, &spec, &sink, &watch, err);
    while (rc == WM_OK && !is_synced())
        pause_ms(5);
    for (int i = 0; rc == WM_OK && i < atoi(argv[5]); i++) {
        pause_ms(i ? PAUSE_MS + rand() % 200 : 0);
        rc = once(k, argv[1], wm_buf_text(&text), atoi(argv[4]) + i, err);
    }
    wm_kube_access_done(&access);
    wm_kube_free(k);
    return rc;
}

int main(int argc, char **argv)
{
    struct wm_error err = {0};

    if (argc != 6) {
        fprintf(stderr, "usage: bench_visible PATH FILE WATCH_PATH FIRST TIMES\n");
        return 2;
    }
    if (run(argv, &err) < 0) {
        fprintf(stderr, "%s: %s\n", err.where, err.msg);
        return 1;
    }
    return 0;
}
