/* Times in which a provider's Service leads to none of its pods, as its EndpointSlices tell: what callers see
 * of it, which is later than what its pods say.  VirtRigaud calls the Service as it calls the Deployment
 * (internal/controller/provider_controller.go). */
#include "restarts_impl.h"
#include "slices.h"

/* --- what the slices say now --- */

struct service {
    const struct wm_glance *g;
    bool known, leads;
    int64_t led_s;  /* when the first slice that leads became so */
    int64_t left_s; /* when the last one, or the last pod that one leads to, ceased to */
    bool untimed;   /* of one of them it is not told when it became what it is */
};

/* A pod that has gone is called all the same until the slice is written again.  One that is not known yet is
 * taken for one that is there: the order in which objects come tells nothing. */
static bool is_there(struct service *s, struct wm_id pod)
{
    const struct wm_pod_memo *memo = wm_server_pod(s->g->server, pod);

    if (!memo)
        return wm_lead_of(s->g->m, 0, pod, s->g->server->id) != WM_LEAD_ASTRAY;
    s->left_s = wm_later(s->left_s, memo->gone_s);
    return !memo->gone_s;
}

static void see_slice(void *ctx, const struct wm_record *r)
{
    struct service *s = ctx;
    const struct wm_slice_state *slice = wm_slice_of(r);
    bool leads = slice->ready > WM_SLICE_PODS_MAX; /* more than are kept */

    for (int i = 0; i < slice->ready && i < WM_SLICE_PODS_MAX; i++)
        leads |= is_there(s, slice->pods[i]);
    if (leads && (!s->leads || slice->changed_s < s->led_s))
        s->led_s = slice->changed_s;
    s->left_s = wm_later(s->left_s, slice->changed_s);
    s->untimed |= !slice->changed_s;
    s->leads |= leads;
    s->known = true;
}

/* 0 = not told. */
static int64_t since_of(const struct service *s)
{
    return s->leads ? s->led_s : s->untimed ? 0 : s->left_s;
}

/* --- what it was before --- */

static void begin_away(struct wm_server_memo *s, int64_t from_s)
{
    if (s->n_aways == WM_AWAYS_MAX) {
        memmove(&s->aways[1], &s->aways[2], (WM_AWAYS_MAX - 2) * sizeof s->aways[0]);
        s->n_aways--;
    }
    s->aways[s->n_aways++] = (struct wm_away){.from_s = from_s, .at_least = s->service == WM_SERVICE_UNKNOWN};
}

static void end_away(struct wm_server_memo *s, int64_t to_s)
{
    struct wm_away *last = &s->aways[s->n_aways - 1];

    last->to_s = to_s;
    s->n_aways -= to_s <= last->from_s;
}

void wm_server_see_service(const struct wm_glance *g)
{
    struct wm_server_memo *s = g->server;
    struct service now = {.g = g};

    wm_slices_each(g->m, 0, s->namespace_, s->name, see_slice, &now);
    enum wm_service service = !now.known  ? WM_SERVICE_UNKNOWN
                              : now.leads ? WM_SERVICE_LEADS
                                          : WM_SERVICE_AWAY;
    int64_t since_s = since_of(&now);
    /* What is written before the last change that is known of was not written of this one. */
    int64_t at_s = since_s && since_s >= s->service_s && since_s <= g->now_s ? since_s : g->now_s;

    if (service == s->service)
        return;
    if (s->service == WM_SERVICE_AWAY)
        end_away(s, at_s);
    if (service == WM_SERVICE_AWAY)
        begin_away(s, at_s);
    s->service = service;
    s->service_s = at_s;
}

int64_t wm_server_away_until(const struct wm_server_memo *s, int64_t from_s, int64_t to_s)
{
    for (size_t i = 0; i < s->n_aways; i++) {
        const struct wm_away *a = &s->aways[i];

        if (a->from_s >= from_s && a->from_s <= to_s && (!a->to_s || a->to_s > to_s))
            return a->to_s;
    }
    return to_s;
}

void wm_server_forget_aways(struct wm_server_memo *s, int64_t before_s)
{
    size_t n = 0;

    for (size_t i = 0; i < s->n_aways; i++)
        if (!s->aways[i].to_s || s->aways[i].to_s > before_s)
            s->aways[n++] = s->aways[i];
    s->n_aways = n;
}
