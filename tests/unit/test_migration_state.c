/* Runs tests/golden/state/<case>.json; see tests/golden/README.md. */
#include <stdio.h>
#include <time.h>

#include "tests/support/golden.h"
#include "tests/support/state_read.h"
#include "unit.h"
#include "waymark/vm.h"

#define FOLDER "tests/golden/state"
enum { MAX_CASES = 200 };

/* --- a state as JSON; what is empty is left out --- */

static void put(cJSON *to, const char *key, const char *text)
{
    if (text[0])
        cJSON_AddStringToObject(to, key, text);
}

static void put_number(cJSON *to, const char *key, int n)
{
    if (n)
        cJSON_AddNumberToObject(to, key, n);
}

static void put_true(cJSON *to, const char *key, bool yes)
{
    if (yes)
        cJSON_AddTrueToObject(to, key);
}

static void put_time(cJSON *to, const char *key, int64_t s)
{
    time_t t = (time_t)s;
    struct tm tm;
    char text[32];

    if (!s)
        return;
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&t, &tm));
    cJSON_AddStringToObject(to, key, text);
}

static void put_count(cJSON *to, const char *key, int n, int of)
{
    char text[32];

    if (!of)
        return;
    snprintf(text, sizeof text, "%d/%d", n, of);
    cJSON_AddStringToObject(to, key, text);
}

static void put_pipeline(cJSON *to, const struct wm_pipeline *p)
{
    cJSON *o = cJSON_CreateObject();

    put_count(o, "done", p->done, p->steps);
    put(o, "step", p->step);
    put_true(o, "failed", p->failed);
    put_time(o, "started", p->started_s);
    put(o, "message", p->message);
    put_number(o, "progress-lines", p->progress_lines);
    put(o, "first-line", p->line);
    if (o->child)
        cJSON_AddItemToObject(to, "pipeline", o);
    else
        cJSON_Delete(o);
}

static void put_warnings(cJSON *to, const struct wm_migration_state *m)
{
    cJSON *list = m->n_warnings ? cJSON_AddArrayToObject(to, "warnings") : NULL;

    for (int i = 0; i < m->n_warnings && i < WM_WARNINGS_MAX; i++)
        cJSON_AddItemToArray(list, cJSON_CreateString(m->warnings[i]));
    put_number(to, "more-warnings", m->n_warnings > WM_WARNINGS_MAX ? m->n_warnings - WM_WARNINGS_MAX : 0);
}

static cJSON *json_of(const struct wm_migration_state *m)
{
    cJSON *o = cJSON_CreateObject();

    put(o, "namespace", m->namespace_);
    put(o, "name", m->name);
    put(o, "uid", m->uid);
    put(o, "plan-namespace", m->plan_namespace);
    put(o, "plan", m->plan);
    put(o, "kind", wm_run_kind_name(m->kind));
    put_true(o, "canceled", m->canceled);
    put_true(o, "quiesces", m->quiesces);
    put_true(o, "going", m->going);
    put(o, "outcome", wm_run_outcome_name(m->outcome));
    put(o, "cause", m->cause);
    put(o, "reason", m->reason);
    put(o, "message", m->message);
    put_number(o, "ahead", m->ahead);
    put(o, "phase", m->phase);
    put_true(o, "unknown-phase", !m->row);
    put(o, "itinerary", wm_itinerary_name(m->itinerary));
    put_count(o, "step", m->step, m->steps);
    put_time(o, "created", m->created_s);
    put_time(o, "started", m->started_s);
    put_time(o, "since", m->since_s);
    put_time(o, "completed", m->completed_s);
    put_number(o, "errors", m->errors);
    put(o, "first-error", m->first_error);
    put_warnings(o, m);
    put_pipeline(o, &m->pipeline);
    return o;
}

static void put_of(cJSON *to, const char *key, const char *namespace_, const char *name)
{
    wm_auto_buf struct wm_buf text = WM_BUF_MAX(1024);

    wm_buf_printf(&text, "%s%s%s", namespace_, namespace_[0] ? "/" : "", name);
    put(to, key, wm_buf_text(&text).n ? text.p : "");
}

static void put_storage(cJSON *o, const struct wm_vm_state *vm)
{
    put(o, "storage", wm_vm_storage_name(vm->storage));
    put(o, "claim", vm->claim);
    put_true(o, "own-claim", vm->own_claim);
    put_number(o, "access-modes", (int)vm->access_modes);
    put(o, "storage-class", vm->storage_class);
}

static cJSON *json_of_vm(const struct wm_vm_state *vm)
{
    cJSON *o = json_of(&vm->m);

    put(o, "vm", vm->vm);
    put_of(o, "target", vm->target_namespace, vm->target);
    put_of(o, "source-provider", vm->source_provider_namespace, vm->source_provider);
    put_of(o, "target-provider", vm->target_provider_namespace, vm->target_provider);
    put_storage(o, vm);
    put(o, "project", vm->project);
    put(o, "waits", vm->waits);
    put(o, "waits-message", vm->waits_message);
    put_true(o, "exports", vm->exports);
    put_true(o, "imports", vm->imports);
    put_true(o, "task", vm->task);
    put_true(o, "makes-snapshot", vm->makes_snapshot);
    put_true(o, "snapshot", vm->snapshot);
    put_true(o, "cleans-up", vm->cleans_up);
    put_true(o, "cleaned-up", vm->cleaned_up);
    put_true(o, "powers-off", vm->powers_off);
    put_true(o, "over", vm->m.over);
    put_count(o, "retries", vm->retries, vm->retries_max);
    put_time(o, "retried", vm->retried_s);
    put_true(o, "restored", vm->restored);
    return o;
}

/* --- cases --- */

static int read_text(struct wm_str text, struct wm_migration_state *ret, struct wm_error *err)
{
    return state_read(WM_KIND_MIGMIGRATION, text, ret, sizeof *ret, err);
}

static cJSON *read_state(const cJSON *object)
{
    wm_auto_free char *text = cJSON_PrintUnformatted(object);
    bool is_vm = strcmp(wm_json_str(object, "/kind"), "VMMigration") == 0;
    struct wm_migration_state m;
    struct wm_vm_state vm;
    struct wm_error err = {0};

    if ((is_vm ? state_read(WM_KIND_VMMIGRATION, wm_str_of(text), &vm, sizeof vm, &err)
               : read_text(wm_str_of(text), &m, &err)) < 0)
        fail_msg("%s: %s", err.where, err.msg);
    return is_vm ? json_of_vm(&vm) : json_of(&m);
}

static void expect(const cJSON *root, const cJSON *result, const char *what)
{
    if (cJSON_Compare(result, wm_json_at(root, "/expect"), true))
        return;
    char *got = cJSON_Print(result);

    print_error("%s: got %s\n", what, got);
    free(got);
    fail();
}

static void check_case(void **state)
{
    const struct golden *g = *state;
    wm_auto_json cJSON *root = golden_read(g);
    cJSON *object = wm_json_at(root, "/object");
    wm_auto_json cJSON *result = read_state(object);

    if (golden_updates()) {
        cJSON_DeleteItemFromObjectCaseSensitive(root, "expect");
        cJSON_AddItemToObject(root, "expect", cJSON_Duplicate(result, true));
        golden_write(g, root);
    }
    expect(root, result, "as given");
    golden_reverse(object);
    wm_auto_json cJSON *same = read_state(object);

    expect(root, same, "with its keys in another order");
}

/* --- what files cannot hold --- */

static void what_is_not_json_is_refused(void **state)
{
    struct wm_migration_state m = {.outcome = WM_RUN_FAILED};
    struct wm_error err = {0};

    (void)state;
    assert_int_equal(read_text(wm_str_of("{\"metadata\":"), &m, &err), WM_E_INVALID);
    assert_int_equal(m.outcome, WM_RUN_NOT_STARTED);
    assert_string_equal(m.name, "");
}

static void members_of_a_wrong_type_count_as_absent(void **state)
{
    static const char *const texts[] = {
        "[]",
        "7",
        "{}",
        "{\"metadata\":{\"name\":7,\"uid\":[]},\"spec\":[1],\"status\":\"x\"}",
        "{\"spec\":{\"migPlanRef\":\"p\",\"stage\":\"true\"},\"status\":{\"conditions\":{\"type\":\"Failed\"}"
        ","
        "\"errors\":\"e\",\"pipeline\":[1,null,[]],\"phase\":{},\"itinerary\":9}}",
        "{\"status\":{\"conditions\":[7,null,[],{\"type\":7,\"status\":\"True\",\"category\":[]}]}}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct wm_migration_state m;

        assert_int_equal(read_text(wm_str_of(texts[i]), &m, NULL), WM_OK);
        assert_int_equal(m.outcome, WM_RUN_NOT_STARTED);
        assert_int_equal(m.kind, WM_RUN_FINAL);
        assert_string_equal(m.plan, "");
    }
}

static void long_texts_are_cut_between_characters(void **state)
{
    wm_auto_buf struct wm_buf text = WM_BUF_MAX(1 << 20);
    struct wm_migration_state m;

    (void)state;
    wm_buf_puts(&text, "{\"status\":{\"phase\":\"");
    for (int i = 0; i < 400; i++)
        wm_buf_puts(&text, "\xc3\xa9");
    wm_buf_puts(&text, "\",\"errors\":[\"");
    for (int i = 0; i < 70000; i++)
        wm_buf_puts(&text, i % 2 ? "\\n" : "\xe2\x82\xac");
    wm_buf_puts(&text, "\"]}}");
    assert_int_equal(read_text(wm_buf_text(&text), &m, NULL), WM_OK);
    assert_int_equal(m.errors, 1);
    for (const char *p = m.first_error; *p; p++)
        assert_true((unsigned char)*p >= 0x20);
    size_t n = strlen(m.first_error), phase = strlen(m.phase);

    assert_true(n > WM_TEXT_MAX - 6 && n <= WM_TEXT_MAX);
    assert_string_equal(m.first_error + n - 3, "...");
    assert_string_equal(m.phase + phase - 3, "...");
    assert_int_equal((phase - 3) % 2, 0);
    assert_null(m.row);
}

int main(void)
{
    static struct golden cases[MAX_CASES];
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_json_is_refused),
        cmocka_unit_test(members_of_a_wrong_type_count_as_absent),
        cmocka_unit_test(long_texts_are_cut_between_characters),
    };
    size_t n = golden_find(FOLDER, cases, MAX_CASES);

    if (n == 0)
        return 1;
    int failed = run_rows("golden state", cases, n, sizeof cases[0], check_case);

    failed += cmocka_run_group_tests_name("state of a migration", tests, NULL, NULL);
    golden_free(cases, n);
    return failed;
}
