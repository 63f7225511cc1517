/* AdmissionReviews for validation, text to text.  Beside the review a member "facts" may hold the objects
 * that answer the rules' questions.  What can be read is answered, twice the same, and the same again when
 * the members of every object stand in another order. */
#include "fuzz.h"

#include "tests/support/golden.h"
#include "tests/support/trees.h"
#include "waymark/validate.h"

enum { MAX_ROUNDS = WM_FACTS_MAX + 1, ANSWER_MAX = 1 << 20, MAX_TREE = 64 << 10 };

static void take(struct wm_facts *facts, size_t i, struct wm_str text, const char *before, const char *after)
{
    wm_auto_buf struct wm_buf b = WM_BUF_MAX(text.n + 64);

    wm_buf_puts(&b, before);
    wm_buf_str(&b, text);
    wm_buf_puts(&b, after);
    size_t n = b.n;

    wm_facts_answer(facts, i, WM_FACT_FOUND, wm_buf_take(&b), n);
}

/* The i-th question is answered by the i-th fact; a list by all of them; no facts: nothing is there. */
static void answer_question(struct wm_facts *facts, size_t i, struct wm_json_value list)
{
    size_t n = wm_json_count(list);
    struct wm_json_value v = wm_json_first(list);

    if (n == 0 || facts->list[i].query.name[0] == 'u') {
        wm_facts_answer(facts, i, n ? WM_FACT_UNKNOWN : WM_FACT_ABSENT, NULL, 0);
    } else if (!facts->list[i].query.name[0]) {
        take(facts, i, wm_json_span_of(list).text, "{\"items\":", "}");
    } else {
        for (size_t k = i % n; k; k--)
            v = wm_json_after(v);
        take(facts, i, wm_json_span_of(v).text, "", "");
    }
}

/* False when the text is no review. */
static bool judge(struct wm_str body, struct wm_buf *out)
{
    static const char *const pointers[] = {"/facts"};
    struct wm_json_span span;
    wm_auto_index struct wm_json_index given = {0};
    struct wm_admission a = {0};
    struct wm_error err = {0};
    struct wm_facts facts = {0};
    struct wm_verdict v = {0};
    struct wm_policy policy;

    if (wm_admission_read(body, &a, &err) < 0) {
        MUST(err.msg[0], "an error has a message");
        wm_admission_done(&a);
        return false;
    }
    a.subject.now_s = 1767323045;
    bool some = wm_json_locate_indexed(body, 1, pointers, &span, 1, &given, NULL) == WM_OK;

    wm_policy_init(&policy);
    wm_validate(&a.subject, &policy, &facts, &v);
    for (int round = 0; v.wants_facts; round++) {
        MUST(round < MAX_ROUNDS, "questions come to an end");
        for (size_t i = 0; i < facts.n; i++)
            if (facts.list[i].state == WM_FACT_WANTED)
                answer_question(&facts, i, some ? wm_json_root(&given, 0) : (struct wm_json_value){0});
        wm_validate(&a.subject, &policy, &facts, &v);
    }
    MUST(wm_admission_answer(&a, &v, out, &err) == WM_OK, "what is read is answered");
    MUST(wm_json_locate(wm_buf_text(out), 0, NULL, NULL, NULL) == WM_OK, "an answer is JSON");
    wm_verdict_done(&v);
    wm_facts_done(&facts);
    wm_policy_done(&policy);
    wm_admission_done(&a);
    return true;
}

static void check_order(struct wm_str body)
{
    wm_auto_json cJSON *tree = NULL;
    wm_auto_buf struct wm_buf there = WM_BUF_MAX(ANSWER_MAX), back = WM_BUF_MAX(ANSWER_MAX);

    if (body.n > MAX_TREE || wm_json_parse(body, &tree, NULL) < 0 || tree_has_doubles(tree))
        return;
    wm_auto_free char *forward = cJSON_PrintUnformatted(tree);

    golden_reverse(tree);
    wm_auto_free char *backward = cJSON_PrintUnformatted(tree);

    MUST(judge(wm_str_of(forward), &there) == judge(wm_str_of(backward), &back),
         "order decides what is read");
    MUST(wm_str_eq(wm_buf_text(&there), wm_buf_text(&back)), "the order of members changes the answer");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wm_str body = {(const char *)data, size};
    wm_auto_buf struct wm_buf once = WM_BUF_MAX(ANSWER_MAX), twice = WM_BUF_MAX(ANSWER_MAX);

    if (!judge(body, &once))
        return 0;
    judge(body, &twice);
    MUST(wm_str_eq(wm_buf_text(&once), wm_buf_text(&twice)), "the same review gets the same answer");
    check_order(body);
    return 0;
}
