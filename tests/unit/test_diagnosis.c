/* Runs tests/golden/diagnosis/<case>/: objects of several clusters in, findings out; see
 * tests/golden/README.md. */
#include <dirent.h>
#include <stdio.h>

#include "tests/support/golden.h"
#include "tests/support/model_put.h"
#include "unit.h"
#include "waymark/cause.h"
#include "waymark/time.h"
#include "waymark/yaml.h"

#define FOLDER "tests/golden/diagnosis"
enum {
    MAX_CASES = 400,
    MAX_CAUSES = 400,
    MAX_OBJECTS = 2000,
    MAX_FILE = 4 << 20,
    ROUNDS = 3,
    PATH_MAX_N = 512
};

static const char *const cluster_names[] = {"host", "source", "target"};
enum { N_CLUSTERS = 3 };

struct object {
    uint8_t cluster;
    enum wm_kind kind;
    wm_name namespace_, name;
    char *json;
};

struct world {
    struct object objects[MAX_OBJECTS];
    size_t n;
    struct wm_cluster_view clusters[N_CLUSTERS];
    struct wm_world world;
    const char *migration;
    int64_t still_since_s;
    int64_t again_s; /* of the last diagnosis */
};

/* --- files --- */

static char *read_text(const char *path)
{
    wm_auto_buf struct wm_buf text = WM_BUF_MAX(MAX_FILE);
    FILE *f = fopen(path, "r");
    char piece[65536];

    if (!f)
        return NULL;
    for (size_t n; (n = fread(piece, 1, sizeof piece, f)) > 0;)
        wm_buf_add(&text, piece, n);
    fclose(f);
    return wm_buf_take(&text);
}

static int64_t time_of(const char *text)
{
    int64_t s = 0;

    if (text && !wm_time_parse(wm_str_of(text), &s))
        fail_msg("%s is no time", text);
    return s;
}

/* --- objects --- */

static enum wm_kind kind_of(const char *kind)
{
    for (int k = 1; kind && k < WM_KIND_COUNT; k++)
        if (strcmp(wm_kinds[k].kind, kind) == 0)
            return (enum wm_kind)k;
    fail_msg("%s is no kind that is followed", kind ? kind : "(none)");
    return WM_KIND_NONE;
}

/* The uid of "Restore/x": the same in every case, so that objects can refer to each other by "@Restore/x". */
static void print_uid(const char *what, char out[static 37])
{
    uint64_t h = wm_str_digest(wm_str_of(what), 1);

    snprintf(out, 37, "%08x-%04x-4000-8000-%012llx", (unsigned)(h >> 32), (unsigned)(h & 0xffff),
             (unsigned long long)(h >> 16));
}

static void resolve(cJSON *node)
{
    char uid[37];

    if (cJSON_IsString(node) && node->valuestring[0] == '@') {
        print_uid(node->valuestring + 1, uid);
        cJSON_SetValuestring(node, uid);
    }
    for (cJSON *child = node->child; child; child = child->next)
        resolve(child);
}

static void default_string(cJSON *to, const char *key, const char *value)
{
    if (!cJSON_GetObjectItemCaseSensitive(to, key))
        cJSON_AddStringToObject(to, key, value);
}

/* What every object of an API server has, where the case leaves it out. */
static void complete(cJSON *o)
{
    cJSON *metadata = cJSON_GetObjectItemCaseSensitive(o, "metadata");
    char what[512], uid[37];

    snprintf(what, sizeof what, "%s/%s", wm_json_str(o, "/kind"), wm_json_str(o, "/metadata/name"));
    print_uid(what, uid);
    default_string(metadata, "uid", uid);
    default_string(metadata, "creationTimestamp", "2026-11-21T18:00:00Z");
    default_string(metadata, "resourceVersion", "1");
    resolve(o);
}

static struct object *place_for(struct world *w, const struct object *like)
{
    for (size_t i = 0; i < w->n; i++) {
        struct object *o = &w->objects[i];

        if (o->cluster == like->cluster && o->kind == like->kind && strcmp(o->name, like->name) == 0 &&
            strcmp(o->namespace_, like->namespace_) == 0) {
            free(o->json);
            return o;
        }
    }
    assert_true(w->n < MAX_OBJECTS);
    return &w->objects[w->n++];
}

static void add_object(struct world *w, uint8_t cluster, const cJSON *node)
{
    wm_auto_json cJSON *o = wm_yaml_copy(node);
    struct object new = {.cluster = cluster, .kind = kind_of(wm_json_str(o, "/kind"))};
    const char *namespace_ = wm_json_str(o, "/metadata/namespace");

    complete(o);
    snprintf(new.namespace_, sizeof new.namespace_, "%s", namespace_ ? namespace_ : "");
    snprintf(new.name, sizeof new.name, "%s", wm_json_str(o, "/metadata/name"));
    new.json = cJSON_PrintUnformatted(o);
    *place_for(w, &new) = new;
}

static void read_cluster(struct world *w, uint8_t cluster, const char *folder)
{
    char path[PATH_MAX_N];
    struct wm_error err = {0};
    wm_auto_yaml_reader struct wm_yaml_reader *reader = NULL;

    snprintf(path, sizeof path, "%s/%s.yaml", folder, cluster_names[cluster]);
    wm_auto_free char *text = read_text(path);

    if (!text)
        return;
    if (wm_yaml_open(wm_str_of(text), path, MAX_FILE, &reader, &err) < 0)
        fail_msg("%s", err.msg);
    for (;;) {
        wm_auto_yaml struct wm_yaml *y = NULL;
        int rc = wm_yaml_next(reader, &y, &err);

        if (rc < 0)
            fail_msg("%s: %s", err.where, err.msg);
        if (rc == 0)
            return;
        if (!cJSON_IsNull(wm_yaml_root(y)))
            add_object(w, cluster, wm_yaml_root(y));
    }
}

static void read_sight(const cJSON *root, struct wm_cluster_view *v)
{
    const cJSON *sight = cJSON_GetObjectItemCaseSensitive(wm_json_at(root, "/sights"), v->name);
    const char *name = wm_json_str(sight, "/sight"), *why = wm_json_str(sight, "/why");

    v->sight = WM_SIGHT_GOOD;
    for (int s = 0; name && s <= WM_SIGHT_PARTIAL; s++)
        if (strcmp(wm_sight_name((enum wm_cluster_sight)s), name) == 0)
            v->sight = (enum wm_cluster_sight)s;
    v->why = why ? why : "";
    v->since_s = time_of(wm_json_str(sight, "/since"));
}

static struct world *read_world(const char *folder, const cJSON *root)
{
    struct world *w = calloc(1, sizeof *w);
    const char *base = wm_json_str(root, "/base"), *still = wm_json_str(root, "/still-since");
    char path[PATH_MAX_N];

    snprintf(path, sizeof path, "%s/%s", FOLDER, base ? base : "base");
    for (uint8_t i = 0; i < N_CLUSTERS; i++) {
        w->clusters[i].name = cluster_names[i];
        read_sight(root, &w->clusters[i]);
        read_cluster(w, i, path);
        read_cluster(w, i, folder);
    }
    w->migration = wm_json_str(root, "/migration");
    w->still_since_s = time_of(still);
    w->world = (struct wm_world){.clusters = w->clusters,
                                 .n_clusters = N_CLUSTERS,
                                 .now_s = time_of(wm_json_str(root, "/now")),
                                 .pod_volume_timeout_s = 3600};
    return w;
}

static void free_world(struct world *w)
{
    for (size_t i = 0; i < w->n; i++)
        free(w->objects[i].json);
    free(w);
}

/* --- which causes the cases find --- */

static struct {
    const struct wm_cause *list[MAX_CAUSES];
    size_t n;
} found;

static bool is_found(const struct wm_cause *cause)
{
    for (size_t i = 0; i < found.n; i++)
        if (found.list[i] == cause)
            return true;
    return false;
}

static void remember(const struct wm_cause *cause)
{
    if (is_found(cause))
        return;
    assert_true(found.n < MAX_CAUSES);
    found.list[found.n++] = cause;
}

/* --- a diagnosis as text --- */

static void put_finding(const struct wm_diagnosis *d, const struct wm_finding *f, struct wm_buf *out)
{
    char line[WM_MESSAGE_MAX], time[WM_TIME_SIZE] = "-";

    remember(f->cause);
    wm_finding_say(d, f, line, sizeof line);
    assert_null(strpbrk(line, "[]\n\t"));
    if (f->since_s)
        wm_time_print(f->since_s, time);
    wm_buf_printf(out, "\n%s (%s, %s) since %s\n", f->cause->id, wm_weight_name(f->cause->weight),
                  wm_confidence_name(f->cause->confidence), time);
    if (f->explained_by >= 0)
        wm_buf_printf(out, "  because of: %s\n", d->findings[f->explained_by].cause->id);
    wm_buf_puts(out, "  through:");
    for (int i = f->suspect; i != WM_NO_SUSPECT; i = d->look->suspects[i].via) {
        const struct wm_record *r = d->look->suspects[i].record;

        wm_buf_printf(out, " %s %s/%s%s", wm_kinds[r->kind].kind, d->look->w->clusters[r->cluster].name,
                      wm_record_name(r), d->look->suspects[i].via == WM_NO_SUSPECT ? "" : ",");
    }
    wm_buf_printf(out, "\n  %s\n", line);
    wm_auto_buf struct wm_buf remedy = WM_BUF_MAX(1 << 16);

    wm_finding_remedy(d, f, true, &remedy);
    for (const char *p = wm_buf_text(&remedy).p, *end; p && *p; p = *end ? end + 1 : end) {
        end = p + strcspn(p, "\n");
        wm_buf_printf(out, "  > %.*s\n", (int)(end - p), p);
    }
}

static void put_diagnosis(const struct wm_diagnosis *d, struct wm_buf *out)
{
    struct wm_said said;
    char time[WM_TIME_SIZE] = "-";

    if (d->since_s)
        wm_time_print(d->since_s, time);
    wm_buf_printf(out, "%s since %s\n", wm_pace_name(d->pace), time);
    wm_diagnosis_say(d, &said);
    assert_null(strpbrk(said.message, "[]\n\t"));
    assert_in_range(strlen(said.message), 0, WM_MESSAGE_MAX - 2); /* or it was cut */
    if (said.wanted && !strstr(said.message, "cluster ") && !strstr(said.message, "--context "))
        fail_msg("it does not say on which cluster: %s", said.message);
    if (said.wanted)
        wm_buf_printf(out, "MigrationStalled=%s %s\n  %s\n", said.status ? "True" : "False", said.reason,
                      said.message);
    for (size_t i = 0; i < d->n; i++)
        put_finding(d, &d->findings[i], out);
}

/* --- judging --- */

struct wanted {
    const char *name;
    const struct wm_record *found;
};

static void find_migration(void *ctx, const struct wm_record *r)
{
    struct wanted *wanted = ctx;

    if (!wanted->name || strcmp(wm_record_name(r), wanted->name) == 0)
        wanted->found = r;
}

/* The ids of the causes, first those that explain the others, go into `ids`. */
static char *judge(struct world *w, const struct object *objects, size_t n, const char *ids[WM_FINDINGS_MAX],
                   size_t *n_ids)
{
    static struct wm_situation situation;
    static struct wm_look look;
    static struct wm_diagnosis d;
    struct wm_model *m =
        wm_model_new(&(struct wm_model_conf){.detail = wm_detail_of, .detail_done = wm_detail_done});
    struct model_sources sources = {0};
    struct wanted wanted = {w->migration, NULL};
    struct wm_thresholds thresholds;
    struct wm_pulse pulse = {0};
    wm_auto_buf struct wm_buf text = WM_BUF_MAX(1 << 20);

    for (size_t i = 0; i < n; i++)
        model_put(&sources, m, objects[i].cluster, objects[i].kind, objects[i].json);
    wm_model_each(m, WM_KIND_MIGMIGRATION, find_migration, &wanted);
    assert_non_null(wanted.found);
    w->world.model = m;
    wm_thresholds_default(&thresholds);
    wm_situation_of(&w->world, wanted.found, &situation);
    wm_pulse_feel(&pulse, &w->world, &situation);
    wm_look_around(&w->world, &situation, &thresholds, &look);
    look.still_since_s = w->still_since_s ? w->still_since_s : pulse.changed_s;
    wm_diagnose(&look, &d);
    put_diagnosis(&d, &text);
    w->again_s = d.again_s;
    *n_ids = d.n;
    for (size_t i = 0; i < d.n; i++)
        ids[i] = d.findings[i].cause->id;
    wm_model_free(m);
    return wm_buf_take(&text);
}

/* --- cases --- */

static void expect_causes(const cJSON *root, const char *const ids[], size_t n)
{
    const cJSON *expected = wm_json_at(root, "/causes");

    if (cJSON_GetArraySize(expected) == 0 && n > 0)
        fail_msg("found %s where nothing is wrong", ids[0]);
    for (int i = 0; i < cJSON_GetArraySize(expected); i++) {
        const char *id = cJSON_GetArrayItem(expected, i)->valuestring;

        if ((size_t)i >= n || strcmp(id, ids[i]) != 0)
            fail_msg("expected %s as number %d, found %s", id, i + 1, (size_t)i < n ? ids[i] : "nothing");
    }
}

static void shuffle(struct object *objects, size_t n, uint64_t *seed)
{
    for (size_t i = n; i > 1; i--) {
        *seed = *seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
        size_t j = (size_t)(*seed >> 33) % i;
        struct object o = objects[j];

        objects[j] = objects[i - 1];
        objects[i - 1] = o;
    }
}

static void order_does_not_matter(struct world *w, const char *expected)
{
    const char *ids[WM_FINDINGS_MAX];
    uint64_t seed = 1;
    size_t n;

    for (int round = 0; round < ROUNDS; round++) {
        shuffle(w->objects, w->n, &seed);
        wm_auto_free char *text = judge(w, w->objects, w->n, ids, &n);

        assert_string_equal(text, expected);
    }
}

/* Who is not asked again before `again_s` must not miss anything. */
static void time_alone_changes_nothing_before(struct world *w, int64_t again_s, const char *expected)
{
    enum { A_DAY = 86400 };
    const char *ids[WM_FINDINGS_MAX];
    int64_t now_s = w->world.now_s;
    size_t n;

    if (again_s)
        assert_true(again_s > now_s);
    w->world.now_s = again_s ? again_s - 1 : now_s + A_DAY;
    wm_auto_free char *text = judge(w, w->objects, w->n, ids, &n);

    assert_string_equal(text, expected);
    w->world.now_s = now_s;
}

static void expect_text(const char *path, const char *text)
{
    wm_auto_free char *expected = read_text(path);

    if (golden_updates()) {
        FILE *f = fopen(path, "w");

        assert_non_null(f);
        fputs(text, f);
        fclose(f);
        return;
    }
    if (!expected || strcmp(expected, text) != 0) {
        print_error("%s: got\n%s\n", path, text);
        fail();
    }
}

static void check_case(void **state)
{
    const struct golden *g = *state;
    char path[PATH_MAX_N];
    const char *ids[WM_FINDINGS_MAX];
    wm_auto_yaml struct wm_yaml *y = NULL;
    struct wm_error err = {0};
    size_t n;

    snprintf(path, sizeof path, "%s/case.yaml", g->path);
    wm_auto_free char *about = read_text(path);

    assert_non_null(about);
    if (wm_yaml_parse(wm_str_of(about), path, MAX_FILE, &y, &err) < 0)
        fail_msg("%s: %s", err.where, err.msg);
    struct world *w = read_world(g->path, wm_yaml_root(y));
    wm_auto_free char *text = judge(w, w->objects, w->n, ids, &n);

    snprintf(path, sizeof path, "%s/expected.txt", g->path);
    expect_text(path, text);
    expect_causes(wm_yaml_root(y), ids, n);
    time_alone_changes_nothing_before(w, w->again_s, text);
    order_does_not_matter(w, text);
    free_world(w);
}

/* --- the table --- */

static bool is_camel_case(const char *id)
{
    size_t n = strlen(id);

    return n > 0 && n <= 63 && id[0] >= 'A' && id[0] <= 'Z' &&
           strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789") == n;
}

static void check_row(void *ctx, const struct wm_cause *c)
{
    /* What was found for want of a cause is from nowhere. */
    bool is_makeshift = c->depth == 0;

    (void)ctx;
    if (!is_camel_case(c->id))
        fail_msg("%s cannot be a condition's reason", c->id);
    if (wm_cause_find(c->id) != c)
        fail_msg("%s is there twice", c->id);
    if (!c->test || !c->roles || c->depth < 0 || c->depth > 9)
        fail_msg("%s can never be found", c->id);
    if (!c->title || !c->title[0] || !c->says || !c->says[0] || !c->remedy || !c->remedy[0])
        fail_msg("%s has no words", c->id);
    if (!c->source || (!c->source[0] && !is_makeshift))
        fail_msg("nobody knows where %s is from", c->id);
    if (strpbrk(c->title, "[]\n") || strpbrk(c->says, "[]\n"))
        fail_msg("%s does not say what it is in one line without square brackets", c->id);
}

static void rows_are_whole(void **state)
{
    (void)state;
    wm_causes_each(check_row, NULL);
}

static void expect_found(void *ctx, const struct wm_cause *c)
{
    size_t *n = ctx;

    if (is_found(c))
        return;
    print_error("no case finds %s\n", c->id);
    ++*n;
}

static void every_row_has_a_case(void **state)
{
    size_t n = 0;

    (void)state;
    wm_causes_each(expect_found, &n);
    assert_int_equal(n, 0);
}

/* --- the folder --- */

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct golden *)a)->name, ((const struct golden *)b)->name);
}

static size_t find_cases(struct golden *cases)
{
    DIR *d = opendir(FOLDER);
    size_t n = 0;
    char path[PATH_MAX_N];

    for (struct dirent *e; d && n < MAX_CASES && (e = readdir(d));) {
        snprintf(path, sizeof path, "%s/%s/case.yaml", FOLDER, e->d_name);
        wm_auto_free char *text = e->d_name[0] == '.' ? NULL : read_text(path);

        if (!text)
            continue;
        path[strlen(path) - strlen("/case.yaml")] = '\0';
        cases[n++] = (struct golden){strdup(e->d_name), strdup(path)};
    }
    if (d)
        closedir(d);
    qsort(cases, n, sizeof *cases, by_name);
    return n;
}

int main(void)
{
    static struct golden cases[MAX_CASES];
    size_t n = find_cases(cases);
    int failed = n == 0 || run_rows("diagnosis", cases, n, sizeof *cases, check_case);
    const struct CMUnitTest table[] = {
        cmocka_unit_test(rows_are_whole), cmocka_unit_test(every_row_has_a_case), /* after all cases */
    };

    failed += cmocka_run_group_tests_name("table of causes", table, NULL, NULL);
    golden_free(cases, n);
    return failed;
}
