#include "waymark/migration_state.h"

#include "details_impl.h"
#include "waymark/time.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const char *const kind_names[WM_RUN_KIND_COUNT] = {
    [WM_RUN_FINAL] = "final",       [WM_RUN_STAGE] = "stage", [WM_RUN_STATE] = "state",
    [WM_RUN_ROLLBACK] = "rollback", [WM_RUN_VM] = "vm",
};

static const char *const outcome_names[WM_RUN_OUTCOME_COUNT] = {
    [WM_RUN_NOT_STARTED] = "not-started",
    [WM_RUN_RUNNING] = "running",
    [WM_RUN_BLOCKED] = "blocked",
    [WM_RUN_POSTPONED] = "postponed",
    [WM_RUN_SUCCEEDED] = "succeeded",
    [WM_RUN_SUCCEEDED_WITH_WARNINGS] = "succeeded-with-warnings",
    [WM_RUN_FAILED] = "failed",
    [WM_RUN_CANCELED] = "canceled",
    [WM_RUN_ENDED] = "ended",
};

const char *wm_run_kind_name(enum wm_run_kind k)
{
    return kind_names[k];
}

const char *wm_run_outcome_name(enum wm_run_outcome o)
{
    return outcome_names[o];
}

/* --- reading --- */

static bool is_text(struct wm_json_value object, const char *key, const char *text)
{
    return wm_json_span_is(wm_get_span(object, key), text);
}

/* The first condition that holds and has this category. */
static struct wm_json_value of_category(struct wm_json_value status, const char *category, const char *but)
{
    for (struct wm_json_value c = wm_json_first(wm_json_get(status, "conditions")); c.node;
         c = wm_json_after(c))
        if (is_text(c, "category", category) && is_text(c, "status", "True") && !is_text(c, "type", but))
            return c;
    return (struct wm_json_value){0};
}

/* --- parts --- */

static void read_spec(struct wm_json_value spec, struct wm_migration_state *m)
{
    struct wm_json_value ref = wm_json_get(spec, "migPlanRef");

    wm_span_copy(wm_get_span(ref, "namespace"), m->plan_namespace, sizeof m->plan_namespace);
    wm_span_copy(wm_get_span(ref, "name"), m->plan, sizeof m->plan);
    m->kind = wm_is_true(spec, "rollback")       ? WM_RUN_ROLLBACK
              : wm_is_true(spec, "migrateState") ? WM_RUN_STATE
              : wm_is_true(spec, "stage")        ? WM_RUN_STAGE
                                                 : WM_RUN_FINAL;
    m->canceled = wm_is_true(spec, "canceled");
    m->quiesces = wm_is_true(spec, "quiescePods");
    m->verifies = wm_is_true(spec, "verify");
}

static void read_errors(struct wm_json_value status, struct wm_migration_state *m)
{
    struct wm_json_value list = wm_json_get(status, "errors");

    m->errors = (int)wm_json_count(list);
    wm_json_line(wm_json_span_of(wm_json_first(list)), m->first_error, sizeof m->first_error);
}

static void read_warnings(struct wm_json_value status, struct wm_migration_state *m)
{
    for (struct wm_json_value c = wm_json_first(wm_json_get(status, "conditions")); c.node;
         c = wm_json_after(c)) {
        if (!is_text(c, "category", "Warn") || !is_text(c, "status", "True"))
            continue;
        if (m->n_warnings < WM_WARNINGS_MAX)
            wm_line_at(c, "type", m->warnings[m->n_warnings], sizeof m->warnings[0]);
        m->n_warnings++;
    }
}

static void show_step(struct wm_json_value step, struct wm_pipeline *p)
{
    struct wm_json_value progress = wm_json_get(step, "progress");

    wm_line_at(step, "name", p->step, sizeof p->step);
    wm_line_at(step, "message", p->message, sizeof p->message);
    p->started_s = wm_time_at(step, "started");
    p->progress_lines = (int)wm_json_count(progress);
    wm_json_line(wm_json_span_of(wm_json_first(progress)), p->line, sizeof p->line);
}

/* The failed step is what people ask for, even when clean-up steps came after it. */
static void read_pipeline(struct wm_json_value status, struct wm_pipeline *p)
{
    struct wm_json_value shown = {0};

    for (struct wm_json_value s = wm_json_first(wm_json_get(status, "pipeline")); s.node;
         s = wm_json_after(s)) {
        bool done = wm_is_set(s, "completed") || wm_is_true(s, "skipped"), failed = wm_is_true(s, "failed");

        p->steps++;
        p->done += done;
        if (!p->failed && (failed || (wm_is_set(s, "started") && !done)))
            shown = s;
        p->failed |= failed;
    }
    show_step(shown, p);
}

/* --- phase, itinerary, step --- */

/* "Step: 12/38"; false for the texts of other releases. */
static bool parse_step(struct wm_json_span message, int *step, int *steps)
{
    static const char before[] = "Step: ";
    wm_word text;

    if (!wm_span_copy(message, text, sizeof text) || strncmp(text, before, strlen(before)) != 0)
        return false;
    const char *n = text + strlen(before), *slash = strchr(n, '/');

    if (!slash)
        return false;
    *step = wm_str_digits((struct wm_str){n, (size_t)(slash - n)}, 0);
    *steps = wm_str_digits(wm_str_of(slash + 1), 0);
    if (*step > 0 && *steps >= *step)
        return true;
    *step = *steps = 0;
    return false;
}

static void read_itinerary(struct wm_json_value status, struct wm_migration_state *m)
{
    struct wm_itinerary_choice choice = {
        .failed = m->errors > 0 || wm_condition_is_true(status, "Failed"),
        .canceled = m->canceled,
        .rollback = m->kind == WM_RUN_ROLLBACK,
        .stage = m->kind == WM_RUN_STAGE || m->kind == WM_RUN_STATE,
    };
    wm_word name;

    wm_line_at(status, "itinerary", name, sizeof name);
    m->itinerary = wm_itinerary_of(name);
    if (m->itinerary == WM_ITINERARY_NONE)
        m->itinerary = wm_itinerary_choose(&choice);
}

static void read_phase(struct wm_json_value status, struct wm_migration_state *m)
{
    struct wm_json_value running = wm_condition(status, "Running");

    wm_line_at(status, "phase", m->phase, sizeof m->phase);
    m->row = wm_phase_find(m->phase);
    read_itinerary(status, m);
    /* Both are written at once; a Running of another phase would tell a wrong start. */
    if (is_text(running, "reason", m->phase)) {
        m->since_s = wm_time_at(running, "lastTransitionTime");
        if (parse_step(wm_get_span(running, "message"), &m->step, &m->steps))
            return;
    }
    m->step = m->phase[0] ? wm_phase_step(m->itinerary, m->phase) : 0;
    m->steps = m->step ? wm_itinerary_steps(m->itinerary) : 0;
}

/* --- outcome --- */

static void conclude(struct wm_migration_state *m, enum wm_run_outcome outcome,
                     struct wm_json_value condition)
{
    m->outcome = outcome;
    wm_line_at(condition, "message", m->message, sizeof m->message);
}

/* The conditions of the end; Failed counts at once, since nothing leads back from it.  Releases up to 2020
 * set Succeeded also on what was canceled, hence the order. */
static bool read_end(struct wm_json_value status, struct wm_migration_state *m)
{
    static const struct {
        const char *type;
        enum wm_run_outcome outcome;
    } ends[] = {
        {"Failed", WM_RUN_FAILED},
        {"Canceled", WM_RUN_CANCELED},
        {"SucceededWithWarnings", WM_RUN_SUCCEEDED_WITH_WARNINGS},
        {"Succeeded", WM_RUN_SUCCEEDED},
    };
    bool over = strcmp(m->phase, "Completed") == 0;
    struct wm_json_value end = {0};
    size_t i = 0;

    while (i < COUNT(ends) && !(end = wm_condition(status, ends[i].type)).node)
        i++;
    /* Errors lead to the Failed itinerary even where the condition was lost (task.go, failed). */
    bool failed = end.node ? ends[i].outcome == WM_RUN_FAILED : m->errors > 0;

    if (!over && !failed)
        return false;
    m->over = over;
    if (over)
        m->completed_s = wm_time_at(end, "lastTransitionTime");
    conclude(m, failed ? WM_RUN_FAILED : end.node ? ends[i].outcome : WM_RUN_ENDED, end);
    if (failed)
        wm_line_at(end, "reason", m->cause, sizeof m->cause);
    return true;
}

/* "Postponed 20 seconds ...": ten a place in the plan's queue. */
static int places_ahead(const char *message)
{
    const char *n = message + strcspn(message, "0123456789");

    return wm_str_digits((struct wm_str){n, strspn(n, "0123456789")}, 0) / 10;
}

/* Whatever blocks beside the queue comes first: with it, even its turn would not help. */
static bool read_blocker(struct wm_json_value status, struct wm_migration_state *m)
{
    struct wm_json_value c = of_category(status, "Critical", "Postponed");
    enum wm_run_outcome outcome = WM_RUN_BLOCKED;

    if (!c.node)
        c = of_category(status, "Error", "Postponed");
    if (!c.node) {
        c = wm_condition(status, "Postponed");
        outcome = WM_RUN_POSTPONED;
    }
    if (!c.node)
        return false;
    conclude(m, outcome, c);
    wm_line_at(c, "type", m->cause, sizeof m->cause);
    wm_line_at(c, "reason", m->reason, sizeof m->reason);
    m->since_s = wm_time_at(c, "lastTransitionTime");
    m->ahead = outcome == WM_RUN_POSTPONED ? places_ahead(m->message) : 0;
    return true;
}

static void read_outcome(struct wm_json_value status, struct wm_migration_state *m)
{
    if (read_end(status, m) || read_blocker(status, m))
        return;
    bool begun = m->phase[0] || m->started_s || wm_condition_is_true(status, "Running");

    m->outcome = begun ? WM_RUN_RUNNING : WM_RUN_NOT_STARTED;
}

/* --- all --- */

void wm_migration_read(const struct wm_parts *p, struct wm_migration_state *m)
{
    struct wm_json_value status = p->status;

    wm_span_copy(p->name, m->name, sizeof m->name);
    wm_span_copy(p->namespace_, m->namespace_, sizeof m->namespace_);
    wm_span_copy(p->uid, m->uid, sizeof m->uid);
    m->created_s = wm_time_in(p->created);
    m->going = p->going.kind == WM_JSON_STRING;
    read_spec(p->spec, m);
    m->canceled |= wm_condition_is_true(status, "Canceling") || wm_condition_is_true(status, "Canceled");
    m->has_stage_pods = wm_condition_is_true(status, "StagePodsCreated");
    m->started_s = wm_time_at(status, "startTimestamp");
    read_errors(status, m);
    read_warnings(status, m);
    read_pipeline(status, &m->pipeline);
    read_phase(status, m);
    read_outcome(status, m);
}
