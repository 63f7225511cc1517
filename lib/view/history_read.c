/* What a stored report remembers.  It may be of an older release, or edited by hand. */
#include "history.h"
#include "waymark/time.h"

static int64_t time_of(struct wm_json_value object, const char *key)
{
    char text[64];
    int64_t t;

    return wm_span_copy(wm_get_span(object, key), text, sizeof text) && wm_time_parse(wm_str_of(text), &t) &&
                   t > 0
               ? t
               : 0;
}

static bool read_moment(struct wm_json_value item, bool is_last, struct wm_moment *m)
{
    wm_word itinerary;

    *m = (struct wm_moment){.from_s = time_of(item, "from"), .to_s = time_of(item, "to")};
    if (!wm_span_copy(wm_get_span(item, "phase"), m->phase, sizeof m->phase))
        return false;
    if (wm_span_copy(wm_get_span(item, "itinerary"), itinerary, sizeof itinerary))
        m->itinerary = wm_itinerary_of(itinerary);
    if (m->to_s < m->from_s)
        m->to_s = 0;
    if (!m->to_s && !is_last)
        m->to_s = WM_ENDED_UNSEEN;
    return true;
}

static void read_timeline(struct wm_json_value status, struct wm_history *h)
{
    struct wm_json_value list = wm_json_get(status, "timeline");
    struct wm_json_span dropped = wm_get_span(status, "timelineOmitted");

    for (struct wm_json_value v = wm_json_first(list), next; v.node; v = next) {
        struct wm_moment m;

        next = wm_json_after(v);
        if (read_moment(v, !next.node, &m))
            wm_history_push(h, &m);
    }
    if (dropped.kind == WM_JSON_NUMBER)
        h->n_dropped += (size_t)wm_str_digits(dropped.text, 0);
}

static void read_lasting(struct wm_json_value list, const char *what, const char *state, const char *since,
                         struct wm_lasting *ret, size_t max)
{
    size_t n = 0;

    for (struct wm_json_value v = wm_json_first(list); v.node && n < max; v = wm_json_after(v)) {
        struct wm_lasting l = {.since_s = time_of(v, since)};

        if (l.since_s && wm_span_copy(wm_get_span(v, what), l.what, sizeof l.what) &&
            wm_span_copy(wm_get_span(v, state), l.state, sizeof l.state))
            ret[n++] = l;
    }
}

static void read_stall(struct wm_json_value stall, struct wm_stall *ret)
{
    if (!wm_span_copy(wm_get_span(stall, "cause"), ret->cause, sizeof ret->cause))
        return;
    wm_span_copy(wm_get_span(stall, "message"), ret->message, sizeof ret->message);
    ret->from_s = time_of(stall, "from");
    ret->to_s = time_of(stall, "to");
}

static void read_status(struct wm_json_value status, struct wm_history *h)
{
    read_timeline(status, h);
    wm_span_copy(wm_get_span(status, "verdict"), h->verdict, sizeof h->verdict);
    h->verdict_since_s = time_of(status, "verdictSince");
    h->progress_s = time_of(status, "lastProgress");
    read_stall(wm_json_get(status, "stall"), &h->stall);
    read_lasting(wm_json_get(status, "clusters"), "name", "sight", "since", h->clusters,
                 WM_REPORT_CLUSTERS_MAX);
    read_lasting(wm_json_get(status, "conditions"), "type", "status", "lastTransitionTime", h->conditions,
                 WM_REPORT_CONDITIONS_MAX);
}

bool wm_history_read(struct wm_history *h, struct wm_str report, const char *uid)
{
    enum { KIND, UID, STATUS, POINTERS };
    static const char *const pointers[POINTERS] = {"/kind", "/spec/migrationRef/uid", "/status"};
    struct wm_json_span at[POINTERS];
    wm_auto_index struct wm_json_index x = {0};

    *h = (struct wm_history){0};
    if (wm_json_locate_indexed(report, POINTERS, pointers, at, UINT64_C(1) << STATUS, &x, NULL) < 0 ||
        !wm_json_span_is(at[KIND], WM_REPORT_KIND) || !wm_json_span_is(at[UID], uid))
        return false;
    read_status(wm_json_root(&x, STATUS), h);
    return true;
}
