/* Volumes that Velero copies. */
#include <stddef.h>

#include "details_impl.h"

#define AT(member) offsetof(struct wm_volume_state, member)

/* A DataUpload names its claim, a DataDownload the claim that it fills
 * (velero pkg/apis/velero/v2alpha1/data_upload_types.go, data_download_types.go). */
static struct wm_json_span claim_of(const struct wm_parts *p)
{
    struct wm_json_value target = wm_json_get(p->spec, "targetVolume");

    return wm_is_set(target, "pvc") ? wm_get_span(target, "pvc") : wm_get_span(p->spec, "sourcePVC");
}

static struct wm_json_span namespace_of(const struct wm_parts *p)
{
    struct wm_json_value pod = wm_json_get(p->spec, "pod"), target = wm_json_get(p->spec, "targetVolume");

    return wm_is_set(pod, "namespace")      ? wm_get_span(pod, "namespace")
           : wm_is_set(target, "namespace") ? wm_get_span(target, "namespace")
                                            : wm_get_span(p->spec, "sourceNamespace");
}

void *wm_volume_make(const struct wm_parts *p)
{
    struct wm_json_value pod = wm_json_get(p->spec, "pod");
    struct wm_texts t = WM_TEXTS;
    struct wm_volume_state v;
    wm_uid uid = "";

    if (wm_json_span_is(wm_get_span(p->status, "phase"), "Completed"))
        return NULL;
    memset(&v, 0, sizeof v); /* all of it, gaps too: it has a digest */
    if (wm_span_copy(wm_get_span(pod, "uid"), uid, sizeof uid))
        v.pod = wm_id_of(wm_str_of(uid));
    v.accepted_s = wm_time_at(p->status, "acceptedTimestamp");
    wm_texts_line(&t, AT(pod_namespace), namespace_of(p), WM_WORD_MAX);
    wm_texts_line(&t, AT(pod_name), wm_get_span(pod, "name"), WM_NAME_MAX);
    wm_texts_line(&t, AT(volume), wm_is_set(p->spec, "volume") ? wm_get_span(p->spec, "volume") : claim_of(p),
                  WM_NAME_MAX);
    wm_texts_line(&t, AT(uploader), wm_get_span(p->spec, "uploaderType"), WM_WORD_MAX);
    return wm_texts_close(&t, &v, sizeof v);
}
#undef AT
