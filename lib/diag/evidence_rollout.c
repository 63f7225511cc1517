/* Deployments and ReplicaSets: how far a rollout is, and which PVCs of VirtRigaud's are in the template. */
#include <stddef.h>
#include <stdio.h>

#include "details_impl.h"

enum {
    MESSAGE_MAX_N = 384,
    DEADLINE_S = 600
}; /* what Kubernetes takes where no progressDeadlineSeconds is set */

static const char REVISION[] = "deployment.kubernetes.io/revision";
static const char VOLUME_PREFIX[] = "migration-";

/* --- the template --- */

static uint64_t mix_in(uint64_t sum, struct wm_json_span key, uint64_t digest)
{
    /* a sum, since members may come in any order */
    return sum + wm_mix(wm_str_digest(key.text, key.text.n) ^ digest);
}

static uint64_t digest_of(struct wm_json_value v)
{
    struct wm_json_span s = wm_json_span_of(v);

    return s.kind == WM_JSON_OBJECT || s.kind == WM_JSON_ARRAY ? wm_json_digest(v)
                                                               : wm_str_digest(s.text, s.text.n);
}

static bool begins_so(struct wm_json_span name)
{
    wm_name text;

    return wm_span_copy(name, text, sizeof text) && strncmp(text, VOLUME_PREFIX, strlen(VOLUME_PREFIX)) == 0;
}

static bool is_migration_volume(struct wm_json_value volume)
{
    return begins_so(wm_get_span(volume, "name")) && wm_json_get(volume, "persistentVolumeClaim").node;
}

static uint64_t sum_of_others(struct wm_json_value list, bool mounts)
{
    uint64_t sum = 0;

    for (struct wm_json_value v = wm_json_first(list); v.node; v = wm_json_after(v))
        if (mounts ? !begins_so(wm_get_span(v, "name")) : !is_migration_volume(v))
            sum += wm_mix(wm_json_digest(v));
    return sum;
}

static uint64_t sum_of_container(struct wm_json_value container)
{
    uint64_t sum = 0;

    for (struct wm_json_value v = wm_json_first(container); v.node; v = wm_json_after(v)) {
        struct wm_json_span key = wm_json_key_of(v);

        sum = mix_in(sum, key, wm_json_span_is(key, "volumeMounts") ? sum_of_others(v, true) : digest_of(v));
    }
    return sum;
}

static uint64_t sum_of_containers(struct wm_json_value list)
{
    uint64_t sum = 0;

    for (struct wm_json_value v = wm_json_first(list); v.node; v = wm_json_after(v))
        sum = wm_mix(sum ^ sum_of_container(v));
    return sum;
}

static uint64_t rest_of(struct wm_json_value template_)
{
    struct wm_json_value notes = wm_json_get(wm_json_get(template_, "metadata"), "annotations");
    uint64_t sum = digest_of(notes);

    for (struct wm_json_value v = wm_json_first(wm_json_get(template_, "spec")); v.node;
         v = wm_json_after(v)) {
        struct wm_json_span key = wm_json_key_of(v);

        sum = mix_in(sum, key,
                     wm_json_span_is(key, "volumes")      ? sum_of_others(v, false)
                     : wm_json_span_is(key, "containers") ? sum_of_containers(v)
                                                          : digest_of(v));
    }
    return sum;
}

static void put_claims(struct wm_texts *t, size_t member, struct wm_json_value volumes,
                       struct wm_template *ret)
{
    wm_auto_buf struct wm_buf names = WM_BUF_MAX(WM_TEMPLATE_CLAIMS_MAX * (WM_NAME_MAX + 1));
    wm_name name;

    for (struct wm_json_value v = wm_json_first(volumes); v.node && ret->n_claims < WM_TEMPLATE_CLAIMS_MAX;
         v = wm_json_after(v))
        if (is_migration_volume(v) &&
            wm_span_copy(wm_get_span(wm_json_get(v, "persistentVolumeClaim"), "claimName"), name,
                         sizeof name)) {
            wm_buf_add(&names, name, strlen(name) + 1);
            ret->n_claims++;
        }
    wm_texts_put(t, member + offsetof(struct wm_template, claims), wm_buf_text(&names));
}

/* `member`: where the struct wm_template is in the state. */
static void put_template(struct wm_texts *t, size_t member, struct wm_json_value spec,
                         struct wm_template *ret)
{
    struct wm_json_value template_ = wm_json_get(spec, "template"), pod = wm_json_get(template_, "spec");

    ret->rest = rest_of(template_);
    put_claims(t, member, wm_json_get(pod, "volumes"), ret);
    wm_texts_line(t, member + offsetof(struct wm_template, image),
                  wm_get_span(wm_json_first(wm_json_get(pod, "containers")), "image"), MESSAGE_MAX_N);
}

const char *wm_template_claim(const struct wm_template *t, int i)
{
    const char *name = t->claims;

    if (i < 0 || i >= t->n_claims)
        return "";
    while (i-- > 0)
        name += strlen(name) + 1;
    return name;
}

/* --- what both have --- */

static int revision_of(const struct wm_parts *p)
{
    wm_word text;

    return wm_span_copy(wm_get_span(p->annotations, REVISION), text, sizeof text)
               ? wm_str_digits(wm_str_of(text), 0)
               : 0;
}

static int number_or(struct wm_json_value object, const char *key, int otherwise)
{
    return wm_json_get(object, key).node ? wm_number_at(object, key) : otherwise;
}

/* --- Deployment --- */

#define AT(member) offsetof(struct wm_server_state, member)

static struct wm_json_span provider_of(const struct wm_parts *p)
{
    for (struct wm_json_value v = wm_json_first(p->owners); v.node; v = wm_json_after(v))
        if (wm_json_span_is(wm_get_span(v, "kind"), "Provider"))
            return wm_get_span(v, "name");
    return wm_json_span_is(wm_get_span(p->labels, "app.kubernetes.io/name"), "virtrigaud-provider")
               ? wm_get_span(p->labels, "app.kubernetes.io/instance")
               : (struct wm_json_span){0};
}

static void read_counts(const struct wm_parts *p, struct wm_server_state *s)
{
    s->revision = revision_of(p);
    s->deadline_s = number_or(p->spec, "progressDeadlineSeconds", DEADLINE_S);
    s->generation = p->generation;
    s->observed = wm_number_at(p->status, "observedGeneration");
    s->wanted = number_or(p->spec, "replicas", 1);
    s->replicas = wm_number_at(p->status, "replicas");
    s->updated = wm_number_at(p->status, "updatedReplicas");
    s->available_n = wm_number_at(p->status, "availableReplicas");
    s->recreates = wm_json_span_is(wm_get_span(wm_json_get(p->spec, "strategy"), "type"), "Recreate");
}

void *wm_server_make(const struct wm_parts *p)
{
    struct wm_json_value available = wm_any_condition(p->status, "Available"),
                         progress = wm_any_condition(p->status, "Progressing"),
                         failure = wm_condition(p->status, "ReplicaFailure");
    struct wm_texts t;
    struct wm_server_state s;

    wm_texts_begin(&t, &s, sizeof s);
    read_counts(p, &s);
    s.available = wm_condition_holds(available);
    s.available_known = available.node != 0;
    s.available_s = wm_time_at(available, "lastTransitionTime");
    s.late = wm_json_span_is(wm_get_span(progress, "status"), "False");
    s.progress_s = wm_time_at(progress, "lastUpdateTime");
    s.failing = failure.node != 0;
    s.failing_s = wm_time_at(failure, "lastTransitionTime");
    wm_texts_line(&t, AT(reason), wm_get_span(available, "reason"), WM_WORD_MAX);
    wm_texts_line(&t, AT(message), wm_get_span(available, "message"), MESSAGE_MAX_N);
    wm_texts_line(&t, AT(progress), wm_get_span(progress, "reason"), WM_WORD_MAX);
    wm_texts_line(&t, AT(failure), wm_get_span(failure, "message"), MESSAGE_MAX_N);
    wm_texts_line(&t, AT(provider), provider_of(p), WM_NAME_MAX);
    put_template(&t, AT(template_), p->spec, &s.template_);
    return wm_texts_close(&t, &s, sizeof s);
}
#undef AT

bool wm_server_is_rolled_out(const struct wm_server_state *s)
{
    return s->observed >= s->generation && s->updated == s->wanted && s->replicas == s->updated &&
           s->available_n >= s->wanted;
}

/* --- ReplicaSet --- */

#define AT(member) offsetof(struct wm_replicas_state, member)
void *wm_replicas_make(const struct wm_parts *p)
{
    struct wm_json_value failure = wm_condition(p->status, "ReplicaFailure");
    struct wm_texts t;
    struct wm_replicas_state s;

    wm_texts_begin(&t, &s, sizeof s);
    s.revision = revision_of(p);
    s.wanted = number_or(p->spec, "replicas", 1);
    s.replicas = wm_number_at(p->status, "replicas");
    s.failing = failure.node != 0;
    s.failing_s = wm_time_at(failure, "lastTransitionTime");
    wm_texts_line(&t, AT(hash), wm_get_span(p->labels, "pod-template-hash"), WM_WORD_MAX);
    wm_texts_line(&t, AT(failure), wm_get_span(failure, "message"), MESSAGE_MAX_N);
    put_template(&t, AT(template_), p->spec, &s.template_);
    return wm_texts_close(&t, &s, sizeof s);
}
#undef AT
