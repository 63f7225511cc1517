/* The rules for plans, migrations and what they need: one table, for the webhook, its offline review, the
 * README and, in the background, the aggregator.  Pure.
 *
 * The rows stand in lib/rules, one file a kind, beside the code that checks them. */
#ifndef WAYMARK_RULES_H
#define WAYMARK_RULES_H

#include "waymark/object.h"

/* The kinds that have rules. */
enum wm_subject_kind {
    WM_SUBJECT_NONE,
    WM_SUBJECT_PLAN,
    WM_SUBJECT_MIGRATION,
    WM_SUBJECT_HOOK,
    WM_SUBJECT_STORAGE,
    WM_SUBJECT_CLUSTER,
    WM_SUBJECT_DVM,
    WM_SUBJECT_VMMIGRATION,
    WM_SUBJECT_COUNT
};
struct wm_subject_resource {
    const char *group, *kind, *resource;
};
/* [WM_SUBJECT_COUNT]; the row of NONE is empty. */
extern const struct wm_subject_resource wm_subject_resources[];
enum wm_subject_kind wm_subject_kind_of(struct wm_json_span group, struct wm_json_span kind);
/* The same by apiVersion, "group/version". */
enum wm_subject_kind wm_subject_kind_in(struct wm_json_span api_version, struct wm_json_span kind);

/* What a finding leads to, from harmless to hard. */
enum wm_mode {
    WM_MODE_OFF,     /* not looked for */
    WM_MODE_AUDIT,   /* counted, and named in the audit annotations */
    WM_MODE_WARN,    /* told in the user's terminal */
    WM_MODE_ENFORCE, /* the request is denied */
    WM_MODE_COUNT
};
const char *wm_mode_name(enum wm_mode m); /* "off", "audit", "warn", "enforce" */
/* WM_MODE_COUNT when `z` is none. */
enum wm_mode wm_mode_of(const char *z);

/* When a rule is tried, a set. */
enum wm_on { WM_ON_CREATE = 1, WM_ON_UPDATE = 2, WM_ON_DELETE = 4 };

/* Kubernetes' cause types (k8s.io/apimachinery meta/v1 types.go, CauseType).  Denials whose findings are all
 * FORBIDDEN are 403 Forbidden: the object would be good at another time; all others are 422 Invalid. */
enum wm_cause {
    WM_CAUSE_INVALID,
    WM_CAUSE_REQUIRED,
    WM_CAUSE_DUPLICATE,
    WM_CAUSE_NOT_FOUND,
    WM_CAUSE_UNSUPPORTED,
    WM_CAUSE_TOO_LONG,
    WM_CAUSE_TOO_MANY,
    WM_CAUSE_FORBIDDEN,
    WM_CAUSE_COUNT
};
const char *wm_cause_name(enum wm_cause c); /* "FieldValueInvalid", ... */

struct wm_rule {
    const char *id;    /* stable: "plan/duplicate-namespace" */
    unsigned on;       /* of enum wm_on */
    bool lookups;      /* needs other objects of the same cluster */
    enum wm_mode mode; /* default */
    enum wm_cause cause;
    /* The members of spec that the rule reads, comma-separated: an UPDATE that leaves all of them as they
     * were is never the rule's business.  "" = none (name, namespace): not tried on UPDATE. */
    const char *reads;
    const char *condition; /* what the project's own controller would call it, later; "" = it never says */
    const char *about;     /* one sentence: what is found, and what would come of it */
    const char *remedy;    /* what to do, in the imperative, without a full stop */
};

struct wm_check;
/* The rules of one kind, in order of importance, and the functions that look for them. */
struct wm_rule_set {
    const struct wm_rule *rules;
    size_t n;
    void (*const *checks)(struct wm_check *c); /* NULL-terminated */
};
/* [WM_SUBJECT_COUNT] */
extern const struct wm_rule_set *const wm_rule_sets[];

/* All rules of all kinds in a row, as indices: for masks and metrics. */
#define WM_RULES_MAX 128
size_t wm_rules_count(void);
const struct wm_rule *wm_rule_at(size_t i, enum wm_subject_kind *ret_kind); /* ret_kind may be NULL */
size_t wm_rule_first_of(enum wm_subject_kind kind);                         /* index of a kind's first rule */

#endif
