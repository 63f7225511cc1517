/* Claims, classes and attachments of volumes, and nodes. */
#include <stddef.h>
#include <stdio.h>

#include "details_impl.h"
#include "waymark/quantity.h"

enum { MESSAGE_MAX_N = 384 };

/* --- claims --- */

#define AT(member) offsetof(struct wm_claim_state, member)

unsigned wm_access_mode_of(struct wm_json_span mode)
{
    static const struct {
        const char *name;
        enum wm_access_mode mode;
    } modes[] = {
        {"ReadWriteOnce", WM_ACCESS_RWO},
        {"ReadOnlyMany", WM_ACCESS_ROX},
        {"ReadWriteMany", WM_ACCESS_RWX},
        {"ReadWriteOncePod", WM_ACCESS_RWOP},
    };

    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++)
        if (wm_json_span_is(mode, modes[i].name))
            return modes[i].mode;
    return 0;
}

static unsigned modes_of(struct wm_json_value list)
{
    unsigned bits = 0;

    for (struct wm_json_value v = wm_json_first(list); v.node; v = wm_json_after(v))
        bits |= wm_access_mode_of(wm_json_span_of(v));
    return bits;
}

static bool has_item(struct wm_json_value list, const char *text)
{
    for (struct wm_json_value v = wm_json_first(list); v.node; v = wm_json_after(v))
        if (wm_json_span_is(wm_json_span_of(v), text))
            return true;
    return false;
}

/* The annotation came before the member, and still wins where it is set (volume.beta.kubernetes.io). */
static struct wm_json_span class_of(const struct wm_parts *p)
{
    struct wm_json_span s = wm_get_span(p->annotations, "volume.beta.kubernetes.io/storage-class");

    return s.kind == WM_JSON_STRING ? s : wm_get_span(p->spec, "storageClassName");
}

void *wm_claim_make(const struct wm_parts *p)
{
    struct wm_json_value requests = wm_json_get(wm_json_get(p->spec, "resources"), "requests");
    struct wm_texts t;
    struct wm_claim_state c;

    wm_texts_begin(&t, &c, sizeof c);
    c.access_modes = modes_of(wm_json_get(p->spec, "accessModes"));
    c.class_set = class_of(p).kind == WM_JSON_STRING;
    c.in_use_protected = has_item(p->finalizers, "kubernetes.io/pvc-protection");
    c.vm_storage = wm_json_span_is(wm_get_span(p->labels, "virtrigaud.io/component"), "migration-storage");
    c.restored = wm_is_set(p->labels, "velero.io/restore-name");
    c.requested = wm_quantity_bytes(wm_json_plain(wm_json_get(requests, "storage")));
    c.going_s = wm_time_in(p->going);
    wm_texts_line(&t, AT(storage_class), class_of(p), WM_NAME_MAX);
    wm_texts_line(&t, AT(volume), wm_get_span(p->spec, "volumeName"), WM_NAME_MAX);
    wm_texts_line(&t, AT(node), wm_get_span(p->annotations, "volume.kubernetes.io/selected-node"),
                  WM_NAME_MAX);
    wm_texts_line(&t, AT(vm_migration), wm_get_span(p->labels, "virtrigaud.io/migration"), WM_NAME_MAX);
    return wm_texts_close(&t, &c, sizeof c);
}
#undef AT

/* --- classes --- */

void *wm_class_make(const struct wm_parts *p)
{
    struct wm_json_value notes = wm_json_get(wm_json_get(p->self, "metadata"), "annotations");
    struct wm_texts t;
    struct wm_class_state c;

    wm_texts_begin(&t, &c, sizeof c);
    c.waits_for_consumer = wm_json_span_is(wm_get_span(p->self, "volumeBindingMode"), "WaitForFirstConsumer");
    c.is_default =
        wm_json_span_is(wm_get_span(notes, "storageclass.kubernetes.io/is-default-class"), "true") ||
        wm_json_span_is(wm_get_span(notes, "storageclass.beta.kubernetes.io/is-default-class"), "true");
    wm_texts_line(&t, offsetof(struct wm_class_state, provisioner), wm_get_span(p->self, "provisioner"),
                  WM_NAME_MAX);
    return wm_texts_close(&t, &c, sizeof c);
}

/* --- attachments --- */

#define AT(member) offsetof(struct wm_attachment_state, member)
void *wm_attachment_make(const struct wm_parts *p)
{
    struct wm_json_value error = wm_json_get(p->status, "attachError");
    struct wm_texts t;
    struct wm_attachment_state a;

    if (!wm_is_set(error, "message"))
        error = wm_json_get(p->status, "detachError");
    wm_texts_begin(&t, &a, sizeof a);
    a.attached = wm_is_true(p->status, "attached");
    a.going_s = wm_time_in(p->going);
    a.error_s = wm_time_at(error, "time");
    wm_texts_line(&t, AT(attacher), wm_get_span(p->spec, "attacher"), WM_NAME_MAX);
    wm_texts_line(&t, AT(node), wm_get_span(p->spec, "nodeName"), WM_NAME_MAX);
    wm_texts_line(&t, AT(volume), wm_get_span(wm_json_get(p->spec, "source"), "persistentVolumeName"),
                  WM_NAME_MAX);
    wm_texts_line(&t, AT(error), wm_get_span(error, "message"), MESSAGE_MAX_N);
    return wm_texts_close(&t, &a, sizeof a);
}
#undef AT

/* --- nodes --- */

#define AT(member) offsetof(struct wm_node_state, member)

static const char *const gone_taints[] = {"node.kubernetes.io/unreachable", "node.kubernetes.io/not-ready"};

static void put_taints(struct wm_texts *t, struct wm_json_value list, struct wm_node_state *n)
{
    char text[WM_NOTE_MAX + 1], part[WM_NOTE_MAX + 1];
    wm_auto_buf struct wm_buf all = WM_BUF_MAX(WM_TEXT_ROOM);

    for (struct wm_json_value v = wm_json_first(list); v.node; v = wm_json_after(v)) {
        struct wm_json_span key = wm_get_span(v, "key"), effect = wm_get_span(v, "effect");

        for (size_t i = 0; i < sizeof gone_taints / sizeof gone_taints[0]; i++)
            n->unreachable |= wm_json_span_is(key, gone_taints[i]);
        if (key.kind != WM_JSON_STRING || wm_json_span_is(effect, "PreferNoSchedule"))
            continue;
        wm_json_line(key, part, sizeof part);
        wm_buf_printf(&all, "%s%s", all.n ? ", " : "", part);
        wm_json_line(wm_get_span(v, "value"), part, sizeof part);
        wm_buf_printf(&all, "%s%s", part[0] ? "=" : "", part);
        wm_json_line(effect, part, sizeof part);
        wm_buf_printf(&all, ":%s", part);
    }
    wm_line_copy(text, sizeof text, wm_buf_text(&all));
    wm_texts_put(t, AT(taints), wm_str_of(text));
}

void *wm_node_make(const struct wm_parts *p)
{
    struct wm_json_value ready = wm_any_condition(p->status, "Ready");
    struct wm_json_span status = wm_get_span(ready, "status");
    struct wm_texts t;
    struct wm_node_state n;

    wm_texts_begin(&t, &n, sizeof n);
    n.ready = wm_json_span_is(status, "True");
    n.ready_known = n.ready || wm_json_span_is(status, "False");
    n.unschedulable = wm_is_true(p->spec, "unschedulable");
    n.ready_s = wm_time_at(ready, "lastTransitionTime");
    put_taints(&t, wm_json_get(p->spec, "taints"), &n);
    wm_texts_line(&t, AT(reason), wm_get_span(ready, "reason"), WM_WORD_MAX);
    wm_texts_line(&t, AT(message), wm_get_span(ready, "message"), MESSAGE_MAX_N);
    return wm_texts_close(&t, &n, sizeof n);
}
