/* Other objects that rules ask for: what was asked, what is known, what is still to be fetched.  Pure; who
 * fetches is the edge's business (the webhook: from the API server; the offline review: from files; the
 * aggregator: from its stores). */
#ifndef WAYMARK_FACTS_H
#define WAYMARK_FACTS_H

#include "waymark/json_index.h"
#include "waymark/object.h"

/* What can be asked for. */
enum wm_resource {
    WM_MIGPLANS,
    WM_MIGMIGRATIONS,
    WM_MIGCLUSTERS,
    WM_MIGSTORAGES,
    WM_MIGHOOKS,
    WM_SECRETS,
    WM_VMMIGRATIONS,
    WM_PROVIDERS,
    WM_VIRTUALMACHINES,
    WM_PVCS,
    WM_STORAGECLASSES,
    WM_RESOURCE_COUNT
};
struct wm_resource_info {
    const char *group, *version, *resource, *kind; /* group "" = core */
    bool cluster_scoped;
};
extern const struct wm_resource_info wm_resources[]; /* [WM_RESOURCE_COUNT] */

struct wm_query {
    enum wm_resource resource;
    wm_name namespace_, name; /* name "" = all in the namespace, a List */
};

enum wm_fact_state {
    WM_FACT_WANTED,  /* asked for, not known yet */
    WM_FACT_FOUND,   /* there it is */
    WM_FACT_ABSENT,  /* known not to exist */
    WM_FACT_UNKNOWN, /* cannot tell: forbidden, no answer in time, too large */
};

struct wm_fact {
    struct wm_query query;
    enum wm_fact_state state;
    char *text; /* owned */
    struct wm_json_index index;
};

/* A plan has at most a handful of references; hooks make the most. */
#define WM_FACTS_MAX 24
struct wm_facts {
    struct wm_fact list[WM_FACTS_MAX];
    size_t n;
    bool final; /* nothing more will be fetched: what is not known is UNKNOWN */
};
void wm_facts_done(struct wm_facts *f);

/* What is known of `q`; a new question is noted as WANTED (UNKNOWN once `final`, or when there are too many).
 * *ret is the object's or List's root when FOUND. */
enum wm_fact_state wm_facts_ask(struct wm_facts *f, const struct wm_query *q, struct wm_json_value *ret);

/* Answers question `i`; `text` becomes the facts' (malloc'ed, `n` bytes; FOUND only).  What is no JSON object
 * is UNKNOWN. */
void wm_facts_answer(struct wm_facts *f, size_t i, enum wm_fact_state state, char *text, size_t n);

#endif
