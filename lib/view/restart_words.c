/* Restarts in sentences. */
#include <stdio.h>

#include "waymark/restarts.h"
#include "waymark/time.h"
#include "words.h"

static const struct wm_gap_marks *marks_or_default(const struct wm_gap_marks *marks,
                                                   struct wm_gap_marks *room)
{
    wm_gap_marks_default(room);
    return marks ? marks : room;
}

static void say_at(struct wm_speech *sp, int64_t s)
{
    char text[WM_TIME_SIZE];

    wm_time_print(s, text);
    wm_say(sp, text);
}

/* --- who --- */

static void say_provider(struct wm_speech *sp, const struct wm_restart *r)
{
    static const char *const roles[] = {[WM_RESTART_COLLATERAL] = "no part in",
                                        [WM_RESTART_SOURCE] = "source of",
                                        [WM_RESTART_TARGET] = "target of",
                                        [WM_RESTART_ROLE_UNKNOWN] = NULL};
    int n = 0;

    wm_buf_printf(&sp->text, "provider %s", r->provider);
    for (size_t i = 0; i < r->n_culprits; i++) {
        const struct wm_culprit *c = &r->culprits[i];

        if (roles[c->role] && c->migration[0])
            wm_buf_printf(&sp->text, "%s%s %s", n++ ? ", " : " (", roles[c->role], c->migration);
    }
    wm_say(sp, n ? "): " : ": ");
}

/* --- why --- */

static void say_claim(struct wm_speech *sp, const struct wm_culprit *c)
{
    if (!c->migration[0])
        wm_buf_printf(&sp->text, "ownerless PVC %s %s", c->claim, c->deleted ? "was deleted" : "was made");
    else if (c->deleted)
        wm_buf_printf(&sp->text, "PVC %s of VMMigration %s was deleted", c->claim, c->migration);
    else
        wm_buf_printf(&sp->text, "PVC %s was made for VMMigration %s", c->claim, c->migration);
}

static void say_claims(struct wm_speech *sp, const struct wm_restart *r)
{
    for (size_t i = 0; i < r->n_culprits; i++) {
        wm_say(sp, i ? " and " : ", since ");
        say_claim(sp, &r->culprits[i]);
    }
    if (r->also_changed)
        wm_say(sp, "; something else in its template changed, too");
}

static void say_order(struct wm_speech *sp, const struct wm_restart *r)
{
    wm_say(sp, ", with the same PVCs in another order, which is of use to nobody");
    for (size_t i = 0; i < r->n_culprits; i++)
        wm_buf_printf(&sp->text, "%s%s", i ? ", " : " (", r->culprits[i].claim);
    wm_say(sp, r->n_culprits ? ")" : "");
}

static void say_rollout(struct wm_speech *sp, const struct wm_restart *r)
{
    wm_say(sp, "rollout");
    if (r->to_revision)
        wm_buf_printf(&sp->text, " %d", r->to_revision);
    if (r->cause == WM_RESTART_CHURN)
        say_order(sp, r);
    else if (r->n_culprits)
        say_claims(sp, r);
    else
        wm_say(sp, r->cause == WM_RESTART_CHANGED ? ", since its template was changed, by no migration"
                                                  : ", nobody knows what for");
}

static void say_why(struct wm_speech *sp, const struct wm_restart *r)
{
    if (r->why[0])
        wm_buf_printf(&sp->text, " (%s)", r->why);
}

static void say_replaced(struct wm_speech *sp, const struct wm_restart *r)
{
    wm_buf_printf(&sp->text, "pod %s came in the place of another", r->pod);
    say_why(sp, r);
}

static void say_container(struct wm_speech *sp, const struct wm_restart *r)
{
    wm_buf_printf(&sp->text, "the container of pod %s was started again", r->pod);
    say_why(sp, r);
    if (r->n_culprits)
        wm_buf_printf(&sp->text, ", while it copied for VMMigration %s", r->culprits[0].migration);
}

static void say_scaled(struct wm_speech *sp, const struct wm_restart *r)
{
    wm_buf_printf(&sp->text, "another number of pods, %s", r->message);
}

typedef void say_fn(struct wm_speech *sp, const struct wm_restart *r);
static say_fn *const by_kind[WM_RESTART_KIND_COUNT] = {
    [WM_RESTART_ROLLOUT] = say_rollout,
    [WM_RESTART_REPLACED] = say_replaced,
    [WM_RESTART_CONTAINER] = say_container,
    [WM_RESTART_SCALED] = say_scaled,
};

/* --- how long --- */

static void say_gap(struct wm_speech *sp, const struct wm_restart *r, const struct wm_gap_marks *marks)
{
    static const char *const classes[WM_GAP_COUNT] = {
        [WM_GAP_TYPICAL] = "as is usual",
        [WM_GAP_WORST_CASE] = "within the documented worst case",
        [WM_GAP_BEYOND] = "beyond the documented worst case",
        [WM_GAP_OUTAGE] = "an outage",
    };
    int64_t seconds = r->gap_to_s ? wm_restart_gap_s(r, 0) : 0;
    const char *pod = r->gap_of_service ? "ready pod that its Service leads to" : "ready pod";

    wm_say_next(sp);
    if (wm_restart_gap_is_open(r)) {
        wm_buf_printf(&sp->text, "no %s since ", pod);
        say_at(sp, r->gap_from_s);
    } else if (seconds) {
        wm_buf_printf(&sp->text, "%s%lld s without a %s, %s", r->gap_at_least ? "at least " : "",
                      (long long)seconds, pod, classes[wm_gap_of(marks, seconds)]);
    } else {
        wm_say(sp, r->ended_s ? "no moment without a ready pod" : "so far no moment without a ready pod");
    }
}

static void say_stuck(struct wm_speech *sp, const struct wm_restart *r)
{
    if (!r->stuck_s)
        return;
    wm_say_next(sp);
    wm_buf_printf(&sp->text, "stuck, %s", r->stuck);
    if (r->pod[0])
        wm_buf_printf(&sp->text, " of pod %s", r->pod);
    wm_say(sp, " since ");
    say_at(sp, r->stuck_s);
    if (r->message[0] && r->kind != WM_RESTART_CONTAINER) {
        wm_say(sp, ", ");
        wm_say_quote(sp, r->message);
    }
}

static void say_victims(struct wm_speech *sp, const struct wm_restart *r)
{
    for (size_t i = 0; i < r->n_victims; i++) {
        const struct wm_victim *v = &r->victims[i];

        wm_say_next(sp);
        wm_buf_printf(&sp->text, "VMMigration %s ", v->migration);
        if (!v->failed)
            wm_buf_printf(&sp->text, "was %s through it", v->phase);
        else
            wm_buf_printf(&sp->text, "failed of it%s%s", v->phase[0] ? " at " : "", v->phase);
    }
}

static void say_restart(struct wm_speech *sp, const struct wm_restart *r, const struct wm_gap_marks *marks)
{
    say_provider(sp, r);
    by_kind[r->kind](sp, r);
    say_gap(sp, r, marks);
    say_stuck(sp, r);
    say_victims(sp, r);
}

void wm_restart_say(const struct wm_restart *r, int64_t now_s, const struct wm_gap_marks *marks, char *out,
                    size_t size)
{
    wm_auto_speech struct wm_speech sp = wm_speech(NULL, NULL, true);
    struct wm_gap_marks room;

    (void)now_s; /* what goes on is told by its beginning */
    say_restart(&sp, r, marks_or_default(marks, &room));
    wm_say_end(&sp, out, size);
}

/* --- the condition --- */

enum { TOLD_MAX = 64 };

struct told {
    const struct wm_restart *list[TOLD_MAX];
    size_t n, providers, own;
    const struct wm_restart *worst, *hurt; /* hurt: by another's */
    enum wm_gap gap;                       /* the longest */
    bool out, stuck, open;                 /* out: nobody answers, for longer than an outage's mark */
};

static int rank_of(const struct wm_restart *r, const struct wm_gap_marks *marks, int64_t now_s)
{
    if (wm_restart_gap_is_open(r) && wm_gap_of(marks, wm_restart_gap_s(r, now_s)) == WM_GAP_OUTAGE)
        return 4;
    return !r->ended_s && r->stuck_s ? 3 : !r->ended_s ? 2 : 1;
}

static bool is_worse(const struct wm_restart *a, const struct wm_restart *b, const struct wm_gap_marks *marks,
                     int64_t now_s)
{
    int x = rank_of(a, marks, now_s), y = rank_of(b, marks, now_s);

    if (x != y)
        return x > y;
    return wm_restart_gap_s(a, now_s) >= wm_restart_gap_s(b, now_s); /* they come the oldest first */
}

static bool is_culprit(const struct wm_restart *r, const char *uid)
{
    for (size_t i = 0; i < r->n_culprits; i++)
        if (strcmp(r->culprits[i].uid, uid) == 0)
            return true;
    return false;
}

static bool is_first_of_provider(const struct told *t, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (strcmp(t->list[k]->deployment_uid, t->list[i]->deployment_uid) == 0)
            return false;
    return true;
}

static void sum_up(struct told *t, const char *uid, const struct wm_gap_marks *marks, int64_t now_s)
{
    for (size_t i = 0; i < t->n; i++) {
        const struct wm_restart *r = t->list[i];
        const struct wm_victim *v = wm_restart_victim(r, uid);
        enum wm_gap gap = wm_gap_of(marks, wm_restart_gap_s(r, now_s));
        int rank = rank_of(r, marks, now_s);

        t->providers += is_first_of_provider(t, i);
        t->own += is_culprit(r, uid);
        t->gap = gap > t->gap ? gap : t->gap;
        t->out |= rank == 4;
        t->stuck |= !r->ended_s && r->stuck_s;
        t->open |= !r->ended_s;
        if (!t->worst || is_worse(r, t->worst, marks, now_s))
            t->worst = r;
        if (v && (v->failed || !t->hurt))
            t->hurt = r;
    }
}

static void say_all(struct wm_speech *sp, const struct told *t, const struct wm_gap_marks *marks)
{
    wm_buf_printf(&sp->text, "%zu restart%s of %zu provider%s, %zu of them for this migration; ", t->n,
                  t->n == 1 ? "" : "s", t->providers, t->providers == 1 ? "" : "s", t->own);
    if (t->hurt && t->hurt != t->worst) {
        say_restart(sp, t->hurt, marks);
        sp->clauses = 0;
        wm_say(sp, "; ");
    }
    say_restart(sp, t->worst, marks);
}

void wm_restarts_say(const struct wm_world *w, const struct wm_situation *s, struct wm_said *out)
{
    wm_auto_speech struct wm_speech sp = wm_speech(w, s, true);
    struct told t = {0};
    struct wm_gap_marks room;
    const struct wm_gap_marks *marks = marks_or_default(w->gap_marks, &room);
    int64_t now_s = wm_world_now(w, 0);

    *out = (struct wm_said){.type = "ProviderRestarts"};
    if (w->ledger && s->vm)
        t.n = wm_ledger_of(w->ledger, s->vm, t.list, TOLD_MAX);
    if (!t.n)
        return;
    sum_up(&t, s->vm->m.uid, marks, now_s);
    out->wanted = out->status = true;
    snprintf(out->reason, sizeof out->reason, "%s",
             t.out     ? wm_gap_name(WM_GAP_OUTAGE)
             : t.stuck ? "RolloutStuck"
             : t.open  ? "RolloutInProgress"
                       : wm_gap_name(t.gap));
    say_all(&sp, &t, marks);
    wm_say_end(&sp, out->message, sizeof out->message);
}
