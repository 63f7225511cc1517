/* Why a migration does not get on: judged with everything else, and again when time alone may change it. */
#include <stdio.h>

#include "follow_impl.h"
#include "waymark/clock.h"

/* A restart of ours is no progress. */
static void feel_pulse(struct tracked *t, const struct wm_world *w, const struct wm_situation *s)
{
    bool first = t->pulse.changed_s == 0;

    wm_pulse_feel(&t->pulse, w, s);
    if (!t->history)
        return;
    int64_t known_s = t->history->progress_s;
    bool untold = t->pulse.changed_s == w->now_s; /* no time stands in the objects */

    if (first && known_s && known_s <= w->now_s && (untold || known_s > t->pulse.changed_s))
        t->pulse.changed_s = known_s;
    t->history->progress_s = t->pulse.changed_s;
}

static void note(struct wm_follow *f, struct tracked *t, const struct wm_said *said, int64_t since_s)
{
    bool stands = said->wanted && said->status;

    pthread_mutex_lock(&f->lock);
    snprintf(t->stalled, sizeof t->stalled, "%s", stands ? said->reason : "");
    t->stalled_s = since_s;
    pthread_mutex_unlock(&f->lock);
}

/* What happens to those that go first is told to nobody but themselves. */
static int64_t look_again_s(const struct wm_diagnosis *d, int64_t again_s)
{
    enum { LOOK_S = 15 };
    const struct wm_look *look = d->look;
    int64_t at_s = look->w->now_s + LOOK_S;

    for (size_t i = 0; i < look->n && d->pace != WM_PACE_OVER; i++)
        if (look->suspects[i].role == WM_ROLE_AHEAD && (!again_s || again_s > at_s))
            return at_s;
    return again_s;
}

static void call_again(struct tracked *t, int64_t again_s, int64_t now_s)
{
    int64_t left_s = again_s > now_s ? again_s - now_s : 1;

    t->again_ms = again_s ? wm_mono_ms() + left_s * 1000 : 0;
}

const struct wm_diagnosis *wm_follow_diagnose(struct wm_follow *f, struct tracked *t,
                                              const struct wm_world *w, const struct wm_situation *s)
{
    static struct wm_look look; /* large; turns run in one thread */
    static struct wm_diagnosis d;
    static struct wm_stall none;
    struct wm_stall *stall = t->history ? &t->history->stall : &none;

    feel_pulse(t, w, s);
    wm_look_around(w, s, &f->opts.thresholds, &look);
    look.still_since_s = t->pulse.changed_s;
    wm_diagnose(&look, &d);
    if (stall == &none)
        none = (struct wm_stall){0};
    call_again(t, look_again_s(&d, wm_stall_say(stall, &d, &t->said[WM_SAID_STALLED])), w->now_s);
    wm_stall_end(stall, s, &t->said[WM_SAID_OUTCOME]);
    wm_diagnosis_verdict(&d, t->verdict);
    note(f, t, &t->said[WM_SAID_STALLED], stall->from_s);
    return &d;
}

void wm_follow_tell_cause(struct wm_follow *f, struct tracked *t, const struct wm_situation *s,
                          struct wm_events *events)
{
    const struct wm_said *said = &t->said[WM_SAID_STALLED];
    bool stands = said->wanted && strcmp(said->reason, WM_MOVES_AGAIN) != 0;
    const char *cause = stands ? said->reason : "";

    if (!events || !f->opts.events || strcmp(t->warned, cause) == 0)
        return;
    if (said->wanted)
        wm_follow_tell(f, s, said, stands, events);
    snprintf(t->warned, sizeof t->warned, "%s", cause);
}

/* --- for metrics --- */

void wm_follow_stalls(struct wm_follow *f, wm_follow_stall_fn *fn, void *ctx)
{
    pthread_mutex_lock(&f->lock);
    for (const struct tracked *t = f->list; t; t = t->next)
        if (t->stalled[0])
            fn(ctx, t->kind->kind, t->namespace_, t->name, t->stalled, t->stalled_s);
    pthread_mutex_unlock(&f->lock);
}
