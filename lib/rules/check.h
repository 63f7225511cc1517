/* What the functions that look for faults are given, and how they report.  One file a kind has its rules and
 * their checks; a check walks its part of the object once and reports for all the rules that it serves.
 *
 * Checks are pure, linear in the object, independent of the order of keys, and bear anything: the API server
 * has checked the schema of a kind's CRD, but offline and in fuzzing nobody has. */
#ifndef WAYMARK_RULES_CHECK_H
#define WAYMARK_RULES_CHECK_H

#include "waymark/validate.h"

enum { WM_SPEC_KEY_MAX = 48, WM_COMPARED_MAX = 24 };

struct wm_check {
    const struct wm_subject *s;
    const struct wm_policy *policy;
    struct wm_facts *facts;
    struct wm_verdict *verdict;
    enum wm_mode modes[WM_RULES_MAX];
    struct {
        char key[WM_SPEC_KEY_MAX];
        bool differs;
    } compared[WM_COMPARED_MAX]; /* members of spec, on UPDATE */
    size_t n_compared;
};

/* True when `rule` is on for this request: its operation, its part of spec changed, its mode.  Ask before
 * work that only this rule needs, above all before wm_ask; reports of rules that are not on are dropped
 * anyway. */
bool wm_wants(struct wm_check *c, const struct wm_rule *rule);

/* Reports a finding.  `field` as people write it: "spec.namespaces[1]".  `value` may be ABSENT.  `why` is
 * printf's: this very case in one clause, no full stop, no newline. */
void wm_report(struct wm_check *c, const struct wm_rule *rule, const char *field, struct wm_json_span value,
               const char *why, ...) __attribute__((format(printf, 5, 6)));

/* Asks for another object, for the sake of `rule`: what is not known makes the rule "cannot tell", not a
 * finding. `ret` is set when FOUND. */
enum wm_fact_state wm_ask(struct wm_check *c, const struct wm_rule *rule, enum wm_resource resource,
                          const char *namespace_, const char *name, struct wm_json_value *ret);

/* --- reading --- */

/* spec.<key> of the object in question. */
static inline struct wm_json_value wm_spec(const struct wm_check *c, const char *key)
{
    return wm_json_get(c->s->spec, key);
}

/* A reference {namespace, name}; false unless both are set (mig-controller pkg/reference, RefSet). */
struct wm_target {
    wm_name namespace_, name;
};
bool wm_target_of(struct wm_json_value ref, struct wm_target *ret);

/* The name's length as it will be stored: with generateName five more, and never over 63. */
size_t wm_stored_name_length(const struct wm_subject *s);

/* Fills name and namespace, where the review did not tell them, from the object. */
void wm_subject_name(struct wm_subject *s);

extern const struct wm_rule_set wm_plan_rules, wm_migration_rules, wm_hook_rules, wm_storage_rules,
    wm_cluster_rules, wm_dvm_rules, wm_vmmigration_rules;

#endif
