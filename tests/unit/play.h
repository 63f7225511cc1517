/* A virtual API server with one object, its watches, and our writer; time is told, in milliseconds. */
#ifndef WAYMARK_TESTS_PLAY_H
#define WAYMARK_TESTS_PLAY_H

#include "waymark/writing.h"

struct play_version {
    char *text; /* owned */
    int64_t at_ms;
    bool ours;
};

struct play_server {
    struct play_version *versions; /* the last one is the object as it is */
    size_t n;
    uint64_t random;
};

int64_t play_random(struct play_server *s, int64_t from, int64_t to); /* both included */
/* Stores `object` as the next version, with its resourceVersion. */
void play_put(struct play_server *s, cJSON *object, int64_t now_ms, bool ours);
cJSON *play_object(const struct play_server *s, size_t version); /* a copy, the caller's */
void play_done(struct play_server *s);

/* A watch: versions come in order, each with a delay of its own. */
struct play_watch {
    size_t n; /* how many have come */
    int64_t due_ms;
    int delay_ms; /* at most */
};
/* True when one more version has come. */
bool play_next(struct play_server *s, struct play_watch *w, int64_t now_ms);

/* Our side, as the caller of writing.h has it.  Phases whose name begins with "Wait" are slow ones; it says
 * the phase, and the end after "Completed". */
struct play_writer {
    enum wm_condition_style style;
    const struct wm_slot_rules *rules;
    struct play_watch watch;
    struct wm_slot slot;
    int64_t ask_ms, arrives_ms; /* 0 = no patch is under way */
    struct wm_buf patch;
    struct wm_said said[WM_SAID_COUNT], written[WM_SAID_COUNT];
    int writes, refusals, give_ups;
    /* Why a phase that lasts does not get on is found some time after it began. */
    uint64_t phase;      /* digest of the one that was seen last */
    int64_t cause_ms;    /* when it is found; 0 = never */
    bool told;           /* it was written */
    int causes, late_ms; /* how many were written, or passed unwritten; the longest that one had to wait */
};
void play_write(struct play_server *s, struct play_writer *w, int64_t now_ms);
void play_writer_done(struct play_writer *w);

#endif
