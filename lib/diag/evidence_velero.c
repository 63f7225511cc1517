/* Volumes that Velero copies. */
#include <stddef.h>

#include "details_impl.h"

#define AT(member) offsetof(struct wm_volume_state, member)

enum { POD, TARGET, SOURCE_PVC, SOURCE_NAMESPACE, VOLUME, UPLOADER, N };

/* A DataUpload names its claim, a DataDownload the claim that it fills
 * (velero pkg/apis/velero/v2alpha1/data_upload_types.go, data_download_types.go). */
static struct wm_json_span claim_of(const struct wm_json_value spec[N])
{
    return wm_is_set(spec[TARGET], "pvc") ? wm_get_span(spec[TARGET], "pvc")
                                          : wm_json_span_of(spec[SOURCE_PVC]);
}

static struct wm_json_span namespace_of(const struct wm_json_value spec[N])
{
    return wm_is_set(spec[POD], "namespace")      ? wm_get_span(spec[POD], "namespace")
           : wm_is_set(spec[TARGET], "namespace") ? wm_get_span(spec[TARGET], "namespace")
                                                  : wm_json_span_of(spec[SOURCE_NAMESPACE]);
}

/* There may be tens of thousands of them: their specs are gone through once. */
void *wm_volume_make(const struct wm_parts *p)
{
    static const struct wm_str keys[N] = {
        [POD] = WM_KEY("pod"),
        [TARGET] = WM_KEY("targetVolume"),
        [SOURCE_PVC] = WM_KEY("sourcePVC"),
        [SOURCE_NAMESPACE] = WM_KEY("sourceNamespace"),
        [VOLUME] = WM_KEY("volume"),
        [UPLOADER] = WM_KEY("uploaderType"),
    };
    struct wm_json_value spec[N];
    struct wm_texts t = WM_TEXTS;
    struct wm_volume_state v;
    wm_uid uid = "";

    if (wm_json_span_is(wm_get_span(p->status, "phase"), "Completed"))
        return NULL;
    wm_json_collect(p->spec, keys, spec, N);
    struct wm_json_span volume = wm_json_span_of(spec[VOLUME]); /* "" is none */

    memset(&v, 0, sizeof v); /* all of it, gaps too: it has a digest */
    if (wm_span_copy(wm_get_span(spec[POD], "uid"), uid, sizeof uid))
        v.pod = wm_id_of(wm_str_of(uid));
    v.accepted_s = wm_time_at(p->status, "acceptedTimestamp");
    wm_texts_line(&t, AT(pod_namespace), namespace_of(spec), WM_WORD_MAX);
    wm_texts_line(&t, AT(pod_name), wm_get_span(spec[POD], "name"), WM_NAME_MAX);
    wm_texts_line(&t, AT(volume), volume.text.n > 2 ? volume : claim_of(spec), WM_NAME_MAX);
    wm_texts_line(&t, AT(uploader), wm_json_span_of(spec[UPLOADER]), WM_WORD_MAX);
    return wm_texts_close(&t, &v, sizeof v);
}
#undef AT
