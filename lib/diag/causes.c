#include "causes.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const struct wm_cause *const wm_cause_parts[] = {
    wm_causes_pod,        wm_causes_place,   wm_causes_storage,
    wm_causes_claim,      wm_causes_velero,  wm_causes_velero_queue,
    wm_causes_velero_end, wm_causes_volume,  wm_causes_plan,
    wm_causes_cluster,    wm_causes_order,   wm_causes_direct,
    wm_causes_hook,       wm_causes_end,     wm_causes_provider,
    wm_causes_vm_claim,   wm_causes_vm,      wm_causes_vm_copy,
    wm_causes_vm_end,     wm_causes_general, NULL,
};

const char *wm_clue_phase(const struct wm_clue *c, const struct wm_record *r)
{
    return wm_model_word(c->look->w->model, r->phase);
}

bool wm_is_one_of(const char *word, const char *const words[])
{
    for (size_t i = 0; words[i]; i++)
        if (strcmp(word, words[i]) == 0)
            return true;
    return false;
}

const struct wm_record *wm_clue_event(const struct wm_clue *c, const struct wm_record *r,
                                      const char *const reasons[], const char *part)
{
    const struct wm_record *found = NULL;

    for (const struct wm_record *e = wm_model_children(c->look->w->model, r->id); e;
         e = wm_model_next_child(e, r->id)) {
        const struct wm_event_state *s = e->kind == WM_KIND_EVENT ? wm_event_of(e) : NULL;

        if (s && e->cluster == r->cluster && wm_is_one_of(s->reason, reasons) &&
            (!part || strstr(s->message, part)) && (!found || s->last_s > wm_event_of(found)->last_s))
            found = e;
    }
    return found;
}

void wm_clue_detail(struct wm_clue *c, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(c->room, sizeof c->room, format, args);
    va_end(args);
    c->detail = c->room;
}
