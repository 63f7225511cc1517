/* When to write: scripts of sights, questions and outcomes, each with the answer that is due. */
#include "unit.h"
#include "waymark/writing.h"

enum what {
    END,
    SEE,   /* a sight by the watch: stamp, phase, version */
    LIST,  /* the same from a list */
    ASK,   /* in a polling phase */
    FAST,  /* in a phase of fast rounds */
    URGE,  /* as ASK, for what must not wait */
    ENDED, /* after the end */
    WROTE,
    REFUSED,
    LOST,
    IDLE,
};

struct step {
    enum what what;
    int64_t at_ms;
    const char *stamp, *phase, *version;
    enum wm_slot_answer answer;
    int64_t ret_ms; /* of WAIT; 0 = not looked at */
};

enum { STEPS_MAX = 24 };

struct script {
    const char *name;
    struct step steps[STEPS_MAX];
    const struct wm_slot_rules *rules; /* NULL = mig-controller's */
};

#define UNSTAMPED &wm_slot_rules_meta
#define NOW(what, at)                                                                                        \
    {                                                                                                        \
        what, at, .answer = WM_SLOT_NOW                                                                      \
    }
#define WAIT(what, at, until)                                                                                \
    {                                                                                                        \
        what, at, .answer = WM_SLOT_WAIT, .ret_ms = until                                                    \
    }

// clang-format off
static const struct script scripts[] = {
    {"first sight is no slot", {{LIST, 1000, "a", "P", "1"}, WAIT(ASK, 1000, 121000)}},
    {"just after the stamp", {{LIST, 1000, "a", "P", "1"}, {SEE, 3000, "b", "P", "2"}, NOW(ASK, 3000), NOW(ASK, 4000)}},
    {"later it may be working", {{LIST, 1000, "a", "P", "1"}, {SEE, 3000, "b", "P", "2"}, WAIT(ASK, 4001, 123000)}},
    {"the next stamp opens again", {{LIST, 1000, "a", "P", "1"}, {SEE, 3000, "b", "P", "2"}, WAIT(ASK, 4001, 0),
      {SEE, 6100, "c", "P", "3"}, NOW(ASK, 6100)}},
    {"a stamp from a list is of an unknown age", {{LIST, 1000, "a", "P", "1"}, {LIST, 3000, "b", "P", "2"}, WAIT(ASK, 3000, 123000)}},
    {"a new phase starts at once", {{LIST, 1000, "a", "P", "1"}, {SEE, 3000, "b", "Q", "2"}, WAIT(ASK, 3000, 123000),
      {SEE, 3200, "c", "Q", "3"}, NOW(ASK, 3300)}},
    {"the first phase is a change too", {{LIST, 1000, "a", NULL, "1"}, {SEE, 3000, "b", "P", "2"}, WAIT(ASK, 3000, 0)}},
    {"postponed: no phase, long sleeps", {{LIST, 1000, "a", NULL, "1"}, {SEE, 11000, "b", NULL, "2"}, NOW(ASK, 11000)}},
    {"not stamped yet: its first round runs", {{LIST, 1000, NULL, "P", "1"}, WAIT(ASK, 7000, 121000), {SEE, 9000, "a", "P", "2"}, WAIT(ASK, 9000, 129000)}},
    {"never between fast rounds", {{LIST, 1000, "a", "P", "1"}, {SEE, 1100, "b", "P", "2"}, WAIT(FAST, 1100, 121100),
      {SEE, 40000, "c", "P", "3"}, WAIT(FAST, 40000, 160000)}},
    {"a change of the spec closes the slot", {{LIST, 1000, "a", "P", "1"}, {SEE, 3000, "b", "P", "2"}, {SEE, 3100, "b", "P", "3"}, WAIT(ASK, 3100, 123100)}},
    {"the same sight again does not", {{LIST, 1000, "a", "P", "1"}, {SEE, 3000, "b", "P", "2"}, {SEE, 3100, "b", "P", "2"}, NOW(ASK, 3100)}},
    {"an owner that is down", {{LIST, 1000, "a", "P", "1"}, WAIT(FAST, 120999, 121000), NOW(FAST, 121000)}},
    {"the gap", {{LIST, 1000, "a", "P", "1"}, {SEE, 3000, "b", "P", "2"}, NOW(ASK, 3000), {WROTE, 3050},
      {SEE, 3060, "b", "P", "3"}, WAIT(ASK, 3060, 33050), {SEE, 32000, "c", "P", "4"}, WAIT(ASK, 32000, 33050),
      WAIT(ASK, 33050, 152000), {SEE, 35100, "d", "P", "5"}, NOW(ASK, 35100)}},
    {"what is urgent borrows the gap of the next", {{LIST, 1000, "a", "P", "1"}, {SEE, 3000, "b", "P", "2"}, {WROTE, 3050},
      {SEE, 3060, "b", "P", "3"}, {SEE, 21000, "c", "P", "4"}, WAIT(ASK, 21000, 33050), NOW(URGE, 21000), {WROTE, 21050},
      {SEE, 24000, "d", "P", "5"}, WAIT(URGE, 24000, 33050), WAIT(ASK, 24000, 63050), {SEE, 33100, "e", "P", "6"}, NOW(URGE, 33100),
      {WROTE, 33100}, {SEE, 63100, "f", "P", "7"}, WAIT(ASK, 63100, 93050), NOW(URGE, 63100), {SEE, 93100, "g", "P", "8"}, NOW(ASK, 93100)}},
    {"what is urgent waits for the slot, and for its echo", {{LIST, 1000, "a", "P", "1"}, {SEE, 3000, "b", "P", "2"}, {WROTE, 3050}, WAIT(URGE, 3060, 8050),
      {SEE, 3100, "b", "P", "3"}, WAIT(URGE, 3100, 123100), {SEE, 6000, "c", "P", "4"}, NOW(URGE, 6000), WAIT(URGE, 7001, 126000)}},
    {"the end: at once, without a gap", {{LIST, 1000, "a", "P", "1"}, {SEE, 3000, "b", "P", "2"}, {WROTE, 3050},
      {SEE, 4000, "c", "Completed", "3"}, NOW(ENDED, 4000)}},
    {"the end: what was written is waited for", {{LIST, 1000, "a", "Completed", "1"}, NOW(ENDED, 1000), {WROTE, 1050}, WAIT(ENDED, 1060, 6050),
      {SEE, 1200, "a", "Completed", "2"}, NOW(ENDED, 1200)}},
    {"refused: slower each time", {{LIST, 1000, "a", "P", "1"}, NOW(ENDED, 1000), {REFUSED, 1010}, WAIT(ENDED, 1011, 2010),
      NOW(ENDED, 2010), {REFUSED, 2010}, WAIT(ENDED, 2011, 4010), NOW(ENDED, 4010), {REFUSED, 4010}, WAIT(ENDED, 4011, 8010),
      NOW(ENDED, 8010), {WROTE, 8010}, {SEE, 8020, "a", "P", "2"}, {REFUSED, 9000}, WAIT(ENDED, 9001, 10000), {IDLE, 9500}, NOW(ENDED, 9501)}},
    {"without stamps: settled", {{LIST, 1000, NULL, "P", "1"}, WAIT(ASK, 1000, 6000), {SEE, 4000, NULL, "P", "2"}, WAIT(ASK, 6000, 9000), NOW(ASK, 9000)}, UNSTAMPED},
    {"without stamps: our own write is a change", {{LIST, 1000, NULL, "P", "1"}, NOW(FAST, 6000), {WROTE, 6000}, {SEE, 6001, NULL, "P", "2"},
      WAIT(FAST, 6100, 36000), NOW(FAST, 36000)}, UNSTAMPED},
    {"restless: after a minute, behind a change", {{LIST, 1000, NULL, "P", "1"}, WAIT(ASK, 1000, 0), {SEE, 58000, NULL, "P", "2"}, WAIT(ASK, 58000, 63000),
      {SEE, 60999, NULL, "P", "3"}, WAIT(ASK, 60999, 65999), WAIT(ASK, 62500, 65999), {SEE, 63000, NULL, "P", "4"}, NOW(ASK, 63000), NOW(ASK, 64000), WAIT(ASK, 64001, 68000)}, UNSTAMPED},
    {"patience begins when something is wanted", {{LIST, 1000, NULL, "P", "1"}, WAIT(ASK, 1000, 0), {IDLE, 2000}, {SEE, 90000, NULL, "P", "2"}, WAIT(ASK, 90000, 95000)}, UNSTAMPED},
    {"lost: slower each time, then no more", {{LIST, 1000, NULL, "P", "1"}, NOW(ASK, 10000), {WROTE, 10000}, {LOST, 20000}, WAIT(ASK, 20000, 80000), NOW(ASK, 80000),
      {WROTE, 80000}, {LOST, 90000}, WAIT(ASK, 90000, 210000), {WROTE, 210000}, {LOST, 220000}, WAIT(ASK, 220000, 460000),
      {WROTE, 460000}, {LOST, 470000}, WAIT(ASK, 470000, 950000), {WROTE, 950000}, {LOST, 960000},
      {ASK, 960000, .answer = WM_SLOT_GIVE_UP}, {ASK, 99960000, .answer = WM_SLOT_OVER}, NOW(ENDED, 99960001), {ASK, 99960002, .answer = WM_SLOT_NOW}}, UNSTAMPED},
    {"one loss counts once, and not before its echo", {{LIST, 1000, NULL, "P", "1"}, {LOST, 2000}, {WROTE, 10000}, {LOST, 14999}, WAIT(ASK, 15000, 40000),
      {LOST, 20000}, {LOST, 20001}, {LOST, 30000}, WAIT(ASK, 30000, 80000)}, UNSTAMPED},
    {"a loss long after the one before is the first", {{LIST, 1000, NULL, "P", "1"}, {WROTE, 10000}, {LOST, 20000}, {WROTE, 80000}, {LOST, 90000},
      {WROTE, 210000}, {LOST, 3690001}, WAIT(ASK, 3690001, 3750001)}, UNSTAMPED},
    {"the longest delay", {{LIST, 1000, NULL, "P", "1"}, {REFUSED, 1}, {REFUSED, 1}, {REFUSED, 1}, {REFUSED, 1}, {REFUSED, 1}, {REFUSED, 1}, {REFUSED, 1},
      {REFUSED, 1}, {REFUSED, 1}, {REFUSED, 1}, {REFUSED, 1}, {REFUSED, 1}, {REFUSED, 1}, {REFUSED, 1000}, WAIT(ENDED, 1000, 901000)}, UNSTAMPED},
    {"a clock that stands or goes back", {{LIST, 5000, "a", "P", "1"}, {SEE, 5000, "b", "P", "2"}, NOW(ASK, 4000), {WROTE, 4000}, {LOST, 3000}, WAIT(ASK, 3000, 34000)}},
    {"the end of time", {{LIST, INT64_MAX - 1, "a", "P", "1"}, WAIT(FAST, INT64_MAX - 1, INT64_MAX), {WROTE, INT64_MAX - 1}, WAIT(FAST, INT64_MAX - 1, INT64_MAX)}},
};
// clang-format on

static struct wm_sight sight_of(const struct step *p)
{
    return (struct wm_sight){wm_str_of(p->version), wm_str_of(p->stamp), wm_str_of(p->phase), p->what == SEE};
}

static void check_answer(struct wm_slot *s, const struct wm_slot_rules *rules, const struct step *p)
{
    int64_t ret = 0;

    s->urgent = p->what == URGE;
    enum wm_slot_answer got =
        wm_slot_ask(s, rules, p->what == ENDED, p->what == ASK || p->what == URGE, p->at_ms, &ret);

    assert_int_equal(got, p->answer);
    if (p->ret_ms)
        assert_true(ret == p->ret_ms);
    if (got == WM_SLOT_WAIT)
        assert_true(ret > p->at_ms);
}

static void play(struct wm_slot *s, const struct wm_slot_rules *rules, const struct step *p)
{
    struct wm_sight sight = sight_of(p);

    switch (p->what) {
    case SEE:
    case LIST:
        wm_slot_seen(s, &sight, p->at_ms);
        break;
    case ASK:
    case FAST:
    case URGE:
    case ENDED:
        check_answer(s, rules, p);
        break;
    case WROTE:
        wm_slot_wrote(s, rules, p->at_ms);
        break;
    case REFUSED:
        wm_slot_refused(s, p->at_ms);
        break;
    case LOST:
        wm_slot_lost(s, rules, p->at_ms);
        break;
    case IDLE:
        wm_slot_idle(s);
        break;
    case END:
        break;
    }
}

static void check_script(void **state)
{
    const struct script *script = *state;
    const struct wm_slot_rules *rules = script->rules ? script->rules : &wm_slot_rules_mtc;
    struct wm_slot s = {0};

    for (int i = 0; i < STEPS_MAX && script->steps[i].what != END; i++) {
        print_message("%s: step %d\n", script->name, i);
        play(&s, rules, &script->steps[i]);
    }
}

int main(void)
{
    return RUN_TABLE("slot", scripts, check_script);
}
