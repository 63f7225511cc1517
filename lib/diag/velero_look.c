#include "velero_look.h"

#include <string.h>

#include "situation_impl.h"
#include "waymark/evidence.h"

/* --- volumes --- */

bool wm_is_volume(enum wm_kind kind)
{
    return kind >= WM_KIND_PVB && kind <= WM_KIND_DATADOWNLOAD;
}

const struct wm_record *wm_volume_pod(const struct wm_world *w, const struct wm_record *r)
{
    const struct wm_volume_state *v = wm_volume_of(r);
    const struct wm_record *pod = NULL;

    if (wm_id_is_set(v->pod))
        pod = wm_model_find(w->model, r->cluster, v->pod);
    else if (v->pod_name[0])
        pod = wm_model_find_named(w->model, r->cluster, WM_KIND_POD, v->pod_namespace, v->pod_name);
    return pod && pod->kind == WM_KIND_POD ? pod : NULL;
}

const char *wm_volume_node(const struct wm_world *w, const struct wm_record *r)
{
    const struct wm_record *pod = wm_record_node(r)[0] ? NULL : wm_volume_pod(w, r);

    return pod ? wm_record_node(pod) : wm_record_node(r);
}

struct agents {
    const struct wm_world *w;
    const struct wm_record *volume, *best;
    const char *node;
};

static bool is_better(const struct wm_record *r, const struct wm_record *than)
{
    bool ready = wm_pod_of(r)->ready, other = than && wm_pod_of(than)->ready;

    if (!than || ready != other)
        return !than || ready;
    return r->going != than->going ? than->going : wm_record_order(r, than) < 0;
}

static void find_agent(void *ctx, const struct wm_record *set)
{
    struct agents *a = ctx;

    if (set->cluster != a->volume->cluster || set->namespace_ != a->volume->namespace_)
        return;
    for (const struct wm_record *r = wm_model_children(a->w->model, set->id); r;
         r = wm_model_next_child(r, set->id))
        if (r->kind == WM_KIND_POD && r->cluster == set->cluster &&
            wm_pod_of(r)->component == WM_COMPONENT_NODE_AGENT && strcmp(wm_record_node(r), a->node) == 0 &&
            is_better(r, a->best))
            a->best = r;
}

const struct wm_record *wm_volume_agent(const struct wm_world *w, const struct wm_record *r)
{
    struct agents a = {w, r, NULL, wm_volume_node(w, r)};

    if (a.node[0])
        wm_model_each(w->model, WM_KIND_DAEMONSET, find_agent, &a);
    return a.best;
}

/* Pods' volumes are copied while it is InProgress, those of snapshots as operations of plugins. */
bool wm_volume_is_awaited(const struct wm_world *w, const struct wm_record *r)
{
    const struct wm_record *parent = wm_model_find(w->model, r->cluster, r->parent);
    bool snapshot = r->kind == WM_KIND_DATAUPLOAD || r->kind == WM_KIND_DATADOWNLOAD;

    return parent && (wm_phase_is(w, parent, "InProgress") ||
                      (snapshot && (wm_phase_is(w, parent, "WaitingForPluginOperations") ||
                                    wm_phase_is(w, parent, "WaitingForPluginOperationsPartiallyFailed"))));
}

bool wm_volume_needs(const struct wm_world *w, const struct wm_record *volume, const struct wm_record *r)
{
    return wm_is_volume((enum wm_kind)volume->kind) && r->kind == WM_KIND_POD &&
           (wm_volume_pod(w, volume) == r || wm_volume_agent(w, volume) == r);
}

/* --- Backups and Restores --- */

bool wm_phase_is(const struct wm_world *w, const struct wm_record *r, const char *phase)
{
    return strcmp(wm_model_word(w->model, r->phase), phase) == 0;
}

bool wm_is_begun(const struct wm_world *w, const struct wm_record *r)
{
    return wm_phase_is(w, r, "InProgress") || wm_phase_is(w, r, "ReadyToStart");
}

int64_t wm_begun_s(const struct wm_record *r)
{
    return r->started_s ? r->started_s : r->created_s;
}

bool wm_has_open_volumes(const struct wm_world *w, const struct wm_record *r)
{
    for (const struct wm_record *v = wm_model_children(w->model, r->id); v; v = wm_model_next_child(v, r->id))
        if (wm_is_child(r, v) && (v->kind == WM_KIND_PVB || v->kind == WM_KIND_PVR) && !wm_judge(w, v).ended)
            return true;
    return false;
}

int64_t wm_pod_volume_timeout_s(const struct wm_world *w, const struct wm_record *r)
{
    int64_t own_s = wm_velero_of(r)->pod_volume_timeout_s;

    return own_s ? own_s : w->pod_volume_timeout_s;
}
