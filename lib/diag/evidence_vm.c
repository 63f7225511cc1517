/* VirtRigaud's Providers and VirtualMachines. */
#include <stddef.h>

#include "details_impl.h"

enum { MESSAGE_MAX_N = 384 };

/* --- Provider --- */

#define AT(member) offsetof(struct wm_provider_state, member)
void *wm_provider_make(const struct wm_parts *p)
{
    struct wm_json_value runtime = wm_any_condition(p->status, "ProviderRuntimeReady");
    struct wm_texts t;
    struct wm_provider_state s;

    wm_texts_begin(&t, &s, sizeof s);
    s.available = wm_condition_is_true(p->status, "ProviderAvailable");
    s.runtime_known = runtime.node != 0;
    s.runtime_ready = wm_condition_holds(runtime);
    s.runtime_s = wm_time_at(runtime, "lastTransitionTime");
    wm_texts_line(&t, AT(uid), p->uid, sizeof(wm_uid) - 1);
    wm_texts_line(&t, AT(type), wm_get_span(p->spec, "type"), WM_WORD_MAX);
    wm_texts_line(&t, AT(image), wm_get_span(wm_json_get(p->spec, "runtime"), "image"), MESSAGE_MAX_N);
    wm_texts_line(&t, AT(reason), wm_get_span(runtime, "reason"), WM_WORD_MAX);
    wm_texts_line(&t, AT(message), wm_get_span(runtime, "message"), MESSAGE_MAX_N);
    return wm_texts_close(&t, &s, sizeof s);
}
#undef AT

/* --- VirtualMachine --- */

#define AT(member) offsetof(struct wm_machine_state, member)
void *wm_machine_make(const struct wm_parts *p)
{
    struct wm_json_value ready = wm_any_condition(p->status, "Ready"),
                         provider = wm_json_get(p->spec, "providerRef");
    struct wm_texts t;
    struct wm_machine_state s;

    wm_texts_begin(&t, &s, sizeof s);
    s.has_id = wm_is_set(p->status, "id");
    s.ready_known = ready.node != 0;
    s.ready = wm_condition_holds(ready);
    s.ready_s = wm_time_at(ready, "lastTransitionTime");
    wm_texts_line(&t, AT(provider), wm_get_span(provider, "name"), WM_NAME_MAX);
    wm_texts_line(&t, AT(provider_namespace), wm_get_span(provider, "namespace"), WM_NAME_MAX);
    wm_texts_line(&t, AT(power), wm_get_span(p->status, "powerState"), WM_WORD_MAX);
    wm_texts_line(&t, AT(reason), wm_get_span(ready, "reason"), WM_WORD_MAX);
    wm_texts_line(&t, AT(message), wm_get_span(ready, "message"), MESSAGE_MAX_N);
    return wm_texts_close(&t, &s, sizeof s);
}
#undef AT
