#include "review_object.h"

#include <stdlib.h>

#include "review_field.h"
#include "waymark/base64.h"
#include "waymark/patch.h"

enum { ANSWER_MAX = 64 << 10, BODY_MAX = 256 << 20 };

const struct wm_rule wm_label_rule_unsafe_name = {
    "labels/unsafe-name",
    WM_ON_CREATE | WM_ON_UPDATE,
    false,
    WM_MODE_WARN,
    WM_CAUSE_INVALID,
    "",
    "",
    "A name of a plan, project, migration or provider with characters that labels do not allow cannot be "
    "written on objects.",
    "use a name of letters, digits, '-', '_' and '.'",
};

/* --- the request --- */

/* What an API server would send for the creation of `o`. */
static cJSON *creation_of(const struct wm_input_object *o, cJSON *object)
{
    cJSON *review = cJSON_CreateObject(), *request, *kind;
    const char *slash = strchr(o->api_version, '/');
    wm_auto_free char *group =
        wm_xstrndup((struct wm_str){o->api_version, slash ? (size_t)(slash - o->api_version) : 0});

    cJSON_AddStringToObject(review, "kind", "AdmissionReview");
    cJSON_AddStringToObject(review, "apiVersion", "admission.k8s.io/v1");
    request = cJSON_AddObjectToObject(review, "request");
    cJSON_AddStringToObject(request, "uid", "00000000-0000-0000-0000-000000000000");
    kind = cJSON_AddObjectToObject(request, "kind");
    cJSON_AddStringToObject(kind, "group", group);
    cJSON_AddStringToObject(kind, "version", slash ? slash + 1 : o->api_version);
    cJSON_AddStringToObject(kind, "kind", o->kind);
    cJSON_AddStringToObject(request, "operation", "CREATE");
    cJSON_AddStringToObject(request, "namespace", o->namespace_);
    if (!o->generated)
        cJSON_AddStringToObject(request, "name", o->name);
    cJSON_AddItemToObject(request, "object", object);
    return review;
}

/* Items of a typed list do not say what they are. */
static void say_what_it_is(cJSON *object, const char *key, const char *value)
{
    if (!cJSON_GetObjectItemCaseSensitive(object, key))
        cJSON_AddStringToObject(object, key, value);
}

static cJSON *request_of(const struct wm_input_object *o)
{
    cJSON *copy = wm_yaml_copy(o->review ? o->review : o->object);

    if (o->review || !copy)
        return copy;
    say_what_it_is(copy, "apiVersion", o->api_version);
    say_what_it_is(copy, "kind", o->kind);
    return creation_of(o, copy);
}

/* --- mutation --- */

/* The answer's patch; NULL when it has none. */
static cJSON *patch_in(struct wm_str answer)
{
    wm_auto_json cJSON *tree = NULL;
    cJSON *patch = NULL;
    const char *b64 =
        wm_json_parse(answer, &tree, NULL) == WM_OK ? wm_json_str(tree, "/response/patch") : NULL;

    if (!b64)
        return NULL;
    wm_auto_buf struct wm_buf text = WM_BUF_MAX(ANSWER_MAX);

    if (wm_base64_decode(wm_str_of(b64), &text, NULL) == WM_OK)
        wm_json_parse(wm_buf_text(&text), &patch, NULL);
    return patch;
}

static int apply(cJSON *review, const cJSON *patch, struct wm_error *err)
{
    cJSON *request = cJSON_GetObjectItemCaseSensitive(review, "request");
    cJSON *object = cJSON_DetachItemFromObjectCaseSensitive(request, "object");
    int rc = wm_patch_apply(&object, patch, err);

    cJSON_AddItemToObject(request, "object", object);
    return rc;
}

static int mutate(const struct wm_reviewer *r, struct wm_reviewed *o, struct wm_buf *body,
                  enum wm_outcome *ret_outcome, struct wm_error *err)
{
    wm_auto_buf struct wm_buf answer = WM_BUF_MAX(ANSWER_MAX);
    struct wm_mutation m;
    struct wm_review review;
    int rc = wm_json_print(o->review, body, err);

    if (rc < 0 || (rc = wm_review_read(wm_buf_text(body), &review, err)) < 0 ||
        (rc = wm_review_mutate(&review, r->labels, wm_context_find, r->context, &answer, &m, err)) < 0)
        return rc;
    o->has_rules = review.rule != NULL;
    *ret_outcome = m.derivation.outcome;
    wm_auto_json cJSON *patch = patch_in(wm_buf_text(&answer));

    if (!patch)
        return WM_OK;
    if ((rc = apply(o->review, patch, err)) < 0)
        return rc;
    wm_buf_clear(body);
    return wm_json_print(o->review, body, err);
}

/* --- validation --- */

static void add_label_finding(struct wm_verdict *v)
{
    struct wm_finding *list = wm_xcalloc(v->n + 1, sizeof *list), *f = &list[v->n];

    if (v->n)
        memcpy(list, v->list, v->n * sizeof *list);
    *f = (struct wm_finding){
        .rule = &wm_label_rule_unsafe_name,
        .mode = WM_MODE_WARN,
        .field = "metadata",
        .why = "the name of its plan, project, migration or provider cannot be a label value, so that no "
               "label has it",
    };
    free(v->list);
    v->list = list;
    v->n++;
    v->n_of[WM_MODE_WARN]++;
}

static int validate(const struct wm_reviewer *r, struct wm_reviewed *o, struct wm_str body,
                    struct wm_error *err)
{
    struct wm_admission a = {0};
    int rc = wm_admission_read(body, &a, err);

    if (rc == WM_OK) {
        a.subject.now_s = r->now_s;
        o->has_rules |= a.subject.kind != WM_SUBJECT_NONE;
        wm_context_validate(r->context, &a.subject, r->policy, &o->verdict);
    }
    wm_admission_done(&a);
    return rc;
}

int wm_reviewer_run(const struct wm_reviewer *r, const struct wm_input_object *o, struct wm_reviewed *ret,
                    struct wm_error *err)
{
    wm_auto_buf struct wm_buf body = WM_BUF_MAX(BODY_MAX);
    struct wm_reviewed made = {.of = o, .review = request_of(o)};
    enum wm_outcome outcome = WM_NOT_OURS;
    int rc = made.review ? mutate(r, &made, &body, &outcome, err)
                         : wm_fail(err, WM_E_NOMEM, NULL, "out of memory for an object");

    if (rc < 0 || (rc = validate(r, &made, wm_buf_text(&body), err)) < 0) {
        wm_reviewed_done(&made);
        return rc;
    }
    if (outcome == WM_UNSAFE_NAME)
        add_label_finding(&made.verdict);
    made.stored = wm_json_at(made.review, "/request/object");
    *ret = made;
    return WM_OK;
}

void wm_reviewed_done(struct wm_reviewed *r)
{
    cJSON_Delete(r->review);
    wm_verdict_done(&r->verdict);
    *r = (struct wm_reviewed){0};
}

unsigned wm_reviewed_line(const struct wm_reviewed *r, const struct wm_finding *f)
{
    return wm_yaml_line(r->of->yaml, wm_field_nearest(r->of->object, f->field));
}
