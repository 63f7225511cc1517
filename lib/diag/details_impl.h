/* What the files of details share.  Inside of wm_diag. */
#ifndef WAYMARK_DIAG_DETAILS_IMPL_H
#define WAYMARK_DIAG_DETAILS_IMPL_H

#include "waymark/situation.h"
#include "waymark/vm.h"

/* An object, as far as its kind's row asks for it. */
struct wm_parts {
    struct wm_json_span name, namespace_, uid, created, going;
    int64_t generation;
    int grace_s; /* deletionGracePeriodSeconds */
    struct wm_json_value labels, annotations, owners, finalizers, spec, status;
    struct wm_json_value self; /* all of it, for kinds that keep what matters at their top; the others are
                                  absent then */
};

/* The members of enum wm_reading_member, a bit each, that the kind's detail is made from; a migration's
 * annotations are for its sight and its words. */
uint64_t wm_detail_indexed(enum wm_kind kind);

/* 0 where it is no number of at most nine digits. */
int wm_number_at(struct wm_json_value object, const char *key);
/* Unix time; 0 = not told. */
int64_t wm_time_in(struct wm_json_span s);
int64_t wm_time_at(struct wm_json_value object, const char *key);
/* The condition of that type, whatever its status says. */
struct wm_json_value wm_any_condition(struct wm_json_value status, const char *type);

/* Its status is True. */
bool wm_condition_holds(struct wm_json_value condition);
/* A member's text as one line; "" = it has none. */
void wm_line_at(struct wm_json_value object, const char *key, char *out, size_t size);
/* "ReadWriteMany", ... as a bit of enum wm_access_mode; 0 = none of them. */
unsigned wm_access_mode_of(struct wm_json_span mode);

void wm_notes_read(struct wm_json_value status, struct wm_notes *ret);
void wm_incompatible_read(struct wm_json_value status, char *out, size_t size);
void wm_attempts_read(const struct wm_parts *p, struct wm_dvm_state *d);

void wm_migration_read(const struct wm_parts *p, struct wm_migration_state *m);
void wm_vm_read(const struct wm_parts *p, struct wm_vm_state *vm);

/* --- a state with its texts behind it, in one allocation --- */

enum { WM_TEXTS_MAX = 24, WM_TEXT_ROOM = 8 << 10, WM_NOTE_MAX = 512 };
struct wm_texts {
    size_t n, used;
    bool full; /* one found no room, and so will none behind it */
    struct {
        size_t member, at;
    } list[WM_TEXTS_MAX];
    char room[WM_TEXT_ROOM + 1]; /* one behind the other, each terminated */
};
/* Begins, and empties the state's `head` of `size` bytes: all of it, gaps too, for it has a digest. */
void wm_texts_begin(struct wm_texts *t, void *head, size_t size);
/* The text of the const char * at offset `member`: `value` as one line of at most `max` bytes. */
void wm_texts_line(struct wm_texts *t, size_t member, struct wm_json_span value, size_t max);
void wm_texts_put(struct wm_texts *t, size_t member, struct wm_str text);
/* The state: `head`, of `size` bytes and with a uint64_t digest as its first member, and the texts.  Every
 * const char * of it must have been put. */
void *wm_texts_close(struct wm_texts *t, const void *head, size_t size);

/* --- the states: what free() takes back --- */

void *wm_event_make(const struct wm_parts *p);
void *wm_pod_make(const struct wm_parts *p);
void *wm_claim_make(const struct wm_parts *p);
void *wm_class_make(const struct wm_parts *p);
void *wm_attachment_make(const struct wm_parts *p);
void *wm_node_make(const struct wm_parts *p);
void *wm_volume_make(const struct wm_parts *p); /* NULL of one that is complete */
void *wm_server_make(const struct wm_parts *p);
void *wm_replicas_make(const struct wm_parts *p);
void *wm_slice_make(const struct wm_parts *p);
void *wm_provider_make(const struct wm_parts *p);
void *wm_machine_make(const struct wm_parts *p);
void *wm_rsync_make(const struct wm_parts *p);
void *wm_image_make(const struct wm_parts *p);

#endif
