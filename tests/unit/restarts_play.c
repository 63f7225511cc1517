#include "restarts_play.h"

#include <stdio.h>

#include "unit.h"
#include "waymark/situation.h"

/* --- a world --- */

static void on_change(void *ctx, const struct wm_record *r, bool gone)
{
    struct play *p = ctx;

    wm_ledger_changed(p->ledger, p->model, r, gone, p->now_s);
}

struct play *play_new(void)
{
    struct play *p = calloc(1, sizeof *p);

    p->ledger = wm_ledger_new();
    p->model = wm_model_new(&(struct wm_model_conf){.detail = wm_detail_of,
                                                    .detail_done = wm_detail_done,
                                                    .over = wm_is_over,
                                                    .changed = on_change,
                                                    .ctx = p});
    return p;
}

void play_free(struct play *p)
{
    p->ledger = wm_ledger_free(p->ledger);
    wm_model_free(p->model);
    free(p);
}

void play_item(struct play *p, const struct restarts_item *i)
{
    if (i->remove)
        wm_model_remove(p->model, 0, wm_id_of(wm_str_of(i->uid)));
    else
        assert_non_null(model_put(&p->sources, p->model, 0, i->kind, i->json));
}

void play_step(struct play *p, const struct restarts_step *s)
{
    p->now_s = s->now_s;
    for (size_t i = 0; i < s->n; i++)
        play_item(p, &s->items[i]);
    wm_ledger_tick(p->ledger, p->model, s->now_s);
}

/* --- as text --- */

static void put_time(struct wm_buf *out, const char *name, int64_t s)
{
    if (s)
        wm_buf_printf(out, " %s T%+lld", name, (long long)(s - RESTARTS_START_S));
}

struct printing {
    struct wm_buf *out;
    int64_t now_s;
};

static void put_restart(void *ctx, const struct wm_restart *r)
{
    const struct printing *p = ctx;
    char line[WM_MESSAGE_MAX];
    struct wm_gap_marks marks;

    wm_gap_marks_default(&marks);
    wm_buf_printf(p->out, "  %s %s %s/%s", wm_restart_kind_name(r->kind), wm_restart_cause_name(r->cause),
                  r->namespace_, r->provider);
    if (r->to_revision)
        wm_buf_printf(p->out, " %d->%d", r->from_revision, r->to_revision);
    put_time(p->out, "begun", r->begun_s);
    put_time(p->out, "let-go", r->let_go_s);
    put_time(p->out, "ended", r->ended_s);
    put_time(p->out, "gap", r->gap_from_s);
    put_time(p->out, "to", r->gap_to_s);
    put_time(p->out, "stuck", r->stuck_s);
    wm_buf_printf(p->out, " overlap %lld\n", (long long)r->overlap_s);
    wm_restart_say(r, p->now_s, &marks, line, sizeof line);
    assert_null(strpbrk(line, "[]\n\t"));
    wm_buf_printf(p->out, "    %s\n", line);
}

char *play_list(const struct play *p)
{
    wm_auto_buf struct wm_buf out = WM_BUF_MAX(1 << 20);
    struct printing printing = {&out, p->now_s};

    wm_ledger_each(p->ledger, put_restart, &printing);
    wm_buf_puts(&out, "");
    return wm_buf_take(&out);
}

struct telling {
    const struct play *p;
    struct wm_buf *out;
    bool reports;
};

static void tell(void *ctx, const struct wm_record *r)
{
    static struct wm_situation s;
    struct telling *t = ctx;
    struct wm_cluster_view host = {.name = "host", .sight = WM_SIGHT_GOOD, .why = ""};
    struct wm_world w = {.model = t->p->model,
                         .clusters = &host,
                         .n_clusters = 1,
                         .now_s = t->p->now_s,
                         .ledger = t->p->ledger};
    struct wm_said said;

    wm_situation_of(&w, r, &s);
    if (t->reports) {
        wm_report_put_restarts(&w, &s, t->out);
        return;
    }
    wm_restarts_say(&w, &s, &said);
    assert_in_range(strlen(said.message), 0, WM_MESSAGE_MAX - 2); /* or it was cut */
    assert_null(strpbrk(said.message, "[]\n\t"));
    if (said.wanted)
        wm_buf_printf(t->out, "  %s: %s=%s %s\n    %s\n", wm_record_name(r), said.type,
                      said.status ? "True" : "False", said.reason, said.message);
}

/* One migration after the other, by name. */
static void each_migration(const struct play *p, struct telling *t)
{
    static const char *const names[] = {"a", "again", "app", "b", "db", "gone", "m1", "old", "web"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const struct wm_record *r = wm_model_find_named(p->model, 0, WM_KIND_VMMIGRATION, "vm", names[i]);

        if (r)
            tell(t, r);
    }
}

char *play_conditions(const struct play *p)
{
    wm_auto_buf struct wm_buf out = WM_BUF_MAX(1 << 20);

    each_migration(p, &(struct telling){p, &out, false});
    wm_buf_puts(&out, "");
    return wm_buf_take(&out);
}

char *play_reports(const struct play *p)
{
    wm_auto_buf struct wm_buf out = WM_BUF_MAX(1 << 20);

    wm_buf_puts(&out, "{");
    each_migration(p, &(struct telling){p, &out, true});
    wm_buf_puts(&out, "}");
    return wm_buf_take(&out);
}

char *play_providers(const struct play *p)
{
    wm_auto_buf struct wm_buf out = WM_BUF_MAX(1 << 16);
    struct wm_provider_log logs[8];
    size_t n = wm_ledger_providers(p->ledger, p->now_s, logs, 8);

    for (size_t i = 0; i < n; i++) {
        const struct wm_provider_log *l = &logs[i];

        wm_buf_printf(
            &out, "  %s/%s: %llu rollouts, %llu replaced, %llu containers, %llu scaled; unavailable %lld s",
            l->namespace_, l->provider, (unsigned long long)l->restarts[WM_RESTART_ROLLOUT],
            (unsigned long long)l->restarts[WM_RESTART_REPLACED],
            (unsigned long long)l->restarts[WM_RESTART_CONTAINER],
            (unsigned long long)l->restarts[WM_RESTART_SCALED], (long long)l->unavailable_s);
        put_time(&out, "since", l->unavailable_since_s);
        wm_buf_printf(&out, "%s%s\n", l->rolls ? ", rolls" : "", l->stuck ? ", stuck" : "");
    }
    wm_buf_puts(&out, "");
    return wm_buf_take(&out);
}
