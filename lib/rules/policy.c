#include "waymark/policy.h"

#include <stdlib.h>

#include "check.h"

enum { REQUESTER_MAX = 64 << 10 };

bool wm_glob_match(const char *glob, struct wm_str text)
{
    const char *t = text.p, *end = text.p + text.n;
    const char *star = NULL, *retry = NULL;

    while (t < end) {
        if (*glob == '*') {
            star = ++glob;
            retry = t;
        } else if (*glob && *glob == *t) {
            glob++;
            t++;
        } else if (star) {
            glob = star;
            t = ++retry;
        } else {
            return false;
        }
    }
    while (*glob == '*')
        glob++;
    return *glob == '\0';
}

static bool any_matches(wm_globs globs, struct wm_str text)
{
    for (size_t i = 0; globs && globs[i]; i++)
        if (wm_glob_match(globs[i], text))
            return true;
    return false;
}

static void free_globs(wm_globs globs)
{
    for (size_t i = 0; globs && globs[i]; i++)
        free(globs[i]);
    free(globs);
}

static wm_globs copy_globs(const char *const *list)
{
    size_t n = 0;

    while (list[n])
        n++;
    wm_globs copy = wm_xcalloc(n + 1, sizeof *copy);

    for (size_t i = 0; i < n; i++)
        copy[i] = wm_xstrdup(list[i]);
    return copy;
}

void wm_policy_init(struct wm_policy *p)
{
    /* Those whose writes must never wait for a rule: the controllers themselves, in the namespaces of their
     * installers (anybody may call a service account of his own namespace "velero"), and whoever deletes what
     * lost its owner or its namespace. */
    static const char *const all[] = {"*", NULL};
    static const char *const controllers[] = {
        "system:serviceaccount:openshift-migration:migration-controller",
        "system:serviceaccount:openshift-migration:velero",
        "system:serviceaccount:openshift-adp:velero",
        "system:serviceaccount:velero:velero",
        "system:serviceaccount:virtrigaud:virtrigaud-*",
        "system:serviceaccount:virtrigaud-system:virtrigaud-*",
        "system:serviceaccount:kube-system:namespace-controller",
        "system:serviceaccount:kube-system:generic-garbage-collector",
        "system:kube-controller-manager",
        NULL,
    };

    *p = (struct wm_policy){.namespace_limit = 10};
    p->migration_namespace = wm_xstrdup("openshift-migration");
    wm_policy_add(p, &(struct wm_policy_row){
                         .rules = copy_globs(all), .users = copy_globs(controllers), .mode = WM_MODE_AUDIT});
}

void wm_policy_row_done(struct wm_policy_row *row)
{
    free_globs(row->rules);
    free_globs(row->namespaces);
    free_globs(row->users);
    free_globs(row->groups);
    *row = (struct wm_policy_row){0};
}

void wm_policy_done(struct wm_policy *p)
{
    for (size_t i = 0; i < p->n_rows; i++)
        wm_policy_row_done(&p->rows[i]);
    free(p->rows);
    free_globs(p->exceptions);
    free(p->migration_namespace);
    *p = (struct wm_policy){0};
}

bool wm_policy_add(struct wm_policy *p, const struct wm_policy_row *row)
{
    struct wm_policy_row *rows = wm_xcalloc(p->n_rows + 1, sizeof *rows), *added = &rows[p->n_rows];
    bool any = false;

    if (p->n_rows)
        memcpy(rows, p->rows, p->n_rows * sizeof *rows);
    *added = *row;
    memset(added->mask, 0, sizeof added->mask);
    for (size_t i = 0, n = wm_rules_count(); i < n; i++)
        if (!added->rules || any_matches(added->rules, wm_str_of(wm_rule_at(i, NULL)->id))) {
            added->mask[i / 64] |= UINT64_C(1) << i % 64;
            any = true;
        }
    free(p->rows);
    p->rows = rows;
    p->n_rows++;
    return any;
}

/* Long names count as well, above all for "*": subjects of certificates have no limit. */
static bool span_matches(wm_globs globs, struct wm_json_span s)
{
    wm_auto_buf struct wm_buf decoded = WM_BUF_MAX(REQUESTER_MAX);
    struct wm_str text = wm_span_plain(s);

    if (!text.p && wm_json_unescape(s, &decoded, NULL) == WM_OK)
        text = wm_buf_text(&decoded);
    return text.p && any_matches(globs, text);
}

static bool group_matches(wm_globs globs, struct wm_json_span groups)
{
    for (struct wm_json_iter it = wm_json_iter(groups); wm_json_next(&it);)
        if (span_matches(globs, it.value))
            return true;
    return false;
}

/* Users and groups are one column of two parts: whoever is in either is meant. */
static bool row_fits(const struct wm_policy_row *row, const char *namespace_, const struct wm_requester *who)
{
    if (row->namespaces && !any_matches(row->namespaces, wm_str_of(namespace_)))
        return false;
    if (!row->users && !row->groups)
        return true;
    return (row->users && span_matches(row->users, who->user)) ||
           (row->groups && group_matches(row->groups, who->groups));
}

void wm_policy_modes(const struct wm_policy *p, const char *namespace_, const struct wm_requester *who,
                     enum wm_mode modes[WM_RULES_MAX])
{
    size_t n = 0;

    for (int kind = 1; kind < WM_SUBJECT_COUNT; kind++)
        for (size_t i = 0; i < wm_rule_sets[kind]->n; i++)
            modes[n++] = wm_rule_sets[kind]->rules[i].mode;
    for (size_t r = 0; r < p->n_rows; r++) {
        if (!row_fits(&p->rows[r], namespace_, who))
            continue;
        for (size_t i = 0; i < n; i++)
            if (p->rows[r].mask[i / 64] >> i % 64 & 1)
                modes[i] = p->rows[r].mode;
    }
}
