#include "todo.h"

#include <stdlib.h>

enum { N_BUCKETS = 4096 };

struct entry {
    struct entry *next;
    struct wm_todo_item item;
};

struct wm_todo {
    size_t max, due, waiting;
    size_t turn; /* the bucket to be looked into first */
    struct entry *buckets[N_BUCKETS];
};

struct wm_todo *wm_todo_new(size_t max)
{
    struct wm_todo *t = wm_xcalloc(1, sizeof *t);

    t->max = max;
    return t;
}

/* The counter that an item is counted in. */
static size_t *counter(struct wm_todo *t, const struct wm_todo_item *item)
{
    return wm_id_is_set(item->parent) ? &t->waiting : &t->due;
}

static void unlink_entry(struct wm_todo *t, struct entry **link)
{
    struct entry *e = *link;

    *counter(t, &e->item) -= 1;
    *link = e->next;
    free(e);
}

struct wm_todo *wm_todo_free(struct wm_todo *t)
{
    if (!t)
        return NULL;
    for (size_t i = 0; i < N_BUCKETS; i++)
        while (t->buckets[i])
            unlink_entry(t, &t->buckets[i]);
    free(t);
    return NULL;
}

/* The link to the object's entry, or to the NULL behind the last one of its bucket. */
static struct entry **link_of(struct wm_todo *t, uint8_t cluster, struct wm_id id)
{
    struct entry **link = &t->buckets[(id.hi ^ id.lo ^ cluster) % N_BUCKETS];

    while (*link && !((*link)->item.cluster == cluster && wm_id_is((*link)->item.id, id)))
        link = &(*link)->next;
    return link;
}

bool wm_todo_put(struct wm_todo *t, const struct wm_todo_item *item)
{
    struct entry **link = link_of(t, item->cluster, item->id);

    if (*link)
        *counter(t, &(*link)->item) -= 1;
    else if (t->due + t->waiting == t->max)
        return false;
    else
        *link = wm_xcalloc(1, sizeof **link);
    (*link)->item = *item;
    *counter(t, item) += 1;
    return true;
}

void wm_todo_drop(struct wm_todo *t, uint8_t cluster, struct wm_id id)
{
    struct entry **link = link_of(t, cluster, id);

    if (*link)
        unlink_entry(t, link);
}

void wm_todo_wake(struct wm_todo *t, wm_todo_fn *is_there, void *ctx)
{
    for (size_t i = 0; i < N_BUCKETS && t->waiting; i++)
        for (struct entry *e = t->buckets[i]; e; e = e->next)
            if (wm_id_is_set(e->item.parent) && is_there(ctx, &e->item)) {
                e->item.parent = (struct wm_id){0};
                t->waiting--;
                t->due++;
            }
}

void wm_todo_retain(struct wm_todo *t, wm_todo_fn *keep, void *ctx)
{
    for (size_t i = 0; i < N_BUCKETS; i++)
        for (struct entry **link = &t->buckets[i]; *link;)
            if (keep(ctx, &(*link)->item))
                link = &(*link)->next;
            else
                unlink_entry(t, link);
}

bool wm_todo_take(struct wm_todo *t, wm_todo_fn *may, void *ctx, struct wm_todo_item *ret)
{
    for (size_t n = 0; n < N_BUCKETS && t->due; n++, t->turn = (t->turn + 1) % N_BUCKETS)
        for (struct entry **link = &t->buckets[t->turn]; *link; link = &(*link)->next)
            if (!wm_id_is_set((*link)->item.parent) && may(ctx, &(*link)->item)) {
                *ret = (*link)->item;
                unlink_entry(t, link);
                return true;
            }
    return false;
}

size_t wm_todo_due(const struct wm_todo *t)
{
    return t->due;
}

size_t wm_todo_waiting(const struct wm_todo *t)
{
    return t->waiting;
}
