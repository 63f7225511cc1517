/* An intrusive doubly linked ring: no allocation, removal in O(1) from wherever one is.  Pure. */
#ifndef WAYMARK_WEBHOOK_LIST_H
#define WAYMARK_WEBHOOK_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct wm_link {
    struct wm_link *prev, *next; /* both NULL = in no list */
};

/* The thing of type `type` whose member `member` is the link `l`. */
#define WM_OWNER(l, type, member) ((type *)(void *)((char *)(l)-offsetof(type, member)))

static inline void wm_list_init(struct wm_link *head)
{
    head->prev = head->next = head;
}

static inline bool wm_list_empty(const struct wm_link *head)
{
    return head->next == head;
}

static inline bool wm_linked(const struct wm_link *l)
{
    return l->next != NULL;
}

static inline void wm_unlink(struct wm_link *l)
{
    if (!l->next)
        return;
    l->prev->next = l->next;
    l->next->prev = l->prev;
    l->prev = l->next = NULL;
}

/* Puts `l` last, wherever it was before. */
static inline void wm_append(struct wm_link *head, struct wm_link *l)
{
    wm_unlink(l);
    l->prev = head->prev;
    l->next = head;
    head->prev->next = l;
    head->prev = l;
}

/* Takes the first out, or NULL. */
static inline struct wm_link *wm_pop(struct wm_link *head)
{
    struct wm_link *l = head->next;

    if (l == head)
        return NULL;
    wm_unlink(l);
    return l;
}

/* Moves all of `from` to the end of `to`. */
static inline void wm_splice(struct wm_link *to, struct wm_link *from)
{
    if (wm_list_empty(from))
        return;
    from->next->prev = to->prev;
    to->prev->next = from->next;
    from->prev->next = to;
    to->prev = from->prev;
    wm_list_init(from);
}

#endif
