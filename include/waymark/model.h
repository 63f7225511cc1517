/* What is known of all clusters: one small record an object, found by uid and by parent.  Pure; not
 * thread-safe.
 *
 * An object of the API server is 2 to 100 KB of JSON; what is kept of it here is some 200 bytes. */
#ifndef WAYMARK_MODEL_H
#define WAYMARK_MODEL_H

#include "waymark/reading.h"

#define WM_CLUSTERS_MAX 32
#define WM_SOURCES_MAX 2048

/* A uid as 16 bytes: a UUID's own, else the first half of the text's SHA-256.  All zero = none. */
struct wm_id {
    uint64_t hi, lo;
};
struct wm_id wm_id_of(struct wm_str uid);
/* Of all owners from the first on: the controlling one of that kind (NULL = any), else the first of them. */
struct wm_id wm_owner_of(const struct wm_owner *first, const char *kind);
static inline bool wm_id_is(struct wm_id a, struct wm_id b)
{
    return a.hi == b.hi && a.lo == b.lo;
}
static inline bool wm_id_is_set(struct wm_id a)
{
    return a.hi || a.lo;
}

/* One object.  Owned by the model; gone with the next change of the model unless it says otherwise. */
struct wm_record {
    struct wm_record *next_by_id, *next_sibling, *next_of_kind; /* chains of the model */
    struct wm_record **sibling_link,
        **kind_link; /* what points here: one of thousands leaves its chain at once */
    struct wm_id id, parent;
    int64_t done, total;                        /* bytes or items; -1 = not told */
    uint32_t created_s, started_s, completed_s; /* Unix time; 0 = not told */
    uint32_t ties;                              /* digest of its labels and owners */
    uint16_t source, round; /* where it comes from, and of which list of that it was last seen in */
    uint8_t kind, cluster;
    bool going;                 /* has a deletionTimestamp */
    bool over;                  /* nothing more will happen to it, by its phase */
    bool relabelled;            /* new, or its labels or owners differ from what was put before */
    bool has_children;          /* or had: most objects have none, and are not asked for them */
    uint16_t namespace_, phase; /* words of the model */
    uint16_t name_n, message_n, node_n;
    void *detail; /* a kind's own, see wm_model_conf */
    char text[];  /* name, message, node; each terminated */
};
const char *wm_record_name(const struct wm_record *r);
const char *wm_record_message(const struct wm_record *r); /* "" = none */
const char *wm_record_node(const struct wm_record *r);    /* "" = none */

struct wm_model;

struct wm_model_conf {
    /* Called for every object put, as it was read; returns the record's detail, or NULL.  `old` is that of
     * the record it replaces: to be returned when it is still right, else to be freed. */
    void *(*detail)(void *ctx, const struct wm_reading *object, void *old);
    void (*detail_done)(void *ctx, enum wm_kind kind, void *detail);
    /* Whether nothing more will happen to an object of that kind in that phase; NULL = never said of any. */
    bool (*over)(enum wm_kind kind, const char *phase);
    /* Called after a record came, changed in what is kept of it, its detail included, or went (`gone`). */
    void (*changed)(void *ctx, const struct wm_record *r, bool gone);
    void *ctx;
};

struct wm_model *wm_model_new(const struct wm_model_conf *conf);
struct wm_model *wm_model_free(struct wm_model *m);

/* A source of records: one watch, of one kind on one cluster.  Returns its number; 0 = there are too many. */
uint16_t wm_model_source(struct wm_model *m, uint8_t cluster, enum wm_kind kind);
/* Ends a source: what came from it goes. */
void wm_model_source_end(struct wm_model *m, uint16_t source);
/* A complete list: what the source has not put between begin and end is removed at its end.  Returns how many
 * records the list brought, changed or removed. */
void wm_model_list_begin(struct wm_model *m, uint16_t source);
size_t wm_model_list_end(struct wm_model *m, uint16_t source);

/* Takes over what is kept of an object of the source's kind; the record, or NULL (WM_E_INVALID) when it
 * has no name or uid. */
const struct wm_record *wm_model_take(struct wm_model *m, uint16_t source, const struct wm_reading *object,
                                      struct wm_error *err);
/* The same of a text that was checked (wm_json_pick); the record, or NULL (WM_E_INVALID) when it has no name
 * or uid. */
const struct wm_record *wm_model_put(struct wm_model *m, uint16_t source, struct wm_str object,
                                     struct wm_error *err);
void wm_model_remove(struct wm_model *m, uint8_t cluster, struct wm_id id);

const struct wm_record *wm_model_find(const struct wm_model *m, uint8_t cluster, struct wm_id id);
/* The record of that id on any cluster, the lowest first. */
const struct wm_record *wm_model_find_anywhere(const struct wm_model *m, struct wm_id id);

/* All whose parent is `id`, of all clusters, in no order:
 *     for (const struct wm_record *r = wm_model_children(m, id); r; r = wm_model_next_child(r, id)) */
const struct wm_record *wm_model_children(const struct wm_model *m, struct wm_id id);
const struct wm_record *wm_model_next_child(const struct wm_record *r, struct wm_id id);

/* The record of that name; namespace "" for kinds that have none.  NULL = there is none (or it was not listed
 * yet).  A walk over all records of the kind: for a few look-ups a judgement, not for every one of them. */
const struct wm_record *wm_model_find_named(const struct wm_model *m, uint8_t cluster, enum wm_kind kind,
                                            const char *namespace_, const char *name);

/* Every record of a kind. */
typedef void wm_record_fn(void *ctx, const struct wm_record *r);
void wm_model_each(const struct wm_model *m, enum wm_kind kind, wm_record_fn *fn, void *ctx);
/* Every record of a kind that is not over: of thousands those that matter now. */
void wm_model_each_open(const struct wm_model *m, enum wm_kind kind, wm_record_fn *fn, void *ctx);
size_t wm_model_count(const struct wm_model *m, uint8_t cluster, enum wm_kind kind);
size_t wm_model_source_count(const struct wm_model *m, uint16_t source);

/* The text of a word: namespaces and phases are kept once. */
const char *wm_model_word(const struct wm_model *m, uint16_t word);

#endif
