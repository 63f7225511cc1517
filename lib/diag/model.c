#include "waymark/model.h"

#include <openssl/sha.h>
#include <stddef.h>
#include <stdlib.h>

#include "waymark/time.h"

enum { FIRST_BUCKETS = 1024, MAX_WORDS = 65535, WORD_MAX = 253, MESSAGE_MAX = 256, FIRST_WORDS = 64 };

struct word {
    char *text;
    uint16_t next; /* chain; 0 = end */
};

struct wm_model {
    struct wm_model_conf conf;
    struct wm_record *draft;                     /* what was read, before it is known what it replaces */
    struct wm_record **by_id, **by_parent;       /* hash tables of n_buckets, a power of two */
    struct wm_record *of_kind[2][WM_KIND_COUNT]; /* those that are over are the second */
    size_t n_buckets, n;
    struct word *words; /* [0] is "" */
    uint16_t *word_heads;
    size_t n_words, cap_words;
    struct source {
        bool used;
        uint8_t cluster, kind;
        uint16_t round;
        uint32_t n;            /* records */
        uint32_t differences;  /* of records put since the last list began */
    } sources[WM_SOURCES_MAX]; /* [0] is none */
    uint32_t count[WM_CLUSTERS_MAX][WM_KIND_COUNT];
};

enum { WORD_HEADS = 1024 };

/* --- ids --- */

/* A digit and 16; 0 = none of a UUID, which has no letters in upper case. */
static const uint8_t hex[256] = {['0'] = 16, 17, 18,         19, 20, 21, 22, 23,
                                 24,         25, ['a'] = 26, 27, 28, 29, 30, 31};

/* Every object has several of them. */
static bool parse_uuid(struct wm_str s, struct wm_id *ret)
{
    static const uint8_t fours[] = {0, 4, 9, 14, 19, 24, 28, 32}; /* where four digits begin */
    uint64_t half[2] = {0};
    unsigned all = 16;

    if (s.n != 36 || s.p[8] != '-' || s.p[13] != '-' || s.p[18] != '-' || s.p[23] != '-')
        return false;
    for (size_t i = 0; i < sizeof fours; i++) {
        const unsigned char *p = (const unsigned char *)s.p + fours[i];
        unsigned a = hex[p[0]], b = hex[p[1]], c = hex[p[2]], d = hex[p[3]];

        all &= a & b & c & d;
        half[i / 4] = half[i / 4] << 16 | (a & 15) << 12 | (b & 15) << 8 | (c & 15) << 4 | (d & 15);
    }
    *ret = (struct wm_id){half[0], half[1]};
    return all;
}

struct wm_id wm_id_of(struct wm_str uid)
{
    unsigned char sum[SHA256_DIGEST_LENGTH];
    struct wm_id id = {0};

    if (uid.n == 0 || parse_uuid(uid, &id))
        return id;
    SHA256((const unsigned char *)uid.p, uid.n, sum);
    memcpy(&id.hi, sum, 8);
    memcpy(&id.lo, sum + 8, 8);
    return id;
}

static size_t bucket_of(const struct wm_model *m, struct wm_id id)
{
    uint64_t h = (id.hi ^ id.lo * UINT64_C(0x9e3779b97f4a7c15)) * UINT64_C(0xd6e8feb86659fd93);

    return (h ^ h >> 32) & (m->n_buckets - 1);
}

/* --- words --- */

/* The number of a word; 0, the empty word, when there are too many: no cluster can make us grow by its words.
 */
static uint16_t word_of(struct wm_model *m, const char *text)
{
    struct wm_str s = wm_str_of(text);
    size_t head = wm_str_digest(s, 0) % WORD_HEADS;

    for (uint16_t w = m->word_heads[head]; w; w = m->words[w].next)
        if (strcmp(m->words[w].text, text) == 0)
            return w;
    if (s.n == 0 || m->n_words > MAX_WORDS)
        return 0;
    if (m->n_words == m->cap_words) {
        struct word *more = wm_xcalloc(2 * m->cap_words, sizeof *more);

        memcpy(more, m->words, m->n_words * sizeof *more);
        free(m->words);
        m->words = more;
        m->cap_words *= 2;
    }
    uint16_t w = (uint16_t)m->n_words++;

    m->words[w] = (struct word){wm_xstrdup(text), m->word_heads[head]};
    m->word_heads[head] = w;
    return w;
}

const char *wm_model_word(const struct wm_model *m, uint16_t word)
{
    return word < m->n_words ? m->words[word].text : "";
}

/* --- life --- */

struct wm_model *wm_model_new(const struct wm_model_conf *conf)
{
    struct wm_model *m = wm_xcalloc(1, sizeof *m);

    m->conf = *conf;
    m->n_buckets = FIRST_BUCKETS;
    m->by_id = wm_xcalloc(m->n_buckets, sizeof(struct wm_record *));
    m->by_parent = wm_xcalloc(m->n_buckets, sizeof(struct wm_record *));
    m->cap_words = FIRST_WORDS;
    m->words = wm_xcalloc(m->cap_words, sizeof *m->words);
    m->draft = wm_xcalloc(1, sizeof *m->draft + 2 * sizeof(wm_name) + MESSAGE_MAX);
    m->words[0].text = wm_xstrdup("");
    m->n_words = 1;
    m->word_heads = wm_xcalloc(WORD_HEADS, sizeof *m->word_heads);
    return m;
}

static void free_detail(struct wm_model *m, struct wm_record *r)
{
    if (r->detail && m->conf.detail_done)
        m->conf.detail_done(m->conf.ctx, (enum wm_kind)r->kind, r->detail);
    r->detail = NULL;
}

static void free_record(struct wm_model *m, struct wm_record *r)
{
    free_detail(m, r);
    free(r);
}

struct wm_model *wm_model_free(struct wm_model *m)
{
    if (!m)
        return NULL;
    for (size_t i = 0; i < m->n_buckets; i++)
        for (struct wm_record *r = m->by_id[i], *next; r; r = next) {
            next = r->next_by_id;
            free_record(m, r);
        }
    for (size_t i = 0; i < m->n_words; i++)
        free(m->words[i].text);
    free(m->words);
    free(m->word_heads);
    free(m->draft);
    free(m->by_id);
    free(m->by_parent);
    free(m);
    return NULL;
}

/* --- tables --- */

static struct wm_record **link_by_id(const struct wm_model *m, uint8_t cluster, struct wm_id id)
{
    struct wm_record **link = &m->by_id[bucket_of(m, id)];

    while (*link && !(wm_id_is((*link)->id, id) && (*link)->cluster == cluster))
        link = &(*link)->next_by_id;
    return link;
}

static void join_parent(struct wm_model *m, struct wm_record *r)
{
    if (!wm_id_is_set(r->parent))
        return;
    struct wm_record **head = &m->by_parent[bucket_of(m, r->parent)];

    r->next_sibling = *head;
    r->sibling_link = head;
    if (*head)
        (*head)->sibling_link = &r->next_sibling;
    *head = r;
}

static void leave_parent(struct wm_record *r)
{
    if (!wm_id_is_set(r->parent))
        return;
    *r->sibling_link = r->next_sibling;
    if (r->next_sibling)
        r->next_sibling->sibling_link = r->sibling_link;
}

static void join_kind(struct wm_model *m, struct wm_record *r)
{
    struct wm_record **head = &m->of_kind[r->over][r->kind];

    r->next_of_kind = *head;
    r->kind_link = head;
    if (*head)
        (*head)->kind_link = &r->next_of_kind;
    *head = r;
}

static void leave_kind(struct wm_record *r)
{
    *r->kind_link = r->next_of_kind;
    if (r->next_of_kind)
        r->next_of_kind->kind_link = r->kind_link;
}

static void grow(struct wm_model *m)
{
    struct wm_record **old = m->by_id;
    size_t n = m->n_buckets;

    free(m->by_parent);
    m->n_buckets = 2 * n;
    m->by_id = wm_xcalloc(m->n_buckets, sizeof(struct wm_record *));
    m->by_parent = wm_xcalloc(m->n_buckets, sizeof(struct wm_record *));
    for (size_t i = 0; i < n; i++)
        for (struct wm_record *r = old[i], *next; r; r = next) {
            struct wm_record **head = &m->by_id[bucket_of(m, r->id)];

            next = r->next_by_id;
            r->next_by_id = *head;
            *head = r;
            join_parent(m, r);
        }
    free(old);
}

/* --- looking --- */

const char *wm_record_name(const struct wm_record *r)
{
    return r->text;
}

const char *wm_record_message(const struct wm_record *r)
{
    return r->text + r->name_n + 1;
}

const char *wm_record_node(const struct wm_record *r)
{
    return r->text + r->name_n + 1 + r->message_n + 1;
}

const struct wm_record *wm_model_find(const struct wm_model *m, uint8_t cluster, struct wm_id id)
{
    return *link_by_id(m, cluster, id);
}

const struct wm_record *wm_model_find_anywhere(const struct wm_model *m, struct wm_id id)
{
    const struct wm_record *found = NULL;

    for (const struct wm_record *r = m->by_id[bucket_of(m, id)]; r; r = r->next_by_id)
        if (wm_id_is(r->id, id) && (!found || r->cluster < found->cluster))
            found = r;
    return found;
}

static const struct wm_record *child_from(const struct wm_record *r, struct wm_id id)
{
    while (r && !wm_id_is(r->parent, id))
        r = r->next_sibling;
    return r;
}

const struct wm_record *wm_model_children(const struct wm_model *m, struct wm_id id)
{
    return wm_id_is_set(id) ? child_from(m->by_parent[bucket_of(m, id)], id) : NULL;
}

const struct wm_record *wm_model_next_child(const struct wm_record *r, struct wm_id id)
{
    return child_from(r->next_sibling, id);
}

static const struct wm_record *named_from(const struct wm_model *m, const struct wm_record *r,
                                          uint8_t cluster, const char *namespace_, const char *name)
{
    while (r && !(r->cluster == cluster && strcmp(r->text, name) == 0 &&
                  strcmp(wm_model_word(m, r->namespace_), namespace_) == 0))
        r = r->next_of_kind;
    return r;
}

const struct wm_record *wm_model_find_named(const struct wm_model *m, uint8_t cluster, enum wm_kind kind,
                                            const char *namespace_, const char *name)
{
    const struct wm_record *r = named_from(m, m->of_kind[false][kind], cluster, namespace_, name);

    return r ? r : named_from(m, m->of_kind[true][kind], cluster, namespace_, name);
}

static void each(const struct wm_record *r, wm_record_fn *fn, void *ctx)
{
    for (; r; r = r->next_of_kind)
        fn(ctx, r);
}

void wm_model_each(const struct wm_model *m, enum wm_kind kind, wm_record_fn *fn, void *ctx)
{
    each(m->of_kind[false][kind], fn, ctx);
    each(m->of_kind[true][kind], fn, ctx);
}

void wm_model_each_open(const struct wm_model *m, enum wm_kind kind, wm_record_fn *fn, void *ctx)
{
    each(m->of_kind[false][kind], fn, ctx);
}

size_t wm_model_count(const struct wm_model *m, uint8_t cluster, enum wm_kind kind)
{
    return m->count[cluster][kind];
}

size_t wm_model_source_count(const struct wm_model *m, uint16_t source)
{
    return m->sources[source].n;
}

/* --- reading an object --- */

/* What of an object becomes a record. */
struct texts {
    wm_name name, namespace_, phase, node;
    char message[MESSAGE_MAX];
};

static int read_texts(const struct wm_reading *r, struct texts *t, struct wm_error *err)
{
    if (!wm_span_copy(r->at[WM_O_NAME], t->name, sizeof t->name) || r->at[WM_O_UID].kind != WM_JSON_STRING)
        return wm_fail(err, WM_E_INVALID, "/metadata", "a %s without name or uid", wm_kinds[r->kind].kind);
    wm_span_copy(r->at[WM_O_NAMESPACE], t->namespace_, sizeof t->namespace_);
    wm_span_copy(r->at[WM_AT_PHASE], t->phase, WORD_MAX + 1);
    wm_span_copy(r->at[WM_AT_NODE], t->node, sizeof t->node);
    wm_json_line(r->at[WM_AT_MESSAGE], t->message, sizeof t->message);
    return WM_OK;
}

static uint32_t time_in(struct wm_json_span s)
{
    int64_t t;

    return s.kind == WM_JSON_STRING && wm_time_parse((struct wm_str){s.text.p + 1, s.text.n - 2}, &t) &&
                   t > 0 && t < UINT32_MAX
               ? (uint32_t)t
               : 0;
}

static int64_t number_in(struct wm_json_span s)
{
    int64_t v = 0;

    if (s.kind != WM_JSON_NUMBER || s.text.n > 18)
        return -1;
    for (size_t i = 0; i < s.text.n; i++) {
        if (s.text.p[i] < '0' || s.text.p[i] > '9')
            return -1;
        v = 10 * v + (s.text.p[i] - '0');
    }
    return v;
}

static struct wm_id uid_in(struct wm_json_span s)
{
    return s.kind == WM_JSON_STRING ? wm_id_of((struct wm_str){s.text.p + 1, s.text.n - 2})
                                    : (struct wm_id){0};
}

struct wm_id wm_owner_of(const struct wm_owner *first, const char *kind)
{
    const unsigned read =
        WM_OWNER_BIT(WM_OWNER_KIND) | WM_OWNER_BIT(WM_OWNER_UID) | WM_OWNER_BIT(WM_OWNER_CONTROLLER);
    struct wm_id id = {0};

    for (struct wm_owner o = *first; o.is_there; wm_owner_next(&o)) {
        if (o.twice & read || o.at[WM_OWNER_UID].kind != WM_JSON_STRING ||
            (kind && !wm_json_span_is(o.at[WM_OWNER_KIND], kind)))
            continue;
        if (!wm_id_is_set(id) || o.at[WM_OWNER_CONTROLLER].kind == WM_JSON_TRUE)
            id = uid_in(o.at[WM_OWNER_UID]);
    }
    return id;
}

static struct wm_id label_in(struct wm_json_span labels, const char *key)
{
    return uid_in(wm_member(labels, key));
}

static struct wm_id parent_in(const struct wm_reading *r)
{
    struct wm_id id = {0};

    for (int i = 0; i < WM_PARENT_WAYS && !wm_id_is_set(id); i++) {
        const struct wm_parent_way *way = &wm_kinds[r->kind].parent[i];

        if (way->by == WM_BY_OWNER)
            id = wm_owner_of(&r->owner, way->what);
        else if (way->by == WM_BY_LABEL)
            id = label_in(r->at[WM_O_LABELS], way->what);
        else if (way->by == WM_BY_REGARDING)
            id = uid_in(r->at[WM_AT_REGARDING]);
    }
    return id;
}

static size_t text_size(const struct wm_record *r)
{
    return (size_t)r->name_n + r->message_n + r->node_n + 3;
}

static struct wm_record *draft_record(struct wm_model *m, uint16_t source, const struct wm_reading *r,
                                      const struct texts *t)
{
    const struct source *from = &m->sources[source];
    size_t name_n = strlen(t->name), message_n = strlen(t->message), node_n = strlen(t->node);
    struct wm_record *record = m->draft;

    record->id = uid_in(r->at[WM_O_UID]);
    record->done = number_in(r->at[WM_AT_DONE]);
    record->total = number_in(r->at[WM_AT_TOTAL]);
    record->created_s = time_in(r->at[WM_AT_CREATED]);
    record->started_s = time_in(r->at[WM_AT_STARTED]);
    record->completed_s = time_in(r->at[WM_AT_COMPLETED]);
    record->source = source;
    record->round = from->round;
    record->kind = from->kind;
    record->cluster = from->cluster;
    record->going = r->at[WM_AT_GOING].kind == WM_JSON_STRING;
    record->namespace_ = word_of(m, t->namespace_);
    record->phase = word_of(m, t->phase);
    record->name_n = (uint16_t)name_n;
    record->message_n = (uint16_t)message_n;
    record->node_n = (uint16_t)node_n;
    memcpy(record->text, t->name, name_n + 1);
    memcpy(record->text + name_n + 1, t->message, message_n + 1);
    memcpy(record->text + name_n + 1 + message_n + 1, t->node, node_n + 1);
    return record;
}

/* Whose it is need not be read again where neither labels nor owners changed. */
static void tie(struct wm_record *draft, const struct wm_record *old, const struct wm_reading *r)
{
    uint64_t labels = wm_str_digest(r->at[WM_O_LABELS].text, 1);

    draft->ties = (uint32_t)wm_str_digest(r->at[WM_O_OWNERS].text, labels);
    draft->relabelled = !old || old->kind != draft->kind || old->ties != draft->ties;
    draft->parent = draft->relabelled || draft->kind == WM_KIND_EVENT ? parent_in(r) : old->parent;
}

/* Nearly every object has the phase that it had. */
static void tell_whether_over(const struct wm_model *m, struct wm_record *draft, const struct wm_record *old)
{
    if (old && old->kind == draft->kind && old->phase == draft->phase)
        draft->over = old->over;
    else
        draft->over = m->conf.over && m->conf.over((enum wm_kind)draft->kind, wm_model_word(m, draft->phase));
}

/* --- changing --- */

static bool same_content(const struct wm_record *a, const struct wm_record *b)
{
    return a->kind == b->kind && wm_id_is(a->parent, b->parent) && a->done == b->done &&
           a->total == b->total && a->created_s == b->created_s && a->started_s == b->started_s &&
           a->completed_s == b->completed_s && a->going == b->going && a->namespace_ == b->namespace_ &&
           a->phase == b->phase && a->name_n == b->name_n && a->message_n == b->message_n &&
           a->node_n == b->node_n && memcmp(a->text, b->text, text_size(a)) == 0;
}

/* Either may come first, and parents are on any cluster. */
static void tell_parents(struct wm_model *m, struct wm_record *r)
{
    r->has_children = wm_model_children(m, r->id) != NULL;
    if (!wm_id_is_set(r->parent))
        return;
    for (struct wm_record *p = m->by_id[bucket_of(m, r->parent)]; p; p = p->next_by_id)
        p->has_children |= wm_id_is(p->id, r->parent);
}

static void insert(struct wm_model *m, struct wm_record *r)
{
    if (m->n >= m->n_buckets)
        grow(m);
    struct wm_record **head = &m->by_id[bucket_of(m, r->id)];

    r->next_by_id = *head;
    *head = r;
    join_parent(m, r);
    join_kind(m, r);
    tell_parents(m, r);
    m->n++;
    m->count[r->cluster][r->kind]++;
    m->sources[r->source].n++;
}

static struct wm_record *detach(struct wm_model *m, struct wm_record **link)
{
    struct wm_record *r = *link;

    *link = r->next_by_id;
    leave_parent(r);
    leave_kind(r);
    m->n--;
    m->count[r->cluster][r->kind]--;
    m->sources[r->source].n--;
    return r;
}

/* Nearly every event is about a record that stays where it is. */
static bool stays_in_place(const struct wm_record *old, const struct wm_record *r)
{
    return old && old->kind == r->kind && wm_id_is(old->parent, r->parent) && text_size(old) == text_size(r);
}

static struct wm_record *store(struct wm_model *m, struct wm_record **link, const struct wm_record *draft)
{
    static const size_t chains = offsetof(struct wm_record, id);
    size_t size = sizeof *draft + text_size(draft);
    struct wm_record *r = *link;

    if (stays_in_place(r, draft)) {
        bool has_children = r->has_children, moves = r->over != draft->over;

        if (moves)
            leave_kind(r);
        memcpy((char *)r + chains, (const char *)draft + chains, size - chains);
        r->has_children = has_children;
        if (moves)
            join_kind(m, r);
        return r;
    }
    if (r)
        free(detach(m, link));
    r = wm_xcalloc(1, size);
    memcpy(r, draft, size);
    insert(m, r);
    return r;
}

/* The draft's detail, in the place of the old one; true when it is another. */
static bool read_detail(struct wm_model *m, struct wm_record *draft, struct wm_record *old,
                        const struct wm_reading *object)
{
    const struct wm_model_conf *c = &m->conf;

    if (old && old->kind != draft->kind)
        free_detail(m, old);
    void *before = old ? old->detail : NULL;

    draft->detail = c->detail ? c->detail(c->ctx, object, before) : NULL;
    return draft->detail != before;
}

const struct wm_record *wm_model_take(struct wm_model *m, uint16_t source, const struct wm_reading *reading,
                                      struct wm_error *err)
{
    struct texts texts;

    if (read_texts(reading, &texts, err) < 0)
        return NULL;
    struct wm_record *draft = draft_record(m, source, reading, &texts),
                     **link = link_by_id(m, draft->cluster, draft->id);

    tie(draft, *link, reading);
    tell_whether_over(m, draft, *link);
    bool differs = !*link || !same_content(*link, draft);
    bool news = read_detail(m, draft, *link, reading) || differs;
    struct wm_record *r = store(m, link, draft);

    m->sources[source].differences += differs;
    if (news && m->conf.changed)
        m->conf.changed(m->conf.ctx, r, false);
    return r;
}

const struct wm_record *wm_model_put(struct wm_model *m, uint16_t source, struct wm_str object,
                                     struct wm_error *err)
{
    wm_auto_reading struct wm_reading reading = {0};

    return wm_reading_of(&reading, (enum wm_kind)m->sources[source].kind, object, err) < 0
               ? NULL
               : wm_model_take(m, source, &reading, err);
}

static void drop(struct wm_model *m, struct wm_record **link)
{
    struct wm_record *r = detach(m, link);

    if (m->conf.changed)
        m->conf.changed(m->conf.ctx, r, true);
    free_record(m, r);
}

void wm_model_remove(struct wm_model *m, uint8_t cluster, struct wm_id id)
{
    struct wm_record **link = link_by_id(m, cluster, id);

    if (*link)
        drop(m, link);
}

/* Drops what a source has brought, all of it or what its last list did not bring again. */
static size_t sweep(struct wm_model *m, uint16_t source, bool all)
{
    size_t n = m->n;

    for (size_t i = 0; i < m->n_buckets; i++)
        for (struct wm_record **link = &m->by_id[i]; *link;)
            if ((*link)->source == source && (all || (*link)->round != m->sources[source].round))
                drop(m, link);
            else
                link = &(*link)->next_by_id;
    return n - m->n;
}

uint16_t wm_model_source(struct wm_model *m, uint8_t cluster, enum wm_kind kind)
{
    uint16_t i = 1;

    while (i < WM_SOURCES_MAX && m->sources[i].used)
        i++;
    if (i == WM_SOURCES_MAX)
        return 0;
    m->sources[i] = (struct source){.used = true, .cluster = cluster, .kind = (uint8_t)kind};
    return i;
}

void wm_model_source_end(struct wm_model *m, uint16_t source)
{
    sweep(m, source, true);
    m->sources[source].used = false;
}

void wm_model_list_begin(struct wm_model *m, uint16_t source)
{
    m->sources[source].round++;
    m->sources[source].differences = 0;
}

size_t wm_model_list_end(struct wm_model *m, uint16_t source)
{
    return m->sources[source].differences + sweep(m, source, false);
}
