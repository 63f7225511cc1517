/* What holds a migration up, over time: said at once, taken back slowly, remembered at the end. */
#include <stdio.h>
#include <string.h>

#include "waymark/report.h"
#include "words.h"

enum { TAKE_BACK_S = 20, SHOW_S = 600 };

static void keep(const struct wm_stall *stall, struct wm_said *out)
{
    out->wanted = out->status = true;
    memcpy(out->reason, stall->cause, sizeof out->reason);
    memcpy(out->message, stall->message, sizeof out->message);
}

static void say_over(const struct wm_stall *stall, const struct wm_diagnosis *d, struct wm_said *out)
{
    wm_auto_speech struct wm_speech sp = wm_speech(d->look->w, d->look->s, false);

    out->wanted = true;
    snprintf(out->reason, sizeof out->reason, WM_MOVES_AGAIN);
    wm_say(&sp, "It moves again");
    wm_say_when(&sp, "since", stall->to_s);
    wm_buf_printf(&sp.text, ", after %s", stall->cause);
    wm_say_when(&sp, "since", stall->from_s);
    wm_say_end(&sp, out->message, sizeof out->message);
}

static void begin(struct wm_stall *stall, const struct wm_diagnosis *d, const struct wm_said *fresh)
{
    bool other = strcmp(stall->cause, fresh->reason) != 0 || stall->to_s;

    if (other)
        stall->from_s = d->since_s;
    stall->to_s = stall->gone_s = 0;
    memcpy(stall->cause, fresh->reason, sizeof stall->cause);
    memcpy(stall->message, fresh->message, sizeof stall->message);
}

int64_t wm_stall_say(struct wm_stall *stall, const struct wm_diagnosis *d, struct wm_said *out)
{
    int64_t now_s = d->look->w->now_s;

    wm_diagnosis_say(d, out);
    if (out->wanted) {
        if (out->status)
            begin(stall, d, out);
        return d->again_s;
    }
    if (!stall->cause[0])
        return d->again_s;
    if (!stall->to_s && !stall->gone_s)
        stall->gone_s = now_s;
    if (!stall->to_s && d->pace != WM_PACE_OVER && now_s < stall->gone_s + TAKE_BACK_S) {
        keep(stall, out);
        return stall->gone_s + TAKE_BACK_S;
    }
    if (!stall->to_s)
        stall->to_s = stall->gone_s;
    if (d->pace == WM_PACE_OVER || now_s >= stall->to_s + SHOW_S)
        return d->again_s;
    say_over(stall, d, out);
    return d->again_s && d->again_s < stall->to_s + SHOW_S ? d->again_s : stall->to_s + SHOW_S;
}

/* One that went on for long after it moved again did not end because of it. */
static bool lasted_to_the_end(const struct wm_stall *stall, const struct wm_situation *s)
{
    enum { BRIEF_S = 300 };

    return stall->cause[0] &&
           (!stall->to_s || !s->state->completed_s || stall->to_s + BRIEF_S >= s->state->completed_s);
}

void wm_stall_end(const struct wm_stall *stall, const struct wm_situation *s, struct wm_said *outcome)
{
    static const char intro[] = "; before that: ";
    size_t n = strlen(outcome->message);

    if (!outcome->wanted || s->ending == WM_ENDING_SUCCEEDED || !lasted_to_the_end(stall, s))
        return;
    if (n + strlen(intro) < sizeof outcome->message) {
        memcpy(outcome->message + n, intro, sizeof intro);
        n += strlen(intro);
        wm_line_copy(outcome->message + n, sizeof outcome->message - n, wm_str_of(stall->message));
    }
}

void wm_diagnosis_verdict(const struct wm_diagnosis *d, char out[static WM_VERDICT_MAX])
{
    static const struct {
        enum wm_pace pace;
        const char *head;
    } heads[] = {{WM_PACE_STALLED, "Stalled"}, {WM_PACE_BLIND, "Not to be seen"}};
    const struct wm_situation *s = d->look->s;
    const struct wm_finding *f = wm_diagnosis_cause(d);
    char sentence[WM_MESSAGE_MAX];

    for (size_t i = 0; f && i < sizeof heads / sizeof heads[0]; i++)
        if (heads[i].pace == d->pace) {
            wm_auto_speech struct wm_speech sp = wm_speech(d->look->w, s, true);

            wm_finding_say(d, f, sentence, sizeof sentence);
            wm_say(&sp, heads[i].head);
            wm_say_when(&sp, "since", d->since_s);
            wm_buf_printf(&sp.text, ": %s, %s: %s", s->state->phase[0] ? s->state->phase : "Created",
                          f->cause->id, sentence);
            wm_say_end(&sp, out, WM_VERDICT_MAX);
            return;
        }
    wm_situation_verdict(d->look->w, s, out);
}
