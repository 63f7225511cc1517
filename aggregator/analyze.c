#include "analyze.h"

#include <stdlib.h>

#include "waymark/report.h"

/* --- one migration --- */

/* A dump is one moment: what is known of progress is the youngest time in the migration's own objects. */
static void judge(struct wm_analysis *a, const struct wm_record *migration)
{
    struct wm_pulse pulse = {0};

    wm_situation_of(&a->world, migration, &a->s);
    wm_pulse_feel(&pulse, &a->world, &a->s);
    wm_look_around(&a->world, &a->s, &a->thresholds, &a->look);
    a->look.still_since_s = pulse.changed_s;
    wm_diagnose(&a->look, &a->d);
}

struct wm_case wm_analysis_case(struct wm_analysis *a, size_t i)
{
    const struct wm_patient *p = &a->list[i];

    judge(a, p->migration);
    a->d.behind = p->n_waiting;
    return (struct wm_case){&a->d, p->waiting, p->n_waiting};
}

void wm_analysis_report(struct wm_analysis *a, size_t i, struct wm_buf *out)
{
    wm_auto_free struct wm_history *h = wm_xcalloc(1, sizeof *h);
    char verdict[WM_VERDICT_MAX];

    wm_analysis_case(a, i);
    wm_diagnosis_verdict(&a->d, verdict);
    wm_history_update(h, &a->world, &a->s, verdict);
    h->progress_s = a->d.look->still_since_s;
    wm_report_object(&a->s, out);
    if (out->n == 0)
        return;
    out->n--; /* the closing bracket */
    wm_buf_puts(out, ",\"status\":");
    wm_report_status(&a->world, &a->s, h, &a->d, out);
    wm_buf_puts(out, "}");
}

/* --- all of them --- */

struct gathering {
    struct wm_analysis *a;
    const char *migration;
    size_t cap;
};

static void gather(void *ctx, const struct wm_record *r)
{
    struct gathering *g = ctx;
    struct wm_analysis *a = g->a;

    if (g->migration && strcmp(wm_record_name(r), g->migration) != 0)
        return;
    if (a->n == g->cap) {
        struct wm_patient *grown = wm_xcalloc(g->cap = g->cap ? 2 * g->cap : 16, sizeof *grown);

        if (a->n)
            memcpy(grown, a->list, a->n * sizeof *grown);
        free(a->list);
        a->list = grown;
    }
    a->list[a->n++] = (struct wm_patient){.migration = r};
}

static int by_record(const void *a, const void *b)
{
    uintptr_t x = (uintptr_t)((const struct wm_patient *)a)->migration,
              y = (uintptr_t)((const struct wm_patient *)b)->migration;

    return (x > y) - (x < y);
}

/* While they are looked at, they are in the order of by_record. */
static struct wm_patient *patient_of(const struct wm_analysis *a, const struct wm_record *r)
{
    return bsearch(&(struct wm_patient){.migration = r}, a->list, a->n, sizeof *a->list, by_record);
}

static void add_waiting(struct wm_patient *p, const struct wm_record *r)
{
    if ((p->n_waiting & (p->n_waiting - 1)) == 0) { /* full: room is a power of two */
        const struct wm_record **grown = wm_xcalloc(p->n_waiting ? 2 * p->n_waiting : 1, sizeof *grown);

        if (p->n_waiting)
            memcpy(grown, p->waiting, p->n_waiting * sizeof *grown);
        free(p->waiting);
        p->waiting = grown;
    }
    p->waiting[p->n_waiting++] = r;
}

/* Those that have to wait tell who goes first. */
static void note_ahead(struct wm_analysis *a)
{
    for (size_t i = 0; i < a->look.n; i++) {
        const struct wm_suspect *s = &a->look.suspects[i];
        struct wm_patient *p = s->role == WM_ROLE_AHEAD ? patient_of(a, s->record) : NULL;

        if (p)
            add_waiting(p, a->look.s->migration);
    }
}

static void look_at(struct wm_analysis *a, struct wm_patient *p)
{
    struct wm_said said;

    judge(a, p->migration);
    wm_diagnosis_say(&a->d, &said);
    p->pace = a->d.pace;
    p->alarms = said.wanted;
    a->n_alarms += said.wanted;
    note_ahead(a);
}

static int rank_of(const struct wm_patient *p)
{
    static const int ranks[] = {
        [WM_PACE_STALLED] = 0, [WM_PACE_BLIND] = 1, [WM_PACE_SLOW] = 2,
        [WM_PACE_MOVES] = 3,   [WM_PACE_WAITS] = 4, [WM_PACE_OVER] = 5,
    };

    return ranks[p->pace];
}

/* Total, so that a dump is told in the same order every time. */
static int by_age(const struct wm_record *a, const struct wm_record *b)
{
    int names = strcmp(wm_record_name(a), wm_record_name(b));

    if (a->created_s != b->created_s)
        return a->created_s < b->created_s ? -1 : 1;
    if (names || a->id.hi == b->id.hi)
        return names ? names : (a->id.lo > b->id.lo) - (a->id.lo < b->id.lo);
    return a->id.hi < b->id.hi ? -1 : 1;
}

static int by_turn(const void *a, const void *b)
{
    return by_age(*(const struct wm_record *const *)a, *(const struct wm_record *const *)b);
}

static int by_need(const void *a, const void *b)
{
    const struct wm_patient *x = a, *y = b;

    if (rank_of(x) != rank_of(y))
        return rank_of(x) - rank_of(y);
    if (x->alarms != y->alarms)
        return y->alarms - x->alarms;
    return by_age(x->migration, y->migration);
}

void wm_analyze(struct wm_analysis *a, const struct wm_world *w, const char *migration)
{
    struct gathering g = {a, migration, 0};

    memset(a, 0, sizeof *a);
    a->world = *w;
    wm_thresholds_default(&a->thresholds);
    wm_model_each(w->model, WM_KIND_MIGMIGRATION, gather, &g);
    wm_model_each(w->model, WM_KIND_VMMIGRATION, gather, &g);
    if (!a->n)
        return;
    qsort(a->list, a->n, sizeof *a->list, by_record);
    for (size_t i = 0; i < a->n; i++)
        look_at(a, &a->list[i]);
    for (size_t i = 0; i < a->n; i++)
        if (a->list[i].n_waiting)
            qsort(a->list[i].waiting, a->list[i].n_waiting, sizeof *a->list[i].waiting, by_turn);
    qsort(a->list, a->n, sizeof *a->list, by_need);
}

void wm_analysis_done(struct wm_analysis *a)
{
    for (size_t i = 0; i < a->n; i++)
        free(a->list[i].waiting);
    free(a->list);
}
