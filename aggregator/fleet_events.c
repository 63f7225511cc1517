/* Kubernetes Events: those that can help to name a cause, and of these so many as there is room for. */
#include <stdlib.h>

#include "fleet_impl.h"
#include "waymark/log.h"

/* A storm of them pushes out the oldest, many at a time: each costs little then. */
enum { EVENTS_MAX = 5000, EVENTS_DROPPED = EVENTS_MAX / 8 };

bool wm_feed_takes(const struct feed *d, struct wm_str object)
{
    return d->kind != WM_KIND_EVENT || wm_event_matters(object);
}

struct aged {
    int64_t last_s;
    struct wm_id id;
};
struct ages {
    uint8_t cluster;
    size_t n;
    struct aged list[EVENTS_MAX];
};

static void note_age(void *ctx, const struct wm_record *r)
{
    struct ages *a = ctx;

    if (r->cluster == a->cluster && a->n < EVENTS_MAX)
        a->list[a->n++] = (struct aged){wm_event_of(r)->last_s, r->id};
}

static int by_age(const void *a, const void *b)
{
    const struct aged *x = a, *y = b;

    return (x->last_s > y->last_s) - (x->last_s < y->last_s);
}

void wm_feed_make_room(struct wm_fleet *f, uint8_t cluster)
{
    if (wm_model_count(f->model, cluster, WM_KIND_EVENT) < EVENTS_MAX)
        return;
    struct ages *a = wm_xcalloc(1, sizeof *a);

    a->cluster = cluster;
    wm_model_each(f->model, WM_KIND_EVENT, note_age, a);
    qsort(a->list, a->n, sizeof a->list[0], by_age);
    for (size_t i = 0; i < EVENTS_DROPPED && i < a->n; i++)
        wm_model_remove(f->model, cluster, a->list[i].id);
    wm_log(WM_LOG_INFO, "events_dropped", WM_F("cluster", f->clusters[cluster].name),
           WM_FI("events", EVENTS_DROPPED), WM_F("why", "there are too many; the oldest went"));
    free(a);
}
