/* What the rows about Velero share. */
#include "causes_velero.h"

static void say_volume(struct wm_clue *c)
{
    const struct wm_volume_state *v = wm_volume_of(c->r);

    if (v->pod_name[0])
        wm_clue_detail(c, "volume %s of pod %s/%s", v->volume, v->pod_namespace, v->pod_name);
    else
        wm_clue_detail(c, "the volume of claim %s/%s", v->pod_namespace, v->volume);
}

void wm_clue_volume(struct wm_clue *c)
{
    c->say = say_volume;
}

static int64_t up_since(const struct wm_record *pod)
{
    const struct wm_pod_trouble *t = wm_pod_of(pod)->trouble;

    return t && t->now == WM_CONTAINER_RUNNING && !t->is_init && t->state_s ? t->state_s : pod->started_s;
}

bool wm_server_since(const struct wm_look *look, uint8_t cluster, int64_t *ret)
{
    *ret = 0;
    for (size_t i = 0; i < look->n; i++) {
        const struct wm_record *r = look->suspects[i].record;
        int64_t s = look->suspects[i].role == WM_ROLE_VELERO && r->kind == WM_KIND_POD &&
                            r->cluster == cluster && !r->going && wm_pod_of(r)->ready
                        ? up_since(r)
                        : 0;

        if (s && (!*ret || s < *ret))
            *ret = s;
    }
    return *ret != 0;
}
