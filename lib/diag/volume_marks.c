/* When each volume moved last: a table by id, of those that are being copied now. */
#include "volume_marks.h"

#include <stdlib.h>
#include <string.h>

#include "situation_impl.h"

enum { ROOM_MIN = 16, ROOM_MAX = 16384 }; /* half of it is filled; others go by the last progress of all */

static uint64_t key_of(const struct wm_record *r)
{
    return wm_mix(r->id.hi ^ wm_mix(r->id.lo ^ r->cluster)) | 1; /* 0 = free */
}

/* Where it is, or would be; there is always a free one. */
static struct wm_volume_mark *place_of(const struct wm_volume_marks *m, uint64_t key)
{
    size_t at = key >> 1 & (m->room - 1);

    while (m->list[at].key && m->list[at].key != key)
        at = (at + 1) & (m->room - 1);
    return &m->list[at];
}

/* Of this round, or of the last one and not looked at yet in this. */
static bool is_live(const struct wm_volume_marks *m, const struct wm_volume_mark *mark)
{
    return mark->key && m->round - mark->round <= 1;
}

static bool is_full(const struct wm_volume_marks *m)
{
    return 2 * (m->used + 1) > m->room;
}

static size_t count_live(const struct wm_volume_marks *m)
{
    size_t n = 0;

    for (size_t i = 0; i < m->room; i++)
        n += is_live(m, &m->list[i]);
    return n;
}

/* Leaves those out that are not copied any more. */
static void make_room(struct wm_volume_marks *m)
{
    struct wm_volume_marks grown = {.room = ROOM_MIN, .round = m->round};

    grown.used = count_live(m);
    while (grown.room < 4 * grown.used && grown.room < ROOM_MAX)
        grown.room *= 2;
    grown.list = wm_xcalloc(grown.room, sizeof *grown.list);
    for (size_t i = 0; i < m->room; i++)
        if (is_live(m, &m->list[i]))
            *place_of(&grown, m->list[i].key) = m->list[i];
    free(m->list);
    *m = grown;
}

void wm_volume_marks_begin(struct wm_volume_marks *m)
{
    m->round++;
    if (m->used > m->room / 4)
        make_room(m);
}

void wm_volume_marks_feel(struct wm_volume_marks *m, const struct wm_record *r, int64_t now_s)
{
    uint64_t key = key_of(r);
    struct wm_volume_mark *mark = m->room ? place_of(m, key) : NULL;

    if (!mark || !mark->key) {
        if (is_full(m) && m->room < ROOM_MAX)
            make_room(m);
        if (is_full(m))
            return;
        mark = place_of(m, key);
        *mark = (struct wm_volume_mark){.key = key, .done = r->done, .moved_s = now_s};
        m->used++;
    } else if (mark->done != r->done || m->round - mark->round > 1) {
        mark->done = r->done;
        mark->moved_s = now_s;
    }
    mark->round = m->round;
}

int64_t wm_volume_moved_s(const struct wm_volume_marks *m, const struct wm_record *r)
{
    return m && m->room ? place_of(m, key_of(r))->moved_s : 0;
}

void wm_volume_marks_done(struct wm_volume_marks *m)
{
    free(m->list);
    *m = (struct wm_volume_marks){0};
}
