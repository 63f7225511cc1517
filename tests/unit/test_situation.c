/* Runs tests/golden/situation/<case>.json; see tests/golden/README.md. */
#include <stdio.h>

#include "tests/support/golden.h"
#include "tests/support/model_put.h"
#include "unit.h"
#include "waymark/situation.h"
#include "waymark/time.h"

#define FOLDER "tests/golden/situation"
enum { MAX_CASES = 200, MAX_OBJECTS = 2000, MAX_LINES = 40, ROUNDS = 6 };

/* --- a case as a world --- */

struct object {
    uint8_t cluster;
    enum wm_kind kind;
    char *json;
};

struct world {
    struct object objects[MAX_OBJECTS];
    size_t n;
    struct wm_cluster_view clusters[WM_CLUSTERS_MAX];
    struct wm_world world;
    const char *migration, *namespace_;
};

static int64_t time_at(const cJSON *root, const char *pointer)
{
    const char *text = wm_json_str(root, pointer);
    int64_t s = 0;

    if (text && !wm_time_parse(wm_str_of(text), &s))
        fail_msg("%s is no time", text);
    return s;
}

static enum wm_kind kind_of(const cJSON *object)
{
    const char *kind = wm_json_str(object, "/kind");

    for (int k = 1; kind && k < WM_KIND_COUNT; k++)
        if (strcmp(wm_kinds[k].kind, kind) == 0)
            return (enum wm_kind)k;
    fail_msg("%s is no kind that is followed", kind ? kind : "(none)");
    return WM_KIND_NONE;
}

static enum wm_cluster_sight sight_of(const char *name)
{
    for (int s = 0; name && s <= WM_SIGHT_PARTIAL; s++)
        if (strcmp(wm_sight_name((enum wm_cluster_sight)s), name) == 0)
            return (enum wm_cluster_sight)s;
    return WM_SIGHT_GOOD;
}

/* "#" in the texts of an object with "times" becomes 001, 002, ... */
static char *numbered(const char *json, int n)
{
    wm_auto_buf struct wm_buf b = WM_BUF_MAX(1 << 20);

    for (const char *p = json; *p; p++)
        if (*p == '#')
            wm_buf_printf(&b, "%03d", n);
        else
            wm_buf_add(&b, p, 1);
    return wm_buf_take(&b);
}

static void add_object(struct world *w, uint8_t cluster, const cJSON *object)
{
    wm_auto_free char *json = cJSON_PrintUnformatted(object);
    int64_t times = wm_json_i64(object, "/times", 1);

    for (int i = 1; i <= times; i++) {
        assert_true(w->n < MAX_OBJECTS);
        w->objects[w->n++] = (struct object){cluster, kind_of(object), numbered(json, i)};
    }
}

static void read_sight(const cJSON *root, struct wm_cluster_view *v)
{
    const cJSON *sight = cJSON_GetObjectItemCaseSensitive(wm_json_at(root, "/sights"), v->name);
    const char *why = wm_json_str(sight, "/why");

    v->sight = sight ? sight_of(wm_json_str(sight, "/sight")) : WM_SIGHT_GOOD;
    v->why = why ? why : "";
    v->since_s = sight ? time_at(sight, "/since") : 0;
}

static struct world *world_of(const cJSON *root)
{
    struct world *w = calloc(1, sizeof *w);
    const cJSON *cluster, *object;
    uint8_t i = 0;

    cJSON_ArrayForEach(cluster, wm_json_at(root, "/clusters"))
    {
        w->clusters[i].name = cluster->string;
        read_sight(root, &w->clusters[i]);
        cJSON_ArrayForEach(object, cluster) add_object(w, i, object);
        i++;
    }
    w->migration = wm_json_str(root, "/migration");
    w->namespace_ = wm_json_str(root, "/namespace");
    if (!w->namespace_)
        w->namespace_ = "openshift-migration";
    w->world = (struct wm_world){NULL, w->clusters, i, time_at(root, "/now"), 3600};
    return w;
}

static void free_world(struct world *w)
{
    for (size_t i = 0; i < w->n; i++)
        free(w->objects[i].json);
    free(w);
}

/* --- a situation as JSON --- */

static const char *text_of(char *out, size_t size, const struct wm_world *w, const struct wm_record *r)
{
    snprintf(out, size, "%s %s/%s on %s", wm_kinds[r->kind].kind, wm_model_word(w->model, r->namespace_),
             wm_record_name(r), w->clusters[r->cluster].name);
    return out;
}

static void put_tree(cJSON *to, const struct wm_world *w, const struct wm_situation *s)
{
    cJSON *list = cJSON_AddArrayToObject(to, "tree");
    char object[1024], line[2048], counts[64];

    for (size_t i = 0; i < s->n_twigs && i < MAX_LINES; i++) {
        const struct wm_twig *t = &s->tree[i];
        const char *phase = wm_model_word(w->model, t->record->phase);

        counts[0] = '\0';
        if (t->record->total >= 0)
            snprintf(counts, sizeof counts, " %lld/%lld", (long long)t->record->done,
                     (long long)t->record->total);
        snprintf(line, sizeof line, "%*s%s: %s%s%s", 2 * t->depth, "",
                 text_of(object, sizeof object, w, t->record), phase[0] ? phase : "-", counts,
                 t->copy ? " (copy)" : "");
        cJSON_AddItemToArray(list, cJSON_CreateString(line));
    }
    if (s->n_twigs <= MAX_LINES)
        return;
    snprintf(line, sizeof line, "(%zu more, and %zu beyond the tree)", s->n_twigs - MAX_LINES,
             s->n_twigs_more);
    cJSON_AddItemToArray(list, cJSON_CreateString(line));
}

static void put_progress(cJSON *to, const struct wm_situation *s)
{
    cJSON *o = cJSON_AddObjectToObject(to, "counted");
    char text[128];

    for (int k = 0; k < WM_KIND_COUNT; k++) {
        const struct wm_progress *p = &s->progress[k];

        if (!p->objects)
            continue;
        snprintf(text, sizeof text, "%d of %d ended, %d faulty, %lld of %lld done", p->ended, p->objects,
                 p->faulty, (long long)p->done, (long long)p->total);
        cJSON_AddStringToObject(o, wm_kinds[k].kind, text);
    }
}

static void put_said(cJSON *to, const char *key, const struct wm_said *said)
{
    cJSON *o = said->wanted ? cJSON_AddObjectToObject(to, key) : NULL;

    if (!o)
        return;
    cJSON_AddBoolToObject(o, "status", said->status);
    cJSON_AddStringToObject(o, "reason", said->reason);
    cJSON_AddStringToObject(o, "message", said->message);
}

static void put_record(cJSON *to, const char *key, const struct wm_world *w, const struct wm_record *r)
{
    char text[1024];

    if (r)
        cJSON_AddStringToObject(to, key, text_of(text, sizeof text, w, r));
}

static void check_said(const char *text, size_t size)
{
    assert_true(strlen(text) < size);
    assert_null(strpbrk(text, "[]\n\t"));
}

static cJSON *json_of(const struct wm_world *w, const struct wm_situation *s)
{
    cJSON *o = cJSON_CreateObject();
    struct wm_said said[WM_SAID_COUNT];
    char verdict[WM_VERDICT_MAX];

    wm_situation_say(w, s, said);
    wm_situation_verdict(w, s, verdict);
    check_said(said[WM_SAID_PROGRESS].message, WM_MESSAGE_MAX);
    check_said(said[WM_SAID_OUTCOME].message, WM_MESSAGE_MAX);
    check_said(verdict, WM_VERDICT_MAX);
    put_said(o, "progress", &said[WM_SAID_PROGRESS]);
    put_said(o, "outcome", &said[WM_SAID_OUTCOME]);
    cJSON_AddStringToObject(o, "verdict", verdict);
    put_record(o, "awaited", w, s->awaited);
    if (s->ends_s) {
        char ends[WM_TIME_SIZE];

        wm_time_print(s->ends_s, ends);
        cJSON_AddStringToObject(o, "ends", ends);
    }
    put_record(o, "culprit", w, s->culprit);
    put_tree(o, w, s);
    put_progress(o, s);
    return o;
}

/* --- judging --- */

/* Of the model under test; zeroed with each. */
static struct model_sources sources;

static void put_object(struct wm_model *m, const struct object *o)
{
    assert_non_null(model_put(&sources, m, o->cluster, o->kind, o->json));
}

struct wanted {
    const char *name, *namespace_;
    const struct wm_record *found;
};

static void find_migration(void *ctx, const struct wm_record *r)
{
    struct wanted *wanted = ctx;
    bool own = strcmp(wm_migration_of(r)->namespace_, wanted->namespace_) == 0;

    if (own && (!wanted->name || strcmp(wm_record_name(r), wanted->name) == 0))
        wanted->found = r;
}

static cJSON *judge(struct world *w, const struct object *objects, size_t n)
{
    struct wm_model *m = wm_model_new(
        &(struct wm_model_conf){.detail = wm_detail_of, .detail_done = wm_detail_done, .over = wm_is_over});

    memset(&sources, 0, sizeof sources);
    struct wanted wanted = {w->migration, w->namespace_, NULL};
    static struct wm_situation s;

    for (size_t i = 0; i < n; i++)
        put_object(m, &objects[i]);
    wm_model_each(m, WM_KIND_MIGMIGRATION, find_migration, &wanted);
    wm_model_each(m, WM_KIND_VMMIGRATION, find_migration, &wanted);
    assert_non_null(wanted.found);
    w->world.model = m;
    wm_situation_of(&w->world, wanted.found, &s);
    cJSON *result = json_of(&w->world, &s);

    wm_model_free(m);
    return result;
}

/* --- cases --- */

static void expect(const cJSON *root, const cJSON *result, const char *what)
{
    if (cJSON_Compare(result, wm_json_at(root, "/expect"), true))
        return;
    char *got = cJSON_Print(result);

    print_error("%s: got %s\n", what, got);
    free(got);
    fail();
}

/* The same objects of somebody else: other uids and another namespace, but the same names. */
static struct object stranger(const struct world *w, const struct object *o)
{
    wm_auto_free char *moved = golden_replaced(o->json, w->namespace_, "somewhere-else");

    return (struct object){o->cluster, o->kind, golden_replaced(moved, "0a1b2c3d-", "ffffffff-")};
}

static void neither_order_nor_strangers_matter(const cJSON *root, struct world *w)
{
    struct object *all = calloc(2 * w->n, sizeof *all);
    uint64_t seed = 1;

    for (size_t i = 0; i < w->n; i++) {
        all[2 * i] = (struct object){w->objects[i].cluster, w->objects[i].kind, strdup(w->objects[i].json)};
        all[2 * i + 1] = stranger(w, &w->objects[i]);
    }
    for (int round = 0; round < ROUNDS; round++) {
        golden_shuffle(all, 2 * w->n, sizeof *all, &seed);
        wm_auto_json cJSON *same = judge(w, all, 2 * w->n);

        expect(root, same, "in another order, with strangers");
    }
    for (size_t i = 0; i < 2 * w->n; i++)
        free(all[i].json);
    free(all);
}

static void check_case(void **state)
{
    const struct golden *g = *state;
    wm_auto_json cJSON *root = golden_read(g);
    struct world *w = world_of(root);
    wm_auto_json cJSON *result = judge(w, w->objects, w->n);

    if (golden_updates()) {
        cJSON_DeleteItemFromObjectCaseSensitive(root, "expect");
        cJSON_AddItemToObject(root, "expect", cJSON_Duplicate(result, true));
        golden_write(g, root);
    }
    expect(root, result, "as given");
    neither_order_nor_strangers_matter(root, w);
    free_world(w);
}

/* --- what files cannot hold --- */

static void records_without_details_tell_nothing(void **state)
{
    static const char json[] = "{\"metadata\":{\"name\":\"m\",\"uid\":\"u\"},\"status\":7}";
    struct wm_model *m = wm_model_new(&(struct wm_model_conf){0});
    struct wm_world w = {.model = m};
    static struct wm_situation s;
    struct wm_said said[WM_SAID_COUNT];

    (void)state;
    memset(&sources, 0, sizeof sources);
    assert_non_null(model_put(&sources, m, 0, WM_KIND_MIGMIGRATION, json));
    const struct wm_record *r = wm_model_find(m, 0, wm_id_of(wm_str_of("u")));

    assert_string_equal(wm_migration_of(r)->phase, "");
    assert_false(wm_dvm_of(r)->failed);
    wm_situation_of(&w, r, &s);
    wm_situation_say(&w, &s, said);
    assert_string_equal(said[WM_SAID_PROGRESS].reason, "NotStarted");
    assert_false(said[WM_SAID_OUTCOME].wanted);
    wm_model_free(m);
}

/* Anybody may write labels and owners: a ring of objects must not keep us. */
static void a_ring_of_owners_ends(void **state)
{
    static const char migration[] = "{\"metadata\":{\"name\":\"m\",\"uid\":\"a\",\"ownerReferences\":[{"
                                    "\"kind\":\"MigPlan\",\"uid\":\"c\"}]}}";
    static const char dvm[] =
        "{\"metadata\":{\"name\":\"d\",\"uid\":\"b\",\"labels\":{\"migmigration\":\"a\"}}}";
    static const char dvmp[] =
        "{\"metadata\":{\"name\":\"p\",\"uid\":\"c\",\"labels\":{\"directvolumemigration\":\"b\"}}}";
    static const char pod[] =
        "{\"metadata\":{\"name\":\"q\",\"uid\":\"b\",\"labels\":{\"migmigration\":\"b\"}}}";
    struct wm_model *m = wm_model_new(&(struct wm_model_conf){0});
    struct wm_world w = {.model = m};
    static struct wm_situation s;

    (void)state;
    memset(&sources, 0, sizeof sources);
    model_put(&sources, m, 0, WM_KIND_MIGMIGRATION, migration);
    model_put(&sources, m, 0, WM_KIND_DVM, dvm);
    model_put(&sources, m, 0, WM_KIND_DVMP, dvmp);
    model_put(&sources, m, 1, WM_KIND_POD, pod);
    wm_situation_of(&w, wm_model_find(m, 0, wm_id_of(wm_str_of("a"))), &s);
    assert_int_equal(s.n_twigs, 3);
    wm_model_free(m);
}

int main(void)
{
    static struct golden cases[MAX_CASES];
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_without_details_tell_nothing),
        cmocka_unit_test(a_ring_of_owners_ends),
    };
    size_t n = golden_find(FOLDER, cases, MAX_CASES);

    if (n == 0)
        return 1;
    int failed = run_rows("golden situation", cases, n, sizeof cases[0], check_case);

    failed += cmocka_run_group_tests_name("situation", tests, NULL, NULL);
    golden_free(cases, n);
    return failed;
}
