/* Patterns, rows, and the section of the configuration that they come from. */
#include <stdio.h>
#include <unistd.h>

#include "unit.h"
#include "webhook/policy_source.h"

/* --- patterns --- */

static const struct glob_row {
    const char *name, *glob, *text;
    bool fits;
} globs[] = {
    {"the text itself", "hook/no-playbook", "hook/no-playbook", true},
    {"a prefix is not enough", "hook/no", "hook/no-playbook", false},
    {"longer than the text", "hook/no-playbook", "hook/no", false},
    {"case counts", "Hook/*", "hook/no-playbook", false},
    {"a star alone", "*", "hook/no-playbook", true},
    {"a star is also nothing", "a*", "a", true},
    {"a star for an empty text", "*", "", true},
    {"stars in a row", "a***b", "ab", true},
    {"a star at the front", "*book", "hook/no-playbook", true},
    {"both ends must fit", "h*y", "hook/no-playbook", false},
    {"two stars with what lies between", "system:serviceaccount:*:velero",
     "system:serviceaccount:openshift-adp:velero", true},
    {"a star also goes over colons and slashes", "a*d", "a:b/c:d", true},
    {"the last place that fits counts", "*ab", "abcab", true},
    {"an empty pattern fits an empty text", "", "", true},
    {"an empty pattern fits nothing else", "", "a", false},
    {"a question mark is itself", "a?c", "abc", false},
    {"brackets are themselves", "[a-z]", "b", false},
    {"a backslash escapes nothing", "a\\*", "a*", false},
    {"a star in the text is a character", "a*", "**", false},
};

static void check_glob(void **state)
{
    const struct glob_row *r = *state;

    assert_int_equal(wm_glob_match(r->glob, wm_str_of(r->text)), r->fits);
}

/* With one retry a star this would not end before the sun does. */
static void a_hostile_pattern_costs_no_more_than_its_product(void **state)
{
    char glob[401], text[20001];

    (void)state;
    for (size_t i = 0; i < sizeof glob - 1; i++)
        glob[i] = i % 2 ? 'a' : '*';
    glob[sizeof glob - 2] = 'b';
    glob[sizeof glob - 1] = '\0';
    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    assert_false(wm_glob_match(glob, wm_str_of(text)));
    text[sizeof text - 2] = 'b';
    assert_true(wm_glob_match(glob, wm_str_of(text)));
}

/* --- rows --- */

#define ROW "validation:\n  modes:\n  - "
#define ALICE "{\"u\":\"alice\",\"g\":[\"admins\",\"system:authenticated\"]}"

/* The modes of hook/target-cluster and hook/no-playbook, both enforced by default. */
static const struct mode_row {
    const char *name, *file, *namespace_, *who;
    enum wm_mode target, playbook;
} modes[] = {
    {"nothing is configured", "", "team-a", ALICE, WM_MODE_ENFORCE, WM_MODE_ENFORCE},
    {"nobody is known", "", "", "{}", WM_MODE_ENFORCE, WM_MODE_ENFORCE},
    {"one rule", ROW "{rules: hook/target-cluster, mode: warn}", "team-a", ALICE, WM_MODE_WARN,
     WM_MODE_ENFORCE},
    {"several rules", ROW "{rules: [hook/target-cluster, 'hook/no*'], mode: off}", "team-a", ALICE,
     WM_MODE_OFF, WM_MODE_OFF},
    {"in this namespace", ROW "{rules: 'hook/*', namespaces: ['x', 'team-*'], mode: warn}", "team-a", ALICE,
     WM_MODE_WARN, WM_MODE_WARN},
    {"in another namespace", ROW "{rules: 'hook/*', namespaces: 'team-*', mode: warn}", "prod", ALICE,
     WM_MODE_ENFORCE, WM_MODE_ENFORCE},
    {"of this user", ROW "{rules: '*', users: al*, mode: audit}", "team-a", ALICE, WM_MODE_AUDIT,
     WM_MODE_AUDIT},
    {"of another user", ROW "{rules: '*', users: bob, mode: audit}", "team-a", ALICE, WM_MODE_ENFORCE,
     WM_MODE_ENFORCE},
    {"of this group", ROW "{rules: '*', groups: [nobody, admins], mode: warn}", "team-a", ALICE, WM_MODE_WARN,
     WM_MODE_WARN},
    {"of another group", ROW "{rules: '*', groups: [admin], mode: warn}", "team-a", ALICE, WM_MODE_ENFORCE,
     WM_MODE_ENFORCE},
    {"users and groups: either will do", ROW "{rules: '*', users: [bob], groups: [admins], mode: warn}",
     "team-a", ALICE, WM_MODE_WARN, WM_MODE_WARN},
    {"the namespace must fit as well",
     ROW "{rules: '*', namespaces: [prod], users: [alice], groups: [admins], mode: warn}", "team-a", ALICE,
     WM_MODE_ENFORCE, WM_MODE_ENFORCE},
    {"no user fits no pattern", ROW "{rules: '*', users: '*', groups: '*', mode: warn}", "team-a", "{}",
     WM_MODE_ENFORCE, WM_MODE_ENFORCE},
    {"an escaped name is the same name", ROW "{rules: '*', users: 'a<b', mode: warn}", "team-a",
     "{\"u\":\"a\\u003cb\"}", WM_MODE_WARN, WM_MODE_WARN},
    {"the last row that fits decides",
     ROW "{rules: '*', mode: off}\n  - {rules: '*', mode: warn}\n  - {rules: '*', users: [bob], mode: audit}",
     "team-a", ALICE, WM_MODE_WARN, WM_MODE_WARN},
    {"each rule has its own last row",
     ROW "{rules: '*', mode: off}\n  - {rules: hook/no-playbook, mode: warn}", "team-a", ALICE, WM_MODE_OFF,
     WM_MODE_WARN},
    {"built in: mig-controller is only audited", "", "openshift-migration",
     "{\"u\":\"system:serviceaccount:openshift-migration:migration-controller\"}", WM_MODE_AUDIT,
     WM_MODE_AUDIT},
    {"built in: Velero, wherever it works", "", "x", "{\"u\":\"system:serviceaccount:openshift-adp:velero\"}",
     WM_MODE_AUDIT, WM_MODE_AUDIT},
    {"built in: the garbage collector", "", "x",
     "{\"u\":\"system:serviceaccount:kube-system:generic-garbage-collector\"}", WM_MODE_AUDIT, WM_MODE_AUDIT},
    {"built in: no other service account", "", "x", "{\"u\":\"system:serviceaccount:kube-system:default\"}",
     WM_MODE_ENFORCE, WM_MODE_ENFORCE},
    {"a row of the file wins over what is built in", ROW "{rules: hook/no-playbook, mode: enforce}", "x",
     "{\"u\":\"system:serviceaccount:openshift-adp:velero\"}", WM_MODE_AUDIT, WM_MODE_ENFORCE},
};

static enum wm_mode mode_of(const enum wm_mode all[], const char *id)
{
    for (size_t i = 0; i < wm_rules_count(); i++)
        if (strcmp(wm_rule_at(i, NULL)->id, id) == 0)
            return all[i];
    fail_msg("there is no rule %s", id);
    return WM_MODE_COUNT;
}

static void parse(const char *file, struct wm_policy *ret)
{
    struct wm_error err = {0};

    if (wm_policy_parse(wm_str_of(file), "f", ret, &err) < 0)
        fail_msg("%s: %s", err.where, err.msg);
}

static void ask(const struct wm_policy *p, const char *namespace_, const char *who,
                enum wm_mode ret[WM_RULES_MAX])
{
    static const char *const pointers[] = {"/u", "/g"};
    struct wm_json_span s[2];

    assert_int_equal(wm_json_locate(wm_str_of(who), 2, pointers, s, NULL), WM_OK);
    wm_policy_modes(p, namespace_, &(struct wm_requester){s[0], s[1]}, ret);
}

static void check_modes(void **state)
{
    const struct mode_row *r = *state;
    enum wm_mode all[WM_RULES_MAX];
    struct wm_policy p;

    parse(r->file, &p);
    ask(&p, r->namespace_, r->who, all);
    assert_int_equal(mode_of(all, "hook/target-cluster"), r->target);
    assert_int_equal(mode_of(all, "hook/no-playbook"), r->playbook);
    wm_policy_done(&p);
}

static void a_long_name_fits_a_star(void **state)
{
    char who[3000] = "{\"u\":\"";
    enum wm_mode all[WM_RULES_MAX];
    struct wm_policy p;

    (void)state;
    for (int escaped = 0; escaped < 2; escaped++) {
        size_t n = (size_t)snprintf(who, sizeof who, "{\"u\":\"%s%02000d\"}", escaped ? "\\u003c" : "", 0);

        assert_true(n < sizeof who);
        parse(ROW "{rules: '*', users: '*', mode: warn}", &p);
        ask(&p, "x", who, all);
        assert_int_equal(mode_of(all, "hook/no-playbook"), WM_MODE_WARN);
        wm_policy_done(&p);
    }
}

/* --- the section --- */

static const struct good_row {
    const char *name, *file, *namespace_;
    unsigned limit;
    size_t rows, exceptions; /* rows beside those that are built in */
} good[] = {
    {"an empty file", "", "openshift-migration", 10, 0, 0},
    {"options alone", "loops: 2\n", "openshift-migration", 10, 0, 0},
    {"an empty section", "validation:\n", "openshift-migration", 10, 0, 0},
    {"an empty map", "validation: {}\n", "openshift-migration", 10, 0, 0},
    {"everything",
     "loops: 2\nvalidation:\n  migration-namespace: konveyor\n  namespace-limit: 25\n"
     "  exceptions: ['hook/*', hook/no-playbook]\n  modes:\n  - rules: ['*']\n    mode: audit\n"
     "  - rules: hook/*\n    namespaces: a\n    users: b\n    groups: [c, d]\n    mode: enforce\n",
     "konveyor", 25, 2, 2},
    {"JSON", "{\"validation\": {\"namespace-limit\": 1, \"exceptions\": \"*\"}}", "openshift-migration", 1, 0,
     1},
};

static size_t count(wm_globs globs_)
{
    size_t n = 0;

    while (globs_ && globs_[n])
        n++;
    return n;
}

static void check_good(void **state)
{
    const struct good_row *r = *state;
    struct wm_policy p, defaults;

    parse(r->file, &p);
    wm_policy_init(&defaults);
    assert_string_equal(p.migration_namespace, r->namespace_);
    assert_int_equal(p.namespace_limit, r->limit);
    assert_int_equal(p.n_rows - defaults.n_rows, r->rows);
    assert_int_equal(count(p.exceptions), r->exceptions);
    wm_policy_done(&defaults);
    wm_policy_done(&p);
}

#define V "validation:\n  "
static const struct bad_row {
    const char *name, *file, *where, *says;
} bad[] = {
    {"no map", "[1]", "f:1:1", "a map of options"},
    {"no YAML", "validation: [\n", "f:", ""},
    {"a section that is a list", "validation: []\n", "f:1:1", "a map"},
    {"a section that is a text", "loops: 1\nvalidation: on\n", "f:2:1", "a map"},
    {"an unknown key", V "mode: warn\n", "f:2:3",
     "validation has no key 'mode'; it may have migration-names"},
    {"a key in another case", V "Modes: []\n", "f:2:3", "no key 'Modes'"},
    {"a key twice", V "namespace-limit: 1\n  namespace-limit: 2\n", "f:3:3", "twice"},
    {"a namespace in capitals", V "migration-namespace: Konveyor\n", "f:2:3", "name of a namespace"},
    {"a namespace with a dot", V "migration-namespace: a.b\n", "f:2:3", "name of a namespace"},
    {"an empty namespace", V "migration-namespace: ''\n", "f:2:3", "name of a namespace"},
    {"a namespace of 64 characters",
     V "migration-namespace: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n", "f:2:3",
     "at most 63"},
    {"a namespace that is a number", V "migration-namespace: 5\n", "f:2:3", "name of a namespace"},
    {"no namespace", V "migration-namespace:\n", "f:2:3", "name of a namespace"},
    {"a limit of 0", V "namespace-limit: 0\n", "f:2:3", "from 1 to"},
    {"a negative limit", V "namespace-limit: -1\n", "f:2:3", "from 1 to"},
    {"a fraction", V "namespace-limit: 1.5\n", "f:2:3", "whole number"},
    {"a limit in quotes", V "namespace-limit: '10'\n", "f:2:3", "whole number"},
    {"a limit beyond all bounds", V "namespace-limit: 1e300\n", "f:2:3", "whole number"},
    {"no exceptions at all", V "exceptions: []\n", "f:2:3", "an empty list"},
    {"exceptions as a map", V "exceptions: {a: b}\n", "f:2:3", "a list of patterns"},
    {"null for exceptions", V "exceptions:\n", "f:2:3", "a list of patterns"},
    {"an exception that fits no rule", V "exceptions:\n  - '*'\n  - hok/*\n", "f:4:5",
     "'hok/*' fits no rule"},
    {"modes as a map", V "modes: {rules: '*', mode: warn}\n", "f:2:3", "a list of rows"},
    {"no rows", V "modes: []\n", "f:2:3", "a list of rows"},
    {"a row that is a text", V "modes:\n  - warn\n", "f:3:5", "a map"},
    {"an empty row", V "modes:\n  - {}\n", "f:3:5", "needs the key 'rules'"},
    {"a row without rules", V "modes:\n  - mode: warn\n", "f:3:5", "needs the key 'rules'"},
    {"a row without a mode", ROW "{rules: '*', mode: off}\n  - rules: '*'\n", "f:4:5",
     "needs the key 'mode'"},
    {"an unknown key in a row", V "modes:\n  - rules: '*'\n    rule: x\n", "f:4:5", "no key 'rule'"},
    {"an unknown mode", V "modes:\n  - rules: '*'\n    mode: deny\n", "f:4:5", "enforce, warn, audit, off"},
    {"a mode in capitals", V "modes:\n  - rules: '*'\n    mode: Warn\n", "f:4:5", "expected one of"},
    {"a mode that is false", V "modes:\n  - rules: '*'\n    mode: false\n", "f:4:5", "expected one of"},
    {"no rules in the list", V "modes:\n  - rules: []\n    mode: off\n", "f:3:5", "an empty list"},
    {"a rule that is none", V "modes:\n  - rules:\n    - hook/*\n    - hook/nothing\n    mode: off\n",
     "f:5:7", "'hook/nothing' fits no rule"},
    {"a single rule that is none", V "modes:\n  - mode: off\n    rules: hook\n", "f:4:5",
     "'hook' fits no rule"},
    {"a number for a pattern", V "modes:\n  - rules: '*'\n    users: [a, 5]\n    mode: off\n", "f:4:16",
     "in quotes"},
    {"an empty pattern", V "modes:\n  - rules: '*'\n    groups: ''\n    mode: off\n", "f:4:5",
     "an empty pattern"},
    {"a list in a list", V "modes:\n  - rules: '*'\n    namespaces: [[a]]\n    mode: off\n", "f:4:18",
     "a text"},
    {"a bad row behind a good one", ROW "{rules: '*', users: [a], mode: off}\n  - {users: [a], rules: x}\n",
     "f:4:18", "'x' fits no rule"},
};

static void check_bad(void **state)
{
    const struct bad_row *r = *state;
    struct wm_policy untouched = {.namespace_limit = 77};
    struct wm_error err = {0};

    assert_int_equal(wm_policy_parse(wm_str_of(r->file), "f", &untouched, &err), WM_E_INVALID);
    if (strncmp(err.where, r->where, strlen(r->where)) != 0 || !strstr(err.msg, r->says))
        fail_msg("%s: %s; wanted %s: ...%s...", err.where, err.msg, r->where, r->says);
    assert_int_equal(untouched.namespace_limit, 77);
}

/* What is tried at every request is bounded. */
static void lists_have_a_limit(void **state)
{
    static const struct {
        const char *begin, *item, *end;
    } rows[] = {
        {"validation: {exceptions: [", "'*',", "]}"},
        {"validation: {modes: [", "{rules: '*', mode: off},", "]}"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        for (int n = 256; n < 258; n++) {
            wm_auto_buf struct wm_buf text = WM_BUF_MAX(1 << 20);
            struct wm_error err = {0};
            struct wm_policy p = {0};

            wm_buf_puts(&text, rows[i].begin);
            for (int k = 0; k < n; k++)
                wm_buf_puts(&text, rows[i].item);
            wm_buf_puts(&text, rows[i].end);
            assert_int_equal(wm_policy_parse(wm_buf_text(&text), NULL, &p, &err),
                             n == 256 ? WM_OK : WM_E_INVALID);
            if (n > 256)
                assert_non_null(strstr(err.msg, "at most 256"));
            wm_policy_done(&p);
        }
}

static void files_are_named_in_errors(void **state)
{
    char path[] = "/tmp/waymark-policy-XXXXXX", place[64];
    static const char text[] = "validation:\n  modes: 5\n";
    struct wm_error err = {0};
    struct wm_policy p;
    int fd = mkstemp(path);

    (void)state;
    assert_int_equal(write(fd, text, sizeof text - 1), sizeof text - 1);
    close(fd);
    snprintf(place, sizeof place, "%s:2:3", path);
    assert_int_equal(wm_policy_load(path, &p, &err), WM_E_INVALID);
    assert_string_equal(err.where, place);
    unlink(path);
    assert_int_equal(wm_policy_load(path, &p, &err), WM_E_NOT_FOUND);
    assert_string_equal(err.where, path);
    assert_int_equal(wm_policy_load(NULL, &p, &err), WM_OK);
    assert_int_equal(p.namespace_limit, 10);
    wm_policy_done(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hostile_pattern_costs_no_more_than_its_product),
        cmocka_unit_test(a_long_name_fits_a_star),
        cmocka_unit_test(lists_have_a_limit),
        cmocka_unit_test(files_are_named_in_errors),
    };

    return RUN_TABLE("globs", globs, check_glob) + RUN_TABLE("modes", modes, check_modes) +
           RUN_TABLE("good", good, check_good) + RUN_TABLE("bad", bad, check_bad) +
           cmocka_run_group_tests(tests, NULL, NULL);
}
