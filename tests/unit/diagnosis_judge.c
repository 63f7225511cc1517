#include "diagnosis_judge.h"

#include <dirent.h>
#include <stdio.h>

#include "tests/support/model_put.h"
#include "unit.h"
#include "waymark/restarts.h"
#include "waymark/time.h"

enum { PATH_MAX_N = 512 };

/* --- a diagnosis as text --- */

static void put_finding(const struct wm_diagnosis *d, const struct wm_finding *f, struct wm_buf *out)
{
    char line[WM_MESSAGE_MAX], time[WM_TIME_SIZE] = "-";

    wm_finding_say(d, f, line, sizeof line);
    assert_null(strpbrk(line, "[]\n\t"));
    if (f->since_s)
        wm_time_print(f->since_s, time);
    wm_buf_printf(out, "\n%s (%s, %s) since %s\n", f->cause->id, wm_weight_name(f->cause->weight),
                  wm_confidence_name(f->cause->confidence), time);
    if (f->explained_by >= 0)
        wm_buf_printf(out, "  because of: %s\n", d->findings[f->explained_by].cause->id);
    wm_buf_puts(out, "  through:");
    for (int i = f->suspect; i != WM_NO_SUSPECT; i = d->look->suspects[i].via) {
        const struct wm_record *r = d->look->suspects[i].record;

        wm_buf_printf(out, " %s %s/%s%s", wm_kinds[r->kind].kind, d->look->w->clusters[r->cluster].name,
                      wm_record_name(r), d->look->suspects[i].via == WM_NO_SUSPECT ? "" : ",");
    }
    wm_buf_printf(out, "\n  %s\n", line);
    wm_auto_buf struct wm_buf remedy = WM_BUF_MAX(1 << 16);

    wm_finding_remedy(d, f, true, &remedy);
    for (const char *p = wm_buf_text(&remedy).p, *end; p && *p; p = *end ? end + 1 : end) {
        end = p + strcspn(p, "\n");
        wm_buf_printf(out, "  > %.*s\n", (int)(end - p), p);
    }
}

char *diagnosis_text(const struct wm_diagnosis *d)
{
    wm_auto_buf struct wm_buf text = WM_BUF_MAX(1 << 20);
    struct wm_buf *out = &text;
    struct wm_said said;
    char time[WM_TIME_SIZE] = "-";

    if (d->since_s)
        wm_time_print(d->since_s, time);
    wm_buf_printf(out, "%s since %s\n", wm_pace_name(d->pace), time);
    wm_diagnosis_say(d, &said);
    assert_null(strpbrk(said.message, "[]\n\t"));
    assert_in_range(strlen(said.message), 0, WM_MESSAGE_MAX - 2); /* or it was cut */
    if (said.wanted && !strstr(said.message, "cluster ") && !strstr(said.message, "--context "))
        fail_msg("it does not say on which cluster: %s", said.message);
    if (said.wanted)
        wm_buf_printf(out, "MigrationStalled=%s %s\n  %s\n", said.status ? "True" : "False", said.reason,
                      said.message);
    for (size_t i = 0; i < d->n; i++)
        put_finding(d, &d->findings[i], out);
    return wm_buf_take(&text);
}

/* --- judging --- */

struct wanted {
    const struct wm_model *m;
    const char *name;
    const struct wm_record *found;
};

static void find_migration(void *ctx, const struct wm_record *r)
{
    struct wanted *wanted = ctx;

    bool own = strncmp(wm_model_word(wanted->m, r->namespace_), "other-", strlen("other-")) != 0;

    if (own && (!wanted->name || strcmp(wm_record_name(r), wanted->name) == 0))
        wanted->found = r;
}

/* A folder has the one kind or the other; a MigMigration goes first. */
const struct wm_record *diagnosis_migration(const struct world *w, const struct wm_model *m)
{
    struct wanted wanted = {m, w->migration, NULL};

    wm_model_each(m, WM_KIND_MIGMIGRATION, find_migration, &wanted);
    if (!wanted.found)
        wm_model_each(m, WM_KIND_VMMIGRATION, find_migration, &wanted);
    assert_non_null(wanted.found);
    return wanted.found;
}

static void on_change(void *ctx, const struct wm_record *r, bool gone)
{
    const struct diagnosis_watched *w = ctx;

    if (r->cluster == 0)
        wm_ledger_changed(w->ledger, w->model, r, gone, w->now_s);
}

void diagnosis_watch(struct diagnosis_watched *w, struct wm_world *world)
{
    *w = (struct diagnosis_watched){wm_ledger_new(), NULL, world->now_s};
    w->model = wm_model_new(&(struct wm_model_conf){.detail = wm_detail_of,
                                                    .detail_done = wm_detail_done,
                                                    .over = wm_is_over,
                                                    .changed = on_change,
                                                    .ctx = w});
    world->model = w->model;
    world->ledger = w->ledger;
}

void diagnosis_watched_done(struct diagnosis_watched *w, struct wm_world *world)
{
    wm_model_free(w->model);
    wm_ledger_free(w->ledger);
    world->model = NULL;
    world->ledger = NULL;
}

void diagnosis_judge(struct world *w, const struct object *objects, size_t n, diagnosis_fn *fn, void *ctx)
{
    static struct wm_situation situation;
    static struct wm_look look;
    static struct wm_diagnosis d;
    struct diagnosis_watched watched;
    struct model_sources sources = {0};
    struct wm_thresholds thresholds;
    struct wm_pulse pulse = {0};

    diagnosis_watch(&watched, &w->world);
    for (size_t i = 0; i < n; i++)
        model_put(&sources, watched.model, objects[i].cluster, objects[i].kind, objects[i].json);
    wm_ledger_tick(watched.ledger, watched.model, w->world.now_s);
    wm_thresholds_default(&thresholds);
    wm_situation_of(&w->world, diagnosis_migration(w, watched.model), &situation);
    wm_pulse_feel(&pulse, &w->world, &situation);
    wm_look_around(&w->world, &situation, &thresholds, &look);
    look.still_since_s = w->still_since_s ? w->still_since_s : pulse.changed_s;
    wm_diagnose(&look, &d);
    fn(ctx, &d);
    w->again_s = d.again_s;
    diagnosis_watched_done(&watched, &w->world);
}

/* --- the folder --- */

struct wm_yaml *diagnosis_read_case(const char *folder)
{
    struct wm_yaml *y = NULL;
    struct wm_error err = {0};
    char path[PATH_MAX_N];

    snprintf(path, sizeof path, "%s/case.yaml", folder);
    wm_auto_free char *text = golden_text(path);

    if (!text)
        fail_msg("%s is not there", path);
    if (wm_yaml_parse(wm_str_of(text), path, DIAGNOSIS_FILE_MAX, &y, &err) < 0)
        fail_msg("%s: %s", err.where, err.msg);
    return y;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct golden *)a)->name, ((const struct golden *)b)->name);
}

size_t diagnosis_find_cases(struct golden *cases, size_t max)
{
    DIR *d = opendir(DIAGNOSIS_FOLDER);
    size_t n = 0;
    char path[PATH_MAX_N];

    for (struct dirent *e; d && n < max && (e = readdir(d));) {
        snprintf(path, sizeof path, "%s/%s/case.yaml", DIAGNOSIS_FOLDER, e->d_name);
        wm_auto_free char *text = e->d_name[0] == '.' ? NULL : golden_text(path);

        if (!text)
            continue;
        path[strlen(path) - strlen("/case.yaml")] = '\0';
        cases[n++] = (struct golden){strdup(e->d_name), strdup(path)};
    }
    if (d)
        closedir(d);
    qsort(cases, n, sizeof *cases, by_name);
    return n;
}
