/* The library alone on a replayed watch: what the program adds to it shows beside.
 *
 *   bench_replay_client KUBECONFIG PATH KIND EVENTS [model]
 *
 * Lists and watches PATH until EVENTS have come; "model" puts every object into a model, too, as the
 * aggregator does.  Prints "ready" when the list is complete, and at the end the events that came, and when.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "waymark/situation.h"
#include "waymark/watch.h"

static struct {
    struct wm_model *model;
    uint16_t source;
    bool listed, unreadable, done; /* done: under the lock */
    unsigned long n, wanted;
    pthread_mutex_t lock;
    pthread_cond_t enough;
} client = {.lock = PTHREAD_MUTEX_INITIALIZER, .enough = PTHREAD_COND_INITIALIZER};

static void on_begin(void *ctx)
{
    (void)ctx;
    if (client.model)
        wm_model_list_begin(client.model, client.source);
}

static void on_end(void *ctx)
{
    (void)ctx;
    if (client.model)
        wm_model_list_end(client.model, client.source);
    client.listed = true;
    puts("ready");
}

static void on_abort(void *ctx)
{
    (void)ctx;
}

static void on_upsert(void *ctx, struct wm_str object)
{
    (void)ctx;
    if (client.model && !wm_model_put(client.model, client.source, object, NULL))
        client.unreadable = true;
    if (!client.listed || ++client.n < client.wanted)
        return;
    pthread_mutex_lock(&client.lock);
    client.done = true;
    pthread_cond_signal(&client.enough);
    pthread_mutex_unlock(&client.lock);
}

static void on_remove(void *ctx, struct wm_str object)
{
    (void)ctx;
    (void)object;
}

static void on_state(void *ctx, enum wm_watch_state state, const struct wm_error *why)
{
    (void)ctx;
    (void)state;
    (void)why;
}

static enum wm_kind kind_of(const char *resource)
{
    int kind = WM_KIND_COUNT;

    while (--kind > 0 && strcmp(wm_kinds[kind].resource, resource) != 0)
        ;
    return (enum wm_kind)kind;
}

static struct wm_model *new_model(const char *resource)
{
    struct wm_model_conf conf = {.detail = wm_detail_of, .detail_done = wm_detail_done, .over = wm_is_over};
    struct wm_model *m = wm_model_new(&conf);

    client.source = wm_model_source(m, 0, kind_of(resource));
    return m;
}

static int run(const char *kubeconfig, const char *path, struct wm_error *err)
{
    struct wm_kube_opts opts = {.user_agent = "waymark-bench/" WAYMARK_VERSION};
    struct wm_watch_sink sink = {NULL, on_begin, on_end, on_abort, on_upsert, on_remove, on_state};
    struct wm_watch_spec spec = {.path = path};
    struct wm_kube_access access = {0};
    struct wm_kube *k = NULL;
    struct wm_watch *watch;
    sigset_t ends;
    int rc, sent;

    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &ends, NULL);
    if ((rc = wm_kube_access_load(kubeconfig, NULL, &access, err)) < 0)
        return rc;
    if ((rc = wm_kube_new(&access, &opts, &k, err)) < 0) {
        wm_kube_access_done(&access);
        return rc;
    }
    pthread_mutex_lock(&client.lock);
    rc = wm_watch_start(k, &spec, &sink, &watch, err);
    while (rc == WM_OK && !client.done)
        pthread_cond_wait(&client.enough, &client.lock);
    pthread_mutex_unlock(&client.lock);
    printf("%lu\n", client.n);
    sigwait(&ends, &sent);
    wm_kube_free(k);
    return rc;
}

int main(int argc, char *argv[])
{
    struct wm_error err = {0};

    if (argc < 5)
        return 2;
    setvbuf(stdout, NULL, _IOLBF, 0);
    client.wanted = strtoul(argv[4], NULL, 10);
    if (argc > 5)
        client.model = new_model(argv[3]);
    if (run(argv[1], argv[2], &err) < 0 || client.unreadable) {
        fprintf(stderr, "bench_replay_client: %s: %s\n", err.where, err.msg);
        return 1;
    }
    wm_model_free(client.model);
    return 0;
}
