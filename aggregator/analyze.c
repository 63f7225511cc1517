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

static void add_waiting(void *ctx, const struct wm_record *r)
{
    struct wm_analysis *a = ctx;

    a->waiting[a->n_waiting++] = r;
}

static void find_waiting(struct wm_analysis *a)
{
    free(a->waiting);
    a->waiting = NULL;
    a->n_waiting = 0;
    if (a->d.behind == 0)
        return;
    a->waiting = wm_xcalloc(a->d.behind, sizeof *a->waiting);
    wm_migrations_behind_each(&a->world, &a->s, add_waiting, a);
    qsort(a->waiting, a->n_waiting, sizeof *a->waiting, by_turn);
}

struct wm_case wm_analysis_case(struct wm_analysis *a, size_t i)
{
    judge(a, a->list[i].migration);
    find_waiting(a);
    return (struct wm_case){&a->d, a->waiting, a->n_waiting};
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

static void look_at(struct wm_analysis *a, struct wm_patient *p)
{
    struct wm_said said;

    judge(a, p->migration);
    wm_diagnosis_say(&a->d, &said);
    p->pace = a->d.pace;
    p->alarms = said.wanted;
    a->n_alarms += said.wanted;
}

static int rank_of(const struct wm_patient *p)
{
    static const int ranks[] = {
        [WM_PACE_STALLED] = 0, [WM_PACE_BLIND] = 1, [WM_PACE_SLOW] = 2,
        [WM_PACE_MOVES] = 3,   [WM_PACE_WAITS] = 4, [WM_PACE_OVER] = 5,
    };

    return ranks[p->pace];
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
    for (size_t i = 0; i < a->n; i++)
        look_at(a, &a->list[i]);
    qsort(a->list, a->n, sizeof *a->list, by_need);
}

void wm_analysis_done(struct wm_analysis *a)
{
    free(a->waiting);
    free(a->list);
}
