#include "watch_fixture.h"

#include <stdio.h>
#include <unistd.h>

#include "waymark/clock.h"

/* --- the sink writes down what it is told --- */

static void note(struct notes *n, const char *word, struct wm_str object)
{
    static const char *const wanted[] = {"/metadata/name", "/metadata/resourceVersion"};
    struct wm_json_span s[2];

    pthread_mutex_lock(&n->lock);
    wm_buf_puts(&n->text, word);
    if (object.p && wm_json_locate(object, 2, wanted, s, NULL) == WM_OK) {
        wm_json_unescape(s[0], &n->text, NULL);
        wm_buf_puts(&n->text, "@");
        wm_json_unescape(s[1], &n->text, NULL);
    }
    wm_buf_puts(&n->text, " ");
    pthread_mutex_unlock(&n->lock);
}

static void on_begin(void *ctx)
{
    note(ctx, "begin", (struct wm_str){0});
}

static void on_end(void *ctx)
{
    note(ctx, "end", (struct wm_str){0});
}

static void on_abort(void *ctx)
{
    note(ctx, "abort", (struct wm_str){0});
}

static void on_upsert(void *ctx, struct wm_str object)
{
    struct notes *n = ctx;

    note(n, "+", object);
    if (n->to_stop)
        wm_watch_stop(n->to_stop);
}

static void on_remove(void *ctx, struct wm_str object)
{
    note(ctx, "-", object);
}

static void on_state(void *ctx, enum wm_watch_state s, const struct wm_error *why)
{
    (void)why;
    note(ctx, wm_watch_state_name(s), (struct wm_str){0});
}

bool has(struct notes *n, const char *text)
{
    pthread_mutex_lock(&n->lock);
    bool found = n->text.p && strstr(n->text.p, text);

    pthread_mutex_unlock(&n->lock);
    return found;
}

/* --- a server, a client, a watch --- */

struct wm_kube_tunables quick(void)
{
    struct wm_kube_tunables t = wm_kube_default_tunables;

    t.connect_ms = 1000;
    t.backoff_divisor = 40; /* 20 ms and more */
    t.refused_cap_ms = 2000;
    t.short_watch_ms = 50;
    t.absent_ms = 4000;
    t.absent_sure_ms = 300;
    t.forbidden_ms = 8000;
    t.watch_grace_ms = 300;
    return t;
}

struct wm_watch_sink sink_of(struct notes *n)
{
    return (struct wm_watch_sink){.ctx = n,
                                  .replace_begin = on_begin,
                                  .replace_end = on_end,
                                  .replace_abort = on_abort,
                                  .upsert = on_upsert,
                                  .remove = on_remove,
                                  .state = on_state};
}

struct wm_kube *connect_to(struct fault_server *s, const struct wm_kube_tunables *t)
{
    wm_auto_buf struct wm_buf url = WM_BUF_MAX(100);
    struct wm_kube_access access = {0};
    struct wm_kube *kube = NULL;

    wm_buf_printf(&url, "http://127.0.0.1:%d", fault_server_port(s));
    access.server = wm_buf_take(&url);
    assert_int_equal(wm_kube_new_tuned(&access, NULL, t, &kube, NULL), WM_OK);
    return kube;
}

void begin(struct setup *s, const struct fault *rows, size_t n)
{
    struct wm_watch_sink sink = sink_of(&s->notes);

    pthread_mutex_init(&s->notes.lock, NULL);
    s->notes.text = WM_BUF_MAX(1 << 20);
    if (!s->t.connect_ms)
        s->t = quick();
    if (!s->spec.path)
        s->spec.path = PATH;
    s->server = fault_server_start(rows, n, NULL);
    s->kube = connect_to(s->server, &s->t);
    assert_int_equal(wm_watch_start(s->kube, &s->spec, &sink, &s->watch, NULL), WM_OK);
}
void finish(struct setup *s)
{
    int unmatched = fault_server_unmatched(s->server);

    s->kube = wm_kube_free(s->kube);
    s->server = fault_server_stop(s->server);
    wm_buf_done(&s->notes.text);
    pthread_mutex_destroy(&s->notes.lock);
    assert_int_equal(unmatched, 0);
}

/* Waits until the sink has been told `text`. */
void expect_notes(struct setup *s, const char *text)
{
    int64_t until = wm_mono_ms() + 5000;

    while (!has(&s->notes, text)) {
        if (wm_mono_ms() > until)
            fail_msg("not told '%s' but '%s'", text, s->notes.text.p ? s->notes.text.p : "");
        usleep(1000);
    }
}

void expect_requests(struct setup *s, const char *text, int n)
{
    if (!fault_server_wait(s->server, text, n, 5000))
        fail_msg("only %d of %d requests '%s'", fault_server_count(s->server, text), n, text);
}

struct wm_watch_stats stats_of(struct setup *s)
{
    struct wm_watch_stats stats;

    wm_watch_stats(s->watch, &stats);
    return stats;
}

void watch_script_check(void **state)
{
    const struct watch_script *r = *state;
    struct setup s = {.spec = r->spec};
    size_t n = 0;

    while (n < 8 && (r->rows[n].match || r->rows[n].status))
        n++;
    begin(&s, r->rows, n);
    expect_notes(&s, r->notes);
    for (size_t i = 0; i < 6 && r->asks[i]; i++)
        expect_requests(&s, r->asks[i], 1);
    if (r->never_asks)
        assert_int_equal(fault_server_count(s.server, r->never_asks), 0);
    assert_int_equal(fault_server_count(s.server, "Accept-Encoding"), 0);
    finish(&s);
}
