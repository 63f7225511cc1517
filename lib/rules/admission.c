/* AdmissionReviews for validation: reading, and answering with a verdict. */
#include "check.h"
#include "review_impl.h"

enum member {
    OLD_OBJECT = WM_R_COUNT,
    GOING = OLD_OBJECT + WM_O_COUNT,
    USER,
    GROUPS,
    SPEC,
    STATUS,
    OLD_SPEC,
    OLD_STATUS,
    N_POINTERS
};
static const char *const pointers[N_POINTERS] = {
    WM_REVIEW_POINTERS,
    WM_OBJECT_POINTERS("/request/oldObject"),
    "/request/object/metadata/deletionTimestamp",
    "/request/userInfo/username",
    "/request/userInfo/groups",
    "/request/object/spec",
    "/request/object/status",
    "/request/oldObject/spec",
    "/request/oldObject/status",
};
static const uint64_t indexed =
    UINT64_C(1) << SPEC | UINT64_C(1) << STATUS | UINT64_C(1) << OLD_SPEC | UINT64_C(1) << OLD_STATUS;

static const enum wm_on on[WM_OP_COUNT] = {
    [WM_OP_CREATE] = WM_ON_CREATE, [WM_OP_UPDATE] = WM_ON_UPDATE, [WM_OP_DELETE] = WM_ON_DELETE};

/* Subresources are their controllers' business, and CONNECT nobody's. */
static enum wm_subject_kind kind_of(const struct wm_review *r)
{
    if ((r->subresource.kind == WM_JSON_STRING && r->subresource.text.n > 2) || !on[r->operation])
        return WM_SUBJECT_NONE;
    return wm_subject_kind_of(r->group, r->kind);
}

static void fill_subject(const struct wm_json_span *s, struct wm_admission *a)
{
    bool gone = a->review.operation == WM_OP_DELETE;
    struct wm_subject *u = &a->subject;

    *u = (struct wm_subject){
        .kind = kind_of(&a->review),
        .on = on[a->review.operation],
        .going = s[GOING].kind == WM_JSON_STRING,
        .object = a->review.object,
        .spec = wm_json_root(&a->index, gone ? OLD_SPEC : SPEC),
        .status = wm_json_root(&a->index, gone ? OLD_STATUS : STATUS),
        .who = {s[USER], s[GROUPS]},
    };
    if (gone)
        memcpy(u->object.at, &s[OLD_OBJECT], sizeof u->object.at);
    if (a->review.operation == WM_OP_UPDATE) {
        u->old_spec = wm_json_root(&a->index, OLD_SPEC);
        u->old_status = wm_json_root(&a->index, OLD_STATUS);
    }
    wm_span_copy(a->review.namespace_, u->namespace_, sizeof u->namespace_);
    wm_subject_name(u);
    wm_name told; /* the API server may know the name when the object does not */

    if ((u->generated || !u->name[0]) && wm_span_copy(a->review.name, told, sizeof told)) {
        memcpy(u->name, told, sizeof told);
        u->generated = false;
    }
}

int wm_admission_read(struct wm_str body, struct wm_admission *ret, struct wm_error *err)
{
    struct wm_json_span s[N_POINTERS];
    int rc = wm_json_locate_indexed(body, N_POINTERS, pointers, s, indexed, &ret->index, err);

    ret->subject = (struct wm_subject){0};
    if ((rc = wm_review_from(s, rc, &ret->review, err)) < 0)
        return rc;
    if (ret->review.operation == WM_OP_DELETE && s[OLD_OBJECT].kind != WM_JSON_OBJECT)
        return WM_OK; /* API servers before 1.15 do not tell what goes */
    fill_subject(s, ret);
    return WM_OK;
}

void wm_admission_done(struct wm_admission *a)
{
    wm_json_index_done(&a->index);
    *a = (struct wm_admission){0};
}

/* --- the answer --- */

enum {
    WARNINGS_RUNES =
        4096, /* k8s.io/apiserver pkg/warning: beyond it every warning is cut to 256 and the list ends */
    WARNING_RUNES = 256,
    REST_RUNES = 96, /* kept free for the count of the rest */
    AUDIT_MAX = 1024,
    ANSWER_LINES = 32,
};

void wm_finding_print(const struct wm_finding *f, bool with_field, struct wm_buf *out)
{
    if (with_field && f->field[0])
        wm_buf_printf(out, "%s: ", f->field);
    if (f->value[0])
        wm_buf_printf(out, "\"%s\": ", f->value);
    wm_buf_printf(out, "%s; %s (%s", f->why, f->rule->remedy, f->rule->id);
    if (f->rule->condition[0])
        wm_buf_printf(out, "; the controller would say %s", f->rule->condition);
    wm_buf_puts(out, ")");
}

static void quote_finding(const struct wm_finding *f, bool with_field, struct wm_buf *out)
{
    wm_auto_buf struct wm_buf line = WM_BUF_MAX(4096);

    wm_finding_print(f, with_field, &line);
    wm_json_quote(out, wm_buf_text(&line));
}

/* 403 when the object would be good at another time, 422 when it is wrong in itself. */
static bool is_forbidden(const struct wm_verdict *v)
{
    for (size_t i = 0; i < v->n && v->list[i].mode == WM_MODE_ENFORCE; i++)
        if (v->list[i].rule->cause != WM_CAUSE_FORBIDDEN)
            return false;
    return true;
}

static size_t denials_shown(const struct wm_verdict *v)
{
    size_t n = 0;

    while (n < v->n && n < ANSWER_LINES && v->list[n].mode == WM_MODE_ENFORCE)
        n++;
    return n;
}

static void put_message(const struct wm_admission *a, const struct wm_verdict *v, struct wm_buf *out)
{
    const struct wm_subject *s = &a->subject;
    size_t all = v->n_of[WM_MODE_ENFORCE], shown = denials_shown(v);
    wm_auto_buf struct wm_buf text = WM_BUF_MAX(64 << 10);

    wm_buf_printf(&text, "%s %s/%s has %zu fault%s:", wm_subject_resources[s->kind].kind, s->namespace_,
                  s->name, all, all == 1 ? "" : "s");
    for (size_t i = 0; i < shown; i++) {
        wm_buf_puts(&text, "\n* ");
        wm_finding_print(&v->list[i], true, &text);
    }
    if (shown < all)
        wm_buf_printf(&text, "\n* and %zu more; waymark-webhook review -f FILE lists them all", all - shown);
    wm_json_quote(out, wm_buf_text(&text));
}

static void put_causes(const struct wm_verdict *v, struct wm_buf *out)
{
    size_t shown = denials_shown(v);

    for (size_t i = 0; i < shown; i++) {
        const struct wm_finding *f = &v->list[i];

        wm_buf_printf(out, "%s{\"reason\":\"%s\",\"message\":", i ? "," : "", wm_cause_name(f->rule->cause));
        quote_finding(f, false, out);
        wm_buf_puts(out, ",\"field\":");
        wm_json_quote(out, wm_str_of(f->field));
        wm_buf_puts(out, "}");
    }
}

static void put_status(const struct wm_admission *a, const struct wm_verdict *v, struct wm_buf *out)
{
    const struct wm_subject_resource *r = &wm_subject_resources[a->subject.kind];
    bool forbidden = is_forbidden(v);

    wm_buf_printf(
        out,
        ",\"status\":{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},\"status\":\"Failure\","
        "\"code\":%d,\"reason\":\"%s\",\"message\":",
        forbidden ? 403 : 422, forbidden ? "Forbidden" : "Invalid");
    put_message(a, v, out);
    wm_buf_puts(out, ",\"details\":{\"name\":");
    wm_json_quote(out, wm_str_of(a->subject.name));
    wm_buf_printf(out, ",\"group\":\"%s\",\"kind\":\"%s\",\"causes\":[", r->group, r->kind);
    put_causes(v, out);
    wm_buf_puts(out, "]}}");
}

static size_t runes(struct wm_str s)
{
    size_t n = 0;

    for (size_t i = 0; i < s.n; i++)
        n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
    return n;
}

/* Cuts a line to so many runes, with an ellipsis. */
static void cut(struct wm_buf *line, size_t max)
{
    size_t n = 0, i = 0;

    if (runes(wm_buf_text(line)) <= max)
        return;
    for (; i < line->n && n <= max - 3; i++)
        n += ((unsigned char)line->p[i] & 0xc0) != 0x80;
    line->n = i - 1;
    wm_buf_puts(line, "...");
}

/* Whole lines as long as they fit; when they do not all fit, each is cut as the API server would, and what is
 * left over is counted. */
static void put_warnings(const struct wm_verdict *v, struct wm_buf *out)
{
    size_t used = 0, told = 0, first = 0, all = v->n_of[WM_MODE_WARN];
    bool whole = true;

    while (first < v->n && v->list[first].mode > WM_MODE_WARN)
        first++;
    for (size_t i = first; i < v->n && v->list[i].mode == WM_MODE_WARN; i++) {
        wm_auto_buf struct wm_buf line = WM_BUF_MAX(4096);

        wm_finding_print(&v->list[i], true, &line);
        used += runes(wm_buf_text(&line));
    }
    whole = used + REST_RUNES <= WARNINGS_RUNES && all <= WM_FINDINGS_MAX;
    used = 0;
    wm_buf_puts(out, ",\"warnings\":[");
    for (size_t i = first; i < v->n && v->list[i].mode == WM_MODE_WARN; i++) {
        wm_auto_buf struct wm_buf line = WM_BUF_MAX(4096);

        wm_finding_print(&v->list[i], true, &line);
        if (!whole)
            cut(&line, WARNING_RUNES);
        if (used + runes(wm_buf_text(&line)) + REST_RUNES > WARNINGS_RUNES)
            break;
        used += runes(wm_buf_text(&line));
        wm_buf_puts(out, told++ ? "," : "");
        wm_json_quote(out, wm_buf_text(&line));
    }
    if (told < all)
        wm_buf_printf(out, "%s\"and %zu more; waymark-webhook review -f FILE lists them all\"",
                      told ? "," : "", all - told);
    wm_buf_puts(out, "]");
}

/* One annotation a mode: the ids, each once.  Keys may hold no slash, values are free. */
static bool put_ids(const char *key, const struct wm_verdict *v, enum wm_mode mode, bool excepted, bool first,
                    struct wm_buf *out)
{
    const struct wm_rule *last = NULL;
    wm_auto_buf struct wm_buf ids = WM_BUF_MAX(AUDIT_MAX);

    for (size_t i = 0; i < v->n; i++) {
        const struct wm_finding *f = &v->list[i];

        if (f->mode != mode || f->excepted != excepted || f->rule == last)
            continue;
        wm_buf_puts(&ids, last ? "," : "");
        wm_buf_puts(&ids, f->rule->id);
        last = f->rule;
    }
    if (!last)
        return false;
    wm_buf_printf(out, "%s\"%s\":\"" WM_STR_FMT "\"", first ? "" : ",", key, WM_STR_ARG(wm_buf_text(&ids)));
    return true;
}

static bool put_unknown(const struct wm_verdict *v, bool first, struct wm_buf *out)
{
    bool any = false;

    for (size_t i = 0, n = wm_rules_count(); i < n; i++) {
        if (!(v->unknown[i / 64] >> i % 64 & 1))
            continue;
        wm_buf_puts(out, any ? "," : first ? "\"cannot-tell\":\"" : ",\"cannot-tell\":\"");
        wm_buf_puts(out, wm_rule_at(i, NULL)->id);
        any = true;
    }
    wm_buf_puts(out, any ? "\"" : "");
    return any;
}

static void put_annotations(const struct wm_verdict *v, struct wm_buf *out)
{
    wm_auto_buf struct wm_buf notes = WM_BUF_MAX(8 * AUDIT_MAX);
    bool any = put_ids("denied", v, WM_MODE_ENFORCE, false, true, &notes);

    any |= put_ids("warned", v, WM_MODE_WARN, false, !any, &notes);
    any |= put_ids("audited", v, WM_MODE_AUDIT, false, !any, &notes);
    any |= put_ids("excepted", v, WM_MODE_AUDIT, true, !any, &notes);
    any |= put_unknown(v, !any, &notes);
    if (any)
        wm_buf_printf(out, ",\"auditAnnotations\":{" WM_STR_FMT "}", WM_STR_ARG(wm_buf_text(&notes)));
}

int wm_admission_answer(const struct wm_admission *a, const struct wm_verdict *v, struct wm_buf *out,
                        struct wm_error *err)
{
    bool allowed = wm_verdict_allows(v);

    wm_review_begin_answer(&a->review, allowed, out);
    if (!allowed)
        put_status(a, v, out);
    if (v->n_of[WM_MODE_WARN])
        put_warnings(v, out);
    put_annotations(v, out);
    wm_buf_puts(out, "}}");
    int rc = wm_buf_check(out, err);

    return rc < 0 ? wm_fail_in(err, "the answer") : WM_OK;
}
