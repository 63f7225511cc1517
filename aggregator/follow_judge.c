/* From the model to what is to be said. */
#include <stdio.h>
#include <stdlib.h>

#include "follow_impl.h"
#include "waymark/clock.h"

/* --- events: at a new phase, and at the end --- */

void wm_follow_tell(struct wm_follow *f, const struct wm_situation *s, const struct wm_said *said,
                    bool warning, struct wm_events *events)
{
    const struct wm_migration_state *m = s->state;
    struct wm_followed_object about = {(enum wm_kind)s->migration->kind, m->namespace_, m->name, m->uid, 0};

    wm_follow_event(f, &about, warning, said->reason, said->message, events);
}

static void tell_news(struct wm_follow *f, struct tracked *t, const struct wm_situation *s,
                      struct wm_events *events)
{
    const struct wm_said *said = &t->said[s->ending == WM_ENDING_NONE ? WM_SAID_PROGRESS : WM_SAID_OUTCOME];
    bool good =
        s->ending == WM_ENDING_NONE || s->ending == WM_ENDING_SUCCEEDED || s->ending == WM_ENDING_CANCELED;

    if (!events || !f->opts.events || !said->wanted || strcmp(t->told, said->reason) == 0)
        return;
    if (t->told[0] && !(t->recalled && strcmp(t->told, s->state->phase) == 0))
        wm_follow_tell(f, s, said, !good, events);
    t->recalled = false;
    snprintf(t->told, sizeof t->told, "%s", said->reason);
}

/* --- the report --- */

/* Velero and people tidy up afterwards: the report keeps what there was when it ended. */
static bool is_frozen(const struct tracked *t, const struct wm_world *w, const struct wm_situation *s)
{
    enum { TIDY_S = 900 };
    int64_t completed_s = s->state->completed_s;

    return t->ended && !t->kind->goes_on && completed_s && wm_world_now(w, 0) - completed_s > TIDY_S &&
           t->stored.content && !t->stored.anew;
}

static void rest(struct tracked *t)
{
    if (t->settled && !t->report_due)
        wm_follow_forget(t);
}

static void judge_report(struct wm_follow *f, struct tracked *t, const struct wm_world *w,
                         const struct wm_situation *s, const struct wm_diagnosis *d)
{
    wm_auto_buf struct wm_buf status = WM_BUF_MAX(WM_REPORT_MAX + 1);

    if (!wm_follow_reports(f) || !t->report_known)
        return;
    if (is_frozen(t, w, s)) {
        rest(t);
        return;
    }
    wm_history_update(t->history, w, s, t->verdict);
    t->history->watched = true;
    wm_report_status(w, s, t->history, d, &status);
    if (wm_buf_check(&status, NULL) < 0)
        return;
    uint64_t digest = wm_str_digest(wm_buf_text(&status), status.n);

    if (digest != t->report && t->stored.content == wm_report_digest(wm_buf_text(&status))) {
        t->report = digest;
        t->stored.anew = false;
    }
    if (digest == t->report) {
        rest(t);
        return;
    }
    free(t->report_due);
    t->report_due = wm_buf_take(&status);
}

/* Nothing is said while a cluster's first lists are under way: it would be taken back a moment later. */
static bool is_premature(const struct wm_world *w, const struct wm_situation *s)
{
    const uint8_t needed[] = {0, s->source, s->target};

    for (size_t i = 0; i < 3; i++)
        if (needed[i] < w->n_clusters && w->clusters[needed[i]].sight == WM_SIGHT_STARTING)
            return true;
    return false;
}

/* What was said before a restart stands in the report: nothing is written before that was read. */
static bool is_unread(struct wm_follow *f, const struct tracked *t)
{
    return wm_follow_reports(f) && !t->report_known && !t->report_unread;
}

static void say(struct wm_follow *f, struct tracked *t, const struct wm_world *w,
                const struct wm_situation *s, struct wm_events *events)
{
    bool unread = is_unread(f, t);

    if (!t->history && (!t->ended || t->report_known))
        t->history = wm_xcalloc(1, sizeof *t->history);
    if (!t->said)
        t->said = wm_xcalloc(WM_SAID_COUNT, sizeof *t->said);
    wm_situation_say(w, s, t->said);
    const struct wm_diagnosis *d = wm_follow_diagnose(f, t, w, s);

    judge_report(f, t, w, s, d);
    tell_news(f, t, s, events);
    wm_follow_tell_cause(f, t, s, events);
    t->wanted = unread ? 0 : wm_words_wanted(&f->opts, t);
}

/* What is looked at beside the words. */
static void take_state(struct tracked *t, const struct wm_situation *s)
{
    const struct wm_migration_state *m = s->state;

    t->kind = wm_follow_kind_of((enum wm_kind)s->migration->kind);
    memcpy(t->namespace_, m->namespace_, sizeof t->namespace_);
    memcpy(t->name, m->name, sizeof t->name);
    memcpy(t->uid, m->uid, sizeof t->uid);
    memcpy(t->plan_namespace, m->plan_namespace, sizeof t->plan_namespace);
    memcpy(t->plan, m->plan, sizeof t->plan);
    snprintf(t->project, sizeof t->project, "%s", s->vm ? s->vm->project : "");
    t->going = m->going;
    t->held = s->vm && !wm_vm_may_be_written(s->vm);
    t->polls = m->outcome == WM_RUN_BLOCKED || m->outcome == WM_RUN_POSTPONED ||
               (m->row && m->row->waits_for != WM_WAIT_NOTHING);
}

bool wm_follow_judge(struct wm_follow *f, struct tracked *t, struct wm_fleet *fleet, struct wm_events *events)
{
    static struct wm_situation s; /* large; turns run in one thread */
    struct wm_world w;

    wm_fleet_lock(fleet);
    wm_fleet_world(fleet, &w);
    const struct wm_record *r = wm_model_find(w.model, 0, t->id);

    if (r && wm_follow_kind_of((enum wm_kind)r->kind)) {
        wm_situation_of(&w, r, &s);
        take_state(t, &s);
        t->offset_s = w.clusters[0].offset_s;
        bool premature = is_premature(&w, &s);

        /* Not before: what has ended is not judged again when a cluster's sight changes. */
        t->ended = !premature && s.ending != WM_ENDING_NONE;
        t->settled = t->ended && !(t->kind->goes_on && r->has_children);
        if (!premature)
            say(f, t, &w, &s, events);
        f->judged++;
    }
    wm_fleet_unlock(fleet);
    return r != NULL;
}
