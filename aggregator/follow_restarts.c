/* News of providers' restarts: whom it concerns is judged again, and Events tell of what began badly and of
 * what ended.  Those on the Provider remain when the VMMigration is deleted. */
#include "follow_impl.h"
#include "waymark/clock.h"
#include "waymark/time.h"

enum { LOOK_MS = 1000 };

/* What is told of a restart, once.  That time alone goes by is told again when it is known what it waits for;
 * not the other way round. */
enum news { ENDED, STUCK_BY, STUCK, OUTAGE, NEWS_COUNT };
static const struct {
    const char *reason;
    bool warning;
    unsigned tells; /* bits: what need not be told any more then */
} words[NEWS_COUNT] = {
    [ENDED] = {"ProviderRestarted", false, 1u << ENDED},
    [STUCK_BY] = {"ProviderRestartStuck", true, 1u << STUCK_BY | 1u << STUCK},
    [STUCK] = {"ProviderRestartStuck", true, 1u << STUCK},
    [OUTAGE] = {"ProviderUnavailable", true, 1u << OUTAGE},
};

struct look {
    struct wm_follow *f;
    struct wm_world world;
    struct wm_events *events;         /* NULL = nothing is told */
    const struct wm_restart *restart; /* that is being looked at */
};

static int64_t now_s(const struct look *l)
{
    return wm_world_now(&l->world, 0);
}

static enum wm_gap gap_of(const struct look *l, const struct wm_restart *r)
{
    return wm_gap_of(l->world.gap_marks, wm_restart_gap_s(r, now_s(l)));
}

/* --- what is new --- */

static bool names_no_cause(const char *stuck)
{
    return strcmp(stuck, "NoProgress") == 0 || strcmp(stuck, "ProgressDeadlineExceeded") == 0;
}

/* Of the cause it is not known when it came; after a time without one it is seen to come. */
static int64_t stuck_when(const struct look *l, const struct wm_restart *r, unsigned told, bool by)
{
    if (!r->stuck[0] || names_no_cause(r->stuck) == by)
        return 0;
    return by && (told & 1u << STUCK) ? now_s(l) : r->stuck_s + l->f->opts.thresholds.s[WM_T_SIGNAL];
}

/* When it came to that, by the host's clock; 0 = it did not. */
static int64_t when(const struct look *l, const struct wm_restart *r, unsigned told, enum news n)
{
    if (n == ENDED) /* all is as wanted, and somebody answers */
        return r->ended_s && !wm_restart_gap_is_open(r) ? wm_later(r->ended_s, r->gap_to_s) : 0;
    if (n == OUTAGE)
        return gap_of(l, r) == WM_GAP_OUTAGE ? r->gap_from_s + l->world.gap_marks->outage : 0;
    return stuck_when(l, r, told, n == STUCK_BY);
}

static uint64_t digest_of(const struct look *l, const struct wm_restart *r)
{
    const uint64_t parts[] = {
        (uint64_t)r->cause,   r->n_culprits,           (uint64_t)r->ended_s,     (uint64_t)r->let_go_s,
        (uint64_t)r->stuck_s, (uint64_t)r->gap_from_s, (uint64_t)r->gap_to_s,    (uint64_t)gap_of(l, r),
        r->n_victims,         (uint64_t)r->overlap_s,  (uint64_t)r->to_revision, r->gap_of_service};
    uint64_t h = wm_str_digest(wm_str_of(r->stuck), 1);

    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        h = wm_mix(h * 31 + parts[i]);
    for (size_t i = 0; i < r->n_victims; i++)
        h = wm_mix(h * 31 + r->victims[i].failed);
    return h;
}

static struct known_restart *find_or_add(struct wm_follow *f, uint64_t key)
{
    size_t i = 0;

    while (i < f->n_restarts && f->restarts[i].key != key)
        i++;
    if (i == WM_RESTARTS_MAX)
        return NULL;
    if (i == f->n_restarts)
        f->restarts[f->n_restarts++] = (struct known_restart){.key = key};
    return &f->restarts[i];
}

static void forget_missing(struct wm_follow *f)
{
    for (size_t i = f->n_restarts; i-- > 0;)
        if (f->restarts[i].round != f->restarts_round)
            f->restarts[i] = f->restarts[--f->n_restarts];
}

/* --- whom it concerns --- */

static void mark(void *ctx, const struct wm_record *r)
{
    const struct look *l = ctx;
    const struct wm_vm_state *vm = wm_vm_of(r);

    if (wm_restart_is_of(l->restart, vm->m.uid) ||
        (!vm->m.over && strcmp(vm->m.namespace_, l->restart->namespace_) == 0))
        wm_follow_changed(l->f, r->id);
}

/* The same for whoever tells it. */
static uint64_t number_of(const struct look *l, enum news n, const char *uid)
{
    return wm_str_digest(wm_str_of(uid), wm_mix(l->restart->key ^ n)) | 1;
}

static void tell_migration(const struct look *l, enum news n, const char *uid, bool warning, const char *note)
{
    const struct wm_record *r = uid[0] ? wm_model_find(l->world.model, 0, wm_id_of(wm_str_of(uid))) : NULL;

    if (!r || r->kind != WM_KIND_VMMIGRATION)
        return;
    struct wm_followed_object about = {WM_KIND_VMMIGRATION, wm_model_word(l->world.model, r->namespace_),
                                       wm_record_name(r), uid, number_of(l, n, uid)};

    wm_follow_event(l->f, &about, warning, words[n].reason, note, l->events);
}

static void tell_provider(const struct look *l, enum news n, bool warning, const char *note)
{
    const struct wm_restart *r = l->restart;
    const struct wm_record *provider =
        wm_model_find_named(l->world.model, 0, WM_KIND_PROVIDER, r->namespace_, r->provider);
    const char *uid = provider ? wm_provider_of(provider)->uid : "";
    struct wm_followed_object about = {WM_KIND_PROVIDER, r->namespace_, r->provider, uid,
                                       number_of(l, n, uid)};

    wm_follow_event(l->f, &about, warning, words[n].reason, note, l->events);
}

static bool is_culprit(const struct wm_restart *r, const char *uid)
{
    for (size_t i = 0; i < r->n_culprits; i++)
        if (strcmp(r->culprits[i].uid, uid) == 0)
            return true;
    return false;
}

static void tell(const struct look *l, enum news n)
{
    const struct wm_restart *r = l->restart;
    char note[WM_MESSAGE_MAX];
    bool warning = words[n].warning || gap_of(l, r) >= WM_GAP_BEYOND;

    wm_restart_say(r, now_s(l), l->world.gap_marks, note, sizeof note);
    tell_provider(l, n, warning, note);
    for (size_t i = 0; i < r->n_culprits; i++)
        tell_migration(l, n, r->culprits[i].uid, warning, note);
    for (size_t i = 0; i < r->n_victims; i++)
        if (!is_culprit(r, r->victims[i].uid))
            tell_migration(l, n, r->victims[i].uid, true, note);
}

/* It ended while nobody led: who led before has stored that it goes on.  Should the end have been told and
 * not been stored any more, the server has the Event still: by default for an hour. */
static bool is_late(const struct look *l, enum news n, int64_t at_s)
{
    enum { LATE_S = 1800 };

    return n == ENDED && l->restart->recalled_open && now_s(l) - at_s < LATE_S;
}

/* Of several news at once the first is told. */
static void tell_news(const struct look *l, struct known_restart *known)
{
    bool silent = !l->events || !l->f->opts.events;

    for (int n = 0; n < NEWS_COUNT; n++) {
        int64_t at_s = when(l, l->restart, known->told, (enum news)n);
        bool ours = at_s >= l->f->restarts_since_s || (!silent && is_late(l, (enum news)n, at_s));

        /* that an end is to be told late is known when the report was read */
        if (!at_s || (known->told & 1u << n) || (n == ENDED && !ours))
            continue;
        known->told |= words[n].tells;
        if (silent || !ours)
            continue;
        tell(l, (enum news)n);
        silent = true;
    }
}

static void look_at(void *ctx, const struct wm_restart *r)
{
    struct look *l = ctx;
    struct known_restart *known = find_or_add(l->f, r->key);
    uint64_t digest = digest_of(l, r);

    l->restart = r;
    if (!known)
        return;
    known->round = l->f->restarts_round;
    if (known->digest != digest)
        wm_model_each(l->world.model, WM_KIND_VMMIGRATION, mark, l);
    known->digest = digest;
    tell_news(l, known);
}

void wm_follow_restarts(struct wm_follow *f, struct wm_fleet *fleet, struct wm_events *events)
{
    struct look l = {.f = f, .events = events};
    int64_t now_ms = wm_mono_ms();

    if (now_ms < f->restarts_ms)
        return;
    f->restarts_ms = now_ms + LOOK_MS;
    f->restarts_round++;
    wm_fleet_lock(fleet);
    wm_fleet_world(fleet, &l.world);
    if (!events || !f->restarts_since_s)
        f->restarts_since_s = now_s(&l);
    wm_ledger_each(l.world.ledger, look_at, &l);
    wm_fleet_unlock(fleet);
    forget_missing(f);
}
