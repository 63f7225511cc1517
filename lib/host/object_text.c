#include "waymark/object_text.h"

#include "waymark/json_index.h"
#include "waymark/yaml_objects.h"
#include "yaml_place.h"

enum { LISTS_MAX = 16, PRINTED_MAX = 64 << 20 };

struct reading {
    struct wm_str text;
    const char *name;
    const struct wm_object_sink *sink;
    const struct wm_yaml *yaml; /* the document; NULL = the text is JSON */
    struct wm_buf printed;
};

/* --- places --- */

static void place_at(const struct reading *r, const char *at, struct wm_error *err)
{
    unsigned line = 1, column = 1;

    for (const char *p = r->text.p; p < at; p++) {
        column = *p == '\n' ? 1 : column + 1;
        line += *p == '\n';
    }
    wm_yaml_format_place(r->name, line, column, err->where);
}

static void fail(const struct reading *r, const struct wm_error *err)
{
    r->sink->failed(r->sink->ctx, err);
}

/* The reader of JSON knows the byte, and says so in its message. */
static void fail_json(const struct reading *r, struct wm_error *err)
{
    place_at(r, r->text.p, err);
    fail(r, err);
}

/* --- JSON --- */

struct head {
    struct wm_json_span api_version, kind, items;
};

static struct head head_of(struct wm_json_span object)
{
    static const struct {
        const char *key;
        size_t at;
    } members[] = {{"apiVersion", offsetof(struct head, api_version)},
                   {"kind", offsetof(struct head, kind)},
                   {"items", offsetof(struct head, items)}};
    struct head h = {0};

    for (struct wm_json_iter it = wm_json_iter(object); wm_json_next(&it);)
        for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
            if (wm_json_span_is(it.key, members[i].key))
                *(struct wm_json_span *)(void *)((char *)&h + members[i].at) = it.value;
    return h;
}

/* Between its quotes: names of kinds have no escapes. */
static struct wm_str plain(struct wm_json_span s, struct wm_str otherwise)
{
    return s.kind == WM_JSON_STRING && s.text.n > 2 ? (struct wm_str){s.text.p + 1, s.text.n - 2} : otherwise;
}

static void take_json(struct reading *r, struct wm_json_span object, struct wm_str api_version,
                      struct wm_str kind)
{
    const struct wm_object_sink *sink = r->sink;
    int wanted = sink->wanted(sink->ctx, api_version, kind);
    struct wm_error err = {0};

    if (!wanted || sink->object(sink->ctx, wanted, object.text, &err) >= 0)
        return;
    place_at(r, object.text.p, &err);
    fail(r, &err);
}

static void read_json(struct reading *r, struct wm_json_span top)
{
    struct rest {
        struct wm_json_iter items;
        struct wm_str api_version, kind;
    } lists[LISTS_MAX];
    struct wm_str none = {"", 0};
    struct wm_json_span object = top;
    struct rest implied = {.api_version = none, .kind = none};
    size_t depth = 0;

    for (;;) {
        struct head h = head_of(object);
        struct wm_str api_version = plain(h.api_version, implied.api_version);
        struct wm_str kind = plain(h.kind, implied.kind);
        int n = h.items.kind == WM_JSON_ARRAY ? wm_list_of(kind) : -1;

        if (n >= 0 && depth < LISTS_MAX)
            lists[depth++] = (struct rest){wm_json_iter(h.items), n > 0 ? api_version : none,
                                           n > 0 ? (struct wm_str){kind.p, (size_t)n} : none};
        else if (object.kind == WM_JSON_OBJECT)
            take_json(r, object, api_version, kind);
        while (depth && !wm_json_next(&lists[depth - 1].items))
            depth--;
        if (!depth)
            return;
        implied = lists[depth - 1];
        object = implied.items.value;
    }
}

/* --- YAML --- */

static void take_yaml(void *ctx, const cJSON *object, const char *api_version, const char *kind)
{
    struct reading *r = ctx;
    const struct wm_object_sink *sink = r->sink;
    int wanted = sink->wanted(sink->ctx, wm_str_of(api_version), wm_str_of(kind));
    struct wm_error err = {0};

    if (!wanted)
        return;
    wm_buf_clear(&r->printed);
    if (wm_json_print(object, &r->printed, &err) >= 0 &&
        sink->object(sink->ctx, wanted, wm_buf_text(&r->printed), &err) >= 0)
        return;
    struct wm_error placed = {0};

    wm_yaml_fail(r->yaml, object, &placed, "%s", err.msg);
    fail(r, &placed);
}

static void read_yaml(struct reading *r)
{
    wm_auto_yaml_reader struct wm_yaml_reader *reader = NULL;
    struct wm_error err = {0};
    int rc = wm_yaml_open(r->text, r->name, WM_OBJECT_YAML_MAX, &reader, &err);

    while (rc >= 0) {
        wm_auto_yaml struct wm_yaml *y = NULL;

        rc = wm_yaml_next(reader, &y, &err);
        if (rc <= 0)
            break;
        r->yaml = y;
        wm_yaml_each_object(y, take_yaml, r);
    }
    if (rc < 0)
        fail(r, &err);
}

/* --- which --- */

static bool begins_as_json(struct wm_str text)
{
    size_t i = 0;

    while (i < text.n && strchr(" \t\r\n", text.p[i]))
        i++;
    return i < text.n && text.p[i] == '{';
}

/* What only begins as JSON may be YAML, and is when it is not too long for it. */
void wm_objects_read(struct wm_str text, const char *name, const struct wm_object_sink *sink)
{
    struct reading r = {.text = text, .name = name, .sink = sink, .printed = WM_BUF_MAX(PRINTED_MAX)};
    static const char *const whole[] = {""};
    struct wm_json_span top[1];
    struct wm_error err = {0};

    if (!begins_as_json(text) ||
        (wm_json_locate(text, 1, whole, top, &err) < 0 && text.n <= WM_OBJECT_YAML_MAX))
        read_yaml(&r);
    else if (err.code != WM_OK)
        fail_json(&r, &err);
    else
        read_json(&r, top[0]);
    wm_buf_done(&r.printed);
}
