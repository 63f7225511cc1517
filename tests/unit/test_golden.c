/* Runs tests/golden/admission/<case>.json; see tests/golden/README.md. */
#include <dirent.h>
#include <stdio.h>

#include "tests/support/second_pass.h"
#include "unit.h"
#include "waymark/review.h"

#define FOLDER "tests/golden/admission"
enum { MAX_CASES = 300, MAX_FILE = 4 << 20 };

struct golden {
    char *name, *path;
};

static char *read_file(const char *path)
{
    FILE *f = fopen(path, "r");
    char *text = calloc(1, MAX_FILE);

    assert_non_null(f);
    assert_true(fread(text, 1, MAX_FILE - 1, f) > 0);
    fclose(f);
    return text;
}

/* --- the cluster of a case --- */

static enum wm_parent_kind kind_of(const char *kind)
{
    for (int k = 1; k < WM_PARENT_COUNT; k++)
        if (kind && strcmp(kind, wm_parent_resources[k].kind) == 0)
            return (enum wm_parent_kind)k;
    return WM_PARENT_NONE;
}

static enum wm_found find_in_case(void *ctx, const struct wm_ref *ref, struct wm_parent *ret)
{
    const cJSON *root = ctx, *o;

    cJSON_ArrayForEach(o, cJSON_GetObjectItemCaseSensitive(root, "cluster"))
    {
        char *text = cJSON_PrintUnformatted(o);
        struct wm_parent p;

        if (kind_of(wm_json_str(o, "/kind")) != ref->kind) {
            free(text);
            continue;
        }
        assert_int_equal(wm_parent_project(&wm_label_conf_default, ref->kind, wm_str_of(text), &p, NULL),
                         WM_OK);
        free(text);
        if (strcmp(p.uid, ref->uid) == 0 && (!ref->name[0] || strcmp(p.name, ref->name) == 0) &&
            (!ref->namespace_[0] || strcmp(p.namespace_, ref->namespace_) == 0)) {
            *ret = p;
            return WM_FOUND;
        }
    }
    return wm_json_bool(root, "/unsynced") ? WM_FOUND_MISS : WM_FOUND_NOT;
}

/* --- asking --- */

static char *review_of(const cJSON *root, const cJSON *object, const char *version)
{
    cJSON *review = cJSON_CreateObject(), *request = cJSON_CreateObject(), *kind = cJSON_CreateObject();
    const char *api = wm_json_str(object, "/apiVersion"), *slash = api ? strchr(api, '/') : NULL;
    const char *op = wm_json_str(root, "/operation"), *ns = wm_json_str(root, "/namespace");
    char *text, group[256] = "", full[64];

    if (slash)
        snprintf(group, sizeof group, "%.*s", (int)(slash - api), api);
    snprintf(full, sizeof full, "admission.k8s.io/%s", version);
    cJSON_AddStringToObject(review, "kind", "AdmissionReview");
    cJSON_AddStringToObject(review, "apiVersion", full);
    cJSON_AddItemToObject(review, "request", request);
    cJSON_AddStringToObject(request, "uid", "705ab4f5-6393-11e8-b7cc-42010a800002");
    cJSON_AddItemToObject(request, "kind", kind);
    cJSON_AddStringToObject(kind, "group", group);
    cJSON_AddStringToObject(kind, "kind", wm_json_str(object, "/kind"));
    cJSON_AddStringToObject(request, "operation", op ? op : "CREATE");
    ns = ns ? ns : wm_json_str(object, "/metadata/namespace");
    cJSON_AddStringToObject(request, "namespace", ns ? ns : "openshift-migration");
    if (wm_json_str(root, "/subResource"))
        cJSON_AddStringToObject(request, "subResource", wm_json_str(root, "/subResource"));
    if (wm_json_bool(root, "/dryRun"))
        cJSON_AddTrueToObject(request, "dryRun");
    bool gone = op && strcmp(op, "DELETE") == 0;

    cJSON_AddItemToObject(request, gone ? "oldObject" : "object", cJSON_Duplicate(object, true));
    text = cJSON_PrintUnformatted(review);
    cJSON_Delete(review);
    return text;
}

/* The answer's patch as a tree, [] when there is none; everything that must hold of any answer is checked. */
static cJSON *ask(const cJSON *root, const cJSON *object, const char *version, struct wm_mutation *m,
                  bool *ret_warned)
{
    wm_auto_free char *body = review_of(root, object, version);
    void *ctx = (void *)(uintptr_t)root;
    struct wm_review r;
    struct wm_error err = {0};
    wm_auto_buf struct wm_buf out = WM_BUF_MAX(1 << 20);
    cJSON *patch = NULL;

    if (wm_review_read(wm_str_of(body), &r, &err) < 0 ||
        wm_review_mutate(&r, &wm_label_conf_default, find_in_case, ctx, &out, m, &err) < 0)
        fail_msg("%s: %s", err.where, err.msg);
    const char *fault = second_pass_fault(wm_str_of(body), wm_buf_text(&out), find_in_case, ctx, &patch);

    if (fault)
        fail_msg("%s", fault);
    *ret_warned = strstr(out.p, "\"warnings\":") != NULL;
    return patch;
}

/* Reviews of all cases as files: seeds for the fuzzer. */
static void write_body(const struct golden *g, const cJSON *root, const cJSON *object)
{
    const char *dir = getenv("WAYMARK_GOLDEN_BODIES");
    char path[1024];

    if (!dir)
        return;
    wm_auto_free char *body = review_of(root, object, "v1");

    snprintf(path, sizeof path, "%s/%s", dir, g->name);
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    fputs(body, f);
    fclose(f);
}

static void rewrite(const struct golden *g, cJSON *root, cJSON *patch, const struct wm_mutation *m,
                    bool warned)
{
    cJSON *expect = cJSON_CreateObject();
    FILE *f = fopen(g->path, "w");

    assert_non_null(f);
    cJSON_AddStringToObject(expect, "outcome", wm_outcome_name(m->derivation.outcome));
    cJSON_AddItemToObject(expect, "patch", cJSON_Duplicate(patch, true));
    if (warned)
        cJSON_AddTrueToObject(expect, "warnings");
    cJSON_DeleteItemFromObjectCaseSensitive(root, "expect");
    cJSON_AddItemToObject(root, "expect", expect);
    char *text = cJSON_Print(root);

    fprintf(f, "%s\n", text);
    fclose(f);
    free(text);
}

static void check_case(void **state)
{
    static const char *const versions[] = {"v1", "v1beta1"};
    const struct golden *g = *state;
    char *text = read_file(g->path);
    wm_auto_json cJSON *root = NULL;
    struct wm_error err = {0};

    if (wm_json_parse(wm_str_of(text), &root, &err) < 0)
        fail_msg("%s: %s", g->path, err.msg);
    free(text);
    const cJSON *object = cJSON_GetObjectItemCaseSensitive(root, "object");

    write_body(g, root, object);
    for (size_t i = 0; i < 2; i++) {
        struct wm_mutation m;
        bool warned;
        wm_auto_json cJSON *patch = ask(root, object, versions[i], &m, &warned);

        if (getenv("WAYMARK_GOLDEN_UPDATE"))
            rewrite(g, root, patch, &m, warned);
        assert_string_equal(wm_outcome_name(m.derivation.outcome), wm_json_str(root, "/expect/outcome"));
        if (!cJSON_Compare(patch, wm_json_at(root, "/expect/patch"), true)) {
            char *got = cJSON_Print(patch);

            print_error("got patch %s\n", got);
            free(got);
            fail();
        }
        assert_int_equal(warned, wm_json_bool(root, "/expect/warnings"));
    }
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

    if (!d)
        return 0;
    for (struct dirent *e; n < MAX_CASES && (e = readdir(d));) {
        size_t len = strlen(e->d_name);
        char path[512];

        if (len < 6 || strcmp(e->d_name + len - 5, ".json") != 0)
            continue;
        snprintf(path, sizeof path, FOLDER "/%s", e->d_name);
        cases[n++] = (struct golden){strndup(e->d_name, len - 5), strdup(path)};
    }
    closedir(d);
    qsort(cases, n, sizeof *cases, by_name);
    return n;
}

int main(void)
{
    static struct golden cases[MAX_CASES];
    size_t n = find_cases(cases);

    if (n == 0) {
        fprintf(stderr, "no cases in %s: run from the top of the source tree\n", FOLDER);
        return 1;
    }
    int failed = run_rows("golden admission", cases, n, sizeof cases[0], check_case);

    for (size_t i = 0; i < n; i++) {
        free(cases[i].name);
        free(cases[i].path);
    }
    return failed;
}
