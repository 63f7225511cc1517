/* Our words in a migration, as digests: 1,000 objects are compared without being kept. */
#include "follow_impl.h"

const char WM_VERDICT_KEY[] = "waymark.io/verdict";

static const char *const types[WM_SAID_COUNT] = {"MigrationProgress", "MigrationOutcome", "MigrationStalled",
                                                 "ProviderRestarts"};

static uint64_t put(uint64_t h, struct wm_str s)
{
    return wm_mix(h * 31 + wm_str_digest(s, s.n));
}

static uint64_t put_said(uint64_t h, const struct wm_said *said, enum wm_condition_style style)
{
    wm_word reason;
    char message[WM_WRITTEN_MAX];

    wm_condition_words(said, style, reason, message);
    h = put(h, wm_str_of(said->type));
    h = put(h, wm_str_of(said->status ? "True" : "False"));
    h = put(h, wm_str_of(reason));
    return put(h, wm_str_of(message));
}

uint64_t wm_words_wanted(const struct wm_follow_opts *o, const struct tracked *t)
{
    uint64_t h = 1;

    for (int i = 0; o->conditions && i < WM_SAID_COUNT; i++)
        if (t->said[i].wanted)
            h = put_said(h, &t->said[i], t->kind->style);
    return o->verdicts ? put(h, wm_str_of(t->verdict)) : h;
}

static uint64_t put_span(uint64_t h, struct wm_json_span s)
{
    wm_auto_buf struct wm_buf text = WM_BUF_MAX(s.text.n + 1);

    if (s.kind != WM_JSON_STRING || wm_json_unescape(s, &text, NULL) < 0)
        return wm_mix(h + 7);
    return put(h, wm_buf_text(&text));
}

static uint64_t put_condition(uint64_t h, struct wm_json_value list, const char *type)
{
    for (struct wm_json_value v = wm_json_first(list); v.node; v = wm_json_after(v)) {
        if (!wm_json_span_is(wm_get_span(v, "type"), type))
            continue;
        h = put(h, wm_str_of(type));
        h = put_span(h, wm_get_span(v, "status"));
        h = put_span(h, wm_get_span(v, "reason"));
        h = put_span(h, wm_get_span(v, "message"));
    }
    return h;
}

uint64_t wm_words_live(const struct wm_follow_opts *o, const struct wm_reading *object)
{
    struct wm_json_value conditions = wm_json_get(wm_json_root(&object->index, WM_AT_STATUS), "conditions");
    struct wm_json_span verdict = wm_get_span(wm_json_root(&object->index, WM_O_ANNOTATIONS), WM_VERDICT_KEY);
    uint64_t h = 1;

    for (int i = 0; o->conditions && i < WM_SAID_COUNT; i++)
        h = put_condition(h, conditions, types[i]);
    return !o->verdicts || verdict.kind == WM_JSON_ABSENT ? h : put_span(h, verdict);
}
