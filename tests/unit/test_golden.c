/* Runs tests/golden/admission/<case>.json; see tests/golden/README.md. */
#include "tests/support/golden.h"
#include "tests/support/second_pass.h"
#include "unit.h"
#include "waymark/review.h"

#define FOLDER "tests/golden/admission"
enum { MAX_CASES = 300 };

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

static void rewrite(const struct golden *g, cJSON *root, cJSON *patch, const struct wm_mutation *m,
                    bool warned)
{
    cJSON *expect = cJSON_CreateObject();

    cJSON_AddStringToObject(expect, "outcome", wm_outcome_name(m->derivation.outcome));
    cJSON_AddItemToObject(expect, "patch", cJSON_Duplicate(patch, true));
    if (warned)
        cJSON_AddTrueToObject(expect, "warnings");
    cJSON_DeleteItemFromObjectCaseSensitive(root, "expect");
    cJSON_AddItemToObject(root, "expect", expect);
    golden_write(g, root);
}

static void check_case(void **state)
{
    static const char *const versions[] = {"v1", "v1beta1"};
    const struct golden *g = *state;
    wm_auto_json cJSON *root = golden_read(g);
    const cJSON *object = cJSON_GetObjectItemCaseSensitive(root, "object");
    wm_auto_free char *body = review_of(root, object, "v1");

    golden_write_body(g, body);
    for (size_t i = 0; i < 2; i++) {
        struct wm_mutation m;
        bool warned;
        wm_auto_json cJSON *patch = ask(root, object, versions[i], &m, &warned);

        if (golden_updates())
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

int main(void)
{
    static struct golden cases[MAX_CASES];
    size_t n = golden_find(FOLDER, cases, MAX_CASES);

    if (n == 0)
        return 1;
    int failed = run_rows("golden admission", cases, n, sizeof cases[0], check_case);

    golden_free(cases, n);
    return failed;
}
