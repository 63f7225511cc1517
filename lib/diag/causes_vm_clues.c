/* What the rows about VMMigrations share. */
#include <string.h>

#include "causes.h"
#include "vm_look.h"
#include "waymark/time.h"

bool wm_clue_is_of_vm(const struct wm_clue *c)
{
    return c->look->s->vm != NULL;
}

bool wm_clue_sees_all(const struct wm_clue *c)
{
    const struct wm_cluster_view *v = &c->look->w->clusters[c->r->cluster];

    return v->sight == WM_SIGHT_GOOD && !v->evidence_starting;
}

/* --- the phase --- */

/* That it is in, or of which it failed; NULL = not known, or it has ended well. */
static const struct wm_phase *phase_of(const struct wm_situation *s)
{
    return s->ending == WM_ENDING_NONE     ? s->state->row
           : s->ending == WM_ENDING_FAILED ? wm_phase_of(s, s->state->cause)
                                           : NULL;
}

bool wm_clue_awaits_mount(const struct wm_clue *c)
{
    const struct wm_situation *s = c->look->s;

    if (!s->vm || s->vm->storage != WM_VM_STORAGE_PVC)
        return false;
    return s->ending == WM_ENDING_NONE
               ? strcmp(s->vm->waits, "WaitingForStorageMount") == 0
               : s->ending == WM_ENDING_FAILED && strstr(s->state->message, "waiting for providers to mount");
}

bool wm_clue_awaits_claim(const struct wm_clue *c, const struct wm_record *claim)
{
    return wm_clue_awaits_mount(c) && claim->namespace_ == c->look->s->migration->namespace_ &&
           strcmp(wm_record_name(claim), c->look->s->vm->claim) == 0;
}

int64_t wm_clue_mount_wait_s(const struct wm_clue *c)
{
    const struct wm_migration_state *m = c->look->s->state;

    return wm_later(wm_later(m->created_s, m->started_s), c->look->s->vm->retried_s);
}

bool wm_clue_workers_are_busy(const struct wm_clue *c)
{
    int n = 0;

    for (size_t i = 0; i < c->look->n; i++)
        n += c->look->suspects[i].role == WM_ROLE_AHEAD;
    return n >= WM_VM_WORKERS;
}

/* --- Deployments --- */

static bool is_server_of(const struct wm_clue *c, const struct wm_record *server, enum wm_vm_side side)
{
    return c->look->servers[side] == server;
}

bool wm_clue_is_bystander(const struct wm_clue *c, const struct wm_record *server)
{
    return !is_server_of(c, server, WM_VM_SOURCE) && !is_server_of(c, server, WM_VM_TARGET);
}

bool wm_clue_needs_server(const struct wm_clue *c, const struct wm_record *server)
{
    static const unsigned of_source = WM_WAITS_FOR(VM_PROVIDERS) | WM_WAITS_FOR(VM_SNAPSHOT) |
                                      WM_WAITS_FOR(VM_EXPORT),
                          of_target =
                              WM_WAITS_FOR(VM_PROVIDERS) | WM_WAITS_FOR(VM_IMPORT) | WM_WAITS_FOR(VM_TARGET);
    const struct wm_phase *phase = phase_of(c->look->s);
    unsigned waits = phase ? 1u << phase->waits_for : 0;

    return ((waits & of_source) && is_server_of(c, server, WM_VM_SOURCE)) ||
           ((waits & of_target) && is_server_of(c, server, WM_VM_TARGET));
}

/* --- pods --- */

/* While the PVC is to be mounted the new pods count; later an old one does as well, and serves. */
bool wm_clue_provider_pod_holds(const struct wm_clue *c, const struct wm_suspect *pod)
{
    const struct wm_record *server = pod->via == WM_NO_SUSPECT ? NULL : c->look->suspects[pod->via].record;

    return server && server->kind == WM_KIND_DEPLOYMENT && wm_clue_needs_server(c, server) &&
           (wm_clue_awaits_mount(c) || server->done <= 0);
}

const char *wm_clue_pod_reason(const struct wm_clue *c, const struct wm_record *pod)
{
    static const char *const reasons[] = {"FailedAttachVolume", "FailedMount", "FailedCreatePodSandBox",
                                          "Failed", NULL};
    const struct wm_pod_trouble *t = wm_pod_of(pod)->trouble;
    const struct wm_record *e = wm_clue_event(c, pod, reasons, NULL);

    if (!t)
        return "";
    if (t->unscheduled[0])
        return t->unscheduled_message[0] ? t->unscheduled_message : t->unscheduled;
    if (e)
        return wm_event_of(e)->message;
    return t->state_message[0] ? t->state_message : t->state_reason;
}
