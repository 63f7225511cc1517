#include "follow_impl.h"

#include <stdlib.h>
#include <time.h>

#include "waymark/clock.h"

struct wm_follow *wm_follow_new(const struct wm_follow_opts *opts)
{
    struct wm_follow *f = wm_xcalloc(1, sizeof *f);
    pthread_condattr_t attr;

    f->opts = *opts;
    pthread_mutex_init(&f->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&f->wake, &attr);
    pthread_condattr_destroy(&attr);
    return f;
}

static void free_tracked(struct tracked *t)
{
    free(t->history);
    free(t->report_due);
    free(t->stored);
    free(t);
}

struct wm_follow *wm_follow_free(struct wm_follow *f)
{
    if (!f)
        return NULL;
    while (f->list) {
        struct tracked *next = f->list->next;

        free_tracked(f->list);
        f->list = next;
    }
    pthread_cond_destroy(&f->wake);
    pthread_mutex_destroy(&f->lock);
    free(f);
    return NULL;
}

/* --- what the fleet tells --- */

/* Where `id` is, or would be. */
static struct tracked **find(struct wm_follow *f, struct wm_id id)
{
    struct tracked **link = &f->by_id[wm_mix(id.hi ^ id.lo) % WM_TRACKED_BUCKETS];

    while (*link && !wm_id_is((*link)->id, id))
        link = &(*link)->next_by_id;
    return link;
}

static struct tracked *find_or_add(struct wm_follow *f, struct wm_id id)
{
    struct tracked **link = find(f, id), *t = *link;

    if (t)
        return t;
    t = wm_xcalloc(1, sizeof *t);
    t->id = id;
    *link = t;
    t->next = f->list;
    f->list = t;
    f->n++;
    return t;
}

static void wake(struct wm_follow *f)
{
    f->woken = true;
    pthread_cond_signal(&f->wake);
}

/* What has ended does not change with its plan or its clusters. */
static void mark(struct wm_follow *f, bool ended_too)
{
    for (struct tracked *t = f->list; t; t = t->next)
        t->dirty |= ended_too || !t->ended;
    wake(f);
}

void wm_follow_changed(void *ctx, struct wm_id migration)
{
    struct wm_follow *f = ctx;

    pthread_mutex_lock(&f->lock);
    find_or_add(f, migration)->dirty = true;
    wake(f);
    pthread_mutex_unlock(&f->lock);
}

void wm_follow_all_changed(void *ctx)
{
    struct wm_follow *f = ctx;

    pthread_mutex_lock(&f->lock);
    mark(f, false);
    pthread_mutex_unlock(&f->lock);
}

void wm_follow_again(struct wm_follow *f)
{
    pthread_mutex_lock(&f->lock);
    mark(f, true);
    pthread_mutex_unlock(&f->lock);
}

void wm_follow_object(void *ctx, const struct wm_record *r, struct wm_str object, bool live)
{
    struct wm_follow *f = ctx;
    struct wm_sight sight;

    if (r->kind != WM_KIND_MIGMIGRATION || wm_sight_read(object, live, &sight, NULL) < 0)
        return;
    uint64_t words = wm_words_live(object);

    pthread_mutex_lock(&f->lock);
    struct tracked *t = find_or_add(f, r->id);

    t->live = words;
    t->seen = true;
    wm_slot_seen(&t->slot, &sight, wm_mono_ms());
    wake(f); /* the slot may have opened */
    pthread_mutex_unlock(&f->lock);
}

/* --- turns --- */

/* Takes the mark off, so that what comes while it is judged marks it again. */
static bool take_dirty(struct wm_follow *f, struct tracked *t)
{
    pthread_mutex_lock(&f->lock);
    bool dirty = t->dirty;

    t->dirty = false;
    pthread_mutex_unlock(&f->lock);
    return dirty;
}

static void drop_gone(struct wm_follow *f)
{
    size_t unfinished = 0;

    pthread_mutex_lock(&f->lock);
    for (struct tracked **link = &f->list; *link;) {
        struct tracked *t = *link;

        if (!t->gone) {
            unfinished += !t->ended;
            link = &t->next;
            continue;
        }
        *link = t->next;
        *find(f, t->id) = t->next_by_id;
        free_tracked(t);
        f->n--;
    }
    pthread_mutex_unlock(&f->lock);
    f->unfinished = unfinished;
}

/* The list only grows at its head while we walk: its tail is ours. */
static struct tracked *head(struct wm_follow *f)
{
    pthread_mutex_lock(&f->lock);
    struct tracked *t = f->list;

    pthread_mutex_unlock(&f->lock);
    return t;
}

void wm_follow_turn(struct wm_follow *f, struct wm_fleet *fleet, struct wm_events *events)
{
    int64_t begin = wm_mono_ns();
    struct wm_kube *host = wm_fleet_kube(fleet, 0);
    bool may_write = f->opts.may_write(f->opts.ctx), busy = false;

    for (struct tracked *t = head(f); t; t = t->next)
        if (take_dirty(f, t)) {
            busy = true;
            if (may_write && f->opts.reports && !t->report_known)
                wm_follow_read_report(f, t, host);
            t->gone = !wm_follow_judge(f, t, fleet, may_write ? events : NULL);
        }
    for (struct tracked *t = head(f); t && may_write; t = t->next)
        busy |= wm_follow_write_words(f, t, host);
    for (struct tracked *t = head(f); t && may_write; t = t->next)
        busy |= wm_follow_write_report(f, t, host);
    drop_gone(f);
    if (busy)
        f->turn_us = (wm_mono_ns() - begin) / 1000;
}

void wm_follow_wait(struct wm_follow *f, int ms)
{
    int64_t until = wm_mono_ms() + ms;
    struct timespec at = {until / 1000, (until % 1000) * 1000000};

    pthread_mutex_lock(&f->lock);
    while (!f->woken && pthread_cond_timedwait(&f->wake, &f->lock, &at) == 0)
        ;
    f->woken = false;
    pthread_mutex_unlock(&f->lock);
}

void wm_follow_stats(struct wm_follow *f, struct wm_follow_stats *ret)
{
    pthread_mutex_lock(&f->lock);
    *ret = (struct wm_follow_stats){.migrations = f->n};
    pthread_mutex_unlock(&f->lock);
    ret->unfinished = f->unfinished;
    ret->judged = f->judged;
    ret->writes = f->writes;
    ret->refused = f->refused;
    ret->failed = f->failed;
    ret->events = f->told;
    ret->lost = f->lost;
    ret->turn_us = f->turn_us;
}
