/* The watch's machine as a table: how an attempt ended, and what follows. */
#include <assert.h>
#include <stdlib.h>

#include "watch_internal.h"

// clang-format off
static const struct wm_watch_rule rules[] = {
    {WM_OP_LIST,  WM_OUT_PAGE,         WM_NEXT_PAGE,   WM_PAUSE_NONE,    WM_STATE_KEEP},
    {WM_OP_LIST,  WM_OUT_LISTED,       WM_NEXT_WATCH,  WM_PAUSE_NONE,    WM_WATCH_SYNCED},
    {WM_OP_LIST,  WM_OUT_EXPIRED,      WM_NEXT_QUORUM, WM_PAUSE_NONE,    WM_STATE_KEEP},
    /* the 410 may offer a token for an inconsistent rest; it is not taken */
    {WM_OP_LIST,  WM_OUT_EXPIRED_PAGE, WM_NEXT_FULL,   WM_PAUSE_NONE,    WM_STATE_KEEP},
    {WM_OP_LIST,  WM_OUT_TOKEN,        WM_NEXT_FULL,   WM_PAUSE_NONE,    WM_STATE_KEEP},
    {WM_OP_LIST,  WM_OUT_AHEAD,        WM_NEXT_QUORUM, WM_PAUSE_NONE,    WM_STATE_KEEP},
    {WM_OP_LIST,  WM_OUT_SLOW,         WM_NEXT_SAME,   WM_PAUSE_OWN,     WM_WATCH_UNREACHABLE},
    {WM_OP_LIST,  WM_OUT_UNAUTHORIZED, WM_NEXT_SAME,   WM_PAUSE_OWN,     WM_WATCH_UNAUTHORIZED},
    {WM_OP_LIST,  WM_OUT_FORBIDDEN,    WM_NEXT_SAME,   WM_PAUSE_MINUTE,  WM_WATCH_FORBIDDEN},
    {WM_OP_LIST,  WM_OUT_ABSENT,       WM_NEXT_SAME,   WM_PAUSE_ABSENT,  WM_WATCH_ABSENT},
    {WM_OP_LIST,  WM_OUT_FORM,         WM_NEXT_SAME,   WM_PAUSE_NONE,    WM_STATE_KEEP},
    {WM_OP_LIST,  WM_OUT_BUSY,         WM_NEXT_SAME,   WM_PAUSE_CLUSTER, WM_WATCH_UNREACHABLE},
    {WM_OP_LIST,  WM_OUT_UNREACHABLE,  WM_NEXT_SAME,   WM_PAUSE_CLUSTER, WM_WATCH_UNREACHABLE},
    {WM_OP_LIST,  WM_OUT_CUT,          WM_NEXT_SAME,   WM_PAUSE_CLUSTER, WM_WATCH_UNREACHABLE},
    {WM_OP_LIST,  WM_OUT_BROKEN,       WM_NEXT_SAME,   WM_PAUSE_OWN,     WM_WATCH_UNREACHABLE},
    {WM_OP_LIST,  WM_OUT_ODD,          WM_NEXT_QUORUM, WM_PAUSE_OWN,     WM_WATCH_UNREACHABLE},

    {WM_OP_WATCH, WM_OUT_ENDED,        WM_NEXT_WATCH,  WM_PAUSE_NONE,    WM_STATE_KEEP},
    {WM_OP_WATCH, WM_OUT_SHORT,        WM_NEXT_WATCH,  WM_PAUSE_OWN,     WM_STATE_KEEP},
    {WM_OP_WATCH, WM_OUT_CUT,          WM_NEXT_WATCH,  WM_PAUSE_SUSPECT, WM_STATE_KEEP},
    {WM_OP_WATCH, WM_OUT_EXPIRED,      WM_NEXT_LIST,   WM_PAUSE_NONE,    WM_STATE_KEEP},
    {WM_OP_WATCH, WM_OUT_AHEAD,        WM_NEXT_QUORUM, WM_PAUSE_NONE,    WM_STATE_KEEP},
    {WM_OP_WATCH, WM_OUT_UNAUTHORIZED, WM_NEXT_WATCH,  WM_PAUSE_OWN,     WM_WATCH_UNAUTHORIZED},
    {WM_OP_WATCH, WM_OUT_FORBIDDEN,    WM_NEXT_WATCH,  WM_PAUSE_MINUTE,  WM_WATCH_FORBIDDEN},
    /* a kind that was deleted ends its watch without a word; the list says whether it is gone */
    {WM_OP_WATCH, WM_OUT_ABSENT,       WM_NEXT_LIST,   WM_PAUSE_NONE,    WM_STATE_KEEP},
    {WM_OP_WATCH, WM_OUT_FORM,         WM_NEXT_WATCH,  WM_PAUSE_NONE,    WM_STATE_KEEP},
    {WM_OP_WATCH, WM_OUT_OPTION,       WM_NEXT_WATCH,  WM_PAUSE_NONE,    WM_STATE_KEEP},
    {WM_OP_WATCH, WM_OUT_BUSY,         WM_NEXT_WATCH,  WM_PAUSE_CLUSTER, WM_WATCH_UNREACHABLE},
    {WM_OP_WATCH, WM_OUT_UNREACHABLE,  WM_NEXT_WATCH,  WM_PAUSE_CLUSTER, WM_WATCH_UNREACHABLE},
    {WM_OP_WATCH, WM_OUT_BROKEN,       WM_NEXT_WATCH,  WM_PAUSE_OWN,     WM_STATE_KEEP},
    {WM_OP_WATCH, WM_OUT_ODD,          WM_NEXT_LIST,   WM_PAUSE_OWN,     WM_STATE_KEEP},

    /* until its list is complete; from there on it is a watch */
    {WM_OP_STREAM, WM_OUT_EXPIRED,      WM_NEXT_QUORUM, WM_PAUSE_NONE,    WM_STATE_KEEP},
    {WM_OP_STREAM, WM_OUT_AHEAD,        WM_NEXT_QUORUM, WM_PAUSE_NONE,    WM_STATE_KEEP},
    {WM_OP_STREAM, WM_OUT_OPTION,       WM_NEXT_SAME,   WM_PAUSE_NONE,    WM_STATE_KEEP},
    {WM_OP_STREAM, WM_OUT_FORM,         WM_NEXT_SAME,   WM_PAUSE_NONE,    WM_STATE_KEEP},
    {WM_OP_STREAM, WM_OUT_UNAUTHORIZED, WM_NEXT_SAME,   WM_PAUSE_OWN,     WM_WATCH_UNAUTHORIZED},
    {WM_OP_STREAM, WM_OUT_FORBIDDEN,    WM_NEXT_SAME,   WM_PAUSE_MINUTE,  WM_WATCH_FORBIDDEN},
    {WM_OP_STREAM, WM_OUT_ABSENT,       WM_NEXT_SAME,   WM_PAUSE_ABSENT,  WM_WATCH_ABSENT},
    {WM_OP_STREAM, WM_OUT_BUSY,         WM_NEXT_SAME,   WM_PAUSE_CLUSTER, WM_WATCH_UNREACHABLE},
    {WM_OP_STREAM, WM_OUT_UNREACHABLE,  WM_NEXT_SAME,   WM_PAUSE_CLUSTER, WM_WATCH_UNREACHABLE},
    {WM_OP_STREAM, WM_OUT_CUT,          WM_NEXT_SAME,   WM_PAUSE_CLUSTER, WM_WATCH_UNREACHABLE},
    {WM_OP_STREAM, WM_OUT_BROKEN,       WM_NEXT_SAME,   WM_PAUSE_OWN,     WM_WATCH_UNREACHABLE},
    {WM_OP_STREAM, WM_OUT_ODD,          WM_NEXT_QUORUM, WM_PAUSE_OWN,     WM_WATCH_UNREACHABLE},
};

static const char *const names[WM_N_OUTCOMES] = {
    [WM_OUT_PAGE] = "page",                 [WM_OUT_LISTED] = "listed",       [WM_OUT_ENDED] = "ended",
    [WM_OUT_SHORT] = "ended_at_once",       [WM_OUT_CUT] = "cut",             [WM_OUT_EXPIRED] = "expired",
    [WM_OUT_EXPIRED_PAGE] = "page_expired", [WM_OUT_AHEAD] = "version_ahead", [WM_OUT_SLOW] = "too_slow",
    [WM_OUT_UNAUTHORIZED] = "unauthorized", [WM_OUT_FORBIDDEN] = "forbidden", [WM_OUT_ABSENT] = "absent",
    [WM_OUT_FORM] = "form_refused",         [WM_OUT_OPTION] = "option_refused", [WM_OUT_TOKEN] = "token_refused",
    [WM_OUT_BUSY] = "busy",                 [WM_OUT_UNREACHABLE] = "unreachable", [WM_OUT_BROKEN] = "broken",
    [WM_OUT_ODD] = "odd",
};
// clang-format on

const struct wm_watch_rule *wm_watch_rule(enum wm_watch_op op, enum wm_watch_outcome outcome)
{
    const struct wm_watch_rule *odd = NULL; /* for an outcome that the operation cannot have */

    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        if (rules[i].op == op && rules[i].outcome == outcome)
            return &rules[i];
        if (rules[i].op == op && rules[i].outcome == WM_OUT_ODD)
            odd = &rules[i];
    }
    assert(odd);
    return odd;
}

const char *wm_watch_outcome_name(enum wm_watch_outcome o)
{
    return names[o];
}

/* Newer servers name a cause, older ones have only the sentence. */
static bool says_version_ahead(struct wm_str body)
{
    static const char cause[] = "ResourceVersionTooLarge", sentence[] = "Too large resource version";

    return body.n && (memmem(body.p, body.n, cause, sizeof cause - 1) ||
                      memmem(body.p, body.n, sentence, sizeof sentence - 1));
}

static const struct {
    int status;
    enum wm_watch_outcome outcome;
} by_status[] = {
    {410, WM_OUT_EXPIRED}, {401, WM_OUT_UNAUTHORIZED}, {403, WM_OUT_FORBIDDEN},
    {404, WM_OUT_ABSENT},  {429, WM_OUT_BUSY},
};

enum wm_watch_outcome wm_classify_answer(enum wm_watch_op op, const struct wm_answer *a, bool on_page,
                                         bool metadata_only, bool bookmarks)
{
    if (a->status == 0)
        return a->error.code == WM_E_AUTH ? WM_OUT_UNAUTHORIZED : WM_OUT_UNREACHABLE;
    if (a->status == 410 && on_page)
        return WM_OUT_EXPIRED_PAGE;
    if (a->status == 400 && on_page)
        return WM_OUT_TOKEN;
    if ((a->status == 406 || a->status == 415) && metadata_only)
        return WM_OUT_FORM;
    if ((a->status == 400 || a->status == 422) && (op == WM_OP_STREAM || (op == WM_OP_WATCH && bookmarks)))
        return WM_OUT_OPTION;
    for (size_t i = 0; i < sizeof by_status / sizeof by_status[0]; i++)
        if (by_status[i].status == a->status)
            return by_status[i].outcome;
    if (a->status >= 500 && says_version_ahead(a->body))
        return WM_OUT_AHEAD;
    if (a->status == 504 && op == WM_OP_LIST)
        return WM_OUT_SLOW;
    return a->status >= 500 ? WM_OUT_BUSY : WM_OUT_ODD;
}

static int int_of(struct wm_json_span s)
{
    return s.kind == WM_JSON_NUMBER ? wm_str_digits(s.text, -1) : -1;
}

enum wm_watch_outcome wm_classify_event(struct wm_str status, int *ret_retry_after_s, struct wm_error *err)
{
    static const char *const wanted[] = {"/code", "/reason", "/details/retryAfterSeconds"};
    struct wm_json_span s[3];
    char reason[64];

    *ret_retry_after_s = -1;
    if (wm_json_locate(status, 3, wanted, s, err) < 0)
        return WM_OUT_BROKEN;
    int code = int_of(s[0]);

    wm_status_error(code > 0 ? code : 500, status, "", reason, err);
    *ret_retry_after_s = int_of(s[2]);
    if (code == 410 || wm_json_span_is(s[1], "Expired") || wm_json_span_is(s[1], "Gone"))
        return WM_OUT_EXPIRED;
    if (says_version_ahead(status))
        return WM_OUT_AHEAD;
    if (code == 429)
        return WM_OUT_BUSY;
    return code == 500 || wm_json_span_is(s[1], "InternalError") ? WM_OUT_BROKEN : WM_OUT_ODD;
}
