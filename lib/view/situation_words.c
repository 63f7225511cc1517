/* What is said of a migration: where it stands, in a condition and in one line. */
#include <stdio.h>

#include "vm_words.h"
#include "words.h"

/* --- reasons --- */

/* Reasons are words like those of conditions everywhere; what else stands in a phase is not passed on. */
static bool is_camel_case(const char *word)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    return word[0] && strchr(letters, word[0]) &&
           strspn(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789") == strlen(word);
}

/* VirtRigaud's phase "Validating-Target" is none as it is written. */
static void without_hyphens(const char *phase, wm_word out)
{
    size_t n = 0;

    for (; *phase; phase++)
        if (*phase != '-')
            out[n++] = *phase;
    out[n] = '\0';
}

static void put_reason(const struct wm_situation *s, wm_word out)
{
    const struct wm_migration_state *m = s->state;

    if (m->phase[0] && s->vm)
        without_hyphens(m->phase, out);
    else
        snprintf(out, sizeof(wm_word), "%s",
                 m->phase[0]                      ? m->phase
                 : m->outcome == WM_RUN_BLOCKED   ? "Blocked"
                 : m->outcome == WM_RUN_POSTPONED ? "Postponed"
                 : m->outcome == WM_RUN_RUNNING   ? "Created"
                                                  : "NotStarted");
    if (wm_vm_waits_for_retry(s))
        snprintf(out, sizeof(wm_word), "Retrying");
    if (!is_camel_case(out))
        snprintf(out, sizeof(wm_word), "UnknownPhase");
}

/* In a failed migration the controller still runs through the itinerary of failures. */
static bool is_moving(const struct wm_migration_state *m)
{
    return m->outcome == WM_RUN_RUNNING || m->outcome == WM_RUN_FAILED;
}

/* --- clauses --- */

static void say_place(struct wm_speech *sp)
{
    const struct wm_migration_state *m = sp->s->state;

    if (wm_vm_waits_for_retry(sp->s)) {
        wm_say_vm_retry(sp);
        return;
    }
    if (m->step)
        wm_buf_printf(&sp->text, "Step %d of %d, %s", m->step, m->steps, m->phase);
    else if (m->phase[0])
        wm_buf_printf(&sp->text, "Phase %s", m->phase);
    else
        wm_say(sp, is_moving(m) ? "Begun" : "Not begun");
    if (is_moving(m) && m->since_s) {
        wm_say(sp, ", being executed since ");
        wm_say_time(sp, m->since_s);
    }
}

static void say_behind(struct wm_speech *sp)
{
    int ahead = sp->s->state->ahead;

    if (ahead > 1)
        wm_buf_printf(&sp->text, " behind %d other migrations of its plan", ahead);
    else
        wm_say(sp,
               ahead == 1 ? " behind another migration of its plan" : " behind other migrations of its plan");
}

static void say_running(struct wm_speech *sp)
{
    const struct wm_situation *s = sp->s;

    if (!s->state->row) {
        wm_say_next(sp);
        wm_say(sp, "the phase is unknown, so what it waits for cannot be told");
        return;
    }
    wm_say_vm_attempt(sp);
    if (s->state->row->waits_for != WM_WAIT_NOTHING) {
        wm_say_next(sp);
        wm_say_wait(sp);
    }
    if (s->next[0]) {
        wm_say_next(sp);
        wm_buf_printf(&sp->text, "next %s", s->next);
    }
}

static void say_blocked(struct wm_speech *sp)
{
    const struct wm_migration_state *m = sp->s->state;

    wm_say_next(sp);
    wm_buf_printf(&sp->text, "blocked by %s", m->cause);
    wm_say_when(sp, "since", m->since_s);
    if (m->message[0]) {
        wm_say(sp, ": ");
        wm_say_quote(sp, m->message);
    }
}

static void say_postponed(struct wm_speech *sp)
{
    wm_say_next(sp);
    wm_say(sp, "postponed");
    wm_say_when(sp, "since", sp->s->state->since_s);
    say_behind(sp);
}

static void say_not_started(struct wm_speech *sp)
{
    wm_say_next(sp);
    wm_say(sp, "created");
    wm_say_when(sp, "at", sp->s->state->created_s);
    wm_buf_printf(&sp->text, ", and %s has written nothing into it yet",
                  sp->s->vm ? "VirtRigaud" : "the migration controller");
}

static void say_failing(struct wm_speech *sp)
{
    const struct wm_migration_state *m = sp->s->state;

    wm_say_next(sp);
    wm_buf_printf(&sp->text, m->cause[0] ? "it has failed at %s" : "it has failed", m->cause);
    if (m->first_error[0]) {
        wm_say(sp, ", ");
        wm_say_quote(sp, m->first_error);
    }
}

/* A cancellation is only heeded while nothing blocks (mig-controller
 * pkg/controller/migmigration/migmigration_controller.go). */
static void say_wishes(struct wm_speech *sp)
{
    const struct wm_migration_state *m = sp->s->state;

    if (m->canceled && (!is_moving(m) || m->itinerary != WM_ITINERARY_CANCEL)) {
        wm_say_next(sp);
        wm_say(sp, is_moving(m) ? "its cancellation is asked for"
                                : "its cancellation is asked for, but has to wait until it runs");
    }
    if (m->going) {
        wm_say_next(sp);
        wm_buf_printf(&sp->text, "the %s is being deleted", wm_kinds[sp->s->migration->kind].kind);
    }
}

static void say_timeout(struct wm_speech *sp)
{
    const struct wm_situation *s = sp->s;
    bool over = s->ends_s <= wm_world_now(sp->w, s->awaited_on);
    const char *what = strcmp(s->ends_by, "Kubernetes") != 0 ? over ? "was to give up" : "gives up"
                       : over                                ? "was to end the Job"
                                                             : "ends the Job";

    if (!s->ends_s)
        return;
    wm_say_next(sp);
    wm_buf_printf(&sp->text, "%s %s", s->ends_by, what);
    wm_say_when(sp, "at", s->ends_s);
}

/* --- blindness --- */

static void say_unseen(struct wm_speech *sp, const char *name, const struct wm_cluster_view *view)
{
    static const char *const texts[] = {
        [WM_SIGHT_NONE] = "is not watched",
        [WM_SIGHT_UNREACHABLE] = "cannot be seen",
        [WM_SIGHT_UNAUTHORIZED] = "refuses the token",
        [WM_SIGHT_PARTIAL] = "is not seen as a whole",
    };

    wm_say_next(sp);
    wm_buf_printf(&sp->text, "cluster %s %s", name, texts[view ? view->sight : WM_SIGHT_NONE]);
    if (!view)
        return;
    wm_say_when(sp, "since", view->since_s);
    if (!sp->brief && view->why[0]) {
        wm_say(sp, ": ");
        wm_say_quote(sp, view->why);
    }
}

static void say_blind(struct wm_speech *sp)
{
    const struct wm_situation *s = sp->s;

    for (int i = 0; i < 2; i++)
        if (s->blind[i] != WM_NO_CLUSTER)
            say_unseen(sp, wm_cluster_name(sp->w, s->blind[i]), &sp->w->clusters[s->blind[i]]);
    if (s->source == WM_NO_CLUSTER && s->source_name[0])
        say_unseen(sp, s->source_name, NULL);
    if (s->target == WM_NO_CLUSTER && s->target_name[0] && strcmp(s->source_name, s->target_name) != 0)
        say_unseen(sp, s->target_name, NULL);
    if (!s->plan && s->state->plan[0]) {
        wm_say_next(sp);
        wm_buf_printf(&sp->text, "MigPlan %s is not there, so its clusters are not known", s->state->plan);
    }
}

/* --- MigrationProgress --- */

typedef void say_fn(struct wm_speech *sp);

static say_fn *const by_outcome[WM_RUN_OUTCOME_COUNT] = {
    [WM_RUN_NOT_STARTED] = say_not_started, [WM_RUN_RUNNING] = say_running, [WM_RUN_BLOCKED] = say_blocked,
    [WM_RUN_POSTPONED] = say_postponed,     [WM_RUN_FAILED] = say_failing,
};

static void say_progress(const struct wm_world *w, const struct wm_situation *s, struct wm_said *out)
{
    wm_auto_speech struct wm_speech sp = wm_speech(w, s, false);
    bool over = s->ending != WM_ENDING_NONE;

    out->type = "MigrationProgress";
    out->wanted = true;
    out->status = !over && is_moving(s->state);
    if (over)
        snprintf(out->reason, sizeof out->reason, "Completed");
    else
        put_reason(s, out->reason);
    if (over) {
        wm_say_ending(&sp);
    } else {
        say_place(&sp);
        if (by_outcome[s->state->outcome])
            by_outcome[s->state->outcome](&sp);
        say_timeout(&sp);
        say_wishes(&sp);
        say_blind(&sp);
    }
    wm_say_end(&sp, out->message, sizeof out->message);
}

void wm_situation_say(const struct wm_world *w, const struct wm_situation *s,
                      struct wm_said said[WM_SAID_COUNT])
{
    memset(said, 0, WM_SAID_COUNT * sizeof *said);
    say_progress(w, s, &said[WM_SAID_PROGRESS]);
    wm_say_outcome(w, s, &said[WM_SAID_OUTCOME]);
    said[WM_SAID_STALLED].type = "MigrationStalled";
    said[WM_SAID_RESTARTS].type = "ProviderRestarts";
}

/* --- one line --- */

static void say_brief_place(struct wm_speech *sp)
{
    const struct wm_migration_state *m = sp->s->state;

    if (m->phase[0])
        wm_buf_printf(&sp->text, ", %s", m->phase);
    if (m->step)
        wm_buf_printf(&sp->text, ", step %d of %d", m->step, m->steps);
}

static void say_brief_running(struct wm_speech *sp)
{
    const struct wm_migration_state *m = sp->s->state;

    if (wm_vm_waits_for_retry(sp->s)) {
        wm_say_vm_retry(sp);
        return;
    }
    wm_buf_printf(&sp->text, "Running: %s", m->phase[0] ? m->phase : "Created");
    if (m->step)
        wm_buf_printf(&sp->text, ", step %d of %d", m->step, m->steps);
    wm_say_vm_attempt(sp);
    if (m->since_s) {
        wm_say(sp, ", since ");
        wm_say_time(sp, m->since_s);
    }
    if (!m->row)
        wm_say(sp, ", unknown phase");
    else if (m->row->waits_for != WM_WAIT_NOTHING) {
        wm_say(sp, ", ");
        wm_say_wait(sp);
    }
}

static void say_brief_blocked(struct wm_speech *sp)
{
    wm_buf_printf(&sp->text, "Blocked: %s", sp->s->state->cause);
    wm_say_when(sp, "since", sp->s->state->since_s);
    say_brief_place(sp);
}

static void say_brief_postponed(struct wm_speech *sp)
{
    wm_say(sp, "Postponed:");
    say_behind(sp);
    wm_say_when(sp, "since", sp->s->state->since_s);
}

static void say_brief_not_started(struct wm_speech *sp)
{
    wm_say(sp, "Not started: the controller has written nothing into it");
    wm_say_when(sp, "since", sp->s->state->created_s);
}

static void say_brief_failing(struct wm_speech *sp)
{
    wm_say(sp, "Failing");
    say_brief_place(sp);
    say_failing(sp);
}

static say_fn *const brief_by_outcome[WM_RUN_OUTCOME_COUNT] = {
    [WM_RUN_NOT_STARTED] = say_brief_not_started, [WM_RUN_RUNNING] = say_brief_running,
    [WM_RUN_BLOCKED] = say_brief_blocked,         [WM_RUN_POSTPONED] = say_brief_postponed,
    [WM_RUN_FAILED] = say_brief_failing,
};

void wm_situation_verdict(const struct wm_world *w, const struct wm_situation *s,
                          char out[static WM_VERDICT_MAX])
{
    wm_auto_speech struct wm_speech sp = wm_speech(w, s, true);

    if (s->ending != WM_ENDING_NONE) {
        wm_say_ending_briefly(&sp);
    } else {
        if (brief_by_outcome[s->state->outcome])
            brief_by_outcome[s->state->outcome](&sp);
        sp.clauses++; /* the head has its colon already */
        say_blind(&sp);
    }
    wm_say_end(&sp, out, WM_VERDICT_MAX);
}
