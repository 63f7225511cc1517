/* Hooks: the user's Jobs between the phases. */
#include <string.h>

#include "causes.h"
#include "situation_impl.h"

static bool is_of_hook(const struct wm_clue *c)
{
    return wm_job_of(c->r)->hook_phase[0] != '\0';
}

static bool failed_with(struct wm_clue *c, bool deadline)
{
    const struct wm_job_state *job = wm_job_of(c->r);

    if (!is_of_hook(c) || !job->failed || (strcmp(job->failed_reason, "DeadlineExceeded") == 0) != deadline)
        return false;
    c->since_s = job->failed_s;
    c->detail = job->failed_reason;
    c->quote = job->failed_message[0] ? job->failed_message : job->failed_reason;
    return true;
}

static bool has_failed(struct wm_clue *c)
{
    return failed_with(c, false);
}

static bool has_run_out_of_time(struct wm_clue *c)
{
    return failed_with(c, true);
}

static bool is_tried_again(struct wm_clue *c)
{
    const struct wm_job_state *job = wm_job_of(c->r);

    c->since_s = c->r->started_s;
    return is_of_hook(c) && job->failures > 0 && !wm_judge(c->look->w, c->r).ended;
}

/* In the last quarter of its time. */
static bool nears_deadline(struct wm_clue *c)
{
    const struct wm_job_state *job = wm_job_of(c->r);

    if (!is_of_hook(c) || !job->deadline_s || !c->r->started_s || wm_judge(c->look->w, c->r).ended)
        return false;
    c->since_s = c->r->started_s;
    c->due_s = c->r->started_s + job->deadline_s - job->deadline_s / 4;
    return true;
}

static bool gets_no_pod(struct wm_clue *c)
{
    static const char *const reasons[] = {"FailedCreate", NULL};

    if (!is_of_hook(c) || wm_job_of(c->r)->active > 0 || wm_judge(c->look->w, c->r).ended)
        return false;
    c->event = wm_clue_event(c, c->r, reasons, NULL);
    if (!c->event)
        return false;
    c->since_s = wm_event_of(c->event)->first_s;
    return true;
}

#define HOOK WM_ROLE(WORK), WM_KIND_JOB
#define HOOKS "mig-controller pkg/controller/migmigration/hooks.go"
#define LOGS "{kubectl} logs job/{name} --all-containers --prefix"

const struct wm_cause wm_causes_hook[] = {
    {"HookFailed", HOOK, WM_WAITS_FOR(HOOK) | WM_AFTER_END, has_failed, WM_STOPS, WM_CERTAIN, WM_T_SIGNAL, 4,
     "A hook has failed", "the hook {object} failed at {seen} ({detail}): {quote}",
     "read what it says, mend the hook (playbook, image, service account), and start a new migration:\n" LOGS,
     HOOKS},
    {"HookDeadlineExceeded", HOOK, WM_WAITS_FOR(HOOK), has_run_out_of_time, WM_STOPS, WM_CERTAIN, WM_T_SIGNAL,
     6, "A hook has run out of time, and nobody notices",
     "the hook {object} was ended by its deadline at {seen}, which mig-controller does not recognise: "
     "{migration} waits "
     "for it without end: {quote}",
     "cancel the migration, raise activeDeadlineSeconds of the MigHook or make the hook faster, and start "
     "again:\n"
     "{cancel}\n"
     "{host.kubectl} get mighooks",
     HOOKS},
    {"HookPodsForbidden", HOOK, WM_WAITS_FOR(HOOK), gets_no_pod, WM_STOPS, WM_CERTAIN, WM_T_SIGNAL, 6,
     "A hook's pod cannot be created", "no pod can be created for the hook {object}: {quote}",
     "grant what the message names to the hook's service account (security context, quota), or name another "
     "one in the "
     "plan:\n"
     "{kubectl} describe job {name}",
     HOOKS ", Kubernetes: Job controller"},
    {"HookFailing", HOOK, WM_WAITS_FOR(HOOK), is_tried_again, WM_THREATENS, WM_LIKELY, WM_T_SIGNAL, 3,
     "A hook fails and is tried again",
     "a pod of the hook {object} has failed and is tried again; with the sixth the migration fails",
     "read what it says; mend it, or cancel before it leaves things half done:\n" LOGS "\n{cancel}", HOOKS},
    {"HookDeadline", HOOK, WM_WAITS_FOR(HOOK), nears_deadline, WM_THREATENS, WM_LIKELY, WM_T_SIGNAL, 2,
     "A hook is about to run out of time",
     "the hook {object} is in the last quarter of its time: its deadline is at {ends}, and mig-controller "
     "would then "
     "wait for it without end",
     "see what it is at; for the next time raise activeDeadlineSeconds of the MigHook:\n" LOGS, HOOKS},
    {0},
};
