#include "internal.h"
#include "waymark/clock.h"

static void append(struct wm_waiter **list, struct wm_waiter *w)
{
    while (*list)
        list = &(*list)->next;
    *list = w;
    w->next = NULL;
    w->waiting = true;
}

static void let_first_go(struct wm_gate *g)
{
    struct wm_waiter *w = g->waiters;

    g->waiters = w->next;
    w->waiting = false;
    w->go(w->ctx);
}

static int64_t short_pause_ms(struct wm_kube *k)
{
    int64_t half = k->t.refused_cap_ms / 2;

    return (half + half * wm_kube_random(k) / UINT32_MAX) / k->t.backoff_divisor;
}

static void on_ready(void *ctx, const struct wm_kube_reply *reply)
{
    struct wm_kube *k = ctx;

    k->gate.asking = false;
    if (reply->status == 200)
        k->gate.not_before_ms = 0;
    if (k->gate.closed && !k->gate.trying)
        wm_timer_set(k, &k->gate.timer, reply->status == 200 ? 0 : short_pause_ms(k));
}

/* A server that is starting asks for ten seconds, and is ready after two: that question is free. */
static void ask_whether_ready(struct wm_kube *k)
{
    struct wm_kube_request r = {
        .method = "GET", .path = "/readyz", .timeout_ms = k->t.probe_timeout_ms, .once = true};

    if (!k->gate.asking)
        k->gate.asking = wm_kube_send(k, &r, on_ready, k, NULL) == WM_OK;
}

/* The pause is over: one may try; or, when open, all may go. */
static void on_timer(void *ctx)
{
    struct wm_kube *k = ctx;
    struct wm_gate *g = &k->gate;

    if (g->closed) {
        if (!g->waiters || g->trying)
            return;
        if (g->ask_ready && wm_mono_ms() < g->not_before_ms) {
            ask_whether_ready(k);
            return;
        }
        g->trying = g->waiters;
        let_first_go(g);
        return;
    }
    while (g->waiters && !g->closed)
        let_first_go(g);
}

void wm_gate_init(struct wm_kube *k)
{
    k->gate = (struct wm_gate){.timer = {.fire = on_timer, .ctx = k}};
}

bool wm_kube_is_reachable(const struct wm_kube *k)
{
    return !k->gate.closed;
}

void wm_gate_wait(struct wm_kube *k, struct wm_waiter *w)
{
    struct wm_gate *g = &k->gate;

    append(&g->waiters, w);
    if (!g->timer.armed && !g->trying)
        wm_timer_set(k, &g->timer, 0);
}

void wm_gate_leave(struct wm_kube *k, struct wm_waiter *w)
{
    struct wm_gate *g = &k->gate;

    if (w->waiting) {
        struct wm_waiter **at = &g->waiters;

        while (*at != w)
            at = &(*at)->next;
        *at = w->next;
        w->waiting = false;
    }
    if (g->trying == w) {
        g->trying = NULL;
        if (g->closed && !g->timer.armed)
            wm_timer_set(k, &g->timer, 0);
    }
}

void wm_gate_answered(struct wm_kube *k)
{
    struct wm_gate *g = &k->gate;

    if (!g->closed)
        return;
    g->closed = false;
    g->trying = NULL;
    wm_timer_set(k, &g->timer, 0);
}

/* Where nobody listens, asking costs the other side nothing, and asking soon finds it back soon.  What then
 * comes up says 503 for a while, and is still the same restart. */
static bool is_restart(struct wm_kube *k, bool refused, int64_t now)
{
    if (refused) {
        k->gate.last_refused_ms = now;
        k->gate.failures = 0;
    }
    return refused || (k->gate.last_refused_ms && now - k->gate.last_refused_ms < k->t.restart_ms);
}

static int64_t pause_ms(struct wm_kube *k, bool restart, int retry_after_s)
{
    uint32_t random = wm_kube_random(k);
    int64_t wait = wm_backoff_ms(k->gate.failures, random) / k->t.backoff_divisor;

    if (restart && wait > k->t.refused_cap_ms / k->t.backoff_divisor)
        wait = short_pause_ms(k);
    if (retry_after_s >= 0) {
        int64_t asked = (int64_t)retry_after_s * 1000 + random % 1000 / (unsigned)k->t.backoff_divisor;

        wait = wait > asked ? wait : asked;
    }
    return wait;
}

void wm_gate_failed(struct wm_kube *k, unsigned epoch, bool refused, int retry_after_s)
{
    struct wm_gate *g = &k->gate;
    int64_t now = wm_mono_ms();

    /* of twelve attempts that fail together only the first is news */
    if (epoch != g->epoch)
        return;
    if (now - g->last_failure_ms > k->t.healthy_ms)
        g->failures = 0;
    g->epoch++;
    g->closed = true;
    g->trying = NULL;
    bool restart = is_restart(k, refused, now);
    int64_t wait = pause_ms(k, restart, retry_after_s);

    /* only a pause that the server asked for is worth a question in between */
    g->ask_ready = restart && wait > k->t.refused_cap_ms / k->t.backoff_divisor;
    g->not_before_ms = now + wait;
    wm_timer_set(k, &g->timer, g->ask_ready ? short_pause_ms(k) : wait);
    g->failures++;
    g->last_failure_ms = now;
}

void wm_gate_suspect(struct wm_kube *k)
{
    struct wm_gate *g = &k->gate;

    if (g->closed)
        return;
    g->closed = true;
    g->trying = NULL;
    g->not_before_ms = 0;
    wm_timer_set(k, &g->timer, 0);
}
