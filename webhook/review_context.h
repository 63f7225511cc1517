/* The other objects that rules and labels ask for, offline: those of --context, and those of the input
 * itself, which will be applied together.
 *
 * An input is never complete, so nothing is taken for absent merely because it is not there.  Only when
 * --context has objects of a kind in a namespace is it believed to have all of them. */
#ifndef WAYMARK_WEBHOOK_REVIEW_CONTEXT_H
#define WAYMARK_WEBHOOK_REVIEW_CONTEXT_H

#include "review_input.h"
#include "waymark/store.h"
#include "waymark/validate.h"

struct wm_known {
    enum wm_resource resource;
    const char *namespace_, *name; /* namespace "" = cluster-scoped */
    const cJSON *object;
    bool from_context;
};

struct wm_context {
    struct wm_known *list; /* sorted by resource, namespace and name */
    size_t n;
    bool has_context;
    struct wm_facts facts; /* lists stay from one object to the next: thousands may ask for the same */
    struct wm_store *parents;
};

/* Borrows from both inputs. */
void wm_context_init(struct wm_context *c, const struct wm_input *reviewed, const struct wm_input *others,
                     const struct wm_label_conf *conf);
void wm_context_done(struct wm_context *c);

/* wm_validate, with what is known.  A list of which only some items are known counts for what it shows, and
 * what it may not show leaves its rules undecided. */
void wm_context_validate(struct wm_context *c, const struct wm_subject *s, const struct wm_policy *policy,
                         struct wm_verdict *ret);

/* Answers what is WANTED in c->facts. */
void wm_context_answer(struct wm_context *c);

/* A wm_find_fn; ctx is the struct wm_context. */
enum wm_found wm_context_find(void *ctx, const struct wm_ref *ref, struct wm_parent *ret);

#endif
