#include "review_impl.h"

#include <openssl/evp.h>

enum { PATCH_MAX = 16 << 10, EXACT_UID_MAX = 256 };

static const char *const operations[WM_OP_COUNT] = {"CREATE", "UPDATE", "DELETE", "CONNECT"};

/* A uid is answered as it came; one that is no string or absurdly long is treated as none. */
static struct wm_json_span usable_uid(struct wm_json_span s)
{
    if (s.kind == WM_JSON_STRING && s.text.n <= EXACT_UID_MAX)
        return s;
    return (struct wm_json_span){0};
}

static int check_envelope(const struct wm_json_span *s, bool *ret_beta, struct wm_error *err)
{
    bool beta = wm_json_span_is(s[WM_R_API_VERSION], "admission.k8s.io/v1beta1");

    if (!beta && !wm_json_span_is(s[WM_R_API_VERSION], "admission.k8s.io/v1"))
        return wm_fail(err, WM_E_INVALID, "/apiVersion",
                       "apiVersion must be admission.k8s.io/v1 or admission.k8s.io/v1beta1, not " WM_STR_FMT,
                       s[WM_R_API_VERSION].text.p
                           ? (int)(s[WM_R_API_VERSION].text.n < 64 ? s[WM_R_API_VERSION].text.n : 64)
                           : 7,
                       s[WM_R_API_VERSION].text.p ? s[WM_R_API_VERSION].text.p : "missing");
    if (!wm_json_span_is(s[WM_R_KIND], "AdmissionReview"))
        return wm_fail(err, WM_E_INVALID, "/kind", "kind must be AdmissionReview");
    if (s[WM_R_REQUEST].kind != WM_JSON_OBJECT)
        return wm_fail(err, WM_E_INVALID, "/request", "request is missing");
    *ret_beta = beta;
    return WM_OK;
}

static int check_request(const struct wm_json_span *s, struct wm_review *r, struct wm_error *err)
{
    size_t op = 0;

    if (r->uid.kind != WM_JSON_STRING)
        return wm_fail(err, WM_E_INVALID, "/request/uid", "request.uid is missing");
    if (s[WM_R_GROUP].kind != WM_JSON_STRING && s[WM_R_GROUP].kind != WM_JSON_ABSENT)
        return wm_fail(err, WM_E_INVALID, "/request/kind/group", "request.kind.group must be a string");
    if (s[WM_R_OBJECT_KIND].kind != WM_JSON_STRING)
        return wm_fail(err, WM_E_INVALID, "/request/kind/kind", "request.kind.kind is missing");
    while (op < WM_OP_COUNT && !wm_json_span_is(s[WM_R_OPERATION], operations[op]))
        op++;
    if (op == WM_OP_COUNT)
        return wm_fail(err, WM_E_INVALID, "/request/operation",
                       "request.operation must be CREATE, UPDATE, DELETE or CONNECT");
    r->operation = (enum wm_operation)op;
    if (op <= WM_OP_UPDATE && r->object.at[WM_O_SELF].kind != WM_JSON_OBJECT)
        return wm_fail(err, WM_E_INVALID, "/request/object", "request.object is missing");
    return WM_OK;
}

int wm_review_from(const struct wm_json_span s[WM_R_COUNT], int rc, struct wm_review *ret,
                   struct wm_error *err)
{
    /* The core group is "", and a client may leave an empty string out. */
    static const struct wm_json_span core = {WM_JSON_STRING, {"\"\"", 2}};

    *ret = (struct wm_review){.uid = usable_uid(s[WM_R_UID])};
    if (rc < 0)
        return wm_fail_in(err, "the body is not a JSON AdmissionReview");
    if ((rc = check_envelope(s, &ret->beta, err)) < 0)
        return rc;
    memcpy(ret->object.at, &s[WM_R_OBJECT], sizeof ret->object.at);
    if ((rc = check_request(s, ret, err)) < 0)
        return rc;
    ret->group = s[WM_R_GROUP].kind == WM_JSON_STRING ? s[WM_R_GROUP] : core;
    ret->kind = s[WM_R_OBJECT_KIND];
    ret->subresource = s[WM_R_SUBRESOURCE];
    ret->operation_text = s[WM_R_OPERATION];
    ret->namespace_ = s[WM_R_NAMESPACE];
    ret->name = s[WM_R_NAME];
    ret->dry_run = s[WM_R_DRY_RUN].kind == WM_JSON_TRUE;
    ret->rule = wm_label_rule_of(ret->group, ret->kind);
    return WM_OK;
}

int wm_review_read(struct wm_str body, struct wm_review *ret, struct wm_error *err)
{
    static const char *const pointers[WM_R_COUNT] = {WM_REVIEW_POINTERS};
    struct wm_json_span s[WM_R_COUNT];
    int rc = wm_json_locate(body, WM_R_COUNT, pointers, s, err);

    return wm_review_from(s, rc, ret, err);
}

struct wm_json_span wm_review_object_name(const struct wm_review *r)
{
    const struct wm_json_span candidates[] = {r->object.at[WM_O_NAME], r->name,
                                              r->object.at[WM_O_GENERATE_NAME]};

    for (size_t i = 0; i < 3; i++)
        if (candidates[i].kind == WM_JSON_STRING && candidates[i].text.n > 2)
            return candidates[i];
    return (struct wm_json_span){0};
}

/* --- the answer --- */

static void put_base64(struct wm_buf *out, struct wm_str s)
{
    char *to = wm_buf_room(out, 4 * ((s.n + 2) / 3));

    if (to)
        wm_buf_grew(out, (size_t)EVP_EncodeBlock((unsigned char *)to, (const unsigned char *)s.p, (int)s.n));
}

/* Told in the terminal of whoever creates the object (API servers from 1.19 on). */
static void put_warning(struct wm_buf *out, const struct wm_mutation *m)
{
    if (m->derivation.outcome == WM_UNSAFE_NAME)
        wm_buf_puts(out, ",\"warnings\":[\"waymark: not labelled: the name of its plan, project, migration "
                         "or provider cannot be "
                         "a label value (allowed: letters, digits, '-', '_', '.')\"]");
}

void wm_review_begin_answer(const struct wm_review *r, bool allowed, struct wm_buf *out)
{
    wm_buf_printf(
        out, "{\"kind\":\"AdmissionReview\",\"apiVersion\":\"admission.k8s.io/%s\",\"response\":{\"uid\":",
        r->beta ? "v1beta1" : "v1");
    wm_buf_str(out, r->uid.text);
    wm_buf_puts(out, allowed ? ",\"allowed\":true" : ",\"allowed\":false");
}

static void put_answer(struct wm_buf *out, const struct wm_review *r, const struct wm_mutation *m,
                       struct wm_str patch)
{
    wm_review_begin_answer(r, true, out);
    if (m->n_ops) {
        wm_buf_puts(out, ",\"patchType\":\"JSONPatch\",\"patch\":\"");
        put_base64(out, patch);
        wm_buf_puts(out, "\"");
    }
    if (m->derivation.outcome != WM_COMPLETE && m->derivation.outcome != WM_NOT_OURS)
        wm_buf_printf(out, ",\"auditAnnotations\":{\"outcome\":\"%s\"}",
                      wm_outcome_name(m->derivation.outcome));
    put_warning(out, m);
    wm_buf_puts(out, "}}");
}

static bool may_patch(const struct wm_review *r)
{
    bool whole = r->subresource.kind != WM_JSON_STRING || r->subresource.text.n <= 2;

    return r->rule && whole && (r->operation == WM_OP_CREATE || r->operation == WM_OP_UPDATE);
}

int wm_review_mutate(const struct wm_review *r, const struct wm_label_conf *conf, wm_find_fn *find, void *ctx,
                     struct wm_buf *out, struct wm_mutation *ret, struct wm_error *err)
{
    struct wm_mutation m = {.derivation.outcome = WM_NOT_OURS};
    wm_auto_buf struct wm_buf patch = WM_BUF_MAX(PATCH_MAX);
    int rc;

    if (may_patch(r)) {
        wm_name namespace_;

        if (!wm_span_copy(r->namespace_, namespace_, sizeof namespace_))
            wm_span_copy(r->object.at[WM_O_NAMESPACE], namespace_, sizeof namespace_);
        wm_derive(conf, r->rule, &r->object, namespace_, find, ctx, &m.derivation);
        m.n_ops = wm_label_patch(conf, r->rule, &r->object, &m.derivation, &patch);
        m.patch_bytes = patch.n;
        if ((rc = wm_buf_check(&patch, err)) < 0)
            return wm_fail_in(err, "the patch");
    }
    put_answer(out, r, &m, wm_buf_text(&patch));
    if ((rc = wm_buf_check(out, err)) < 0)
        return wm_fail_in(err, "the answer");
    *ret = m;
    return WM_OK;
}

/* --- errors --- */

static const struct reason {
    int code;
    const char *reason;
} reasons[] = {
    {400, "BadRequest"},
    {404, "NotFound"},
    {405, "MethodNotAllowed"},
    {408, "Timeout"},
    {413, "RequestEntityTooLarge"},
    {415, "UnsupportedMediaType"},
    {429, "TooManyRequests"},
    {500, "InternalError"},
    {503, "ServiceUnavailable"},
};

void wm_status_print(struct wm_buf *out, int http_code, const char *message, struct wm_json_span uid)
{
    const char *reason = "";

    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
        if (reasons[i].code == http_code)
            reason = reasons[i].reason;
    wm_buf_puts(
        out,
        "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},\"status\":\"Failure\",\"message\":");
    wm_json_quote(out, wm_str_of(message));
    wm_buf_printf(out, ",\"reason\":\"%s\"", reason);
    if (uid.kind == WM_JSON_STRING) {
        wm_buf_puts(out, ",\"details\":{\"uid\":");
        wm_buf_str(out, uid.text);
        wm_buf_puts(out, "}");
    }
    wm_buf_printf(out, ",\"code\":%d}", http_code);
}
