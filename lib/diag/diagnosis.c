/* From suspects to findings: which rows of the table apply, which of them explain which, and whether all this
 * holds the migration up. */
#include <stdio.h>
#include <string.h>

#include "situation_impl.h"
#include "velero_look.h"
#include "waymark/cause.h"

/* --- names --- */

static const char *const role_names[WM_ROLE_COUNT] = {
    [WM_ROLE_MIGRATION] = "migration",
    [WM_ROLE_PLAN] = "plan",
    [WM_ROLE_CLUSTER] = "cluster",
    [WM_ROLE_WORK] = "work",
    [WM_ROLE_STAGE_POD] = "stage-pod",
    [WM_ROLE_REGISTRY_POD] = "registry-pod",
    [WM_ROLE_RSYNC_POD] = "rsync-pod",
    [WM_ROLE_HOOK_POD] = "hook-pod",
    [WM_ROLE_RESTORED_POD] = "restored-pod",
    [WM_ROLE_QUIESCED_POD] = "quiesced-pod",
    [WM_ROLE_CLAIM] = "claim",
    [WM_ROLE_STORAGE_CLASS] = "storage-class",
    [WM_ROLE_NODE] = "node",
    [WM_ROLE_VELERO] = "velero",
    [WM_ROLE_NODE_AGENT] = "node-agent",
    [WM_ROLE_LOCATION] = "location",
    [WM_ROLE_AHEAD] = "ahead",
    [WM_ROLE_PROVIDER] = "provider",
    [WM_ROLE_PROVIDER_SERVER] = "provider-server",
    [WM_ROLE_PROVIDER_POD] = "provider-pod",
    [WM_ROLE_MACHINE] = "machine",
};
static const char *const weight_names[] = {"stops", "hides", "threatens", "slows", "waits"};
static const char *const confidence_names[] = {"possible", "likely", "certain"};
static const char *const pace_names[] = {"over", "moves", "slow", "waits", "stalled", "blind"};

static const struct {
    const char *name;
    int64_t s;
} thresholds[WM_T_COUNT] = {
    [WM_T_SIGNAL] = {"signal", 15}, [WM_T_QUIET] = {"quiet", 120},     [WM_T_STARTUP] = {"startup", 60},
    [WM_T_QUEUE] = {"queue", 120},  [WM_T_SYNC] = {"sync", 300},       [WM_T_COPY] = {"copy", 600},
    [WM_T_ITEMS] = {"items", 900},  [WM_T_QUIESCE] = {"quiesce", 300}, [WM_T_ROLLOUT] = {"rollout", 60},
    [WM_T_TIDY] = {"tidy", 600},
};

const char *wm_role_name(enum wm_role r)
{
    return role_names[r];
}

const char *wm_weight_name(enum wm_weight w)
{
    return weight_names[w];
}

const char *wm_confidence_name(enum wm_confidence c)
{
    return confidence_names[c];
}

const char *wm_pace_name(enum wm_pace p)
{
    return pace_names[p];
}

const char *wm_threshold_name(enum wm_threshold t)
{
    return t < WM_T_COUNT ? thresholds[t].name : NULL;
}

void wm_thresholds_default(struct wm_thresholds *ret)
{
    for (size_t i = 0; i < WM_T_COUNT; i++)
        ret->s[i] = thresholds[i].s;
}

/* --- the table --- */

void wm_causes_each(wm_cause_each_fn *fn, void *ctx)
{
    for (size_t i = 0; wm_cause_parts[i]; i++)
        for (const struct wm_cause *c = wm_cause_parts[i]; c->id; c++)
            fn(ctx, c);
}

const struct wm_cause *wm_cause_find(const char *id)
{
    for (size_t i = 0; wm_cause_parts[i]; i++)
        for (const struct wm_cause *c = wm_cause_parts[i]; c->id; c++)
            if (strcmp(c->id, id) == 0)
                return c;
    return NULL;
}

/* --- findings --- */

static bool is_of_phase(const struct wm_cause *c, const struct wm_phase *phase)
{
    unsigned waits = c->waits & ~(WM_AFTER_END | WM_APART);

    return waits == WM_ANY_WAIT || (waits & (1u << (phase ? phase->waits_for : WM_WAIT_NOTHING)));
}

/* Plan and clusters are what they are now; they need not have been so when it failed. */
static bool applies_after_end(const struct wm_cause *c, const struct wm_look *look,
                              const struct wm_suspect *suspect)
{
    static const unsigned of_now = WM_ROLE(PLAN) | WM_ROLE(CLUSTER) | WM_ROLE(AHEAD);

    if (c->waits & WM_AFTER_END)
        return true;
    if (look->s->ending == WM_ENDING_FAILED)
        return !(of_now & (1u << suspect->role)) &&
               is_of_phase(c, wm_phase_of(look->s, look->s->state->cause));
    return look->s->ending == WM_ENDING_SUCCEEDED_WITH_WARNINGS && suspect->role == WM_ROLE_WORK &&
           wm_judge(look->w, suspect->record).faulty;
}

static bool applies(const struct wm_cause *c, const struct wm_look *look, const struct wm_suspect *suspect)
{
    if (!(c->roles & (1u << suspect->role)) ||
        (c->kind != WM_KIND_NONE && c->kind != (enum wm_kind)suspect->record->kind))
        return false;
    return look->s->ending == WM_ENDING_NONE ? is_of_phase(c, look->s->state->row)
                                             : applies_after_end(c, look, suspect);
}

static void sooner(int64_t *at_s, int64_t s)
{
    if (s && (!*at_s || s < *at_s))
        *at_s = s;
}

/* The better known of two, and of two equals the one that has stood longer. */
static bool goes_before(const struct wm_look *look, const struct wm_finding *a, const struct wm_finding *b)
{
    const struct wm_cause *x = a->cause, *y = b->cause;

    if ((a->explained_by < 0) != (b->explained_by < 0))
        return a->explained_by < 0;
    if (x->weight != y->weight)
        return x->weight < y->weight;
    if (x->confidence != y->confidence)
        return x->confidence > y->confidence;
    if (x->depth != y->depth)
        return x->depth > y->depth;
    if (a->since_s != b->since_s)
        return a->since_s < b->since_s;
    return wm_record_order(look->suspects[a->suspect].record, look->suspects[b->suspect].record) < 0;
}

static void tell(struct wm_finding *f, struct wm_clue *clue)
{
    const char *quote = clue->quote ? clue->quote : clue->event ? wm_event_of(clue->event)->message : "";

    if (clue->say)
        clue->say(clue);
    wm_line_copy(f->quote, sizeof f->quote, wm_str_of(quote));
    wm_line_copy(f->detail, sizeof f->detail, wm_str_of(clue->detail ? clue->detail : ""));
}

static bool is_said(const struct wm_diagnosis *d, const struct wm_finding *f)
{
    for (size_t i = 0; i < d->n; i++)
        if (d->findings[i].cause == f->cause &&
            d->look->suspects[d->findings[i].suspect].record == d->look->suspects[f->suspect].record)
            return true;
    return false;
}

/* A finding without its texts, and the clue that has them. */
static void add(struct wm_diagnosis *d, const struct wm_finding *f, struct wm_clue *clue)
{
    size_t at = d->n;

    if (is_said(d, f))
        return;
    while (at > 0 && goes_before(d->look, f, &d->findings[at - 1]))
        at--;
    if (at == WM_FINDINGS_MAX) {
        d->n_more++;
        return;
    }
    if (d->n == WM_FINDINGS_MAX)
        d->n_more++;
    else
        d->n++;
    memmove(&d->findings[at + 1], &d->findings[at], (d->n - 1 - at) * sizeof *f);
    d->findings[at] = *f;
    tell(&d->findings[at], clue);
}

/* How much the clock that the clue's times are from is ahead of ours.  The last progress is by our own. */
static int64_t clock_of(const struct wm_clue *c)
{
    const struct wm_world *w = c->look->w;

    return c->by_us || c->since_s == c->look->still_since_s ? 0 : wm_world_now(w, c->r->cluster) - w->now_s;
}

static void ask(struct wm_diagnosis *d, const struct wm_cause *cause, int suspect)
{
    const struct wm_look *look = d->look;
    struct wm_clue clue = {.look = look, .suspect = &look->suspects[suspect]};

    clue.r = clue.suspect->record;
    if (!cause->test(&clue))
        return;
    if (!clue.since_s)
        clue.since_s = look->still_since_s;
    int64_t ahead_s = clock_of(&clue), until_s = clue.until_s ? clue.until_s - ahead_s : 0;
    int64_t due_s = clue.due_s ? clue.due_s : clue.since_s + look->thresholds->s[cause->after];

    if (due_s - ahead_s > look->w->now_s) {
        sooner(&d->again_s, due_s - ahead_s);
        return;
    }
    if (until_s && until_s <= look->w->now_s)
        return;
    sooner(&d->again_s, until_s);
    add(d,
        &(struct wm_finding){.cause = cause,
                             .suspect = suspect,
                             .other = clue.other,
                             .event = clue.event,
                             .since_s = clue.since_s,
                             .explained_by = -1},
        &clue);
}

/* --- which explains which --- */

/* Suspects to be looked at, each once. */
struct search {
    bool seen[WM_SUSPECTS_MAX];
    int todo[WM_SUSPECTS_MAX];
    size_t n;
};

static void look_up(struct search *s, int suspect)
{
    if (suspect == WM_NO_SUSPECT || s->seen[suspect])
        return;
    s->seen[suspect] = true;
    s->todo[s->n++] = suspect;
}

/* True when `deep` was come upon through `shallow`, or is it; or `shallow` needs it as well as the one
 * through which it was come upon first. */
static bool is_below(const struct wm_look *look, int deep, int shallow)
{
    const struct wm_record *r = look->suspects[shallow].record;
    struct search s = {.n = 0};

    look_up(&s, deep);
    while (s.n > 0) {
        int at = s.todo[--s.n];
        const struct wm_record *d = look->suspects[at].record;

        if (d == r || wm_volume_needs(look->w, r, d))
            return true;
        look_up(&s, look->suspects[at].via);
        for (size_t i = 0; i < look->n_shared; i++)
            if (look->shared[i].suspect == at)
                look_up(&s, look->shared[i].via);
    }
    return false;
}

static bool explains(const struct wm_diagnosis *d, const struct wm_finding *a, const struct wm_finding *b)
{
    bool same = d->look->suspects[a->suspect].record == d->look->suspects[b->suspect].record;
    /* What only threatened has struck by then. */
    bool over = d->look->s->ending != WM_ENDING_NONE;

    if (a == b || (a->cause->waits & WM_APART) || (!over && a->cause->weight > b->cause->weight) ||
        !is_below(d->look, a->suspect, b->suspect))
        return false;
    return same ? a->cause->depth > b->cause->depth : a->cause->depth >= b->cause->depth;
}

static void sort(const struct wm_look *look, struct wm_finding *list, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        struct wm_finding f = list[i];
        size_t at = i;

        for (; at > 0 && goes_before(look, &f, &list[at - 1]); at--)
            list[at] = list[at - 1];
        list[at] = f;
    }
}

/* What is said for want of a cause (depth 0) is not said where something else tells why nothing moves. */
static void drop_makeshift(struct wm_diagnosis *d)
{
    size_t n = 0;
    bool known = false;

    for (size_t i = 0; i < d->n; i++) {
        const struct wm_cause *c = d->findings[i].cause;

        known |= c->depth > 0 && (c->weight == WM_STOPS || c->weight == WM_HIDES || c->weight == WM_WAITS);
    }
    for (size_t i = 0; i < d->n; i++)
        if (!known || d->findings[i].cause->depth > 0)
            d->findings[n++] = d->findings[i];
    d->n = n;
}

static void explain(struct wm_diagnosis *d)
{
    struct wm_finding sorted[WM_FINDINGS_MAX];

    for (size_t i = 0; i < d->n; i++)
        for (size_t k = 0; k < d->n && d->findings[i].explained_by < 0; k++)
            if (explains(d, &d->findings[k], &d->findings[i]))
                d->findings[i].explained_by = (int)k;
    memcpy(sorted, d->findings, d->n * sizeof *sorted);
    sort(d->look, sorted, d->n);
    for (size_t i = 0; i < d->n; i++) {
        const struct wm_finding *by =
            sorted[i].explained_by < 0 ? NULL : &d->findings[sorted[i].explained_by];

        for (size_t k = 0; by && k < d->n; k++)
            if (sorted[k].cause == by->cause && sorted[k].suspect == by->suspect)
                sorted[i].explained_by = (int)k;
    }
    memcpy(d->findings, sorted, d->n * sizeof *sorted);
}

/* --- the pace --- */

static const struct {
    enum wm_weight weight;
    enum wm_pace pace;
} paces[] = {
    {WM_STOPS, WM_PACE_STALLED},
    {WM_HIDES, WM_PACE_BLIND},
    {WM_WAITS, WM_PACE_WAITS},
    {WM_SLOWS, WM_PACE_SLOW},
};

static void judge_pace(struct wm_diagnosis *d)
{
    const struct wm_situation *s = d->look->s;

    d->pace = WM_PACE_MOVES;
    d->since_s = d->look->still_since_s;
    if (s->ending != WM_ENDING_NONE) {
        d->pace = WM_PACE_OVER;
        d->since_s = s->state->completed_s;
        return;
    }
    for (size_t p = 0; p < sizeof paces / sizeof paces[0]; p++)
        for (size_t i = 0; i < d->n; i++)
            if (d->findings[i].cause->weight == paces[p].weight && d->findings[i].explained_by < 0) {
                d->pace = paces[p].pace;
                d->since_s = d->findings[i].since_s;
                return;
            }
}

void wm_diagnose(const struct wm_look *look, struct wm_diagnosis *ret)
{
    *ret = (struct wm_diagnosis){.look = look};
    for (size_t i = 0; i < look->n; i++)
        for (size_t p = 0; wm_cause_parts[p]; p++)
            for (const struct wm_cause *c = wm_cause_parts[p]; c->id; c++)
                if (applies(c, look, &look->suspects[i]))
                    ask(ret, c, (int)i);
    drop_makeshift(ret);
    explain(ret);
    judge_pace(ret);
    if (look->s->ends_s > look->w->now_s) /* until then it is said when that will be */
        sooner(&ret->again_s, look->s->ends_s);
    if (look->s->ending == WM_ENDING_NONE)
        ret->behind = wm_migrations_behind(look->w, look->s);
}
