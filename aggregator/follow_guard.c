/* Reports that others delete or change are made anew: what a watch of them tells is compared with what we
 * wrote. Slowly, more slowly each time, and not for ever: somebody may mean it. */
#include "follow_impl.h"
#include "waymark/clock.h"
#include "waymark/log.h"

static const struct wm_slot_rules usual_rules = {.retry_ms = 1000,
                                                 .reassert_ms = 10000,
                                                 .reassert_max_ms = 900000,
                                                 .echo_ms = 5000,
                                                 .forget_ms = 3600000,
                                                 .losses_max = 8};

static const struct wm_slot_rules *rules_of(const struct wm_follow *f)
{
    return f->opts.report_rules ? f->opts.report_rules : &usual_rules;
}

uint64_t wm_follow_version(struct wm_str resource_version)
{
    return wm_str_digest(resource_version, 1) | 1;
}

/* --- what the watch tells, in its thread --- */

void wm_follow_reports_there(struct wm_follow *f, bool there)
{
    pthread_mutex_lock(&f->lock);
    if (there && f->reports_absent)
        wm_follow_mark(f, true);
    f->reports_absent = !there;
    pthread_mutex_unlock(&f->lock);
}

void wm_follow_reports_begin(struct wm_follow *f)
{
    pthread_mutex_lock(&f->lock);
    f->reports_round++;
    pthread_mutex_unlock(&f->lock);
}

static void tell_gone(struct tracked *t)
{
    t->stored.gone = true;
    t->stored.told_ms = wm_mono_ms();
}

void wm_follow_reports_end(struct wm_follow *f)
{
    pthread_mutex_lock(&f->lock);
    for (struct tracked *t = f->list; t; t = t->next)
        if (t->stored.round != f->reports_round)
            tell_gone(t);
    pthread_mutex_unlock(&f->lock);
}

void wm_follow_report_seen(struct wm_follow *f, struct wm_id migration, struct wm_str version)
{
    pthread_mutex_lock(&f->lock);
    struct tracked *t = *wm_follow_find(f, migration);

    if (t) {
        t->stored.gone = false;
        t->stored.round = f->reports_round;
        t->stored.version = wm_follow_version(version);
        t->stored.told_ms = wm_mono_ms();
    }
    pthread_mutex_unlock(&f->lock);
}

void wm_follow_report_gone(struct wm_follow *f, struct wm_id migration)
{
    pthread_mutex_lock(&f->lock);
    struct tracked *t = *wm_follow_find(f, migration);

    if (t)
        tell_gone(t);
    pthread_mutex_unlock(&f->lock);
}

/* --- what follows from it, in the thread of turns --- */

bool wm_follow_reports(struct wm_follow *f)
{
    pthread_mutex_lock(&f->lock);
    bool there = !f->reports_absent;

    pthread_mutex_unlock(&f->lock);
    return f->opts.reports && there;
}

void wm_follow_report_expected(struct wm_follow *f, struct tracked *t)
{
    pthread_mutex_lock(&f->lock);
    t->stored.gone = false;
    pthread_mutex_unlock(&f->lock);
}

void wm_follow_report_missed(struct wm_follow *f, struct tracked *t)
{
    pthread_mutex_lock(&f->lock);
    t->stored.gone = true;
    pthread_mutex_unlock(&f->lock);
}

enum look { FINE, GONE, TOUCHED };

static enum look look_at(struct wm_follow *f, const struct tracked *t)
{
    enum look look = FINE;

    pthread_mutex_lock(&f->lock);
    const struct stored *s = &t->stored;

    if (wm_mono_ms() - s->told_ms >= rules_of(f)->echo_ms)
        look = s->gone ? GONE : s->version && s->version != s->ours ? TOUCHED : FINE;
    pthread_mutex_unlock(&f->lock);
    return look;
}

static void make_anew(struct wm_follow *f, struct tracked *t, enum look look)
{
    wm_log(WM_LOG_INFO, "report_made_anew", WM_F("ns", t->namespace_), WM_F("name", t->name),
           WM_F("why", look == GONE ? "it was deleted, and its migration was not"
                                    : "somebody else has changed its status"));
    f->reports_again++;
    t->report = t->stored.content = 0;
    t->stored.anew = true;
    if (t->settled)
        wm_follow_forget(t);
    wm_follow_changed(f, t->id);
}

void wm_follow_guard_report(struct wm_follow *f, struct tracked *t, struct wm_kube *host)
{
    struct stored *s = &t->stored;
    int64_t now_ms = wm_mono_ms(), again_ms;

    if (!s->content || t->going || t->gone || now_ms < t->retry_ms)
        return;
    enum look look = look_at(f, t);

    if (look == FINE || (look == TOUCHED && s->slot.stands && wm_follow_is_ours(f, t, host) != 0))
        return;
    wm_slot_lost(&s->slot, rules_of(f), now_ms);
    switch (wm_slot_ask(&s->slot, rules_of(f), true, false, now_ms, &again_ms)) {
    case WM_SLOT_NOW:
        make_anew(f, t, look);
        break;
    case WM_SLOT_GIVE_UP:
        wm_log(WM_LOG_WARN, "report_taken_away", WM_F("ns", t->namespace_), WM_F("name", t->name),
               WM_F("why", "somebody else deletes or changes it again and again"),
               WM_F("effect", "it is made again only when its migration changes"));
        break;
    case WM_SLOT_WAIT:
    case WM_SLOT_OVER:
        break;
    }
}
