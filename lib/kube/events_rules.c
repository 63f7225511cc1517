/* Which events become writes, and when: limits of an object, and series as time goes by. */
#include <stdlib.h>

#include "events_internal.h"

/* --- the limit --- */

static size_t ring_size(const struct wm_event_book *b)
{
    return b->o.per_object_hour > 0 ? (size_t)b->o.per_object_hour : 1;
}

/* When the next thing may be told of the object. */
static int64_t allowed_ms(const struct wm_event_book *b, const struct wm_event_subject *j)
{
    enum { HOUR_MS = 3600000 };
    size_t size = ring_size(b);
    int64_t at = INT64_MIN;

    if (j->n_told > 0 && b->o.per_object_s > 0)
        at = j->told_ms[(j->n_told - 1) % size] + (int64_t)b->o.per_object_s * 1000;
    if (b->o.per_object_hour > 0 && j->n_told >= size && j->told_ms[j->n_told % size] + HOUR_MS > at)
        at = j->told_ms[j->n_told % size] + HOUR_MS;
    return at;
}

/* When an object without series may be forgotten: the limit must not be. */
static int64_t stale_ms(const struct wm_event_book *b, const struct wm_event_subject *j)
{
    int64_t keep_s = b->o.per_object_hour > 0 ? 3600 : 0;

    if (b->o.per_object_s > keep_s)
        keep_s = b->o.per_object_s;
    return j->n_told ? j->told_ms[(j->n_told - 1) % ring_size(b)] + keep_s * 1000 : INT64_MIN;
}

/* --- objects --- */

static struct wm_event_subject *subject_of(struct wm_event_book *b, const struct wm_event_object *o)
{
    struct wm_event_subject *j = b->subjects;

    while (j && !wm_event_same_object(&j->object, o))
        j = j->next;
    if (j)
        return j;
    j = wm_xcalloc(1, sizeof *j + ring_size(b) * sizeof j->told_ms[0]);
    /* a copy of its own: events come and go */
    j->owner = wm_event_keep(&(struct wm_event){.regarding = *o}, (struct wm_event_now){0});
    j->object = j->owner->event.regarding;
    j->next = b->subjects;
    b->subjects = j;
    return j;
}

static void subject_free(struct wm_event_subject *j)
{
    free(j->owner);
    free(j->held);
    free(j);
}

/* --- what comes in --- */

static void happened(struct wm_event_series *s, int times, int64_t last_us, int64_t last_ms)
{
    s->count += times;
    s->last_us = last_us;
    s->last_ms = last_ms;
}

/* Lets `k`, which it takes over, through to the queue, `times` times. */
static void let_through(struct wm_event_book *b, struct wm_event_subject *j, struct wm_event_kept *k,
                        int times, int64_t last_us, int64_t now_ms)
{
    struct wm_event_series *s = wm_event_find(j, &k->event);

    if (s)
        free(k);
    else
        s = wm_event_begin(b, j, k);
    happened(s, times, last_us, now_ms);
    j->latest = s;
    j->told_ms[j->n_told++ % ring_size(b)] = now_ms;
    wm_event_enqueue(b, s);
}

static void hold(struct wm_event_book *b, struct wm_event_subject *j, struct wm_event_kept *k)
{
    j->held_last_us = k->at.wall_us;
    if (j->held && wm_event_same(&j->held->event, &k->event)) {
        j->n_held++;
        free(k);
        return;
    }
    b->n_replaced += (uint64_t)j->n_held;
    b->n_held += !j->held;
    free(j->held);
    j->held = k;
    j->n_held = 1;
}

static void release(struct wm_event_book *b, struct wm_event_subject *j, int64_t now_ms)
{
    struct wm_event_kept *k = j->held;
    int times = j->n_held;

    j->held = NULL;
    j->n_held = 0;
    b->n_held--;
    let_through(b, j, k, times, j->held_last_us, now_ms);
}

void wm_event_book_tell(struct wm_event_book *b, struct wm_event_kept *k)
{
    struct wm_event_subject *j = subject_of(b, &k->event.regarding);
    struct wm_event_series *s = j->latest;
    struct wm_event_now now = k->at;

    if (!j->held && s && s->count > 1 && wm_event_same(&s->kept->event, &k->event)) {
        /* nothing new: it is a series already, and the last thing that was told */
        happened(s, 1, now.wall_us, now.mono_ms);
        free(k);
    } else if (!j->held && allowed_ms(b, j) <= now.mono_ms) {
        let_through(b, j, k, 1, now.wall_us, now.mono_ms);
    } else {
        hold(b, j, k);
    }
}

/* --- as time goes by --- */

static int64_t series_due_ms(const struct wm_event_book *b, const struct wm_event_series *s)
{
    int64_t over = s->last_ms + b->o.t.finish_ms, refresh = s->told_ms + b->o.t.refresh_ms;

    if (s->at == WM_SERIES_QUEUED)
        return s->not_before_ms;
    if (s->at == WM_SERIES_WRITING)
        return INT64_MAX;
    return s->count > s->told && refresh < over ? refresh : over;
}

static void turn_series(struct wm_event_book *b, struct wm_event_series *s, int64_t now_ms)
{
    if (s->at != WM_SERIES_IDLE || series_due_ms(b, s) > now_ms)
        return;
    if (s->count > s->told)
        wm_event_enqueue(b, s);
    else
        wm_event_forget(s);
}

void wm_event_book_turn(struct wm_event_book *b, int64_t now_ms)
{
    for (struct wm_event_subject **at = &b->subjects, *j; (j = *at);) {
        if (j->held && allowed_ms(b, j) <= now_ms)
            release(b, j, now_ms);
        for (struct wm_event_series *s = j->series, *next; s; s = next) {
            next = s->next;
            turn_series(b, s, now_ms);
        }
        if (j->held || j->series || stale_ms(b, j) > now_ms) {
            at = &j->next;
        } else {
            *at = j->next;
            subject_free(j);
        }
    }
}

int64_t wm_event_book_due_ms(const struct wm_event_book *b)
{
    int64_t due = INT64_MAX;

    for (const struct wm_event_subject *j = b->subjects; j; j = j->next) {
        int64_t at = j->held ? allowed_ms(b, j) : j->series ? INT64_MAX : stale_ms(b, j);

        for (const struct wm_event_series *s = j->series; s; s = s->next)
            at = series_due_ms(b, s) < at ? series_due_ms(b, s) : at;
        due = at < due ? at : due;
    }
    return due;
}

void wm_event_book_close(struct wm_event_book *b, int64_t now_ms)
{
    b->closing = true;
    for (struct wm_event_subject *j = b->subjects; j; j = j->next) {
        if (j->held)
            release(b, j, now_ms);
        for (struct wm_event_series *s = j->series; s; s = s->next) {
            s->not_before_ms = 0;
            if (s->count > s->told)
                wm_event_enqueue(b, s);
        }
    }
}

void wm_event_book_done(struct wm_event_book *b)
{
    for (struct wm_event_subject *j = b->subjects, *next; j; j = next) {
        next = j->next;
        for (struct wm_event_series *s; (s = j->series);) {
            s->at = WM_SERIES_IDLE;
            wm_event_forget(s);
        }
        subject_free(j);
    }
    b->subjects = NULL;
    b->queue = NULL;
}
