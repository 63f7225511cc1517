/* Pieces of sentences about a situation. */
#ifndef WAYMARK_VIEW_WORDS_H
#define WAYMARK_VIEW_WORDS_H

#include "waymark/situation.h"

/* A sentence under way: a head, then clauses, ": " before the first and "; " before the others. */
struct wm_speech {
    const struct wm_world *w;
    const struct wm_situation *s;
    bool brief; /* of one line: no namespaces, full times */
    int clauses;
    struct wm_buf text;
};
struct wm_speech wm_speech(const struct wm_world *w, const struct wm_situation *s, bool brief);
void wm_speech_done(struct wm_speech *sp);
#define wm_auto_speech WM_AUTO(wm_speech_done)

/* As one line of at most `size` - 1 bytes, cut at a whole character.  mig-controller re-reads square brackets
 * in messages as lists and repeats the first one everywhere (pkg/apis/migration/v1alpha1/condition.go), so
 * they become round ones. */
void wm_say_end(const struct wm_speech *sp, char *out, size_t size);

void wm_say(struct wm_speech *sp, const char *text);
void wm_say_next(struct wm_speech *sp); /* begins the next clause */
void wm_say_time(struct wm_speech *sp, int64_t s);
/* " since 19:03:28Z", " at 19:03:28Z"; nothing when the time is not known. */
void wm_say_when(struct wm_speech *sp, const char *preposition, int64_t s);
/* What others wrote, without the full stop at its end. */
void wm_say_quote(struct wm_speech *sp, const char *text);
/* "Restore openshift-migration/x on cluster target", in brief "Restore x on target". */
void wm_say_object(struct wm_speech *sp, const struct wm_record *r);
/* "waits for ..."; nothing when the phase waits for nothing. */
void wm_say_wait(struct wm_speech *sp);

const char *wm_cluster_name(const struct wm_world *w, uint8_t cluster);

/* The condition MigrationOutcome; its message ends in `out`. */
void wm_say_outcome(const struct wm_world *w, const struct wm_situation *s, struct wm_said *out);
/* "The stage migration has succeeded", ...; `ending` is not NONE. */
void wm_say_ending(struct wm_speech *sp);
/* The same in the line that stands alone, with what matters most of why. */
void wm_say_ending_briefly(struct wm_speech *sp);

#endif
