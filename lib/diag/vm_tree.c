/* The objects of a VMMigration as a tree: what it owns, and what it works with, which belongs to others. */
#include <stdlib.h>

#include "situation_impl.h"
#include "vm_look.h"

enum { OTHERS_MAX = 1 + 2 * WM_VM_SIDES }; /* the PVC, and of each side a Provider and a machine */

struct list {
    const struct wm_record **at;
    size_t n;
};

static void add_once(struct list *l, const struct wm_record *r)
{
    for (size_t i = 0; i < l->n; i++)
        if (l->at[i] == r)
            return;
    if (r)
        l->at[l->n++] = r;
}

static int by_kind_and_name(const void *a, const void *b)
{
    return wm_record_order(*(const struct wm_record *const *)a, *(const struct wm_record *const *)b);
}

static struct list below_migration(const struct wm_world *w, const struct wm_situation *s)
{
    struct list own = {0}, l = {0};

    own.at = wm_children_in_order(w, s->migration, SIZE_MAX, &own.n);
    l.at = wm_xcalloc(own.n + OTHERS_MAX, sizeof *l.at);
    for (size_t i = 0; i < own.n; i++)
        l.at[l.n++] = own.at[i];
    free(own.at);
    add_once(&l, wm_vm_claim(w, s));
    for (int side = WM_VM_SOURCE; side < WM_VM_SIDES; side++) {
        add_once(&l, wm_vm_provider(w, s, (enum wm_vm_side)side));
        add_once(&l, wm_vm_machine(w, s, (enum wm_vm_side)side));
    }
    qsort(l.at, l.n, sizeof *l.at, by_kind_and_name);
    return l;
}

static bool has_pods(const struct wm_world *w, const struct wm_record *replicas)
{
    for (const struct wm_record *r = wm_model_children(w->model, replicas->id); r;
         r = wm_model_next_child(r, replicas->id))
        if (r->kind == WM_KIND_POD)
            return true;
    return false;
}

/* Of the ReplicaSets of former templates, ten by default, only those that still have pods. */
static struct list below_server(const struct wm_world *w, const struct wm_record *server)
{
    const struct wm_record *current = wm_server_replicas(w, server);
    struct list all = {0};
    size_t n = 0;

    all.at = wm_children_in_order(w, server, SIZE_MAX, &all.n);
    for (size_t i = 0; i < all.n; i++)
        if (all.at[i] == current || all.at[i]->kind != WM_KIND_REPLICASET || has_pods(w, all.at[i]))
            all.at[n++] = all.at[i];
    return (struct list){all.at, n};
}

const struct wm_record **wm_vm_children_in_order(const struct wm_world *w, const struct wm_situation *s,
                                                 const struct wm_record *parent, size_t room, size_t *n)
{
    struct list l;

    if (parent == s->migration)
        l = below_migration(w, s);
    else if (parent->kind == WM_KIND_DEPLOYMENT)
        l = below_server(w, parent);
    else
        l.at = wm_children_in_order(w, parent, room, &l.n);
    *n = l.n;
    return l.at;
}
