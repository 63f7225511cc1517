/* What is said of a migration that is over. */
#include <stdio.h>

#include "vm_words.h"
#include "words.h"

enum { OBJECTS_MAX = 3 }; /* that are named before "and others" */

/* What is said before and after the time. */
static const struct {
    const char *before, *after;
} endings[WM_ENDING_COUNT] = {
    [WM_ENDING_SUCCEEDED] = {"has succeeded", ""},
    [WM_ENDING_SUCCEEDED_WITH_WARNINGS] = {"has succeeded with warnings", ""},
    [WM_ENDING_DATA_NOT_MIGRATED] = {"says that it has succeeded", ", but not all data was migrated"},
    [WM_ENDING_FAILED] = {"has failed", ""},
    [WM_ENDING_CANCELED] = {"was canceled", ""},
    [WM_ENDING_UNKNOWN] = {"is over", ", and no condition tells how"},
};

static const char *const runs[WM_RUN_KIND_COUNT] = {
    [WM_RUN_FINAL] = "The migration",
    [WM_RUN_STAGE] = "The stage migration",
    [WM_RUN_STATE] = "The state migration",
    [WM_RUN_ROLLBACK] = "The rollback",
    [WM_RUN_VM] = "The migration of the machine",
};

static const char *const brief_endings[WM_ENDING_COUNT] = {
    [WM_ENDING_SUCCEEDED] = "Succeeded",
    [WM_ENDING_SUCCEEDED_WITH_WARNINGS] = "Succeeded with warnings",
    [WM_ENDING_DATA_NOT_MIGRATED] = "Data not migrated",
    [WM_ENDING_FAILED] = "Failed",
    [WM_ENDING_CANCELED] = "Canceled",
    [WM_ENDING_UNKNOWN] = "Ended",
};

void wm_say_ending(struct wm_speech *sp)
{
    wm_buf_printf(&sp->text, "%s %s", runs[sp->s->state->kind], endings[sp->s->ending].before);
    wm_say_when(sp, "at", sp->s->state->completed_s);
    wm_say(sp, endings[sp->s->ending].after);
}

/* --- why --- */

static void say_state(struct wm_speech *sp, const struct wm_record *r)
{
    const char *phase = wm_model_word(sp->w->model, r->phase);

    wm_say_object(sp, r);
    if (phase[0])
        wm_buf_printf(&sp->text, " is %s", phase);
    if (!sp->brief && wm_record_message(r)[0]) {
        wm_say(sp, ", ");
        wm_say_quote(sp, wm_record_message(r));
    }
}

static void say_warnings(struct wm_speech *sp)
{
    const struct wm_migration_state *m = sp->s->state;
    int known = m->n_warnings < WM_WARNINGS_MAX ? m->n_warnings : WM_WARNINGS_MAX;

    if (known == 0)
        return;
    wm_say_next(sp);
    for (int i = 0; i < known; i++)
        wm_buf_printf(&sp->text, "%s%s", i ? ", " : "", m->warnings[i]);
    if (m->n_warnings > known)
        wm_say(sp, " and others");
}

static bool is_imperfect(const struct wm_speech *sp, const struct wm_twig *t)
{
    const struct wm_record *r = t->record;
    enum wm_velero_kind kind = wm_velero_kind_of((enum wm_kind)r->kind);

    return !t->copy && kind != WM_VELERO_NONE &&
           wm_velero_phase(kind, wm_model_word(sp->w->model, r->phase))->faulty;
}

static void say_imperfect(struct wm_speech *sp)
{
    int n = 0;

    for (size_t i = 0; i < sp->s->n_twigs; i++) {
        const struct wm_twig *t = &sp->s->tree[i];

        if (!is_imperfect(sp, t) || ++n > OBJECTS_MAX + 1)
            continue;
        wm_say_next(sp);
        if (n > OBJECTS_MAX)
            wm_say(sp, "and others");
        else
            say_state(sp, t->record);
    }
}

static void say_failure(struct wm_speech *sp)
{
    const struct wm_migration_state *m = sp->s->state;
    const char *error = m->first_error[0] ? m->first_error : m->message;

    if (m->cause[0]) {
        if (sp->brief)
            wm_say_next(sp);
        wm_buf_printf(&sp->text, sp->brief ? "at %s" : " in phase %s", m->cause);
    }
    if (error[0]) {
        wm_say_next(sp);
        wm_say_quote(sp, error);
    }
    if (sp->s->culprit) {
        wm_say_next(sp);
        say_state(sp, sp->s->culprit);
        if (sp->s->vm)
            wm_say_vm_blame(sp);
    }
}

static void say_failed_dvm(struct wm_speech *sp)
{
    const struct wm_dvm_state *d = wm_dvm_of(sp->s->failed_dvm);
    int pods = d->successful_pods + d->failed_pods + d->running_pods + d->pending_pods;

    wm_say_next(sp);
    wm_say_object(sp, sp->s->failed_dvm);
    wm_say(sp, " has failed");
    if (d->failed_at[0])
        wm_buf_printf(&sp->text, " in phase %s", d->failed_at);
    if (d->failed_pods)
        wm_buf_printf(&sp->text, ", %d of %d rsync pods failed", d->failed_pods, pods);
    if (d->failed_operations)
        wm_buf_printf(&sp->text, ", %d volume%s given up", d->failed_operations,
                      d->failed_operations == 1 ? " was" : "s were");
    if (d->first_error[0]) {
        wm_say(sp, ", ");
        wm_say_quote(sp, d->first_error);
    }
}

static void say_leftovers(struct wm_speech *sp)
{
    int n = sp->s->stage_pods_left;

    if (!n)
        return;
    wm_say_next(sp);
    wm_buf_printf(&sp->text, n == 1 ? "%d stage pod is still there" : "%d stage pods are still there", n);
}

/* --- all --- */

static void say_why(struct wm_speech *sp)
{
    if (sp->s->ending == WM_ENDING_DATA_NOT_MIGRATED)
        say_failed_dvm(sp);
    if (sp->s->ending == WM_ENDING_FAILED)
        say_failure(sp);
    else
        say_warnings(sp);
}

void wm_say_outcome(const struct wm_world *w, const struct wm_situation *s, struct wm_said *out)
{
    wm_auto_speech struct wm_speech sp = wm_speech(w, s, false);

    out->type = "MigrationOutcome";
    out->wanted = out->status = s->ending != WM_ENDING_NONE;
    snprintf(out->reason, sizeof out->reason, "%s", wm_ending_name(s->ending));
    if (!out->wanted)
        return;
    wm_say_ending(&sp);
    say_why(&sp);
    if (s->ending == WM_ENDING_SUCCEEDED_WITH_WARNINGS)
        say_imperfect(&sp);
    say_leftovers(&sp);
    if (s->vm)
        wm_say_vm_leftovers(&sp);
    wm_say_end(&sp, out->message, sizeof out->message);
}

void wm_say_ending_briefly(struct wm_speech *sp)
{
    wm_say(sp, brief_endings[sp->s->ending]);
    wm_say_when(sp, "at", sp->s->state->completed_s);
    say_why(sp);
}
