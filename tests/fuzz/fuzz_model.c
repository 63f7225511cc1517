/* Objects of all kinds, of any shape, into a model with details: every migration can be judged, and what is
 * said of it is fit to be written down, whatever the order in which the objects came. */
#include "fuzz.h"

#include <string.h>

#include "tests/support/model_put.h"
#include "tests/support/trees.h"
#include "waymark/report.h"

enum { OBJECTS_MAX = 64, CLUSTERS = 3, OUT_MAX = 8 << 20, NOW_S = 1795290208 };

struct object {
    uint8_t cluster;
    enum wm_kind kind;
    char *json, *uid;
};

struct objects {
    struct object list[OBJECTS_MAX];
    size_t n;
};

/* --- the input: {"clusters": {"name": [object, ...], ...}}, as in tests/golden/situation --- */

static enum wm_kind kind_of(const cJSON *object)
{
    const char *kind = wm_json_str(object, "/kind");

    for (int k = 1; kind && k < WM_KIND_COUNT; k++)
        if (strcmp(wm_kinds[k].kind, kind) == 0)
            return (enum wm_kind)k;
    return WM_KIND_NONE;
}

static bool has_uid(const struct objects *all, const char *uid)
{
    for (size_t i = 0; i < all->n; i++)
        if (strcmp(all->list[i].uid, uid) == 0)
            return true;
    return false;
}

/* Uids are distinct: of two objects that share one, the later counts, and that depends on the order. */
static void add(struct objects *all, uint8_t cluster, const cJSON *object)
{
    const char *uid = wm_json_str(object, "/metadata/uid");
    enum wm_kind kind = kind_of(object);

    if (!uid || !kind || all->n == OBJECTS_MAX || has_uid(all, uid))
        return;
    all->list[all->n++] = (struct object){cluster, kind, cJSON_PrintUnformatted(object), wm_xstrdup(uid)};
}

static void read_objects(const cJSON *root, struct objects *ret)
{
    const cJSON *cluster, *object;
    uint8_t i = 0;

    cJSON_ArrayForEach(cluster, wm_json_at(root, "/clusters"))
    {
        cJSON_ArrayForEach(object, cluster) add(ret, i, object);
        i = (uint8_t)((i + 1) % CLUSTERS);
    }
}

static void free_objects(struct objects *all)
{
    for (size_t i = 0; i < all->n; i++) {
        free(all->list[i].json);
        free(all->list[i].uid);
    }
}

/* --- what is said of a migration --- */

struct telling {
    struct wm_world world;
    struct wm_buf *out;
    struct wm_id id;
};

static void check_said(const struct wm_said *said)
{
    if (!said->wanted)
        return;
    MUST(!strpbrk(said->message, "[]"), "no square brackets in a message");
    MUST(strlen(said->message) < WM_MESSAGE_MAX, "a message is within its limit");
    MUST(said->message[0] && said->reason[0], "what is said has a reason and a message");
}

static void put_report(const struct telling *t, const struct wm_situation *s, const char *verdict)
{
    struct wm_history *h = wm_xcalloc(1, sizeof *h);
    wm_auto_buf struct wm_buf report = WM_BUF_MAX(OUT_MAX);
    wm_auto_json cJSON *tree = NULL;

    wm_history_update(h, &t->world, s, verdict);
    wm_report_object(s, &report);
    MUST(report.n > 2 && report.p[report.n - 1] == '}', "a report is an object");
    report.n--;
    wm_buf_puts(&report, ",\"status\":");
    size_t from = report.n;

    wm_report_status(&t->world, s, h, NULL, &report);
    MUST(report.n - from <= WM_REPORT_MAX, "a status is within its limit");
    wm_buf_puts(&report, "}");
    MUST(wm_json_parse(wm_buf_text(&report), &tree, NULL) == WM_OK, "a report is JSON");
    wm_buf_add(t->out, report.p, report.n);
    free(h);
}

static void tell(void *ctx, const struct wm_record *r)
{
    static struct wm_situation s;
    static struct wm_said said[WM_SAID_COUNT];
    struct telling *t = ctx;
    char verdict[WM_VERDICT_MAX];

    if (!wm_id_is(r->id, t->id))
        return;
    wm_situation_of(&t->world, r, &s);
    wm_situation_say(&t->world, &s, said);
    wm_situation_verdict(&t->world, &s, verdict);
    MUST(verdict[0] && strlen(verdict) < WM_VERDICT_MAX, "there is a verdict, within its limit");
    for (int i = 0; i < WM_SAID_COUNT; i++) {
        check_said(&said[i]);
        wm_buf_printf(t->out, "%d %s %s\n", said[i].wanted, said[i].wanted ? said[i].reason : "",
                      said[i].wanted ? said[i].message : "");
    }
    wm_buf_printf(t->out, "%s\n", verdict);
    put_report(t, &s, verdict);
}

/* Puts the objects in an order that `turn` chooses, and says of each migration what there is to say. */
static char *say_all(const struct objects *all, size_t turn)
{
    static const struct wm_cluster_view views[CLUSTERS] = {
        {"host", WM_SIGHT_GOOD, "", NOW_S - 7200},
        {"source", WM_SIGHT_GOOD, "", NOW_S - 7100},
        {"target", WM_SIGHT_PARTIAL, "pods [x]", NOW_S - 99}};
    struct wm_model_conf conf = {.detail = wm_detail_of, .detail_done = wm_detail_done, .over = wm_is_over};
    struct wm_model *m = wm_model_new(&conf);
    struct model_sources sources = {0};
    wm_auto_buf struct wm_buf out = WM_BUF_MAX(64 << 20);
    struct telling t = {{m, views, CLUSTERS, NOW_S, 3600}, &out, {0, 0}};

    for (size_t i = 0; i < all->n; i++) {
        const struct object *o = &all->list[turn == 1 ? all->n - 1 - i : (i + turn) % all->n];

        model_put(&sources, m, o->cluster, o->kind, o->json);
    }
    for (size_t i = 0; i < all->n; i++)
        if (all->list[i].kind == WM_KIND_MIGMIGRATION) {
            t.id = wm_id_of(wm_str_of(all->list[i].uid));
            wm_model_each(m, WM_KIND_MIGMIGRATION, tell, &t);
        }
    wm_model_free(m);
    wm_buf_puts(&out, "");
    return wm_buf_take(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    wm_auto_json cJSON *root = NULL;
    struct objects all = {.n = 0};

    if (wm_json_parse((struct wm_str){(const char *)data, size}, &root, NULL) < 0 || tree_has_doubles(root))
        return 0;
    read_objects(root, &all);
    wm_auto_free char *first = all.n ? say_all(&all, 0) : NULL;

    for (size_t turn = 1; turn < 4 && turn < all.n; turn++) {
        wm_auto_free char *other = say_all(&all, turn);

        if (first && other && strcmp(first, other) != 0) {
            fprintf(stderr, "--- in one order:\n%s\n--- in another:\n%s\n", first, other);
            MUST(false, "the order of objects does not matter");
        }
    }
    free_objects(&all);
    return 0;
}
