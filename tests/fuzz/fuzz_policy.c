/* The validation's configuration: a policy whose every row fits a rule, or an error that says where. */
#include "fuzz.h"

#include "webhook/policy_source.h"

static void check_row(const struct wm_policy_row *row)
{
    uint64_t any = 0;

    for (size_t i = 0; i < WM_RULE_MASK_WORDS; i++)
        any |= row->mask[i];
    MUST(any && row->rules && row->rules[0], "a row has rules");
    MUST(row->mode >= WM_MODE_OFF && row->mode < WM_MODE_COUNT, "a row has a mode");
}

/* Somebody whose name and groups are made of the text itself. */
static void check_modes(const struct wm_policy *p, struct wm_str text)
{
    static const char *const pointers[] = {"/u", "/g"};
    wm_auto_buf struct wm_buf who = WM_BUF_MAX(1 << 20);
    struct wm_json_span s[2];
    enum wm_mode modes[WM_RULES_MAX];

    text.n = text.n < 64 ? text.n : 64;
    wm_buf_puts(&who, "{\"u\":");
    wm_json_quote(&who, text);
    wm_buf_puts(&who, ",\"g\":[\"a\",");
    wm_json_quote(&who, text);
    wm_buf_puts(&who, "]}");
    MUST(wm_json_locate(wm_buf_text(&who), 2, pointers, s, NULL) == WM_OK, "a quoted text is JSON");
    wm_policy_modes(p, "team-a", &(struct wm_requester){s[0], s[1]}, modes);
    for (size_t i = 0; i < wm_rules_count(); i++)
        MUST(modes[i] < WM_MODE_COUNT, "every rule has a mode");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wm_str text = {(const char *)data, size};
    struct wm_policy p;
    struct wm_error err = {0};

    if (wm_policy_parse(text, "f", &p, &err) < 0) {
        MUST(err.msg[0] && err.where[0] == 'f', "an error has a place and a message");
        return 0;
    }
    MUST(p.namespace_limit > 0 && p.migration_namespace[0], "what is not configured has its default");
    for (size_t i = 0; i < p.n_rows; i++)
        check_row(&p.rows[i]);
    check_modes(&p, text);
    wm_policy_done(&p);
    return 0;
}
