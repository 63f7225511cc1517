#include "golden.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

enum { MAX_FILE = 4 << 20 };

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct golden *)a)->name, ((const struct golden *)b)->name);
}

size_t golden_find(const char *folder, struct golden *cases, size_t max)
{
    DIR *d = opendir(folder);
    size_t n = 0;

    for (struct dirent *e; d && n < max && (e = readdir(d));) {
        size_t len = strlen(e->d_name);
        char path[512];

        if (len < 6 || strcmp(e->d_name + len - 5, ".json") != 0)
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        cases[n++] = (struct golden){strndup(e->d_name, len - 5), strdup(path)};
    }
    if (d)
        closedir(d);
    if (n == 0)
        fprintf(stderr, "no cases in %s: run from the top of the source tree\n", folder);
    qsort(cases, n, sizeof *cases, by_name);
    return n;
}

void golden_free(struct golden *cases, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        free(cases[i].name);
        free(cases[i].path);
    }
}

static void die(const char *path, const char *why)
{
    fprintf(stderr, "%s: %s\n", path, why);
    abort();
}

cJSON *golden_read(const struct golden *g)
{
    FILE *f = fopen(g->path, "r");
    wm_auto_free char *text = calloc(1, MAX_FILE);
    struct wm_error err = {0};
    cJSON *root = NULL;

    if (!f || fread(text, 1, MAX_FILE - 1, f) == 0)
        die(g->path, "cannot be read");
    fclose(f);
    if (wm_json_parse(wm_str_of(text), &root, &err) < 0)
        die(g->path, err.msg);
    return root;
}

static void write_text(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");

    if (!f || fprintf(f, "%s", text) < 0)
        die(path, "cannot be written");
    fclose(f);
}

void golden_write(const struct golden *g, const cJSON *root)
{
    wm_auto_free char *text = cJSON_Print(root);
    size_t n = strlen(text);
    wm_auto_free char *line = calloc(1, n + 2);

    memcpy(line, text, n);
    line[n] = '\n';
    write_text(g->path, line);
}

bool golden_updates(void)
{
    return getenv("WAYMARK_GOLDEN_UPDATE") != NULL;
}

char *golden_text(const char *path)
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

bool golden_matches(const char *path, const char *text)
{
    if (golden_updates()) {
        FILE *f = fopen(path, "w");

        return f && fputs(text, f) >= 0 && fclose(f) == 0;
    }
    wm_auto_free char *expected = golden_text(path);
    bool same = expected && strcmp(expected, text) == 0;

    if (!same)
        fprintf(stderr, "%s: got\n%s\n", path, text);
    return same;
}

void golden_write_body(const struct golden *g, const char *body)
{
    const char *dir = getenv("WAYMARK_GOLDEN_BODIES");
    char path[1024];

    if (!dir)
        return;
    snprintf(path, sizeof path, "%s/%s", dir, g->name);
    write_text(path, body);
}

void golden_reverse(cJSON *tree)
{
    cJSON *item;

    cJSON_ArrayForEach(item, tree) golden_reverse(item);
    if (!cJSON_IsObject(tree))
        return;
    cJSON *turned = cJSON_CreateObject();

    while ((item = cJSON_DetachItemFromArray(tree, cJSON_GetArraySize(tree) - 1)))
        cJSON_AddItemToArray(turned, item); /* keeps the key */
    tree->child = turned->child;
    turned->child = NULL;
    cJSON_Delete(turned);
}

/* --- the review --- */

static void add_copy(cJSON *to, const char *key, const cJSON *value)
{
    if (value)
        cJSON_AddItemToObject(to, key, cJSON_Duplicate(value, true));
}

static void add_kind(cJSON *request, const cJSON *object)
{
    const char *api = wm_json_str(object, "/apiVersion"), *slash = api ? strchr(api, '/') : NULL;
    char group[256] = "";
    cJSON *kind = cJSON_AddObjectToObject(request, "kind");

    if (slash)
        snprintf(group, sizeof group, "%.*s", (int)(slash - api), api);
    cJSON_AddStringToObject(kind, "group", group);
    cJSON_AddStringToObject(kind, "kind", wm_json_str(object, "/kind"));
}

char *review_of(const cJSON *root, const cJSON *object, const char *version)
{
    cJSON *review = cJSON_CreateObject();
    const char *op = wm_json_str(root, "/operation"), *ns = wm_json_str(root, "/namespace");
    char full[64];

    op = op ? op : "CREATE";
    snprintf(full, sizeof full, "admission.k8s.io/%s", version);
    cJSON_AddStringToObject(review, "kind", "AdmissionReview");
    cJSON_AddStringToObject(review, "apiVersion", full);
    cJSON *request = cJSON_AddObjectToObject(review, "request");

    cJSON_AddStringToObject(request, "uid", "705ab4f5-6393-11e8-b7cc-42010a800002");
    add_kind(request, object);
    cJSON_AddStringToObject(request, "operation", op);
    ns = ns ? ns : wm_json_str(object, "/metadata/namespace");
    cJSON_AddStringToObject(request, "namespace", ns ? ns : "openshift-migration");
    add_copy(request, "subResource", wm_json_at(root, "/subResource"));
    add_copy(request, "dryRun", wm_json_at(root, "/dryRun"));
    cJSON *who = cJSON_AddObjectToObject(request, "userInfo");

    add_copy(who, "username", wm_json_at(root, "/user"));
    add_copy(who, "groups", wm_json_at(root, "/groups"));
    add_copy(request, strcmp(op, "DELETE") == 0 ? "oldObject" : "object", object);
    add_copy(request, "oldObject", wm_json_at(root, "/oldObject"));
    char *text = cJSON_PrintUnformatted(review);

    cJSON_Delete(review);
    return text;
}

char *golden_replaced(const char *text, const char *from, const char *to)
{
    wm_auto_buf struct wm_buf b = WM_BUF_MAX(1 << 20);

    for (const char *at; (at = strstr(text, from)); text = at + strlen(from)) {
        wm_buf_add(&b, text, (size_t)(at - text));
        wm_buf_puts(&b, to);
    }
    wm_buf_puts(&b, text);
    return wm_buf_take(&b);
}

void golden_shuffle(void *items, size_t n, size_t size, uint64_t *seed)
{
    char *item = items;
    wm_auto_free char *kept = calloc(1, size);

    for (size_t i = n; i > 1; i--) {
        *seed = *seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
        size_t j = (size_t)(*seed >> 33) % i;

        memcpy(kept, item + j * size, size);
        memmove(item + j * size, item + (i - 1) * size, size);
        memcpy(item + (i - 1) * size, kept, size);
    }
}
