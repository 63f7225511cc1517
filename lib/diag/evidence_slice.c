/* EndpointSlices: to which pods a Service leads. */
#include <stddef.h>

#include "details_impl.h"
#include "waymark/time.h"

#define AT(member) offsetof(struct wm_slice_state, member)

static const char TRIGGERED[] = "endpoints.kubernetes.io/last-change-trigger-time";

/* The time of its last write, which only its controller does.  API servers before 1.18 do not note that, and
 * people leave it out of dumps: then that of the change of a pod that it followed, which is a little before.
 */
static int64_t changed_of(struct wm_json_value metadata)
{
    int64_t s = 0;

    for (struct wm_json_value v = wm_json_first(wm_json_get(metadata, "managedFields")); v.node;
         v = wm_json_after(v))
        s = wm_later(s, wm_time_at(v, "time"));
    return s ? s : wm_time_at(wm_json_get(metadata, "annotations"), TRIGGERED);
}

/* Not told is ready; terminating is told since Kubernetes 1.20, by some (kubernetes
 * staging/src/k8s.io/api/discovery/v1/types.go). */
static bool is_called(struct wm_json_value endpoint)
{
    struct wm_json_value conditions = wm_json_get(endpoint, "conditions");

    return wm_get_span(conditions, "ready").kind != WM_JSON_FALSE && !wm_is_true(conditions, "terminating");
}

static struct wm_id pod_of(struct wm_json_value endpoint)
{
    struct wm_json_value target = wm_json_get(endpoint, "targetRef");
    wm_uid uid;

    if (!wm_json_span_is(wm_get_span(target, "kind"), "Pod") ||
        !wm_span_copy(wm_get_span(target, "uid"), uid, sizeof uid))
        return (struct wm_id){0};
    return wm_id_of(wm_str_of(uid));
}

void *wm_slice_make(const struct wm_parts *p)
{
    struct wm_json_value metadata = wm_json_get(p->self, "metadata");
    struct wm_texts t;
    struct wm_slice_state s;

    wm_texts_begin(&t, &s, sizeof s);
    s.changed_s = changed_of(metadata);
    for (struct wm_json_value v = wm_json_first(wm_json_get(p->self, "endpoints")); v.node;
         v = wm_json_after(v)) {
        if (!is_called(v))
            continue;
        if (s.ready < WM_SLICE_PODS_MAX)
            s.pods[s.ready] = pod_of(v);
        s.ready++;
    }
    wm_texts_line(&t, AT(service), wm_get_span(wm_json_get(metadata, "labels"), "kubernetes.io/service-name"),
                  WM_NAME_MAX);
    return wm_texts_close(&t, &s, sizeof s);
}
#undef AT
