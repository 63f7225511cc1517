/* Volumes that Velero copies. */
#include <stddef.h>

#include "details_impl.h"

#define AT(member) offsetof(struct wm_volume_state, member)

enum { POD, TARGET, SOURCE_PVC, SOURCE_NAMESPACE, VOLUME, UPLOADER, N };
enum { NAME, NAMESPACE, UID, N_POD };

static struct wm_json_span set_or(struct wm_json_span s, struct wm_json_span otherwise)
{
    return s.kind == WM_JSON_STRING && s.text.n > 2 ? s : otherwise;
}

/* A DataUpload names its claim, a DataDownload the claim that it fills
 * (velero pkg/apis/velero/v2alpha1/data_upload_types.go, data_download_types.go). */
static struct wm_json_span claim_of(const struct wm_json_value spec[N])
{
    return set_or(wm_get_span(spec[TARGET], "pvc"), wm_json_span_of(spec[SOURCE_PVC]));
}

static struct wm_json_span namespace_of(const struct wm_json_value spec[N],
                                        const struct wm_json_value pod[N_POD])
{
    struct wm_json_span of_claim =
        set_or(wm_get_span(spec[TARGET], "namespace"), wm_json_span_of(spec[SOURCE_NAMESPACE]));

    return set_or(wm_json_span_of(pod[NAMESPACE]), of_claim);
}

/* There may be tens of thousands of them: a spec and its pod are gone through once. */
void *wm_volume_make(const struct wm_parts *p)
{
    static const struct wm_str keys[N] = {
        [POD] = WM_STR("pod"),
        [TARGET] = WM_STR("targetVolume"),
        [SOURCE_PVC] = WM_STR("sourcePVC"),
        [SOURCE_NAMESPACE] = WM_STR("sourceNamespace"),
        [VOLUME] = WM_STR("volume"),
        [UPLOADER] = WM_STR("uploaderType"),
    };
    static const struct wm_str pod_keys[N_POD] = {
        [NAME] = WM_STR("name"),
        [NAMESPACE] = WM_STR("namespace"),
        [UID] = WM_STR("uid"),
    };
    struct wm_json_value spec[N], pod[N_POD];
    struct wm_texts t;
    struct wm_volume_state v;
    wm_uid uid = "";

    if (wm_json_span_is(wm_get_span(p->status, "phase"), "Completed"))
        return NULL;
    wm_json_collect(p->spec, keys, spec, N);
    wm_json_collect(spec[POD], pod_keys, pod, N_POD);
    struct wm_json_span volume = wm_json_span_of(spec[VOLUME]); /* "" is none */

    wm_texts_begin(&t, &v, sizeof v);
    if (wm_span_copy(wm_json_span_of(pod[UID]), uid, sizeof uid))
        v.pod = wm_id_of(wm_str_of(uid));
    v.accepted_s = wm_time_at(p->status, "acceptedTimestamp");
    wm_texts_line(&t, AT(pod_namespace), namespace_of(spec, pod), WM_WORD_MAX);
    wm_texts_line(&t, AT(pod_name), wm_json_span_of(pod[NAME]), WM_NAME_MAX);
    wm_texts_line(&t, AT(volume), volume.text.n > 2 ? volume : claim_of(spec), WM_NAME_MAX);
    wm_texts_line(&t, AT(uploader), wm_json_span_of(spec[UPLOADER]), WM_WORD_MAX);
    return wm_texts_close(&t, &v, sizeof v);
}
#undef AT
