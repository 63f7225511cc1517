#include "waymark/validate.h"

#include <stdlib.h>

#include "check.h"

void wm_verdict_done(struct wm_verdict *v)
{
    free(v->list);
    *v = (struct wm_verdict){0};
}

void wm_validate(const struct wm_subject *s, const struct wm_policy *policy, struct wm_facts *facts,
                 struct wm_verdict *ret)
{
    struct wm_finding *list = ret->list; /* its memory serves again */

    *ret = (struct wm_verdict){.list = list};
    if (s->kind == WM_SUBJECT_NONE || s->going)
        return;
    if (s->on == WM_ON_UPDATE && wm_json_same(s->spec, s->old_spec))
        return;
    struct wm_check c = {.s = s, .policy = policy, .facts = facts, .verdict = ret};

    wm_policy_modes(policy, s->namespace_, &s->who, c.modes);
    for (void (*const *check)(struct wm_check *) = wm_rule_sets[s->kind]->checks; *check; check++)
        (*check)(&c);
}

int wm_subject_read(struct wm_str object, struct wm_json_index *index, struct wm_subject *ret,
                    struct wm_error *err)
{
    enum { API_VERSION = WM_O_COUNT, KIND, GOING, SPEC, STATUS, N };
    static const char *const pointers[N] = {
        WM_OBJECT_POINTERS(""), "/apiVersion", "/kind", "/metadata/deletionTimestamp", "/spec", "/status",
    };
    struct wm_json_span s[N];
    int rc = wm_json_locate_indexed(object, N, pointers, s, UINT64_C(1) << SPEC | UINT64_C(1) << STATUS,
                                    index, err);

    if (rc < 0)
        return rc;
    *ret = (struct wm_subject){
        .kind = wm_subject_kind_in(s[API_VERSION], s[KIND]),
        .on = WM_ON_CREATE,
        .going = s[GOING].kind == WM_JSON_STRING,
        .spec = wm_json_root(index, SPEC),
        .status = wm_json_root(index, STATUS),
    };
    memcpy(ret->object.at, s, sizeof ret->object.at);
    wm_subject_name(ret);
    return WM_OK;
}

void wm_subject_name(struct wm_subject *s)
{
    if (!s->namespace_[0])
        wm_span_copy(s->object.at[WM_O_NAMESPACE], s->namespace_, sizeof s->namespace_);
    if (!wm_span_copy(s->object.at[WM_O_NAME], s->name, sizeof s->name))
        s->generated = wm_span_copy(s->object.at[WM_O_GENERATE_NAME], s->name, sizeof s->name);
}
