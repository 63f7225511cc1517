/* Events as the API server wants them: limits of pkg/apis/core/validation/events.go, which apply to
 * everything that comes by way of events.k8s.io/v1. */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "events_internal.h"
#include "waymark/json.h"
#include "waymark/time.h"

enum { NOTE_MAX = 1024, WORD_MAX = 128, NAME_MAX_ = 253, SOURCE_MAX = 8 << 10 };

/* --- keeping --- */

static const struct {
    size_t at, max;
} fields[] = {
    {offsetof(struct wm_event, regarding.uid), WORD_MAX}, /* first: it differs soonest */
    {offsetof(struct wm_event, regarding.name), NAME_MAX_},
    {offsetof(struct wm_event, regarding.namespace_), NAME_MAX_},
    {offsetof(struct wm_event, regarding.kind), NAME_MAX_},
    {offsetof(struct wm_event, regarding.api_version), NAME_MAX_},
    {offsetof(struct wm_event, related.uid), WORD_MAX},
    {offsetof(struct wm_event, related.name), NAME_MAX_},
    {offsetof(struct wm_event, related.namespace_), NAME_MAX_},
    {offsetof(struct wm_event, related.kind), NAME_MAX_},
    {offsetof(struct wm_event, related.api_version), NAME_MAX_},
    {offsetof(struct wm_event, reason), WORD_MAX},
    {offsetof(struct wm_event, action), WORD_MAX},
    {offsetof(struct wm_event, note), NOTE_MAX},
};
enum { N_FIELDS = sizeof fields / sizeof fields[0] };

static const char **field(struct wm_event *e, size_t i)
{
    return (const char **)(void *)((char *)e + fields[i].at);
}

static const char *value(const struct wm_event *e, size_t i)
{
    const char *z;

    memcpy(&z, (const char *)e + fields[i].at, sizeof z);
    return z ? z : "";
}

/* "https://user:password@host/" -> "https://host/": notes quote what others wrote about repositories. */
static void drop_userinfo(char *z)
{
    for (char *at = strstr(z, "://"); at; at = strstr(at, "://")) {
        size_t n = strcspn(at += 3, "/?# \t\r\n\"'<>"), keep = n;

        while (keep > 0 && at[keep - 1] != '@')
            keep--;
        memmove(at, at + keep, strlen(at + keep) + 1);
    }
}

static void clean(const char *from, char *out, size_t size)
{
    wm_auto_buf struct wm_buf quoted = WM_BUF_MAX(8 * SOURCE_MAX), text = WM_BUF_MAX(4 * SOURCE_MAX);
    struct wm_str s = wm_str_of(from);

    if (s.n > SOURCE_MAX)
        s.n = SOURCE_MAX;
    /* there and back again: what is no UTF-8 becomes U+FFFD before it is measured, not behind */
    wm_json_quote(&quoted, s);
    wm_json_unescape((struct wm_json_span){WM_JSON_STRING, wm_buf_text(&quoted)}, &text, NULL);
    if (text.n > 0)
        drop_userinfo(text.p);
    wm_line_copy(out, size, wm_str_of(text.p ? text.p : ""));
}

struct wm_event_kept *wm_event_keep(const struct wm_event *e, struct wm_event_now now)
{
    wm_auto_buf struct wm_buf text = WM_BUF_MAX(16 << 10);
    struct wm_event from = *e;
    size_t at[N_FIELDS];

    if (!from.action || !*from.action)
        from.action = from.reason;
    for (size_t i = 0; i < N_FIELDS; i++) {
        char line[NOTE_MAX + 1];

        at[i] = text.n;
        clean(value(&from, i), line, fields[i].max + 1);
        wm_buf_add(&text, line, strlen(line) + 1);
    }
    struct wm_event_kept *k = wm_xcalloc(1, sizeof *k + text.n);

    k->at = now;
    k->event.warning = e->warning;
    k->event.once = e->once;
    memcpy(k->text, text.p, text.n);
    for (size_t i = 0; i < N_FIELDS; i++)
        *field(&k->event, i) = k->text + at[i];
    return k;
}

bool wm_event_same(const struct wm_event *a, const struct wm_event *b)
{
    for (size_t i = 0; i < N_FIELDS; i++)
        if (strcmp(value(a, i), value(b, i)) != 0)
            return false;
    return a->warning == b->warning && a->once == b->once;
}

bool wm_event_same_object(const struct wm_event_object *a, const struct wm_event_object *b)
{
    return strcmp(a->uid, b->uid) == 0 && strcmp(a->name, b->name) == 0 &&
           strcmp(a->namespace_, b->namespace_) == 0 && strcmp(a->kind, b->kind) == 0 &&
           strcmp(a->api_version, b->api_version) == 0;
}

/* --- names --- */

static bool is_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* A DNS subdomain: letters and digits, and between any two of them "-"s or one "."; not only by length, since
 * names of some kinds (Roles) may be anything. */
static bool is_subdomain(const char *z, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        bool edge = i == 0 || i == n - 1 || z[i - 1] == '.' || z[i + 1] == '.';

        if (!is_alnum(z[i]) && (edge || (z[i] != '-' && z[i] != '.')))
            return false;
    }
    return n > 0;
}

void wm_event_name(const struct wm_event *e, int64_t ns, char out[static WM_EVENT_NAME_MAX + 1])
{
    char suffix[24];
    int room = WM_EVENT_NAME_MAX - snprintf(suffix, sizeof suffix, ".%llx", (unsigned long long)ns);
    int n = (int)strlen(e->regarding.name);

    n = n < room ? n : room;
    while (n > 0 && !is_alnum(e->regarding.name[n - 1]))
        n--;
    if (is_subdomain(e->regarding.name, (size_t)n))
        snprintf(out, WM_EVENT_NAME_MAX + 1, "%.*s%s", n, e->regarding.name, suffix);
    else
        snprintf(out, WM_EVENT_NAME_MAX + 1, "event%s", suffix);
}

const char *wm_event_namespace(const struct wm_event *e, bool system)
{
    const char *z = e->regarding.namespace_;

    /* it becomes a part of a path, and the object may be another cluster's: nothing odd gets in */
    if (is_subdomain(z, strlen(z)))
        return z;
    return system ? "kube-system" : "default";
}

void wm_event_put_path(const struct wm_event_telling *t, bool with_name, struct wm_buf *out)
{
    static const char *const roots[] = {"/apis/events.k8s.io/v1", "/api/v1"};

    wm_buf_printf(out, "%s/namespaces/%s/events", roots[t->api], t->namespace_);
    if (with_name)
        wm_buf_printf(out, "/%s", t->name);
}

/* --- JSON --- */

static void put_string(struct wm_buf *out, const char *key, const char *z)
{
    wm_buf_printf(out, ",\"%s\":", key);
    wm_json_quote(out, wm_str_of(z));
}

static void put_object(struct wm_buf *out, const char *key, const struct wm_event_object *o)
{
    const struct {
        const char *key, *value;
    } members[] = {
        {"apiVersion", o->api_version}, {"namespace", o->namespace_}, {"name", o->name}, {"uid", o->uid}};

    wm_buf_printf(out, ",\"%s\":{\"kind\":", key);
    wm_json_quote(out, wm_str_of(o->kind));
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
        if (*members[i].value)
            put_string(out, members[i].key, members[i].value);
    wm_buf_puts(out, "}");
}

static void put_series(const struct wm_event_telling *t, struct wm_buf *out)
{
    char last[32];

    wm_time_format_us(t->last_us, last);
    wm_buf_printf(out, "\"series\":{\"count\":%d,\"lastObservedTime\":\"%s\"}", t->count, last);
}

static void put_last(const struct wm_event_telling *t, struct wm_buf *out)
{
    char last[32];

    wm_time_print(t->last_us / 1000000, last);
    wm_buf_printf(out, "\"count\":%d,\"lastTimestamp\":\"%s\"", t->count, last);
}

/* How often, when, and by whom, as events.k8s.io/v1 has it; its deprecated fields must be unset. */
static void put_v1(const struct wm_event_telling *t, struct wm_buf *out)
{
    char first[32];

    wm_time_format_us(t->first_us, first);
    put_string(out, "eventTime", first);
    put_string(out, "reportingController", t->controller);
    put_string(out, "note", t->event->note);
    put_object(out, "regarding", &t->event->regarding);
    if (t->count > 1) {
        wm_buf_puts(out, ",");
        put_series(t, out);
    }
}

/* The same as client-go's old recorder had it. */
static void put_core(const struct wm_event_telling *t, struct wm_buf *out)
{
    char first[32];

    wm_time_print(t->first_us / 1000000, first);
    put_string(out, "firstTimestamp", first);
    wm_buf_puts(out, ",");
    put_last(t, out);
    wm_buf_puts(out, ",\"source\":{\"component\":");
    wm_json_quote(out, wm_str_of(t->controller));
    wm_buf_puts(out, "}");
    put_string(out, "reportingComponent", t->controller);
    put_string(out, "message", t->event->note);
    put_object(out, "involvedObject", &t->event->regarding);
}

void wm_event_put(const struct wm_event_telling *t, struct wm_buf *out)
{
    wm_buf_printf(out, "{\"kind\":\"Event\",\"apiVersion\":\"%s\",\"metadata\":{\"name\":\"%s\"",
                  t->api == WM_EVENTS_V1 ? "events.k8s.io/v1" : "v1", t->name);
    put_string(out, "namespace", t->namespace_);
    wm_buf_puts(out, "}");
    put_string(out, "type", t->event->warning ? "Warning" : "Normal");
    put_string(out, "reason", t->event->reason);
    put_string(out, "action", t->event->action);
    put_string(out, "reportingInstance", t->instance);
    if (*t->event->related.kind)
        put_object(out, "related", &t->event->related);
    (t->api == WM_EVENTS_V1 ? put_v1 : put_core)(t, out);
    wm_buf_puts(out, "}");
}

void wm_event_put_patch(const struct wm_event_telling *t, struct wm_buf *out)
{
    wm_buf_puts(out, "{");
    (t->api == WM_EVENTS_V1 ? put_series : put_last)(t, out);
    wm_buf_puts(out, "}");
}
