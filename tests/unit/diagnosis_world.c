#include "diagnosis_world.h"

#include <stdio.h>

#include "tests/support/golden.h"
#include "unit.h"
#include "waymark/time.h"
#include "waymark/yaml.h"

enum { PATH_MAX_N = 512 };
static const char *const cluster_names[] = {"host", "source", "target"};
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
    assert_true(w->n < DIAGNOSIS_OBJECTS_MAX);
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
    wm_auto_free char *text = golden_text(path);

    if (!text)
        return;
    if (wm_yaml_open(wm_str_of(text), path, DIAGNOSIS_FILE_MAX, &reader, &err) < 0)
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

struct world *diagnosis_world_read(const char *folder, const cJSON *root)
{
    struct world *w = calloc(1, sizeof *w);
    const char *base = wm_json_str(root, "/base"), *still = wm_json_str(root, "/still-since");
    char path[PATH_MAX_N];

    snprintf(path, sizeof path, "%s/%s", DIAGNOSIS_FOLDER, base ? base : "base");
    for (uint8_t i = 0; i < DIAGNOSIS_CLUSTERS; i++) {
        w->clusters[i].name = cluster_names[i];
        read_sight(root, &w->clusters[i]);
        read_cluster(w, i, path);
        read_cluster(w, i, folder);
    }
    w->migration = wm_json_str(root, "/migration");
    w->is_cluster_wide = cJSON_IsTrue(wm_json_at(root, "/cluster-wide"));
    w->still_since_s = time_of(still);
    w->world = (struct wm_world){.clusters = w->clusters,
                                 .n_clusters = DIAGNOSIS_CLUSTERS,
                                 .now_s = time_of(wm_json_str(root, "/now")),
                                 .pod_volume_timeout_s = 3600};
    return w;
}

void diagnosis_world_free(struct world *w)
{
    for (size_t i = 0; i < w->n; i++)
        free(w->objects[i].json);
    free(w);
}
