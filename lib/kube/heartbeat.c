/* A frozen API server keeps its connections: the kernel under it still acknowledges, and a quiet watch looks
 * like one that has nothing to say.  After some silence it is asked something; without an answer the watches
 * are given up, ten minutes before their own deadline. */
#include "watch_internal.h"
#include "waymark/clock.h"

static void give_up(struct wm_kube *k, const struct wm_error *why)
{
    struct wm_error frozen = *why;

    wm_fail_in(&frozen, "silent");
    wm_watches_cut(k, WM_OUT_UNREACHABLE, &frozen);
}

static void on_reply(void *ctx, const struct wm_kube_reply *reply)
{
    struct wm_kube *k = ctx;

    k->watches.asking = false;
    /* whatever it says, it lives */
    if (reply->status == 0 && k->watches.n_open > 0)
        give_up(k, &reply->error);
    wm_heartbeat_arm(k);
}

static void look(void *ctx)
{
    struct wm_kube *k = ctx;
    struct wm_kube_request r = {
        .method = "GET", .path = "/version", .timeout_ms = k->t.probe_timeout_ms, .once = true};

    if (k->watches.n_open == 0 || k->watches.asking)
        return;
    if (wm_mono_ms() - k->last_heard_ms < k->t.probe_silence_ms)
        wm_heartbeat_arm(k);
    else
        k->watches.asking = wm_kube_send(k, &r, on_reply, k, NULL) == WM_OK;
}

void wm_heartbeat_init(struct wm_kube *k)
{
    k->watches.heartbeat = (struct wm_timer){.fire = look, .ctx = k};
}

void wm_heartbeat_arm(struct wm_kube *k)
{
    int64_t left = k->last_heard_ms + k->t.probe_silence_ms - wm_mono_ms();

    if (!k->watches.asking && k->watches.n_open > 0)
        wm_timer_set(k, &k->watches.heartbeat, left > 10 ? left : 10);
}
