#include "review_context.h"

#include <stdlib.h>

enum { TEXT_MAX = 256 << 20, LISTS_KEPT = 8 };

/* --- what is known, sorted --- */

static int by_place(const struct wm_known *a, const struct wm_known *b)
{
    int order = (int)a->resource - (int)b->resource;

    if (order == 0)
        order = strcmp(a->namespace_, b->namespace_);
    return order ? order : strcmp(a->name, b->name);
}

/* Of one object given twice the reviewed one comes first: it will replace the other. */
static int by_place_and_origin(const void *a, const void *b)
{
    const struct wm_known *x = a, *y = b;
    int order = by_place(x, y);

    return order ? order : (int)x->from_context - (int)y->from_context;
}

static enum wm_resource resource_of(const struct wm_input_object *o)
{
    const char *slash = strchr(o->api_version, '/');
    struct wm_str group = {o->api_version, slash ? (size_t)(slash - o->api_version) : 0};
    int r = 0;

    while (r < WM_RESOURCE_COUNT &&
           (strcmp(o->kind, wm_resources[r].kind) != 0 || !wm_str_is(group, wm_resources[r].group)))
        r++;
    return (enum wm_resource)r;
}

/* Objects whose name the API server will make up are nobody's reference, and would be their own rivals. */
static void add_known(struct wm_context *c, const struct wm_input *in, bool from_context)
{
    for (size_t i = 0; i < in->n; i++) {
        const struct wm_input_object *o = &in->list[i];
        enum wm_resource r = resource_of(o);

        if (r < WM_RESOURCE_COUNT && o->name[0] && !o->generated)
            c->list[c->n++] = (struct wm_known){r, wm_resources[r].cluster_scoped ? "" : o->namespace_,
                                                o->name, o->object, from_context};
    }
}

/* Drops what is there already; that --context has the kind in that namespace is remembered. */
static void drop_repeated(struct wm_context *c)
{
    size_t kept = 0;

    for (size_t i = 0; i < c->n; i++) {
        if (kept > 0 && by_place(&c->list[kept - 1], &c->list[i]) == 0)
            c->list[kept - 1].from_context |= c->list[i].from_context;
        else
            c->list[kept++] = c->list[i];
    }
    c->n = kept;
}

/* The first that is not before `wanted`. */
static size_t lower_bound(const struct wm_context *c, const struct wm_known *wanted)
{
    size_t low = 0, high = c->n;

    while (low < high) {
        size_t mid = low + (high - low) / 2;

        if (by_place(&c->list[mid], wanted) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

/* The first of a kind in a namespace; all of them follow.  No name sorts before "". */
static size_t first_of(const struct wm_context *c, const struct wm_query *q)
{
    return lower_bound(c,
                       &(struct wm_known){.resource = q->resource, .namespace_ = q->namespace_, .name = ""});
}

static bool is_of(const struct wm_known *k, const struct wm_query *q)
{
    return k->resource == q->resource && strcmp(k->namespace_, q->namespace_) == 0;
}

/* --- labels' parents --- */

static enum wm_parent_kind parent_kind_of(const struct wm_input_object *o)
{
    const char *slash = strchr(o->api_version, '/');
    struct wm_str group = {o->api_version, slash ? (size_t)(slash - o->api_version) : 0};

    for (int k = 1; k < WM_PARENT_COUNT; k++)
        if (strcmp(o->kind, wm_parent_resources[k].kind) == 0 &&
            wm_str_is(group, wm_parent_resources[k].group))
            return (enum wm_parent_kind)k;
    return WM_PARENT_NONE;
}

/* As a cluster has it: there every object says its namespace, and rules compare it. */
static char *print(const cJSON *object, const char *namespace_)
{
    wm_auto_json cJSON *copy = wm_yaml_copy(object);
    cJSON *metadata = wm_json_at(copy, "/metadata");

    if (cJSON_IsObject(metadata) && namespace_[0] && !wm_json_at(metadata, "/namespace"))
        cJSON_AddStringToObject(metadata, "namespace", namespace_);
    return cJSON_PrintUnformatted(copy);
}

/* Parents are known by their uid, which only objects from a cluster have. */
static void add_parents(struct wm_context *c, const struct wm_input *in, const struct wm_label_conf *conf)
{
    for (size_t i = 0; i < in->n; i++) {
        enum wm_parent_kind kind = parent_kind_of(&in->list[i]);
        wm_auto_free char *text = kind ? print(in->list[i].object, in->list[i].namespace_) : NULL;
        struct wm_parent p;

        if (text && wm_parent_project(conf, kind, wm_str_of(text), &p, NULL) == WM_OK)
            wm_store_put(c->parents, &p, true);
    }
}

enum wm_found wm_context_find(void *ctx, const struct wm_ref *ref, struct wm_parent *ret)
{
    const struct wm_context *c = ctx;

    return wm_store_find(c->parents, ref, ret);
}

void wm_context_init(struct wm_context *c, const struct wm_input *reviewed, const struct wm_input *others,
                     const struct wm_label_conf *conf)
{
    *c = (struct wm_context){.parents = wm_store_new(), .has_context = others->n > 0};
    c->list = wm_xcalloc(reviewed->n + others->n + 1, sizeof *c->list);
    add_known(c, reviewed, false);
    add_known(c, others, true);
    qsort(c->list, c->n, sizeof *c->list, by_place_and_origin);
    drop_repeated(c);
    add_parents(c, others, conf);
    add_parents(c, reviewed, conf);
}

void wm_context_done(struct wm_context *c)
{
    wm_facts_done(&c->facts);
    wm_store_free(c->parents);
    free(c->list);
    *c = (struct wm_context){0};
}

/* --- facts --- */

static bool is_list(const struct wm_fact *f)
{
    return f->query.name[0] == '\0';
}

/* Whether --context is believed to have all of the kind in the namespace. */
static bool is_complete(const struct wm_context *c, const struct wm_query *q)
{
    for (size_t i = c->has_context ? first_of(c, q) : c->n; i < c->n && is_of(&c->list[i], q); i++)
        if (c->list[i].from_context)
            return true;
    return false;
}

static void answer_with(struct wm_context *c, size_t i, struct wm_buf *text)
{
    size_t n = text->n;
    bool whole = wm_buf_check(text, NULL) == WM_OK;

    if (whole)
        wm_facts_answer(&c->facts, i, WM_FACT_FOUND, wm_buf_take(text), n);
    else
        wm_facts_answer(&c->facts, i, WM_FACT_UNKNOWN, NULL, 0);
}

static void add_json(struct wm_buf *out, const struct wm_known *k)
{
    wm_auto_free char *text = print(k->object, k->namespace_);

    wm_buf_puts(out, text ? text : "null");
}

static void answer_list(struct wm_context *c, size_t fact)
{
    const struct wm_query *q = &c->facts.list[fact].query;
    wm_auto_buf struct wm_buf text = WM_BUF_MAX(TEXT_MAX);
    size_t first = first_of(c, q), i = first;

    wm_buf_puts(&text, "{\"items\":[");
    for (; i < c->n && is_of(&c->list[i], q); i++) {
        wm_buf_puts(&text, i > first ? "," : "");
        add_json(&text, &c->list[i]);
    }
    wm_buf_puts(&text, "]}");
    if (i > first)
        answer_with(c, fact, &text);
    else
        wm_facts_answer(&c->facts, fact, WM_FACT_UNKNOWN, NULL, 0);
}

static void answer_one(struct wm_context *c, size_t fact)
{
    const struct wm_query *q = &c->facts.list[fact].query;
    struct wm_known wanted = {.resource = q->resource, .namespace_ = q->namespace_, .name = q->name};
    wm_auto_buf struct wm_buf text = WM_BUF_MAX(TEXT_MAX);
    size_t i = lower_bound(c, &wanted);

    if (i < c->n && by_place(&c->list[i], &wanted) == 0) {
        add_json(&text, &c->list[i]);
        answer_with(c, fact, &text);
    } else {
        wm_facts_answer(&c->facts, fact, is_complete(c, q) ? WM_FACT_ABSENT : WM_FACT_UNKNOWN, NULL, 0);
    }
}

void wm_context_answer(struct wm_context *c)
{
    for (size_t i = 0; i < c->facts.n; i++) {
        if (c->facts.list[i].state != WM_FACT_WANTED)
            continue;
        if (is_list(&c->facts.list[i]))
            answer_list(c, i);
        else
            answer_one(c, i);
    }
}

/* Keeps the lists for the next object, unless they are so many that questions would lack room. */
static void forget(struct wm_facts *f)
{
    size_t kept = 0;

    for (size_t i = 0; i < f->n; i++) {
        if (is_list(&f->list[i]) && kept < LISTS_KEPT) {
            f->list[kept++] = f->list[i];
        } else {
            wm_json_index_done(&f->list[i].index);
            free(f->list[i].text);
        }
    }
    f->n = kept;
}

/* Hides the lists that may lack items, or shows them again; true when there is one. */
static bool show_partial_lists(struct wm_context *c, bool shown)
{
    bool any = false;

    for (size_t i = 0; i < c->facts.n; i++) {
        struct wm_fact *f = &c->facts.list[i];

        if (is_list(f) && f->text && !is_complete(c, &f->query)) {
            f->state = shown ? WM_FACT_FOUND : WM_FACT_UNKNOWN;
            any = true;
        }
    }
    return any;
}

/* Which rules could not be decided without the lists that may lack items. */
static void add_undecided(struct wm_context *c, const struct wm_subject *s, const struct wm_policy *policy,
                          struct wm_verdict *v)
{
    struct wm_verdict hidden = {0};

    if (show_partial_lists(c, false)) {
        wm_validate(s, policy, &c->facts, &hidden);
        for (size_t i = 0; i < WM_RULE_MASK_WORDS; i++)
            v->unknown[i] |= hidden.unknown[i];
        wm_verdict_done(&hidden);
        show_partial_lists(c, true);
    }
    for (size_t i = 0; i < v->n; i++) { /* what was found is decided */
        size_t rule = 0;

        while (wm_rule_at(rule, NULL) != v->list[i].rule)
            rule++;
        v->unknown[rule / 64] &= ~(UINT64_C(1) << rule % 64);
    }
}

void wm_context_validate(struct wm_context *c, const struct wm_subject *s, const struct wm_policy *policy,
                         struct wm_verdict *ret)
{
    wm_validate(s, policy, &c->facts, ret);
    while (ret->wants_facts) {
        wm_context_answer(c);
        wm_validate(s, policy, &c->facts, ret);
    }
    add_undecided(c, s, policy, ret);
    forget(&c->facts);
}
