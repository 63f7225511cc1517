/* The conditions of a live object as a JSON Patch. */
#include <stdio.h>

#include "live.h"
#include "waymark/time.h"

#define LIST WM_LIVE_LIST

/* --- one condition as it should be --- */

enum { F_TYPE, F_STATUS, F_CATEGORY, F_DURABLE, F_REASON, F_MESSAGE, F_TIME, F_COUNT };
static const char *const field_names[F_COUNT] = {"type",   "status",  "category",          "durable",
                                                 "reason", "message", "lastTransitionTime"};

struct words {
    const char *text[F_COUNT]; /* NULL = the style has no such member */
    bool may_lack_empty;       /* an empty text may as well be absent: Go leaves it out */
    wm_word reason;
    char message[WM_WRITTEN_MAX];
    char time[WM_TIME_SIZE];
};

/* mig-controller takes what stands in brackets for a list, and rewrites it in every round
 * (pkg/apis/migration/v1alpha1/condition.go, BuildItems and ExpandItems). */
static void without_brackets(char *s)
{
    for (; *s; s++)
        *s = (char)(*s == '[' ? '(' : *s == ']' ? ')' : *s);
}

/* What metav1.Condition allows as a reason: ^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$.  Phases of VirtRigaud
 * have hyphens. */
static void as_meta_reason(const char *text, wm_word out)
{
    size_t n = 0;

    for (; *text && n < WM_WORD_MAX; text++) {
        bool letter = (*text >= 'A' && *text <= 'Z') || (*text >= 'a' && *text <= 'z');
        bool other = (*text >= '0' && *text <= '9') || *text == '_' || *text == ',' || *text == ':';

        if (letter || (other && n > 0))
            out[n++] = *text;
    }
    while (n > 0 && (out[n - 1] == ',' || out[n - 1] == ':'))
        n--;
    out[n] = '\0';
}

void wm_condition_words(const struct wm_said *said, enum wm_condition_style style, wm_word ret_reason,
                        char ret_message[static WM_WRITTEN_MAX])
{
    wm_live_as_read(said->message, ret_message, WM_WRITTEN_MAX);
    if (style == WM_CONDITIONS_MTC) {
        wm_live_as_read(said->reason, ret_reason, sizeof(wm_word));
        without_brackets(ret_message);
        return;
    }
    as_meta_reason(said->reason, ret_reason);
    if (!ret_reason[0])
        as_meta_reason(said->type, ret_reason);
}

static void word(const struct wm_said *said, enum wm_condition_style style, int64_t now_s, struct words *w)
{
    *w = (struct words){.may_lack_empty = style == WM_CONDITIONS_MTC};
    w->text[F_TYPE] = said->type;
    w->text[F_STATUS] = said->status ? "True" : "False";
    w->text[F_REASON] = w->reason;
    w->text[F_MESSAGE] = w->message;
    w->text[F_TIME] = w->time;
    wm_condition_words(said, style, w->reason, w->message);
    wm_time_print(now_s, w->time);
    if (style == WM_CONDITIONS_MTC) {
        w->text[F_CATEGORY] = "Advisory";
        w->text[F_DURABLE] = "true";
    }
}

static void put_field(struct wm_buf *out, const struct words *w, int f)
{
    if (f == F_DURABLE)
        wm_buf_puts(out, w->text[f]);
    else
        wm_json_quote(out, wm_str_of(w->text[f]));
}

static void put_condition(struct wm_buf *out, const struct words *w)
{
    for (int f = 0, n = 0; f < F_COUNT; f++) {
        if (!w->text[f])
            continue;
        wm_buf_puts(out, n++ ? ",\"" : "{\"");
        wm_buf_puts(out, field_names[f]);
        wm_buf_puts(out, "\":");
        put_field(out, w, f);
    }
    wm_buf_puts(out, "}");
}

/* --- what to do --- */

static bool is_time(struct wm_json_span s)
{
    char text[64];
    int64_t t;

    return wm_span_copy(s, text, sizeof text) && wm_time_parse(wm_str_of(text), &t);
}

static bool is_right(struct wm_json_span have, const struct words *w, int f)
{
    if (!w->text[f])
        return true;
    if (f == F_DURABLE)
        return have.kind == WM_JSON_TRUE;
    if (f == F_TIME)
        return is_time(have);
    if (have.kind == WM_JSON_ABSENT)
        return w->may_lack_empty && !w->text[f][0];
    return wm_json_span_is(have, w->text[f]);
}

/* The members that differ, as bits. */
static unsigned differences(struct wm_json_value have, const struct words *w)
{
    unsigned bits = 0;

    for (int f = 0; f < F_COUNT; f++)
        if (!is_right(wm_get_span(have, field_names[f]), w, f))
            bits |= 1u << f;
    return bits & 1u << F_STATUS ? bits | 1u << F_TIME : bits;
}

enum { TOUCHED_MAX = 32 }; /* what is beyond is for the next patch */

struct touched {
    size_t index;              /* in the list */
    struct wm_json_value have; /* the condition there */
    const struct wm_said *said;
    unsigned bits; /* members to set; 0 = remove it */
};

struct plan {
    const struct wm_said *said;
    size_t n_said;
    enum wm_condition_style style;
    int64_t now_s;
    struct touched touched[TOUCHED_MAX];
    size_t n_touched, n_added;
    bool there[WM_SAID_MAX]; /* of said[i]: one stands already */
};

static size_t said_at(const struct plan *p, struct wm_json_span type)
{
    size_t i = 0;

    while (i < p->n_said && !wm_json_span_is(type, p->said[i].type))
        i++;
    return i;
}

static void plan_one(struct plan *p, size_t index, struct wm_json_value have, size_t i)
{
    const struct wm_said *said = &p->said[i];
    bool keep = said->wanted && !p->there[i];
    struct words w;
    unsigned bits = 0;

    if (keep) {
        p->there[i] = true;
        word(said, p->style, p->now_s, &w);
        if ((bits = differences(have, &w)) == 0)
            return;
    }
    if (p->n_touched < TOUCHED_MAX)
        p->touched[p->n_touched++] = (struct touched){index, have, said, bits};
}

static void plan_changes(struct plan *p, struct wm_json_value list)
{
    size_t index = 0;

    for (struct wm_json_value v = wm_json_first(list); v.node; v = wm_json_after(v), index++) {
        size_t i = said_at(p, wm_get_span(v, "type"));

        if (i < p->n_said)
            plan_one(p, index, v, i);
    }
    for (size_t i = 0; i < p->n_said; i++)
        p->n_added += p->said[i].wanted && !p->there[i];
}

/* --- writing it down --- */

static void put_sets(struct wm_patch *out, const struct plan *p, const struct touched *t)
{
    char pointer[64];
    struct words w;

    snprintf(pointer, sizeof pointer, LIST "/%zu", t->index);
    word(t->said, p->style, p->now_s, &w);
    for (int f = 0; f < F_COUNT; f++)
        if (t->bits & 1u << f) { /* "add" also replaces a member */
            put_field(wm_patch_value(out, "add", pointer, field_names[f]), &w, f);
            wm_patch_value_end(out);
        }
}

/* All tests and all members first, by the indices as they are; then removals, from the last one on. */
static void put_touched(struct wm_patch *out, const struct plan *p)
{
    char index[32];

    for (size_t i = 0; i < p->n_touched; i++) {
        char pointer[64];

        snprintf(pointer, sizeof pointer, LIST "/%zu", p->touched[i].index);
        wm_patch_json(out, "test", pointer, "type", wm_get_span(p->touched[i].have, "type").text);
    }
    for (size_t i = 0; i < p->n_touched; i++)
        if (p->touched[i].bits)
            put_sets(out, p, &p->touched[i]);
    for (size_t i = p->n_touched; i-- > 0;)
        if (!p->touched[i].bits) {
            snprintf(index, sizeof index, "%zu", p->touched[i].index);
            wm_patch_remove(out, LIST, index);
        }
}

/* One "add" for each, or one for all where there is no list, or no status. */
static void put_added(struct wm_patch *out, const struct plan *p, const struct wm_live *l)
{
    bool no_status = wm_live_lacks(l, WM_LIVE_AT_STATUS),
         no_list = no_status || wm_live_lacks(l, WM_LIVE_AT_LIST);
    struct wm_buf *b = out->out;
    struct words w;
    size_t n = 0;

    for (size_t i = 0; i < p->n_said; i++) {
        if (!p->said[i].wanted || p->there[i])
            continue;
        if (!no_list)
            wm_patch_value(out, "add", LIST, "-");
        else if (n == 0)
            wm_patch_value(out, "add", no_status ? "/status" : LIST, NULL);
        if (no_list)
            wm_buf_puts(b, n ? "," : no_status ? "{\"conditions\":[" : "[");
        word(&p->said[i], p->style, p->now_s, &w);
        put_condition(b, &w);
        if (!no_list)
            wm_patch_value_end(out);
        n++;
    }
    if (n && no_list) {
        wm_buf_puts(b, no_status ? "]}" : "]");
        wm_patch_value_end(out);
    }
}

static int check_kinds(const struct wm_live *l, struct wm_error *err)
{
    if (!wm_live_lacks(l, WM_LIVE_AT_STATUS) && l->at[WM_LIVE_AT_STATUS].kind != WM_JSON_OBJECT)
        return wm_fail(err, WM_E_INVALID, "/status", "the status is not an object");
    if (!wm_live_lacks(l, WM_LIVE_AT_LIST) && l->at[WM_LIVE_AT_LIST].kind != WM_JSON_ARRAY)
        return wm_fail(err, WM_E_INVALID, LIST, "the conditions are not a list");
    return WM_OK;
}

static void put_patch(struct wm_buf *out, const struct plan *p, const struct wm_live *l, bool absences)
{
    struct wm_patch patch = wm_patch_to(out);

    wm_live_test(&patch, l, absences);
    if (l->at[WM_LIVE_AT_PHASE].kind == WM_JSON_STRING)
        wm_patch_json(&patch, "test", "/status/phase", NULL, l->at[WM_LIVE_AT_PHASE].text);
    put_touched(&patch, p);
    put_added(&patch, p, l);
    wm_patch_end(&patch);
}

int wm_conditions_patch(struct wm_str object, enum wm_condition_style style, const struct wm_said said[],
                        size_t n, int64_t now_s, struct wm_buf *out, struct wm_error *err)
{
    wm_auto_live struct wm_live l = {0};
    struct plan p = {said, n, style, now_s, .n_added = 0};
    int rc;

    if (n > WM_SAID_MAX)
        return wm_fail(err, WM_E_TOO_BIG, NULL, "%zu conditions at once; at most %d", n, WM_SAID_MAX);
    if ((rc = wm_live_read(object, &l, err)) < 0 || (rc = check_kinds(&l, err)) < 0)
        return rc;
    plan_changes(&p, wm_json_root(&l.index, WM_LIVE_AT_LIST));
    size_t changes = p.n_touched + p.n_added;
    bool absences = p.n_added > 0 || l.at[WM_LIVE_AT_PHASE].kind != WM_JSON_STRING;

    if (changes == 0)
        return 0;
    if ((rc = wm_live_check(&l, absences, err)) < 0)
        return rc;
    put_patch(out, &p, &l, absences);
    rc = wm_buf_check(out, err);
    return rc < 0 ? rc : (int)changes;
}
