#include "play.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/support/sight_read.h"
#include "waymark/patch.h"

/* --- the server --- */

int64_t play_random(struct play_server *s, int64_t from, int64_t to)
{
    s->random = wm_mix(s->random + UINT64_C(0x9e3779b97f4a7c15));
    return from + (int64_t)(s->random % (uint64_t)(to - from + 1));
}

void play_put(struct play_server *s, cJSON *object, int64_t now_ms, bool ours)
{
    cJSON *meta = wm_json_at(object, "/metadata");
    char version[32];

    snprintf(version, sizeof version, "%zu", s->n + 1);
    cJSON_DeleteItemFromObjectCaseSensitive(meta, "resourceVersion");
    cJSON_AddStringToObject(meta, "resourceVersion", version);
    s->versions = realloc(s->versions, (s->n + 1) * sizeof *s->versions);
    s->versions[s->n++] = (struct play_version){cJSON_PrintUnformatted(object), now_ms, ours};
}

cJSON *play_object(const struct play_server *s, size_t version)
{
    return cJSON_Parse(s->versions[version].text);
}

void play_done(struct play_server *s)
{
    for (size_t i = 0; i < s->n; i++)
        free(s->versions[i].text);
    free(s->versions);
}

bool play_next(struct play_server *s, struct play_watch *w, int64_t now_ms)
{
    if (w->n >= s->n)
        return false;
    if (!w->due_ms)
        w->due_ms = s->versions[w->n].at_ms + play_random(s, 0, w->delay_ms);
    if (now_ms < w->due_ms)
        return false;
    w->due_ms = 0;
    w->n++;
    return true;
}

/* --- the writer --- */

static void note_late(struct play_writer *w, int64_t now_ms)
{
    if (!w->cause_ms || w->told || now_ms < w->cause_ms)
        return;
    w->told = true;
    w->causes++;
    if (now_ms - w->cause_ms > w->late_ms)
        w->late_ms = (int)(now_ms - w->cause_ms);
}

static void find_cause(struct play_server *s, struct play_writer *w, const char *phase, int64_t now_ms)
{
    enum { SOON_MS = 15000, LATE_MS = 40000 };
    struct wm_said *stalled = &w->said[WM_SAID_STALLED];
    uint64_t digest = wm_str_digest(wm_str_of(phase), 1);

    if (digest != w->phase) {
        note_late(w, now_ms);
        w->phase = digest;
        w->told = false;
        w->cause_ms = strncmp(phase, "Wait", 4) == 0 ? now_ms + play_random(s, SOON_MS, LATE_MS) : 0;
    }
    *stalled = (struct wm_said){
        .type = "MigrationStalled", .status = true, .wanted = w->cause_ms && now_ms >= w->cause_ms};
    snprintf(stalled->reason, sizeof stalled->reason, "%s", phase);
}

static void say(struct play_writer *w, const char *phase)
{
    bool ended = strcmp(phase, "Completed") == 0;
    struct wm_said *progress = &w->said[WM_SAID_PROGRESS], *outcome = &w->said[WM_SAID_OUTCOME];

    *progress = (struct wm_said){.type = "MigrationProgress", .status = true, .wanted = !ended};
    *outcome =
        (struct wm_said){.type = "MigrationOutcome", .status = true, .wanted = ended, .reason = "Ended"};
    snprintf(progress->reason, sizeof progress->reason, "%s", phase);
    snprintf(progress->message, sizeof progress->message, "It is in phase [%s] [now].", phase);
}

/* Judges the object as it came by the watch. */
static void judge(struct play_server *s, struct play_writer *w, int64_t now_ms)
{
    struct wm_str text = wm_str_of(s->versions[w->watch.n - 1].text);
    struct wm_sight sight;

    wm_buf_clear(&w->patch);
    if (!sight_read(text, true, &sight))
        abort();
    wm_word phase;
    snprintf(phase, sizeof phase, WM_STR_FMT, WM_STR_ARG(sight.phase));
    find_cause(s, w, phase, now_ms);
    w->slot.urgent = w->said[WM_SAID_STALLED].wanted && !w->told;
    say(w, phase);
    w->ask_ms = INT64_MAX;
    int n = wm_conditions_patch(text, w->style, w->said, WM_SAID_COUNT, now_ms / 1000, &w->patch, NULL);

    if (n < 0)
        abort();
    if (n == 0) {
        wm_slot_idle(&w->slot);
        return;
    }
    if (memcmp(w->said, w->written, sizeof w->said) == 0)
        wm_slot_lost(&w->slot, w->rules, now_ms);
    switch (wm_slot_ask(&w->slot, w->rules, strcmp(phase, "Completed") == 0, strncmp(phase, "Wait", 4) == 0,
                        now_ms, &w->ask_ms)) {
    case WM_SLOT_NOW:
        w->arrives_ms = now_ms + play_random(s, 1, 100);
        break;
    case WM_SLOT_GIVE_UP:
        w->give_ups++;
        break;
    case WM_SLOT_WAIT:
    case WM_SLOT_OVER:
        break;
    }
}

static void arrive(struct play_server *s, struct play_writer *w, int64_t now_ms)
{
    wm_auto_json cJSON *object = play_object(s, s->n - 1), *patch = cJSON_Parse(w->patch.p);

    w->arrives_ms = 0;
    w->ask_ms = now_ms;
    if (wm_patch_apply(&object, patch, NULL) < 0) {
        w->refusals++;
        wm_slot_refused(&w->slot, now_ms);
        return;
    }
    play_put(s, object, now_ms, true);
    memcpy(w->written, w->said, sizeof w->written);
    w->writes++;
    if (w->written[WM_SAID_STALLED].wanted)
        note_late(w, now_ms);
    wm_slot_wrote(&w->slot, w->rules, now_ms);
}

void play_write(struct play_server *s, struct play_writer *w, int64_t now_ms)
{
    struct wm_sight sight;

    if (w->arrives_ms && now_ms >= w->arrives_ms)
        arrive(s, w, now_ms);
    while (play_next(s, &w->watch, now_ms)) {
        if (!sight_read(wm_str_of(s->versions[w->watch.n - 1].text), w->watch.n > 1, &sight))
            abort();
        wm_slot_seen(&w->slot, &sight, now_ms);
        w->ask_ms = now_ms + play_random(s, 0, 3) * play_random(s, 0, 500); /* we may be late ourselves */
    }
    if (w->watch.n && !w->arrives_ms && now_ms >= w->ask_ms)
        judge(s, w, now_ms);
}

void play_writer_done(struct play_writer *w)
{
    wm_buf_done(&w->patch);
}
