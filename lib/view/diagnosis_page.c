/* What an operator reads of a dump: the first screen, then the rest. */
#include <stdio.h>
#include <stdlib.h>

#include "waymark/diagnosis_view.h"
#include "waymark/time.h"
#include "waymark/vm.h"
#include "words.h"

enum { LINE_MAX_N = 1200, REMEDY_LINES = 4, REMEDY_MAX = 8192, TREE_LINES = 60, LABEL_WIDTH = 8 };

/* --- lines --- */

/* What strangers wrote must not drive the terminal. */
static void put_line(struct wm_buf *out, const char *label, struct wm_str text)
{
    char line[LINE_MAX_N];

    wm_line_copy(line, sizeof line, text);
    wm_buf_printf(out, "  %-*s%s\n", LABEL_WIDTH, label, line);
}

static void put_text(struct wm_buf *out, const char *label, const char *text)
{
    if (text[0])
        put_line(out, label, wm_str_of(text));
}

/* As many lines as there is room for; the others are counted. */
static void put_lines(struct wm_buf *out, const char *label, struct wm_str text, size_t max)
{
    const char *end = text.p + text.n;
    size_t n = 0;

    for (const char *p = text.p; p < end; n++) {
        const char *stop = memchr(p, '\n', (size_t)(end - p));

        stop = stop ? stop : end;
        if (n < max)
            put_line(out, n ? "" : label, (struct wm_str){p, (size_t)(stop - p)});
        p = stop + 1;
    }
    if (n > max)
        wm_buf_printf(out, "  %-*s(%zu more below)\n", LABEL_WIDTH, "", n - max);
}

/* "51 min": how long it is. */
static void print_span(int64_t s, char out[static 32])
{
    if (s < 120)
        snprintf(out, 32, "%lld s", (long long)s);
    else if (s < 7200)
        snprintf(out, 32, "%lld min", (long long)(s / 60));
    else if (s < 48 * 3600)
        snprintf(out, 32, "%lld h %lld min", (long long)(s / 3600), (long long)(s / 60 % 60));
    else
        snprintf(out, 32, "%lld days", (long long)(s / 86400));
}

/* --- the first screen --- */

static const struct {
    enum wm_pace pace;
    const char *text;
} paces[] = {
    {WM_PACE_OVER, "over"},
    {WM_PACE_MOVES, "moving, last progress"},
    {WM_PACE_SLOW, "slow, since"},
    {WM_PACE_WAITS, "waits for another, since"},
    {WM_PACE_BLIND, "not to be seen, since"},
    {WM_PACE_STALLED, "stalled since"},
};

static void put_head(const struct wm_case *c, struct wm_buf *out)
{
    const struct wm_situation *s = c->d->look->s;
    char line[LINE_MAX_N], time[WM_TIME_SIZE], span[32];
    wm_auto_buf struct wm_buf text = WM_BUF_MAX(LINE_MAX_N);

    wm_buf_printf(&text, "%s %s/%s", wm_kinds[s->migration->kind].kind, s->state->namespace_, s->state->name);
    if (s->state->plan[0])
        wm_buf_printf(&text, " (plan %s)", s->state->plan);
    if (s->vm && s->vm->project[0])
        wm_buf_printf(&text, " (project %s)", s->vm->project);
    for (size_t i = 0; i < sizeof paces / sizeof paces[0]; i++)
        if (paces[i].pace == c->d->pace)
            wm_buf_printf(&text, ": %s", paces[i].text);
    if (c->d->since_s > 0) {
        wm_time_print(c->d->since_s, time);
        print_span(c->d->since_s < c->d->look->w->now_s ? c->d->look->w->now_s - c->d->since_s : 0, span);
        wm_buf_printf(&text, "%s %s (%s ago)", c->d->pace == WM_PACE_OVER ? " since" : "", time, span);
    }
    wm_line_copy(line, sizeof line, wm_buf_text(&text));
    wm_buf_printf(out, "%s\n", line);
}

static void put_object(const struct wm_case *c, const struct wm_finding *f, struct wm_buf *out)
{
    wm_auto_speech struct wm_speech sp = wm_speech(c->d->look->w, c->d->look->s, false);

    wm_say_object(&sp, c->d->look->suspects[f->suspect].record);
    put_line(out, "object", wm_buf_text(&sp.text));
}

static void put_seen(const struct wm_finding *f, struct wm_buf *out)
{
    const struct wm_event_state *e = f->event ? wm_event_of(f->event) : NULL;
    char time[WM_TIME_SIZE] = "an unknown time";
    wm_auto_buf struct wm_buf text = WM_BUF_MAX(LINE_MAX_N);

    if (!e)
        return;
    if (e->last_s > 0)
        wm_time_print(e->last_s, time);
    wm_buf_printf(&text, "%s, Event %s, %d times: %s", time, e->reason, e->count, e->message);
    if (e->component[0])
        wm_buf_printf(&text, " (%s)", e->component);
    put_line(out, "seen", wm_buf_text(&text));
}

static void put_remedy(const struct wm_case *c, const struct wm_finding *f, size_t max, struct wm_buf *out)
{
    wm_auto_buf struct wm_buf remedy = WM_BUF_MAX(REMEDY_MAX);

    wm_finding_remedy(c->d, f, true, &remedy);
    put_lines(out, "do", wm_buf_text(&remedy), max);
}

static void put_end(const struct wm_case *c, struct wm_buf *out)
{
    const struct wm_situation *s = c->d->look->s;
    char time[WM_TIME_SIZE];
    wm_auto_buf struct wm_buf text = WM_BUF_MAX(LINE_MAX_N);

    if (s->ends_s > 0) {
        wm_time_print(s->ends_s, time);
        wm_buf_printf(&text, "%s gives up at %s%s", s->ends_by, time,
                      s->ends_s <= c->d->look->w->now_s ? ", which is over" : "");
        put_line(out, "ends", wm_buf_text(&text));
    } else if (c->d->pace == WM_PACE_STALLED) {
        put_text(out, "ends", "it does not time out by itself");
    }
}

static void put_waiting(const struct wm_case *c, struct wm_buf *out)
{
    wm_auto_buf struct wm_buf text = WM_BUF_MAX(1 << 20);

    if (!c->n_waiting)
        return;
    wm_buf_printf(&text, "%zu migration%s for this one: ", c->n_waiting,
                  c->n_waiting == 1 ? " waits" : "s wait");
    for (size_t i = 0; i < c->n_waiting; i++)
        wm_buf_printf(&text, "%s%s", i ? ", " : "", wm_record_name(c->waiting[i]));
    put_line(out, "behind", wm_buf_text(&text));
}

void wm_case_screen(const struct wm_case *c, struct wm_buf *out)
{
    const struct wm_finding *f = wm_diagnosis_cause(c->d);
    char verdict[WM_VERDICT_MAX], why[WM_MESSAGE_MAX];

    wm_situation_verdict(c->d->look->w, c->d->look->s, verdict);
    put_head(c, out);
    put_text(out, "stands", verdict);
    if (f) {
        wm_finding_say(c->d, f, why, sizeof why);
        put_object(c, f, out);
        put_text(out, "why", why);
        put_seen(f, out);
        put_remedy(c, f, REMEDY_LINES, out);
    }
    put_end(c, out);
    put_waiting(c, out);
}

/* --- the rest --- */

static void put_chain(const struct wm_case *c, const struct wm_finding *f, struct wm_buf *out)
{
    const struct wm_look *look = c->d->look;
    wm_auto_speech struct wm_speech sp = wm_speech(look->w, look->s, false);

    for (int i = f->suspect; i != WM_NO_SUSPECT; i = look->suspects[i].via) {
        wm_say(&sp, i == f->suspect ? "" : " <- ");
        wm_say_object(&sp, look->suspects[i].record);
    }
    put_line(out, "through", wm_buf_text(&sp.text));
}

static void put_finding(const struct wm_case *c, const struct wm_finding *f, struct wm_buf *out)
{
    char text[WM_MESSAGE_MAX], time[WM_TIME_SIZE] = "an unknown time";

    if (f->since_s > 0)
        wm_time_print(f->since_s, time);
    wm_buf_printf(out, "\n  %s (%s, %s) since %s%s%s\n", f->cause->id, wm_weight_name(f->cause->weight),
                  wm_confidence_name(f->cause->confidence), time, f->explained_by >= 0 ? ", because of " : "",
                  f->explained_by >= 0 ? c->d->findings[f->explained_by].cause->id : "");
    wm_finding_say(c->d, f, text, sizeof text);
    put_text(out, "why", text);
    if (f != wm_diagnosis_cause(c->d))
        put_seen(f, out);
    put_chain(c, f, out);
    put_remedy(c, f, SIZE_MAX, out);
}

static void put_twig(const struct wm_case *c, const struct wm_twig *t, struct wm_buf *out)
{
    const struct wm_look *look = c->d->look;
    const struct wm_record *r = t->record;
    const char *phase = wm_model_word(look->w->model, r->phase);
    wm_auto_speech struct wm_speech sp = wm_speech(look->w, look->s, false);

    wm_buf_printf(&sp.text, "%*s", 2 * (t->depth - 1), "");
    wm_say_object(&sp, r);
    if (phase[0])
        wm_buf_printf(&sp.text, ": %s", phase);
    if (r->total >= 0)
        wm_buf_printf(&sp.text, " %lld of %lld", (long long)(r->done > 0 ? r->done : 0), (long long)r->total);
    wm_say(&sp, t->copy ? " (copy)" : r->going ? " (being deleted)" : "");
    put_line(out, "", wm_buf_text(&sp.text));
}

static void put_tree(const struct wm_case *c, struct wm_buf *out)
{
    const struct wm_situation *s = c->d->look->s;
    size_t n = s->n_twigs < TREE_LINES ? s->n_twigs : TREE_LINES;

    if (!n)
        return;
    wm_buf_puts(out, "\n  its objects\n");
    for (size_t i = 0; i < n; i++)
        put_twig(c, &s->tree[i], out);
    if (s->n_twigs - n + s->n_twigs_more)
        wm_buf_printf(out, "  %-*s(%zu more)\n", LABEL_WIDTH, "", s->n_twigs - n + s->n_twigs_more);
}

void wm_case_details(const struct wm_case *c, struct wm_buf *out)
{
    for (size_t i = 0; i < c->d->n; i++)
        put_finding(c, &c->d->findings[i], out);
    if (c->d->n_more)
        wm_buf_printf(out, "\n  (%zu more findings)\n", c->d->n_more);
    if (c->d->pace != WM_PACE_OVER)
        put_tree(c, out);
}
