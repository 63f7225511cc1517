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

/* The pause is over: one may try; or, when open, all may go. */
static void on_timer(void *ctx)
{
    struct wm_gate *g = &((struct wm_kube *)ctx)->gate;

    if (g->closed) {
        if (g->waiters && !g->trying) {
            g->trying = g->waiters;
            let_first_go(g);
        }
        return;
    }
    while (g->waiters && !g->closed)
        let_first_go(g);
}

void wm_gate_init(struct wm_kube *k)
{
    k->gate = (struct wm_gate){.timer = {.fire = on_timer, .ctx = k}};
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

static int64_t pause_ms(struct wm_kube *k, bool refused, int retry_after_s)
{
    uint32_t random = wm_kube_random(k);
    int64_t wait = wm_backoff_ms(k->gate.failures, random);

    /* where nobody listens, asking costs the other side nothing, and asking soon finds it back soon */
    if (refused && wait > k->t.refused_cap_ms)
        wait = k->t.refused_cap_ms / 2 + (int64_t)(k->t.refused_cap_ms / 2) * random / UINT32_MAX;
    wait /= k->t.backoff_divisor;
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
    wm_timer_set(k, &g->timer, pause_ms(k, refused, retry_after_s));
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
    wm_timer_set(k, &g->timer, 0);
}
