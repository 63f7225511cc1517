#include "waymark/store.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

/* A parent packed into about 200 bytes: its strings one after the other, each with its NUL. */
enum field {
    F_NAMESPACE,
    F_NAME,
    F_UID,
    F_PLAN,
    F_MIGRATION,
    F_MIGRATION_UID,
    F_SOURCE,
    F_TARGET,
    F_UP_NAME,
    F_UP_UID,
    F_COUNT
};

struct record {
    struct record *next;
    uint32_t hash, generation;
    uint8_t kind, up_kind, whole;
    uint16_t at[F_COUNT + 1]; /* offsets into text; the last is its end */
    char text[];
};

struct wm_store {
    pthread_mutex_t lock;
    struct record **buckets;
    size_t n_buckets, n; /* a power of two */
    size_t count[WM_PARENT_COUNT];
    uint32_t generation[WM_PARENT_COUNT];
};

enum { FIRST_BUCKETS = 64 };

static uint32_t hash_of(const char *uid)
{
    return (uint32_t)wm_str_digest(wm_str_of(uid), 0);
}

struct wm_store *wm_store_new(void)
{
    struct wm_store *s = wm_xcalloc(1, sizeof *s);

    pthread_mutex_init(&s->lock, NULL);
    s->n_buckets = FIRST_BUCKETS;
    s->buckets = wm_xcalloc(s->n_buckets, sizeof(struct record *));
    return s;
}

struct wm_store *wm_store_free(struct wm_store *s)
{
    if (!s)
        return NULL;
    for (size_t i = 0; i < s->n_buckets; i++)
        for (struct record *r = s->buckets[i], *next; r; r = next) {
            next = r->next;
            free(r);
        }
    free(s->buckets);
    pthread_mutex_destroy(&s->lock);
    free(s);
    return NULL;
}

static struct record *pack(const struct wm_parent *p, bool whole)
{
    const char *const fields[F_COUNT] = {p->namespace_,
                                         p->name,
                                         p->uid,
                                         p->identity.plan,
                                         p->identity.migration,
                                         p->identity.uid,
                                         p->identity.source_provider,
                                         p->identity.target_provider,
                                         p->up.name,
                                         p->up.uid};
    size_t size = 0, at = 0;

    for (int i = 0; i < F_COUNT; i++)
        size += strlen(fields[i]) + 1;
    struct record *r = wm_xcalloc(1, sizeof *r + size);

    r->hash = hash_of(p->uid);
    r->kind = (uint8_t)p->kind;
    r->up_kind = (uint8_t)p->up.kind;
    r->whole = whole;
    for (int i = 0; i < F_COUNT; i++) {
        size_t n = strlen(fields[i]) + 1;

        r->at[i] = (uint16_t)at;
        memcpy(r->text + at, fields[i], n);
        at += n;
    }
    r->at[F_COUNT] = (uint16_t)at;
    return r;
}

static const char *text_of(const struct record *r, enum field f)
{
    return r->text + r->at[f];
}

/* Hot: a parent is looked up for every object.  A field came from an array of the same size. */
static void copy_text(char *out, const struct record *r, enum field f)
{
    memcpy(out, text_of(r, f), (size_t)r->at[f + 1] - r->at[f]);
}

static void unpack(const struct record *r, struct wm_parent *p)
{
    p->kind = (enum wm_parent_kind)r->kind;
    copy_text(p->namespace_, r, F_NAMESPACE);
    copy_text(p->name, r, F_NAME);
    copy_text(p->uid, r, F_UID);
    copy_text(p->identity.plan, r, F_PLAN);
    copy_text(p->identity.migration, r, F_MIGRATION);
    copy_text(p->identity.uid, r, F_MIGRATION_UID);
    copy_text(p->identity.source_provider, r, F_SOURCE);
    copy_text(p->identity.target_provider, r, F_TARGET);
    p->up.kind = (enum wm_parent_kind)r->up_kind;
    p->up.namespace_[0] = '\0';
    if (p->up.kind && text_of(r, F_UP_NAME)[0])
        copy_text(p->up.namespace_, r, F_NAMESPACE);
    copy_text(p->up.name, r, F_UP_NAME);
    copy_text(p->up.uid, r, F_UP_UID);
}

/* The link that points to the record of `uid`, or to the NULL behind the last one of its bucket. */
static struct record **link_of(struct wm_store *s, const char *uid)
{
    uint32_t h = hash_of(uid);
    struct record **link = &s->buckets[h & (s->n_buckets - 1)];

    while (*link && !((*link)->hash == h && strcmp(text_of(*link, F_UID), uid) == 0))
        link = &(*link)->next;
    return link;
}

static void grow(struct wm_store *s)
{
    size_t n = s->n_buckets * 2;
    struct record **buckets = wm_xcalloc(n, sizeof(struct record *));

    for (size_t i = 0; i < s->n_buckets; i++)
        for (struct record *r = s->buckets[i], *next; r; r = next) {
            next = r->next;
            r->next = buckets[r->hash & (n - 1)];
            buckets[r->hash & (n - 1)] = r;
        }
    free(s->buckets);
    s->buckets = buckets;
    s->n_buckets = n;
}

static void unlink_record(struct wm_store *s, struct record **link)
{
    struct record *r = *link;

    *link = r->next;
    s->n--;
    s->count[r->kind]--;
    free(r);
}

/* Of a migration its labels alone do not tell all, unless a webhook gave them; a VMMigration may have no
 * plan, but has a provider. */
static bool labels_tell(enum wm_parent_kind kind, const char *plan, const char *target_provider)
{
    return kind == WM_PARENT_VMMIGRATION ? target_provider[0] != '\0' : plan[0] != '\0';
}

static bool is_certain(const struct record *r)
{
    bool of_spec = r->kind == WM_PARENT_MIGMIGRATION || r->kind == WM_PARENT_VMMIGRATION;

    return !of_spec || r->whole ||
           labels_tell((enum wm_parent_kind)r->kind, text_of(r, F_PLAN), text_of(r, F_TARGET));
}

void wm_store_put(struct wm_store *s, const struct wm_parent *p, bool whole)
{
    struct wm_parent kept;

    pthread_mutex_lock(&s->lock);
    struct record **link = link_of(s, p->uid);

    if (*link && (*link)->whole && !whole &&
        !labels_tell(p->kind, p->identity.plan, p->identity.target_provider)) {
        kept = *p;
        copy_text(kept.identity.plan, *link, F_PLAN);
        copy_text(kept.identity.source_provider, *link, F_SOURCE);
        copy_text(kept.identity.target_provider, *link, F_TARGET);
        p = &kept;
        whole = true;
    }
    if (*link)
        unlink_record(s, link);
    struct record *r = pack(p, whole);

    r->generation = s->generation[p->kind];
    if (s->n >= s->n_buckets)
        grow(s);
    link = link_of(s, p->uid);
    r->next = *link;
    *link = r;
    s->n++;
    s->count[p->kind]++;
    pthread_mutex_unlock(&s->lock);
}

void wm_store_remove(struct wm_store *s, const char *uid)
{
    pthread_mutex_lock(&s->lock);
    struct record **link = link_of(s, uid);

    if (*link)
        unlink_record(s, link);
    pthread_mutex_unlock(&s->lock);
}

void wm_store_list_begin(struct wm_store *s, enum wm_parent_kind kind)
{
    pthread_mutex_lock(&s->lock);
    s->generation[kind]++;
    pthread_mutex_unlock(&s->lock);
}

void wm_store_list_end(struct wm_store *s, enum wm_parent_kind kind)
{
    pthread_mutex_lock(&s->lock);
    for (size_t i = 0; i < s->n_buckets; i++)
        for (struct record **link = &s->buckets[i]; *link;)
            if ((*link)->kind == kind && (*link)->generation != s->generation[kind])
                unlink_record(s, link);
            else
                link = &(*link)->next;
    pthread_mutex_unlock(&s->lock);
}

void wm_store_retain(struct wm_store *s, wm_store_keep_fn *keep, void *ctx)
{
    pthread_mutex_lock(&s->lock);
    for (size_t i = 0; i < s->n_buckets; i++)
        for (struct record **link = &s->buckets[i]; *link;)
            if (keep(ctx, text_of(*link, F_UID)))
                link = &(*link)->next;
            else
                unlink_record(s, link);
    pthread_mutex_unlock(&s->lock);
}

enum wm_found wm_store_find(struct wm_store *s, const struct wm_ref *ref, struct wm_parent *ret)
{
    enum wm_found found = WM_FOUND_MISS;

    pthread_mutex_lock(&s->lock);
    const struct record *r = *link_of(s, ref->uid);

    if (r && r->kind == ref->kind && (!ref->name[0] || strcmp(text_of(r, F_NAME), ref->name) == 0) &&
        (!ref->namespace_[0] || strcmp(text_of(r, F_NAMESPACE), ref->namespace_) == 0) && is_certain(r)) {
        unpack(r, ret);
        found = WM_FOUND;
    }
    pthread_mutex_unlock(&s->lock);
    return found;
}

size_t wm_store_count(struct wm_store *s, enum wm_parent_kind kind)
{
    pthread_mutex_lock(&s->lock);
    size_t n = s->count[kind];

    pthread_mutex_unlock(&s->lock);
    return n;
}
