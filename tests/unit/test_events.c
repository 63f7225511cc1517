/* Events: series, limits and answers, with a simulated clock. */
#include <stdio.h>

#include "lib/kube/events_internal.h"
#include "unit.h"

static const int64_t START_US = 1795245480000123; /* where every simulation begins */

/* A letter is an event: A, B and C differ by reason, a is A with another note, X is about another object, N
 * about one without a namespace; O is told once. */
static struct wm_event event_of(char letter)
{
    struct wm_event e = {.regarding = {"velero.io/v1", "Backup", "velero", "b", "u-1"}};

    e.reason = letter == 'B' || letter == 'C' ? (letter == 'B' ? "B" : "C") : "A";
    e.note = letter == 'a' ? "another" : "note";
    if (letter == 'X' || letter == 'N')
        e.regarding.uid = letter == 'X' ? "u-9" : "u-n";
    if (letter == 'N')
        e.regarding.namespace_ = NULL;
    if (letter == 'O')
        e.once = 0xfeed;
    return e;
}

static char letter_of(const struct wm_event *e)
{
    if (strcmp(e->regarding.uid, "u-1") != 0)
        return e->regarding.uid[2] == '9' ? 'X' : 'N';
    if (e->once)
        return 'O';
    return strcmp(e->note, "another") == 0 ? 'a' : *e->reason;
}

/* Script: "SECONDS LETTER" steps; "-" = nothing happens then, "!" = the end.  Answers: statuses in order,
 * "404t" a plain text, "404s" a Status that names nothing; 200 when there are no more.  Log: "SECONDS METHOD
 * LETTER COUNT" of every write, and its end when it is no success. */
static const struct sim_row {
    const char *name;
    int per_object_s, per_object_hour;
    const char *script, *answers, *log;
} sims[] = {
    {"one", 0, 0, "0 A; 999 -", "", "0 POST A 1"},
    {"the second makes a series, later ones are counted, and told at its end", 0, 0,
     "0 A; 1 A; 2 A; 3 A; 999 -", "", "0 POST A 1; 1 PATCH A 2; 363 PATCH A 4"},
    {"a series that owes nothing ends silently", 0, 0, "0 A; 1 A; 999 -", "", "0 POST A 1; 1 PATCH A 2"},
    {"after six minutes of silence it is a new one", 0, 0, "0 A; 359 A; 719 A; 720 A", "",
     "0 POST A 1; 359 PATCH A 2; 719 POST A 1; 720 PATCH A 2"},
    {"a series that goes on is refreshed every 30 minutes", 0, 0,
     "0 A; 1 A; 300 A; 600 A; 900 A; 1200 A; 1500 A; 1800 A; 1802 -", "",
     "0 POST A 1; 1 PATCH A 2; 1801 PATCH A 8"},
    {"another note is another event", 0, 0, "0 A; 1 a; 2 -", "", "0 POST A 1; 1 POST a 1"},
    {"a state that comes back is told, however often", 0, 0, "0 A; 1 B; 2 A; 3 B; 4 A", "",
     "0 POST A 1; 1 POST B 1; 2 PATCH A 2; 3 PATCH B 2; 4 PATCH A 3"},

    {"too soon: held back", 30, 0, "0 A; 1 B; 29 -; 31 -", "", "0 POST A 1; 30 POST B 1"},
    {"too soon: the newest takes the place of older ones", 30, 0, "0 A; 1 B; 2 a; 3 C; 60 -", "",
     "0 POST A 1; 30 POST C 1"},
    {"too soon: back to what was told", 30, 0, "0 A; 1 B; 2 A; 60 -", "", "0 POST A 1; 30 PATCH A 2"},
    {"too soon: held back many times", 30, 0, "0 A; 1 B; 2 B; 3 B; 60 -; 999 -", "",
     "0 POST A 1; 30 POST B 3"},
    {"too soon: repetitions of a series are only counted", 30, 0, "0 A; 30 A; 31 A; 32 A; 999 -", "",
     "0 POST A 1; 30 PATCH A 2; 392 PATCH A 4"},
    {"another object has a limit of its own", 30, 0, "0 A; 1 X; 2 -", "", "0 POST A 1; 1 POST X 1"},
    {"the limit outlives the series", 1000, 0, "0 A; 500 B; 1001 -", "", "0 POST A 1; 1000 POST B 1"},
    {"three an hour, and then the newest", 1, 3, "0 A; 10 B; 20 C; 30 a; 40 A; 50 B; 3599 -; 3601 -", "",
     "0 POST A 1; 10 POST B 1; 20 POST C 1; 3600 POST B 1"},
    {"the hour slides", 1, 3, "0 A; 1000 B; 2000 C; 3700 a; 3800 A; 4599 -; 4700 -", "",
     "0 POST A 1; 1000 POST B 1; 2000 POST C 1; 3700 POST a 1; 4600 POST A 1"},
    {"at the end everything is told", 30, 0, "0 A; 30 A; 31 A; 32 X; 33 A; 34 X; 40 !", "",
     "0 POST A 1; 30 PATCH A 2; 32 POST X 1; 40 PATCH X 2; 40 PATCH A 4"},

    {"no answer: twelve tries, ten seconds apart", 0, 0, "0 A; 200 -", "0 0 0 0 0 0 0 0 0 0 0 0",
     "0 POST A 1; 10 POST A 1; 20 POST A 1; 30 POST A 1; 40 POST A 1; 50 POST A 1; 60 POST A 1; 70 POST A 1; "
     "80 POST A 1; 90 POST A 1; 100 POST A 1; 110 POST A 1; dropped"},
    {"an overload, and a proxy without a server", 0, 0, "0 A; 200 -", "429 503 201",
     "0 POST A 1; 10 POST A 1; 20 POST A 1"},
    {"happened again while the server was away", 0, 0, "0 A; 1 A; 2 A; 200 -", "0 201",
     "0 POST A 1; 10 POST A 3"},
    {"refused: forgotten, and tried anew", 0, 0, "0 A; 1 A", "403 201", "0 POST A 1; refused; 1 POST A 1"},
    {"no namespace of that name", 0, 0, "0 A; 1 -", "404", "0 POST A 1; refused"},
    {"a server older than 1.19", 0, 0, "0 A; 1 A; 2 B", "404t 201 200 201",
     "0 POST A 1; 0 POST A 1 core; 1 PATCH A 2 core; 2 POST B 1 core"},
    {"another one", 0, 0, "0 A; 1 -", "404s 201", "0 POST A 1; 0 POST A 1 core"},
    {"neither API", 0, 0, "0 A; 1 -", "404t 404t", "0 POST A 1; 0 POST A 1 core; refused"},
    {"invalid", 0, 0, "0 A; 1 -", "422", "0 POST A 1; refused"},
    {"not in default", 0, 0, "0 N; 1 N", "422 201 200", "0 POST N 1; 0 POST N 1 system; 1 PATCH N 2 system"},
    {"nowhere", 0, 0, "0 N; 1 -", "422 422", "0 POST N 1; 0 POST N 1 system; refused"},
    {"a name that is taken", 0, 0, "0 A; 1 -", "409 201", "0 POST A 1; 0 POST A 1 renamed"},
    {"told once, and another one told it", 0, 0, "0 O; 1 -", "409", "0 POST O 1"},
    {"told once: not what is told each time", 0, 0, "0 O; 1 A", "", "0 POST O 1; 1 POST A 1"},
    {"its own name, since an answer was lost", 0, 0, "0 A; 11 A", "0 409 200",
     "0 POST A 1; 10 POST A 1; 11 PATCH A 2"},
    {"the event of a series is gone", 0, 0, "0 A; 1 A; 2 -", "201 404 201",
     "0 POST A 1; 1 PATCH A 2; 1 POST A 2"},
    {"the event of a series is gone, and there again", 0, 0, "0 A; 1 A; 2 -", "201 404 409 200",
     "0 POST A 1; 1 PATCH A 2; 1 POST A 2; 1 PATCH A 2"},
    {"a patch in a conflict", 0, 0, "0 A; 1 A; 2 -", "201 409 200", "0 POST A 1; 1 PATCH A 2; 1 PATCH A 2"},
    {"for ever in a conflict", 0, 0, "0 A; 1 A; 2 -", "201 409 409 409 409 409 409 409 409 409 409 409 409",
     "0 POST A 1; 1 PATCH A 2; 1 PATCH A 2; 1 PATCH A 2; 1 PATCH A 2; 1 PATCH A 2; 1 PATCH A 2; 1 PATCH A 2; "
     "1 PATCH A 2; 1 PATCH A 2; 1 PATCH A 2; 1 PATCH A 2; 1 PATCH A 2; dropped"},
    {"a patch that is refused", 0, 0, "0 A; 1 A; 2 A", "201 403 201",
     "0 POST A 1; 1 PATCH A 2; refused; 2 POST A 1"},
};

struct sim {
    struct wm_event_book book;
    struct wm_buf log;
    const char *answers;
    char last_name[WM_EVENT_NAME_MAX + 1];
    int64_t now_ms;
};

static int next_status(struct sim *m, const char **body)
{
    char *end;
    long status = strtol(m->answers, &end, 10);

    *body = *end == 't'   ? "404 page not found\n"
            : *end == 's' ? "{\"kind\":\"Status\",\"details\":{}}"
                          : "{\"kind\":\"Status\",\"details\":{\"name\":\"n\"}}";
    status = end == m->answers ? 200 : status;
    m->answers = end + (*end == 't' || *end == 's');
    return (int)status;
}

static void write_one(struct sim *m, struct wm_event_series *s)
{
    wm_auto_buf struct wm_buf path = WM_BUF_MAX(1000), body = WM_BUF_MAX(10000);
    const char *method = wm_event_book_write(&m->book, s, &path, &body), *answer;
    int status = next_status(m, &answer);
    bool renamed = s->tries > 1 && strcmp(s->name, m->last_name) != 0;

    wm_buf_printf(&m->log, "%s%d %s %c %d%s%s%s", m->log.n ? "; " : "", (int)(m->now_ms / 1000), method,
                  letter_of(&s->kept->event), s->sent, s->api == WM_EVENTS_CORE ? " core" : "",
                  strstr(path.p, "/kube-system/") ? " system" : "", renamed ? " renamed" : "");
    assert_int_equal(strncmp(path.p, s->api == WM_EVENTS_CORE ? "/api/v1/" : "/apis/events.k8s.io/v1/", 8),
                     0);
    snprintf(m->last_name, sizeof m->last_name, "%s", s->name);
    switch (wm_event_book_answer(&m->book, s, status, wm_str_of(answer), 1u << 31, m->now_ms)) {
    case WM_EVENT_REFUSED:
        wm_buf_puts(&m->log, "; refused");
        break;
    case WM_EVENT_DROPPED:
        wm_buf_puts(&m->log, "; dropped");
        break;
    case WM_EVENT_CREATED:
    case WM_EVENT_PATCHED:
    case WM_EVENT_AGAIN:
        break;
    }
}

static void turn(struct sim *m)
{
    struct wm_event_series *s;

    wm_event_book_turn(&m->book, m->now_ms);
    while ((s = wm_event_book_next(&m->book, m->now_ms)))
        write_one(m, s);
}

/* As a timer would: a turn whenever one is due, and never in vain for long. */
static void advance(struct sim *m, int64_t to_ms)
{
    int n = 0;

    for (int64_t due; (due = wm_event_book_due_ms(&m->book)) <= to_ms; turn(m)) {
        m->now_ms = due > m->now_ms ? due : m->now_ms;
        assert_true(n++ < 100);
    }
    m->now_ms = to_ms;
}

static void check_sim(void **state)
{
    const struct sim_row *r = *state;
    struct sim m = {.book.o = {.controller = "c/d",
                               .instance = "i",
                               .per_object_s = r->per_object_s,
                               .per_object_hour = r->per_object_hour,
                               .t = wm_events_default_tunables},
                    .log = WM_BUF_MAX(10000),
                    .answers = r->answers};

    for (const char *at = r->script; *at;) {
        char *end;
        int64_t ms = strtol(at, &end, 10) * 1000;
        char letter = end[1];

        advance(&m, ms);
        if (letter == '!') {
            wm_event_book_close(&m.book, ms);
        } else if (letter != '-') {
            struct wm_event e = event_of(letter);

            wm_event_book_tell(&m.book, wm_event_keep(&e, (struct wm_event_now){START_US + ms * 1000, ms}));
        }
        turn(&m);
        at = end + 2 + strspn(end + 2, "; ");
    }
    assert_string_equal(wm_buf_text(&m.log).p, r->log);
    assert_int_equal(m.book.n_writing, 0);
    wm_event_book_done(&m.book);
    wm_buf_done(&m.log);
}

static void what_is_over_is_forgotten(void **state)
{
    struct sim m = {.book.o = {.per_object_s = 30, .per_object_hour = 20, .t = wm_events_default_tunables},
                    .log = WM_BUF_MAX(10000),
                    .answers = ""};
    struct wm_event e = event_of('A');

    (void)state;
    m.book.o.controller = m.book.o.instance = "i";
    wm_event_book_tell(&m.book, wm_event_keep(&e, (struct wm_event_now){START_US, 0}));
    turn(&m);
    advance(&m, 3599999);
    assert_non_null(m.book.subjects);
    advance(&m, 3600000);
    assert_null(m.book.subjects);
    assert_true(wm_event_book_due_ms(&m.book) == INT64_MAX);
    wm_buf_done(&m.log);
}

static void names_of_one_moment_differ(void **state)
{
    struct sim m = {.book.o = {.controller = "c", .instance = "i", .t = wm_events_default_tunables},
                    .log = WM_BUF_MAX(10000),
                    .answers = ""};
    char first[sizeof m.last_name];

    (void)state;
    for (const char *z = "AB"; *z; z++) {
        struct wm_event e = event_of(*z);

        memcpy(first, m.last_name, sizeof first);
        wm_event_book_tell(&m.book, wm_event_keep(&e, (struct wm_event_now){START_US, 0}));
        turn(&m);
    }
    assert_string_not_equal(first, m.last_name);
    wm_event_book_done(&m.book);
    wm_buf_done(&m.log);
}

static void retries_are_spread_by_a_quarter(void **state)
{
    static const struct {
        uint32_t random;
        int64_t ms;
    } rows[] = {{0, 7500}, {1u << 31, 10000}, {UINT32_MAX, 12500}};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct wm_event_book b = {.o = {.t = wm_events_default_tunables}};
        struct wm_event e = event_of('A');

        wm_event_book_tell(&b, wm_event_keep(&e, (struct wm_event_now){START_US, 0}));
        wm_event_book_answer(&b, wm_event_book_next(&b, 0), 0, (struct wm_str){"", 0}, rows[i].random, 0);
        assert_in_range(wm_event_book_due_ms(&b), rows[i].ms - 1, rows[i].ms);
        wm_event_book_done(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_over_is_forgotten),
        cmocka_unit_test(names_of_one_moment_differ),
        cmocka_unit_test(retries_are_spread_by_a_quarter),
    };

    return RUN_TABLE("events", sims, check_sim) +
           cmocka_run_group_tests_name("events, one by one", tests, NULL, NULL);
}
