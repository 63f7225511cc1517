/* Which rule does what for whom: the `validation` section of the configuration, as the rules see it.  Pure.
 */
#ifndef WAYMARK_POLICY_H
#define WAYMARK_POLICY_H

#include "waymark/rules.h"

#define WM_RULE_MASK_WORDS (WM_RULES_MAX / 64)

/* Texts in which '*' stands for any run of characters; owned, NULL-terminated; NULL = any. */
typedef char **wm_globs;

/* One row: those of `rules` get `mode` for requests that every other column fits. */
struct wm_policy_row {
    wm_globs rules, namespaces, users, groups;
    enum wm_mode mode;
    uint64_t mask[WM_RULE_MASK_WORDS]; /* of `rules` */
};

struct wm_policy {
    char *migration_namespace;  /* where mig-controller works; owned */
    unsigned namespace_limit;   /* of a plan; mig-controller's mig_namespace_limit */
    wm_globs exceptions;        /* rules that an object's annotation may except itself from; NULL = none */
    struct wm_policy_row *rows; /* owned; of the rows that fit the last one decides */
    size_t n_rows;
};

/* The defaults: namespace openshift-migration, 10 namespaces, no exceptions, and the built-in rows, by which
 * the controllers that these rules are about, garbage collection and the deletion of namespaces are only
 * audited. */
void wm_policy_init(struct wm_policy *p);
void wm_policy_done(struct wm_policy *p);
/* Appends a row (its texts become the policy's) and computes its mask; false when no rule fits `rules`. */
bool wm_policy_add(struct wm_policy *p, const struct wm_policy_row *row);
void wm_policy_row_done(struct wm_policy_row *row); /* of one that was not added */

/* Who asks for what, for the rows; "" = not known. */
struct wm_requester {
    struct wm_json_span user, groups; /* a string; an array of strings */
};

/* The modes of all rules for one request: modes[i] is that of wm_rule_at(i). */
void wm_policy_modes(const struct wm_policy *p, const char *namespace_, const struct wm_requester *who,
                     enum wm_mode modes[WM_RULES_MAX]);

/* True when '*' in `glob` can stand for something that makes it `text`.  Linear but for the stars: at most
 * |glob| * |text| steps. */
bool wm_glob_match(const char *glob, struct wm_str text);

#endif
