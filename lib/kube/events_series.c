/* Series and the queue of their writes, and what follows from the answers. */
#include <assert.h>
#include <stdlib.h>

#include "events_internal.h"
#include "waymark/json.h"

/* --- the queue --- */

void wm_event_enqueue(struct wm_event_book *b, struct wm_event_series *s)
{
    struct wm_event_series **at = &b->queue;

    s->again = s->at == WM_SERIES_WRITING;
    if (s->at != WM_SERIES_IDLE)
        return;
    while (*at)
        at = &(*at)->next_queued;
    *at = s;
    s->next_queued = NULL;
    s->at = WM_SERIES_QUEUED;
    b->n_queued++;
}

struct wm_event_series *wm_event_book_next(struct wm_event_book *b, int64_t now_ms)
{
    struct wm_event_series **at = &b->queue, *s;

    while (*at && (*at)->not_before_ms > now_ms)
        at = &(*at)->next_queued;
    s = *at;
    if (s) {
        *at = s->next_queued;
        s->at = WM_SERIES_WRITING;
        s->sent = s->count;
        s->api = b->api;
        s->tries++;
        b->n_queued--;
        b->n_writing++;
    }
    return s;
}

/* --- series --- */

static void give_name(struct wm_event_book *b, struct wm_event_series *s)
{
    int64_t ns = s->first_us * 1000;

    if (s->kept->event.once) {
        wm_event_name(&s->kept->event, (int64_t)s->kept->event.once, s->name);
        return;
    }
    b->last_ns = ns > b->last_ns ? ns : b->last_ns + 1;
    wm_event_name(&s->kept->event, b->last_ns, s->name);
}

struct wm_event_series *wm_event_find(const struct wm_event_subject *j, const struct wm_event *e)
{
    struct wm_event_series *s = j->series;

    while (s && !wm_event_same(&s->kept->event, e))
        s = s->next;
    return s;
}

void wm_event_forget(struct wm_event_series *s)
{
    struct wm_event_series **at = &s->subject->series;

    assert(s->at == WM_SERIES_IDLE);
    while (*at != s)
        at = &(*at)->next;
    *at = s->next;
    if (s->subject->latest == s)
        s->subject->latest = NULL;
    free(s->kept);
    free(s);
}

struct wm_event_series *wm_event_begin(struct wm_event_book *b, struct wm_event_subject *j,
                                       struct wm_event_kept *k)
{
    struct wm_event_series *s = wm_xcalloc(1, sizeof *s);

    *s = (struct wm_event_series){.next = j->series, .subject = j, .kept = k, .first_us = k->at.wall_us};
    j->series = s;
    give_name(b, s);
    return s;
}

/* --- writing --- */

const char *wm_event_book_write(const struct wm_event_book *b, const struct wm_event_series *s,
                                struct wm_buf *path, struct wm_buf *body)
{
    struct wm_event_telling t = {.api = s->api,
                                 .controller = b->o.controller,
                                 .instance = b->o.instance,
                                 .name = s->name,
                                 .event = &s->kept->event,
                                 .first_us = s->first_us,
                                 .last_us = s->last_us,
                                 .count = s->sent};

    t.namespace_ = wm_event_namespace(t.event, s->system && s->api == WM_EVENTS_V1);
    wm_event_put_path(&t, !!s->told, path);
    (s->told ? wm_event_put_patch : wm_event_put)(&t, body);
    return s->told ? "PATCH" : "POST";
}

/* The v1 Status of a 404 names what is missing: a namespace, or an Event.  Where the whole API is, it names
 * nothing, or the body is a plain text. */
static bool names_an_object(struct wm_str body)
{
    static const char *const name[] = {"/details/name"};
    struct wm_json_span span;

    return wm_json_locate(body, 1, name, &span, NULL) == WM_OK && span.kind == WM_JSON_STRING;
}

static bool may_go_better(int status)
{
    return status == 0 || status == 408 || status == 429 || status >= 500;
}

static enum wm_event_end told(struct wm_event_book *b, struct wm_event_series *s, int64_t now_ms)
{
    enum wm_event_end end = s->told ? WM_EVENT_PATCHED : WM_EVENT_CREATED;

    s->told = s->sent;
    s->told_ms = now_ms;
    s->tries = 0;
    s->unsure = false;
    if (s->again && s->count > s->told)
        wm_event_enqueue(b, s);
    return end;
}

/* 409 to a POST: there is an Event of that name. */
static enum wm_event_end taken(struct wm_event_book *b, struct wm_event_series *s, int64_t now_ms)
{
    if (s->kept->event.once || (s->unsure && s->sent == 1))
        return told(b, s, now_ms); /* another one's, or our own, whose answer was lost */
    if (s->sent > 1)
        s->told = 1; /* our own, of which we thought that it was gone; how often is said by a PATCH */
    else
        give_name(b, s);
    wm_event_enqueue(b, s);
    return WM_EVENT_AGAIN;
}

static enum wm_event_end later(struct wm_event_book *b, struct wm_event_series *s, uint32_t random,
                               int64_t now_ms)
{
    int64_t half = b->o.t.retry_ms / 2;

    s->unsure = true;
    s->not_before_ms = now_ms + half * 3 / 2 + half * random / UINT32_MAX;
    wm_event_enqueue(b, s);
    return WM_EVENT_AGAIN;
}

/* An answer that another try at once may change: true when one is worth it. */
static bool other_way(struct wm_event_book *b, struct wm_event_series *s, int status, struct wm_str body)
{
    bool post = s->told == 0;

    if (status == 404 && !post) {
        s->told = 0; /* it expired, or somebody deleted it */
        return true;
    }
    if (status == 404 && s->api == WM_EVENTS_V1 && !names_an_object(body)) {
        b->api = WM_EVENTS_CORE; /* for good: the server is older than 1.19 */
        return true;
    }
    if (status == 422 && post && s->api == WM_EVENTS_V1 && !*s->kept->event.regarding.namespace_ &&
        !s->system) {
        s->system = true; /* older servers want it there, see legacyValidateEvent in
                             pkg/apis/core/validation/events.go */
        return true;
    }
    return status == 409 && !post;
}

enum wm_event_end wm_event_book_answer(struct wm_event_book *b, struct wm_event_series *s, int status,
                                       struct wm_str body, uint32_t random, int64_t now_ms)
{
    s->at = WM_SERIES_IDLE;
    b->n_writing--;
    if (status >= 200 && status < 300)
        return told(b, s, now_ms);
    if (s->tries >= b->o.t.max_tries || (b->closing && may_go_better(status))) {
        wm_event_forget(s);
        return WM_EVENT_DROPPED;
    }
    if (may_go_better(status))
        return later(b, s, random, now_ms);
    if (status == 409 && s->told == 0)
        return taken(b, s, now_ms);
    if (other_way(b, s, status, body)) {
        wm_event_enqueue(b, s);
        return WM_EVENT_AGAIN;
    }
    wm_event_forget(s);
    return WM_EVENT_REFUSED;
}

void wm_event_book_drop(struct wm_event_book *b, struct wm_event_series *s)
{
    s->at = WM_SERIES_IDLE;
    b->n_writing--;
    wm_event_forget(s);
}
