/* States with texts behind them, and how they are looked at. */
#include "waymark/evidence.h"

#include <assert.h>
#include <stdlib.h>

#include "details_impl.h"
#include "waymark/time.h"

int wm_number_at(struct wm_json_value object, const char *key)
{
    struct wm_json_span s = wm_get_span(object, key);

    return s.kind == WM_JSON_NUMBER ? wm_str_digits(s.text, 0) : 0;
}

int64_t wm_time_in(struct wm_json_span s)
{
    int64_t t;

    return s.kind == WM_JSON_STRING && wm_time_parse((struct wm_str){s.text.p + 1, s.text.n - 2}, &t) && t > 0
               ? t
               : 0;
}

int64_t wm_time_at(struct wm_json_value object, const char *key)
{
    return wm_time_in(wm_get_span(object, key));
}

struct wm_json_value wm_any_condition(struct wm_json_value status, const char *type)
{
    for (struct wm_json_value v = wm_json_first(wm_json_get(status, "conditions")); v.node;
         v = wm_json_after(v))
        if (wm_json_span_is(wm_get_span(v, "type"), type))
            return v;
    return (struct wm_json_value){0};
}

bool wm_condition_holds(struct wm_json_value condition)
{
    return wm_json_span_is(wm_get_span(condition, "status"), "True");
}

void wm_line_at(struct wm_json_value object, const char *key, char *out, size_t size)
{
    struct wm_json_span s = wm_get_span(object, key);

    out[0] = '\0';
    if (s.kind == WM_JSON_STRING)
        wm_json_line(s, out, size);
}

/* --- texts --- */

void wm_texts_begin(struct wm_texts *t, void *head, size_t size)
{
    memset(head, 0, size);
    t->n = t->used = 0;
    t->full = false;
}

void wm_texts_put(struct wm_texts *t, size_t member, struct wm_str text)
{
    assert(t->n < WM_TEXTS_MAX); /* how many a state has does not depend on the object */
    t->list[t->n].member = member;
    t->list[t->n++].at = t->used;
    t->full |= text.n >= sizeof t->room - t->used;
    if (t->full)
        return;
    memcpy(t->room + t->used, text.p, text.n);
    t->room[t->used + text.n] = '\0';
    t->used += text.n + 1;
}

void wm_texts_line(struct wm_texts *t, size_t member, struct wm_json_span value, size_t max)
{
    char line[WM_NOTE_MAX + 1];

    wm_json_line(value, line, max < WM_NOTE_MAX ? max + 1 : sizeof line);
    wm_texts_put(t, member, wm_str_of(line));
}

void *wm_texts_close(struct wm_texts *t, const void *head, size_t size)
{
    struct wm_str texts = {t->room, t->used};
    uint64_t digest = wm_str_digest(texts, wm_str_digest((struct wm_str){head, size}, size));
    char *made = wm_xcalloc(1, size + texts.n + 1); /* for what found no room: "" */

    memcpy(made, head, size);
    memcpy(made, &digest, sizeof digest);
    memcpy(made + size, texts.p, texts.n);
    for (size_t i = 0; i < t->n; i++) {
        const char *text = made + size + t->list[i].at;

        memcpy(made + t->list[i].member, &text, sizeof text);
    }
    return made;
}

/* --- looking --- */

const char *wm_pod_claim(const struct wm_pod_state *pod, int i)
{
    const char *name = pod->claims;

    if (i < 0 || i >= pod->n_claims)
        return "";
    while (i-- > 0)
        name += strlen(name) + 1;
    return name;
}

bool wm_pod_mounts(const struct wm_pod_state *pod, const char *claim)
{
    for (int i = 0; i < pod->n_claims; i++)
        if (strcmp(wm_pod_claim(pod, i), claim) == 0)
            return true;
    return false;
}

/* Of a record without its state: there is nothing to tell. */
#define STATE_OF(fn, type, of_kind, ...)                                                                     \
    const struct type *fn(const struct wm_record *r)                                                         \
    {                                                                                                        \
        static const struct type nothing = {__VA_ARGS__};                                                    \
        return r->detail && r->kind == (of_kind) ? r->detail : &nothing;                                     \
    }
STATE_OF(wm_event_of, wm_event_state, WM_KIND_EVENT, .reason = "", .message = "", .kind = "",
         .namespace_ = "", .name = "", .component = "")
STATE_OF(wm_pod_of, wm_pod_state, WM_KIND_POD, .claims = "", .workload = "", .template_ = "")
STATE_OF(wm_claim_of, wm_claim_state, WM_KIND_PVC, .requested = -1, .storage_class = "", .volume = "",
         .node = "", .vm_migration = "")
STATE_OF(wm_class_of, wm_class_state, WM_KIND_STORAGECLASS, .provisioner = "")
STATE_OF(wm_attachment_of, wm_attachment_state, WM_KIND_ATTACHMENT, .attacher = "", .node = "", .volume = "",
         .error = "")
STATE_OF(wm_server_of, wm_server_state, WM_KIND_DEPLOYMENT, .reason = "", .message = "", .progress = "",
         .failure = "", .provider = "", .template_ = {.claims = "", .image = ""})
STATE_OF(wm_replicas_of, wm_replicas_state, WM_KIND_REPLICASET, .hash = "", .failure = "",
         .template_ = {.claims = "", .image = ""})
STATE_OF(wm_slice_of, wm_slice_state, WM_KIND_ENDPOINTSLICE, .service = "")
STATE_OF(wm_provider_of, wm_provider_state, WM_KIND_PROVIDER, .uid = "", .type = "", .image = "",
         .reason = "", .message = "")
STATE_OF(wm_machine_of, wm_machine_state, WM_KIND_MACHINE, .provider = "", .provider_namespace = "",
         .power = "", .reason = "", .message = "")
STATE_OF(wm_node_of, wm_node_state, WM_KIND_NODE, .reason = "", .message = "", .taints = "")

const struct wm_volume_state *wm_volume_of(const struct wm_record *r)
{
    static const struct wm_volume_state nothing = {
        .pod_namespace = "", .pod_name = "", .volume = "", .uploader = ""};

    return r->detail && r->kind >= WM_KIND_PVB && r->kind <= WM_KIND_DATADOWNLOAD ? r->detail : &nothing;
}
