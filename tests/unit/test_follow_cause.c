/* When a migration is judged again though nothing of it has changed. */
#include <stdio.h>

#include "aggregator/follow_impl.h"
#include "diagnosis_judge.h"
#include "tests/support/model_put.h"
#include "unit.h"
#include "waymark/clock.h"
#include "waymark/time.h"

enum { PATH_MAX_N = 512 };

struct row {
    const char *name, *folder, *now;
    int after_s; /* 0 = never */
};

/* What happens to those that go first is told to nobody else; a limit of its own may be sooner. */
static const struct row rows[] = {
    {"nobody goes first", "copying-well", "2026-11-21T19:20:00Z", 540},
    {"a migration goes first", "postponed-by-one-that-moves", NULL, 15},
    {"a Restore goes first", "velero-queue", NULL, 15},
    {"a Restore goes first, and time alone brings a finding sooner", "velero-queue", "2026-11-21T19:04:20Z",
     8},
    {"it has ended", "restored-well", NULL, 0},
};

static void put_all(const struct world *w, struct wm_model *m)
{
    struct model_sources sources = {0};

    for (size_t i = 0; i < w->n; i++)
        model_put(&sources, m, w->objects[i].cluster, w->objects[i].kind, w->objects[i].json);
}

static void check_row(void **state)
{
    static struct wm_situation s;
    static struct wm_said said[WM_SAID_COUNT];
    static struct tracked t; /* large */
    const struct row *row = *state;
    struct wm_follow_opts opts = {0};
    char path[PATH_MAX_N];

    wm_thresholds_default(&opts.thresholds);
    snprintf(path, sizeof path, "%s/%s", DIAGNOSIS_FOLDER, row->folder);
    wm_auto_yaml struct wm_yaml *y = diagnosis_read_case(path);
    struct world *w = diagnosis_world_read(path, wm_yaml_root(y));
    struct wm_follow *f = wm_follow_new(&opts);
    struct wm_model *m = wm_model_new(
        &(struct wm_model_conf){.detail = wm_detail_of, .detail_done = wm_detail_done, .over = wm_is_over});

    if (row->now)
        assert_true(wm_time_parse(wm_str_of(row->now), &w->world.now_s));
    put_all(w, m);
    w->world.model = m;
    wm_situation_of(&w->world, diagnosis_migration(w, m), &s);
    t = (struct tracked){.pulse = {wm_progress_token(&w->world, &s), w->still_since_s, NULL}};
    t.said = said;
    wm_situation_say(&w->world, &s, t.said);
    int64_t begin_ms = wm_mono_ms();

    wm_follow_diagnose(f, &t, &w->world, &s);
    int64_t after_ms = t.again_ms ? t.again_ms - begin_ms : 0;

    assert_in_range(after_ms, row->after_s * 1000, row->after_s * 1000 + (row->after_s ? 900 : 0));
    wm_volume_marks_done(&t.marks);
    wm_model_free(m);
    wm_follow_free(f);
    diagnosis_world_free(w);
}

int main(void)
{
    return RUN_TABLE("again", rows, check_row);
}
