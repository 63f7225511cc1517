/* The decisions of an election, with clocks and an API server that are only played. */
#include "lease_store.h"
#include "lib/kube/lease_rules.h"
#include "unit.h"

/* --- two candidates, and what befalls the first --- */

enum trouble {
    NOTHING,
    OUTAGE,       /* its requests get no answer */
    LOST_ANSWERS, /* its writes arrive, and their answers do not */
    STORM,        /* all writes are refused with 409 */
    STOP,         /* it stands still, as after SIGSTOP or in a suspended machine */
    RELEASE,      /* it ends in good order */
    DELETION,     /* the Lease is deleted */
};

enum { HOUR_MS = 3600000, START_MS = 10 * HOUR_MS, END_MS = 60000 };

struct candidate {
    char name[2];
    struct wm_election e;
    int64_t offset_ms;
    int64_t next_ms;         /* its next round; -1 = none any more */
    int64_t led_ms, lost_ms; /* the first time; -1 = never */
};

struct world {
    const struct story *story;
    struct lease_store store;
    struct candidate c[2];
    int64_t now_ms;
    uint32_t random;
    int n_in_trouble; /* requests while it lasted */
};

/* Times in ms from the moment that the first candidate leads.  It renews at 0, 2,000, 4,000, ... */
static const struct story {
    const char *name;
    enum trouble trouble;
    int64_t from, to;
    int64_t offset_ms;          /* of the second's clock */
    int64_t lost_from, lost_to; /* when the first must stop leading; 0 = never */
    int64_t led_from, led_to;   /* when the second must begin to; 0 = never */
    const char *at_end;
} stories[] = {
    {"nothing happens", NOTHING, 0, 0, 0, 0, 0, 0, 0, "a"},
    {"a clock an hour ahead", NOTHING, 0, 0, HOUR_MS, 0, 0, 0, 0, "a"},
    {"a clock an hour behind", NOTHING, 0, 0, -HOUR_MS, 0, 0, 0, 0, "a"},
    {"a hand-over between clocks an hour apart", OUTAGE, 10001, END_MS, HOUR_MS, 20000, 20000, 25000, 27000,
     "b"},
    {"an outage of 9 s", OUTAGE, 10001, 19001, 0, 0, 0, 0, 0, "a"},
    {"an outage of 9 s that hits a Lease renewed 2 s before", OUTAGE, 11999, 20999, 0, 20000, 20000, 0, 0,
     "a"},
    {"an outage of 11 s", OUTAGE, 10001, 21001, 0, 20000, 20000, 0, 0, "a"},
    {"an outage that does not end", OUTAGE, 10001, END_MS, 0, 20000, 20000, 25000, 27000, "b"},
    {"answers lost for 9 s", LOST_ANSWERS, 10001, 19001, 0, 0, 0, 0, 0, "a"},
    {"answers lost for 11 s", LOST_ANSWERS, 10001, 21001, 0, 20000, 20000, 0, 0, "a"},
    {"409 for 9 s", STORM, 10001, 19001, 0, 0, 0, 0, 0, "a"},
    {"409 for 30 s", STORM, 10001, 40001, 0, 20000, 20000, 40001, 45000, NULL},
    {"a stop of 8 s", STOP, 10001, 18001, 0, 0, 0, 0, 0, "a"},
    {"a stop of 12 s", STOP, 10001, 22001, 0, 22001, 22001, 0, 0, "a"},
    {"a stop of 20 s", STOP, 10001, 30001, 0, 30001, 30001, 25000, 27000, "b"},
    {"a release", RELEASE, 11000, 11000, 0, 11000, 11000, 11000, 12000, "b"},
    {"a release between clocks an hour apart", RELEASE, 11000, 11000, -HOUR_MS, 11000, 11000, 11000, 12000,
     "b"},
    {"a deleted Lease", DELETION, 11000, 11000, 0, 0, 0, 0, 0, "a"},
};

static bool in_trouble(const struct world *w, enum trouble t)
{
    return w->story->trouble == t && w->now_ms >= w->story->from && w->now_ms < w->story->to;
}

static int64_t clock_of(const struct world *w, const struct candidate *c)
{
    return START_MS + w->now_ms + c->offset_ms;
}

static int send_request(struct world *w, struct candidate *c, enum wm_lease_act act, struct wm_buf *out)
{
    wm_auto_buf struct wm_buf body = WM_BUF_MAX(1 << 20);
    bool is_first = c == &w->c[0];
    static const char *const methods[] = {"", "GET", "POST", "PUT"};

    w->n_in_trouble += w->now_ms >= w->story->from && w->now_ms < w->story->to;
    if (is_first && in_trouble(w, OUTAGE))
        return 0;
    if (act != WM_LEASE_GET) {
        if (in_trouble(w, STORM))
            return 409;
        wm_election_body(&c->e, clock_of(w, c) * 1000, &body);
    }
    int status = lease_store_call(&w->store, methods[act], wm_buf_text(&body), out);

    return is_first && act != WM_LEASE_GET && in_trouble(w, LOST_ANSWERS) ? 0 : status;
}

static bool holds(const struct world *w, const struct candidate *c)
{
    return c->e.leading && clock_of(w, c) < wm_election_deadline_ms(&c->e);
}

static void look(struct world *w)
{
    for (int i = 0; i < 2; i++) {
        struct candidate *c = &w->c[i];

        if (c->e.leading && c->led_ms < 0)
            c->led_ms = w->now_ms;
        if (!c->e.leading && c->led_ms >= 0 && c->lost_ms < 0)
            c->lost_ms = w->now_ms;
    }
    assert_false(holds(w, &w->c[0]) && holds(w, &w->c[1]));
}

static void play_round(struct world *w, struct candidate *c)
{
    enum wm_lease_act act = wm_election_begin(&c->e, clock_of(w, c));

    look(w);
    while (act != WM_LEASE_PAUSE) {
        wm_auto_buf struct wm_buf out = WM_BUF_MAX(1 << 20);
        struct wm_error err = {0};
        int status = send_request(w, c, act, &out);

        act = wm_election_answer(&c->e, clock_of(w, c), status, wm_buf_text(&out), &err);
        assert_int_equal(err.code, WM_OK);
        look(w);
    }
    w->random = w->random * 1664525 + 1013904223;
    c->next_ms = c->e.releasing ? -1 : w->now_ms + wm_election_pause_ms(&c->e, clock_of(w, c), w->random);
}

/* When something is next to do for it: a round, or the end of its time. */
static int64_t due(const struct world *w, const struct candidate *c)
{
    int64_t at = c->next_ms < 0 ? END_MS : c->next_ms;

    if (c->e.leading && wm_election_deadline_ms(&c->e) - c->offset_ms - START_MS < at)
        at = wm_election_deadline_ms(&c->e) - c->offset_ms - START_MS;
    if (c == &w->c[0] && w->story->trouble == STOP && at >= w->story->from && at < w->story->to)
        at = w->story->to;
    return at;
}

static void play_event(struct world *w)
{
    if (w->story->trouble == DELETION) {
        lease_store_set(&w->store, NULL);
    } else if (w->story->trouble == RELEASE) {
        wm_election_release(&w->c[0].e);
        play_round(w, &w->c[0]);
        assert_string_equal(lease_store_spec(&w->store, "/spec/holderIdentity"), "\"\"");
    }
}

static void play(struct world *w)
{
    bool is_event_due = w->story->from > 0;

    for (;;) {
        struct candidate *c = due(w, &w->c[1]) < due(w, &w->c[0]) ? &w->c[1] : &w->c[0];
        int64_t at = due(w, c);

        if (is_event_due && w->story->from <= at) {
            w->now_ms = w->story->from;
            is_event_due = false;
            play_event(w);
            look(w);
            continue;
        }
        if (at >= END_MS)
            return;
        w->now_ms = at;
        if (c->next_ms > at) {
            wm_election_tick(&c->e, clock_of(w, c));
            look(w);
        } else {
            play_round(w, c);
        }
    }
}

static void assert_between(const char *what, int64_t at, int64_t from, int64_t to)
{
    if (from == 0 ? at >= 0 : at < from || at > to)
        fail_msg("%s at %lld, not between %lld and %lld", what, (long long)at, (long long)from,
                 (long long)to);
}

static void one_leads_at_a_time(void **state)
{
    struct world w = {.story = *state, .random = 7};
    const struct story *s = w.story;

    lease_store_init(&w.store);
    for (int i = 0; i < 2; i++) {
        struct candidate *c = &w.c[i];

        *c = (struct candidate){.name = {(char)('a' + i)},
                                .offset_ms = i ? s->offset_ms : 0,
                                .next_ms = i,
                                .led_ms = -1,
                                .lost_ms = -1};
        struct wm_election_set set = {.namespace_ = "n", .name = "l", .identity = c->name};

        assert_int_equal(wm_election_init(&c->e, &set, NULL), WM_OK);
    }
    play(&w);
    assert_between("the first stopped", w.c[0].lost_ms, s->lost_from, s->lost_to);
    if (s->at_end || w.c[1].led_ms >= 0)
        assert_between("the second led", w.c[1].led_ms, s->led_from, s->led_to);
    w.now_ms = END_MS - 1;
    if (s->at_end)
        assert_true(holds(&w, &w.c[s->at_end[0] - 'a']));
    assert_true(holds(&w, &w.c[0]) || holds(&w, &w.c[1]));
    if (s->trouble == STORM)
        assert_in_range(w.n_in_trouble, 1, 4 * (s->to - s->from) / 1000);
    for (int i = 0; i < 2; i++)
        wm_election_done(&w.c[i].e);
    lease_store_done(&w.store);
}

int main(void)
{
    return RUN_TABLE("stories", stories, one_leads_at_a_time);
}
