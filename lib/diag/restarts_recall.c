/* What a stored report remembers of restarts.  It may be of an older release, or edited by hand. */
#include "details_impl.h"
#include "restarts_impl.h"

static void name_at(struct wm_json_value object, const char *key, char *out, size_t size)
{
    wm_span_copy(wm_get_span(object, key), out, size);
}
#define TEXT_AT(object, key, member) name_at((object), (key), (member), sizeof(member))

/* The number of a name in a row of names; `n` = none of them. */
typedef const char *name_fn(int i);

static int number_of(struct wm_json_value object, const char *key, name_fn *name, int n)
{
    struct wm_json_span s = wm_get_span(object, key);
    int i = 0;

    while (i < n && !wm_json_span_is(s, name(i)))
        i++;
    return i;
}

static const char *kind_name(int i)
{
    return wm_restart_kind_name((enum wm_restart_kind)i);
}

static const char *cause_name(int i)
{
    return wm_restart_cause_name((enum wm_restart_cause)i);
}

static const char *role_name(int i)
{
    return wm_restart_role_name((enum wm_restart_role)i);
}

static void read_culprits(struct wm_json_value list, struct wm_restart *r)
{
    for (struct wm_json_value v = wm_json_first(list); v.node && r->n_culprits < WM_CULPRITS_MAX;
         v = wm_json_after(v)) {
        struct wm_culprit *c = &r->culprits[r->n_culprits++];
        int role = number_of(v, "role", role_name, WM_RESTART_ROLE_UNKNOWN);

        TEXT_AT(v, "migration", c->migration);
        TEXT_AT(v, "uid", c->uid);
        TEXT_AT(v, "claim", c->claim);
        c->role = (enum wm_restart_role)role;
        c->deleted = wm_is_true(v, "deleted");
    }
}

static void read_victims(struct wm_json_value list, struct wm_restart *r)
{
    for (struct wm_json_value v = wm_json_first(list); v.node && r->n_victims < WM_VICTIMS_MAX;
         v = wm_json_after(v)) {
        struct wm_victim *victim = &r->victims[r->n_victims++];

        TEXT_AT(v, "migration", victim->migration);
        TEXT_AT(v, "uid", victim->uid);
        TEXT_AT(v, "phase", victim->phase);
        victim->failed = wm_is_true(v, "failed");
    }
}

static void read_times(struct wm_json_value v, struct wm_restart *r)
{
    r->begun_s = wm_time_at(v, "started");
    r->ended_s = wm_time_at(v, "finished");
    r->let_go_s = wm_time_at(v, "oldPodToldToEnd");
    r->stuck_s = wm_time_at(v, "stuckSince");
    r->gap_from_s = wm_time_at(v, "unavailableFrom");
    r->gap_to_s = wm_time_at(v, "unavailableTo");
    r->gap_at_least = wm_is_true(v, "unavailableAtLeast");
    r->gap_of_service = wm_is_true(v, "unavailableByService");
    r->overlap_s = wm_number_at(v, "overlapSeconds");
}

/* As the report prints it: 16 hexadecimal digits; 0 = it is none. */
static uint64_t key_of(struct wm_json_value v)
{
    static const char digits[] = "0123456789abcdef";
    wm_word text = "";
    uint64_t key = 0;

    TEXT_AT(v, "key", text);
    if (strlen(text) != 16 || strspn(text, digits) != 16)
        return 0;
    for (const char *c = text; *c; c++)
        key = key << 4 | (uint64_t)(strchr(digits, *c) - digits);
    return key;
}

/* False when it is none that can be kept. */
static bool read_restart(struct wm_json_value v, struct wm_restart *r)
{
    int kind = number_of(v, "kind", kind_name, WM_RESTART_KIND_COUNT);
    int cause = number_of(v, "cause", cause_name, WM_RESTART_CAUSE_COUNT);

    *r = (struct wm_restart){.key = key_of(v)};
    r->kind = (enum wm_restart_kind)kind;
    r->cause = cause < WM_RESTART_CAUSE_COUNT ? (enum wm_restart_cause)cause : WM_RESTART_UNKNOWN;
    TEXT_AT(v, "namespace", r->namespace_);
    TEXT_AT(v, "provider", r->provider);
    TEXT_AT(v, "deployment", r->deployment);
    TEXT_AT(v, "deploymentUid", r->deployment_uid);
    TEXT_AT(v, "stuck", r->stuck);
    TEXT_AT(v, "pod", r->pod);
    TEXT_AT(v, "why", r->why);
    TEXT_AT(v, "message", r->message);
    r->from_revision = wm_number_at(v, "fromRevision");
    r->to_revision = wm_number_at(v, "toRevision");
    r->also_changed = wm_is_true(v, "alsoChanged");
    read_times(v, r);
    read_culprits(wm_json_get(v, "culprits"), r);
    read_victims(wm_json_get(v, "victims"), r);
    return r->key && kind < WM_RESTART_KIND_COUNT && r->begun_s && r->deployment_uid[0];
}

/* What was seen of one that goes on, and cannot be seen any more. */
static void complete(struct wm_entry *e, const struct wm_restart *r)
{
    struct wm_restart *known = &e->r;

    memcpy(e->known, r->culprits, sizeof e->known);
    e->n_known = r->n_culprits;
    e->gap = (struct wm_stay){r->gap_from_s, r->gap_to_s};
    e->gap_at_least = r->gap_at_least;
    e->gap_of_service = r->gap_of_service;
    if (!known->let_go_s)
        known->let_go_s = r->let_go_s;
    known->overlap_s = wm_later(known->overlap_s, r->overlap_s);
    wm_culprits_keep(e);
}

static void take_in(struct wm_ledger *l, const struct wm_restart *r)
{
    struct wm_entry *e = wm_entry_find(l, r->key);
    bool over = r->ended_s && !wm_restart_gap_is_open(r), news = !e || over;

    if (!e)
        e = wm_entry_add(l, r->key);
    if (news) {
        e->r = *r;
        e->server = wm_id_of(wm_str_of(r->deployment_uid));
        e->counted = true;
        e->sealed = over;
    }
    complete(e, r);
    e->recalled_over |= over;
    e->r.recalled_open = !e->recalled_over;
}

void wm_ledger_recall(struct wm_ledger *l, struct wm_str report)
{
    static const char *const pointers[] = {"/status/restarts"};
    wm_auto_index struct wm_json_index x = {0};
    struct wm_json_span at[1];
    struct wm_restart r;

    if (wm_json_locate_indexed(report, 1, pointers, at, 1, &x, NULL) < 0)
        return;
    for (struct wm_json_value v = wm_json_first(wm_json_root(&x, 0)); v.node; v = wm_json_after(v))
        if (read_restart(v, &r))
            take_in(l, &r);
}
